//! What an audit event can tell. The numbers are those of the contract and of the database, and part of each
//! event's hash; a test compares them. The contract (`audit_service.proto`) describes each.

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum AuditAction {
    OrganizationCreated = 1,
    CatalogUpdated,
    UserProtectionChanged,
    UsersExported,
    ImportPreviewed,
    ImportRefused,
    ImportBegun,
    ImportResumed,
    ImportCancelRequested,
    ImportEnded,
    TokenCreated,
    TokenRevoked,
    CallDenied,
    PrivilegedRolesGranted,
    EventsArchived,
    MappingSaved,
    MappingDeleted,
    ImportHeld,
    ImportApproved,
    ImportDiscarded,
    ImportHoldExpired,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum AuditOutcome {
    Done = 1,
    Refused,
    Completed,
    Cancelled,
    Interrupted,
}
