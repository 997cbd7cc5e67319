//! Where every audit chain was last seen to end, so that it shows when events are erased.
//!
//! A head only ever moves on. One that has moved back, or is gone, means that somebody removed events
//! past this service: that is logged as an error, and counted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{ConnectionTrait, Statement};
use tracing::{error, info};

use super::{Store, StoreError};
use crate::{audit::SERVER_CHAIN, telemetry::metrics};

/// The end of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChainHead {
    /// The number of the chain.
    pub(super) chain: i64,
    /// A slug, or [`SERVER_CHAIN`].
    pub(super) name: String,
    /// Sequence of the last event.
    pub(super) sequence: i64,
    /// Its hash.
    pub(super) hash: Vec<u8>,
}

/// The heads as they were last seen. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownHeads(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    heads: HashMap<i64, ChainHead>,
    /// All heads have been read once, so that their sum means something.
    is_complete: bool,
}

impl KnownHeads {
    /// Takes over heads that this process has just committed.
    pub(super) fn moved(&self, heads: Vec<ChainHead>) {
        if heads.is_empty() {
            return;
        }
        for head in &heads {
            let (chain, sequence) = (&head.name, head.sequence);
            info!(
                chain,
                sequence,
                hash = hex::encode(&head.hash),
                "the audit trail has a new head"
            );
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for head in heads {
            let newer = |known: &ChainHead| known.sequence < head.sequence;
            if known.heads.get(&head.chain).is_none_or(newer) {
                known.heads.insert(head.chain, head);
            }
        }
        known.export();
    }

    fn snapshot(&self) -> HashMap<i64, ChainHead> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.heads.clone()
    }

    /// Takes over all heads as the database has them, read after they were `before`.
    fn read(&self, before: &HashMap<i64, ChainHead>, found: Vec<ChainHead>) {
        let found: HashMap<_, _> = found.into_iter().map(|head| (head.chain, head)).collect();
        let moved_back = before.values().filter(|old| {
            let now = found.get(&old.chain);
            now.is_none_or(|now| is_setback(old, now))
        });
        let moved_back: Vec<&ChainHead> = moved_back.collect();
        for old in &moved_back {
            let now = found.get(&old.chain).map_or(0, |now| now.sequence);
            error!(
                chain = old.name,
                sequence = old.sequence,
                hash = hex::encode(&old.hash),
                now,
                "events of the audit trail were erased or replaced"
            );
            metrics::audit_setback();
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for old in moved_back {
            known.heads.remove(&old.chain);
        }
        for (chain, head) in found {
            let newer = |known: &ChainHead| known.sequence < head.sequence;
            if known.heads.get(&chain).is_none_or(newer) {
                known.heads.insert(chain, head);
            }
        }
        known.is_complete = true;
        known.export();
    }
}

fn is_setback(old: &ChainHead, now: &ChainHead) -> bool {
    now.sequence < old.sequence || (now.sequence == old.sequence && now.hash != old.hash)
}

impl Known {
    fn export(&self) {
        if self.is_complete {
            let heads = self.heads.values();
            let events = heads.clone().map(|head| head.sequence).sum();
            let mixed = heads.map(|head| short_hash(&head.hash));
            metrics::audit_heads(events, mixed.fold(0, |all, hash| all ^ hash));
        }
    }
}

/// As much of a hash as a metric's number holds exactly: 48 bits.
fn short_hash(hash: &[u8]) -> u64 {
    let bytes = hash.iter().take(6);
    bytes.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Store {
    /// Looks where every audit chain ends now, and tells of those that were cut off since the last look.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn check_audit_heads(&self) -> Result<(), StoreError> {
        let before = self.audit_heads.snapshot();
        let sql = "SELECT h.organization_id, o.slug, h.sequence, h.hash FROM audit_heads h \
            LEFT JOIN organizations o ON o.id = h.organization_id";
        let statement = Statement::from_string(self.backend(), sql);
        let rows = self.db.query_all_raw(statement).await?;
        let heads = rows.iter().map(|row| {
            let name: Option<String> = row.try_get_by_index(1)?;
            Ok(ChainHead {
                chain: row.try_get_by_index(0)?,
                name: name.unwrap_or_else(|| SERVER_CHAIN.to_owned()),
                sequence: row.try_get_by_index(2)?,
                hash: row.try_get_by_index(3)?,
            })
        });
        let heads: Result<Vec<_>, StoreError> = heads.collect();
        self.audit_heads.read(&before, heads?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(chain: i64, sequence: i64, hash: u8) -> ChainHead {
        ChainHead {
            chain,
            name: format!("pd-{chain}"),
            sequence,
            hash: vec![hash; 32],
        }
    }

    /// What is known after a look that finds these, where those were known before.
    fn known_after(known: &KnownHeads, found: Vec<ChainHead>) -> Vec<(i64, i64)> {
        let before = known.snapshot();
        known.read(&before, found);
        let mut heads: Vec<_> = known.snapshot().into_values().collect();
        heads.sort_by_key(|head| head.chain);
        heads
            .iter()
            .map(|head| (head.chain, head.sequence))
            .collect()
    }

    #[test]
    fn a_head_that_is_gone_or_behind_or_another_is_a_setback() {
        let old = head(1, 7, 7);
        for (now, expected) in [
            (head(1, 8, 8), false),
            (head(1, 7, 7), false),
            (head(1, 7, 9), true),
            (head(1, 6, 6), true),
        ] {
            assert_eq!(is_setback(&old, &now), expected, "{now:?}");
        }
    }

    #[test]
    fn what_was_erased_is_forgotten_once_it_was_told() {
        let known = KnownHeads::default();
        known.moved(vec![head(1, 7, 7), head(2, 3, 3)]);
        assert_eq!(known_after(&known, vec![head(2, 4, 4)]), [(2, 4)]);
        assert_eq!(
            known_after(&known, vec![head(1, 1, 1), head(2, 4, 4)]),
            [(1, 1), (2, 4)]
        );
    }

    #[test]
    fn what_is_committed_during_a_look_is_no_setback() {
        let known = KnownHeads::default();
        known.moved(vec![head(1, 7, 7)]);
        let before = known.snapshot();
        known.moved(vec![head(1, 8, 8)]);
        known.read(&before, vec![head(1, 7, 7)]);
        assert_eq!(known.snapshot()[&1].sequence, 8);
    }
}
