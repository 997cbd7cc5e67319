//! `CancelImport`: ends an import that waits or applies.

use tonic::Status;

use super::{caller::Caller, import::ImportHandlers, status};
use crate::{
    access::DisclosureScope,
    domain::ImportState,
    import::{Refusal, respond::disclosure},
    proto::{CancelImportRequest, CancelImportResponse},
};

impl ImportHandlers {
    /// Removes an upload in parts that has not finished, discards a held import, or asks the server that applies the
    /// import to stop between two transactions. Fails with `NOT_APPLYING` if the import is in neither state: an import
    /// that has ended does not change.
    pub(super) async fn cancel(
        self,
        caller: Caller,
        request: CancelImportRequest,
    ) -> Result<CancelImportResponse, Status> {
        let (slug, id) = (&request.organization, &request.import_id);
        let (organization, record) = self.find(&caller, slug, id).await?;
        // The answer asks for a share again.
        let organization = organization.release_permit();
        let removed = self
            .importer()
            .cancel_upload(&record, &caller.actor())
            .await;
        if removed.map_err(|error| status::from_import(&error))? {
            return self.cancelled(&caller, slug, id).await;
        }
        let discarded = self.importer().discard_held(&record, &caller.actor()).await;
        if discarded.map_err(|error| status::from_import(&error))? {
            return self.cancelled(&caller, slug, id).await;
        }
        let failed = |error| status::from_store(&error, slug);
        let state = self.importer().without_retries().state_now(&record).await;
        let state = state.map_err(failed)?;
        let applying = state == ImportState::Applying
            && self
                .store()
                .request_cancel(
                    organization.id,
                    record.id,
                    &caller.actor(),
                    self.importer().now(),
                )
                .await
                .map_err(failed)?;
        if !applying {
            let message = format!(
                "Import {} is not applying (its state is {}), so there is nothing to cancel.",
                record.id,
                state.name().to_uppercase()
            );
            let refusal = Refusal::precondition("NOT_APPLYING", &record.id.to_string(), message);
            return Err(status::refused(&[refusal]));
        }
        self.cancelled(&caller, slug, id).await
    }

    /// Returns the import in the form in which `CancelImport` answers. The caller may not be allowed to read users.
    async fn cancelled(
        &self,
        caller: &Caller,
        slug: &str,
        id: &str,
    ) -> Result<CancelImportResponse, Status> {
        let import = self.message(caller, slug, id).await?;
        let owns = import.principal == caller.principal().name;
        let import = match DisclosureScope::of(caller.principal().permissions) {
            DisclosureScope::AllUsers => import,
            DisclosureScope::OwnRoster => disclosure::record_without_others(import, owns),
        };
        Ok(CancelImportResponse {
            import_record: Some(import),
        })
    }
}
