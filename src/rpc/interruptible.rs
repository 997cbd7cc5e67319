//! Responses that can end before their body does, with a status.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tonic::{Status, body::Body};

/// Ends the response with the status of `end` as soon as that is ready. The rest of the response is
/// dropped, and with it the work behind it.
pub(crate) fn interruptible(
    response: Response<Body>,
    end: impl Future<Output = Status> + Send + 'static,
) -> Response<Body> {
    response.map(|body| {
        Body::new(InterruptibleBody {
            body,
            end: Some(Box::pin(end)),
        })
    })
}

struct InterruptibleBody {
    body: Body,
    /// `None` once it was ready.
    end: Option<BoxFuture<'static, Status>>,
}

impl HttpBody for InterruptibleBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let is_last = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers(),
            Poll::Ready(None) => true,
            _ => false,
        };
        let Some(end) = self.end.as_mut().filter(|_| !is_last) else {
            return polled;
        };
        // Also if there is a frame: a response that always has more would otherwise never end.
        let Poll::Ready(status) = end.as_mut().poll(cx) else {
            return polled;
        };
        self.end = None;
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
