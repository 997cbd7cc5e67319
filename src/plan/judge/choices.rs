//! What the catalog offers, found by name, and the nearest offer for a name that is not there.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::finding::Finding;
use crate::domain::{Catalog, Column, IssueCode, NameIndex, Row};
use crate::plan::index::index;
use crate::plan::index::{Offers, SuggestionBudget};

/// Different names whose suggestion is remembered; a mistake that repeats itself does so among few.
const REMEMBERED: usize = 10_000;

/// What a row names of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Role,
    Rank,
    Group,
}

impl Named {
    pub(crate) const fn column(self) -> Column {
        match self {
            Self::Role => Column::Role,
            Self::Rank => Column::Rank,
            Self::Group => Column::EvidenceGroupExtId,
        }
    }

    /// The code that says there is none of this name.
    pub(crate) const fn unknown(self) -> IssueCode {
        match self {
            Self::Role => IssueCode::UnknownRole,
            Self::Rank => IssueCode::UnknownRank,
            Self::Group => IssueCode::UnknownGroup,
        }
    }

    /// What an administrator calls it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Rank => "rank",
            Self::Group => "group",
        }
    }

    /// The names that can be given to a user anew, each with its index in the catalog.
    pub(crate) fn offers(self, catalog: &Catalog) -> impl Iterator<Item = (u32, &str)> {
        (0..self.count(catalog)).filter_map(move |at| Some((index(at), self.offer(catalog, at)?)))
    }

    /// The name at this index of the catalog.
    pub(crate) fn name(self, catalog: &Catalog, at: u32) -> &str {
        self.offer(catalog, at as usize).unwrap_or_default()
    }

    fn count(self, catalog: &Catalog) -> usize {
        match self {
            Self::Role => catalog.roles.len(),
            Self::Rank => catalog.ranks.len(),
            Self::Group => catalog.groups.len(),
        }
    }

    fn offer(self, catalog: &Catalog, at: usize) -> Option<&str> {
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

/// The offers of one column.
pub(crate) struct Choices<'a, T> {
    named: Named,
    offers: NameIndex<'a, T>,
    /// The names that are suggested, and their indices in the catalog.
    names: Vec<(u32, &'a str)>,
    /// The same, made when a suggestion is asked for.
    near: Option<Offers<'a>>,
    suggested: HashMap<String, Option<u32>>,
}

impl<'a, T: Copy> Choices<'a, T> {
    /// Offers of the catalog, whose names are equal where `comparable` makes them so.
    pub(crate) fn new(
        named: Named,
        catalog: &'a Catalog,
        comparable: fn(&str) -> Cow<'_, str>,
        offers: impl Iterator<Item = (&'a str, T)>,
    ) -> Self {
        Self {
            named,
            offers: NameIndex::new(comparable, offers),
            names: named.offers(catalog).collect(),
            near: None,
            suggested: HashMap::new(),
        }
    }

    /// The offer whose name is `name`, the value of `row`. One that has just what the row writes comes first: a
    /// name of the catalog may be from before values were normalised as they are today.
    pub(crate) fn find(&self, row: &Row, name: &str) -> Option<T> {
        let written = row.written(self.named.column());
        let as_written = written.and_then(|written| self.offers.find_exact(written));
        as_written.or_else(|| self.offers.find(name))
    }

    /// That there is no offer of the name that `row` has.
    pub(crate) fn unknown(&mut self, row: &Row, budget: &mut SuggestionBudget) -> Finding {
        let name = row.value(self.named.column()).unwrap_or_default();
        Finding::Unknown {
            named: self.named,
            // Catalogs have far fewer entries than that.
            near: self
                .nearest(name, budget)
                .and_then(|near| u16::try_from(near).ok()),
        }
    }

    fn nearest(&mut self, name: &str, budget: &mut SuggestionBudget) -> Option<u32> {
        if let Some(&known) = self.suggested.get(name) {
            return known;
        }
        let names = &self.names;
        let offers = || Offers::new(names.iter().map(|&(_, name)| name));
        let near = self.near.get_or_insert_with(offers).nearest(name, budget);
        let near = near.map(|at| names[at].0);
        if self.suggested.len() < REMEMBERED {
            self.suggested.insert(name.to_owned(), near);
        }
        near
    }
}
