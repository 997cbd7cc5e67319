//! The order in which rows are written, and what must be written together (semantics §5, Writing).

/// Rows to write, in an order in which every commit leaves a valid directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOrder {
    rows: Vec<u32>,
    ends: Vec<u32>,
}

impl WriteOrder {
    /// Adds rows that depend on each other and so share one transaction; they come after all rows
    /// added before.
    pub fn push_group(&mut self, rows: impl IntoIterator<Item = u32>) {
        self.rows.extend(rows);
        self.ends
            .push(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
    }

    /// All rows (by index), in order.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The rows of one transaction: whole groups from position `start` on, as many as fit into
    /// `size` rows, and at least one, however large. `None`: there are no more.
    #[must_use]
    pub fn batch(&self, start: usize, size: usize) -> Option<&[u32]> {
        let first = self.ends.partition_point(|&end| end as usize <= start);
        let fitting = self
            .ends
            .partition_point(|&end| end as usize <= start + size);
        let end = *self.ends.get(fitting.saturating_sub(1).max(first))?;
        Some(&self.rows[start..end as usize])
    }

    /// All transactions of about `size` rows, in order.
    #[cfg(test)]
    pub fn transactions(&self, size: usize) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let rows = self.batch(start, size)?;
            start += rows.len();
            Some(rows)
        })
    }
}
