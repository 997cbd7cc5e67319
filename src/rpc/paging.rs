//! Pages of a list. A page begins after the key of the last item of the page before.

use prost::Message;
use time::OffsetDateTime;
use tonic::Status;
use uuid::Uuid;

use super::status;
use crate::store::ConnectionLane;

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 1_000;

/// Most bytes of a page as a message. By default clients accept messages of 4 MiB.
pub(super) const MAX_BYTES: usize = 3 * 1024 * 1024;

/// Bytes that an item takes in a message beside itself: its tag and its length.
const ITEM_BYTES: usize = 6;

/// Most items of a page that is quick to read.
const SMALL_SIZE: usize = 200;

/// A page that a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageRequest {
    /// Key after which it begins.
    pub after: String,
    /// Most items it has.
    pub size: usize,
}

impl PageRequest {
    /// Parses the page that a client asks for.
    ///
    /// # Errors
    /// Fails if the size is negative, or the token is not one of ours.
    pub(super) fn parse(size: i32, token: &str) -> Result<Self, Status> {
        let size = match usize::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => {
                let message = "page_size must not be negative.";
                return Err(status::invalid("BAD_PAGE", "page_size", message));
            }
        };
        let after = decode(token).ok_or_else(Self::foreign)?;
        Ok(Self { after, size })
    }

    /// Returns the lane whose connections read the page.
    pub(super) const fn lane(&self) -> ConnectionLane {
        match self.size <= SMALL_SIZE {
            true => ConnectionLane::Interactive,
            false => ConnectionLane::Heavy,
        }
    }

    /// Cuts `items` to the size of the page, by number and by bytes; one more than the page has may have
    /// been read. Returns the token of the next page, empty on the last page. `token` returns the token for
    /// an item by its index.
    pub(super) fn cut<T: Message>(
        &self,
        items: &mut Vec<T>,
        token: impl Fn(usize, &T) -> String,
    ) -> String {
        let mut bytes = 0;
        let fits = |item: &&T| {
            bytes += item.encoded_len() + ITEM_BYTES;
            bytes <= MAX_BYTES
        };
        // One item is always far smaller than a page.
        let fitting = items.iter().take_while(fits).count().max(1);
        let size = fitting.min(self.size);
        if items.len() <= size {
            return String::new();
        }
        items.truncate(size);
        let last = items.last().map(|last| token(size - 1, last));
        last.unwrap_or_default()
    }

    /// Returns the token of the page that begins after this key.
    pub(super) fn after(key: &str) -> String {
        encode(key)
    }

    /// Returns the token of the page that begins after this time and ID.
    pub(super) fn after_moment((time, id): (OffsetDateTime, Uuid)) -> String {
        encode(&format!("{} {id}", time.unix_timestamp_nanos()))
    }

    /// Returns the time and ID after which the page begins, or `None` on the first page.
    ///
    /// # Errors
    /// Fails if the token is not one of ours.
    pub(super) fn position(&self) -> Result<Option<(OffsetDateTime, Uuid)>, Status> {
        if self.after.is_empty() {
            return Ok(None);
        }
        let position = || {
            let (time, id) = self.after.split_once(' ')?;
            let time = OffsetDateTime::from_unix_timestamp_nanos(time.parse().ok()?).ok()?;
            Some((time, Uuid::try_parse(id).ok()?))
        };
        position().map(Some).ok_or_else(Self::foreign)
    }

    /// Returns the number after which the page begins, or `None` on the first page.
    ///
    /// # Errors
    /// Fails if the token is not one of ours.
    pub(super) fn number(&self) -> Result<Option<i64>, Status> {
        if self.after.is_empty() {
            return Ok(None);
        }
        self.after.parse().map(Some).map_err(|_| Self::foreign())
    }

    /// The status of a token that is not one of ours.
    fn foreign() -> Status {
        let message = "page_token must be the next_page_token of an earlier page.";
        status::invalid("BAD_PAGE", "page_token", message)
    }
}

/// Returns an opaque token that is safe in any text: `p` and the key's bytes in hexadecimal.
fn encode(key: &str) -> String {
    format!("p{}", hex::encode(key))
}

/// Returns the key in a token of ours. No key is empty or has a control character, which PostgreSQL might
/// refuse to compare.
fn decode(token: &str) -> Option<String> {
    if token.is_empty() {
        return Some(String::new());
    }
    let key = hex::decode(token.strip_prefix('p')?).ok()?;
    let key = String::from_utf8(key).ok()?;
    let is_ours = encode(&key) == token && !key.is_empty() && !key.contains(char::is_control);
    is_ours.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Organization;

    fn organizations(slugs: &[&str]) -> Vec<Organization> {
        let organization = |slug: &&str| Organization {
            organization: (*slug).to_owned(),
            ..Organization::default()
        };
        slugs.iter().map(organization).collect()
    }

    fn cut(size: usize, items: &mut Vec<Organization>) -> String {
        let after = String::new();
        PageRequest { after, size }.cut(items, |_, item| PageRequest::after(&item.organization))
    }

    #[test]
    fn a_token_leads_to_where_the_page_before_ended() {
        let mut items = organizations(&["a", "é|ü", "c"]);
        let token = cut(2, &mut items);
        assert_eq!(items, organizations(&["a", "é|ü"]));
        assert_eq!(
            PageRequest::parse(2, &token).map(|page| page.after).ok(),
            Some("é|ü".to_owned())
        );
    }

    #[test]
    fn the_last_page_has_no_token() {
        assert_eq!(cut(2, &mut organizations(&["a", "b"])), "");
        assert_eq!(cut(2, &mut Vec::new()), "");
    }

    #[test]
    fn a_page_ends_where_it_would_be_too_large() {
        let third = "x".repeat(MAX_BYTES / 3);
        let mut items = organizations(&["a", &third, &third, "b", &third, "c"]);
        assert_eq!(cut(6, &mut items), PageRequest::after("b"));
        assert_eq!(items.len(), 4);
        // An item that is too large by itself does not block the following ones.
        let mut items = organizations(&[&"x".repeat(MAX_BYTES), "b"]);
        assert_ne!(cut(2, &mut items), "");
        assert_eq!(items.len(), 1);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["x", "p", "p1", "pzz", "pff", "p00", "p+1"] {
            assert!(PageRequest::parse(0, token).is_err(), "{token}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        for (asked, size) in [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)] {
            assert_eq!(
                PageRequest::parse(asked, "").map(|page| page.size).ok(),
                Some(size)
            );
        }
        assert!(PageRequest::parse(-1, "").is_err());
    }
}
