//! Turns stored values into messages of the contract.

use crate::{
    domain::{Catalog, Column, NamesById, PhoneRegion, Status, ValuePattern},
    proto::{self, timestamp},
    store::{Organization, StoredUser},
};

/// An organisation.
pub(super) fn organization(stored: Organization) -> proto::Organization {
    proto::Organization {
        organization: stored.slug,
        display_name: stored.display_name,
        created_at: Some(timestamp(stored.created_at)),
    }
}

/// A catalog.
pub(super) fn catalog(stored: Catalog) -> proto::Catalog {
    let role = |role: crate::domain::Role| proto::Role {
        name: role.name,
        previous_name: String::new(),
        privileged: role.privileged,
    };
    let rank = |rank: crate::domain::Rank| proto::Rank {
        name: rank.name,
        previous_name: String::new(),
    };
    let group = |group: crate::domain::Group| proto::Group {
        external_id: group.external_id,
        name: group.name,
        active: group.active,
    };
    proto::Catalog {
        roles: stored.roles.into_iter().map(role).collect(),
        ranks: stored.ranks.into_iter().map(rank).collect(),
        groups: stored.groups.into_iter().map(group).collect(),
        phone_region: stored
            .phone_region
            .map(PhoneRegion::code)
            .unwrap_or_default(),
        badge_number_pattern: pattern(stored.badge_number_pattern),
        external_id_pattern: pattern(stored.external_id_pattern),
    }
}

fn pattern(stored: Option<ValuePattern>) -> String {
    stored
        .map(|pattern| pattern.as_str().to_owned())
        .unwrap_or_default()
}

/// A user, with the names that the catalog has for role, rank and group.
pub(super) fn user(record: StoredUser, names: &NamesById) -> proto::User {
    let user = record.user;
    let status = match user.status {
        Status::Active => proto::UserStatus::Active,
        Status::Inactive => proto::UserStatus::Inactive,
    };
    let text = |column| user.value(column).unwrap_or_default().to_owned();
    let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
    proto::User {
        id: user.id.to_string(),
        external_id: text(Column::ExternalId),
        email: text(Column::Email),
        badge_number: text(Column::BadgeNumber),
        first_name: text(Column::FirstName),
        last_name: text(Column::LastName),
        status: status.into(),
        username: text(Column::Username),
        role: name(names.role(user.role)),
        supervisor_email: record.supervisor_email.unwrap_or_default(),
        rank: name(names.rank(user.rank)),
        evidence_group_external_id: name(names.group_external_id(user.group)),
        phone: text(Column::Phone),
        protected: user.protected,
        created_at: Some(timestamp(record.created_at)),
        updated_at: Some(timestamp(record.updated_at)),
        last_import_id: record
            .last_import_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
    }
}

/// The user as shown to a caller who may protect users but not read them.
pub(super) fn protection_alone(user: proto::User) -> proto::User {
    proto::User {
        id: user.id,
        protected: user.protected,
        ..proto::User::default()
    }
}
