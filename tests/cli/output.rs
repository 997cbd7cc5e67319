//! The output that programs read, and the file that administrators correct.

use crate::{
    department::{Department, officers, roster, text},
    process::{objects, rows},
};

#[test]
fn json_is_one_object_a_line_in_the_contracts_names_and_nothing_else() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer", "Sergeant"]));
    let import = department.run(&["import", "roster.csv", "--format", "json"]);
    let page = text(&import.stdout);
    let answers = objects(page.lines());
    let mut starts = answers
        .iter()
        .filter(|answer| answer["started"].is_object());
    let first = &starts.next().unwrap()["started"];
    assert_eq!(starts.count(), 0);
    assert_eq!(first["columns"][0], "EXTERNAL_ID");
    assert_eq!(rows(&answers), [1, 2, 3]);
    let last = &answers[answers.len() - 1]["summary"];
    assert_eq!(last["state"], "IMPORT_STATE_COMPLETED");
    assert_eq!(last["importId"], first["importId"]);
    assert_eq!(
        (&last["created"], &last["rejected"]),
        (&2.into(), &1.into())
    );
    assert!(
        page.contains(r#""code":"ISSUE_CODE_UNKNOWN_ROLE""#),
        "{page}"
    );
}

#[test]
fn json_of_a_refused_import_ends_with_its_summary() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Oficer"]));
    let words = ["import", "roster.csv", "--format=json", "--all-or-nothing"];
    let import = department.run(&words);
    assert_eq!(import.status.code(), Some(4));
    let answers = objects(text(&import.stdout).lines());
    let summary = &answers[answers.len() - 1]["summary"];
    assert_eq!(summary["state"], "IMPORT_STATE_REFUSED");
}

#[test]
fn rejected_rows_corrected_in_their_file_import_without_a_rejection() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer", "Sargent"]));
    let import = department.run(&["import", "roster.csv", "--errors", "rejected.csv"]);
    assert_eq!(import.status.code(), Some(3), "{import:?}");
    let rejected = department.read("rejected.csv");
    assert_eq!(rejected.lines().count(), 3, "{rejected}");
    assert!(rejected.contains("UNKNOWN_ROLE"), "{rejected}");
    // Only the kind of the first column is compared, because the messages quote the values.
    let corrected = rejected
        .replace(",Oficer,", ",Officer,")
        .replace(",Sargent,", ",Sergeant,");
    department.file("rejected.csv", &corrected);
    let again = department.run(&["import", "rejected.csv"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));
    assert_eq!(department.users().len(), 3);
}

