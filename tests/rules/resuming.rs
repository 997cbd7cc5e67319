//! A resumed import reports the same as an undisturbed one (semantics §8), and an import that may not continue reports
//! what it has written.

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    domain::Column::{BadgeNumber, ExternalId, SupervisorEmail},
    proto::{
        ImportFinish, ImportStart, ImportState, Issue, IssueCode, MatchBy, RowOutcome, RowResult,
        import_users_request::Message, import_users_response::Message as Reply,
    },
};

use crate::retries::{ID, MANY, OTHER_ID, interrupt, interrupted, many, named, start_slow};
use user_import_testing::{
    App, Database, ImportResponses, Roster, every_missing_user, on_both_databases, roster, start_of,
};

on_both_databases![
    an_overtaken_import_tells_what_it_wrote,
    an_interrupted_import_that_has_to_wait_tells_what_it_wrote,
    a_resumed_import_warns_of_what_an_undisturbed_one_would,
    an_import_planned_again_warns_of_what_an_undisturbed_one_would,
    a_resumed_import_finds_users_by_the_same_keys,
    a_user_who_loses_the_key_that_found_it_is_not_made_again,
    an_attempt_learns_at_its_start_that_the_id_was_bound_meanwhile,
    an_attempt_that_started_before_the_id_was_bound_gets_every_result_once,
    what_another_attempt_has_recorded_under_the_id_meanwhile_is_not_counted;
    // SQLite has one writer, so an attempt waits before it looks at the record.
    an_id_that_another_attempt_is_binding_is_not_taken_from_it,
    an_import_that_ends_while_another_attempt_waits_for_the_lease_is_not_gone_on_with,
];

/// How often a test that has to be quicker than an import starts again.
const TRIES: usize = 5;

/// Returns the facts on which the summary and the record of an interrupted import of [`many`] must agree.
async fn expect_what_was_written(app: &App, told: &ImportResponses) {
    let record = app.import_record(ID).await.expect("it is recorded");
    let summary = told.summary();
    assert_eq!(summary.state(), ImportState::Interrupted, "{told}");
    assert_eq!(record.state(), ImportState::Interrupted);
    assert_eq!(summary.created, record.created);
    assert_eq!(summary.rows as usize, MANY);
    assert!((1..MANY).contains(&(summary.created as usize)), "{told}");
}

async fn an_overtaken_import_tells_what_it_wrote(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let newer = roster().row("u0149", [(BadgeNumber, "newer")]);
    app.import_with(named(OTHER_ID), newer).await;
    let stale = app.import_with(named(ID), &many()).await;
    assert_eq!(stale.code(), Code::FailedPrecondition, "{stale}");
    expect_what_was_written(&app, &stale).await;
    let refusals = &stale.summary().refusals;
    assert_eq!(
        (refusals[0].code.as_str(), refusals[0].subject.as_str()),
        ("OVERTAKEN", OTHER_ID)
    );
    assert_eq!(stale.results.len(), stale.summary().created as usize);
}

async fn an_interrupted_import_that_has_to_wait_tells_what_it_wrote(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let mut answers = app.begin(named(OTHER_ID), &many()).await;
    let other = ImportResponses::first_results(&mut answers).await;
    let waiting = app.import_with(named(ID), &many()).await;
    assert_eq!(waiting.code(), Code::Aborted, "{waiting}");
    assert!(waiting.status.get_details_retry_info().is_some());
    expect_what_was_written(&app, &waiting).await;
    assert_eq!(waiting.summary().refusals[0].code, "IMPORT_RUNNING");
    assert_eq!(other.and_rest(answers).await.code(), Code::Ok);
}

/// New people whose supervisor is not in the roster. Each person of the second half has the badge number of one of the
/// first half, apart from a leading zero.
fn doubtful() -> Roster {
    (0..MANY).fold(roster(), |roster, number| {
        let zero = if number < MANY / 2 { "" } else { "0" };
        let badge = format!("{zero}{}", 7_000 + number % (MANY / 2));
        let doubts = [
            (BadgeNumber, badge.as_str()),
            (SupervisorEmail, "gone@pd.example"),
        ];
        roster.row(&format!("u{number:04}"), doubts)
    })
}

fn without_the_missing(start: ImportStart) -> ImportStart {
    ImportStart {
        deactivate_missing: Some(every_missing_user()),
        max_deactivations: Some(10),
        ..start
    }
}

/// Returns the results of an undisturbed import of [`doubtful`].
async fn undisturbed(app: &App) -> ImportResponses {
    app.organization("calm").await;
    app.import_with(start_of("calm"), roster().people(["gone"]))
        .await;
    let start = without_the_missing(start_of("calm"));
    let imported = app.import_with(start, &doubtful()).await;
    for result in &imported.results {
        let codes: Vec<IssueCode> = result.issues.iter().map(Issue::code).collect();
        let expected = [IssueCode::SupervisorInactive, IssueCode::LeadingZerosLost];
        assert_eq!(codes, expected, "{imported}");
    }
    imported
}

