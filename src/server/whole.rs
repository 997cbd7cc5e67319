//! The requests of calls that have one: taken whole before the call is served, in bounded time and
//! memory. Who sends half of one holds nothing but a place among the calls, and that not for ever.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::{
    limits::{Deadlines, ServerLimits},
    rpc::{self, message_too_large},
};

/// What comes before a message on the wire.
const PREFIX_BYTES: usize = 5;

/// Puts a [`Whole`] before a service.
#[derive(Clone, Debug)]
pub struct WholeLayer {
    message_bytes: usize,
    deadlines: Deadlines,
}

impl WholeLayer {
    /// As large, and as slow, as clients may be.
    pub const fn new(limits: &ServerLimits) -> Self {
        Self {
            message_bytes: limits.message_bytes,
            deadlines: limits.deadlines,
        }
    }

    async fn take(&self, mut body: Body) -> Result<Bytes, Status> {
        let mut taken = BytesMut::new();
        let last = Instant::now() + self.deadlines.upload;
        loop {
            let due = last.min(Instant::now() + self.deadlines.idle);
            let frame = match timeout_at(due, body.frame()).await {
                Ok(Some(frame)) => frame.map_err(|_| broken())?,
                Ok(None) => return Ok(taken.freeze()),
                Err(_) => return Err(rpc::request_too_slow(&self.deadlines)),
            };
            if let Ok(data) = frame.into_data() {
                taken.extend_from_slice(&data);
            }
            if taken.len() > self.message_bytes + PREFIX_BYTES {
                return Err(message_too_large(self.message_bytes));
            }
        }
    }
}

/// There is nobody to tell.
fn broken() -> Status {
    Status::cancelled("the client's request broke off")
}

impl<S> Layer<S> for WholeLayer {
    type Service = Whole<S>;

    fn layer(&self, inner: S) -> Whole<S> {
        let layer = self.clone();
        Whole { layer, inner }
    }
}

/// A service that has the requests of its calls whole, but for those that are streams.
#[derive(Clone, Debug)]
pub struct Whole<S> {
    layer: WholeLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for Whole<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let rpc = rpc::rpc(request.uri().path());
        if rpc.is_some_and(rpc::Rpc::has_request_stream) {
            return Box::pin(self.inner.call(request));
        }
        // The one that is ready is used, and a copy waits for the next call.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match layer.take(body).await {
                Ok(body) => {
                    let body = Body::new(Full::new(body));
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}
