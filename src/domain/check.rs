//! Checks a received row and finds all of its faults at once.
//!
//! Sees one row and nothing else. Roles, ranks, groups and supervisors are only normalised here; the planner checks
//! that they exist.

use std::borrow::Cow;

use super::artifact::{formula_text, phone_without_artifacts, without_typographic_spaces};
use super::garbled::{has_lost_letter, may_be_garbled, repaired};
use super::name_search::{SuggestionBudget, nearest};
use super::normalise::{normalise_as_before, normalise_lossy};
use super::placeholder::is_spreadsheet_error;
use super::text::filled;
use super::{
    BadgeNumber, Cell, Column, Email, ExternalId, Name, PhoneNumber, PhoneRegion, RawRow,
    ReadPhone, RewrittenValues, Row, RowPacker, RowParts, Status, Username, ValueFault, fold,
    has_artifact, is_date_like, is_placeholder, is_template_example, normalise, username,
};

/// Default limit of a field, in bytes as received (semantics §2, Record faults).
pub(crate) const MAX_FIELD_BYTES: usize = 4096;

/// Options of the checks of a row.
#[derive(Clone, Copy, Debug)]
pub struct CheckOptions {
    /// Limit of a field, in bytes as received.
    pub max_field_bytes: usize,
    /// The region whose phone numbers may be written without a country code.
    pub phone_region: Option<PhoneRegion>,
    /// How phone numbers are read.
    pub read_phone: ReadPhone,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            max_field_bytes: MAX_FIELD_BYTES,
            phone_region: None,
            read_phone: |number| PhoneNumber::read(&number),
        }
    }
}

/// Most characters kept of a value that failed its check, or that only the planner can judge. No stored value is
/// longer, so a longer one matches nothing, and messages quote no more of it.
const MAX_KEPT: usize = 256;

impl Row {
    /// Checks a row by itself (semantics §2). Normalises each value, brings the sound values into canonical form, and
    /// records every fault. If the record as a whole has a fault, the row has only that fault and no values.
    ///
    /// A field with invalid bytes is present, has no text, and is unsound.
    #[must_use]
    pub fn parse(raw: &RawRow<'_>) -> Self {
        Self::parse_with(raw, CheckOptions::default())
    }

    /// Checks a row as `parse` does, with other options.
    #[must_use]
    pub fn parse_with(raw: &RawRow<'_>, options: CheckOptions) -> Self {
        check(raw, options, |parts| Self::new(&parts))
    }
}

impl RowPacker {
    /// Checks a row as [`Row::parse_with`] does, and adds it.
    pub(crate) fn parse(&mut self, raw: &RawRow<'_>, options: CheckOptions) {
        check(raw, options, |parts| self.push(&parts));
    }
}

/// Checks a row and passes the parts to keep to `keep`.
fn check<T>(raw: &RawRow<'_>, options: CheckOptions, keep: impl FnOnce(RowParts<'_>) -> T) -> T {
    let mut found = CheckedValues {
        options,
        ..CheckedValues::default()
    };
    let values = match raw.misfit {
        Some(fault) => {
            found.faults.push((None, fault));
            Default::default()
        }
        None => Column::ALL.map(|column| found.check_cell(column, raw.cell(column))),
    };
    keep(RowParts {
        number: raw.number,
        line: raw.line,
        values: values.each_ref().map(Option::as_deref),
        faults: found.faults,
        written: found.written,
        is_suspect: found.is_suspect,
        charset: found.charset,
    })
}

/// What the checks of a row have found.
#[derive(Default)]
struct CheckedValues {
    options: CheckOptions,
    faults: Vec<(Option<Column>, ValueFault)>,
    written: RewrittenValues,
    is_suspect: bool,
    charset: &'static str,
}

