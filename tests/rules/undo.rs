//! Undo: an import whose rows reverse the changes of an earlier one (semantics §11).

use std::time::Duration;

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::{
        Column::{
            BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
            Role, Status as StatusColumn, SupervisorEmail, Username,
        },
        Permission,
    },
    proto::{
        Catalog, ImportStart, ImportState, Issue, IssueCode, MatchBy, ResultFilter,
        Role as CatalogRole, UndoImportRequest, User, UserStatus,
    },
};

use crate::retries::{ID, MANY, OTHER_ID, interrupted, many, named, start_slow};
use user_import_testing::{
    App, Database, ImportResponses, Roster, any_people, catalog, deactivating_missing, for_all,
    on_both_databases, roster, roster_of, sound_people, start_of, token,
};

on_both_databases![
    an_undo_gives_back_every_kind_of_change_and_its_undo_repeats_them,
    a_user_who_has_been_edited_since_is_left_alone,
    a_dry_run_shows_what_an_undo_does_and_writes_nothing,
    an_undo_is_guarded_against_mass_deactivation,
    a_swap_of_keys_is_reversed_as_one_set,
    a_value_that_belongs_to_another_user_by_now_is_rejected,
    an_external_id_that_an_import_changed_is_given_back_unless_it_is_taken,
    a_supervisor_is_given_back_whatever_email_the_supervisor_has_by_now,
    a_supervisor_who_would_close_a_circle_is_rejected,
    a_role_that_has_another_name_by_now_is_given_back_and_one_that_is_gone_is_not,
    values_that_are_back_already_are_unchanged,
    an_undo_is_bound_to_its_id_and_replayed,
    an_interrupted_undo_goes_on_where_it_was,
    an_interrupted_import_is_undone_as_far_as_it_came,
    the_history_tells_what_was_undone_and_until_when_it_can_be,
    after_the_retention_the_values_are_gone,
    what_changed_nothing_cannot_be_undone,
    an_undo_needs_what_its_rows_need,
    without_users_read_an_undo_discloses_no_values_of_users,
    an_import_of_another_organisation_is_unknown,
    random_imports_are_undone_and_repeated,
    exactly_the_users_who_were_edited_are_left_alone;
    // On SQLite, a new import waits for the transaction of the other one.
    an_import_that_is_applying_is_not_undone,
];

/// One more ID for imports.
const UNDO: &str = "018f4e9e-5c7b-7000-8000-00000000000a";

fn undo_of(import: &str) -> UndoImportRequest {
    UndoImportRequest {
        organization: "pd".to_owned(),
        import_id: import.to_owned(),
        include_values: true,
        ..UndoImportRequest::default()
    }
}

/// Starts the same server without the guard of mass deactivation.
fn unguarded(import: &str) -> UndoImportRequest {
    UndoImportRequest {
        max_deactivations: Some(1_000),
        ..undo_of(import)
    }
}

async fn run(app: &App, request: UndoImportRequest) -> ImportResponses {
    let responses = app.imports().undo_import(request).await;
    ImportResponses::undone(responses.map(tonic::Response::into_inner)).await
}

async fn undone(app: &App, import: &str) -> ImportResponses {
    let undone = run(app, unguarded(import)).await;
    assert_eq!(undone.code(), Code::Ok, "{undone}");
    assert_eq!(undone.summary().undoes, import);
    undone
}

fn id(imported: &ImportResponses) -> &str {
    &imported.summary().import_id
}

/// Returns the users without the times of their last changes.
async fn users(app: &App) -> Vec<User> {
    let users = app.users().await.into_iter();
    let comparable = users.map(|user| User {
        updated_at: None,
        last_import_id: String::new(),
        ..user
    });
    let mut users: Vec<User> = comparable.collect();
    users.sort_by(|one, other| one.id.cmp(&other.id));
    users
}

/// Returns the users that an undo must leave: those `before` the import, and the new ones of `after`, now Inactive.
fn with_created(before: &[User], after: &[User]) -> Vec<User> {
    let is_new = |user: &&User| before.iter().all(|known| known.id != user.id);
    let created = after.iter().filter(is_new).cloned().map(|user| User {
        status: UserStatus::Inactive.into(),
        ..user
    });
    let mut users: Vec<User> = before.iter().cloned().chain(created).collect();
    users.sort_by(|one, other| one.id.cmp(&other.id));
    users
}

