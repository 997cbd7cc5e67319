//! Names a caller in the audit trail. Knows nothing about how a caller is authenticated.

/// A caller, as the audit trail names one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditActor {
    /// Name of the credential, or `local`.
    pub principal: String,
    /// Address and port of the peer; empty if it has none.
    pub address: String,
}
