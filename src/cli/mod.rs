//! The command line: one file per command, and how their results are shown.
//!
//! The client commands talk gRPC like anyone else, through [`crate::client`]. Standard output holds
//! results, standard error everything else. Values of a roster are shown, never logged.

mod checks;
mod client;
mod completions;
mod console_address;
mod descriptor;
mod exit_status;
mod failure;
mod id_prefix;
mod man;
mod output;
mod secret;
mod server;

use clap::{Args, Parser, Subcommand};

use client::{
    audit, catalog, export, health, held, import, imports, inspect, mapping, org, profiles,
    template, token, user, watch,
};
use server::{demo, doctor, migrate, serve};

pub use exit_status::ExitStatus;

use crate::telemetry::{self, LogFormat};
use failure::UsageError;
use output::{Verbosity, print_error};

/// Keeps an organisation's user accounts in step with a roster file, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "user-import", version, max_term_width = 100)]
#[command(
    after_help = "Example: see all of it work, with nothing but this program:\n  \
    user-import demo\n\n\
    Every option can also be set in the environment; the name is shown with the option."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    log: LogArgs,
}

/// What is logged to standard error, and how.
#[derive(Args, Debug)]
#[command(next_help_heading = "Log")]
struct LogArgs {
    /// Filter for log lines, such as `info` or `warn,user_import=debug` [default: info for serve, else warn]
    #[arg(long, global = true, value_name = "FILTER", env = "USER_IMPORT_LOG")]
    log: Option<String>,
    /// Format of the log lines
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "USER_IMPORT_LOG_FORMAT"
    )]
    #[arg(value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(Box<import::ImportArgs>),
    Inspect(Box<inspect::InspectArgs>),
    Push(Box<import::PushArgs>),
    Undo(Box<import::UndoArgs>),
    Watch(watch::WatchArgs),
    Imports(imports::ImportsArgs),
    Cancel(imports::CancelArgs),
    Review(held::ReviewArgs),
    Approve(held::ApproveArgs),
    Audit(Box<audit::AuditArgs>),
    Template(template::TemplateArgs),
    Export(export::ExportArgs),
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    #[command(subcommand)]
    Mapping(mapping::MappingCommand),
    #[command(subcommand)]
    Org(org::OrgCommand),
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Token(token::TokenCommand),
    Serve(Box<serve::ServeArgs>),
    Migrate(migrate::MigrateArgs),
    Health(health::HealthArgs),
    Doctor(Box<doctor::DoctorArgs>),
    Demo(demo::DemoArgs),
    Descriptor(descriptor::DescriptorArgs),
    #[command(subcommand)]
    Profile(profiles::ProfileCommand),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Cli {
    /// Reads the command line of this process. If it is wrong, says so and ends the process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| secret::without_secrets(error).exit())
    }

    /// Runs the command to its end and returns its exit status. A failure is printed on standard error.
    pub async fn run(self) -> ExitStatus {
        match self.try_run().await {
            Ok(exit) => exit,
            Err(error) => {
                print_error(&failure::describe(&error));
                ExitStatus::of_error(&error)
            }
        }
    }

    async fn try_run(self) -> anyhow::Result<ExitStatus> {
        let filter = self.log.log.as_deref();
        let traces = telemetry::start(
            filter.unwrap_or(self.command.default_log(self.verbosity)),
            self.log.log_format,
            self.command.otlp_endpoint().as_deref(),
        )
        .map_err(|error| UsageError::new(format!("--log: {error:#}.")))?;
        let exit = self.command.run(self.verbosity).await;
        if let Some(traces) = traces {
            // Sending the last spans needs this runtime's threads, so none of them may wait for it.
            let _ = tokio::task::spawn_blocking(move || traces.finish()).await;
        }
        exit
    }
}

