//! From a received row to a checked one: every fault of the row at once.
//!
//! Sees one row and nothing else. Whether a role, rank, group or supervisor exists is for the planner
//! to say; here they are only normalised.

use std::borrow::Cow;

use super::normalise::normalise_lossy;
use super::suggest::nearest;
use super::text::filled;
use super::{
    BadgeNumber, Cell, Column, Email, ExternalId, Fault, Issue, IssueCode, Name, PhoneNumber,
    RawRow, Row, RowPacker, RowParts, Status, Username, fold, is_template_example,
};

/// Most bytes that a field may have by default, as received (semantics §2, Record faults).
pub const MAX_FIELD_BYTES: usize = 4096;

/// Most characters kept of a value that failed its check, or that only the planner can judge; no
/// longer one equals anything that is stored.
const MAX_KEPT: usize = 512;

impl Row {
    /// Checks a row by itself (semantics §2): normalises each value, brings the sound ones into
    /// canonical form, and records every fault found. A record with a wrong number of fields has that
    /// fault alone, and no values.
    ///
    /// A field with bytes that are not valid is present, without text, and unsound.
    #[must_use]
    pub fn parse(raw: &RawRow<'_>) -> Self {
        Self::parse_within(raw, MAX_FIELD_BYTES)
    }

    /// The same where a field may have `most` bytes.
    #[must_use]
    pub fn parse_within(raw: &RawRow<'_>, most: usize) -> Self {
        check(raw, most, Self::new)
    }
}

impl RowPacker {
    /// Checks a row as [`Row::parse_within`] does, and adds it.
    pub fn parse(&mut self, raw: &RawRow<'_>, most: usize) {
        check(raw, most, |parts| self.push(parts));
    }
}

/// Gives `keep` what there is to keep of a row.
fn check<T>(raw: &RawRow<'_>, most: usize, keep: impl FnOnce(RowParts<'_>) -> T) -> T {
    let mut issues = Vec::new();
    let values = match raw.misfit {
        Some((expected, found)) => {
            issues.push(misfit(expected, found));
            Default::default()
        }
        None => Column::ALL.map(|column| check_cell(column, raw.cell(column), most, &mut issues)),
    };
    keep(RowParts {
        number: raw.number,
        line: raw.line,
        misfit: raw.misfit.is_some(),
        values: values.each_ref().map(Option::as_deref),
        issues,
    })
}

fn misfit(expected: u32, found: u32) -> Issue {
    let advice = if found > expected {
        "put double quotes around a value that holds the delimiter"
    } else {
        "add what is missing"
    };
    let message = format!("The row has {found} fields, but the header has {expected}; {advice}.");
    Issue::row_error(IssueCode::FieldCount, message)
}

/// What the row keeps of `cell`: the value in canonical form, or as normalised where it is faulty.
fn check_cell<'a>(
    column: Column,
    cell: Cell<'a>,
    most: usize,
    issues: &mut Vec<Issue>,
) -> Option<Cow<'a, str>> {
    match cell {
        Cell::Absent => {
            report(&Fault::Blank, column, "", issues);
            None
        }
        Cell::Invalid { byte, charset } => {
            report(&Fault::Encoding { byte, charset }, column, "", issues);
            Some(Cow::Borrowed(""))
        }
        Cell::Text(text) => Some(check_text(column, text, most, issues)),
    }
}

fn check_text<'a>(
    column: Column,
    text: &'a str,
    most: usize,
    issues: &mut Vec<Issue>,
) -> Cow<'a, str> {
    match parse(column, text, most) {
        Ok((value, warning)) => {
            if let Some(fault) = warning {
                report(&fault, column, &normalise_lossy(text), issues);
            }
            value
        }
        Err(fault) => {
            let value = bounded(normalise_lossy(text));
            report(&fault, column, &value, issues);
            value
        }
    }
}

/// Records `fault`, except that an optional column may be blank.
fn report(fault: &Fault, column: Column, value: &str, issues: &mut Vec<Issue>) {
    if *fault != Fault::Blank || column.is_required() {
        issues.push(fault.issue(column, value));
    }
}

/// The value in canonical form, and what is worth a warning about it.
fn parse(column: Column, text: &str, most: usize) -> Result<(Cow<'_, str>, Option<Fault>), Fault> {
    if text.len() > most {
        return Err(Fault::Oversized {
            bytes: text.len(),
            limit: most,
        });
    }
    let value = match column {
        Column::ExternalId => ExternalId::parse(text)?.into(),
        Column::Email => parse_email(text)?,
        Column::BadgeNumber => BadgeNumber::parse(text)?.into(),
        Column::FirstName | Column::LastName => Name::parse(text)?.into(),
        Column::Status => parse_status(text)?,
        Column::Username => Username::parse(text)?.into(),
        Column::Role
        | Column::SupervisorEmail
        | Column::Location
        | Column::Rank
        | Column::EvidenceGroupExtId => bounded(filled(text)?),
        Column::Phone => return parse_phone(text),
    };
    Ok((value, None))
}

fn parse_email(text: &str) -> Result<Cow<'_, str>, Fault> {
    let email = Email::parse(text)?;
    if is_template_example(&fold(email.as_str())) {
        return Err(Fault::TemplateExample);
    }
    Ok(email.into())
}

fn parse_status(text: &str) -> Result<Cow<'_, str>, Fault> {
    let value = filled(text)?;
    let status = Status::parse(&value).ok_or_else(|| {
        let known = [Status::Active, Status::Inactive].map(Status::as_str);
        Fault::Status(nearest(&value, known).and_then(Status::parse))
    })?;
    Ok(Cow::Borrowed(status.as_str()))
}

fn parse_phone(text: &str) -> Result<(Cow<'_, str>, Option<Fault>), Fault> {
    let number = PhoneNumber::parse(text)?;
    let warning = (!number.is_assigned()).then(|| Fault::Unassigned(number.as_e164().into()));
    Ok((number.into(), warning))
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
