//! Records the changes that an import makes to its users, in the transaction that makes them, so that an undo can
//! restore the values (semantics §11). The record is removed once `--undo-retention-days` have passed.
//!
//! A batch holds the IDs of its users, the attributes that changed, and their values before and after, each as a text.
//! A reference is recorded as a number and a name. The number shows whether a user still refers to the same entry. The
//! name is there in case the catalog has lost the entry.

use prost::Message;
use prost::encoding::{decode_varint, encode_varint};
use uuid::Uuid;

use crate::{
    domain::{Column, ColumnSet, GroupId, RankId, RoleId, Status},
    import::{
        ImportError, messages,
        review::{PlannedImport, UserToDeactivate},
    },
    plan::{FinalUser, RowIndex, UserWrite},
    store::CompressedMessage,
};

/// Marks a user that the import created, beside the changed columns.
const CREATED: u32 = 1 << 31;

/// The changes of some users.
#[derive(Clone, PartialEq, Message)]
struct ChangedUsers {
    /// 16 bytes a user.
    #[prost(bytes = "vec", tag = "1")]
    ids: Vec<u8>,
    /// For each user the changed columns, as [`ColumnSet::bits`], and [`CREATED`].
    #[prost(uint32, repeated, tag = "2")]
    changes: Vec<u32>,
    /// For each user and each changed column the value before, unless the user is new, and the value after. Each begins
    /// with its length.
    #[prost(bytes = "vec", tag = "3")]
    values: Vec<u8>,
}

/// The changes that an import made to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedUser<'a> {
    pub(crate) id: Uuid,
    /// The import created the user.
    pub(crate) is_created: bool,
    /// The changed columns in order: all of them if the user is new.
    pub(crate) changes: Vec<ChangedColumn<'a>>,
}

/// The value of a column before and after an import. For a new user both are the value after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangedColumn<'a> {
    pub(crate) column: Column,
    pub(crate) before: RecordedValue<'a>,
    pub(crate) after: RecordedValue<'a>,
}

/// A recorded value; blank if it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordedValue<'a>(&'a [u8]);

/// The attributes that users have: all columns but LOCATION, which is not stored.
const ATTRIBUTES: ColumnSet = ColumnSet::ALL.without(Column::Location);

/// Encodes that these users were made Inactive.
pub(crate) fn encode_deactivated(users: &[UserToDeactivate]) -> CompressedMessage {
    let mut batch = ChangedUsers::default();
    for user in users {
        let status = ColumnSet::of(&[Column::Status]);
        batch.push(user.id, u32::from(status.bits()));
        for status in [Status::Active, Status::Inactive] {
            put_value(&mut batch.values, status.as_str().as_bytes());
        }
    }
    batch.payload()
}

/// Encodes what the `rows` of a plan change, in batches of bounded size.
pub(crate) fn encode(planned: &PlannedImport, rows: &[RowIndex]) -> Vec<CompressedMessage> {
    let mut payloads = Vec::new();
    let mut batch = ChangedUsers::default();
    let mut value = Vec::new();
    for &row in rows {
        let is_created = planned.plan.request.user_of(row).is_none();
        let (changes, mark) = match is_created {
            true => (ATTRIBUTES, CREATED),
            false => (planned.plan.decisions[row].changes, 0),
        };
        let id = planned.user_id(row).unwrap_or_default();
        batch.push(id, u32::from(changes.bits()) | mark);
        let values = RowValues::new(planned, row);
        for column in changes.iter() {
            if !is_created {
                value.clear();
                values.put_before(column, &mut value);
                put_value(&mut batch.values, &value);
            }
            value.clear();
            values.put_after(column, &mut value);
            put_value(&mut batch.values, &value);
        }
        if batch.values.len() >= messages::MESSAGE_BYTES {
            payloads.push(std::mem::take(&mut batch).payload());
        }
    }
    if !batch.ids.is_empty() {
        payloads.push(batch.payload());
    }
    payloads
}

/// The values of a row's user before and after the plan.
struct RowValues<'a> {
    planned: &'a PlannedImport,
    row: RowIndex,
    write: UserWrite<'a>,
}

impl<'a> RowValues<'a> {
    fn new(planned: &'a PlannedImport, row: RowIndex) -> Self {
        let write = planned.plan.write(row);
        Self {
            planned,
            row,
            write,
        }
    }

    fn put_before(&self, column: Column, value: &mut Vec<u8>) {
        let Some(user) = self.write.user else {
            return;
        };
        let snapshot = &self.planned.plan.request.snapshot;
        match column {
            Column::Role => self.put_role(user.role, value),
            Column::Rank => self.put_rank(user.rank, value),
            Column::EvidenceGroupExtId => self.put_group(user.group, value),
            Column::SupervisorEmail => {
                if let Some(id) = user.supervisor {
                    let own = snapshot.user_of(self.row);
                    let supervisor = own.and_then(|own| snapshot.supervisor_of(own));
                    let email = supervisor.map_or("", |at| snapshot.users()[at].email());
                    put_user(id, email, value);
                }
            }
            _ => value.extend(user.value(column).unwrap_or_default().as_bytes()),
        }
    }

