//! `DirectoryService`: organisations, catalogs and users.
//!
//! Which permission a call needs was asked before it comes here (`rpc::guard`), but for what depends on the
//! request. Here an organisation is found through its caller, who finds none but his or her own.

use std::{pin::Pin, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};
use tracing::Instrument;
use uuid::Uuid;

use super::{caller::Caller, catalog, detached, export, paging::Page, status, wire};
use crate::{
    access::{Disclosure, Reach},
    domain::{Actor, Catalog, Permission, Slug, fold, nearest, normalise},
    import::{Clock, Refusal},
    proto::{
        AuditAction, CreateOrganizationRequest, CreateOrganizationResponse, ExportUsersRequest,
        ExportUsersResponse, GetCatalogRequest, GetCatalogResponse, GetOrganizationRequest,
        GetOrganizationResponse, GetUserRequest, GetUserResponse, ListOrganizationsRequest,
        ListOrganizationsResponse, ListUsersRequest, ListUsersResponse, SetUserProtectedRequest,
        SetUserProtectedResponse, UpdateCatalogRequest, UpdateCatalogResponse, UserStatus,
        directory_service_server::DirectoryService, get_user_request::Key,
    },
    store::{AuditEntry, Organization, Protection, Store, UserFilter, UserKey},
};

/// Longest display name of an organisation, in characters.
const MAX_DISPLAY_NAME: usize = 255;

/// Pieces of an export that may wait for a client who does not read.
const WAITING_PIECES: usize = 4;

/// The service.
#[derive(Clone, Debug)]
pub struct Directory {
    store: Store,
    clock: Clock,
    /// How long a piece of an export may wait for its reader.
    patience: Duration,
}

impl Directory {
    /// Serves the directory in this database; who does not read an export for `patience` is given up.
    #[must_use]
    pub const fn new(store: Store, clock: Clock, patience: Duration) -> Self {
        Self {
            store,
            clock,
            patience,
        }
    }

    async fn catalog(&self, organization: &Organization) -> Result<Catalog, Status> {
        let found = self.store.catalog(organization.id).await;
        found.map_err(|error| status::from_store(&error, &organization.slug))
    }

    /// `ALREADY_EXISTS` where there is one with this slug; every other fault of the request is told at once.
    async fn create(
        self,
        caller: Caller,
        request: CreateOrganizationRequest,
    ) -> Result<Response<CreateOrganizationResponse>, Status> {
        caller.expect_organization(&request.organization)?;
        let (slug, name) = check_organization(&request).map_err(|r| status::refused(&r))?;
        let created = self
            .store
            .create_organization(slug.as_str(), name, &caller.actor(), self.clock.now())
            .await
            .map_err(|error| status::from_store(&error, slug.as_str()))?;
        Ok(Response::new(CreateOrganizationResponse {
            organization: Some(wire::organization(created)),
        }))
    }

    /// All of them by slug, or the caller's own. One more than the page has is asked for: it tells that there
    /// is a next one.
    async fn list_organizations(
        self,
        caller: Caller,
        request: ListOrganizationsRequest,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        let page = Page::parse(request.page_size, &request.page_token)?;
        let limit = page.size as u64 + 1;
        let found = match &caller.principal().reach {
            Reach::Every => self.store.organizations(&page.after, limit).await,
            Reach::One(slug) => self.store.organization_after(slug, &page.after).await,
        };
        let mut found = found.map_err(|error| status::from_store(&error, ""))?;
        let next_page_token = page.cut(&mut found, |organization| &organization.slug);
        Ok(Response::new(ListOrganizationsResponse {
            organizations: found.into_iter().map(wire::organization).collect(),
            next_page_token,
        }))
    }

