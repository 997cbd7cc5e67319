//! The actions and outcomes that an audit event records. They have the same numbers in the contract and in the
//! database, and the numbers are part of each event's hash; a test compares them. The contract (`audit_service.proto`)
//! describes each.

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract describes each")]
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
#[expect(missing_docs, reason = "the contract describes each")]
pub enum AuditOutcome {
    Done = 1,
    Refused,
    Completed,
    Cancelled,
    Interrupted,
}
