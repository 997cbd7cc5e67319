//! The organisation that a token is for, from options or variables.

use clap::{
    ArgMatches, Args, FromArgMatches, builder::BoolishValueParser, error::ErrorKind,
    parser::ValueSource,
};

use crate::access::OrganizationScope;

/// The options that say what a token is for.
#[derive(Args, Debug)]
struct ScopeOptions {
    /// Slug of the organisation that the token is for
    #[arg(long, value_name = "SLUG", env = "USER_IMPORT_ORGANIZATION")]
    organization: Option<String>,
    /// Make the token valid for all organisations, including those created later; for operators
    #[arg(long, env = "USER_IMPORT_EVERY_ORGANIZATION")]
    #[arg(value_parser = BoolishValueParser::new())]
    every_organization: bool,
}

/// The scope of a token: an organisation, or every one. The command line comes before the environment,
/// which has the organisation of daily work.
#[derive(Debug)]
pub(super) struct ScopeArgs(pub OrganizationScope);

impl FromArgMatches for ScopeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = ScopeOptions::from_arg_matches(matches)?;
        let is_option = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let scope = match (given.organization, given.every_organization) {
            (Some(slug), false) => OrganizationScope::One(slug),
            (None, true) => OrganizationScope::Every,
            (Some(slug), true) => {
                match (is_option("organization"), is_option("every_organization")) {
                    (true, false) => OrganizationScope::One(slug),
                    (false, true) => OrganizationScope::Every,
                    _ => return Err(unclear(ErrorKind::ArgumentConflict)),
                }
            }
            (None, false) => return Err(unclear(ErrorKind::MissingRequiredArgument)),
        };
        Ok(Self(scope))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn unclear(kind: ErrorKind) -> clap::Error {
    let text = "give either --organization SLUG or --every-organization, to say for which \
        organisation the token is";
    clap::Error::raw(kind, text)
}

impl Args for ScopeArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        ScopeOptions::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        ScopeOptions::augment_args_for_update(command)
    }
}
