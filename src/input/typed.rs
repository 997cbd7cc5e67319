//! Turns typed rows into raw rows, within the same limits as CSV, and computes their canonical digest.

use sha2::{Digest, Sha256};

use super::{FileFault, InputLimits};
use crate::domain::{Cell, Column, RawRow};

/// Takes typed rows. Their grouping into messages does not matter.
///
/// Once a fault has been returned, every later call returns the same fault.
pub(crate) struct TypedRows {
    limits: InputLimits,
    rows: u32,
    bytes: u64,
    sha256: Sha256,
    fault: Option<FileFault>,
}

impl TypedRows {
    /// Returns a value without rows.
    #[must_use]
    pub(crate) fn new(limits: InputLimits) -> Self {
        Self {
            limits,
            rows: 0,
            bytes: 0,
            sha256: Sha256::new(),
            fault: None,
        }
    }

    /// Takes the next row, its values by `Column as usize`, and passes it to `sink`. `None` is an unset field. A row
    /// of blanks is a row too.
    ///
    /// # Errors
    /// `TOO_MANY_ROWS`, `TOO_MANY_BYTES`, `RECORD_TOO_LONG`.
    pub(crate) fn push(
        &mut self,
        values: &[Option<&str>; Column::COUNT],
        sink: &mut impl FnMut(&RawRow<'_>),
    ) -> Result<(), Vec<FileFault>> {
        self.check()?;
        self.fault = self.admit(values).err();
        self.check()?;
        for value in values {
            self.digest_value(*value);
        }
        sink(&RawRow {
            number: self.rows,
            line: 0,
            cells: values.map(|value| value.map_or(Cell::Absent, Cell::Text)),
            misfit: None,
        });
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    /// `NO_ROWS`, or the fault of an earlier row.
    pub(crate) fn finish(&mut self) -> Result<(), Vec<FileFault>> {
        if self.rows == 0 && self.fault.is_none() {
            self.fault = Some(FileFault::NoRows);
        }
        self.check()
    }

    /// Returns the SHA-256 of the rows in their canonical encoding. Equal rows have equal digests, in whatever messages
    /// they came. The encoding: for each row, for each column in the template's order, one byte, 0 for unset
    /// or 1 for set. If set, the length of the value in bytes follows as four bytes, highest first, and then the value
    /// as received, in UTF-8.
    #[must_use]
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.sha256.clone().finalize().into()
    }

    fn check(&self) -> Result<(), Vec<FileFault>> {
        self.fault.clone().map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Counts a row if it is within the limits.
    fn admit(&mut self, values: &[Option<&str>; Column::COUNT]) -> Result<(), FileFault> {
        let row = self.rows.saturating_add(1);
        let InputLimits {
            max_rows,
            max_bytes,
            max_record_bytes,
            ..
        } = self.limits;
        if row > max_rows {
            return Err(FileFault::TooManyRows {
                limit: max_rows,
                row,
            });
        }
        let length: usize = values.iter().flatten().map(|value| value.len()).sum();
        if length > max_record_bytes {
            return Err(FileFault::RowTooLong {
                row,
                limit: max_record_bytes,
            });
        }
        let bytes = self.bytes + length as u64;
        if bytes > max_bytes {
            return Err(FileFault::TooManyBytes {
                limit: max_bytes,
                row,
            });
        }
        self.rows = row;
        self.bytes = bytes;
        Ok(())
    }

    fn digest_value(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            return self.sha256.update([0]);
        };
        // The cap on a row keeps the length below 2^32.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.sha256.update([1]);
        self.sha256.update(length.to_be_bytes());
        self.sha256.update(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSET: [Option<&str>; Column::COUNT] = [None; Column::COUNT];

    fn rows_of(
        limits: InputLimits,
        rows: &[[Option<&str>; Column::COUNT]],
    ) -> (Result<(), Vec<FileFault>>, u32) {
        let mut typed = TypedRows::new(limits);
        let mut taken = 0;
        let result = rows
            .iter()
            .try_for_each(|row| typed.push(row, &mut |_| taken += 1));
        (result.and_then(|()| typed.finish()), taken)
    }

    fn digest(rows: &[[Option<&str>; Column::COUNT]]) -> [u8; 32] {
        let mut typed = TypedRows::new(InputLimits::default());
        for row in rows {
            typed.push(row, &mut |_| {}).unwrap();
        }
        typed.digest()
    }

    fn with(column: Column, value: &str) -> [Option<&str>; Column::COUNT] {
        let mut row = UNSET;
        row[column as usize] = Some(value);
        row
    }

    #[test]
    fn unset_blank_and_value_stay_three_things() {
        let mut values = UNSET;
        values[Column::Email as usize] = Some("a@example.org");
        values[Column::Phone as usize] = Some("");
        let mut typed = TypedRows::new(InputLimits::default());
        let mut check = |row: &RawRow<'_>| {
            assert_eq!((row.number, row.line, row.misfit), (1, 0, None));
            assert_eq!(row.cell(Column::Email), Cell::Text("a@example.org"));
            assert_eq!(row.cell(Column::Phone), Cell::Text(""));
            assert_eq!(row.cell(Column::Rank), Cell::Absent);
        };
        typed.push(&values, &mut check).unwrap();
        typed.finish().unwrap();
        assert_eq!((typed.rows, typed.bytes), (1, 13));
    }

    #[test]
    fn a_limit_ends_the_input_at_the_first_row_beyond_it() {
        let row = with(Column::Email, "abc");
        for (limits, limit) in [
            ((2, 9), FileFault::TooManyRows { limit: 2, row: 3 }),
            ((3, 8), FileFault::TooManyBytes { limit: 8, row: 3 }),
        ] {
            let (max_rows, max_bytes) = limits;
            let (result, taken) = rows_of(
                InputLimits {
                    max_rows,
                    max_bytes,
                    ..InputLimits::default()
                },
                &[row; 3],
            );
            assert_eq!((result, taken), (Err(vec![limit]), 2));
        }
        let (max_rows, max_bytes) = (3, 9);
        let (result, taken) = rows_of(
            InputLimits {
                max_rows,
                max_bytes,
                ..InputLimits::default()
            },
            &[row; 3],
        );
        assert_eq!((result, taken), (Ok(()), 3));
    }

    #[test]
    fn a_row_over_64_kib_is_a_fault_and_one_of_64_kib_is_not() {
        let longest = "x".repeat(64 * 1024);
        let longer = longest.clone() + "x";
        let rows = [with(Column::Rank, &longest), with(Column::Rank, &longer)];
        let (result, taken) = rows_of(InputLimits::default(), &rows);
        assert_eq!(
            (result, taken),
            (
                Err(vec![FileFault::RowTooLong {
                    row: 2,
                    limit: 64 * 1024
                }]),
                1
            )
        );
    }

    #[test]
    fn no_row_at_all_is_a_fault() {
        assert_eq!(
            rows_of(InputLimits::default(), &[]).0,
            Err(vec![FileFault::NoRows])
        );
    }

    #[test]
    fn after_a_fault_every_call_returns_it() {
        let limits = InputLimits {
            max_rows: 0,
            ..InputLimits::default()
        };
        let mut typed = TypedRows::new(limits);
        let fault = Err(vec![FileFault::TooManyRows { limit: 0, row: 1 }]);
        for _ in 0..2 {
            assert_eq!(typed.push(&UNSET, &mut |_| panic!("a row")), fault);
        }
        assert_eq!(typed.finish(), fault);
    }

    #[test]
    fn the_digest_is_that_of_the_documented_encoding() {
        let mut encoded = vec![0; 12];
        encoded.splice(1..1, *b"\x01\0\0\0\x02ab");
        let expected: [u8; 32] = Sha256::digest(&encoded).into();
        assert_eq!(digest(&[with(Column::Email, "ab")]), expected);
    }

    #[test]
    fn the_digest_tells_rows_apart_that_only_look_alike() {
        let split = |a, b| {
            let mut row = with(Column::FirstName, a);
            row[Column::LastName as usize] = Some(b);
            row
        };
        let digests = [
            digest(&[UNSET]),
            digest(&[UNSET, UNSET]),
            digest(&[with(Column::Rank, "")]),
            digest(&[with(Column::Rank, " ")]),
            digest(&[with(Column::Phone, "")]),
            digest(&[split("ab", "c")]),
            digest(&[split("a", "bc")]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }
}
