//! A distributed database of an earlier release.

use user_import::{
    domain::Column::FirstName,
    proto::{ImportStart, ImportState},
};

use super::{doctor, migrate, on_citus};
use user_import_testing::{on_postgres, roster, start_of};

on_postgres![a_distributed_database_of_an_earlier_release_is_brought_up_to_date];

/// Reverts the steps of the schema that add tables or add to distributed tables.
const AS_BEFORE: &str = "DO $do$ BEGIN \
    SET LOCAL citus.enable_unsafe_triggers = on; \
    SET LOCAL citus.multi_shard_modify_mode = 'sequential'; \
    DROP TABLE held_parts; \
    DROP TABLE held_imports; \
    DROP TABLE mappings; \
    ALTER TABLE imports DROP COLUMN held_until; \
    ALTER TABLE imports DROP COLUMN changes_kept; \
    ALTER TABLE imports DROP COLUMN undoes; \
    ALTER TABLE imports DROP COLUMN undone_by; \
    ALTER TABLE imports DROP COLUMN results_removed; \
    DROP INDEX users_reports; \
    DROP INDEX users_external_id_case; \
    DROP INDEX audit_archives; \
    DROP TRIGGER audit_events_not_changed ON audit_events; \
    DROP TRIGGER audit_events_not_removed ON audit_events; \
    DROP FUNCTION refuse_removal_before_archive; \
    CREATE TRIGGER audit_events_only_added BEFORE UPDATE OR DELETE ON audit_events \
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change(); \
    DELETE FROM seaql_migrations WHERE version LIKE 'm20261130%' OR version LIKE '%_expiring_%' \
    OR version LIKE '%_external_id_case' OR version LIKE '%_archived_audit_events'; \
    END $do$";

async fn a_distributed_database_of_an_earlier_release_is_brought_up_to_date() {
    let Some(app) = on_citus().await else { return };
    app.organization("pd").await;
    app.people(["ann", "ben"]).await;
    let before = app.export().await;
    app.database().execute(AS_BEFORE).await;

    migrate(app.database(), &[]);
    let told = doctor(app.database());
    assert!(told.contains("ok       distribution"), "{told}");
    let spread = "SELECT count(DISTINCT colocation_id) FROM citus_tables \
        WHERE citus_table_type = 'distributed'";
    assert_eq!(app.database().number(spread).await, 1);
    let app = app.restart().await;
    assert_eq!(app.export().await, before);
    let held = ImportStart {
        hold: true,
        max_rejected_rows: Some(0),
        ..start_of("pd")
    };
    let faulty = roster()
        .row("ann", [(FirstName, "Anne")])
        .row("ben", [(FirstName, "")]);
    let held = app.import_with(held, faulty).await;
    assert_eq!(held.summary().state(), ImportState::Held, "{held}");
    let review = app.review(held.import_id()).await;
    let digest = &review.summary().plan_digest;
    let done = app.approve(held.import_id(), digest).await;
    assert_eq!(done.summary().updated, 1, "{done}");
}
