//! The order in which rows are written, and the rows that must be written together (semantics §5, Writing). Knows rows
//! only by their index, not their values.

use std::sync::Arc;

use crate::plan::index::{ByRow, DenseIndex, ListsByIndex, RowIndex, number};

number! {
    /// The position of a group in a write order. The rows of a group depend on each other and share one transaction.
    pub(crate) WriteGroup
}

/// Rows to write, in an order in which every commit leaves a valid directory.
#[derive(Debug)]
pub struct WriteOrder {
    groups: ListsByIndex<WriteGroup, RowIndex>,
    /// By row: the rows that must be written before it.
    before: ListsByIndex<RowIndex, RowIndex>,
}

impl WriteOrder {
    /// Makes an order of these groups. All rows in `before` are in a group.
    pub(crate) const fn new(
        groups: ListsByIndex<WriteGroup, RowIndex>,
        before: ListsByIndex<RowIndex, RowIndex>,
    ) -> Self {
        Self { groups, before }
    }

    /// Returns all rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[RowIndex] {
        self.groups.items()
    }

    /// Returns the rows that must be written before `row`.
    #[must_use]
    pub fn before(&self, row: RowIndex) -> &[RowIndex] {
        self.before.get(row)
    }
}

/// The limit of rows that are looked at for each row that is written beside others.
const LOOK: usize = 4;

/// Which rows of an order have been taken to be written, and which are written.
#[derive(Debug)]
pub(crate) struct WriteSchedule {
    order: Arc<WriteOrder>,
    /// The number of groups that have been looked at.
    looked_at: usize,
    /// Groups that have been looked at and are still to be taken, in order.
    passed: Vec<WriteGroup>,
    stages: ByRow<WriteStage>,
    /// Rows still to be taken.
    waiting: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteStage {
    Waiting,
    /// Chosen for the batch that is being put together.
    Chosen,
    Taken,
    Written,
}

/// The groups that were chosen for a batch, and their rows.
type BatchChoice = (Vec<WriteGroup>, Vec<RowIndex>);

impl WriteSchedule {
    /// Creates a schedule from which no row has been taken.
    #[must_use]
    pub(crate) fn new(order: Arc<WriteOrder>) -> Self {
        let rows = order.rows().iter().max();
        let rows = rows.map_or(0, |last| last.position() + 1);
        Self {
            looked_at: 0,
            passed: Vec::new(),
            stages: ByRow::repeat(WriteStage::Waiting, rows),
            waiting: order.rows().len(),
            order,
        }
    }

    /// Takes the rows of one transaction, which may begin once all rows taken before are written. Takes whole groups
    /// that fit into `size` rows together, and at least one group, however large. Returns no rows if none are left.
    pub(crate) fn take(&mut self, size: usize) -> Vec<RowIndex> {
        let (_, rows) = self.choose(size, false);
        self.set(&rows, WriteStage::Taken);
        self.waiting -= rows.len();
        rows
    }

    /// Takes the rows of a transaction that may run at the same time as all transactions taken before: none of its rows
    /// has to wait for a row that is not written. Returns no rows if there are too few of them to be worth a
    /// transaction.
    pub(crate) fn take_beside(&mut self, size: usize) -> Vec<RowIndex> {
        let (groups, rows) = self.choose(size, true);
        if rows.len() * LOOK < size.min(self.waiting) {
            self.set(&rows, WriteStage::Waiting);
            self.passed.extend(groups);
            self.passed.sort_unstable();
            return Vec::new();
        }
        self.set(&rows, WriteStage::Taken);
        self.waiting -= rows.len();
        rows
    }

    /// Notes that `rows`, which were taken, are written.
    pub(crate) fn written(&mut self, rows: &[RowIndex]) {
        self.set(rows, WriteStage::Written);
    }

    /// Returns the rows that are not written, in row order.
    #[must_use]
    pub(crate) fn unwritten(&self) -> Vec<RowIndex> {
        let mut rows = self.order.rows().to_vec();
        rows.retain(|&row| self.stages[row] != WriteStage::Written);
        rows.sort_unstable();
        rows
    }

    fn choose(&mut self, size: usize, beside: bool) -> BatchChoice {
        let order = Arc::clone(&self.order);
        let (mut groups, mut chosen) = (Vec::new(), Vec::new());
        let (mut left, mut looked) = (Vec::new(), 0);
        let mut passed = std::mem::take(&mut self.passed).into_iter();
        while let Some(group) = passed.next().or_else(|| self.next_group()) {
            let rows = order.groups.get(group);
            looked += rows.len();
            let fits = chosen.is_empty() || chosen.len() + rows.len() <= size;
            if !fits || (beside && looked > size.saturating_mul(LOOK)) {
                left.push(group);
                break;
            }
            self.set(rows, WriteStage::Chosen);
            if beside && self.must_wait(rows) {
                self.set(rows, WriteStage::Waiting);
                left.push(group);
                continue;
            }
            groups.push(group);
            chosen.extend_from_slice(rows);
        }
        left.extend(passed);
        self.passed = left;
        (groups, chosen)
    }

