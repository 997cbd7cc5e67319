//! Counts the rows that wait for a rejected row (semantics §5, Consequences). Knows only the findings.

use hashbrown::HashMap;

use crate::plan::index::{ByRow, RowIndex};
use crate::plan::judge::{Finding, Findings};

/// Returns, by row at the root of a chain of rejections, the number of rows that are rejected because of it.
pub(crate) fn count_waiting(
    rows: impl Iterator<Item = RowIndex>,
    findings: &Findings,
) -> HashMap<RowIndex, u32> {
    let causes = rows.map(|row| findings.of(row).find_map(cause));
    let mut causes: ByRow<Option<RowIndex>> = causes.collect();
    let mut waiting = HashMap::new();
    for row in causes.indices() {
        if causes[row].is_some() {
            *waiting.entry(root(&mut causes, row)).or_insert(0) += 1;
        }
    }
    waiting
}

/// Returns the row that caused a rejection. It was rejected in an earlier round, so no chain forms a circle.
const fn cause(finding: Finding) -> Option<RowIndex> {
    match finding {
        Finding::KeptByRejection { row, .. } | Finding::SupervisorRejected { row } => Some(row),
        _ => None,
    }
}

/// Returns the root above `row`. Links every row on the way to the root directly, so that no path is walked twice.
fn root(causes: &mut ByRow<Option<RowIndex>>, row: RowIndex) -> RowIndex {
    let mut way = Vec::new();
    let mut at = row;
    while let Some(cause) = causes[at] {
        way.push(at);
        at = cause;
    }
    for row in way {
        causes[row] = Some(at);
    }
    at
}
