//! Variables of the environment that look like this program's and are not: a mistyped one has no effect.

use std::{collections::BTreeSet, env, fmt};

use clap::{Command, CommandFactory};
use strsim::{jaro_winkler, osa_distance};

use crate::cli::{Cli, output::printable};

const PREFIX: &str = "USER_IMPORT_";

/// Beginnings of the variables that the project's own tests and scripts read.
const OF_TESTS: [&str; 6] = [
    "USER_IMPORT_TEST_",
    "USER_IMPORT_BENCH_",
    "USER_IMPORT_CI_",
    "USER_IMPORT_BIN",
    "USER_IMPORT_WRITE_REFERENCE",
    "USER_IMPORT_ADVISORY_DB",
];

/// The least similarity at which a name is suggested.
const ALIKE: f64 = 0.8;

/// So many typing errors make no other program's variable of one of ours: our names have 15 characters and more.
const TYPING_ERRORS: usize = 2;

/// A variable that no option has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownVariable {
    name: String,
    nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = printable(&self.name);
        match &self.nearest {
            Some(nearest) => write!(f, "{name} has no effect; did you mean {nearest}?"),
            None => write!(
                f,
                "{name} has no effect; remove it, or correct its name: user-import serve --help \
                 lists all"
            ),
        }
    }
}

/// Returns the unknown variables of this process, by name.
pub(super) fn unknown() -> Vec<UnknownVariable> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    of(env::vars_os().map(|(name, value)| (lossy(name), lossy(value))))
}

fn of(variables: impl Iterator<Item = (String, String)>) -> Vec<UnknownVariable> {
    let mut known = BTreeSet::new();
    collect(&Cli::command(), &mut known);
    let is_unknown = |(name, value): &(String, String)| {
        (is_meant(name) || mistyped(name, &known).is_some())
            && !known.contains(name)
            && !OF_TESTS.iter().any(|start| name.starts_with(start))
            && !is_of_kubernetes(name, value)
    };
    let unknown = variables
        .filter(is_unknown)
        .map(|(name, _)| UnknownVariable {
            nearest: nearest(&name, &known),
            name,
        });
    let mut unknown: Vec<UnknownVariable> = unknown.collect();
    unknown.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    unknown
}

/// The variables of all options of a command, and of those below it.
fn collect(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command
        .get_arguments()
        .filter_map(|option| option.get_env());
    known.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    for below in command.get_subcommands() {
        collect(below, known);
    }
}

/// Returns a name in the form of variables: in capitals, and with underscores.
fn written(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

fn is_meant(name: &str) -> bool {
    let name = written(name);
    name.starts_with(PREFIX) || name.starts_with("USERIMPORT_")
}

/// Returns the variable that was probably meant: the name differs by a few typing errors, which may be in the prefix.
fn mistyped<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let name = written(name);
    let errors = |other: &&String| osa_distance(&name, other);
    let best = known.iter().min_by_key(errors)?;
    (errors(&best) <= TYPING_ERRORS).then_some(best)
}

fn nearest(name: &str, known: &BTreeSet<String>) -> Option<String> {
    fn rest(name: &str) -> &str {
        let rest = name.strip_prefix(PREFIX);
        rest.or_else(|| name.strip_prefix("USERIMPORT_"))
            .unwrap_or(name)
    }
    if let Some(mistyped) = mistyped(name, known) {
        return Some(mistyped.clone());
    }
    let name = written(name);
    let alike = |other: &&String| jaro_winkler(rest(&name), rest(other));
    let best = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(&best) >= ALIKE).then(|| best.clone())
}

/// Kubernetes sets such variables in each container for each service, as for one called `user-import` or `user-import-db`:
/// `…_SERVICE_HOST`, `…_SERVICE_PORT`, `…_PORT` with a URL, and `…_PORT_50051_TCP_ADDR`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let of_port = name.rsplit_once("_PORT_").is_some_and(|(_, rest)| {
        let (number, protocol) = rest.split_once('_').unwrap_or_default();
        let is_number = number.parse::<u16>().is_ok();
        is_number
            && ["TCP", "UDP", "SCTP"]
                .iter()
                .any(|p| protocol.starts_with(p))
    });
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || of_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str) -> Vec<String> {
        let found = of([(name.to_owned(), value.to_owned())].into_iter());
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_mistyped_variable_is_named_with_the_nearest_one() {
        for (name, nearest) in [
            ("USER_IMPORT_DATABSE_URL", "USER_IMPORT_DATABASE_URL"),
            ("USER_IMPORT_DATABASE_URI", "USER_IMPORT_DATABASE_URL"),
            ("USER_IMPORT_WEB_ORIGINS", "USER_IMPORT_WEB_ORIGIN"),
            ("USER_IMPORT_TLS_CERTIFICATE", "USER_IMPORT_TLS_CERT"),
            ("USERIMPORT_LISTEN", "USER_IMPORT_LISTEN"),
            ("user_import_listen", "USER_IMPORT_LISTEN"),
            ("USER-IMPORT-LISTEN", "USER_IMPORT_LISTEN"),
            ("USER_IMPORT_DATBASE_URL", "USER_IMPORT_DATABASE_URL"),
            ("USER_IMPORT__LISTEN", "USER_IMPORT_LISTEN"),
            ("USER_IMPORT_HELD_DAY", "USER_IMPORT_HELD_DAYS"),
            // The beginning is mistyped.
            ("USER_IMPOTR_LISTEN", "USER_IMPORT_LISTEN"),
            ("USERS_IMPORT_LISTEN", "USER_IMPORT_LISTEN"),
            ("USER_IMPRT_DATABSE_URL", "USER_IMPORT_DATABASE_URL"),
            ("user-imports-tls-cert", "USER_IMPORT_TLS_CERT"),
        ] {
            let said = format!("{name} has no effect; did you mean {nearest}?");
            assert_eq!(found(name, "geheim"), [said]);
        }
        let strange = found("USER_IMPORT_ZZZ", "geheim").concat();
        assert!(
            strange.starts_with("USER_IMPORT_ZZZ has no effect; remove it"),
            "{strange}"
        );
    }

    #[test]
    fn known_variables_and_those_of_others_are_no_finding() {
        for (name, value) in [
            ("USER_IMPORT_DATABASE_URL", "sqlite://a.db"),
            ("USER_IMPORT_LOG", "info"),
            // An option of a client's command.
            ("USER_IMPORT_ENDPOINT", "https://h"),
            ("USER_IMPORTS", "x"),
            ("IMPORT_LISTEN", "x"),
            ("DATABASE_URL", "x"),
            ("PATH", "/bin"),
            ("USER_IMPORT_TEST_POSTGRES_URL", "x"),
            ("USER_IMPORT_BIN", "x"),
            ("USER_IMPORT_SERVICE_HOST", "10.0.0.1"),
            ("USER_IMPORT_SERVICE_PORT_GRPC", "50051"),
            ("USER_IMPORT_PORT", "tcp://10.0.0.1:50051"),
            ("USER_IMPORT_PORT_50051_TCP", "tcp://10.0.0.1:50051"),
            ("USER_IMPORT_DB_PORT_5432_TCP_ADDR", "10.0.0.1"),
        ] {
            assert!(found(name, value).is_empty(), "{name}");
        }
        assert_eq!(found("USER_IMPORT_PORT", "50051").len(), 1);
    }
}
