//! The audit trail: for each organisation a hash chain of events, and its head.
//!
//! The number 0 means the server itself, so the tables have no reference to organisations. Organisations are never
//! removed.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    OrganizationId,
    Sequence,
    At,
    Principal,
    Address,
    Action,
    Subject,
    Outcome,
    Details,
    PreviousHash,
    Hash,
}

#[derive(DeriveIden)]
enum AuditHeads {
    Table,
    OrganizationId,
    Sequence,
    Hash,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(events()).await?;
        manager.create_table(heads()).await
    }
}

fn events() -> TableCreateStatement {
    Table::create()
        .table(AuditEvents::Table)
        .col(schema::big_integer(AuditEvents::OrganizationId))
        .col(schema::big_integer(AuditEvents::Sequence))
        .col(schema::timestamp_with_time_zone(AuditEvents::At))
        .col(schema::text(AuditEvents::Principal))
        .col(schema::text(AuditEvents::Address))
        .col(schema::integer(AuditEvents::Action))
        .col(schema::text(AuditEvents::Subject))
        .col(schema::integer(AuditEvents::Outcome))
        .col(schema::text(AuditEvents::Details))
        .col(schema::blob(AuditEvents::PreviousHash))
        .col(schema::blob(AuditEvents::Hash))
        .primary_key(
            Index::create()
                .col(AuditEvents::OrganizationId)
                .col(AuditEvents::Sequence),
        )
        .to_owned()
}

fn heads() -> TableCreateStatement {
    Table::create()
        .table(AuditHeads::Table)
        .col(schema::big_integer(AuditHeads::OrganizationId).primary_key())
        .col(schema::big_integer(AuditHeads::Sequence))
        .col(schema::blob(AuditHeads::Hash))
        .to_owned()
}
