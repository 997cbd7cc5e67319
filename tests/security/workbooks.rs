//! Workbooks that are made to do damage: each is refused with a code of its own, nothing is written, and the server
//! still serves others.

use tonic::Code;
use user_import::{config::Settings, limits::MemoryBounds};

use user_import_testing::{
    App, Database, on_both_databases, roster, start_of,
    workbook::{WorkbookParts, ods, ods_content, ods_rows, shared_strings, xlsx, xlsx_rows},
};

on_both_databases![
    a_workbook_that_is_made_to_harm_is_refused,
    what_reading_a_workbook_holds_counts_in_the_memory_budget,
    nothing_outside_a_workbook_is_read,
];

const MIB: usize = 1024 * 1024;
const HEADER: [&str; 7] = [
    "EMAIL",
    "BADGE_NUMBER",
    "FIRST_NAME",
    "LAST_NAME",
    "STATUS",
    "USERNAME",
    "ROLE",
];

/// A workbook with a header and these rows of XML.
fn excel(rows: &str) -> WorkbookParts {
    xlsx(&[("Roster", xlsx_rows([HEADER]) + rows)])
}

fn open_document(rows: &str) -> WorkbookParts {
    ods(&[("Roster", ods_rows([HEADER]) + rows)])
}

/// An attack, and the code with which it is refused.
type WorkbookAttack = (&'static str, Vec<u8>, &'static str);

/// Small files that become large.
fn bombs() -> Vec<WorkbookAttack> {
    let spaces = " ".repeat(400_000);
    let texts = format!("<si><t>{spaces}</t></si>").repeat(60);
    let texts = excel("").with("xl/sharedStrings.xml", format!("<sst>{texts}</sst>"));
    let styles = format!("<s><cellXfs>{}</cellXfs></s>", "<xf/>".repeat(3_000_000));
    let styles = excel("").with("xl/styles.xml", styles);
    let nested = excel("").with("xl/worksheets/sheet2.xlsx", excel("").stored());
    let blanks = excel(&"<row><c s=\"1\"/><c s=\"2\"/></row>".repeat(500_000));
    let shared = shared_strings(&[&"é".repeat(30_000)]);
    let shared = excel(&"<row><c t=\"s\"><v>0</v></c></row>".repeat(100_000))
        .with("xl/sharedStrings.xml", shared);
    let white = excel(&format!("{spaces}<row/>").repeat(60));
    vec![
        ("white space", white.zip(), "COMPRESSED_TOO_MUCH"),
        ("shared texts", texts.zip(), "COMPRESSED_TOO_MUCH"),
        ("styles", styles.zip(), "WORKBOOK_BROKEN"),
        ("a nested archive", nested.zip(), "NO_ROWS"),
        ("styled cells without a value", blanks.stored(), "NO_ROWS"),
        (
            "a long text in many cells",
            shared.stored(),
            "TOO_MANY_BYTES",
        ),
    ]
}

/// Few rows and cells that stand for many.
fn repetitions() -> Vec<WorkbookAttack> {
    let repeated = |rows: &str, columns: &str, text: &str| {
        let row = format!(
            "<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell \
             table:number-columns-repeated=\"{columns}\" office:value-type=\"string\"><text:p>{text}</text:p>\
             </table:table-cell></table:table-row>"
        );
        open_document(&row).zip()
    };
    let blank = "<table:table-row table:number-rows-repeated=\"4294967295\">\
        <table:table-cell table:number-columns-repeated=\"4294967295\"/></table:table-row>";
    let spaces = "<text:s text:c=\"4000000000\"/>x";
    vec![
        ("rows", repeated("1000000", "7", "x"), "TOO_MANY_ROWS"),
        (
            "rows beyond a sheet",
            repeated("99999999999", "7", "x"),
            "WORKBOOK_BROKEN",
        ),
        (
            "columns beyond a sheet",
            repeated("1", "99999999999", "x"),
            "WORKBOOK_BROKEN",
        ),
        (
            "a long row",
            repeated("1", "16384", "xxxxx"),
            "RECORD_TOO_LONG",
        ),
        ("spaces", repeated("1", "1", spaces), "RECORD_TOO_LONG"),
        ("blanks without end", open_document(blank).zip(), "NO_ROWS"),
    ]
}

