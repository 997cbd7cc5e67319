//! Where every audit chain ended when this process last saw it, so that erased events are noticed.
//!
//! The head of a chain only moves forward. If a head has moved back or is gone, somebody has removed events without
//! this service: that is logged as an error, and counted.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tracing::{error, info};

use super::{Store, StoreError, sql};
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
    /// Hash of the last event.
    pub(super) hash: Vec<u8>,
}

/// The heads as this process last saw them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownHeads(Arc<Mutex<HeadsByChain>>);

#[derive(Debug, Default)]
struct HeadsByChain {
    heads: HashMap<i64, ChainHead>,
    /// All heads have been read at least once; until then their sum means nothing.
    is_complete: bool,
}

impl KnownHeads {
    /// Adds heads that this process has just committed.
    pub(super) fn advance(&self, heads: Vec<ChainHead>) {
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
        let mut known = self.0.lock();
        known.advance(heads);
        known.export();
    }

    /// The head of a chain, if this process has seen the chain.
    pub(super) fn head(&self, chain: i64) -> Option<ChainHead> {
        self.0.lock().heads.get(&chain).cloned()
    }

    fn current(&self) -> HashMap<i64, ChainHead> {
        self.0.lock().heads.clone()
    }

    /// Compares the heads in the database with those known `before` they were read, and reports each that has
    /// moved back.
    fn compare(&self, before: &HashMap<i64, ChainHead>, found: Vec<ChainHead>) {
        let now: HashMap<_, _> = found.iter().map(|head| (head.chain, head)).collect();
        let moved_back = before.values().filter(|old| {
            let now = now.get(&old.chain);
            now.is_none_or(|now| is_setback(old, now))
        });
        let moved_back: Vec<&ChainHead> = moved_back.collect();
        for old in &moved_back {
            let now = now.get(&old.chain).map_or(0, |now| now.sequence);
            error!(
                chain = old.name,
                sequence = old.sequence,
                hash = hex::encode(&old.hash),
                now,
                "events of the audit trail were erased or replaced"
            );
            metrics::audit_setback();
        }
        let mut known = self.0.lock();
        for old in moved_back {
            known.heads.remove(&old.chain);
        }
        known.advance(found);
        known.is_complete = true;
        known.export();
    }
}

fn is_setback(old: &ChainHead, now: &ChainHead) -> bool {
    now.sequence < old.sequence || (now.sequence == old.sequence && now.hash != old.hash)
}

impl HeadsByChain {
    /// Adds heads, except those that are older than the known ones.
    fn advance(&mut self, heads: Vec<ChainHead>) {
        for head in heads {
            let newer = |known: &ChainHead| known.sequence < head.sequence;
            if self.heads.get(&head.chain).is_none_or(newer) {
                self.heads.insert(head.chain, head);
            }
        }
    }

    fn export(&self) {
        if self.is_complete {
            let heads = self.heads.values();
            let events = heads.clone().map(|head| head.sequence).sum();
            let mixed = heads.map(|head| short_hash(&head.hash));
            metrics::audit_heads(events, mixed.fold(0, |all, hash| all ^ hash));
        }
    }
}

/// The first 48 bits of a hash, which a metric's number holds exactly.
fn short_hash(hash: &[u8]) -> u64 {
    let bytes = hash.iter().take(6);
    bytes.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Store {
    /// Reads where every audit chain ends, and reports each chain that has lost events since the last check.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn check_audit_heads(&self) -> Result<(), StoreError> {
        let before = self.audit_heads.current();
        let sql = "SELECT h.organization_id, o.slug, h.sequence, h.hash FROM audit_heads h \
            LEFT JOIN organizations o ON o.id = h.organization_id";
        let rows = sql::query_all(&self.db, sql, []).await?;
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
        self.audit_heads.compare(&before, heads?);
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

    /// Chain and sequence of each known head, after a check that has found these.
    fn known_after(known: &KnownHeads, found: Vec<ChainHead>) -> Vec<(i64, i64)> {
        let before = known.current();
        known.compare(&before, found);
        let mut heads: Vec<_> = known.current().into_values().collect();
        heads.sort_by_key(|head| head.chain);
        heads
            .iter()
            .map(|head| (head.chain, head.sequence))
            .collect()
    }

    #[test]
    fn a_head_that_is_behind_or_has_another_hash_is_a_setback() {
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
    fn a_chain_that_was_cut_is_reported_once() {
        let known = KnownHeads::default();
        known.advance(vec![head(1, 7, 7), head(2, 3, 3)]);
        assert_eq!(known_after(&known, vec![head(2, 4, 4)]), [(2, 4)]);
        assert_eq!(
            known_after(&known, vec![head(1, 1, 1), head(2, 4, 4)]),
            [(1, 1), (2, 4)]
        );
    }

    #[test]
    fn a_commit_during_a_check_is_no_setback() {
        let known = KnownHeads::default();
        known.advance(vec![head(1, 7, 7)]);
        let before = known.current();
        known.advance(vec![head(1, 8, 8)]);
        known.compare(&before, vec![head(1, 7, 7)]);
        assert_eq!(known.current()[&1].sequence, 8);
    }
}
