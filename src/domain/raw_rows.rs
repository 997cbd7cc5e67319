//! Received rows, copied off their decoder so that they can be checked side by side.

use std::ops::Range;

use rayon::{
    iter::{ParallelExtend, ParallelIterator},
    slice::ParallelSlice,
};

use super::{Cell, Column, RawRow, Row, RowPacker};

/// Rows that are checked at once; a small multiple of what it costs to hand work to another core.
const FULL: usize = 2_048;

/// Rows that are worth another core; their texts share an allocation.
const SHARE: usize = 128;

/// Received rows in one allocation. Holds some thousands: see [`is_full`](Self::is_full).
#[derive(Debug)]
pub struct RawRows {
    text: String,
    rows: Vec<Kept>,
    max_field_bytes: usize,
}

/// One row; its cells lie in the common text.
#[derive(Debug)]
struct Kept {
    number: u32,
    line: u32,
    misfit: Option<(u32, u32)>,
    cells: [KeptCell; Column::COUNT],
}

#[derive(Clone, Debug)]
enum KeptCell {
    Absent,
    Text(Range<usize>),
    Invalid { byte: u8, charset: &'static str },
}

impl RawRows {
    /// No rows; the fields of those to come may have at most `max_field_bytes`.
    #[must_use]
    pub const fn new(max_field_bytes: usize) -> Self {
        Self {
            text: String::new(),
            rows: Vec::new(),
            max_field_bytes,
        }
    }

    /// Copies a row.
    pub fn push(&mut self, row: &RawRow<'_>) {
        let cells = row.cells.map(|cell| match cell {
            Cell::Absent => KeptCell::Absent,
            Cell::Invalid { byte, charset } => KeptCell::Invalid { byte, charset },
            Cell::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                KeptCell::Text(start..self.text.len())
            }
        });
        self.rows.push(Kept {
            number: row.number,
            line: row.line,
            misfit: row.misfit,
            cells,
        });
    }

    /// True where the rows should be checked before more come.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.rows.len() >= FULL
    }

    /// Checks the rows (see [`Row::parse_within`]) on all cores, adds them to `checked` in their order, and
    /// forgets them.
    pub fn check_into(&mut self, checked: &mut Vec<Row>) {
        let (text, most) = (&*self.text, self.max_field_bytes);
        let shares = self.rows.par_chunks(SHARE);
        checked.par_extend(shares.flat_map_iter(|share| {
            let mut rows = RowPacker::default();
            for kept in share {
                rows.parse(&kept.raw(text), most);
            }
            rows.finish()
        }));
        self.text.clear();
        self.rows.clear();
    }
}

impl Kept {
    fn raw<'a>(&self, text: &'a str) -> RawRow<'a> {
        let cells = self.cells.each_ref().map(|cell| match cell {
            KeptCell::Absent => Cell::Absent,
            KeptCell::Text(span) => Cell::Text(&text[span.clone()]),
            &KeptCell::Invalid { byte, charset } => Cell::Invalid { byte, charset },
        });
        RawRow {
            number: self.number,
            line: self.line,
            cells,
            misfit: self.misfit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MAX_FIELD_BYTES;

    /// Row number `number`, with a cell of each kind.
    fn raw(number: u32, email: &str) -> RawRow<'_> {
        let mut cells = [Cell::Absent; Column::COUNT];
        cells[Column::Email as usize] = Cell::Text(email);
        cells[Column::LastName as usize] = Cell::Invalid {
            byte: 0xF1,
            charset: "UTF-8",
        };
        cells[Column::Rank as usize] = Cell::Text("");
        RawRow {
            number,
            line: number + 1,
            cells,
            misfit: number.is_multiple_of(7).then_some((9, 8)),
        }
    }

    #[test]
    fn rows_checked_side_by_side_are_those_checked_one_by_one() {
        let emails: Vec<String> = (1..1_000).map(|n| format!("ü{n}@pd.example")).collect();
        let rows = || (1..).zip(&emails).map(|(number, email)| raw(number, email));
        let mut kept = RawRows::new(MAX_FIELD_BYTES);
        let mut checked = Vec::new();
        for row in rows() {
            kept.push(&row);
            if row.number.is_multiple_of(300) {
                kept.check_into(&mut checked);
            }
        }
        kept.check_into(&mut checked);
        let expected: Vec<Row> = rows().map(|row| Row::parse(&row)).collect();
        assert_eq!(checked, expected);
    }
}
