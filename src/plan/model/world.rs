//! Small random organisations and files, in which values often collide, swap and rotate.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::plan::scenario::Scenario;
use crate::plan::{MatchBy, MissingUsersScope, PlanPermissions};

const IDS: [&str; 9] = ["1", "01", "2", "02", "3", "4", "5", "6", "7"];
const BADGES: [&str; 9] = ["1", "01", "2", "02", "3", "4", "5", "6", "7"];
const LETTERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// A privileged role. A user or a row without it has another role.
const ADMIN: &str = " role=Admin";

/// A directory of up to 8 users and a file of up to 8 rows, as text.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) directory: String,
    pub(super) rows: Vec<String>,
    pub(super) permitted: PlanPermissions,
    pub(super) match_by: Option<MatchBy>,
}

impl World {
    pub(super) fn scenario(&self) -> Scenario {
        self.shuffled(0)
    }

    /// Returns another order of the rows, as their indices in this world.
    pub(super) fn order(&self, by: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.rotate_left(by % self.rows.len());
        if by % 2 == 1 {
            order.reverse();
        }
        order
    }

    /// Returns the scenario with its rows in the order that `by` selects.
    pub(super) fn shuffled(&self, by: usize) -> Scenario {
        let rows: Vec<&str> = self
            .order(by)
            .into_iter()
            .map(|row| &*self.rows[row])
            .collect();
        Scenario::parse(&self.directory, &rows.join("\n"))
            .deactivating_missing(MissingUsersScope::default())
            .permitting(self.permitted)
            .matching_by(self.match_by)
    }
}

/// Tidy and wild worlds. Tidy worlds keep most values in place and move a few, so that long consequences arise. In wild
/// worlds any user may have any value.
pub(super) fn worlds() -> impl Strategy<Value = World> {
    let shape = (
        prop_oneof![Just(30_u32), Just(4), Just(0)],
        0_usize..=8,
        1_usize..=8,
    );
    shape.prop_flat_map(|(tidiness, users, rows)| {
        let rows: Vec<_> = (0..rows).map(|at| row(at, tidiness)).collect();
        let rows = (rows, vec((any::<Index>(), select(&CHANGES[..])), 0..3));
        let rows = rows.prop_map(|(rows, again)| with_again(rows, &again));
        let world = (
            directory(users, tidiness > 0),
            rows.prop_shuffle(),
            permitted(),
            match_by(),
        );
        world.prop_map(|(directory, rows, permitted, match_by)| World {
            directory,
            rows,
            permitted,
            match_by,
        })
    })
}

fn match_by() -> impl Strategy<Value = Option<MatchBy>> {
    let by = [MatchBy::Email, MatchBy::BadgeNumber, MatchBy::Username].map(Some);
    prop_oneof![Just(None), select(by.to_vec())]
}

/// The text that a repeated row adds: nothing (a copy), or a value that contradicts the first row.
const CHANGES: [&str; 6] = ["", "", "", " inactive", " last=Roe", " rank=Captain"];

/// Returns `rows`, followed by repetitions of some of them.
fn with_again(mut rows: Vec<String>, again: &[(Index, &str)]) -> Vec<String> {
    for (row, change) in again {
        let row = row.get(&rows).clone();
        rows.push(match row.as_str() {
            "misfit" | "header again" => row,
            _ => row + change,
        });
    }
    rows
}

/// All permissions in most cases.
fn permitted() -> impl Strategy<Value = PlanPermissions> {
    (0..3, 0..2).prop_map(|(deactivation, privileged)| PlanPermissions {
        deactivation: deactivation > 0,
        privileged: privileged > 0,
    })
}

fn directory(users: usize, tidy: bool) -> impl Strategy<Value = String> {
    let arrange = move |all: &[&'static str]| {
        let order = if tidy {
            Just(all.to_vec()).boxed()
        } else {
            Just(all.to_vec()).prop_shuffle().boxed()
        };
        order.prop_map(move |all| all[..users].to_vec())
    };
    let keys = (
        arrange(&IDS),
        arrange(&LETTERS),
        arrange(&BADGES),
        arrange(&LETTERS),
    );
    let extras = vec((0_usize..12, 0_usize..10), users);
    (keys, extras).prop_map(|((ids, emails, badges, names), extras)| {
        let mut text = String::new();
        for (user, &(supervisor, extra)) in extras.iter().enumerate() {
            let [id, email, badge, name] = [ids[user], emails[user], badges[user], names[user]];
            write!(text, "{id} {email}@x {badge} {name}").unwrap();
            // Supervisors come before their reports, so that there is no cycle.
            if supervisor < user {
                write!(text, " > {}@x", emails[supervisor]).unwrap();
            }
            let extras = ["", " protected", " inactive", ADMIN, ADMIN];
            text += extras.get(extra).unwrap_or(&"");
            text.push('\n');
        }
        text
    })
}

/// A row that is in most cases about the user at `at`. The higher `tidiness`, the more values are that user's own.
fn row(at: usize, tidiness: u32) -> impl Strategy<Value = String> {
    let any_id = prop_oneof![
        8 => select(&IDS[..]),
        3 => select(&["9", "09", "10", "-", "_", "!x", "!1"][..]),
    ];
    let id = prop_oneof![tidiness => Just(IDS[at]), 3 => any_id];
    let letter = move || prop_oneof![tidiness => Just(LETTERS[at]), 4 => select(&LETTERS[..])];
    let badge = prop_oneof![tidiness => Just(BADGES[at]), 4 => select(&BADGES[..])];
    let email = (letter(), 0..13).prop_map(|(letter, upper)| match upper {
        0 => format!("{}@X", letter.to_uppercase()),
        _ => format!("{letter}@x"),
    });
    let supervisor = prop_oneof![
        4 => Just("_".to_owned()),
        1 => Just("-".to_owned()),
        10 => select(&LETTERS[..]).prop_map(|letter| format!("{letter}@x")),
    ];
    let badge = badge.prop_map(str::to_owned);
    let name = letter().prop_map(str::to_owned);
    let row = (
        id,
        faulty(email),
        faulty(badge),
        faulty(name),
        supervisor,
        0..8_usize,
        0..6_usize,
    );
    let row = row.prop_map(|(id, email, badge, name, supervisor, status, role)| {
        let status = if status == 0 { " inactive" } else { "" };
        let role = if role < 2 { ADMIN } else { "" };
        format!("{id} {email} {badge} {name} > {supervisor}{status}{role}")
    });
    let foreign = select(&["misfit", "header again"][..]).prop_map(str::to_owned);
    prop_oneof![60 => row, 1 => foreign]
}

/// Values. A few of them are blank or fail their check.
fn faulty(values: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (values, 0..60).prop_map(|(value, fault)| match fault {
        0 => "-".to_owned(),
        1 => format!("!{value}"),
        _ => value,
    })
}
