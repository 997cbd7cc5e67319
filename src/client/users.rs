//! Users one by one and in lists, and organisations.

use std::io;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{ClientError, ServiceClient};
use crate::proto::{
    GetCallerRequest, GetCallerResponse, GetImportRequest, GetOrganizationRequest, GetUserRequest,
    Import, ListOrganizationsRequest, ListUserImportsRequest, ListUsersRequest, Organization,
    SetUserProtectedRequest, User, UserImport, get_user_request::Key,
};

/// Entries that one request asks for; the most that a server gives.
const PAGE: u32 = 1_000;

impl ServiceClient {
    /// Returns the organisations that the caller may see, by slug.
    ///
    /// # Errors
    /// As `ListOrganizations` says.
    pub(crate) async fn organizations(&mut self) -> Result<Vec<Organization>, ClientError> {
        let mut organizations = Vec::new();
        let mut request = ListOrganizationsRequest {
            page_size: page_size(u32::MAX),
            ..ListOrganizationsRequest::default()
        };
        loop {
            let page = self.directory.list_organizations(request.clone()).await?;
            let page = page.into_inner();
            organizations.extend(page.organizations);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(organizations);
            }
        }
    }

    /// Returns one organisation.
    ///
    /// # Errors
    /// As `GetOrganization` says.
    pub(crate) async fn organization(&mut self, slug: &str) -> Result<Organization, ClientError> {
        let request = GetOrganizationRequest {
            organization: slug.to_owned(),
        };
        let answer = self.directory.get_organization(request).await?;
        Ok(answer.into_inner().organization.unwrap_or_default())
    }

    /// Returns the caller as the server knows it, and facts about the server.
    ///
    /// # Errors
    /// As `GetCaller` says.
    pub(crate) async fn caller(&mut self) -> Result<GetCallerResponse, ClientError> {
        let answer = self.directory.get_caller(GetCallerRequest {}).await?;
        Ok(answer.into_inner())
    }

    /// Returns the user with this key, or `None` if there is none.
    ///
    /// # Errors
    /// As `GetUser` says.
    pub(crate) async fn user(
        &mut self,
        organization: &str,
        key: Key,
    ) -> Result<Option<User>, ClientError> {
        let request = GetUserRequest {
            organization: organization.to_owned(),
            key: Some(key),
        };
        match self.directory.get_user(request).await {
            Ok(answer) => Ok(answer.into_inner().user),
            Err(status) if is_missing(&status, "user") => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Gives the users that pass the filters of `request` to `take`, a page at a time, by external ID; at most `limit`.
    /// Returns `true` if there may be more.
    ///
    /// # Errors
    /// As `ListUsers` says, or if `take` fails.
    pub(crate) async fn users(
        &mut self,
        mut request: ListUsersRequest,
        limit: u32,
        mut take: impl FnMut(Vec<User>) -> io::Result<()>,
    ) -> Result<bool, ClientError> {
        let mut left = limit;
        while left > 0 {
            request.page_size = page_size(left);
            let page = self
                .directory
                .list_users(request.clone())
                .await?
                .into_inner();
            left = left.saturating_sub(u32::try_from(page.users.len()).unwrap_or(u32::MAX));
            take(page.users).map_err(ClientError::Output)?;
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Protects a user from being made inactive by an import, or ends that. Returns the changed user, or only its ID
    /// and protection if the caller may not read users.
    ///
    /// # Errors
    /// As `SetUserProtected` says.
    pub(crate) async fn set_user_protected(
        &mut self,
        organization: &str,
        user_id: &str,
        protected: bool,
    ) -> Result<User, ClientError> {
        let request = SetUserProtectedRequest {
            organization: organization.to_owned(),
            user_id: user_id.to_owned(),
            protected,
        };
        let answer = self.directory.set_user_protected(request).await?;
        Ok(answer.into_inner().user.unwrap_or_default())
    }

    /// Returns an import's record, or `None` if there is none.
    ///
    /// # Errors
    /// As `GetImport` says.
    pub(crate) async fn import_record(
        &mut self,
        organization: &str,
        import_id: &str,
    ) -> Result<Option<Import>, ClientError> {
        let request = GetImportRequest {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
        };
        match self.imports.get_import(request).await {
            Ok(answer) => Ok(answer.into_inner().import_record),
            Err(status) if is_missing(&status, "import") => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Returns the imports that touched a user, newest first; at most `limit`. The flag is `true` if there may be more.
    ///
    /// # Errors
    /// As `ListUserImports` says.
    pub(crate) async fn user_imports(
        &mut self,
        organization: &str,
        user_id: &str,
        limit: u32,
    ) -> Result<(Vec<UserImport>, bool), ClientError> {
        let mut imports = Vec::new();
        let mut request = ListUserImportsRequest {
            organization: organization.to_owned(),
            user_id: user_id.to_owned(),
            ..ListUserImportsRequest::default()
        };
        let mut left = limit;
        while left > 0 {
            request.page_size = page_size(left);
            let page = self.imports.list_user_imports(request.clone()).await?;
            let page = page.into_inner();
            left = left.saturating_sub(u32::try_from(page.imports.len()).unwrap_or(u32::MAX));
            imports.extend(page.imports);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok((imports, false));
            }
        }
        Ok((imports, true))
    }
}

fn page_size(left: u32) -> i32 {
    i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX)
}

/// Returns `true` if the status says that this kind of thing does not exist, and not that its organisation does not.
fn is_missing(status: &Status, kind: &str) -> bool {
    let details = status.get_error_details();
    let resource = details.resource_info();
    status.code() == Code::NotFound
        && resource.is_some_and(|resource| resource.resource_type == kind)
}
