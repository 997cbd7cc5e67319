//! The columns of a roster, and the one table that says what each of them is. Headers, the template, what users have as
//! text, what the database stores, what a search looks at and what an export writes follow from this table. Checks no
//! value; that is `check.rs`.

use std::borrow::Cow;
use std::fmt;

use super::{ColumnSet, email_key, fold};

/// One column of a roster, in the template's order (semantics §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    /// Matches a user of the directory, exactly.
    ExternalId,
    /// Unique, compared without case.
    Email,
    /// Unique, compared exactly.
    BadgeNumber,
    /// Given name.
    FirstName,
    /// Family name.
    LastName,
    /// Active or Inactive.
    Status,
    /// Unique, compared without case.
    Username,
    /// Name of a configured role.
    Role,
    /// Email of the supervisor in the final state.
    SupervisorEmail,
    /// Reserved: accepted, not stored.
    Location,
    /// Name of a configured rank.
    Rank,
    /// External ID of an active group.
    EvidenceGroupExtId,
    /// Phone number with country code.
    Phone,
}

/// The facts about one column.
struct ColumnFacts {
    column: Column,
    /// The name in a CSV header.
    header: &'static str,
    /// Every file must have the column, and every row must fill it.
    is_required: bool,
    /// What a cell may hold, for people: it ends the sentence "ROLE: …".
    rule: &'static str,
    holds: ColumnContent,
    /// The columns of the table `users`: the first has the value, or the number that it stands for. The second has the
    /// [comparable](Column::comparable) form, if that is another text.
    stored_as: &'static [&'static str],
    /// The values in the rows of the template: a supervisor; a report with every value; a new user who gets an external
    /// ID; a user who has left. Names of roles, ranks and groups are replaced by the organisation's own.
    examples: [&'static str; Column::EXAMPLES],
}

/// What a user has in a column.
#[derive(Clone, Copy)]
enum ColumnContent {
    /// A text that no other user of the organisation has.
    Key,
    /// A text that searches look at.
    Text,
    /// A text that searches do not look at, or none.
    OptionalText,
    /// Active or inactive.
    Status,
    /// A reference to an entry of the catalog, or to another user.
    Reference,
    /// Nothing: the column is reserved.
    Nothing,
}

/// The columns, in the template's order.
const TABLE: &[ColumnFacts] = &[
    ColumnFacts {
        column: Column::ExternalId,
        header: "EXTERNAL_ID",
        is_required: false,
        rule: "1–255 characters. Finds the user whose external ID is exactly this; a blank cell \
            creates a user with a generated external ID",
        holds: ColumnContent::Key,
        stored_as: &["external_id"],
        examples: ["EXAMPLE-1", "EXAMPLE-2", "", "EXAMPLE-4"],
    },
    ColumnFacts {
        column: Column::Email,
        header: "EMAIL",
        is_required: true,
        rule: "an email address, at most 254 bytes, unique",
        holds: ColumnContent::Key,
        stored_as: &["email", "email_key"],
        // No user has one of these: `.example` is reserved (RFC 2606). Rows with them are recognised as examples.
        examples: [
            "jordan.sample@template.example",
            "casey.sample@template.example",
            "robin.sample@template.example",
            "morgan.sample@template.example",
        ],
    },
    ColumnFacts {
        column: Column::BadgeNumber,
        header: "BADGE_NUMBER",
        is_required: true,
        rule: "at most 64 characters, unique; leading zeros count",
        holds: ColumnContent::Key,
        stored_as: &["badge_number"],
        examples: ["00101", "00102", "00103", "00104"],
    },
    ColumnFacts {
        column: Column::FirstName,
        header: "FIRST_NAME",
        is_required: true,
        rule: "at most 128 characters",
        holds: ColumnContent::Text,
        stored_as: &["first_name"],
        examples: ["Jordan", "Casey", "Robin", "Morgan"],
    },
    ColumnFacts {
        column: Column::LastName,
        header: "LAST_NAME",
        is_required: true,
        rule: "at most 128 characters",
        holds: ColumnContent::Text,
        stored_as: &["last_name"],
        examples: ["Sample"; Column::EXAMPLES],
    },
    ColumnFacts {
        column: Column::Status,
        header: "STATUS",
        is_required: true,
        rule: "`Active` or `Inactive`",
        holds: ColumnContent::Status,
        stored_as: &["active"],
        examples: ["Active", "Active", "Active", "Inactive"],
    },
    ColumnFacts {
        column: Column::Username,
        header: "USERNAME",
        is_required: true,
        rule: "at most 128 characters without white space, unique",
        holds: ColumnContent::Key,
        stored_as: &["username", "username_key"],
        examples: [
            "jordan.sample",
            "casey.sample",
            "robin.sample",
            "morgan.sample",
        ],
    },
    ColumnFacts {
        column: Column::Role,
        header: "ROLE",
        is_required: true,
        rule: "the name of a role of the organisation",
        holds: ColumnContent::Reference,
        stored_as: &["role_id"],
        examples: ["Officer"; Column::EXAMPLES],
    },
    ColumnFacts {
        column: Column::SupervisorEmail,
        header: "SUPERVISOR_EMAIL",
        is_required: false,
        rule: "the email of a user, who may be new in the same file",
        holds: ColumnContent::Reference,
        stored_as: &["supervisor_id"],
        examples: [
            "",
            "jordan.sample@template.example",
            "jordan.sample@template.example",
            "",
        ],
    },
    ColumnFacts {
        column: Column::Location,
        header: "LOCATION",
        is_required: false,
        rule: "reserved: accepted, not stored",
        holds: ColumnContent::Nothing,
        stored_as: &[],
        examples: [""; Column::EXAMPLES],
    },
    ColumnFacts {
        column: Column::Rank,
        header: "RANK",
        is_required: false,
        rule: "the name of a rank of the organisation",
        holds: ColumnContent::Reference,
        stored_as: &["rank_id"],
        examples: ["Sergeant", "Sergeant", "Sergeant", ""],
    },
    ColumnFacts {
        column: Column::EvidenceGroupExtId,
        header: "EVIDENCE_GROUP_EXT_ID",
        is_required: false,
        rule: "the external ID of an active group",
        holds: ColumnContent::Reference,
        stored_as: &["group_id"],
        examples: ["NORTH", "NORTH", "", ""],
    },
    ColumnFacts {
        column: Column::Phone,
        header: "PHONE",
        is_required: false,
        rule: "a number with its country code, stored as `+12025550123`",
        holds: ColumnContent::OptionalText,
        stored_as: &["phone"],
        examples: ["+12025550101", "+442079460018", "", ""],
    },
];

