//! Any bytes as the header of a file with one row: an accepted header has every required column and no column twice,
//! and the columns as they were understood are accepted again.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use user_import::{domain::Column, input::CsvOptions};
use user_import_fuzz::decode_in_any_split;

const REQUIRED: [Column; 7] = [
    Column::Email,
    Column::BadgeNumber,
    Column::FirstName,
    Column::LastName,
    Column::Status,
    Column::Username,
    Column::Role,
];

fuzz_target!(|data: &[u8]| {
    let [options, header @ ..] = data else {
        return;
    };
    let csv = CsvOptions {
        ignore_unknown_columns: options & 1 != 0,
        ..CsvOptions::default()
    };
    let file = [header, b"\n,,,,,,,,,,,,x\n"].concat();
    let decoded = decode_in_any_split(&csv, &file, *options);
    let Some(header) = decoded.header else {
        return;
    };
    let columns: HashSet<_> = header.columns.iter().collect();
    assert_eq!(
        columns.len(),
        header.columns.len(),
        "a column is there twice"
    );
    assert!(REQUIRED.iter().all(|column| columns.contains(column)));
    let names: Vec<_> = header.columns.iter().map(|c| c.header()).collect();
    let again = format!("{}\n", names.join(","));
    let again = decode_in_any_split(&csv, again.as_bytes(), *options);
    assert_eq!(
        again.header.map(|again| again.columns),
        Some(header.columns)
    );
});
