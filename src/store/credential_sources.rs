//! Which credentials have ever been configured on this database. A server's local token is good only
//! while there have been none.

use sea_orm::{ConnectionTrait, Statement};
use time::OffsetDateTime;

use super::{Store, StoreError};

/// A source of credentials that is an option of the server, not a row of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The list of client certificates.
    ClientCertificates,
    /// An identity provider.
    IdentityProvider,
}

impl CredentialSource {
    const fn name(self) -> &'static str {
        match self {
            Self::ClientCertificates => "client_certificates",
            Self::IdentityProvider => "identity_provider",
        }
    }
}

impl Store {
    /// Returns `true` if a credential has ever been configured: a token, expired or revoked ones
    /// included, or a source that [`note_credential_source`](Self::note_credential_source) recorded.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_had_credentials(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM tokens) OR EXISTS (SELECT 1 FROM credential_sources)";
        let statement = Statement::from_string(self.backend(), sql);
        let row = self.db.query_one_raw(statement).await?;
        let found = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(found.unwrap_or_default())
    }

    /// Records that a server on this database admits callers by this source, for ever.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn note_credential_source(
        &self,
        source: CredentialSource,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        let sql = "INSERT INTO credential_sources (kind, configured_at) VALUES ($1, $2) \
            ON CONFLICT (kind) DO NOTHING";
        let values = vec![source.name().into(), now.into()];
        tx.execute(sql.to_owned(), values).await?;
        tx.commit().await
    }
}
