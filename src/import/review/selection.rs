//! Which users the plan of an import reads: all, or those that few rows can concern (semantics §14). The plan is the
//! same.

use std::sync::Arc;

use uuid::Uuid;

use super::guard;
use crate::{
    config::{MassDeactivation, PartialSnapshots},
    domain::{Catalog, Row, User, UserKeys},
    plan::{ByRow, RowMatching, UserSelection},
    store::{FurtherUsers, SelectUsers},
};

/// The guard of mass deactivation, which asks for the number of active users.
#[derive(Clone, Debug)]
pub(crate) struct DeactivationGuard {
    pub(crate) limits: MassDeactivation,
    /// The number that the caller has approved.
    pub(crate) approved: Option<u32>,
}

/// Returns the selection of the users that few `rows` can concern, or `None` if there are so many rows that all users
/// are read and nothing else is needed. If there is no guard, it is a later plan, which needs neither the number of
/// active users nor consequences.
pub(crate) fn select_users(
    rows: &Arc<ByRow<Row>>,
    matching: &RowMatching,
    settings: PartialSnapshots,
    guard: Option<DeactivationGuard>,
) -> Option<Arc<dyn SelectUsers>> {
    let count = u32::try_from(rows.len()).ok();
    let count = count.filter(|&count| count <= settings.rows);
    if count.is_none() && matching.undone().is_none() {
        return None;
    }
    // Asking how many users there are takes longer than looking up what one row can concern.
    let further_rows = |count: u32| u64::from(count.saturating_sub(1));
    let least_users = count.map(|count| further_rows(count) * u64::from(settings.users_per_row));
    Some(Arc::new(RowSelection {
        users: UserSelection::new(Arc::clone(rows), matching.clone()),
        is_undo: matching.undone().is_some(),
        least_users: least_users.unwrap_or(u64::MAX),
        guard,
    }))
}

/// The users that some rows can concern.
#[derive(Debug)]
struct RowSelection {
    users: UserSelection,
    is_undo: bool,
    least_users: u64,
    guard: Option<DeactivationGuard>,
}

impl SelectUsers for RowSelection {
    fn least_users(&self) -> u64 {
        self.least_users
    }

    fn first(&self) -> UserKeys {
        self.users.first()
    }

    fn is_undo(&self) -> bool {
        self.is_undo
    }

    fn edited(&self, users: &[User]) -> Vec<Uuid> {
        self.users.edited(users)
    }

    fn second(&self, known: Vec<User>, catalog: &Catalog) -> FurtherUsers {
        let selected = self.users.second(known, catalog);
        let further = FurtherUsers {
            known: selected.known,
            keys: selected.keys,
            ..FurtherUsers::default()
        };
        let Some(DeactivationGuard { limits, approved }) = &self.guard else {
            return further;
        };
        let going = selected.going_inactive;
        FurtherUsers {
            active_users: guard::active_users_asked_for(limits, *approved, going),
            reports_of: selected.reports_of,
            role_users: selected.role_users,
            ..further
        }
    }
}
