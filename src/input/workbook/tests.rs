//! Workbooks against CSV files of the same cells, kinds of cells, and workbooks that are refused.

use std::ops::ControlFlow;

use insta::assert_snapshot;
use proptest::prelude::*;
use user_import_testing::workbook::{
    WorkbookParts, ods, ods_content, ods_rows, shared_strings, xlsx, xlsx_rows,
};

use super::*;
use crate::domain::{Cell, Column};
use crate::input::decoder_harness::{HarnessResult, decode, show};
use crate::input::{Mapping, ValueMapping};

const HEADER: [&str; 7] = [
    "EMAIL",
    "BADGE_NUMBER",
    "FIRST_NAME",
    "LAST_NAME",
    "STATUS",
    "USERNAME",
    "ROLE",
];
const ROW: [&str; 7] = ["e", "b", "f", "l", "s", "u", "r"];

fn read_as(
    options: &CsvOptions,
    sheet: &str,
    limits: InputLimits,
    bytes: &[u8],
) -> (FoundSheet, HarnessResult) {
    let reader = WorkbookReader {
        options,
        sheet,
        limits,
    };
    let mut rows = Vec::new();
    let mut go_on = |_| ControlFlow::Continue(());
    let (found, read) = reader.read(bytes, &mut go_on, &mut |row| rows.push(show(row)));
    let faults = match read {
        Ok(()) => Vec::new(),
        Err(WorkbookReadError::Faults(faults)) => faults,
        Err(WorkbookReadError::Halted) => panic!("nobody stopped it"),
    };
    let header = found.header.clone();
    (
        found,
        HarnessResult {
            header,
            rows,
            faults,
        },
    )
}

/// Shows the rows and faults of a workbook, one a line.
fn read_with(options: &CsvOptions, sheet: &str, bytes: &[u8]) -> String {
    let (_, decoded) = read_as(options, sheet, InputLimits::default(), bytes);
    let faults = decoded.faults.iter();
    let faults = faults.map(|fault| format!("{}: {fault}", fault.code()));
    let shown: Vec<String> = decoded.rows.into_iter().chain(faults).collect();
    shown.join("\n")
}

fn read(bytes: &[u8]) -> String {
    read_with(&CsvOptions::default(), "", bytes)
}

fn table(rows: &[&[&str]]) -> Vec<Vec<String>> {
    let all = [&HEADER[..]].into_iter().chain(rows.iter().copied());
    all.map(|row| row.iter().map(|&cell| cell.to_owned()).collect())
        .collect()
}

/// The two kinds of workbooks with these cells in their only sheet.
fn workbooks(rows: &[Vec<String>]) -> [Vec<u8>; 2] {
    [
        xlsx(&[("Roster", xlsx_rows(rows))]).zip(),
        ods(&[("Roster", ods_rows(rows))]).zip(),
    ]
}

