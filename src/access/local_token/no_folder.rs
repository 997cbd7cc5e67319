//! There are no local tokens on systems that do not say who owns a file.

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::Path,
};

/// Never opened.
#[derive(Debug)]
pub enum PrivateFolder {}

impl PrivateFolder {
    /// # Errors
    /// Always.
    pub fn create(_: &Path) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    /// # Errors
    /// Always: there is none.
    pub fn open(_: &Path) -> io::Result<Self> {
        Err(ErrorKind::NotFound.into())
    }

    /// # Errors
    /// Never called.
    pub fn create_file(&self, _: &str) -> io::Result<File> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn open_file(&self, _: &str) -> io::Result<File> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn remove(&self, _: &str) -> io::Result<()> {
        match *self {}
    }

    /// Never called.
    pub fn is_named(&self, _: &File, _: &str) -> bool {
        match *self {}
    }
}
