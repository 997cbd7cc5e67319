//! What the values of STATUS, ROLE, RANK and group in a file would become, and the values that are proposed for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    InspectedValue, ValueMeaning,
    proposal::{MappingProposal, StatusStyle},
    shown,
    words::{self, StatusWord},
};
use crate::domain::{
    Catalog, Column, SearchedNames, SuggestionBudget, cell_text, fold, is_placeholder,
};
use crate::input::{MappingLookup, ValueMapping};

/// Most words for nothing that are proposed for a column.
const MOST_BLANKS: usize = 20;

/// Most values that are reported of a column.
pub(super) const MOST: usize = 200;

/// The columns whose values are reported.
const REPORTED: [Column; 4] = [
    Column::Status,
    Column::Role,
    Column::Rank,
    Column::EvidenceGroupExtId,
];

const STATUSES: [&str; 2] = ["Active", "Inactive"];

/// The entries of a catalog that values may be, by how they are compared.
pub(super) struct CatalogEntries<'a> {
    roles: HashMap<String, &'a str>,
    ranks: HashMap<String, &'a str>,
    groups: HashMap<&'a str, &'a str>,
    /// Names of groups that only one group has.
    group_names: HashMap<String, &'a str>,
    /// Roles that no proposal gives.
    privileged: Vec<&'a str>,
}

impl<'a> CatalogEntries<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        let by_name = |name: &'a str| (fold(name).into_owned(), name);
        let mut group_names = HashMap::new();
        for group in &catalog.groups {
            let same = group_names.entry(fold(&group.name).into_owned());
            let id = Some(&*group.external_id);
            same.and_modify(|known| *known = None).or_insert(id);
        }
        let groups = catalog.groups.iter();
        Self {
            roles: catalog
                .roles
                .iter()
                .map(|role| by_name(&role.name))
                .collect(),
            ranks: catalog
                .ranks
                .iter()
                .map(|rank| by_name(&rank.name))
                .collect(),
            groups: groups
                .map(|group| (&*group.external_id, &*group.external_id))
                .collect(),
            group_names: group_names
                .into_iter()
                .filter_map(|(name, id)| Some((name, id?)))
                .collect(),
            privileged: catalog
                .roles
                .iter()
                .filter(|role| role.privileged)
                .map(|role| &*role.name)
                .collect(),
        }
    }

    /// Returns `true` if there are roles.
    pub(super) fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }

    /// Returns what an import makes of a value.
    fn known(&self, column: Column, value: &str) -> Option<&'a str> {
        let key = || fold(value);
        match column {
            Column::Status => STATUSES.into_iter().find(|status| fold(status) == key()),
            Column::Role => self.roles.get(&*key()).copied(),
            Column::Rank => self.ranks.get(&*key()).copied(),
            Column::EvidenceGroupExtId => self.groups.get(value).copied(),
            _ => None,
        }
    }

    /// Returns what a value that no import knows stands for: the role or rank whose abbreviation it is, or the group
    /// with this name. A privileged role is never proposed.
    fn meant(&self, column: Column, value: &str) -> Option<&'a str> {
        match column {
            Column::Role | Column::Rank => {
                let mut found =
                    words::long_forms(value).filter_map(|long| self.known(column, long));
                found.find(|name| column == Column::Rank || !self.privileged.contains(name))
            }
            Column::EvidenceGroupExtId => self.group_names.get(&*fold(value)).copied(),
            _ => None,
        }
    }

    /// Returns the privileged role that a value is.
    pub(super) fn privileged(&self, value: &str) -> Option<&'a str> {
        let role = self.known(Column::Role, value)?;
        self.privileged.contains(&role).then_some(role)
    }

    /// Returns what a value is or stands for.
    pub(super) fn understand(&self, column: Column, value: &str) -> Option<&'a str> {
        self.known(column, value)
            .or_else(|| self.meant(column, value))
    }

    /// Returns the entry that is nearest to a value.
    fn nearest(
        &self,
        column: Column,
        value: &str,
        budget: &mut SuggestionBudget,
    ) -> Option<String> {
        let names: Vec<&str> = match column {
            Column::Status => STATUSES.to_vec(),
            Column::Role => {
                let roles = self.roles.values().copied();
                roles
                    .filter(|role| !self.privileged.contains(role))
                    .collect()
            }
            Column::Rank => self.ranks.values().copied().collect(),
            Column::EvidenceGroupExtId => self.groups.values().copied().collect(),
            _ => Vec::new(),
        };
        let at = SearchedNames::new(names.iter().copied()).nearest(value, budget)?;
        Some(names[at].to_owned())
    }
}

/// A value of a column, and in how many rows it is.
struct CountedValue {
    cell: String,
    count: u32,
}

/// Returns the different values of a column of the file, the commonest first. Blank ones count if the column is required.
fn counted(proposal: &MappingProposal<'_>, column: Column) -> Vec<CountedValue> {
    let Some(at) = proposal.place(column) else {
        return Vec::new();
    };
    let mut found: BTreeMap<String, CountedValue> = BTreeMap::new();
    for row in &proposal.rows {
        let cell = row.get(at).map_or("", String::as_str);
        if cell.is_empty() && !column.is_required() {
            continue;
        }
        let counted = found.entry(key(cell)).or_insert_with(|| CountedValue {
            cell: cell.to_owned(),
            count: 0,
        });
        counted.count += 1;
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|counted| std::cmp::Reverse(counted.count));
    found
}

