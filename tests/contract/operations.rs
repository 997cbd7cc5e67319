//! `docs/configuration.md` has every setting of the server, and `docs/operations.md` every code of a refusal.

use std::{env, fmt::Write, fs, path::Path};

use clap::CommandFactory;
use user_import::cli::Cli;

const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
const RUNBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
const BEGIN: &str = "<!-- settings: begin -->\n";
const END: &str = "<!-- settings: end -->\n";

/// Returns the options of `serve` from its help.
fn settings() -> String {
    let mut command = Cli::command();
    // A command has its global options only after the whole command line has been built.
    command.build();
    let serve = command.find_subcommand("serve").unwrap();
    let mut table = "| option | variable | default | meaning |\n|---|---|---|---|\n".to_owned();
    for option in serve.get_arguments() {
        let (Some(long), Some(variable)) = (option.get_long(), option.get_env()) else {
            continue;
        };
        let defaults = option.get_default_values().iter();
        let default: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
        let help = option.get_help().map(ToString::to_string);
        writeln!(
            table,
            "| `--{long}` | `{}` | {} | {} |",
            variable.to_string_lossy(),
            default.join(" "),
            help.unwrap_or_default()
                .replace('\n', " ")
                .replace('|', "\\|"),
        )
        .unwrap();
    }
    table
}

#[test]
fn every_setting_is_documented_as_the_program_says() {
    let page = fs::read_to_string(SETTINGS).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let current = format!("{before}{BEGIN}{}{END}{after}", settings());
    if env::var_os("USER_IMPORT_WRITE_REFERENCE").is_some() {
        fs::write(SETTINGS, &current).unwrap();
        return;
    }
    assert!(
        page == current,
        "docs/configuration.md is out of date. Write it again with \
         USER_IMPORT_WRITE_REFERENCE=1 cargo test --test contract"
    );
}

/// The texts after which a literal in a source file is a code that callers see.
const BEFORE_CODES: [&str; 6] = [
    "Refusal::invalid(",
    "Refusal::limit(",
    "Refusal::precondition(",
    "about_import(",
    "with_error_info(",
    "=> ",
];

fn codes(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for before in BEFORE_CODES {
        for behind in source.split(before).skip(1) {
            let literal = behind.trim_start().strip_prefix('"');
            let code = literal.and_then(|text| text.split('"').next());
            let is_code = |code: &&str| {
                code.len() > 3 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            };
            found.extend(code.filter(is_code).map(str::to_owned));
        }
    }
    found
}

fn codes_in(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_in(&path, found);
        } else {
            found.extend(codes(&fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_runbook_has_every_code_that_a_caller_can_meet() {
    let page = fs::read_to_string(RUNBOOK).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for layer in ["access", "import", "input", "rpc"] {
        codes_in(&source.join(layer), &mut found);
    }
    assert!(found.len() > 30, "{found:?}");
    found.retain(|code| !page.contains(&format!("`{code}`")));
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "not in docs/operations.md: {found:?}");
}
