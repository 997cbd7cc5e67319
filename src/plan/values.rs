//! Keys and phone numbers that a spreadsheet or a script has changed, and keys that do not match the
//! organisation's patterns (semantics §2): what only the directory and the catalog can tell. Part of the field
//! checks; it looks at rows that a cheap test of the value has singled out, and at no others.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use super::Request;
use super::attributes::sound;
use super::check::is_kept;
use super::cores;
use super::finding::{Finding, Findings};
use super::keys::Key;
use super::links::indices;
use super::text::strip_leading_zeros;
use crate::domain::{Column, ColumnSet, is_date_like, without_artifacts};

/// The keys that spreadsheets change.
const KEYS: [Key; 3] = [Key::ExternalId, Key::BadgeNumber, Key::Username];

/// What these checks found besides findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Mistaken {
    /// Rows whose external ID is somebody's as a spreadsheet has changed it, or nobody's.
    pub(super) ids: HashSet<u32>,
    /// A row, and a user that it probably means by a key that was rejected here; in the order of the rows.
    pub(super) meant: Vec<(u32, u32)>,
}

impl Mistaken {
    /// The users that `row` probably means.
    pub(super) fn meant_by(&self, row: u32) -> impl Iterator<Item = u32> {
        let start = self.meant.partition_point(|&(other, _)| other < row);
        let of_row = self.meant[start..]
            .iter()
            .take_while(move |&&(other, _)| other == row);
        of_row.map(|&(_, user)| user)
    }
}

/// Checks the values of all rows; a column that fails is added to `unsound`.
pub(super) fn check_values(
    request: &Request<'_>,
    unsound: &mut [ColumnSet],
    findings: &mut Findings,
    mistaken: &mut Mistaken,
) {
    let rows = indices(request.rows).filter(|&row| request.rows[row as usize].is_suspect());
    let suspects: Vec<u32> = rows.collect();
    let mut cells: Vec<Cell<'_>> = Vec::new();
    for &row in &suspects {
        let unsound = unsound[row as usize];
        cells.extend(
            KEYS.into_iter()
                .filter_map(|key| Cell::suspect(request, row, key, unsound)),
        );
    }
    let misfits = find_misfits(request, unsound);
    cells.extend(misfits);
    if cells.is_empty() && suspects.is_empty() {
        return;
    }
    let holders = Holders::new(request, &cells);
    for cell in &cells {
        cell.judge(request, &holders, unsound, findings, mistaken);
    }
    for row in suspects {
        check_phone(request, row, unsound, findings);
    }
    mistaken.meant.sort_unstable();
}

/// The keys that do not match the organisation's patterns.
fn find_misfits<'a>(request: &Request<'a>, unsound: &[ColumnSet]) -> Vec<Cell<'a>> {
    let keys = KEYS
        .into_iter()
        .filter(|&key| request.pattern(key).is_some());
    let misfits = keys.flat_map(|key| {
        let is_misfit = cores::map(request.rows, |at, row| {
            let value = sound(row, unsound[at as usize], key.column());
            let pattern = request.pattern(key);
            value
                .zip(pattern)
                .is_some_and(|(value, pattern)| !pattern.matches(value))
        });
        let rows = indices(request.rows).zip(is_misfit).filter(|&(_, is)| is);
        rows.filter_map(move |(row, _)| Cell::misfit(request, row, key))
            .collect::<Vec<_>>()
    });
    misfits.collect()
}

/// A value that may have been changed.
struct Cell<'a> {
    row: u32,
    key: Key,
    value: &'a str,
    /// What it may have been before.
    before: Vec<String>,
    /// It does not match the organisation's pattern.
    is_misfit: bool,
}

impl<'a> Cell<'a> {
    /// A value that a spreadsheet or a script may have changed.
    fn suspect(request: &Request<'a>, row: u32, key: Key, unsound: ColumnSet) -> Option<Self> {
        let value = sound(&request.rows[row as usize], unsound, key.column())?;
        let before = without_artifacts(value);
        let is_date = key == Key::BadgeNumber && is_date_like(value);
        (is_date || !before.is_empty()).then_some(Self {
            row,
            key,
            value,
            before,
            is_misfit: false,
        })
    }

    /// A value that does not match the pattern of its key; zeros may be all that it lacks.
    fn misfit(request: &Request<'a>, row: u32, key: Key) -> Option<Self> {
        let value = request.rows[row as usize].value(key.column())?;
        Some(Self {
            row,
            key,
            value,
            before: vec![value.to_owned()],
            is_misfit: true,
        })
    }