impl Column {
    /// Number of columns.
    pub const COUNT: usize = TABLE.len();

    /// Number of example rows in the template.
    pub(crate) const EXAMPLES: usize = 4;

    /// All columns, in the template's order; `ALL[c as usize] == c`.
    pub const ALL: [Self; Self::COUNT] = {
        let (mut all, mut at) = ([Self::ExternalId; Self::COUNT], 0);
        while at < Self::COUNT {
            all[at] = TABLE[at].column;
            assert!(all[at] as usize == at, "the table has the enum's order");
            at += 1;
        }
        all
    };

    /// The keys: no two users of an organisation have the same text in one of them.
    pub(crate) const KEYS: ColumnSet = holding(ColumnContent::Key);

    /// The texts that searches look at.
    pub(crate) const SEARCHED: ColumnSet = Self::KEYS.union(holding(ColumnContent::Text));

    /// The values that users have as text.
    pub(crate) const TEXTS: ColumnSet = Self::SEARCHED.union(holding(ColumnContent::OptionalText));

    /// The columns that refer to an entry of the catalog or to another user.
    pub(crate) const REFERENCES: ColumnSet = holding(ColumnContent::Reference);

    /// Returns the name in a CSV header. Messages use it for typed rows too.
    #[must_use]
    pub const fn header(self) -> &'static str {
        self.facts().header
    }

    /// Returns `true` for the columns that every file must have and every row must fill.
    #[must_use]
    pub const fn is_required(self) -> bool {
        self.facts().is_required
    }

    /// Returns what a cell may hold, in words for an administrator: the end of a sentence, without a full stop. Values
    /// stand between backquotes.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        self.facts().rule
    }

    /// Returns `true` for the columns in which a blank cell clears what the user has.
    #[must_use]
    pub const fn is_cleared_by_blank(self) -> bool {
        let stores = !matches!(self.facts().holds, ColumnContent::Nothing);
        !self.is_required() && stores && !matches!(self, Self::ExternalId)
    }

    /// Returns `true` if a user may be without a text in this column.
    pub(crate) const fn is_optional_text(self) -> bool {
        matches!(self.facts().holds, ColumnContent::OptionalText)
    }

    /// Returns the columns of the table `users`: the first has the value, or the number that it stands for. The second
    /// has the [comparable](Self::comparable) form, if that is another text. LOCATION has none.
    pub(crate) const fn stored_as(self) -> &'static [&'static str] {
        self.facts().stored_as
    }

    /// Returns the form in which two texts are equal if and only if they are the same key (semantics §1).
    pub(crate) fn comparable(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Email => email_key(text),
            Self::Username => fold(text),
            _ => Cow::Borrowed(text),
        }
    }

    /// Returns the values in the rows of the template.
    pub(super) const fn examples(self) -> [&'static str; Self::EXAMPLES] {
        self.facts().examples
    }

    const fn facts(self) -> &'static ColumnFacts {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header())
    }
}

/// Returns the columns in which users have this.
const fn holding(what: ColumnContent) -> ColumnSet {
    let (mut set, mut at) = (ColumnSet::EMPTY, 0);
    while at < TABLE.len() {
        if TABLE[at].holds as u8 == what as u8 {
            set.insert(TABLE[at].column);
        }
        at += 1;
    }
    set
}
