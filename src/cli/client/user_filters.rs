//! The filters of commands that select users.

use clap::{Args, ValueEnum};

use crate::proto::UserStatus;

/// Which users are meant; all that are given must hold.
#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
pub(super) struct UserFilterArgs {
    /// Only users with this status
    #[arg(long, env = "USER_IMPORT_STATUS", value_enum)]
    status: Option<StatusArg>,
    /// Only users with this role
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_ROLE")]
    pub role: Option<String>,
    /// Only users in the group with this external ID
    #[arg(long, value_name = "EXTERNAL_ID", env = "USER_IMPORT_GROUP")]
    pub group: Option<String>,
    /// Only users with this text in their names, IDs, email or badge number
    #[arg(long, env = "USER_IMPORT_TEXT")]
    pub text: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StatusArg {
    Active,
    Inactive,
}

impl From<StatusArg> for UserStatus {
    fn from(status: StatusArg) -> Self {
        match status {
            StatusArg::Active => Self::Active,
            StatusArg::Inactive => Self::Inactive,
        }
    }
}

impl UserFilterArgs {
    /// Returns `true` if one is given.
    pub(super) const fn is_any(&self) -> bool {
        self.status.is_some() || self.role.is_some() || self.group.is_some() || self.text.is_some()
    }

    /// The status, unspecified if any will do.
    pub(super) fn status(&self) -> UserStatus {
        self.status.map_or(UserStatus::Unspecified, Into::into)
    }
}
