//! `import` of a workbook: recognised by its content, from standard input, of a named sheet; and its rejected rows.

use std::{
    fs,
    io::Write,
    process::{Output, Stdio},
};

use sha2::{Digest, Sha256};
use user_import_testing::workbook::{ods, ods_rows, xlsx, xlsx_rows};

use crate::department::{Department, roster};

fn table(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_bytes());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// Returns a workbook with a sheet of notes, and a sheet with a title above a roster of people with these roles.
fn workbook(roles: &[&str]) -> Vec<u8> {
    let mut rows = table(&roster(roles.iter().copied()));
    rows.insert(0, vec!["Harbor PD, all units".to_owned()]);
    let notes = xlsx_rows([["Read me"]]);
    xlsx(&[("Roster", xlsx_rows(rows)), ("Notes", notes)]).zip()
}

fn all_output(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// The content of a file decides whether it is a workbook, and not its name.
#[test]
fn a_workbook_is_imported_from_a_file_and_from_standard_input() {
    let department = Department::open();
    fs::write(department.path("roster.xlsx"), workbook(&["Officer"])).unwrap();
    let sheet = ods_rows(table(&roster(["Officer", "Sergeant"])));
    fs::write(department.path("roster.dat"), ods(&[("R", sheet)]).zip()).unwrap();
    for (file, users) in [("roster.xlsx", 1), ("roster.dat", 2)] {
        let output = department.run(&["import", file]);
        assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
        assert_eq!(department.users().len(), users);
    }
    let mut import = department.command(&["import", "-"]);
    import.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut import = import.stderr(Stdio::piped()).spawn().unwrap();
    let bytes = workbook(&["Officer", "Officer", "Officer"]);
    let mut pipe = import.stdin.take().unwrap();
    for piece in bytes.chunks(3) {
        pipe.write_all(piece).unwrap();
    }
    drop(pipe);
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
    assert_eq!(department.users().len(), 3);
}

#[test]
fn the_rejected_rows_of_a_workbook_are_written_as_csv_and_imported_again() {
    let department = Department::open();
    let bytes = workbook(&["Officer", "Oficer", "Sergeant"]);
    fs::write(department.path("roster.xlsx"), bytes).unwrap();
    let output = department.run(&["import", "roster.xlsx", "--errors", "rejected.csv"]);
    assert_eq!(output.status.code(), Some(3), "{}", all_output(&output));
    let rejected = department.read("rejected.csv");
    let lines: Vec<&str> = rejected.trim_start_matches('\u{FEFF}').lines().collect();
    let header = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,PHONE,IMPORT_ERROR_CODES,";
    assert!(lines[0].starts_with(header), "{rejected}");
    let row = "P-2,p2@pd.example,B2,Pat,Example,Active,p2,Oficer,,UNKNOWN_ROLE,";
    assert!(lines[1].starts_with(row), "{rejected}");
    assert_eq!(lines.len(), 2);
    department.file("rejected.csv", &rejected.replace("p2,Oficer", "p2,Officer"));
    let output = department.run(&["import", "rejected.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
    assert_eq!(department.users().len(), 3);
}

#[test]
fn the_named_sheet_is_read_and_a_sheet_that_is_not_there_is_said() {
    let department = Department::open();
    fs::write(department.path("roster.xlsx"), workbook(&["Officer"])).unwrap();
    let import = |sheet| department.run(&["import", "roster.xlsx", "--sheet", sheet]);
    let missing = import("Rooster");
    assert_eq!(missing.status.code(), Some(4), "{missing:?}");
    assert!(
        all_output(&missing).contains("it has \"Roster\", \"Notes\""),
        "{}",
        all_output(&missing)
    );
    let notes = import("notes");
    assert_eq!(notes.status.code(), Some(4), "{notes:?}");
    assert!(
        all_output(&notes).contains("name that: \"Roster\""),
        "{}",
        all_output(&notes)
    );
    assert_eq!(import("Roster").status.code(), Some(0));
    department.file("roster.csv", &roster(["Officer"]));
    let output = department.run(&["import", "roster.csv", "--sheet", "Roster"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        all_output(&output).contains("the roster is not a workbook"),
        "{}",
        all_output(&output)
    );
}

/// The names beside the changes come from the sheet.
#[test]
fn a_review_of_a_workbook_names_its_users() {
    let department = Department::open();
    fs::write(department.path("roster.xlsx"), workbook(&["Officer"])).unwrap();
    let output = department.run(&["import", "roster.xlsx", "--diff"]);
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
    assert!(
        all_output(&output).contains("Pat Example"),
        "{}",
        all_output(&output)
    );
    assert!(department.users().is_empty());
}

#[test]
fn an_old_workbook_is_sent_so_that_the_server_says_what_to_do() {
    let department = Department::open();
    let mut old = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    old.extend("Workbook".encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(department.path("roster.xls"), old).unwrap();
    let output = department.run(&["import", "roster.xls"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(
        all_output(&output).contains("save it as .xlsx or .ods"),
        "{}",
        all_output(&output)
    );
}

/// The workbook is sent as an upload, and none of its parts stays in the database.
#[test]
fn a_workbook_of_more_than_a_message_is_inspected_too() {
    let department = Department::open();
    let noise = (0..40_000_u64).map(|n| [hex::encode(Sha256::digest(n.to_be_bytes()))]);
    let rows = xlsx_rows(table(&roster(["Officer", "Oficer"])));
    let large = xlsx(&[("Roster", rows), ("Noise", xlsx_rows(noise))]).zip();
    assert!(large.len() > 1024 * 1024, "{}", large.len());
    fs::write(department.path("large.xlsx"), large).unwrap();
    let looked = department.run(&["inspect", "large.xlsx"]);
    let shown = all_output(&looked);
    assert_eq!(looked.status.code(), Some(0), "{shown}");
    for part in [
        "is a workbook; its header is in row 1",
        "not known; Officer?",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let listed = all_output(&department.run(&["imports", "--format", "json"]));
    assert!(!listed.contains("RECEIVING"), "{listed}");
}
