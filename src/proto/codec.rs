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

use super::{AppendImportRequest, ImportUsersRequest, PushUsersRequest};
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
        let rows = path_of_rows::<U>();
        if rows.is_some_and(|path| has_too_many_rows(buf.chunk(), path)) {
            return Err(Status::out_of_range("too many rows in a message"));
        }
        let is_upload = rows == Some(UPLOADED_ROWS);
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

/// The fields that lead to a row of a message that may also carry bytes of CSV; both such messages have the same.
const UPLOADED_ROWS: &[u32] = &[3, 1];

/// The field of a row that is pushed.
const PUSHED_ROWS: &[u32] = &[2];

/// Returns the fields that lead to a typed row of the message, outermost first, or `None` if it carries no rows.
fn path_of_rows<U: 'static>() -> Option<&'static [u32]> {
    let message = TypeId::of::<U>();
    if message == TypeId::of::<PushUsersRequest>() {
        return Some(PUSHED_ROWS);
    }
    let uploads = [
        TypeId::of::<ImportUsersRequest>(),
        TypeId::of::<AppendImportRequest>(),
    ];
    uploads.contains(&message).then_some(UPLOADED_ROWS)
}

/// Returns `true` if a message has more typed rows than allowed. Reads only the fields that lead to them.
fn has_too_many_rows(encoded: &[u8], path: &[u32]) -> bool {
    count(encoded, path).is_some_and(|rows| rows > ServerLimits::MESSAGE_ROWS)
}

/// Returns the number of fields at the end of `path`, or `None` if the bytes are no message, which decoding will
/// report.
fn count(mut encoded: &[u8], path: &[u32]) -> Option<usize> {
    let (&field, deeper) = path.split_first()?;
    let mut found = 0;
    while !encoded.is_empty() {
        if let Some(content) = take_field(&mut encoded, field)? {
            found += match deeper {
                [] => 1,
                deeper => count(content, deeper)?,
            };
        }
    }
    Some(found)
}

/// Removes a field. Returns its content if it has this number and a length.
#[expect(
    clippy::option_option,
    reason = "bytes that cannot be read differ from a field that is not wanted"
)]
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

    fn pushed(count: usize) -> Vec<u8> {
        let rows = vec![UserRow::default(); count];
        PushUsersRequest { start: None, rows }.encode_to_vec()
    }

    #[test]
    fn the_most_rows_pass_and_one_more_does_not() {
        for (most, is_refused) in [(0, false), (1, true)] {
            let count = ServerLimits::MESSAGE_ROWS + most;
            assert_eq!(has_too_many_rows(&rows(count), UPLOADED_ROWS), is_refused);
            assert_eq!(has_too_many_rows(&pushed(count), PUSHED_ROWS), is_refused);
        }
    }

    #[test]
    fn the_rows_of_each_message_are_found() {
        assert_eq!(count(&rows(3), UPLOADED_ROWS), Some(3));
        assert_eq!(count(&pushed(3), PUSHED_ROWS), Some(3));
        assert_eq!(path_of_rows::<PushUsersRequest>(), Some(PUSHED_ROWS));
        assert_eq!(path_of_rows::<ImportUsersRequest>(), Some(UPLOADED_ROWS));
        assert_eq!(path_of_rows::<UserRow>(), None);
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
        assert!(has_too_many_rows(&append.encode_to_vec(), UPLOADED_ROWS));
    }

    #[test]
    fn rows_are_counted_over_repeated_fields_too() {
        let half = rows(ServerLimits::MESSAGE_ROWS / 2 + 1);
        assert!(has_too_many_rows(
            &[half.clone(), half].concat(),
            UPLOADED_ROWS
        ));
    }

    #[test]
    fn what_is_no_message_is_left_to_the_decoder() {
        for bytes in [&[0xFF; 20][..], &[0x1A, 0x7F], &[0x1A, 0x02, 0x0A, 0x05]] {
            assert!(!has_too_many_rows(bytes, UPLOADED_ROWS));
        }
    }
}
