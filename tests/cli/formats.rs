//! `--format json|table|csv`, and the files that are generated from the command line's definition.

use std::{collections::BTreeMap, process::Command};

use crate::{
    department::{Department, program, roster, text},
    process::objects,
};

#[test]
fn results_are_csv_with_a_header_and_a_record_a_row() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let import = department.run(&["import", "roster.csv", "--format", "csv"]);
    assert_eq!(import.status.code(), Some(3));
    let csv = text(&import.stdout);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let outcomes: BTreeMap<_, _> = reader
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record[0].to_owned(), record[2].to_owned()))
        .collect();
    let outcome = |row: &str| outcomes[row].as_str();
    assert_eq!((outcome("1"), outcome("2")), ("CREATED", "REJECTED"));
    assert!(csv.contains("UNKNOWN_ROLE"), "{csv}");
    let told = text(&import.stderr);
    assert!(told.starts_with("Import completed: 2 rows"), "{told}");
}

/// Returns the text that a command prints in this format.
fn printed(department: &Department, words: &[&str], format: &str) -> String {
    text(
        &department
            .run(&[words, &["--format", format]].concat())
            .stdout,
    )
}

#[test]
fn lists_are_tables_and_csv() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer"]));
    department.run(&["import", "roster.csv"]);
    for (words, header, headings) in [
        (&["imports"][..], "import_id,state,", "ID "),
        (&["audit"], "sequence,at,principal,", "#  At (UTC) "),
        (
            &["catalog", "get"],
            "kind,name,external_id,privileged,active\n",
            "Kind  Name ",
        ),
    ] {
        let csv = printed(&department, words, "csv");
        assert!(csv.starts_with(header) && csv.lines().count() > 1, "{csv}");
        let table = printed(&department, words, "table");
        assert!(table.starts_with(headings), "{table}");
        assert_eq!(table.lines().count(), csv.lines().count(), "{table}");
    }
}

#[test]
fn tokens_are_listed_for_programs_too() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("users.db").display());
    let create = ["token", "create", "job", "--permission", "users.read"];
    department.run(&[&create[..], &["--database-url", &database]].concat());
    let list = ["token", "list", "--database-url", &database];
    let csv = printed(&department, &list, "csv");
    assert!(csv.contains(",job,pd,users.read,good,"), "{csv}");
    let json = printed(&department, &list, "json");
    let tokens = objects(json.lines());
    assert_eq!(tokens[0]["permissions"][0], "users.read");
    assert!(
        tokens[0]["expiresAt"].as_str().unwrap().ends_with('Z'),
        "{json}"
    );
}

#[test]
fn times_in_json_are_utc_and_end_in_z() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer"]));
    let import = department.run(&["import", "roster.csv", "--format", "json"]);
    let answers = objects(text(&import.stdout).lines());
    let summary = &answers.last().unwrap()["summary"];
    for at in ["startedAt", "finishedAt"] {
        let at = summary[at].as_str().unwrap();
        assert!(at.ends_with('Z') && !at.contains("+00:00"), "{at}");
    }
}

#[test]
fn every_shell_has_completions_that_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = program().args(["completions", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let script = text(&output.stdout);
        for word in ["import", "catalog", "deactivate-missing", "completions"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let bash = program().args(["completions", "bash"]).output().unwrap();
    let complete = format!(
        "{}\nCOMP_WORDS=(user-import import --deact); COMP_CWORD=2\n\
         $(complete -p user-import | sed 's/.*-F \\([^ ]*\\).*/\\1/') user-import --deact import; echo \"${{COMPREPLY[@]}}\"",
        text(&bash.stdout)
    );
    // The script is longer than an argument of a command may be.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("complete.bash");
    std::fs::write(&script, complete).unwrap();
    let completed = Command::new("bash").arg(&script).output().unwrap();
    assert_eq!(
        text(&completed.stdout),
        "--deactivate-missing\n",
        "{completed:?}"
    );
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let man = program()
        .args(["man", "--output"])
        .arg(&pages)
        .output()
        .unwrap();
    assert_eq!(man.status.code(), Some(0), "{man:?}");
    for (page, has) in [
        ("user-import", "import"),
        ("user-import-import", "deactivate\\-missing"),
        ("user-import-catalog-apply", "catalog apply"),
        ("user-import-completions", ".SH EXAMPLES"),
        ("user-import-imports", "USER_IMPORT_LIMIT"),
    ] {
        let text = std::fs::read_to_string(pages.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH") && text.contains(has), "{page}: {text}");
    }
}