/// The CSV that a spreadsheet program writes of these cells: each row has all columns.
fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        let mut row = row.clone();
        row.resize(width, String::new());
        writer.write_record(&row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Expects that both workbooks of these cells are read as their CSV is.
#[track_caller]
fn assert_equals_csv(options: &CsvOptions, rows: &[Vec<String>]) {
    let of_csv = decode(options, InputLimits::default(), &csv(rows));
    for workbook in workbooks(rows) {
        let (_, of_workbook) = read_as(options, "", InputLimits::default(), &workbook);
        assert_eq!(of_workbook, of_csv, "{rows:?}");
    }
}

#[test]
fn the_rows_of_a_sheet_are_those_of_its_csv() {
    let options = CsvOptions {
        ignore_unknown_columns: true,
        ..CsvOptions::default()
    };
    let wide = [
        "EMAIL",
        "BADGE_NUMBER",
        "FIRST_NAME",
        "LAST_NAME",
        "STATUS",
        "USERNAME",
        "ROLE",
        "Shirt",
        "PHONE",
    ];
    let row = |cells: &[&str]| {
        cells
            .iter()
            .map(|&cell| cell.to_owned())
            .collect::<Vec<_>>()
    };
    assert_equals_csv(
        &options,
        &[
            row(&wide),
            row(&[
                "e",
                "007",
                "F \"x\"",
                "l\u{301}, m",
                "Active",
                "u",
                "r",
                "M",
            ]),
            row(&[]),
            row(&["", "", " "]),
            row(&["=\"e\"", "b", "f", "l", "Inactive", "u", "r", "", "p"]),
            row(&["---", "---", "---", "---"]),
            row(&wide),
            row(&["Total: 3"]),
            row(&["e", "b", "f", "l", "Active", "u\nv", "r"]),
        ],
    );
    assert_equals_csv(
        &options,
        &[
            row(&wide),
            row(&["e", "b", "f", "l", "s", "u", "r", "x", "y", "z"]),
        ],
    );
    assert_equals_csv(&options, &[row(&wide)]);
    assert_equals_csv(
        &CsvOptions::default(),
        &[row(&["EMIAL", "Status", "", "x"]), row(&["a"])],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever the cells are, both workbooks are read as their CSV is.
    #[test]
    fn a_workbook_equals_the_csv_of_its_cells(
        rows in prop::collection::vec(
            prop::collection::vec(r#"[a-c"',;=é&<_ .0-9-]{0,6}|Active|inactive|_x000D_|Total: 3"#, 0..7), 0..12),
    ) {
        let header = HEADER.iter().map(|&name| name.to_owned()).collect();
        let rows: Vec<Vec<String>> = [header].into_iter().chain(rows).collect();
        let of_csv = decode(&CsvOptions::default(), InputLimits::default(), &csv(&rows));
        // Excel escapes a text that looks like its escapes.
        let escaped: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.replace("_x", "_x005F_x")).collect())
            .collect();
        let workbooks = [
            xlsx(&[("S", xlsx_rows(&escaped))]).zip(),
            ods(&[("S", ods_rows(&rows))]).zip(),
        ];
        for workbook in workbooks {
            let (_, of_workbook) = read_as(&CsvOptions::default(), "", InputLimits::default(), &workbook);
            prop_assert_eq!(&of_workbook, &of_csv);
        }
    }
}

#[test]
fn titles_above_the_header_are_passed_over() {
    let rows = [&["Harbor PD"][..], &[], &["Role"], &HEADER, &ROW];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|&cell| cell.to_owned()).collect())
        .collect();
    for workbook in workbooks(&rows) {
        assert_eq!(read(&workbook), "1@5: e|b|f|l|s|u|r");
    }
}

