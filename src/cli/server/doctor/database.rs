//! Checks that the database can be reached and used, and checks its schema, its clock and its limits.

use std::time::{Duration, Instant};

use anyhow::Context;
use time::OffsetDateTime;

use super::{CheckLevel, CheckResult, credentials, roles, sqlite_file};
use crate::{
    cli::server::serve::ServeArgs,
    config::Settings,
    import::Clock,
    store::{
        AccessFault, CONNECTIONS, ConnectionRoom, DatabaseUrl, SchemaStatus, TableDistribution,
    },
    store::{Store, StoreError},
};

/// Clocks that are further apart are wrong: tokens and certificates are judged by ours, leases by the
/// database's.
const APART: Duration = Duration::from_secs(5);

/// What to do about an error code of the database. SQLite's codes are without their extension.
const ADVICE_BY_CODE: [(&[&str], &str); 10] = [
    (
        &["28P01", "28000"],
        "correct user and password in --database-url, or admit the role in pg_hba.conf",
    ),
    (
        &["3D000"],
        "create that database, or correct its name in --database-url",
    ),
    (
        &["53300"],
        "raise max_connections of PostgreSQL, or the CONNECTION LIMIT of the role or the database",
    ),
    (
        &["42501"],
        "grant the role CONNECT on the database, USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on \
         all tables",
    ),
    (&["57P03"], "wait until it has started"),
    (
        &["55000"],
        "have it accept connections: ALTER DATABASE … ALLOW_CONNECTIONS true",
    ),
    (
        &["8", "14"],
        "give the user who runs the server the right to write the file and its folder",
    ),
    (&["5", "6"], "end the program that has the file locked"),
    (
        &["10", "13"],
        "make room on its disk, and check that the disk is sound",
    ),
    (
        &["11", "26"],
        "it is not a SQLite database, or is damaged: correct --database-url, or restore a backup",
    ),
];

/// What to do about words in a message of the network, of TLS or of a pooler, in lower case; the first that is found counts.
const ADVICE_BY_WORDS: [(&[&str], &str); 10] = [
    (
        &["refused", "no such file"],
        "start it, or correct host and port in --database-url",
    ),
    (
        &["lookup address"],
        "no machine has that name: correct the host in --database-url",
    ),
    (
        &["not trusted here"],
        "name that authority with sslrootcert=FILE in --database-url",
    ),
    (
        &["for another name"],
        "correct the host in --database-url to a name of the certificate, or give the database a certificate for \
         this host",
    ),
    (
        &[
            "asks for a client certificate",
            "does not accept the client",
        ],
        "name one that it accepts with sslcert=FILE and sslkey=FILE in --database-url",
    ),
    (
        &["its certificate"],
        "give the database a certificate that an authority has issued for it",
    ),
    (
        &["startup parameter"],
        "set ignore_startup_parameters = extra_float_digits,options in PgBouncer",
    ),
    (
        &["statement pooling"],
        "set pool_mode = transaction in PgBouncer, or session",
    ),
    (
        &["tls"],
        "have it speak TLS (ssl = on), or remove sslmode from --database-url",
    ),
    (
        &["in time", "timed out", "unreachable", "no route"],
        "check that it runs, that no firewall is in between, and that the host in --database-url \
         is right",
    ),
];

/// Looks at the database, unless that would create it. Also returns whether a server runs on it.
pub(super) async fn check(
    args: &ServeArgs,
    settings: &Settings,
    clock: &Clock,
) -> (Vec<CheckResult>, bool) {
    let url = &args.database.database_url;
    let mut results = match url.file().map(|file| sqlite_file::check(&file)) {
        Some(Err(wrong)) => return (vec![wrong], false),
        Some(Ok(warning)) => Vec::from_iter(warning),
        None => Vec::new(),
    };
    let begun = Instant::now();
    let store = match args.database.try_connect(settings).await {
        Ok(store) => store,
        Err(error) => return (vec![unusable(url, &error)], false),
    };
    // A schema that lacks the table is a finding of its own.
    let is_serving = store.has_running_server().await.unwrap_or_default();
    match ask(&store, settings, clock, begun).await {
        Ok(asked) => {
            results.extend(asked);
            results.extend(limits(&store, is_serving).await);
            results.extend(roles::check(&store).await);
            results.extend(credentials::exposure(args, settings, &store).await);
        }
        Err(error) => {
            let text = match error.downcast_ref().and_then(advice) {
                Some(advice) => format!("{error:#}; {advice}"),
                None => format!("{error:#}"),
            };
            results.push(CheckResult::new(CheckLevel::Wrong, "database", text));
        }
    }
    (results, is_serving)
}

