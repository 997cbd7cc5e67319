//! `doctor`: checks a server's configuration and surroundings, and says what to do.

mod credentials;
mod roles;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser};
use time::OffsetDateTime;
use x509_parser::pem::Pem;

use super::{migrate::DatabaseArgs, security::parse_keys, settings::SettingsArgs};
use crate::cli::{ExitStatus, output::print};
use crate::{
    access::jwt::JwtKeyLocation,
    config::Settings,
    import::Clock,
    store::{Distribution, SchemaStatus, Store},
};

/// A certificate that expires sooner gets a warning.
const SOON: time::Duration = time::Duration::days(21);

/// Clocks that are further apart are wrong: tokens and certificates are judged by ours, leases by the
/// database's.
const APART: Duration = Duration::from_secs(5);

/// Check configuration, database, schema, certificates and clock, and say what to do
///
/// Takes the options of `serve`, or the same environment. Exits with 1 if something is wrong.
#[derive(Args, Debug)]
#[command(after_help = "Example: with the environment of the service:\n  \
    user-import doctor --database-url postgres://import@db/users --tls-cert server.pem \\\n    \
    --tls-key server.key")]
pub(crate) struct DoctorArgs {
    /// Address that the server listens on
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_LISTEN",
        default_value = "127.0.0.1:50051"
    )]
    listen: SocketAddr,
    /// Listen there although TLS or credentials are missing
    #[arg(long, env = "USER_IMPORT_INSECURE_LISTEN_BEYOND_LOOPBACK")]
    #[arg(value_parser = BoolishValueParser::new())]
    insecure_listen_beyond_loopback: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Certificate of the server, as PEM
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Key of the server's certificate, as PEM
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Certificates that sign those of clients, as PEM
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
    /// List of the client certificates that are admitted, as JSON
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CLIENT_IDENTITIES")]
    tls_client_identities: Option<PathBuf>,
    /// File or URL with the public keys of the identity provider
    #[arg(long, value_name = "FILE|URL", env = "USER_IMPORT_JWT_JWKS")]
    #[arg(value_parser = parse_keys)]
    jwt_jwks: Option<JwtKeyLocation>,
    /// Certificates that sign the certificate of the identity provider's URL, as PEM
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_JWT_JWKS_CA")]
    jwt_jwks_ca: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The result of one check.
#[derive(Debug)]
struct CheckResult {
    level: CheckLevel,
    about: &'static str,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CheckLevel {
    Well,
    Warning,
    Wrong,
}

impl CheckResult {
    fn new(level: CheckLevel, about: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { level, about, text }
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            CheckLevel::Well => "ok",
            CheckLevel::Warning => "warning",
            CheckLevel::Wrong => "WRONG",
        };
        writeln!(f, "{level:<8} {:<14} {}", self.about, self.text)
    }
}

