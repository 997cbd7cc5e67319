//! Supervisors that a roster names by something other than an email: a username, badge number or external ID, the name
//! of a person in the file, or an email with other text around it (semantics §5). Only suggests users; rejects no row.

use hashbrown::HashMap;

use super::state::State;
use crate::domain::{Column, Row, address_meant, fold};
use crate::plan::index::{FinalUser, KeyHolders, KeyId, RowIndex, keys_named};

/// The number of different cells that are looked up. A mistake that repeats is usually among few cells.
const MOST: usize = 10_000;

/// The keys that a cell may have in place of an email, and the email itself, which may have other text around it.
const KEYS: [Column; 4] = [
    Column::Email,
    Column::Username,
    Column::BadgeNumber,
    Column::ExternalId,
];

/// The person that each cell without a plain email means, if exactly one person fits.
#[derive(Default)]
pub(crate) struct SupervisorNames {
    /// By the cell's text in its comparable form.
    found: HashMap<String, Named>,
}

/// What a cell names.
struct Named {
    /// The persons of standing rows; the users that no standing row is about too, once they have been looked up.
    meant: Meant,
    is_looked_up: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Nobody,
    One(FinalUser),
    Several,
}

impl Meant {
    fn or(self, person: FinalUser) -> Self {
        match self {
            Self::Nobody => Self::One(person),
            Self::One(known) if known == person => self,
            _ => Self::Several,
        }
    }
}

impl SupervisorNames {
    /// Looks for the standing rows that the supervisor cells of `rows` name. Looks at each row once.
    pub(crate) fn find(state: &State<'_>, rows: impl Iterator<Item = RowIndex>) -> Self {
        let mut names = Self::default();
        for row in rows {
            let cell = state.roster.rows[row].value(Column::SupervisorEmail);
            if names.found.len() < MOST {
                let cell = named_in(cell.unwrap_or_default());
                names.found.entry(cell).or_insert(Named {
                    meant: Meant::Nobody,
                    is_looked_up: false,
                });
            }
        }
        for row in state.standing() {
            names.add_row(&state.roster.rows[row], state.roster.person(row));
        }
        names
    }

    /// Returns the person that the supervisor cell of `row` means, or `None` unless exactly one person fits: of the
    /// standing rows, and of the users that no standing row is about.
    pub(crate) fn meant(
        &mut self,
        state: &State<'_>,
        row: &Row,
        users: &mut KeyHolders<'_>,
    ) -> Option<FinalUser> {
        let cell = row.value(Column::SupervisorEmail)?;
        let named = self.found.get_mut(&named_in(cell))?;
        if !std::mem::replace(&mut named.is_looked_up, true) {
            for (key, form) in keys_named(cell) {
                let person = users.find(key, &form).map(FinalUser::User);
                let person = person.filter(|&person| state.row_of(person).is_none());
                named.meant = person.map_or(named.meant, |person| named.meant.or(person));
            }
        }
        match named.meant {
            Meant::One(person) => Some(person),
            Meant::Nobody | Meant::Several => None,
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

    fn add(&mut self, text: &str, person: FinalUser) {
        if let Some(named) = self.found.get_mut(comparable(text).as_str()) {
            named.meant = named.meant.or(person);
        }
    }
}

/// Returns the text that a supervisor's cell names, in its comparable form: the address in the cell if it holds one.
fn named_in(cell: &str) -> String {
    comparable(address_meant(cell).as_deref().unwrap_or(cell))
}

/// Returns the comparable form of `text`. Case does not matter, nor does the number of spaces.
fn comparable(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    fold(&words.join(" ")).into_owned()
}

/// Returns the standing row about the user who has `email` in the directory: it gives that user another email.
pub(crate) fn renaming_row(state: &State<'_>, email: KeyId) -> Option<RowIndex> {
    let holder = state.roster.holder(email)?;
    state.row_of(FinalUser::User(holder))
}
