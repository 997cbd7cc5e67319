//! The text of a file of profiles while it is read, and its faults with their lines.

use std::{fmt, ops::Range, path::Path};

use toml::{Spanned, de::DeValue};

use crate::domain::{SuggestionBudget, nearest};

/// A fault of the file, with its line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProfileFault {
    /// Counted from 1.
    pub line: usize,
    text: String,
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// The text of the file.
pub(crate) struct ProfileSource<'a> {
    text: &'a str,
    /// Path of the file, for the paths in it.
    pub path: &'a Path,
}

impl<'a> ProfileSource<'a> {
    /// The text of the file at `path`.
    pub(crate) const fn new(text: &'a str, path: &'a Path) -> Self {
        Self { text, path }
    }

    /// Makes a fault at this place in the text.
    pub(crate) fn fault(&self, at: Range<usize>, text: impl Into<String>) -> ProfileFault {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        ProfileFault {
            line: 1 + before.matches('\n').count(),
            text: text.into(),
        }
    }

    /// Returns a value that must be a text.
    pub(crate) fn text_of(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<String, ProfileFault> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.fault(value.span(), format!("{key} must be a text in quotes."))),
        }
    }
}

/// A table's key and what it holds.
pub(super) type SettingEntry<'a, 'b> = (
    &'a Spanned<toml::de::DeString<'b>>,
    &'a Spanned<DeValue<'b>>,
);

/// The end of a sentence about an unknown name: suggests the nearest name, or lists all names.
pub(super) fn known_names<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, names.clone(), &mut SuggestionBudget::of_call()) {
        return format!("; did you mean \"{near}\"?");
    }
    match names.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "; it has none.".to_owned(),
        all => format!("; it has: {all}."),
    }
}
