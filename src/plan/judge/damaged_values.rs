//! Keys, names and phone numbers that a spreadsheet or a script has changed, and keys that do not match the
//! organisation's patterns (semantics §2). Part of the field checks: the part that needs the directory and the catalog. A
//! cheap test of the value selects rows first; only these rows are looked at.

use std::{borrow::Cow, cell::OnceCell, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::decision::Decision;
use super::field_checks::is_kept;
use super::finding::{Finding, Findings};
use super::typographic_keys::TypographicKeys;
use crate::domain::{Column, ColumnSet, has_lost_letters, is_date_like, strip_leading_zeros};
use crate::plan::PlanRequest;
use crate::plan::index::{ByRow, DamagedKeyMatches, Key, RowIndex, UserIndex, parallel, sound};

/// The keys that spreadsheets change.
const KEYS: [Key; 3] = [Key::ExternalId, Key::BadgeNumber, Key::Username];

/// Checks the values of all rows. Adds each column that fails to `unsound`.
pub(crate) fn check_values(
    request: &PlanRequest,
    decisions: &ByRow<Decision>,
    unsound: &mut ByRow<ColumnSet>,
    findings: &mut Findings,
    mistaken: &mut DamagedKeyMatches,
) {
    let misfits = find_misfits(request, unsound);
    let (holders, givers) = (
        UsersByUnpaddedKey::new(request),
        RowsByTypedKey::new(request),
    );
    let typographic = TypographicKeys::new(request, KEYS);
    // One row at a time, since a cell takes many times the memory of a finding.
    for row in request.rows.indices() {
        let is_suspect = request.rows[row].is_suspect();
        for key in KEYS {
            if let Some(user) = typographic.user(row, key, unsound[row])
                && !holders.has(
                    key,
                    request.rows[row].value(key.column()).unwrap_or_default(),
                )
            {
                findings.push(row, Finding::ArtifactOfUser { key, user });
                reject(row, key, Some(user), unsound, mistaken);
            }
        }
        check_names(request, row, decisions[row].changes, unsound, findings);
        let failed = unsound[row];
        let suspects = KEYS.into_iter().filter(|_| is_suspect);
        let suspects = suspects.filter_map(|key| DamagedCell::suspect(request, row, key, failed));
        let misfits = misfits.iter().filter(|(_, rows)| rows[row]);
        let misfits = misfits.filter_map(|&(key, _)| DamagedCell::misfit(request, row, key));
        for cell in suspects.chain(misfits) {
            cell.judge(request, (&holders, &givers), unsound, findings, mistaken);
        }
        if is_suspect {
            check_phone(request, row, unsound, findings);
        }
    }
    mistaken.meant.sort_unstable();
}

/// Returns, for each key that the organisation has a pattern for, by row whether the row's value does not match it.
fn find_misfits(request: &PlanRequest, unsound: &ByRow<ColumnSet>) -> Vec<(Key, ByRow<bool>)> {
    let patterns = KEYS
        .into_iter()
        .filter_map(|key| Some((key, request.pattern(key)?)));
    let misfits = patterns.map(|(key, pattern)| {
        let is_misfit = parallel::map(&request.rows, |at, row| {
            let value = sound(row, unsound[at], key.column());
            value.is_some_and(|value| !pattern.matches(value))
        });
        (key, is_misfit)
    });
    misfits.collect()
}

/// A value that may have been changed.
struct DamagedCell<'a> {
    row: RowIndex,
    key: Key,
    value: &'a str,
    /// The texts that the value may have been before.
    before: Vec<String>,
    /// The value does not match the organisation's pattern.
    is_misfit: bool,
}

impl<'a> DamagedCell<'a> {
    /// Returns the cell if a spreadsheet or a script may have changed its value.
    fn suspect(
        request: &'a PlanRequest,
        row: RowIndex,
        key: Key,
        unsound: ColumnSet,
    ) -> Option<Self> {
        let value = sound(&request.rows[row], unsound, key.column())?;
        let before = request.rows[row].without_artifacts(key.column());
        let is_date = key == Key::BadgeNumber && is_date_like(value);
        (is_date || !before.is_empty()).then_some(Self {
            row,
            key,
            value,
            before,
            is_misfit: false,
        })
    }

