//! A forest whose trees are cut and joined, and which answers questions about paths to the root, each in logarithmic
//! time: a link-cut tree (Sleator and Tarjan, 1983). Knows only numbered nodes.
//!
//! Each tree is split into paths that go up. Each path is kept as a splay tree ordered by depth, and the top of a splay
//! tree points to the node above its path. All costs are amortised.

use crate::plan::index::{IndexVec, Node};

/// Rooted trees over nodes numbered from 0, some of them marked.
pub(crate) struct Forest {
    nodes: IndexVec<Node, SplayNode>,
}

/// A node's place in its splay tree.
#[derive(Clone, Copy)]
struct SplayNode {
    /// The parent in the splay tree; for its top, the node above the path.
    parent: Option<Node>,
    /// The parts of the path above and below the node.
    children: [Option<Node>; 2],
    marked: bool,
    /// Some node in this part of the splay tree, from this node down, is marked.
    any_marked: bool,
}

impl Forest {
    /// Builds the trees from `(parent, marked)` of each node. Parents must not form a cycle.
    pub(crate) fn new(nodes: impl Iterator<Item = (Option<Node>, bool)>) -> Self {
        let nodes = nodes.map(|(parent, marked)| SplayNode {
            parent,
            children: [None; 2],
            marked,
            any_marked: marked,
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Returns the root of the tree that has `node`.
    pub(crate) fn root(&mut self, node: Node) -> Node {
        self.expose(node);
        let mut root = node;
        while let Some(above) = self.nodes[root].children[0] {
            root = above;
        }
        self.splay(root);
        root
    }

    /// Makes `root` a child of `parent`. `root` must be a root, and `parent` must be in another tree.
    pub(crate) fn link(&mut self, root: Node, parent: Node) {
        self.expose(root);
        self.nodes[root].parent = Some(parent);
    }

    /// Makes `node` the root of its own tree. Does nothing if it is a root already.
    pub(crate) fn cut(&mut self, node: Node) {
        self.expose(node);
        if let Some(above) = self.nodes[node].children[0] {
            self.nodes[above].parent = None;
            self.adopt(node, 0, None);
        }
    }

    /// Marks `node`, or removes its mark.
    pub(crate) fn set_mark(&mut self, node: Node, marked: bool) {
        self.expose(node);
        self.nodes[node].marked = marked;
        self.update(node);
    }

    /// Removes the mark from one marked node on the path from `node` to its root, and returns that node. Returns `None`
    /// if no node on the path is marked.
    pub(crate) fn take_mark(&mut self, node: Node) -> Option<Node> {
        self.expose(node);
        let mut found = self.nodes[node].any_marked.then_some(node)?;
        while !self.nodes[found].marked {
            let [above, below] = self.nodes[found].children;
            let marked = if self.has_mark(above) { above } else { below };
            found = marked?;
        }
        self.set_mark(found, false);
        Some(found)
    }

    /// Makes the path from `node` to its root one splay tree, with `node` on top.
    fn expose(&mut self, node: Node) {
        let mut below = None;
        let mut at = Some(node);
        while let Some(top) = at {
            self.splay(top);
            self.adopt(top, 1, below);
            below = at;
            at = self.nodes[top].parent;
        }
        self.splay(node);
    }

    fn splay(&mut self, node: Node) {
        while let Some(parent) = self.splay_parent(node) {
            if let Some(grandparent) = self.splay_parent(parent) {
                let straight = self.side(node, parent) == self.side(parent, grandparent);
                self.rotate(if straight { parent } else { node });
            }
            self.rotate(node);
        }
    }

    /// Lifts `node` above its parent in their splay tree.
    fn rotate(&mut self, node: Node) {
        let Some(parent) = self.splay_parent(node) else {
            return;
        };
        let side = self.side(node, parent);
        let above = self.nodes[parent].parent;
        let grandparent = self.splay_parent(parent);
        let parent_side = grandparent.map_or(0, |above| self.side(parent, above));
        let inner = self.nodes[node].children[1 - side];
        self.adopt(parent, side, inner);
        self.adopt(node, 1 - side, Some(parent));
        self.nodes[node].parent = above;
        if let Some(grandparent) = grandparent {
            self.nodes[grandparent].children[parent_side] = Some(node);
        }
    }

    /// Puts `child` below `node` and updates the summary of `node`.
    fn adopt(&mut self, node: Node, side: usize, child: Option<Node>) {
        self.nodes[node].children[side] = child;
        if let Some(child) = child {
            self.nodes[child].parent = Some(node);
        }
        self.update(node);
    }

    fn update(&mut self, node: Node) {
        let SplayNode {
            children, marked, ..
        } = self.nodes[node];
        let below = children.map(|child| self.has_mark(child));
        self.nodes[node].any_marked = marked || below.contains(&true);
    }

    fn has_mark(&self, node: Option<Node>) -> bool {
        node.is_some_and(|node| self.nodes[node].any_marked)
    }

    /// Returns the parent within the same splay tree.
    fn splay_parent(&self, node: Node) -> Option<Node> {
        let parent = self.nodes[node].parent?;
        let is_child = self.nodes[parent].children.contains(&Some(node));
        is_child.then_some(parent)
    }

    fn side(&self, node: Node, parent: Node) -> usize {
        usize::from(self.nodes[parent].children[1] == Some(node))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::index::DenseIndex;

    /// The reference for the test: walks up one parent at a time.
    fn path_up(parents: &IndexVec<Node, Option<Node>>, node: Node) -> Vec<Node> {
        std::iter::successors(Some(node), |&n| parents[n]).collect()
    }

    proptest! {
        #[test]
        fn roots_and_marks_are_those_of_walking_up(
            marks in proptest::collection::vec(any::<bool>(), 12),
            moves in proptest::collection::vec((0_usize..12, 0_usize..12), 0..60),
        ) {
            let mut parents = IndexVec::repeat(None, 12);
            let mut forest = Forest::new(marks.iter().map(|&marked| (None, marked)));
            for (node, parent) in moves {
                let [node, parent] = [node, parent].map(Node::new);
                forest.cut(node);
                parents[node] = None;
                if forest.root(parent) != node {
                    forest.link(node, parent);
                    parents[node] = Some(parent);
                }
                let path = path_up(&parents, parent);
                prop_assert_eq!(Some(&forest.root(parent)), path.last());
                let mut found: Vec<Node> =
                    std::iter::from_fn(|| forest.take_mark(parent)).collect();
                for &node in &found {
                    forest.set_mark(node, true);
                }
                found.sort_unstable();
                let mut marked = path;
                marked.retain(|&n| marks[n.position()]);
                marked.sort_unstable();
                prop_assert_eq!(found, marked);
            }
        }
    }
}
