//! Who does something, for the record.

/// A caller, as the audit trail names one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Name of the credential, or `local`.
    pub principal: String,
    /// Address and port of the peer; empty where there is none.
    pub address: String,
}
