//! `inspect`: looks at a file, and proposes a mapping for it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    connection::OrganizationArgs,
    import::CommandLine,
    mapping_file::{self, MappingChoice},
};
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{
        CsvText, FormatArgs, OutputFormat, TerminalStyle, TextTable, Verbosity, print, printable,
        write_line, write_whole,
    },
};
use crate::client::{BEGINNING, ServiceClient};
use crate::proto::{
    CsvFormat, InspectRosterRequest, InspectRosterResponse, InspectedColumn, InspectedValue,
    Mapping, RosterFormat, WorkbookFormat,
};

/// How a workbook begins, as every zip archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// Options of this command that the next command does not repeat.
const OWN_OPTIONS: [&str; 5] = [
    "--save-mapping",
    "--output",
    "--mapping",
    "--charset",
    "--format",
];

/// Look at a file before it is imported, and propose how to read it
///
/// Shows which column of a roster each column of the file would become, and why. Also shows what the values of
/// STATUS, ROLE, RANK and the group would become. The mapping is a proposal: check it, correct it, and import with
/// it. No user is changed.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: look at a file, and save the mapping that is proposed\n  \
    user-import inspect cad-export.csv --organization my-department\n  \
    user-import inspect cad-export.csv --organization my-department --save-mapping cad\n  \
    user-import inspect cad-export.csv --organization my-department --output cad-mapping.toml"
)]
pub(crate) struct InspectArgs {
    /// CSV file or workbook; `-` is standard input. Of a CSV file only the first MiB is read
    file: PathBuf,
    /// Save the proposed mapping under this name, for imports with `--mapping NAME`
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_SAVE_MAPPING")]
    save_mapping: Option<String>,
    /// Write the proposed mapping to this file, for you to correct and to give to `import --mapping`
    #[arg(long, short, value_name = "FILE.toml", env = "USER_IMPORT_OUTPUT")]
    output: Option<PathBuf>,
    /// Mapping to begin with: the name of a saved mapping, or a TOML file. The proposal keeps all its entries
    #[arg(long, value_name = "NAME|FILE.toml", env = "USER_IMPORT_MAPPING", value_parser = mapping_file::choose)]
    mapping: Option<MappingChoice>,
    /// Charset of the file, such as windows-1252 [default: detected]
    #[arg(long, value_name = "LABEL", env = "USER_IMPORT_CHARSET")]
    charset: Option<String>,
    /// Sheet of a workbook [default: the first that is not hidden]
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_SHEET")]
    sheet: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the file cannot be read, or the server refuses.
pub(crate) async fn run(args: InspectArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let content =
        beginning(&args.file).map_err(|error| UsageError::unreadable(&args.file, &error))?;
    check(&args, &content)?;
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let choice = args.mapping.as_ref();
    let request = InspectRosterRequest {
        organization: organization.clone(),
        csv: args.charset.clone().map(|charset| CsvFormat {
            charset,
            ..CsvFormat::default()
        }),
        workbook: args.sheet.clone().map(|sheet| WorkbookFormat { sheet }),
        mapping: choice.and_then(MappingChoice::sent),
        mapping_name: choice.map_or_else(String::new, MappingChoice::name),
        ..InspectRosterRequest::default()
    };
    let found = client.inspect(request, content.into()).await?;
    match args.format.format {
        OutputFormat::Json => write_line(&mut std::io::stdout().lock(), &mut Vec::new(), &found)?,
        OutputFormat::Csv => print(&CsvText::of(
            &COLUMNS_CSV,
            found.columns.iter().map(column_record),
        )?)?,
        OutputFormat::Table => print(&report(&args.file, &found, TerminalStyle::of_stdout()))?,
    }
    let Some(mapping) = &found.mapping else {
        return Ok(ExitStatus::Refused);
    };
    let mut by = None;
    if let Some(path) = &args.output {
        write_whole(path, mapping_file::render(mapping)?.as_bytes())?;
        verbosity.confirm(&format!("\nThe mapping is in {}.\n", path.display()))?;
        by = Some(path.display().to_string());
    }
    if let Some(name) = &args.save_mapping {
        expect_free(&mut client, (&organization, name), choice).await?;
        client
            .save_mapping(&organization, name, mapping.clone())
            .await?;
        verbosity.confirm(&format!("\nThe mapping is saved as {name}.\n"))?;
        by = Some(name.clone());
    }
    if args.format.format == OutputFormat::Table {
        verbosity.confirm(&next_command(&args.file, mapping, by, &found))?;
    }
    Ok(ExitStatus::Done)
}

/// Fails if there is nothing to look at, or if what is written would replace a file.
fn check(args: &InspectArgs, content: &[u8]) -> Result<(), UsageError> {
    let message = match &args.output {
        _ if content.is_empty() => format!("{} is empty.", args.file.display()),
        Some(path) if path.exists() => format!(
            "{} exists already, and may have corrections; name another file.",
            path.display()
        ),
        _ => return Ok(()),
    };
    Err(UsageError::new(message))
}

/// Fails if another mapping has the name. One that the file was looked at with may be replaced.
async fn expect_free(
    client: &mut ServiceClient,
    (organization, name): (&str, &str),
    begun_with: Option<&MappingChoice>,
) -> anyhow::Result<()> {
    let is_own = begun_with.is_some_and(|choice| choice.name() == name);
    let saved = client.mappings(organization).await?;
    match saved.iter().any(|mapping| mapping.name == name) && !is_own {
        true => Err(UsageError::new(format!(
            "{organization} has a mapping {name} already, and it may have corrections; choose another name, or begin with it: --mapping {name}."
        ))
        .into()),
        false => Ok(()),
    }
}

/// Reads the beginning of a file or of standard input; of a workbook, which cannot be read from its beginning alone, all.
fn beginning(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut reader: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(file)?),
    };
    let beginning = BEGINNING as u64;
    reader.by_ref().take(beginning).read_to_end(&mut content)?;
    if content.starts_with(ZIP) {
        reader.read_to_end(&mut content)?;
    }
    Ok(content)
}

