//! `ReviewImport` and `ApproveImport`: held imports, as streams of the same messages as every import.

use std::sync::Arc;

use tonic::Status;
use tracing::Instrument;

use super::{
    ResponseMessages,
    caller::Caller,
    import::{ImportHandlers, answers},
    status,
};
use crate::{
    access::ResultAudience,
    import::{ApprovalTerms, HeldAction, Refusal, ResponseStream, parse_filter},
    proto::{
        ApproveImportRequest, ApproveImportResponse, ReviewImportRequest, ReviewImportResponse,
    },
};

impl ImportHandlers {
    /// Plans a held import again, and shows what it would do.
    pub(super) async fn review(
        self,
        caller: Caller,
        request: ReviewImportRequest,
    ) -> Result<ResponseMessages<ReviewImportResponse>, Status> {
        expect_filter(request.result_filter, Vec::new())?;
        let named = (&*request.organization, &*request.import_id);
        let action = (HeldAction::Review, request.result_filter);
        let (responses, audience) = self.run_held(&caller, named, action).await?;
        Ok(answers(responses, audience, ReviewImportResponse::from))
    }

    /// Applies a held import whose plan was reviewed.
    pub(super) async fn approve(
        self,
        caller: Caller,
        request: ApproveImportRequest,
    ) -> Result<ResponseMessages<ApproveImportResponse>, Status> {
        let digest = <[u8; 32]>::try_from(&*request.expected_plan_digest);
        let faults = digest.is_err().then(|| {
            let message = format!(
                "expected_plan_digest must be the 32 bytes of the plan_digest that a review has, not {}.",
                request.expected_plan_digest.len()
            );
            Refusal::invalid("BAD_PLAN_DIGEST", "expected_plan_digest", message)
        });
        expect_filter(request.result_filter, faults.into_iter().collect())?;
        let approval = ApprovalTerms {
            plan_digest: digest.unwrap_or_default(),
            confirmation: request.confirmation,
        };
        let named = (&*request.organization, &*request.import_id);
        let action = (HeldAction::Approve(approval), request.result_filter);
        let (responses, audience) = self.run_held(&caller, named, action).await?;
        Ok(answers(responses, audience, ApproveImportResponse::from))
    }

    /// Runs it in a task of its own: hanging up must not drop it in the middle of a transaction.
    async fn run_held(
        &self,
        caller: &Caller,
        (slug, id): (&str, &str),
        action: (HeldAction, i32),
    ) -> Result<(ResponseStream, ResultAudience), Status> {
        let (organization, record) = self.find(caller, slug, id).await?;
        // The import asks for a share of its own.
        drop(organization);
        let import = record.id;
        let submitter = caller.submitter();
        let (sender, responses) = self.response_ends(&submitter.account)?;
        let importer = self.importer().clone();
        let audience = importer.submitter_audience(Arc::clone(&submitter.principal));
        let running = importer.run_held(submitter, (slug.to_owned(), import), action, sender);
        tokio::spawn(running.in_current_span());
        Ok((responses, audience))
    }
}

/// Fails with these faults, and if there is no such filter.
fn expect_filter(filter: i32, mut faults: Vec<Refusal>) -> Result<(), Status> {
    parse_filter(filter, &mut faults);
    match faults.is_empty() {
        true => Ok(()),
        false => Err(status::refused(&faults)),
    }
}
