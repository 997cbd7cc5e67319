//! The user that a command is about: by external ID, email or ID.

use clap::Args;
use tonic::Code;

use super::name;
use crate::cli::{failure::UsageError, id_prefix::IdPrefix, output::printable};
use crate::client::{ClientError, ServiceClient};
use crate::proto::{ListUsersRequest, User, get_user_request::Key};

/// Digits of an ID that are worth looking for: fewer are a mistyped external ID.
const LEAST_DIGITS: usize = 8;

/// A user.
#[derive(Args, Clone, Debug)]
pub(super) struct UserArg {
    /// External ID, email or ID of the user. The first 8 characters of the ID are enough
    #[arg(value_name = "USER")]
    user: String,
}

impl UserArg {
    /// Returns the user. If the text could mean several users, the user with this external ID comes first, then the one
    /// with this email, then the one with this ID.
    ///
    /// # Errors
    /// Fails if there is no such user, if several IDs begin so, or if the server refuses.
    pub(super) async fn find(
        &self,
        client: &mut ServiceClient,
        organization: &str,
    ) -> anyhow::Result<User> {
        let text = self.user.trim();
        let mut keys = vec![Key::ExternalId(text.to_owned())];
        if text.contains('@') {
            keys.push(Key::Email(text.to_owned()));
        }
        let prefix: Option<IdPrefix> = text.parse().ok();
        if let Some(id) = prefix.as_ref().and_then(IdPrefix::whole) {
            keys.push(Key::UserId(id.to_string()));
        }
        for key in keys {
            if let Some(user) = client.user(organization, key).await? {
                return Ok(user);
            }
        }
        if let Some(prefix) = prefix.filter(|prefix| prefix.digits() >= LEAST_DIGITS) {
            return by_prefix(&prefix, client, organization).await;
        }
        let shown = printable(text);
        Err(UsageError::new(format!(
            "{organization} has no user with the external ID, email or ID \"{shown}\". To look for one:\n  \
             user-import user list --text WORD"
        ))
        .into())
    }

    /// Returns the user's ID. A caller who may protect users need not be one who may read them, and gives the whole
    /// ID then.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(super) async fn id(
        &self,
        client: &mut ServiceClient,
        organization: &str,
    ) -> anyhow::Result<String> {
        let whole = self.user.parse().ok();
        let whole = whole.as_ref().and_then(IdPrefix::whole);
        match (self.find(client, organization).await, whole) {
            (Err(error), Some(id)) if is_denied(&error) => Ok(id.to_string()),
            (Err(error), None) if is_denied(&error) => Err(UsageError::new(
                "Without the permission users.read, a user can be found only by the whole ID. Give \
                 the whole ID.",
            )
            .into()),
            (found, _) => Ok(found?.id),
        }
    }
}

fn is_denied(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref();
    matches!(status, Some(ClientError::Status(status)) if status.code() == Code::PermissionDenied)
}

/// The only user whose ID begins so.
async fn by_prefix(
    prefix: &IdPrefix,
    client: &mut ServiceClient,
    organization: &str,
) -> anyhow::Result<User> {
    let request = ListUsersRequest {
        organization: organization.to_owned(),
        ..ListUsersRequest::default()
    };
    let mut found = Vec::new();
    let take = |users: Vec<User>| {
        found.extend(
            users
                .into_iter()
                .filter(|user| prefix.is_beginning_of(&user.id)),
        );
        Ok(())
    };
    client.users(request, u32::MAX, take).await?;
    let describe = |user: &User| format!("{}  {}  {}", user.id, user.external_id, name(user));
    Ok(prefix.only(found, ("user", "user-import user list"), describe)?)
}
