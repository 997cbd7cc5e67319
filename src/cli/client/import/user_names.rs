//! The names of the rows' users for a review. Results do not have them, so they come from the sent roster.

use std::collections::{BTreeMap, BTreeSet};

use super::roster_source::RosterInput;
use crate::cli::{client::errors_file, output::CollectedResults};
use crate::{client::ImportEnd, domain::Column, input::Mapping, proto::RowResult};

/// Names by row.
pub(super) type UserNames = BTreeMap<u32, String>;

const COLUMNS: [Column; 3] = [Column::ExternalId, Column::FirstName, Column::LastName];

/// Returns the names of the rows that change something, or no names if the roster cannot be read again.
pub(super) async fn of(
    (input, mapping): (&RosterInput, &Mapping),
    ended: &ImportEnd,
    collected: &CollectedResults,
) -> UserNames {
    let (Some(sent), Some(started)) = (&ended.sent, &collected.started) else {
        return UserNames::new();
    };
    let lines: BTreeSet<u32> = collected.changed.values().map(|row| row.line).collect();
    let Ok(bytes) = input.bytes(sent).await else {
        return UserNames::new();
    };
    let Ok(cells) = errors_file::cells((&bytes, mapping), started, &lines, COLUMNS) else {
        return UserNames::new();
    };
    let named = |row: &RowResult| Some((row.row, name(cells.get(&row.line)?)));
    collected.changed.values().filter_map(named).collect()
}

/// First and last name, with a note if the external ID is generated: each import generates another one.
fn name([external_id, first, last]: &[String; 3]) -> String {
    let note = match external_id.trim() {
        "" => "(this ID is generated; when the import is applied, it will be another)",
        _ => "",
    };
    let words = [first.trim(), last.trim(), note];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_roster_has_of_it() {
        for (cells, told) in [
            (["P-1", " Ana ", "Lima"], "Ana Lima"),
            (["P-1", "", "Lima"], "Lima"),
            (
                ["", "Noor", "Rahman"],
                "Noor Rahman (this ID is generated; when the import is applied, it will be another)",
            ),
        ] {
            assert_eq!(name(&cells.map(str::to_owned)), told);
        }
    }
}
