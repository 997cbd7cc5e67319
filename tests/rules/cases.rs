//! Files as people have them (`tests/cases`), and the outcome of each row with every message.
//!
//! The files of a folder are imported in order, its base first. A file called `sync` deactivates the users that it does
//! not list. `INSTA_UPDATE=always` writes the snapshots again: read the differences.

use std::{fmt::Write, fs, path::Path};

use user_import::proto::{Catalog, ImportStart, IssueSeverity};

use user_import_testing::{
    App, Database, ImportResponses, every_missing_user, on_both_databases, start_of,
};

on_both_databases![every_file_becomes_what_an_administrator_would_hope_for];

/// Names of files that are imported before the others in their folder.
const FIRST: [&str; 3] = ["base.csv", "first.csv", "night1.csv"];

async fn every_file_becomes_what_an_administrator_would_hope_for(database: Database) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let catalog = fs::read_to_string(cases.join("catalog.json")).unwrap();
    let catalog: Catalog = serde_json::from_str(&catalog).unwrap();
    for folder in entries(&cases) {
        let folder = cases.join(folder);
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let told = import_all(&folder, database, &catalog).await;
        insta::assert_snapshot!(name, told);
    }
}

/// Imports each file into a directory of its own, after the files that come first. Before a sync, the folder's roster
/// is imported.
async fn import_all(folder: &Path, database: Database, catalog: &Catalog) -> String {
    let names: Vec<_> = entries(folder)
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "csv"))
        .collect();
    let (first, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| FIRST.contains(&&**name));
    let mut told = String::new();
    for name in others {
        let app = App::start(database).await;
        app.catalog("pd", catalog.clone()).await;
        let is_sync = name.starts_with("sync");
        for before in first
            .iter()
            .chain(is_sync.then_some(&"roster.csv".to_owned()))
        {
            let imported = app.import(fs::read(folder.join(before)).unwrap()).await;
            if told.is_empty() {
                write!(told, "# {before}\n{}", shown(&imported)).unwrap();
            }
        }
        let start = ImportStart {
            deactivate_missing: is_sync.then(every_missing_user),
            ..start_of("pd")
        };
        let imported = app
            .import_with(start, fs::read(folder.join(&name)).unwrap())
            .await;
        write!(told, "# {name}\n{}", shown(&imported)).unwrap();
    }
    told
}

/// Returns the outcome of each row, and every message.
fn shown(imported: &ImportResponses) -> String {
    let mut text = masked(&imported.to_string());
    for result in &imported.results {
        for issue in &result.issues {
            let row = match issue.severity() {
                IssueSeverity::Warning => format!("warning, row {}", result.row),
                _ => format!("row {}", result.row),
            };
            write!(text, "{row}: {}", masked(&issue.message)).unwrap();
            if !issue.suggestion.is_empty() {
                write!(text, " -> {}", masked(&issue.suggestion)).unwrap();
            }
            text.push('\n');
        }
    }
    for refusal in imported
        .summary
        .iter()
        .flat_map(|summary| &summary.refusals)
    {
        writeln!(text, "refused: {}", refusal.message).unwrap();
    }
    text
}

/// Replaces generated external IDs, which differ from import to import.
fn masked(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        masked += before;
        masked += if uuid::Uuid::parse_str(word).is_ok() {
            "GENERATED"
        } else {
            word
        };
        rest = after;
    }
    masked + rest
}

/// Returns the names of the files and folders in a folder, in order.
fn entries(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names.into_iter().map(|name| name.into_string().unwrap())
}
