//! Users as a CSV file that imports unchanged.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    domain::{BYTE_ORDER_MARK, Column, GroupId, RankId, RoleId, Status, User, neutralise},
    store::{Snapshot, UserFilter, contains_folded},
};

/// Size at which a piece of the file is sent, in bytes; one record is at most a few KiB.
const CHUNK_BYTES: usize = 48 * 1024;

/// Most users looked at for one piece. A strict filter makes small pieces.
const CHUNK_USERS: usize = 5_000;

/// How the file is written for spreadsheets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpreadsheetOptions {
    /// Neutralises values that a spreadsheet would compute.
    pub neutralize_formulas: bool,
    /// Begin with a byte order mark.
    pub byte_order_mark: bool,
}

/// Returns the CSV file of the users of `snapshot` that pass the filter, in pieces: a header, then one
/// record per user, by external ID. A piece may be empty. The first piece takes longest, because it sorts
/// the users.
///
/// # Errors
/// Fails only if the writer fails, which it does not on memory.
pub(super) fn pieces(
    mut snapshot: Snapshot,
    filter: UserFilter,
    spreadsheet: SpreadsheetOptions,
) -> impl Iterator<Item = Result<Vec<u8>, csv::Error>> + Send {
    let mut begins = match spreadsheet.byte_order_mark {
        true => BYTE_ORDER_MARK,
        false => "",
    };
    let mut names = None;
    let mut next = 0;
    let mut header = true;
    std::iter::from_fn(move || {
        let names = names.get_or_insert_with(|| {
            let by_external_id = |a: &User, b: &User| a.external_id().cmp(b.external_id());
            snapshot.users.sort_unstable_by(by_external_id);
            CatalogNames::new(&snapshot, spreadsheet.neutralize_formulas)
        });
        let users = &snapshot.users;
        if !header && next >= users.len() {
            return None;
        }
        let mut writer = csv::Writer::from_writer(std::mem::take(&mut begins).into());
        let written = fill(&mut writer, names, users, &filter, &mut next, &mut header);
        Some(written.and_then(|()| writer.into_inner().map_err(|e| e.into_error().into())))
    })
}

/// Writes users from number `next` on until the piece is full.
fn fill(
    writer: &mut csv::Writer<Vec<u8>>,
    names: &CatalogNames,
    users: &[User],
    filter: &UserFilter,
    next: &mut usize,
    header: &mut bool,
) -> Result<(), csv::Error> {
    if std::mem::take(header) {
        writer.write_record(Column::ALL.map(Column::header))?;
    }
    let mut bytes = 0;
    let end = users.len().min(*next + CHUNK_USERS);
    while let Some(user) = users[..end].get(*next).filter(|_| bytes < CHUNK_BYTES) {
        *next += 1;
        if passes(user, filter) {
            let record = names.record(users, user);
            bytes += record.iter().map(|value| value.len() + 1).sum::<usize>();
            names.write(writer, record)?;
        }
    }
    Ok(())
}

fn passes(user: &User, filter: &UserFilter) -> bool {
    let texts = Column::SEARCHED
        .iter()
        .filter_map(|column| user.value(column));
    filter
        .active
        .is_none_or(|active| active == (user.status == Status::Active))
        && filter.role.is_none_or(|role| role == user.role)
        && filter.group.is_none_or(|group| Some(group) == user.group)
        && contains_folded(texts, &filter.text)
}

/// The names behind the numbers of a user's fields.
struct CatalogNames {
    roles: HashMap<RoleId, String>,
    ranks: HashMap<RankId, String>,
    groups: HashMap<GroupId, String>,
    users: HashMap<Uuid, usize>,
    neutralize_formulas: bool,
}

impl CatalogNames {
    fn new(snapshot: &Snapshot, neutralize_formulas: bool) -> Self {
        let catalog = &snapshot.catalog;
        let users = snapshot.users.iter().enumerate();
        Self {
            roles: catalog
                .roles
                .iter()
                .map(|r| (r.id, r.name.clone()))
                .collect(),
            ranks: catalog
                .ranks
                .iter()
                .map(|r| (r.id, r.name.clone()))
                .collect(),
            groups: catalog
                .groups
                .iter()
                .map(|g| (g.id, g.external_id.clone()))
                .collect(),
            users: users.map(|(index, user)| (user.id, index)).collect(),
            neutralize_formulas,
        }
    }

    fn write(
        &self,
        writer: &mut csv::Writer<Vec<u8>>,
        record: [&str; Column::COUNT],
    ) -> Result<(), csv::Error> {
        match self.neutralize_formulas {
            true => writer.write_record(record.map(neutralise).each_ref().map(|v| v.as_bytes())),
            false => writer.write_record(record),
        }
    }

    fn record<'a>(&'a self, users: &'a [User], user: &'a User) -> [&'a str; Column::COUNT] {
        let supervisor = user.supervisor.and_then(|id| self.users.get(&id));
        Column::ALL.map(|column| match column {
            Column::Role => self.roles.get(&user.role).map_or("", String::as_str),
            Column::SupervisorEmail => supervisor.map_or("", |&index| users[index].email()),
            Column::Rank => named(user.rank, &self.ranks),
            Column::EvidenceGroupExtId => named(user.group, &self.groups),
            _ => user.value(column).unwrap_or_default(),
        })
    }
}

fn named<K: std::hash::Hash + Eq>(key: Option<K>, names: &HashMap<K, String>) -> &str {
    key.and_then(|key| names.get(&key))
        .map_or("", String::as_str)
}
