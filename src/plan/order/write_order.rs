//! The order in which rows are written, and the rows that must be written together (semantics §5, Writing). Knows rows
//! only by their index, not their values.

use crate::plan::index::{Lists, index};

/// Rows to write, in an order in which every commit leaves a valid directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOrder {
    rows: Vec<u32>,
    ends: Vec<u32>,
    /// By row: the rows that must be written before it.
    before: Lists,
}

impl WriteOrder {
    /// An order with room for this many rows.
    pub(crate) fn with_room(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            before: Lists::default(),
        }
    }

    /// Adds rows that depend on each other and so share one transaction. They come after all rows added before.
    pub(crate) fn push_group(&mut self, rows: impl IntoIterator<Item = u32>) {
        self.rows.extend(rows);
        self.ends.push(index(self.rows.len()));
    }

    /// Sets the rows that must be written before each row. All of them are in the order.
    pub(crate) fn set_before(&mut self, before: Lists) {
        self.before = before;
    }

    /// Returns all rows (by index), in order.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Returns the rows that must be written before `row`.
    #[must_use]
    pub fn before(&self, row: u32) -> &[u32] {
        self.before.get(row)
    }

    /// Returns the rows of a group, which share a transaction.
    fn group(&self, group: u32) -> &[u32] {
        let start = match group {
            0 => 0,
            _ => self.ends[group as usize - 1],
        };
        &self.rows[start as usize..self.ends[group as usize] as usize]
    }

    /// Returns all transactions of about `size` rows, in order.
    #[cfg(test)]
    pub fn transactions(&self, size: usize) -> impl Iterator<Item = Vec<u32>> {
        let mut schedule = Schedule::new(self);
        std::iter::from_fn(move || {
            let rows = schedule.take(self, size);
            (!rows.is_empty()).then_some(rows)
        })
    }
}

/// The limit of rows that are looked at for each row that is written beside others.
const LOOK: usize = 4;

/// Which rows of an order have been taken to be written, and which are written. Every call must pass the same order.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// The first group that has not been looked at.
    next: u32,
    /// Groups before `next` that are still to be taken, in order.
    passed: Vec<u32>,
    /// By row: its stage.
    stages: Vec<Stage>,
    /// Rows still to be taken.
    waiting: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// Chosen for the batch that is being put together.
    Chosen,
    Taken,
    Written,
}

/// The groups that were chosen for a batch, and their rows.
type Choice = (Vec<u32>, Vec<u32>);

impl Schedule {
    /// Creates a schedule from which no row has been taken.
    #[must_use]
    pub(crate) fn new(order: &WriteOrder) -> Self {
        let rows = order.rows.iter().max().map_or(0, |&last| last as usize + 1);
        Self {
            next: 0,
            passed: Vec::new(),
            stages: vec![Stage::Waiting; rows],
            waiting: order.rows.len(),
        }
    }

    /// Takes the rows of one transaction, which may begin once all rows taken before are written. Takes whole groups
    /// that fit into `size` rows together, and at least one group, however large. Returns no rows if none are left.
    pub(crate) fn take(&mut self, order: &WriteOrder, size: usize) -> Vec<u32> {
        let (_, rows) = self.choose(order, size, false);
        self.set(&rows, Stage::Taken);
        self.waiting -= rows.len();
        rows
    }

    /// Takes the rows of a transaction that may run at the same time as all transactions taken before: none of its rows
    /// has to wait for a row that is not written. Returns no rows if there are too few of them to be worth a
    /// transaction.
    pub(crate) fn take_beside(&mut self, order: &WriteOrder, size: usize) -> Vec<u32> {
        let (groups, rows) = self.choose(order, size, true);
        if rows.len() * LOOK < size.min(self.waiting) {
            self.set(&rows, Stage::Waiting);
            self.passed.extend(groups);
            self.passed.sort_unstable();
            return Vec::new();
        }
        self.set(&rows, Stage::Taken);
        self.waiting -= rows.len();
        rows
    }

    /// Notes that `rows`, which were taken, are written.
    pub(crate) fn written(&mut self, rows: &[u32]) {
        self.set(rows, Stage::Written);
    }

    /// Returns the rows that are not written, in row order.
    #[must_use]
    pub(crate) fn unwritten(&self, order: &WriteOrder) -> Vec<u32> {
        let mut rows = order.rows.clone();
        rows.retain(|&row| self.stages[row as usize] != Stage::Written);
        rows.sort_unstable();
        rows
    }

