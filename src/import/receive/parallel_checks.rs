//! Checks received rows on all cores while more rows arrive: they are copied from their decoder in batches. Knows
//! nothing about the formats that the rows come from.
//!
//! Be advised: decoding and checking 100,000 rows keeps two cores busy for 0.09 s (`benches/README.md`); one core would
//! take up to twice as long. The plain version is to check each row where it arrives, which the test
//! `rows_checked_side_by_side_are_those_checked_one_by_one` does. Before changing this, compare the time of an import of
//! 100,000 rows.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
};

use rayon::Scope;

use super::phone_memo;
use crate::domain::{
    Cell, CheckOptions, Column, RawRow, Row, RowPacker, TemplateFailure, ValueFault,
};

/// Rows that are checked together, and whose texts share an allocation. Checking them takes a small multiple of the
/// time that it takes to hand work to another core.
const FULL: usize = 256;

/// Bytes of text from which rows are checked together, even if they are few.
const FULL_BYTES: usize = 256 * 1024;

/// Batches that may wait for another core. If more batches arrive than the other cores check, the decoding thread
/// checks some itself, so that memory holds no more batches.
const WAITING: usize = 16;

/// Bytes of text that a row usually has.
const USUAL_BYTES: usize = 192;

/// Checks the rows that `receive` hands over (see [`Row::parse_with`]), and adds them to `checked` in their order.
/// Returns the result of `receive` when all rows have been checked.
pub(super) fn check_rows<'scope, R>(
    options: CheckOptions,
    checked: &mut Vec<Row>,
    receive: impl FnOnce(&mut RowIntake<'_, 'scope>) -> R,
) -> R {
    let (done, batches) = mpsc::channel();
    let (received, last) = rayon::in_place_scope(|scope| {
        let mut intake = RowIntake {
            scope,
            raw: RawRows::default(),
            begun: 0,
            waiting: Arc::default(),
            done,
            options,
        };
        let received = receive(&mut intake);
        // The last rows are not worth another core: this core would only wait.
        (received, intake.raw.checked(options))
    });
    let mut batches: Vec<(usize, Vec<Row>)> = batches.into_iter().collect();
    batches.sort_unstable_by_key(|(number, _)| *number);
    for (_, rows) in batches {
        checked.extend(rows);
    }
    checked.extend(last);
    received
}

/// Takes received rows, and has them checked in batches.
pub(super) struct RowIntake<'a, 'scope> {
    scope: &'a Scope<'scope>,
    raw: RawRows,
    /// Number of batches whose check has begun or finished.
    begun: usize,
    /// Number of batches that have not been checked yet.
    waiting: Arc<AtomicUsize>,
    done: mpsc::Sender<(usize, Vec<Row>)>,
    options: CheckOptions,
}

impl<'scope> RowIntake<'_, 'scope> {
    /// Runs `work` on another core at the same time.
    pub(super) fn beside(&self, work: impl FnOnce() + Send + 'scope) {
        self.scope.spawn(|_| work());
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &RawRow<'_>) {
        self.raw.push(row);
        if self.raw.is_full() {
            let raw = std::mem::replace(&mut self.raw, RawRows::with_room());
            self.check(raw);
        }
    }

    fn check(&mut self, raw: RawRows) {
        let (number, done, options) = (self.begun, self.done.clone(), self.options);
        self.begun += 1;
        // Sending cannot fail: the receiver waits until all senders are gone.
        let check = move || drop(done.send((number, raw.checked(options))));
        if self.waiting.fetch_add(1, Relaxed) < WAITING {
            let waiting = Arc::clone(&self.waiting);
            self.scope.spawn(move |_| {
                check();
                waiting.fetch_sub(1, Relaxed);
            });
        } else {
            check();
            self.waiting.fetch_sub(1, Relaxed);
        }
    }
}

/// Raw rows whose texts share one allocation.
#[derive(Debug, Default)]
struct RawRows {
    text: String,
    rows: Vec<RowSpan>,
}

/// A row whose cells are ranges of the common text.
#[derive(Debug)]
struct RowSpan {
    number: u32,
    line: u32,
    misfit: Option<ValueFault>,
    cells: [CellSpan; Column::COUNT],
}