    /// Returns the cell of a value that does not match the pattern of its key. The value may lack only its zeros.
    fn misfit(request: &'a PlanRequest, row: RowIndex, key: Key) -> Option<Self> {
        let value = request.rows[row].value(key.column())?;
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
        request: &PlanRequest,
        (holders, givers): (&UsersByUnpaddedKey<'_>, &RowsByTypedKey<'_>),
        unsound: &mut ByRow<ColumnSet>,
        findings: &mut Findings,
        mistaken: &mut DamagedKeyMatches,
    ) {
        let &Self { row, key, .. } = self;
        let column = key.column();
        if self.is_misfit && unsound[row].contains(column) {
            // Another check has already reported this value.
            return;
        }
        let kept = is_kept(request, row, column);
        let own = request.snapshot.user_of(row);
        let mut before = self.before.iter();
        let known = before.find_map(|text| holders.find(key, text, own));
        let finding = match known {
            _ if self.is_misfit => Finding::Format { key, kept },
            Some(user) => Finding::Artifact { key, user, kept },
            None if !self.before.is_empty() => match givers.find(key, row) {
                Some(row) if !kept => Finding::ArtifactOfRow { key, row },
                _ => Finding::ArtifactNew { column, kept },
            },
            None if !holders.has(key, self.value) => Finding::DateLike,
            None => return,
        };
        findings.push(row, finding);
        if !kept && !matches!(finding, Finding::ArtifactNew { .. } | Finding::DateLike) {
            reject(row, key, known, unsound, mistaken);
        }
    }
}

/// Makes a key unsound. `meant` is the user that the row probably means by it.
fn reject(
    row: RowIndex,
    key: Key,
    meant: Option<UserIndex>,
    unsound: &mut ByRow<ColumnSet>,
    mistaken: &mut DamagedKeyMatches,
) {
    unsound[row].insert(key.column());
    mistaken.meant.extend(meant.map(|user| (row, user)));
    if key == Key::ExternalId {
        mistaken.ids.insert(row);
    }
}

/// Rejects a name that equals the user's name except for a mark in place of a letter, and warns of `?` in any other new
/// name. `changes` are the attributes of the row's user that the row changes.
fn check_names(
    request: &PlanRequest,
    row: RowIndex,
    changes: ColumnSet,
    unsound: &mut ByRow<ColumnSet>,
    findings: &mut Findings,
) {
    let user = request.user_of(row);
    for column in [Column::FirstName, Column::LastName] {
        if user.is_some() && !changes.contains(column) {
            continue;
        }
        let Some(value) = sound(&request.rows[row], unsound[row], column) else {
            continue;
        };
        let stored = user.and_then(|user| user.value(column));
        if stored.is_some_and(|stored| has_lost_letters(value, stored)) {
            findings.push(row, Finding::LetterLost { column });
            unsound[row].insert(column);
        } else if value.contains('?') {
            findings.push(row, Finding::QuestionMark { column });
        }
    }
}

/// Rejects a phone number that its user has already without the export artefact, and warns about any other phone number
/// with an artefact.
fn check_phone(
    request: &PlanRequest,
    row: RowIndex,
    unsound: &mut ByRow<ColumnSet>,
    findings: &mut Findings,
) {
    let (data, column) = (&request.rows[row], Column::Phone);
    let Some(number) = sound(data, unsound[row], column).filter(|_| data.has_phone_artifact())
    else {
        return;
    };
    let user = request.user_of(row);
    if user.is_some_and(|user| user.phone() == number) {
        findings.push(row, Finding::PhoneArtifact);
        unsound[row].insert(column);
    } else {
        let kept = false;
        findings.push(row, Finding::ArtifactNew { column, kept });
    }
}

/// Users by their keys without leading zeros. The table of a key is built on first use.
struct UsersByUnpaddedKey<'a> {
    request: &'a PlanRequest,
    hashing: DefaultHashBuilder,
    /// By `Key as usize`.
    by_form: [OnceCell<HashTable<UserIndex>>; Key::ALL.len()],
}

impl<'a> UsersByUnpaddedKey<'a> {
    fn new(request: &'a PlanRequest) -> Self {
        Self {
            request,
            hashing: DefaultHashBuilder::default(),
            by_form: Default::default(),
        }
    }