fn codes(imported: &ImportResponses, row: usize) -> Vec<IssueCode> {
    let issues = &imported.results[row - 1].issues;
    issues.iter().map(Issue::code).collect()
}

fn refusal(imported: &ImportResponses) -> &str {
    let details = imported.status.get_error_details();
    let found = details.precondition_failure();
    let violations = &found.expect("a precondition failed").violations;
    let known = &imported.summary().refusals[0].code;
    assert_eq!(&violations[0].r#type, known, "{imported}");
    known
}

async fn an_undo_gives_back_every_kind_of_change_and_its_undo_repeats_them(database: Database) {
    let app = App::start(database).await;
    let first = roster()
        .row("boss", [(Role, "Sergeant")])
        .row(
            "ada",
            [
                (SupervisorEmail, "boss@pd.example"),
                (Rank, "Captain"),
                (Phone, "+15035550100"),
            ],
        )
        .row("bob", [(EvidenceGroupExtId, "G-1")])
        .row("gone", [])
        .row("idle", [(StatusColumn, "Inactive")])
        .row("same", []);
    app.import(first).await;
    let before = users(&app).await;
    let second = roster()
        .row("boss", [(Email, "chief@pd.example"), (Role, "Sergeant")])
        .row(
            "ada",
            [
                (Role, "Administrator"),
                (Phone, "+15035550111"),
                (FirstName, "Åda"),
            ],
        )
        .row(
            "bob",
            [
                (Rank, "Lieutenant"),
                (SupervisorEmail, "chief@pd.example"),
                (StatusColumn, "Inactive"),
            ],
        )
        .row("idle", [(Username, "idler"), (BadgeNumber, "B-100")])
        .row("same", [])
        .row("new", [(SupervisorEmail, "ada@pd.example")]);
    let start = ImportStart {
        max_deactivations: Some(9),
        ..deactivating_missing(start_of("pd"))
    };
    let imported = app.import_with(start, second).await;
    assert_eq!(imported.summary().deactivated, 1, "{imported}");
    let after = users(&app).await;
    assert_ne!(after, before);
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(
        (undo.summary().rows, undo.summary().updated),
        (6, 6),
        "{undo}"
    );
    assert_eq!(users(&app).await, with_created(&before, &after), "{undo}");
    let again = undone(&app, id(&undo)).await;
    assert_eq!(users(&app).await, after, "{again}");
    let last = undone(&app, id(&again)).await;
    assert_eq!(users(&app).await, with_created(&before, &after), "{last}");
}

async fn a_user_who_has_been_edited_since_is_left_alone(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let change = roster()
        .row("ada", [(Phone, "+15035550111"), (FirstName, "Åda")])
        .row("bob", [(Phone, "+15035550112")])
        .people(["new"]);
    let imported = app.import(change).await;
    let later = roster()
        .row("ada", [(Phone, "+15035550199"), (FirstName, "Åda")])
        // Since the import, another attribute than those that it changed has been changed.
        .row("bob", [(Phone, "+15035550112"), (LastName, "Later")])
        .row("new", [(FirstName, "Other")]);
    let later = app.import(later).await;
    let before = users(&app).await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(
        (undo.summary().rejected, undo.summary().updated),
        (2, 1),
        "{undo}"
    );
    for (row, column, user) in [(1, "PHONE", "ada"), (3, "FIRST_NAME", "new")] {
        assert_eq!(codes(&undo, row), [IssueCode::EditedSince], "{undo}");
        let issue = &undo.results[row - 1].issues[0];
        assert_eq!(issue.column, column);
        let by = format!(
            "{column} of user \"{user}\" has been changed since by import {}",
            id(&later)
        );
        assert!(issue.message.starts_with(&by), "{issue:?}");
    }
    let bob = app.user("bob").await;
    assert_eq!((bob.phone.as_str(), bob.last_name.as_str()), ("", "Later"));
    let left = users(&app).await;
    let changed = left.iter().zip(&before).filter(|(one, other)| one != other);
    assert_eq!(changed.count(), 1);
    // The changes of the later import are undone first. Then the others can be undone.
    undone(&app, id(&later)).await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(
        (undo.summary().rejected, undo.summary().updated),
        (0, 2),
        "{undo}"
    );
    assert_eq!(app.user("new").await.status(), UserStatus::Inactive);
}

async fn a_dry_run_shows_what_an_undo_does_and_writes_nothing(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let change = roster()
        .row("ada", [(Phone, "+15035550111")])
        .people(["new"]);
    let imported = app.import(change).await;
    let before = app.users().await;
    let dry = UndoImportRequest {
        validate_only: true,
        ..unguarded(id(&imported))
    };
    let planned = run(&app, dry.clone()).await;
    assert_eq!(planned.code(), Code::Ok, "{planned}");
    assert!(planned.summary().validate_only);
    assert_eq!(app.users().await, before);
    let change = &planned.results[0].changes[0];
    let values = (change.column.as_str(), change.before(), change.after());
    assert_eq!(values, ("PHONE", "+15035550111", ""));
    let other = UndoImportRequest {
        expected_plan_digest: vec![7; 32],
        ..unguarded(id(&imported))
    };
    assert_eq!(refusal(&run(&app, other).await), "PLAN_DIFFERS");
    assert_eq!(app.users().await, before);
    let reviewed = UndoImportRequest {
        expected_plan_digest: planned.summary().plan_digest.clone(),
        ..unguarded(id(&imported))
    };
    let undo = run(&app, reviewed).await;
    assert_eq!(undo.code(), Code::Ok, "{undo}");
    assert_eq!(undo.results, planned.results);
    assert_eq!(undo.summary().plan_digest, planned.summary().plan_digest);
}

async fn an_undo_is_guarded_against_mass_deactivation(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let imported = app.import(roster().people(["b", "c", "d"])).await;
    let before = app.users().await;
    let refused = run(&app, undo_of(id(&imported))).await;
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refusal(&refused), "MASS_DEACTIVATION");
    assert_eq!(refused.results.len(), 3, "{refused}");
    assert_eq!(app.users().await, before);
    let two = UndoImportRequest {
        max_deactivations: Some(2),
        ..undo_of(id(&imported))
    };
    assert_eq!(refusal(&run(&app, two).await), "TOO_MANY_DEACTIVATIONS");
    assert_eq!(app.users().await, before);
}

