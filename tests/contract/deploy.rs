//! The variables that files in `deploy/` set are variables that the program reads.

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory;
use user_import::cli::Cli;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");

/// The variables that any command reads.
fn variables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut commands = vec![Cli::command()];
    while let Some(mut command) = commands.pop() {
        command.build();
        let named = command
            .get_arguments()
            .filter_map(|option| option.get_env());
        found.extend(named.map(|name| name.to_string_lossy().into_owned()));
        commands.extend(command.get_subcommands().cloned());
    }
    found
}

/// The variables that a file names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("USER_IMPORT_") && word.len() > 12);
    ours.map(str::to_owned).collect()
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(fs::read_to_string(&path).unwrap()),
        }
    }
}

#[test]
fn every_variable_that_is_set_is_one_that_is_read() {
    let mut texts = Vec::new();
    files(Path::new(FOLDER), &mut texts);
    let named: BTreeSet<_> = texts.iter().flat_map(|text| named(text)).collect();
    assert!(named.len() > 20, "{named:?}");
    let unknown: Vec<_> = named.difference(&variables()).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_settings_of_the_unit_have_what_operators_look_for() {
    let named = named(&fs::read_to_string(Path::new(FOLDER).join("systemd/server.env")).unwrap());
    for setting in [
        "LISTEN",
        "DATABASE_URL",
        "TLS_CERT",
        "TLS_KEY",
        "JWT_JWKS",
        "METRICS_LISTEN",
        "OTLP_ENDPOINT",
        "LOG",
        "LOG_FORMAT",
        "SHUTDOWN_GRACE_SECONDS",
    ] {
        assert!(
            named.contains(&format!("USER_IMPORT_{setting}")),
            "{setting}"
        );
    }
}
