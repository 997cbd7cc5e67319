//! Encodes results of planned rows as the contract's `RowResults` directly from the plan, for the record and for the
//! wire. Building each as a message first would take several times as long; a test compares both.

use bytes::{BufMut, Bytes, BytesMut};
use prost::encoding::{
    WireType, encode_key, encode_varint, encoded_len_varint, int32, message, uint32,
};
use uuid::Uuid;

use crate::import::{
    ResultFilter, messages,
    review::{PlannedImport, planned_import},
};
use crate::{
    domain::{Column, ColumnSet, OutcomeCounts},
    plan::RowIndex,
    proto::{RowOutcome, RowResults},
};

/// The contract's field numbers.
mod field {
    pub(crate) const RESULTS: u32 = 1;
    pub(crate) const ROW: u32 = 1;
    pub(crate) const LINE: u32 = 2;
    pub(crate) const OUTCOME: u32 = 3;
    pub(crate) const USER_ID: u32 = 4;
    pub(crate) const EXTERNAL_ID: u32 = 5;
    pub(crate) const CHANGES: u32 = 6;
    pub(crate) const ISSUES: u32 = 7;
    pub(crate) const COLUMN: u32 = 1;
}

/// A message of bounded size, and the counts of its rows.
#[derive(Debug)]
pub(crate) struct EncodedMessage {
    pub(crate) message: Bytes,
    pub(crate) counts: OutcomeCounts,
}

impl PlannedImport {
    /// The results of `rows` for the record: all of them, without values.
    pub(crate) fn recorded(
        &self,
        rows: impl IntoIterator<Item = RowIndex>,
    ) -> impl Iterator<Item = EncodedMessage> {
        self.encoded(rows.into_iter(), false)
    }

    /// The results of the `rows` that pass the filter, as messages of bounded size.
    pub fn results(
        &self,
        rows: impl IntoIterator<Item = RowIndex>,
        filter: ResultFilter,
        include_values: bool,
    ) -> impl Iterator<Item = RowResults> {
        let passes = move |row: &RowIndex| {
            let outcome = self.plan.decisions[*row].outcome;
            filter.passes(outcome)
        };
        let messages = self.encoded(rows.into_iter().filter(passes), include_values);
        messages.map(|encoded| RowResults::from_encoded(encoded.message))
    }

    fn encoded(
        &self,
        rows: impl Iterator<Item = RowIndex>,
        include_values: bool,
    ) -> impl Iterator<Item = EncodedMessage> {
        let mut rows = rows.peekable();
        let mut result = Vec::new();
        std::iter::from_fn(move || {
            rows.peek()?;
            let mut message = BytesMut::new();
            let mut counts = OutcomeCounts::default();
            while message.len() < messages::MESSAGE_BYTES
                && let Some(row) = rows.next()
            {
                result.clear();
                self.encode(row, include_values, &mut result);
                put_nested(field::RESULTS, &result, &mut message);
                planned_import::count(&mut counts, self.plan.decisions[row].outcome);
            }
            let message = message.freeze();
            Some(EncodedMessage { message, counts })
        })
    }

    /// Encodes the result of one row.
    fn encode(&self, row: RowIndex, include_values: bool, buf: &mut Vec<u8>) {
        let (input, decision) = (&self.plan.request.rows[row], &self.plan.decisions[row]);
        uint32::encode(field::ROW, &input.number, buf);
        if input.line > 0 {
            uint32::encode(field::LINE, &input.line, buf);
        }
        int32::encode(
            field::OUTCOME,
            &RowOutcome::from(decision.outcome).into(),
            buf,
        );
        if let Some(id) = self.user_id(row) {
            let mut text = Uuid::encode_buffer();
            put_text(field::USER_ID, id.hyphenated().encode_lower(&mut text), buf);
        }
        if let Some(id) = self.plan.external_id(row) {
            put_text(field::EXTERNAL_ID, &id, buf);
        }
        match include_values {
            true => message::encode_repeated(field::CHANGES, &self.changes(row, true), buf),
            false => put_columns(decision.changes, buf),
        }
        message::encode_repeated(field::ISSUES, &self.issues(row), buf);
    }
}

/// Changes without values: each is a message with the column's name only.
fn put_columns(changes: ColumnSet, buf: &mut Vec<u8>) {
    for column in changes.iter() {
        let name = Column::header(column);
        let length = 1 + encoded_len_varint(name.len() as u64) + name.len();
        encode_key(field::CHANGES, WireType::LengthDelimited, buf);
        encode_varint(length as u64, buf);
        put_text(field::COLUMN, name, buf);
    }
}

/// A text, unless it is empty.
fn put_text(number: u32, text: &str, buf: &mut Vec<u8>) {
    if !text.is_empty() {
        put_nested(number, text.as_bytes(), buf);
    }
}

fn put_nested(number: u32, content: &[u8], buf: &mut impl BufMut) {
    encode_key(number, WireType::LengthDelimited, buf);
    encode_varint(content.len() as u64, buf);
    buf.put_slice(content);
}

#[cfg(test)]
pub(crate) mod tests {
    use prost::Message;

