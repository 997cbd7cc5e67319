//! The roster as a file or as standard input.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use tokio::io::AsyncRead;

use super::super::failure::UsageError;
use crate::client::Sent;

/// Where a roster comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Roster {
    /// Standard input, which can be read once.
    Stdin,
    /// A pipe or device with a name, which can be read once.
    Pipe(PathBuf),
    /// A file.
    File(PathBuf),
}

impl Roster {
    /// Looks at what `path` is; `-` is standard input.
    ///
    /// # Errors
    /// Where there is nothing, or a folder.
    pub fn find(path: &Path) -> Result<Self, UsageError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdin);
        }
        let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if kind.is_dir() {
            return Err(unreadable(path, &io::ErrorKind::IsADirectory.into()));
        }
        let path = path.to_owned();
        Ok(if kind.is_file() {
            Self::File(path)
        } else {
            Self::Pipe(path)
        })
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, UsageError> {
        match self {
            Self::Stdin => Ok(Box::new(tokio::io::stdin())),
            Self::Pipe(path) | Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.map_err(|error| unreadable(path, &error))?;
                Ok(Box::new(file))
            }
        }
    }

    /// True where its bytes need not be kept to have them once more.
    #[must_use]
    pub const fn can_be_read_again(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The bytes that were sent.
    ///
    /// # Errors
    /// Where the file is no longer what was sent: its rows would not be the rows that were judged.
    pub fn read_again(&self, sent: &Sent) -> anyhow::Result<Vec<u8>> {
        if let Some(kept) = &sent.kept {
            return Ok(kept.clone());
        }
        let (Self::File(path) | Self::Pipe(path)) = self else {
            anyhow::bail!("standard input cannot be read twice");
        };
        let bytes = fs::read(path).with_context(|| format!("reading {} again", path.display()))?;
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        ensure!(
            sha256 == sent.sha256,
            "{} has changed since it was imported, so its rejected rows cannot be told",
            path.display()
        );
        Ok(bytes)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> UsageError {
    UsageError::new(format!("{} cannot be read: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bytes: &[u8]) -> Sent {
        Sent {
            byte_count: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
            kept: None,
        }
    }

    #[test]
    fn a_file_that_changed_after_it_was_sent_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.csv");
        fs::write(&path, "one").unwrap();
        let roster = Roster::find(&path).unwrap();
        assert_eq!(roster.read_again(&sent(b"one")).unwrap(), b"one");
        fs::write(&path, "two").unwrap();
        let error = roster.read_again(&sent(b"one")).unwrap_err();
        assert!(error.to_string().contains("has changed"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let missing = Roster::find(Path::new("/no/such/roster.csv")).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("/no/such/roster.csv cannot be read")
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(Roster::find(folder.path()).is_err());
        assert_eq!(Roster::find(Path::new("-")).unwrap(), Roster::Stdin);
    }
}