const COLUMNS: TextTable<4> = TextTable {
    headings: ["In the file", "Becomes", "Values", "Why"],
    numbers: 0..0,
    unbroken: None,
};

const COLUMNS_CSV: [&str; 4] = ["name", "proposed_column", "samples", "reason"];

const VALUES: TextTable<4> = TextTable {
    headings: ["Column", "In the file", "Rows", "Becomes"],
    numbers: 2..3,
    unbroken: None,
};

fn column_record(column: &InspectedColumn) -> [String; 4] {
    [
        column.name.clone(),
        column.proposed_column.clone(),
        column.samples.join(" | "),
        column.reason.clone(),
    ]
}

fn column_cells(column: &InspectedColumn) -> [String; 4] {
    let [name, proposed, samples, reason] = column_record(column);
    let proposed = match proposed.is_empty() {
        true => "-".to_owned(),
        false => proposed,
    };
    [name, proposed, samples, reason]
}

fn value_cells(value: &InspectedValue) -> [String; 4] {
    let becomes = match (value.known, &*value.suggestion) {
        (true, _) => value.becomes.clone(),
        (false, "") => "not known".to_owned(),
        (false, near) => format!("not known; {near}?"),
    };
    [
        value.column.clone(),
        format!("\"{}\"", value.cell),
        value.count.to_string(),
        becomes,
    ]
}

/// Returns a sentence that says what the file is.
fn kind(file: &str, found: &InspectRosterResponse) -> String {
    let (file, line) = (printable(file), found.header_line);
    if found.format() == RosterFormat::Workbook {
        return format!("{file} is a workbook; its header is in row {line}.\n");
    }
    let delimiter = match &*found.delimiter {
        "\t" => "tabs".to_owned(),
        delimiter => format!("\"{delimiter}\""),
    };
    format!(
        "{file} is CSV in {}, delimited by {delimiter}; its header is on line {line}.\n",
        found.charset
    )
}

/// Returns the report for a person.
fn report(file: &Path, found: &InspectRosterResponse, style: TerminalStyle) -> String {
    let file = file.display().to_string();
    let mut parts = Vec::new();
    if found.header_line > 0 {
        parts.push(kind(&file, found));
        parts.push(COLUMNS.text(found.columns.iter().map(column_cells), style));
    }
    if !found.values.is_empty() {
        parts.push(VALUES.text(found.values.iter().map(value_cells), style));
    }
    if !found.missing_columns.is_empty() {
        parts.push(format!(
            "Nothing in the file gives {}: add the columns to the export, or templates to the mapping.\n",
            found.missing_columns.join(", ")
        ));
    }
    match found.values.iter().filter(|value| !value.known).count() {
        0 => {}
        1 => parts.push("One value is not known, and its rows would be rejected: say in the mapping what it is.\n".to_owned()),
        unknown => parts.push(format!(
            "{unknown} values are not known, and their rows would be rejected: say in the mapping what they are.\n"
        )),
    }
    let issues = found.issues.iter();
    parts.extend(issues.map(|issue| format!("{}\n", printable(&issue.message))));
    parts.join("\n")
}

/// The command to run next.
fn next_command(
    file: &Path,
    mapping: &Mapping,
    by: Option<String>,
    found: &InspectRosterResponse,
) -> String {
    let line = CommandLine::of_process();
    let command = ("inspect", "import");
    let is_named = !found.charset.is_empty() && !found.charset.starts_with("UTF-");
    let charset = is_named.then(|| ["--charset".to_owned(), found.charset.clone()]);
    let charset = || charset.clone().into_iter().flatten();
    let dry_run = "--validate-only".to_owned();
    if let Some(by) = by {
        let added = ["--mapping".to_owned(), by].into_iter().chain(charset());
        let added: Vec<_> = added.chain([dry_run]).collect();
        let first = match found.missing_columns.is_empty() {
            true => String::new(),
            false => format!(
                "The mapping still needs {}. ",
                found.missing_columns.join(", ")
            ),
        };
        return format!(
            "{first}To see what an import with it would do:\n  {}\n",
            line.as_command(command, &OWN_OPTIONS, &added)
        );
    }
    if *mapping == Mapping::default() && found.missing_columns.is_empty() {
        let added: Vec<_> = charset().chain([dry_run]).collect();
        return format!(
            "\n{} needs no mapping. To see what an import would do:\n  {}\n",
            printable(&file.display().to_string()),
            line.as_command(command, &OWN_OPTIONS, &added)
        );
    }
    let again = line.as_command(
        ("inspect", "inspect"),
        &OWN_OPTIONS[..2],
        &["--output".to_owned(), "mapping.toml".to_owned()],
    );
    format!("\nTo write the mapping to a file, so that you can correct it:\n  {again}\n")
}
