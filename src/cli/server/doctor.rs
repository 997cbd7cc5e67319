//! `doctor`: checks a server's configuration and surroundings, and says what to do.

mod addresses;
mod console;
mod credentials;
mod database;
mod roles;
mod sqlite_file;

use std::path::Path;

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use x509_parser::pem::Pem;

use super::{environment, serve::ServeArgs};
use crate::cli::{
    ExitStatus,
    checks::{self, CheckLevel, CheckResult},
    client::doctor::{self as client_doctor, ClientDoctorArgs},
    output::Verbosity,
};
use crate::{config::Settings, import::Clock};

/// A certificate that expires sooner gets a warning.
const SOON: time::Duration = time::Duration::days(21);

/// Check configuration, database, schema, certificates and clock, and say what to do
///
/// Takes the options of `serve`, or the same environment. Exits with 1 if something is wrong. `doctor client` checks a
/// machine that calls a server.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: the server, with the environment of the service; and a client of it:\n  \
    user-import doctor --database-url postgres://import@db/users --tls-cert server.pem \\\n    \
    --tls-key server.key\n  \
    user-import doctor client --endpoint https://import.example:50051"
)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DoctorArgs {
    #[command(subcommand)]
    command: Option<DoctorCommand>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum DoctorCommand {
    Client(ClientDoctorArgs),
}

/// Runs the command.
///
/// # Errors
/// Fails if standard output is closed.
pub(crate) async fn run(args: DoctorArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    if let Some(DoctorCommand::Client(args)) = args.command {
        return client_doctor::run(args, verbosity).await;
    }
    let args = args.serve;
    let clock = Clock::system();
    let settings = args.server_settings();
    let mut results = contradictions(&args);
    if results.is_empty() {
        results = configuration(&settings);
    }
    results.extend(variables());
    let (database, is_serving) = database::check(&args, &settings, &clock).await;
    results.extend(database);
    results.extend(addresses::check(&args, is_serving).await);
    results.extend(certificates(&args, clock.now()));
    results.extend(credentials::check(&args).await);
    results.extend(console::check(&settings.security));
    checks::report(&results)
}

/// Options with which `serve` would not start.
fn contradictions(args: &ServeArgs) -> Vec<CheckResult> {
    let unsound = args.settings.expect_sound().err();
    let unsound = unsound.map(|error| error.to_string());
    let all = unsound.into_iter().chain(args.security.faults());
    all.map(|text| {
        CheckResult::new(
            CheckLevel::Wrong,
            "configuration",
            text.trim_end_matches('.'),
        )
    })
    .collect()
}

/// Variables of the environment that have no effect.
fn variables() -> Vec<CheckResult> {
    let unknown = environment::unknown().into_iter();
    unknown
        .map(|variable| CheckResult::new(CheckLevel::Wrong, "environment", variable.to_string()))
        .collect()
}

/// Settings that are sound by themselves, but not together.
fn configuration(settings: &Settings) -> Vec<CheckResult> {
    let about = "configuration";
    let server = &settings.server;
    let deadlines = &server.deadlines;
    let message_bytes = server.message_bytes as u64;
    let odd = [
        (
            server.organization_imports >= server.imports,
            "one organisation can use up all imports: set --max-imports-per-organization below \
             --max-imports",
        ),
        (
            server.exports.key >= server.exports.server,
            "one organisation can use up all exports: set --max-exports-per-organization below \
             --max-exports",
        ),
        (
            server.watches.key >= server.watches.server,
            "one organisation can use up all watches: set --max-watches-per-organization below \
             --max-watches",
        ),
        (
            server.address_connections >= server.connections,
            "one address can use up all connections: set --max-connections-per-address below \
             --max-connections",
        ),
        (
            message_bytes > settings.limits.max_bytes.saturating_add(1_024 * 1_024),
            "a message may be larger than a whole import: lower --max-message-bytes",
        ),
        (
            deadlines.idle > deadlines.upload,
            "an upload may be silent for longer than it may take: lower --stream-idle-seconds",
        ),
        (
            settings.database.lock > settings.database.statement,
            "a statement may wait for a lock for longer than it may take: lower \
             --database-lock-seconds",
        ),
    ];
    let odd = odd.into_iter().filter(|(is_odd, _)| *is_odd);
    let found: Vec<_> = odd
        .map(|(_, text)| CheckResult::new(CheckLevel::Warning, about, text))
        .collect();
    match found.is_empty() {
        true => vec![CheckResult::new(
            CheckLevel::Well,
            about,
            "the settings are sound",
        )],
        false => found,
    }
}

fn certificates(args: &ServeArgs, now: OffsetDateTime) -> Vec<CheckResult> {
    let security = &args.security;
    let files = [
        &security.tls_cert,
        &security.tls_client_ca,
        &security.jwt_jwks_ca,
    ];
    let files = files.into_iter().flatten();
    let mut results: Vec<CheckResult> = files.flat_map(|file| certificate(file, now)).collect();
    results.extend(security.tls_key.as_deref().map(key));
    results
}

/// Every certificate of a file.
fn certificate(file: &Path, now: OffsetDateTime) -> Vec<CheckResult> {
    let shown = file.display();
    let wrong = |text: String| vec![CheckResult::new(CheckLevel::Wrong, "certificate", text)];
    match read_certificates(file) {
        Ok(found) => found.iter().map(|pem| validity(file, pem, now)).collect(),
        Err(fault) => wrong(format!("{shown} {fault}")),
    }
}

/// Returns the certificates in a file; there is at least one.
fn read_certificates(file: &Path) -> Result<Vec<Pem>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    let found: Result<Vec<Pem>, _> = Pem::iter_from_buffer(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err("has no certificate in PEM form".to_owned()),
    }
}