#[test]
fn a_sheet_without_a_header_says_which_other_sheets_there_are() {
    let notes = || ("Notes", xlsx_rows([["Read me"]]));
    let both = xlsx(&[notes(), ("Roster", xlsx_rows(table(&[&ROW])))]).zip();
    assert_snapshot!(read(&both), @r#"NO_HEADER: No header found: no row of sheet "Notes" has the column names, such as EMAIL, BADGE_NUMBER and STATUS; if the roster is in another sheet, name that: "Roster"."#);
    assert_snapshot!(read(&xlsx(&[notes()]).zip()), @r#"NO_HEADER: No header found: no row of sheet "Notes" has the column names, such as EMAIL, BADGE_NUMBER and STATUS; add it above the rows."#);
    let one = xlsx(&[("S", xlsx_rows([["EMAIL"], ["a@x"]]))]).zip();
    assert!(read(&one).starts_with("MISSING_COLUMN"), "{}", read(&one));
    assert_snapshot!(read(&xlsx(&[("S", xlsx_rows(table(&[])))]).zip()), @"NO_ROWS: There are no rows to import; add at least one.");
}

#[test]
fn a_mapping_skips_rows_and_reads_columns_of_other_names() {
    let rows = [
        &["EMAIL", "ROLE"][..],
        &[
            "Mail", "Badge", "First", "Last", "STATUS", "USERNAME", "ROLE",
        ],
        &["# on leave"],
        &["e", "b", "f", "l", "1", "u", "N/A"],
        &["Total: 3", "2"],
    ];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|&cell| cell.to_owned()).collect())
        .collect();
    let columns = [("Mail", "EMAIL"), ("Badge", "BADGE_NUMBER")];
    let options = CsvOptions {
        mapping: Mapping {
            columns: columns.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            null_values: vec!["n/a".to_owned()],
            values: vec![ValueMapping {
                column: "STATUS".to_owned(),
                cell: "1".to_owned(),
                value: "Active".to_owned(),
            }],
            templates: [
                ("FIRST_NAME", "{{ row.First | upper }}"),
                ("LAST_NAME", "{{ row.Last }}"),
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into(),
            skip_leading_lines: 1,
            ignored_line_prefixes: vec!["#".to_owned(), "Total: 3,2".to_owned()],
        },
        ..CsvOptions::default()
    };
    for workbook in workbooks(&rows) {
        let (found, decoded) = read_as(&options, "", InputLimits::default(), &workbook);
        assert_eq!(
            (decoded.rows, decoded.faults),
            (vec!["1@4: e|b|F|l|Active|u|".to_owned()], vec![])
        );
        assert_eq!(found.ignored_lines, Some((2, 3)));
        assert_eq!(found.header_line, 2);
    }
}

/// Shows the cells of a row whose cells this XML is, below a header.
fn cells_of(cells: &str) -> String {
    let header = xlsx_rows([HEADER]);
    let shared = shared_strings(&["shared", "a_x000D_b"]);
    let sheet = format!("{header}<row r=\"3\">{cells}</row>");
    read(
        &xlsx(&[("S", sheet)])
            .with("xl/sharedStrings.xml", shared)
            .zip(),
    )
}

#[test]
fn a_cell_of_each_kind_has_its_text() {
    assert_eq!(
        cells_of(
            "<c r=\"A3\" t=\"s\"><v>0</v></c><c r=\"B3\"><v>15551234567</v></c><c r=\"C3\" s=\"1\"><v>45296</v></c>\
             <c r=\"D3\" t=\"b\"><v>1</v></c><c r=\"E3\" t=\"e\"><v>#N/A</v></c>\
             <c r=\"F3\" t=\"str\"><f>A1&amp;\"x\"</f><v>a &amp; b</v></c><c r=\"G3\" s=\"3\"><v>429</v></c>"
        ),
        "1@3: shared|15551234567|2024-01-05|TRUE|#N/A|a & b|0429"
    );
    assert_eq!(
        cells_of(
            "<c t=\"s\"><v>1</v></c><c t=\"inlineStr\"><is><r><t>r</t></r><r><t xml:space=\"preserve\"> s</t></r>\
             <rPh sb=\"0\" eb=\"1\"><t>no</t></rPh></is></c><c t=\"d\"><v>2024-01-05T08:30:00</v></c>\
             <c s=\"2\"><v>45296.354166666664</v></c><c t=\"e\"><v>#SPILL!</v></c><c t=\"b\"><v>0</v></c>\
             <c s=\"4\"><v>1.5</v></c>"
        ),
        "1@3: a\rb|r s|2024-01-05T08:30:00|2024-01-05T08:30:00|#SPILL!|FALSE|36:00:00"
    );
    assert_eq!(
        cells_of(
            "<c r=\"A3\"><v/></c><c r=\"B3\" s=\"1\"/><c r=\"C3\"><f>1+1</f></c><c r=\"G3\"><v>1.5</v></c>"
        ),
        "1@3: ||||||1.5"
    );
}

#[test]
fn a_cell_of_an_opendocument_sheet_has_its_text() {
    let row = "<table:table-row>\n\
        <table:table-cell office:value-type=\"float\" office:value=\"15551234567\"><text:p>1.56E+10</text:p></table:table-cell>\n\
        <table:table-cell office:value-type=\"float\" office:value=\"429\"><text:p>0429</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2024-01-05\"><text:p>01/05/24</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"><text:p>WAHR</text:p></table:table-cell>\
        <table:table-cell table:formula=\"of:=NA()\" office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"><text:p>#N/A</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><office:annotation><text:p>no</text:p></office:annotation>\n <text:p>a <text:span>b</text:span><text:s text:c=\"2\"/>c\n d</text:p> <text:p>e</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"time\" office:time-value=\"PT08H30M00S\"><text:p>08:30</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"16377\"/>\
        </table:table-row>";
    let blank = "<table:table-row table:number-rows-repeated=\"1048574\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let sheet = format!(
        "<table:table-header-rows>{}</table:table-header-rows>{row}{blank}",
        ods_rows([HEADER])
    );
    assert_eq!(
        read(&ods(&[("S", sheet)]).zip()),
        "1@2: 15551234567|0429|2024-01-05|TRUE|#N/A|a b  c d\ne|08:30:00"
    );
}

