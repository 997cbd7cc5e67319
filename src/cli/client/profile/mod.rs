//! Profiles: which server, which organisation and which token daily commands are for, kept in a file so
//! that they need not be said each time. An option or a variable still comes first.

mod document;
mod place;
mod settings;

pub use document::Profiles;
pub use settings::{Profile, TokenPlace};

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::cli::failure::UsageError;
use crate::domain::{SuggestionBudget, nearest};

/// The file of profiles, read.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub profiles: Profiles,
}

impl File {
    /// Reads the file that `given` names, or else the one in its usual place; `None` where there is none.
    ///
    /// # Errors
    /// Where the file that is named is not there, or a file is not as it should be; the line is named.
    pub fn read(given: Option<&Path>) -> Result<Option<Self>, UsageError> {
        let Some(path) = given.map(Path::to_owned).or_else(place::usual) else {
            return Ok(None);
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if given.is_none() && is_absent(&error) => return Ok(None),
            Err(error) => return Err(UsageError::unreadable(&path, &error)),
        };
        let profiles = Profiles::parse(&text, &path)
            .map_err(|fault| UsageError::new(format!("{}, {fault}", path.display())))?;
        Ok(Some(Self { path, profiles }))
    }

    /// The profile of this name, or else the default one; `None` where neither is.
    ///
    /// # Errors
    /// Where there is no profile of this name.
    pub fn choose(self, name: Option<&str>) -> Result<Option<Profile>, UsageError> {
        let Self { path, mut profiles } = self;
        let Some(name) = name.or(profiles.default.as_deref()).map(str::to_owned) else {
            return Ok(None);
        };
        match profiles.by_name.remove(&name) {
            Some(profile) => Ok(Some(profile)),
            None => Err(UsageError::new(format!(
                "{} has no profile \"{name}\"{}",
                path.display(),
                known(&name, profiles.by_name.keys().map(String::as_str))
            ))),
        }
    }
}

/// The end of a sentence about a name that is not known: the nearest one, or all that are.
fn known<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, names.clone(), &mut SuggestionBudget::of_call()) {
        return format!("; did you mean \"{near}\"?");
    }
    match names.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "; it has none.".to_owned(),
        all => format!("; it has: {all}."),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The profile to use: the one that is asked for, or the default of the file.
///
/// # Errors
/// As [`File::read`] and [`File::choose`], and where a profile is asked for and there is no file.
pub fn choose(given: Option<&Path>, name: Option<&str>) -> Result<Option<Profile>, UsageError> {
    match (File::read(given)?, name) {
        (Some(file), name) => file.choose(name),
        (None, None) => Ok(None),
        (None, Some(name)) => Err(UsageError::new(format!(
            "There is no file of profiles to look for \"{name}\" in{}. Make one with\n  \
             [profiles.{name}]\n  endpoint = \"https://HOST:PORT\"\n  organization = \"SLUG\"\n  \
             token_file = \"FILE\"",
            place::usual()
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

    fn chosen(text: &str, name: Option<&str>) -> Result<Option<Profile>, String> {
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
    fn an_unknown_profile_is_told_with_the_nearest_or_with_all() {
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
