//! `doctor client`: checks the way from this machine to a server, and what the credential is good for.

use std::time::Duration;

use clap::Args;
use time::OffsetDateTime;
use tokio::{net::TcpStream, time::timeout};
use tonic::{Code, Status};

use super::connection::{ConnectionSettings, OrganizationArgs};
use crate::cli::{
    ExitStatus,
    checks::{self, CheckLevel, CheckResult},
    failure,
    output::{Verbosity, minute_text, printable},
};
use crate::{
    client::{ClientError, ServerAddress, ServerHealth, ServiceClient},
    clock::Clock,
    domain::Permission,
    proto::GetCallerResponse,
};

/// How long connecting to the port may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A credential that expires sooner gets a warning.
const SOON: time::Duration = time::Duration::days(21);

/// Clocks may differ by this much.
const CLOCKS: time::Duration = time::Duration::seconds(30);

/// Check the connection from this machine to a server, and what the token permits
///
/// Looks at the settings, the network, TLS, the server's health, the credential with its permissions, the organisation,
/// the versions and the clocks. Changes nothing. Exits with 1 if something is wrong.
#[derive(Args, Debug)]
#[command(after_help = "Example: with the profile of the nightly job:\n  \
    user-import doctor client --profile nightly")]
pub(crate) struct ClientDoctorArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if standard output is closed.
pub(crate) async fn run(
    args: ClientDoctorArgs,
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    checks::report(&check(&args.organization, verbosity).await)
}

fn well(about: &'static str, text: impl Into<String>) -> CheckResult {
    CheckResult::new(CheckLevel::Well, about, text)
}

fn warning(about: &'static str, text: impl Into<String>) -> CheckResult {
    CheckResult::new(CheckLevel::Warning, about, text)
}

fn wrong(about: &'static str, text: impl Into<String>) -> CheckResult {
    CheckResult::new(CheckLevel::Wrong, about, text)
}

/// All checks, in order. A check that must fail because of an earlier fault is left out, so each fault is reported
/// once.
async fn check(args: &OrganizationArgs, verbosity: Verbosity) -> Vec<CheckResult> {
    let settings = match args.settings(verbosity) {
        Ok(settings) => settings,
        Err(error) => return vec![wrong("settings", error.to_string())],
    };
    let endpoint = &settings.endpoint;
    let mut found = vec![well("settings", described(&settings))];
    if let Err(fault) = reach(endpoint).await {
        found.push(wrong("network", fault));
        return found;
    }
    let address = format!("{} port {}", endpoint.host(), endpoint.port());
    found.push(well("network", format!("{address} answers")));
    let credentials = settings.credentials.clone();
    let mut client = match ServiceClient::connect(endpoint, credentials).await {
        Ok(client) => client,
        Err(error) => {
            found.push(wrong("TLS", one_line(error)));
            return found;
        }
    };
    found.push(encryption(endpoint));
    match client.health("").await {
        Ok(ServerHealth::Serving) => found.push(well("server", "is ready")),
        Ok(_) => found.push(wrong(
            "server",
            "answers, but is not ready: it is starting, is stopping, or cannot reach its database. \
             Ask its operator to run user-import doctor",
        )),
        Err(error) => {
            found.push(wrong("server", one_line(error)));
            return found;
        }
    }
    found.extend(credential(&mut client, &settings).await);
    found
}

/// Reports the settings and their sources.
fn described(settings: &ConnectionSettings) -> String {
    let profile = match &settings.profile {
        Some(name) => format!("profile {}, ", printable(name)),
        None => "no profile, ".to_owned(),
    };
    let organization = match &settings.organization {
        Some(slug) => format!("organisation {}", printable(slug)),
        None => "no organisation".to_owned(),
    };
    format!("{profile}{}, {organization}", settings.endpoint)
}

/// Connects to the port alone, so that a fault of the network differs from one of TLS.
async fn reach(endpoint: &ServerAddress) -> Result<(), String> {
    let connecting = TcpStream::connect((endpoint.host(), endpoint.port()));
    let reason = match timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("timed out after {} s", PATIENCE.as_secs()),
    };
    let address = endpoint.clone();
    Err(one_line(ClientError::Unreachable { address, reason }))
}

/// A failure as one line.
fn one_line(error: ClientError) -> String {
    let text = failure::describe(&error.into());
    let text = text.trim_start_matches("error: ").replace('\n', " ");
    text.trim_end_matches('.').to_owned()
}