#[test]
fn rows_and_cells_that_are_repeated_are_rows_and_cells() {
    let row = "<table:table-row table:number-rows-repeated=\"2\">\
        <table:table-cell table:number-columns-repeated=\"7\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>\
        </table:table-row>";
    let blank =
        "<table:table-row table:number-rows-repeated=\"5\"><table:table-cell/></table:table-row>";
    let sheet = format!("{blank}{}{blank}{row}", ods_rows([HEADER]));
    assert_eq!(
        read(&ods(&[("S", sheet)]).zip()),
        "1@12: x|x|x|x|x|x|x\n2@13: x|x|x|x|x|x|x"
    );
}

#[test]
fn the_named_sheet_is_read() {
    let sheets = |rows: fn(Vec<Vec<String>>) -> String| {
        let named = |name: &'static str| {
            let row = ["e", "b", "f", "l", "s", "u", name];
            (name, rows(table(&[&row])))
        };
        [named("First"), named("Second")]
    };
    for workbook in [xlsx(&sheets(xlsx_rows)).zip(), ods(&sheets(ods_rows)).zip()] {
        let sheet = |name| read_with(&CsvOptions::default(), name, &workbook);
        assert_eq!(sheet(""), "1@2: e|b|f|l|s|u|First");
        assert_eq!(sheet("second"), "1@2: e|b|f|l|s|u|Second");
        assert_eq!(
            sheet("Third"),
            "UNKNOWN_SHEET: The workbook has no sheet \"Third\"; it has \"First\", \"Second\"."
        );
    }
}

#[test]
fn a_hidden_first_sheet_is_read_only_by_its_name() {
    let sheets = [
        ("Lists", xlsx_rows([["x"]])),
        ("Roster", xlsx_rows(table(&[&ROW]))),
    ];
    let parts = xlsx(&sheets);
    let list = "<workbook><sheets><sheet name=\"Lists\" state=\"hidden\" r:id=\"rId1\"/><sheet name=\"Roster\" r:id=\"rId2\"/></sheets></workbook>";
    assert_eq!(
        read(&parts.with("xl/workbook.xml", list).zip()),
        "1@2: e|b|f|l|s|u|r"
    );
    let tables = format!(
        "<table:table table:name=\"Lists\" table:style-name=\"ta1\"/><table:table table:name=\"Roster\">{}</table:table>",
        ods_rows(table(&[&ROW]))
    );
    let content = ods_content(&tables).replace(
        "<office:body>",
        "<office:automatic-styles><style:style style:name=\"ta1\"><style:table-properties table:display=\"false\"/></style:style></office:automatic-styles><office:body>",
    );
    assert_eq!(
        read(&ods(&[]).with("content.xml", content).zip()),
        "1@2: e|b|f|l|s|u|r"
    );
}

#[test]
fn the_fault_of_a_file_that_is_no_workbook_names_its_format() {
    let csv = format!("{}\n{}\n", HEADER.join(","), ROW.join(","));
    assert_snapshot!(read(csv.as_bytes()), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): it is CSV; send it as CSV, in csv_chunk.");
    assert_snapshot!(read(b""), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): the file is empty.");
    assert_snapshot!(read(b"{\"users\": []}"), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): it is JSON; export the roster as .xlsx, .ods or CSV.");
    assert_snapshot!(read(b"jane@x.org,1"), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): if it is CSV, send it as CSV, in csv_chunk.");
    let archive = xlsx(&[])
        .without("[Content_Types].xml")
        .without("_rels/.rels")
        .without("xl/workbook.xml");
    assert_snapshot!(read(&archive.zip()), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): it is a ZIP archive; unpack it, and import the file in it.");
    let letter = ods(&[])
        .with("mimetype", "application/vnd.oasis.opendocument.text")
        .zip();
    assert_snapshot!(read(&letter), @"NOT_A_WORKBOOK: This is not a workbook (.xlsx or .ods): it is another Office document; save the roster as .xlsx, .ods or CSV.");
}

