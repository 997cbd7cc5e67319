//! Results of rows, in a message that need not be built to be sent.

use bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, message, skip_field},
};
use serde::{Deserialize, Serialize};

use super::RowResult;

/// Number of `results` in the contract.
const RESULTS: u32 = 1;

/// The contract's message of this name. What was encoded elsewhere is sent as it is: an import has a
/// result for each of a million rows, and to build them all takes longer than to encode them.
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
