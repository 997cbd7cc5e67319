//! Decodes the text of gRPC-Web: a body in base64, whose parts may each be padded, because clients encode
//! each part by itself.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use http::Request;
use hyper::body::{Body as HttpBody, Bytes, Frame};
use tonic::{Status, body::Body};

use crate::rpc;

/// Characters that are decoded together.
const QUAD: usize = 4;

/// Marks a request whose body is text; an extension of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WebText;

/// Decodes the body of a request that is marked as [`WebText`].
pub(super) fn decode(mut request: Request<Body>) -> Request<Body> {
    match request.extensions_mut().remove::<WebText>() {
        Some(WebText) => request.map(|body| {
            Body::new(DecodedWebText {
                body,
                rest: Vec::new(),
                over: false,
            })
        }),
        None => request,
    }
}

struct DecodedWebText {
    body: Body,
    /// Characters that do not make a whole quad yet.
    rest: Vec<u8>,
    over: bool,
}

impl DecodedWebText {
    fn take(&mut self, text: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut quads = std::mem::take(&mut self.rest);
        quads.extend_from_slice(text);
        self.rest = quads.split_off(quads.len() / QUAD * QUAD);
        decode_quads(&quads)
    }

    fn malformed(&mut self) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.over = true;
        self.body = Body::empty();
        Poll::Ready(Some(Err(rpc::undecodable())))
    }
}

/// Decodes each padded part by itself.
fn decode_quads(mut text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::with_capacity(text.len() / QUAD * 3);
    while !text.is_empty() {
        let padding = memchr::memchr(b'=', text);
        let end = padding.map_or(text.len(), |at| (at / QUAD + 1) * QUAD);
        let (part, rest) = text.split_at(end);
        STANDARD.decode_vec(part, &mut decoded)?;
        text = rest;
    }
    Ok(decoded)
}

impl HttpBody for DecodedWebText {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        while !self.over {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)?) else {
                self.over = true;
                return match self.rest.is_empty() {
                    true => Poll::Ready(None),
                    false => self.malformed(),
                };
            };
            let Ok(text) = frame.into_data() else {
                continue;
            };
            match self.take(&text) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                Err(_) => return self.malformed(),
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However it is encoded in parts, and however these are cut on the way.
        #[test]
        fn what_was_encoded_in_parts_is_decoded(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..9),
            cut in 1_usize..7,
        ) {
            let text: String = parts.iter().map(|part| STANDARD.encode(part)).collect();
            let mut decoding = DecodedWebText { body: Body::empty(), rest: Vec::new(), over: false };
            let mut decoded = Vec::new();
            for piece in text.as_bytes().chunks(cut) {
                decoded.extend(decoding.take(piece).unwrap());
            }
            prop_assert_eq!(decoded, parts.concat());
            prop_assert!(decoding.rest.is_empty());
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["!!!!", "A===", "=AAA", "AA=A"] {
            assert!(decode_quads(text.as_bytes()).is_err(), "{text}");
        }
    }
}
