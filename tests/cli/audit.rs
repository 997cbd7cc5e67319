//! `audit`: who did what, and whether the record of it is whole.

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
    assert!(lines[0].contains("import ended") && lines[0].contains("created=2"));
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

#[test]
fn wrong_use_says_how() {
    let department = Department::open();
    let words: [&[&str]; 2] = [
        &["audit", "--expect", "1:00"],
        &["audit", "verify", "--expect", "tail"],
    ];
    for words in words {
        let wrong = department.run(words);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    }
}
