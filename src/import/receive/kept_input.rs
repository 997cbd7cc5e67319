//! Keeps the input of an import that may be held, while it is received. The kept input is compressed, and charged to
//! the same budget.

use prost::Message as _;
use uuid::Uuid;

use super::{PlanRequest, options::needed_to_approve};
use crate::{domain::Permission, proto::ImportStart, store::CompressedMessage};

/// The kinds of input, as stored.
pub(crate) const CSV: i32 = 1;
pub(crate) const ROWS: i32 = 2;
pub(crate) const WORKBOOK: i32 = 3;

/// Bytes of a part before it is compressed. A part may exceed this by one message.
const PART_BYTES: usize = 1024 * 1024;

/// The input that has been received so far.
#[derive(Debug)]
pub(crate) struct KeptInput {
    /// An encoded `ImportStart`.
    start: Vec<u8>,
    /// The permissions that an approval needs with these options.
    approval: Vec<Permission>,
    /// The kind of the input: one of those of an upload.
    kind: i32,
    pending: Vec<u8>,
    parts: Vec<CompressedMessage>,
    compressed: usize,
}

/// The complete input.
#[derive(Debug)]
pub(crate) struct CompleteInput {
    pub(crate) start: Vec<u8>,
    pub(crate) approval: Vec<Permission>,
    pub(crate) kind: i32,
    pub(crate) parts: Vec<CompressedMessage>,
}

impl KeptInput {
    /// Begins with the options of the import with this ID. Their mapping is resolved already.
    pub(crate) fn new(start: &ImportStart, import: Uuid) -> Self {
        let start = ImportStart {
            import_id: import.to_string(),
            ..start.clone()
        };
        Self {
            start: start.encode_to_vec(),
            approval: needed_to_approve(&start).collect(),
            kind: 0,
            pending: Vec::new(),
            parts: Vec::new(),
            compressed: 0,
        }
    }

    /// Adds the content of a message.
    pub(crate) fn add(&mut self, message: &PlanRequest) {
        match message {
            PlanRequest::CsvChunk(chunk) => self.add_bytes(CSV, chunk),
            PlanRequest::WorkbookChunk(chunk) => self.add_bytes(WORKBOOK, chunk),
            // Encoded messages with lists, written one after another, decode as one message with all items.
            PlanRequest::Rows(rows) => self.add_bytes(ROWS, &rows.encode_to_vec()),
            PlanRequest::Start(_) | PlanRequest::Finish(_) => {}
        }
    }

    fn add_bytes(&mut self, kind: i32, bytes: &[u8]) {
        self.kind = kind;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PART_BYTES {
            self.compress();
        }
    }

    fn compress(&mut self) {
        let part = CompressedMessage::new(&self.pending);
        self.pending.clear();
        self.compressed += part.bytes();
        self.parts.push(part);
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.start.len() + self.pending.capacity() + self.compressed
    }

    /// Returns all of it, in parts.
    pub(crate) fn finish(mut self) -> CompleteInput {
        if !self.pending.is_empty() {
            self.compress();
        }
        CompleteInput {
            start: self.start,
            approval: self.approval,
            kind: self.kind,
            parts: self.parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{UserRow, UserRows};

    fn row(number: usize) -> UserRow {
        UserRow {
            email: Some(format!("{number}@pd.example")),
            ..UserRow::default()
        }
    }

    #[test]
    fn rows_of_several_messages_are_one_list_again() {
        let mut kept = KeptInput::new(&ImportStart::default(), Uuid::nil());
        for rows in [0..2, 2..5] {
            let rows = rows.map(row).collect();
            kept.add(&PlanRequest::Rows(UserRows { rows }));
        }
        let whole = kept.finish();
        assert_eq!((whole.kind, whole.parts.len()), (ROWS, 1));
        let stored = whole.parts[0].message().unwrap();
        let rows = UserRows::decode(&*stored).unwrap().rows;
        assert_eq!(rows, (0..5).map(row).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_takes_less_memory_than_it_has_bytes() {
        let mut kept = KeptInput::new(&ImportStart::default(), Uuid::nil());
        let chunk = b"EMAIL,BADGE_NUMBER\r\n".repeat(50_000);
        for _ in 0..8 {
            kept.add(&PlanRequest::CsvChunk(chunk.clone().into()));
        }
        assert!(kept.bytes() < 4 * chunk.len(), "{}", kept.bytes());
        let whole = kept.finish();
        assert!(whole.parts.len() > 1);
        let parts = whole.parts.iter().map(|part| part.message().unwrap());
        assert_eq!(parts.collect::<Vec<_>>().concat(), chunk.repeat(8));
    }
}
