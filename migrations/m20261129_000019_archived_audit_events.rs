//! Audit events up to the last recorded archive may be removed, and no others. The newest event with action 15 records
//! that archive.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// With Citus, all events of an organisation are in one table on one machine, and a trigger there may read only this
/// table. Citus passes the text of a command on to its machines: if the text had several commands, they would refuse it.
/// Commands of a block are texts of their own.
const POSTGRES: &str = "
SELECT set_config('citus.enable_unsafe_triggers', 'on', true),
    set_config('citus.multi_shard_modify_mode', 'sequential', true);
CREATE FUNCTION refuse_removal_before_archive() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    archived bigint;
BEGIN
    EXECUTE format('SELECT (details::jsonb->>''through'')::bigint FROM %s
        WHERE organization_id = $1 AND action = 15 ORDER BY sequence DESC LIMIT 1', TG_RELID::regclass)
        INTO archived USING OLD.organization_id;
    IF archived IS NULL OR OLD.sequence > archived THEN
        RAISE EXCEPTION 'the audit trail can only be added to; event % is not archived', OLD.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
DO $do$
BEGIN
    DROP TRIGGER audit_events_only_added ON audit_events;
    CREATE TRIGGER audit_events_not_changed BEFORE UPDATE ON audit_events
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
    CREATE TRIGGER audit_events_not_removed BEFORE DELETE ON audit_events
        FOR EACH ROW EXECUTE FUNCTION refuse_removal_before_archive();
    CREATE INDEX audit_archives ON audit_events (organization_id, sequence) WHERE action = 15;
END
$do$;
";

const SQLITE: &str = "
CREATE INDEX audit_archives ON audit_events (organization_id, sequence) WHERE action = 15;
DROP TRIGGER audit_events_not_removed;
CREATE TRIGGER audit_events_not_removed BEFORE DELETE ON audit_events
    WHEN OLD.sequence > COALESCE((SELECT CAST(json_extract(e.details, '$.through') AS INTEGER)
        FROM audit_events e WHERE e.organization_id = OLD.organization_id AND e.action = 15
        ORDER BY e.sequence DESC LIMIT 1), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to; this event is not archived'); END;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