/// Returns the finding that says why the database cannot be used, and what to do.
fn unusable(url: &DatabaseUrl, error: &StoreError) -> CheckResult {
    let place = match url.file() {
        Some(file) => file.display().to_string(),
        None => url.shown_hosts(),
    };
    let fault = match error {
        StoreError::File { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    let text = match advice(error) {
        Some(advice) => format!("{place} cannot be used: {fault}; {advice}"),
        // The error says itself what to do.
        None => format!("{place} cannot be used: {fault}"),
    };
    CheckResult::new(CheckLevel::Wrong, "database", text)
}

fn advice(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::File { .. } => by_code("14"),
        StoreError::CertificateFile { .. } => {
            Some("correct its name in --database-url, or let the user who runs the server read it")
        }
        StoreError::NoWritableHost => Some(
            "wait for the fail-over, or also name the host that takes writes in --database-url",
        ),
        StoreError::Database(_) => {
            let by_code = error.code().and_then(|code| by_code(&code));
            let usual = "check that the database runs and that --database-url is right";
            Some(by_code.unwrap_or_else(|| by_words(error).unwrap_or(usual)))
        }
        _ => None,
    }
}

fn by_code(code: &str) -> Option<&'static str> {
    // An extended code of SQLite has more in its higher bits.
    let plain = match code.parse::<u32>() {
        Ok(number) if code.len() != 5 => (number & 0xff).to_string(),
        _ => code.to_owned(),
    };
    let found = ADVICE_BY_CODE
        .iter()
        .find(|(codes, _)| codes.contains(&&*plain));
    found.map(|(_, advice)| *advice)
}

fn by_words(error: &StoreError) -> Option<&'static str> {
    let said = error.to_string().to_lowercase();
    let found = ADVICE_BY_WORDS
        .iter()
        .find(|(words, _)| words.iter().any(|word| said.contains(word)));
    found.map(|(_, advice)| *advice)
}

async fn ask(
    store: &Store,
    settings: &Settings,
    clock: &Clock,
    begun: Instant,
) -> anyhow::Result<Vec<CheckResult>> {
    let (version, theirs) = store
        .server_info()
        .await
        .context("the database does not answer")?;
    let ours = clock.now() - OffsetDateTime::UNIX_EPOCH;
    let took = begun.elapsed().as_millis();
    let answers = format!("{version} answers within {took} ms");
    let schema = store.schema().await.context("the schema cannot be read")?;
    let must_migrate = !schema.missing.is_empty();
    let faults = store.access_faults(must_migrate, settings.audit.is_some());
    let faults = faults.await;
    let faults = faults.context("the role's privileges cannot be read")?;
    let mut results = vec![CheckResult::new(CheckLevel::Well, "database", answers)];
    // Who may not look into the schema finds nothing in it.
    if !faults.iter().any(AccessFault::hides_schema) {
        results.push(check_schema(&schema));
    }
    results.push(check_clock(theirs, ours));
    if store.is_behind_pooler() {
        results.push(pooler());
    }
    let distribution = store.distribution().await;
    let distribution =
        distribution.context("it cannot be found out whether tables are distributed")?;
    results.extend(check_distribution(&distribution));
    results.extend(faults.iter().map(barred));
    Ok(results)
}

fn barred(fault: &AccessFault) -> CheckResult {
    CheckResult::new(CheckLevel::Wrong, "access", fault.to_string())
}

/// Checks that the database admits the connections of a server.
async fn limits(store: &Store, is_serving: bool) -> Option<CheckResult> {
    // The role may not be allowed to count connections; a server does not need that.
    let room = store.connection_room().await.ok()??;
    Some(check_room(&room, is_serving))
}

fn check_room(room: &ConnectionRoom, is_serving: bool) -> CheckResult {
    let about = "connections";
    let ConnectionRoom {
        free,
        limit,
        remedy,
    } = room;
    if *free >= i64::from(CONNECTIONS) {
        let text = format!("room for {free} more; a server opens up to {CONNECTIONS}");
        return CheckResult::new(CheckLevel::Well, about, text);
    }
    let free = free.max(&0);
    let text = format!(
        "the database has room for {free} more, and a server opens up to {CONNECTIONS} ({limit}); {remedy}"
    );
    // Those of the server that runs are among those in use.
    let level = match is_serving {
        true => CheckLevel::Warning,
        false => CheckLevel::Wrong,
    };
    CheckResult::new(level, about, text)
}

