//! Tokens: creates, finds and revokes them. It knows the hash of a token's text, never the text.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError,
    entity::token::{Column, Entity, Model},
};

use crate::{
    audit::{AuditAction, SERVER_CHAIN},
    domain::AuditActor,
};

/// A token, as stored.
pub type StoredToken = Model;

impl Store {
    /// Stores a new token that `actor` creates.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn create_token(
        &self,
        token: StoredToken,
        actor: &AuditActor,
    ) -> Result<(), StoreError> {
        let chain = self.token_chain(&token).await?;
        let action = AuditAction::TokenCreated;
        let entry = AuditEntry::done(token.created_at, actor, action, &token.id);
        let tx = self.begin().await?;
        tx.note(chain, entry.with("permissions", &token.permissions));
        Entity::insert(token.into_active_model())
            .exec_without_returning(&tx.inner)
            .await?;
        tx.commit().await
    }

    /// Returns the token whose text has this SHA-256. The index is searched by the hash, so that the duration says
    /// nothing about the text of any token.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<StoredToken>, StoreError> {
        let found = Entity::find().filter(Column::Hash.eq(hash.to_vec()));
        Ok(found.one(&self.db).await?)
    }

    /// Returns the token with this ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn token(&self, id: Uuid) -> Result<Option<StoredToken>, StoreError> {
        Ok(Entity::find_by_id(id).one(&self.db).await?)
    }

    /// Returns the tokens with IDs from `lowest` to `highest`, both included.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn tokens_between(
        &self,
        lowest: Uuid,
        highest: Uuid,
    ) -> Result<Vec<StoredToken>, StoreError> {
        let found = Entity::find().filter(Column::Id.between(lowest, highest));
        Ok(found.order_by_asc(Column::Id).all(&self.db).await?)
    }

    /// Returns all tokens, or those of one organisation, the newest last.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn tokens(&self, organization: Option<&str>) -> Result<Vec<StoredToken>, StoreError> {
        let mut select = Entity::find();
        if let Some(organization) = organization {
            select = select.filter(Column::Organization.eq(organization));
        }
        Ok(select.order_by_asc(Column::Id).all(&self.db).await?)
    }

    /// Returns `true` if there is or has been a token; expired and revoked ones count.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn has_tokens(&self) -> Result<bool, StoreError> {
        let any = Entity::find().limit(1).one(&self.db).await?;
        Ok(any.is_some())
    }

    /// Revokes a token, unless it is revoked already. Returns `false` if there is no token with this ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn revoke_token(
        &self,
        id: Uuid,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let Some(token) = self.token(id).await? else {
            return Ok(false);
        };
        let chain = self.token_chain(&token).await?;
        let tx = self.begin().await?;
        let sql = "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        let values = [id.into(), now.into()];
        if tx.execute(sql, values).await? > 0 {
            let action = AuditAction::TokenRevoked;
            tx.note(chain, AuditEntry::done(now, actor, action, &id));
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The audit chain of a token's organisation, or the server's own if the organisation does not exist yet.
    async fn token_chain(&self, token: &StoredToken) -> Result<i64, StoreError> {
        match self.audit_chain(&token.organization).await {
            Err(StoreError::UnknownOrganization) => self.audit_chain(SERVER_CHAIN).await,
            found => found,
        }
    }

    /// Records that a token has been presented.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn note_token_use(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        let sql = "UPDATE tokens SET last_used_at = $2 WHERE id = $1";
        let values = [id.into(), now.into()];
        tx.execute(sql, values).await?;
        tx.commit().await
    }
}