/// A compound file that has these names in its directory.
fn compound(names: &[&str]) -> Vec<u8> {
    let names = names.iter().flat_map(|name| name.encode_utf16());
    let names = names.flat_map(u16::to_le_bytes);
    let start = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    start.into_iter().chain([0; 504]).chain(names).collect()
}

#[test]
fn a_workbook_that_cannot_be_read_says_what_to_do() {
    assert_snapshot!(read(&compound(&["EncryptionInfo", "EncryptedPackage"])), @"WORKBOOK_PROTECTED: The workbook is protected by a password; open it, save it without one, and import that.");
    assert_snapshot!(read(&compound(&["Workbook"])), @"WORKBOOK_FORMAT: This is an old Excel workbook (.xls), which cannot be read; save it as .xlsx or .ods, and import that.");
    let locked =
        "<m:manifest xmlns:m=\"m\"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>";
    assert!(
        read(&ods(&[]).with("META-INF/manifest.xml", locked).zip())
            .starts_with("WORKBOOK_PROTECTED")
    );
    assert!(read(&ods(&[]).with("encrypted-package", "x").zip()).starts_with("WORKBOOK_PROTECTED"));
    let binary = xlsx(&[]).with(
        "_rels/.rels",
        "<R><Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"xl/workbook.bin\"/></R>",
    );
    assert_snapshot!(read(&binary.with("xl/workbook.bin", "x").zip()), @"WORKBOOK_FORMAT: This is a binary Excel workbook (.xlsb), which cannot be read; save it as .xlsx or .ods, and import that.");
    let macros = xlsx(&[("Macro1", xlsx_rows([["x"]]))]);
    let macros = macros.with("xl/_rels/workbook.xml.rels", "<R><Relationship Id=\"rId1\" Type=\"http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet\" Target=\"macrosheets/sheet1.xml\"/></R>");
    assert_snapshot!(read(&macros.zip()), @"NO_SHEET: The workbook has no sheet with cells, only macros, charts or dialogs; import the workbook that has the roster.");
    let sound = xlsx(&[("S", xlsx_rows(table(&[&ROW])))]);
    assert_snapshot!(read(&sound.clone().without("xl/worksheets/sheet1.xml").zip()), @"WORKBOOK_BROKEN: The workbook is broken: the sheet cannot be read; open it in a spreadsheet program, save it again as an Excel workbook, and import that.");
    let whole = sound.zip();
    assert!(read(&whole[..whole.len() - 30]).starts_with("WORKBOOK_BROKEN"));
}

#[test]
fn a_sheet_that_is_not_well_formed_is_broken() {
    for sheet in [
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>x</is></c></row>",
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>&xxe;</t></is></c></row>",
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>&#0;</t></is></c></row>",
        "<row r=\"2\"><c r=\"AAAAAAAAAA2\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"XFE2\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A99999999999\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A3\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"B2\"><v>1</v></c><c r=\"A2\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>7</v></c></row>",
        "<row r=\"1\"/>",
        "<row r=\"0\"/>",
        "<row r=\"1048577\"/>",
        "<row r=\"4294967296\"/>",
        "<row>",
    ] {
        let sheet = format!("{}{sheet}", xlsx_rows([HEADER]));
        let told = read(&xlsx(&[("S", sheet.clone())]).zip());
        assert!(told.starts_with("WORKBOOK_BROKEN"), "{sheet}: {told}");
    }
    let parts = xlsx(&[("S", xlsx_rows(table(&[&ROW])))]);
    let doctype = "<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY e SYSTEM \"file:///etc/passwd\">]><worksheet><sheetData/></worksheet>";
    for name in [
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
        "xl/styles.xml",
        "xl/_rels/workbook.xml.rels",
    ] {
        let told = read(&parts.clone().with(name, doctype).zip());
        assert!(told.starts_with("WORKBOOK_BROKEN"), "{name}: {told}");
    }
}

