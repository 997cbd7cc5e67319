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

    /// Splits the rows into transactions of about `size` rows: whole groups, closed as soon as
    /// `size` is reached. A group larger than `size` is one transaction.
    pub fn transactions(&self, size: usize) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        let mut ends = self.ends.iter().map(|&end| end as usize).peekable();
        std::iter::from_fn(move || {
            let mut end = ends.next()?;
            while let Some(&next) = ends.peek() {
                if next - start > size {
                    break;
                }
                end = next;
                ends.next();
            }
            let rows = &self.rows[start..end];
            start = end;
            Some(rows)
        })
    }
}
