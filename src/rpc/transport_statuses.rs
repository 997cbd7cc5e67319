//! Statuses of calls that are refused by the transport, or because their bytes are no message, before a
//! handler sees them.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::status;
use crate::{
    import::Refusal,
    limits::{LimitReached, MemoryExhausted, ServerLimits},
    telemetry::metrics,
};

/// Most bytes of a request that needs no credential, and of a reflection request.
pub(crate) const SMALL_REQUEST_BYTES: usize = 1024;

/// The caller is a web page of an origin that is not allowed. It may be a page of this server that was opened under a
/// name that the server does not know.
#[must_use]
pub(crate) fn origin_refused() -> Status {
    const REASON: &str = "ORIGIN_NOT_ALLOWED";
    metrics::refused(REASON);
    let message = "Pages of this origin may not call this server; its operator allows the address of the console with \
        --public-url, and the origin of another page with --web-origin.";
    Status::with_error_details(Code::PermissionDenied, message, status::info(REASON, []))
}

/// `X-Forwarded-For` and `Forwarded` of a trusted proxy name different clients.
#[must_use]
pub(crate) fn forwarded_headers_differ() -> Status {
    let message = "X-Forwarded-For and Forwarded name different clients: have the proxy remove the header that it \
        does not write itself.";
    status::invalid("FORWARDED_DIFFERS", "forwarded", message)
}

/// A request took too long: no byte came for `idle`, or all of it took longer than `whole`.
#[must_use]
pub(crate) fn request_too_slow(idle: Duration, whole: Duration) -> Status {
    let message = format!(
        "The request did not come whole: nothing came for {} s, or it took longer than {} s.",
        idle.as_secs(),
        whole.as_secs()
    );
    status::refused(&[Refusal::limit("REQUEST_TOO_SLOW", "idle", message)])
}

/// A message is over `most` bytes, or has too many rows.
#[must_use]
pub(crate) fn message_too_large(most: usize) -> Status {
    status::refused(&[too_large(most)])
}

/// The refusal of a message that is over `most` bytes, or has too many rows.
pub(super) fn too_large(most: usize) -> Refusal {
    let rows = ServerLimits::MESSAGE_ROWS;
    let message = match most {
        SMALL_REQUEST_BYTES => format!("A message of this RPC has at most {most} bytes."),
        ServerLimits::MESSAGE_BYTES => {
            format!("A message is over 4 MiB or {rows} rows; send smaller chunks.")
        }
        most => format!("A message is over {most} bytes or {rows} rows; send smaller chunks."),
    };
    Refusal::limit("MESSAGE_TOO_LARGE", "message", message)
}

/// The bytes of a request are no message of the RPC.
#[must_use]
pub(crate) fn undecodable() -> Status {
    status::refused(&[undecodable_refusal("")])
}

/// Returns the refusal of bytes that prost cannot decode, for this error. Names the field if its text is not UTF-8,
/// because the same message would fail again.
pub(super) fn undecodable_refusal(error: &str) -> Refusal {
    if let Some(field) = field_not_utf8(error) {
        let message = format!("The text of {field} is not UTF-8; encode it as UTF-8.");
        return Refusal::invalid("BAD_MESSAGE", field, message);
    }
    let message = "The message could not be decoded: it is damaged, or no message of this RPC. \
                   Nothing of it was used.";
    Refusal::invalid("BAD_MESSAGE", "message", message)
}

/// Returns the innermost field that prost names, without its message, if its text is not UTF-8.
fn field_not_utf8(error: &str) -> Option<&str> {
    let places = error.strip_suffix("invalid string value: data is not UTF-8 encoded")?;
    let (_, places) = places.split_once("failed to decode Protobuf message: ")?;
    let (_, field) = places.split(": ").next()?.split_once('.')?;
    Some(field)
}

/// Turns tonic's status for a message that it cannot read into ours. Messages have at most `most` bytes.
#[must_use]
pub(crate) fn unreadable(status: &Status, most: usize) -> Status {
    match status.code() {
        // Also a message that is too large only after decompression.
        Code::OutOfRange | Code::ResourceExhausted => message_too_large(most),
        Code::Internal | Code::InvalidArgument => {
            status::refused(&[undecodable_refusal(status.message())])
        }
        _ => status.clone(),
    }
}

/// The deadline of the caller has passed.
#[must_use]
pub(crate) fn deadline_exceeded() -> Status {
    metrics::refused("DEADLINE_EXCEEDED");
    Status::deadline_exceeded(
        "Deadline exceeded: the call did not end by its caller's deadline (grpc-timeout).",
    )
}

/// The caller's deadline cannot be read. Serving the call without a deadline would not be what the caller
/// asked for.
#[must_use]
pub(crate) fn bad_timeout() -> Status {
    let message = "grpc-timeout must be at most 8 digits and a unit (H, M, S, m, u or n).";
    status::invalid("BAD_TIMEOUT", "grpc-timeout", message)
}

/// There is no memory for a request.
#[must_use]
pub(crate) fn memory_exhausted(exhausted: MemoryExhausted) -> Status {
    status::busy(&exhausted.into())
}

/// Too many clients watch the server's health.
#[must_use]
pub(crate) fn too_many_health_watches(reached: &LimitReached) -> Status {
    let (subject, most) = match reached {
        LimitReached::Server(most) => ("health_watches", most),
        LimitReached::Key(most) => ("health_watches_per_address", most),
    };
    let message =
        format!("{most} clients watch the server's health, which is the limit; use Check.");
    status::busy(&Refusal::limit("TOO_MANY_HEALTH_WATCHES", subject, message))
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::ImportUsersRequest;

    #[test]
    fn text_that_is_not_utf8_is_refused_by_the_name_of_its_field() {
        // A row whose field 4, the first name, is one byte of windows-1252.
        let row = [0x22, 0x01, 0xF1];
        let rows = [&[0x0A, 3][..], &row].concat();
        let request = [&[0x1A, 5][..], &rows].concat();
        let error = ImportUsersRequest::decode(&*request).unwrap_err();
        let refusal = undecodable_refusal(&error.to_string());
        assert_eq!(refusal.subject, "first_name");
        insta::assert_snapshot!(refusal.message, @"The text of first_name is not UTF-8; encode it as UTF-8.");
        let damaged = ImportUsersRequest::decode(&[0xFF][..]).unwrap_err();
        assert_eq!(undecodable_refusal(&damaged.to_string()).subject, "message");
    }
}