async fn a_swap_of_keys_is_reversed_as_one_set(database: Database) {
    let app = App::start(database).await;
    let names = ["a", "b", "c"];
    app.people(names).await;
    let before = users(&app).await;
    let mut swapped = roster();
    for (name, other) in names.into_iter().zip(["b", "c", "a"]) {
        swapped = swapped.row(other, [(ExternalId, name)]);
    }
    let start = ImportStart {
        max_identity_changes: Some(3),
        ..start_of("pd")
    };
    let imported = app.import_with(start, swapped).await;
    assert_eq!(imported.summary().updated, 3, "{imported}");
    // The guard against a mass change of identities does not apply to an undo.
    let undo = run(&app, undo_of(id(&imported))).await;
    assert_eq!(undo.code(), Code::Ok, "{undo}");
    assert_eq!(users(&app).await, before);
}

async fn a_value_that_belongs_to_another_user_by_now_is_rejected(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let change = roster()
        .row("ada", [(Email, "ada.new@pd.example")])
        .row("bob", [(Phone, "+15035550112")]);
    let imported = app.import(change).await;
    // Bob has the email that the undo would restore, and the undo does not change his email.
    let taker = roster().row("bob", [(Email, "ada@pd.example"), (Phone, "+15035550112")]);
    app.import(taker).await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(codes(&undo, 1), [IssueCode::EmailTaken], "{undo}");
    assert_eq!(
        (undo.summary().rejected, undo.summary().updated),
        (1, 1),
        "{undo}"
    );
    assert_eq!(app.user("bob").await.phone, "");
}

async fn an_external_id_that_an_import_changed_is_given_back_unless_it_is_taken(
    database: Database,
) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let start = ImportStart {
        match_by: MatchBy::Email.into(),
        ..start_of("pd")
    };
    let renumbered = roster()
        .row("ada", [(ExternalId, "E-1")])
        .row("bob", [(ExternalId, "E-2")]);
    let imported = app.import_with(start, renumbered).await;
    assert_eq!(imported.summary().updated, 2, "{imported}");
    app.import(roster().row("cyd", [(ExternalId, "bob")])).await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(codes(&undo, 2), [IssueCode::ExternalIdTaken], "{undo}");
    assert_eq!(app.user("ada").await.email, "ada@pd.example");
    assert_eq!(app.user("E-2").await.email, "bob@pd.example");
    assert_eq!(app.user("bob").await.email, "cyd@pd.example");
}

