//! A point in time as messages have it, and as proto3's JSON mapping writes it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, Eq, Hash, PartialEq, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds of that second.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    /// RFC 3339 in UTC, ending in `Z`, with 0, 3, 6 or 9 digits of a second; `None` if this is no
    /// time between the years 0 and 9999.
    #[must_use]
    pub fn rfc3339(&self) -> Option<String> {
        let nanos = u32::try_from(self.nanos).ok();
        let nanos = nanos.filter(|&nanos| nanos < 1_000_000_000)?;
        let at = OffsetDateTime::from_unix_timestamp(self.seconds).ok()?;
        let whole = at.format(&Rfc3339).ok()?;
        let digits = format!("{nanos:09}");
        let fraction = match nanos {
            0 => "",
            nanos if nanos % 1_000_000 == 0 => &digits[..3],
            nanos if nanos % 1_000 == 0 => &digits[..6],
            _ => &digits,
        };
        let point = if fraction.is_empty() { "" } else { "." };
        Some(format!("{}{point}{fraction}Z", whole.trim_end_matches('Z')))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.rfc3339() {
            Some(text) => serializer.serialize_str(&text),
            None => Err(ser::Error::custom("a timestamp is out of range")),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)?;
        Ok(super::timestamp(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_as_many_digits_as_it_needs() {
        for (seconds, nanos, json) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_795_316_400, 500_000_000, "2026-11-22T03:00:00.500Z"),
            (1_795_316_400, 120_000, "2026-11-22T03:00:00.000120Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
        ] {
            let at = Timestamp { seconds, nanos };
            let written = serde_json::to_string(&at).expect("a time");
            assert_eq!(written, format!("\"{json}\""));
            let read: Timestamp = serde_json::from_str(&written).expect("a time");
            assert_eq!(read, at);
        }
    }

    #[test]
    fn a_time_with_another_offset_is_the_same_time() {
        let read = serde_json::from_str("\"1970-01-01T01:00:00+01:00\"");
        assert_eq!(read.ok(), Some(Timestamp::default()));
    }

    #[test]
    fn what_is_no_time_is_not_written() {
        for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
            assert!(serde_json::to_string(&Timestamp { seconds, nanos }).is_err());
        }
    }
}
