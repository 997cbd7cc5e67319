//! A directory that only this process's user can enter, and its files.
//!
//! Every operation uses the open directory and follows no symbolic link, so that no other user can replace
//! something between a check and its use.

use std::{
    fs::{File, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, open, openat, renameat, unlinkat},
    process::geteuid,
};

use crate::private_files;

/// The directory, open.
#[derive(Debug)]
pub(super) struct PrivateFolder(File);

impl PrivateFolder {
    /// Opens a directory of this user, and makes it if it is missing; shuts out other users.
    ///
    /// # Errors
    /// Fails if something else is there, or a directory of another user.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        private_files::create_folder(path)?;
        let folder = open_directory(path)?;
        expect_own(&folder)?;
        folder.set_permissions(Permissions::from_mode(0o700))?;
        Ok(Self(folder))
    }

    /// Opens a directory that is there.
    ///
    /// # Errors
    /// Fails if it is missing, of another user, or open to others.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = open_directory(path)?;
        expect_private(&folder)?;
        Ok(Self(folder))
    }

    /// Makes a file, readable and writable for this user alone.
    ///
    /// # Errors
    /// Fails if anything of this name is there.
    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
        self.open_at(name, flags, Mode::RUSR | Mode::WUSR)
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    /// Fails if it is missing, no regular file, of another user, or open to others.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        // Opening a pipe must not wait for its writer.
        let file = self.open_at(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        expect_private(&file)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(denied("it is not a file")),
        }
    }

    fn open_at(&self, name: &str, flags: OFlags, mode: Mode) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, mode)?.into())
    }

    /// Gives a file another name, in place of what has that name.
    ///
    /// # Errors
    /// Fails if the system refuses.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// Fails if the system refuses.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Returns `true` if `file` is the one that has this name now.
    pub(super) fn is_named(&self, file: &File, name: &str) -> bool {
        let identity = |file: &File| file.metadata().map(|data| (data.dev(), data.ino()));
        let named = self.open_file(name).and_then(|named| identity(&named));
        matches!((named, identity(file)), (Ok(named), Ok(own)) if named == own)
    }
}

fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?.into())
}

fn expect_own(file: &File) -> io::Result<()> {
    match file.metadata()?.uid() == geteuid().as_raw() {
        true => Ok(()),
        false => Err(denied("it belongs to another user")),
    }
}

fn expect_private(file: &File) -> io::Result<()> {
    expect_own(file)?;
    match file.metadata()?.mode() & 0o077 {
        0 => Ok(()),
        _ => Err(denied("other users have access to it")),
    }
}

fn denied(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, why)
}
