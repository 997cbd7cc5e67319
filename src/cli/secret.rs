//! Options that hold a password or a token, or may by mistake: no error repeats them.

use std::{ffi::OsStr, fmt, marker::PhantomData, str::FromStr};

use clap::{
    Arg, Command, Error,
    builder::{StyledStr, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{access::looks_like_token, store::has_password};

/// Parses a value by its type, whose error must not quote it. Clap's own parsers quote what they refuse.
#[derive(Debug)]
pub(super) struct UnquotedValueParser<T>(PhantomData<fn() -> T>);

/// The parser of an option whose value is never repeated.
#[must_use]
pub(super) const fn unquoted<T>() -> UnquotedValueParser<T> {
    UnquotedValueParser(PhantomData)
}

impl<T> Clone for UnquotedValueParser<T> {
    fn clone(&self) -> Self {
        unquoted()
    }
}

impl<T> TypedValueParser for UnquotedValueParser<T>
where
    T: FromStr<Err: fmt::Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let fault = match value.to_str().map(str::parse) {
            Some(Ok(parsed)) => return Ok(parsed),
            Some(Err(fault)) => format!("{fault}"),
            None => "it is not UTF-8".to_owned(),
        };
        let name = arg.and_then(Arg::get_long).unwrap_or_default();
        let text = format!("the value of --{name} is refused: {fault}.\n");
        Err(Error::raw(ErrorKind::ValueValidation, text).with_cmd(command))
    }
}

/// Removes passwords and tokens from a usage error, such as those given in the wrong place.
#[must_use]
pub(super) fn without_secrets(mut error: Error) -> Error {
    let quotes: Vec<ContextKind> = error
        .context()
        .filter(|(_, value)| is_secret(&value.to_string()))
        .map(|(kind, _)| kind)
        .collect();
    for kind in quotes {
        let shown = match kind {
            ContextKind::Suggested => ContextValue::StyledStrs(Vec::<StyledStr>::new()),
            _ => ContextValue::String("…".to_owned()),
        };
        error.insert(kind, shown);
    }
    error
}

fn is_secret(text: &str) -> bool {
    has_password(text) || looks_like_token(text)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    use super::*;

    #[test]
    fn no_usage_error_repeats_a_password_or_a_token() {
        let token = format!("uit_{}", "9e".repeat(32));
        for words in [
            "serve --database-url mysql://u:geheim@h/d",
            "serve --database-url u:geheim@h/d",
            "serve --database-url=postgres://u:geheim/2@h/d",
            "serve postgres://u:geheim@h/d",
            "serve --databse-url=postgres://u:geheim@h/d",
            "serve --listen postgres://u:geheim@h/d",
            "migrate -- postgres://u:geheim@h/d",
            "postgres://u:geheim@h/d migrate",
            "serve --log-format postgres://u:geheim@h/d",
            "serve --otlp-endpoint http://u:geheim@h/",
            "serve --jwt-jwks https://u:geheim@h/ --jwt-issuer i --jwt-audience a",
            "export --endpoint https://u:geheim@h/",
            "export --endpoint u:geheim@h",
            "export --token geheim\u{1}",
            "export TOKEN",
            "export --tokn=TOKEN",
            "export --format TOKEN",
            "token revoke TOKEN",
        ] {
            let words = words.replace("TOKEN", &token);
            let words = ["user-import"].into_iter().chain(words.split(' '));
            let error = Cli::try_parse_from(words.clone()).unwrap_err();
            let told = without_secrets(error).render().ansi().to_string();
            let words: Vec<_> = words.collect();
            assert!(!told.contains("geheim"), "{words:?}: {told}");
            assert!(!told.contains(&token), "{words:?}: {told}");
            assert!(told.contains("error:"), "{words:?}: {told}");
        }
    }
}