#[test]
fn an_opendocument_sheet_that_is_cut_off_is_broken() {
    let content = ods_content(&format!(
        "<table:table table:name=\"S\">{}</table:table>",
        ods_rows(table(&[&ROW]))
    ));
    for length in (1..content.len()).step_by(7) {
        let Some(cut) = content.get(..length) else {
            continue;
        };
        let told = read(&ods(&[]).with("content.xml", cut).zip());
        assert!(told.starts_with("WORKBOOK_BROKEN"), "{cut}: {told}");
    }
}

#[test]
fn what_is_outside_the_workbook_is_no_part_of_it() {
    let parts = xlsx(&[("S", xlsx_rows(table(&[&ROW])))]);
    for target in [
        "http://192.0.2.1/sheet.xml\" TargetMode=\"External",
        "file:///etc/passwd\" TargetMode=\"external",
    ] {
        let relations =
            format!("<R><Relationship Id=\"rId1\" Type=\"x/worksheet\" Target=\"{target}\"/></R>");
        let told = read(
            &parts
                .clone()
                .with("xl/_rels/workbook.xml.rels", relations)
                .zip(),
        );
        assert!(told.starts_with("NO_SHEET"), "{told}");
    }
}

/// Returns the fault that stops a workbook that becomes larger than it may, and how much of it was read by then.
fn stopped(bytes: &[u8], limits: InputLimits) -> (String, usize) {
    let reader = WorkbookReader {
        options: &CsvOptions::default(),
        sheet: "",
        limits,
    };
    let mut pauses = 0;
    let mut pause = |_| {
        pauses += 1;
        ControlFlow::Continue(())
    };
    let (_, read) = reader.read(bytes, &mut pause, &mut |_| {});
    match read {
        Err(WorkbookReadError::Faults(faults)) => (faults[0].code().to_owned(), pauses),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workbook_that_becomes_too_much_is_stopped_while_it_is_read() {
    let limits = InputLimits::default();
    let sheet = |rows: String| xlsx(&[("S", xlsx_rows([HEADER]) + &rows)]);
    let blanks = format!("{}<row><c s=\"1\"/></row>", " ".repeat(400_000)).repeat(60);
    let bomb = sheet(blanks).zip();
    let (code, pauses) = stopped(&bomb, limits);
    assert_eq!(code, "COMPRESSED_TOO_MUCH");
    assert!(
        pauses * 64 * 1024 <= bomb.len() * 200 + 64 * 1024,
        "{pauses}"
    );
    let text = format!("<row><c t=\"inlineStr\"><is><t>{}", "x".repeat(20 << 20));
    assert_eq!(stopped(&sheet(text).stored(), limits).0, "WORKBOOK_BROKEN");
    let deep = "<a>".repeat(100_000);
    assert_eq!(stopped(&sheet(deep).zip(), limits).0, "WORKBOOK_BROKEN");
    // A text of 60 KiB, which 100,000 cells share.
    let row = "<row><c t=\"s\"><v>0</v></c></row>".repeat(100_000);
    let shared = shared_strings(&[&"é".repeat(30 << 10)]);
    let bomb = sheet(row).with("xl/sharedStrings.xml", shared);
    let small = InputLimits {
        max_bytes: 16 << 20,
        ..limits
    };
    assert_eq!(stopped(&bomb.stored(), small).0, "TOO_MANY_BYTES");
    let long = sheet("<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>0</v></c></row>".to_owned());
    let long = long.with(
        "xl/sharedStrings.xml",
        shared_strings(&[&"é".repeat(20 << 10)]),
    );
    assert_eq!(stopped(&long.zip(), limits).0, "RECORD_TOO_LONG");
}

#[test]
fn what_a_file_says_about_its_sizes_is_not_believed() {
    let sheet = xlsx_rows([HEADER]) + "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>0</v></c></row>";
    let shared = shared_strings(&["x"]).replace("\"1\"", "\"18446744073709551615\"");
    let parts = xlsx(&[("S", sheet)]).with("xl/sharedStrings.xml", shared);
    let parts = parts.clone().with(
        "xl/worksheets/sheet1.xml",
        String::from_utf8(part_of(&parts, "xl/worksheets/sheet1.xml"))
            .unwrap()
            .replace(
                "<sheetData>",
                "<dimension ref=\"A1:XFD4294967295\"/><sheetData>",
            ),
    );
    assert_eq!(read(&parts.zip()), "1@3: x||||||");
}

fn part_of(parts: &WorkbookParts, name: &str) -> Vec<u8> {
    use std::io::Read;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(parts.zip())).unwrap();
    let mut content = Vec::new();
    zip.by_name(name)
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    content
}

#[test]
fn repeated_cells_and_rows_count_as_if_they_were_written() {
    let repeated = |rows: u32, columns: u32, text: &str| {
        let row = format!(
            "{}<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell table:number-columns-repeated=\"{columns}\" office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell></table:table-row>",
            ods_rows([HEADER])
        );
        ods(&[("S", row)]).zip()
    };
    let limits = InputLimits {
        max_bytes: 16 << 20,
        ..InputLimits::default()
    };
    for (rows, columns, text, code) in [
        (200_001, 7, "x", "TOO_MANY_ROWS"),
        (u32::MAX, 7, "x", "WORKBOOK_BROKEN"),
        (1, 16_385, "x", "WORKBOOK_BROKEN"),
        (1, u32::MAX, "x", "WORKBOOK_BROKEN"),
        (1, 16_384, "xxxx", "RECORD_TOO_LONG"),
        (1, 1, "<text:s text:c=\"4294967295\"/>x", "RECORD_TOO_LONG"),
        (190_000, 7, "<text:s text:c=\"1000\"/>x", "TOO_MANY_BYTES"),
    ] {
        assert_eq!(
            stopped(&repeated(rows, columns, text), limits).0,
            code,
            "{rows} {columns} {text}"
        );
    }
}

#[test]
fn an_archive_with_a_bad_directory_is_broken() {
    let rows = || xlsx_rows(table(&[&ROW]));
    let sound = xlsx(&[("S", rows())]).zip();
    let many = "PK\u{1}\u{2}".repeat(10_001);
    let mut crowded = sound.clone();
    crowded.splice(4..4, many.bytes());
    assert!(read(&crowded).starts_with("WORKBOOK_BROKEN"));
    let twice = xlsx(&[("S", rows())]).with("XL/Workbook.xml", "<x/>").zip();
    assert!(read(&twice).starts_with("WORKBOOK_BROKEN"));
    // The content of a part is not what its checksum says.
    let stored = xlsx(&[("S", rows())]).stored();
    let at =
        memchr::memmem::find(&stored, b">Roster<").or(memchr::memmem::find(&stored, b">r</t>"));
    let mut changed = stored;
    changed[at.unwrap() + 1] = b'q';
    assert!(!read(&changed).is_empty());
}

#[test]
fn the_limits_of_rows_and_bytes_hold_from_both_sides() {
    let workbook = |rows: usize| {
        let rows: Vec<&[&str]> = vec![&ROW; rows];
        xlsx(&[("S", xlsx_rows(table(&rows)))]).zip()
    };
    let two = workbook(2);
    let with = |max_rows, max_bytes| InputLimits {
        workbook: WorkbookLimits {
            max_bytes,
            max_rows,
            ..WorkbookLimits::default()
        },
        ..InputLimits::default()
    };
    let read = |limits| {
        let (_, decoded) = read_as(&CsvOptions::default(), "", limits, &two);
        let told = decoded
            .faults
            .iter()
            .map(|fault| format!("{} {}", fault.is_limit(), fault));
        (decoded.rows.len(), told.collect::<Vec<_>>().join("\n"))
    };
    let size = two.len() as u64;
    assert_eq!(read(with(2, size)), (2, String::new()));
    assert_eq!(read(with(1, size)).0, 1);
    assert_snapshot!(read(with(1, size)).1, @"true More than 1 rows, the limit for a workbook, from row 2 on; save the sheet as CSV UTF-8, send fewer rows, or have the limit raised.");
    assert!(
        read(with(2, size - 1))
            .1
            .starts_with("true The workbook has more than")
    );
}

#[test]
fn the_caller_may_stop_it() {
    let rows: Vec<&[&str]> = vec![&ROW; 20_000];
    let workbook = xlsx(&[("S", xlsx_rows(table(&rows)))]).stored();
    let mut pauses = 0;
    let mut pause = |_| {
        pauses += 1;
        if pauses == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let mut seen = 0;
    let options = CsvOptions::default();
    let reader = WorkbookReader {
        options: &options,
        sheet: "",
        limits: InputLimits::default(),
    };
    let (_, read) = reader.read(&workbook, &mut pause, &mut |_| seen += 1);
    assert_eq!(read, Err(WorkbookReadError::Halted));
    assert!((1..2_000).contains(&seen), "{seen}");
}

#[test]
fn a_workbook_is_known_by_its_beginning() {
    for workbook in workbooks(&table(&[&ROW])) {
        assert!(is_workbook(&workbook));
        assert!(!is_workbook(&workbook[..3]));
    }
    assert!(is_workbook(&compound(&[])));
    assert!(!is_workbook(b"EMAIL,ROLE\n"));
    assert!(!is_workbook(b"PK\x03\x04roster.csv"));
}

/// calamine reads the same texts from workbooks that it can read.
#[test]
fn calamine_reads_the_same() {
    use calamine::{Data, Reader};
    let rows = table(&[
        &["é & <b>", "007", " x ", "l\nm", "Active", "u", "r"],
        &["a", "", "", "", "", "", "z"],
    ]);
    let [xlsx, ods] = workbooks(&rows);
    let mut sheets: Vec<calamine::Range<Data>> = Vec::new();
    let open = |bytes: &[u8]| std::io::Cursor::new(bytes.to_vec());
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(open(&xlsx)).unwrap();
    sheets.push(workbook.worksheet_range("Roster").unwrap());
    let mut workbook: calamine::Ods<_> = calamine::Ods::new(open(&ods)).unwrap();
    sheets.push(workbook.worksheet_range("Roster").unwrap());
    for (sheet, bytes) in sheets.iter().zip([&xlsx, &ods]) {
        let mut own = Vec::new();
        let options = CsvOptions::default();
        let reader = WorkbookReader {
            options: &options,
            sheet: "",
            limits: InputLimits::default(),
        };
        let mut go_on = |_| ControlFlow::Continue(());
        let (_, read) = reader.read(bytes, &mut go_on, &mut |row| {
            let text = |column| match row.cell(column) {
                Cell::Text(text) => text.to_owned(),
                other => panic!("{other:?}"),
            };
            own.push(
                [
                    Column::Email,
                    Column::FirstName,
                    Column::LastName,
                    Column::Role,
                ]
                .map(text),
            );
        });
        assert_eq!(read, Ok(()));
        let theirs = sheet.rows().skip(1);
        let theirs: Vec<_> = theirs
            .map(|row| [0, 2, 3, 6].map(|at| row[at].to_string()))
            .collect();
        assert_eq!(own, theirs);
    }
}

/// Saved by `LibreOffice` from a CSV file: a title, blank rows, a formula, a day, an error, a phone number without its plus.
#[test]
fn what_libreoffice_saves_is_read() {
    let saved: [&[u8]; 2] = [
        include_bytes!("../../../tests/rules/saved/libreoffice.xlsx"),
        include_bytes!("../../../tests/rules/saved/libreoffice.ods"),
    ];
    for workbook in saved {
        assert!(is_workbook(workbook));
        insta::allow_duplicates!(assert_snapshot!(read(workbook), @r#"
        1@4: H-1|ann@pd.example|0042|Ann|Ångström & Lee|Active|alee|Officer|12025550151
        2@5: H-2|noor@pd.example|0043|Noor "N"|Rahman|active|nrahman|Oficer|
        3@7: 2|rui@pd.example|44|Rui|2024-01-05|Active|rcosta|#N/A|15551234567
        4@8: not a row (OfReport(Total))
        "#));
    }
}
