//! The statements that the service sends to its database also run on Citus, which spreads organisations over several
//! machines. Citus refuses some statements, and sends others to all machines: the service sends none of these.
//!
//! Reads the SQL in the texts of `src/store`. Citus is not installed where the tests run; see `docs/scale.md`.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store");

/// Tables that concern no organisation. They are on the coordinator, and no statement joins them with others.
const LOCAL: [&str; 4] = [
    "servers",
    "tokens",
    "credential_sources",
    "seaql_migrations",
];

/// Functions that may yield another value for each row: Citus evaluates none of them on its machines.
const VOLATILE: [&str; 7] = [
    "clock_timestamp",
    "timeofday",
    "random",
    "gen_random_uuid",
    "nextval",
    "txid_current",
    "pg_backend_pid",
];

/// A statement as a source file has it, with the placeholders of `format!`.
struct SourceStatement {
    file: String,
    text: String,
}

impl SourceStatement {
    fn is_write(&self) -> bool {
        ["INSERT INTO", "UPDATE", "DELETE FROM"]
            .iter()
            .any(|verb| self.text.starts_with(verb))
    }

    /// The tables that it names.
    fn tables(&self) -> BTreeSet<String> {
        let named = Regex::new(r"\b(?:FROM|JOIN|INTO|UPDATE) ([a-z_]+)").unwrap();
        let named = named.captures_iter(&self.text);
        named.map(|found| found[1].to_owned()).collect()
    }

    fn is_local(&self) -> bool {
        self.tables().iter().any(|table| LOCAL.contains(&&**table))
    }

    fn is_distributed(&self) -> bool {
        self.tables().iter().any(|table| !LOCAL.contains(&&**table))
    }
}

/// Returns the SQL of every text in the sources, without their tests.
fn statements() -> Vec<SourceStatement> {
    let mut found = Vec::new();
    collect(Path::new(FOLDER), &mut found);
    assert!(found.len() > 60, "{} statements were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<SourceStatement>) {
    let text = Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap();
    let continued = Regex::new(r"\\\n\s*").unwrap();
    let begins = Regex::new(r"^(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) ").unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for literal in text.captures_iter(source) {
            let sql = continued.replace_all(&literal[1], "");
            if begins.is_match(&sql) {
                found.push(SourceStatement {
                    file: path.file_name().unwrap().to_string_lossy().into_owned(),
                    text: sql.into_owned(),
                });
            }
        }
    }
}

/// Fails with every statement for which `is_wrong` holds.
fn expect_none(what: &str, is_wrong: impl Fn(&SourceStatement) -> bool) {
    let wrong: Vec<String> = statements()
        .iter()
        .filter(|sql| is_wrong(sql))
        .map(|sql| format!("{}: {}", sql.file, sql.text))
        .collect();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn no_statement_calls_a_volatile_function() {
    let called = VOLATILE.map(|name| format!("{name}("));
    expect_none("Citus evaluates no volatile function", |sql| {
        called.iter().any(|call| sql.text.contains(call))
    });
    // The database's clock has its own place.
    let clock = fs::read_to_string(Path::new(FOLDER).join("sql.rs")).unwrap();
    assert!(called.iter().all(|call| !clock.contains(call)));
}

#[test]
fn an_upsert_sets_only_values_of_its_rows() {
    let clock = ["{now}", "timestamp("];
    expect_none(
        "what DO UPDATE sets must be immutable: use excluded.*",
        |sql| {
            let set = sql.text.split_once("DO UPDATE");
            set.is_some_and(|(_, set)| clock.iter().any(|clock| set.contains(clock)))
        },
    );
}

#[test]
fn every_write_names_its_organisation() {
    // The column is the second part of a key that the statement gives, or the placeholder for it.
    let named = [
        "organization_id",
        "organizations SET",
        "{table} SET",
        "FROM {table}",
        "seaql_migrations",
    ];
    expect_none(
        "a write without its organisation goes to all machines",
        |sql| {
            sql.is_write() && !sql.is_local() && !named.iter().any(|name| sql.text.contains(name))
        },
    );
    expect_none("an organisation is written by its number", |sql| {
        sql.text.starts_with("UPDATE organizations") && !sql.text.contains("WHERE id = $1")
    });
}

#[test]
fn no_statement_joins_a_local_table_with_another() {
    expect_none(
        "Citus does not join a local table with a distributed one",
        |sql| sql.is_local() && sql.is_distributed(),
    );
}

#[test]
fn no_write_returns_a_subquery() {
    expect_none("Citus returns no subquery from a write", |sql| {
        let returned = sql.text.split_once("RETURNING");
        sql.is_write() && returned.is_some_and(|(_, returned)| returned.contains("SELECT"))
    });
}