    /// The request's catalog takes the place of the stored one, in one transaction, or every fault of it is
    /// told. Privileged roles are left to who may grant them.
    async fn replace_catalog(
        self,
        caller: Caller,
        request: UpdateCatalogRequest,
    ) -> Result<Response<UpdateCatalogResponse>, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let missing = || Refusal::invalid("REQUIRED", "catalog", "catalog must be set.");
        let wanted = request
            .catalog
            .ok_or_else(|| status::refused(&[missing()]))?;
        let draft = catalog::parse(&wanted).map_err(|faults| status::refused(&faults))?;
        let may_privilege = caller.may(Permission::UsersGrantPrivileged);
        let (store, actor, now) = (&self.store, caller.actor(), self.clock.now());
        let replacing = store.replace_catalog(&organization, &draft, may_privilege, &actor, now);
        let stored = replacing.await;
        let stored = stored.map_err(|error| status::from_catalog(&error, &organization.slug))?;
        Ok(Response::new(UpdateCatalogResponse {
            catalog: Some(wire::catalog(stored)),
        }))
    }

    async fn find_user(
        self,
        caller: Caller,
        request: GetUserRequest,
    ) -> Result<Response<GetUserResponse>, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let (key, name) = user_key(request.key)?;
        let found = self.store.user(organization.id, &key).await;
        let found = found.map_err(|error| status::from_store(&error, &name))?;
        let catalog = self.catalog(&organization).await?;
        Ok(Response::new(GetUserResponse {
            user: Some(wire::user(found, &catalog)),
        }))
    }

    /// A page of users by external ID, after the last one of the page before: users who come and go meanwhile
    /// make nobody appear twice.
    async fn list(
        self,
        caller: Caller,
        request: ListUsersRequest,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let catalog = self.catalog(&organization).await?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let status = request.status;
        let filter = filter(
            status,
            &request.role,
            &request.group,
            &request.text,
            &catalog,
        )?;
        let mut found = self
            .store
            .users(organization.id, &filter, &page.after, page.size + 1)
            .await
            .map_err(|error| status::from_store(&error, &organization.slug))?;
        let next_page_token = page.cut(&mut found, |record| &record.user.external_id);
        let users = found.into_iter().map(|record| wire::user(record, &catalog));
        Ok(Response::new(ListUsersResponse {
            users: users.collect(),
            next_page_token,
        }))
    }

    /// A roster that imports unchanged (semantics §9), piece by piece from one snapshot, which is held until the
    /// last piece has been taken.
    async fn export(
        self,
        caller: Caller,
        request: ExportUsersRequest,
    ) -> Result<Response<Responses<ExportUsersResponse>>, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let snapshot = self.store.snapshot(organization.id).await;
        let snapshot = snapshot.map_err(|e| status::from_store(&e, &organization.slug))?;
        let (role, group) = (&request.role, &request.group);
        let filter = filter(
            request.status,
            role,
            group,
            &request.text,
            &snapshot.catalog,
        )?;
        let neutralize = request.neutralize_formulas;
        self.note_export(
            &organization,
            &caller.actor(),
            filter != UserFilter::default(),
        )
        .await?;
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let pieces = export::pieces(snapshot, filter, neutralize);
        tokio::spawn(send_pieces(pieces, sender, self.patience).in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    /// Tells the audit trail that users are exported, before anything is sent.
    async fn note_export(
        &self,
        organization: &Organization,
        actor: &Actor,
        filtered: bool,
    ) -> Result<(), Status> {
        let (action, now) = (AuditAction::UsersExported, self.clock.now());
        let entry = AuditEntry::done(now, actor, action, &organization.slug);
        let entry = entry.with("filtered", &filtered);
        let noted = self.store.audit(organization.id, entry).await;
        noted.map_err(|error| status::from_store(&error, &organization.slug))
    }

    /// Protects a user from being made inactive by an import, or ends that.
    async fn protect(
        self,
        caller: Caller,
        request: SetUserProtectedRequest,
    ) -> Result<Response<SetUserProtectedResponse>, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let protection = Protection {
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
        let user = wire::user(user, &catalog);
        Ok(Response::new(SetUserProtectedResponse {
            user: Some(match Disclosure::of(caller.principal().permissions) {
                Disclosure::AllUsers => user,
                Disclosure::OwnRoster => wire::protection_alone(user),
            }),
        }))
    }
}

/// A reader who stalls is given up, and with it the snapshot; its stream does not end as if it were whole.
async fn send_pieces(
    mut pieces: impl Iterator<Item = Result<Vec<u8>, csv::Error>> + Send,
    sender: mpsc::Sender<Result<ExportUsersResponse, Status>>,
    patience: Duration,
) {
    while let Some(piece) = pieces.next() {
        let piece = piece
            .map(|csv_chunk| ExportUsersResponse { csv_chunk })
            .map_err(|error| status::internal(&error));
        match timeout(patience, sender.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                drop(pieces);
                let message = "The file was not read for too long; export it again.";
                let refusal = Refusal::limit("NOT_READ", "idle", message);
                // Fails only where the client has gone.
                let _ = sender.send(Err(status::refused(&[refusal]))).await;
                return;
            }
        }
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl DirectoryService for Directory {
    type ExportUsersStream = Responses<ExportUsersResponse>;

    async fn create_organization(
        &self,
        request: Request<CreateOrganizationRequest>,
    ) -> Result<Response<CreateOrganizationResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().create(caller, request.into_inner())).await
    }

    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<GetOrganizationResponse>, Status> {
        let (store, caller) = (self.store.clone(), Caller::of(&request)?);
        detached(async move {
            let slug = request.into_inner().organization;
            let found = caller.organization(&store, &slug).await?;
            Ok(Response::new(GetOrganizationResponse {
                organization: Some(wire::organization(found)),
            }))
        })
        .await
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(
            self.clone()
                .list_organizations(caller, request.into_inner()),
        )
        .await
    }

    async fn get_catalog(
        &self,
        request: Request<GetCatalogRequest>,
    ) -> Result<Response<GetCatalogResponse>, Status> {
        let (this, caller) = (self.clone(), Caller::of(&request)?);
        detached(async move {
            let slug = request.into_inner().organization;
            let organization = caller.organization(&this.store, &slug).await?;
            let catalog = this.catalog(&organization).await?;
            Ok(Response::new(GetCatalogResponse {
                catalog: Some(wire::catalog(catalog)),
            }))
        })
        .await
    }

    async fn update_catalog(
        &self,
        request: Request<UpdateCatalogRequest>,
    ) -> Result<Response<UpdateCatalogResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().replace_catalog(caller, request.into_inner())).await
    }

    async fn get_user(
        &self,
        request: Request<GetUserRequest>,
    ) -> Result<Response<GetUserResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().find_user(caller, request.into_inner())).await
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().list(caller, request.into_inner())).await
    }

    async fn export_users(
        &self,
        request: Request<ExportUsersRequest>,
    ) -> Result<Response<Self::ExportUsersStream>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().export(caller, request.into_inner())).await
    }

    async fn set_user_protected(
        &self,
        request: Request<SetUserProtectedRequest>,
    ) -> Result<Response<SetUserProtectedResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().protect(caller, request.into_inner())).await
    }
}

