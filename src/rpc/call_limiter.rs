//! Bounds the calls that one organisation has under way, so that a busy one leaves the database to the
//! others.
//!
//! A call counts from the moment its organisation is known until the last byte of its response. Imports
//! have a limiter of their own. Exports and watches have much lower limits, on the whole server too: an
//! export holds a whole directory, and a watch holds the results that its client has not read yet.
//! [`super::rpc_table`] says which limit counts a call.

use std::sync::Arc;

use parking_lot::Mutex;

use super::rpc_table::CallLimit;
use crate::{
    import::Refusal,
    limits::{ConcurrencyBounds, KeyedLimiter, KeyedPermit, LimitReached, ServerLimits},
};

/// Bounds the calls that are under way. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct CallLimiter {
    calls: KeyedLimiter<String>,
    exports: KeyedLimiter<String>,
    watches: KeyedLimiter<String>,
}

/// A call's permit, taken once its organisation is known; given back with the last copy of it.
#[derive(Clone, Debug)]
pub(super) struct CallPermit(Arc<CallPermitState>);

#[derive(Debug)]
struct CallPermitState {
    limiter: CallLimiter,
    place: CallLimit,
    taken: Mutex<Option<KeyedPermit<String>>>,
}

impl CallLimiter {
    /// A limiter with nothing under way.
    #[must_use]
    pub(super) fn new(limits: &ServerLimits) -> Self {
        let calls = ConcurrencyBounds {
            // The limits of connections, and of calls on each, bound the calls of all organisations.
            server: usize::MAX,
            key: limits.organization_calls,
        };
        Self {
            calls: KeyedLimiter::new(calls),
            exports: KeyedLimiter::new(limits.exports),
            watches: KeyedLimiter::new(limits.watches),
        }
    }

    /// The permit of a call whose organisation is not known yet.
    #[must_use]
    pub(super) fn permit(&self, place: CallLimit) -> CallPermit {
        CallPermit(Arc::new(CallPermitState {
            limiter: self.clone(),
            place,
            taken: Mutex::default(),
        }))
    }

    const fn of(&self, place: CallLimit) -> Option<&KeyedLimiter<String>> {
        match place {
            CallLimit::Uncounted | CallLimit::Import => None,
            CallLimit::Call => Some(&self.calls),
            CallLimit::Export => Some(&self.exports),
            CallLimit::Watch => Some(&self.watches),
        }
    }
}

impl CallPermit {
    /// Counts the call as one of `organization`, a slug, known or not; once.
    ///
    /// # Errors
    /// The bound that is reached.
    pub(super) fn take(&self, organization: &str) -> Result<(), Refusal> {
        let place = self.0.place;
        let Some(limiter) = self.0.limiter.of(place) else {
            return Ok(());
        };
        let mut taken = self.0.taken.lock();
        if taken.is_none() {
            let permit = limiter.try_acquire(organization.to_owned());
            *taken = Some(permit.map_err(|reached| refusal(place, reached))?);
        }
        Ok(())
    }
}

fn refusal(place: CallLimit, reached: LimitReached) -> Refusal {
    let (name, code) = match place {
        CallLimit::Export => ("exports", "TOO_MANY_EXPORTS"),
        CallLimit::Watch => ("watches", "TOO_MANY_WATCHES"),
        CallLimit::Uncounted | CallLimit::Import | CallLimit::Call => ("calls", "TOO_MANY_CALLS"),
    };
    match reached {
        LimitReached::Key(most) => {
            let message = format!(
                "{most} {name} of this organisation are under way, which is the limit; try again when \
                 one has ended."
            );
            Refusal::limit(code, &format!("{name}_per_organization"), message)
        }
        LimitReached::Server(most) => {
            let message = format!(
                "The server has {most} {name} under way, which is the limit; try again in a moment."
            );
            Refusal::limit(code, name, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> CallLimiter {
        CallLimiter::new(&ServerLimits {
            organization_calls: 2,
            exports: ConcurrencyBounds { server: 3, key: 2 },
            ..ServerLimits::default()
        })
    }

    /// A call that has its permit, or which limit keeps it out.
    fn call(
        limiter: &CallLimiter,
        place: CallLimit,
        organization: &str,
    ) -> Result<CallPermit, String> {
        let permit = limiter.permit(place);
        let taken = permit.take(organization);
        taken.map(|()| permit).map_err(|refusal| refusal.subject)
    }

    #[test]
    fn exports_are_counted_apart_from_calls() {
        let limiter = limiter();
        let export = |organization| call(&limiter, CallLimit::Export, organization);
        let (_first, second) = (export("a").unwrap(), export("a").unwrap());
        assert_eq!(export("a").unwrap_err(), "exports_per_organization");
        let _third = export("b").unwrap();
        assert_eq!(export("c").unwrap_err(), "exports");
        assert!(call(&limiter, CallLimit::Call, "a").is_ok());
        drop(second);
        assert!(export("c").is_ok());
    }

    #[test]
    fn a_call_counts_once_until_its_last_copy_is_gone_and_an_import_not_at_all() {
        let limiter = limiter();
        let permit = call(&limiter, CallLimit::Call, "a").unwrap();
        permit.take("a").unwrap();
        let copy = permit.clone();
        drop(permit);
        let other = call(&limiter, CallLimit::Call, "a").unwrap();
        let refused = call(&limiter, CallLimit::Call, "a").unwrap_err();
        assert_eq!(refused, "calls_per_organization");
        drop((copy, other));
        let imports: Vec<_> = (0..9)
            .map(|_| call(&limiter, CallLimit::Import, "a"))
            .collect();
        assert!(imports.iter().all(Result::is_ok) && limiter.calls.total() == 0);
    }
}