/// Runs the command.
///
/// # Errors
/// Fails if standard output is closed.
pub(crate) async fn run(args: DoctorArgs) -> anyhow::Result<ExitStatus> {
    let clock = Clock::system();
    let settings = args.settings.settings();
    let mut findings = configuration(&settings);
    findings.extend(
        args.settings
            .expect_sound()
            .err()
            .map(|error| CheckResult::new(CheckLevel::Wrong, "configuration", error.to_string())),
    );
    findings.extend(database(&args, &settings, &clock).await);
    findings.extend(certificates(&args, clock.now()));
    findings.extend(credentials::look(&args).await);
    let wrong = findings
        .iter()
        .filter(|f| f.level == CheckLevel::Wrong)
        .count();
    let summary = match wrong {
        0 => "Nothing is wrong.\n".to_owned(),
        1 => "1 thing is wrong.\n".to_owned(),
        more => format!("{more} things are wrong.\n"),
    };
    let lines: String = findings.iter().map(ToString::to_string).collect();
    print(&format!("{lines}{summary}"))?;
    Ok(match wrong {
        0 => ExitStatus::Done,
        _ => ExitStatus::Failed,
    })
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
            "one organisation can take every place: set --max-imports-per-organization below \
             --max-imports",
        ),
        (
            server.exports.key >= server.exports.server,
            "one organisation can take every export: set --max-exports-per-organization below \
             --max-exports",
        ),
        (
            server.watches.key >= server.watches.server,
            "one organisation can take every watch: set --max-watches-per-organization below \
             --max-watches",
        ),
        (
            server.address_connections >= server.connections,
            "one address can take every connection: set --max-connections-per-address below \
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

/// Connects, unless that would create a database.
async fn database(args: &DoctorArgs, settings: &Settings, clock: &Clock) -> Vec<CheckResult> {
    let wrong = |text: String| vec![CheckResult::new(CheckLevel::Wrong, "database", text)];
    let file = args.database.database_url.file();
    if let Some(file) = file.filter(|file| !file.exists()) {
        return wrong(format!(
            "there is no file {}; user-import migrate or serve makes it, or correct --database-url",
            file.display()
        ));
    }
    let begun = Instant::now();
    let store = match args.database.connect_for(settings).await {
        Ok(store) => store,
        Err(error) => {
            return wrong(format!(
                "{error:#}; see that the database runs and that --database-url is right"
            ));
        }
    };
    match look(&store, clock, begun).await {
        Ok(mut findings) => {
            findings.extend(roles::look(&store).await);
            findings.extend(credentials::exposure(args, &store).await);
            findings
        }
        Err(error) => wrong(format!("{error:#}")),
    }
}

async fn look(store: &Store, clock: &Clock, begun: Instant) -> anyhow::Result<Vec<CheckResult>> {
    let (version, theirs) = store
        .server_info()
        .await
        .context("the database does not answer")?;
    let ours = clock.now() - OffsetDateTime::UNIX_EPOCH;
    let took = begun.elapsed().as_millis();
    let answers = format!("{version} answers within {took} ms");
    let schema = store.schema().await.context("the schema cannot be read")?;
    let mut findings = Vec::from([
        CheckResult::new(CheckLevel::Well, "database", answers),
        judge_schema(&schema),
        judge_clock(theirs, ours),
    ]);
    if store.is_behind_pooler() {
        findings.push(pooler());
    }
    let distribution = store.distribution().await;
    let distribution = distribution.context("it cannot be seen whether tables are distributed")?;
    findings.extend(judge_distribution(&distribution));
    Ok(findings)
}

fn pooler() -> CheckResult {
    let text = "a pooler is in between, and drops the time-outs of connections; each transaction sets \
        them itself, which costs a statement more: connect to the database itself if you can";
    CheckResult::new(CheckLevel::Warning, "pooler", text)
}

fn judge_distribution(distribution: &Distribution) -> Option<CheckResult> {
    let about = "distribution";
    match distribution {
        Distribution::Plain => None,
        Distribution::Distributed { workers } => {
            let text = format!("the organisations are spread over {workers} workers of Citus");
            Some(CheckResult::new(CheckLevel::Well, about, text))
        }
        Distribution::Partial(missing) => {
            let text = format!(
                "some tables are distributed, and {} not; stop all servers, then run user-import \
                migrate --distribute",
                missing.join(", ")
            );
            Some(CheckResult::new(CheckLevel::Wrong, about, text))
        }
    }
}

fn judge_schema(schema: &SchemaStatus) -> CheckResult {
    let about = "migrations";
    match (schema.missing.len(), schema.newer.len()) {
        (0, 0) => CheckResult::new(CheckLevel::Well, about, "the schema is up to date"),
        (0, _) => {
            let text = "the schema is of a newer release, which this one works on with";
            CheckResult::new(CheckLevel::Well, about, text)
        }
        (_, 0) => {
            let missing = schema.missing.join(", ");
            let text = format!("the schema lacks {missing}; run user-import migrate");
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
        _ => {
            let text = "the schema is of another release; use the newest that has run on it";
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
    }
}

fn judge_clock(theirs: Duration, ours: time::Duration) -> CheckResult {
    let apart = ours.unsigned_abs().abs_diff(theirs);
    let seconds = apart.as_secs_f64();
    if apart <= APART {
        let text = format!("{seconds:.1} s from the database's");
        return CheckResult::new(CheckLevel::Well, "clock", text);
    }
    let text = format!(
        "{seconds:.0} s from the database's; set both machines' clocks by the same time servers"
    );
    CheckResult::new(CheckLevel::Wrong, "clock", text)
}

fn certificates(args: &DoctorArgs, now: OffsetDateTime) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    let files = [&args.tls_cert, &args.tls_client_ca, &args.jwt_jwks_ca];
    for file in files.into_iter().flatten() {
        findings.extend(certificate(file, now));
    }
    findings.extend(args.tls_key.as_deref().map(key));
    match (&args.tls_cert, &args.tls_key) {
        (Some(_), None) => findings.push(unpaired("--tls-key")),
        (None, Some(_)) => findings.push(unpaired("--tls-cert")),
        _ => {}
    }
    findings
}

fn unpaired(option: &str) -> CheckResult {
    let text = format!("certificate and key go together; give {option} too");
    CheckResult::new(CheckLevel::Wrong, "certificate", text)
}

/// Every certificate of a file.
fn certificate(file: &Path, now: OffsetDateTime) -> Vec<CheckResult> {
    let shown = file.display();
    let wrong = |text: String| vec![CheckResult::new(CheckLevel::Wrong, "certificate", text)];
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return wrong(format!("{shown} cannot be read: {error}")),
    };
    let found: Result<Vec<Pem>, _> = Pem::iter_from_buffer(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => {
            found.iter().map(|pem| validity(file, pem, now)).collect()
        }
        _ => wrong(format!("{shown} has no certificate in PEM form")),
    }
}

fn validity(file: &Path, pem: &Pem, now: OffsetDateTime) -> CheckResult {
    let shown = file.display();
    let (level, text) = match pem.parse_x509() {
        Err(_) => (
            CheckLevel::Wrong,
            format!("{shown} has a part that is no certificate"),
        ),
        Ok(certificate) => {
            let from = certificate.validity().not_before.to_datetime();
            let until = certificate.validity().not_after.to_datetime();
            let day = until.date();
            if now < from {
                let text = format!(
                    "{shown} is not good before {}; look at the clock",
                    from.date()
                );
                (CheckLevel::Wrong, text)
            } else if now > until {
                (
                    CheckLevel::Wrong,
                    format!("{shown} ended on {day}; put a new one in its place"),
                )
            } else if now + SOON > until {
                (
                    CheckLevel::Warning,
                    format!("{shown} ends on {day}; renew it soon"),
                )
            } else {
                (CheckLevel::Well, format!("{shown} is good until {day}"))
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
