//! The state after the import, as far as the rules have judged: the rows that stand, and so the owner of each key and
//! the supervisor of each user. Knows the rows, not the rules that reject them.

use super::row_copies::RowCopies;
use crate::domain::{Row, Status, User};
use crate::plan::index::{
    ByKey, ByRow, FinalUser, Key, KeyId, RosterIndex, RowIndex, SupervisorChange, UserIndex, held,
};

/// The rows that stand. A rejected row never stands again.
pub(crate) struct JudgementState<'a> {
    pub(crate) roster: &'a RosterIndex<'a>,
    passed: ByRow<bool>,
    standing: ByRow<bool>,
    /// Rows that share the decision on the row that they equal. They do not stand by themselves.
    copies: RowCopies,
    /// By key: the only row that gave the key and stood after the duplicates were rejected, even if that row was
    /// rejected later.
    claims: [ByKey<Option<RowIndex>>; 4],
    /// By email: the first row that was rejected up to that moment; a duplicate comes before a row that failed its
    /// field checks. Empty if no row was rejected.
    fallen_early: ByKey<Option<RowIndex>>,
}

impl<'a> JudgementState<'a> {
    /// Returns the state in which the rows that passed their field checks stand.
    pub(crate) fn new(roster: &'a RosterIndex<'a>, passed: ByRow<bool>) -> Self {
        Self {
            roster,
            standing: passed.clone(),
            passed,
            copies: RowCopies::default(),
            claims: Key::ALL.map(|key| ByKey::repeat(None, roster.key_count(key))),
            fallen_early: ByKey::default(),
        }
    }

    /// Returns `true` if `row` has not been rejected so far and is no copy.
    pub(crate) fn stands(&self, row: RowIndex) -> bool {
        self.standing[row]
    }

    /// Returns the rows that stand.
    pub(crate) fn standing(&self) -> Vec<RowIndex> {
        let count = self.standing.iter().filter(|&&stands| stands).count();
        let mut rows = Vec::with_capacity(count);
        rows.extend(self.standing.indices().filter(|&row| self.stands(row)));
        rows
    }

    /// Returns, by row, whether it passed its field checks.
    pub(crate) fn passed(&self) -> &ByRow<bool> {
        &self.passed
    }

    /// Sets these rows aside: each shares the decision on the row that it equals.
    pub(crate) fn set_aside(&mut self, copies: RowCopies) {
        for row in self.roster.rows.indices() {
            if copies.original(row).is_some() {
                self.standing[row] = false;
            }
        }
        self.copies = copies;
    }

    /// Returns the row that `row` is a copy of, or `None` if it is no copy.
    pub(crate) fn original(&self, row: RowIndex) -> Option<RowIndex> {
        self.copies.original(row)
    }

    /// Returns the copies, once all rows are judged.
    pub(crate) fn into_copies(self) -> RowCopies {
        self.copies
    }

    pub(crate) fn reject(&mut self, row: RowIndex) {
        self.standing[row] = false;
    }

    /// Returns the row that stood with this key after the duplicates were rejected.
    pub(crate) fn claim(&self, key: Key, id: KeyId) -> Option<RowIndex> {
        self.claims[key as usize][id]
    }

    /// Forgets all claims.
    pub(crate) fn clear_claims(&mut self) {
        for claims in &mut self.claims {
            claims.fill(None);
        }
    }

    /// Notes that `row` stands with this key. No other row may claim it.
    pub(crate) fn set_claim(&mut self, key: Key, id: KeyId, row: RowIndex) {
        self.claims[key as usize][id] = Some(row);
    }

    /// Returns the standing row that gives its user this key in the final state.
    pub(crate) fn taker(&self, key: Key, id: KeyId) -> Option<RowIndex> {
        self.claim(key, id).filter(|&row| self.stands(row))
    }

    /// Returns the user who keeps this key: no standing row is about that user, or the row is one of an undo and does
    /// not change the key.
    pub(crate) fn keeper(&self, key: Key, id: KeyId) -> Option<UserIndex> {
        let user = self.roster.holder(id)?;
        let row = self.row_of(FinalUser::User(user));
        let sets_key = |row: RowIndex| {
            !self.roster.request.is_undo() || self.roster.rows[row].has(key.column())
        };
        (!row.is_some_and(sets_key)).then_some(user)
    }

    /// Returns the owner of this key in the final state, or `None` if it has none.
    pub(crate) fn owner(&self, key: Key, id: KeyId) -> Option<FinalUser> {
        let taker = self.taker(key, id).map(|row| self.roster.person(row));
        taker.or_else(|| self.keeper(key, id).map(FinalUser::User))
    }

    /// Returns the standing row that is about `person`.
    pub(crate) fn row_of(&self, person: FinalUser) -> Option<RowIndex> {
        match person {
            FinalUser::Row(row) => self.stands(row).then_some(row),
            FinalUser::User(user) => self.taker(Key::ExternalId, held(user)),
        }
    }