    /// Returns the next group that has not been looked at, or `None` if there is none.
    fn next_group(&mut self) -> Option<WriteGroup> {
        let group = WriteGroup::new(self.looked_at);
        let is_one = !self.order.groups.get(group).is_empty();
        self.looked_at += usize::from(is_one);
        is_one.then_some(group)
    }

    /// Returns `true` if a row that must come before one of `rows` is neither written nor in the same batch.
    fn must_wait(&self, rows: &[RowIndex]) -> bool {
        let mut before = rows.iter().flat_map(|&row| self.order.before(row));
        before.any(|&row| matches!(self.stages[row], WriteStage::Waiting | WriteStage::Taken))
    }

    fn set(&mut self, rows: &[RowIndex], stage: WriteStage) {
        for &row in rows {
            self.stages[row] = stage;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes a schedule of groups. Of each pair (later, earlier) in `before`, the second row must be written before the
    /// first.
    fn schedule(groups: &[&[usize]], before: &[(usize, usize)]) -> WriteSchedule {
        let mut written = ListsByIndex::default();
        for group in groups {
            written.push(rows(group));
        }
        let before = before.iter();
        let before = before.map(|&(later, earlier)| (RowIndex::new(later), RowIndex::new(earlier)));
        let len = written.items().iter().map(|row| row.position() + 1).max();
        let before = ListsByIndex::collect(len.unwrap_or(0), before);
        WriteSchedule::new(WriteOrder::new(written, before).into())
    }

    fn rows(positions: &[usize]) -> Vec<RowIndex> {
        positions.iter().copied().map(RowIndex::new).collect()
    }

    #[test]
    fn a_transaction_takes_whole_groups_and_at_least_one() {
        let mut schedule = schedule(&[&[0], &[1, 2, 3], &[4], &[5]], &[]);
        let transactions = [(); 4].map(|()| schedule.take(2));
        let expected: [&[usize]; 4] = [&[0], &[1, 2, 3], &[4, 5], &[]];
        assert_eq!(transactions, expected.map(rows));
    }

    #[test]
    fn what_depends_on_a_row_under_way_is_passed_over_until_that_is_written() {
        let mut schedule = schedule(&[&[0], &[1], &[2], &[3], &[4]], &[(2, 0), (3, 2)]);
        assert_eq!(schedule.take_beside(2), rows(&[0, 1]));
        assert_eq!(schedule.take_beside(2), rows(&[4]));
        schedule.written(&rows(&[0, 1]));
        assert_eq!(schedule.unwritten(), rows(&[2, 3, 4]));
        assert_eq!(schedule.take_beside(2), rows(&[2, 3]));
        assert_eq!(schedule.take(2), []);
    }

    #[test]
    fn a_few_rows_are_not_worth_a_transaction_beside_others() {
        let ends: Vec<usize> = (1..=100).collect();
        let groups: Vec<&[usize]> = ends.chunks(1).collect();
        let chain: Vec<(usize, usize)> = (2..=99).map(|row| (row, row - 1)).collect();
        let mut schedule = schedule(&groups, &chain);
        assert_eq!(schedule.take_beside(10).len(), 10);
        assert_eq!(schedule.take_beside(10), []);
        assert_eq!(schedule.take(10)[0], RowIndex::new(11));
    }

    #[test]
    fn a_group_of_rows_that_wait_for_each_other_can_be_taken() {
        let mut schedule = schedule(&[&[0, 1]], &[(0, 1), (1, 0)]);
        assert_eq!(schedule.take_beside(1), rows(&[0, 1]));
    }

    proptest! {
        /// Each row is taken once, and never beside a row that has to be written before it.
        #[test]
        fn every_row_is_taken_once_and_after_what_comes_before_it(
            edges in prop::collection::vec((1usize..60, 0usize..60), 0..90),
            sizes in prop::collection::vec((1usize..12, any::<bool>()), 1..8),
        ) {
            let positions: Vec<usize> = (0..60).collect();
            let groups: Vec<&[usize]> = positions.chunks(1).collect();
            let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(later, earlier)| earlier < later).collect();
            let mut schedule = schedule(&groups, &edges);
            let (mut written, mut under_way) = (Vec::new(), Vec::new());
            let comes_before = |row: RowIndex| {
                let edges = edges.iter().filter(move |edge| edge.0 == row.position());
                edges.map(|edge| RowIndex::new(edge.1))
            };
            for &(size, waits) in sizes.iter().cycle().take(200) {
                if waits {
                    schedule.written(&under_way);
                    written.append(&mut under_way);
                }
                let mut batch = schedule.take_beside(size);
                if batch.is_empty() {
                    schedule.written(&under_way);
                    written.append(&mut under_way);
                    batch = schedule.take(size);
                }
                for &row in &batch {
                    prop_assert!(comes_before(row).all(|earlier| written.contains(&earlier) || batch.contains(&earlier)));
                }
                under_way.extend(batch);
            }
            schedule.written(&under_way);
            written.extend(under_way);
            prop_assert_eq!(schedule.unwritten(), Vec::new());
            written.sort_unstable();
            prop_assert_eq!(written, rows(&positions));
        }
    }
}
