//! The saved mappings of `DirectoryService`.

use prost::Message;
use tonic::Status;

use super::{caller::Caller, directory::DirectoryHandlers, status};
use crate::{
    domain::OrganizationSlug,
    import::{Refusal, mapping_faults},
    proto::{
        DeleteMappingRequest, DeleteMappingResponse, ListMappingsRequest, ListMappingsResponse,
        Mapping, NamedMapping, SaveMappingRequest, SaveMappingResponse, timestamp,
    },
    store::{SaveMappingError, StoreError, StoredMapping},
};

impl DirectoryHandlers {
    /// Lists the mappings of an organisation, which are few.
    pub(super) async fn list_mappings(
        self,
        caller: Caller,
        request: ListMappingsRequest,
    ) -> Result<ListMappingsResponse, Status> {
        let slug = &request.organization;
        let organization = caller.organization(self.store(), slug).await?;
        let found = self.store().mappings(organization.id).await;
        let found = found.map_err(|error| status::from_store(&error, slug))?;
        let mappings = found.into_iter().map(message);
        Ok(ListMappingsResponse {
            mappings: mappings
                .collect::<Result<_, _>>()
                .map_err(|error| status::from_store(&error, slug))?,
        })
    }

    /// Saves a mapping that can be used, or reports all its faults.
    pub(super) async fn save_mapping(
        self,
        caller: Caller,
        request: SaveMappingRequest,
    ) -> Result<SaveMappingResponse, Status> {
        let slug = &request.organization;
        let organization = caller.organization(self.store(), slug).await?;
        let named = request.mapping.unwrap_or_default();
        let mapping = check(&named).map_err(|faults| status::refused(&faults))?;
        let record = StoredMapping {
            organization_id: organization.id,
            name: named.name,
            mapping: mapping.encode_to_vec(),
            updated_at: self.clock().now(),
        };
        let saved = self.store().save_mapping(&record, &caller.actor()).await;
        saved.map_err(|error| not_saved(&error, slug))?;
        let mapping = message(record).map_err(|error| status::from_store(&error, slug))?;
        Ok(SaveMappingResponse {
            mapping: Some(mapping),
        })
    }

    /// Deletes a mapping.
    pub(super) async fn delete_mapping(
        self,
        caller: Caller,
        request: DeleteMappingRequest,
    ) -> Result<DeleteMappingResponse, Status> {
        let slug = &request.organization;
        let organization = caller.organization(self.store(), slug).await?;
        let unknown = || status::unknown_mapping(&request.name);
        let name = OrganizationSlug::parse(&request.name).map_err(|_| unknown())?;
        let (actor, now) = (caller.actor(), self.clock().now());
        let store = self.store();
        let deleted = store.delete_mapping(organization.id, name.as_str(), &actor, now);
        match deleted.await {
            Ok(true) => Ok(DeleteMappingResponse {}),
            Ok(false) => Err(unknown()),
            Err(error) => Err(status::from_store(&error, slug)),
        }
    }
}

/// Returns the mapping, if its name and all of it can be used.
fn check(named: &NamedMapping) -> Result<Mapping, Vec<Refusal>> {
    let mut faults = Vec::new();
    if let Err(error) = OrganizationSlug::parse(&named.name) {
        let message = format!("The name of a mapping {error}.");
        faults.push(Refusal::invalid("BAD_NAME", "mapping.name", message));
    }
    let Some(mapping) = named.mapping.clone() else {
        let message = "mapping.mapping must be set.";
        faults.push(Refusal::invalid("REQUIRED", "mapping.mapping", message));
        return Err(faults);
    };
    faults.extend(mapping_faults(&mapping));
    match faults.is_empty() {
        true => Ok(mapping),
        false => Err(faults),
    }
}

fn message(record: StoredMapping) -> Result<NamedMapping, StoreError> {
    let mapping = Mapping::decode(&*record.mapping).map_err(StoreError::encoding)?;
    Ok(NamedMapping {
        name: record.name,
        mapping: Some(mapping),
        updated_at: Some(timestamp(record.updated_at)),
    })
}

fn not_saved(error: &SaveMappingError, organization: &str) -> Status {
    let message = match error {
        SaveMappingError::Store(error) => return status::from_store(error, organization),
        SaveMappingError::TooMany(most) => {
            format!("An organisation may have {most} mappings; delete one first.")
        }
        SaveMappingError::TooLarge(most) => format!(
            "The mappings of an organisation may have {most} bytes together; delete one, or make this one shorter."
        ),
    };
    status::refused(&[Refusal::limit("TOO_MANY_MAPPINGS", "mappings", message)])
}
