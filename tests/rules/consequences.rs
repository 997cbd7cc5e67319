//! The consequences of an import that its counts do not show (semantics §13). They are in every summary and in the
//! record, and do not depend on which part of the directory the plan has read.

use tonic::Code;
use user_import::{
    config::{PartialSnapshots, Settings},
    domain::{
        Column::{self, BadgeNumber, Email, ExternalId, FirstName, LastName, Role, Status},
        Column::{SupervisorEmail, Username},
        Permission,
    },
    proto::{
        Catalog, Consequence, ConsequenceKind as Kind, GetImportRequest, ImportStart,
        ListImportsRequest, PushUsersRequest,
    },
};

use user_import_testing::{
    App, Database, Roster, catalog, deactivating_missing, dry_run, on_both_databases, roster,
    start_of, token,
};

on_both_databases![
    reports_who_stay_lose_their_supervisor,
    a_report_who_gets_another_supervisor_or_leaves_too_loses_nobody,
    missing_users_leave_their_reports_and_their_roles,
    roles_are_gained_lost_and_left_empty,
    people_sign_in_otherwise_come_back_and_are_replaced,
    twenty_examples_come_by_external_id,
    what_a_rejected_row_would_do_is_no_consequence,
    consequences_are_in_the_record_and_in_a_replay,
    a_refused_import_tells_them_too,
    only_readers_of_users_see_examples_outside_the_roster,
    a_push_has_them_too,
];

/// Settings with which every import reads all users, or only those that its rows can concern.
fn settings(partial: bool) -> Settings {
    let rows = if partial { 1_000 } else { 0 };
    Settings {
        partial_snapshots: PartialSnapshots {
            rows,
            users_per_row: 0,
        },
        ..Settings::default()
    }
}

/// The catalog of every test. Its role Administrator is privileged.
fn privileged() -> Catalog {
    let mut catalog = catalog();
    for role in &mut catalog.roles {
        role.privileged = role.name == "Administrator";
    }
    catalog
}

/// chief (Administrator) supervises ada, bob and cyd. ada supervises dee (Sergeant). gus is Inactive, and chief
/// supervises him, too.
async fn department(database: Database, partial: bool) -> App {
    let app = App::start_with(database, settings(partial)).await;
    app.catalog("pd", privileged()).await;
    let imported = app.import(everybody()).await;
    assert_eq!(imported.summary().created, 6, "{imported}");
    app
}

fn everybody() -> Roster {
    let of = |name: &'static str| (SupervisorEmail, name);
    roster()
        .row("chief", [(Role, "Administrator")])
        .row("ada", [of("chief@pd.example")])
        .row("bob", [of("chief@pd.example")])
        .row("cyd", [of("chief@pd.example")])
        .row("dee", [of("ada@pd.example"), (Role, "Sergeant")])
        .row("gus", [of("chief@pd.example"), (Status, "Inactive")])
}

fn dry() -> ImportStart {
    ImportStart {
        max_deactivations: Some(100),
        max_identity_changes: Some(100),
        ..dry_run(start_of("pd"))
    }
}

/// The kind, the count, and for each example the external ID, the detail and the row.
type ConsequenceFacts<'a> = (Kind, u32, Vec<(&'a str, &'a str, u32)>);

fn facts_of(consequences: &[Consequence]) -> Vec<ConsequenceFacts<'_>> {
    let told = consequences.iter().map(|found| {
        let examples = found.examples.iter();
        let examples = examples.map(|one| (&*one.external_id, &*one.detail, one.row));
        (found.kind(), found.count, examples.collect())
    });
    told.collect()
}

