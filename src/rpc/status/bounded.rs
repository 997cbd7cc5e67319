//! Statuses with as many details as fit: the refusals of a request, and the summary of an import. Details travel in
//! trailers, of which `api.md` allows 4 KiB.

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt};

use crate::{
    import::{Refusal, RefusalKind},
    proto::ImportSummary,
    telemetry::metrics,
};

/// Bytes of text that the details of one status may have. Details travel in trailers, encoded in
/// base64, together with the message: this keeps them below 4 KiB.
pub(super) const DETAIL_BYTES: usize = 2_000;

/// Bytes of a status with its details, as both travel.
const STATUS_BYTES: usize = 4_000;

/// Bytes that a field of a message has beside its content: its tag and its length.
const FIELD_BYTES: usize = 4;

/// The type of an import's summary among the details of a status.
pub(super) const SUMMARY_TYPE: &str = "type.googleapis.com/userimport.v1.ImportSummary";

/// Bytes of a status message.
const MESSAGE_BYTES: usize = 500;

/// The status with the import's summary as a further detail, and as many of its refusals and warnings as fit.
#[must_use]
pub(in crate::rpc) fn with_summary(status: &Status, mut summary: ImportSummary) -> Status {
    let refusals = std::mem::take(&mut summary.refusals);
    let warnings = std::mem::take(&mut summary.warnings);
    for found in &mut summary.consequences {
        found.examples.clear();
    }
    let Some(mut room) = room_for_summary(status, &summary) else {
        return status.clone();
    };
    let mut fits = |bytes: usize| {
        let left = room.checked_sub(bytes + FIELD_BYTES);
        room = left.unwrap_or_default();
        left.is_some()
    };
    summary.refusals = take_fitting(refusals, &mut fits);
    summary.warnings = take_fitting(warnings, &mut fits);
    let Ok(mut rich) = tonic_types::pb::Status::decode(status.details()) else {
        return status.clone();
    };
    rich.code = status.code().into();
    status.message().clone_into(&mut rich.message);
    rich.details.push(prost_types::Any {
        type_url: SUMMARY_TYPE.to_owned(),
        value: summary.encode_to_vec(),
    });
    Status::with_details(status.code(), status.message(), rich.encode_to_vec().into())
}

fn take_fitting<T: Message>(all: Vec<T>, fits: &mut impl FnMut(usize) -> bool) -> Vec<T> {
    all.into_iter()
        .take_while(|one| fits(one.encoded_len()))
        .collect()
}

/// Bytes of details that the status leaves beside this summary, or `None` if there is no room for it.
fn room_for_summary(status: &Status, summary: &ImportSummary) -> Option<usize> {
    // The message travels twice: percent-encoded for every client, and within the details.
    let escaped = |byte: u8| {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            1
        } else {
            3
        }
    };
    let message: usize = status.message().bytes().map(escaped).sum();
    let details = STATUS_BYTES.checked_sub(message)? / 4 * 3;
    let inside = status
        .details()
        .len()
        .max(status.message().len() + 2 * FIELD_BYTES);
    let summary = summary.encoded_len() + SUMMARY_TYPE.len() + 3 * FIELD_BYTES;
    details.checked_sub(inside)?.checked_sub(summary)
}

/// The status of a request that is refused for these reasons: one violation each, up to the size of the
/// details.
#[must_use]
pub(in crate::rpc) fn refused(refusals: &[Refusal]) -> Status {
    for refusal in refusals {
        metrics::refused(refusal.code);
    }
    let kind = refusals.iter().map(|refusal| refusal.kind).max();
    let kind = kind.unwrap_or(RefusalKind::Precondition);
    let alike: Vec<&Refusal> = refusals.iter().filter(|r| r.kind == kind).collect();
    let fitting = fitting(&alike);
    let message = summarise(&alike, fitting);
    let shown = alike.iter().take(fitting);
    match kind {
        RefusalKind::Invalid => {
            let violations = shown.map(|r| FieldViolation::new(&r.subject, cut(&r.message)));
            let details = ErrorDetails::with_bad_request(violations.collect::<Vec<_>>());
            Status::with_error_details(Code::InvalidArgument, message, details)
        }
        RefusalKind::Limit => {
            let violations = shown.map(|r| QuotaViolation::new(&r.subject, cut(&r.message)));
            let details = ErrorDetails::with_quota_failure(violations.collect::<Vec<_>>());
            Status::with_error_details(Code::ResourceExhausted, message, details)
        }
        RefusalKind::Precondition => {
            let violations =
                shown.map(|r| PreconditionViolation::new(r.code, &r.subject, cut(&r.message)));
            let details = ErrorDetails::with_precondition_failure(violations.collect::<Vec<_>>());
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
    }
}

/// How many of the refusals fit into the details: at least one.
fn fitting(refusals: &[&Refusal]) -> usize {
    let mut bytes = 0;
    let fits = |refusal: &&&Refusal| {
        bytes += refusal.code.len() + refusal.subject.len() + cut(&refusal.message).len() + 12;
        bytes <= DETAIL_BYTES
    };
    refusals.iter().take_while(fits).count().max(1)
}

fn summarise(refusals: &[&Refusal], shown: usize) -> String {
    let first = refusals.first().map_or("", |refusal| cut(&refusal.message));
    match (refusals.len(), refusals.len().saturating_sub(shown)) {
        (0 | 1, _) => first.to_owned(),
        (all, 0) => format!("{first} ({} more in the details)", all - 1),
        (all, hidden) => format!(
            "{first} ({} more in the details, and {hidden} that do not fit there)",
            all - 1 - hidden
        ),
    }
}

pub(super) fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_BYTES)]
}
