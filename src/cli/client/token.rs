//! `token create`, `token list` and `token revoke`: the tokens that jobs present to a server. They work on the
//! database, also while a server runs on it. `token local` prints the token that such a server made itself.

mod list;
mod local;
mod scope;

use anyhow::Context;
use clap::{Args, Subcommand, value_parser};
use time::Duration;
use uuid::Uuid;

use crate::cli::{
    ExitStatus,
    failure::UsageError,
    id_prefix::IdPrefix,
    output::{ListFormatArgs, PrintableList, Verbosity, print, printable, time_text},
    server::DatabaseArgs,
};
use crate::{
    access::{OrganizationScope, TokenText},
    clock::Clock,
    domain::{AuditActor, Permission, Permissions},
    proto::timestamp,
    store::{Store, StoreError, StoredToken},
};
use list::{TOKENS, TOKENS_CSV, TokenLine, organization, record};
use scope::ScopeArgs;

/// The word for a token, and the command that lists tokens.
const KIND: (&str, &str) = ("token", "user-import token list");

/// Create, list and revoke the tokens that clients present to a server
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: for a nightly import\n  \
    user-import token create nightly-cad --organization my-department --permission users.import")]
pub(crate) enum TokenCommand {
    Create(CreateArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
    Local(local::LocalArgs),
}

/// Create a token, and print it; it is printed only this once
///
/// Only a hash of the token is stored. If a token is lost, revoke it and create another. As soon as there is a token,
/// servers on this database admit nobody without a credential.
#[derive(Args, Debug)]
#[command(
    after_help = "Example: for a nightly import that also deactivates users who have left\n  \
    user-import token create nightly-cad --organization my-department \\\n    \
    --permission users.import,users.deactivate > nightly-cad.token\n\n\
    Permissions:\n  \
    users.import            import rosters, dry runs included, and cancel imports\n  \
    users.deactivate        make Active users Inactive, and protect users from that\n  \
    users.read              read users, catalogs, imports and their values\n  \
    users.grant-privileged  give privileged roles, and change users who have one\n  \
    catalog.write           replace an organisation's roles, ranks and groups\n  \
    organizations.write     create organisations\n  \
    users.approve           review held imports, and approve them"
)]
pub(crate) struct CreateArgs {
    /// Name of the token, 1-100 characters, that says its purpose; `token list` and the record of each import show it
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Permissions of the token, separated by commas
    #[arg(long, value_name = "PERMISSION", env = "USER_IMPORT_PERMISSION")]
    #[arg(required = true, value_delimiter = ',')]
    permission: Vec<Permission>,
    /// Days until the token expires
    #[arg(long, value_name = "D", env = "USER_IMPORT_EXPIRES_IN_DAYS")]
    #[arg(default_value_t = 90, value_parser = value_parser!(u16).range(1..=1_100))]
    expires_in_days: u16,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// List tokens with their permissions, expiry and last use
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import token list --organization my-department")]
pub(crate) struct ListArgs {
    /// Only tokens for the organisation with this slug
    #[arg(long, value_name = "SLUG", env = "USER_IMPORT_ORGANIZATION")]
    organization: Option<String>,
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Revoke a token: no server accepts it any more
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import token revoke 018f4e9e-5c7b-7000-8000-000000000001")]
pub(crate) struct RevokeArgs {
    /// ID of the token, as `token list` shows it. Its first characters are enough if no other token's ID begins with
    /// them
    #[arg(value_name = "TOKEN_ID")]
    id: IdPrefix,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the organisation or the token is unknown, or the database fails.
pub(crate) async fn run(command: TokenCommand, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    match command {
        TokenCommand::Create(args) => create(args, verbosity).await,
        TokenCommand::List(args) => list(args).await,
        TokenCommand::Revoke(args) => revoke(args, verbosity).await,
        TokenCommand::Local(args) => local::run(&args),
    }
}

async fn create(args: CreateArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let name = args.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
        return Err(UsageError::new("The name must have 1-100 characters of plain text.").into());
    }
    let store = connect(&args.database).await?;
    let scope = match args.scope {
        ScopeArgs(OrganizationScope::One(slug)) => {
            OrganizationScope::One(known(&store, slug).await?)
        }
        ScopeArgs(OrganizationScope::Every) => OrganizationScope::Every,
    };
    let text = TokenText::generate().context("this system gives no random numbers")?;
    let now = Clock::system().now();
    let token = StoredToken {
        id: Uuid::now_v7(),
        hash: text.hash().to_vec(),
        name: name.to_owned(),
        organization: scope.as_str().to_owned(),
        permissions: args
            .permission
            .into_iter()
            .collect::<Permissions>()
            .to_string(),
        created_at: now,
        expires_at: now + Duration::days(args.expires_in_days.into()),
        revoked_at: None,
        last_used_at: None,
    };
    store.create_token(token.clone(), &operator()).await?;
    verbosity.notice(&created(&token));
    print(&format!("{}\n", text.reveal()))?;
    Ok(ExitStatus::Done)
}

/// The principal for changes on the database itself; there is no credential to name.
fn operator() -> AuditActor {
    AuditActor {
        principal: "operator".to_owned(),
        address: String::new(),
    }
}

async fn connect(database: &DatabaseArgs) -> anyhow::Result<Store> {
    let store = database.connect().await?;
    store
        .migrate()
        .await
        .context("the database cannot be migrated")?;
    Ok(store)
}

/// Returns the slug if the organisation exists: a token for a mistyped one would be useless.
async fn known(store: &Store, slug: String) -> anyhow::Result<String> {
    match store.organization(&slug).await {
        Ok(organization) => Ok(organization.slug),
        Err(StoreError::UnknownOrganization) => {
            let message = format!("There is no organisation \"{}\".", printable(&slug));
            Err(UsageError::new(message).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn created(token: &StoredToken) -> String {
    format!(
        "Token {} for {}, valid until {} UTC, permits: {}.\n\
         It is shown only this once; give it to the job as USER_IMPORT_TOKEN or with --token-file.",
        token.id,
        organization(&token.organization),
        time_text(&timestamp(token.expires_at)),
        token.permissions
    )
}

async fn list(args: ListArgs) -> anyhow::Result<ExitStatus> {
    let store = connect(&args.database).await?;
    let tokens = store.tokens(args.organization.as_deref()).await?;
    let now = Clock::system().now();
    let lines: Vec<_> = tokens
        .into_iter()
        .map(|token| TokenLine::of(token, now))
        .collect();
    let list = PrintableList {
        items: &lines,
        nothing: "There are no tokens.\n".to_owned(),
        columns: &TOKENS,
        csv: (TOKENS_CSV, record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

async fn revoke(args: RevokeArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let store = connect(&args.database).await?;
    let (lowest, highest) = args.id.range();
    let found = store.tokens_between(lowest, highest).await?;
    let token = args.id.only(found, KIND, |token| {
        let organization = organization(&token.organization);
        format!("{}  {} for {organization}", token.id, token.name)
    })?;
    let now = Clock::system().now();
    store.revoke_token(token.id, &operator(), now).await?;
    let name = printable(&token.name);
    verbosity.confirm(&format!("Token {} ({name}) is revoked.\n", token.id))?;
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(subcommand)]
        command: TokenCommand,
    }

    fn parse(words: &str) -> Result<TokenCommand, clap::Error> {
        let words = ["token"].into_iter().chain(words.split_whitespace());
        TestCli::try_parse_from(words).map(|cli| cli.command)
    }

    #[test]
    fn a_token_is_for_one_organisation_or_says_that_it_is_for_every_one() {
        for (words, valid) in [
            ("create x --permission users.read", false),
            ("create x --permission users.read --organization pd", true),
            (
                "create x --permission users.read --every-organization",
                true,
            ),
            (
                "create x --permission users.read --organization pd --every-organization",
                false,
            ),
            ("create x --organization pd", false),
            ("create x --organization pd --permission everything", false),
            (
                "create x --organization pd --permission users.read,users.import",
                true,
            ),
            (
                "create x --organization pd --permission users.read --expires-in-days 0",
                false,
            ),
        ] {
            assert_eq!(parse(words).is_ok(), valid, "{words}");
        }
    }
}
