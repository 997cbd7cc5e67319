//! Triggers refuse any change of the audit trail other than adding events and moving a chain's head forward.
//!
//! Somebody who may change the schema can drop the triggers. The hash chain then shows what was changed.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

const POSTGRES: &str = "
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail can only be added to' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_events_only_added BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_events_not_emptied BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_heads_only_move_on BEFORE UPDATE ON audit_heads
    FOR EACH ROW WHEN (NEW.sequence < OLD.sequence
        OR NEW.organization_id <> OLD.organization_id)
    EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_heads_not_removed BEFORE DELETE ON audit_heads
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_heads_not_emptied BEFORE TRUNCATE ON audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
";

/// REPLACE removes a row without firing the trigger for DELETE, so there is one for INSERT.
const SQLITE: &str = "
CREATE TRIGGER audit_events_not_changed BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to'); END;
CREATE TRIGGER audit_events_not_removed BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to'); END;
CREATE TRIGGER audit_events_not_replaced BEFORE INSERT ON audit_events
    WHEN EXISTS (SELECT 1 FROM audit_events e
        WHERE e.organization_id = NEW.organization_id AND e.sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to'); END;
CREATE TRIGGER audit_heads_only_move_on BEFORE UPDATE ON audit_heads
    WHEN NEW.sequence < OLD.sequence OR NEW.organization_id <> OLD.organization_id
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to'); END;
CREATE TRIGGER audit_heads_not_removed BEFORE DELETE ON audit_heads
    BEGIN SELECT RAISE(ABORT, 'the audit trail can only be added to'); END;
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
