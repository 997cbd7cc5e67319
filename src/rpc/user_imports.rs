//! `ListUserImports`: the imports that touched a user, found in their recorded results.
//!
//! There is no index from users to imports, because every import would have to write it. Instead this searches the
//! results of the imports that changed any user for the text of the user's ID, the latest import first.

use memchr::memmem;
use prost::Message;
use time::OffsetDateTime;
use tonic::Status;
use uuid::Uuid;

use super::{
    caller::Caller, computed, directory_requests::user_id, import::ImportHandlers,
    paging::PageRequest, status,
};
use crate::{
    proto::{
        Deactivations, ListUserImportsRequest, ListUserImportsResponse, RowOutcome, RowResult,
        RowResults, UserImport, UserImportAction,
    },
    store::{
        BatchKind, ConnectionLane, ImportRecord, LanePermit, RecordedBatch, Store, StoreError,
        UserKey,
    },
};

/// Batches of results that one call looks through, unless the last import has more: those of a million rows.
const MAX_BATCHES: usize = 400;

/// Batches read at a time.
const READ_AHEAD: i32 = 2;

/// Records of imports read at a time.
const STEP: usize = 20;

/// The clocks of servers may differ by this much.
const SKEW: time::Duration = time::Duration::MINUTE;

/// What an import did to the user, by its results.
#[derive(Debug, PartialEq)]
enum UserChange {
    Row(Box<RowResult>),
    Deactivated,
}

/// The search for one user.
struct UserImportSearch {
    store: Store,
    permit: LanePermit,
    organization: i64,
    user: String,
    batches: usize,
}

impl ImportHandlers {
    /// A page of the imports that touched a user, the latest first.
    pub(super) async fn user_imports(
        self,
        caller: Caller,
        request: ListUserImportsRequest,
    ) -> Result<ListUserImportsResponse, Status> {
        let slug = &request.organization;
        let organization = caller.organization(self.store(), slug).await?;
        let id = user_id(&request.user_id)?;
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let mut before = page.position()?;
        let user = self.store().user(organization.id, &UserKey::Id(id)).await;
        let user = user.map_err(|error| status::from_store(&error, &request.user_id))?;
        let store = self.store().on_lane(ConnectionLane::Heavy);
        // No call waits for one permit while it holds another.
        let organization = organization.release_permit();
        let mut search = UserImportSearch {
            permit: caller.lane_permit(&store, slug).await?,
            store,
            organization: organization.id,
            user: id.to_string(),
            batches: 0,
        };
        let since = user.created_at - SKEW;
        let failed = |error: StoreError| status::from_store(&error, slug);
        let (mut positions, mut imports) = (Vec::new(), Vec::new());
        let is_complete = 'search: loop {
            let records = search.records(since, before).await.map_err(failed)?;
            let is_last = records.len() < STEP;
            for record in records {
                if imports.len() > page.size || search.batches >= MAX_BATCHES {
                    break 'search false;
                }
                let position = (record.started_at, record.id);
                before = Some(position);
                let touch = search.touch(&record).await?;
                if touch.is_some() || user.last_import_id == Some(record.id) {
                    let import = self.as_message(&record, slug).await?;
                    positions.push(position);
                    imports.push(user_import(import, touch));
                }
            }
            if is_last {
                break true;
            }
        };
        let mut next_page_token = page.cut(&mut imports, |at, _| {
            PageRequest::after_moment(positions[at])
        });
        let search_incomplete = next_page_token.is_empty() && !is_complete;
        if let Some(position) = before.filter(|_| search_incomplete) {
            next_page_token = PageRequest::after_moment(position);
        }
        Ok(ListUserImportsResponse {
            imports,
            next_page_token,
            search_incomplete,
        })
    }
}

impl UserImportSearch {
    async fn records(
        &self,
        since: OffsetDateTime,
        before: Option<(OffsetDateTime, Uuid)>,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let _turn = self.permit.read_turn().await?;
        let (organization, limit) = (self.organization, STEP as u64);
        self.store
            .imports_with_changes(organization, since, before, limit)
            .await
    }

    /// Looks through the results of an import.
    async fn touch(&mut self, record: &ImportRecord) -> Result<Option<UserChange>, Status> {
        let mut next = 0;
        loop {
            let batches = self.batches(record.id, next).await;
            let batches = batches.map_err(|error| status::from_store(&error, ""))?;
            let Some(last) = batches.last() else {
                return Ok(None);
            };
            next = last.sequence.saturating_add(1);
            self.batches += batches.len();
            let user = self.user.clone();
            let found = computed(move || batches.iter().find_map(|batch| touch_in(batch, &user)));
            if let Some(touch) = found.await? {
                return Ok(Some(touch));
            }
        }
    }

    async fn batches(&self, import: Uuid, from: i32) -> Result<Vec<RecordedBatch>, StoreError> {
        let _turn = self.permit.read_turn().await?;
        let reading = self
            .store
            .recorded_batches(self.organization, import, from, READ_AHEAD);
        reading.await
    }
}

/// Finds what a recorded batch says about the user. Most batches do not have the ID, and are not decoded.
fn touch_in(batch: &RecordedBatch, user: &str) -> Option<UserChange> {
    memmem::find(&batch.payload, user.as_bytes())?;
    match batch.kind {
        BatchKind::Results => {
            let results = RowResults::decode(&*batch.payload).ok()?.results;
            let is_touch = |row: &RowResult| {
                let is_change = matches!(row.outcome(), RowOutcome::Created | RowOutcome::Updated);
                row.user_id == user && is_change
            };
            let row = results.into_iter().find(is_touch)?;
            Some(UserChange::Row(Box::new(row)))
        }
        BatchKind::Deactivated => {
            let users = Deactivations::decode(&*batch.payload).ok()?.users;
            let is_this = users.iter().any(|listed| listed.user_id == user);
            is_this.then_some(UserChange::Deactivated)
        }
        BatchKind::ToDeactivate | BatchKind::ToWrite | BatchKind::Changes => None,
    }
}

fn user_import(import: crate::proto::Import, touch: Option<UserChange>) -> UserImport {
    let (action, result) = match touch {
        None => (UserImportAction::Unspecified, None),
        Some(UserChange::Deactivated) => (UserImportAction::Deactivated, None),
        Some(UserChange::Row(row)) if row.outcome() == RowOutcome::Created => {
            (UserImportAction::Created, Some(*row))
        }
        Some(UserChange::Row(row)) => (UserImportAction::Updated, Some(*row)),
    };
    UserImport {
        import_record: Some(import),
        action: action.into(),
        result,
    }
}
