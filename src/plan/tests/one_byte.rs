//! Imports a sound roster with a single byte deleted or doubled, with `deactivate_missing`. Only the user whose own
//! lines have that byte is ever deactivated or changed. Every byte is tried, in all of the dialects below.

use std::collections::HashMap;
use std::ops::Range;

use crate::domain::{Cell, Column, RawRow, Row, Status, User};
use crate::input::{CsvDecoder, CsvOptions, FileFault, InputLimits};
use crate::plan::scenario::Scenario;
use crate::plan::{MissingUsersScope, Outcome, Plan, UserIndex};
use uuid::Uuid;

/// Column orders: the template's; a name last; optional columns last; and required columns alone.
const ORDERS: [&str; 4] = [
    "EXTERNAL_ID EMAIL BADGE_NUMBER FIRST_NAME LAST_NAME STATUS USERNAME ROLE SUPERVISOR_EMAIL LOCATION RANK \
     EVIDENCE_GROUP_EXT_ID PHONE",
    "EMAIL BADGE_NUMBER PHONE RANK EXTERNAL_ID STATUS USERNAME ROLE FIRST_NAME LAST_NAME",
    "LAST_NAME FIRST_NAME ROLE USERNAME STATUS BADGE_NUMBER EMAIL EXTERNAL_ID EVIDENCE_GROUP_EXT_ID SUPERVISOR_EMAIL",
    "USERNAME EMAIL FIRST_NAME LAST_NAME BADGE_NUMBER STATUS ROLE",
];

/// One person for each line, in the template's order.
const PEOPLE: [[&str; Column::COUNT]; 5] = [
    [
        "E-1001",
        "dana@pd.example",
        "0101",
        "Dana",
        "Whitlock, Jr.",
        "Active",
        "dana",
        "Officer",
        "",
        "",
        "Captain",
        "G1",
        "+12025550101",
    ],
    [
        "E-1002",
        "luis@pd.example",
        "0102",
        "Luis \"Lou\"",
        "Ormond",
        "Active",
        "luis",
        "Officer",
        "dana@pd.example",
        "",
        "",
        "",
        "",
    ],
    [
        "E-1003",
        "mei@pd.example",
        "0103",
        "Mei",
        "Tanberg",
        "Active",
        "mei",
        "Admin",
        "",
        "",
        "Sergeant",
        "",
        "",
    ],
    [
        "E-1004",
        "zoe@pd.example",
        "0104",
        "Zoë",
        "O'Neil\nde la",
        "Active",
        "zoe",
        "Officer",
        "mei@pd.example",
        "",
        "",
        "G1",
        "+12025550104",
    ],
    [
        "E-1005",
        "omar@pd.example",
        "0105",
        "Omar",
        "Hadley",
        "Active",
        "omar",
        "Officer",
        "",
        "",
        "",
        "",
        "",
    ],
];

/// Which values are quoted, besides those that must be.
#[derive(Clone, Copy, Debug)]
enum Quoting {
    Needed,
    All,
    Names,
    Blanks,
    /// The values of every other row.
    Alternating,
}

#[derive(Clone, Copy, Debug)]
struct CsvDialect {
    order: &'static str,
    quoting: Quoting,
    line_end: &'static str,
    delimiter: char,
    has_last_line_end: bool,
    ignores_unknown: bool,
}

/// A file, and the position of each person's record with its line end. The header's record comes before the first.
struct CsvFile {
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

impl CsvDialect {
    fn all() -> Vec<Self> {
        let mut dialects = Vec::new();
        for order in ORDERS {
            for quoting in [
                Quoting::Needed,
                Quoting::All,
                Quoting::Names,
                Quoting::Blanks,
                Quoting::Alternating,
            ] {
                for (line_end, delimiter) in [("\n", ','), ("\r\n", ';')] {
                    dialects.push(Self {
                        order,
                        quoting,
                        line_end,
                        delimiter,
                        has_last_line_end: delimiter == ',',
                        ignores_unknown: delimiter != ',',
                    });
                }
            }
        }
        dialects
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        let names = self.order.split_whitespace();
        names.map(|name| {
            Column::ALL
                .into_iter()
                .find(|column| column.header() == name)
                .unwrap()
        })
    }

    fn file(&self) -> CsvFile {
        let mut text = self
            .columns()
            .map(|c| self.quote(c.header(), c, 0))
            .collect::<Vec<_>>()
            .join(&self.delimiter.to_string());
        text += self.line_end;
        let mut records = Vec::new();
        for (at, person) in (1..).zip(PEOPLE) {
            let start = text.len();
            let values = self
                .columns()
                .map(|c| self.quote(person[c as usize], c, at));
            text += &values.collect::<Vec<_>>().join(&self.delimiter.to_string());
            if self.has_last_line_end || at < PEOPLE.len() {
                text += self.line_end;
            }
            records.push(start..text.len());
        }
        let bytes = text.into_bytes();
        CsvFile { bytes, records }
    }

