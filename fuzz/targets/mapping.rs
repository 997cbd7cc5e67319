//! Any text as each part of a mapping: whether the mapping is refused or accepted, reading a file with it never panics
//! and gives the same result in any split. Each part is a line of the input, and the file follows.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use user_import::input::{CsvOptions, Mapping, ValueMapping};
use user_import_fuzz::{HEADER, decode_in_any_split};

fuzz_target!(|data: &[u8]| {
    let [seed, skipped, text @ ..] = data else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let mut parts = text.splitn(7, '\n').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (name, template) = (part(), part());
    let value = ValueMapping {
        column: "STATUS".to_owned(),
        cell: part(),
        value: part(),
    };
    let mapping = Mapping {
        columns: BTreeMap::from([(name, "PHONE".to_owned())]),
        null_values: vec![part()],
        values: vec![value],
        templates: BTreeMap::from([("LAST_NAME".to_owned(), template)]),
        skip_leading_lines: u32::from(skipped % 4),
        ignored_line_prefixes: vec![part()],
    };
    let csv = CsvOptions {
        ignore_unknown_columns: true,
        mapping,
        ..CsvOptions::default()
    };
    let file = format!("{HEADER}\n{}", part());
    decode_in_any_split(&csv, file.as_bytes(), *seed);
});