async fn a_supervisor_is_given_back_whatever_email_the_supervisor_has_by_now(database: Database) {
    let app = App::start(database).await;
    let led = [(SupervisorEmail, "boss@pd.example")];
    app.import(roster().people(["boss", "other"]).row("ada", led))
        .await;
    let change = roster().row("ada", [(SupervisorEmail, "other@pd.example")]);
    let imported = app.import(change).await;
    app.import(roster().row("boss", [(Email, "chief@pd.example")]))
        .await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(undo.summary().updated, 1, "{undo}");
    assert_eq!(app.user("ada").await.supervisor_email, "chief@pd.example");
}

async fn a_supervisor_who_would_close_a_circle_is_rejected(database: Database) {
    let app = App::start(database).await;
    let led = [(SupervisorEmail, "boss@pd.example")];
    app.import(roster().people(["boss"]).row("ada", led)).await;
    let imported = app
        .import(roster().row("ada", [(SupervisorEmail, "")]))
        .await;
    app.import(roster().row("boss", [(SupervisorEmail, "ada@pd.example")]))
        .await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(codes(&undo, 1), [IssueCode::SupervisorCycle], "{undo}");
    assert_eq!(app.user("ada").await.supervisor_email, "");
}

fn renamed(role: &str, previous: &str) -> CatalogRole {
    CatalogRole {
        name: role.to_owned(),
        previous_name: previous.to_owned(),
        ..CatalogRole::default()
    }
}

async fn a_role_that_has_another_name_by_now_is_given_back_and_one_that_is_gone_is_not(
    database: Database,
) {
    let app = App::start(database).await;
    let first = roster()
        .row("ada", [(Role, "Sergeant")])
        .row("bob", [(Role, "Administrator")]);
    app.import(first).await;
    let imported = app.import(roster().people(["ada", "bob"])).await;
    assert_eq!(imported.summary().updated, 2, "{imported}");
    let roles = vec![
        renamed("Constable", "Officer"),
        renamed("Corporal", "Sergeant"),
    ];
    app.catalog("pd", Catalog { roles, ..catalog() }).await;
    let undo = undone(&app, id(&imported)).await;
    assert_eq!(app.user("ada").await.role, "Corporal", "{undo}");
    assert_eq!(codes(&undo, 2), [IssueCode::UnknownRole], "{undo}");
    assert_eq!(undo.results[1].issues[0].value, "Administrator");
    assert_eq!(app.user("bob").await.role, "Constable");
}

async fn values_that_are_back_already_are_unchanged(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let change = roster()
        .row("ada", [(Phone, "+15035550111"), (FirstName, "Åda")])
        .row("bob", [(Phone, "+15035550112"), (FirstName, "Bobby")]);
    let imported = app.import(change).await;
    // Both values of one user are restored, and one value of the other.
    app.import(
        roster()
            .row("ada", [(Phone, "")])
            .row("bob", [(Phone, ""), (FirstName, "Bobby")]),
    )
    .await;
    let before = app.users().await;
    let undo = undone(&app, id(&imported)).await;
    let summary = undo.summary();
    assert_eq!((summary.unchanged, summary.rejected), (1, 1), "{undo}");
    assert_eq!(codes(&undo, 2), [IssueCode::EditedSince]);
    assert_eq!(app.users().await, before);
    let repeated = undone(&app, id(&imported)).await;
    assert_eq!(repeated.summary().unchanged, 1, "{repeated}");
}

async fn an_undo_is_bound_to_its_id_and_replayed(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let imported = app
        .import(roster().row("ada", [(Phone, "+15035550111")]))
        .await;
    let other = app
        .import(roster().row("ada", [(FirstName, "Åda"), (Phone, "+15035550111")]))
        .await;
    let request = UndoImportRequest {
        undo_id: UNDO.to_owned(),
        include_values: false,
        ..undo_of(id(&other))
    };
    let undo = run(&app, request.clone()).await;
    assert_eq!((undo.code(), id(&undo)), (Code::Ok, UNDO), "{undo}");
    app.import(roster().row("ada", [(Phone, "+15035550122")]))
        .await;
    let before = app.users().await;
    let again = run(&app, request.clone()).await;
    assert_eq!(
        (again.to_string(), &again.results),
        (undo.to_string(), &undo.results)
    );
    assert!(again.started[0].resumed);
    assert_eq!(app.users().await, before);
    let of_another = UndoImportRequest {
        import_id: id(&imported).to_owned(),
        ..request.clone()
    };
    assert_eq!(run(&app, of_another).await.code(), Code::AlreadyExists);
    let with_options = UndoImportRequest {
        max_deactivations: Some(1),
        ..request
    };
    assert_eq!(run(&app, with_options).await.code(), Code::AlreadyExists);
    let as_import = app.import_with(named(UNDO), roster().people(["ada"])).await;
    assert_eq!(as_import.code(), Code::AlreadyExists, "{as_import}");
    let itself = UndoImportRequest {
        undo_id: UNDO.to_owned(),
        ..undo_of(UNDO)
    };
    assert_eq!(run(&app, itself).await.code(), Code::InvalidArgument);
}

