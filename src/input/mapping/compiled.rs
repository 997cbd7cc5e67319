//! A mapping in the form in which files are read with it.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::template::CompiledTemplates;
use super::{Mapping, MappingFault};
use crate::domain::{Column, cell_text, fold};
use crate::input::comparable_name::{ComparableName, column_named};

/// A mapping, compiled.
pub(in crate::input) struct CompiledMapping {
    columns: HashMap<ComparableName, Option<Column>>,
    /// Names that templates read.
    read: Vec<ComparableName>,
    null_values: MatchingWords,
    values: [MatchingWords; Column::COUNT],
    templates: CompiledTemplates,
    lines: LineRules,
    is_empty: bool,
}

/// What a mapping says of a name in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::input) enum MappedName {
    /// The cell is a value of this column.
    Column(Column),
    /// The cell is ignored, or only read by templates.
    Ignored,
    /// The mapping says nothing: the name is one of our columns, or unknown.
    Unmapped,
}

/// The lines that are no records.
#[derive(Clone, Debug, Default)]
pub(in crate::input) struct LineRules {
    /// Number of lines at the beginning of the file.
    pub(in crate::input) leading: u32,
    /// Beginnings of lines.
    pub(in crate::input) prefixes: Vec<Vec<u8>>,
}

impl LineRules {
    /// Returns `true` if every line is a record.
    pub(in crate::input) fn is_empty(&self) -> bool {
        self.leading == 0 && self.prefixes.is_empty()
    }
}

impl CompiledMapping {
    /// Compiles `mapping`.
    ///
    /// # Errors
    /// Returns all faults of the mapping.
    pub(in crate::input) fn new(mapping: &Mapping) -> Result<Self, Vec<MappingFault>> {
        let lists = [
            mapping.columns.len(),
            mapping.null_values.len(),
            mapping.values.len(),
            mapping.templates.len(),
            mapping.ignored_line_prefixes.len(),
        ];
        if mapping.bytes() > Mapping::MOST_BYTES
            || lists.into_iter().any(|count| count > Mapping::MOST_ENTRIES)
        {
            return Err(vec![MappingFault::TooLarge]);
        }
        let mut faults = Vec::new();
        let mut compiled = Self {
            columns: columns(mapping, &mut faults),
            read: Vec::new(),
            null_values: null_values(mapping),
            values: values(mapping, &mut faults),
            templates: templates(mapping, &mut faults),
            lines: lines(mapping, &mut faults),
            is_empty: mapping.is_empty(),
        };
        let read = compiled
            .templates
            .columns()
            .iter()
            .flat_map(|(_, read)| read);
        compiled.read = read.map(|name| ComparableName::parse(name)).collect();
        match faults.is_empty() {
            true => Ok(compiled),
            false => Err(faults),
        }
    }

    /// Returns `true` if the mapping changes nothing.
    pub(in crate::input) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Returns what the mapping says of `name`.
    pub(in crate::input) fn named(&self, name: &ComparableName) -> MappedName {
        match self.columns.get(name) {
            Some(Some(column)) => MappedName::Column(*column),
            Some(None) => MappedName::Ignored,
            None if name.column().is_none() && self.read.contains(name) => MappedName::Ignored,
            None => MappedName::Unmapped,
        }
    }

    /// Returns `true` if `name` is a name that the mapping or a roster knows.
    pub(in crate::input) fn knows(&self, name: &ComparableName) -> bool {
        self.named(name) != MappedName::Unmapped || name.column().is_some()
    }

    /// Returns the column whose cells `name` has, or `None` if the name is ignored or unknown.
    pub(in crate::input) fn column(&self, name: &ComparableName) -> Option<Column> {
        match self.named(name) {
            MappedName::Column(column) => Some(column),
            MappedName::Ignored => None,
            MappedName::Unmapped => name.column(),
        }
    }

    /// The columns that templates compute.
    pub(in crate::input) fn computed(&self) -> impl Iterator<Item = Column> {
        self.templates.columns().iter().map(|(column, _)| *column)
    }

    /// Returns `true` if cells of `column` may stand for other values, or the column is computed.
    pub(in crate::input) fn changes(&self, column: Column) -> bool {
        !self.values[column as usize].texts.is_empty()
            || self.computed().any(|computed| computed == column)
    }

    /// The columns that templates compute, each with the names of the file's columns that its template reads.
    pub(in crate::input) fn reads(&self) -> impl Iterator<Item = (Column, &[String])> {
        let columns = self.templates.columns().iter();
        columns.map(|(column, names)| (*column, &names[..]))
    }

