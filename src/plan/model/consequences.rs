//! The consequences of a plan (semantics §13), as the model finds them: everybody before is compared with everybody
//! after.

use std::collections::BTreeMap;

use super::{FinalPerson, ReferenceModel};
use crate::domain::{Column, RoleId, Status};
use crate::plan::order::generated_external_id;
use crate::plan::{Consequence, ConsequenceExample, ConsequenceKind, Outcome};

/// The columns of a person's identity, in the order in which a consequence names them.
const IDENTITY: [Column; 5] = [
    Column::Email,
    Column::BadgeNumber,
    Column::FirstName,
    Column::LastName,
    Column::Username,
];

impl ReferenceModel<'_> {
    /// Returns the consequences, given the external IDs of the users to deactivate as missing.
    pub(super) fn consequences(&self, missing: &[&str], import: uuid::Uuid) -> Vec<Consequence> {
        use ConsequenceKind as Kind;
        let everybody = self.everybody();
        let is_missing = |one: &FinalPerson| {
            let user = one.user.map(|user| self.users[user].external_id());
            user.is_some_and(|id| missing.contains(&id))
        };
        let was_active = |one: &FinalPerson| {
            one.user
                .is_some_and(|user| self.users[user].status == Status::Active)
        };
        let is_active = |one: &FinalPerson| one.status == Status::Active && !is_missing(one);
        let mut found: BTreeMap<Kind, Vec<ConsequenceExample>> = BTreeMap::new();
        for one in &everybody {
            let mut add = |kind, detail: String| {
                let example = self.example(one, detail, import);
                found.entry(kind).or_default().push(example);
            };
            if let Some(above) = one.supervisor.map(|above| &everybody[above])
                && is_active(one)
                && was_active(above)
                && !is_active(above)
            {
                let id = self.id_after(above, import);
                add(Kind::ReportsLoseSupervisor, id);
            }
            for (kind, detail) in self.own_consequences(one) {
                add(kind, detail);
            }
        }
        for role in &self.catalog.roles {
            let has = |one: &&FinalPerson| self.role_after(one) == role.id && is_active(one);
            let had = |one: &&FinalPerson| {
                was_active(one)
                    && one
                        .user
                        .is_some_and(|user| self.users[user].role == role.id)
            };
            if everybody.iter().any(|one| had(&one)) && !everybody.iter().any(|one| has(&one)) {
                let example = ConsequenceExample {
                    detail: role.name.clone(),
                    ..ConsequenceExample::default()
                };
                found.entry(Kind::RoleLeftEmpty).or_default().push(example);
            }
        }
        found.into_iter().map(listed).collect()
    }

    /// Returns what a row does to its own user, and the detail of it.
    fn own_consequences(&self, one: &FinalPerson) -> Vec<(ConsequenceKind, String)> {
        use ConsequenceKind as Kind;
        let Some(row) = one.row else {
            return Vec::new();
        };
        let user = one.user.map(|user| &self.users[user]);
        let (role, had) = (self.role(row), user.map(|user| user.role));
        let mut found = Vec::new();
        if self.is_privileged(role) && had != Some(role) {
            found.push((Kind::PrivilegedRoleGained, self.role_name(role)));
        }
        if let Some(had) = had.filter(|&had| had != role && self.is_privileged(had)) {
            found.push((Kind::PrivilegedRoleLost, self.role_name(had)));
        }
        let Some(user) = user else {
            return found;
        };
        let value = |column| self.rows[row].value(column);
        let changed = [Column::Email, Column::Username].into_iter();
        let changed: Vec<_> = changed
            .filter(|&column| value(column) != user.value(column))
            .map(Column::header)
            .collect();
        match (user.status, one.status) {
            (Status::Active, Status::Active) if !changed.is_empty() => {
                found.push((Kind::SignInChanged, changed.join(", ")));
            }
            (Status::Inactive, Status::Active) => {
                found.push((Kind::Reactivated, self.role_name(role)));
            }
            _ => {}
        }
        if self.replaces_person(row) {
            let differing = IDENTITY
                .into_iter()
                .filter(|&column| self.differs(row, column));
            let mut columns: Vec<_> = differing.map(Column::header).collect();
            if !(columns.contains(&"FIRST_NAME") && columns.contains(&"LAST_NAME")) {
                columns.retain(|column| !column.ends_with("_NAME"));
            }
            // A set of columns is in the order of the header.
            columns.sort_by_key(|header| Column::ALL.iter().position(|c| c.header() == *header));
            found.push((Kind::IdentityReplaced, columns.join(", ")));
        }
        found
    }

    fn example(&self, one: &FinalPerson, detail: String, import: uuid::Uuid) -> ConsequenceExample {
        let user = one.user.map(|user| &self.users[user]);
        let given = one.row.and_then(|row| self.rows[row].value(Column::Email));
        let stands = |&row: &usize| self.outcome(row) != Outcome::Rejected;
        let mut rows = (0..self.rows.len()).filter(stands);
        let row = one
            .row
            .or_else(|| rows.find(|&row| one.user.is_some() && self.user(row) == one.user));
        ConsequenceExample {
            external_id: self.id_after(one, import),
            email: given
                .or(user.map(crate::domain::User::email))
                .unwrap_or_default()
                .to_owned(),
            detail,
            row: row.map(|row| self.number(row)),
        }
    }

    fn id_after(&self, one: &FinalPerson, import: uuid::Uuid) -> String {
        match (one.user, one.row) {
            (None, Some(row)) => {
                let given = self.sound(row, Column::ExternalId);
                given.unwrap_or_else(|| generated_external_id(import, self.number(row)))
            }
            _ => one.external_id.clone(),
        }
    }

    fn role_after(&self, one: &FinalPerson) -> RoleId {
        let present = one.user.map(|user| self.users[user].role);
        let given = one.row.map(|row| self.role(row));
        given.or(present).unwrap_or(RoleId(0))
    }

    fn role_name(&self, role: RoleId) -> String {
        let role = self.catalog.roles.iter().find(|known| known.id == role);
        role.map(|role| role.name.clone()).unwrap_or_default()
    }
}

fn listed((kind, mut examples): (ConsequenceKind, Vec<ConsequenceExample>)) -> Consequence {
    let count = u32::try_from(examples.len()).unwrap();
    examples.sort_by(|one, other| {
        (&one.external_id, &one.detail).cmp(&(&other.external_id, &other.detail))
    });
    examples.truncate(20);
    Consequence {
        kind,
        count,
        examples,
    }
}
