//! Each command does what it says.

use crate::department::{Department, officers, program, text};

#[test]
fn the_demo_runs_to_its_end_and_shows_a_summary() {
    let demo = program().arg("demo").output().unwrap();
    let page = text(&demo.stdout);
    assert_eq!(demo.status.code(), Some(0), "{}", text(&demo.stderr));
    assert!(page.contains("Import completed: 20 rows"), "{page}");
    assert!(page.contains("rejected            5"), "{page}");
}

#[test]
fn migrate_makes_a_database_that_serve_can_use_as_it_is() {
    let department = Department::open();
    let database = format!("sqlite://{}", department.path("new.db").display());
    for _ in 0..2 {
        let migrate = department.run(&["migrate", "--database-url", &database]);
        assert_eq!(migrate.status.code(), Some(0));
        assert_eq!(text(&migrate.stdout), "The database is up to date.\n");
    }
}

#[test]
fn an_organisation_has_the_catalog_that_was_applied() {
    let department = Department::open();
    let created = department.run(&["org", "create", "fire", "--name", "Fire"]);
    assert!(text(&created.stdout).starts_with("Created the organisation fire.\n"));
    let catalog = text(&department.run(&["catalog", "get"]).stdout);
    let again = department.run_with_input(&["catalog", "apply", "-"], &catalog);
    assert_eq!(
        text(&again.stdout),
        "pd now has 2 roles, 0 ranks and 0 groups.\n"
    );
}

#[test]
fn a_catalog_whose_administrators_anybody_can_make_is_warned_about() {
    let department = Department::open();
    let apply = |roles: &str| {
        let catalog = format!("{{\"roles\": [{{\"name\": \"Officer\"}}, {roles}]}}");
        let applied = department.run_with_input(&["catalog", "apply", "-"], &catalog);
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        text(&applied.stderr)
    };
    let warned = apply("{\"name\": \"Site Admin\"}");
    assert!(
        warned.contains("warning: no role is privileged"),
        "{warned}"
    );
    assert!(
        warned.contains(
            "\"Site Admin\" has the name of an administrator's role, but is not \
            privileged"
        ),
        "{warned}"
    );
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/catalog.json");
    let applied = department.run(&["catalog", "apply", example]);
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    assert_eq!(text(&applied.stderr), "");
    let quiet = apply("{\"name\": \"Site Admin\", \"privileged\": true}");
    assert!(!quiet.contains("warning"), "{quiet}");
}

#[test]
fn the_template_is_a_roster_whose_examples_are_rejected() {
    let department = Department::open();
    let template = department.run(&["template", "--output", "template.csv"]);
    assert_eq!(template.status.code(), Some(0), "{template:?}");
    let import = department.run(&["import", "template.csv"]);
    assert_eq!(import.status.code(), Some(3));
    assert!(text(&import.stdout).contains("rejected            4"));
}

#[test]
fn what_is_exported_imports_unchanged() {
    let department = Department::open();
    department.file("roster.csv", &officers(3));
    let import = department.run(&["import", "roster.csv"]);
    assert!(text(&import.stdout).contains("created             3"));
    department.run(&["export", "--output", "users.csv"]);
    let again = department.run_with_input(&["import", "-"], &department.read("users.csv"));
    assert_eq!(again.status.code(), Some(0));
    assert!(text(&again.stdout).contains("unchanged           3"));
}

#[test]
fn a_server_logs_one_line_for_all_steps_of_its_schema() {
    let mut department = Department::open();
    let log = department.read("server.log");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("schema")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(
        lines[0].contains("the schema has been brought up to date steps="),
        "{log}"
    );
    drop(department.take_server());
    department.start_server();
    assert!(!department.read("server.log").contains("schema"));
}
