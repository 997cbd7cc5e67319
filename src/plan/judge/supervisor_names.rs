//! People whom a roster names as supervisors by something else than their email: a username, badge number or
//! external ID, or the name of somebody in the file, or by their email with something around it (semantics §5).

use hashbrown::HashMap;

use super::state::State;
use crate::domain::{Column, Row, User, address_meant};
use crate::plan::index::FinalUser;
use crate::plan::index::Key;
use crate::plan::index::fold;
use crate::plan::index::indices;
use crate::plan::index::stored;

/// Different cells that are looked for: a mistake that repeats itself does so among few.
const MOST: usize = 10_000;

/// The keys that may stand in place of an email; the email itself may have something around it.
const KEYS: [Column; 4] = [
    Column::Email,
    Column::Username,
    Column::BadgeNumber,
    Column::ExternalId,
];

/// Who is meant by each cell that is no email, as far as one person is.
#[derive(Default)]
pub(crate) struct SupervisorNames {
    /// By the cell's text as it compares.
    found: HashMap<String, Meant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Nobody,
    One(FinalUser),
    Several,
}

impl SupervisorNames {
    /// Looks for the people whom `rows` name in their supervisor's cell: one look at each row and user.
    pub(crate) fn find(state: &State<'_>, rows: impl Iterator<Item = u32>) -> Self {
        let mut names = Self::default();
        for row in rows {
            let cell = state.roster.rows[row as usize].value(Column::SupervisorEmail);
            if names.found.len() < MOST {
                let cell = named_in(cell.unwrap_or_default());
                names.found.entry(cell).or_insert(Meant::Nobody);
            }
        }
        for row in state.standing() {
            names.add_row(&state.roster.rows[row as usize], state.roster.person(row));
        }
        for (user, data) in indices(state.roster.users).zip(state.roster.users) {
            let person = FinalUser::User(user);
            if state.row_of(person).is_none() {
                names.add_user(data, person);
            }
        }
        names
    }

    /// Who is meant by the cell of `row`.
    pub(crate) fn meant(&self, row: &Row) -> Option<FinalUser> {
        let cell = row.value(Column::SupervisorEmail)?;
        match self.found.get(&named_in(cell)) {
            Some(&Meant::One(person)) => Some(person),
            _ => None,
        }
    }

    fn add_row(&mut self, row: &Row, person: FinalUser) {
        for column in KEYS {
            self.add(row.value(column).unwrap_or_default(), person);
        }
        let name = |column| row.value(column).unwrap_or_default();
        let (first, last) = (name(Column::FirstName), name(Column::LastName));
        self.add(&format!("{first} {last}"), person);
        self.add(&format!("{last} {first}"), person);
        self.add(&format!("{last}, {first}"), person);
    }

    fn add_user(&mut self, user: &User, person: FinalUser) {
        for column in KEYS {
            self.add(stored(user, column).unwrap_or_default(), person);
        }
    }

    fn add(&mut self, text: &str, person: FinalUser) {
        if let Some(meant) = self.found.get_mut(comparable(text).as_str()) {
            *meant = match *meant {
                Meant::Nobody => Meant::One(person),
                Meant::One(known) if known == person => *meant,
                _ => Meant::Several,
            };
        }
    }
}

/// What a supervisor's cell names, as it compares: the address in it, if it holds one.
fn named_in(cell: &str) -> String {
    comparable(address_meant(cell).as_deref().unwrap_or(cell))
}

/// Case does not matter, nor does how many spaces there are.
fn comparable(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    fold(&words.join(" ")).into_owned()
}

/// The row that gives another email to the user who has the one that `row` names.
pub(crate) fn renaming_row(state: &State<'_>, email: u32) -> Option<u32> {
    let holder = state.roster.holder(Key::Email, email)?;
    state.row_of(FinalUser::User(holder))
}