/// Expects these consequences of the roster, both if its plan reads all users and if it reads only those that the rows
/// can concern.
async fn expect(database: Database, roster: Roster, expected: &[ConsequenceFacts<'_>]) {
    for partial in [false, true] {
        let app = department(database, partial).await;
        let planned = app.import_with(dry(), roster.clone()).await;
        assert_eq!(planned.code(), Code::Ok, "{planned}");
        assert_eq!(
            facts_of(&planned.summary().consequences),
            expected,
            "partial: {partial}"
        );
    }
}

/// A roster with this one row.
fn changed(name: &str, values: &[(Column, &'static str)]) -> Roster {
    roster().row(name, values.iter().copied())
}

async fn reports_who_stay_lose_their_supervisor(database: Database) {
    let leaving = changed(
        "ada",
        &[(Status, "Inactive"), (SupervisorEmail, "chief@pd.example")],
    );
    let expected = [(Kind::ReportsLoseSupervisor, 1, vec![("dee", "ada", 0)])];
    expect(database, leaving.clone(), &expected).await;
    // dee has a row that changes nothing.
    let both = leaving.row(
        "dee",
        [(SupervisorEmail, "ada@pd.example"), (Role, "Sergeant")],
    );
    let expected = [(Kind::ReportsLoseSupervisor, 1, vec![("dee", "ada", 2)])];
    expect(database, both, &expected).await;
}

async fn a_report_who_gets_another_supervisor_or_leaves_too_loses_nobody(database: Database) {
    let leaving = changed("chief", &[(Status, "Inactive"), (Role, "Administrator")])
        .row("ada", [(SupervisorEmail, "bob@pd.example")])
        .row(
            "cyd",
            [(Status, "Inactive"), (SupervisorEmail, "chief@pd.example")],
        )
        .row("new", [(SupervisorEmail, "chief@pd.example")]);
    let expected = [
        (
            Kind::ReportsLoseSupervisor,
            2,
            vec![("bob", "chief", 0), ("new", "chief", 4)],
        ),
        (Kind::RoleLeftEmpty, 1, vec![("", "Administrator", 0)]),
    ];
    expect(database, leaving, &expected).await;
}

async fn missing_users_leave_their_reports_and_their_roles(database: Database) {
    let app = department(database, false).await;
    let listed = roster()
        .row("chief", [(Role, "Administrator")])
        .row("bob", [(SupervisorEmail, "chief@pd.example")])
        .row("cyd", [(SupervisorEmail, "chief@pd.example")]);
    let start = dry_run(deactivating_missing(start_of("pd")));
    let planned = app.import_with(start.clone(), listed.clone()).await;
    assert_eq!(planned.summary().deactivated, 2, "{planned}");
    let empty = [(Kind::RoleLeftEmpty, 1, vec![("", "Sergeant", 0)])];
    assert_eq!(facts_of(&planned.summary().consequences), empty);
    let listed = listed.row(
        "dee",
        [(SupervisorEmail, "ada@pd.example"), (Role, "Sergeant")],
    );
    let planned = app.import_with(start, listed).await;
    let lost = [(Kind::ReportsLoseSupervisor, 1, vec![("dee", "ada", 4)])];
    assert_eq!(facts_of(&planned.summary().consequences), lost);
}

async fn roles_are_gained_lost_and_left_empty(database: Database) {
    let swapped = changed("chief", &[(Role, "Sergeant")])
        .row(
            "bob",
            [
                (Role, "Administrator"),
                (SupervisorEmail, "chief@pd.example"),
            ],
        )
        .row("new", [(Role, "Administrator"), (Status, "Inactive")]);
    let expected = [
        (
            Kind::PrivilegedRoleGained,
            2,
            vec![("bob", "Administrator", 2), ("new", "Administrator", 3)],
        ),
        (
            Kind::PrivilegedRoleLost,
            1,
            vec![("chief", "Administrator", 1)],
        ),
    ];
    expect(database, swapped, &expected).await;
    // An Inactive administrator does not count as having the role. For Sergeant there is another user.
    let leaving = changed("chief", &[(Role, "Officer")])
        .row(
            "gus",
            [
                (Role, "Administrator"),
                (Status, "Inactive"),
                (SupervisorEmail, "chief@pd.example"),
            ],
        )
        .row(
            "dee",
            [(SupervisorEmail, "ada@pd.example"), (Role, "Officer")],
        )
        .row(
            "cyd",
            [(SupervisorEmail, "chief@pd.example"), (Role, "Sergeant")],
        );
    let expected = [
        (
            Kind::PrivilegedRoleGained,
            1,
            vec![("gus", "Administrator", 2)],
        ),
        (
            Kind::PrivilegedRoleLost,
            1,
            vec![("chief", "Administrator", 1)],
        ),
        (Kind::RoleLeftEmpty, 1, vec![("", "Administrator", 0)]),
    ];
    expect(database, leaving, &expected).await;
}

async fn people_sign_in_otherwise_come_back_and_are_replaced(database: Database) {
    let of_chief = (SupervisorEmail, "chief@pd.example");
    let rows = changed("ada", &[of_chief, (Email, "ada.l@pd.example")])
        .row(
            "bob",
            [of_chief, (Username, "bobby"), (Email, "bobby@pd.example")],
        )
        .row("gus", [of_chief, (Email, "gus.g@pd.example")])
        .row(
            "eve",
            [
                (ExternalId, "cyd"),
                of_chief,
                (FirstName, "Eve"),
                (LastName, "Roe"),
                (BadgeNumber, "B-77"),
            ],
        );
    let expected = [
        (
            Kind::SignInChanged,
            3,
            vec![
                ("ada", "EMAIL", 1),
                ("bob", "EMAIL, USERNAME", 2),
                ("cyd", "EMAIL, USERNAME", 4),
            ],
        ),
        (Kind::Reactivated, 1, vec![("gus", "Officer", 3)]),
        (
            Kind::IdentityReplaced,
            1,
            vec![(
                "cyd",
                "EMAIL, BADGE_NUMBER, FIRST_NAME, LAST_NAME, USERNAME",
                4,
            )],
        ),
    ];
    expect(database, rows, &expected).await;
    // An Inactive user cannot sign in.
    let inactive = changed(
        "gus",
        &[of_chief, (Status, "Inactive"), (Email, "g@pd.example")],
    );
    expect(database, inactive, &[]).await;
}

async fn twenty_examples_come_by_external_id(database: Database) {
    for partial in [false, true] {
        let app = department(database, partial).await;
        let names: Vec<_> = (0..25).map(|n| format!("r{n:02}")).collect();
        let reports = names.iter().rev().fold(roster(), |roster, name| {
            roster.row(name, [(SupervisorEmail, "dee@pd.example")])
        });
        assert_eq!(app.import(reports).await.summary().created, 25);
        let leaving = changed(
            "dee",
            &[(Status, "Inactive"), (SupervisorEmail, "ada@pd.example")],
        );
        let planned = app.import_with(dry(), leaving).await;
        let found = &planned.summary().consequences[0];
        assert_eq!(
            (found.kind(), found.count),
            (Kind::ReportsLoseSupervisor, 25)
        );
        let ids: Vec<_> = found.examples.iter().map(|one| &*one.external_id).collect();
        assert_eq!(
            ids,
            names[..20].iter().map(|name| &**name).collect::<Vec<_>>()
        );
        assert_eq!(found.examples[0].email, "r00@pd.example");
    }
}

async fn what_a_rejected_row_would_do_is_no_consequence(database: Database) {
    let taken = changed(
        "chief",
        &[
            (Status, "Inactive"),
            (Role, "Administrator"),
            (Email, "bob@pd.example"),
        ],
    );
    expect(database, taken, &[]).await;
}

async fn consequences_are_in_the_record_and_in_a_replay(database: Database) {
    let app = department(database, true).await;
    let leaving = changed(
        "ada",
        &[(Status, "Inactive"), (SupervisorEmail, "chief@pd.example")],
    );
    let start = ImportStart {
        import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
        validate_only: false,
        ..dry()
    };
    let planned = app.import_with(dry(), leaving.clone()).await;
    let expected = planned.summary().consequences.clone();
    assert_eq!(expected.len(), 1, "{planned}");
    for _ in 0..2 {
        let done = app.import_with(start.clone(), leaving.clone()).await;
        assert_eq!(done.code(), Code::Ok, "{done}");
        assert_eq!(done.summary().consequences, expected, "{done}");
    }
    let request = GetImportRequest {
        organization: "pd".to_owned(),
        import_id: start.import_id.clone(),
    };
    let record = app.imports().get_import(request).await.unwrap();
    let record = record.into_inner().import_record.unwrap();
    assert_eq!(record.consequences, expected);
    let request = ListImportsRequest {
        organization: "pd".to_owned(),
        ..ListImportsRequest::default()
    };
    let list = app.imports().list_imports(request).await.unwrap();
    assert_eq!(list.into_inner().imports[0].consequences, expected);
}

async fn a_refused_import_tells_them_too(database: Database) {
    let app = department(database, false).await;
    let start = ImportStart {
        max_deactivations: Some(0),
        ..start_of("pd")
    };
    let leaving = changed(
        "ada",
        &[(Status, "Inactive"), (SupervisorEmail, "chief@pd.example")],
    );
    let refused = app.import_with(start, leaving).await;
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let expected = [(Kind::ReportsLoseSupervisor, 1, vec![("dee", "ada", 0)])];
    assert_eq!(facts_of(&refused.summary().consequences), expected);
    let request = GetImportRequest {
        organization: "pd".to_owned(),
        import_id: refused.import_id().to_owned(),
    };
    let record = app
        .imports()
        .get_import(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        facts_of(&record.import_record.unwrap().consequences),
        expected
    );
}

async fn only_readers_of_users_see_examples_outside_the_roster(database: Database) {
    let app = department(database, true).await;
    let rows = changed("chief", &[(Status, "Inactive"), (Role, "Officer")]).row(
        "bob",
        [
            (SupervisorEmail, "chief@pd.example"),
            (Role, "Administrator"),
        ],
    );
    let planned = app.import_with(dry(), rows.clone()).await;
    let expected = [
        (
            Kind::ReportsLoseSupervisor,
            3,
            vec![
                ("ada", "chief", 0),
                ("bob", "chief", 2),
                ("cyd", "chief", 0),
            ],
        ),
        (
            Kind::PrivilegedRoleGained,
            1,
            vec![("bob", "Administrator", 2)],
        ),
        (
            Kind::PrivilegedRoleLost,
            1,
            vec![("chief", "Administrator", 1)],
        ),
    ];
    assert_eq!(facts_of(&planned.summary().consequences), expected);
    let permissions = [
        Permission::UsersImport,
        Permission::UsersDeactivate,
        Permission::UsersGrantPrivileged,
    ];
    let sender = app.holding(token("pd", permissions)).await;
    let planned = sender.import_with(dry(), rows).await;
    let expected = [
        (Kind::ReportsLoseSupervisor, 3, vec![("bob", "", 2)]),
        (
            Kind::PrivilegedRoleGained,
            1,
            vec![("bob", "Administrator", 2)],
        ),
        (Kind::PrivilegedRoleLost, 1, vec![("chief", "", 1)]),
    ];
    assert_eq!(facts_of(&planned.summary().consequences), expected);
}

async fn a_push_has_them_too(database: Database) {
    let app = department(database, true).await;
    let leaving = changed(
        "ada",
        &[(Status, "Inactive"), (SupervisorEmail, "chief@pd.example")],
    );
    let request = PushUsersRequest {
        start: Some(dry()),
        rows: leaving.typed(),
    };
    let pushed = app
        .imports()
        .push_users(request)
        .await
        .unwrap()
        .into_inner();
    let expected = [(Kind::ReportsLoseSupervisor, 1, vec![("dee", "ada", 0)])];
    assert_eq!(facts_of(&pushed.summary.unwrap().consequences), expected);
}
