//! The time of a call: it waits until the server has started, and ends at its caller's deadline
//! (`grpc-timeout`), its stream included.
//!
//! tonic's own timeout ends with the headers of a response, and does not know gRPC-Web.

use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tonic::body::Body;

use crate::rpc::{self, InnerService, Middleware};

/// Most digits of a `grpc-timeout`.
const DIGITS: usize = 8;

/// How long before the caller's deadline a call ends. tonic's own timeout answers `CANCELLED`, but the
/// protocol wants `DEADLINE_EXCEEDED`, and both timers may fire in the same millisecond.
const AHEAD: Duration = Duration::from_millis(10);

/// The layer. Calls of the contract wait until `started`; health and reflection do not.
pub(super) fn layer(started: watch::Receiver<bool>) -> Middleware {
    Middleware::new(move |request, next| limit(request, next, started.clone()))
}

async fn limit(
    request: Request<Body>,
    next: InnerService,
    mut started: watch::Receiver<bool>,
) -> Response<Body> {
    let Ok(timeout) = caller_timeout(request.headers()) else {
        return rpc::bad_timeout().into_http();
    };
    let serving = async {
        if rpc::rpc(request.uri().path()).is_some_and(rpc::Rpc::is_of_contract) {
            // Fails only if the server has gone, and the call with it.
            let _ = started.wait_for(|started| *started).await;
        }
        next.call(request).await
    };
    let Some(timeout) = timeout else {
        return serving.await;
    };
    let deadline = Instant::now() + timeout.saturating_sub(AHEAD);
    if deadline <= Instant::now() {
        return rpc::deadline_exceeded().into_http();
    }
    match timeout_at(deadline, serving).await {
        Ok(response) => {
            let end = sleep_until(deadline).map(|()| rpc::deadline_exceeded());
            rpc::interruptible(response, end)
        }
        Err(_) => rpc::deadline_exceeded().into_http(),
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
