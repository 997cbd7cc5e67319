//! Twice in the file (semantics §5 b): of two rows with the same key, the later is rejected.

use super::finding::{Finding, Findings};
use super::keys::Key;
use super::links::indices;
use super::state::State;

/// Rejects, in row order, each standing row that has a key of an earlier row that still stands.
pub(super) fn reject_duplicates(state: &mut State<'_>, findings: &mut Findings) {
    for row in indices(state.roster.rows) {
        if state.stands(row) {
            admit(state, row, findings);
        }
    }
    state.note_fallen();
}

fn admit(state: &mut State<'_>, row: u32, findings: &mut Findings) {
    let keys = Key::ALL.map(|key| Some((key, state.roster.wanted(key, row)?)));
    let mut clashes = false;
    for (key, id) in keys.into_iter().flatten() {
        if let Some(earlier) = state.claim(key, id) {
            findings.push(row, Finding::Duplicate { key, row: earlier });
            clashes = true;
        }
    }
    if clashes {
        return state.reject(row);
    }
    for (key, id) in keys.into_iter().flatten() {
        state.set_claim(key, id, row);
    }
}