fn encryption(endpoint: &ServerAddress) -> CheckResult {
    if endpoint.is_tls() {
        return well("TLS", "the server's certificate is accepted");
    }
    if endpoint.is_loopback() {
        return well("TLS", "none, and none is needed on this machine");
    }
    warning(
        "TLS",
        "none: others on the network can read and change what is sent. Ask the operator for an https:// address",
    )
}

/// Reports the credential, what it permits, and what follows from that.
async fn credential(client: &mut ServiceClient, settings: &ConnectionSettings) -> Vec<CheckResult> {
    let about = "credential";
    let presented = settings.presented;
    let caller = match client.caller().await {
        Ok(caller) => caller,
        Err(ClientError::Status(status)) => {
            return match status.code() {
                Code::Unauthenticated => vec![wrong(about, refused(presented, &status))],
                Code::PermissionDenied => {
                    vec![wrong(
                        about,
                        format!("{presented} is valid, but permits nothing"),
                    )]
                }
                Code::Unimplemented => unknown_caller(client, settings).await,
                _ => vec![wrong(about, one_line(status.into()))],
            };
        }
        Err(error) => return vec![wrong(about, one_line(error))],
    };
    let now = Clock::system().now();
    let mut found = vec![validity(&caller, presented, now), permissions(&caller)];
    found.push(organization(client, &caller, settings).await);
    found.push(version(&caller.server_version));
    found.extend(clock(&caller, now));
    found
}

fn refused(presented: &str, status: &Status) -> String {
    let reason = printable(status.message());
    let reason = reason.trim_end_matches('.');
    let next = match reason.contains("user-import token create") {
        true => "",
        false => "; an operator creates one with user-import token create",
    };
    format!("{presented} is not accepted: {reason}. Give a valid token with --token-file{next}")
}

/// A server of an earlier release does not say who the caller is, but it still knows whether the credential is good.
async fn unknown_caller(
    client: &mut ServiceClient,
    settings: &ConnectionSettings,
) -> Vec<CheckResult> {
    let about = "credential";
    let version = warning(
        "version",
        "the server is older than this program, and does not say what the credential permits",
    );
    let slug = settings.organization.as_deref().unwrap_or_default();
    let credential = match client.catalog(slug).await {
        Err(ClientError::Status(status)) if status.code() == Code::Unauthenticated => {
            wrong(about, refused(settings.presented, &status))
        }
        Err(ClientError::Status(status)) if status.code() == Code::PermissionDenied => well(
            about,
            format!(
                "{} is valid, but may not read this organisation",
                settings.presented
            ),
        ),
        Err(error) => wrong("organisation", one_line(error)),
        Ok(_) => well(about, format!("{} is valid", settings.presented)),
    };
    vec![credential, version]
}

fn validity(caller: &GetCallerResponse, presented: &str, now: OffsetDateTime) -> CheckResult {
    let about = "credential";
    let is = format!(
        "{presented} is accepted as {}",
        printable(&caller.principal)
    );
    let Some(expires_at) = &caller.expires_at else {
        return well(about, format!("{is}, and does not expire"));
    };
    let until = minute_text(Some(expires_at));
    if expires_at.seconds < (now + SOON).unix_timestamp() {
        return warning(
            about,
            format!("{is}, and expires on {until} UTC; get a new one before then"),
        );
    }
    well(about, format!("{is}, and valid until {until} UTC"))
}

