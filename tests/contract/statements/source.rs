//! The SQL in the texts of `src/store`.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store");

/// Tables that belong to no organisation. They are on the coordinator, and no statement joins them with others.
const LOCAL: [&str; 4] = [
    "servers",
    "tokens",
    "credential_sources",
    "seaql_migrations",
];

/// A statement as a source file has it, with the placeholders of `format!`.
pub(super) struct SourceStatement {
    pub(super) file: String,
    pub(super) text: String,
}

impl SourceStatement {
    pub(super) fn is_write(&self) -> bool {
        ["INSERT INTO", "UPDATE", "DELETE FROM"]
            .iter()
            .any(|verb| self.text.starts_with(verb))
    }

    /// Returns the tables that it names.
    fn tables(&self) -> BTreeSet<String> {
        let named = Regex::new(r"\b(?:FROM|JOIN|INTO|UPDATE) ([a-z_]+)").unwrap();
        let named = named.captures_iter(&self.text);
        named.map(|found| found[1].to_owned()).collect()
    }

    pub(super) fn is_local(&self) -> bool {
        self.tables().iter().any(|table| LOCAL.contains(&&**table))
    }

    pub(super) fn is_distributed(&self) -> bool {
        self.tables().iter().any(|table| !LOCAL.contains(&&**table))
    }

    /// Returns `true` if it may concern the rows of several organisations: it names no table, or it uses one of the
    /// tables that are `spread` over machines and does not name an organisation.
    pub(super) fn forgets_its_organization(&self, spread: &[String]) -> bool {
        let uses = self.uses_of(spread);
        uses > 0 && !(self.gives_an_organization() && self.organizations_named() >= uses)
    }

    /// Returns how often it reads or changes rows of these tables.
    fn uses_of(&self, tables: &[String]) -> usize {
        let named = Regex::new(r"\b(?:FROM|JOIN|UPDATE) ([a-z_]+|\{table\})").unwrap();
        named
            .captures_iter(&self.text)
            .filter(|found| &found[1] == "{table}" || tables.iter().any(|table| *table == found[1]))
            .count()
    }

    /// Returns how often it says whose rows it means: by an organisation's number, or by equality with another table's
    /// rows.
    fn organizations_named(&self) -> usize {
        let of_rows = r"\borganization_id = (?:\$|\{|[a-z_]+\.organization_id\b)";
        let of_organizations = r"\borganizations(?: SET .*)? WHERE id = \$";
        [of_rows, of_organizations]
            .map(|pattern| Regex::new(pattern).unwrap().find_iter(&self.text).count())
            .iter()
            .sum()
    }

    fn gives_an_organization(&self) -> bool {
        let number = Regex::new(r"\b(?:organization_id|WHERE id) = [${]").unwrap();
        number.is_match(&self.text)
    }
}

/// Returns the text of a source file.
pub(super) fn source(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
}

/// Returns the names and texts of the sources, without their tests.
pub(super) fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(FOLDER).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            found.push((name, source.to_owned()));
        }
    }
    found
}

/// Returns the SQL of every text in the sources.
pub(super) fn statements() -> Vec<SourceStatement> {
    let text = Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap();
    let continued = Regex::new(r"\\\n\s*").unwrap();
    let begins = Regex::new(r"^(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) ").unwrap();
    let mut found = Vec::new();
    for (file, source) in sources() {
        for literal in text.captures_iter(&source) {
            let sql = continued.replace_all(&literal[1], "");
            if begins.is_match(&sql) {
                found.push(SourceStatement {
                    file: file.clone(),
                    text: sql.into_owned(),
                });
            }
        }
    }
    assert!(found.len() > 60, "{} statements were found", found.len());
    found
}

/// Returns the tables that Citus spreads over its machines.
pub(super) fn spread_tables() -> Vec<String> {
    let source = source("distribution.rs");
    let named = Regex::new(r#"\("([a-z_]+)", "(?:id|organization_id)"\)"#).unwrap();
    let named = named.captures_iter(&source);
    let tables: Vec<String> = named.map(|found| found[1].to_owned()).collect();
    assert!(tables.len() > 12, "{tables:?}");
    tables
}
