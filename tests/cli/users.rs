//! Users and organisations as an administrator sees them: `user` and `org`.

use regex::Regex;

use crate::{
    department::{Department, officers, text},
    process::objects,
    transcript::transcripts,
};

const FIRST: &str = "018f4e9e-5c7b-7000-8000-000000000001";
const SECOND: &str = "01a30000-0000-7000-8000-000000000002";
const THIRD: &str = "01a40000-0000-7000-8000-000000000003";

/// Makes a department of three officers. The second import gives the first of them another badge number, and the third
/// import deactivates the last one.
fn department() -> Department {
    let department = Department::open();
    department.file("roster.csv", &officers(3));
    department.run(&["import", "roster.csv", "--import-id", FIRST]);
    department.file("june.csv", &officers(3).replace(",B1,", ",0421,"));
    department.run(&["import", "june.csv", "--import-id", SECOND]);
    department.file("left.csv", &officers(2).replace(",B1,", ",0421,"));
    let left = [
        "import",
        "left.csv",
        "--deactivate-missing",
        "--confirm=Confirm",
    ];
    let left =
        department.run(&[&left[..], &["--max-deactivations=1", "--import-id", THIRD]].concat());
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    department
}

/// Returns a user as JSON.
fn shown(department: &Department, key: &str) -> serde_json::Value {
    let output = department.run(&["user", "show", key, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut objects = objects(text(&output.stdout).lines());
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

/// IDs of users differ in each run.
fn without_ids(shown: &str) -> String {
    let id = Regex::new("(?m)^ID  .*$").unwrap();
    id.replace_all(shown, "ID             018f4e9e-0000-7000-8000-000000000009")
        .into_owned()
}

#[test]
fn users_are_listed() {
    let department = department();
    insta::assert_snapshot!(transcripts(&department, &["user", "list"]));
}

#[test]
fn a_user_is_shown_with_the_imports_that_touched_it() {
    let department = department();
    insta::assert_snapshot!(without_ids(&transcripts(
        &department,
        &["user", "show", "P-1"]
    )));
    insta::assert_snapshot!(without_ids(&transcripts(
        &department,
        &["user", "show", "P-3"]
    )));
}

#[test]
fn organisations_are_listed() {
    let department = Department::open();
    department.run(&[
        "org",
        "create",
        "county-sheriff",
        "--name",
        "County Sheriff's Office",
    ]);
    insta::assert_snapshot!(transcripts(&department, &["org", "list"]));
}

#[test]
fn the_filters_of_a_list_are_those_of_an_export() {
    let department = department();
    let listed = |options: &[&str]| {
        let words = [&["user", "list", "--format", "csv"], options].concat();
        let output = department.run(&words);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let csv = text(&output.stdout);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let records = reader.records().map(|record| record.unwrap()[1].to_owned());
        (records.collect::<Vec<_>>(), text(&output.stderr))
    };
    assert_eq!(listed(&[]).0, ["P-1", "P-2", "P-3"]);
    assert_eq!(listed(&["--status", "inactive"]).0, ["P-3"]);
    assert_eq!(listed(&["--role", "Sergeant"]).0, [""; 0]);
    assert_eq!(listed(&["--text", "p2@"]).0, ["P-2"]);
    let (first, said) = listed(&["--limit", "2"]);
    assert_eq!(first, ["P-1", "P-2"]);
    assert!(said.contains("--limit 20 shows more"), "{said}");
    assert_eq!(listed(&["--limit", "3"]).1, "");
    let nothing = department.run(&["user", "list", "--role", "Sergeant"]);
    assert_eq!(text(&nothing.stdout), "No user passes these filters.\n");
}

#[test]
fn more_users_than_a_page_are_listed_in_every_format() {
    let department = Department::open();
    department.file("roster.csv", &officers(2_345));
    department.run(&["import", "roster.csv"]);
    for (format, more) in [("csv", 1), ("json", 0), ("table", 1)] {
        let list = ["user", "list", "--limit", "100000", "--format", format];
        let output = department.run(&list);
        assert_eq!(
            text(&output.stdout).lines().count(),
            2_345 + more,
            "{format}"
        );
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_user_is_found_by_external_id_email_or_id() {
    let department = department();
    let user = shown(&department, "P-2");
    let id = user["user"]["id"].as_str().unwrap();
    for key in [
        "p2@pd.example",
        "P2@PD.example",
        id,
        &id.to_uppercase(),
        &id.replace('-', ""),
    ] {
        assert_eq!(shown(&department, key), user, "{key}");
    }
    let others = [shown(&department, "P-1"), shown(&department, "P-3")];
    let is_alike = |length: &usize| {
        let other = |user: &serde_json::Value| user["user"]["id"].as_str().unwrap().to_owned();
        !others
            .iter()
            .any(|user| other(user).starts_with(&id[..*length]))
    };
    let length = (1..=36).find(is_alike).unwrap();
    assert_eq!(shown(&department, &id[..length]), user);
    let ambiguous = department.run(&["user", "show", &id[..8]]);
    assert_eq!(ambiguous.status.code(), Some(2), "{ambiguous:?}");
    assert!(
        text(&ambiguous.stderr).contains("P-1  Pat Example"),
        "{ambiguous:?}"
    );

    let unknown = department.run(&["user", "show", "P-9"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(
        text(&unknown.stderr).contains("user-import user list --text"),
        "{unknown:?}"
    );
}

#[test]
fn an_import_whose_user_is_looked_for_says_what_it_did() {
    let department = department();
    let first = shown(&department, "P-1");
    assert_eq!(first["imports"][0]["import"]["importId"], SECOND);
    assert_eq!(first["imports"][0]["columns"][0], "BADGE_NUMBER");
    assert_eq!(first["imports"][1]["outcome"], "created");
    assert_eq!(first["imports"].as_array().unwrap().len(), 2);
    let last = shown(&department, "P-3");
    assert_eq!(last["imports"][0]["outcome"], "deactivated");
    let words = ["user", "show", "P-1", "--imports", "1", "--format", "json"];
    let alone = objects(text(&department.run(&words).stdout).lines());
    assert_eq!(alone[0]["imports"][0]["import"]["importId"], SECOND);
    assert_eq!(alone[0]["imports"].as_array().unwrap().len(), 1);
    let words = ["user", "show", "P-1", "--imports", "1"];
    let page = text(&department.run(&words).stdout);
    assert!(
        page.contains("\nThe last 1 import that touched this user\n"),
        "{page}"
    );
}

#[test]
fn a_protected_user_stays_active_until_the_protection_ends() {
    let department = department();
    let said = |words: &[&str]| {
        let output = department.run(words);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    };
    let protected = said(&["user", "protect", "p2@pd.example"]);
    assert!(
        protected.starts_with("P-2 (Pat Example) is protected"),
        "{protected}"
    );
    let shown = said(&["user", "show", "P-2"]);
    assert!(shown.contains("Active, protected"), "{shown}");
    let unprotected = said(&["user", "unprotect", "P-2"]);
    assert!(unprotected.contains("is not protected"), "{unprotected}");
    assert!(!said(&["user", "show", "P-2"]).contains("protected"));
}

#[test]
fn who_may_protect_users_need_not_be_allowed_to_read_them() {
    let department = department();
    let id = shown(&department, "P-2")["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let database = format!("sqlite://{}", department.path("users.db").display());
    let create = [
        "token",
        "create",
        "guard",
        "--permission",
        "users.deactivate",
    ];
    let made = department.run(&[&create[..], &["--database-url", &database]].concat());
    let token = text(&made.stdout).trim().to_owned();
    let denied = department.run(&["user", "protect", "P-2", "--token", &token]);
    assert_eq!(denied.status.code(), Some(2), "{denied:?}");
    assert!(text(&denied.stderr).contains("whole ID"), "{denied:?}");
    let protected = department.run(&["user", "protect", &id, "--token", &token]);
    assert_eq!(protected.status.code(), Some(0), "{protected:?}");
    assert!(text(&protected.stdout).starts_with(&id), "{protected:?}");
}
