//! What the values of STATUS, ROLE, RANK and group in a file would become, and the values that are proposed for them.

use std::collections::{BTreeMap, HashMap};

use super::{
    InspectedValue, Meaning,
    proposal::{Proposal, StatusStyle},
    shown, words,
};
use crate::domain::{Catalog, Column, Offers, SuggestionBudget, cell_text, fold};
use crate::input::{MappingLookup, ValueMapping};

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
pub(super) struct Entries<'a> {
    roles: HashMap<String, &'a str>,
    ranks: HashMap<String, &'a str>,
    groups: HashMap<&'a str, &'a str>,
    /// Names of groups that only one group has.
    group_names: HashMap<String, &'a str>,
    /// Roles that no proposal gives.
    privileged: Vec<&'a str>,
}

impl<'a> Entries<'a> {
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

    /// Returns what a value stands for that no import knows: a role or rank that it is short for, or the group with this
    /// name. A privileged role is never proposed.
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
            Column::Role => self.roles.values().copied().collect(),
            Column::Rank => self.ranks.values().copied().collect(),
            Column::EvidenceGroupExtId => self.groups.values().copied().collect(),
            _ => Vec::new(),
        };
        let at = Offers::new(names.iter().copied()).nearest(value, budget)?;
        Some(names[at].to_owned())
    }
}

/// A value of a column, and in how many rows it is.
struct Counted {
    cell: String,
    count: u32,
}

/// Returns the different values of a column of the file, the commonest first. Blank ones count if the column is required.
fn counted(proposal: &Proposal<'_>, column: Column) -> Vec<Counted> {
    let Some(at) = proposal.place(column) else {
        return Vec::new();
    };
    let mut found: BTreeMap<String, Counted> = BTreeMap::new();
    for row in &proposal.rows {
        let cell = row.get(at).map_or("", String::as_str);
        if cell.is_empty() && !column.is_required() {
            continue;
        }
        let counted = found.entry(key(cell)).or_insert_with(|| Counted {
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
    proposal: &Proposal<'_>,
    given: &MappingLookup,
    entries: &Entries<'_>,
) -> Vec<ValueMapping> {
    let mut proposed = Vec::new();
    for column in REPORTED {
        let found = counted(proposal, column);
        let has = |word: &str| {
            found
                .iter()
                .any(|value| value.cell.eq_ignore_ascii_case(word))
        };
        let has_true_and_false = has("T") && has("F");
        for Counted { cell, .. } in found.iter().take(MOST) {
            let is_settled = cell.is_empty()
                || entries.known(column, cell).is_some()
                || given.value(column, cell) != cell;
            if is_settled {
                continue;
            }
            let value = match (column, proposal.place(column)) {
                (Column::Status, Some(at)) => {
                    status(proposal.status_style(at), cell, has_true_and_false)
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
    proposed
}

fn status(style: StatusStyle, cell: &str, has_true_and_false: bool) -> Option<&'static str> {
    let is_active = match style {
        StatusStyle::Plain => words::is_active(cell, has_true_and_false),
        StatusStyle::Inverted => words::is_active(cell, has_true_and_false).map(|is| !is),
        StatusStyle::AccountControl => words::is_enabled(cell),
    };
    is_active.map(|is| STATUSES[usize::from(!is)])
}

/// The values that are reported.
#[derive(Default)]
pub(super) struct ReportedValues {
    pub(super) values: Vec<InspectedValue>,
    /// The columns that have more.
    pub(super) with_more: Vec<Column>,
}

/// Returns what the values of the file would become with the proposal.
pub(super) fn reported(
    proposal: &Proposal<'_>,
    mapping: &MappingLookup,
    entries: &Entries<'_>,
) -> ReportedValues {
    let mut budget = SuggestionBudget::of_call();
    let mut reported = ReportedValues::default();
    for column in REPORTED {
        let found = counted(proposal, column);
        reported
            .with_more
            .extend((found.len() > MOST).then_some(column));
        for Counted { cell, count } in found.into_iter().take(MOST) {
            let value = mapping.value(column, &cell);
            let meaning = match entries.known(column, value) {
                Some(known) => Meaning::Known(known.to_owned()),
                None if value.is_empty() && !column.is_required() => Meaning::Known(String::new()),
                None => Meaning::Unknown(entries.nearest(column, value, &mut budget)),
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
