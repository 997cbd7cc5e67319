//! The statements that the service sends to its database also run on Citus, which spreads organisations over several
//! machines. Citus refuses some statements, and sends others to all machines: the service sends none of the first kind,
//! and of the second only those of [`OF_ALL`].
//!
//! Reads the SQL from the texts of `src/store`. Citus is not installed where these tests run; see `docs/scale.md`.

mod source;

use std::collections::BTreeMap;

use regex::Regex;

use source::{SourceStatement, source, sources, spread_tables, statements};

/// The beginnings of the statements that concern the rows of all organisations: lists of organisations, and the removal
/// of old records. All other statements name one organisation, and Citus sends them only to that organisation's
/// machine.
const OF_ALL: [&str; 15] = [
    // They concern one organisation or all of them.
    "SELECT COUNT(*) FROM imports WHERE state = {held} {of}",
    "SELECT DISTINCT organization_id FROM audit_events WHERE action = {ARCHIVED}",
    "SELECT DISTINCT organization_id FROM imports WHERE options_digest IS NULL",
    "SELECT DISTINCT organization_id, attempt FROM held_parts p",
    "SELECT h.organization_id, h.import_id FROM held_imports h JOIN imports i",
    "SELECT h.organization_id, o.slug, h.sequence, h.hash FROM audit_heads h",
    "SELECT o.slug, r.name, r.privileged FROM roles r",
    "SELECT organization_id, id FROM imports WHERE {due} < $1",
    "SELECT organization_id, id FROM imports i WHERE {OLD} AND NOT EXISTS",
    "SELECT organization_id, id, principal FROM imports WHERE state = {held}",
    "SELECT organization_id, import_id FROM uploads WHERE stage = $1",
    "SELECT organization_id, import_id, stage, server_id FROM uploads WHERE stage <> $1",
    // They run only in a database that is not distributed.
    "SELECT id FROM organizations LIMIT 1",
    "UPDATE import_leases SET renewed_ms = {now} FROM json_each($1) AS held",
    // They run only in a database that is about to be distributed.
    "INSERT INTO {SLUGS} (slug, organization_id) SELECT slug, id FROM organizations",
];

/// Functions that may give another value for each row. Citus does not evaluate them on its machines.
const VOLATILE: [&str; 7] = [
    "clock_timestamp",
    "timeofday",
    "random",
    "gen_random_uuid",
    "nextval",
    "txid_current",
    "pg_backend_pid",
];

/// Fails, and lists every statement for which `is_wrong` returns `true`.
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
    // The database's clock is read in one place of its own.
    let clock = source("sql.rs");
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
fn every_statement_names_its_organisation_for_each_table() {
    let spread = spread_tables();
    let is_of_all = |sql: &SourceStatement| OF_ALL.iter().any(|of| sql.text.starts_with(of));
    expect_none(
        "a statement without its organisation goes to all machines",
        |sql| sql.forgets_its_organization(&spread) && !is_of_all(sql),
    );
    let found = statements();
    for of_all in OF_ALL {
        let is_there = found.iter().any(|sql| sql.text.starts_with(of_all));
        assert!(is_there, "there is no such statement any more: {of_all}");
    }
}

#[test]
fn every_new_row_has_its_organisation() {
    expect_none("a row without its organisation has no machine", |sql| {
        sql.text.starts_with("INSERT INTO")
            && !sql.is_local()
            && !sql.text.contains("(organization_id, ")
            && !sql.text.contains("(slug, organization_id)")
    });
}

#[test]
fn a_statement_that_forgets_its_organisation_is_found() {
    let forgets = |text: &str| {
        let sql = SourceStatement {
            file: String::new(),
            text: text.to_owned(),
        };
        sql.forgets_its_organization(&spread_tables())
    };
    for text in [
        "SELECT id FROM imports WHERE state = 7",
        "DELETE FROM uploads WHERE import_id = $1 AND EXISTS (SELECT 1 FROM imports i \
            WHERE i.organization_id = $2 AND i.id = $1)",
        "UPDATE imports SET state = 1 WHERE organization_id = $1 AND NOT EXISTS \
            (SELECT 1 FROM held_imports)",
        "SELECT u.id FROM users u JOIN roles r ON r.organization_id = u.organization_id",
        "UPDATE organizations SET revision = 1 WHERE slug = $1",
        "DELETE FROM {table}",
    ] {
        assert!(forgets(text), "{text}");
    }
    for text in [
        "SELECT id FROM imports WHERE organization_id = $1",
        "SELECT revision FROM organizations WHERE id = $1",
        "SELECT id FROM servers",
        "SELECT u.id FROM users u JOIN roles r ON r.organization_id = u.organization_id \
            WHERE u.organization_id = $1",
    ] {
        assert!(!forgets(text), "{text}");
    }
}

#[test]
fn every_query_that_is_built_names_its_organisation() {
    // One of them finds an organisation in a database that is not distributed. The other lists all organisations.
    let of_all = BTreeMap::from([("organizations.rs".to_owned(), 2)]);
    let built = r"(?s)\b(?:Entity|Imports)::(?:find|delete_many|update_many)\(\)[^;]*";
    let built = Regex::new(built).unwrap();
    let mut unnamed: BTreeMap<String, usize> = BTreeMap::new();
    // Tokens belong to no organisation.
    for (file, source) in sources().iter().filter(|(file, _)| file != "tokens.rs") {
        for query in built.find_iter(source) {
            if !query.as_str().contains("OrganizationId.eq(") {
                *unnamed.entry(file.clone()).or_default() += 1;
            }
        }
    }
    assert_eq!(unnamed, of_all, "Citus asks all machines");
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
