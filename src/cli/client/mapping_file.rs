//! A mapping in a TOML file: how to read the export of another system.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

use crate::proto::{Mapping, ValueMapping};

/// The contents of a mapping's file. The names are those of the contract; `values` are grouped by column.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MappingFile {
    columns: BTreeMap<String, String>,
    null_values: Vec<String>,
    /// By column: from a cell to its value.
    values: BTreeMap<String, BTreeMap<String, String>>,
    templates: BTreeMap<String, String>,
    skip_leading_lines: u32,
    ignored_line_prefixes: Vec<String>,
}

/// A mapping, and the file that it is from.
#[derive(Clone, Debug)]
pub(super) struct NamedMapping {
    pub(super) path: PathBuf,
    pub(super) mapping: Mapping,
}

/// Reads the mapping in the file at `path`.
///
/// # Errors
/// Returns a sentence that says what is wrong with the file.
pub(super) fn read(path: &str) -> Result<NamedMapping, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}."))?;
    let mapping = parse(&text).map_err(|problem| format!("{path} is no mapping: {problem}"))?;
    Ok(NamedMapping {
        path: path.into(),
        mapping,
    })
}

fn parse(text: &str) -> Result<Mapping, String> {
    let file: MappingFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let values = file.values.into_iter().flat_map(|(column, cells)| {
        let value = move |(cell, value)| ValueMapping {
            column: column.clone(),
            cell,
            value,
        };
        cells.into_iter().map(value)
    });
    Ok(Mapping {
        columns: file.columns,
        null_values: file.null_values,
        values: values.collect(),
        templates: file.templates,
        skip_leading_lines: file.skip_leading_lines,
        ignored_line_prefixes: file.ignored_line_prefixes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_fields_of_the_contract() {
        let text = r##"
            null_values = ["NULL"]
            skip_leading_lines = 2
            ignored_line_prefixes = ["#"]
            [columns]
            "Employee No" = "EXTERNAL_ID"
            Hired = ""
            [values.STATUS]
            A = "Active"
            "" = "Inactive"
            [templates]
            EMAIL = '{{ row["User ID"] }}@pd.example'
        "##;
        let value = |cell: &str, value: &str| ValueMapping {
            column: "STATUS".to_owned(),
            cell: cell.to_owned(),
            value: value.to_owned(),
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let expected = Mapping {
            columns: [pair("Employee No", "EXTERNAL_ID"), pair("Hired", "")].into(),
            null_values: vec!["NULL".to_owned()],
            values: vec![value("", "Inactive"), value("A", "Active")],
            templates: [pair("EMAIL", "{{ row[\"User ID\"] }}@pd.example")].into(),
            skip_leading_lines: 2,
            ignored_line_prefixes: vec!["#".to_owned()],
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_no_field_is_named() {
        let problem = parse("colums = {}").unwrap_err();
        assert!(
            problem.contains("colums") && problem.contains("columns"),
            "{problem}"
        );
    }
}
