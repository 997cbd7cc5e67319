//! The plan's digest: equal exactly where two plans do the same to the same data (semantics §7).
//!
//! HMAC-SHA-256, keyed with a secret of the organisation so that nobody can guess stored values from
//! it, over, for each row in order: its outcome (a byte); the number of changed columns and for each
//! its number (a byte), value before and value after; the number of issues and the code of each (a byte).
//! Then the number of users to deactivate and the external ID of each. A number is four bytes, lowest
//! first; a text its length in bytes, then the bytes; a value a byte that says whether it has a text, and
//! the text. A generated external ID does not count as a changed column: it differs from import to import.

use std::fmt;

use ring::hmac;

use super::decision::{Decision, Outcome};
use super::links::index;
use super::{Plan, Request};
use crate::domain::{Column, IssueCode};

/// The secret that the digests of one organisation's plans are keyed with.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// Makes a key of the organisation's secret.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey")
    }
}

/// The digest of `plan`, which was made for `request`.
pub(super) fn digest(plan: &Plan, request: &Request<'_>) -> [u8; 32] {
    let mut hash = Encoder(hmac::Context::with_key(&request.digest_key.0));
    for (row, decision) in plan.decisions.iter().enumerate() {
        hash.row(plan, request, row, decision);
    }
    hash.number(plan.deactivations.len());
    for &user in &plan.deactivations {
        hash.text(request.directory.users()[user as usize].external_id());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.0.sign().as_ref());
    digest
}

struct Encoder(hmac::Context);

impl Encoder {
    fn row(&mut self, plan: &Plan, request: &Request<'_>, row: usize, decision: &Decision) {
        self.byte(match decision.outcome {
            Outcome::Created => 1,
            Outcome::Updated => 2,
            Outcome::Unchanged => 3,
            Outcome::Rejected => 4,
        });
        let mut changes = decision.changes;
        if changes.contains(Column::ExternalId)
            && request.rows[row].sound(Column::ExternalId).is_none()
        {
            changes.remove(Column::ExternalId);
        }
        self.number(changes.iter().count());
        for column in changes.iter() {
            self.byte(column as u8);
            let (before, after) = plan.change_values(request, row, column);
            self.value(before.as_deref());
            self.value(after.as_deref());
        }
        let codes: Vec<IssueCode> = plan.codes(request, index(row)).collect();
        self.number(codes.len());
        for code in codes {
            self.byte(code as u8);
        }
    }

    fn value(&mut self, value: Option<&str>) {
        self.byte(u8::from(value.is_some()));
        if let Some(text) = value {
            self.text(text);
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, n: usize) {
        self.0.update(&index(n).to_le_bytes());
    }

    fn byte(&mut self, byte: u8) {
        self.0.update(&[byte]);
    }
}
