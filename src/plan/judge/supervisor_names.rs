//! Supervisors that a roster names by something other than an email: a username, badge number or external ID, the name
//! of a person in the file, or an email with other text around it (semantics §5). Only suggests users; rejects no row.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::judgement_state::JudgementState;
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

/// The persons that each cell without a plain email may mean.
#[derive(Default)]
pub(crate) struct SupervisorNames {
    /// By the cell's text in its comparable form.
    found: HashMap<String, NamedSupervisor>,
}

/// What a cell names.
#[derive(Default)]
struct NamedSupervisor {
    /// The persons of rows. Once they have been looked up, also the users that no standing row is about.
    meant: SupervisorCandidates,
    is_looked_up: bool,
}

/// Up to two persons. If there are more, the cell means none of them.
#[derive(Clone, Copy, Default)]
struct SupervisorCandidates {
    one: Option<FinalUser>,
    other: Option<FinalUser>,
    has_more: bool,
}

impl SupervisorCandidates {
    fn add(&mut self, person: FinalUser) {
        match *self {
            Self { one: None, .. } => self.one = Some(person),
            Self { one, other, .. } if [one, other].contains(&Some(person)) => {}
            Self { other: None, .. } => self.other = Some(person),
            Self { .. } => self.has_more = true,
        }
    }
}

/// The person that a supervisor's cell means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MeantSupervisor {
    Person(FinalUser),
    /// The row's own user, and nobody else.
    Itself,
}

impl SupervisorNames {
    /// Looks for the rows that the supervisor cells of `rows` name. Looks at each row once. A rejected row counts too:
    /// if a file gives supervisors by name, most of its rows are rejected for that reason alone.
    pub(crate) fn find(state: &JudgementState<'_>, rows: impl Iterator<Item = RowIndex>) -> Self {
        let mut names = Self::default();
        for row in rows {
            let cell = state.roster.rows[row].value(Column::SupervisorEmail);
            if names.found.len() < MOST {
                names
                    .found
                    .entry(named_in(cell.unwrap_or_default()))
                    .or_default();
            }
        }
        // No name of a person holds an @.
        let has_name = names.found.keys().any(|cell| !cell.contains('@'));
        for (row, data) in state.roster.rows.enumerate() {
            if data.sound(Column::Email).is_some() && state.original(row).is_none() {
                let person = state.roster.person(row);
                names.add_keys(data, person);
                if has_name {
                    names.add_names(data, person);
                }
            }
        }
        names
    }

    /// Returns the person that the supervisor cell of `row` means, or `None` unless exactly one person fits besides the
    /// row's own user: of the rows, and of the users that no standing row is about.
    pub(crate) fn meant(
        &mut self,
        state: &JudgementState<'_>,
        row: RowIndex,
        users: &mut KeyHolders<'_>,
    ) -> Option<MeantSupervisor> {
        let cell = state.roster.rows[row].value(Column::SupervisorEmail)?;
        let named = self.found.get_mut(&named_in(cell))?;
        if !std::mem::replace(&mut named.is_looked_up, true) {
            for (key, form) in keys_named(cell) {
                let person = users.find(key, &form).map(FinalUser::User);
                let person = person.filter(|&person| state.row_of(person).is_none());
                if let Some(person) = person {
                    named.meant.add(person);
                }
            }
        }
        let SupervisorCandidates {
            one,
            other,
            has_more,
        } = named.meant;
        let own = state.own_person(row);
        let mut others = [one, other]
            .into_iter()
            .flatten()
            .filter(|&person| person != own);
        match (others.next(), others.next()) {
            (None, _) if one.is_some() => Some(MeantSupervisor::Itself),
            (Some(person), None) if !has_more => Some(MeantSupervisor::Person(person)),
            _ => None,
        }
    }

    fn add_keys(&mut self, row: &Row, person: FinalUser) {
        for column in KEYS {
            self.add(row.value(column).unwrap_or_default(), person);
        }
    }

    fn add_names(&mut self, row: &Row, person: FinalUser) {
        let name = |column| row.value(column).unwrap_or_default();
        let (first, last) = (name(Column::FirstName), name(Column::LastName));
        self.add(&format!("{first} {last}"), person);
        self.add(&format!("{last} {first}"), person);
        self.add(&format!("{last}, {first}"), person);
    }

    fn add(&mut self, text: &str, person: FinalUser) {
        if let Some(named) = self.found.get_mut(&*comparable(text)) {
            named.meant.add(person);
        }
    }
}

/// Returns the text that a supervisor's cell names, in its comparable form: the address in the cell if it holds one.
fn named_in(cell: &str) -> String {
    comparable(address_meant(cell).as_deref().unwrap_or(cell)).into_owned()
}

/// Returns the comparable form of `text`. Case does not matter, nor does the number of spaces.
fn comparable(text: &str) -> Cow<'_, str> {
    if !text.contains(' ') {
        return fold(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Cow::Owned(fold(&words.join(" ")).into_owned())
}

/// Returns the standing row about the user who has `email` in the directory: it gives that user another email.
pub(crate) fn renaming_row(state: &JudgementState<'_>, email: KeyId) -> Option<RowIndex> {
    let holder = state.roster.holder(email)?;
    state.row_of(FinalUser::User(holder))
}