#[derive(Clone, Debug)]
enum CellSpan {
    Absent,
    Text(Range<usize>),
    Invalid { byte: u8, charset: &'static str },
    Failed(TemplateFailure),
}

impl RawRows {
    /// Returns an empty batch with room for the rows that are checked together.
    fn with_room() -> Self {
        Self {
            text: String::with_capacity(FULL * USUAL_BYTES),
            rows: Vec::with_capacity(FULL),
        }
    }

    /// Copies a row.
    fn push(&mut self, row: &RawRow<'_>) {
        let cells = row.cells.map(|cell| match cell {
            Cell::Absent => CellSpan::Absent,
            Cell::Invalid { byte, charset } => CellSpan::Invalid { byte, charset },
            Cell::Failed(failure) => CellSpan::Failed(failure),
            Cell::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                CellSpan::Text(start..self.text.len())
            }
        });
        self.rows.push(RowSpan {
            number: row.number,
            line: row.line,
            misfit: row.misfit,
            cells,
        });
    }

    const fn is_full(&self) -> bool {
        self.rows.len() >= FULL || self.text.len() >= FULL_BYTES
    }

    fn checked(&self, options: CheckOptions) -> Vec<Row> {
        let phones =
            self.rows
                .iter()
                .filter_map(|kept| match &kept.cells[Column::Phone as usize] {
                    CellSpan::Text(span) => Some(&self.text[span.clone()]),
                    _ => None,
                });
        phone_memo::anticipate(phones);
        let mut rows = RowPacker::with_room(self.rows.len(), self.text.len());
        for kept in &self.rows {
            rows.parse(&kept.raw(&self.text), options);
        }
        rows.finish()
    }
}

impl RowSpan {
    fn raw<'a>(&self, text: &'a str) -> RawRow<'a> {
        let cells = self.cells.each_ref().map(|cell| match cell {
            CellSpan::Absent => Cell::Absent,
            CellSpan::Text(span) => Cell::Text(&text[span.clone()]),
            &CellSpan::Invalid { byte, charset } => Cell::Invalid { byte, charset },
            &CellSpan::Failed(failure) => Cell::Failed(failure),
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

    /// Returns row number `number`, with a cell of each kind.
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
            misfit: number.is_multiple_of(7).then_some(ValueFault::Blank),
        }
    }

    #[test]
    fn rows_checked_side_by_side_are_those_checked_one_by_one() {
        let emails: Vec<String> = (0..1_000).map(|n| format!("ü{n}@pd.example")).collect();
        let rows = || (1..).zip(&emails).map(|(number, email)| raw(number, email));
        let mut checked = Vec::new();
        for some in (0..1_000).collect::<Vec<_>>().chunks(600) {
            let some = rows().skip(some[0]).take(some.len());
            let count = check_rows(CheckOptions::default(), &mut checked, |intake| {
                some.inspect(|row| intake.push(row)).count()
            });
            assert!(count > 300);
        }
        let expected: Vec<Row> = rows().map(|row| Row::parse(&row)).collect();
        assert_eq!(checked, expected);
    }

    #[test]
    fn rows_keep_their_order_however_many_wait_and_however_long_they_are() {
        let name = "x".repeat(300);
        let rows = || (1..20_000).map(|number| raw(number, &name));
        let mut checked = Vec::new();
        // If a later row is refused, the rows before it are still added.
        let refused = check_rows(CheckOptions::default(), &mut checked, |intake| {
            rows().for_each(|row| intake.push(&row));
            Err::<(), _>("refused")
        });
        assert_eq!(refused, Err("refused"));
        let numbers: Vec<u32> = checked.iter().map(|row| row.number).collect();
        assert!(numbers.into_iter().eq(1..20_000));

        let long = "y".repeat(FULL_BYTES);
        let mut raw_rows = RawRows::default();
        raw_rows.push(&raw(1, &long[1..]));
        assert!(!raw_rows.is_full());
        raw_rows.push(&raw(2, "y"));
        assert!(raw_rows.is_full());
    }

    #[test]
    fn what_is_done_beside_is_done_in_the_end() {
        let mut sum = 0;
        check_rows(CheckOptions::default(), &mut Vec::new(), |intake| {
            intake.beside(|| sum = 7);
        });
        assert_eq!(sum, 7);
    }
}
