//! An import that has been planned: its rows, the snapshot it was planned on, and the verdicts.

use prost::Message;
use uuid::Uuid;

use crate::{
    domain::{Issue, Row, Severity},
    plan::{self, Decision, Outcome, Plan, Request, Scope},
    proto::{
        self, ColumnChange, DeactivatedUser, Deactivations, ImportSummary, IssueSeverity,
        ResultFilter, RowOutcome, RowResult, RowResults, import_users_response::Message as Reply,
    },
    store::Snapshot,
};

/// Encoded size at which a message of results is sent. No message is over 1 MiB: one result has at
/// most a few dozen KiB.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Rows with the decision on each. Everything that is told about them is derived from here, when
/// it is told.
#[derive(Debug)]
pub struct Judged {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// What they were planned on.
    pub snapshot: Snapshot,
    /// The decisions.
    pub plan: Plan,
    import: Uuid,
    scope: Option<Scope>,
    /// IDs of the users that rows create, by row; nil for other rows, and in a dry run.
    ids: Vec<Uuid>,
}

/// Counts of an import's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that made a user.
    pub created: u32,
    /// Rows that changed a user.
    pub updated: u32,
    /// Rows whose user has these values already.
    pub unchanged: u32,
    /// Rows that were not applied.
    pub rejected: u32,
    /// Users deactivated because they are not listed.
    pub deactivated: u32,
    /// Users not listed who stay active because they are protected.
    pub protected_skipped: u32,
}

impl Judged {
    /// Plans `rows` on `snapshot`. Pure computation; for a million rows it takes seconds.
    #[must_use]
    pub fn new(rows: Vec<Row>, snapshot: Snapshot, import: Uuid, scope: Option<Scope>) -> Self {
        let plan = plan::plan(&Request {
            rows: &rows,
            directory: &snapshot.directory,
            catalog: &snapshot.catalog,
            import_id: import,
            deactivate_missing: scope.as_ref(),
        });
        Self {
            rows,
            snapshot,
            plan,
            import,
            scope,
            ids: Vec::new(),
        }
    }

    /// Gives the users to be created their IDs.
    pub fn assign_ids(&mut self) {
        let id = |decision: &Decision| match decision.outcome {
            Outcome::Created => Uuid::now_v7(),
            _ => Uuid::nil(),
        };
        self.ids = self.plan.decisions.iter().map(id).collect();
    }

    /// Whom `deactivate_missing` looks at, where it was asked for.
    #[must_use]
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// What the plan was made from.
    #[must_use]
    pub const fn request(&self) -> Request<'_> {
        Request {
            rows: self.rows.as_slice(),
            directory: &self.snapshot.directory,
            catalog: &self.snapshot.catalog,
            import_id: self.import,
            deactivate_missing: self.scope.as_ref(),
        }
    }

    /// ID of the user that a row created or matched, where there is one.
    #[must_use]
    pub fn user_id(&self, row: usize) -> Option<Uuid> {
        match self.plan.decisions[row].user {
            Some(user) => Some(self.snapshot.directory.users()[user as usize].id),
            None => self.ids.get(row).copied().filter(|id| !id.is_nil()),
        }
    }

    /// Indices of the rows that are not to be written: rejected and unchanged ones.
    pub fn settled(&self) -> impl Iterator<Item = u32> {
        (0u32..)
            .zip(&self.plan.decisions)
            .filter(|(_, d)| matches!(d.outcome, Outcome::Rejected | Outcome::Unchanged))
            .map(|(row, _)| row)
    }

    /// The verdict on one row.
    #[must_use]
    pub fn result(&self, row: usize, include_values: bool) -> RowResult {
        let (input, decision) = (&self.rows[row], &self.plan.decisions[row]);
        let request = self.request();
        RowResult {
            row: input.number,
            line: input.line,
            outcome: RowOutcome::from(decision.outcome).into(),
            user_id: self
                .user_id(row)
                .map(|id| id.to_string())
                .unwrap_or_default(),
            external_id: self
                .plan
                .external_id(&request, row)
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default(),
            changes: self.changes(row, include_values),
            issues: decision.issues.iter().map(proto::Issue::from).collect(),
        }
    }

    fn changes(&self, row: usize, include_values: bool) -> Vec<ColumnChange> {
        let request = self.request();
        let changed = self.plan.decisions[row].changes.iter();
        let change = |column: crate::domain::Column| {
            let (before, after) = match include_values {
                true => self.plan.change_values(&request, row, column),
                false => (None, None),
            };
            ColumnChange {
                column: column.header().to_owned(),
                before: before.map(std::borrow::Cow::into_owned),
                after: after.map(std::borrow::Cow::into_owned),
            }
        };
        changed.map(change).collect()
    }

    /// The verdicts on `rows` that pass the filter, as messages of bounded size.
    pub fn results(
        &self,
        rows: impl IntoIterator<Item = u32>,
        filter: ResultFilter,
        include_values: bool,
    ) -> impl Iterator<Item = Reply> {
        let results = rows
            .into_iter()
            .map(|row| row as usize)
            .filter(move |&row| passes(filter, self.plan.decisions[row].outcome))
            .map(move |row| self.result(row, include_values));
        messages(results)
    }

    /// Users of the snapshot by index, as messages of bounded size.
    pub fn deactivations(
        &self,
        users: impl IntoIterator<Item = u32>,
    ) -> impl Iterator<Item = Reply> {
        let users = users.into_iter().map(|user| {
            let user = &self.snapshot.directory.users()[user as usize];
            DeactivatedUser {
                user_id: user.id.to_string(),
                external_id: user.external_id().to_owned(),
                email: user.email().to_owned(),
            }
        });
        batches(users, DeactivatedUser::encoded_len)
            .map(|users| Reply::Deactivations(Deactivations { users }))
    }

    /// The counts if all goes as planned.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            deactivated: u32::try_from(self.plan.deactivations.len()).unwrap_or(u32::MAX),
            protected_skipped: self.plan.protected_skipped,
            ..Tally::default()
        };
        for decision in &self.plan.decisions {
            tally.count(decision.outcome);
        }
        tally
    }
}