/// A spreadsheet removes leading zeros from a text that looks like a number, and reads UTF-8 as ANSI if the file has no
/// byte order mark.
fn saved_by_a_spreadsheet(csv: &str) -> String {
    let (is_utf8, csv) = match csv.strip_prefix('\u{FEFF}') {
        Some(csv) => (true, csv),
        None => (false, csv),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in reader.records() {
        let cells = record.unwrap();
        let cells = cells.iter().map(|cell| match cell.parse::<u64>() {
            Ok(number) => number.to_string(),
            Err(_) if is_utf8 => cell.to_owned(),
            Err(_) => cell.bytes().map(char::from).collect(),
        });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn the_report_warns_of_what_a_spreadsheet_does_to_the_file_of_rejected_rows() {
    let department = Department::open();
    let catalog = r#"{"roles": [{"name": "Officer"}], "badgeNumberPattern": "[0-9]{4}"}"#;
    let applied = department.run_with_input(&["catalog", "apply", "-"], catalog);
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    let roster = roster(["Oficer", "Oficer"])
        .replace(",B1,Pat,", ",0101,Tom\u{E1}s,")
        .replace(",B2,Pat,", ",1102,Ren\u{E9}e,");
    department.file("roster.csv", &roster);
    department.run(&["import", "roster.csv", "--errors", "rejected.csv"]);
    let rejected = department
        .read("rejected.csv")
        .replace(",Oficer,", ",Officer,");
    // The file has the mark of UTF-8, so the names stay as they are. The zeros are lost, and the import's messages ask
    // for them.
    let saved = saved_by_a_spreadsheet(&rejected);
    assert!(
        saved.contains("Tom\u{E1}s") && saved.contains(",101,"),
        "{saved}"
    );
    department.file("saved.csv", &saved);
    let import = department.run(&["import", "saved.csv", "--errors", "again.csv"]);
    let said = text(&import.stdout);
    assert_eq!(import.status.code(), Some(3), "{said}");
    assert!(said.contains("did you mean \"0101\"?"), "{said}");
    assert_eq!(department.users().len(), 1, "{said}");
    // A program that removes the mark reads the names as ANSI next time, and the import warns of the garbled names.
    let unmarked = rejected.trim_start_matches('\u{FEFF}');
    let garbled = saved_by_a_spreadsheet(unmarked).replace(",101,", ",0101,");
    assert!(garbled.contains("Tom\u{C3}\u{A1}s"), "{garbled}");
    department.file("garbled.csv", &garbled);
    let dry = department.run(&["import", "garbled.csv", "--validate-only"]);
    let said = text(&dry.stdout);
    assert!(
        said.contains("Tom\u{E1}s") && said.contains("decoded twice"),
        "{said}"
    );
}

#[test]
fn an_export_and_a_template_say_on_request_that_they_are_utf8() {
    let department = Department::open();
    department.file("roster.csv", &officers(2));
    department.run(&["import", "roster.csv"]);
    for command in ["export", "template"] {
        let plain = text(&department.run(&[command]).stdout);
        let marked = text(&department.run(&[command, "--byte-order-mark"]).stdout);
        assert_eq!(marked, format!("\u{FEFF}{plain}"), "{command}");
    }
    department.run(&["export", "--byte-order-mark", "--output", "users.csv"]);
    let again = department.run(&["import", "users.csv"]);
    assert!(
        text(&again.stdout).contains("unchanged           2"),
        "{again:?}"
    );
}

#[test]
fn damaged_rows_imported_again_without_a_correction_are_rejected_again() {
    const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,\
                          ROLE,LOCATION,PHONE";
    let department = Department::open();
    let row = |name: &str| {
        format!("P-1,p1@pd.example,B1,{name},Example,Active,p1,Officer,,+1 202 555 0143")
    };
    department.file("roster.csv", &format!("{HEADER}\n{}\n", row("Pat")));
    let import = department.run(&["import", "roster.csv"]);
    assert_eq!(import.status.code(), Some(0), "{}", text(&import.stdout));
    let before = department.users();
    let cut = row("Pat").replace(",,+1 202 555 0143", "");
    let long = format!("{},\n", row("Lou").replace("Example", "Ex,ample"));
    for damaged in [
        cut.clone(),
        format!("{HEADER}\n{cut}"),
        long.repeat(3),
        row("\"Luis \"Lou\"\""),
        row("Luis\""),
        row("\"Luis \\\"Lou\\\"\""),
        row("\"Luis,\nLou\""),
    ] {
        department.file("damaged.csv", &format!("{HEADER}\n{damaged}"));
        for (roster, errors) in [("damaged.csv", "once.csv"), ("once.csv", "twice.csv")] {
            let import = department.run(&["import", roster, "--errors", errors]);
            let said = text(&import.stdout);
            assert_eq!(import.status.code(), Some(3), "{roster} {damaged}: {said}");
            assert_eq!(department.users(), before, "{roster} {damaged}");
            assert!(department.read(errors).contains("IMPORT_ORIGINAL"));
        }
        let missing = [
            "import",
            "once.csv",
            "--deactivate-missing",
            "--confirm=Confirm",
            "--max-deactivations=1",
        ];
        let import = department.run(&missing);
        assert_eq!(import.status.code(), Some(4), "{}", text(&import.stdout));
        assert_eq!(department.users(), before, "{damaged}");
    }
}

#[test]
fn a_repeated_header_is_not_among_the_rows_to_correct() {
    let department = Department::open();
    let officers = officers(1);
    let header = officers.lines().next().unwrap();
    department.file("roster.csv", &format!("{officers}{header}\n"));
    let words = ["import", "roster.csv", "--errors", "rejected.csv"];
    let import = department.run(&words);
    assert_eq!(import.status.code(), Some(3), "{import:?}");
    assert!(text(&import.stderr).contains("The rejected lines list no users"));
    assert!(!department.path("rejected.csv").exists());

    let wrong = roster(["Oficer"]);
    department.file("roster.csv", &format!("{wrong}{header}\n"));
    let import = department.run(&words);
    assert!(text(&import.stderr).contains("A rejected line that lists no user is left out."));
    let again = department.run(&["import", "rejected.csv"]);
    assert_eq!(again.status.code(), Some(3), "{}", text(&again.stderr));
}

#[test]
fn an_errors_file_of_an_earlier_run_is_not_taken_for_the_file_of_this_one() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    let told = "rejected.csv is from an earlier run";
    for options in [
        &["roster.csv", "--organization=nobody"][..],
        &["none.csv"],
        &["roster.csv", "--deactivate-missing", "--confirm=No"],
    ] {
        department.file("rejected.csv", "ROLE,IMPORT_ERROR_CODES\n");
        let words = [&["import", "--errors=rejected.csv"], options].concat();
        let import = department.run(&words);
        let said = text(&import.stderr);
        assert!(said.contains(told), "{options:?}: {said}");
        assert!(department.path("rejected.csv").exists());
    }
}

#[test]
fn a_roster_from_a_pipe_has_its_rejected_rows_in_a_file_too() {
    let department = Department::open();
    let words = ["import", "-", "--errors", "rejected.csv"];
    let import = department.run_with_input(&words, &roster(["Oficer"]));
    assert_eq!(import.status.code(), Some(3), "{import:?}");
    assert!(department.read("rejected.csv").contains("P-1,"));
}

#[test]
fn a_dry_run_writes_nothing_and_gives_the_digest_to_apply() {
    let department = Department::open();
    department.file("roster.csv", &officers(2));
    let dry = department.run(&["import", "roster.csv", "--validate-only"]);
    assert_eq!(dry.status.code(), Some(0));
    assert!(department.users().is_empty());
    let page = text(&dry.stdout);
    let digest = page
        .rsplit("--expected-plan-digest ")
        .next()
        .unwrap()
        .trim();
    let words = ["import", "roster.csv", "--expected-plan-digest", digest];
    let applied = department.run(&words);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied.stdout));
}
