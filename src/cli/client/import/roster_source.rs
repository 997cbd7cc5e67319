//! The roster as a file or as standard input, to be read as often as it must be sent.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, stdin},
    sync::Mutex,
};

use super::resend_buffer::{ResendBuffer, ResendReader};
use crate::cli::failure::UsageError;
use crate::{
    client::{RosterFormat, SentRoster},
    input::{InputLimits, is_workbook},
};

/// Bytes of the beginning that show what a file is.
const BEGINNING: usize = 4096;

/// The first bytes of a workbook, and of an old or encrypted one.
const ARCHIVE: &[u8] = b"PK\x03\x04";
const COMPOUND_FILE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];

/// The source of a roster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RosterSource {
    /// Standard input, which can be read once.
    Stdin,
    /// A pipe or device with a name, which can be read once.
    Pipe(PathBuf),
    /// A file.
    File(PathBuf),
}

impl RosterSource {
    /// Finds the kind of source at `path`; `-` is standard input.
    ///
    /// # Errors
    /// Fails if there is no file, or a folder.
    pub(super) fn find(path: &Path) -> Result<Self, UsageError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdin);
        }
        let kind = fs::metadata(path).map_err(|error| UsageError::unreadable(path, &error))?;
        if kind.is_dir() {
            return Err(UsageError::unreadable(
                path,
                &io::ErrorKind::IsADirectory.into(),
            ));
        }
        let path = path.to_owned();
        Ok(if kind.is_file() {
            Self::File(path)
        } else {
            Self::Pipe(path)
        })
    }

    /// Opens it. Input that can be read only once is buffered, up to the default limit of servers.
    ///
    /// # Errors
    /// Fails if it cannot be opened.
    pub(super) async fn open(self) -> Result<RosterInput, UsageError> {
        Ok(match self {
            Self::Stdin => RosterInput::once(stdin()),
            Self::Pipe(path) => RosterInput::once(open(&path).await?),
            Self::File(path) => RosterInput::File(path),
        })
    }
}

/// A roster that can be read from its beginning as often as it is sent.
pub(super) enum RosterInput {
    /// A file. It is opened again for each attempt.
    File(PathBuf),
    /// Input that can be read only once.
    Once(Arc<Mutex<ResendBuffer>>),
}

impl RosterInput {
    fn once(source: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let limit = usize::try_from(InputLimits::default().max_bytes).unwrap_or(usize::MAX);
        Self::Once(Arc::new(Mutex::new(ResendBuffer::new(source, limit))))
    }

