//! `ListUsers`: pages of users, filtered and in an order.

use tonic::Status;

use super::{
    caller::{Caller, OrganizationWithPermit},
    computed,
    directory::DirectoryHandlers,
    directory_requests::filter,
    messages,
    paging::PageRequest,
    status::{self, invalid},
};
use crate::{
    domain::NamesById,
    import::Refusal,
    proto::{self, ListUsersRequest, ListUsersResponse},
    store::{ConnectionLane, UserFilter, UserOrder, UserPage, UserQuery},
};

impl DirectoryHandlers {
    /// A page of users, beginning after the last user of the page before. No user appears twice if users are created or
    /// removed meanwhile.
    pub(super) async fn list(
        self,
        caller: Caller,
        request: ListUsersRequest,
    ) -> Result<ListUsersResponse, Status> {
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let catalog = self.catalog(&organization).await?;
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let after = page.after.clone();
        // One more than the page has, to know whether there is a next page.
        let limit = page.size + 1;
        let (catalog, query) = computed(move || {
            let query = query(&request, &catalog, (after, limit));
            (catalog, query)
        })
        .await?;
        let query = query?;
        let found = self
            .find_users(&caller, organization, &query, &page)
            .await?;
        if query.order.is_sorted_here() && found.stopped_at.is_some() {
            return Err(too_many_to_sort());
        }
        let (keys, users): (Vec<String>, Vec<_>) = found.users.into_iter().unzip();
        let users = users.into_iter();
        let users = computed(move || {
            let names = NamesById::new(&catalog);
            users.map(|user| messages::user(user, &names)).collect()
        });
        let mut users: Vec<proto::User> = users.await?;
        let mut next_page_token = page.cut(&mut users, |at, _| PageRequest::after(&keys[at]));
        let search_incomplete = next_page_token.is_empty() && found.stopped_at.is_some();
        if let Some(stopped_at) = found.stopped_at.filter(|_| search_incomplete) {
            next_page_token = PageRequest::after(&stopped_at);
        }
        Ok(ListUsersResponse {
            users,
            next_page_token,
            search_incomplete,
            total_size: found.total,
        })
    }

    /// A read that may look at many users takes its turn with other heavy reads.
    async fn find_users(
        &self,
        caller: &Caller,
        organization: OrganizationWithPermit,
        query: &UserQuery,
        page: &PageRequest,
    ) -> Result<UserPage, Status> {
        let is_page = query.filter == UserFilter::default() && !query.order.is_sorted_here();
        let lane = match is_page && !query.counts {
            true => page.lane(),
            false => ConnectionLane::Heavy,
        };
        let store = self.store.on_lane(lane);
        // No call waits for one permit while it holds another.
        let organization = organization.release_permit();
        let permit = caller.lane_permit(&store, &organization.slug).await?;
        let found = store.users(&permit, organization.id, query).await;
        found.map_err(|error| status::from_store(&error, &organization.slug))
    }
}

fn query(
    request: &ListUsersRequest,
    catalog: &crate::domain::Catalog,
    (after, limit): (String, usize),
) -> Result<UserQuery, Status> {
    let (role, group, text) = (&request.role, &request.group, &request.text);
    Ok(UserQuery {
        filter: UserFilter {
            protected: request.protected,
            ..filter(request.status, role, group, text, catalog)?
        },
        order: order(request.order_by)?,
        descending: request.descending,
        after,
        limit,
        counts: request.count_total,
    })
}

fn order(number: i32) -> Result<UserOrder, Status> {
    use proto::UserOrder as Asked;
    Ok(match Asked::try_from(number) {
        Ok(Asked::Unspecified | Asked::ExternalId) => UserOrder::ExternalId,
        Ok(Asked::Email) => UserOrder::Email,
        Ok(Asked::BadgeNumber) => UserOrder::BadgeNumber,
        Ok(Asked::Username) => UserOrder::Username,
        Ok(Asked::LastName) => UserOrder::LastName,
        Ok(Asked::Status) => UserOrder::Status,
        Err(_) => {
            let message = format!("order_by has no value {number}.");
            return Err(invalid("BAD_ORDER", "order_by", message));
        }
    })
}

fn too_many_to_sort() -> Status {
    let message = "The organisation has too many users for this order; take the order of a key: external ID, email, \
        badge number or username.";
    status::refused(&[Refusal::limit("TOO_MANY_TO_SORT", "order_by", message)])
}
