//! The mapping that an import names, from those that its organisation has saved; and what is wrong with a mapping.

use prost::Message;

use super::ImportOptions;
use crate::{
    domain::OrganizationSlug,
    import::{ImportError, Importer, Refusal},
    input::{self, FileFault},
    proto::{ImportStart, Mapping},
    store::StoreError,
};

/// Returns what is wrong with a mapping, if it cannot be used.
#[must_use]
pub(crate) fn mapping_faults(mapping: &Mapping) -> Vec<Refusal> {
    let checked = input::Mapping::from(mapping.clone()).check();
    let faults = checked.err().unwrap_or_default().into_iter();
    let faults = faults.map(FileFault::BadMapping);
    faults.map(|fault| Refusal::from(&fault)).collect()
}

/// Expects that a request has one mapping at most: one that it sends, or the name of a saved one.
///
/// # Errors
/// Fails if it has both.
pub(crate) fn expect_one_mapping(sent: Option<&Mapping>, name: &str) -> Result<(), Refusal> {
    if sent.is_some() && !name.is_empty() {
        let message = "mapping and mapping_name are both set; send one of them.";
        return Err(Refusal::invalid("BAD_MAPPING", "mapping_name", message));
    }
    Ok(())
}

impl Importer {
    /// Puts the mapping that `start` names in the place of its name, in `start` and in its options. The import is then
    /// the same one as if its client had sent that mapping.
    ///
    /// # Errors
    /// Fails if the organisation has no such mapping, or if the database fails.
    pub(crate) async fn resolve_mapping(
        &self,
        organization: i64,
        start: &mut ImportStart,
        options: &mut ImportOptions,
    ) -> Result<(), ImportError> {
        let name = std::mem::take(&mut start.mapping_name);
        if let Some(mapping) = self.saved_mapping(organization, name).await? {
            options.csv.mapping = mapping.clone().into();
            start.mapping = Some(mapping);
        }
        Ok(())
    }

    /// Returns the saved mapping with this name, or `None` if the name is empty.
    ///
    /// # Errors
    /// As [`resolve_mapping`](Self::resolve_mapping).
    pub(crate) async fn saved_mapping(
        &self,
        organization: i64,
        name: String,
    ) -> Result<Option<Mapping>, ImportError> {
        if name.is_empty() {
            return Ok(None);
        }
        let Ok(slug) = OrganizationSlug::parse(&name) else {
            return Err(ImportError::UnknownMapping(name));
        };
        let found = self.store.mapping(organization, slug.as_str()).await?;
        let record = found.ok_or(ImportError::UnknownMapping(name))?;
        let mapping = Mapping::decode(&*record.mapping).map_err(StoreError::encoding)?;
        Ok(Some(mapping))
    }
}
