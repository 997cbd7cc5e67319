//! A mapping in a TOML file, or saved under a name: how to read the export of another system.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::client::{ClientError, ServiceClient};
use crate::domain::OrganizationSlug;
use crate::proto::{Mapping, ValueMapping};

/// The contents of a mapping's file. The names are those of the contract; `values` are grouped by column.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct MappingFile {
    #[serde(skip_serializing_if = "is_default")]
    skip_leading_lines: u32,
    #[serde(skip_serializing_if = "is_default")]
    ignored_line_prefixes: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    null_values: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    columns: BTreeMap<String, String>,
    /// By column: from a cell to its value.
    #[serde(skip_serializing_if = "is_default")]
    values: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "is_default")]
    templates: BTreeMap<String, String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The mapping of an import.
#[derive(Clone, Debug)]
pub(super) enum MappingChoice {
    /// The one in this file.
    File { path: PathBuf, mapping: Mapping },
    /// The one that the organisation has saved under this name.
    Saved(OrganizationSlug),
}

impl MappingChoice {
    /// The file's path.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Saved(_) => None,
        }
    }

    /// The mapping as the import sends it.
    pub(super) fn sent(&self) -> Option<Mapping> {
        match self {
            Self::File { mapping, .. } => Some(mapping.clone()),
            Self::Saved(_) => None,
        }
    }

    /// The name that the import sends, or an empty one.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File { .. } => String::new(),
            Self::Saved(name) => name.to_string(),
        }
    }

    /// The mapping itself.
    ///
    /// # Errors
    /// Fails if a saved mapping cannot be read.
    pub(super) async fn mapping(
        &self,
        client: &mut ServiceClient,
        organization: &str,
    ) -> Result<Mapping, ClientError> {
        match self {
            Self::File { mapping, .. } => Ok(mapping.clone()),
            Self::Saved(name) => client.mapping(organization, name.as_str()).await,
        }
    }
}

/// Takes a word for the name of a saved mapping if it can be one, and otherwise for the path of a file, which is read.
///
/// # Errors
/// Returns a sentence that says what is wrong with the file.
pub(super) fn choose(word: &str) -> Result<MappingChoice, String> {
    if let Ok(name) = OrganizationSlug::parse(word) {
        return Ok(MappingChoice::Saved(name));
    }
    Ok(MappingChoice::File {
        path: word.into(),
        mapping: read(word)?,
    })
}

/// Reads the mapping in the file at `path`.
///
/// # Errors
/// Returns a sentence that says what is wrong with the file.
pub(super) fn read(path: &str) -> Result<Mapping, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}."))?;
    parse(&text).map_err(|problem| format!("{path} is not a mapping: {problem}"))
}

/// Returns the text of a file that has this mapping.
///
/// # Errors
/// Never fails: a mapping is texts and numbers.
pub(super) fn render(mapping: &Mapping) -> anyhow::Result<String> {
    let mut values = BTreeMap::<String, BTreeMap<String, String>>::new();
    for value in &mapping.values {
        let cells = values.entry(value.column.clone()).or_default();
        cells.insert(value.cell.clone(), value.value.clone());
    }
    Ok(toml::to_string(&MappingFile {
        skip_leading_lines: mapping.skip_leading_lines,
        ignored_line_prefixes: mapping.ignored_line_prefixes.clone(),
        null_values: mapping.null_values.clone(),
        columns: mapping.columns.clone(),
        values,
        templates: mapping.templates.clone(),
    })?)
}

/// Reads the text of a file.
///
/// # Errors
/// Returns what is wrong with it.
pub(in crate::cli) fn parse(text: &str) -> Result<Mapping, String> {
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
        assert_eq!(parse(text), Ok(expected.clone()));
        let rendered = render(&expected).unwrap();
        assert_eq!(parse(&rendered), Ok(expected), "{rendered}");
        assert_eq!(render(&Mapping::default()).unwrap(), "");
    }

    #[test]
    fn a_word_that_can_be_a_name_is_one() {
        assert!(
            matches!(choose("cad-2"), Ok(MappingChoice::Saved(name)) if name.as_str() == "cad-2")
        );
        for path in ["cad.toml", "./cad", "CAD"] {
            let problem = choose(path).unwrap_err();
            assert!(
                problem.starts_with(&format!("{path} cannot be read")),
                "{problem}"
            );
        }
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
