//! `DirectoryService`: organisations, catalogs and users.
//!
//! The permission that an RPC needs has been checked before (`rpc::auth_layer`); handlers check what
//! depends on the request. They find an organisation through its [`Caller`] only, so that another caller's
//! organisation and one that does not exist get the same answer.

use std::time::Duration;

use tonic::{Request, Status};

use super::{
    CallResult, ResponseMessages,
    caller::Caller,
    catalog_draft,
    directory_requests::{check_organization, user_id, user_key},
    messages,
    paging::PageRequest,
    serve,
    status::{self, invalid},
};
use crate::{
    access::{DisclosureScope, OrganizationScope},
    domain::{Catalog, NamesById, Permission},
    import::Clock,
    proto::{
        self, CreateOrganizationRequest, CreateOrganizationResponse, DeleteMappingRequest,
        DeleteMappingResponse, ExportUsersRequest, ExportUsersResponse, GetCallerRequest,
        GetCallerResponse, GetCatalogRequest, GetCatalogResponse, GetOrganizationRequest,
        GetOrganizationResponse, GetUserRequest, GetUserResponse, ListMappingsRequest,
        ListMappingsResponse, ListOrganizationsRequest, ListOrganizationsResponse,
        ListUsersRequest, ListUsersResponse, SaveMappingRequest, SaveMappingResponse,
        SetUserProtectedRequest, SetUserProtectedResponse, UpdateCatalogRequest,
        UpdateCatalogResponse, directory_service_server::DirectoryService,
    },
    store::{Organization, ProtectionChange, Store},
};

/// The permits of callers of all organisations are counted under this key. No slug is empty.
const EVERY: &str = "";

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryHandlers {
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// How long a piece of an export may wait for its reader.
    pub(super) patience: Duration,
    /// Most users of an export as a workbook.
    pub(super) workbook_rows: usize,
}

impl DirectoryHandlers {
    /// Serves the directory in this database. An export ends if its client does not read for `patience`. A workbook
    /// has at most `workbook_rows` users, so that an import takes it.
    #[must_use]
    pub(crate) fn new(store: Store, clock: Clock, patience: Duration, workbook_rows: u32) -> Self {
        Self {
            store,
            clock,
            patience,
            workbook_rows: usize::try_from(workbook_rows).unwrap_or(usize::MAX),
        }
    }

    pub(super) async fn catalog(&self, organization: &Organization) -> Result<Catalog, Status> {
        let found = self.store.catalog(organization.id).await;
        found.map_err(|error| status::from_store(&error, &organization.slug))
    }

    /// The database.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Creates an organisation. Fails with `ALREADY_EXISTS` if the slug is taken; reports all other faults
    /// of the request at once.
    async fn create(
        self,
        caller: Caller,
        request: CreateOrganizationRequest,
    ) -> Result<CreateOrganizationResponse, Status> {
        caller.expect_organization(&request.organization)?;
        let (slug, name) = check_organization(&request).map_err(|r| status::refused(&r))?;
        let created = self
            .store
            .create_organization(slug.as_str(), name, &caller.actor(), self.clock.now())
            .await
            .map_err(|error| status::from_store(&error, slug.as_str()))?;
        Ok(CreateOrganizationResponse {
            organization: Some(messages::organization(created)),
        })
    }

    /// Says who the caller is. It looks nothing up: the credential has been checked.
    fn caller(&self, caller: &Caller) -> GetCallerResponse {
        let principal = caller.principal();
        let permissions = principal.permissions.iter();
        GetCallerResponse {
            principal: principal.name.clone(),
            organization: match &principal.scope {
                OrganizationScope::Every => String::new(),
                OrganizationScope::One(slug) => slug.clone(),
            },
            permissions: permissions.map(|one| one.name().to_owned()).collect(),
            expires_at: principal.expires_at.map(proto::timestamp),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_time: Some(proto::timestamp(self.clock.now())),
        }
    }

    async fn organization(
        self,
        caller: Caller,
        request: GetOrganizationRequest,
    ) -> Result<GetOrganizationResponse, Status> {
        let found = caller.organization(&self.store, &request.organization);
        Ok(GetOrganizationResponse {
            organization: Some(messages::organization(found.await?.release_permit())),
        })
    }

    /// Lists all organisations by slug, or the caller's own. Reads one more than the page has, to know
    /// whether there is a next page.
    async fn list_organizations(
        self,
        caller: Caller,
        request: ListOrganizationsRequest,
    ) -> Result<ListOrganizationsResponse, Status> {
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let limit = page.size as u64 + 1;
        let store = self.store.on_lane(page.lane());
        let failed = |error| status::from_store(&error, "");
        let found = match &caller.principal().scope {
            OrganizationScope::Every => {
                let permit = caller.lane_permit(&store, EVERY).await?;
                let _turn = permit.read_turn().await.map_err(failed)?;
                store.organizations(&page.after, limit).await
            }
            OrganizationScope::One(slug) => {
                let _permit = caller.lane_permit(&self.store, slug.as_str()).await?;
                self.store.organization_after(slug, &page.after).await
            }
        }
        .map_err(failed)?;
        let mut organizations = found.into_iter().map(messages::organization).collect();
        let next_page_token = page.cut(&mut organizations, |_, last: &proto::Organization| {
            PageRequest::after(&last.organization)
        });
        Ok(ListOrganizationsResponse {
            organizations,
            next_page_token,
        })
    }

