//! Writes a command's file: to a path, completely or not at all, or to standard output.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Stdout, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::private_files;

/// An output that is being written. If it is dropped before it is complete, no file is left.
pub(crate) enum OutputTarget {
    /// Standard output.
    Stdout(Stdout),
    /// A file next to its final place, so that a broken transfer never spoils the existing file. It is private,
    /// whatever the mode of the file that it replaces.
    File {
        /// The unfinished file.
        file: NamedTempFile,
        /// The name it gets when it is complete.
        path: PathBuf,
    },
    /// A pipe or a device, which is not replaced.
    Device(File),
}

impl OutputTarget {
    /// Opens `path`; `-` is standard output.
    ///
    /// # Errors
    /// Fails if no file can be created there.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout(io::stdout()));
        }
        Self::create_at(path).with_context(|| cannot_write(path))
    }

    fn create_at(path: &Path) -> io::Result<Self> {
        // A link stays one: the file that it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(kind) if kind.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(kind) if !kind.is_file() => {
                return Ok(Self::Device(OpenOptions::new().write(true).open(path)?));
            }
            _ => {}
        }
        let file = private_files::beside(&path)?;
        Ok(Self::File { file, path })
    }

    /// Returns `true` if a file is written, which is there once it is complete; `false` for standard output or a device.
    pub(crate) const fn is_replaced_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Moves the complete file to its place.
    ///
    /// # Errors
    /// Fails if the file cannot be placed. The file that was there before stays.
    pub(crate) fn complete(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush().context("standard output is closed"),
            Self::Device(mut device) => device.flush().context("it accepts no more data"),
            Self::File { file, path } => {
                let synced = file.as_file().sync_all();
                let placed = synced.and_then(|()| file.persist(&path).map_err(|error| error.error));
                placed.map(drop).with_context(|| cannot_write(&path))
            }
        }
    }
}

impl Write for OutputTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File { file, .. } => file.write(bytes),
            Self::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
            Self::Device(device) => device.flush(),
        }
    }
}

/// Prints to standard output. Unlike `print!`, it survives a reader that has gone.
///
/// # Errors
/// Fails if standard output is closed.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write_whole(Path::new("-"), text.as_bytes())
}

/// Writes `bytes` to `path`, completely or not at all; `-` is standard output.
///
/// # Errors
/// Fails if they cannot be written.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut output = OutputTarget::create(path)?;
    let written = output.write_all(bytes);
    written.with_context(|| cannot_write(path))?;
    output.complete()
}

fn cannot_write(path: &Path) -> String {
    format!("{} cannot be written", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        fs::write(&path, "old").unwrap();
        let mut output = OutputTarget::create(&path).unwrap();
        output.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        output.complete().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_is_not_completed_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        let mut output = OutputTarget::create(&path).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_device_is_written_to_and_never_replaced() {
        write_whole(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let error = write_whole(Path::new("/dev/full"), b"x").unwrap_err();
        assert!(format!("{error:#}").contains("No space left"), "{error:#}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_although_the_one_it_replaces_was_not() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_whole(Path::new("/no/such/folder/x.csv"), b"").unwrap_err();
        assert_eq!(error.to_string(), "/no/such/folder/x.csv cannot be written");
    }
}
