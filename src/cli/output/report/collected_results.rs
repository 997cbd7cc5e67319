//! Collects what is shown of an import at its end.

use std::collections::BTreeMap;

use crate::proto::{
    DeactivatedUser, ImportStarted, ImportUsersResponse, Issue, IssueSeverity, RowOutcome,
    RowResult, import_users_response::Message,
};

/// What the answers of one import report, for the text at its end.
#[derive(Debug, Default)]
pub(crate) struct CollectedResults {
    /// How the server reads the file; `None` until the header is known.
    pub started: Option<ImportStarted>,
    /// Rejected rows by number: the first of them, or all.
    pub rejected: BTreeMap<u32, RowResult>,
    /// How many rows have been rejected.
    pub rejected_count: u32,
    /// Warnings on accepted rows, by code and column.
    pub warnings: BTreeMap<(i32, String), RowWarnings>,
    /// Rows that create or change a user, by number: the first of them, if they are reviewed.
    pub changed: BTreeMap<u32, RowResult>,
    /// How many rows create or change a user.
    pub changed_count: u32,
    /// Users deactivated as missing: the first of them.
    pub deactivated: Vec<DeactivatedUser>,
    /// `true` once the summary was received.
    pub ended: bool,
    keep: CollectLimits,
}

/// Warnings of one kind.
#[derive(Debug, Default)]
pub(crate) struct RowWarnings {
    /// How many there are.
    pub count: u32,
    /// Their messages, by row number: the first of them.
    pub messages: BTreeMap<u32, String>,
}

/// What to collect besides the rows that are always shown: an import may have a million rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CollectLimits {
    /// Every rejected row, for a file of them.
    pub all_rejected: bool,
    /// Rows that change something, and more deactivated users, for a review.
    pub review: bool,
}

impl CollectedResults {
    /// How many of each kind are shown to a person.
    pub(crate) const SHOWN: usize = 100;

    /// How many of each kind a review shows.
    pub(crate) const REVIEWED: usize = 10_000;

    /// Nothing yet.
    #[must_use]
    pub(crate) fn new(keep: CollectLimits) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// Collects what is shown of one answer.
    pub(crate) fn note(&mut self, answer: &ImportUsersResponse) {
        match &answer.message {
            Some(Message::Started(started)) => {
                if !started.resumed {
                    // The results of an attempt that was not resumed were only a preview.
                    *self = Self::new(self.keep);
                }
                // An attempt that ended before the header was read knows less about the file.
                if self.started.is_none() || !started.delimiter.is_empty() {
                    self.started = Some(started.clone());
                }
            }
            Some(Message::Results(results)) => {
                results
                    .results
                    .iter()
                    .for_each(|result| self.note_row(result));
            }
            Some(Message::Deactivations(more)) => {
                let limit = if self.keep.review {
                    Self::REVIEWED
                } else {
                    Self::SHOWN
                };
                let room = limit - self.deactivated.len();
                self.deactivated
                    .extend(more.users.iter().take(room).cloned());
            }
            Some(Message::Summary(_)) => self.ended = true,
            _ => {}
        }
    }

    fn note_row(&mut self, result: &RowResult) {
        if result.outcome() == RowOutcome::Rejected {
            self.rejected_count += 1;
            let limit = if self.keep.all_rejected {
                usize::MAX
            } else {
                Self::SHOWN
            };
            keep(&mut self.rejected, limit, result.row, || result.clone());
            return;
        }
        if matches!(result.outcome(), RowOutcome::Created | RowOutcome::Updated) {
            self.changed_count += 1;
            if self.keep.review {
                // With its warnings.
                keep(&mut self.changed, Self::REVIEWED, result.row, || {
                    result.clone()
                });
                return;
            }
        }
        for issue in result.issues.iter().filter(|issue| is_warning(issue)) {
            let kind = (issue.code, issue.column.clone());
            let warnings = self.warnings.entry(kind).or_default();
            warnings.count += 1;
            keep(&mut warnings.messages, Self::SHOWN, result.row, || {
                issue.message.clone()
            });
        }
    }
}

fn is_warning(issue: &Issue) -> bool {
    issue.severity() == IssueSeverity::Warning
}

/// Keeps the `limit` lowest rows: results need not come in row order.
fn keep<T>(rows: &mut BTreeMap<u32, T>, limit: usize, row: u32, value: impl FnOnce() -> T) {
    let full = rows.len() >= limit;
    if full && rows.last_key_value().is_some_and(|(&last, _)| last < row) {
        return;
    }
    rows.insert(row, value());
    if rows.len() > limit {
        rows.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::RowResults;

    fn rejections(rows: impl IntoIterator<Item = u32>) -> ImportUsersResponse {
        let result = |row| RowResult {
            row,
            outcome: RowOutcome::Rejected.into(),
            ..RowResult::default()
        };
        let results = rows.into_iter().map(result).collect();
        ImportUsersResponse {
            message: Some(Message::Results(RowResults::new(results))),
        }
    }

    #[test]
    fn the_lowest_rows_are_kept_in_whatever_order_they_come() {
        let mut collected = CollectedResults::new(CollectLimits::default());
        collected.note(&rejections((1..=300).rev()));
        let kept: Vec<u32> = collected.rejected.keys().copied().collect();
        assert_eq!(kept, (1..=100).collect::<Vec<u32>>());
        assert_eq!(collected.rejected_count, 300);
    }

    #[test]
    fn all_are_kept_for_a_file_of_them() {
        let mut collected = CollectedResults::new(CollectLimits {
            all_rejected: true,
            review: false,
        });
        collected.note(&rejections(1..=300));
        assert_eq!(collected.rejected.len(), 300);
    }
}
