//! The list of tokens, for people and for programs.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    access::OrganizationScope,
    cli::output::{ListColumn, minute_text, rfc3339},
    proto::{Timestamp, timestamp},
    store::StoredToken,
};

/// A token in the list, without its text and its hash.
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
    /// Returns the token's entry in the list at `now`.
    pub(super) fn of(token: StoredToken, now: OffsetDateTime) -> Self {
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

/// The columns of tokens.
pub(super) const TOKENS: [ListColumn<TokenLine>; 8] = [
    ListColumn::id("ID", |token| token.id.to_string()),
    ListColumn::text("Name", |token| token.name.clone(), 10),
    ListColumn::text("Organisation", of_organization, 12),
    ListColumn::whole("State", |token| token.state.to_owned()),
    ListColumn::whole("Expires", |token| day(&token.expires_at)),
    ListColumn::text("Permissions", |token| token.permissions.join(" "), 14),
    ListColumn::whole("Last used (UTC)", |token: &TokenLine| {
        minute_text(token.last_used_at.as_ref())
    })
    .if_room(),
    ListColumn::whole("Created (UTC)", |token: &TokenLine| {
        minute_text(Some(&token.created_at))
    })
    .if_wide(),
];

/// The organisation in few words: the column's heading says what it is.
fn of_organization(token: &TokenLine) -> String {
    match OrganizationScope::parse(&token.organization) {
        OrganizationScope::Every => "(every one)".to_owned(),
        OrganizationScope::One(slug) => slug,
    }
}

/// The day of a time.
fn day(time: &Timestamp) -> String {
    let minute = minute_text(Some(time));
    minute.split(' ').next().unwrap_or_default().to_owned()
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

fn state(token: &StoredToken, now: OffsetDateTime) -> &'static str {
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
    use crate::cli::output::{TerminalStyle, list_text};

    /// Returns a valid, an expired and a revoked token.
    fn tokens(now: OffsetDateTime) -> [StoredToken; 3] {
        let token = StoredToken {
            id: Uuid::from_u128(0x018f_4e9e_5c7b_7000_8000_0000_0000_0001),
            hash: vec![7; 32],
            name: "nightly".to_owned(),
            organization: "pd".to_owned(),
            permissions: "users.import users.read".to_owned(),
            created_at: datetime!(2026-01-01 00:00 UTC),
            expires_at: datetime!(2026-04-01 00:00 UTC),
            revoked_at: None,
            last_used_at: Some(datetime!(2026-03-01 04:05 UTC)),
        };
        let expired = StoredToken {
            id: Uuid::from_u128(0x018f_4e9e_5c7c_7000_8000_0000_0000_0001),
            expires_at: now,
            organization: "*".to_owned(),
            last_used_at: None,
            ..token.clone()
        };
        let revoked = StoredToken {
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
            revoked_at: Some(now),
            ..token.clone()
        };
        [token, expired, revoked]
    }

    #[test]
    fn the_list_shows_what_a_token_is_and_never_its_text() {
        let now = datetime!(2026-03-02 00:00 UTC);
        let lines = tokens(now).map(|token| TokenLine::of(token, now));
        let at = |width, is_wide| {
            let style = TerminalStyle {
                colours: false,
                width,
            };
            list_text(&lines, &TOKENS, is_wide, style)
        };
        assert_snapshot!(at(Some(80), false), @"
        ID             Name     Organisation  State    Expires     Permissions
        018f4e9e-5c7b  nightly  pd            good     2026-04-01  users.import users.r…
        018f4e9e-5c7c  nightly  (every one)   expired  2026-03-02  users.import users.r…
        01900000-0000  nightly  pd            revoked  2026-04-01  users.import users.r…
        ");
        assert_snapshot!(at(Some(140), false), @"
        ID             Name     Organisation  State    Expires     Permissions              Last used (UTC)
        018f4e9e-5c7b  nightly  pd            good     2026-04-01  users.import users.read  2026-03-01 04:05
        018f4e9e-5c7c  nightly  (every one)   expired  2026-03-02  users.import users.read
        01900000-0000  nightly  pd            revoked  2026-04-01  users.import users.read  2026-03-01 04:05
        ");
        assert_snapshot!(at(None, false), @"
        ID                                    Name     Organisation  State    Expires     Permissions              Last used (UTC)
        018f4e9e-5c7b-7000-8000-000000000001  nightly  pd            good     2026-04-01  users.import users.read  2026-03-01 04:05
        018f4e9e-5c7c-7000-8000-000000000001  nightly  (every one)   expired  2026-03-02  users.import users.read  -
        01900000-0000-7000-8000-000000000001  nightly  pd            revoked  2026-04-01  users.import users.read  2026-03-01 04:05
        ");
        assert_snapshot!(at(Some(80), true).split("\n\n").next().unwrap(), @"
        ID               018f4e9e-5c7b-7000-8000-000000000001
        Name             nightly
        Organisation     pd
        State            good
        Expires          2026-04-01
        Permissions      users.import users.read
        Last used (UTC)  2026-03-01 04:05
        Created (UTC)    2026-01-01 00:00
        ");
    }
}
