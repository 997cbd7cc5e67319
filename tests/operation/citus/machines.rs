//! The calls of one organisation reach only the machine that has the organisation. What that machine refuses is
//! reported in the same way as on any other database.

use tonic::{Code, Response};
use user_import::{
    domain::Column::{BadgeNumber, Email, FirstName, LastName},
    proto::{ImportStart, ImportState, ResultFilter, UndoImportRequest},
};

use super::on_citus;
use user_import_testing::{
    App, ImportResponses, OpenTransaction, Roster, catalog, deactivating_missing, dry_run,
    on_postgres, roster, rpcs, start_of,
};

on_postgres![
    no_call_of_one_organisation_reaches_other_machines,
    a_key_that_another_writer_takes_meanwhile_is_a_conflict,
    a_connection_that_a_machine_ends_while_it_takes_rows_costs_the_import_nothing,
];

/// From here on, Citus refuses every statement of a new connection that it would send to several machines. It would
/// refuse generic plans, too, which PostgreSQL makes only to compare their cost and never runs on Citus. So PostgreSQL
/// must make custom plans only.
const REFUSE_OTHER_MACHINES: &str = "DO $do$ DECLARE setting text; BEGIN \
    FOREACH setting IN ARRAY ARRAY['citus.multi_task_query_log_level = error', \
    'plan_cache_mode = force_custom_plan'] LOOP \
    EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); \
    END LOOP; END $do$";

async fn no_call_of_one_organisation_reaches_other_machines() {
    let Some(app) = on_citus().await else { return };
    app.organization("pd").await;
    app.people(["ann", "ben", "cid"]).await;
    app.database().execute(REFUSE_OTHER_MACHINES).await;
    let app = app.restart().await;
    // The list of all organisations comes from all machines.
    let refused = rpcs::answer(
        &app,
        "/userimport.v1.DirectoryService/ListOrganizations",
        "",
    );
    assert!(!refused.await.starts_with("Ok"), "nothing is refused");

    for path in rpcs::all().iter().filter(|path| !rpcs::is_global(path)) {
        let answer = rpcs::answer(&app, path, "pd").await;
        for fault in ["Internal", "Unavailable", "Unknown"] {
            assert!(!answer.starts_with(fault), "{path}: {answer}");
        }
    }
    app.catalog("pd", catalog()).await;
    imports_of_every_kind(&app).await;
    held_and_undone(&app).await;
    assert_eq!(app.users().await.len(), 6);
    assert_eq!(app.export().await.lines().count(), 7);
}

async fn imports_of_every_kind(app: &App) {
    let swapped = || {
        roster()
            .row("ann", [(Email, "ben@pd.example")])
            .row("ben", [(Email, "ann@pd.example")])
    };
    let shown = app.import_with(dry_run(start_of("pd")), swapped()).await;
    assert_eq!(shown.summary().updated, 2, "{shown}");
    let swapped = app.import(swapped()).await;
    assert_eq!(swapped.summary().updated, 2, "{swapped}");
    let watched = app.watch(swapped.import_id(), 0, ResultFilter::All).await;
    assert_eq!(watched.results, swapped.results);
    let csv = roster().people(["eve", "fay", "gus"]).csv();
    let in_parts = app
        .import_in_parts(start_of("pd"), csv.as_bytes(), [7, 100])
        .await;
    assert_eq!(in_parts.summary().created, 3, "{in_parts}");
    let typed = roster().row("cid", [(FirstName, "Cyd")]).typed();
    let pushed = app.push(start_of("pd"), typed).await;
    assert_eq!(pushed.summary().updated, 1, "{pushed}");
}

/// An import that makes users Inactive is held, reviewed, approved and undone.
async fn held_and_undone(app: &App) {
    let start = ImportStart {
        hold: true,
        max_deactivations: Some(0),
        ..deactivating_missing(start_of("pd"))
    };
    let staying = roster()
        .people(["cid", "eve", "fay"])
        .row("gus", [(LastName, "Roe")]);
    let held = app.import_with(start, staying).await;
    assert_eq!(held.summary().state(), ImportState::Held, "{held}");
    assert_eq!(app.imports_in(ImportState::Held, 9).await.len(), 1);
    let review = app.review(held.import_id()).await;
    let digest = &review.summary().plan_digest;
    let done = app.approve(held.import_id(), digest).await;
    assert_eq!(done.summary().deactivated, 2, "{done}");
    let request = UndoImportRequest {
        organization: "pd".to_owned(),
        import_id: held.import_id().to_owned(),
        ..UndoImportRequest::default()
    };
    let undone = app.imports().undo_import(request).await;
    let undone = ImportResponses::undone(undone.map(Response::into_inner)).await;
    let summary = undone.summary();
    assert_eq!(summary.state(), ImportState::Completed, "{undone}");
    assert_eq!(summary.updated, 4, "{undone}");
}

/// Begins a transaction that takes a badge number. Returns the transaction, and a roster that gives the number to a new
/// user.
async fn key_being_taken(app: &App) -> (OpenTransaction, Roster) {
    app.organization("pd").await;
    app.people(["ann"]).await;
    let taking = "UPDATE users SET badge_number = 'taken' WHERE external_id = 'ann'";
    let other = app.database().begin(taking).await;
    let people = roster()
        .people(["ben"])
        .row("cid", [(BadgeNumber, "taken")]);
    (other, people)
}

async fn a_key_that_another_writer_takes_meanwhile_is_a_conflict() {
    let Some(app) = on_citus().await else { return };
    let (other, people) = key_being_taken(&app).await;
    let (imported, ()) = tokio::join!(app.import(people), async {
        app.database().until_somebody_waits().await;
        other.commit("SELECT 1").await;
    });
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    let summary = imported.summary();
    assert_eq!((summary.created, summary.rejected), (1, 1), "{imported}");
}

async fn a_connection_that_a_machine_ends_while_it_takes_rows_costs_the_import_nothing() {
    let Some(app) = on_citus().await else { return };
    let (other, people) = key_being_taken(&app).await;
    let end = "SELECT run_command_on_workers($$ SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock' $$)";
    let (imported, ()) = tokio::join!(app.import(people), async {
        app.database().until_somebody_waits().await;
        app.database().execute(end).await;
        other.commit("UPDATE users SET badge_number = 'left'").await;
    });
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().created, 2, "{imported}");
}
