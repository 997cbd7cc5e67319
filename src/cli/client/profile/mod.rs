//! Profiles: the server, the organisation and the token of daily commands, in a file so
//! that they need not be given each time. An option or a variable comes first.

mod document;
mod file_location;
mod settings;
mod source;

pub(super) use document::ProfileDocument;
pub(super) use settings::{ConnectionProfile, TokenLocation};

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::cli::failure::UsageError;
use source::known_names;

/// The file of profiles, read.
#[derive(Debug)]
pub(super) struct ProfileFile {
    /// Its path.
    pub path: PathBuf,
    /// Its content.
    pub profiles: ProfileDocument,
}

impl ProfileFile {
    /// Reads the file at `given`, or at the default path. Returns `None` if there is no file at the default path.
    ///
    /// # Errors
    /// Fails if the named file does not exist, or a file is malformed; the error names the line.
    pub(super) fn read(given: Option<&Path>) -> Result<Option<Self>, UsageError> {
        let Some(path) = given
            .map(Path::to_owned)
            .or_else(file_location::default_path)
        else {
            return Ok(None);
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if given.is_none() && is_absent(&error) => return Ok(None),
            Err(error) => return Err(UsageError::unreadable(&path, &error)),
        };
        let profiles = ProfileDocument::parse(&text, &path)
            .map_err(|fault| UsageError::new(format!("{}, {fault}", path.display())))?;
        Ok(Some(Self { path, profiles }))
    }

    /// Returns the profile of this name, or the default one, or `None` if there is no default.
    ///
    /// # Errors
    /// Fails if there is no profile of this name.
    pub(super) fn choose(
        self,
        name: Option<&str>,
    ) -> Result<Option<ConnectionProfile>, UsageError> {
        let Self { path, mut profiles } = self;
        let Some(name) = name.or(profiles.default.as_deref()).map(str::to_owned) else {
            return Ok(None);
        };
        match profiles.by_name.remove(&name) {
            Some(profile) => Ok(Some(ConnectionProfile {
                name: Some(name),
                ..profile
            })),
            None => Err(UsageError::new(format!(
                "{} has no profile \"{name}\"{}",
                path.display(),
                known_names(&name, profiles.by_name.keys().map(String::as_str))
            ))),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns the profile to use: the named one, or the default of the file.
///
/// # Errors
/// Fails like [`ProfileFile::read`] and [`ProfileFile::choose`], or if a profile is named and there is no file.
pub(super) fn choose(
    given: Option<&Path>,
    name: Option<&str>,
) -> Result<Option<ConnectionProfile>, UsageError> {
    match (ProfileFile::read(given)?, name) {
        (Some(file), name) => file.choose(name),
        (None, None) => Ok(None),
        (None, Some(name)) => Err(UsageError::new(format!(
            "There is no file of profiles, so there is no profile \"{name}\"{}. Make a file with\n  \
             [profiles.{name}]\n  endpoint = \"https://HOST:PORT\"\n  organization = \"SLUG\"\n  \
             token_file = \"FILE\"",
            file_location::default_path()
                .map(|path| format!(": {}", path.display()))
                .unwrap_or_default()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "default_profile = \"main\"\n\
        [profiles.main]\norganization = \"pd\"\n[profiles.county]\norganization = \"sheriff\"\n";

    fn chosen(text: &str, name: Option<&str>) -> Result<Option<ConnectionProfile>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        choose(Some(&path), name)
            .map_err(|error| error.to_string().replace(&*path.to_string_lossy(), "FILE"))
    }

    fn organization(text: &str, name: Option<&str>) -> Option<String> {
        chosen(text, name).unwrap()?.organization
    }

    #[test]
    fn a_profile_is_the_one_asked_for_or_else_the_default() {
        assert_eq!(organization(TWO, None).as_deref(), Some("pd"));
        assert_eq!(
            organization(TWO, Some("county")).as_deref(),
            Some("sheriff")
        );
        let without_default = TWO.split_once('\n').unwrap().1;
        assert!(chosen(without_default, None).unwrap().is_none());
    }

    #[test]
    fn the_error_for_an_unknown_profile_names_the_nearest_or_all() {
        for (name, told) in [
            (
                "conty",
                "FILE has no profile \"conty\"; did you mean \"county\"?",
            ),
            (
                "nightly",
                "FILE has no profile \"nightly\"; it has: county, main.",
            ),
        ] {
            assert_eq!(chosen(TWO, Some(name)).unwrap_err(), told);
        }
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let error = choose(Some(Path::new("/no/such.toml")), None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/no/such.toml cannot be read")
        );
    }
}
