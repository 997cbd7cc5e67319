//! Counts and logs every denied call, and appends it to the audit trail. The number of audit events is
//! bounded, so that denied calls cannot fill a disk.
//!
//! Knows statuses and not their causes, so denials before a call, in its handler and in the middle of its stream are
//! recorded in the same way. Logs nothing that a caller sent.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use time::OffsetDateTime;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tracing::warn;

use super::rpc_table::path_label;
use crate::{
    access::{AccessDenial, ClientAddress, Principal},
    audit::{AuditAction, AuditOutcome},
    clock::Clock,
    domain::AuditActor,
    store::{AuditEntry, Store, StoreError},
    telemetry::metrics,
};

/// The same denial of the same principal is one audit event in this time.
const REPEAT: time::Duration = time::Duration::hours(1);

/// Most audit events of different denials in that time. Further denials are only counted and logged: a
/// caller with many credentials must not fill a chain.
const EVENTS: usize = 1_000;

/// Records denied calls. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DenialRecorder(Arc<RecorderState>);

#[derive(Debug)]
struct RecorderState {
    store: Store,
    clock: Clock,
    recent: Mutex<RecentDenials>,
}

/// A call, with its caller once the caller is known.
#[derive(Clone, Debug)]
pub(crate) struct IncomingCall {
    denials: DenialRecorder,
    method: &'static str,
    address: Option<ClientAddress>,
    /// `None` until the caller is recognised.
    principal: Option<Arc<Principal>>,
}

impl DenialRecorder {
    /// A recorder without any denial.
    #[must_use]
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self(Arc::new(RecorderState {
            store,
            clock,
            recent: Mutex::default(),
        }))
    }

    /// A call of `path` from `address`, whose caller is not recognised yet.
    #[must_use]
    pub(crate) fn call(&self, path: &str, address: Option<ClientAddress>) -> IncomingCall {
        IncomingCall {
            denials: self.clone(),
            method: path_label(path),
            address,
            principal: None,
        }
    }
}

impl IncomingCall {
    /// Sets the caller.
    pub(crate) fn set_caller(&mut self, principal: &Arc<Principal>) {
        self.principal = Some(Arc::clone(principal));
    }

    /// Records how the call ended, if it was denied.
    pub(crate) fn record_denial(&self, status: &Status) {
        if !matches!(
            status.code(),
            Code::Unauthenticated | Code::PermissionDenied
        ) {
            return;
        }
        let info = status.get_details_error_info();
        // Every status that this service makes has a reason. A status without a reason is counted under `UNKNOWN`.
        let reason = info.as_ref().map_or("", |info| &info.reason);
        let reason = AccessDenial::known_reason(reason);
        metrics::denied(self.method, reason);
        self.log(reason);
        if let (Code::PermissionDenied, Some(principal)) = (status.code(), &self.principal) {
            let permission = info.and_then(|info| info.metadata.get("permission").cloned());
            self.append_event(principal, reason, permission);
        }
    }

    fn log(&self, reason: &'static str) {
        let address = self.address.map(|address| address.ip.to_string());
        let credential = self.principal.as_ref();
        let credential = credential.map(|principal| principal.credential.label());
        warn!(
            reason,
            method = self.method,
            address = address.as_deref().unwrap_or("unknown"),
            credential = credential.as_deref().unwrap_or("none"),
            "a call was denied"
        );
    }

    /// Appends an event to the chain of the principal's own organisation, which may not be the one that the
    /// call was about.
    fn append_event(
        &self,
        principal: &Principal,
        reason: &'static str,
        permission: Option<String>,
    ) {
        let inner = Arc::clone(&self.denials.0);
        let now = inner.clock.now();
        let key = (principal.name.clone(), self.method, reason);
        if !inner.recent.lock().add_if_new(key, now) {
            return;
        }
        let address = self.address.map(|address| address.to_string());
        let actor = AuditActor {
            principal: principal.name.clone(),
            address: address.unwrap_or_default(),
        };
        let method = self.method.trim_start_matches('/').to_owned();
        let entry = AuditEntry::done(now, &actor, AuditAction::CallDenied, &method)
            .ending(AuditOutcome::Refused)
            .with("reason", &reason);
        let entry = match permission {
            Some(permission) => entry.with("permission", &permission),
            None => entry,
        };
        let chain = principal.scope.as_str().to_owned();
        // The response neither waits for it nor depends on it.
        tokio::spawn(async move { append(&inner.store, &chain, entry).await });
    }
}

async fn append(store: &Store, chain: &str, entry: AuditEntry) {
    let appended = async {
        let chain = store.audit_chain(chain).await?;
        store.audit(chain, entry).await
    };
    match appended.await {
        // A credential may be for an organisation that does not exist yet.
        Ok(()) | Err(StoreError::UnknownOrganization) => {}
        Err(error) => warn!(%error, "a denied call could not be recorded in the audit trail"),
    }
}

/// When each denial was last appended to the audit trail.
#[derive(Debug, Default)]
struct RecentDenials(HashMap<(String, &'static str, &'static str), OffsetDateTime>);

impl RecentDenials {
    /// Returns `true`, and remembers the denial, if it has not been recorded within the last hour and there is room.
    fn add_if_new(
        &mut self,
        key: (String, &'static str, &'static str),
        now: OffsetDateTime,
    ) -> bool {
        let is_recent = |at: &OffsetDateTime| *at <= now && now - *at < REPEAT;
        if self.0.get(&key).is_some_and(is_recent) {
            return false;
        }
        if self.0.len() >= EVENTS {
            self.0.retain(|_, at| is_recent(at));
        }
        let has_room = self.0.len() < EVENTS;
        if has_room {
            self.0.insert(key, now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_same_denial_is_an_event_once_an_hour() {
        let mut recent = RecentDenials::default();
        let noon = datetime!(2026-05-04 12:00 UTC);
        let key = |name: &str, reason| (name.to_owned(), "other", reason);
        assert!(recent.add_if_new(key("a", "X"), noon));
        assert!(!recent.add_if_new(key("a", "X"), noon + time::Duration::minutes(59)));
        assert!(recent.add_if_new(key("a", "Y"), noon));
        assert!(recent.add_if_new(key("b", "X"), noon));
        assert!(recent.add_if_new(key("a", "X"), noon + REPEAT));
    }

    #[test]
    fn no_number_of_credentials_makes_more_than_a_thousand_events_an_hour() {
        let mut recent = RecentDenials::default();
        let noon = datetime!(2026-05-04 12:00 UTC);
        let key = |n: u32| (n.to_string(), "other", "X");
        let news = (0..5_000)
            .filter(|&n| recent.add_if_new(key(n), noon))
            .count();
        assert_eq!((news, recent.0.len()), (EVENTS, EVENTS));
        assert!(recent.add_if_new(key(0), noon + REPEAT));
        assert_eq!(recent.0.len(), 1);
    }
}
