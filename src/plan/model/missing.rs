//! Users who are not listed, and rows whose user cannot be identified (semantics §7), as the model finds them.

use super::{KEYS, ReferenceModel};
use crate::domain::{Column, Status, User};

impl<'a> ReferenceModel<'a> {
    /// Returns the indices of the users whose keys a row has: by external ID, or otherwise by any key. Leading zeros
    /// are ignored.
    fn listed_by(&self, row: usize) -> Vec<usize> {
        let strip = |text: &str| text.trim_start_matches('0').to_owned();
        let id = self.sound(row, Column::ExternalId);
        let [email, badge, username] = KEYS.map(|column| self.sound(row, column));
        let bare_badge = badge.as_deref().map(strip);
        let matched = self.user(row);
        let lists = |&user: &usize| {
            let data = &self.users[user];
            let by_id = id.as_deref().map(strip) == Some(strip(data.external_id()));
            let by_other = email == Some(data.email().to_lowercase())
                || bare_badge == Some(strip(data.badge_number()))
                || username == Some(data.username().to_lowercase());
            let same = [
                email == Some(data.email().to_lowercase()),
                badge.as_deref() == Some(data.badge_number()),
                username == Some(data.username().to_lowercase()),
            ];
            let by_two = same.into_iter().filter(|&same| same).count() >= 2;
            by_id || matched == Some(user) || matched.is_none() && by_other || by_two
        };
        (0..self.users.len()).filter(lists).collect()
    }

    pub(super) fn missing(&self) -> Vec<&'a str> {
        let listed: Vec<usize> = (0..self.rows.len())
            .flat_map(|r| self.listed_by(r))
            .collect();
        let users = self.users.iter().enumerate();
        let missing = users.filter(|(user, data)| {
            let may_go = self.permitted.privileged || !self.is_privileged(data.role);
            data.status == Status::Active && !data.protected && may_go && !listed.contains(user)
        });
        let mut missing: Vec<&str> = missing.map(|(_, user)| user.external_id()).collect();
        missing.sort_unstable();
        missing
    }

    /// Returns `true` if the email and the status of a row failed, and nobody has any of its keys but the external ID.
    fn is_shifted(&self, row: usize) -> bool {
        let status_failed = self.rows[row].is_unsound(Column::Status);
        let failed = self.is_unsound(row, Column::Email) && status_failed;
        let keys = KEYS.map(|column| self.sound(row, column));
        let has_key = |data: &User| {
            keys[0] == Some(data.email().to_lowercase())
                || keys[1].as_deref() == Some(data.badge_number())
                || keys[2] == Some(data.username().to_lowercase())
        };
        failed && !self.users.iter().any(has_key)
    }

    pub(super) fn unidentifiable_rows(&self) -> Vec<u32> {
        let is_unidentifiable = |&row: &usize| {
            let failed = KEYS.map(|column| self.is_unsound(row, column));
            let failed = failed.into_iter().filter(|&failed| failed).count();
            let has_id = !self.rows[row]
                .value(Column::ExternalId)
                .unwrap_or_default()
                .is_empty();
            let doubtful =
                self.is_unsound(row, Column::ExternalId) || !has_id && failed > 0 || failed > 1;
            let data = &self.rows[row];
            data.is_misfit() && !data.is_foreign()
                || doubtful && self.listed_by(row).is_empty()
                || self.is_shifted(row)
        };
        let rows = (0..self.rows.len()).filter(is_unidentifiable);
        rows.map(|row| self.rows[row].number).collect()
    }
}
