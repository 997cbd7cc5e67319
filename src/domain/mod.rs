//! What an import is about: columns, rows, issues, users, the catalog, and the field types whose
//! existence proves that a value is valid.
//!
//! Pure: knows neither bytes nor databases nor the wire.

mod actor;
mod catalog;
mod catalog_names;
mod check;
mod column;
mod email;
mod fault;
mod fold;
mod formula;
mod issue;
mod nearest;
mod normalise;
mod packed;
mod permission;
mod phone;
mod raw;
mod raw_rows;
mod record_fault;
mod row;
mod row_texts;
mod sheet;
mod slug;
mod suggest;
mod tally;
mod template;
mod text;
mod user;
mod user_texts;
mod username;

pub use actor::Actor;
pub use catalog::{Catalog, Group, GroupId, Rank, RankId, Role, RoleId, privilege_warnings};
pub use catalog_names::{CatalogName, NameFault, role_faults, visible_faults};
pub use check::MAX_FIELD_BYTES;
pub use column::{Column, ColumnSet};
pub use email::Email;
pub use fault::{Count, Fault, FaultContext, Unit};
pub use fold::fold;
pub use formula::neutralise;
pub use issue::{Issue, IssueCode, Severity};
pub use nearest::NearestIndex;
pub use normalise::{is_trimmed, normalise};
use packed::{PackedTexts, Packer};
pub use permission::{Permission, Permissions, UnknownPermission};
pub use phone::PhoneNumber;
pub use raw::{Cell, RawRow};
pub use raw_rows::{Intake, check_rows};
pub use record_fault::{ForeignLine, QuoteFault, ReportLine, StrayQuote};
pub use row::{Row, RowPacker, RowParts};
pub use sheet::{BYTE_ORDER_MARK, CsvSheet};
pub use slug::{InvalidSlug, Slug};
pub use suggest::{MAX_COMPARED, Offers, SuggestionBudget, nearest};
pub use tally::Tally;
pub use template::{TEMPLATE_FILENAME, is_template_example, template_csv};
pub use text::{BadgeNumber, ExternalId, Name, Username, strip_leading_zeros};
pub use user::{Status, User, UserPacker, UserText};
pub use username::Deception;
