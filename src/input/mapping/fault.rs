//! The faults of a mapping, and the message for each.

use thiserror::Error;

use super::Mapping;
use crate::domain::Column;
use crate::input::FileFault;

/// Why a mapping cannot be used. `Display` is the sentence for the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingFault {
    /// It is too large.
    #[error(
        "The mapping is too large: a list has at most {} entries, and all texts together have at most {} KiB.",
        Mapping::MOST_ENTRIES,
        Mapping::MOST_BYTES / 1024
    )]
    TooLarge,
    /// Too many lines are skipped.
    #[error(
        "At most {} lines above the header are skipped, not {given}.",
        Mapping::MOST_LEADING_LINES
    )]
    TooManyLeadingLines {
        /// The number that was given.
        given: u32,
    },
    /// A name is none of our columns.
    #[error("\"{}\" is not a column of a roster{}", FileFault::showable(name), match (near, *field) {
        (Some(near), _) => format!("; did you mean {near}?"),
        (None, "columns") => "; name one such as EMAIL, or leave it blank to ignore the file's column.".to_owned(),
        (None, _) => "; name one such as EMAIL.".to_owned(),
    })]
    UnknownColumn {
        /// The field of the mapping.
        field: &'static str,
        /// The name.
        name: String,
        /// The nearest column.
        near: Option<Column>,
    },
    /// Something is stated twice.
    #[error("\"{}\" is stated twice; keep one.", FileFault::showable(name))]
    Twice {
        /// The field of the mapping.
        field: &'static str,
        /// What is stated twice.
        name: String,
    },
    /// Something is blank.
    #[error("A text of {field} is blank; fill it in, or remove it.")]
    Blank {
        /// The field of the mapping.
        field: &'static str,
    },
    /// A prefix has a line break, which no line has.
    #[error(
        "\"{}\" has a line break, which no line has; write the beginning of one \
         line.",
        FileFault::showable(prefix)
    )]
    LineBreak {
        /// The prefix.
        prefix: String,
    },
    /// A template cannot be used.
    #[error("The template of {column} cannot be used: {problem}")]
    Template {
        /// The column that it computes.
        column: Column,
        /// What is wrong, and what to do, as a sentence that begins with a small letter.
        problem: String,
    },
}

impl MappingFault {
    /// Returns the path of the field in an import's `start`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self.field() {
            "" => "mapping".to_owned(),
            field => format!("mapping.{field}"),
        }
    }

    const fn field(&self) -> &'static str {
        match self {
            Self::TooLarge => "",
            Self::TooManyLeadingLines { .. } => "skip_leading_lines",
            Self::UnknownColumn { field, .. }
            | Self::Twice { field, .. }
            | Self::Blank { field } => field,
            Self::LineBreak { .. } => "ignored_line_prefixes",
            Self::Template { .. } => "templates",
        }
    }
}
