//! Names in a header: the column that a name means, and the column that it resembles.

use std::borrow::Cow;

use super::blank::trim;
use crate::domain::{Column, ColumnSet, MAX_COMPARED, SuggestionBudget, is_dash, normalise};

/// The prefix of the columns that our own error report adds. Such columns are ignored in every file.
const REPORT_PREFIX: &str = "IMPORT_";

/// Least similarity (Jaro-Winkler, 1 = equal) at which one name is suggested for another.
const NEAR: f64 = 0.85;

/// A header cell's name in the form in which names are compared (semantics §2 "Header"): trimmed,
/// upper case, white space and `-` as `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ComparableName(String);

/// Returns the column with this name, as a header is read. Otherwise returns the nearest column, if one is near.
pub(crate) fn column_named(name: &str) -> Result<Column, Option<Column>> {
    let name = ComparableName::parse(name);
    let near = || {
        name.nearest(
            Column::ALL.into_iter().collect(),
            &mut SuggestionBudget::of_call(),
        )
    };
    name.column().ok_or_else(near)
}

/// Returns the form in which the names of a header are compared.
pub(crate) fn compared_name(name: &str) -> String {
    ComparableName::parse(name).0
}

/// Returns the column with this name, as a header is read.
pub(crate) fn own_column(name: &str) -> Option<Column> {
    ComparableName::parse(name).column()
}

impl ComparableName {
    /// Returns the name in `cell`.
    pub(super) fn parse(cell: &str) -> Self {
        let compared = |c: char| match c {
            c if is_dash(c) => '_',
            c if c.is_whitespace() => '_',
            c => upper(c),
        };
        let cell = normalise(cell).unwrap_or(Cow::Borrowed(cell));
        Self(trim(&cell).chars().map(compared).collect())
    }

    /// Returns the column with this name, or `None` if there is no such column.
    pub(super) fn column(&self) -> Option<Column> {
        Column::ALL.into_iter().find(|c| c.header() == self.0)
    }

    /// Returns `true` if the name begins like Active or Inactive.
    pub(super) fn begins_like_status(&self) -> bool {
        self.0.starts_with(['A', 'I'])
    }

    /// Returns `true` if the column was added by our own error report.
    pub(super) fn is_from_report(&self) -> bool {
        self.0.starts_with(REPORT_PREFIX)
    }

    /// Returns the nearest of `columns`, or `None` if none is near or the budget is spent.
    pub(super) fn nearest(
        &self,
        columns: ColumnSet,
        budget: &mut SuggestionBudget,
    ) -> Option<Column> {
        let length = self.0.len();
        if length > MAX_COMPARED {
            return None;
        }
        let cells = columns.iter().map(|column| column.header().len() * length);
        budget.spend(cells.sum())?;
        // A typing slip seldom hits the first letter. Without this check SURNAME would resemble USERNAME.
        let initial = self.0.chars().next()?;
        columns
            .iter()
            .filter(|column| column.header().starts_with(initial))
            .map(|column| (strsim::jaro_winkler(&self.0, column.header()), column))
            .filter(|(likeness, _)| *likeness >= NEAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, column)| column)
    }
}

/// Returns the capital of a letter that has one of its own. No other letter becomes one of ASCII.
fn upper(c: char) -> char {
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) if c.is_ascii() || !capital.is_ascii() => capital,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_however_it_is_spaced_and_cased() {
        for cell in [
            "FIRST_NAME",
            "first name",
            "First-Name",
            "\u{FEFF} First\u{A0}Name\u{200B}\t",
            "first\nname",
            "FIRST\u{2009}NAME",
            "FIRST\u{2011}NAME",
            "FIRST_\u{200B}NA\u{AD}ME",
            "FIRST\u{2060}_NAME\u{FEFF}",
        ] {
            assert_eq!(
                ComparableName::parse(cell).column(),
                Some(Column::FirstName),
                "{cell:?}"
            );
        }
        assert_eq!(
            ComparableName::parse("Prénom"),
            ComparableName::parse("PRÉNOM")
        );
        for cell in [
            "F\u{131}RST_NAME",
            "FIR\u{17F}T_NAME",
            "FIRSTNAME",
            "FIRST__NAME",
            "FIRST.NAME",
            "",
            "FIRST_NAME2",
        ] {
            assert_eq!(ComparableName::parse(cell).column(), None, "{cell:?}");
        }
    }

    #[test]
    fn every_column_is_found_by_its_own_header() {
        for column in Column::ALL {
            assert_eq!(
                ComparableName::parse(column.header()).column(),
                Some(column)
            );
        }
    }

    #[test]
    fn a_suggestion_is_made_only_where_a_column_is_near() {
        use Column as C;
        let all: ColumnSet = C::ALL.into_iter().collect();
        for (cell, nearest) in [
            ("EMIAL", Some(C::Email)),
            ("e-mail", Some(C::Email)),
            ("Email Address", Some(C::Email)),
            ("Badge No.", Some(C::BadgeNumber)),
            ("Badge #", Some(C::BadgeNumber)),
            ("FirstName", Some(C::FirstName)),
            ("Surname", None),
            ("User Name", Some(C::Username)),
            ("Supervisor", Some(C::SupervisorEmail)),
            ("Phone Number", Some(C::Phone)),
            ("External ID#", Some(C::ExternalId)),
            ("Evidence Group", Some(C::EvidenceGroupExtId)),
            ("Roles", Some(C::Role)),
            ("Shift", None),
            ("Hire date", None),
            ("", None),
        ] {
            let budget = &mut SuggestionBudget::of_call();
            assert_eq!(
                ComparableName::parse(cell).nearest(all, budget),
                nearest,
                "{cell:?}"
            );
        }
    }
}
