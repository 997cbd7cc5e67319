//! Any bytes as a CSV file: the decoder never panics, and gives the same result in any split. The first two bytes are
//! options.

#![no_main]

use libfuzzer_sys::fuzz_target;
use user_import::input::CsvOptions;
use user_import_fuzz::{HEADER, decode_in_any_split};

fuzz_target!(|data: &[u8]| {
    let [options, seed, file @ ..] = data else {
        return;
    };
    let delimiter = ["", ",", ";", "tab", "|", "x"][usize::from(options & 7).min(5)];
    let csv = CsvOptions {
        delimiter: delimiter.to_owned(),
        ignore_unknown_columns: options & 8 != 0,
        ..CsvOptions::default()
    };
    // Half of the files begin with a good header, so that their rows are read.
    let mut input = Vec::new();
    if options & 16 != 0 {
        input.extend(HEADER.as_bytes());
        input.push(b'\n');
    }
    input.extend(file);
    decode_in_any_split(&csv, &input, *seed);
});
