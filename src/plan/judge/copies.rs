//! Rows that equal an earlier row in all values (semantics §5 b).

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::domain::Column;
use crate::plan::index::Key;
use crate::plan::index::Roster;
use crate::plan::index::{Links, indices};
use crate::plan::report::Decision;

/// The columns that are stored as the row writes them, without the keys that compare exactly.
const TEXTS: [Column; 5] = [
    Column::Email,
    Column::FirstName,
    Column::LastName,
    Column::Username,
    Column::Phone,
];

/// By row: the first row that it equals. Takes no memory if no row is a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies(Links);

impl Copies {
    /// Returns the row that `row` is a copy of, or `None` if it is no copy.
    pub(crate) fn original(&self, row: u32) -> Option<u32> {
        match self.0.len() {
            0 => None,
            _ => self.0.get(row),
        }
    }

    /// Finds the copies among the rows that `passed` their field checks. Compares only rows that share an email: in
    /// most files these are few. Each row is looked up once, however many rows are equal.
    pub(crate) fn find(roster: &Roster<'_>, decisions: &[Decision], passed: &[bool]) -> Self {
        let mut first_with = Links::none(roster.key_count(Key::Email));
        let mut originals = Originals::new(roster, decisions);
        let mut copies = Links::default();
        for row in indices(passed).filter(|&row| passed[row as usize]) {
            let Some(email) = roster.wanted(Key::Email, row) else {
                continue;
            };
            let Some(first) = first_with.get(email) else {
                first_with.set(email, Some(row));
                continue;
            };
            originals.find_or_add(first);
            let original = originals.find_or_add(row);
            if original != row {
                if copies.len() == 0 {
                    copies = Links::none(passed.len());
                }
                copies.set(row, Some(original));
            }
        }
        Self(copies)
    }
}

/// The first of each set of equal rows, found by all of its values.
struct Originals<'a> {
    roster: &'a Roster<'a>,
    decisions: &'a [Decision],
    rows: HashTable<u32>,
    hashing: DefaultHashBuilder,
}

impl<'a> Originals<'a> {
    fn new(roster: &'a Roster<'a>, decisions: &'a [Decision]) -> Self {
        Self {
            roster,
            decisions,
            rows: HashTable::new(),
            hashing: DefaultHashBuilder::default(),
        }
    }

    /// Returns the first row that equals `row`, or `row` itself if no earlier row does.
    fn find_or_add(&mut self, row: u32) -> u32 {
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

    fn hash(&self, row: u32) -> u64 {
        let mut hasher = self.hashing.build_hasher();
        for key in [Key::ExternalId, Key::BadgeNumber] {
            self.roster.wanted(key, row).hash(&mut hasher);
        }
        let data = &self.roster.rows[row as usize];
        for column in TEXTS {
            data.value(column).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Returns `true` if both rows store the same values. LOCATION is never stored.
    fn equals(&self, one: u32, other: u32) -> bool {
        let rows = [one, other].map(|row| &self.roster.rows[row as usize]);
        let [a, b] = rows;
        let keys = [Key::ExternalId, Key::BadgeNumber];
        let wishes = [one, other].map(|row| self.roster.written_wish(row));
        TEXTS
            .iter()
            .all(|&column| a.value(column) == b.value(column))
            && keys
                .iter()
                .all(|&key| self.roster.wanted(key, one) == self.roster.wanted(key, other))
            && wishes[0] == wishes[1]
            && a.status() == b.status()
            && self.names_the_same(one, other)
    }

    /// Returns `true` if both rows have the same role, rank and group. Compares IDs, since a name may differ in case.
    fn names_the_same(&self, one: u32, other: u32) -> bool {
        let [a, b] = [one, other].map(|row| &self.decisions[row as usize]);
        let [c, d] = [one, other].map(|row| &self.roster.rows[row as usize]);
        let present = [Column::Rank, Column::EvidenceGroupExtId];
        (a.role, a.rank, a.group) == (b.role, b.rank, b.group)
            && present.iter().all(|&column| c.has(column) == d.has(column))
    }
}
