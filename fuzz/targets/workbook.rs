//! Any bytes as a workbook, and as each part of one: reading never panics, never holds more memory than it counts, and
//! gives the same rows each time.

#![no_main]

use std::{fmt::Write, ops::ControlFlow};

use libfuzzer_sys::fuzz_target;
use user_import::{
    domain::{RawRow, Row},
    input::{
        CsvOptions, InputLimits, WorkbookLimits, WorkbookReadError, WorkbookReader, is_workbook,
    },
};
use user_import_fuzz::{HEADER, LIMITS};
use user_import_testing::workbook as files;

const LIMITS_OF_WORKBOOKS: InputLimits = InputLimits {
    max_bytes: 1024 * 1024,
    workbook: WorkbookLimits {
        max_bytes: 1024 * 1024,
        max_rows: 200,
        max_ratio: 200,
    },
    ..LIMITS
};

fuzz_target!(|data: &[u8]| {
    let [kind, options, content @ ..] = data else {
        return;
    };
    let text = String::from_utf8_lossy(content);
    let header = files::xlsx_rows([HEADER.split(',')]);
    let parts = files::xlsx(&[("S", header)]);
    let workbook = match kind % 8 {
        0 => content.to_vec(),
        1 => {
            let mut rows = files::xlsx_rows([HEADER.split(',')]);
            let _ = write!(rows, "{text}");
            files::xlsx(&[("S", rows)])
                .with("xl/sharedStrings.xml", files::shared_strings(&["a", "b"]))
                .stored()
        }
        2 => parts.with("xl/worksheets/sheet1.xml", content).stored(),
        3 => parts.with("xl/sharedStrings.xml", content).stored(),
        4 => parts.with("xl/styles.xml", content).stored(),
        5 => parts.with("xl/workbook.xml", content).stored(),
        6 => {
            let mut rows = files::ods_rows([HEADER.split(',')]);
            let _ = write!(rows, "{text}");
            files::ods(&[("S", rows)]).stored()
        }
        _ => files::ods(&[]).with("content.xml", content).stored(),
    };
    let sheet = ["", "S", "s", "other"][usize::from(options & 3)];
    let _ = is_workbook(&workbook);
    assert_eq!(read(&workbook, sheet), read(&workbook, sheet));
});

/// Reads the workbook. Returns its rows and faults as text.
fn read(workbook: &[u8], sheet: &str) -> Vec<String> {
    let options = CsvOptions {
        ignore_unknown_columns: true,
        ..CsvOptions::default()
    };
    let reader = WorkbookReader {
        options: &options,
        sheet,
        limits: LIMITS_OF_WORKBOOKS,
    };
    let mut pauses = 0;
    let mut pause = |held: usize| {
        pauses += 1;
        assert!(held < 16 * 1024 * 1024, "{held} bytes are held");
        ControlFlow::Continue(())
    };
    let (mut shown, mut last) = (Vec::new(), (0, 0));
    let (found, ended) = reader.read(workbook, &mut pause, &mut |raw: &RawRow<'_>| {
        assert!(raw.number == last.0 + 1 && raw.line > last.1);
        last = (raw.number, raw.line);
        let row = Row::parse(raw);
        shown.push(format!("{raw:?} {:?}", row.issues().collect::<Vec<_>>()));
    });
    assert!(pauses <= 200, "{pauses} pauses");
    match ended {
        Ok(()) => assert!(found.rows > 0 && found.header.is_some()),
        Err(WorkbookReadError::Halted) => panic!("nobody stopped it"),
        Err(WorkbookReadError::Faults(faults)) => shown.extend(faults.iter().map(|fault| {
            assert!(!fault.message().is_empty() && !fault.code().is_empty());
            format!("{} {}", fault.code(), fault.message())
        })),
    }
    shown
}