    fn put_after(&self, column: Column, value: &mut Vec<u8>) {
        match column {
            Column::Role => self.put_role(self.write.role, value),
            Column::Rank => self.put_rank(self.write.rank, value),
            Column::EvidenceGroupExtId => self.put_group(self.write.group, value),
            Column::SupervisorEmail => match self.write.supervisor {
                None => {}
                Some(FinalUser::User(user)) => {
                    let user = &self.planned.plan.request.snapshot.users()[user];
                    put_user(user.id, user.email(), value);
                }
                Some(FinalUser::Row(row)) => {
                    let email = self.planned.plan.request.rows[row].value(Column::Email);
                    let id = self.planned.user_id(row).unwrap_or_default();
                    put_user(id, email.unwrap_or_default(), value);
                }
            },
            Column::Status => value.extend(self.write.status().as_str().as_bytes()),
            _ => value.extend(self.write.text(column).as_bytes()),
        }
    }

    fn put_role(&self, id: RoleId, value: &mut Vec<u8>) {
        put_entry(id.0, self.planned.plan.names.role(id), value);
    }

    fn put_rank(&self, id: Option<RankId>, value: &mut Vec<u8>) {
        if let Some(number) = id.map(RankId::get) {
            put_entry(number, self.planned.plan.names.rank(id), value);
        }
    }

    fn put_group(&self, id: Option<GroupId>, value: &mut Vec<u8>) {
        if let Some(number) = id.map(GroupId::get) {
            put_entry(number, self.planned.plan.names.group_external_id(id), value);
        }
    }
}

/// A number of the catalog, and the name that it had.
fn put_entry(id: i32, name: Option<&str>, value: &mut Vec<u8>) {
    encode_varint(u64::from(id.unsigned_abs()), value);
    value.extend(name.unwrap_or_default().as_bytes());
}

/// A user's ID, and the email that the user had.
fn put_user(id: Uuid, email: &str, value: &mut Vec<u8>) {
    value.extend(id.as_bytes());
    value.extend(email.as_bytes());
}

fn put_value(values: &mut Vec<u8>, value: &[u8]) {
    encode_varint(value.len() as u64, values);
    values.extend(value);
}

impl ChangedUsers {
    fn push(&mut self, id: Uuid, changes: u32) {
        self.ids.extend(id.as_bytes());
        self.changes.push(changes);
    }

    fn payload(&self) -> CompressedMessage {
        CompressedMessage::dense(&self.encode_to_vec())
    }
}

/// Reads a recorded batch, and calls `each` for each of its users.
///
/// # Errors
/// Fails if the batch is damaged.
pub(crate) fn read(batch: &[u8], mut each: impl FnMut(ChangedUser<'_>)) -> Result<(), ImportError> {
    let damaged = || ImportError::Internal("recorded values are damaged".to_owned());
    let users = ChangedUsers::decode(batch).map_err(|_| damaged())?;
    let mut values = users.values.as_slice();
    let ids = users.ids.chunks_exact(16);
    for (id, &bits) in ids.zip(&users.changes) {
        let id = Uuid::from_slice(id).map_err(|_| damaged())?;
        let is_created = bits & CREATED != 0;
        let columns = u16::try_from(bits & !CREATED).map_err(|_| damaged())?;
        let mut changes = Vec::new();
        for column in ColumnSet::from_bits(columns).iter() {
            let mut next = || take_value(&mut values).ok_or_else(damaged);
            let first = next()?;
            changes.push(ChangedColumn {
                column,
                before: first,
                after: if is_created { first } else { next()? },
            });
        }
        each(ChangedUser {
            id,
            is_created,
            changes,
        });
    }
    Ok(())
}

fn take_value<'a>(values: &mut &'a [u8]) -> Option<RecordedValue<'a>> {
    let length = usize::try_from(decode_varint(values).ok()?).ok()?;
    let (value, rest) = values.split_at_checked(length)?;
    *values = rest;
    Some(RecordedValue(value))
}

impl<'a> RecordedValue<'a> {
    /// The value of a column that users have as text.
    pub(crate) fn text(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }

    /// A number of the catalog and the name that it had, or `None` if the value is blank.
    pub(crate) fn entry(self) -> Option<(i32, &'a str)> {
        let mut rest = self.0;
        let number = decode_varint(&mut rest).ok()?;
        Some((i32::try_from(number).ok()?, RecordedValue(rest).text()))
    }

    /// A user's ID and the email that the user had, or `None` if the value is blank.
    pub(crate) fn user(self) -> Option<(Uuid, &'a str)> {
        let (id, email) = self.0.split_at_checked(16)?;
        Some((Uuid::from_slice(id).ok()?, RecordedValue(email).text()))
    }
}
