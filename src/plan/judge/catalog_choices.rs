//! The roles, ranks and groups of the catalog, found by name, and the nearest name for a name that is unknown. Knows no
//! user and no rule.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::finding::Finding;
use crate::domain::{Catalog, Column, IssueCode, NameIndex, Row, SearchedNames, SuggestionBudget};

/// The number of different names whose suggestion is remembered. A mistake that repeats is usually among few names.
const REMEMBERED: usize = 10_000;

/// The kind of catalog entry that a row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CatalogKind {
    Role,
    Rank,
    Group,
}

impl CatalogKind {
    pub(crate) const fn column(self) -> Column {
        match self {
            Self::Role => Column::Role,
            Self::Rank => Column::Rank,
            Self::Group => Column::EvidenceGroupExtId,
        }
    }

    /// The code for a name that the catalog does not have.
    pub(crate) const fn unknown(self) -> IssueCode {
        match self {
            Self::Role => IssueCode::UnknownRole,
            Self::Rank => IssueCode::UnknownRank,
            Self::Group => IssueCode::UnknownGroup,
        }
    }

    /// The word for it in messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Rank => "rank",
            Self::Group => "group",
        }
    }

    /// Returns the names that a user can newly receive, each with its index in the catalog. Inactive groups are left
    /// out.
    pub(crate) fn entries(self, catalog: &Catalog) -> impl Iterator<Item = (usize, &str)> {
        (0..self.count(catalog)).filter_map(move |at| Some((at, self.entry(catalog, at)?)))
    }

    /// Returns the name at this index of the catalog.
    pub(crate) fn name(self, catalog: &Catalog, at: u16) -> &str {
        self.entry(catalog, at.into()).unwrap_or_default()
    }

    fn count(self, catalog: &Catalog) -> usize {
        match self {
            Self::Role => catalog.roles.len(),
            Self::Rank => catalog.ranks.len(),
            Self::Group => catalog.groups.len(),
        }
    }

    fn entry(self, catalog: &Catalog, at: usize) -> Option<&str> {
        match self {
            Self::Role => Some(&catalog.roles.get(at)?.name),
            Self::Rank => Some(&catalog.ranks.get(at)?.name),
            Self::Group => {
                let group = catalog.groups.get(at).filter(|group| group.active)?;
                Some(&group.external_id)
            }
        }
    }
}

/// The entries of the catalog that the values of one column may name.
pub(crate) struct CatalogChoices<'a, T> {
    named: CatalogKind,
    entries: NameIndex<'a, T>,
    /// The names that can be suggested, with their indices in the catalog.
    names: Vec<(usize, &'a str)>,
    /// The search index of `names`, built for the first suggestion.
    near: Option<SearchedNames<'a>>,
    suggested: HashMap<String, Option<u16>>,
}

impl<'a, T: Copy> CatalogChoices<'a, T> {
    /// Indexes the catalog's `entries`. Two names are equal if `comparable` returns the same text for both.
    pub(crate) fn new(
        named: CatalogKind,
        catalog: &'a Catalog,
        comparable: fn(&str) -> Cow<'_, str>,
        entries: impl Iterator<Item = (&'a str, T)>,
    ) -> Self {
        Self {
            named,
            entries: NameIndex::new(comparable, entries),
            names: named.entries(catalog).collect(),
            near: None,
            suggested: HashMap::new(),
        }
    }

    /// Returns the entry whose name is `name`, the value of `row`, or `None` if there is none. An entry with exactly
    /// the text that the row writes comes first: a name of the catalog may be older than today's normalisation of
    /// values.
    pub(crate) fn find(&self, row: &Row, name: &str) -> Option<T> {
        let written = row.written(self.named.column());
        let as_written = written.and_then(|written| self.entries.find_exact(written));
        as_written.or_else(|| self.entries.find(name))
    }

    /// Returns the finding that the catalog lacks the name in `row`, with the nearest name as suggestion.
    pub(crate) fn unknown(&mut self, row: &Row, budget: &mut SuggestionBudget) -> Finding {
        let name = row.value(self.named.column()).unwrap_or_default();
        Finding::Unknown {
            named: self.named,
            near: self.nearest(name, budget),
        }
    }

    fn nearest(&mut self, name: &str, budget: &mut SuggestionBudget) -> Option<u16> {
        if let Some(&known) = self.suggested.get(name) {
            return known;
        }
        let names = &self.names;
        let search = || SearchedNames::new(names.iter().map(|&(_, name)| name));
        let near = self.near.get_or_insert_with(search).nearest(name, budget);
        // Catalogs have far fewer entries than `u16` can count.
        let near = near.and_then(|at| u16::try_from(names[at].0).ok());
        if self.suggested.len() < REMEMBERED {
            self.suggested.insert(name.to_owned(), near);
        }
        near
    }
}
