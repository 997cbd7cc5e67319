//! The default path of the file of profiles, and the paths in it.

use std::{
    env,
    path::{Path, PathBuf},
};

/// `$XDG_CONFIG_HOME/user-import/config.toml`, or `~/.config/user-import/config.toml`, or `None` if
/// there is no home folder.
pub(super) fn default_path() -> Option<PathBuf> {
    in_folders(folder("XDG_CONFIG_HOME"), home())
}

/// The home folder of the user who runs the program.
pub(super) fn home() -> Option<PathBuf> {
    folder("HOME")
}

fn folder(variable: &str) -> Option<PathBuf> {
    let value = env::var_os(variable)?;
    Some(PathBuf::from(value)).filter(|path| path.is_absolute())
}

fn in_folders(config: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let folder = config.or_else(|| home.map(|home| home.join(".config")))?;
    Some(folder.join("user-import").join("config.toml"))
}

/// Resolves a path in a profile: relative to `home` if it begins with `~/`, otherwise to the folder of the file
/// that has it.
pub(super) fn resolve(named: &str, file: &Path, home: Option<PathBuf>) -> PathBuf {
    match (named.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_in_the_folder_for_settings_or_else_at_home() {
        let (xdg, home) = (PathBuf::from("/x"), PathBuf::from("/home/pat"));
        let place = |xdg, home| in_folders(xdg, home).map(|path| path.display().to_string());
        assert_eq!(
            place(Some(xdg), Some(home.clone())).as_deref(),
            Some("/x/user-import/config.toml")
        );
        assert_eq!(
            place(None, Some(home)).as_deref(),
            Some("/home/pat/.config/user-import/config.toml")
        );
        assert_eq!(place(None, None), None);
    }

    #[test]
    fn a_path_in_a_profile_is_from_its_file_or_from_home() {
        let file = Path::new("/etc/ui/config.toml");
        let home = || Some(PathBuf::from("/home/pat"));
        for (named, path) in [
            ("job.token", "/etc/ui/job.token"),
            ("/run/job.token", "/run/job.token"),
            ("~/job.token", "/home/pat/job.token"),
        ] {
            assert_eq!(resolve(named, file, home()), Path::new(path));
        }
    }
}
