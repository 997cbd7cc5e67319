//! One writer for each organisation: the lease that an import holds, and how it waits for it.

mod held;
mod turn;

pub(super) use held::HeldLease;

use super::Importer;
use crate::store::{ImportRecord, LeaseRequest};

impl Importer {
    /// A first request for the lease of the organisation of this import, in turn and without a record to store.
    pub(super) fn lease_request(&self, record: &ImportRecord) -> LeaseRequest<'static> {
        LeaseRequest {
            organization: record.organization_id,
            import: record.id,
            server: self.server,
            ttl: self.settings.lease,
            opening: None,
            is_repeated: false,
            out_of_turn: false,
        }
    }
}
