//! The lists that commands print, on terminals of 80 and of 140 columns and for a script.

use regex::Regex;

use crate::{
    department::{Department, officers, roster, text},
    terminal::Terminal,
    transcript::{neutral, transcripts},
};

/// IDs that are the same in every run. The last two have the same beginning.
const IDS: [&str; 3] = [
    "018f4e9e-5c7b-7000-8000-000000000001",
    "01a30000-0000-7000-8000-000000000002",
    "01a30000-1000-7000-8000-000000000003",
];

/// Makes a department that has had some imports.
fn department() -> Department {
    let department = Department::open();
    department.file("roster.csv", &officers(12));
    department.file(
        "county sheriff, night shift.csv",
        &roster(["Officer", "Oficer"]),
    );
    department.run(&["import", "roster.csv", "--import-id", IDS[0]]);
    let file = "county sheriff, night shift.csv";
    department.run(&["import", file, "--import-id", IDS[1]]);
    let refused = ["--import-id", IDS[2], "--all-or-nothing", "--validate-only"];
    department.run(&[&["import", file][..], &refused].concat());
    department
}

#[test]
fn imports() {
    let department = department();
    insta::assert_snapshot!(transcripts(&department, &["imports"]));
    insta::assert_snapshot!(transcripts(
        &department,
        &["imports", "--wide", "--limit", "2"]
    ));
}

#[test]
fn audit() {
    let department = department();
    insta::assert_snapshot!(transcripts(&department, &["audit"]));
}

#[test]
fn mappings() {
    let department = Department::open();
    let mapping = department.file(
        "cad.toml",
        "null_values = [\"NULL\"]\n[columns]\nNAME = \"\"\n",
    );
    let mapping = mapping.to_str().unwrap();
    for name in ["cad", "hr-of-the-county-with-a-rather-long-name"] {
        let saved = department.run(&["mapping", "save", name, mapping]);
        assert_eq!(saved.status.code(), Some(0), "{saved:?}");
    }
    insta::assert_snapshot!(transcripts(&department, &["mapping", "list"]));
}

#[test]
fn profiles() {
    let department = Department::open();
    department.file(
        "config.toml",
        "default_profile = \"pd\"\n[profiles.pd]\norganization = \"pd\"\n\
         [profiles.county]\nendpoint = \"https://import.county.example:50051\"\n\
         organization = \"county-sheriff\"\ntoken_env = \"COUNTY_TOKEN\"\n",
    );
    let words = ["profile", "list", "--config", "config.toml"];
    insta::assert_snapshot!(transcripts(&department, &words));
}

#[test]
fn catalog_entries() {
    let department = Department::open();
    let words = ["catalog", "get", "--format", "table"];
    insta::assert_snapshot!(transcripts(&department, &words));
}

#[test]
fn tokens() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("users.db").display());
    let create = ["token", "create", "nightly export of the CAD system"];
    let options = ["--permission", "users.import,users.deactivate,users.read"];
    let made = department.command(&[&create[..], &options].concat());
    let mut made = made;
    made.env("USER_IMPORT_DATABASE_URL", &database);
    assert!(made.output().unwrap().status.success());
    let shown = |columns: u16| {
        let mut list = department.command(&["token", "list"]);
        list.env("USER_IMPORT_DATABASE_URL", &database);
        list.env("NO_COLOR", "1");
        let (exit, shown) = Terminal::start_at(columns, list).end();
        assert_eq!(exit, Some(0), "{shown}");
        let id = Regex::new("(?m)^[0-9a-f]{8} ").unwrap();
        id.replace_all(&neutral(&shown), "018f4e9e ").into_owned()
    };
    insta::assert_snapshot!(format!(
        "--- 80 columns\n{}\n--- 140 columns\n{}",
        shown(80),
        shown(140)
    ));
}

#[test]
fn a_beginning_of_an_id_is_enough_if_no_other_import_has_it() {
    let department = department();
    let watched = department.run(&["watch", "018f"]);
    assert_eq!(watched.status.code(), Some(0), "{watched:?}");
    let again = department.run(&["import", "roster.csv", "--import-id", "018F4e"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(department.run(&["cancel", "018f4"]).status.code(), Some(4));

    for command in ["watch", "cancel"] {
        let ambiguous = department.run(&[command, "01a3"]);
        assert_eq!(ambiguous.status.code(), Some(2), "{ambiguous:?}");
        let said = text(&ambiguous.stderr);
        assert!(said.contains(IDS[1]) && said.contains(IDS[2]), "{said}");
        assert!(said.contains("night shift.csv"), "{said}");
        let unknown = department.run(&[command, "77"]);
        assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
        assert!(
            text(&unknown.stderr).contains("user-import imports"),
            "{unknown:?}"
        );
    }
}

#[test]
fn a_token_is_revoked_by_the_beginning_of_its_id() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("users.db").display());
    let run = |words: &[&str]| {
        let mut command = department.command(words);
        command.env("USER_IMPORT_DATABASE_URL", &database);
        command.output().unwrap()
    };
    for name in ["first", "second"] {
        assert!(
            run(&["token", "create", name, "--permission", "users.read"])
                .status
                .success()
        );
    }
    let list = text(&run(&["token", "list", "--format", "csv"]).stdout);
    let ids: Vec<&str> = list.lines().skip(1).map(|line| &line[..36]).collect();
    let alike = ids[0]
        .bytes()
        .zip(ids[1].bytes())
        .take_while(|(a, b)| a == b);
    let alike = alike.count();

    let ambiguous = run(&["token", "revoke", &ids[0][..alike]]);
    assert_eq!(ambiguous.status.code(), Some(2), "{ambiguous:?}");
    let said = text(&ambiguous.stderr);
    assert!(said.contains("first") && said.contains("second"), "{said}");
    assert!(!text(&run(&["token", "list"]).stdout).contains("revoked"));

    let revoked = run(&["token", "revoke", &ids[0][..=alike]]);
    assert_eq!(revoked.status.code(), Some(0), "{revoked:?}");
    let list = text(&run(&["token", "list"]).stdout);
    let revoked = list.lines().filter(|line| line.contains("revoked"));
    let revoked: Vec<&str> = revoked.collect();
    assert!(revoked.len() == 1 && revoked[0].contains("first"), "{list}");
}