    fn judge(
        &self,
        request: &Request<'_>,
        holders: &Holders<'_>,
        unsound: &mut [ColumnSet],
        findings: &mut Findings,
        mistaken: &mut Mistaken,
    ) {
        let &Self { row, key, .. } = self;
        let column = key.column();
        let kept = is_kept(request, row, column);
        let own = request.directory.user_of(row);
        let known = (0..).zip(&self.before).find_map(|(before, text)| {
            let user = holders.find(key, text, own)?;
            Some((before, user))
        });
        if self.is_misfit {
            // What is wrong with it otherwise has been said.
            if unsound[row as usize].contains(column) {
                return;
            }
            findings.push(row, Finding::Format { key, kept });
            if !kept {
                unsound[row as usize].insert(column);
                mistaken.meant.extend(known.map(|(_, user)| (row, user)));
                if key == Key::ExternalId {
                    mistaken.ids.insert(row);
                }
            }
            return;
        }
        match known {
            Some((_, user)) => {
                findings.push(row, Finding::Artifact { key, user, kept });
                if kept {
                    return;
                }
                unsound[row as usize].insert(column);
                mistaken.meant.push((row, user));
                if key == Key::ExternalId {
                    mistaken.ids.insert(row);
                }
            }
            None if !self.before.is_empty() => {
                findings.push(row, Finding::ArtifactNew { column, kept });
            }
            None if !holders.has(key, self.value) => findings.push(row, Finding::DateLike),
            None => {}
        }
    }
}

/// A phone number that its user has already, but for what was left on it.
fn check_phone(
    request: &Request<'_>,
    row: u32,
    unsound: &mut [ColumnSet],
    findings: &mut Findings,
) {
    let data = &request.rows[row as usize];
    let Some(number) = sound(data, unsound[row as usize], Column::Phone) else {
        return;
    };
    if !data.has_phone_artifact() {
        return;
    }
    let column = Column::Phone;
    if request
        .user_of(row)
        .is_some_and(|user| user.phone() == number)
    {
        findings.push(row, Finding::PhoneArtifact);
        unsound[row as usize].insert(column);
    } else {
        findings.push(
            row,
            Finding::ArtifactNew {
                column,
                kept: false,
            },
        );
    }
}

/// The users who have one of the keys that are looked for, leading zeros apart.
struct Holders<'a> {
    request: &'a Request<'a>,
    by_form: [HashMap<String, Vec<u32>>; KEYS.len()],
}

impl<'a> Holders<'a> {
    fn new(request: &'a Request<'a>, cells: &[Cell<'_>]) -> Self {
        let of_key = |key: Key| {
            let cells = cells.iter().filter(|cell| cell.key == key);
            let texts =
                cells.flat_map(|cell| cell.before.iter().map(|text| &**text).chain([cell.value]));
            let mut by_form: HashMap<String, Vec<u32>> = texts
                .map(|text| (form(key, text).into_owned(), Vec::new()))
                .collect();
            if !by_form.is_empty() {
                for (user, at) in request.directory.users().iter().zip(0..) {
                    if let Some(users) = by_form.get_mut(&*form(key, key.of(user))) {
                        users.push(at);
                    }
                }
            }
            by_form
        };
        Self {
            request,
            by_form: KEYS.map(of_key),
        }
    }

    fn of(&self, key: Key, text: &str) -> &[u32] {
        let at = KEYS.iter().position(|&known| known == key);
        let users = at.and_then(|at| self.by_form[at].get(&*form(key, text)));
        users.map_or(&[], |users| users)
    }

    /// Who has `text`, or has it with other leading zeros: of several the row's own user, else the least key.
    fn find(&self, key: Key, text: &str, own: Option<u32>) -> Option<u32> {
        let has = |user: u32| key.of(&self.request.directory.users()[user as usize]);
        let comparable = key.comparable(text);
        let users = self.of(key, text).iter().copied();
        users.min_by_key(|&user| {
            let held = has(user);
            (key.comparable(held) != comparable, Some(user) != own, held)
        })
    }

    /// Returns `true` if somebody has this very key.
    fn has(&self, key: Key, text: &str) -> bool {
        let users = self.request.directory.users();
        self.of(key, text)
            .iter()
            .any(|&user| key.of(&users[user as usize]) == text)
    }
}

/// What two keys have in common that differ in leading zeros alone. Usernames are no numbers.
fn form(key: Key, text: &str) -> Cow<'_, str> {
    match key {
        Key::ExternalId | Key::BadgeNumber => strip_leading_zeros(text).into(),
        Key::Email | Key::Username => key.comparable(text),
    }
}
