//! Decodes the text of gRPC-Web: a body in base64, whose parts may each be padded, because clients encode
//! each part by itself.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use futures_util::{Stream, TryStreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
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
            let text = TextDecoder::default();
            Body::new(StreamBody::new(decoded(body, text).map_ok(Frame::data)))
        }),
        None => request,
    }
}

fn decoded(body: Body, text: TextDecoder) -> impl Stream<Item = Result<Bytes, Status>> {
    stream::try_unfold((body, text), async |(mut body, mut text)| {
        while let Some(frame) = body.frame().await.transpose()? {
            let part = frame.into_data().unwrap_or_default();
            let bytes = text.push(&part).map_err(|_| rpc::undecodable())?;
            if !bytes.is_empty() {
                return Ok(Some((Bytes::from(bytes), (body, text))));
            }
        }
        match text.rest.is_empty() {
            true => Ok(None),
            false => Err(rpc::undecodable()),
        }
    })
}

#[derive(Debug, Default)]
struct TextDecoder {
    /// Characters that do not make a whole quad yet.
    rest: Vec<u8>,
}

impl TextDecoder {
    fn push(&mut self, text: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut quads = std::mem::take(&mut self.rest);
        quads.extend_from_slice(text);
        self.rest = quads.split_off(quads.len() / QUAD * QUAD);
        decode_quads(&quads)
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
            let mut decoding = TextDecoder::default();
            let mut decoded = Vec::new();
            for piece in text.as_bytes().chunks(cut) {
                decoded.extend(decoding.push(piece).unwrap());
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
