//! The one budget for all bytes that clients' data occupies: bodies, uploads, rows, and results that are
//! not read yet.
//!
//! Every byte is charged before it is held: to the server and to every party known to be behind it, the
//! address, the principal and the organisation. Each party has a share, so that it never takes the memory
//! of the others. Never waits; does not know what the bytes are.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;

use super::ClientNetwork;

/// Bytes that clients' data may occupy at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBounds {
    /// On the server.
    pub server: usize,
    /// Bytes of one address, one principal or one organisation.
    pub share: usize,
}

impl Default for MemoryBounds {
    /// 1 GiB. One party has at most half of it.
    fn default() -> Self {
        Self::of(1024 * 1024 * 1024)
    }
}

impl MemoryBounds {
    /// `server` bytes in all. One party has at most half of them.
    #[must_use]
    pub const fn of(server: usize) -> Self {
        Self {
            server,
            share: server / 2,
        }
    }
}

/// A party that bytes are charged to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MemoryParty {
    /// A client, by its address.
    Address(ClientNetwork),
    /// A principal, by name.
    Principal(String),
    /// An organisation, by slug.
    Organization(String),
}

/// A budget is used up; this says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory of {} is used up", .0.words())]
pub struct MemoryExhausted(pub MemoryScope);

/// A level at which bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryScope {
    /// The whole server.
    Server,
    /// One client's address.
    Address,
    /// One principal.
    Principal,
    /// One organisation.
    Organization,
}

/// Counts the bytes in use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<BudgetState>);

#[derive(Debug)]
struct BudgetState {
    bounds: MemoryBounds,
    used: Mutex<UsedBytes>,
}

#[derive(Debug, Default)]
struct UsedBytes {
    total: usize,
    /// The largest total since [`MemoryBudget::take_fall`] last returned `true`.
    peak: usize,
    of_parties: HashMap<MemoryParty, usize>,
}

/// The bytes of one call, and the parties they are charged to. Cheap to clone; clones share the bytes.
#[derive(Clone, Debug)]
pub struct MemoryAccount(Arc<AccountState>);

#[derive(Debug)]
struct AccountState {
    budget: MemoryBudget,
    /// Changed while the budget's own lock is held, so that the two always agree.
    charged: Mutex<ChargedBytes>,
}

#[derive(Debug, Default)]
struct ChargedBytes {
    bytes: usize,
    parties: Vec<MemoryParty>,
}

/// Bytes held for a call; given back when dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    account: MemoryAccount,
    bytes: usize,
}

impl MemoryBudget {
    /// Returns a budget with no bytes in use.
    #[must_use]
    pub fn new(bounds: MemoryBounds) -> Self {
        Self(Arc::new(BudgetState {
            bounds,
            used: Mutex::default(),
        }))
    }

    /// An account for a call from `address`, if it is known.
    #[must_use]
    pub fn account(&self, address: Option<IpAddr>) -> MemoryAccount {
        let parties = address.map(|address| MemoryParty::Address(ClientNetwork::of(address)));
        MemoryAccount(Arc::new(AccountState {
            budget: self.clone(),
            charged: Mutex::new(ChargedBytes {
                bytes: 0,
                parties: parties.into_iter().collect(),
            }),
        }))
    }

    /// Bytes in use.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.0.used.lock().total
    }

    /// Returns `true` if at least `bytes` fewer are in use than at the peak since this last returned `true`.
    #[must_use]
    pub fn take_fall(&self, bytes: usize) -> bool {
        let mut used = self.0.used.lock();
        let fell = used.peak - used.total >= bytes;
        if fell {
            used.peak = used.total;
        }
        fell
    }
}