fn invalid(code: &'static str, field: &str, message: impl Into<String>) -> Status {
    status::refused(&[Refusal::invalid(code, field, message)])
}

/// The slug, and the name for people: the slug where there is none.
fn check_organization(request: &CreateOrganizationRequest) -> Result<(Slug, &str), Vec<Refusal>> {
    let mut faults = Vec::new();
    let slug = Slug::parse(&request.organization);
    if let Err(error) = &slug {
        faults.push(Refusal::invalid(
            "BAD_SLUG",
            "organization",
            error.to_string(),
        ));
    }
    let name = request.display_name.trim();
    let length = name.chars().count();
    if length > MAX_DISPLAY_NAME || normalise(name).is_err() {
        let message = format!(
            "display_name has {length} characters; it must be plain text of at most \
             {MAX_DISPLAY_NAME}."
        );
        faults.push(Refusal::invalid(
            "BAD_DISPLAY_NAME",
            "display_name",
            message,
        ));
    }
    match slug {
        Ok(slug) if faults.is_empty() => {
            let name = if name.is_empty() {
                &request.organization
            } else {
                name
            };
            Ok((slug, name))
        }
        _ => Err(faults),
    }
}

/// The key a user is looked up by, in the form that is stored; and as it was sent, for messages. Text that
/// nobody's key can be, such as control characters, finds nobody.
fn user_key(key: Option<Key>) -> Result<(UserKey, String), Status> {
    let key = key.ok_or_else(|| {
        let message = "Give one of user_id, external_id and email.";
        invalid("NO_KEY", "key", message)
    })?;
    Ok(match key {
        Key::UserId(id) => (UserKey::Id(user_id(&id)?), id),
        Key::ExternalId(id) => (
            UserKey::ExternalId(normalise(&id).unwrap_or_default().into_owned()),
            id,
        ),
        Key::Email(email) => {
            let key = fold(&normalise(&email).unwrap_or_default()).into_owned();
            (UserKey::EmailKey(key), email)
        }
    })
}

fn user_id(text: &str) -> Result<Uuid, Status> {
    Uuid::try_parse(text).map_err(|_| invalid("BAD_USER_ID", "user_id", "user_id must be a UUID."))
}

/// A filter of the wire; a name that the catalog does not have is a mistake, not an empty list.
fn filter(
    status: i32,
    role: &str,
    group: &str,
    text: &str,
    catalog: &Catalog,
) -> Result<UserFilter, Status> {
    let active = match UserStatus::try_from(status) {
        Ok(UserStatus::Unspecified) => None,
        Ok(UserStatus::Active) => Some(true),
        Ok(UserStatus::Inactive) => Some(false),
        Err(_) => {
            let message = format!("status has no value {status}.");
            return Err(invalid("BAD_STATUS", "status", message));
        }
    };
    let text = normalise(text).map_err(|_| {
        let message = "text has a control character; no user has one.";
        invalid("BAD_TEXT", "text", message)
    })?;
    let text = fold(&text).into_owned();
    let role_key = fold(role);
    let roles = || catalog.roles.iter();
    let groups = || catalog.groups.iter();
    let found_role = roles().find(|known| fold(&known.name) == role_key);
    let found_group = groups().find(|known| known.external_id == group);
    if found_role.is_none() && !role.is_empty() {
        return Err(unknown(
            "role",
            role,
            nearest(role, roles().map(|r| &*r.name)),
        ));
    }
    if found_group.is_none() && !group.is_empty() {
        return Err(unknown(
            "group",
            group,
            nearest(group, groups().map(|g| &*g.external_id)),
        ));
    }
    Ok(UserFilter {
        active,
        role: found_role.map(|role| role.id),
        group: found_group.map(|group| group.id),
        text,
    })
}

/// A name of no catalog entry, with the one that is nearest.
fn unknown(field: &str, value: &str, near: Option<&str>) -> Status {
    let hint = near
        .map(|near| format!(" Did you mean \"{near}\"?"))
        .unwrap_or_default();
    let message = format!("The organisation's catalog has no {field} \"{value}\".{hint}");
    invalid("UNKNOWN_NAME", field, message)
}
