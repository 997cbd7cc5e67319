//! The local token: what a server on loopback admits as long as no credential is configured.
//!
//! The server makes it at the start and keeps it in a file that only the server's user can read, and the
//! command line reads it from there. The server holds a lock on the file, so that the file of a server that
//! was killed does not count.

#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "no_folder.rs"]
mod folder;

use std::{
    env,
    fs::{File, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use uuid::Uuid;

use super::TokenText;
use folder::PrivateFolder;

/// More bytes than this are no token.
const MAX_BYTES: u64 = 256;

/// A running server's local token, in its file. Dropped, it removes the file.
#[derive(Debug)]
pub struct LocalTokenFile {
    folder: PrivateFolder,
    path: PathBuf,
    name: String,
    /// Locked for as long as the server runs.
    file: File,
    token: TokenText,
}

/// There is a file for the local token, but it is not trusted.
#[derive(Debug, thiserror::Error)]
#[error("{} is not used: {reason}", .path.display())]
pub struct UntrustedFile {
    path: PathBuf,
    reason: io::Error,
}

impl LocalTokenFile {
    /// Makes a token for the server on this port, in `$XDG_RUNTIME_DIR/user-import`, or else in
    /// `~/.local/state/user-import`. Replaces the file of a server that has gone.
    ///
    /// # Errors
    /// Fails if neither directory can be used by this user alone, or the system has no randomness.
    pub fn create(port: u16) -> anyhow::Result<Self> {
        let mut error = anyhow!("neither XDG_RUNTIME_DIR nor HOME names a directory");
        for place in places() {
            match Self::create_in(&place, port) {
                Ok(created) => return Ok(created),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }

    /// Does the same in this directory.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_in(place: &Path, port: u16) -> anyhow::Result<Self> {
        let token = TokenText::generate().context("this system gives no random numbers")?;
        let name = name(port);
        let path = place.join(&name);
        let create = || -> io::Result<_> {
            let folder = PrivateFolder::create(place)?;
            let file = create_file(&folder, &name, &token)?;
            Ok((folder, file))
        };
        let (folder, file) = create().with_context(|| path.display().to_string())?;
        Ok(Self {
            folder,
            path,
            name,
            file,
            token,
        })
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> &TokenText {
        &self.token
    }

    /// The path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalTokenFile {
    fn drop(&mut self) {
        // Another server may have taken the port since, and put its own file here.
        if self.folder.is_named(&self.file, &self.name) {
            // If it cannot be removed it stays, unlocked, and counts for nothing.
            let _ = self.folder.remove(&self.name);
        }
    }
}

/// Removes the file that a killed server has left for this port.
pub fn remove_stale(port: u16) {
    for place in places() {
        let Ok(folder) = PrivateFolder::open(&place) else {
            continue;
        };
        let file = folder.open_file(&name(port));
        if file.is_ok_and(|file| !is_held(&file)) {
            // If it cannot be removed it stays, unlocked, and counts for nothing.
            let _ = folder.remove(&name(port));
        }
    }
}

/// Finds the local token of this user's server on this port; `None` if there is no such server.
///
/// # Errors
/// Fails if there is only a file that another user may have written or read.
pub fn find(port: u16) -> Result<Option<TokenText>, UntrustedFile> {
    let mut untrusted = None;
    for place in places() {
        match find_in(&place, port) {
            Ok(Some(token)) => return Ok(Some(token)),
            Ok(None) => {}
            Err(error) => untrusted = untrusted.or(Some(error)),
        }
    }
    untrusted.map_or(Ok(None), Err)
}

/// Does the same in this directory.
///
/// # Errors
/// As [`find`].
pub fn find_in(place: &Path, port: u16) -> Result<Option<TokenText>, UntrustedFile> {
    let name = name(port);
    let read = || read(&PrivateFolder::open(place)?.open_file(&name)?);
    match read() {
        Ok(token) => Ok(token),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(reason) => {
            let path = place.join(&name);
            Err(UntrustedFile { path, reason })
        }
    }
}

fn name(port: u16) -> String {
    format!("{port}.token")
}

/// Directories for local tokens, the first that can be used before the others.
fn places() -> impl Iterator<Item = PathBuf> {
    let directory = |variable| {
        let value = env::var_os(variable).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let runtime = directory("XDG_RUNTIME_DIR");
    let state = directory("HOME").map(|home| home.join(".local/state"));
    let places = runtime.into_iter().chain(state);
    places.map(|place| place.join("user-import"))
}

/// Writes and locks the file under another name first, so that a reader sees the whole file or none.
fn create_file(folder: &PrivateFolder, name: &str, token: &TokenText) -> io::Result<File> {
    let unfinished = format!("{}.new", Uuid::new_v4());
    let mut file = folder.create_file(&unfinished)?;
    let written = file
        .try_lock()
        .map_err(io::Error::from)
        .and_then(|()| writeln!(file, "{}", token.reveal()))
        .and_then(|()| folder.rename(&unfinished, name));
    if let Err(error) = written {
        let _ = folder.remove(&unfinished);
        return Err(error);
    }
    Ok(file)
}

/// The token in a file, if its server runs.
fn read(file: &File) -> io::Result<Option<TokenText>> {
    if !is_held(file) {
        return Ok(None);
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    let token = text.trim_end().parse();
    let token = token.map_err(|error| io::Error::new(ErrorKind::InvalidData, error));
    token.map(Some)
}

/// Returns `true` unless the file's server has certainly ended.
fn is_held(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
