//! Answers what a mapping does to single names and cells, for a look at a file without importing it.

use super::{CompiledMapping, MappedName, Mapping};
use crate::domain::{Column, cell_text};
use crate::input::FileFault;
use crate::input::comparable_name::ComparableName;

/// What a mapping makes of a column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MappedTo {
    /// This column.
    Column(Column),
    /// It is ignored, or only read by templates.
    Nothing,
}

/// Answers questions about a mapping.
pub(crate) struct MappingLookup(CompiledMapping);

impl MappingLookup {
    /// Makes it.
    ///
    /// # Errors
    /// Returns all faults of the mapping.
    pub(crate) fn new(mapping: &Mapping) -> Result<Self, Vec<FileFault>> {
        match CompiledMapping::new(mapping) {
            Ok(mapping) => Ok(Self(mapping)),
            Err(faults) => Err(faults.into_iter().map(FileFault::BadMapping).collect()),
        }
    }

    /// Returns what the mapping says of a name in the file's header, or `None` if it says nothing.
    pub(crate) fn column(&self, name: &str) -> Option<MappedTo> {
        match self.0.named(&ComparableName::parse(name)) {
            MappedName::Column(column) => Some(MappedTo::Column(column)),
            MappedName::Ignored => Some(MappedTo::Nothing),
            MappedName::Unmapped => None,
        }
    }

    /// Returns the text of the cell that is checked: blank if the cell is a word for "no value", the value that the
    /// cell stands for, or the cell itself.
    pub(crate) fn value<'a>(&'a self, column: Column, cell: &'a str) -> &'a str {
        let text = cell_text(cell);
        let (read, cell) = match self.0.is_null(&text) {
            true => ("", ""),
            false => (&*text, cell),
        };
        self.0.value(column, read).unwrap_or(cell)
    }
}