/// Files whose content differs from what they state, or that are not well-formed.
fn lies() -> Vec<WorkbookAttack> {
    let shared = shared_strings(&["x"]).replace("\"1\"", "\"18446744073709551615\"");
    let shared = excel("").with("xl/sharedStrings.xml", shared);
    let laughs = "<!DOCTYPE w [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><w><sheetData>&b;</sheetData></w>";
    let laughs = excel("").with("xl/worksheets/sheet1.xml", laughs);
    let reference = excel("<row><c r=\"ZZZZZZZZZZZZ99999999999\"><v>1</v></c></row>");
    let endless = excel(&format!("<row><c><v>{}", "9".repeat(8 * MIB)));
    let attributes = (0..30_000).fold(String::new(), |all, n| all + &format!("a{n}=\"\" "));
    let attributes = excel(&format!("<row><c {attributes}/></row>"));
    let cut = ods_content("<table:table table:name=\"S\">");
    let cut = ods(&[]).with("content.xml", &cut[..cut.len() - 40]);
    let twice = excel("").with("XL/WORKBOOK.XML", "<x/>");
    let mut sizes = excel("<row/>").stored();
    lie_about_sizes(&mut sizes);
    vec![
        ("a number of texts", shared.zip(), "NO_ROWS"),
        ("entities", laughs.zip(), "WORKBOOK_BROKEN"),
        ("a long reference", reference.zip(), "WORKBOOK_BROKEN"),
        (
            "elements without end",
            excel(&"<a>".repeat(1_000_000)).stored(),
            "WORKBOOK_BROKEN",
        ),
        ("a text without end", endless.stored(), "WORKBOOK_BROKEN"),
        ("many attributes", attributes.stored(), "NO_ROWS"),
        ("content that is cut off", cut.zip(), "WORKBOOK_BROKEN"),
        ("two parts of one name", twice.zip(), "WORKBOOK_BROKEN"),
        ("sizes of parts", sizes, "WORKBOOK_BROKEN"),
    ]
}

/// Changes the archive's directory, so that it states 4 GiB as the size of each part.
fn lie_about_sizes(archive: &mut [u8]) {
    let entries: Vec<usize> = (0..archive.len() - 4)
        .filter(|&at| archive[at..].starts_with(b"PK\x01\x02"))
        .collect();
    for at in entries {
        archive[at + 20..at + 28].fill(0xFE);
    }
}

async fn a_workbook_that_is_made_to_harm_is_refused(database: Database) {
    let mut settings = Settings::default();
    settings.limits.max_bytes = 32 * MIB as u64;
    let app = App::start_with(database, settings).await;
    let attacks = [bombs(), repetitions(), lies()].into_iter().flatten();
    for (attack, workbook, code) in attacks {
        let told = app.refuse_workbook(start_of("pd"), workbook).await;
        assert!(told.contains(code), "{attack}: {told}");
    }
    app.people(["ada"]).await;
}

async fn what_reading_a_workbook_holds_counts_in_the_memory_budget(database: Database) {
    let mut settings = Settings::default();
    settings.server.memory = MemoryBounds::of(16 * MIB);
    let app = App::start_with(database, settings).await;
    // The workbook is small, and not compressed too much, because its texts consist of different digits.
    let texts: Vec<String> = (0..1_000_000).map(|number| number.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let people = xlsx_rows(rows_of(&roster().people(["ada"]).csv()));
    let parts = xlsx(&[("Roster", people)]);
    let held = parts.with("xl/sharedStrings.xml", shared_strings(&texts));
    let workbook = held.zip();
    assert!(workbook.len() < 8 * MIB, "{}", workbook.len());
    let refused = app.import_workbook(start_of("pd"), workbook.clone()).await;
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.refusal().contains("MEMORY_IN_USE"), "{refused}");
    // All memory is free again.
    app.people(["ada"]).await;

    let app = App::start(database).await;
    let imported = app.import_workbook(start_of("pd"), workbook).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

fn rows_of(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().map(|line| line.split(',').collect()).collect()
}

/// If the server followed the link, this listener would get a connection.
async fn nothing_outside_a_workbook_is_read(database: Database) {
    let app = App::start(database).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/x", listener.local_addr().unwrap());
    let people = || xlsx_rows(rows_of(&roster().people(["ada"]).csv()));
    let relations = format!(
        "<R><Relationship Id=\"rId1\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"x/externalLink\" Target=\"{address}\" TargetMode=\"External\"/>\
         <Relationship Id=\"rId3\" Type=\"x/sharedStrings\" Target=\"{address}\" TargetMode=\"External\"/></R>"
    );
    let linked = xlsx(&[("Roster", people())])
        .with("xl/_rels/workbook.xml.rels", relations)
        .with(
            "xl/externalLinks/externalLink1.xml",
            format!("<externalLink href=\"{address}\"/>"),
        );
    let imported = app.import_workbook(start_of("pd"), linked.zip()).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let entity = format!("<!DOCTYPE w SYSTEM \"{address}\"><w><sheetData/></w>");
    let parts = xlsx(&[("Roster", people())]).with("xl/worksheets/sheet1.xml", entity);
    let told = app.refuse_workbook(start_of("pd"), parts.zip()).await;
    assert!(told.contains("WORKBOOK_BROKEN"), "{told}");
    let formula = "<row r=\"3\"><c r=\"A3\" t=\"str\"><f>WEBSERVICE(\"ADDRESS\")</f><v>bob@pd.example</v></c></row>";
    let parts = excel(&formula.replace("ADDRESS", &address));
    let computed = app.import_workbook(start_of("pd"), parts.zip()).await;
    assert_eq!(computed.summary().rejected, 1, "{computed}");
    assert!(listener.accept().is_err(), "somebody has called");
}
