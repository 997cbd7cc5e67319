//! How many rows a transaction has.

use std::time::Duration;

/// Rows of the first transaction: few, so that results come early.
const FIRST: usize = 1_000;

/// The duration a transaction should have: other writers wait for it, and so does a cancellation.
const TARGET: Duration = Duration::from_millis(500);

/// The longest duration of a transaction. It is far below the duration of a lease, which nobody can take over
/// meanwhile.
const LIMIT: Duration = Duration::from_secs(4);

/// Rows up to which quick transactions grow. Larger ones would not write faster.
pub(crate) const QUICK: usize = 20_000;

/// The number of transactions that should write a whole SQLite file. Each transaction of more than some thousand
/// rows writes most index pages. So the time grows with the rows if the number of transactions is fixed, and with
/// their square if the size of transactions is fixed.
const SHARES: usize = 10;

/// The number of rows of the next transaction. It is small at first. Later it is the number that takes about half a
/// second, or that writes everything in about [`SHARES`] transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSize {
    rows: usize,
    /// Below this many rows the duration does not matter, up to [`LIMIT`].
    share: usize,
    most: usize,
}

impl BatchSize {
    /// Sizes of at most `most` rows. `file` is the number of users that a SQLite database has or will have, and 0
    /// for PostgreSQL.
    pub(crate) fn new(most: usize, file: usize) -> Self {
        let share = file.div_ceil(SHARES);
        let most = most.min(share.max(QUICK)).max(1);
        Self {
            rows: most.min(FIRST),
            share,
            most,
        }
    }

    /// Rows of the next transaction. Groups that must stay together may have more.
    pub(crate) const fn rows(self) -> usize {
        self.rows
    }

    /// Adapts the size after a transaction that committed in `took`.
    pub(crate) fn record_success(&mut self, took: Duration) {
        self.rows = match took {
            _ if took > LIMIT => (self.rows / 2).max(FIRST.min(self.most)),
            _ if took < TARGET / 4 => (self.rows * 4).min(self.most),
            _ if took < TARGET || self.rows < self.share => (self.rows * 2).min(self.most),
            _ => self.rows,
        };
    }

    /// Shrinks the size after a conflict, to find the rows that cause it; the others commit.
    pub(crate) fn record_conflict(&mut self) {
        self.rows = (self.rows / 32).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_after(batch_size: BatchSize, took: &[u64]) -> usize {
        let mut batch_size = batch_size;
        for &took in took {
            batch_size.record_success(Duration::from_millis(took));
        }
        batch_size.rows()
    }

    #[test]
    fn transactions_grow_while_they_are_quick() {
        let batch_size = BatchSize::new(100_000, 0);
        assert_eq!(rows_after(batch_size, &[]), 1_000);
        assert_eq!(rows_after(batch_size, &[124]), 4_000);
        assert_eq!(rows_after(batch_size, &[125]), 2_000);
        assert_eq!(rows_after(batch_size, &[10, 200]), 8_000);
        assert_eq!(rows_after(batch_size, &[10, 200, 700]), 8_000);
        assert_eq!(rows_after(batch_size, &[10; 9]), 20_000);
    }

    #[test]
    fn a_large_file_is_written_in_a_dozen_transactions_however_slow() {
        assert_eq!(
            rows_after(BatchSize::new(100_000, 300_000), &[700; 9]),
            30_000
        );
        assert_eq!(
            rows_after(BatchSize::new(100_000, 5_000_000), &[700; 9]),
            100_000
        );
        assert_eq!(
            rows_after(BatchSize::new(100_000, 30_000), &[700; 9]),
            4_000
        );
    }

    #[test]
    fn transactions_shrink_where_they_keep_others_from_writing_but_not_below_the_first() {
        assert_eq!(
            rows_after(BatchSize::new(20_000, 0), &[10, 10, 4_001]),
            8_000
        );
        assert_eq!(
            rows_after(BatchSize::new(100_000, 1_000_000), &[4_001; 5]),
            1_000
        );
    }

    #[test]
    fn no_transaction_is_above_what_the_operator_allows() {
        assert_eq!(rows_after(BatchSize::new(50, 1_000_000), &[10; 5]), 50);
        assert_eq!(rows_after(BatchSize::new(0, 0), &[10]), 1);
    }

    #[test]
    fn a_conflict_is_looked_for_in_ever_smaller_transactions() {
        let mut batch_size = BatchSize::new(1_000, 0);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(batch_size.rows());
            batch_size.record_conflict();
        }
        assert_eq!(seen, [1_000, 31, 1, 1]);
    }
}
