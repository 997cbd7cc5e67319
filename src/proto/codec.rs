//! Decodes messages as tonic's own codec does, but refuses those that would need far more memory than their
//! size shows.

use std::{any::TypeId, marker::PhantomData};

use bytes::Buf;
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstEncoder};

use super::{AppendImportRequest, ImportUsersRequest};
use crate::limits::ServerLimits;

/// The codec of all our services.
#[derive(Debug)]
pub(super) struct BoundedCodec<T, U>(PhantomData<fn(T) -> U>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

/// The receiving half of [`BoundedCodec`].
#[derive(Debug)]
pub(super) struct BoundedDecoder<U>(PhantomData<fn() -> U>);

impl<U: Message + Default + 'static> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // Both messages have their rows in the same field.
        let is_upload = [
            TypeId::of::<ImportUsersRequest>(),
            TypeId::of::<AppendImportRequest>(),
        ]
        .contains(&TypeId::of::<U>());
        if is_upload && has_too_many_rows(buf.chunk()) {
            return Err(Status::out_of_range("too many rows in a message"));
        }
        let in_one_piece = buf.chunk().len() == buf.remaining();
        let decoded = match in_one_piece && !is_upload {
            true => decode_slice(buf),
            // The chunks of an upload become parts of the buffer, not copies.
            false => U::decode(buf),
        };
        let decoded = decoded.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some(decoded))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// Decodes a message that is contiguous: decoding a slice is several times as fast as decoding a buffer.
fn decode_slice<U: Message + Default>(buf: &mut DecodeBuf<'_>) -> Result<U, DecodeError> {
    let decoded = U::decode(buf.chunk());
    buf.advance(buf.remaining());
    decoded
}

/// Returns `true` if a message has more typed rows than allowed. Reads only its outermost fields.
fn has_too_many_rows(encoded: &[u8]) -> bool {
    count_rows(encoded).is_some_and(|rows| rows > ServerLimits::MESSAGE_ROWS)
}

/// Returns the number of rows, or `None` if the bytes are no message, which decoding will report.
fn count_rows(mut encoded: &[u8]) -> Option<usize> {
    const ROWS: u32 = 3;
    const ROW: u32 = 1;
    let mut count = 0;
    while !encoded.is_empty() {
        if let Some(mut rows) = take_field(&mut encoded, ROWS)? {
            while !rows.is_empty() {
                count += usize::from(take_field(&mut rows, ROW)?.is_some());
            }
        }
    }
    Some(count)
}

/// Removes a field. Returns its content if it has this number and a length.
fn take_field<'a>(encoded: &mut &'a [u8], wanted: u32) -> Option<Option<&'a [u8]>> {
    let (number, kind) = decode_key(encoded).ok()?;
    if kind != WireType::LengthDelimited {
        skip_field(kind, number, encoded, DecodeContext::default()).ok()?;
        return Some(None);
    }
    let length = usize::try_from(decode_varint(encoded).ok()?).ok()?;
    let (content, rest) = encoded.split_at_checked(length)?;
    *encoded = rest;
    Some((number == wanted).then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{UserRow, UserRows, append_import_request, import_users_request};

    fn rows(count: usize) -> Vec<u8> {
        let rows = vec![UserRow::default(); count];
        let message = Some(import_users_request::Message::Rows(UserRows { rows }));
        ImportUsersRequest { message }.encode_to_vec()
    }

    #[test]
    fn the_most_rows_pass_and_one_more_does_not() {
        assert!(!has_too_many_rows(&rows(ServerLimits::MESSAGE_ROWS)));
        assert!(has_too_many_rows(&rows(ServerLimits::MESSAGE_ROWS + 1)));
    }

    #[test]
    fn rows_are_counted_in_whatever_message_carries_them() {
        let rows = vec![UserRow::default(); ServerLimits::MESSAGE_ROWS + 1];
        let content = Some(append_import_request::Content::Rows(UserRows { rows }));
        let append = AppendImportRequest {
            organization: "pd".to_owned(),
            offset: 7,
            content,
            ..AppendImportRequest::default()
        };
        assert!(has_too_many_rows(&append.encode_to_vec()));
    }

    #[test]
    fn rows_are_counted_over_repeated_fields_too() {
        let half = rows(ServerLimits::MESSAGE_ROWS / 2 + 1);
        assert!(has_too_many_rows(&[half.clone(), half].concat()));
    }

    #[test]
    fn what_is_no_message_is_left_to_the_decoder() {
        for bytes in [&[0xFF; 20][..], &[0x1A, 0x7F], &[0x1A, 0x02, 0x0A, 0x05]] {
            assert!(!has_too_many_rows(bytes));
        }
    }
}