    use super::*;
    use crate::{
        domain::{Catalog, Cell, Permissions, RawRow, Role, RoleId, Row, SnapshotExtent, User},
        import::review::PlanningInput,
        plan::{ByRow, DenseIndex, DigestKey, Outcome, PlanningTerms, RowMatching},
        proto::RowResult,
        store::Snapshot,
    };

    /// Rows of these external IDs, emails, last names and supervisors; badge number and username are the
    /// ID.
    fn rows(values: &[[&str; 4]]) -> ByRow<Row> {
        let row = |(number, [id, email, last, supervisor]): (u32, &[&str; 4])| {
            let cell = |column| match column {
                Column::ExternalId | Column::BadgeNumber | Column::Username => Cell::Text(id),
                Column::Email => Cell::Text(email),
                Column::FirstName => Cell::Text("Ann"),
                Column::LastName => Cell::Text(last),
                Column::Status => Cell::Text("Active"),
                Column::Role => Cell::Text("Officer"),
                Column::SupervisorEmail => Cell::Text(supervisor),
                _ => Cell::Absent,
            };
            Row::parse(&RawRow {
                number,
                line: number % 2 * (number + 1),
                cells: Column::ALL.map(cell),
                misfit: None,
            })
        };
        (1..).zip(values).map(row).collect()
    }

    /// One row with each outcome.
    fn planned() -> PlannedImport {
        planned_import_of(&[
            ["A", "a@pd.example", "Müller", ""],
            ["B", "b@pd.example", "New", ""],
            ["C", "c@pd.example", "Ruiz", ""],
            ["D", "nobody", "", ""],
        ])
    }

    /// Rows of these external IDs, emails, last names and supervisors, planned on a directory that has
    /// users B and C.
    pub(crate) fn planned_import_of(values: &[[&str; 4]]) -> PlannedImport {
        let user = |number: u128, id, email, last_name| {
            User::new(Uuid::from_u128(number), RoleId(1), |column| match column {
                Column::ExternalId | Column::BadgeNumber | Column::Username => id,
                Column::Email => email,
                Column::FirstName => "Ann",
                Column::LastName => last_name,
                _ => "",
            })
        };
        let snapshot = Snapshot {
            revision: 1,
            extent: SnapshotExtent::Complete,
            catalog: Catalog {
                roles: vec![Role {
                    id: RoleId(1),
                    name: "Officer".into(),
                    privileged: false,
                }],
                ..Catalog::default()
            },
            last_imports: std::collections::HashMap::new(),
            users: vec![
                user(7, "B", "b@pd.example", "Old"),
                user(8, "C", "c@pd.example", "Ruiz"),
            ],
        };
        let terms = PlanningTerms {
            scope: None,
            matching: RowMatching::ByKeys(None),
            permitted: Permissions::ALL.into(),
            file_columns: std::sync::Arc::default(),
            digest_key: DigestKey::new(&[7; 32]),
        };
        let input = PlanningInput {
            rows: rows(values).into(),
            snapshot,
            import: Uuid::nil(),
            terms,
        };
        let mut planned = PlannedImport::new(input, &|| true).unwrap();
        planned.assign_ids();
        planned
    }

    fn decoded(messages: impl Iterator<Item = RowResults>) -> Vec<RowResult> {
        let encoded = messages.flat_map(|message| message.encode_to_vec());
        let encoded: Vec<u8> = encoded.collect();
        RowResults::decode(&*encoded).unwrap().results
    }

    #[test]
    fn what_is_encoded_at_once_is_what_would_have_been_built() {
        let planned = planned();
        let outcomes: Vec<_> = planned.plan.decisions.iter().map(|d| d.outcome).collect();
        let all = [
            Outcome::Created,
            Outcome::Updated,
            Outcome::Unchanged,
            Outcome::Rejected,
        ];
        assert_eq!(outcomes, all);
        for values in [false, true] {
            let rows = || planned.plan.decisions.indices();
            let built: Vec<_> = rows().map(|row| planned.result(row, values)).collect();
            let encoded = planned.results(rows(), ResultFilter::All, values);
            assert_eq!(decoded(encoded), built);
        }
    }

    #[test]
    fn what_does_not_pass_the_filter_is_left_out() {
        let planned = planned();
        let rows = |filter| {
            let results = decoded(planned.results(planned.plan.decisions.indices(), filter, false));
            results.iter().map(|result| result.row).collect::<Vec<_>>()
        };
        assert_eq!(rows(ResultFilter::ChangesAndRejections), [1, 2, 4]);
        assert_eq!(rows(ResultFilter::Rejections), [4]);
    }

    #[test]
    fn a_message_counts_what_it_has_and_stays_small() {
        let planned = planned();
        let rows = (0..20_000).map(|n| RowIndex::new(n % 4));
        let encoded: Vec<EncodedMessage> = planned.recorded(rows).collect();
        let longest = encoded.iter().map(|m| m.message.len()).max();
        assert!(longest < Some(messages::MESSAGE_BYTES + 4_096) && encoded.len() > 4);
        let mut counts = OutcomeCounts::default();
        for message in &encoded {
            counts.add(&message.counts);
        }
        assert_eq!(
            [
                counts.created,
                counts.updated,
                counts.unchanged,
                counts.rejected
            ],
            [5_000; 4]
        );
    }
}
