//! The time of a call: it waits until the server has started, and ends at its caller's deadline
//! (`grpc-timeout`), its stream included.
//!
//! tonic's own timeout ends with the headers of a response, and does not know gRPC-Web.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until, timeout_at},
};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::rpc;

/// Most digits of a `grpc-timeout`.
const DIGITS: usize = 8;

/// How long before the caller's deadline a call ends. tonic's own timeout answers `CANCELLED`, but the
/// protocol wants `DEADLINE_EXCEEDED`, and both timers may fire in the same millisecond.
const AHEAD: Duration = Duration::from_millis(10);

/// Puts [`CallTime`] before a service.
#[derive(Clone, Debug)]
pub(super) struct CallTimeLayer {
    started: watch::Receiver<bool>,
}

impl CallTimeLayer {
    /// Calls of the contract wait until `started`; health and reflection do not.
    pub(super) const fn new(started: watch::Receiver<bool>) -> Self {
        Self { started }
    }
}

impl<S> Layer<S> for CallTimeLayer {
    type Service = CallTime<S>;

    fn layer(&self, inner: S) -> CallTime<S> {
        let started = self.started.clone();
        CallTime { started, inner }
    }
}

/// A service whose calls end at their deadline.
#[derive(Clone, Debug)]
pub(super) struct CallTime<S> {
    started: watch::Receiver<bool>,
    inner: S,
}

impl<S> Service<Request<Body>> for CallTime<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Ok(timeout) = caller_timeout(request.headers()) else {
            return Box::pin(async { Ok(rpc::bad_timeout().into_http()) });
        };
        let deadline = timeout.map(|timeout| Instant::now() + timeout.saturating_sub(AHEAD));
        // The ready service handles this call, and a clone waits for the next one.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let mut started = self.started.clone();
        let serving = async move {
            if rpc::rpc(request.uri().path()).is_some_and(rpc::Rpc::is_of_contract) {
                // Fails only if the server has gone, and the call with it.
                let _ = started.wait_for(|started| *started).await;
            }
            inner.call(request).await
        };
        Box::pin(async move {
            let Some(deadline) = deadline else {
                return serving.await;
            };
            if deadline <= Instant::now() {
                return Ok(rpc::deadline_exceeded().into_http());
            }
            match timeout_at(deadline, serving).await {
                Ok(answer) => Ok(answer?.map(|body| Body::new(DeadlineBody::new(body, deadline)))),
                Err(_) => Ok(rpc::deadline_exceeded().into_http()),
            }
        })
    }
}

/// Returns the caller's timeout, or `None` if the caller has set none.
fn caller_timeout(headers: &HeaderMap) -> Result<Option<Duration>, ()> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let value = value.to_str().map_err(drop)?;
    let (digits, unit) = value
        .split_at_checked(value.len().saturating_sub(1))
        .ok_or(())?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !(1..=DIGITS).contains(&digits.len()) {
        return Err(());
    }
    let number: u64 = digits.parse().map_err(drop)?;
    let timeout = match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return Err(()),
    };
    Ok(Some(timeout))
}

/// A response that ends at its caller's deadline.
struct DeadlineBody {
    body: Body,
    deadline: Pin<Box<Sleep>>,
    over: bool,
}

impl DeadlineBody {
    fn new(body: Body, deadline: Instant) -> Self {
        Self {
            body,
            deadline: Box::pin(sleep_until(deadline)),
            over: false,
        }
    }

    /// Drops the rest of the response, and with it the work behind it.
    fn end(&mut self) -> Result<Frame<Bytes>, Status> {
        self.over = true;
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        rpc::deadline_exceeded().add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
    }
}

impl HttpBody for DeadlineBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        // The deadline is checked first: a response that always has more would otherwise never end.
        if self.deadline.as_mut().poll(cx).is_ready() && !self.body.is_end_stream() {
            return Poll::Ready(Some(self.end()));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_the_protocol_has_it() {
        for (value, expected) in [
            ("1H", Some(Duration::from_hours(1))),
            ("2M", Some(Duration::from_mins(2))),
            ("3S", Some(Duration::from_secs(3))),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("0n", Some(Duration::ZERO)),
            ("99999999H", Some(Duration::from_hours(99_999_999))),
            ("100000000n", None),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            (" 1S", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", value.parse().unwrap());
            let read = caller_timeout(&headers);
            assert_eq!(read.ok().flatten(), expected, "{value:?}");
        }
        assert_eq!(caller_timeout(&HeaderMap::new()), Ok(None));
    }
}
