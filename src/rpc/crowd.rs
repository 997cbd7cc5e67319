//! How many calls one organisation has under way, so that a busy one leaves the database to the others.
//!
//! A call counts from when its organisation is known to the last byte of its answer. Imports have places of
//! their own (`import::Admission`), and are not counted here. An export holds a whole directory, and a watch
//! what its reader has not read, so that there are far fewer of them, on the whole server too.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    import::Refusal,
    limits::{ServerLimits, Share},
};

const EXPORT: &str = "/userimport.v1.DirectoryService/ExportUsers";
const WATCH: &str = "/userimport.v1.ImportService/WatchImport";
const IMPORT: &str = "/userimport.v1.ImportService/ImportUsers";

/// Counts the calls that are under way.
#[derive(Clone, Debug)]
pub struct Crowd(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    calls: usize,
    exports: Share,
    watches: Share,
    under_way: Mutex<HashMap<(Kind, String), usize>>,
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Call,
    Export,
    Watch,
}

/// A call's place, once its organisation is known; given back with the last copy of it.
#[derive(Clone, Debug)]
pub struct Seat(Arc<Holder>);

#[derive(Debug)]
struct Holder {
    counts: Arc<Counts>,
    /// `None`: it is not counted.
    kind: Option<Kind>,
    organization: Mutex<Option<String>>,
}

impl Crowd {
    /// Nobody there yet.
    #[must_use]
    pub fn new(limits: &ServerLimits) -> Self {
        Self(Arc::new(Counts {
            calls: limits.organization_calls,
            exports: limits.exports,
            watches: limits.watches,
            under_way: Mutex::default(),
        }))
    }

    /// For a call of `path`, whose organisation is not known yet.
    #[must_use]
    pub fn seat(&self, path: &str) -> Seat {
        let kind = match path {
            IMPORT => None,
            EXPORT => Some(Kind::Export),
            WATCH => Some(Kind::Watch),
            _ => Some(Kind::Call),
        };
        Seat(Arc::new(Holder {
            counts: Arc::clone(&self.0),
            kind,
            organization: Mutex::default(),
        }))
    }
}

impl Seat {
    /// Counts the call as one of `organization`, a slug, known or not; once.
    ///
    /// # Errors
    /// Where there are as many as may be.
    pub fn take(&self, organization: &str) -> Result<(), Refusal> {
        let Some(kind) = self.0.kind else {
            return Ok(());
        };
        let own = self.0.organization.lock();
        let mut own = own.unwrap_or_else(PoisonError::into_inner);
        if own.is_none() {
            self.0.counts.enter(kind, organization)?;
            *own = Some(organization.to_owned());
        }
        Ok(())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let own = self.organization.get_mut();
        let own = own.unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(kind), Some(organization)) = (self.kind, own) {
            self.counts.leave(kind, organization);
        }
    }
}

impl Counts {
    fn enter(&self, kind: Kind, organization: &str) -> Result<(), Refusal> {
        let mut under_way = self.lock();
        let key = (kind, organization.to_owned());
        let of_one = under_way.get(&key).copied().unwrap_or_default();
        let most = match kind {
            Kind::Call => self.calls,
            Kind::Export => self.exports.organization,
            Kind::Watch => self.watches.organization,
        };
        if of_one >= most {
            return Err(kind.many_of_one(most));
        }
        let alike = under_way.iter().filter(|((other, _), _)| *other == kind);
        let all: usize = alike.map(|(_, count)| count).sum();
        let most = match kind {
            // Those of all organisations are bounded by connections, and calls on each.
            Kind::Call => usize::MAX,
            Kind::Export => self.exports.server,
            Kind::Watch => self.watches.server,
        };
        if all >= most {
            return Err(kind.many(most));
        }
        under_way.insert(key, of_one + 1);
        Ok(())
    }

    fn leave(&self, kind: Kind, organization: String) {
        let mut under_way = self.lock();
        let key = (kind, organization);
        match under_way.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(under_way.remove(&key)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Kind, String), usize>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Call => "calls",
            Self::Export => "exports",
            Self::Watch => "watches",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Call => "TOO_MANY_CALLS",
            Self::Export => "TOO_MANY_EXPORTS",
            Self::Watch => "TOO_MANY_WATCHES",
        }
    }

    fn many_of_one(self, most: usize) -> Refusal {
        let name = self.name();
        let message = format!(
            "{most} {name} of this organisation are under way, as many as may be; try again when one \
             has ended."
        );
        Refusal::limit(self.code(), &format!("{name}_per_organization"), message)
    }

    fn many(self, most: usize) -> Refusal {
        let name = self.name();
        let message = format!(
            "The server has {most} {name} under way, as many as may be; try again in a moment."
        );
        Refusal::limit(self.code(), name, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Crowd {
        Crowd::new(&ServerLimits {
            organization_calls: 2,
            exports: Share {
                server: 3,
                organization: 2,
            },
            ..ServerLimits::default()
        })
    }

    /// A call that has its place, or which limit keeps it out.
    fn call(crowd: &Crowd, path: &str, organization: &str) -> Result<Seat, String> {
        let seat = crowd.seat(path);
        let taken = seat.take(organization).map_err(|refusal| refusal.subject);
        taken.map(|()| seat)
    }

    #[test]
    fn a_busy_organisation_leaves_room_to_the_others() {
        let crowd = crowd();
        let get = |organization| call(&crowd, "/get", organization);
        let (first, second) = (get("a").unwrap(), get("a").unwrap());
        assert_eq!(get("a").unwrap_err(), "calls_per_organization");
        let third = get("b").unwrap();
        drop(first);
        let fourth = get("a").unwrap();
        drop((second, third, fourth));
        assert!(crowd.0.lock().is_empty());
    }

    #[test]
    fn exports_have_places_of_their_own() {
        let crowd = crowd();
        let export = |organization| call(&crowd, EXPORT, organization);
        let (_first, second) = (export("a").unwrap(), export("a").unwrap());
        assert_eq!(export("a").unwrap_err(), "exports_per_organization");
        let _third = export("b").unwrap();
        assert_eq!(export("c").unwrap_err(), "exports");
        assert!(call(&crowd, "/get", "a").is_ok());
        drop(second);
        assert!(export("c").is_ok());
    }

    #[test]
    fn a_call_counts_once_until_its_last_copy_is_gone_and_an_import_not_at_all() {
        let crowd = crowd();
        let seat = call(&crowd, "/get", "a").unwrap();
        seat.take("a").unwrap();
        let copy = seat.clone();
        drop(seat);
        let other = call(&crowd, "/get", "a").unwrap();
        assert!(call(&crowd, "/get", "a").is_err());
        drop((copy, other));
        let imports: Vec<_> = (0..9).map(|_| call(&crowd, IMPORT, "a")).collect();
        assert!(imports.iter().all(Result::is_ok) && crowd.0.lock().is_empty());
    }
}
