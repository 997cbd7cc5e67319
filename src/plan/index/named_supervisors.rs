//! The keys that a supervisor cell may name if no user has it as email (semantics §5). The planner looks them up in the
//! directory, and a partial snapshot has every user who has one of them. Knows the rows; decides nothing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::keys::Key;
use super::numbers::ByRow;
use crate::domain::{Column, LookUpBudget, Row, address_meant, in_other_case};

/// Returns the keys by which `cell` may name a user, each in its comparable form: the address in the cell, or the cell
/// as a username, badge number or external ID. The last two compare exactly, so they are tried in other cases too.
pub(crate) fn keys_named(cell: &str) -> Vec<(Key, String)> {
    let meant = address_meant(cell);
    let words: Vec<&str> = meant
        .as_deref()
        .unwrap_or(cell)
        .split_whitespace()
        .collect();
    let text = words.join(" ");
    let caseless = [Key::Email, Key::Username];
    let caseless = caseless.map(|key| (key, key.comparable(&text).into_owned()));
    let forms = in_other_case(&text).into_iter().chain([text]);
    let exact = forms.flat_map(|form| [(Key::BadgeNumber, form.clone()), (Key::ExternalId, form)]);
    caseless.into_iter().chain(exact).collect()
}

/// Returns the emails that rows name as supervisor although no user has them and no row gives them, in comparable form
/// and in the order of the rows. For these, the addresses one edit away are looked up. `has_holder` returns `true` if a
/// user of the directory has the email.
///
/// The answer depends on nothing else, so that a partial snapshot gets the same suggestions as a complete one. Emails are
/// compared by their hashes, since a million of them would take much memory.
pub(crate) fn unknown_emails(
    rows: &ByRow<Row>,
    mut has_holder: impl FnMut(&str) -> bool,
) -> Vec<String> {
    let hashing = RandomState::new();
    let hash = |email: &str| hashing.hash_one(email);
    let email = |row: &Row, column| Some(Key::Email.comparable(row.sound(column)?).into_owned());
    let named = |row: &Row| email(row, Column::SupervisorEmail);
    let emails = rows.iter().filter_map(named);
    let mut unknown: HashSet<u64> = emails
        .filter(|email| !has_holder(email))
        .map(|email| hash(&email))
        .collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    for given in rows.iter().filter_map(|row| email(row, Column::Email)) {
        unknown.remove(&hash(&given));
    }
    let mut budget = LookUpBudget::of_import();
    let mut affordable = Vec::new();
    for email in rows.iter().filter_map(named) {
        if budget.is_spent() {
            break;
        }
        if unknown.remove(&hash(&email)) && budget.affords(&email) {
            affordable.push(email);
        }
    }
    affordable
}
