//! `audit`: the record of who did what, and the check that the record is complete.

use std::process::Output;

use crate::{
    department::{Department, officers, text},
    process::objects,
};

/// Changes the database behind the server's back.
fn tamper(department: &Department, sql: &str) {
    let database = format!("sqlite://{}", department.path("users.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        use sea_orm::ConnectionTrait as _;
        let connection = sea_orm::Database::connect(database).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
    });
}

#[test]
fn events_are_listed_newest_first() {
    let department = Department::open();
    department.file("roster.csv", &officers(2));
    department.run(&["import", "roster.csv"]);
    let table = text(&department.run(&["audit", "--limit", "3"]).stdout);
    let lines: Vec<&str> = table
        .lines()
        .filter(|line| line.contains("local"))
        .collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].contains("import ended") && lines[0].contains("created: 2"));
    assert!(lines[2].contains("catalog updated"), "{table}");
    let json = text(&department.run(&["audit", "--format", "json"]).stdout);
    let events = objects(json.lines());
    assert_eq!(events.len(), 4);
    assert_eq!(events[3]["action"], "AUDIT_ACTION_ORGANIZATION_CREATED");
    assert_eq!(events[3]["sequence"], "1");
}

#[test]
fn a_whole_trail_is_verified_and_a_changed_one_is_not() {
    let department = Department::open();
    department.file("roster.csv", &officers(2));
    department.run(&["import", "roster.csv"]);
    let verify = department.run(&["audit", "verify"]);
    let said = text(&verify.stdout);
    assert_eq!(verify.status.code(), Some(0), "{verify:?}");
    assert!(
        said.starts_with("The audit trail of pd is whole: 4 events"),
        "{said}"
    );
    let noted = said.lines().last().unwrap().trim().replace("--expect ", "");

    department.run(&["import", "roster.csv"]);
    let again = department.run(&["audit", "verify", "--expect", &noted]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let other = noted.replace("4:", "5:");
    let other = department.run(&["audit", "verify", "--expect", &other]);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert!(text(&other.stderr).contains("event 5 is not the one that was noted"));

    tamper(
        &department,
        "DROP TRIGGER audit_events_not_changed; \
         UPDATE audit_events SET subject = 'x' WHERE sequence = 3",
    );
    let broken = department.run(&["audit", "verify"]);
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    let said = text(&broken.stderr);
    assert!(said.contains("event 3 was altered"), "{said}");
}

#[test]
fn an_erased_trail_is_nothing_to_vouch_for() {
    let department = Department::open();
    let verify = department.run(&["audit", "verify"]);
    let said = text(&verify.stdout);
    let noted = said.lines().last().unwrap().trim().replace("--expect ", "");
    tamper(
        &department,
        "DROP TRIGGER audit_events_not_removed; DROP TRIGGER audit_heads_not_removed; \
         DELETE FROM audit_events; DELETE FROM audit_heads",
    );
    let erased = department.run(&["audit", "verify"]);
    assert_eq!(erased.status.code(), Some(1), "{erased:?}");
    let said = text(&erased.stderr);
    assert!(said.contains("there is nothing to verify"), "{said}");
    let noted = department.run(&["audit", "verify", "--expect", &noted]);
    assert_eq!(noted.status.code(), Some(1), "{noted:?}");
    assert!(text(&noted.stderr).contains("is not the one that was noted"));
}

fn read(department: &Department, name: &str) -> String {
    std::fs::read_to_string(department.path(name)).unwrap()
}

/// Returns the last line of the output, without the option at its beginning.
fn noted(said: &str) -> String {
    let line = said.lines().last().unwrap().trim();
    line.split_once(' ').unwrap().1.to_owned()
}

/// Verifies an archive. The endpoint is one at which no server listens.
fn verify_archive(department: &Department, file: &str, more: &[&str]) -> Output {
    let nobody = "http://127.0.0.1:1";
    let words = ["audit", "verify", "--endpoint", nobody, "--file", file];
    department.run(&[&words[..], more].concat())
}

#[test]
fn a_trail_is_archived_whole_or_in_parts_and_verified_without_a_server() {
    let department = Department::open();
    let export = department.run(&["audit", "export", "--output", "first.jsonl"]);
    let said = text(&export.stderr);
    assert_eq!(export.status.code(), Some(0), "{export:?}");
    assert!(
        said.starts_with("2 events of the audit trail of pd"),
        "{said}"
    );
    let after = noted(&said);
    department.file("roster.csv", &officers(2));
    department.run(&["import", "roster.csv"]);
    let words = ["audit", "export", "--after", &after];
    let next = department.run(&[&words[..], &["--output", "second.jsonl"]].concat());
    assert!(text(&next.stderr).starts_with("2 events"), "{next:?}");
    let other = department.run(&["audit", "export", "--after", &after.replace("2:", "1:")]);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    department.run(&["audit", "export", "--output", "whole.jsonl"]);
    let parts = read(&department, "first.jsonl") + &read(&department, "second.jsonl");
    assert_eq!(read(&department, "whole.jsonl"), parts);

    let whole = verify_archive(&department, "whole.jsonl", &[]);
    let said = text(&whole.stdout);
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");
    assert!(said.contains("is whole: events 1 to 4"), "{said}");
    let part = verify_archive(&department, "second.jsonl", &["--after", &after]);
    let said = text(&part.stdout);
    assert!(said.contains("is whole: events 3 to 4"), "{said}");
}

/// Returns the output of a command, and fails if the command ends with another exit code than this.
fn said(output: &Output, exit: i32) -> String {
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    text(&output.stdout) + &text(&output.stderr)
}

/// Makes two archives, of events 1 and 2 and of events 3 to 5. Then the events of the first archive are removed from
/// the trail.
fn partly_removed() -> Department {
    let department = Department::open();
    let export = ["audit", "export", "--record", "--output"];
    let first = department.run(&[&export[..], &["first.jsonl"]].concat());
    let told = said(&first, 0);
    assert!(told.contains("The trail records this archive."), "{told}");
    department.file("roster.csv", &officers(2));
    department.run(&["import", "roster.csv"]);
    let after = noted(&told);
    let next = ["second.jsonl", "--after", &after];
    said(&department.run(&[&export[..], &next].concat()), 0);
    tamper(&department, "DELETE FROM audit_events WHERE sequence <= 2");
    department
}

#[test]
fn a_trail_says_what_was_archived_and_is_whole_with_its_archives() {
    let department = partly_removed();
    let verify = |options: &[&str]| department.run(&[&["audit", "verify"], options].concat());
    let trail = said(&verify(&[]), 0);
    for told in [
        "is whole: 4 events",
        "Event 6 records that events up to 5 were archived. Events up to 2 are not in the trail any more",
    ] {
        assert!(trail.contains(told), "{told}: {trail}");
    }
    let both = said(&verify(&["--file", "first.jsonl", "--with-trail"]), 0);
    assert!(both.contains("together are whole: events 1 to 6"), "{both}");
    assert!(both.contains("by itself begins with event 3"), "{both}");
    let files = ["--file", "first.jsonl", "--file", "second.jsonl"];
    let files_alone = said(&verify(&files), 0);
    assert!(
        files_alone.contains("is whole: events 1 to 5"),
        "{files_alone}"
    );
    let all = said(&verify(&[&files[..], &["--with-trail"]].concat()), 0);
    assert!(all.contains("events 1 to 6"), "{all}");
    // The second archive alone also has the event that records the first archive.
    let second = said(&verify(&["--file", "second.jsonl", "--with-trail"]), 0);
    assert!(second.contains("events 3 to 6"), "{second}");
    // Another export has all events that still exist.
    let rest = department.run(&["audit", "export", "--output", "rest.jsonl"]);
    assert!(said(&rest, 0).starts_with("4 events"), "{rest:?}");
    // The archive has the event whose head was noted before.
    let early = said(&verify(&["--file", "first.jsonl"]), 0);
    let early = noted(&early);
    said(&verify(&["--expect", &early]), 0);
    let earlier = format!("1:{}", "11".repeat(32));
    let gone = said(&verify(&["--expect", &earlier]), 1);
    assert!(gone.contains("it was archived, and then removed"), "{gone}");
    let forged = verify(&[
        "--file",
        "first.jsonl",
        "--with-trail",
        "--expect",
        &earlier,
    ]);
    assert!(said(&forged, 1).contains("not the one that was noted"));
}

#[test]
fn an_archive_that_does_not_fit_the_trail_is_found() {
    let department = partly_removed();
    let verify = |options: &[&str]| department.run(&[&["audit", "verify"], options].concat());
    let first = read(&department, "first.jsonl");
    let (line, _) = first.split_once('\n').unwrap();
    department.file("cut.jsonl", line);
    let lacking = said(&verify(&["--file", "cut.jsonl", "--with-trail"]), 1);
    assert!(lacking.contains("event 2 is missing"), "{lacking}");
    let other = Department::open();
    said(
        &other.run(&["audit", "export", "--output", "first.jsonl"]),
        0,
    );
    department.file("other.jsonl", &read(&other, "first.jsonl"));
    let other = said(&verify(&["--file", "other.jsonl", "--with-trail"]), 1);
    assert!(
        other.contains("are not one chain: event 3 does not follow"),
        "{other}"
    );
    let order = ["--file", "second.jsonl", "--file", "first.jsonl"];
    let order = said(&verify(&order), 1);
    assert!(
        order.contains("event 6 is missing: event 1 follows"),
        "{order}"
    );
    // Nor is an archive accepted that no event of the trail records.
    tamper(
        &department,
        "DROP TRIGGER audit_events_not_removed; DELETE FROM audit_events WHERE sequence = 6; \
         DROP TRIGGER audit_heads_only_move_on; UPDATE audit_heads SET sequence = 5, hash = \
         (SELECT hash FROM audit_events WHERE sequence = 5)",
    );
    said(&verify(&["--file", "first.jsonl", "--with-trail"]), 0);
    tamper(&department, "DELETE FROM audit_events WHERE sequence = 3");
    let unrecorded = said(&verify(&["--file", "first.jsonl", "--with-trail"]), 1);
    assert!(
        unrecorded.contains("event 1 is missing: event 4"),
        "{unrecorded}"
    );
}

#[test]
fn an_archive_is_recorded_only_once_it_is_a_file() {
    let department = Department::open();
    for output in ["-", "/dev/null"] {
        let piped = department.run(&["audit", "export", "--record", "--output", output]);
        assert!(
            said(&piped, 2).contains("--record needs a file"),
            "{piped:?}"
        );
    }
    let nowhere = ["audit", "export", "--record", "--output", "no/where.jsonl"];
    said(&department.run(&nowhere), 1);
    let json = text(&department.run(&["audit", "--format", "json"]).stdout);
    assert_eq!(objects(json.lines()).len(), 2, "{json}");
}

#[test]
fn an_archive_that_was_changed_is_broken() {
    let department = Department::open();
    department.run(&["audit", "export", "--output", "whole.jsonl"]);
    let head = noted(&text(
        &verify_archive(&department, "whole.jsonl", &[]).stdout,
    ));
    let whole = read(&department, "whole.jsonl");
    let (first, second) = whole.trim_end().split_once('\n').unwrap();
    for (content, options, wrong) in [
        (
            &*whole.replacen("\"local\"", "\"other\"", 1),
            &[][..],
            "was altered",
        ),
        (second, &[], "event 1 is missing"),
        (first, &["--expect", &head], "is not the one that was noted"),
        (
            &whole[..whole.len() - 9],
            &[],
            "line 2 is not an audit event",
        ),
        ("", &[], "has no event"),
    ] {
        department.file("wrong.jsonl", content);
        let found = verify_archive(&department, "wrong.jsonl", options);
        assert_eq!(found.status.code(), Some(1), "{found:?}");
        assert!(text(&found.stderr).contains(wrong), "{wrong}: {found:?}");
    }
}

#[test]
fn a_broken_trail_is_not_archived() {
    let department = Department::open();
    tamper(
        &department,
        "DROP TRIGGER audit_events_not_changed; \
         UPDATE audit_events SET subject = 'x' WHERE sequence = 1",
    );
    let export = department.run(&["audit", "export", "--output", "audit.jsonl"]);
    assert_eq!(export.status.code(), Some(1), "{export:?}");
    assert!(text(&export.stderr).contains("event 1 was altered"));
    assert!(!department.path("audit.jsonl").exists());
}

#[test]
fn wrong_use_says_how() {
    let department = Department::open();
    let head = format!("1:{}", "00".repeat(32));
    let words: [&[&str]; 9] = [
        &["audit", "--expect", "1:00"],
        &["audit", "--organization", "pd", "verify"],
        &["audit", "verify", "--with-trail"],
        &["audit", "--after", &head],
        &["audit", "--file", "a.jsonl"],
        &["audit", "export", "--file", "a.jsonl"],
        &["audit", "export", "--expect", &head],
        &["audit", "verify", "--after", &head],
        &["audit", "verify", "--expect", "tail"],
    ];
    for words in words {
        let wrong = department.run(words);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    }
}
