//! The only writer of CSV that people open in a spreadsheet. It makes every cell harmless, so that no spreadsheet
//! computes it. It knows nothing about the meaning of the cells.

use csv::{QuoteStyle, Writer, WriterBuilder};

use super::neutralise;

/// Begins a UTF-8 file, so that spreadsheets read it as UTF-8.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A CSV file that is written to memory.
#[derive(Debug)]
pub(crate) struct CsvSheet(Writer<Vec<u8>>);

impl Default for CsvSheet {
    fn default() -> Self {
        Self::new(b',', "")
    }
}

impl CsvSheet {
    /// Starts a file that uses this delimiter and begins with `begins`.
    #[must_use]
    pub(crate) fn new(delimiter: u8, begins: &str) -> Self {
        let mut builder = WriterBuilder::new();
        let builder = builder.delimiter(delimiter).flexible(true);
        Self(builder.from_writer(begins.as_bytes().to_vec()))
    }

    /// Starts such a file in which every cell is quoted, so that every line begins with a quote.
    #[must_use]
    pub(crate) fn quoted(delimiter: u8, begins: &str) -> Self {
        let mut builder = WriterBuilder::new();
        let builder = builder
            .delimiter(delimiter)
            .flexible(true)
            .quote_style(QuoteStyle::Always);
        Self(builder.from_writer(begins.as_bytes().to_vec()))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Never fails, because records go to memory. The error comes from the writer's type.
    pub(crate) fn push<T: AsRef<str>>(
        &mut self,
        record: impl IntoIterator<Item = T>,
    ) -> Result<(), csv::Error> {
        let mut record = record.into_iter();
        record.try_for_each(|cell| {
            let cell = neutralise(cell.as_ref());
            self.0.write_field(cell.as_bytes())
        })?;
        self.0.write_record(None::<&[u8]>)
    }

    /// Returns the file.
    ///
    /// # Errors
    /// Never fails, as [`push`](Self::push).
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, csv::Error> {
        let written = self.0.into_inner();
        written.map_err(|error| error.into_error().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_computed() {
        let mut sheet = CsvSheet::new(b';', "\u{feff}");
        sheet
            .push(["a", "=1+1", "-Main St", " +1", "@x", "\tx", "b;c"])
            .unwrap();
        sheet.push(["", "one cell less"]).unwrap();
        let text = String::from_utf8(sheet.into_bytes().unwrap()).unwrap();
        assert_eq!(
            text,
            "\u{feff}a;\u{200B}=1+1;\u{200B}-Main St;\u{200B} +1;\u{200B}@x;\u{200B}\tx;\"b;c\"\n\
             ;one cell less\n"
        );
    }
}
