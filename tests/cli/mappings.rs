//! `import --mapping`: imports the export of another system, and writes its rejected rows to a file.

use crate::department::Department;

const MAPPING: &str = r#"
skip_leading_lines = 1
ignored_line_prefixes = ["Total:"]

[columns]
"No" = "EXTERNAL_ID"
"Mail" = "EMAIL"
"Shield" = "BADGE_NUMBER"
"Hired" = ""
"Duty" = "STATUS"
"Login" = "USERNAME"
"Function" = "ROLE"

[values.STATUS]
A = "Active"

[templates]
FIRST_NAME = '{{ row["Member"] | split(",") | last | trim }}'
LAST_NAME = '{{ row["Member"] | split(",") | first }}'
"#;

const EXPORT: &str = "All units, \"as of today\r\nNo;Mail;Shield;Member;Hired;Duty;Login;Function\r\n\
    1;ann@pd.example;0042;Lee, Ann;2019;A;alee;Officer\r\n\
    2;noor@pd.example;0043;Rahman, Noor;2020;A;nrahman;Oficer\r\n\
    3;rui@pd.example;0044;Costa, Rui;2021\r\nTotal: 3\r\n";

fn department() -> Department {
    let department = Department::open();
    department.file("mapping.toml", MAPPING);
    department.file("export.csv", EXPORT);
    department
}

/// The file of rejected rows has the layout of the imported file, so that the same mapping reads it again.
#[test]
fn the_rejected_rows_of_an_export_are_corrected_and_imported_with_the_same_mapping() {
    let department = department();
    let import = |file| {
        let words = [
            "import",
            file,
            "--mapping",
            "mapping.toml",
            "--errors",
            "rejected.csv",
        ];
        department.run(&words)
    };
    let output = import("export.csv");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("ROLE (\"Function\") \"Oficer\""), "{told}");
    assert_eq!(department.users().len(), 1);

    let rejected = department.read("rejected.csv");
    let lines: Vec<&str> = rejected.trim_start_matches('\u{FEFF}').lines().collect();
    assert_eq!(lines[0], "\"All units, \"\"as of today\"");
    let names = "No;Mail;Shield;Member;Hired;Duty;Login;Function;IMPORT_ERROR_CODES;";
    assert!(lines[1].replace('"', "").starts_with(names), "{rejected}");
    let row = "2;noor@pd.example;0043;Rahman, Noor;2020;A;nrahman;Oficer;UNKNOWN_ROLE;";
    assert!(lines[2].replace('"', "").starts_with(row), "{rejected}");
    assert!(lines[3].contains(";\"FIELD_COUNT\";"), "{rejected}");
    assert!(
        lines[3].ends_with("3;rui@pd.example;0044;Costa, Rui;2021\""),
        "{rejected}"
    );

    let again = rejected.replace("Oficer", "Officer");
    department.file("again.csv", &again);
    let output = import("again.csv");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(department.users().len(), 2);
    // The file of an earlier run is recognised although its header is not on its first line, and is removed.
    department.file(
        "again.csv",
        &lines[..3].join("\r\n").replace("Oficer", "Officer"),
    );
    let output = import("again.csv");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!department.path("rejected.csv").exists());
}

