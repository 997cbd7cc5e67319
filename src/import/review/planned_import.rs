//! An import that has been planned: its rows, the snapshot it was planned on, and the verdicts.

use std::{borrow::Cow, sync::Arc};

use prost::Message;
use uuid::Uuid;

use super::first_plan_warnings::{Noted, is_about_others};
use crate::{
    domain::{Catalog, Column, Issue, IssueCode, Row, Severity, Tally},
    plan::{
        self, Decision, DigestKey, Directory, MatchBy, Outcome, Permitted, Plan, Request, Scope,
    },
    proto::{
        self, ColumnChange, DeactivatedUser, Deactivations, ImportSummary, IssueSeverity,
        ResultFilter, RowOutcome, RowResult, RowResults,
    },
    store::Snapshot,
};

/// Encoded size at which a message of results is sent. No message is over 1 MiB: one result has at
/// most a few dozen KiB.
pub(crate) const MESSAGE_BYTES: usize = 256 * 1024;

/// Most users whose being left alone is said one by one: a summary is a message like others.
pub(crate) const NAMED_SKIPPED: usize = 200;

/// What a plan is made under, besides the rows and the directory.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whom `deactivate_missing` looks at, where it was asked for.
    pub scope: Option<Scope>,
    /// How rows find their users besides the external ID.
    pub match_by: Option<MatchBy>,
    /// What whoever asks for the import may do.
    pub permitted: Permitted,
    /// The organisation's key for the plan's digest.
    pub digest_key: DigestKey,
}

/// Rows with the decision on each. Everything that is told about them is derived from here, when
/// it is told.
#[derive(Debug)]
pub struct Judged {
    /// The rows, in order.
    pub rows: Arc<Vec<Row>>,
    /// The organisation's revision that they were planned on.
    pub revision: i64,
    /// The users then.
    pub directory: Directory,
    /// The catalog then.
    pub catalog: Catalog,
    /// The decisions.
    pub plan: Plan,
    import: Uuid,
    terms: Terms,
    /// The warnings of the first plan, where this is a later one.
    noted: Option<Arc<Noted>>,
    /// IDs of the users that rows create, by row; nil for other rows. Empty where no row creates one, and in a
    /// dry run.
    ids: Vec<Uuid>,
}

impl Judged {
    /// Plans `rows` on `snapshot`, for as long as that is `wanted`. Pure computation; for a million rows it
    /// takes seconds. `None`: it was not wanted to the end.
    #[must_use]
    pub fn new(
        rows: Arc<Vec<Row>>,
        snapshot: Snapshot,
        import: Uuid,
        terms: Terms,
        wanted: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let directory = Directory::new(snapshot.users, &rows, terms.match_by);
        let catalog = snapshot.catalog;
        let request = Request {
            rows: &rows,
            directory: &directory,
            catalog: &catalog,
            import_id: import,
            deactivate_missing: terms.scope.as_ref(),
            permitted: terms.permitted,
            digest_key: &terms.digest_key,
        };
        let plan = plan::plan_while(&request, wanted)?;
        Some(Self {
            rows,
            revision: snapshot.revision,
            directory,
            catalog,
            plan,
            import,
            terms,
            noted: None,
            ids: Vec::new(),
        })
    }

    /// Makes this a later plan of rows that an earlier one had these warnings for.
    #[must_use]
    pub fn after(mut self, noted: &Arc<Noted>) -> Self {
        self.noted = Some(Arc::clone(noted));
        self
    }

    /// The warnings of the rows that are to be written.
    #[must_use]
    pub fn noted(&self) -> Noted {
        let request = self.request();
        let warned = |row: &u32| self.plan.codes(&request, *row).any(is_about_others);
        let rows = self.plan.order.rows().iter().copied().filter(warned);
        let mut noted = Noted::default();
        noted.add(rows.map(|row| self.result(row as usize, false)));
        noted
    }

    /// Gives the users to be created their IDs.
    pub fn assign_ids(&mut self) {
        let creates = |decision: &Decision| decision.outcome == Outcome::Created;
        let id = |decision: &Decision| match creates(decision) {
            true => Uuid::now_v7(),
            false => Uuid::nil(),
        };
        let decisions = &self.plan.decisions;
        self.ids = match decisions.iter().any(creates) {
            true => decisions.iter().map(id).collect(),
            false => Vec::new(),
        };
    }