impl MemoryAccount {
    /// Charges the call's bytes to `party` too, also those that it holds already.
    ///
    /// # Errors
    /// Fails if the share of the party is used up; nothing changes then.
    pub fn charge_to(&self, party: MemoryParty) -> Result<(), MemoryExhausted> {
        let mut used = self.0.budget.0.used.lock();
        let mut charged = self.0.charged.lock();
        if charged.parties.contains(&party) {
            return Ok(());
        }
        let share = self.0.budget.0.bounds.share;
        used.expect_room(&party, charged.bytes, share)?;
        used.add(&party, charged.bytes);
        charged.parties.push(party);
        Ok(())
    }

    /// Holds `bytes`.
    ///
    /// # Errors
    /// Fails if a budget is used up; nothing is held then.
    pub fn reserve(&self, bytes: usize) -> Result<MemoryReservation, MemoryExhausted> {
        self.charge(bytes)?;
        Ok(MemoryReservation {
            account: self.clone(),
            bytes,
        })
    }

    fn charge(&self, bytes: usize) -> Result<(), MemoryExhausted> {
        let MemoryBounds { server, share } = self.0.budget.0.bounds;
        let mut used = self.0.budget.0.used.lock();
        let mut charged = self.0.charged.lock();
        for party in &charged.parties {
            used.expect_room(party, bytes, share)?;
        }
        if used.total.saturating_add(bytes) > server {
            return Err(MemoryExhausted(MemoryScope::Server));
        }
        used.total += bytes;
        used.peak = used.peak.max(used.total);
        for party in &charged.parties {
            used.add(party, bytes);
        }
        charged.bytes += bytes;
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        let mut used = self.0.budget.0.used.lock();
        let mut charged = self.0.charged.lock();
        used.total -= bytes;
        charged.bytes -= bytes;
        for party in &charged.parties {
            used.subtract(party, bytes);
        }
    }
}