fn validity(file: &Path, pem: &Pem, now: OffsetDateTime) -> CheckResult {
    let shown = file.display();
    let (level, text) = match pem.parse_x509() {
        Err(_) => (
            CheckLevel::Wrong,
            format!("{shown} has a part that is not a certificate"),
        ),
        Ok(certificate) => {
            let from = certificate.validity().not_before.to_datetime();
            let until = certificate.validity().not_after.to_datetime();
            let day = until.date();
            if now < from {
                let text = format!(
                    "{shown} is not valid before {}; check the clock",
                    from.date()
                );
                (CheckLevel::Wrong, text)
            } else if now > until {
                (
                    CheckLevel::Wrong,
                    format!("{shown} expired on {day}; replace it by a new one"),
                )
            } else if now + SOON > until {
                (
                    CheckLevel::Warning,
                    format!("{shown} expires on {day}; renew it soon"),
                )
            } else {
                (CheckLevel::Well, format!("{shown} is valid until {day}"))
            }
        }
    };
    CheckResult::new(level, "certificate", text)
}

fn key(file: &Path) -> CheckResult {
    let shown = file.display();
    let wrong = |text| CheckResult::new(CheckLevel::Wrong, "key", text);
    match std::fs::read(file) {
        Err(error) => wrong(format!("{shown} cannot be read: {error}")),
        Ok(bytes) if !is_key(&bytes) => wrong(format!("{shown} has no private key in PEM form")),
        Ok(_) if is_open_to_all(file) => {
            let text = format!("{shown} can be read by everybody; run chmod 600 {shown}");
            CheckResult::new(CheckLevel::Warning, "key", text)
        }
        Ok(_) => CheckResult::new(CheckLevel::Well, "key", format!("{shown} is a private key")),
    }
}

fn is_key(bytes: &[u8]) -> bool {
    Pem::iter_from_buffer(bytes)
        .flatten()
        .any(|pem| pem.label.ends_with("PRIVATE KEY"))
}

#[cfg(unix)]
fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
const fn is_open_to_all(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;
