//! Rows that equal an earlier row in all values (semantics §5 b).

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::decision::Decision;
use crate::domain::{Column, ColumnSet};
use crate::plan::index::{ByKey, ByRow, Key, RosterIndex, RowIndex};

/// The columns that are stored as the row writes them, without the keys that compare exactly.
const TEXTS: ColumnSet = Column::TEXTS
    .without(Column::ExternalId)
    .without(Column::BadgeNumber);

/// By row: the first row that it equals. Takes no memory if no row is a copy.
#[derive(Debug, Default)]
pub(crate) struct RowCopies(ByRow<Option<RowIndex>>);

impl RowCopies {
    /// Returns the row that `row` is a copy of, or `None` if it is no copy.
    pub(crate) fn original(&self, row: RowIndex) -> Option<RowIndex> {
        self.0.find(row)
    }

    /// Finds the copies among the rows that `passed` their field checks. Compares only rows that share an email: in
    /// most files these are few. Each row is looked up once, however many rows are equal.
    pub(crate) fn find(
        roster: &RosterIndex<'_>,
        decisions: &ByRow<Decision>,
        passed: &ByRow<bool>,
    ) -> Self {
        let mut first_with: ByKey<Option<RowIndex>> =
            ByKey::repeat(None, roster.key_count(Key::Email));
        let mut originals = OriginalRows::new(roster, decisions);
        let mut copies = ByRow::default();
        for row in passed.indices().filter(|&row| passed[row]) {
            let Some(email) = roster.wanted(Key::Email, row) else {
                continue;
            };
            let Some(first) = first_with[email] else {
                first_with[email] = Some(row);
                continue;
            };
            originals.find_or_add(first);
            let original = originals.find_or_add(row);
            if original != row {
                if copies.is_empty() {
                    copies = ByRow::repeat(None, passed.len());
                }
                copies[row] = Some(original);
            }
        }
        Self(copies)
    }
}

/// The first of each set of equal rows, found by all of its values.
struct OriginalRows<'a> {
    roster: &'a RosterIndex<'a>,
    decisions: &'a ByRow<Decision>,
    rows: HashTable<RowIndex>,
    hashing: DefaultHashBuilder,
}

impl<'a> OriginalRows<'a> {
    fn new(roster: &'a RosterIndex<'a>, decisions: &'a ByRow<Decision>) -> Self {
        Self {
            roster,
            decisions,
            rows: HashTable::new(),
            hashing: DefaultHashBuilder::default(),
        }
    }

    /// Returns the first row that equals `row`, or `row` itself if no earlier row does.
    fn find_or_add(&mut self, row: RowIndex) -> RowIndex {
        let hash = self.hash(row);
        let found = self.rows.find(hash, |&known| self.equals(known, row));
        if let Some(&found) = found {
            return found;
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.insert_unique(hash, row, |&known| self.hash(known));
        self.rows = rows;
        row
    }

    fn hash(&self, row: RowIndex) -> u64 {
        let mut hasher = self.hashing.build_hasher();
        for key in [Key::ExternalId, Key::BadgeNumber] {
            self.roster.wanted(key, row).hash(&mut hasher);
        }
        let data = &self.roster.rows[row];
        for column in TEXTS.iter() {
            data.value(column).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Returns `true` if both rows store the same values. LOCATION is never stored.
    fn equals(&self, one: RowIndex, other: RowIndex) -> bool {
        let rows = [one, other].map(|row| &self.roster.rows[row]);
        let [a, b] = rows;
        let keys = [Key::ExternalId, Key::BadgeNumber];
        let changes = [one, other].map(|row| self.roster.written_supervisor_change(row));
        TEXTS
            .iter()
            .all(|column| a.value(column) == b.value(column))
            && keys
                .iter()
                .all(|&key| self.roster.wanted(key, one) == self.roster.wanted(key, other))
            && changes[0] == changes[1]
            && a.status() == b.status()
            && self.names_the_same(one, other)
    }

    /// Returns `true` if both rows have the same role, rank and group. Compares IDs, since a name may differ in case.
    fn names_the_same(&self, one: RowIndex, other: RowIndex) -> bool {
        let [a, b] = [one, other].map(|row| &self.decisions[row]);
        let [c, d] = [one, other].map(|row| &self.roster.rows[row]);
        let present = [Column::Rank, Column::EvidenceGroupExtId];
        (a.role, a.rank, a.group) == (b.role, b.rank, b.group)
            && present.iter().all(|&column| c.has(column) == d.has(column))
    }
}
