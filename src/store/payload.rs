//! Encoded messages as the record keeps them: compressed, as results repeat themselves.

use super::StoreError;

/// An encoded message, compressed (an LZ4 block after its length). A fifth of the size, so that a
/// fifth goes through the database's log; an import's record would else outgrow its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Compresses an encoded message.
    #[must_use]
    pub fn new(message: &[u8]) -> Self {
        Self(lz4_flex::block::compress_prepend_size(message))
    }

    /// The encoded message that was compressed.
    ///
    /// # Errors
    /// None, unless it has been damaged in memory.
    pub fn message(&self) -> Result<Vec<u8>, StoreError> {
        Self::read(&self.0)
    }

    /// Bytes that it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.0.len()
    }

    /// As it is stored.
    pub(super) fn stored(&self) -> &[u8] {
        &self.0
    }

    /// The encoded message that is `stored`.
    pub(super) fn read(stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        lz4_flex::block::decompress_size_prepended(stored).map_err(StoreError::encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_went_in() {
        for message in [Vec::new(), b"EMAIL".repeat(1_000)] {
            let payload = Payload::new(&message);
            assert_eq!(Payload::read(payload.stored()).expect("whole"), message);
            assert_eq!(payload.message().expect("whole"), message);
        }
    }

    #[test]
    fn results_that_repeat_themselves_take_little_room() {
        assert!(Payload::new(&b"BADGE_NUMBER".repeat(1_000)).stored().len() < 500);
    }

    #[test]
    fn a_payload_cut_short_is_an_error() {
        let payload = Payload::new(&b"EMAIL".repeat(1_000));
        let cut = &payload.stored()[..payload.stored().len() - 1];
        assert!(Payload::read(cut).is_err());
    }
}
