//! Twice in the file (semantics §5 b): rows that contradict each other about one user, and keys that several rows give
//! to different users. All rows are judged at once, so that their order does not matter.

use hashbrown::HashMap;

use super::decision::Decision;
use super::finding::{Finding, Findings};
use super::judgement_state::JudgementState;
use super::row_copies::RowCopies;
use crate::plan::index::{ByRow, Key, KeyId, RosterIndex, RowIndex, held};

/// Sets the copies of rows aside, and rejects the rows that cannot all be right.
pub(crate) fn reject_duplicates(
    state: &mut JudgementState<'_>,
    decisions: &ByRow<Decision>,
    findings: &mut Findings,
) {
    if !claim_keys(state, &Key::ALL, |_| {}) {
        let copies = RowCopies::find(state.roster, decisions, state.passed());
        state.set_aside(copies);
        let mut rejected = Vec::new();
        // One key after the other: the data about rows that share a key takes several times the memory of a row.
        for key in Key::ALL {
            let mut shared = SharedKey::default();
            claim_keys(state, &[key], |clash| shared.add(state.roster, &clash));
            for (row, finding) in shared.judge(state, key) {
                findings.push(row, finding);
                rejected.push(row);
            }
        }
        for row in rejected {
            state.reject(row);
        }
        claim_keys(state, &Key::ALL, |_| {});
    }
    state.note_fallen();
}

/// A key that two rows want: the first row with it, and another.
#[derive(Clone, Copy)]
struct KeyClash {
    key: Key,
    id: KeyId,
    first: RowIndex,
    row: RowIndex,
}

/// Lets each standing row claim those of its keys that are in `keys`, and calls `tell` for each key that an earlier row
/// has claimed. Returns `true` if there is no such key.
fn claim_keys(
    state: &mut JudgementState<'_>,
    keys: &[Key],
    mut tell: impl FnMut(KeyClash),
) -> bool {
    state.clear_claims();
    let mut is_clear = true;
    for row in state.roster.rows.indices() {
        if !state.stands(row) {
            continue;
        }
        let claimed = state.roster.claimed_keys(row);
        for (key, id) in claimed.filter(|(key, _)| keys.contains(key)) {
            match state.claim(key, id) {
                None => state.set_claim(key, id, row),
                Some(first) => {
                    is_clear = false;
                    tell(KeyClash {
                        key,
                        id,
                        first,
                        row,
                    });
                }
            }
        }
    }
    is_clear
}

/// The values of one key that several rows want.
#[derive(Default)]
struct SharedKey {
    ids: HashMap<KeyId, RowsSharingKey>,
    clashes: Vec<KeyClash>,
}

/// The rows that want one key.
struct RowsSharingKey {
    /// The lowest of the rows.
    first: RowIndex,
    /// The lowest row that the message to `first` can name: a row about another user, or, for an external ID, any row.
    second: Option<RowIndex>,
    /// The lowest row whose user has the key already.
    keeper: Option<RowIndex>,
}

impl SharedKey {
    fn add(&mut self, roster: &RosterIndex<'_>, clash: &KeyClash) {
        let keeps = |row: RowIndex| roster.user(row).map(held) == Some(clash.id);
        let first = clash.first;
        let sharing = self.ids.entry(clash.id);
        let sharing = sharing.or_insert_with(|| RowsSharingKey {
            first,
            second: None,
            keeper: Some(first).filter(|&row| keeps(row)),
        });
        if sharing.second.is_none() && is_rival(roster, clash.key, first, clash.row) {
            sharing.second = Some(clash.row);
        }
        if sharing.keeper.is_none() && keeps(clash.row) {
            sharing.keeper = Some(clash.row);
        }
        self.clashes.push(*clash);
    }

    /// Returns the rows to reject for `key`, in order, each once.
    fn judge(self, state: &JudgementState<'_>, key: Key) -> Vec<(RowIndex, Finding)> {
        let firsts = self.ids.iter().map(|(&id, sharing)| (sharing.first, id));
        let others = self.clashes.iter().map(|clash| (clash.row, clash.id));
        let mut members: Vec<(RowIndex, KeyId)> = firsts.chain(others).collect();
        members.sort_unstable();
        let mut rejected: Vec<(RowIndex, Finding)> = Vec::new();
        for (row, id) in members {
            let Some(finding) = self.ids[&id].judge(state.roster, key, row) else {
                continue;
            };
            match rejected.last_mut() {
                // A row that finds its user by `match_by` claims both the user and the new external ID.
                Some((known, last)) if *known == row => {
                    *last = last.naming_the_lower(finding);
                }
                _ => rejected.push((row, finding)),
            }
        }
        rejected
    }
}

impl RowsSharingKey {
    /// Returns the finding about `row`, which wants this key: it cannot have the key beside the row that the finding
    /// names. Returns `None` if `row` can have it.
    fn judge(&self, roster: &RosterIndex<'_>, key: Key, row: RowIndex) -> Option<Finding> {
        let keeper = self.keeper.filter(|_| key != Key::ExternalId);
        let other = match keeper {
            Some(keeper) => Some(keeper),
            None if is_rival(roster, key, row, self.first) => Some(self.first),
            None => self.second,
        };
        let other = other.filter(|&other| is_rival(roster, key, row, other))?;
        Some(Finding::Duplicate {
            key,
            row: other,
            kept: keeper.is_some(),
        })
    }
}

/// Returns `true` if the two rows cannot both have the key. Two rows about one user contradict each other only once, by
/// their external ID, and not again by each other key.
fn is_rival(roster: &RosterIndex<'_>, key: Key, one: RowIndex, other: RowIndex) -> bool {
    match key {
        Key::ExternalId => one != other,
        _ => roster.subject(one) != roster.subject(other),
    }
}
