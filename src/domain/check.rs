//! From a received row to a checked one: every fault of the row at once.
//!
//! Sees one row and nothing else. Whether a role, rank, group or supervisor exists is for the planner
//! to say; here they are only normalised.

use std::borrow::Cow;

use super::normalise::normalise_lossy;
use super::suggest::{SuggestionBudget, nearest};
use super::text::filled;
use super::{
    BadgeNumber, Cell, Column, Email, ExternalId, Fault, Name, PhoneNumber, RawRow, Row, RowPacker,
    RowParts, Status, Username, fold, is_template_example,
};

/// Most bytes that a field may have by default, as received (semantics §2, Record faults).
pub const MAX_FIELD_BYTES: usize = 4096;

/// Most characters kept of a value that failed its check, or that only the planner can judge; no
/// longer one equals anything that is stored, and none is quoted further.
const MAX_KEPT: usize = 256;

impl Row {
    /// Checks a row by itself (semantics §2): normalises each value, brings the sound ones into
    /// canonical form, and records every fault found. A record that has a fault as a whole has that
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
        check(raw, most, |parts| Self::new(&parts))
    }
}

impl RowPacker {
    /// Checks a row as [`Row::parse_within`] does, and adds it.
    pub fn parse(&mut self, raw: &RawRow<'_>, most: usize) {
        check(raw, most, |parts| self.push(&parts));
    }
}

/// Gives `keep` what there is to keep of a row.
fn check<T>(raw: &RawRow<'_>, most: usize, keep: impl FnOnce(RowParts<'_>) -> T) -> T {
    let mut found = Found::default();
    let values = match raw.misfit {
        Some(fault) => {
            found.faults.push((None, fault));
            Default::default()
        }
        None => Column::ALL.map(|column| found.check_cell(column, raw.cell(column), most)),
    };
    keep(RowParts {
        number: raw.number,
        line: raw.line,
        values: values.each_ref().map(Option::as_deref),
        faults: found.faults,
        written_phone: &found.written_phone,
        charset: found.charset,
    })
}

/// What the checks of a row have found.
#[derive(Default)]
struct Found<'a> {
    faults: Vec<(Option<Column>, Fault)>,
    written_phone: Cow<'a, str>,
    charset: &'static str,
}

impl<'a> Found<'a> {
    /// What the row keeps of `cell`: the value in canonical form, or as normalised where it is faulty.
    fn check_cell(&mut self, column: Column, cell: Cell<'a>, most: usize) -> Option<Cow<'a, str>> {
        match cell {
            Cell::Absent => {
                self.report(Fault::Blank, column);
                None
            }
            Cell::Invalid { byte, charset } => {
                self.charset = charset;
                self.report(Fault::Encoding { byte }, column);
                Some(Cow::Borrowed(""))
            }
            Cell::Text(text) => Some(self.check_text(column, text, most)),
        }
    }

    fn check_text(&mut self, column: Column, text: &'a str, most: usize) -> Cow<'a, str> {
        match parse(column, text, most) {
            Ok((value, warning)) => {
                if let Some(fault) = warning {
                    self.written_phone = bounded(normalise_lossy(text));
                    self.report(fault, column);
                }
                value
            }
            Err(fault) => {
                self.report(fault, column);
                bounded(normalise_lossy(text))
            }
        }
    }

    /// Records `fault`, except that an optional column may be blank.
    fn report(&mut self, fault: Fault, column: Column) {
        if fault != Fault::Blank || column.is_required() {
            self.faults.push((Some(column), fault));
        }
    }
}

/// The value in canonical form, and what is worth a warning about it.
fn parse(column: Column, text: &str, most: usize) -> Result<(Cow<'_, str>, Option<Fault>), Fault> {
    if text.len() > most {
        return Err(Fault::Oversized {
            bytes: text.len().into(),
            limit: most.into(),
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
        let near = nearest(&value, known, &mut SuggestionBudget::of_value());
        Fault::Status(near.and_then(Status::parse))
    })?;
    Ok(Cow::Borrowed(status.as_str()))
}

fn parse_phone(text: &str) -> Result<(Cow<'_, str>, Option<Fault>), Fault> {
    let number = PhoneNumber::parse(text)?;
    let warning = (!number.is_assigned()).then_some(Fault::Unassigned);
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
