use std::collections::BTreeSet;

use clap::CommandFactory;
use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;
use time::macros::datetime;

use super::*;
use crate::cli::Cli;

const NOW: OffsetDateTime = datetime!(2026-05-04 08:15 UTC);

fn days(days: i64) -> time::Duration {
    time::Duration::days(days)
}

#[rstest]
#[case::good(days(-10), days(100), CheckLevel::Well, "valid until")]
#[case::ending(days(-10), days(20), CheckLevel::Warning, "renew it soon")]
#[case::ended(days(-10), days(-1), CheckLevel::Wrong, "replace it by a new one")]
#[case::to_come(days(1), days(100), CheckLevel::Wrong, "check the clock")]
fn a_certificate_is_judged_by_its_dates(
    #[case] from: time::Duration,
    #[case] until: time::Duration,
    #[case] level: CheckLevel,
    #[case] text: &str,
) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (NOW + from, NOW + until);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    // A chain: both are looked at.
    std::fs::write(&file, [pem.clone(), pem].concat()).unwrap();
    let found = certificate(&file, NOW);
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|f| f.level == level && f.text.contains(text)),
        "{found:?}"
    );
}

#[test]
fn files_that_are_missing_or_something_else_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "hello").unwrap();
    for file in [&text, &folder.path().join("nowhere")] {
        assert!(
            certificate(file, NOW)
                .iter()
                .all(|f| f.level == CheckLevel::Wrong)
        );
        assert_eq!(key(file).level, CheckLevel::Wrong);
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_everybody_can_read_is_worth_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.key");
    std::fs::write(&file, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    for (mode, level) in [(0o600, CheckLevel::Well), (0o644, CheckLevel::Warning)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(key(&file).level, level, "{mode:o}");
    }
}

#[test]
fn settings_that_do_not_go_together_are_named() {
    assert_eq!(
        configuration(&Settings::default())[0].level,
        CheckLevel::Well
    );
    let mut settings = Settings::default();
    settings.server.organization_imports = settings.server.imports;
    settings.server.address_connections = settings.server.connections;
    settings.server.message_bytes = 1 << 30;
    settings.server.deadlines.idle = settings.server.deadlines.upload * 2;
    settings.database.lock = settings.database.statement * 2;
    let found = configuration(&settings);
    assert_eq!(found.len(), 5);
    assert!(
        found.iter().all(|f| f.level == CheckLevel::Warning),
        "{found:?}"
    );
}

#[test]
fn doctor_takes_every_option_of_serve() {
    let command = Cli::command();
    let options = |name: &str| {
        let command = command.find_subcommand(name).unwrap();
        let options = command.get_arguments().map(|option| {
            let variable = option.get_env().map(ToOwned::to_owned);
            (option.get_id().to_string(), variable)
        });
        options.collect::<BTreeSet<_>>()
    };
    assert!(options("serve").len() > 50);
    assert_eq!(options("doctor"), options("serve"));
}
