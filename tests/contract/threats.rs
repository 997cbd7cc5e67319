//! The tests that `SECURITY.md` names exist.

use std::{collections::BTreeSet, fs, path::Path};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The folders of the program's tests, and of the sources that have tests.
const PLACES: [&str; 4] = ["tests/", "src/", "scripts/", "fuzz/"];

#[test]
fn every_threat_names_a_test_that_exists() {
    let page = fs::read_to_string(Path::new(FOLDER).join("SECURITY.md")).unwrap();
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| PLACES.iter().any(|place| name.starts_with(place)))
        .map(|name| name.split(' ').next().unwrap_or_default())
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !Path::new(FOLDER).join(name).exists())
        .collect();
    assert!(missing.is_empty(), "SECURITY.md names {missing:?}");
    let sources = named
        .iter()
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "rs"));
    let untested: Vec<_> = sources
        .filter(|name| !has_test(&Path::new(FOLDER).join(name)))
        .collect();
    assert!(untested.is_empty(), "{untested:?} have no test");
}

/// Returns `true` if the file has a test, or its tests are in a file beside it.
fn has_test(path: &Path) -> bool {
    let source = fs::read_to_string(path).unwrap();
    let marks = [
        "#[test]",
        "#[tokio::test",
        "#[rstest]",
        "on_both_databases![",
        "on_postgres![",
    ];
    marks.iter().any(|mark| source.contains(mark)) || source.contains("\nmod tests;")
}

#[test]
fn every_row_of_the_threats_names_a_test() {
    let page = fs::read_to_string(Path::new(FOLDER).join("SECURITY.md")).unwrap();
    let (_, threats) = page.split_once("## Threats").unwrap();
    let (threats, _) = threats.split_once("## The audit trail").unwrap();
    let rows: Vec<_> = threats
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 30);
    for row in rows
        .iter()
        .filter(|row| !row.starts_with("|---") && !row.starts_with("| threat"))
    {
        let test = row
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        assert!(test.contains('`'), "{row}");
    }
}
