//! Rows and plans without a server: a file as an import reads it, and its plan on a snapshot.

use std::sync::Arc;

use user_import::{
    domain::{RawRow, Row},
    import::{PlannedImport, PlanningInput},
    input::{CsvDecoder, CsvOptions, InputLimits},
    plan::{ByRow, DigestKey, MatchBy, PlanPermissions, PlanningTerms, RowMatching},
    store::Snapshot,
};
use uuid::Uuid;

/// Returns the rows of a file, with their values checked.
pub fn rows_of(csv: &[u8]) -> Arc<ByRow<Row>> {
    let mut rows = Vec::new();
    let (options, limits) = (CsvOptions::default(), InputLimits::default());
    let mut keep = |raw: &RawRow<'_>| rows.push(Row::parse(raw));
    let (_, faults) = CsvDecoder::decode_file(&options, limits, [csv], &mut keep);
    assert!(faults.is_empty(), "{faults:?}");
    rows.shrink_to_fit();
    Arc::new(rows.into())
}

/// Returns the plan of rows, with every permission.
pub fn planned_on(
    rows: &Arc<ByRow<Row>>,
    snapshot: Snapshot,
    match_by: Option<MatchBy>,
) -> PlannedImport {
    let terms = PlanningTerms {
        matching: RowMatching::ByKeys(match_by),
        scope: None,
        permitted: PlanPermissions::EVERYTHING,
        file_columns: Arc::default(),
        digest_key: DigestKey::new(&[7; 32]),
    };
    let input = PlanningInput {
        rows: Arc::clone(rows),
        snapshot,
        import: Uuid::from_u128(7),
        terms,
    };
    PlannedImport::new(input, &|| true).expect("it is wanted to the end")
}