impl Tally {
    /// Counts one row.
    pub const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Rejected => self.rejected += 1,
        }
    }

    /// Writes the counts into a summary.
    pub const fn fill(&self, summary: &mut ImportSummary) {
        summary.rows = self.created + self.updated + self.unchanged + self.rejected;
        summary.created = self.created;
        summary.updated = self.updated;
        summary.unchanged = self.unchanged;
        summary.rejected = self.rejected;
        summary.deactivated = self.deactivated;
        summary.protected_skipped = self.protected_skipped;
    }
}

/// Verdicts as messages of bounded size.
pub fn messages(results: impl Iterator<Item = RowResult>) -> impl Iterator<Item = Reply> {
    batches(results, RowResult::encoded_len).map(|results| Reply::Results(RowResults { results }))
}

/// Groups items until their encoded size reaches [`MESSAGE_BYTES`].
fn batches<T>(
    items: impl Iterator<Item = T>,
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.peekable();
    std::iter::from_fn(move || {
        items.peek()?;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < MESSAGE_BYTES
            && let Some(item) = items.next()
        {
            bytes += size(&item);
            batch.push(item);
        }
        Some(batch)
    })
}

const fn passes(filter: ResultFilter, outcome: Outcome) -> bool {
    match filter {
        ResultFilter::Unspecified | ResultFilter::All => true,
        ResultFilter::ChangesAndRejections => !matches!(outcome, Outcome::Unchanged),
        ResultFilter::Rejections => matches!(outcome, Outcome::Rejected),
    }
}

impl From<Outcome> for RowOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Created => Self::Created,
            Outcome::Updated => Self::Updated,
            Outcome::Unchanged => Self::Unchanged,
            Outcome::Rejected => Self::Rejected,
        }
    }
}

impl From<&Issue> for proto::Issue {
    fn from(issue: &Issue) -> Self {
        let severity = match issue.severity {
            Severity::Error => IssueSeverity::Error,
            Severity::Warning => IssueSeverity::Warning,
        };
        Self {
            severity: severity.into(),
            // The two lists have the same numbers; a test holds them together.
            code: i32::from(issue.code as u8),
            column: issue
                .column
                .map(|c| c.header().to_owned())
                .unwrap_or_default(),
            value: issue.value.to_string(),
            message: issue.message.to_string(),
            suggestion: issue.suggestion.to_string(),
            related_row: issue.related_row.unwrap_or_default(),
            related_external_id: issue.related_external_id.to_string(),
        }
    }
}
