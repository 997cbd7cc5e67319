//! How many imports run at a time, on this server and for one organisation, so that a busy one leaves
//! room to the others. An import counts from its first message to its last.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{ImportError, Refusal};
use crate::limits::ServerLimits;

/// Counts the imports that run.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    most: usize,
    most_of_one: usize,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    all: usize,
    organizations: HashMap<String, (usize, Arc<Semaphore>)>,
}

/// The right to run an import, given back when dropped.
#[derive(Debug)]
pub struct Place {
    counts: Arc<Counts>,
    organization: String,
    planning: Arc<Semaphore>,
}

impl Admission {
    /// Nobody there yet.
    #[must_use]
    pub fn new(limits: &ServerLimits) -> Self {
        Self(Arc::new(Counts {
            most: limits.imports,
            most_of_one: limits.organization_imports,
            running: Mutex::default(),
        }))
    }

    /// True where no import runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.running().all == 0
    }

    /// A place for one more import into `organization`, a slug, known or not.
    ///
    /// # Errors
    /// [`ImportError::Busy`] where there are as many as may be.
    pub fn enter(&self, organization: &str) -> Result<Place, ImportError> {
        let counts = &self.0;
        let mut running = counts.running();
        let of_one = running.organizations.get(organization);
        if of_one.is_some_and(|(count, _)| *count >= counts.most_of_one) {
            return Err(ImportError::Busy(many_of_one(counts.most_of_one)));
        }
        if running.all >= counts.most {
            return Err(ImportError::Busy(many(counts.most)));
        }
        running.all += 1;
        let entry = running.organizations.entry(organization.to_owned());
        let (count, planning) = entry.or_insert_with(|| (0, Arc::new(Semaphore::new(1))));
        *count += 1;
        Ok(Place {
            counts: Arc::clone(counts),
            organization: organization.to_owned(),
            planning: Arc::clone(planning),
        })
    }
}

impl Counts {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The organisation's turn to plan: it plans one import at a time, so that it never has all
    /// processors. `None` only where planning is over for good.
    pub async fn planning_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.planning.acquire().await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.counts.running();
        running.all -= 1;
        if let Some((count, _)) = running.organizations.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                running.organizations.remove(&self.organization);
            }
        }
    }
}

fn many_of_one(most: usize) -> Refusal {
    let message = format!(
        "{most} imports into this organisation are under way, as many as may be; try again when \
         one has ended."
    );
    Refusal::limit("ORGANIZATION_BUSY", "imports_per_organization", message)
}

fn many(most: usize) -> Refusal {
    let message = format!(
        "The server has {most} imports under way, as many as may be; try again in a moment."
    );
    Refusal::limit("SERVER_BUSY", "imports", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(imports: usize, organization_imports: usize) -> Admission {
        Admission::new(&ServerLimits {
            imports,
            organization_imports,
            ..ServerLimits::default()
        })
    }

    fn code(result: Result<Place, ImportError>) -> &'static str {
        match result {
            Ok(_) => "",
            Err(ImportError::Busy(refusal)) => refusal.code,
            Err(_) => "another",
        }
    }

    #[test]
    fn one_organisation_leaves_room_to_the_others() {
        let admission = admission(3, 2);
        let first = admission.enter("a").unwrap();
        let second = admission.enter("a").unwrap();
        assert_eq!(code(admission.enter("a")), "ORGANIZATION_BUSY");
        let third = admission.enter("b").unwrap();
        assert_eq!(code(admission.enter("c")), "SERVER_BUSY");
        drop(first);
        assert_eq!(code(admission.enter("c")), "");
        drop((second, third));
    }

    #[test]
    fn nothing_is_kept_of_an_organisation_without_imports() {
        let admission = admission(9, 9);
        let places = [admission.enter("a"), admission.enter("a")];
        assert!(!admission.is_idle());
        drop(places);
        assert!(admission.is_idle());
        let running = admission.0.running.lock().unwrap();
        assert!(running.all == 0 && running.organizations.is_empty());
    }
}
