//! Imports whose roster comes in parts, call by call, whichever servers take them.
//!
//! The parts wait in the database. Once the last is there they become the request stream of an import
//! like any other; what that answers is stored, for whoever watches. Nothing here judges a row.

mod expiry;

mod begin;
mod part;
mod replies;
mod run;
mod runs;
mod spool;
mod watch;

pub(crate) use runs::Runs;

use std::sync::Arc;

use prost::Message;
use uuid::Uuid;

use super::{ImportError, Importer, Refusal};
use crate::{
    access::{Denial, Principal},
    domain::Actor,
    limits::Account,
    proto::{ImportStart, ResultFilter},
    store::{Organization, StoreError, Upload, UploadStage},
};

/// Who sends an import: as permissions have it, and as the audit trail names him or her.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Recognised, and permitted to import.
    pub principal: Arc<Principal>,
    /// The same with an address.
    pub actor: Actor,
    /// To whom the call's bytes are charged.
    pub account: Account,
}

/// What somebody who watches wants.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Which results; `None`: those that the import itself was asked for.
    pub filter: Option<ResultFilter>,
    /// Of these, how many are known already.
    pub skip: u32,
}

impl Importer {
    /// Finds an organisation.
    pub(crate) async fn organization(&self, slug: &str) -> Result<Organization, ImportError> {
        match self.patiently(|| self.store.organization(slug)).await {
            Ok(organization) => Ok(organization),
            Err(StoreError::UnknownOrganization) => {
                Err(ImportError::UnknownOrganization(slug.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn organization_id(&self, slug: &str) -> Result<i64, ImportError> {
        Ok(self.organization(slug).await?.id)
    }

    /// Finds the upload that the caller has begun.
    async fn own_upload(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
    ) -> Result<Upload, ImportError> {
        principal.expect_organization(slug)?;
        let organization = self.organization_id(slug).await?;
        let found = self.patiently(|| self.store.upload(organization, import));
        match found.await? {
            Some(upload) if upload.principal == principal.name => Ok(upload),
            Some(_) => Err(Denial::OtherCredential.into()),
            None => Err(self.no_upload(organization, import).await),
        }
    }

    /// Why there is no upload under this ID.
    async fn no_upload(&self, organization: i64, import: Uuid) -> ImportError {
        match self
            .patiently(|| self.store.import(organization, import))
            .await
        {
            Ok(Some(_)) => not_uploading(import).into(),
            Ok(None) => ImportError::UnknownImport(import.to_string()),
            Err(error) => error.into(),
        }
    }

    /// True while parts of an import may still come, or wait to be imported.
    pub(crate) async fn is_uploading(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<bool, StoreError> {
        match self.store.upload(organization, import).await? {
            Some(upload) => {
                Ok(upload.stage() != UploadStage::Ended && !self.is_dead(&upload).await?)
            }
            None => Ok(false),
        }
    }

    /// True where the server that ran the import has died, or does not run it any more.
    async fn is_dead(&self, upload: &Upload) -> Result<bool, StoreError> {
        if upload.stage() != UploadStage::Running {
            return Ok(false);
        }
        let is_under_way = if upload.server_id == self.server {
            self.runs.has(upload.run)
        } else {
            let lease = self.settings.lease;
            self.store.is_alive(upload.server_id, lease).await?
        };
        if is_under_way {
            return Ok(false);
        }
        // It may have ended between the two looks.
        let key = (upload.organization_id, upload.import_id);
        let again = self.store.upload(key.0, key.1).await?;
        Ok(again.is_some_and(|again| (again.stage, again.run) == (upload.stage, upload.run)))
    }

    /// True if this principal runs the import, or ran it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn has_run(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
    ) -> Result<bool, StoreError> {
        if !principal.reach.includes(slug) {
            return Ok(false);
        }
        let organization = match self.store.organization(slug).await {
            Ok(organization) => organization.id,
            Err(StoreError::UnknownOrganization) => return Ok(false),
            Err(error) => return Err(error),
        };
        let found = self.store.import(organization, import).await?;
        Ok(found.is_some_and(|record| record.principal == principal.name))
    }
}

/// What an upload's import was asked for.
fn start_of(upload: &Upload) -> Result<ImportStart, ImportError> {
    let start = ImportStart::decode(&*upload.start);
    start.map_err(|error| ImportError::Internal(error.to_string()))
}

fn not_uploading(import: Uuid) -> Refusal {
    let message = format!(
        "No upload of import {import} is open: it has ended, was cancelled, or was silent for too \
         long. Begin it again."
    );
    Refusal::precondition("NOT_UPLOADING", &import.to_string(), message)
}
