//! Undo: an import whose rows come from the record of an earlier one (semantics §11). From there on it is an import like
//! any other.

use std::sync::Arc;

use futures_util::stream;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    ImportError, ImportOptions, Importer, Refusal, ResponseSender, Submitter,
    receive::{BegunImport, ImportSession, UndoRequest, expect_permitted},
    record::changed_users::{self, ChangedUser, RecordedValue},
    stages,
};
use crate::{
    access::CredentialExpiry,
    domain::{
        Catalog, Column, ColumnSet, GroupId, ImportPhase, ImportState, NamesById, RankId, RoleId,
        Row, RowPacker, RowParts, Status, UserPacker,
    },
    plan::{RowMatching, UndoneChange, UndoneChanges},
    store::ImportRecord,
};

/// Memory that the rows of an undo take, for each byte of the record that they come from.
const BYTES_PER_RECORDED_BYTE: usize = 3;

impl Importer {
    /// Runs one undo to its end. Needs a task of its own that is not dropped with the client's call.
    pub(crate) async fn undo(
        self,
        submitter: Submitter,
        request: UndoRequest,
        responses: ResponseSender,
    ) {
        let began = self.clock.now();
        if let Err(error) = Box::pin(run(&self, submitter, began, request, &responses)).await {
            responses.fail(error).await;
        }
    }
}

async fn run(
    importer: &Importer,
    submitter: Submitter,
    started_at: OffsetDateTime,
    UndoRequest { start, undoes }: UndoRequest,
    responses: &ResponseSender,
) -> Result<(), ImportError> {
    let authenticator = &importer.authenticator;
    let mut expiry = authenticator.credential_expiry(Arc::clone(&submitter.principal));
    expect_permitted(&submitter.principal, &start)?;
    let (_reading, memory) = stages::admit(importer, &submitter, &start.organization)?;
    let options = ImportOptions {
        // An undo of a mass change of identities restores the former persons.
        max_identity_changes: Some(u32::MAX),
        ..ImportOptions::parse(start.clone())?
    };
    let organization = importer.organization(&options.organization).await?;
    let begun = BegunImport {
        start,
        options,
        matching: RowMatching::Undone(Arc::default()),
        undoes: Some(undoes),
        held: None,
        organization,
        memory,
        started_at,
    };
    let by = (submitter.principal, submitter.actor);
    let mut session = begun.session(importer, by, responses).await?;
    let result = session.run_undo(undoes, &mut expiry).await;
    session.end(result, &mut stream::empty()).await
}

impl ImportSession<'_> {
    async fn run_undo(
        &mut self,
        undoes: Uuid,
        expiry: &mut CredentialExpiry,
    ) -> Result<(), ImportError> {
        self.progress.enter(ImportPhase::Receiving);
        let rows = match self.has_ended().await? {
            // The answer comes from the record of this undo.
            true => Vec::new(),
            false => self.reversed_rows(undoes).await?,
        };
        self.look_up_id().await?;
        self.post_start(None, None);
        self.enter(expiry).await?;
        self.run_rows(rows, expiry).await
    }

    /// Returns `true` if this undo has ended in an earlier attempt.
    async fn has_ended(&self) -> Result<bool, ImportError> {
        let store = &self.importer.store;
        let own = store.import(self.organization, self.record.id).await?;
        let is_over = |own: ImportRecord| {
            own.options_digest.is_some()
                && matches!(own.state(), ImportState::Completed | ImportState::Cancelled)
        };
        Ok(own.is_some_and(is_over))
    }

    /// Makes the rows that reverse the changes of an import.
    async fn reversed_rows(&mut self, undoes: Uuid) -> Result<Vec<Row>, ImportError> {
        let importer = self.importer;
        let store = &importer.store;
        let undone = store.import(self.organization, undoes).await?;
        let undone = undone.ok_or_else(|| ImportError::UnknownImport(undoes.to_string()))?;
        let state = importer.state_now(&undone).await?;
        expect_undoable(&undone, state)?;
        let mut reversal = UndoRows::new(&store.catalog(self.organization).await?);
        let mut next = 0;
        while let Some((sequence, batch)) = store
            .recorded_changes(self.organization, undoes, next)
            .await?
        {
            next = sequence + 1;
            self.memory.grow(batch.len() * BYTES_PER_RECORDED_BYTE)?;
            changed_users::read(&batch, |user| reversal.add(&user))?;
            self.progress.set_received(reversal.count);
            if self.responses.is_gone() {
                return Err(ImportError::ClientGone);
            }
            if importer.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
        }
        let (rows, changes) = reversal.finish();
        self.matching = RowMatching::Undone(Arc::new(changes));
        self.undone = Some((undoes, undone.results));
        match rows.is_empty() {
            true => Err(nothing_changed(&undone).into()),
            false => Ok(rows),
        }
    }
}

