//! `user list`: the users that pass the filters.

use std::io;

use clap::Args;

use super::{name, status};
use crate::cli::{
    ExitStatus,
    client::{connection::OrganizationArgs, user_filters::UserFilterArgs},
    output::{
        CsvText, LimitArgs, ListColumn, ListFormatArgs, OutputFormat, PrintableList, Verbosity,
        minute_text, print, rfc3339, write_line,
    },
};
use crate::client::ServiceClient;
use crate::proto::{ListUsersRequest, User};

/// List an organisation's users, by external ID
///
/// For all users of a large organisation `export` is quicker.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: look for a person, and count the inactive officers\n  \
    user-import user list --organization my-department --text garcia\n  \
    user-import user list --organization my-department --status inactive --role Officer \\\n    \
    --limit 100000 --format csv | wc -l"
)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filters: UserFilterArgs,
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// The columns of users.
pub(super) const USERS: [ListColumn<User>; 15] = [
    ListColumn::text("External ID", |user| user.external_id.clone(), 11),
    ListColumn::text("Name", name, 12),
    ListColumn::text("Email", |user| user.email.clone(), 16),
    ListColumn::whole("Status", |user| status(user).to_owned()),
    ListColumn::text("Role", |user| user.role.clone(), 10),
    ListColumn::text("Badge", |user: &User| user.badge_number.clone(), 5).if_room(),
    ListColumn::whole("Protected", |user: &User| protected(user).to_owned()).if_room(),
    ListColumn::text("Rank", |user: &User| user.rank.clone(), 8).if_room(),
    ListColumn::text(
        "Group",
        |user: &User| user.evidence_group_external_id.clone(),
        8,
    )
    .if_room(),
    ListColumn::text(
        "Supervisor",
        |user: &User| user.supervisor_email.clone(),
        16,
    )
    .if_wide(),
    ListColumn::text("Username", |user: &User| user.username.clone(), 8).if_wide(),
    ListColumn::whole("Phone", |user: &User| user.phone.clone()).if_wide(),
    ListColumn::whole("Changed (UTC)", |user: &User| {
        minute_text(user.updated_at.as_ref())
    })
    .if_wide(),
    ListColumn::id("Last import", |user: &User| user.last_import_id.clone()).if_wide(),
    ListColumn::id("ID", |user: &User| user.id.clone()).if_wide(),
];

/// The header row of users as CSV. It is no roster: `export` writes one.
pub(super) const USERS_CSV: [&str; 17] = [
    "id",
    "external_id",
    "email",
    "badge_number",
    "first_name",
    "last_name",
    "status",
    "username",
    "role",
    "supervisor_email",
    "rank",
    "evidence_group_external_id",
    "phone",
    "protected",
    "created_at",
    "updated_at",
    "last_import_id",
];

const fn protected(user: &User) -> &'static str {
    if user.protected { "yes" } else { "" }
}

/// A user's record in the CSV.
pub(super) fn record(user: &User) -> [String; 17] {
    [
        user.id.clone(),
        user.external_id.clone(),
        user.email.clone(),
        user.badge_number.clone(),
        user.first_name.clone(),
        user.last_name.clone(),
        status(user).to_owned(),
        user.username.clone(),
        user.role.clone(),
        user.supervisor_email.clone(),
        user.rank.clone(),
        user.evidence_group_external_id.clone(),
        user.phone.clone(),
        user.protected.to_string(),
        rfc3339(user.created_at.as_ref()),
        rfc3339(user.updated_at.as_ref()),
        user.last_import_id.clone(),
    ]
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or standard output is closed.
pub(super) async fn run(args: ListArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let request = ListUsersRequest {
        organization: organization.clone(),
        status: args.filters.status().into(),
        role: args.filters.role.clone().unwrap_or_default(),
        group: args.filters.group.clone().unwrap_or_default(),
        text: args.filters.text.clone().unwrap_or_default(),
        ..ListUsersRequest::default()
    };
    let is_cut = match args.format.format.format {
        OutputFormat::Table => table(&args, &mut client, request).await?,
        format => stream(&args, &mut client, request, format).await?,
    };
    if is_cut {
        verbosity.notice(&format!(
            "There may be more; --limit {} shows more, and user-import export writes all.",
            args.limit.limit.saturating_mul(10)
        ));
    }
    Ok(ExitStatus::Done)
}

/// Prints the table, whose columns are as wide as its users need. Returns `true` if there may be more.
async fn table(
    args: &ListArgs,
    client: &mut ServiceClient,
    request: ListUsersRequest,
) -> anyhow::Result<bool> {
    let nothing = match args.filters.is_any() {
        true => "No user passes these filters.\n".to_owned(),
        false => format!("{} has no users.\n", request.organization),
    };
    let mut users = Vec::new();
    let take = |page| {
        users.extend::<Vec<User>>(page);
        Ok(())
    };
    let is_cut = client.users(request, args.limit.limit, take).await?;
    let list = PrintableList {
        items: &users,
        nothing,
        columns: &USERS,
        csv: (USERS_CSV, record),
    };
    list.print(args.format)?;
    Ok(is_cut)
}

/// Prints users as they arrive, for a program that may want all of them. Returns `true` if there may be more.
async fn stream(
    args: &ListArgs,
    client: &mut ServiceClient,
    request: ListUsersRequest,
    format: OutputFormat,
) -> anyhow::Result<bool> {
    if format == OutputFormat::Csv {
        print(&CsvText::of(&USERS_CSV, [])?)?;
    }
    let mut line = Vec::new();
    let take = |page: Vec<User>| {
        if format == OutputFormat::Csv {
            let mut text = CsvText::new();
            let mut records = page.iter().map(record);
            let added = records.try_for_each(|record| text.push(&record));
            let text = added.and_then(|()| text.text());
            return text.and_then(|text| print(&text)).map_err(io::Error::other);
        }
        let mut out = io::stdout().lock();
        let mut users = page.iter();
        users.try_for_each(|user| write_line(&mut out, &mut line, user))
    };
    Ok(client.users(request, args.limit.limit, take).await?)
}