#[test]
fn a_file_that_is_no_mapping_is_named_before_anything_is_sent() {
    let department = department();
    let mapping = MAPPING.replace("[templates]", "[ignored]");
    department.file("bad.toml", &mapping);
    let output = department.run(&["import", "export.csv", "--mapping", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("bad.toml is not a mapping") && told.contains("ignored"),
        "{told}"
    );
    let output = department.run(&["import", "export.csv", "--mapping", "none.toml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// A first cell that begins like an ignored line is quoted in the file of rejected rows, as it was in the export. A
/// column may have the name of one of our columns.
#[test]
fn no_rejected_row_is_lost_when_its_file_is_imported_again() {
    let department = department();
    let mapping = MAPPING
        .replace("\"No\"", "\"Import No\"")
        .replace("Total:", "#");
    department.file(
        "mapping.toml",
        &mapping.replace("A = \"Active\"", "\"+\" = \"Active\""),
    );
    let export = "\n\"#No\";Import No;Mail;Shield;Member;Duty;Login;Function\n\
        \"#1\";7;ann@pd.example;0042;Lee, Ann;+;alee;Oficer\n";
    department.file("export.csv", export);
    let import = |file, options: &[&str]| {
        let words = [
            "import",
            file,
            "--mapping",
            "mapping.toml",
            "--ignore-unknown-columns",
        ];
        department.run(&[&words[..], options].concat())
    };
    let output = import("export.csv", &["--errors", "rejected.csv"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let corrected = department.read("rejected.csv").replace("Oficer", "Officer");
    department.file("again.csv", &corrected);
    let output = import("again.csv", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let users = department.users();
    assert!(
        users[0].starts_with("7,ann@pd.example,") && users[0].contains(",Active,"),
        "{users:?}"
    );

    let output = import("export.csv", &["--errors", "mapping.toml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("--errors names the mapping itself"), "{told}");
}

/// A mapping that is saved under a name can be used by its name, and written to a file again.
#[test]
fn a_mapping_is_saved_used_by_its_name_and_deleted() {
    let department = department();
    let said = |words: &[&str], code: i32| {
        let output = department.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let nothing = said(&["mapping", "list"], 0);
    assert!(nothing.contains("has no saved mappings"), "{nothing}");
    let saved = said(&["mapping", "save", "cad", "mapping.toml"], 0);
    assert!(saved.contains("import FILE --mapping cad"), "{saved}");
    let listed = said(&["mapping", "list", "--format", "csv"], 0);
    assert!(listed.contains("\ncad,7,2,2"), "{listed}");

    let words = [
        "import",
        "export.csv",
        "--mapping",
        "cad",
        "--errors",
        "rejected.csv",
    ];
    let told = said(&words, 3);
    assert!(told.contains("ROLE (\"Function\") \"Oficer\""), "{told}");
    let rejected = department.read("rejected.csv").replace("Oficer", "Officer");
    assert!(rejected.contains("All units"), "{rejected}");
    department.file("again.csv", &rejected);
    let again = [
        "import",
        "again.csv",
        "--mapping",
        "cad",
        "--errors",
        "rejected.csv",
    ];
    said(&again, 3);
    assert_eq!(department.users().len(), 2);

    let text = said(&["mapping", "get", "cad"], 0);
    department.file("got.toml", &text);
    said(&["mapping", "save", "twin", "got.toml"], 0);
    assert_eq!(said(&["mapping", "get", "twin"], 0), text);
    said(&["mapping", "delete", "cad"], 0);
    let gone = said(&words, 4);
    assert!(gone.contains("no mapping \"cad\""), "{gone}");
    let gone = said(&["mapping", "get", "cad"], 4);
    assert!(gone.contains("no mapping \"cad\""), "{gone}");
}

/// The mapping that `inspect` proposes can be saved or written to a file, and then imports the inspected file.
#[test]
fn an_inspected_file_is_imported_by_its_proposal() {
    let department = Department::open();
    let export = "Personnel\nEmployee #,Surname,Given name,E-mail,Badge no.,Active,Job title\n\
        E-1,Lee,Ann,ann.lee@pd.example,0042,Y,Officer\nE-2,Costa,Rui,rui@pd.example,0043,N,Oficer\n";
    department.file("hr.csv", export);
    let run = |words: &[&str], code: i32| {
        let output = department.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let looked = run(&["inspect", "hr.csv"], 0);
    for told in [
        "hr.csv is CSV in UTF-8, delimited by \",\"; its header is on line 2.",
        "This is a common name for",
        "\"Oficer\"",
        "not known; Officer?",
        "One value is not known",
        "--output mapping.toml",
    ] {
        assert!(looked.contains(told), "{told}: {looked}");
    }
    let saved = run(&["inspect", "hr.csv", "--save-mapping", "hr"], 0);
    // A file is not replaced, because somebody may have corrected it.
    for words in [["--save-mapping", "hr"], ["--output", "hr.csv"]] {
        let words = [&["inspect", "hr.csv"][..], &words].concat();
        assert!(run(&words, 2).contains("already"), "{words:?}");
    }
    assert!(
        saved.contains("import hr.csv --mapping hr --validate-only"),
        "{saved}"
    );
    run(&["inspect", "hr.csv", "--output", "hr.toml"], 0);
    assert_eq!(
        run(&["mapping", "get", "hr"], 0),
        department.read("hr.toml")
    );
    run(&["import", "hr.csv", "--mapping", "hr"], 3);
    assert_eq!(department.users().len(), 1);
    let json = run(
        &["inspect", "hr.csv", "--mapping", "hr", "--format", "json"],
        0,
    );
    assert!(
        json.starts_with("{\"format\":\"ROSTER_FORMAT_CSV\""),
        "{json}"
    );

    department.file("page.csv", "<html><body>Sign in</body></html>");
    let none = run(&["inspect", "page.csv"], 4);
    assert!(none.contains("web page"), "{none}");
    department.file("nothing.csv", "");
    let empty = run(&["inspect", "nothing.csv"], 2);
    assert!(empty.contains("nothing.csv is empty."), "{empty}");
}