    pub(in crate::input) const fn lines(&self) -> &LineRules {
        &self.lines
    }

    pub(super) const fn templates(&self) -> &CompiledTemplates {
        &self.templates
    }

    /// Returns `true` if the cell, as its checks read it, is a word for "no value".
    pub(super) fn is_null(&self, cell: &str) -> bool {
        self.null_values.find(cell).is_some()
    }

    /// Returns the value that the cell, as its checks read it, stands for, or `None` if it stands for itself.
    pub(super) fn value(&self, column: Column, cell: &str) -> Option<&str> {
        self.values[column as usize].find(cell)
    }
}

/// Words that are found in any case, each with a text.
#[derive(Default)]
struct MatchingWords {
    /// By the word as it is compared.
    texts: HashMap<String, String>,
    /// Bytes of the longest word.
    longest: usize,
}

impl MatchingWords {
    /// Adds a word. Returns `false` if it is there already.
    fn add(&mut self, word: &str, text: &str) -> bool {
        let word = fold(&cell_text(word)).into_owned();
        self.longest = self.longest.max(word.len());
        self.texts.insert(word, text.to_owned()).is_none()
    }

    /// Returns the text of the word that a cell is, as its checks read it.
    fn find(&self, cell: &str) -> Option<&str> {
        // A character may be folded to a third of its bytes, and no more.
        if self.texts.is_empty() || cell.len() > 3 * self.longest {
            return None;
        }
        self.texts.get(&*fold(cell)).map(|text| &**text)
    }
}

fn columns(
    mapping: &Mapping,
    faults: &mut Vec<MappingFault>,
) -> HashMap<ComparableName, Option<Column>> {
    let mut columns = HashMap::new();
    for (name, column) in &mapping.columns {
        let field = "columns";
        let target = match column.trim().is_empty() {
            true => None,
            false => our_column(field, column, faults),
        };
        if name.trim().is_empty() {
            faults.push(MappingFault::Blank { field });
        }
        if columns
            .insert(ComparableName::parse(name), target)
            .is_some()
        {
            let name = name.clone();
            faults.push(MappingFault::Twice { field, name });
        }
    }
    columns
}

fn null_values(mapping: &Mapping) -> MatchingWords {
    let mut words = MatchingWords::default();
    for word in &mapping.null_values {
        words.add(word, "");
    }
    words
}

fn values(mapping: &Mapping, faults: &mut Vec<MappingFault>) -> [MatchingWords; Column::COUNT] {
    let mut values: [MatchingWords; Column::COUNT] = Default::default();
    for value in &mapping.values {
        let field = "values";
        let Some(column) = our_column(field, &value.column, faults) else {
            continue;
        };
        if !values[column as usize].add(&value.cell, &value.value) {
            let name = format!("{column}: {}", value.cell);
            faults.push(MappingFault::Twice { field, name });
        }
    }
    values
}

fn templates(mapping: &Mapping, faults: &mut Vec<MappingFault>) -> CompiledTemplates {
    let mut templates = CompiledTemplates::new();
    let mut computed = BTreeSet::new();
    for (name, source) in &mapping.templates {
        let field = "templates";
        let Some(column) = our_column(field, name, faults) else {
            continue;
        };
        match computed.insert(column) {
            true => faults.extend(templates.add(column, source).err()),
            false => faults.push(MappingFault::Twice {
                field,
                name: name.clone(),
            }),
        }
    }
    templates
}

fn lines(mapping: &Mapping, faults: &mut Vec<MappingFault>) -> LineRules {
    let given = mapping.skip_leading_lines;
    if given > Mapping::MOST_LEADING_LINES {
        faults.push(MappingFault::TooManyLeadingLines { given });
    }
    for prefix in &mapping.ignored_line_prefixes {
        if prefix.trim().is_empty() {
            let field = "ignored_line_prefixes";
            faults.push(MappingFault::Blank { field });
        } else if prefix.contains(['\r', '\n']) {
            let prefix = prefix.clone();
            faults.push(MappingFault::LineBreak { prefix });
        }
    }
    let prefixes = mapping.ignored_line_prefixes.iter();
    LineRules {
        leading: given,
        prefixes: prefixes.map(|prefix| prefix.clone().into_bytes()).collect(),
    }
}

/// Returns our column of this name. Adds a fault if there is none.
fn our_column(field: &'static str, name: &str, faults: &mut Vec<MappingFault>) -> Option<Column> {
    match column_named(name) {
        Ok(column) => Some(column),
        Err(near) => {
            let name = name.to_owned();
            faults.push(MappingFault::UnknownColumn { field, name, near });
            None
        }
    }
}
