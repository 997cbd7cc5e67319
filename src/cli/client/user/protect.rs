//! `user protect` and `user unprotect`.

use clap::Args;

use super::{key::UserArg, name};
use crate::cli::{
    ExitStatus,
    client::connection::OrganizationArgs,
    output::{Verbosity, printable},
};
use crate::proto::User;

/// Protect a user, so that no import makes the user inactive
///
/// A roster may still change the user's other values. Needs the permission users.deactivate.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import user protect chief@pd.example --organization my-department")]
pub(crate) struct ProtectArgs {
    #[command(flatten)]
    user: UserArg,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// End the protection of a user, so that imports may make the user inactive
///
/// Needs the permission users.deactivate.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import user unprotect P-1001 --organization my-department")]
pub(crate) struct UnprotectArgs {
    #[command(flatten)]
    user: UserArg,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Protects a user.
///
/// # Errors
/// Fails if the user is unknown, or the server refuses.
pub(super) async fn protect(args: ProtectArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let end = "is protected: no import makes this user inactive.";
    set(&args.user, &args.organization, (true, end), verbosity).await
}

/// Ends the protection of a user.
///
/// # Errors
/// As [`protect`].
pub(super) async fn unprotect(
    args: UnprotectArgs,
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    let end = "is not protected: an import may make this user inactive.";
    set(&args.user, &args.organization, (false, end), verbosity).await
}

async fn set(
    user: &UserArg,
    organization: &OrganizationArgs,
    (protected, end): (bool, &str),
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = organization.connect(verbosity).await?;
    let id = user.id(&mut client, &organization).await?;
    let changed = client.set_user_protected(&organization, &id, protected);
    let changed = changed.await?;
    verbosity.confirm(&format!("{} {end}\n", shown(&changed)))?;
    Ok(ExitStatus::Done)
}

/// The user's external ID and name, or the ID if the caller may not see more.
fn shown(user: &User) -> String {
    let text = match (&*user.external_id, &*name(user)) {
        ("", _) => user.id.clone(),
        (external_id, "") => external_id.to_owned(),
        (external_id, name) => format!("{external_id} ({name})"),
    };
    printable(&text).into_owned()
}
