//! How many rows a transaction takes.

use std::time::Duration;

/// Rows of the first transaction, so that results come early.
const FIRST: usize = 1_000;

/// What a transaction should take: others on SQLite wait for it, and so does who cancels.
const TARGET: Duration = Duration::from_millis(500);

/// What it may take before the next is smaller. In a large SQLite file a transaction of any size writes most
/// pages of the indexes, and smaller ones only do so more often.
const LIMIT: Duration = Duration::from_secs(2);

/// Rows of the next transaction: few at first, then as many as take about half a second. Few large
/// transactions write each page of the indexes once; many small ones write it again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    rows: usize,
    most: usize,
}

impl Pace {
    /// A pace of at most `most` rows.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            rows: most.min(FIRST),
            most,
        }
    }

    /// Rows of the next transaction; groups that must stay together may take more.
    pub(super) const fn rows(self) -> usize {
        self.rows
    }

    /// After a transaction that went through in `took`.
    pub(super) fn went_through(&mut self, took: Duration) {
        self.rows = match took {
            _ if took < TARGET => (self.rows * 2).min(self.most),
            _ if took > LIMIT => (self.rows / 2).max(FIRST.min(self.most)),
            _ => self.rows,
        };
    }

    /// After a conflict. Smaller transactions find who is in it; the others go through.
    pub(super) fn met_conflict(&mut self) {
        self.rows = (self.rows / 32).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_after(most: usize, took: &[u64]) -> usize {
        let mut pace = Pace::new(most);
        for &took in took {
            pace.went_through(Duration::from_millis(took));
        }
        pace.rows()
    }

    #[test]
    fn transactions_grow_while_they_are_quick() {
        assert_eq!(rows_after(20_000, &[]), 1_000);
        assert_eq!(rows_after(20_000, &[10, 10]), 4_000);
        assert_eq!(rows_after(20_000, &[10; 9]), 20_000);
    }

    #[test]
    fn transactions_shrink_where_they_are_slow_but_not_below_the_first() {
        assert_eq!(rows_after(20_000, &[10, 10, 700, 2_000]), 4_000);
        assert_eq!(rows_after(20_000, &[10, 10, 2_001]), 2_000);
        assert_eq!(rows_after(20_000, &[2_001; 5]), 1_000);
    }

    #[test]
    fn no_transaction_is_above_what_the_operator_allows() {
        assert_eq!(rows_after(50, &[10; 5]), 50);
        assert_eq!(rows_after(0, &[10]), 1);
    }

    #[test]
    fn a_conflict_is_looked_for_in_ever_smaller_transactions() {
        let mut pace = Pace::new(1_000);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(pace.rows());
            pace.met_conflict();
        }
        assert_eq!(seen, [1_000, 31, 1, 1]);
    }
}
