//! Applies a mapping to the cells of a row, in this order: words for "no value", templates, values. All of them see a cell
//! as its checks read it.

use std::borrow::Cow;
use std::sync::Arc;

use super::CompiledMapping;
use super::template::{CELL_BYTES, TemplateCells};
use crate::domain::{Cell, Column, RawRow, TemplateFailure, cell_text};
use crate::input::charset::Charset;
use crate::input::record::Record;

/// The names of the file's columns that templates read, each with its position in a record.
pub(in crate::input) type ColumnsRead = Vec<(String, usize)>;

/// Changes the cells of the rows of one file.
pub(in crate::input) struct CellMapper {
    mapping: Arc<CompiledMapping>,
    charset: Charset,
    /// For each of the file's columns that templates read: its position in a record.
    read: Vec<usize>,
    cells: TemplateCells,
    /// The columns that are computed, each with the positions in `read` of the columns that its template reads.
    computed: Vec<(Column, Vec<usize>)>,
    /// What the templates have made of the current row.
    texts: Vec<(Column, Result<String, TemplateFailure>)>,
}

impl CellMapper {
    /// Makes a mapper for a file.
    pub(in crate::input) fn new(
        mapping: Arc<CompiledMapping>,
        charset: Charset,
        read: ColumnsRead,
    ) -> Self {
        let (names, read): (Vec<String>, _) = read.into_iter().unzip();
        let place = |name: &String| names.iter().position(|known| known == name);
        let computed = mapping.reads();
        let computed =
            computed.map(|(column, names)| (column, names.iter().filter_map(place).collect()));
        Self {
            computed: computed.collect(),
            cells: TemplateCells::new(&names),
            mapping,
            charset,
            read,
            texts: Vec::new(),
        }
    }

    /// Returns the row that `record` gives after the mapping. `raw` is the same row before it.
    pub(in crate::input) fn map<'a>(
        &'a mut self,
        raw: RawRow<'a>,
        record: Record<'a>,
    ) -> RawRow<'a> {
        if raw.misfit.is_some() {
            return raw;
        }
        self.compute(record);
        let mapping = &*self.mapping;
        let without_null = |cell| match cell {
            Cell::Text(text) if mapping.is_null(&cell_text(text)) => Cell::Text(""),
            cell => cell,
        };
        let mut cells = raw.cells.map(without_null);
        for (column, computed) in &self.texts {
            cells[*column as usize] = match computed {
                Ok(text) => Cell::Text(text),
                Err(failure) => Cell::Failed(*failure),
            };
        }
        for column in Column::ALL {
            if let Cell::Text(text) = cells[column as usize]
                && let Some(value) = mapping.value(column, &cell_text(text))
            {
                cells[column as usize] = Cell::Text(value);
            }
        }
        RawRow { cells, ..raw }
    }

    /// Computes the columns that have a template. A cell that cannot be read fails the templates that read it.
    fn compute(&mut self, record: Record<'_>) {
        if self.computed.is_empty() {
            return;
        }
        let cells = self.read.iter().map(|&at| self.read_cell(record, at));
        let cells: Vec<_> = cells.collect();
        let texts = cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
        self.cells.set(texts);
        self.texts.clear();
        for (column, read) in &self.computed {
            let unreadable = read.iter().find_map(|&at| cells[at].as_ref().err());
            let text = match unreadable {
                Some(failure) => Err(*failure),
                None => self.mapping.templates().render(*column, &self.cells),
            };
            self.texts.push((*column, text));
        }
    }

    /// Returns a cell as templates read it.
    fn read_cell<'a>(
        &self,
        record: Record<'a>,
        at: usize,
    ) -> Result<Cow<'a, str>, TemplateFailure> {
        let field = record.span(at).map_or(&b""[..], |span| &record.text[span]);
        let Cell::Text(text) = self.charset.cell(field) else {
            return Err(TemplateFailure::MalformedCell);
        };
        match cell_text(text) {
            text if text.len() > CELL_BYTES => Err(TemplateFailure::LongCell),
            text if self.mapping.is_null(&text) => Ok(Cow::Borrowed("")),
            text => Ok(text),
        }
    }
}
