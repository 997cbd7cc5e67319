//! Organisations, their roles, ranks and groups, and their users.

use super::steps::{prelude::*, schema};
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Organizations {
    Table,
    Id,
    Slug,
    DisplayName,
    Revision,
    CreatedAt,
}

#[derive(DeriveIden)]
enum EvidenceGroups {
    Table,
    OrganizationId,
    Id,
    ExternalId,
    Name,
    Active,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    OrganizationId,
    Id,
    ExternalId,
    Email,
    EmailKey,
    BadgeNumber,
    FirstName,
    LastName,
    Active,
    Username,
    UsernameKey,
    RoleId,
    SupervisorId,
    RankId,
    GroupId,
    Phone,
    Protected,
    CreatedAt,
    UpdatedAt,
    LastImportId,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager.create_table(organizations(backend)).await?;
        manager
            .create_table(named(backend, "roles", "roles_name"))
            .await?;
        manager
            .create_table(named(backend, "ranks", "ranks_name"))
            .await?;
        manager.create_table(groups(backend)).await?;
        manager.create_table(users(backend)).await?;
        for (name, column) in [
            ("users_external_id", Users::ExternalId),
            ("users_email", Users::EmailKey),
            ("users_badge_number", Users::BadgeNumber),
            ("users_username", Users::UsernameKey),
        ] {
            manager.create_index(unique_user_key(name, column)).await?;
        }
        Ok(())
    }
}

/// A text column that both databases sort and compare by its bytes.
fn text(backend: DbBackend, name: impl IntoIden) -> ColumnDef {
    let mut column = schema::text(name.into_iden());
    if backend == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

fn organizations(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(Organizations::Table)
        .col(schema::pk_auto(Organizations::Id).big_integer())
        .col(text(backend, Organizations::Slug).unique_key())
        .col(schema::text(Organizations::DisplayName))
        .col(schema::big_integer(Organizations::Revision).default(0))
        .col(schema::timestamp_with_time_zone(Organizations::CreatedAt))
        .to_owned()
}

/// Adds the organisation to which a row belongs: the first column of the primary key.
fn belongs_to_organization(
    table: &mut TableCreateStatement,
    name: impl IntoIden,
    organization: impl IntoIden + Copy,
    id: impl IntoIden,
) {
    table
        .primary_key(
            Index::create()
                .col(organization.into_iden())
                .col(id.into_iden()),
        )
        .foreign_key(
            ForeignKey::create()
                .from(name.into_iden(), organization.into_iden())
                .to(Organizations::Table, Organizations::Id),
        );
}

/// A table of names, which are unique if letter case is ignored.
fn named(backend: DbBackend, table: &'static str, unique: &str) -> TableCreateStatement {
    let mut created = Table::create();
    created
        .table(table)
        .col(schema::big_integer("organization_id"))
        .col(schema::integer("id"))
        .col(schema::text("name"))
        .col(text(backend, "name_key"))
        .index(
            Index::create()
                .unique()
                .name(unique)
                .col("organization_id")
                .col("name_key"),
        );
    belongs_to_organization(&mut created, table, "organization_id", "id");
    created
}

fn groups(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table(EvidenceGroups::Table)
        .col(schema::big_integer(EvidenceGroups::OrganizationId))
        .col(schema::integer(EvidenceGroups::Id))
        .col(text(backend, EvidenceGroups::ExternalId))
        .col(schema::text(EvidenceGroups::Name))
        .col(schema::boolean(EvidenceGroups::Active))
        .index(
            Index::create()
                .unique()
                .name("evidence_groups_external_id")
                .col(EvidenceGroups::OrganizationId)
                .col(EvidenceGroups::ExternalId),
        );
    belongs_to_organization(&mut table, "evidence_groups", "organization_id", "id");
    table
}

fn users(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table(Users::Table)
        .col(schema::big_integer(Users::OrganizationId))
        .col(schema::uuid(Users::Id))
        .col(text(backend, Users::ExternalId))
        .col(schema::text(Users::Email))
        .col(text(backend, Users::EmailKey))
        .col(text(backend, Users::BadgeNumber))
        .col(schema::text(Users::FirstName))
        .col(schema::text(Users::LastName))
        .col(schema::boolean(Users::Active))
        .col(schema::text(Users::Username))
        .col(text(backend, Users::UsernameKey))
        .col(schema::integer(Users::RoleId))
        .col(schema::uuid_null(Users::SupervisorId))
        .col(schema::integer_null(Users::RankId))
        .col(schema::integer_null(Users::GroupId))
        .col(schema::text_null(Users::Phone))
        .col(schema::boolean(Users::Protected).default(false))
        .col(schema::timestamp_with_time_zone(Users::CreatedAt))
        .col(schema::timestamp_with_time_zone(Users::UpdatedAt))
        .col(schema::uuid_null(Users::LastImportId));
    belongs_to_organization(&mut table, "users", "organization_id", "id");
    for (column, target) in [
        (Users::RoleId, "roles"),
        (Users::RankId, "ranks"),
        (Users::GroupId, "evidence_groups"),
        (Users::SupervisorId, "users"),
    ] {
        table.foreign_key(&mut reference(column, target));
    }
    table
}

/// A reference from a user to a row of the same organisation.
fn reference(column: Users, target: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_tbl(Users::Table)
        .from_col(Users::OrganizationId)
        .from_col(column)
        .to_tbl(target)
        .to_col("organization_id")
        .to_col("id")
        .to_owned()
}

fn unique_user_key(name: &str, column: Users) -> IndexCreateStatement {
    Index::create()
        .unique()
        .name(name)
        .table(Users::Table)
        .col(Users::OrganizationId)
        .col(column)
        .to_owned()
}