    /// Returns the person that `row` is about: the user it matches, or the user that another row creates with the same
    /// external ID.
    pub(crate) fn own_person(&self, row: RowIndex) -> FinalUser {
        if let Some(user) = self.roster.user(row) {
            return FinalUser::User(user);
        }
        let id = self.roster.wanted(Key::ExternalId, row);
        let namesake = id.and_then(|id| self.taker(Key::ExternalId, id));
        self.roster.person(namesake.unwrap_or(row))
    }

    /// Returns the supervisor of `person` in the final state.
    pub(crate) fn supervisor(&self, person: FinalUser) -> Option<FinalUser> {
        let change = self
            .row_of(person)
            .map(|row| self.roster.supervisor_change(row));
        match change.unwrap_or(SupervisorChange::Keep) {
            SupervisorChange::Keep => self.present_supervisor(person),
            change => self.asked_supervisor(change),
        }
    }

    /// Returns the supervisor that a row asks for, or `None` if it asks for none or for somebody who does not exist.
    pub(crate) fn asked_supervisor(&self, change: SupervisorChange) -> Option<FinalUser> {
        match change {
            SupervisorChange::Email(email) => self.owner(Key::Email, email),
            SupervisorChange::User(user) => Some(FinalUser::User(user)),
            SupervisorChange::Clear | SupervisorChange::Keep => None,
        }
    }

    /// Returns the supervisor that `person` has in the directory.
    pub(crate) fn present_supervisor(&self, person: FinalUser) -> Option<FinalUser> {
        match person {
            FinalUser::User(user) => self.roster.supervisor(user).map(FinalUser::User),
            FinalUser::Row(_) => None,
        }
    }

    /// Returns the status of `person` in the final state, before missing users are deactivated.
    pub(crate) fn status(&self, person: FinalUser) -> Status {
        let row = self.row_of(person).map(|row| &self.roster.rows[row]);
        let given = row.and_then(Row::status);
        given
            .or_else(|| self.user(person).map(|user| user.status))
            .unwrap_or(Status::Active)
    }

    /// Returns the row or user from which messages quote the email that `person` has in the final state: a row that
    /// gives it, or otherwise the user.
    pub(crate) fn email_source(&self, person: FinalUser) -> FinalUser {
        let named_by = match person {
            FinalUser::Row(row) => Some(row),
            FinalUser::User(_) => self.row_of(person),
        };
        let column = Key::Email.column();
        let given = named_by.filter(|&row| self.roster.rows[row].has(column));
        given.map_or(person, FinalUser::Row)
    }

    /// Returns the email of this number as its owner in the final state writes it.
    pub(crate) fn email(&self, id: KeyId) -> Option<&'a str> {
        match self.email_source(self.owner(Key::Email, id)?) {
            FinalUser::Row(row) => self.roster.rows[row].value(Key::Email.column()),
            FinalUser::User(user) => Some(self.roster.users[user].email()),
        }
    }

    fn user(&self, person: FinalUser) -> Option<&'a User> {
        match person {
            FinalUser::User(user) => Some(&self.roster.users[user]),
            FinalUser::Row(_) => None,
        }
    }

    /// Notes the rows rejected so far: first the duplicates, then the rows that failed their field checks.
    pub(crate) fn note_fallen(&mut self) {
        let fell = |&row: &RowIndex| !self.stands(row) && self.original(row).is_none();
        let rows = self.passed.indices().filter(fell);
        let (late, early): (Vec<RowIndex>, Vec<RowIndex>) = rows.partition(|&row| self.passed[row]);
        if late.is_empty() && early.is_empty() {
            return;
        }
        self.fallen_early = ByKey::repeat(None, self.roster.key_count(Key::Email));
        for row in late.into_iter().chain(early) {
            if let Some(email) = self.roster.wanted(Key::Email, row) {
                self.fallen_early[email].get_or_insert(row);
            }
        }
    }

    /// Returns the rejected row that would have freed a key of `user`. If there are several, returns the one that stood
    /// longest; among equals, the first.
    pub(crate) fn would_free(&self, key: Key, user: UserIndex) -> Option<RowIndex> {
        let held = held(user);
        let frees = |row: RowIndex| self.roster.wanted(key, row).is_some_and(|id| id != held);
        let rows = self.roster.rows_of(user).iter().copied();
        let fell = |row: RowIndex| !self.stands(row) && self.original(row).is_none();
        let fallen = rows.filter(|&row| fell(row) && frees(row));
        fallen.min_by_key(|&row| (!self.stood_alone(row), !self.passed[row]))
    }

    /// Returns the rejected row that would have given a user this email. If there are several, returns the one that
    /// stood longest; among equals, the first.
    pub(crate) fn would_give(&self, email: KeyId) -> Option<RowIndex> {
        self.claim(Key::Email, email)
            .filter(|&row| !self.stands(row))
            .or_else(|| self.fallen_early.find(email))
    }

    /// Returns `true` if `row` stood after the duplicates were rejected.
    fn stood_alone(&self, row: RowIndex) -> bool {
        let email = self.roster.wanted(Key::Email, row);
        email.and_then(|email| self.claim(Key::Email, email)) == Some(row)
    }
}
