//! Encoded messages as the database stores them: compressed, since results repeat themselves.

use super::StoreError;

/// An encoded message, compressed (an LZ4 block after its length). That takes a fifth of the size, also in the
/// database's log. Without it an import's record would take more room than its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedMessage(Vec<u8>);

/// The fastest level that compares texts with earlier ones.
const DENSE_LEVEL: i32 = 1;

impl CompressedMessage {
    /// Compresses an encoded message.
    #[must_use]
    pub fn new(message: &[u8]) -> Self {
        Self(lz4_flex::block::compress_prepend_size(message))
    }

    /// Compresses an encoded message more densely, and a little more slowly (Zstandard): for messages that are written
    /// once and rarely read.
    #[must_use]
    pub fn dense(message: &[u8]) -> Self {
        // This fails only if there is no memory. The message is then empty, which counts as damaged when it is read.
        Self(zstd::bulk::compress(message, DENSE_LEVEL).unwrap_or_default())
    }

    /// Decompresses a `stored` message that was compressed [densely](Self::dense).
    pub(super) fn read_dense(stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        zstd::stream::decode_all(stored).map_err(StoreError::encoding)
    }

    /// Takes a stored message.
    pub(super) const fn from_stored(stored: Vec<u8>) -> Self {
        Self(stored)
    }

    /// Decompresses the message.
    ///
    /// # Errors
    /// Fails only if the message was damaged.
    pub fn message(&self) -> Result<Vec<u8>, StoreError> {
        Self::read(&self.0)
    }

    /// Bytes of the compressed message.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The bytes that are stored.
    pub(super) fn stored(&self) -> &[u8] {
        &self.0
    }

    /// Decompresses a `stored` message.
    pub(super) fn read(stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        lz4_flex::block::decompress_size_prepended(stored).map_err(StoreError::encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_unchanged_after_a_round_trip() {
        for message in [Vec::new(), b"EMAIL".repeat(1_000)] {
            let compressed = CompressedMessage::new(&message);
            assert_eq!(
                CompressedMessage::read(compressed.stored()).expect("whole"),
                message
            );
            assert_eq!(compressed.message().expect("whole"), message);
        }
    }

    #[test]
    fn a_dense_message_is_unchanged_after_a_round_trip() {
        for message in [Vec::new(), b"+1 503 555 0100".repeat(1_000)] {
            let compressed = CompressedMessage::dense(&message);
            assert_eq!(
                CompressedMessage::read_dense(compressed.stored()).expect("whole"),
                message
            );
        }
        assert!(
            CompressedMessage::read_dense(&[]).is_err()
                && CompressedMessage::read_dense(b"other").is_err()
        );
    }

    #[test]
    fn repeated_results_take_little_room() {
        assert!(
            CompressedMessage::new(&b"BADGE_NUMBER".repeat(1_000))
                .stored()
                .len()
                < 500
        );
    }

    #[test]
    fn a_message_cut_short_is_an_error() {
        let compressed = CompressedMessage::new(&b"EMAIL".repeat(1_000));
        let cut = &compressed.stored()[..compressed.stored().len() - 1];
        assert!(CompressedMessage::read(cut).is_err());
    }
}
