//! Counts the rows that wait for a rejected row (semantics §5, Consequences). Knows only the findings.

use hashbrown::HashMap;

use crate::plan::index::Links;
use crate::plan::judge::{Finding, Findings};

/// Returns, by row at the root of a chain of rejections, the number of rows that are rejected because of it.
pub(crate) fn count_waiting(rows: u32, findings: &Findings) -> HashMap<u32, u32> {
    let mut causes = Links::default();
    for row in 0..rows {
        if let Some(cause) = findings.of(row).find_map(cause) {
            if causes.len() == 0 {
                causes = Links::none(rows as usize);
            }
            causes.set(row, Some(cause));
        }
    }
    let mut waiting = HashMap::new();
    if causes.len() > 0 {
        for row in 0..rows {
            if causes.get(row).is_some() {
                *waiting.entry(root(&mut causes, row)).or_insert(0) += 1;
            }
        }
    }
    waiting
}

/// Returns the row that caused a rejection. It was rejected in an earlier round, so no chain forms a circle.
const fn cause(finding: Finding) -> Option<u32> {
    match finding {
        Finding::KeptByRejection { row, .. } | Finding::SupervisorRejected { row } => Some(row),
        _ => None,
    }
}

/// Returns the root above `row`. Links every row on the way to the root directly, so that no path is walked twice.
fn root(causes: &mut Links, row: u32) -> u32 {
    let mut way = Vec::new();
    let mut at = row;
    while let Some(cause) = causes.get(at) {
        way.push(at);
        at = cause;
    }
    for row in way {
        causes.set(row, Some(at));
    }
    at
}