    /// Returns the key of this user without leading zeros.
    fn form(&self, key: Key, user: UserIndex) -> Cow<'a, str> {
        form(key, key.of(&self.request.snapshot.users()[user]))
    }

    fn of(&self, key: Key, text: &str) -> impl Iterator<Item = UserIndex> {
        let hash = |form: Cow<'_, str>| self.hashing.hash_one(&*form);
        let users = self.by_form[key as usize].get_or_init(|| {
            let users = self.request.snapshot.users();
            let mut by_form = HashTable::with_capacity(users.len());
            for user in users.indices() {
                let rehash = |&known: &UserIndex| hash(self.form(key, known));
                by_form.insert_unique(hash(self.form(key, user)), user, rehash);
            }
            by_form
        });
        let text = form(key, text).into_owned();
        let same = users.iter_hash(hash(Cow::Borrowed(&text))).copied();
        same.filter(move |&user| self.form(key, user) == text)
    }

    /// Returns the user who has `text`, with the same or other leading zeros, or `None` if no user does. Of several
    /// users, one with exactly this key comes first, then the row's own user, then the least key.
    fn find(&self, key: Key, text: &str, own: Option<UserIndex>) -> Option<UserIndex> {
        let has = |user: UserIndex| key.of(&self.request.snapshot.users()[user]);
        let comparable = key.comparable(text);
        self.of(key, text).min_by_key(|&user| {
            let held = has(user);
            (key.comparable(held) != comparable, Some(user) != own, held)
        })
    }

    /// Returns `true` if a user has this key.
    fn has(&self, key: Key, text: &str) -> bool {
        let users = self.request.snapshot.users();
        let text = key.comparable(text);
        let mut alike = self.of(key, &text);
        alike.any(|user| key.comparable(key.of(&users[user])) == text)
    }
}

/// Rows by the keys that they give, as keyboards write them. The table of a key is built on first use.
struct RowsByTypedKey<'a> {
    request: &'a PlanRequest,
    /// By `Key as usize`.
    by_form: [OnceCell<HashMap<String, [RowIndex; 2]>>; Key::ALL.len()],
}

impl<'a> RowsByTypedKey<'a> {
    fn new(request: &'a PlanRequest) -> Self {
        let by_form = Default::default();
        Self { request, by_form }
    }

    /// Returns a row that gives another key than `row` which is the same as keyboards write it, or `None` if no row does,
    /// or if the key of `row` has no typographic characters. Looks only at the rows' own faults, so that no order of the
    /// rows shows.
    fn find(&self, key: Key, row: RowIndex) -> Option<RowIndex> {
        let typed = self.request.rows[row].as_typed(key.column())?;
        let by_form = self.by_form[key as usize].get_or_init(|| self.by_form(key));
        let [first, other] = *by_form.get(&*key.comparable(&typed))?;
        let is_same = |other: RowIndex| self.text(key, other) == self.text(key, row);
        [first, other].into_iter().find(|&other| !is_same(other))
    }

    /// Returns, by the key as keyboards write it, the lowest row that gives it, and the lowest row that gives it in another
    /// form. Both are the same row if there is one form only.
    fn by_form(&self, key: Key) -> HashMap<String, [RowIndex; 2]> {
        let mut lowest: HashMap<String, [RowIndex; 2]> = HashMap::new();
        for (at, row) in self.request.rows.enumerate() {
            let Some(text) = row.sound(key.column()) else {
                continue;
            };
            let typed = row.as_typed(key.column());
            let form = key
                .comparable(typed.as_deref().unwrap_or(text))
                .into_owned();
            let [first, other] = lowest.entry(form).or_insert([at, at]);
            if first == other && self.text(key, *first) != self.text(key, at) {
                *other = at;
            }
        }
        lowest
    }

    /// Returns the key that `row` gives, in its comparable form.
    fn text(&self, key: Key, row: RowIndex) -> Cow<'a, str> {
        let text = self.request.rows[row].value(key.column());
        key.comparable(text.unwrap_or_default())
    }
}

/// Returns the form that two keys share if they differ only in leading zeros. In usernames zeros count: they are not
/// numbers.
fn form(key: Key, text: &str) -> Cow<'_, str> {
    match key {
        Key::ExternalId | Key::BadgeNumber => strip_leading_zeros(text).into(),
        Key::Email | Key::Username => key.comparable(text),
    }
}
