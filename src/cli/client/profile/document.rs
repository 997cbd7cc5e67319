//! The file of profiles as a document: its tables, and the default profile.

use std::{collections::BTreeMap, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    settings::{ConnectionProfile, KEYS},
    source::{ProfileFault, ProfileSource, known_names},
};

/// The content of a file of profiles.
#[derive(Debug, Default)]
pub(crate) struct ProfileDocument {
    /// The profile to use if none is named; it is one of `by_name`.
    pub default: Option<String>,
    /// All of them.
    pub by_name: BTreeMap<String, ConnectionProfile>,
}

const DEFAULT: &str = "default_profile";
const PROFILES: &str = "profiles";

impl ProfileDocument {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// Returns the first fault.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ProfileFault> {
        let text = text.trim_start_matches('\u{feff}');
        let source = ProfileSource::new(text, path);
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().replace('\n', "; ");
            source.fault(error.span().unwrap_or_default(), format!("{message}."))
        })?;
        let (mut found, mut default) = (Self::default(), None);
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                DEFAULT => default = Some((source.text_of(DEFAULT, value)?, value.span())),
                PROFILES => found.by_name = profiles(&source, value)?,
                other => return Err(source.fault(key.span(), stray(other))),
            }
        }
        if let Some((name, at)) = default {
            if !found.by_name.contains_key(&name) {
                let names = found.by_name.keys().map(String::as_str);
                let text = format!(
                    "no profile is named \"{name}\"{}",
                    known_names(&name, names)
                );
                return Err(source.fault(at, text));
            }
            found.default = Some(name);
        }
        Ok(found)
    }
}

fn stray(key: &str) -> String {
    if key == "token" || KEYS.contains(&key) {
        return format!("{key} belongs to a profile: write it below a line [profiles.NAME].");
    }
    format!(
        "unknown key \"{key}\"{}",
        known_names(key, [DEFAULT, PROFILES].into_iter())
    )
}

fn profiles(
    source: &ProfileSource<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<BTreeMap<String, ConnectionProfile>, ProfileFault> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(source.fault(value.span(), "write profiles as [profiles.NAME]."));
    };
    let named = table.iter().map(|(name, value)| {
        let DeValue::Table(settings) = value.get_ref() else {
            let text = format!("write the profile as [profiles.{}].", name.get_ref());
            return Err(source.fault(name.span(), text));
        };
        let profile = ConnectionProfile::parse(source, settings)?;
        Ok((name.get_ref().to_string(), profile))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::key(
        "[profiles.a]\nendpiont = \"http://h:1\"",
        "line 2: unknown key \"endpiont\"; did you mean \"endpoint\"?"
    )]
    #[case::section(
        "\n[profile.a]",
        "line 2: unknown key \"profile\"; did you mean \"profiles\"?"
    )]
    #[case::outside(
        "endpoint = \"http://h:1\"",
        "line 1: endpoint belongs to a profile: write it below a line [profiles.NAME]."
    )]
    #[case::not_text(
        "[profiles.a]\norganization = 7",
        "line 2: organization must be a text in quotes."
    )]
    #[case::endpoint(
        "[profiles.a]\n\nendpoint = \"h:1\"",
        "line 3: endpoint \"h:1\": write it as https://HOST:PORT, or http://HOST:PORT without TLS."
    )]
    #[case::slug(
        "[profiles.a]\norganization = \"My PD\"",
        "line 2: organization \"My PD\" must be 1 to 63 lower-case letters, digits or hyphens."
    )]
    #[case::no_default(
        "default_profile = \"b\"\n[profiles.a]",
        "line 1: no profile is named \"b\"; did you mean \"a\"?"
    )]
    #[case::twice("[profiles.a]\n[profiles.a]", "line 2: duplicate key.")]
    #[case::two_tokens(
        "[profiles.a]\ntoken_file = \"f\"\ntoken_env = \"E\"",
        "line 3: give token_file or token_env, not both."
    )]
    #[case::half_a_certificate(
        "[profiles.a]\nclient_cert = \"f\"",
        "line 2: client_cert and client_key go together; give both or neither."
    )]
    #[case::flat("[profiles]\na = \"x\"", "line 2: write the profile as [profiles.a].")]
    fn a_fault_names_its_line(#[case] text: &str, #[case] told: &str) {
        let fault = ProfileDocument::parse(text, Path::new("c.toml")).unwrap_err();
        assert_eq!(fault.to_string(), told);
    }

    #[test]
    fn a_token_itself_is_refused_with_what_to_do_instead() {
        let text = "[profiles.a]\ntoken = \"uit_secret\"";
        let told = ProfileDocument::parse(text, Path::new("c.toml")).unwrap_err();
        let told = told.to_string();
        assert!(
            told.contains("line 2") && told.contains("token_file") && told.contains("token_env")
        );
        assert!(!told.contains("uit_secret"), "{told}");
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let fault = ProfileDocument::parse("[profiles.a]\nendpoint = http", Path::new("c.toml"));
        assert_eq!(fault.unwrap_err().line, 2);
    }
}