async fn an_interrupted_undo_goes_on_where_it_was(database: Database) {
    let app = start_slow(database).await;
    let imported = app.import_with(named(ID), &many()).await;
    assert_eq!(imported.summary().created as usize, MANY, "{imported}");
    let request = UndoImportRequest {
        undo_id: UNDO.to_owned(),
        ..unguarded(ID)
    };
    let mut answers = app
        .imports()
        .undo_import(request.clone())
        .await
        .unwrap()
        .into_inner();
    let mut results = 0;
    while results == 0 {
        let answer = answers.message().await.unwrap().expect("there is more");
        results = match answer.message {
            Some(user_import::proto::undo_import_response::Message::Results(some)) => {
                some.results.len()
            }
            _ => 0,
        };
    }
    let app = app.restart().await;
    let record = app.import_record(UNDO).await.unwrap();
    assert_eq!(record.state(), ImportState::Interrupted, "{record:?}");
    assert!((1..MANY).contains(&(record.updated as usize)), "{record:?}");
    let undo = run(&app, request).await;
    assert_eq!(undo.code(), Code::Ok, "{undo}");
    assert!(undo.started[0].resumed);
    let rows: Vec<u32> = undo.results.iter().map(|result| result.row).collect();
    assert_eq!(rows, (1u32..).take(MANY).collect::<Vec<_>>());
    assert_eq!(undo.summary().updated as usize, MANY, "{undo}");
    let users = app.users().await;
    assert!(
        users
            .iter()
            .all(|user| user.status() == UserStatus::Inactive)
    );
    let again = undone(&app, UNDO).await;
    assert_eq!(again.summary().updated as usize, MANY, "{again}");
    assert!(
        app.users()
            .await
            .iter()
            .all(|user| user.status() == UserStatus::Active)
    );
}

async fn an_interrupted_import_is_undone_as_far_as_it_came(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let record = app.import_record(ID).await.unwrap();
    let undo = undone(&app, ID).await;
    assert_eq!(undo.summary().rows, record.created, "{undo}");
    assert_eq!(undo.summary().updated, record.created, "{undo}");
    // Another import has overtaken it, so it does not continue.
    let stale = app.import_with(named(ID), &many()).await;
    assert_eq!(stale.code(), Code::FailedPrecondition, "{stale}");
}

async fn the_history_tells_what_was_undone_and_until_when_it_can_be(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let imported = app
        .import(roster().row("ada", [(Phone, "+15035550111")]))
        .await;
    let record = app.import_record(id(&imported)).await.unwrap();
    let end = record.finished_at.unwrap().seconds;
    let until = record.undoable_until.expect("it can be undone").seconds;
    assert_eq!(until - end, 30 * 24 * 3_600);
    assert_eq!(
        (record.undoes, record.undone_by),
        (String::new(), String::new())
    );
    let undo = undone(&app, id(&imported)).await;
    let record = app.import_record(id(&imported)).await.unwrap();
    assert_eq!(record.undone_by, id(&undo));
    let record = app.import_record(id(&undo)).await.unwrap();
    assert_eq!(record.undoes, id(&imported));
    assert!(record.undoable_until.is_some());
    let watched = app.watch(id(&undo), 0, ResultFilter::Unspecified).await;
    assert_eq!(watched.to_string(), undo.to_string());
    assert_eq!(watched.summary().undoes, id(&imported));
    let (page, _) = app.import_page(10, "").await;
    assert_eq!(page[0].undoes, id(&imported));
    assert_eq!(page[1].undone_by, id(&undo));
    let dry = ImportStart {
        validate_only: true,
        ..named(OTHER_ID)
    };
    app.import_with(dry, roster().people(["ada"])).await;
    assert_eq!(
        app.import_record(OTHER_ID).await.unwrap().undoable_until,
        None
    );
}

