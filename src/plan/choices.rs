//! What the catalog offers, found by name, and the nearest offer for a name that is not there.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::text::nearest;
use crate::domain::Issue;
use crate::domain::{Column, IssueCode};

/// Names compared while looking for suggestions, per column and import. Beyond it no more are made,
/// so that a million different typing errors cannot stall an import.
const COMPARISONS: usize = 2_000_000;

/// Offers named in a message where none is near.
const NAMED: usize = 5;

/// The offers of one column.
pub(super) struct Choices<'a, T> {
    column: Column,
    unknown: IssueCode,
    noun: &'static str,
    comparable: fn(&str) -> Cow<'_, str>,
    offers: HashMap<Cow<'a, str>, T>,
    names: Vec<&'a str>,
    suggested: HashMap<String, Option<&'a str>>,
    comparisons_left: usize,
}

impl<'a, T: Copy> Choices<'a, T> {
    /// Offers of `column`, whose names are equal where `comparable` makes them so.
    pub(super) fn new(
        column: Column,
        (unknown, noun): (IssueCode, &'static str),
        comparable: fn(&str) -> Cow<'_, str>,
        offers: impl Iterator<Item = (&'a str, T)> + Clone,
    ) -> Self {
        Self {
            column,
            unknown,
            noun,
            comparable,
            names: offers.clone().map(|(name, _)| name).collect(),
            offers: offers.map(|(name, t)| (comparable(name), t)).collect(),
            suggested: HashMap::new(),
            comparisons_left: COMPARISONS,
        }
    }

    /// The same, suggesting nothing but these names: the others can be given to nobody anew.
    pub(super) fn suggesting(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        self.names = names.collect();
        self
    }

    /// The offer with this name, or the issue that says there is none; [`advise`](Self::advise) words it.
    pub(super) fn find(&self, name: &str) -> Result<T, Issue> {
        let found = self.offers.get(&*(self.comparable)(name)).copied();
        found.ok_or_else(|| Issue::error(self.unknown, self.column, name, String::new()))
    }

    /// Words the issue that [`find`](Self::find) has made of `name`, if it is that.
    pub(super) fn advise(&mut self, issue: &mut Issue, name: &str) {
        if (issue.code, issue.column) != (self.unknown, Some(self.column)) {
            return;
        }
        let near = self.nearest(name);
        let advice = match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => self.advice(),
        };
        let message = format!(
            "{} \"{}\" is not a {} of this organisation; {advice}",
            self.column, issue.value, self.noun
        );
        issue.message = message.into_boxed_str();
        issue.suggestion = near.unwrap_or_default().into();
    }

    fn advice(&self) -> String {
        if self.names.is_empty() {
            return format!("add the {} to the catalog first.", self.noun);
        }
        let quoted = self.names.iter().map(|name| format!("\"{name}\""));
        let named = quoted.take(NAMED).collect::<Vec<_>>().join(", ");
        let more = if self.names.len() > NAMED {
            ", …"
        } else {
            ""
        };
        let choice = if self.names.len() == 1 { "" } else { "one of " };
        format!("use {choice}{named}{more}.")
    }

    fn nearest(&mut self, name: &str) -> Option<&'a str> {
        if let Some(&known) = self.suggested.get(name) {
            return known;
        }
        self.comparisons_left = self.comparisons_left.checked_sub(self.names.len())?;
        let near = nearest(name, self.names.iter().copied());
        self.suggested.insert(name.to_owned(), near);
        near
    }
}