impl CheckedValues {
    /// Returns the value that the row keeps of `cell`: in canonical form, or as normalised if it is faulty.
    fn check_cell<'a>(&mut self, column: Column, cell: Cell<'a>) -> Option<Cow<'a, str>> {
        match cell {
            Cell::Absent => {
                self.report(ValueFault::Blank, column);
                None
            }
            Cell::Invalid { byte, charset } => {
                self.charset = charset;
                self.report(ValueFault::Encoding { byte }, column);
                Some(Cow::Borrowed(""))
            }
            Cell::Failed(failure) => {
                self.report(ValueFault::Mapping(failure), column);
                Some(Cow::Borrowed(""))
            }
            Cell::Text(text) if text.len() > self.options.max_field_bytes => {
                let fault = ValueFault::Oversized {
                    bytes: text.len().into(),
                    limit: self.options.max_field_bytes.into(),
                };
                self.report(fault, column);
                Some(bounded(normalise_lossy(text)))
            }
            Cell::Text(text) => Some(self.check_text(column, text)),
        }
    }

    fn check_text<'a>(&mut self, column: Column, text: &'a str) -> Cow<'a, str> {
        let value = match formula_text(text) {
            None => return self.check_value(column, text, text),
            Some(Cow::Borrowed(inner)) => self.check_value(column, inner, text),
            Some(Cow::Owned(inner)) => {
                let value = self.check_value(column, &inner, text);
                Cow::Owned(value.into_owned())
            }
        };
        self.keep_written(column, text, &value);
        value
    }

    /// Checks `text`, which is the cell `written` or a part of it.
    fn check_value<'a>(&mut self, column: Column, text: &'a str, written: &str) -> Cow<'a, str> {
        let checked = parse(column, text, self.options);
        let mut is_quoted = column != Column::Phone;
        let value = match checked {
            Ok((value, warning)) => {
                is_quoted |= warning.is_some();
                if let Some(fault) = warning {
                    self.report(fault, column);
                }
                value
            }
            Err(fault) => {
                self.report(fault, column);
                bounded(normalise_lossy(text))
            }
        };
        let is_suspect = is_suspect(column, text, &value);
        self.is_suspect |= is_suspect;
        // A borrowed value differs from the written one only in the blanks around it.
        if matches!(value, Cow::Owned(_)) && (is_quoted || is_suspect) {
            self.keep_written(column, written, &value);
        }
        value
    }

    /// Keeps the value as written, in the form that earlier versions stored, if that form differs from `value`.
    fn keep_written(&mut self, column: Column, text: &str, value: &str) {
        let before = || normalise_as_before(text).filter(|before| before.len() <= MAX_KEPT);
        match column {
            Column::Status | Column::Location => {}
            // It was kept already, for a message to quote.
            Column::Phone if self.written.has(column) => {}
            Column::Phone => self.written.add(column, &bounded(normalise_lossy(text))),
            _ => {
                if let Some(before) = before().filter(|before| **before != *value) {
                    self.written.add(column, &before);
                }
            }
        }
    }

    /// Records `fault`, unless it is a blank value in an optional column.
    fn report(&mut self, fault: ValueFault, column: Column) {
        if fault != ValueFault::Blank || column.is_required() {
            self.faults.push((Some(column), fault));
        }
    }
}

/// Returns the value in canonical form, and its warning if it has one.
fn parse(
    column: Column,
    text: &str,
    options: CheckOptions,
) -> Result<(Cow<'_, str>, Option<ValueFault>), ValueFault> {
    let value = match column {
        Column::ExternalId => identifier(ExternalId::parse(text)?.into())?,
        Column::Email => parse_email(text)?,
        Column::BadgeNumber => identifier(BadgeNumber::parse(text)?.into())?,
        Column::FirstName | Column::LastName => person_name(Name::parse(text)?.into())?,
        Column::Status => parse_status(text)?,
        Column::Username => parse_username(text)?,
        Column::Role
        | Column::SupervisorEmail
        | Column::Location
        | Column::Rank
        | Column::EvidenceGroupExtId => bounded(filled(text)?),
        Column::Phone => return parse_phone(text, options),
    };
    if !Column::TEXTS.contains(column) || !may_be_garbled(text) {
        return Ok((value, None));
    }
    if has_lost_letter(text) {
        return Err(ValueFault::LostLetter);
    }
    Ok((value, is_garbled(text).then_some(ValueFault::Garbled)))
}

fn is_garbled(text: &str) -> bool {
    normalise_as_before(text).is_some_and(|written| repaired(&written).is_some())
}

