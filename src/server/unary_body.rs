//! Receives the request of a call with a single message completely before the call is served, in bounded
//! time and memory. A client that sends half of a message holds only those bytes and one of the
//! connection's calls, for a short time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body};

use crate::{
    limits::{MemoryAccount, MemoryReservation, ServerLimits},
    rpc::{self, InnerService, Middleware, Rpc, SMALL_REQUEST_BYTES},
};

/// Bytes before a message on the wire: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Time limit of a small request.
const SMALL_PATIENCE: Duration = Duration::from_secs(5);

/// Limits of a request's size and time.
#[derive(Clone, Copy, Debug)]
struct BodyBounds {
    message_bytes: usize,
    /// Longest time without a byte.
    idle: Duration,
    /// Longest time until the end.
    whole: Duration,
}

/// The layer, with the limits of this server.
pub(super) fn layer(limits: &ServerLimits) -> Middleware {
    let bounds = BodyBounds {
        message_bytes: limits.message_bytes,
        idle: limits.deadlines.idle,
        whole: limits.deadlines.upload,
    };
    Middleware::new(move |request, next| serve(request, next, bounds))
}

async fn serve(request: Request<Body>, next: InnerService, bounds: BodyBounds) -> Response<Body> {
    let path = request.uri().path();
    if rpc::rpc(path).is_some_and(Rpc::has_request_stream) {
        return next.call(request).await;
    }
    let bounds = match is_small(path) {
        true => BodyBounds::SMALL,
        false => bounds,
    };
    let (parts, mut body) = request.into_parts();
    // A small request never waits for memory.
    let account = parts.extensions.get::<MemoryAccount>();
    let account = account.filter(|_| bounds.message_bytes > SMALL_REQUEST_BYTES);
    let received = ReceivedBody::receive(&mut body, account, &bounds).await;
    let (bytes, _held_until_answered) = match received {
        Ok(received) => (received.bytes.freeze(), received.reservation),
        Err(status) => {
            if parts.version < Version::HTTP_2 {
                tokio::spawn(drop_rest(body, bounds));
            }
            return status.into_http();
        }
    };
    let body = Body::new(Full::new(bytes));
    next.call(Request::from_parts(parts, body)).await
}

/// Reads the rest of a refused request and drops it, up to twice the limit of a message. A client of HTTP/1.1 reads the
/// answer only after it has sent its request; otherwise it would find its connection closed.
async fn drop_rest(mut body: Body, bounds: BodyBounds) {
    let last = Instant::now() + bounds.idle;
    let mut left = 2 * bounds.message_bytes;
    while let Ok(Some(Ok(frame))) = timeout_at(last, body.frame()).await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

impl BodyBounds {
    const SMALL: Self = Self {
        message_bytes: SMALL_REQUEST_BYTES,
        idle: SMALL_PATIENCE,
        whole: SMALL_PATIENCE,
    };
}

/// Requests to unknown paths are treated as small.
fn is_small(path: &str) -> bool {
    rpc::rpc(path).is_none_or(Rpc::has_small_requests)
}

/// The part of a request that has arrived.
#[derive(Debug, Default)]
struct ReceivedBody {
    bytes: BytesMut,
    /// The memory charged for it; `None` if nothing is charged, because the request is small.
    reservation: Option<MemoryReservation>,
}

impl ReceivedBody {
    /// Receives the whole request.
    async fn receive(
        body: &mut Body,
        account: Option<&MemoryAccount>,
        bounds: &BodyBounds,
    ) -> Result<Self, Status> {
        let reservation = account.map(|account| account.reserve(0)).transpose();
        let mut received = Self {
            bytes: BytesMut::new(),
            reservation: reservation.map_err(rpc::memory_exhausted)?,
        };
        let last = Instant::now() + bounds.whole;
        loop {
            let due = last.min(Instant::now() + bounds.idle);
            let frame = match timeout_at(due, body.frame()).await {
                Ok(Some(frame)) => frame.map_err(|status| broken(&status))?,
                Ok(None) => break,
                Err(_) => return Err(rpc::request_too_slow(bounds.idle, bounds.whole)),
            };
            if let Ok(data) = frame.into_data() {
                received.push(&data, bounds.message_bytes)?;
            }
        }
        received.expect_whole()?;
        Ok(received)
    }

    /// A message that is declared too large is refused with its first bytes.
    fn push(&mut self, data: &Bytes, most: usize) -> Result<(), Status> {
        let declared = declared(&self.bytes, data);
        if declared.is_some_and(|length| length > most) {
            return Err(rpc::message_too_large(most));
        }
        let all = self.bytes.len() + data.len();
        if all > declared.unwrap_or_default() + PREFIX_BYTES {
            return Err(rpc::undecodable());
        }
        if let Some(reservation) = &mut self.reservation {
            let held = reservation.grow(data.len());
            held.map_err(rpc::memory_exhausted)?;
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn expect_whole(&self) -> Result<(), Status> {
        let expected = declared(&self.bytes, &[]).map(|length| length + PREFIX_BYTES);
        match expected == Some(self.bytes.len()) {
            true => Ok(()),
            false => Err(rpc::undecodable()),
        }
    }
}

/// Returns the length that the prefix declares, once the prefix is complete.
fn declared(first: &[u8], rest: &[u8]) -> Option<usize> {
    let mut prefix = first.iter().chain(rest).skip(1);
    let mut length = [0; PREFIX_BYTES - 1];
    for byte in &mut length {
        *byte = *prefix.next()?;
    }
    usize::try_from(u32::from_be_bytes(length)).ok()
}

/// Keeps the statuses of ours. Any other error means that the connection broke, and no client reads the
/// status.
fn broken(status: &Status) -> Status {
    match status.code() {
        Code::InvalidArgument => status.clone(),
        _ => Status::cancelled("the client's request broke off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_000;

    fn pushed(parts: &[&[u8]]) -> Result<usize, Code> {
        let mut taken = ReceivedBody::default();
        for part in parts {
            let part = Bytes::copy_from_slice(part);
            taken.push(&part, MOST).map_err(|status| status.code())?;
        }
        let whole = taken.expect_whole().map_err(|status| status.code());
        whole.map(|()| taken.bytes.len())
    }

    #[test]
    fn a_message_is_taken_in_whatever_parts_it_comes() {
        for parts in [
            &[&[0, 0, 0, 0, 2, 7, 7][..]][..],
            &[&[0], &[0, 0], &[0, 2, 7], &[7]],
            &[&[0, 0, 0, 0, 2], &[7, 7]],
        ] {
            assert_eq!(pushed(parts), Ok(7), "{parts:?}");
        }
        assert_eq!(pushed(&[&[0, 0, 0, 0, 0]]), Ok(5));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_the_message_comes() {
        for (length, refused) in [(1_000_u32, false), (1_001, true), (u32::MAX, true)] {
            for flag in [0, 1] {
                let [a, b, c, d] = length.to_be_bytes();
                let code = pushed(&[&[flag, a], &[b, c, d]]).unwrap_err();
                assert_eq!(code == Code::ResourceExhausted, refused, "{length}");
            }
        }
    }

    #[test]
    fn what_is_not_exactly_one_message_is_refused() {
        for parts in [
            &[][..],
            &[&[0, 0, 0][..]],
            &[&[0, 0, 0, 0, 2, 7]],
            &[&[0, 0, 0, 0, 1, 7, 7]],
            &[&[0, 0, 0, 0, 1, 7], &[7]],
            &[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
        ] {
            assert_eq!(pushed(parts), Err(Code::InvalidArgument), "{parts:?}");
        }
    }
}