    fn choose(&mut self, order: &WriteOrder, size: usize, beside: bool) -> Choice {
        let (mut groups, mut chosen) = (Vec::new(), Vec::new());
        let (mut left, mut looked) = (Vec::new(), 0);
        let mut passed = std::mem::take(&mut self.passed).into_iter();
        while let Some(group) = passed.next().or_else(|| self.look(order)) {
            let rows = order.group(group);
            looked += rows.len();
            let fits = chosen.is_empty() || chosen.len() + rows.len() <= size;
            if !fits || (beside && looked > size.saturating_mul(LOOK)) {
                left.push(group);
                break;
            }
            self.set(rows, Stage::Chosen);
            if beside && self.must_wait(order, rows) {
                self.set(rows, Stage::Waiting);
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
    fn look(&mut self, order: &WriteOrder) -> Option<u32> {
        let group = self.next;
        (group < index(order.ends.len())).then(|| {
            self.next += 1;
            group
        })
    }

    /// Returns `true` if a row that must come before one of `rows` is neither written nor in the same batch.
    fn must_wait(&self, order: &WriteOrder, rows: &[u32]) -> bool {
        let mut before = rows.iter().flat_map(|&row| order.before(row));
        before.any(|&row| matches!(self.stages[row as usize], Stage::Waiting | Stage::Taken))
    }

    fn set(&mut self, rows: &[u32], stage: Stage) {
        for &row in rows {
            self.stages[row as usize] = stage;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes an order of groups. Of each pair (later, earlier) in `before`, the second row must be written before the
    /// first.
    fn order(groups: &[&[u32]], before: &[(u32, u32)]) -> WriteOrder {
        let mut order = WriteOrder::default();
        for group in groups {
            order.push_group(group.iter().copied());
        }
        let rows = order.rows.iter().max().map_or(0, |&last| last as usize + 1);
        order.set_before(Lists::collect(rows, before.iter().copied()));
        order
    }

    #[test]
    fn a_transaction_takes_whole_groups_and_at_least_one() {
        let order = order(&[&[0], &[1, 2, 3], &[4], &[5]], &[]);
        let transactions: Vec<_> = order.transactions(2).collect();
        assert_eq!(transactions, [vec![0], vec![1, 2, 3], vec![4, 5]]);
    }

    #[test]
    fn what_depends_on_a_row_under_way_is_passed_over_until_that_is_written() {
        let order = order(&[&[0], &[1], &[2], &[3], &[4]], &[(2, 0), (3, 2)]);
        let mut schedule = Schedule::new(&order);
        assert_eq!(schedule.take_beside(&order, 2), [0, 1]);
        assert_eq!(schedule.take_beside(&order, 2), [4]);
        schedule.written(&[0, 1]);
        assert_eq!(schedule.unwritten(&order), [2, 3, 4]);
        assert_eq!(schedule.take_beside(&order, 2), [2, 3]);
        assert_eq!(schedule.take(&order, 2), [0; 0]);
    }

    #[test]
    fn a_few_rows_are_not_worth_a_transaction_beside_others() {
        let ends: Vec<u32> = (1..=100).collect();
        let groups: Vec<&[u32]> = ends.chunks(1).collect();
        let chain: Vec<(u32, u32)> = (2..=99).map(|row| (row, row - 1)).collect();
        let order = order(&groups, &chain);
        let mut schedule = Schedule::new(&order);
        assert_eq!(schedule.take_beside(&order, 10).len(), 10);
        assert_eq!(schedule.take_beside(&order, 10), [0; 0]);
        assert_eq!(schedule.take(&order, 10)[0], 11);
    }

    #[test]
    fn a_group_of_rows_that_wait_for_each_other_can_be_taken() {
        let order = order(&[&[0, 1]], &[(0, 1), (1, 0)]);
        assert_eq!(Schedule::new(&order).take_beside(&order, 1), [0, 1]);
    }

    proptest! {
        /// Each row is taken once, and never beside a row that has to be written before it.
        #[test]
        fn every_row_is_taken_once_and_after_what_comes_before_it(
            edges in prop::collection::vec((1u32..60, 0u32..60), 0..90),
            sizes in prop::collection::vec((1usize..12, any::<bool>()), 1..8),
        ) {
            let rows: Vec<u32> = (0..60).collect();
            let groups: Vec<&[u32]> = rows.chunks(1).collect();
            let edges: Vec<(u32, u32)> = edges.into_iter().filter(|(later, earlier)| earlier < later).collect();
            let order = order(&groups, &edges);
            let mut schedule = Schedule::new(&order);
            let (mut written, mut under_way) = (Vec::new(), Vec::new());
            let comes_before = |row: u32| edges.iter().filter(move |edge| edge.0 == row).map(|edge| edge.1);
            for &(size, waits) in sizes.iter().cycle().take(200) {
                if waits {
                    schedule.written(&under_way);
                    written.append(&mut under_way);
                }
                let mut batch = schedule.take_beside(&order, size);
                if batch.is_empty() {
                    schedule.written(&under_way);
                    written.append(&mut under_way);
                    batch = schedule.take(&order, size);
                }
                for &row in &batch {
                    prop_assert!(comes_before(row).all(|earlier| written.contains(&earlier) || batch.contains(&earlier)));
                }
                under_way.extend(batch);
            }
            schedule.written(&under_way);
            written.extend(under_way);
            prop_assert_eq!(schedule.unwritten(&order), Vec::<u32>::new());
            written.sort_unstable();
            prop_assert_eq!(written, rows);
        }
    }
}
