//! What requests to `DirectoryService` ask for, checked: a new organisation, a user, and which users to list.

use tonic::Status;
use uuid::Uuid;

use super::status::invalid;
use crate::{
    domain::{
        Catalog, OrganizationSlug, SuggestionBudget, email_key, fold, nearest, normalise,
        normalise_as_before,
    },
    import::Refusal,
    proto::{CreateOrganizationRequest, UserStatus, get_user_request::Key},
    store::{UserFilter, UserKey},
};

/// Longest display name of an organisation, in characters.
const MAX_DISPLAY_NAME: usize = 255;

/// Returns the slug and the display name, which is the slug by default.
pub(super) fn check_organization(
    request: &CreateOrganizationRequest,
) -> Result<(OrganizationSlug, &str), Vec<Refusal>> {
    let mut faults = Vec::new();
    let slug = OrganizationSlug::parse(&request.organization);
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

/// Returns the key by which a user is looked up: in its stored form, and, for messages, as it was sent. Text that no
/// key can have, such as control characters, matches no user.
pub(super) fn user_key(key: Option<Key>) -> Result<(UserKey, String), Status> {
    let key = key.ok_or_else(|| {
        let message = "Give one of user_id, external_id and email.";
        invalid("NO_KEY", "key", message)
    })?;
    Ok(match key {
        Key::UserId(id) => (UserKey::Id(user_id(&id)?), id),
        Key::ExternalId(id) => (
            UserKey::ExternalId(normalise_as_before(&id).unwrap_or_default().into_owned()),
            id,
        ),
        Key::Email(email) => {
            let key = email_key(&normalise_as_before(&email).unwrap_or_default()).into_owned();
            (UserKey::EmailKey(key), email)
        }
    })
}

pub(super) fn user_id(text: &str) -> Result<Uuid, Status> {
    Uuid::try_parse(text).map_err(|_| invalid("BAD_USER_ID", "user_id", "user_id must be a UUID."))
}

/// Parses a filter. A name that the catalog does not have is a fault, not an empty result.
pub(super) fn filter(
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
    let mut budget = SuggestionBudget::of_call();
    if found_role.is_none() && !role.is_empty() {
        let near = nearest(role, roles().map(|r| &*r.name), &mut budget);
        return Err(unknown("role", role, near));
    }
    if found_group.is_none() && !group.is_empty() {
        let near = nearest(group, groups().map(|g| &*g.external_id), &mut budget);
        return Err(unknown("group", group, near));
    }
    Ok(UserFilter {
        active,
        role: found_role.map(|role| role.id),
        group: found_group.map(|group| group.id),
        protected: None,
        text,
    })
}

/// The status for a name that the catalog does not have, with the nearest name that it has.
fn unknown(field: &str, value: &str, near: Option<&str>) -> Status {
    let hint = near
        .map(|near| format!(" Did you mean \"{near}\"?"))
        .unwrap_or_default();
    let message = format!("The organisation's catalog has no {field} \"{value}\".{hint}");
    invalid("UNKNOWN_NAME", field, message)
}
