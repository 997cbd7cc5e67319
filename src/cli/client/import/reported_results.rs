//! The results of an import that have been shown, so that a later attempt shows only the others.

use std::collections::{HashMap, HashSet};

use crate::proto::{ImportUsersResponse, import_users_response::Message};

/// Rows and users that have been shown.
///
/// A resumed import sends its recorded results again (semantics §8). The results of an attempt that was not
/// resumed were only a preview, and are forgotten.
#[derive(Debug, Default)]
pub(super) struct ReportedResults {
    rows: RowNumberSet,
    deactivated: HashSet<String>,
}

impl ReportedResults {
    /// Returns `answer` without the results that have been shown, or `None` if nothing is left.
    pub(super) fn retain_new(
        &mut self,
        mut answer: ImportUsersResponse,
    ) -> Option<ImportUsersResponse> {
        let is_news = match &mut answer.message {
            Some(Message::Started(started)) => {
                if !started.resumed {
                    *self = Self::default();
                }
                true
            }
            Some(Message::Results(results)) => {
                let results = &mut results.results;
                results.retain(|result| self.rows.insert(result.row));
                !results.is_empty()
            }
            Some(Message::Deactivations(more)) => {
                let users = &mut more.users;
                users.retain(|user| self.deactivated.insert(user.user_id.clone()));
                !users.is_empty()
            }
            _ => true,
        };
        is_news.then_some(answer)
    }
}

/// Row numbers, in words of 64 neighbours: rows come mostly in order.
#[derive(Debug, Default)]
struct RowNumberSet(HashMap<u32, u64>);

impl RowNumberSet {
    /// Adds a row. Returns `false` if it was there.
    fn insert(&mut self, row: u32) -> bool {
        let word = self.0.entry(row / u64::BITS).or_default();
        let before = *word;
        *word |= 1 << (row % u64::BITS);
        *word != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{DeactivatedUser, Deactivations, ImportStarted, RowResult, RowResults};

    fn started(resumed: bool) -> Message {
        Message::Started(ImportStarted {
            resumed,
            ..ImportStarted::default()
        })
    }

    fn results(rows: &[u32]) -> Message {
        let result = |&row| RowResult {
            row,
            ..RowResult::default()
        };
        let results = rows.iter().map(result).collect();
        Message::Results(RowResults::new(results))
    }

    fn deactivations(ids: &[&str]) -> Message {
        let user = |id: &&str| DeactivatedUser {
            user_id: (*id).to_owned(),
            ..DeactivatedUser::default()
        };
        let users = ids.iter().map(user).collect();
        Message::Deactivations(Deactivations { users })
    }

    fn retain_new(messages: Vec<Message>) -> Vec<Message> {
        let mut shown = ReportedResults::default();
        let answers = messages.into_iter().map(|message| ImportUsersResponse {
            message: Some(message),
        });
        answers
            .filter_map(|answer| shown.retain_new(answer)?.message)
            .collect()
    }

    #[test]
    fn row_numbers_of_all_sizes_are_distinguished() {
        let mut rows = RowNumberSet::default();
        let numbers = [0, 1, 63, 64, 127, 1_000_000, u32::MAX];
        assert!(numbers.into_iter().all(|row| rows.insert(row)));
        assert!(numbers.into_iter().all(|row| !rows.insert(row)));
        assert!(rows.insert(2) && rows.insert(65));
    }

    #[test]
    fn a_resumed_import_shows_only_the_rest() {
        let told = vec![
            started(false),
            results(&[1, 3]),
            deactivations(&["a"]),
            started(true),
            results(&[1, 3]),
            results(&[2, 3]),
            deactivations(&["a", "b"]),
        ];
        let shown = [
            started(false),
            results(&[1, 3]),
            deactivations(&["a"]),
            started(true),
            results(&[2]),
            deactivations(&["b"]),
        ];
        assert_eq!(retain_new(told), shown);
    }

    #[test]
    fn a_preview_that_begins_again_is_shown_again() {
        let told = vec![started(false), results(&[1]), started(false), results(&[1])];
        assert_eq!(retain_new(told.clone()), told);
    }
}
