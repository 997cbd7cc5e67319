//! Files and folders that nobody but their owner may read: the only place that makes any.
//!
//! What this program writes holds people's data or credentials: files have the mode 0600 and folders 0700,
//! whatever the umask allows. `clippy.toml` forbids the standard library's own ways to make them.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    path::Path,
};

use tempfile::{Builder, NamedTempFile, TempDir};

/// A file with a name of its own in the folder of `path`, to be renamed to `path` once it is complete;
/// removed if it is dropped before.
///
/// # Errors
/// Where it cannot be made.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    // The library makes it with the mode 0600, and follows no link that is there already.
    let mut builder = Builder::new();
    let named = builder.prefix(&prefix).suffix(".part");
    named.tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Makes an empty file, or opens the one that is there: others lose their access to it, and what its owner
/// has granted to its group stays.
///
/// # Errors
/// Where it can neither be made nor be opened for writing.
pub fn provide(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    shut_out_others(path);
    Ok(())
}

/// Takes from others what they may do with a file, as with one that an earlier release made. Somebody who
/// does not own it cannot, and leaves its mode to its owner.
#[cfg(unix)]
pub fn shut_out_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o007 != 0 {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o007));
    }
}

/// Nothing where files have no modes.
#[cfg(not(unix))]
pub const fn shut_out_others(_: &Path) {}

/// Makes a folder, and those above it that are missing.
///
/// # Errors
/// Where one cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a folder for temporary files, which is removed when it is dropped.
///
/// # Errors
/// Where it cannot be made.
pub fn temporary_folder(prefix: &str) -> io::Result<TempDir> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix(prefix).tempdir()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private() {
        let folder = temporary_folder("user-import-").unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        let (one, other) = (folder.path().join("one"), folder.path().join("a/b"));
        provide(&one).unwrap();
        assert_eq!(mode(&one), 0o600);
        create_folder(&other).unwrap();
        assert_eq!(
            (mode(&other), mode(&folder.path().join("a"))),
            (0o700, 0o700)
        );
        assert_eq!(mode(beside(&one).unwrap().path()), 0o600);
    }

    #[test]
    fn a_file_that_is_there_keeps_its_content_and_its_group_and_loses_the_others() {
        let folder = temporary_folder("user-import-").unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "content").unwrap();
        for (before, after) in [(0o644, 0o640), (0o666, 0o660), (0o600, 0o600)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(before)).unwrap();
            provide(&file).unwrap();
            assert_eq!(mode(&file), after);
        }
        assert_eq!(fs::read(&file).unwrap(), b"content");
    }
}
