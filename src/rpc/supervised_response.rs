//! Supervises a response while it is sent: reports the end of the response to `DenialRecorder`, and ends it when the
//! caller's credential expires.
//!
//! Every stream is supervised here, so that no new RPC can outlive a credential by mistake. Only an import
//! supervises itself: once it applies, its credential is not checked any more.

use futures_util::FutureExt;
use http::Response;
use http_body_util::BodyExt;
use tonic::{Status, body::Body};

use super::{
    call_limiter::CallPermit, denial_recorder::IncomingCall, interruptible::interruptible, status,
};
use crate::access::CredentialExpiry;

/// Supervises the response to `call`, and holds `permit` until it ends. `expiry` is `None` if the RPC
/// checks the credential itself.
pub(super) fn supervise(
    mut response: Response<Body>,
    call: IncomingCall,
    expiry: Option<CredentialExpiry>,
    permit: CallPermit,
) -> Response<Body> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        call.record_denial(&status);
        return response;
    }
    if let Some(expiry) = expiry {
        let end = expiry.map(|denial| status::from_denial(&denial));
        response = interruptible(response, end);
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &permit;
            if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                call.record_denial(&status);
            }
            frame
        }))
    })
}