/// Expects that an import in this state has changes that can be reversed.
fn expect_undoable(undone: &ImportRecord, state: ImportState) -> Result<(), Refusal> {
    let id = undone.id;
    let message = match state {
        ImportState::Applying => {
            let message = format!(
                "Import {id} is still being applied: cancel it, or wait until it has ended, and undo it then."
            );
            return Err(refusal("STILL_APPLYING", message));
        }
        _ if undone.options_digest.is_none() || state == ImportState::Held => {
            format!(
                "Import {id} has changed nothing (its state is {}).",
                state.name().to_uppercase()
            )
        }
        _ if !undone.changes_kept => format!(
            "The values that import {id} changed are not kept any more, so it cannot be undone. \
             Import the values that the users should have."
        ),
        _ => return Ok(()),
    };
    Err(refusal("NOTHING_TO_UNDO", message))
}

fn nothing_changed(undone: &ImportRecord) -> Refusal {
    let message = format!("Import {} has changed no user.", undone.id);
    refusal("NOTHING_TO_UNDO", message)
}

fn refusal(code: &'static str, message: String) -> Refusal {
    Refusal::precondition(code, "import_id", message)
}

/// Collects rows, and the changes that they reverse.
struct UndoRows {
    names: NamesById,
    rows: RowPacker,
    /// The users as the import left them.
    left: UserPacker,
    changes: Vec<(ColumnSet, Option<Uuid>)>,
    count: u32,
}

/// Returns the text that a roster has for a recorded value. For an entry of the catalog this is its present name, or its
/// former name if it has been removed.
fn roster_text<'a>(names: &'a NamesById, column: Column, value: RecordedValue<'a>) -> &'a str {
    match column {
        Column::Role | Column::Rank | Column::EvidenceGroupExtId => {
            let Some((number, former_name)) = value.entry() else {
                return "";
            };
            let name = match column {
                Column::Role => names.role(RoleId(number)),
                Column::Rank => names.rank(RankId::new(number)),
                _ => names.group_external_id(GroupId::new(number)),
            };
            name.unwrap_or(former_name)
        }
        Column::SupervisorEmail => value.user().map_or("", |(_, email)| email),
        _ => value.text(),
    }
}

impl UndoRows {
    fn new(catalog: &Catalog) -> Self {
        Self {
            names: NamesById::new(catalog),
            rows: RowPacker::default(),
            left: UserPacker::default(),
            changes: Vec::new(),
            count: 0,
        }
    }

    fn add(&mut self, user: &ChangedUser<'_>) {
        self.count = self.count.saturating_add(1);
        let mut parts = RowParts {
            number: self.count,
            ..RowParts::default()
        };
        let mut supervisor = None;
        if user.is_created {
            // An account is never deleted.
            parts.values[Column::Status as usize] = Some(Status::Inactive.as_str());
        }
        for change in user.changes.iter().filter(|_| !user.is_created) {
            let text = roster_text(&self.names, change.column, change.before);
            parts.values[change.column as usize] = Some(text);
            if change.column == Column::SupervisorEmail {
                supervisor = change.before.user().map(|(id, _)| id);
            }
        }
        self.rows.push(&parts);
        let changed = user.changes.iter().map(|change| change.column).collect();
        self.changes.push((changed, supervisor));
        self.add_left(user);
    }

    fn add_left(&mut self, user: &ChangedUser<'_>) {
        let after = |column| {
            let change = user.changes.iter().find(|change| change.column == column);
            change.map(|change| change.after)
        };
        let entry = |column| Some(after(column)?.entry()?.0);
        let mut texts = [""; Column::TEXTS.len()];
        for (text, column) in texts.iter_mut().zip(Column::TEXTS.iter()) {
            *text = after(column).map_or("", RecordedValue::text);
        }
        let role = RoleId(entry(Column::Role).unwrap_or_default());
        let left = self.left.push(user.id, role, texts);
        left.rank = entry(Column::Rank).and_then(RankId::new);
        left.group = entry(Column::EvidenceGroupExtId).and_then(GroupId::new);
        let supervisor = after(Column::SupervisorEmail);
        left.supervisor = supervisor.and_then(RecordedValue::user).map(|(id, _)| id);
        let status = after(Column::Status).map(RecordedValue::text);
        left.status = status.and_then(Status::parse).unwrap_or(Status::Active);
    }

    fn finish(self) -> (Vec<Row>, UndoneChanges) {
        let left = self.left.finish().into_iter().zip(self.changes);
        let changes = left.map(|(left, (changed, supervisor))| UndoneChange {
            left,
            changed,
            supervisor,
        });
        (self.rows.finish(), UndoneChanges::new(changes.collect()))
    }
}
