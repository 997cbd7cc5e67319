//! Imports that have run or still run: `imports`, `watch`, `cancel`.

use crate::{
    department::{Department, officers, roster, text},
    process::{objects, rows},
};

#[test]
fn imports_are_listed_newest_first() {
    let department = Department::open();
    let none = text(&department.run(&["imports"]).stdout);
    assert_eq!(none, "Nothing has been imported into pd.\n");
    for source in ["monday", "tuesday", "wednesday"] {
        department.file("roster.csv", &officers(2));
        department.run(&["import", "roster.csv", "--source", source]);
    }
    let table = text(&department.run(&["imports", "--limit", "2"]).stdout);
    let lines: Vec<&str> = table.lines().filter(|line| line.contains("day")).collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].contains("wednesday") && lines[0].contains("completed"));
    assert!(lines[1].contains("tuesday"), "{table}");

    let json = text(&department.run(&["imports", "--format", "json"]).stdout);
    let imports = objects(json.lines());
    assert_eq!(imports.len(), 3);
    assert_eq!(imports[2]["source"], "monday");
    assert_eq!(imports[2]["created"], 2);
}

#[test]
fn no_spreadsheet_computes_what_another_office_calls_its_files() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    let sources = ["=HYPERLINK(\"http://x\")", "+1", "-1+1", "@SUM(1)"];
    for source in sources {
        let source = format!("--source={source}");
        let import = department.run(&["import", "roster.csv", &source]);
        assert_eq!(import.status.code(), Some(0), "{import:?}");
    }
    let page = text(&department.run(&["imports", "--format", "csv"]).stdout);
    let mut records = csv::Reader::from_reader(page.as_bytes());
    let cells: Vec<String> = records
        .records()
        .flat_map(|record| {
            record
                .unwrap()
                .iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    for source in sources {
        assert!(cells.iter().any(|cell| cell.ends_with(source)), "{page}");
    }
    let computed = cells
        .iter()
        .filter(|cell| cell.trim_start().starts_with(['=', '+', '-', '@']));
    assert_eq!(computed.count(), 0, "{page}");
}

#[test]
fn watch_shows_a_finished_import_as_import_did() {
    let department = Department::open();
    let id = "018f4e9e-5c7b-7000-8000-000000000001";
    department.file("roster.csv", &roster(["Officer", "Oficer", "Officer"]));
    let import = department.run(&["import", "roster.csv", "--import-id", id]);
    let watch = department.run(&["watch", id]);
    assert_eq!(watch.status.code(), Some(3), "{watch:?}");
    // `watch` also shows each changed row as soon as it has the result.
    let but_for_the_time = |page: &[u8]| {
        let page = text(page);
        let lines = page.lines().filter(|line| !line.contains("rows/s"));
        let lines = lines
            .filter(|line| !line.starts_with("row "))
            .map(str::to_owned);
        lines.skip_while(String::is_empty).collect::<Vec<String>>()
    };
    assert_eq!(
        but_for_the_time(&watch.stdout),
        but_for_the_time(&import.stdout)
    );

    let words = ["watch", id, "--format=json", "--after=1"];
    let rest = objects(text(&department.run(&words).stdout).lines());
    assert_eq!(rows(&rest).len(), 2);
    let words = ["watch", id, "--format=json", "--result-filter=rejections"];
    let rejected = objects(text(&department.run(&words).stdout).lines());
    assert_eq!(rows(&rejected), [2]);
}

#[test]
fn what_is_not_there_cannot_be_watched_or_cancelled() {
    let department = Department::open();
    let id = "018f4e9e-5c7b-7000-8000-00000000dead";
    for command in ["watch", "cancel"] {
        let output = department.run(&[command, id]);
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output.stderr).contains(id), "{output:?}");
    }
    let finished = "018f4e9e-5c7b-7000-8000-000000000001";
    department.file("roster.csv", &officers(1));
    department.run(&["import", "roster.csv", "--import-id", finished]);
    let late = department.run(&["cancel", finished]);
    assert_eq!(late.status.code(), Some(4));
    assert!(text(&late.stderr).contains("completed"), "{late:?}");
}

#[test]
fn a_cancelled_import_exits_with_six_and_keeps_what_is_written() {
    let department = Department::open_with(&["--transaction-rows", "1"]);
    let mut import = department.begin_import(&officers(1_000), &[]);
    let id = import.id();
    import.wait_until_it_writes();
    let cancel = department.run(&["cancel", &id]);
    assert_eq!(cancel.status.code(), Some(0), "{cancel:?}");
    let ended = import.end();
    assert_eq!(ended.exit, Some(6), "{}", ended.errors);
    let answers = objects(ended.lines.iter().map(String::as_str));
    assert_eq!(rows(&answers).len(), department.users().len());
    assert_eq!(department.run(&["watch", &id]).status.code(), Some(6));
}