/// Returns how many recorded values the database has.
async fn recorded_values(app: &App) -> i64 {
    let sql = "SELECT count(*) FROM import_results WHERE kind = 4";
    app.database().number(sql).await
}

async fn after_the_retention_the_values_are_gone(database: Database) {
    let settings = Settings {
        undo_retention: Duration::from_secs(3),
        cleaning_interval: Duration::from_millis(200),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let imported = app.import(roster().people(["ada"])).await;
    assert!(recorded_values(&app).await > 0);
    while recorded_values(&app).await > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let record = app.import_record(id(&imported)).await.unwrap();
    assert_eq!((record.undoable_until, record.created), (None, 1));
    let refused = run(&app, undo_of(id(&imported))).await;
    assert_eq!(refusal(&refused), "NOTHING_TO_UNDO");
    // Its results are still recorded.
    let again = app.watch(id(&imported), 0, ResultFilter::Unspecified).await;
    assert_eq!(again.results.len(), 1, "{again}");
}

async fn what_changed_nothing_cannot_be_undone(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let unchanged = app.import(roster().people(["ada"])).await;
    let dry = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let dry = app.import_with(dry, roster().people(["new"])).await;
    let refused = ImportStart {
        all_or_nothing: true,
        ..start_of("pd")
    };
    let refused = app
        .import_with(refused, roster().row("x", [(Email, "none")]))
        .await;
    for imported in [unchanged, dry, refused] {
        let undo = run(&app, undo_of(id(&imported))).await;
        assert_eq!(refusal(&undo), "NOTHING_TO_UNDO", "{undo}");
    }
    let unknown = run(&app, undo_of(UNDO)).await;
    assert_eq!(unknown.code(), Code::NotFound);
    let mistyped = run(&app, undo_of("nothing")).await;
    assert_eq!(mistyped.code(), Code::InvalidArgument);
}

async fn an_import_that_is_applying_is_not_undone() {
    let app = start_slow(Database::Postgres).await;
    app.people(["gone"]).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let undo = run(&app, unguarded(ID)).await;
    assert_eq!(refusal(&undo), "STILL_APPLYING", "{undo}");
    assert_eq!(first.and_rest(answers).await.code(), Code::Ok);
}

/// Returns a client with these permissions.
async fn permitted(app: &App, permissions: &[Permission]) -> App {
    let grant = token("pd", permissions.iter().copied());
    let (_, token) = app.create_token(grant).await;
    app.presenting(&token)
}

async fn an_undo_needs_what_its_rows_need(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let change = roster()
        .row("ada", [(Phone, "+15035550111")])
        .people(["new"]);
    let imported = app.import(change).await;
    let reader = permitted(&app, &[Permission::UsersRead]).await;
    let denied = run(&reader, unguarded(id(&imported))).await;
    assert_eq!(denied.code(), Code::PermissionDenied);
    let without = UndoImportRequest {
        include_values: false,
        ..unguarded(id(&imported))
    };
    let importer = permitted(&app, &[Permission::UsersImport]).await;
    let undo = run(&importer, without).await;
    assert_eq!(undo.code(), Code::Ok, "{undo}");
    assert_eq!(
        (undo.summary().updated, undo.summary().rejected),
        (1, 1),
        "{undo}"
    );
    assert_eq!(
        codes(&undo, 2),
        [IssueCode::DeactivationNotPermitted],
        "{undo}"
    );
    assert_eq!(reader.user("new").await.status(), UserStatus::Active);
    let values = run(&importer, unguarded(id(&imported))).await;
    assert_eq!(
        values.code(),
        Code::PermissionDenied,
        "to see values needs users.read"
    );
}

async fn without_users_read_an_undo_discloses_no_values_of_users(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cyd"]).await;
    let change = roster()
        .row("ada", [(Email, "ada.new@pd.example")])
        .row("bob", [(FirstName, "Bobby")])
        .row("cyd", [(Username, "cydney")]);
    let imported = app.import(change).await;
    app.import(roster().row("bob", [(Email, "ada@pd.example"), (FirstName, "Bobby")]))
        .await;
    let importer = permitted(&app, &[Permission::UsersImport]).await;
    let request = UndoImportRequest {
        include_values: false,
        undo_id: UNDO.to_owned(),
        ..unguarded(id(&imported))
    };
    let undo = run(&importer, request).await;
    assert_eq!(codes(&undo, 1), [IssueCode::EmailTaken], "{undo}");
    let consequences = &undo.summary().consequences;
    assert!(!consequences.is_empty() && consequences.iter().all(|known| known.examples.is_empty()));
    let watched = importer.watch(UNDO, 0, ResultFilter::Unspecified).await;
    assert_eq!(watched.results, undo.results);
    for result in &undo.results {
        assert!(result.external_id.is_empty() && !result.user_id.is_empty());
        let text = format!("{:?}", result.issues);
        for value in ["ada", "bob", "pd.example"] {
            assert!(!text.contains(value), "{text}");
        }
    }
}

async fn an_import_of_another_organisation_is_unknown(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    let imported = app
        .import_with(start_of("other"), roster().people(["ada"]))
        .await;
    let undo = run(&app, unguarded(id(&imported))).await;
    assert_eq!(undo.code(), Code::NotFound, "{undo}");
    let at_home = UndoImportRequest {
        organization: "other".to_owned(),
        ..unguarded(id(&imported))
    };
    assert_eq!(run(&app, at_home).await.code(), Code::Ok);
}

/// Number of random directories and changes that are tried.
const CASES: u32 = 16;

/// Starts an import that no guard refuses, and which also matches by email.
fn any_change() -> ImportStart {
    ImportStart {
        max_deactivations: Some(1_000),
        max_identity_changes: Some(1_000),
        match_by: MatchBy::Email.into(),
        ..start_of("pd")
    }
}

async fn random_imports_are_undone_and_repeated(database: Database) {
    let app = App::start(database).await;
    for_all(
        CASES,
        (sound_people(), any_people()),
        async |(people, changed)| {
            app.tamper("UPDATE users SET supervisor_id = NULL").await;
            app.tamper("DELETE FROM users").await;
            app.import(roster_of(&people)).await;
            let before = users(&app).await;
            let imported = app.import_with(any_change(), roster_of(&changed)).await;
            let after = users(&app).await;
            if before == after {
                return;
            }
            let undo = undone(&app, id(&imported)).await;
            assert_eq!(undo.summary().rejected, 0, "{undo}");
            assert_eq!(
                users(&app).await,
                with_created(&before, &after),
                "{imported}\n{undo}"
            );
            if undo.summary().updated == 0 {
                // The import has created users who are Inactive.
                return;
            }
            let again = undone(&app, id(&undo)).await;
            assert_eq!(users(&app).await, after, "{imported}\n{undo}\n{again}");
        },
    );
}

async fn exactly_the_users_who_were_edited_are_left_alone(database: Database) {
    let app = App::start(database).await;
    let names: Vec<String> = (0..12).map(|n| format!("u{n:02}")).collect();
    for_all(CASES, any_edits(names.len()), async |edited| {
        app.tamper("DELETE FROM users").await;
        app.people(names.iter().map(String::as_str)).await;
        let before = users(&app).await;
        let phones = |is_edited: fn(bool) -> &'static str| -> Roster {
            let rows = names.iter().zip(&edited);
            rows.fold(roster(), |roster, (name, &edit)| {
                roster.row(name, [(Phone, is_edited(edit)), (FirstName, "Changed")])
            })
        };
        let imported = app
            .import_with(any_change(), phones(|_| "+15035550100"))
            .await;
        app.import_with(
            any_change(),
            phones(|edited| {
                if edited {
                    "+15035550199"
                } else {
                    "+15035550100"
                }
            }),
        )
        .await;
        let between = users(&app).await;
        let undo = undone(&app, id(&imported)).await;
        let (after, mut left) = (users(&app).await, 0);
        for ((before, between), after) in before.iter().zip(&between).zip(&after) {
            let is_edited = between.phone == "+15035550199";
            left += u32::from(is_edited);
            assert_eq!(after, if is_edited { between } else { before }, "{undo}");
        }
        assert_eq!(undo.summary().rejected, left, "{undo}");
    });
}

fn any_edits(count: usize) -> impl proptest::strategy::Strategy<Value = Vec<bool>> {
    proptest::collection::vec(proptest::bool::ANY, count)
}
