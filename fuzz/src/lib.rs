//! Decodes an input in several splits, into text that can be compared. All fuzz targets share it.

// Some targets call these functions only for their checks, and ignore the result.
#![allow(clippy::must_use_candidate)]

use user_import::{
    domain::{CheckOptions, RawRow, Row},
    input::{CsvDecoder, CsvOptions, Header, InputLimits, WorkbookLimits},
};

/// Small limits, so that inputs exceed them, too.
pub const LIMITS: InputLimits = InputLimits {
    max_rows: 200,
    max_bytes: 64 * 1024,
    max_record_bytes: 4 * 1024,
    max_field_bytes: 1024,
    workbook: WorkbookLimits {
        max_bytes: 64 * 1024,
        max_rows: 200,
        max_ratio: 200,
    },
};

/// The result of decoding an input.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The header, if it was found.
    pub header: Option<Header>,
    /// Each row with its number and line.
    pub rows: Vec<String>,
    /// Code and message of each fault.
    pub faults: Vec<String>,
}

/// Decodes `chunks`, and parses every row.
///
/// # Panics
/// Fails if the rows are not numbered in order, or if a fault has no message.
pub fn decode<'a>(options: &CsvOptions, chunks: impl Iterator<Item = &'a [u8]>) -> Decoded {
    let mut rows = Vec::new();
    let mut last = (0, 0);
    let mut sink = |raw: &RawRow<'_>| {
        assert_eq!(raw.number, last.0 + 1);
        assert!(raw.line > last.1, "lines go on");
        last = (raw.number, raw.line);
        let options = CheckOptions {
            max_field_bytes: LIMITS.max_field_bytes,
            ..CheckOptions::default()
        };
        let row = Row::parse_with(raw, options);
        rows.push(format!("{raw:?} {:?}", row.issues().collect::<Vec<_>>()));
    };
    let (header, faults) = CsvDecoder::decode_file(options, LIMITS, chunks, &mut sink);
    let faults = faults.iter().map(|fault| {
        assert!(!fault.message().is_empty() && !fault.code().is_empty());
        format!("{} {}", fault.code(), fault.message())
    });
    let faults: Vec<_> = faults.collect();
    // If a file is refused, its rows do not count, and their number may depend on the split.
    if !faults.is_empty() {
        rows.clear();
    }
    Decoded {
        header,
        rows,
        faults,
    }
}

/// Decodes `input` at once and in pieces whose length `seed` chooses. Both must give the same result.
///
/// # Panics
/// Fails if the results differ.
pub fn decode_in_any_split(options: &CsvOptions, input: &[u8], seed: u8) -> Decoded {
    let whole = decode(options, std::iter::once(input));
    let size = usize::from(seed % 17) + 1;
    assert_eq!(
        decode(options, input.chunks(size)),
        whole,
        "in pieces of {size}"
    );
    let middle = input.len() * usize::from(seed) / 256;
    let (before, after) = input.split_at(middle);
    let halves = decode(options, [before, after].into_iter());
    assert_eq!(halves, whole, "cut at {middle}");
    whole
}

/// A header with every column.
pub const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,\
    SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE";
