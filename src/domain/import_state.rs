//! How far an import is. The numbers are those of the contract and of the database; a test compares them.

/// The state of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Input is being received or planned; nothing is written.
    Receiving = 1,
    /// Users are being written.
    Applying,
    /// It ran to its end; a dry run too.
    Completed,
    /// It was refused as a whole; no user was written.
    Refused,
    /// It stopped while applying, or before.
    Interrupted,
    /// It was stopped by `CancelImport`; what was written stays.
    Cancelled,
    /// A guard refused it, and it is held for review; no user was written.
    Held,
}

/// What a running import does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportPhase {
    /// Reads the input.
    Receiving = 1,
    /// Decides every row.
    Planning,
    /// Writes users.
    Applying,
    /// Deactivates users that are not listed.
    Deactivating,
}

impl ImportState {
    /// Returns the state with this number. No other number is ever stored; it counts as interrupted.
    #[must_use]
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Receiving,
            2 => Self::Applying,
            3 => Self::Completed,
            4 => Self::Refused,
            6 => Self::Cancelled,
            7 => Self::Held,
            _ => Self::Interrupted,
        }
    }

    /// Returns the state's name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Applying => "applying",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
        }
    }
}

impl From<ImportState> for i32 {
    fn from(state: ImportState) -> Self {
        state as Self
    }
}
