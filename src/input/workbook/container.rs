//! Finds out what kind of file the bytes are, and opens the ZIP archive of a workbook.
//!
//! The archive's directory is bounded before it is read. The only part that is read here is the one that names the
//! workbook.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use memchr::memmem;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::WorkbookFault;
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::relations::PartRelations;
use crate::input::mistaken_file::{MistakenFile, identify_sent_as_workbook};

/// Most entries of an archive. Workbooks have some dozens.
const MOST_ENTRIES: usize = 10_000;

/// Most ends of a directory. An archive has one, and so has each archive that it holds without compressing it.
const MOST_ENDS: usize = 64;

/// Bytes of the beginning in which [`is_workbook`] looks.
const BEGINNING: usize = 4 * 1024;

/// The names with which the archive of an Office document begins. Names in an archive are not compressed.
const NAMES: [&str; 6] = [
    "[Content_Types].xml",
    "_rels/.rels",
    "docProps/",
    "xl/",
    "application/vnd.oasis.opendocument",
    "META-INF/manifest.xml",
];

const ODS_TYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
const COMPOUND_FILE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// A part of an archive while it is read.
pub(super) type ArchivePart<'z, 'b> = ZipFile<'z, Cursor<&'b [u8]>>;

/// A workbook's archive.
pub(super) struct WorkbookArchive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// The place of each part, by its name in small letters.
    places: HashMap<String, usize>,
}

/// The kinds of workbooks that can be read.
pub(super) enum WorkbookKind<'b> {
    /// Office Open XML, with the name of the part that lists the sheets.
    Xlsx(WorkbookArchive<'b>, String),
    /// `OpenDocument`.
    Ods(WorkbookArchive<'b>),
}

/// Returns `true` if a file with this beginning is to be sent as a workbook. It is a workbook, or an Office document of
/// another format, for which the server says what to do.
#[must_use]
pub fn is_workbook(beginning: &[u8]) -> bool {
    let beginning = &beginning[..beginning.len().min(BEGINNING)];
    let holds = |part: &str| memmem::find(beginning, part.as_bytes()).is_some();
    if beginning.starts_with(b"PK\x03\x04") {
        return NAMES.iter().any(|name| holds(name));
    }
    beginning.starts_with(COMPOUND_FILE)
}

impl<'b> WorkbookKind<'b> {
    /// Opens the workbook in `bytes`.
    ///
    /// # Errors
    /// Fails if it is not a workbook, or cannot be read.
    pub(super) fn open(
        bytes: &'b [u8],
        meter: &WorkbookMeter<'_>,
    ) -> Result<Self, WorkbookReadError> {
        if bytes.starts_with(COMPOUND_FILE) {
            return Err(compound_fault(bytes).into());
        }
        if !bytes.starts_with(b"PK\x03\x04") {
            let found = identify_sent_as_workbook(bytes);
            return Err(WorkbookFault::Other { found }.into());
        }
        let mut archive = WorkbookArchive::open(bytes)?;
        if let Some(kind) = archive.media_type()? {
            return match kind.starts_with(ODS_TYPE) {
                true if archive.has("encrypted-package") => Err(WorkbookFault::Protected.into()),
                true => Ok(Self::Ods(archive)),
                false => Err(WorkbookFault::Other {
                    found: MistakenFile::OtherDocument,
                }
                .into()),
            };
        }
        let workbook = archive.workbook_part(meter)?;
        match &workbook {
            Some(name) if name.to_ascii_lowercase().ends_with(".bin") => {
                let kind = "a binary Excel workbook (.xlsb)";
                Err(WorkbookFault::Format { kind }.into())
            }
            Some(name) if archive.has(name) => Ok(Self::Xlsx(archive, name.clone())),
            _ if archive.has("word/document.xml") || archive.has("ppt/presentation.xml") => {
                Err(WorkbookFault::Other {
                    found: MistakenFile::OtherDocument,
                }
                .into())
            }
            None if !archive.has("[content_types].xml") => Err(WorkbookFault::Other {
                found: MistakenFile::Zip,
            }
            .into()),
            _ => Err(WorkbookFault::Broken {
                part: "the list of its sheets",
            }
            .into()),
        }
    }
}

impl<'b> WorkbookArchive<'b> {
    fn open(bytes: &'b [u8]) -> Result<Self, WorkbookReadError> {
        let broken = || WorkbookFault::Broken {
            part: "its ZIP archive",
        };
        let count =
            |mark: &[u8], most: usize| memmem::find_iter(bytes, mark).take(most + 1).count();
        if count(b"PK\x01\x02", MOST_ENTRIES) > MOST_ENTRIES
            || count(b"PK\x05\x06", MOST_ENDS) > MOST_ENDS
        {
            return Err(broken().into());
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
        if zip.has_duplicate_names() {
            return Err(broken().into());
        }
        let names = zip.file_names_raw().enumerate();
        let places = names.map(|(place, name)| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            (name.replace('\\', "/"), place)
        });
        let places: HashMap<String, usize> = places.collect();
        // If a spreadsheet program takes two names for the same name, different programs would read different parts.
        match places.len() == zip.len() {
            true => Ok(Self { zip, places }),
            false => Err(broken().into()),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.places.contains_key(&name.to_ascii_lowercase())
    }

    /// Opens the part with this name, in any case. Returns `None` if there is none.
    ///
    /// # Errors
    /// Fails if the part is encrypted or cannot be decompressed.
    pub(super) fn part(
        &mut self,
        name: &str,
    ) -> Result<Option<ArchivePart<'_, 'b>>, WorkbookReadError> {
        let Some(&place) = self.places.get(&name.to_ascii_lowercase()) else {
            return Ok(None);
        };
        match self.zip.by_index(place) {
            Ok(part) => Ok(Some(part)),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                Err(WorkbookFault::Protected.into())
            }
            Err(_) => Err(WorkbookFault::Broken {
                part: "its ZIP archive",
            }
            .into()),
        }
    }

    /// The content of the part that says what an `OpenDocument` file is, or `None` if there is no such part.
    fn media_type(&mut self) -> Result<Option<Vec<u8>>, WorkbookReadError> {
        let mut kind = Vec::new();
        let Some(part) = self.part("mimetype")? else {
            return Ok(None);
        };
        let read = part.take(256).read_to_end(&mut kind);
        Ok(read.is_ok().then_some(kind))
    }

    /// The name of the part that lists the sheets of an Excel workbook, or `None` if none is stated.
    fn workbook_part(
        &mut self,
        meter: &WorkbookMeter<'_>,
    ) -> Result<Option<String>, WorkbookReadError> {
        let stated = PartRelations::read(self, "", "_rels/.rels", meter)?;
        let stated = stated.of_kind("officeDocument").map(str::to_owned);
        let usual = ["xl/workbook.xml", "xl/workbook.bin"];
        let usual = usual.into_iter().find(|name| self.has(name));
        Ok(stated.or_else(|| usual.map(str::to_owned)))
    }
}

/// Returns the fault of a compound file, which is an encrypted package or an old document.
fn compound_fault(bytes: &[u8]) -> WorkbookFault {
    let names = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(bytes, &name).is_some()
    };
    if names("EncryptedPackage") {
        return WorkbookFault::Protected;
    }
    let kind = match names("Workbook") || names("Book") {
        true => "an old Excel workbook (.xls)",
        false => "an old Office document",
    };
    WorkbookFault::Format { kind }
}
