//! What `demo --keep` adds to the organisation, so that every screen of the console has something to show: a larger
//! department, imports in several states, a saved mapping, and a protected user.

use std::fmt::Write;

use anyhow::{Context, ensure};

use super::{ORGANIZATION, ROSTER, start_from};
use crate::{
    cli::client::parse_mapping,
    client::{ImportEnd, RosterFormat, ServiceClient},
    proto::{DeactivateMissing, ImportStart, ImportState, ImportSummary, get_user_request::Key},
};

const MAPPING: &str = include_str!("../../../../examples/hr-mapping.toml");

const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,RANK,\
    EVIDENCE_GROUP_EXT_ID\n";

/// Each officer has a pair of these.
const FIRST_NAMES: [&str; 16] = [
    "Aaron", "Bianca", "Caleb", "Daniela", "Elif", "Farid", "Greta", "Hugo", "Imani", "Jasper",
    "Keiko", "Leon", "Maya", "Nils", "Olga", "Pedro",
];
const LAST_NAMES: [&str; 10] = [
    "Abbott", "Bauer", "Castillo", "Dubois", "Eriksen", "Flores", "Greene", "Huang", "Ivanov",
    "Jensen",
];

/// How many officers there are. The first of each team is its sergeant.
const OFFICERS: usize = FIRST_NAMES.len() * LAST_NAMES.len();
const TEAM: usize = 20;

/// The officers of a file that was cut off.
const CUT: usize = 40;

/// How the roster of a week differs from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WeeklyChanges {
    First,
    /// A few officers have another group, two have left, and two rows have faults.
    Second,
}

/// Fills the organisation.
///
/// # Errors
/// Fails if a call fails, or an import does not end as it should.
pub(super) async fn fill(client: &mut ServiceClient) -> anyhow::Result<()> {
    let mapping = parse_mapping(MAPPING).map_err(anyhow::Error::msg)?;
    client
        .save_mapping(ORGANIZATION, "hr-export", mapping)
        .await?;
    let chief = Key::ExternalId("P-1001".to_owned());
    let chief = client.user(ORGANIZATION, chief).await?;
    let chief = chief.context("the chief is in the roster")?;
    client
        .set_user_protected(ORGANIZATION, &chief.id, true)
        .await?;
    for (start, roster, state) in [
        (
            start_from("patrol division, first week"),
            roster(OFFICERS, WeeklyChanges::First),
            ImportState::Completed,
        ),
        (
            ImportStart {
                all_or_nothing: true,
                ..start_from("upload by hand, all or nothing")
            },
            ROSTER.to_owned(),
            ImportState::Refused,
        ),
        (
            start_from("patrol division, second week"),
            roster(OFFICERS, WeeklyChanges::Second),
            ImportState::Completed,
        ),
        (
            nightly(),
            roster(CUT, WeeklyChanges::Second),
            ImportState::Held,
        ),
    ] {
        let source = start.source.clone();
        let input = std::io::Cursor::new(roster.into_bytes());
        let ended = client.import(start, (input, RosterFormat::Csv), |_| Ok(()));
        let found = state_of(&ended.await?);
        ensure!(
            found == Some(state),
            "the import \"{source}\" ended as {found:?}"
        );
    }
    Ok(())
}

/// A job that deactivates users who are not listed, and whose file was cut off.
fn nightly() -> ImportStart {
    ImportStart {
        hold: true,
        deactivate_missing: Some(DeactivateMissing {
            confirmation: "Confirm".to_owned(),
            ..DeactivateMissing::default()
        }),
        ..start_from("nightly job")
    }
}

fn state_of(ended: &ImportEnd) -> Option<ImportState> {
    ended.summary.as_ref().map(ImportSummary::state)
}

/// The first `officers` of the division, as a CSV file.
fn roster(officers: usize, week: WeeklyChanges) -> String {
    let mut csv = HEADER.to_owned();
    for number in 0..officers {
        // Writing to a text does not fail.
        let _ = writeln!(csv, "{}", officer(number, week));
    }
    csv
}

fn officer(number: usize, week: WeeklyChanges) -> String {
    let second = week == WeeklyChanges::Second;
    let (first, last) = name(number);
    let own = username(number);
    let sergeant = number - number % TEAM;
    let (role, rank) = match number == sergeant {
        true => ("Supervisor", "Sergeant"),
        false => ("Officer", "Officer"),
    };
    let supervisor = match number == sergeant {
        true => "mei.tanaka".to_owned(),
        false => username(sergeant),
    };
    let role = match number {
        55 if second => "Oficer",
        _ => role,
    };
    let email = match number {
        // The email of another user.
        77 if second => "grace.kim@riverton.example".to_owned(),
        _ => format!("{own}@riverton.example"),
    };
    let status = match number {
        90 | 131 if second => "Inactive",
        _ => "Active",
    };
    let north = (number / TEAM).is_multiple_of(2) != (second && number % 13 == 5);
    let group = if north { "PATROL-N" } else { "PATROL-S" };
    format!(
        "P-{id},{email},{id},{first},{last},{status},{own},{role},{supervisor}@riverton.example,{rank},{group}",
        id = 2_001 + number
    )
}

fn username(number: usize) -> String {
    let (first, last) = name(number);
    format!("{first}.{last}").to_lowercase()
}

fn name(number: usize) -> (&'static str, &'static str) {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    (
        first,
        LAST_NAMES[number / FIRST_NAMES.len() % LAST_NAMES.len()],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_officers_share_a_name() {
        let names: BTreeSet<_> = (0..OFFICERS).map(name).collect();
        assert_eq!(names.len(), OFFICERS);
        assert_eq!(
            roster(OFFICERS, WeeklyChanges::First).lines().count(),
            OFFICERS + 1
        );
    }
}