fn pooler() -> CheckResult {
    let text = "a pooler is in between, and drops the time-outs of connections; each transaction \
        therefore sets them with one more statement: connect to the database directly if you can";
    CheckResult::new(CheckLevel::Warning, "pooler", text)
}

fn check_distribution(distribution: &TableDistribution) -> Option<CheckResult> {
    let about = "distribution";
    match distribution {
        TableDistribution::Plain => None,
        TableDistribution::Distributed { workers } => {
            let text = format!("the organisations are spread over {workers} workers of Citus");
            Some(CheckResult::new(CheckLevel::Well, about, text))
        }
        TableDistribution::Partial(missing) => {
            let text = format!(
                "some tables are distributed, and {} are not; stop all servers, then run \
                 user-import migrate --distribute",
                missing.join(", ")
            );
            Some(CheckResult::new(CheckLevel::Wrong, about, text))
        }
    }
}

fn check_schema(schema: &SchemaStatus) -> CheckResult {
    let about = "migrations";
    match (schema.missing.len(), schema.newer.len()) {
        (0, 0) => CheckResult::new(CheckLevel::Well, about, "the schema is up to date"),
        (0, _) => {
            let text = "the schema is of a newer release, and this release can use it";
            CheckResult::new(CheckLevel::Well, about, text)
        }
        (missing, 0) => {
            let steps = if missing == 1 { "step" } else { "steps" };
            let text = format!(
                "the schema lacks {missing} {steps}; run user-import migrate; serve does that by \
                 itself unless --no-migrate is given"
            );
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
        _ => {
            let text = "the schema is of another release; use the newest release that has run on \
                this database";
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
    }
}

fn check_clock(theirs: Duration, ours: time::Duration) -> CheckResult {
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(5_000, CheckLevel::Well)]
    #[case(5_001, CheckLevel::Wrong)]
    #[case(-5_000, CheckLevel::Well)]
    #[case(-5_001, CheckLevel::Wrong)]
    fn clocks_may_be_a_little_apart(#[case] apart_ms: i64, #[case] level: CheckLevel) {
        let theirs = Duration::from_secs(1_000_000);
        let ours = time::Duration::seconds(1_000_000) + time::Duration::milliseconds(apart_ms);
        assert_eq!(check_clock(theirs, ours).level, level);
    }

    #[rstest]
    #[case(&[], &[], CheckLevel::Well)]
    #[case(&[], &["newer"], CheckLevel::Well)]
    #[case(&["missing"], &[], CheckLevel::Wrong)]
    #[case(&["missing"], &["newer"], CheckLevel::Wrong)]
    fn a_schema_that_lacks_something_is_wrong(
        #[case] missing: &[&str],
        #[case] newer: &[&str],
        #[case] level: CheckLevel,
    ) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let schema = SchemaStatus {
            missing: owned(missing),
            newer: owned(newer),
        };
        assert_eq!(check_schema(&schema).level, level);
    }

    #[rstest]
    #[case(16, false, CheckLevel::Well)]
    #[case(15, false, CheckLevel::Wrong)]
    #[case(-3, false, CheckLevel::Wrong)]
    #[case(15, true, CheckLevel::Warning)]
    fn a_server_needs_room_for_all_its_connections(
        #[case] free: i64,
        #[case] is_serving: bool,
        #[case] level: CheckLevel,
    ) {
        let room = ConnectionRoom {
            free,
            limit: "max_connections is 20".to_owned(),
            remedy: "raise it".to_owned(),
        };
        assert_eq!(check_room(&room, is_serving).level, level);
    }

    #[test]
    fn every_code_is_known_with_its_extensions() {
        // SQLITE_READONLY_DIRECTORY, SQLITE_CANTOPEN_ISDIR.
        for (code, advice) in [("1544", "right to write"), ("526", "right to write")] {
            assert!(by_code(code).unwrap().contains(advice), "{code}");
        }
        assert!(by_code("53300").unwrap().contains("max_connections"));
        assert!(by_code("99999").is_none());
    }
}
