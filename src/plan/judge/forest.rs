//! A forest whose trees are cut and joined, and which answers questions about paths to the root, each in logarithmic
//! time: a link-cut tree (Sleator and Tarjan, 1983). Knows only numbered nodes.
//!
//! Each tree is split into paths that go up. Each path is kept as a splay tree ordered by depth, and the top of a splay
//! tree points to the node above its path. All costs are amortised.

const NONE: u32 = u32::MAX;

/// Rooted trees over nodes numbered from 0, some of them marked.
pub(crate) struct Forest {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    /// The parent in the splay tree; for its top, the node above the path.
    parent: u32,
    /// The parts of the path above and below the node.
    children: [u32; 2],
    marked: bool,
    /// Some node in this part of the splay tree, from this node down, is marked.
    any_marked: bool,
}

impl Forest {
    /// Builds the trees from `(parent, marked)` of each node. Parents must not form a cycle.
    pub(crate) fn new(nodes: impl Iterator<Item = (Option<u32>, bool)>) -> Self {
        let nodes = nodes.map(|(parent, marked)| Node {
            parent: parent.unwrap_or(NONE),
            children: [NONE; 2],
            marked,
            any_marked: marked,
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Returns the root of the tree that has `node`.
    pub(crate) fn root(&mut self, node: u32) -> u32 {
        self.expose(node);
        let mut root = node;
        while self.child(root, 0) != NONE {
            root = self.child(root, 0);
        }
        self.splay(root);
        root
    }

    /// Makes `root` a child of `parent`. `root` must be a root, and `parent` must be in another tree.
    pub(crate) fn link(&mut self, root: u32, parent: u32) {
        self.expose(root);
        self.at(root).parent = parent;
    }

    /// Makes `node` the root of its own tree. Does nothing if it is a root already.
    pub(crate) fn cut(&mut self, node: u32) {
        self.expose(node);
        let above = self.child(node, 0);
        if above != NONE {
            self.at(above).parent = NONE;
            self.adopt(node, 0, NONE);
        }
    }

    /// Marks `node`, or removes its mark.
    pub(crate) fn set_mark(&mut self, node: u32, marked: bool) {
        self.expose(node);
        self.at(node).marked = marked;
        self.update(node);
    }

    /// Removes the mark from one marked node on the path from `node` to its root, and returns that node. Returns `None`
    /// if no node on the path is marked.
    pub(crate) fn take_mark(&mut self, node: u32) -> Option<u32> {
        self.expose(node);
        let mut found = self.nodes[node as usize].any_marked.then_some(node)?;
        while !self.nodes[found as usize].marked {
            let above = self.child(found, 0);
            let side = usize::from(!self.has_mark(above));
            found = self.child(found, side);
        }
        self.set_mark(found, false);
        Some(found)
    }

    /// Makes the path from `node` to its root one splay tree, with `node` on top.
    fn expose(&mut self, node: u32) {
        let mut below = NONE;
        let mut at = node;
        while at != NONE {
            self.splay(at);
            self.adopt(at, 1, below);
            below = at;
            at = self.nodes[at as usize].parent;
        }
        self.splay(node);
    }

    fn splay(&mut self, node: u32) {
        while let Some(parent) = self.splay_parent(node) {
            if let Some(grandparent) = self.splay_parent(parent) {
                let straight = self.side(node, parent) == self.side(parent, grandparent);
                self.rotate(if straight { parent } else { node });
            }
            self.rotate(node);
        }
    }

    /// Lifts `node` above its parent in their splay tree.
    fn rotate(&mut self, node: u32) {
        let Some(parent) = self.splay_parent(node) else {
            return;
        };
        let side = self.side(node, parent);
        let above = self.nodes[parent as usize].parent;
        let grandparent = self.splay_parent(parent);
        let parent_side = grandparent.map_or(0, |above| self.side(parent, above));
        let inner = self.child(node, 1 - side);
        self.adopt(parent, side, inner);
        self.adopt(node, 1 - side, parent);
        self.at(node).parent = above;
        if let Some(grandparent) = grandparent {
            self.at(grandparent).children[parent_side] = node;
        }
    }

    /// Puts `child` below `node` and updates the summary of `node`.
    fn adopt(&mut self, node: u32, side: usize, child: u32) {
        self.at(node).children[side] = child;
        if child != NONE {
            self.at(child).parent = node;
        }
        self.update(node);
    }

    fn update(&mut self, node: u32) {
        let below = [0, 1].map(|side| self.has_mark(self.child(node, side)));
        let node = self.at(node);
        node.any_marked = node.marked || below.contains(&true);
    }

    fn has_mark(&self, node: u32) -> bool {
        node != NONE && self.nodes[node as usize].any_marked
    }

    /// Returns the parent within the same splay tree.
    fn splay_parent(&self, node: u32) -> Option<u32> {
        let parent = self.nodes[node as usize].parent;
        let is_child = parent != NONE && self.nodes[parent as usize].children.contains(&node);
        is_child.then_some(parent)
    }

    fn side(&self, node: u32, parent: u32) -> usize {
        usize::from(self.child(parent, 1) == node)
    }

    fn child(&self, node: u32, side: usize) -> u32 {
        self.nodes[node as usize].children[side]
    }

    fn at(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reference for the test: walks up one parent at a time.
    fn path_up(parents: &[Option<u32>], node: u32) -> Vec<u32> {
        std::iter::successors(Some(node), |&n| parents[n as usize]).collect()
    }

    proptest! {
        #[test]
        fn roots_and_marks_are_those_of_walking_up(
            marks in proptest::collection::vec(any::<bool>(), 12),
            moves in proptest::collection::vec((0_u32..12, 0_u32..12), 0..60),
        ) {
            let mut parents = vec![None; 12];
            let mut forest = Forest::new(marks.iter().map(|&marked| (None, marked)));
            for (node, parent) in moves {
                forest.cut(node);
                parents[node as usize] = None;
                if forest.root(parent) != node {
                    forest.link(node, parent);
                    parents[node as usize] = Some(parent);
                }
                let path = path_up(&parents, parent);
                prop_assert_eq!(Some(&forest.root(parent)), path.last());
                let mut found: Vec<u32> =
                    std::iter::from_fn(|| forest.take_mark(parent)).collect();
                for &node in &found {
                    forest.set_mark(node, true);
                }
                found.sort_unstable();
                let mut marked = path;
                marked.retain(|&n| marks[n as usize]);
                marked.sort_unstable();
                prop_assert_eq!(found, marked);
            }
        }
    }
}
