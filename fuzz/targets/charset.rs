//! Any bytes in any charset: never a panic, the same in any split, and plain ASCII is the same in
//! every charset that has it.

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
/// Labels in which a byte below 0x80 is not always ASCII: `[2..4]`, and those that refuse.
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
    // Also without our header: a byte order mark is one only at the start.
    decode_in_any_split(&options(index), bytes, *seed);
    let decoded = decode_in_any_split(&options(index), &file, *seed);
    if bytes.is_ascii() && ASCII.contains(&index) {
        let plain = decode_in_any_split(&options(0), &file, *seed);
        assert_eq!(decoded.rows, plain.rows, "ASCII in {}", LABELS[index]);
    }
});
