//! Creates all files and folders of this program, so that only their owner may read them.
//!
//! They hold people's data or credentials: files get the mode 0600 and folders 0700, whatever the umask allows.
//! `clippy.toml` forbids the functions of the standard library that create them.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    path::Path,
};

use tempfile::{Builder, NamedTempFile, TempDir};

/// Creates a file with a temporary name in the folder of `path`, to be renamed to `path` once it is complete. It is
/// removed if it is dropped before.
///
/// # Errors
/// Fails if it cannot be created.
pub(crate) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    // The library creates it with the mode 0600, and follows no existing link.
    let mut builder = Builder::new();
    let named = builder.prefix(&prefix).suffix(".part");
    named.tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Creates an empty file, or opens the existing one. Others lose their access to it; its group keeps the access that
/// the owner has granted.
///
/// # Errors
/// Fails if it can neither be created nor be opened for writing.
pub(crate) fn provide(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    shut_out_others(path);
    Ok(())
}

/// Takes all access to a file from others, as an earlier release may have created it with such access. Has no effect
/// unless this process runs as the file's owner.
#[cfg(unix)]
pub(crate) fn shut_out_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o007 != 0 {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o007));
    }
}

/// Has no effect on systems without file modes.
#[cfg(not(unix))]
pub const fn shut_out_others(_: &Path) {}

/// Creates a folder, and the missing ones above it.
///
/// # Errors
/// Fails if one cannot be created.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates a folder for temporary files. It is removed when it is dropped.
///
/// # Errors
/// Fails if it cannot be created.
pub(crate) fn temporary_folder(prefix: &str) -> io::Result<TempDir> {
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
    fn new_files_and_folders_are_private() {
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
    fn an_existing_file_keeps_its_content_and_its_groups_access() {
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
