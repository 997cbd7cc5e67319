//! Finds the strongly connected components of a graph, without recursion (Tarjan, 1972). Knows only the
//! rows' numbers.

use crate::plan::index::{ByRow, ListsByIndex, RowIndex};

const UNSEEN: u32 = 0;
const CLOSED: u32 = u32::MAX;

/// Visits a graph, component by component.
pub(crate) struct GraphComponents<'g> {
    /// By node: the nodes that come before it.
    before: &'g ListsByIndex<RowIndex, RowIndex>,
    /// By node: the time at which it was first reached, or the time of an older node that it leads back to.
    reached: ByRow<u32>,
    clock: u32,
    /// Nodes that have been reached and whose component is not complete.
    open: Vec<RowIndex>,
    /// The path to the present node: nodes, each with its time and the number of edges that have been followed.
    way: Vec<(RowIndex, u32, usize)>,
}

impl<'g> GraphComponents<'g> {
    pub(crate) fn new(before: &'g ListsByIndex<RowIndex, RowIndex>, nodes: usize) -> Self {
        Self {
            before,
            reached: ByRow::repeat(UNSEEN, nodes),
            clock: UNSEEN,
            open: Vec::new(),
            way: Vec::new(),
        }
    }

    /// Visits every component that `node` leads to and that has not been visited, then the component of `node`. Each
    /// component is visited after all components that it leads to.
    pub(crate) fn pass(&mut self, node: RowIndex, mut visit: impl FnMut(Vec<RowIndex>)) {
        if self.reached[node] == UNSEEN {
            self.enter(node);
        }
        while let Some(&(at, time, followed)) = self.way.last() {
            match self.before.get(at).get(followed) {
                Some(&next) => self.follow(at, next),
                None => visit_some(self.leave(at, time), &mut visit),
            }
        }
    }

    fn enter(&mut self, node: RowIndex) {
        self.clock += 1;
        self.reached[node] = self.clock;
        self.open.push(node);
        self.way.push((node, self.clock, 0));
    }

    fn follow(&mut self, at: RowIndex, next: RowIndex) {
        if let Some((_, _, followed)) = self.way.last_mut() {
            *followed += 1;
        }
        match self.reached[next] {
            UNSEEN => self.enter(next),
            CLOSED => {}
            _ => self.lead_back(at, next),
        }
    }

    /// Notes that `from` leads back to the node that `to` leads back to.
    fn lead_back(&mut self, from: RowIndex, to: RowIndex) {
        let oldest = self.reached[to].min(self.reached[from]);
        self.reached[from] = oldest;
    }

    /// Steps back from `node`. Returns its component if `node` is the first node of it that was reached.
    fn leave(&mut self, node: RowIndex, time: u32) -> Option<Vec<RowIndex>> {
        self.way.pop();
        if self.reached[node] < time {
            if let Some(&(from, ..)) = self.way.last() {
                self.lead_back(from, node);
            }
            return None;
        }
        let start = self.open.iter().rposition(|&open| open == node)?;
        let component = self.open.split_off(start);
        for &member in &component {
            self.reached[member] = CLOSED;
        }
        Some(component)
    }
}

fn visit_some(component: Option<Vec<RowIndex>>, visit: &mut impl FnMut(Vec<RowIndex>)) {
    if let Some(component) = component {
        visit(component);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DenseIndex;

    fn pass(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let edges = edges.iter();
        let edges = edges.map(|&(from, to)| (RowIndex::new(from), RowIndex::new(to)));
        let before = ListsByIndex::collect(nodes, edges);
        let mut components = GraphComponents::new(&before, nodes);
        let mut passed = Vec::new();
        for node in (0..nodes).map(RowIndex::new) {
            components.pass(node, |mut component| {
                component.sort_unstable();
                passed.push(component.into_iter().map(RowIndex::position).collect());
            });
        }
        passed
    }

    #[test]
    fn what_comes_before_a_node_is_passed_first_and_circles_stay_together() {
        let edges = [(0, 3), (3, 4), (4, 3), (2, 0), (1, 2), (0, 1)];
        assert_eq!(pass(6, &edges), [vec![3, 4], vec![0, 1, 2], vec![5]]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_overflow_the_stack() {
        let edges: Vec<(usize, usize)> = (1..100_000).map(|n| (n - 1, n)).collect();
        let passed = pass(100_000, &edges);
        assert_eq!((passed.len(), &passed[0]), (100_000, &vec![99_999]));
    }
}
