//! The plan's digest. Two plans have equal digests exactly if they do the same to the same data (semantics §7). The
//! order of the rows does not matter (§9).
//!
//! The digest is an HMAC-SHA-256. Its key is a secret of the organisation, so that nobody can guess stored values from
//! the digest. It is over: the number of rows that are unchanged without an issue; the number of other rows, and the
//! sum of their own HMACs; the number of users to deactivate and the external ID of each. The sum has two lanes of 128
//! bits, each without its carry. Without the secret, nobody can find rows that have the same sum as others.
//!
//! The HMAC of a row is over: its outcome (a byte); the external ID of the user that it matches, or its four keys if it
//! matches none; the number of changed columns and, for each, its number (a byte), value before and value after; the
//! number of issues and the code of each (a byte), sorted. A number is four bytes, lowest first. A text is its length
//! in bytes, then the bytes. A value is a byte that says whether it has a text, then the text. A generated external ID
//! does not count as a changed column: it differs from import to import.

use std::fmt;

use ring::hmac;

use crate::domain::{Column, IssueCode};
use crate::plan::Plan;
use crate::plan::index::{Key, RowIndex, parallel, to_u32};
use crate::plan::judge::{Decision, Outcome};

/// Room for the bytes that the digest of one row covers. Most rows have fewer.
const ROW_BYTES: usize = 512;

/// The secret that the digests of one organisation's plans are keyed with.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// Makes a key from the organisation's secret.
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

/// Returns the digest of `plan`.
pub(crate) fn digest(plan: &Plan) -> [u8; 32] {
    let of_row = |row, decision: &Decision| DigestRows::of(plan, row, decision);
    let rows = parallel::sum(&plan.decisions, of_row, DigestRows::plus);
    let mut whole = DigestEncoder::default();
    whole.number(rows.untouched);
    whole.number(rows.touched);
    for lane in rows.sum {
        whole.0.extend(lane.to_le_bytes());
    }
    whole.number(to_u32(plan.deactivations.len()));
    for &user in &plan.deactivations {
        whole.text(plan.request.snapshot.users()[user].external_id());
    }
    whole.digest(plan)
}

/// The contribution of some rows to the digest.
#[derive(Clone, Copy, Default)]
struct DigestRows {
    /// Number of rows that are unchanged and have no issue.
    untouched: u32,
    /// Number of other rows.
    touched: u32,
    sum: [u128; 2],
}

impl DigestRows {
    fn of(plan: &Plan, row: RowIndex, decision: &Decision) -> Self {
        let mut codes = plan.codes(row).peekable();
        if decision.outcome == Outcome::Unchanged && codes.peek().is_none() {
            return Self {
                untouched: 1,
                ..Self::default()
            };
        }
        let mut encoded = DigestEncoder(Vec::with_capacity(ROW_BYTES));
        encoded.row(plan, row, decision);
        encoded.codes(codes.collect());
        let digest = encoded.digest(plan);
        let (lanes, _) = digest.as_chunks();
        Self {
            untouched: 0,
            touched: 1,
            sum: [0, 1].map(|lane| u128::from_le_bytes(lanes[lane])),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            untouched: self.untouched + other.untouched,
            touched: self.touched + other.touched,
            sum: [0, 1].map(|lane| self.sum[lane].wrapping_add(other.sum[lane])),
        }
    }
}

/// Collects the bytes that a digest covers: one update for each of a row's many values would take longer than the
/// digest itself.
#[derive(Default)]
struct DigestEncoder(Vec<u8>);

impl DigestEncoder {
    fn row(&mut self, plan: &Plan, row: RowIndex, decision: &Decision) {
        self.byte(match decision.outcome {
            Outcome::Created => 1,
            Outcome::Updated => 2,
            Outcome::Unchanged => 3,
            Outcome::Rejected => 4,
        });
        let data = &plan.request.rows[row];
        match plan.request.user_of(row) {
            Some(user) => self.value(Some(user.external_id())),
            None => Key::ALL
                .map(|key| data.value(key.column()))
                .into_iter()
                .for_each(|value| {
                    // Blank and absent are the same: neither makes a column of a created user a changed one.
                    self.value(value.filter(|value| !value.is_empty()));
                }),
        }
        let mut changes = decision.changes;
        if changes.contains(Column::ExternalId) && data.sound(Column::ExternalId).is_none() {
            changes.remove(Column::ExternalId);
        }
        self.number(to_u32(changes.iter().count()));
        for column in changes.iter() {
            self.byte(column as u8);
            let (before, after) = plan.change_values(row, column);
            self.value(before.as_deref());
            self.value(after.as_deref());
        }
    }

    fn codes(&mut self, mut codes: Vec<IssueCode>) {
        codes.sort_unstable();
        self.number(to_u32(codes.len()));
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
        self.number(to_u32(text.len()));
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, n: u32) {
        self.0.extend(n.to_le_bytes());
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn digest(&self, plan: &Plan) -> [u8; 32] {
        let DigestKey(key) = &plan.request.terms.digest_key;
        let mut digest = [0; 32];
        digest.copy_from_slice(hmac::sign(key, &self.0).as_ref());
        digest
    }
}
