//! Which credentials have ever been configured on this database. A server's local token is good only
//! while there have been none.

use time::OffsetDateTime;

use super::{Store, StoreError, sql};

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
    /// Fails if the database fails.
    pub async fn has_had_credentials(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM tokens) OR EXISTS (SELECT 1 FROM credential_sources)";
        let row = sql::query_one(&self.db, sql, []).await?;
        let found = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(found.unwrap_or_default())
    }

    /// Records that a server on this database admits callers by this source, for ever.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn note_credential_source(
        &self,
        source: CredentialSource,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        let sql = "INSERT INTO credential_sources (kind, configured_at) VALUES ($1, $2) \
            ON CONFLICT (kind) DO NOTHING";
        let values = [source.name().into(), now.into()];
        tx.execute(sql, values).await?;
        tx.commit().await
    }
}