/// Returns the results without the IDs that the service generates.
fn comparable(imported: &ImportResponses) -> Vec<RowResult> {
    let without_id = |result: &RowResult| RowResult {
        user_id: String::new(),
        ..result.clone()
    };
    imported.results.iter().map(without_id).collect()
}

async fn a_resumed_import_warns_of_what_an_undisturbed_one_would(database: Database) {
    let start = without_the_missing(named(ID));
    let app = interrupted(database, start.clone(), &doubtful()).await;
    let record = app.import_record(ID).await.expect("it is recorded");
    assert!((record.created as usize) < MANY, "it was not interrupted");
    let resumed = app.import_with(start, &doubtful()).await;
    assert_eq!(resumed.summary().deactivated, 1, "{resumed}");
    assert_eq!(comparable(&resumed), comparable(&undisturbed(&app).await));
}

async fn an_import_planned_again_warns_of_what_an_undisturbed_one_would(database: Database) {
    let app = start_slow(database).await;
    app.people(["gone"]).await;
    let start = without_the_missing(named(ID));
    let mut answers = app.begin(start, &doubtful()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    // Another writer changes the directory, so the import plans the rest again.
    app.protect(&first.results[0].external_id).await;
    let record = app.import_record(ID).await.expect("it is recorded");
    assert!((record.created as usize) < MANY, "it was too quick");
    let imported = first.and_rest(answers).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(comparable(&imported), comparable(&undisturbed(&app).await));
}

/// Gives new external IDs to [`many`]. In each pair of neighbours, the two swap their badge numbers.
fn renumbered() -> Roster {
    (0..MANY).fold(roster(), |roster, number| {
        let id = format!("W{number:04}");
        let badge = format!("B-u{:04}", number ^ 1);
        let values = [(ExternalId, &*id), (BadgeNumber, &*badge)];
        roster.row(&format!("u{number:04}"), values)
    })
}

fn matching(match_by: MatchBy) -> ImportStart {
    ImportStart {
        match_by: match_by.into(),
        ..named(ID)
    }
}

async fn a_resumed_import_finds_users_by_the_same_keys(database: Database) {
    for match_by in [MatchBy::Email, MatchBy::Username] {
        let app = start_slow(database).await;
        app.import(many()).await;
        let ids = user_ids(&app).await;
        let app = interrupt(app, matching(match_by), &renumbered()).await;
        let written = app.import_record(ID).await.expect("it is recorded").updated;
        assert!((1..MANY).contains(&(written as usize)), "{written}");
        let resumed = app.import_with(matching(match_by), &renumbered()).await;
        assert!(resumed.started[0].resumed);
        assert_eq!(resumed.summary().updated as usize, MANY, "{resumed}");
        assert!(
            resumed.results.iter().all(|row| row.issues.is_empty()),
            "{resumed}"
        );
        assert_eq!(user_ids(&app).await, ids);
        assert_eq!(
            app.import(renumbered()).await.summary().unchanged as usize,
            MANY
        );
    }
}

/// Returns the IDs of the users in the order of their external IDs, which the import changes without changing their
/// order.
async fn user_ids(app: &App) -> Vec<String> {
    app.users().await.into_iter().map(|user| user.id).collect()
}

async fn a_user_who_loses_the_key_that_found_it_is_not_made_again(database: Database) {
    for _ in 0..TRIES {
        if loses_its_key_before_it_is_written(database).await {
            return;
        }
    }
    panic!("the import was always quicker");
}

/// Returns `false` if the import had written the user before the other writer took its key.
async fn loses_its_key_before_it_is_written(database: Database) -> bool {
    let app = start_slow(database).await;
    app.import(many()).await;
    let before = user_ids(&app).await;
    let mut answers = app.begin(matching(MatchBy::Email), &renumbered()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let last = format!("u{:04}", MANY - 1);
    app.tamper(&format!(
        "UPDATE users SET email = 'moved@pd.example', email_key = 'moved@pd.example' \
         WHERE external_id = '{last}'"
    ))
    .await;
    if !app
        .users()
        .await
        .iter()
        .any(|user| user.external_id == last)
    {
        return false;
    }
    // From here on, the import plans the rest again.
    app.protect(&last).await;
    let imported = first.and_rest(answers).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    let result = imported.row(u32::try_from(MANY).unwrap());
    let codes: Vec<IssueCode> = result.issues.iter().map(Issue::code).collect();
    assert_eq!(result.outcome(), RowOutcome::Rejected, "{imported}");
    assert!(codes.contains(&IssueCode::ChangedConcurrently), "{codes:?}");
    assert_eq!(user_ids(&app).await.len(), before.len());
    assert_eq!(app.user(&last).await.email, "moved@pd.example");
    true
}

async fn an_attempt_learns_at_its_start_that_the_id_was_bound_meanwhile(database: Database) {
    let app = App::start(database).await;
    let early = app.call().await;
    early.send(Message::Start(named(ID))).await;
    while app.import_record(ID).await.is_err() {
        tokio::task::yield_now().await;
    }
    let imported = app.import_with(named(ID), &many()).await;
    assert!(!imported.started[0].resumed, "{imported}");
    early
        .send(Message::CsvChunk(many().csv().into_bytes().into()))
        .await;
    early.send(Message::Finish(ImportFinish::default())).await;
    let answered = early.finish().await;
    assert_eq!(answered.started.len(), 1);
    assert!(answered.started[0].resumed, "{answered}");
    assert_eq!(answered.results, imported.results);
    assert_eq!(answered.summary, imported.summary);
}

async fn an_attempt_that_started_before_the_id_was_bound_gets_every_result_once(
    database: Database,
) {
    let app = start_slow(database).await;
    let mut early = app.call().await;
    early.send(Message::Start(named(ID))).await;
    early
        .send(Message::CsvChunk(many().csv().into_bytes().into()))
        .await;
    loop {
        match early.read().await.expect("the stream goes on") {
            Some(Reply::Started(started)) => {
                assert!(!started.resumed, "nothing is bound yet");
                break;
            }
            Some(Reply::Progress(_)) => {}
            other => panic!("{other:?} came before started"),
        }
    }
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    early.send(Message::Finish(ImportFinish::default())).await;
    let (first, joined) = tokio::join!(first.and_rest(answers), early.finish());
    assert!(joined.started.is_empty(), "started comes once");
    assert_eq!(joined.code(), Code::Ok, "{joined}");
    assert_eq!(joined.results, first.results);
    assert_eq!(joined.results.len(), MANY);
    assert_eq!(joined.summary, first.summary);
}

async fn what_another_attempt_has_recorded_under_the_id_meanwhile_is_not_counted(
    database: Database,
) {
    let app = App::start(database).await;
    let mut call = app.call().await;
    call.send(Message::Start(named(ID))).await;
    let file = roster().people(["ada", "bob"]);
    call.send(Message::CsvChunk(file.csv().into())).await;
    while !matches!(call.read().await, Ok(Some(Reply::Started(_)))) {}
    let dry_run = ImportStart {
        validate_only: true,
        ..named(ID)
    };
    let dry_run = app.import_with(dry_run, &file).await;
    assert_eq!(dry_run.summary().created, 2, "{dry_run}");
    call.send(Message::Finish(ImportFinish::default())).await;
    let imported = call.finish().await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    let record = app.import_record(ID).await.expect("it is recorded");
    assert_eq!((record.created, record.validate_only), (2, false));
    assert_eq!(record.state(), ImportState::Completed);
    let again = app.import_with(named(ID), &file).await;
    assert_eq!(again.summary, imported.summary);
}

async fn an_import_that_ends_while_another_attempt_waits_for_the_lease_is_not_gone_on_with() {
    let app = interrupted(Database::Postgres, named(ID), &many()).await;
    let written = app.users().await.len();
    let sql = "UPDATE organizations SET display_name = 'Riverton'";
    let elsewhere = app.database().begin(sql).await;
    let roster = many();
    let (told, ()) = tokio::join!(app.import_with(named(ID), &roster), async {
        app.database().until_somebody_waits().await;
        let ended = format!(
            "UPDATE imports SET state = {}, finished_at = started_at",
            i32::from(ImportState::Completed)
        );
        elsewhere.commit(&ended).await;
    });
    assert_eq!(told.code(), Code::Ok, "{told}");
    assert_eq!(told.summary().state(), ImportState::Completed);
    assert_eq!(told.results.len(), told.summary().created as usize);
    assert!(told.results.len() < MANY, "it was over before: {told}");
    assert_eq!(app.users().await.len(), written);
}

async fn an_id_that_another_attempt_is_binding_is_not_taken_from_it() {
    let app = App::start(Database::Postgres).await;
    let file = roster().people(["ada", "bob"]);
    let dry_run = ImportStart {
        validate_only: true,
        ..named(ID)
    };
    app.import_with(dry_run, &file).await;
    // The ID is now bound to other options.
    let sql = format!(
        "UPDATE imports SET options_digest = '\\x00', state = {}",
        i32::from(ImportState::Applying)
    );
    let binding = app.database().begin(&sql).await;
    let (told, ()) = tokio::join!(app.import_with(named(ID), &file), async {
        app.database().until_somebody_waits().await;
        binding.commit("SELECT 1").await;
    });
    assert_eq!(told.code(), Code::AlreadyExists, "{told}");
    assert!(app.users().await.is_empty());
}
