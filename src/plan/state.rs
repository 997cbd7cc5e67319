//! The state after the import, as far as judging has come: which rows stand, and so who has which
//! key and which supervisor. Knows the rows, not the rules that reject them.

use super::copies::Copies;
use super::keys::{Key, held};
use super::links::{Links, indices};
use super::roster::{Person, Roster, Wish};
use crate::domain::{Row, Status, User};

/// Which rows stand. Rows only ever fall, never rise again.
pub(super) struct State<'a> {
    pub(super) roster: &'a Roster<'a>,
    passed: Vec<bool>,
    standing: Vec<bool>,
    /// Rows that are judged as the row that they equal; they do not stand by themselves.
    copies: Copies,
    /// By key: the one row that stood after the duplicates were out, even where it fell later.
    claims: [Links; 4],
    /// By email: the first of the rows that fell earlier. Empty if none did.
    fallen_early: Links,
}

impl<'a> State<'a> {
    /// The state in which the rows stand that passed their field checks.
    pub(super) fn new(roster: &'a Roster<'a>, passed: Vec<bool>) -> Self {
        Self {
            roster,
            standing: passed.clone(),
            passed,
            copies: Copies::default(),
            claims: Key::ALL.map(|key| Links::none(roster.key_count(key))),
            fallen_early: Links::default(),
        }
    }

    /// True where `row` has not been rejected so far.
    pub(super) fn stands(&self, row: u32) -> bool {
        self.standing[row as usize]
    }

    /// The rows that stand.
    pub(super) fn standing(&self) -> Vec<u32> {
        let count = self.standing.iter().filter(|&&stands| stands).count();
        let mut rows = Vec::with_capacity(count);
        rows.extend(indices(&self.standing).filter(|&row| self.stands(row)));
        rows
    }

    /// By row: whether it passed its field checks.
    pub(super) fn passed(&self) -> &[bool] {
        &self.passed
    }

    /// Leaves these rows to be judged as the rows that they equal.
    pub(super) fn set_aside(&mut self, copies: Copies) {
        for row in indices(self.roster.rows) {
            if copies.original(row).is_some() {
                self.standing[row as usize] = false;
            }
        }
        self.copies = copies;
    }

    /// The row that `row` is a copy of.
    pub(super) fn original(&self, row: u32) -> Option<u32> {
        self.copies.original(row)
    }

    /// The copies, once all is judged.
    pub(super) fn into_copies(self) -> Copies {
        self.copies
    }

    /// Rejects `row`.
    pub(super) fn reject(&mut self, row: u32) {
        self.standing[row as usize] = false;
    }

    /// The row that stood with this key after the duplicates were out.
    pub(super) fn claim(&self, key: Key, id: u32) -> Option<u32> {
        self.claims[key as usize].get(id)
    }

    /// Forgets who claims which key.
    pub(super) fn clear_claims(&mut self) {
        for links in &mut self.claims {
            links.clear();
        }
    }

    /// Notes that `row` stands with this key, and that no other may.
    pub(super) fn set_claim(&mut self, key: Key, id: u32, row: u32) {
        self.claims[key as usize].set(id, Some(row));
    }

    /// The row that gives somebody this key in the final state.
    pub(super) fn taker(&self, key: Key, id: u32) -> Option<u32> {
        self.claim(key, id).filter(|&row| self.stands(row))
    }

    /// The user outside the standing rows who keeps this key.
    pub(super) fn keeper(&self, key: Key, id: u32) -> Option<u32> {
        let user = self.roster.holder(key, id)?;
        self.row_of(Person::User(user)).is_none().then_some(user)
    }

    /// Who has this key in the final state.
    pub(super) fn owner(&self, key: Key, id: u32) -> Option<Person> {
        let taker = self.taker(key, id).map(|row| self.roster.person(row));
        taker.or_else(|| self.keeper(key, id).map(Person::User))
    }

    /// The standing row that is about `person`.
    pub(super) fn row_of(&self, person: Person) -> Option<u32> {
        match person {
            Person::Row(row) => self.stands(row).then_some(row),
            Person::User(user) => self.taker(Key::ExternalId, held(user)),
        }
    }