    async fn find_catalog(
        self,
        caller: Caller,
        request: GetCatalogRequest,
    ) -> Result<GetCatalogResponse, Status> {
        let slug = &request.organization;
        let organization = caller.organization(&self.store, slug).await?;
        let catalog = messages::catalog(self.catalog(&organization).await?);
        catalog_draft::expect_sendable(&catalog).map_err(|refusal| status::refused(&[refusal]))?;
        Ok(GetCatalogResponse {
            catalog: Some(catalog),
        })
    }

    /// Replaces the stored catalog with the request's, in one transaction, or reports all faults of it.
    /// Only a caller who may grant privileged roles may change them.
    async fn replace_catalog(
        self,
        caller: Caller,
        request: UpdateCatalogRequest,
    ) -> Result<UpdateCatalogResponse, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let missing = || invalid("REQUIRED", "catalog", "catalog must be set.");
        let wanted = request.catalog.ok_or_else(missing)?;
        let draft = catalog_draft::parse(&wanted).map_err(|faults| status::refused(&faults))?;
        let may_privilege = caller.may(Permission::UsersGrantPrivileged);
        let organization = organization.release_permit();
        let store = caller.store(&self.store);
        let _permit = caller.lane_permit(&store, &organization.slug).await?;
        let (actor, now) = (caller.actor(), self.clock.now());
        let replacing = store.replace_catalog(&organization, &draft, may_privilege, &actor, now);
        let stored = replacing.await;
        let stored = stored.map_err(|error| status::from_catalog(&error, &organization.slug))?;
        Ok(UpdateCatalogResponse {
            catalog: Some(messages::catalog(stored)),
        })
    }

    async fn find_user(
        self,
        caller: Caller,
        request: GetUserRequest,
    ) -> Result<GetUserResponse, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let (key, name) = user_key(request.key)?;
        let found = self.store.user(organization.id, &key).await;
        let found = found.map_err(|error| status::from_store(&error, &name))?;
        let catalog = self.catalog(&organization).await?;
        let names = NamesById::of_user(&catalog, &found.user);
        Ok(GetUserResponse {
            user: Some(messages::user(found, &names)),
        })
    }

    /// Protects a user from being made inactive by an import, or ends that protection.
    async fn protect(
        self,
        caller: Caller,
        request: SetUserProtectedRequest,
    ) -> Result<SetUserProtectedResponse, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let protection = ProtectionChange {
            user: user_id(&request.user_id)?,
            protected: request.protected,
            may_privilege: caller.may(Permission::UsersGrantPrivileged),
        };
        let (actor, now) = (caller.actor(), self.clock.now());
        let user = self
            .store
            .protect_user(organization.id, protection, &actor, now)
            .await;
        let user = user.map_err(|error| status::from_store(&error, &request.user_id))?;
        let catalog = self.catalog(&organization).await?;
        let names = NamesById::of_user(&catalog, &user.user);
        let user = messages::user(user, &names);
        Ok(SetUserProtectedResponse {
            user: Some(match DisclosureScope::of(caller.principal().permissions) {
                DisclosureScope::AllUsers => user,
                DisclosureScope::OwnRoster => messages::protection_alone(user),
            }),
        })
    }
}

#[tonic::async_trait]
impl DirectoryService for DirectoryHandlers {
    type ExportUsersStream = ResponseMessages<ExportUsersResponse>;

    async fn create_organization(
        &self,
        request: Request<CreateOrganizationRequest>,
    ) -> CallResult<CreateOrganizationResponse> {
        serve(self, request, Self::create).await
    }

    async fn get_caller(
        &self,
        request: Request<GetCallerRequest>,
    ) -> CallResult<GetCallerResponse> {
        let caller = Caller::of(&request)?;
        Ok(tonic::Response::new(self.caller(&caller)))
    }

    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> CallResult<GetOrganizationResponse> {
        serve(self, request, Self::organization).await
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> CallResult<ListOrganizationsResponse> {
        serve(self, request, Self::list_organizations).await
    }

    async fn get_catalog(
        &self,
        request: Request<GetCatalogRequest>,
    ) -> CallResult<GetCatalogResponse> {
        serve(self, request, Self::find_catalog).await
    }

    async fn update_catalog(
        &self,
        request: Request<UpdateCatalogRequest>,
    ) -> CallResult<UpdateCatalogResponse> {
        serve(self, request, Self::replace_catalog).await
    }

    async fn get_user(&self, request: Request<GetUserRequest>) -> CallResult<GetUserResponse> {
        serve(self, request, Self::find_user).await
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> CallResult<ListUsersResponse> {
        serve(self, request, Self::list).await
    }

    async fn export_users(
        &self,
        request: Request<ExportUsersRequest>,
    ) -> CallResult<Self::ExportUsersStream> {
        serve(self, request, Self::export).await
    }

    async fn set_user_protected(
        &self,
        request: Request<SetUserProtectedRequest>,
    ) -> CallResult<SetUserProtectedResponse> {
        serve(self, request, Self::protect).await
    }

    async fn list_mappings(
        &self,
        request: Request<ListMappingsRequest>,
    ) -> CallResult<ListMappingsResponse> {
        serve(self, request, Self::list_mappings).await
    }

    async fn save_mapping(
        &self,
        request: Request<SaveMappingRequest>,
    ) -> CallResult<SaveMappingResponse> {
        serve(self, request, Self::save_mapping).await
    }

    async fn delete_mapping(
        &self,
        request: Request<DeleteMappingRequest>,
    ) -> CallResult<DeleteMappingResponse> {
        serve(self, request, Self::delete_mapping).await
    }
}
