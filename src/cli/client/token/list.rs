//! Tokens as they are listed, for people and for programs.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    access::OrganizationScope,
    cli::output::{TextTable, rfc3339, time_text},
    proto::{Timestamp, timestamp},
    store::TokenRecord,
};

/// A token as it is listed; never its text or its hash.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenLine {
    id: Uuid,
    name: String,
    /// `*`: every one.
    organization: String,
    permissions: Vec<String>,
    state: &'static str,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
}

impl TokenLine {
    /// The token as it is listed at `now`.
    pub(super) fn of(token: TokenRecord, now: OffsetDateTime) -> Self {
        let permissions = token.permissions.split_whitespace();
        Self {
            state: state(&token, now),
            id: token.id,
            permissions: permissions.map(str::to_owned).collect(),
            name: token.name,
            organization: token.organization,
            created_at: timestamp(token.created_at),
            expires_at: timestamp(token.expires_at),
            last_used_at: token.last_used_at.map(timestamp),
            revoked_at: token.revoked_at.map(timestamp),
        }
    }
}

/// The table of tokens.
pub(super) const TOKENS: TextTable<7> = TextTable {
    headings: [
        "ID",
        "Name",
        "Organisation",
        "Permissions",
        "State",
        "Expires (UTC)",
        "Last used (UTC)",
    ],
    numbers: 0..0,
    unbroken: Some(0),
};

/// A token's line in the table.
pub(super) fn cells(token: &TokenLine) -> [String; 7] {
    let minute = |time: &Timestamp| {
        time_text(time)
            .chars()
            .take("2026-01-01 00:00".len())
            .collect()
    };
    [
        token.id.to_string(),
        token.name.clone(),
        organization(&token.organization),
        token.permissions.join(" "),
        token.state.to_owned(),
        minute(&token.expires_at),
        token.last_used_at.as_ref().map(minute).unwrap_or_default(),
    ]
}

/// The header row of tokens as CSV.
pub(super) const TOKENS_CSV: [&str; 9] = [
    "id",
    "name",
    "organization",
    "permissions",
    "state",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
];

/// A token's record in the CSV.
pub(super) fn record(token: &TokenLine) -> [String; 9] {
    [
        token.id.to_string(),
        token.name.clone(),
        token.organization.clone(),
        token.permissions.join(" "),
        token.state.to_owned(),
        rfc3339(Some(&token.created_at)),
        rfc3339(Some(&token.expires_at)),
        rfc3339(token.last_used_at.as_ref()),
        rfc3339(token.revoked_at.as_ref()),
    ]
}

/// An organisation for people.
pub(super) fn organization(scope: &str) -> String {
    match OrganizationScope::parse(scope) {
        OrganizationScope::Every => "every organisation".to_owned(),
        OrganizationScope::One(slug) => slug,
    }
}

fn state(token: &TokenRecord, now: OffsetDateTime) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.expires_at <= now => "expired",
        None => "good",
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use time::macros::datetime;

    use super::*;
    use crate::cli::output::TerminalStyle;

    #[test]
    fn the_list_shows_what_a_token_is_and_never_its_text() {
        let token = TokenRecord {
            id: Uuid::from_u128(1),
            hash: vec![7; 32],
            name: "nightly".to_owned(),
            organization: "pd".to_owned(),
            permissions: "users.import users.read".to_owned(),
            created_at: datetime!(2026-01-01 00:00 UTC),
            expires_at: datetime!(2026-04-01 00:00 UTC),
            revoked_at: None,
            last_used_at: Some(datetime!(2026-03-01 04:05 UTC)),
        };
        let now = datetime!(2026-03-02 00:00 UTC);
        let expired = TokenRecord {
            id: Uuid::from_u128(2),
            expires_at: now,
            organization: "*".to_owned(),
            last_used_at: None,
            ..token.clone()
        };
        let revoked = TokenRecord {
            id: Uuid::from_u128(3),
            revoked_at: Some(now),
            ..token.clone()
        };
        let lines = [token, expired, revoked].map(|token| cells(&TokenLine::of(token, now)));
        assert_snapshot!(TOKENS.text(lines, TerminalStyle::default()), @"
        ┌──────────────────────────────────────┬─────────┬────────────────────┬─────────────────────────┬─────────┬──────────────────┬──────────────────┐
        │ ID                                   ┆ Name    ┆ Organisation       ┆ Permissions             ┆ State   ┆ Expires (UTC)    ┆ Last used (UTC)  │
        ╞══════════════════════════════════════╪═════════╪════════════════════╪═════════════════════════╪═════════╪══════════════════╪══════════════════╡
        │ 00000000-0000-0000-0000-000000000001 ┆ nightly ┆ pd                 ┆ users.import users.read ┆ good    ┆ 2026-04-01 00:00 ┆ 2026-03-01 04:05 │
        │ 00000000-0000-0000-0000-000000000002 ┆ nightly ┆ every organisation ┆ users.import users.read ┆ expired ┆ 2026-03-02 00:00 ┆                  │
        │ 00000000-0000-0000-0000-000000000003 ┆ nightly ┆ pd                 ┆ users.import users.read ┆ revoked ┆ 2026-04-01 00:00 ┆ 2026-03-01 04:05 │
        └──────────────────────────────────────┴─────────┴────────────────────┴─────────────────────────┴─────────┴──────────────────┴──────────────────┘
        ");
    }
}
