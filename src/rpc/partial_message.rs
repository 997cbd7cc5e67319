//! The body of a call with any number of request messages.
//!
//! The bytes of a message that has not arrived completely are charged to the memory budget like all other
//! bytes of a client.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use http::Request;
use http_body_util::{BodyStream, StreamBody};
use parking_lot::Mutex;
use tonic::{Status, body::Body};

use super::transport_statuses::memory_exhausted;
use crate::limits::{MemoryAccount, MemoryExhausted, MemoryReservation};

/// The bytes of the next message that have arrived so far. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct PartialMessage(Arc<Mutex<PartialState>>);

#[derive(Debug)]
struct PartialState {
    held: MemoryReservation,
    exhausted: Option<MemoryExhausted>,
}

impl PartialMessage {
    /// Charges the bytes of `request` as they arrive, and adds itself to the request's extensions.
    ///
    /// # Errors
    /// Never: nothing is held yet.
    pub(super) fn meter(
        request: Request<Body>,
        account: &MemoryAccount,
    ) -> Result<Request<Body>, MemoryExhausted> {
        let partial = Self(Arc::new(Mutex::new(PartialState {
            held: account.reserve(0)?,
            exhausted: None,
        })));
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(partial.clone());
        let frames = BodyStream::new(body).map(move |frame| {
            let frame = frame?;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            partial.add(bytes).map_err(memory_exhausted)?;
            Ok::<_, Status>(frame)
        });
        Ok(Request::from_parts(
            parts,
            Body::new(StreamBody::new(frames)),
        ))
    }

    /// A message is complete. Bytes of the next message that arrived with its last bytes are not charged.
    pub(super) fn taken(&self) {
        let mut partial = self.0.lock();
        let held = partial.held.bytes();
        partial.held.shrink(held);
    }

    /// Returns the budget that had no room for more, or `None`.
    pub(super) fn exhausted(&self) -> Option<MemoryExhausted> {
        self.0.lock().exhausted
    }

    fn add(&self, bytes: usize) -> Result<(), MemoryExhausted> {
        let mut partial = self.0.lock();
        let grown = partial.held.grow(bytes);
        partial.exhausted = grown.err();
        grown
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::limits::{MemoryBounds, MemoryBudget};

    #[tokio::test]
    async fn what_has_come_of_a_message_is_charged_until_it_is_whole() {
        let memory = MemoryBudget::new(MemoryBounds::of(1_000));
        let account = memory.account(None);
        let pieces =
            [400, 400, 400].map(|bytes| BodyStream::new(Full::new(Bytes::from(vec![0; bytes]))));
        let frames = tokio_stream::iter(pieces).flatten();
        let body = Body::new(StreamBody::new(frames));
        let request = PartialMessage::meter(Request::new(body), &account).unwrap();
        let (parts, mut body) = request.into_parts();
        let partial = parts.extensions.get::<PartialMessage>().unwrap().clone();
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(memory.in_use(), 400);
        partial.taken();
        assert_eq!(memory.in_use(), 0);
        assert!(body.frame().await.unwrap().is_ok());
        let _other = account.reserve(500).unwrap();
        assert!(body.frame().await.unwrap().is_err() && partial.exhausted().is_some());
        drop((parts, partial, body));
        assert_eq!(memory.in_use(), 500);
    }
}
