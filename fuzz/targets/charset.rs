//! Any bytes in any charset: the decoder never panics, and gives the same result in any split. Plain ASCII gives the
//! same result in every charset that contains ASCII.

#![no_main]

use libfuzzer_sys::fuzz_target;
use user_import::input::CsvOptions;
use user_import_fuzz::{HEADER, decode_in_any_split};

const LABELS: [&str; 12] = [
    "",
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "iso-8859-15",
    "shift_jis",
    "gb18030",
    "euc-kr",
    "big5",
    "iso-2022-jp",
    "no such charset",
];
/// Indices of the labels in which every byte below 0x80 is ASCII.
const ASCII: [usize; 4] = [0, 1, 4, 5];

fuzz_target!(|data: &[u8]| {
    let [label, seed, bytes @ ..] = data else {
        return;
    };
    let index = usize::from(*label) % LABELS.len();
    let options = |index: usize| CsvOptions {
        charset: LABELS[index].to_owned(),
        ..CsvOptions::default()
    };
    let file = [HEADER.as_bytes(), b"\n", bytes].concat();
    // Also without our header in front, because a byte order mark counts only at the start.
    decode_in_any_split(&options(index), bytes, *seed);
    let decoded = decode_in_any_split(&options(index), &file, *seed);
    if bytes.is_ascii() && ASCII.contains(&index) {
        let plain = decode_in_any_split(&options(0), &file, *seed);
        assert_eq!(decoded.rows, plain.rows, "ASCII in {}", LABELS[index]);
    }
});
