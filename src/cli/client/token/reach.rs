//! For whom a token is, by option, else by variable.

use clap::{
    ArgMatches, Args, FromArgMatches, builder::BoolishValueParser, error::ErrorKind,
    parser::ValueSource,
};

use crate::access::Reach;

/// For whom a token is, as given.
#[derive(Args, Debug)]
struct GivenReach {
    /// Slug of the organisation it is for
    #[arg(long, value_name = "SLUG", env = "USER_IMPORT_ORGANIZATION")]
    organization: Option<String>,
    /// For an operator: good for all organisations, those to come included
    #[arg(long, env = "USER_IMPORT_EVERY_ORGANIZATION")]
    #[arg(value_parser = BoolishValueParser::new())]
    every_organization: bool,
}

/// For whom a token is: an organisation, or every one. What the command line says comes before the
/// environment, which has the organisation of daily work.
#[derive(Debug)]
pub struct ReachArgs(pub Reach);

impl FromArgMatches for ReachArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = GivenReach::from_arg_matches(matches)?;
        let is_option = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let reach = match (given.organization, given.every_organization) {
            (Some(slug), false) => Reach::One(slug),
            (None, true) => Reach::Every,
            (Some(slug), true) => {
                match (is_option("organization"), is_option("every_organization")) {
                    (true, false) => Reach::One(slug),
                    (false, true) => Reach::Every,
                    _ => return Err(unclear(ErrorKind::ArgumentConflict)),
                }
            }
            (None, false) => return Err(unclear(ErrorKind::MissingRequiredArgument)),
        };
        Ok(Self(reach))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn unclear(kind: ErrorKind) -> clap::Error {
    let text = "say for whom the token is: --organization SLUG or --every-organization, not both";
    clap::Error::raw(kind, text)
}

impl Args for ReachArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        GivenReach::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        GivenReach::augment_args_for_update(command)
    }
}
