//! Results of rows, in a message that can be sent without building it.

use bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, message, skip_field},
};
use serde::{Deserialize, Serialize};

use super::{ColumnChange, RowResult};

/// Number of `results` in the contract.
const RESULTS: u32 = 1;

/// The contract's message of this name. Results that were encoded elsewhere are sent unchanged: an import may have a
/// million results, and building the messages takes longer than encoding them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowResults {
    /// The results, as received or built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<RowResult>,
    /// Further results, encoded as this message's field is; sent before the others.
    #[serde(skip)]
    encoded: Bytes,
}

impl RowResults {
    /// A message of results.
    #[must_use]
    pub const fn new(results: Vec<RowResult>) -> Self {
        Self {
            results,
            encoded: Bytes::new(),
        }
    }

    /// A message that has been encoded: it can be sent, but its results cannot be looked at.
    #[must_use]
    pub const fn from_encoded(encoded: Bytes) -> Self {
        Self {
            results: Vec::new(),
            encoded,
        }
    }

    /// Returns all results, also those that were encoded.
    ///
    /// # Errors
    /// Fails if the encoded bytes are not this message.
    pub fn into_results(self) -> Result<Vec<RowResult>, DecodeError> {
        let mut all = Self::decode(self.encoded)?.results;
        all.extend(self.results);
        Ok(all)
    }

    /// Returns `true` if a result has an issue, or a value before or after. Reads only the tag of each
    /// field.
    #[must_use]
    pub fn have_issues_or_values(&self) -> bool {
        let built = self.results.iter().any(|result| {
            let has_value =
                |change: &ColumnChange| change.before.is_some() || change.after.is_some();
            !result.issues.is_empty() || result.changes.iter().any(has_value)
        });
        built
            || any_field(&self.encoded, |_, result| {
                any_field(result, is_issue_or_value)
            })
    }
}

/// Numbers of a result's fields, and of a change's, in the contract.
mod field {
    pub(super) const CHANGES: u32 = 6;
    pub(super) const ISSUES: u32 = 7;
    pub(super) const COLUMN: u32 = 1;
}

fn is_issue_or_value(tag: u32, content: &[u8]) -> bool {
    match tag {
        field::ISSUES => true,
        field::CHANGES => any_field(content, |tag, _| tag != field::COLUMN),
        _ => false,
    }
}

/// Returns `true` if a field of an encoded message is one that `is_sought` accepts by its number and content
/// (empty for a number), or if the message cannot be read.
fn any_field(mut message: &[u8], is_sought: impl Fn(u32, &[u8]) -> bool) -> bool {
    while !message.is_empty() {
        let Ok((tag, wire_type)) = decode_key(&mut message) else {
            return true;
        };
        let content = match wire_type {
            WireType::LengthDelimited => take_content(&mut message),
            _ => skip_field(wire_type, tag, &mut message, DecodeContext::default())
                .ok()
                .map(|()| &[][..]),
        };
        if content.is_none_or(|content| is_sought(tag, content)) {
            return true;
        }
    }
    false
}

fn take_content<'a>(message: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(message).ok()?).ok()?;
    let (content, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(content)
}

impl Message for RowResults {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.encoded);
        message::encode_repeated(RESULTS, &self.results, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            RESULTS => message::merge_repeated(wire_type, &mut self.results, buf, context),
            _ => skip_field(wire_type, tag, buf, context),
        }
    }

    fn encoded_len(&self) -> usize {
        self.encoded.len() + message::encoded_len_repeated(RESULTS, &self.results)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Issue;

    fn results() -> RowResults {
        let result = |row| RowResult {
            row,
            external_id: format!("X-{row}"),
            ..RowResult::default()
        };
        RowResults::new((1..4).map(result).collect())
    }

    #[test]
    fn what_was_encoded_is_sent_as_it_is() {
        let bytes = results().encode_to_vec();
        let encoded = RowResults::from_encoded(bytes.clone().into());
        assert_eq!(encoded.encode_to_vec(), bytes);
        assert_eq!(RowResults::decode(&*bytes), Ok(results()));
    }

    #[test]
    fn issues_and_values_are_seen_without_decoding() {
        let change = |before: Option<&str>| ColumnChange {
            column: "EMAIL".to_owned(),
            before: before.map(str::to_owned),
            after: None,
        };
        let mut plain = results().results;
        plain[0].line = 300;
        plain[1].changes.push(change(None));
        let with_value = {
            let mut results = plain.clone();
            results[2].changes.push(change(Some("")));
            results
        };
        let with_issue = {
            let mut results = plain.clone();
            results[2].issues.push(Issue::default());
            results
        };
        for (results, expected) in [(plain, false), (with_value, true), (with_issue, true)] {
            let built = RowResults::new(results);
            let encoded = RowResults::from_encoded(built.encode_to_vec().into());
            assert_eq!(built.have_issues_or_values(), expected);
            assert_eq!(encoded.have_issues_or_values(), expected);
            assert_eq!(encoded.into_results(), built.into_results());
        }
        let broken = RowResults::from_encoded(Bytes::from_static(&[0x0A, 0x7F]));
        assert!(broken.have_issues_or_values());
    }

    #[test]
    fn fields_of_a_later_release_are_passed_over() {
        let mut bytes = results().encode_to_vec();
        bytes.extend([0x78, 0x01]);
        assert_eq!(RowResults::decode(&*bytes), Ok(results()));
    }

    #[test]
    fn in_json_it_is_the_contracts_message() {
        let json = serde_json::to_string(&RowResults::new(vec![RowResult::default()])).unwrap();
        assert_eq!(json, r#"{"results":[{}]}"#);
        assert_eq!(serde_json::to_string(&RowResults::default()).unwrap(), "{}");
        let read: RowResults = serde_json::from_str(&json).unwrap();
        assert_eq!(read.results.len(), 1);
        assert!(serde_json::from_str::<RowResults>(r#"{"result":[]}"#).is_err());
    }
}
