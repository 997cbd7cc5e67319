//! Finds first and last name in a file that has whole names.

use super::{
    names::{NameHint, NameOrder},
    proposal::MappingProposal,
};
use crate::domain::Column;

/// Finds first and last name in a column of whole names, or takes it for the part that no other column has.
pub(super) fn split_names(proposal: &mut MappingProposal<'_>) {
    let Some(at) = proposal.first_free(|named| matches!(named, NameHint::Person(_))) else {
        return;
    };
    let parts = (Column::FirstName, Column::LastName);
    let free = (proposal.is_free(parts.0), proposal.is_free(parts.1));
    let (missing, other) = match free {
        (false, false) => {
            let reason = "It holds whole names, and other columns have their parts.".to_owned();
            proposal.propose(at, None, reason);
            return;
        }
        (true, true) => {
            let reason = compute(proposal, at, &[parts.0, parts.1]);
            proposal.propose(at, None, reason);
            return;
        }
        (true, false) => (parts.0, parts.1),
        (false, true) => (parts.1, parts.0),
    };
    if holds_other_part(proposal, at, other) {
        let reason = compute(proposal, at, &[missing]);
        proposal.propose(at, None, reason);
        return;
    }
    let reason = format!("Another column is {other}, so this is {missing}.");
    proposal.propose(at, Some(missing), reason);
}

/// Returns `true` if most names have a comma, or contain the value of the column with the other part.
fn holds_other_part(proposal: &MappingProposal<'_>, at: usize, other: Column) -> bool {
    let Some(other) = proposal.place(other) else {
        return proposal.mostly(at, |name| name.contains(','));
    };
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let pairs = proposal
        .rows
        .iter()
        .map(|row| (cell(row, at), cell(row, other)));
    let pairs: Vec<_> = pairs.filter(|(name, _)| !name.is_empty()).collect();
    let is_whole = |(name, part): &&(String, String)| {
        name.contains(',')
            || (!part.is_empty() && name.len() > part.len() && name.contains(&**part))
    };
    let whole = pairs.iter().filter(is_whole).count();
    whole * 2 > pairs.len()
}

/// Proposes templates for these parts of the names if it is clear which is which. Returns what was done.
fn compute(proposal: &mut MappingProposal<'_>, at: usize, parts: &[Column]) -> String {
    let listed = parts.iter().map(ToString::to_string);
    let listed = listed.collect::<Vec<_>>().join(" and ");
    let (name, named) = proposal.named(at);
    let order = match named {
        Some(NameHint::Person(order)) => order,
        _ => NameOrder::Unsaid,
    };
    let template = cell_of(name).and_then(|cell| part_of(proposal, at, &cell, order));
    let Some(template) = template else {
        return format!("It holds whole names; write templates that compute {listed} from it.");
    };
    let templates = parts.iter().map(|&part| (part, template(part)));
    let templates: Vec<_> = templates.collect();
    proposal.compute(at, templates);
    let verb = if parts.len() == 1 { "is" } else { "are" };
    format!(
        "{listed} {verb} computed from it; look whether that is right for names of three words."
    )
}

/// Returns what computes a part of the names, or `None` if it is not clear which part is which.
fn part_of(
    proposal: &MappingProposal<'_>,
    at: usize,
    cell: &str,
    order: NameOrder,
) -> Option<impl Fn(Column) -> String + use<>> {
    let has_comma = proposal.mostly(at, |name| name.contains(','));
    let is_pair = |name: &str| name.split_whitespace().count() == 2 && !stands_out(name);
    let comes_first = match order {
        _ if has_comma => Column::LastName,
        NameOrder::FirstLast => Column::FirstName,
        NameOrder::LastFirst => Column::LastName,
        NameOrder::Unsaid => return None,
    };
    let has_values = proposal.cells(at).next().is_some();
    if !has_values || (!has_comma && !proposal.cells(at).all(is_pair)) {
        return None;
    }
    let cell = cell.to_owned();
    Some(move |part: Column| match (has_comma, part == comes_first) {
        (true, true) => format!("{{{{ {cell} | split(\",\") | first | trim }}}}"),
        (true, false) => format!("{{{{ ({cell} | split(\",\"))[1] | trim }}}}"),
        (false, true) => format!("{{{{ {cell} | split(\" \") | first }}}}"),
        (false, false) => format!("{{{{ {cell} | split(\" \") | last }}}}"),
    })
}

/// Returns `true` if one word is in capitals and another is not, as in `LEFÈVRE Zoé`: that word is the last name, wherever
/// it stands.
fn stands_out(name: &str) -> bool {
    let is_capital = |word: &str| word.chars().count() > 1 && !word.contains(char::is_lowercase);
    let capital = name
        .split_whitespace()
        .filter(|word| is_capital(word))
        .count();
    capital > 0 && capital < name.split_whitespace().count()
}

/// Returns how a template names a cell, or `None` if the name has both kinds of quotes or a backslash.
pub(super) fn cell_of(name: &str) -> Option<String> {
    match name {
        _ if name.contains(['\\', '\n', '\r']) => None,
        _ if !name.contains('"') => Some(format!("row[\"{name}\"]")),
        _ if !name.contains('\'') => Some(format!("row['{name}']")),
        _ => None,
    }
}
