//! How the columns, values and lines of a file become those of a roster (semantics §10).
//!
//! A [`Mapping`] is what a client or an organisation states. It is compiled once for each file: `template` has its
//! templates, and [`CellMapper`] applies it to the cells of each row.

mod compiled;
mod fault;
mod lookup;
mod mapper;
mod scan;
mod template;

#[cfg(test)]
mod tests;

pub(super) use compiled::{CompiledMapping, LineRules, MappedName};
pub(crate) use fault::MappingFault;
pub(crate) use lookup::{MappedTo, MappingLookup};
pub(super) use mapper::{CellMapper, ColumnsRead};

use std::collections::BTreeMap;

/// How to read a file that has other column names, values or lines than a roster. An empty mapping changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// From a name in the file's header to the name of our column. Blank: the file's column is ignored.
    pub columns: BTreeMap<String, String>,
    /// Words that stand for a blank cell, in any case.
    pub null_values: Vec<String>,
    /// Values that stand for others.
    pub values: Vec<ValueMapping>,
    /// From the name of our column to the template that computes it from the file's cells.
    pub templates: BTreeMap<String, String>,
    /// Number of lines above the header.
    pub skip_leading_lines: u32,
    /// Lines that begin with one of these are no records.
    pub ignored_line_prefixes: Vec<String>,
}

/// A cell of a column that stands for another value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueMapping {
    /// The name of our column.
    pub column: String,
    /// The cell, in any case. Blank: a blank cell.
    pub cell: String,
    /// The value in its place.
    pub value: String,
}

impl Mapping {
    /// Most lines above the header.
    pub const MOST_LEADING_LINES: u32 = 1_000;
    /// Most entries of each list.
    pub const MOST_ENTRIES: usize = 1_000;
    /// Most bytes of all texts together.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// Returns `true` if nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that the mapping can be used.
    ///
    /// # Errors
    /// Returns all faults.
    pub fn check(&self) -> Result<(), Vec<MappingFault>> {
        CompiledMapping::new(self).map(drop)
    }

    /// Bytes of all texts.
    fn bytes(&self) -> usize {
        let columns = self.columns.iter().chain(&self.templates);
        let columns = columns.map(|(name, text)| name.len() + text.len());
        let values = self.values.iter();
        let values = values.map(|v| v.column.len() + v.cell.len() + v.value.len());
        let lists = self.null_values.iter().chain(&self.ignored_line_prefixes);
        columns.chain(values).chain(lists.map(String::len)).sum()
    }
}