/// The form in which the cells of a mapping are compared.
fn key(cell: &str) -> String {
    fold(&cell_text(cell)).into_owned()
}

/// Returns the values that are proposed for cells that no import knows.
pub(super) fn proposed(
    proposal: &MappingProposal<'_>,
    given: &MappingLookup,
    entries: &CatalogEntries<'_>,
) -> Vec<ValueMapping> {
    let mut proposed = Vec::new();
    for column in REPORTED {
        let found = counted(proposal, column);
        let is_letter = |value: &CountedValue| {
            value.cell.eq_ignore_ascii_case("T") || value.cell.eq_ignore_ascii_case("F")
        };
        let filled = || found.iter().filter(|value| !value.cell.is_empty());
        let is_true_or_false = filled().count() == 2 && filled().all(is_letter);
        for CountedValue { cell, .. } in found.iter().take(MOST) {
            if is_nothing(column, cell) {
                continue;
            }
            let is_settled = cell.is_empty()
                || entries.known(column, cell).is_some()
                || given.value(column, cell) != cell;
            if is_settled {
                continue;
            }
            let value = match (column, proposal.place(column)) {
                (Column::Status, Some(at)) => {
                    status(proposal.status_style(at), cell, is_true_or_false)
                }
                _ => entries.meant(column, cell),
            };
            proposed.extend(value.map(|value| ValueMapping {
                column: column.header().to_owned(),
                cell: cell.clone(),
                value: value.to_owned(),
            }));
        }
    }
    proposed.extend(blanks(proposal, given));
    proposed
}

/// Columns that a user may lack, and in which a word for nothing may be blank. An external ID is none of them: a row
/// without one makes a new user.
const OPTIONAL: [Column; 4] = [
    Column::SupervisorEmail,
    Column::Rank,
    Column::EvidenceGroupExtId,
    Column::Phone,
];

/// Returns `true` if a cell of the column is a word for nothing, such as `NULL`.
fn is_nothing(column: Column, cell: &str) -> bool {
    OPTIONAL.contains(&column) && is_placeholder(cell)
}

/// Returns blanks for the words that stand for nothing.
fn blanks(proposal: &MappingProposal<'_>, given: &MappingLookup) -> Vec<ValueMapping> {
    let mut blanks = Vec::new();
    for column in OPTIONAL {
        let found = counted(proposal, column).into_iter();
        let words = found.filter(|found| is_nothing(column, &found.cell));
        let words = words.filter(|found| given.value(column, &found.cell) == found.cell);
        blanks.extend(words.take(MOST_BLANKS).map(|found| ValueMapping {
            column: column.header().to_owned(),
            cell: found.cell,
            value: String::new(),
        }));
    }
    blanks
}

fn status(style: StatusStyle, cell: &str, is_true_or_false: bool) -> Option<&'static str> {
    let is_active = match (style, words::status_word(cell, is_true_or_false)) {
        (StatusStyle::AccountControl, _) => words::is_enabled(cell),
        (_, Some(StatusWord::State(is_active))) => Some(is_active),
        (StatusStyle::Plain, Some(StatusWord::Answer(is_yes))) => Some(is_yes),
        (StatusStyle::Inverted, Some(StatusWord::Answer(is_yes))) => Some(!is_yes),
        (_, None) => None,
    };
    is_active.map(|is| STATUSES[usize::from(!is)])
}

/// The values that are reported.
#[derive(Default)]
pub(super) struct ReportedValues {
    pub(super) values: Vec<InspectedValue>,
    /// The columns that have more.
    pub(super) with_more: Vec<Column>,
    /// Privileged roles that rows would give.
    pub(super) privileged: BTreeSet<String>,
}

/// Returns what the values of the file would become with the proposal.
pub(super) fn reported(
    proposal: &MappingProposal<'_>,
    mapping: &MappingLookup,
    entries: &CatalogEntries<'_>,
) -> ReportedValues {
    let mut budget = SuggestionBudget::of_call();
    let mut reported = ReportedValues::default();
    for column in REPORTED {
        let found = counted(proposal, column);
        reported
            .with_more
            .extend((found.len() > MOST).then_some(column));
        for CountedValue { cell, count } in found.into_iter().take(MOST) {
            let value = mapping.value(column, &cell);
            let meaning = match entries.known(column, value) {
                Some(role) if column == Column::Role && entries.privileged(role).is_some() => {
                    reported.privileged.extend([role.to_owned()]);
                    ValueMeaning::Known(role.to_owned())
                }
                Some(known) => ValueMeaning::Known(known.to_owned()),
                None if value.is_empty() && !column.is_required() => {
                    ValueMeaning::Known(String::new())
                }
                None => ValueMeaning::Unknown(entries.nearest(column, value, &mut budget)),
            };
            reported.values.push(InspectedValue {
                column,
                cell: shown(&cell),
                count,
                meaning,
            });
        }
    }
    reported
}