fn permissions(caller: &GetCallerResponse) -> CheckResult {
    let has = |permission: &Permission| {
        let mut names = caller.permissions.iter();
        names.any(|name| name == permission.name())
    };
    let names = |is_permitted: bool| {
        let all = Permission::ALL.iter();
        let those = all.filter(|permission| has(permission) == is_permitted);
        those
            .map(|permission| permission.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let text = match &*names(false) {
        "" => "all".to_owned(),
        missing => format!("{}; not {missing}", names(true)),
    };
    well("permissions", text)
}

/// Checks that the credential is for the organisation, and that it exists.
async fn organization(
    client: &mut ServiceClient,
    caller: &GetCallerResponse,
    settings: &ConnectionSettings,
) -> CheckResult {
    let about = "organisation";
    let own = printable(&caller.organization);
    let Some(slug) = &settings.organization else {
        let which = if own.is_empty() { "SLUG" } else { &*own };
        return warning(
            about,
            format!(
                "none is set: give --organization {which}, or put organization = \"{which}\" into the profile"
            ),
        );
    };
    let shown = printable(slug);
    if !own.is_empty() && own != shown {
        return wrong(
            about,
            format!(
                "the credential is only for {own}, and not for {shown}: check --organization, or \
                 the profile"
            ),
        );
    }
    match client.organization(slug).await {
        Ok(found) => well(
            about,
            format!("{shown} ({})", printable(&found.display_name)),
        ),
        Err(ClientError::Status(status)) if status.code() == Code::PermissionDenied => well(
            about,
            format!(
                "{shown}; without the permission users.read, the server does not say whether \
                it exists"
            ),
        ),
        Err(error) => wrong(about, one_line(error)),
    }
}

fn version(server: &str) -> CheckResult {
    let own = env!("CARGO_PKG_VERSION");
    if server == own {
        return well("version", format!("{own}, the same as the server"));
    }
    let server = printable(server);
    warning(
        "version",
        format!(
            "this program is {own}, and the server is {server}: use the program of the server's release"
        ),
    )
}

/// Says how far the two clocks are apart. The difference includes the time that the answer takes on its way.
fn clock(caller: &GetCallerResponse, now: OffsetDateTime) -> Option<CheckResult> {
    let server = caller.server_time.as_ref()?;
    let server = OffsetDateTime::from_unix_timestamp(server.seconds).ok()?;
    let apart = (now - server).abs();
    if apart <= CLOCKS {
        return Some(well("clock", "agrees with the server's"));
    }
    let seconds = apart.whole_seconds();
    let direction = if now > server { "ahead of" } else { "behind" };
    Some(warning(
        "clock",
        format!(
            "this machine is {seconds} s {direction} the server: set the clock, or certificates and tokens may seem \
             expired"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use time::macros::datetime;

    use super::*;
    use crate::proto::timestamp;

    const NOW: OffsetDateTime = datetime!(2026-03-02 00:00 UTC);

    fn caller() -> GetCallerResponse {
        GetCallerResponse {
            principal: "token 018f4e9e-5c7b-7000-8000-000000000001 (nightly\u{1b})".to_owned(),
            organization: "pd".to_owned(),
            permissions: vec!["users.import".to_owned(), "users.read".to_owned()],
            expires_at: Some(timestamp(datetime!(2026-06-01 00:00 UTC))),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_time: Some(timestamp(NOW)),
        }
    }

    #[test]
    fn a_credential_says_who_it_is_and_until_when() {
        let validity = |caller| validity(&caller, "the token", NOW).to_string();
        assert_snapshot!(validity(caller()), @r"ok       credential     the token is accepted as token 018f4e9e-5c7b-7000-8000-000000000001 (nightly\u{1b}), and valid until 2026-06-01 00:00 UTC");
        assert_snapshot!(validity(GetCallerResponse {
            expires_at: Some(timestamp(datetime!(2026-03-09 12:00 UTC))),
            ..caller()
        }), @r"warning  credential     the token is accepted as token 018f4e9e-5c7b-7000-8000-000000000001 (nightly\u{1b}), and expires on 2026-03-09 12:00 UTC; get a new one before then");
        assert_snapshot!(validity(GetCallerResponse {
            expires_at: None,
            ..caller()
        }), @r"ok       credential     the token is accepted as token 018f4e9e-5c7b-7000-8000-000000000001 (nightly\u{1b}), and does not expire");
    }

    #[test]
    fn permissions_that_are_missing_are_named_too() {
        let some = permissions(&caller()).text;
        assert!(
            some.starts_with("users.import, users.read; not users.deactivate, "),
            "{some}"
        );
        let all = Permission::ALL.iter();
        let all = all.map(|permission| permission.name().to_owned());
        let permissions = permissions(&GetCallerResponse {
            permissions: all.collect(),
            ..caller()
        });
        assert_eq!(permissions.text, "all");
    }

    #[test]
    fn another_release_and_another_time_are_warned_about() {
        assert_snapshot!(version(env!("CARGO_PKG_VERSION")).to_string().replace(env!("CARGO_PKG_VERSION"), "1.2.3"), @"ok       version        1.2.3, the same as the server");
        assert_eq!(version("9.9.9").level, CheckLevel::Warning);
        let told = |minutes| {
            let clock = clock(&caller(), NOW + time::Duration::minutes(minutes));
            clock.map(|clock| clock.to_string()).unwrap_or_default()
        };
        assert_snapshot!(told(0), @"ok       clock          agrees with the server's");
        assert_snapshot!(told(3), @"warning  clock          this machine is 180 s ahead of the server: set the clock, or certificates and tokens may seem expired");
        assert_snapshot!(told(-5), @"warning  clock          this machine is 300 s behind the server: set the clock, or certificates and tokens may seem expired");
    }
}
