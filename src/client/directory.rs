//! The unary calls, and the export.

use std::io::{self, Write};

use tonic::Status;

use super::{ClientError, ServiceClient};
use crate::proto::{
    Catalog, CreateOrganizationRequest, DeleteMappingRequest, ExportUsersRequest, FileFormat,
    GetCatalogRequest, GetImportTemplateRequest, GetImportTemplateResponse, ListMappingsRequest,
    Mapping, NamedMapping, Organization, SaveMappingRequest, UpdateCatalogRequest,
};

impl ServiceClient {
    /// Creates an organisation; an empty `display_name` means the slug.
    ///
    /// # Errors
    /// As `CreateOrganization` says.
    pub(crate) async fn create_organization(
        &mut self,
        slug: &str,
        display_name: &str,
    ) -> Result<Organization, ClientError> {
        let request = CreateOrganizationRequest {
            organization: slug.to_owned(),
            display_name: display_name.to_owned(),
        };
        let answer = self.directory.create_organization(request).await?;
        Ok(answer.into_inner().organization.unwrap_or_default())
    }

    /// Returns an organisation's catalog.
    ///
    /// # Errors
    /// As `GetCatalog` says.
    pub(crate) async fn catalog(&mut self, organization: &str) -> Result<Catalog, ClientError> {
        let request = GetCatalogRequest {
            organization: organization.to_owned(),
        };
        let answer = self.directory.get_catalog(request).await?;
        Ok(answer.into_inner().catalog.unwrap_or_default())
    }

    /// Replaces the catalog with `catalog`, and returns the stored one.
    ///
    /// # Errors
    /// As `UpdateCatalog` says.
    pub(crate) async fn update_catalog(
        &mut self,
        organization: &str,
        catalog: Catalog,
    ) -> Result<Catalog, ClientError> {
        let request = UpdateCatalogRequest {
            organization: organization.to_owned(),
            catalog: Some(catalog),
        };
        let answer = self.directory.update_catalog(request).await?;
        Ok(answer.into_inner().catalog.unwrap_or_default())
    }

    /// Returns the organisation's saved mappings, by name.
    ///
    /// # Errors
    /// As `ListMappings` says.
    pub(crate) async fn mappings(
        &mut self,
        organization: &str,
    ) -> Result<Vec<NamedMapping>, ClientError> {
        let request = ListMappingsRequest {
            organization: organization.to_owned(),
        };
        let answer = self.directory.list_mappings(request).await?;
        Ok(answer.into_inner().mappings)
    }

    /// Returns the saved mapping with this name.
    ///
    /// # Errors
    /// As `ListMappings` says; also if there is none.
    pub(crate) async fn mapping(
        &mut self,
        organization: &str,
        name: &str,
    ) -> Result<Mapping, ClientError> {
        let mut mappings = self.mappings(organization).await?.into_iter();
        let found = mappings.find(|mapping| mapping.name == name);
        let mapping = found.and_then(|found| found.mapping);
        let message = format!("This organisation has no mapping {name:?}.");
        mapping.ok_or_else(|| Status::not_found(message).into())
    }

    /// Saves a mapping under a name.
    ///
    /// # Errors
    /// As `SaveMapping` says.
    pub(crate) async fn save_mapping(
        &mut self,
        organization: &str,
        name: &str,
        mapping: Mapping,
    ) -> Result<(), ClientError> {
        let request = SaveMappingRequest {
            organization: organization.to_owned(),
            mapping: Some(NamedMapping {
                name: name.to_owned(),
                mapping: Some(mapping),
                updated_at: None,
            }),
        };
        self.directory.save_mapping(request).await?;
        Ok(())
    }

    /// Deletes the saved mapping with this name.
    ///
    /// # Errors
    /// As `DeleteMapping` says.
    pub(crate) async fn delete_mapping(
        &mut self,
        organization: &str,
        name: &str,
    ) -> Result<(), ClientError> {
        let request = DeleteMappingRequest {
            organization: organization.to_owned(),
            name: name.to_owned(),
        };
        self.directory.delete_mapping(request).await?;
        Ok(())
    }

    /// Returns a file to start from.
    ///
    /// # Errors
    /// As `GetImportTemplate` says, and if the server knows no workbooks.
    pub(crate) async fn template(
        &mut self,
        request: GetImportTemplateRequest,
    ) -> Result<GetImportTemplateResponse, ClientError> {
        let format = request.format();
        let answer = self.imports.get_import_template(request).await?;
        let answer = answer.into_inner();
        match format {
            FileFormat::Xlsx if answer.workbook.is_empty() => Err(ClientError::NoWorkbooks),
            _ => Ok(answer),
        }
    }

    /// Writes the file of the selected users to `out` as it arrives, in the format of the request.
    ///
    /// # Errors
    /// As `ExportUsers` says; part of the file may then have been written. Fails too if the server knows no workbooks.
    pub(crate) async fn export(
        &mut self,
        request: ExportUsersRequest,
        out: &mut (impl Write + Send),
    ) -> Result<(), ClientError> {
        let format = request.format();
        let mut chunks = self.directory.export_users(request).await?.into_inner();
        while let Some(chunk) = chunks.message().await? {
            let bytes = match format {
                FileFormat::Xlsx if !chunk.csv_chunk.is_empty() => {
                    return Err(ClientError::NoWorkbooks);
                }
                FileFormat::Xlsx => &chunk.workbook_chunk,
                _ => &chunk.csv_chunk,
            };
            out.write_all(bytes).map_err(ClientError::Output)?;
        }
        io::Write::flush(out).map_err(ClientError::Output)
    }
}