impl MemoryReservation {
    /// Another reservation of the same call, which holds nothing yet.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            account: self.account.clone(),
            bytes: 0,
        }
    }

    /// Holds `bytes` more.
    ///
    /// # Errors
    /// Fails if a budget is used up; the bytes held before stay held.
    pub fn grow(&mut self, bytes: usize) -> Result<(), MemoryExhausted> {
        self.account.charge(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives `bytes` back; no more than are held.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.account.give_back(bytes);
        self.bytes -= bytes;
    }

    /// Holds `bytes` from now on.
    ///
    /// # Errors
    /// As [`grow`](Self::grow).
    pub fn resize(&mut self, bytes: usize) -> Result<(), MemoryExhausted> {
        if bytes > self.bytes {
            return self.grow(bytes - self.bytes);
        }
        self.shrink(self.bytes - bytes);
        Ok(())
    }

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

impl UsedBytes {
    fn expect_room(
        &self,
        party: &MemoryParty,
        more: usize,
        share: usize,
    ) -> Result<(), MemoryExhausted> {
        let of_party = self.of_parties.get(party).copied().unwrap_or_default();
        match of_party.saturating_add(more) > share {
            true => Err(MemoryExhausted(party.scope())),
            false => Ok(()),
        }
    }

    /// A party without bytes is not listed, so that nothing is kept of clients that have gone.
    fn add(&mut self, party: &MemoryParty, bytes: usize) {
        if bytes == 0 {
            return;
        }
        match self.of_parties.get_mut(party) {
            Some(used) => *used += bytes,
            None => drop(self.of_parties.insert(party.clone(), bytes)),
        }
    }

    fn subtract(&mut self, party: &MemoryParty, bytes: usize) {
        match self.of_parties.get_mut(party) {
            Some(used) if *used > bytes => *used -= bytes,
            _ => drop(self.of_parties.remove(party)),
        }
    }
}

impl MemoryParty {
    const fn scope(&self) -> MemoryScope {
        match self {
            Self::Address(_) => MemoryScope::Address,
            Self::Principal(_) => MemoryScope::Principal,
            Self::Organization(_) => MemoryScope::Organization,
        }
    }
}

impl MemoryScope {
    /// Its name in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Server => "the server",
            Self::Address => "this address",
            Self::Principal => "this caller",
            Self::Organization => "this organisation",
        }
    }

    /// Its name for a program.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Server => "memory",
            Self::Address => "memory_per_address",
            Self::Principal => "memory_per_principal",
            Self::Organization => "memory_per_organization",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget() -> MemoryBudget {
        MemoryBudget::new(MemoryBounds {
            server: 100,
            share: 60,
        })
    }

    fn account(budget: &MemoryBudget, address: u8) -> MemoryAccount {
        budget.account(Some([192, 0, 2, address].into()))
    }

    fn organization(name: &str) -> MemoryParty {
        MemoryParty::Organization(name.to_owned())
    }

    #[test]
    fn one_address_leaves_room_to_the_others() {
        let budget = budget();
        let _first = account(&budget, 1).reserve(60).unwrap();
        let same = account(&budget, 1).reserve(1).unwrap_err();
        assert_eq!(same, MemoryExhausted(MemoryScope::Address));
        let _other = account(&budget, 2).reserve(40).unwrap();
        let third = account(&budget, 3).reserve(1).unwrap_err();
        assert_eq!(third, MemoryExhausted(MemoryScope::Server));
    }

    #[test]
    fn bytes_held_before_somebody_is_known_are_charged_to_them_once() {
        let budget = budget();
        let (one, other) = (account(&budget, 1), account(&budget, 2));
        let _held = (one.reserve(40).unwrap(), other.reserve(30).unwrap());
        one.charge_to(organization("pd")).unwrap();
        one.charge_to(organization("pd")).unwrap();
        let refused = other.charge_to(organization("pd")).unwrap_err();
        assert_eq!(refused, MemoryExhausted(MemoryScope::Organization));
        assert!(one.reserve(20).is_ok() && other.reserve(20).is_ok());
    }

    #[test]
    fn a_reservation_that_cannot_grow_stays_as_it_is() {
        let budget = budget();
        let mut held = budget.account(None).reserve(10).unwrap();
        assert!(held.grow(91).is_err());
        assert_eq!((held.bytes(), budget.in_use()), (10, 10));
        held.resize(90).unwrap();
        held.resize(20).unwrap();
        held.shrink(100);
        assert_eq!((held.bytes(), budget.in_use()), (0, 0));
    }

    #[test]
    fn a_fall_from_the_peak_is_reported_once() {
        let budget = budget();
        let mut held = budget.account(None).reserve(80).unwrap();
        held.shrink(39);
        assert!(!budget.take_fall(40));
        held.shrink(1);
        assert!(budget.take_fall(40) && !budget.take_fall(40));
        held.shrink(40);
        assert!(budget.take_fall(40));
    }

    proptest! {
        /// In any order of reserving, releasing and charging to further parties, the counts agree, no bound
        /// is exceeded, and at the end nothing is held.
        #[test]
        fn the_counts_agree_whatever_happens(
            steps in proptest::collection::vec((0_u8..4, 0_usize..4, 0_usize..50), 0..60),
        ) {
            let budget = budget();
            let accounts: Vec<_> = (0..4).map(|n| account(&budget, n / 2)).collect();
            let mut held: Vec<MemoryReservation> = Vec::new();
            for (what, which, bytes) in steps {
                match what {
                    0 => held.extend(accounts[which].reserve(bytes)),
                    1 => drop(accounts[which].charge_to(organization("pd"))),
                    2 if which < held.len() => drop(held[which].resize(bytes)),
                    _ if which < held.len() => drop(held.remove(which)),
                    _ => {}
                }
                let sum: usize = held.iter().map(MemoryReservation::bytes).sum();
                prop_assert_eq!(budget.in_use(), sum);
                let used = budget.0.used.lock();
                prop_assert!(used.total <= 100 && used.of_parties.values().all(|&n| n <= 60));
            }
            drop(held);
            prop_assert_eq!(budget.in_use(), 0);
            prop_assert!(budget.0.used.lock().of_parties.is_empty());
        }
    }
}
