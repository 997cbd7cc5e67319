//! Imports made from a seed: creates, updates, swaps, rotations, rejections and deactivations.

use std::fmt::Write;

use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, ExternalId, LastName, Role, SupervisorEmail, Username,
    },
    proto::{DeactivateMissing, ImportStart, MatchBy},
};

use user_import_testing::{Roster, SeededRandom, roster, start_of};

/// Number of people before the import.
const BEFORE: usize = 160;

/// Number of people that the import creates.
const NEW: usize = 60;

/// The directory before the import, and the import.
#[derive(Debug)]
pub struct Workload {
    pub before: Roster,
    pub import: Roster,
    pub import_id: String,
    match_by: MatchBy,
}

/// A row: a name, and the values that differ from the row that [`Roster::row`] makes of the name.
type ChangedPerson = (String, Vec<(Column, String)>);

impl Workload {
    /// Returns the workload of this seed.
    pub fn new(seed: u64) -> Self {
        let mut chance = SeededRandom::new(seed);
        let mut people: Vec<ChangedPerson> = (0..BEFORE)
            .map(|number| member(number, &mut chance))
            .collect();
        let before = as_roster(&people);
        // Users who are not listed are deactivated.
        let gone = 5 + chance.below(15);
        people.truncate(BEFORE - gone);
        chance.shuffle(&mut people);
        change(&mut people, &mut chance);
        let match_by = match_by(seed);
        if match_by != MatchBy::Unspecified {
            renumber(&mut people, &mut chance);
        }
        people.extend((0..NEW).map(|number| newcomer(number, &mut chance)));
        chance.shuffle(&mut people);
        let mut import_id = String::from("018f4e9e-5c7b-7000-8000-");
        let _ = write!(import_id, "{seed:012x}");
        Self {
            before,
            import: as_roster(&people),
            import_id,
            match_by,
        }
    }

    /// Returns the start of the import into this organisation.
    pub fn start(&self, organization: &str) -> ImportStart {
        ImportStart {
            import_id: self.import_id.clone(),
            deactivate_missing: Some(DeactivateMissing {
                confirmation: "Confirm".to_owned(),
                ..DeactivateMissing::default()
            }),
            max_deactivations: Some(1_000),
            max_identity_changes: Some(1_000),
            match_by: self.match_by.into(),
            ..start_of(organization)
        }
    }
}

/// Returns the key by which the import of this seed finds users besides the external ID; one seed in four has none.
fn match_by(seed: u64) -> MatchBy {
    match seed % 4 {
        1 => MatchBy::Email,
        2 => MatchBy::BadgeNumber,
        3 => MatchBy::Username,
        _ => MatchBy::Unspecified,
    }
}

/// Removes the external IDs of some people, and gives new ones to others.
fn renumber(people: &mut [ChangedPerson], chance: &mut SeededRandom) {
    for (name, differing) in people {
        match chance.below(4) {
            0 => differing.push((ExternalId, String::new())),
            1 => differing.push((ExternalId, format!("W-{name}"))),
            _ => {}
        }
    }
}

fn as_roster(people: &[ChangedPerson]) -> Roster {
    people.iter().fold(roster(), |roster, (name, differing)| {
        roster.row(name, differing.iter().map(|(c, v)| (*c, v.as_str())))
    })
}

/// Returns a person whose supervisor, if any, has a lower number.
fn member(number: usize, chance: &mut SeededRandom) -> ChangedPerson {
    let mut differing = Vec::new();
    if number > 0 && chance.below(3) > 0 {
        let supervisor = format!("m{:03}@pd.example", chance.below(number.min(40)));
        differing.push((SupervisorEmail, supervisor));
    }
    (format!("m{number:03}"), differing)
}

/// Returns a new person: some have no external ID, some have a fault, and most have a supervisor.
fn newcomer(number: usize, chance: &mut SeededRandom) -> ChangedPerson {
    let mut differing = vec![(
        SupervisorEmail,
        format!("m{:03}@pd.example", chance.below(40)),
    )];
    match chance.below(6) {
        0 => differing.push((ExternalId, String::new())),
        1 => differing.push((Role, "Oficer".to_owned())),
        2 if number > 0 => {
            // The supervisor's row may come later, and may be rejected.
            let supervisor = format!("n{:03}@pd.example", chance.below(number));
            differing[0].1 = supervisor;
        }
        _ => {}
    }
    (format!("n{number:03}"), differing)
}

/// Changes people: pairs swap badge numbers, triples rotate usernames, and others are renamed or stay.
fn change(people: &mut [ChangedPerson], chance: &mut SeededRandom) {
    let names: Vec<String> = people.iter().map(|person| person.0.clone()).collect();
    let mut at = 0;
    while at + 3 < names.len() {
        let mut set = |index: usize, column, value: String| {
            people[at + index].1.push((column, value));
        };
        at += match chance.below(5) {
            0 => {
                set(0, BadgeNumber, format!("B-{}", names[at + 1]));
                set(1, BadgeNumber, format!("B-{}", names[at]));
                2
            }
            1 => {
                for index in 0..3 {
                    set(index, Username, names[at + (index + 1) % 3].clone());
                }
                3
            }
            2 => {
                set(0, LastName, format!("Renamed {}", chance.below(1_000)));
                1
            }
            3 if chance.below(4) == 0 => {
                set(0, Email, "no address".to_owned());
                1
            }
            _ => 1,
        };
    }
}
