//! Files for spreadsheet programs: workbooks, which the name of the file asks for, and CSV for Excel.

use std::{fs, io::Cursor};

use calamine::{Data, Reader, Xlsx};

use crate::department::{Department, officers, roster, text};

/// Returns the rows of a sheet, and fails if a cell is not text.
fn sheet(department: &Department, file: &str, name: &str) -> Vec<Vec<String>> {
    let bytes = fs::read(department.path(file)).unwrap();
    let mut workbook = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let range = workbook.worksheet_range(name).expect("a sheet");
    range
        .rows()
        .map(|row| row.iter().map(text).collect())
        .collect()
}

#[test]
fn a_file_named_as_a_workbook_is_one() {
    let department = Department::open();
    department.file("roster.csv", &officers(2).replace("B1", "00421"));
    assert_eq!(
        department.run(&["import", "roster.csv"]).status.code(),
        Some(0)
    );
    for name in ["users.xlsx", "USERS.XLSX"] {
        let export = department.run(&["export", "--output", name]);
        assert_eq!(export.status.code(), Some(0), "{export:?}");
        let rows = sheet(&department, name, "Roster");
        assert_eq!((rows.len(), &*rows[1][2]), (3, "00421"));
    }
    let template = department.run(&["template", "--excel", "--output", "roster.xlsx"]);
    assert_eq!(template.status.code(), Some(0), "{template:?}");
    let rows = sheet(&department, "roster.xlsx", "Roster");
    assert_eq!((rows.len(), &*rows[1][0]), (5, "EXAMPLE-1"));
    let values = sheet(&department, "roster.xlsx", "Valid values");
    assert_eq!((&*values[1][1], &*values[2][1]), ("Officer", "Sergeant"));
}

#[test]
fn other_kinds_of_workbooks_are_refused_before_anything_is_asked() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    for words in [
        &["export", "--output", "users.ods"][..],
        &["template", "--output", "users.ods"],
        &["import", "roster.csv", "--errors", "users.ods"],
    ] {
        let refused = department.run(words);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let said = text(&refused.stderr);
        assert!(
            said.contains("no .ods file can be written. Name a workbook users.xlsx"),
            "{said}"
        );
    }
    assert!(department.users().is_empty());
}

#[test]
fn csv_for_excel_has_a_byte_order_mark_and_nothing_to_compute() {
    let department = Department::open();
    department.file("roster.csv", &officers(1).replace("Pat", "=1+2"));
    assert_eq!(
        department.run(&["import", "roster.csv"]).status.code(),
        Some(0)
    );
    let export = department.run(&["export", "--excel"]);
    let csv = text(&export.stdout);
    assert!(csv.starts_with("\u{FEFF}EXTERNAL_ID,"), "{csv:?}");
    assert!(csv.contains(",\u{200B}=1+2,"), "{csv:?}");
    department.file("users.csv", &csv);
    let again = department.run(&["import", "users.csv"]);
    assert!(
        text(&again.stdout).contains("unchanged           1"),
        "{again:?}"
    );
    let template = department.run(&["template", "--excel"]);
    assert!(text(&template.stdout).starts_with("\u{FEFF}EXTERNAL_ID,"));
}

#[test]
fn rejected_rows_are_a_workbook_with_suggestions_until_none_is_rejected() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer", "Sargent"]));
    let words = ["import", "roster.csv", "--errors", "rejected.xlsx"];
    let import = department.run(&words);
    assert_eq!(import.status.code(), Some(3), "{import:?}");
    let said = text(&import.stderr);
    assert!(
        said.contains("The rejected rows are in rejected.xlsx"),
        "{said}"
    );
    let rows = sheet(&department, "rejected.xlsx", "Rejected rows");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1][7..10], ["Oficer", "", "UNKNOWN_ROLE"]);
    let suggestions = sheet(&department, "rejected.xlsx", "Suggestions");
    assert_eq!(suggestions[1][..4], ["2", "ROLE", "Oficer", "Officer"]);
    assert_eq!(suggestions[2][..4], ["3", "ROLE", "Sargent", "Sergeant"]);

    // Their rejected rows have the same layout as before.
    let again = department.run(&["import", "rejected.xlsx", "--errors", "again.xlsx"]);
    assert_eq!(again.status.code(), Some(3), "{again:?}");
    let rows_again = sheet(&department, "again.xlsx", "Rejected rows");
    assert_eq!(rows_again, rows);

    department.file("roster.csv", &officers(3));
    let import = department.run(&words);
    assert_eq!(import.status.code(), Some(0), "{import:?}");
    assert!(
        !department.path("rejected.xlsx").exists(),
        "the file of the earlier run is removed"
    );
    department.file("rejected.xlsx", "somebody else's");
    assert_eq!(department.run(&words).status.code(), Some(0));
    assert_eq!(department.read("rejected.xlsx"), "somebody else's");
}
