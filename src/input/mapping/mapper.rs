//! Applies a mapping to the cells of a row, in this order: words for "no value", templates, values.

use std::sync::Arc;

use super::CompiledMapping;
use super::template::TemplateCells;
use crate::domain::{Cell, Column, MappingFailure, RawRow};
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
    /// What the templates have made of the current row.
    computed: Vec<(Column, Result<String, MappingFailure>)>,
}

impl CellMapper {
    /// Makes a mapper for a file.
    pub(in crate::input) fn new(
        mapping: Arc<CompiledMapping>,
        charset: Charset,
        read: ColumnsRead,
    ) -> Self {
        let (names, read): (Vec<_>, _) = read.into_iter().unzip();
        Self {
            mapping,
            charset,
            read,
            cells: TemplateCells::new(&names),
            computed: Vec::new(),
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
            Cell::Text(text) if mapping.is_null(text) => Cell::Text(""),
            cell => cell,
        };
        let mut cells = raw.cells.map(without_null);
        for (column, computed) in &self.computed {
            cells[*column as usize] = match computed {
                Ok(text) => Cell::Text(text),
                Err(failure) => Cell::Failed(*failure),
            };
        }
        for column in Column::ALL {
            if let Cell::Text(text) = cells[column as usize]
                && let Some(value) = mapping.value(column, text)
            {
                cells[column as usize] = Cell::Text(value);
            }
        }
        RawRow { cells, ..raw }
    }

    /// Computes the columns that have a template.
    fn compute(&mut self, record: Record<'_>) {
        let templates = self.mapping.templates();
        if templates.columns().is_empty() {
            return;
        }
        let mut is_malformed = false;
        let cells = self.read.iter().map(|&at| {
            let field = record.span(at).map_or(&b""[..], |span| &record.text[span]);
            match self.charset.cell(field) {
                Cell::Text(text) if !self.mapping.is_null(text) => text,
                Cell::Text(_) => "",
                _ => {
                    is_malformed = true;
                    ""
                }
            }
        });
        self.cells.set(cells);
        self.computed.clear();
        for (column, _) in templates.columns() {
            let text = match is_malformed {
                true => Err(MappingFailure::MalformedCell),
                false => templates.render(*column, &self.cells),
            };
            self.computed.push((*column, text));
        }
    }
}
