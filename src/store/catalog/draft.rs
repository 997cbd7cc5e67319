//! A catalog that replaces the present one, and why it cannot.

use std::collections::HashSet;

use crate::{
    domain::{NameFault, PhoneRegion, ValuePattern},
    store::StoreError,
};

/// A catalog that replaces the present one. Its names are normalised and unique.
#[derive(Clone, Debug, Default)]
pub struct CatalogDraft {
    /// Roles.
    pub roles: Vec<DraftEntry>,
    /// Keys of the roles that are privileged.
    pub privileged: HashSet<String>,
    /// Ranks.
    pub ranks: Vec<DraftEntry>,
    /// Groups.
    pub groups: Vec<DraftGroup>,
    /// The region of phone numbers.
    pub phone_region: Option<PhoneRegion>,
    /// The pattern that new badge numbers must match.
    pub badge_number_pattern: Option<ValuePattern>,
    /// The pattern that new external IDs must match.
    pub external_id_pattern: Option<ValuePattern>,
}

/// A role or rank of a draft.
#[derive(Clone, Debug)]
pub struct DraftEntry {
    /// Name as written.
    pub name: String,
    /// Case-folded name.
    pub key: String,
    /// Case-folded present name, if the entry is to be renamed.
    pub previous_key: Option<String>,
}

/// A group of a draft.
#[derive(Clone, Debug)]
pub struct DraftGroup {
    /// Compared exactly.
    pub external_id: String,
    /// Display name.
    pub name: String,
    /// Whether it can be given to users.
    pub active: bool,
}

/// Why a catalog was not replaced. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Entries that the draft leaves out are in use: (kind, name, number of users).
    #[error("catalog entries are in use")]
    InUse(Vec<(&'static str, String, u64)>),
    /// The draft renames an entry that does not exist, or renames one twice: (kind, new name).
    #[error("there is no such {0} to rename")]
    NothingToRename(&'static str, String),
    /// New names that look like other text.
    #[error("names of the catalog deceive")]
    DeceptiveNames(Vec<DeceptiveName>),
    /// The draft changes which roles are privileged, which the caller may not do.
    #[error("other roles would be privileged")]
    OtherPrivileges,
    /// Any other error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A name that a catalog must not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeceptiveName {
    /// The field of the draft, such as `catalog.roles[2].name`.
    pub field: String,
    /// The name.
    pub name: String,
    /// The fault of the name.
    pub fault: NameFault,
}

impl From<sea_orm::DbErr> for CatalogError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
