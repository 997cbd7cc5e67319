//! The hash chain of an organisation's audit events: how one is hashed, and how a chain is verified.
//!
//! Pure. The server that appends an event and the client that verifies a chain hash the same fields of the
//! same message. A chain shows that nothing *in* it was changed, removed or added. A person who can write
//! to every table can make a whole new chain: only a head noted elsewhere ([`AuditChain::expect_noted`])
//! shows that.

mod action;
mod chain;

use sha2::{Digest, Sha256};

use crate::proto::AuditEvent;

pub use action::{AuditAction, AuditOutcome};
pub use chain::{AuditChain, ChainBreak, NotedHead, RecordedArchive};

/// Names the encoding, so that another one can follow it.
const VERSION: &str = "userimport.audit.v1";

/// The chain of events that belong to no single organisation. No slug equals this name.
pub const SERVER_CHAIN: &str = "*";

/// The previous hash of the first event of a chain.
pub const NO_HASH: [u8; 32] = [0; 32];

/// Returns the hash of an event of `organization`'s chain: every field but `hash` itself, each after its
/// length, so that nothing can move from one field to the next.
#[must_use]
pub fn hash(organization: &str, event: &AuditEvent) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut field = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    field(VERSION.as_bytes());
    field(organization.as_bytes());
    field(&event.previous_hash);
    field(&event.sequence.to_be_bytes());
    let at = event.at.unwrap_or_default();
    field(&at.seconds.to_be_bytes());
    field(&at.nanos.to_be_bytes());
    for text in [&event.principal, &event.address, &event.subject] {
        field(text.as_bytes());
    }
    field(&event.action.to_be_bytes());
    field(&event.outcome.to_be_bytes());
    for (name, value) in &event.details {
        field(name.as_bytes());
        field(value.as_bytes());
    }
    digest.finalize().into()
}

/// Bytes of the names that one detail of an event lists.
const NAMES_BYTES: usize = 500;

/// Returns names as one detail of an event: a JSON list of the first, and how many more there are.
#[must_use]
pub fn few_names<T: AsRef<str>>(names: &[T]) -> String {
    let mut bytes = 0;
    let fits = |name: &&T| {
        bytes += name.as_ref().len();
        bytes <= NAMES_BYTES
    };
    let listed: Vec<&str> = names.iter().take_while(fits).map(AsRef::as_ref).collect();
    let list = serde_json::Value::from(listed.clone()).to_string();
    match names.len() - listed.len() {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Timestamp;

    fn event() -> AuditEvent {
        AuditEvent {
            sequence: 7,
            at: Some(Timestamp {
                seconds: 1_795_316_400,
                nanos: 123_000,
            }),
            principal: "token:nightly".to_owned(),
            address: "192.0.2.1:4711".to_owned(),
            action: 10,
            subject: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
            outcome: 3,
            details: [("rows".to_owned(), "20".to_owned())].into(),
            previous_hash: NO_HASH.to_vec(),
            hash: Vec::new(),
        }
    }

    #[test]
    fn the_encoding_never_changes() {
        insta::assert_snapshot!(hex::encode(hash("pd", &event())), @"a3f2fb017a3d8d0d52de3a59647d23a3d4cd6e60c9a60227e4e4955f72e481e9");
    }

    #[test]
    fn every_field_counts() {
        let changes: [fn(&mut AuditEvent); 10] = [
            |event| event.sequence += 1,
            |event| event.at = None,
            |event| event.at = event.at.map(|at| Timestamp { nanos: 0, ..at }),
            |event| event.principal.push('x'),
            |event| event.address.clear(),
            |event| event.action = 9,
            |event| event.subject.clear(),
            |event| event.outcome = 4,
            |event| drop(event.details.insert("rows".to_owned(), "21".to_owned())),
            |event| event.previous_hash[31] = 1,
        ];
        let mut seen = vec![hash("pd", &event()), hash("sheriff", &event())];
        for change in changes {
            let mut changed = event();
            change(&mut changed);
            seen.push(hash("pd", &changed));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn a_detail_lists_few_names() {
        assert_eq!(
            few_names(&["Chief, \"Sr.\"", "Clerk"]),
            r#"["Chief, \"Sr.\"","Clerk"]"#
        );
        let long = "x".repeat(300);
        assert_eq!(
            few_names(&[&long, &long]),
            format!("[\"{long}\"] and 1 more")
        );
    }

    #[test]
    fn a_text_cannot_move_to_the_next_field() {
        let with = |principal: &str, address: &str| AuditEvent {
            principal: principal.to_owned(),
            address: address.to_owned(),
            ..event()
        };
        assert_ne!(hash("pd", &with("ab", "c")), hash("pd", &with("a", "bc")));
    }
}