impl Command {
    const fn default_log(&self, verbosity: Verbosity) -> &'static str {
        match self {
            _ if verbosity.quiet => "error",
            Self::Serve(_) => "info",
            _ => "warn",
        }
    }

    /// The endpoint for traces, if any.
    fn otlp_endpoint(&self) -> Option<String> {
        match self {
            Self::Serve(args) => args.otlp_endpoint.as_ref().map(ToString::to_string),
            _ => None,
        }
    }

    async fn run(self, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Import(args) => import::run(*args, verbosity).await,
            Self::Inspect(args) => inspect::run(*args, verbosity).await,
            Self::Push(args) => import::run_push(*args, verbosity).await,
            Self::Undo(args) => import::run_undo(*args, verbosity).await,
            Self::Watch(args) => watch::run(args, verbosity).await,
            Self::Imports(args) => imports::list(args, verbosity).await,
            Self::Cancel(args) => imports::cancel(args, verbosity).await,
            Self::Review(args) => held::review(args, verbosity).await,
            Self::Approve(args) => held::approve(args, verbosity).await,
            Self::Audit(args) => audit::run(*args, verbosity).await,
            Self::Template(args) => template::run(args, verbosity).await,
            Self::Export(args) => export::run(args, verbosity).await,
            Self::Catalog(command) => catalog::run(command, verbosity).await,
            Self::Mapping(command) => mapping::run(command, verbosity).await,
            Self::Org(command) => org::run(command, verbosity).await,
            Self::User(command) => user::run(command, verbosity).await,
            Self::Token(command) => token::run(command, verbosity).await,
            Self::Serve(args) => Box::pin(serve::run(*args)).await,
            Self::Migrate(args) => migrate::run(args, verbosity).await,
            Self::Health(args) => health::run(args, verbosity).await,
            Self::Doctor(args) => doctor::run(*args, verbosity).await,
            Self::Demo(args) => demo::run(args).await,
            Self::Descriptor(args) => descriptor::run(&args),
            Self::Profile(command) => profiles::run(&command),
            Self::Completions(args) => completions::run(&args),
            Self::Man(args) => man::run(&args, verbosity),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_can_be_set_in_the_environment() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            for option in command.get_arguments().filter(|a| !a.is_positional()) {
                let env = option.get_env().and_then(|name| name.to_str());
                assert!(
                    env.is_some_and(|name| name.starts_with("USER_IMPORT_")),
                    "{} {option}",
                    command.get_name()
                );
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }

    /// Returns the program's own commands in a text: continued lines are joined, and the shell's additions are left
    /// out.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let text = text.replace("\\\n", " ");
        let commands = text.split(['\n', '|']).map(str::trim);
        let commands = commands.filter(|line| line.starts_with("user-import "));
        let words = |command: &str| {
            let command = command.split(" > ").next().unwrap_or_default();
            // Every other piece between quotes is a quoted text, which is one word.
            let pieces = command.split('"').enumerate();
            let words = pieces.flat_map(|(index, piece)| match index % 2 {
                0 => piece.split_whitespace().map(str::to_owned).collect(),
                _ => vec![piece.to_owned()],
            });
            words.collect::<Vec<_>>()
        };
        commands.map(words).collect()
    }

    #[test]
    fn every_command_shows_an_example_that_is_a_command() {
        let mut commands = vec![Cli::command()];
        while let Some(mut command) = commands.pop() {
            let name = command.get_name().to_owned();
            let help = command.get_after_help().map(ToString::to_string);
            let examples = examples(&help.unwrap_or_default());
            assert!(!examples.is_empty(), "{name} has none");
            for words in examples {
                let parsed = Cli::try_parse_from(&words);
                assert!(parsed.is_ok(), "{words:?}: {:?}", parsed.err());
                assert!(
                    name == "user-import" || words.contains(&name),
                    "{name}: {words:?}"
                );
            }
            command.build();
            let more = command.get_subcommands().cloned();
            commands.extend(more.filter(|command| command.get_name() != "help"));
        }
    }
}