/// Returns `true` if the planner has to check whether the directory has `value` without an export artefact.
fn is_suspect(column: Column, text: &str, value: &str) -> bool {
    match column {
        Column::Phone => phone_before(text).is_some(),
        Column::Username => has_artifact(value),
        Column::ExternalId => has_artifact(value) || has_typographic_spaces(text),
        Column::BadgeNumber => {
            has_artifact(value) || is_date_like(value) || has_typographic_spaces(text)
        }
        _ => false,
    }
}

fn has_typographic_spaces(text: &str) -> bool {
    without_typographic_spaces(text).is_some()
}

/// Returns an external ID or badge number that has no hidden characters and is not a placeholder.
fn identifier(value: Cow<'_, str>) -> Result<Cow<'_, str>, ValueFault> {
    if is_placeholder(&value) {
        return Err(ValueFault::Placeholder);
    }
    username::check_shown(&value)?;
    Ok(value)
}

fn parse_username(text: &str) -> Result<Cow<'_, str>, ValueFault> {
    match Username::parse(text) {
        Ok(value) if !is_placeholder(value.as_str()) => Ok(value.into()),
        // "not available" is a placeholder, and it contains white space.
        Err(fault)
            if fault != ValueFault::WhiteSpace || !is_placeholder(&normalise_lossy(text)) =>
        {
            Err(fault)
        }
        _ => Err(ValueFault::Placeholder),
    }
}

/// Only errors of a spreadsheet are faults here, not placeholders: Null is a surname.
fn person_name(value: Cow<'_, str>) -> Result<Cow<'_, str>, ValueFault> {
    match is_spreadsheet_error(&value) {
        true => Err(ValueFault::SpreadsheetError),
        false => Ok(value),
    }
}

fn parse_email(text: &str) -> Result<Cow<'_, str>, ValueFault> {
    let email = Email::parse(text)?;
    if is_template_example(&fold(email.as_str())) {
        return Err(ValueFault::TemplateExample);
    }
    Ok(email.into())
}

fn parse_status(text: &str) -> Result<Cow<'_, str>, ValueFault> {
    let value = filled(text)?;
    let status = Status::parse(&value).ok_or_else(|| {
        let known = [Status::Active, Status::Inactive].map(Status::as_str);
        let near = nearest(&value, known, &mut SuggestionBudget::of_value());
        ValueFault::Status(near.and_then(Status::parse))
    })?;
    Ok(Cow::Borrowed(status.as_str()))
}

fn parse_phone(
    text: &str,
    options: CheckOptions,
) -> Result<(Cow<'_, str>, Option<ValueFault>), ValueFault> {
    let (region, read) = (options.phone_region, options.read_phone);
    let Some(plain) = phone_before(text) else {
        let (number, is_assumed) = PhoneNumber::parse_in(text, region, read)?;
        let unassigned = || (!number.is_assigned()).then_some(ValueFault::Unassigned);
        let warning = is_assumed
            .then_some(ValueFault::RegionAssumed)
            .or_else(unassigned);
        return Ok((number.into(), warning));
    };
    // The planner gives the warning about the artefact, or decides otherwise.
    let (number, is_assumed) = PhoneNumber::parse_in(&plain, region, read)?;
    let warning = is_assumed.then_some(ValueFault::RegionAssumed);
    Ok((Cow::Owned(number.as_e164().to_owned()), warning))
}

/// Returns the phone number without its export artefact, or `None` if it has none. Most numbers contain none of the
/// three characters that an artefact needs.
fn phone_before(text: &str) -> Option<String> {
    let may_have = text.bytes().fold(false, |found, byte| {
        found | matches!(byte, b'\'' | b',' | b'.')
    });
    if !may_have {
        return None;
    }
    phone_without_artifacts(&normalise(text).ok()?)
}

fn bounded(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.len() <= MAX_KEPT {
        return value;
    }
    match value.char_indices().nth(MAX_KEPT) {
        None => value,
        Some((end, _)) => Cow::Owned(value[..end].to_owned()),
    }
}

#[cfg(test)]
mod tests;