    /// The person that `row` is about: the user it matches, or the one that another row creates with the same
    /// external ID.
    pub(super) fn own_person(&self, row: u32) -> Person {
        if let Some(user) = self.roster.user(row) {
            return Person::User(user);
        }
        let id = self.roster.wanted(Key::ExternalId, row);
        let namesake = id.and_then(|id| self.taker(Key::ExternalId, id));
        self.roster.person(namesake.unwrap_or(row))
    }

    /// The supervisor of `person` in the final state.
    pub(super) fn supervisor(&self, person: Person) -> Option<Person> {
        let wish = self.row_of(person).map(|row| self.roster.wish(row));
        match wish.unwrap_or(Wish::Keep) {
            Wish::Email(email) => self.owner(Key::Email, email),
            Wish::Clear => None,
            Wish::Keep => self.present_supervisor(person),
        }
    }

    /// The supervisor that `person` has in the directory.
    pub(super) fn present_supervisor(&self, person: Person) -> Option<Person> {
        match person {
            Person::User(user) => self.roster.supervisor(user).map(Person::User),
            Person::Row(_) => None,
        }
    }

    /// Whether `person` is active in the final state, deactivation of missing users apart.
    pub(super) fn status(&self, person: Person) -> Status {
        let row = self
            .row_of(person)
            .map(|row| &self.roster.rows[row as usize]);
        let given = row.and_then(Row::status);
        given
            .or_else(|| self.user(person).map(|user| user.status))
            .unwrap_or(Status::Active)
    }

    /// What has the email of `person` in the final state, as it is written: a row, or else the user.
    pub(super) fn email_source(&self, person: Person) -> Person {
        let named_by = match person {
            Person::Row(row) => Some(row),
            Person::User(_) => self.row_of(person),
        };
        let column = Key::Email.column();
        let given = named_by.filter(|&row| self.roster.rows[row as usize].has(column));
        given.map_or(person, Person::Row)
    }

    /// The email of this number, as its owner in the final state writes it.
    pub(super) fn email(&self, id: u32) -> Option<&'a str> {
        match self.email_source(self.owner(Key::Email, id)?) {
            Person::Row(row) => self.roster.rows[row as usize].value(Key::Email.column()),
            Person::User(user) => Some(self.roster.users[user as usize].email()),
        }
    }

    fn user(&self, person: Person) -> Option<&'a User> {
        match person {
            Person::User(user) => Some(&self.roster.users[user as usize]),
            Person::Row(_) => None,
        }
    }

    /// Notes the rows that fell before the duplicates were out, those that fell last first.
    pub(super) fn note_fallen(&mut self) {
        let fell = |&row: &u32| !self.stands(row) && self.original(row).is_none();
        let rows = indices(&self.passed).filter(fell);
        let (late, early): (Vec<u32>, Vec<u32>) = rows.partition(|&row| self.passed[row as usize]);
        if late.is_empty() && early.is_empty() {
            return;
        }
        self.fallen_early = Links::none(self.roster.key_count(Key::Email));
        for row in late.into_iter().chain(early) {
            if let Some(email) = self.roster.wanted(Key::Email, row) {
                self.fallen_early.set_first(email, row);
            }
        }
    }

    /// The rejected row that would have freed a key of `user`: of several the one that stood longest,
    /// else the first.
    pub(super) fn would_free(&self, key: Key, user: u32) -> Option<u32> {
        let held = held(user);
        let frees = |row: u32| self.roster.wanted(key, row).is_some_and(|id| id != held);
        let rows = self.roster.rows_of(user).iter().copied();
        let fell = |row: u32| !self.stands(row) && self.original(row).is_none();
        let fallen = rows.filter(|&row| fell(row) && frees(row));
        fallen.min_by_key(|&row| (!self.stood_alone(row), !self.passed[row as usize]))
    }

    /// The rejected row that would have given somebody this email: the one that stood longest, else
    /// the first.
    pub(super) fn would_give(&self, email: u32) -> Option<u32> {
        self.claim(Key::Email, email)
            .filter(|&row| !self.stands(row))
            .or_else(|| self.fell_early(email))
    }

    fn fell_early(&self, email: u32) -> Option<u32> {
        match self.fallen_early.len() {
            0 => None,
            _ => self.fallen_early.get(email),
        }
    }

    /// True where `row` stood after the duplicates were out.
    fn stood_alone(&self, row: u32) -> bool {
        let email = self.roster.wanted(Key::Email, row);
        email.and_then(|email| self.claim(Key::Email, email)) == Some(row)
    }
}