    fn quote(&self, value: &str, column: Column, row: usize) -> String {
        let value = value.replace('\n', self.line_end);
        let is_quoted = match self.quoting {
            Quoting::Needed => false,
            Quoting::All => true,
            Quoting::Names => matches!(column, Column::FirstName | Column::LastName),
            Quoting::Blanks => value.is_empty(),
            Quoting::Alternating => row.is_multiple_of(2),
        };
        match is_quoted || value.contains([self.delimiter, '\n']) {
            true => format!("\"{}\"", value.replace('"', "\"\"")),
            false => value,
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<Row>, Vec<FileFault>> {
        let options = CsvOptions {
            ignore_unknown_columns: self.ignores_unknown,
            ..CsvOptions::default()
        };
        let mut rows = Vec::new();
        let mut sink = |raw: &RawRow<'_>| rows.push(Row::parse(raw));
        let limits = InputLimits::default();
        match CsvDecoder::decode_file(&options, limits, [bytes], &mut sink) {
            (_, faults) if faults.is_empty() => Ok(rows),
            (_, faults) => Err(faults),
        }
    }
}

/// The people as users, as an import of the sound roster leaves them.
fn users() -> Vec<User> {
    let catalog = crate::plan::scenario::catalog();
    let ids: HashMap<&str, Uuid> = PEOPLE
        .iter()
        .map(|person| person[1])
        .zip((1..).map(Uuid::from_u128))
        .collect();
    let user = |person: &[&str; Column::COUNT]| {
        let cells = person.map(Cell::Text);
        let row = Row::parse(&RawRow {
            number: 1,
            line: 1,
            cells,
            misfit: None,
        });
        let value = |column| row.value(column).unwrap_or_default();
        let role = catalog
            .roles
            .iter()
            .find(|role| role.name == value(Column::Role))
            .unwrap();
        let mut user = User::new(ids[value(Column::Email)], role.id, value);
        user.status = Status::Active;
        user.rank = catalog
            .ranks
            .iter()
            .find(|rank| rank.name == value(Column::Rank))
            .map(|rank| rank.id);
        user.group = catalog
            .groups
            .iter()
            .find(|group| group.external_id == value(Column::EvidenceGroupExtId))
            .map(|group| group.id);
        user.supervisor = ids.get(value(Column::SupervisorEmail)).copied();
        user
    };
    PEOPLE.iter().map(user).collect()
}

fn plan(rows: Vec<Row>) -> Plan {
    let scenario = Scenario::new(users(), rows.into());
    scenario
        .deactivating_missing(MissingUsersScope::default())
        .plan()
}

/// Returns the people that an import of `rows` deactivates or changes, or none if the import is refused.
fn harmed(rows: Vec<Row>) -> Vec<usize> {
    let plan = plan(rows);
    if !plan.unidentifiable_rows.is_empty() {
        return Vec::new();
    }
    let snapshot = &plan.request.snapshot;
    let rows = plan.decisions.enumerate();
    let changed = rows.filter(|(_, decision)| decision.outcome == Outcome::Updated);
    let changed = changed.filter_map(|(row, _)| snapshot.user_of(row));
    let users = changed.chain(plan.deactivations.iter().copied());
    let number = |user: UserIndex| {
        let user = &snapshot.users()[user];
        PEOPLE
            .iter()
            .position(|person| person[0] == user.external_id())
            .unwrap()
    };
    users.map(number).collect()
}

#[test]
fn the_sound_roster_changes_nobody() {
    for dialect in CsvDialect::all() {
        let rows = dialect.decode(&dialect.file().bytes).unwrap();
        let has_ids = dialect.columns().any(|column| column == Column::ExternalId);
        assert_eq!(rows.len(), PEOPLE.len(), "{dialect:?}");
        assert_eq!(harmed(rows.clone()), [0; 0], "{dialect:?}");
        let outcome = if has_ids {
            Outcome::Unchanged
        } else {
            Outcome::Rejected
        };
        assert!(
            plan(rows)
                .decisions
                .iter()
                .all(|decision| decision.outcome == outcome),
            "{dialect:?}"
        );
    }
}

#[test]
fn one_byte_deleted_or_doubled_harms_nobody_but_its_own_row() {
    let mut failures = Vec::new();
    for dialect in CsvDialect::all() {
        let CsvFile { bytes, records } = dialect.file();
        for at in 0..bytes.len() {
            let own = records.iter().position(|record| record.contains(&at));
            for is_doubled in [false, true] {
                let mut damaged = bytes.clone();
                match is_doubled {
                    true => damaged.insert(at, bytes[at]),
                    false => drop(damaged.remove(at)),
                }
                let Ok(rows) = dialect.decode(&damaged) else {
                    continue;
                };
                let harmed: Vec<usize> = harmed(rows)
                    .into_iter()
                    .filter(|&user| Some(user) != own)
                    .collect();
                if !harmed.is_empty() {
                    let text =
                        String::from_utf8_lossy(&damaged[..at.min(damaged.len())]).into_owned();
                    failures.push(format!(
                        "{dialect:?}\n  at {at} doubled {is_doubled}: {harmed:?} behind {text:?}"
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures[..failures.len().min(5)].join("\n")
    );
}