    /// What it was planned under.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What the plan was made from.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request {
            rows: &self.rows,
            directory: &self.directory,
            catalog: &self.catalog,
            import_id: self.import,
            deactivate_missing: self.terms.scope.as_ref(),
            permitted: self.terms.permitted,
            digest_key: &self.terms.digest_key,
        }
    }

    /// ID of the user that a row created or matched, where there is one.
    #[must_use]
    pub fn user_id(&self, row: usize) -> Option<Uuid> {
        let number = u32::try_from(row).ok()?;
        match self.directory.user_of(number) {
            Some(user) => Some(self.directory.users()[user as usize].id),
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
                .map(Cow::into_owned)
                .unwrap_or_default(),
            changes: self.changes(row, include_values),
            issues: self.issues(row),
        }
    }

    pub(crate) fn issues(&self, row: usize) -> Vec<proto::Issue> {
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        let issues = self.plan.issues(&self.request(), number);
        let issues = issues.iter().map(proto::Issue::from).collect();
        match &self.noted {
            Some(noted) => noted.settle(self.rows[row].number, issues),
            None => issues,
        }
    }

    pub(crate) fn changes(&self, row: usize, include_values: bool) -> Vec<ColumnChange> {
        let request = self.request();
        let changed = self.plan.decisions[row].changes.iter();
        let change = |column: Column| {
            let (before, after) = match include_values {
                true => self.plan.change_values(&request, row, column),
                false => (None, None),
            };
            ColumnChange {
                column: column.header().to_owned(),
                before: before.map(Cow::into_owned),
                after: after.map(Cow::into_owned),
            }
        };
        changed.map(change).collect()
    }

    /// The users to deactivate because they are not listed.
    pub fn missing(&self) -> impl Iterator<Item = DeactivatedUser> {
        self.plan.deactivations.iter().map(|&user| {
            let user = &self.directory.users()[user as usize];
            DeactivatedUser {
                user_id: user.id.to_string(),
                external_id: user.external_id().to_owned(),
                email: user.email().to_owned(),
            }
        })
    }

    /// Says of each user who is missing and whom the caller may not deactivate that he or she stays;
    /// of the first two hundred, and then how many more.
    #[must_use]
    pub fn skipped(&self) -> Vec<Issue> {
        let skipped = &self.plan.privileged_skipped;
        let users = self.directory.users();
        let named = skipped.iter().take(NAMED_SKIPPED);
        let mut warnings: Vec<_> = named
            .map(|&user| left_active(users[user as usize].external_id()))
            .collect();
        let more = skipped.len() - warnings.len();
        if more > 0 {
            let message = format!("{more} more users with a privileged role are left Active.");
            let code = IssueCode::RoleNotGrantable;
            warnings.push(Issue::warning(code, Column::ExternalId, "", message));
        }
        warnings
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
            count(&mut tally, decision.outcome);
        }
        tally
    }
}

fn left_active(external_id: &str) -> Issue {
    let message = format!(
        "User \"{external_id}\" is not listed but has a privileged role, and is left Active: to \
         deactivate such a user needs the permission users.grant-privileged."
    );
    let code = IssueCode::RoleNotGrantable;
    Issue::warning(code, Column::ExternalId, external_id, message).about_user(external_id)
}

/// Counts one row.
pub const fn count(tally: &mut Tally, outcome: Outcome) {
    match outcome {
        Outcome::Created => tally.created += 1,
        Outcome::Updated => tally.updated += 1,
        Outcome::Unchanged => tally.unchanged += 1,
        Outcome::Rejected => tally.rejected += 1,
    }
}

/// Counts one recorded row.
pub const fn count_result(tally: &mut Tally, outcome: RowOutcome) {
    match outcome {
        RowOutcome::Created => tally.created += 1,
        RowOutcome::Updated => tally.updated += 1,
        RowOutcome::Unchanged => tally.unchanged += 1,
        RowOutcome::Rejected | RowOutcome::Unspecified => tally.rejected += 1,
    }
}

/// Writes the counts into a summary.
pub const fn fill(summary: &mut ImportSummary, tally: &Tally) {
    summary.created = tally.created;
    summary.updated = tally.updated;
    summary.unchanged = tally.unchanged;
    summary.rejected = tally.rejected;
    summary.deactivated = tally.deactivated;
    summary.protected_skipped = tally.protected_skipped;
}

/// Verdicts as messages of bounded size.
pub fn verdicts(results: impl Iterator<Item = RowResult>) -> impl Iterator<Item = RowResults> {
    batches(results, RowResult::encoded_len).map(RowResults::new)
}

/// Deactivated users as messages of bounded size.
pub fn deactivations(
    users: impl Iterator<Item = DeactivatedUser>,
) -> impl Iterator<Item = Deactivations> {
    batches(users, DeactivatedUser::encoded_len).map(|users| Deactivations { users })
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

/// True where a recorded verdict is to be sent.
pub const fn passes_recorded(filter: ResultFilter, outcome: RowOutcome) -> bool {
    match filter {
        ResultFilter::Unspecified | ResultFilter::All => true,
        ResultFilter::ChangesAndRejections => !matches!(outcome, RowOutcome::Unchanged),
        ResultFilter::Rejections => matches!(outcome, RowOutcome::Rejected),
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
