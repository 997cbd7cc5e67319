//! How many rows a transaction takes.

use std::time::Duration;

/// Rows of the first transaction, so that results come early.
const FIRST: usize = 1_000;

/// What a transaction should take: others wait for it, and so does who cancels.
const TARGET: Duration = Duration::from_millis(500);

/// What it may take where that is worth it. Far below a lease, which it keeps others from taking over.
const LIMIT: Duration = Duration::from_secs(4);

/// Up to so many rows transactions grow because they are quick. More would not be written faster.
pub(crate) const QUICK: usize = 20_000;

/// How many transactions should write all of a SQLite file at least. Each of them writes most pages of
/// the indexes, however few rows it has beyond some thousands: in a fixed number of transactions the time
/// grows with the rows, in transactions of a fixed size with their square.
const SHARES: usize = 10;

/// Rows of the next transaction: few at first, then as many as take about half a second, or as it
/// takes to write all in about [`SHARES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    rows: usize,
    /// Up to so many rows time does not matter.
    share: usize,
    most: usize,
}

impl Pace {
    /// A pace of at most `most` rows. `file`: how many users the database has or will have, where each
    /// transaction writes most pages of it (SQLite); else 0.
    pub(crate) fn new(most: usize, file: usize) -> Self {
        let share = file.div_ceil(SHARES);
        let most = most.min(share.max(QUICK)).max(1);
        Self {
            rows: most.min(FIRST),
            share,
            most,
        }
    }

    /// Rows of the next transaction; groups that must stay together may take more.
    pub(crate) const fn rows(self) -> usize {
        self.rows
    }

    /// After a transaction that went through in `took`.
    pub(crate) fn went_through(&mut self, took: Duration) {
        self.rows = match took {
            _ if took > LIMIT => (self.rows / 2).max(FIRST.min(self.most)),
            _ if took < TARGET / 4 => (self.rows * 4).min(self.most),
            _ if took < TARGET || self.rows < self.share => (self.rows * 2).min(self.most),
            _ => self.rows,
        };
    }

    /// After a conflict. Smaller transactions find who is in it; the others go through.
    pub(crate) fn met_conflict(&mut self) {
        self.rows = (self.rows / 32).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_after(pace: Pace, took: &[u64]) -> usize {
        let mut pace = pace;
        for &took in took {
            pace.went_through(Duration::from_millis(took));
        }
        pace.rows()
    }

    #[test]
    fn transactions_grow_while_they_are_quick() {
        let pace = Pace::new(100_000, 0);
        assert_eq!(rows_after(pace, &[]), 1_000);
        assert_eq!(rows_after(pace, &[124]), 4_000);
        assert_eq!(rows_after(pace, &[125]), 2_000);
        assert_eq!(rows_after(pace, &[10, 200]), 8_000);
        assert_eq!(rows_after(pace, &[10, 200, 700]), 8_000);
        assert_eq!(rows_after(pace, &[10; 9]), 20_000);
    }

    #[test]
    fn a_large_file_is_written_in_a_dozen_transactions_however_slow() {
        assert_eq!(rows_after(Pace::new(100_000, 300_000), &[700; 9]), 30_000);
        assert_eq!(
            rows_after(Pace::new(100_000, 5_000_000), &[700; 9]),
            100_000
        );
        assert_eq!(rows_after(Pace::new(100_000, 30_000), &[700; 9]), 4_000);
    }

    #[test]
    fn transactions_shrink_where_they_keep_others_from_writing_but_not_below_the_first() {
        assert_eq!(rows_after(Pace::new(20_000, 0), &[10, 10, 4_001]), 8_000);
        assert_eq!(
            rows_after(Pace::new(100_000, 1_000_000), &[4_001; 5]),
            1_000
        );
    }

    #[test]
    fn no_transaction_is_above_what_the_operator_allows() {
        assert_eq!(rows_after(Pace::new(50, 1_000_000), &[10; 5]), 50);
        assert_eq!(rows_after(Pace::new(0, 0), &[10]), 1);
    }

    #[test]
    fn a_conflict_is_looked_for_in_ever_smaller_transactions() {
        let mut pace = Pace::new(1_000, 0);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(pace.rows());
            pace.met_conflict();
        }
        assert_eq!(seen, [1_000, 31, 1, 1]);
    }
}
