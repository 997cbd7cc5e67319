//! Imports into one organisation wait for each other in the order in which they arrive, across servers, too. An import
//! that was turned away leaves no record (semantics §8).

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::Column::LastName,
    limits::{ClientDeadlines, ServerLimits},
    proto::{
        ImportFinish, ImportState, Rank, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use crate::retries::{ID, OTHER_ID, many, named};
use user_import_testing::{
    App, Database, ImportCall, ImportResponses, PATIENCE, catalog, finish_of, on_both_databases,
    roster, start_of,
};

on_both_databases![
    a_second_import_waits_for_the_first_and_is_written,
    imports_are_written_in_order_of_arrival,
    a_client_that_goes_while_it_waits_writes_nothing,
    a_server_that_stops_ends_the_wait,
    an_import_that_has_waited_in_vain_may_come_again_soon_and_leaves_no_record,
    nobody_waits_for_a_holder_that_is_dead,
    an_upload_is_turned_away_while_it_comes_in_and_its_record_goes,
    an_upload_in_parts_that_was_turned_away_still_waits_to_be_imported,
    two_servers_take_turns_at_one_organisation,
    eight_jobs_get_on_in_turn,
    none_of_eight_jobs_waits_more_than_three_times_its_share,
    pushes_race_with_a_large_import_the_catalog_and_protection;
    // On SQLite nobody waits in the middle of an import.
    an_import_that_is_written_already_is_not_turned_away,
];

/// Starts a server that writes each row in a transaction of its own, sends progress often, and lets imports wait for
/// `turn`.
async fn start(database: Database, turn: Duration) -> App {
    let settings = Settings {
        transaction_rows: 1,
        progress_interval: Duration::from_millis(10),
        server: ServerLimits {
            deadlines: ClientDeadlines {
                import_turn: turn,
                ..ClientDeadlines::default()
            },
            ..ServerLimits::default()
        },
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

fn number(id: usize) -> String {
    format!("018f4e9e-5c7b-7000-8000-0000000001{id:02}")
}

/// Begins an import of one person. Returns once the import waits.
async fn waiting(app: &App, id: &str, name: &str) -> ImportCall {
    let mut call = app.call().await;
    call.send(Message::Start(named(id))).await;
    let csv = roster().people([name]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    call.half_close();
    // The whole roster has been received, and progress is still sent.
    for _ in 0..2 {
        let received = |reply: &Reply| matches!(reply, Reply::Progress(p) if p.rows_total == 1);
        while !call
            .read()
            .await
            .unwrap()
            .is_some_and(|reply| received(&reply))
        {}
    }
    call
}

/// Sets a lease of `pd` that no import of these servers holds. It was last renewed this number of seconds ago. A
/// negative number makes it last longer.
async fn hold(app: &App, database: Database, renewed_seconds_ago: i64) {
    app.people(["holder"]).await;
    let now = match database {
        Database::Postgres => "(extract(epoch FROM statement_timestamp()) * 1000)::bigint",
        Database::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    };
    let hold = format!(
        "UPDATE import_leases SET since_ms = {now} - 60000, \
         renewed_ms = {now} - 1000 * ({renewed_seconds_ago})"
    );
    app.database().execute(&hold).await;
}

/// While the import reads the users, it gets a record under its ID, and another import gets the lease. That is what an import
/// finds if the answer to its commit was lost.
async fn an_import_that_is_written_already_is_not_turned_away() {
    let app = start(Database::Postgres, PATIENCE).await;
    let csv = roster().people(["ada"]).csv();
    let first = app.import_with(named(OTHER_ID), csv.clone()).await;
    let other = app.database();
    let unread = other.begin("LOCK TABLE users").await;
    let importing = tokio::spawn(app.sending(named(ID), csv.into_bytes()));
    other.until_somebody_waits_for_a_table().await;
    let copies = ["imports", "import_results"].map(|table| {
        let id = match table {
            "imports" => "id",
            _ => "import_id",
        };
        format!(
            "CREATE TEMPORARY TABLE copy ON COMMIT DROP AS SELECT * FROM {table} WHERE {id} = '{OTHER_ID}'; \
             UPDATE copy SET {id} = '{ID}'; INSERT INTO {table} SELECT * FROM copy; DROP TABLE copy"
        )
    });
    let held = "UPDATE import_leases SET number = number + 1, \
        renewed_ms = (extract(epoch FROM statement_timestamp()) * 1000)::bigint - 9000";
    let [record, results] = copies;
    unread.commit(&format!("{record}; {results}; {held}")).await;
    let imported = importing.await.expect("the client does not panic");
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.results, first.results);
    assert_eq!(imported.summary().state(), ImportState::Completed);
}

fn retry_delay(imported: &ImportResponses) -> Duration {
    assert_eq!(imported.code(), Code::Aborted, "{imported}");
    let retry = imported.status.get_details_retry_info();
    let retry = retry.and_then(|retry| retry.retry_delay);
    retry.expect("it says when to retry")
}

/// Returns the number of recorded imports and attempts.
async fn records(app: &App) -> usize {
    app.import_page(100, "").await.0.len()
}

async fn a_second_import_waits_for_the_first_and_is_written(database: Database) {
    let app = start(database, PATIENCE).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let second = app.import_with(named(OTHER_ID), roster().people(["ada"]));
    let (first, second) = tokio::join!(first.and_rest(answers), second);
    assert_eq!(first.code(), Code::Ok, "{first}");
    assert_eq!(second.summary().created, 1, "{second}");
    assert!(second.progress > 0, "progress goes on while it waits");
    let one = app.import_record(ID).await.unwrap().finished_at.unwrap();
    let other = app.import_record(OTHER_ID).await.unwrap();
    let other = other.finished_at.unwrap();
    assert!((one.seconds, one.nanos) <= (other.seconds, other.nanos));
    assert_eq!(records(&app).await, 2);
}

async fn imports_are_written_in_order_of_arrival(database: Database) {
    let app = start(database, PATIENCE).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let mut calls = Vec::new();
    for id in 0..6 {
        calls.push(waiting(&app, &number(id), &format!("p{id}")).await);
    }
    assert_eq!(first.and_rest(answers).await.code(), Code::Ok);
    let mut ends = BTreeMap::new();
    for (id, call) in calls.into_iter().enumerate() {
        let imported = call.read_to_end().await;
        assert_eq!(imported.summary().created, 1, "{imported}");
        let end = app.import_record(&number(id)).await.unwrap().finished_at;
        let end = end.unwrap();
        ends.insert((end.seconds, end.nanos), id);
    }
    let order: Vec<_> = ends.into_values().collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5]);
}

async fn a_client_that_goes_while_it_waits_writes_nothing(database: Database) {
    let app = start(database, PATIENCE).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let gone = waiting(&app, OTHER_ID, "gone").await;
    let next = waiting(&app, &number(1), "next").await;
    drop(gone);
    assert_eq!(first.and_rest(answers).await.code(), Code::Ok);
    assert_eq!(next.read_to_end().await.summary().created, 1);
    let names = app.users().await.into_iter().map(|user| user.external_id);
    assert!(!names.into_iter().any(|name| name == "gone"));
}

async fn a_server_that_stops_ends_the_wait(database: Database) {
    let app = start(database, PATIENCE).await;
    hold(&app, database, -3_600).await;
    let call = waiting(&app, OTHER_ID, "ada").await;
    let (_app, ended) = tokio::join!(Box::pin(app.restart()), call.read_to_end());
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
}

async fn an_import_that_has_waited_in_vain_may_come_again_soon_and_leaves_no_record(
    database: Database,
) {
    let app = start(database, Duration::from_millis(300)).await;
    hold(&app, database, -3_600).await;
    let before = records(&app).await;
    let told = app.import_with(named(ID), roster().people(["ada"])).await;
    assert!(retry_delay(&told) <= Duration::from_secs(1), "{told}");
    assert_eq!(told.summary().refusals[0].code, "IMPORT_RUNNING");
    assert_eq!(told.summary().state(), ImportState::Refused);
    assert_eq!(records(&app).await, before);
    let unknown = app.import_record(ID).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

async fn nobody_waits_for_a_holder_that_is_dead(database: Database) {
    // If it waited, it would wait until the lease has expired, and would then be written.
    let app = start(database, PATIENCE).await;
    hold(&app, database, 9).await;
    let told = app.import(roster().people(["ada"])).await;
    let left = retry_delay(&told);
    let rest = Duration::from_secs(1)..=Duration::from_secs(6);
    assert!(rest.contains(&left), "{left:?}");
}

async fn an_upload_is_turned_away_while_it_comes_in_and_its_record_goes(database: Database) {
    let app = start(database, Duration::from_secs(1)).await;
    hold(&app, database, -3_600).await;
    let call = app.call().await;
    call.send(Message::Start(named(ID))).await;
    while app.import_record(ID).await.is_err() {
        tokio::task::yield_now().await;
    }
    // The client sends nothing more.
    let told = timeout(PATIENCE, call.read_to_end()).await.unwrap();
    assert!(retry_delay(&told) <= Duration::from_secs(1), "{told}");
    let unknown = app.import_record(ID).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

async fn an_upload_in_parts_that_was_turned_away_still_waits_to_be_imported(database: Database) {
    let app = start(database, Duration::from_millis(300)).await;
    app.begin_upload(named(ID)).await.unwrap();
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.append(ID, 0, &csv).await.unwrap();
    hold(&app, database, -3_600).await;
    let told = app.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert_eq!(told.code(), Code::Aborted, "{told}");
    let record = app.import_record(ID).await.expect("it is an upload still");
    assert_eq!(record.state(), ImportState::Receiving);
    app.database()
        .execute("UPDATE import_leases SET renewed_ms = 0")
        .await;
    app.finish(ID, finish_of(&csv)).await.unwrap();
    let imported = app.watch_in("pd", ID).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

/// Changes one user repeatedly. Returns the last name whose import was answered.
async fn change(app: App, name: &'static str, rounds: usize) -> String {
    let mut last = String::new();
    for round in 0..rounds {
        last = format!("Ruiz{round}");
        let csv = roster().row(name, [(LastName, &*last)]).csv();
        let changed = app.import_with(start_of("pd"), csv).await;
        assert_eq!(changed.summary().updated, 1, "{changed}");
    }
    last
}

/// Renames a rank that no user has, without end.
async fn rename_without_end(app: &App) {
    for turn in 0.. {
        let mut changed = catalog();
        changed.ranks.push(Rank {
            name: format!("Rank {turn}"),
            ..Rank::default()
        });
        app.catalog("pd", changed).await;
    }
}

async fn pushes_race_with_a_large_import_the_catalog_and_protection(database: Database) {
    const ROUNDS: usize = 6;
    let app = start(database, PATIENCE).await;
    let names = ["ada", "bob", "cy"];
    app.people(names).await;
    let large = (0..100).fold(roster(), |roster, n| roster.row(&format!("many{n:03}"), []));
    let racing = async {
        let pushes = names.map(|name| tokio::spawn(change(app.clone_connection(), name, ROUNDS)));
        let imported = app.import_with(named(ID), large).await;
        assert_eq!(imported.summary().created, 100, "{imported}");
        for (name, push) in names.into_iter().zip(pushes) {
            let last = push.await.unwrap();
            assert_eq!(app.user(name).await.last_name, last);
        }
    };
    tokio::select! {
        () = racing => {}
        () = app.protect_without_end("bob") => unreachable!("it toggles for ever"),
        () = rename_without_end(&app) => unreachable!("it renames for ever"),
    }
    assert_eq!(records(&app).await, 2 + names.len() * ROUNDS);
}

async fn eight_jobs_get_on_in_turn(database: Database) {
    const PUSHES: usize = 96;
    let app = start(database, PATIENCE).await;
    let enough = Arc::new(Semaphore::new(PUSHES));
    let jobs = (0..8).map(|job| {
        let pushing = push(app.clone_connection(), format!("job{job}"), enough.clone());
        tokio::spawn(pushing)
    });
    for job in jobs.collect::<Vec<_>>() {
        let pushed = job.await.unwrap();
        assert!(pushed >= PUSHES / 8 / 3, "{pushed} of {PUSHES}");
    }
    assert_eq!(app.users().await.len(), PUSHES);
    assert_eq!(records(&app).await, PUSHES);
}

/// The fair time of a push is the mean of the times of all other pushes that ran during it. If other programs of this
/// machine stop everything for a while, all of these times are longer.
async fn none_of_eight_jobs_waits_more_than_three_times_its_share(database: Database) {
    let app = start(database, PATIENCE).await;
    let began = Instant::now();
    let jobs = (0..8).map(|job| {
        let pushing = push_for_a_while(app.clone_connection(), format!("job{job}"), began);
        tokio::spawn(pushing)
    });
    let mut pushes = Vec::new();
    for job in jobs.collect::<Vec<_>>() {
        let of_job = job.await.unwrap();
        assert!(of_job.len() > 2, "a job pushed {} times", of_job.len());
        pushes.extend(of_job);
    }
    for (at, push) in pushes.iter().enumerate() {
        let others = pushes.iter().enumerate().filter(|&(other, _)| other != at);
        let meanwhile =
            others.filter(|(_, other)| other.start < push.end && push.start < other.end);
        let meanwhile: Vec<_> = meanwhile.map(|(_, other)| took(other)).collect();
        let count = u32::try_from(meanwhile.len()).unwrap();
        let share = meanwhile.iter().sum::<Duration>() / count;
        let wait = took(push);
        assert!(wait <= 3 * share, "{wait:?}, and its share is {share:?}");
    }
}

fn took(push: &Range<Duration>) -> Duration {
    push.end.saturating_sub(push.start)
}

/// Pushes one person after another for a few seconds. Returns when each push began and ended.
async fn push_for_a_while(app: App, name: String, began: Instant) -> Vec<Range<Duration>> {
    let mut pushes = Vec::new();
    while began.elapsed() < Duration::from_secs(3) {
        let rows = roster().people([&*format!("{name}-{}", pushes.len())]);
        let start = began.elapsed();
        let imported = app.push(start_of("pd"), rows.typed()).await;
        pushes.push(start..began.elapsed());
        assert_eq!(imported.summary().created, 1, "{imported}");
    }
    pushes
}

/// Pushes one person after another through one server until the test ends that. Returns how many were written.
async fn push(app: App, name: String, enough: Arc<Semaphore>) -> usize {
    for round in 0.. {
        let Ok(permit) = enough.try_acquire() else {
            return round;
        };
        permit.forget();
        let csv = roster().people([&*format!("{name}-{round}")]).csv();
        let imported = app.import_with(start_of("pd"), csv).await;
        assert_eq!(imported.code(), Code::Ok, "{imported}");
    }
    unreachable!("it counts for ever")
}

async fn two_servers_take_turns_at_one_organisation(database: Database) {
    const PUSHES: usize = 60;
    let one = start(database, PATIENCE).await;
    let other = one.another_server().await;
    let enough = Arc::new(Semaphore::new(PUSHES));
    let jobs = |app: &App, name: &str| {
        let jobs = (0..3).map(|job| {
            let pushing = push(
                app.clone_connection(),
                format!("{name}{job}"),
                enough.clone(),
            );
            tokio::spawn(pushing)
        });
        jobs.collect::<Vec<_>>()
    };
    let mut written = 0;
    for job in [jobs(&one, "one"), jobs(&other, "other")]
        .into_iter()
        .flatten()
    {
        let pushed = job.await.unwrap();
        // Each of the six jobs gets at least a third of its share.
        assert!(pushed >= PUSHES / 6 / 3, "{pushed} of {PUSHES}");
        written += pushed;
    }
    assert_eq!(written, PUSHES);
    assert_eq!(one.users().await.len(), PUSHES);
    assert_eq!(records(&one).await, PUSHES);
}