    /// Waits for the first bytes: a server does not wait as long for a slow source.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) async fn wait(&self) -> io::Result<()> {
        match self {
            Self::File(_) => Ok(()),
            Self::Once(buffer) => buffer.lock().await.wait().await,
        }
    }

    /// Returns the format of the roster by its first bytes. If it is an archive whose bytes do not show the format, the
    /// name of the file decides.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) async fn format(&self, path: &Path) -> io::Result<RosterFormat> {
        let beginning = match self {
            Self::File(path) => {
                let mut beginning = Vec::new();
                let file = File::open(path).await?;
                file.take(BEGINNING as u64)
                    .read_to_end(&mut beginning)
                    .await?;
                beginning
            }
            Self::Once(buffer) => {
                let mut buffer = buffer.lock().await;
                // This does not wait for a CSV file that comes slowly.
                if buffer.buffered().is_some_and(may_be_archive) {
                    buffer.fill(BEGINNING).await?;
                }
                buffer.buffered().unwrap_or_default().to_vec()
            }
        };
        let named = path.extension().is_some_and(|extension| {
            ["xlsx", "xlsm", "ods"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
        let is_workbook = is_workbook(&beginning) || named && beginning.starts_with(ARCHIVE);
        Ok(match is_workbook {
            true => RosterFormat::Workbook,
            false => RosterFormat::Csv,
        })
    }

    /// Reads it from its beginning. Waits for an earlier reader to be dropped.
    ///
    /// # Errors
    /// Fails if the file cannot be opened, or the input is too large for the buffer.
    pub(super) async fn read(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, UsageError> {
        match self {
            Self::File(path) => Ok(Box::new(open(path).await?)),
            Self::Once(buffer) => {
                let buffer = Arc::clone(buffer).lock_owned().await;
                match buffer.buffered() {
                    Some(_) => Ok(Box::new(ResendReader::new(buffer))),
                    None => Err(UsageError::new(
                        "The roster is too large to keep in memory, so it cannot be sent again; \
                         give it as a file.",
                    )),
                }
            }
        }
    }

    /// The bytes that were sent.
    ///
    /// # Errors
    /// Fails if the file has changed since it was sent: its rows would not be the rows that were judged.
    pub(super) async fn bytes(&self, sent: &SentRoster) -> anyhow::Result<Vec<u8>> {
        let path = match self {
            Self::File(path) => path,
            Self::Once(buffer) => {
                let buffer = buffer.lock().await;
                let buffered = buffer
                    .buffered()
                    .context("the roster is too large to keep in memory")?;
                return Ok(buffered.to_vec());
            }
        };
        let bytes = fs::read(path).with_context(|| format!("reading {} again", path.display()))?;
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        ensure!(
            sha256 == sent.sha256,
            "{} has changed since it was imported, so its rejected rows cannot be written",
            path.display()
        );
        Ok(bytes)
    }
}

/// Returns `true` if a workbook may begin with these bytes.
fn may_be_archive(beginning: &[u8]) -> bool {
    let is_one = |mark: &[u8]| {
        let length = mark.len().min(beginning.len());
        length > 0 && beginning[..length] == mark[..length]
    };
    is_one(ARCHIVE) || is_one(COMPOUND_FILE)
}

async fn open(path: &Path) -> Result<File, UsageError> {
    let file = File::open(path).await;
    file.map_err(|error| UsageError::unreadable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bytes: &[u8]) -> SentRoster {
        SentRoster {
            byte_count: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
        }
    }

    #[tokio::test]
    async fn a_file_that_changed_after_it_was_sent_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.csv");
        fs::write(&path, "one").unwrap();
        let input = RosterSource::find(&path).unwrap().open().await.unwrap();
        assert_eq!(input.bytes(&sent(b"one")).await.unwrap(), b"one");
        fs::write(&path, "two").unwrap();
        let error = input.bytes(&sent(b"one")).await.unwrap_err();
        assert!(error.to_string().contains("has changed"), "{error}");
    }

    #[tokio::test]
    async fn a_workbook_is_known_by_its_bytes_and_an_unclear_archive_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, format) in [
            (
                "roster.csv",
                &b"PK\x03\x04\0[Content_Types].xml"[..],
                RosterFormat::Workbook,
            ),
            ("roster.xlsx", b"EMAIL,ROLE\n", RosterFormat::Csv),
            (
                "roster.XLSX",
                b"PK\x03\x04\0first.txt",
                RosterFormat::Workbook,
            ),
            ("roster.zip", b"PK\x03\x04\0first.txt", RosterFormat::Csv),
            (
                "roster.xls",
                b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
                RosterFormat::Workbook,
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let input = RosterSource::find(&path).unwrap().open().await.unwrap();
            assert_eq!(input.format(&path).await.unwrap(), format, "{name}");
            let once = RosterInput::once(bytes);
            once.wait().await.unwrap();
            let path = Path::new(name);
            assert_eq!(once.format(path).await.unwrap(), format, "{name} once");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let missing = RosterSource::find(Path::new("/no/such/roster.csv")).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("/no/such/roster.csv cannot be read")
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(RosterSource::find(folder.path()).is_err());
        assert_eq!(
            RosterSource::find(Path::new("-")).unwrap(),
            RosterSource::Stdin
        );
    }
}
