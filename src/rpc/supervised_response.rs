//! Supervises a response while it is sent: reports its end to `DenialRecorder`, and ends it when the
//! caller's credential expires.
//!
//! Every stream is supervised here, so that no new RPC can outlive a credential by mistake. Only an import
//! supervises itself: once it applies, its credential is not checked any more.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tonic::{Status, body::Body};

use super::{call_limiter::CallPermit, denial_recorder::CallAttempt, status};
use crate::access::CredentialExpiry;

/// A response that is supervised.
struct SupervisedResponse {
    body: Body,
    attempt: CallAttempt,
    /// `None` if the RPC checks the credential itself, or the response has ended.
    expiry: Option<CredentialExpiry>,
    /// Held until the response ends.
    _permit: CallPermit,
    over: bool,
}

/// Supervises the response to `attempt`.
pub(super) fn supervise(
    answer: Response<Body>,
    attempt: CallAttempt,
    expiry: Option<CredentialExpiry>,
    permit: CallPermit,
) -> Response<Body> {
    if let Some(status) = Status::from_header_map(answer.headers()) {
        attempt.note(&status);
        return answer;
    }
    answer.map(|body| {
        Body::new(SupervisedResponse {
            body,
            attempt,
            expiry,
            _permit: permit,
            over: false,
        })
    })
}

impl SupervisedResponse {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        let expiry = self.expiry.as_mut()?;
        match expiry.as_mut().poll(cx) {
            Poll::Ready(denial) => Some(status::from_denial(&denial)),
            Poll::Pending => None,
        }
    }

    /// Drops the rest of the response, and with it the work behind it.
    fn end(&mut self, status: &Status) -> Result<Frame<Bytes>, Status> {
        self.over = true;
        self.body = Body::empty();
        self.expiry = None;
        self.attempt.note(status);
        let mut trailers = http::HeaderMap::new();
        status.add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
    }
}

impl HttpBody for SupervisedResponse {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
        {
            if let Some(status) = Status::from_header_map(trailers) {
                self.attempt.note(&status);
            }
            return polled;
        }
        if let Poll::Ready(None) = polled {
            return polled;
        }
        match self.poll_end(cx) {
            Some(status) => Poll::Ready(Some(self.end(&status))),
            None => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
