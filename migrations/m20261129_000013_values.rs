//! The phone region and the patterns of an organisation. Emails now compare by the ASCII form of their domain, so the
//! keys of emails with other domains are computed again.

use super::steps::{prelude::*, schema};
use crate::domain::email_key;
use sea_orm::{DbBackend, Statement};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Organizations {
    Table,
    PhoneRegion,
    BadgeNumberPattern,
    ExternalIdPattern,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for column in [
            Organizations::PhoneRegion,
            Organizations::BadgeNumberPattern,
            Organizations::ExternalIdPattern,
        ] {
            let alter = Table::alter()
                .table(Organizations::Table)
                .add_column(schema::text_null(column))
                .to_owned();
            manager.alter_table(alter).await?;
        }
        renew_email_keys(manager).await
    }
}

/// Few emails have a domain that is not ASCII. If two users have the same mailbox in both forms, one key stays as it
/// is: only an administrator knows which user is right.
async fn renew_email_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = manager.get_database_backend();
    let differs = match backend {
        DbBackend::Postgres => "email ~ '@.*[^ -~]'",
        _ => "email GLOB '*@*[^ -~]*'",
    };
    let found = format!("SELECT organization_id, id, email, email_key FROM users WHERE {differs}");
    let renew = "UPDATE users SET email_key = $3 WHERE organization_id = $1 AND id = $2 AND NOT EXISTS \
        (SELECT 1 FROM users AS other WHERE other.organization_id = $1 AND other.email_key = $3)";
    for row in connection
        .query_all_raw(Statement::from_string(backend, found))
        .await?
    {
        let organization: i64 = row.try_get_by_index(0)?;
        let id: uuid::Uuid = row.try_get_by_index(1)?;
        let (email, key): (String, String) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        let renewed = email_key(&email).into_owned();
        if renewed != key {
            let values = [organization.into(), id.into(), renewed.into()];
            let statement = Statement::from_sql_and_values(backend, renew, values);
            connection.execute_raw(statement).await?;
        }
    }
    Ok(())
}
