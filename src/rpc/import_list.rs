//! `ListImports`: the imports of an organisation, with their states now.

use time::OffsetDateTime;
use tonic::Status;
use uuid::Uuid;

use super::{
    caller::Caller,
    import::ImportHandlers,
    paging::{MAX_BYTES, PageRequest},
    status,
};
use crate::{
    domain::ImportState,
    proto::{self, ListImportsRequest, ListImportsResponse},
    store::{ImportRecord, StoreError},
};

impl ImportHandlers {
    /// A page of an organisation's imports, the latest first. Reads one more than the page has, to know
    /// whether there is a next page.
    pub(super) async fn list(
        self,
        caller: Caller,
        request: ListImportsRequest,
    ) -> Result<ListImportsResponse, Status> {
        caller.expect_organization(&request.organization)?;
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let state = parse_state(request.state)?;
        let slug = request.organization;
        let organization = caller.organization(self.store(), &slug).await?;
        let mut before = page.position()?;
        let (mut found, mut imports) = (Vec::new(), Vec::new());
        // The recorded state may not be the state now, so this reads records until enough of them are in the wanted
        // state.
        loop {
            let records = self
                .read_page(organization.id, state, (&page, before))
                .await;
            let (records, is_last) = records.map_err(|error| status::from_store(&error, &slug))?;
            before = records.last().map(|last| (last.started_at, last.id));
            for record in records {
                let import = self.as_message(&record, &slug).await?;
                if state.is_none_or(|state| import.state == i32::from(state)) {
                    found.push(record);
                    imports.push(import);
                }
            }
            if is_last || imports.len() > page.size {
                break;
            }
        }
        let next_page_token = page.cut(&mut imports, |at, _| {
            PageRequest::after_moment((found[at].started_at, found[at].id))
        });
        Ok(ListImportsResponse {
            imports,
            next_page_token,
        })
    }

    /// Reads one record more than the page has, if they fit into a message, and returns whether there are no more. Reads
    /// a few at a time, because records of an earlier release may be large.
    async fn read_page(
        &self,
        organization: i64,
        state: Option<ImportState>,
        (page, mut before): (&PageRequest, Option<(OffsetDateTime, Uuid)>),
    ) -> Result<(Vec<ImportRecord>, bool), StoreError> {
        const STEP: usize = 50;
        let states = state.map(recorded_as).unwrap_or_default();
        let mut found: Vec<ImportRecord> = Vec::new();
        let mut bytes = 0;
        while found.len() <= page.size && bytes <= MAX_BYTES {
            let limit = STEP.min(page.size + 1 - found.len());
            let step = self
                .store()
                .imports(organization, states, before, limit as u64);
            let step = step.await?;
            let is_last = step.len() < limit;
            bytes += step.iter().map(|record| record.notes.len()).sum::<usize>();
            found.extend(step);
            before = found.last().map(|last| (last.started_at, last.id));
            if is_last {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }
}

/// Returns the state that a list is asked for, or `None` if all are.
fn parse_state(number: i32) -> Result<Option<ImportState>, Status> {
    match proto::ImportState::try_from(number) {
        Ok(proto::ImportState::Unspecified) => Ok(None),
        Ok(_) => Ok(Some(ImportState::from_number(number))),
        Err(_) => {
            let message = format!("state has no value {number}.");
            Err(status::invalid("BAD_STATE", "state", message))
        }
    }
}

/// The states that may be recorded of an import that is in this state now: if its server has died, the state that it had
/// stays recorded.
const fn recorded_as(state: ImportState) -> &'static [ImportState] {
    use ImportState::{Applying, Cancelled, Completed, Held, Interrupted, Receiving, Refused};
    match state {
        Receiving => &[Receiving],
        Applying => &[Applying],
        Interrupted => &[Receiving, Applying, Interrupted],
        Completed => &[Completed],
        Refused => &[Refused],
        Cancelled => &[Cancelled],
        Held => &[Held],
    }
}
