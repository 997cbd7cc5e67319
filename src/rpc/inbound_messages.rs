//! The messages of an import as they arrive. A message that is too large, or grows too much when it is
//! decompressed, is refused before it is read.

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::StreamExt;
use prost::Message as _;
use tonic::{Code, Status, Streaming};

use super::partial_message::PartialMessage;
use super::transport_statuses::{too_large, undecodable_refusal};
use crate::{
    import::{ImportError, Refusal, RequestStream},
    limits::ServerLimits,
    proto::ImportUsersRequest,
};

/// If an upload has at most this many bytes, its compression is not bounded.
const SMALL_UPLOAD: u64 = 1024 * 1024;

/// Bytes of a request's body, as they came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireBytes(Arc<AtomicU64>);

impl WireBytes {
    /// Adds `bytes`.
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Returns the content of each message, or the error that ends the stream.
pub(super) fn messages(
    inbound: Streaming<ImportUsersRequest>,
    wire: WireBytes,
    partial: Option<PartialMessage>,
    limits: &ServerLimits,
) -> impl RequestStream + use<> {
    let (most, ratio) = (limits.message_bytes, limits.compression_ratio);
    let mut decoded = 0;
    inbound.map(move |message| {
        let exhausted = partial.as_ref().and_then(PartialMessage::exhausted);
        let message = message.map_err(|status| match exhausted {
            Some(exhausted) => exhausted.into(),
            None => broken(&status, most),
        })?;
        if let Some(partial) = &partial {
            partial.taken();
        }
        decoded += message.encoded_len() as u64;
        expect_ratio(decoded, &wire, ratio)?;
        Ok(message.message)
    })
}

fn broken(status: &Status, most: usize) -> ImportError {
    match status.code() {
        // Also a message that is too large only after decompression.
        Code::OutOfRange | Code::ResourceExhausted => too_large(most).into(),
        // The connection is not the cause: the bytes are no message.
        Code::Internal | Code::InvalidArgument
            if status.source().is_none() && !is_of_web(status) =>
        {
            undecodable_refusal(status.message()).into()
        }
        _ => ImportError::ClientGone,
    }
}

/// Returns `true` if the gRPC-Web layer made the status, which it does for any error of a connection.
fn is_of_web(status: &Status) -> bool {
    status.message().starts_with("tonic-web:")
}

/// Expects that the decoded bytes are at most `ratio` times the bytes on the wire.
///
/// # Errors
/// Fails if there are more.
pub(super) fn expect_ratio(decoded: u64, wire: &WireBytes, ratio: u64) -> Result<(), ImportError> {
    if decoded <= SMALL_UPLOAD || decoded <= wire.get().saturating_mul(ratio) {
        return Ok(());
    }
    let message = format!(
        "The upload is compressed to less than a {ratio}th of its size; send it with less \
         compression, or with none."
    );
    Err(Refusal::limit("COMPRESSED_TOO_MUCH", "compression_ratio", message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(decoded: u64, wire: u64) -> bool {
        let wire = WireBytes(Arc::new(AtomicU64::new(wire)));
        expect_ratio(decoded, &wire, 200).is_ok()
    }

    #[test]
    fn a_small_upload_may_be_compressed_as_much_as_it_can() {
        assert!(is_fine(SMALL_UPLOAD, 1));
        assert!(is_fine(SMALL_UPLOAD + 200, SMALL_UPLOAD / 200 + 2));
        assert!(!is_fine(SMALL_UPLOAD + 200, SMALL_UPLOAD / 200));
    }
}
