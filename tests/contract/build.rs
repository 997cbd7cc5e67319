//! The settings with which the program is built and checked.

use std::{fs, path::Path, process::Command};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the settings of a profile in the manifest, a line each.
fn profile(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(FOLDER).join("Cargo.toml")).unwrap();
    let (_, settings) = manifest
        .split_once(&format!("\n[profile.{name}]\n"))
        .unwrap();
    let lines = settings.lines().take_while(|line| !line.starts_with('['));
    lines.map(str::to_owned).collect()
}

#[test]
fn builds_for_use_check_arithmetic_for_overflow() {
    let (release, dist) = (profile("release"), profile("dist"));
    assert!(
        release.contains(&"overflow-checks = true".to_owned()),
        "{release:?}"
    );
    assert!(
        dist.contains(&"inherits = \"release\"".to_owned()),
        "{dist:?}"
    );
    assert!(
        !dist.iter().any(|line| line.starts_with("overflow-checks")),
        "{dist:?}"
    );
}

#[test]
fn the_image_has_the_build_that_is_shipped_without_names_for_debuggers() {
    let dist = profile("dist");
    assert!(dist.contains(&"strip = true".to_owned()), "{dist:?}");
    let steps = fs::read_to_string(Path::new(FOLDER).join("deploy/Containerfile")).unwrap();
    assert!(steps.contains("\nRUN cargo build --profile dist --locked"));
    assert!(steps.contains("cp target/dist/user-import "));
}

/// An unusable copy of the list of advisories must not look like a list without findings.
#[test]
fn given_advisories_that_are_not_there_fail_the_check() {
    let script = fs::read_to_string(Path::new(FOLDER).join(".ci/run")).unwrap();
    let (functions, _) = script.split_once("\nuse_cache\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(".ci");
    fs::create_dir_all(place.join("crates")).unwrap();
    fs::write(
        place.join("run"),
        format!("{functions}\ncheck_advisories\n"),
    )
    .unwrap();
    for given in [place.clone(), folder.path().join("nowhere")] {
        let checked = Command::new("bash")
            .arg(place.join("run"))
            .env("USER_IMPORT_ADVISORY_DB", &given)
            .output()
            .unwrap();
        assert!(!checked.status.success(), "{checked:?}");
        let told = String::from_utf8(checked.stderr).unwrap();
        assert!(told.contains("there are no advisories in"), "{told}");
    }
}
