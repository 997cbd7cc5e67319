//! Imports whose roster comes in parts, call by call, to any server.
//!
//! The parts wait in the database. Once the last part is there, they become the request stream of an ordinary import.
//! Clients that watch read its results from the import's log, as for any other import. The responses that the log does
//! not have are stored for them: `started`, the results of imports that write nothing, results with values, and the
//! summary. Nothing here judges a row.

mod begin;
mod expiry;
mod part;
mod request_stream;
mod roster_of;
mod run;
mod runs;
mod stored_responses;
mod watch;

pub(super) use request_stream::message;
pub(crate) use runs::UploadRuns;

use prost::Message;
use uuid::Uuid;

use super::{ImportError, Importer, Refusal};
use crate::{
    access::{AccessDenial, Principal},
    proto::ImportStart,
    store::{StoreError, Upload, UploadStage},
};

impl Importer {
    async fn organization_id(&self, slug: &str) -> Result<i64, ImportError> {
        Ok(self.organization(slug).await?.id)
    }

    /// Finds an upload that the caller has begun.
    pub(crate) async fn own_upload(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
    ) -> Result<Upload, ImportError> {
        principal.expect_organization(slug)?;
        let organization = self.organization_id(slug).await?;
        let found = self.store.upload(organization, import);
        match found.await? {
            Some(upload) if upload.principal == principal.name => Ok(upload),
            Some(_) => Err(AccessDenial::OtherCredential.into()),
            None => Err(self.no_upload(organization, import).await),
        }
    }

    /// The error if there is no upload under this ID.
    async fn no_upload(&self, organization: i64, import: Uuid) -> ImportError {
        match self.store.import(organization, import).await {
            Ok(Some(_)) => not_uploading(import).into(),
            Ok(None) => ImportError::UnknownImport(import.to_string()),
            Err(error) => error.into(),
        }
    }

    /// Returns `true` while parts of an import may still come or wait to be imported.
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

    /// Returns `true` if the upload is recorded as running, but its server has died or no longer runs it.
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
        // It may have ended between the two reads.
        let key = (upload.organization_id, upload.import_id);
        let again = self.store.upload(key.0, key.1).await?;
        Ok(again.is_some_and(|again| (again.stage, again.run) == (upload.stage, upload.run)))
    }

    /// Returns `true` if this principal runs or ran the import.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn has_run(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
    ) -> Result<bool, StoreError> {
        if !principal.scope.includes(slug) {
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

/// Decodes the `start` of an upload's import.
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
