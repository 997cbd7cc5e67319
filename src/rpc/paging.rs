//! Pages of a list, by the key of the last item of the page before.

use time::OffsetDateTime;
use tonic::Status;
use uuid::Uuid;

use super::status;
use crate::{import::Refusal, store::Lane};

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 1_000;

/// Items of a page that is looked up in no time.
const SMALL_SIZE: usize = 200;

/// A page that a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Key after which it begins.
    pub after: String,
    /// Most items it has.
    pub size: usize,
}

impl Page {
    /// Reads what a client asks for.
    ///
    /// # Errors
    /// Where the size is negative, or the token is not one of ours.
    pub fn parse(size: i32, token: &str) -> Result<Self, Status> {
        let size = match usize::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => return Err(invalid("page_size", "page_size must not be negative.")),
        };
        let after = decode(token).ok_or_else(|| {
            invalid(
                "page_token",
                "page_token must be the next_page_token of an earlier page.",
            )
        })?;
        Ok(Self { after, size })
    }

    /// Which connections it is read through.
    pub const fn lane(&self) -> Lane {
        match self.size <= SMALL_SIZE {
            true => Lane::Interactive,
            false => Lane::Heavy,
        }
    }

    /// Token of the page that goes on after `key`.
    pub fn token_after(key: &str) -> String {
        encode(key)
    }

    /// Cuts `items`, of which one more than a page was read, to the page; returns the next page's
    /// token, empty on the last page.
    pub fn cut<T>(&self, items: &mut Vec<T>, key: impl Fn(&T) -> &str) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        items
            .last()
            .map_or_else(String::new, |last| encode(key(last)))
    }

    /// As [`cut`](Self::cut), for a list by time and ID.
    pub fn cut_at<T>(
        &self,
        items: &mut Vec<T>,
        key: impl Fn(&T) -> (OffsetDateTime, Uuid),
    ) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        let token = items.last().map(|last| {
            let (time, id) = key(last);
            encode(&format!("{} {id}", time.unix_timestamp_nanos()))
        });
        token.unwrap_or_default()
    }

    /// Where a list by time and ID goes on; `None` on the first page.
    ///
    /// # Errors
    /// Where the token is not one of ours.
    pub fn position(&self) -> Result<Option<(OffsetDateTime, Uuid)>, Status> {
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

    /// As [`cut`](Self::cut), for a list by number.
    pub fn cut_numbered<T>(&self, items: &mut Vec<T>, number: impl Fn(&T) -> i64) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        let token = items.last().map(|last| encode(&number(last).to_string()));
        token.unwrap_or_default()
    }

    /// Where a list by number goes on; `None` on the first page.
    ///
    /// # Errors
    /// Where the token is not one of ours.
    pub fn number(&self) -> Result<Option<i64>, Status> {
        if self.after.is_empty() {
            return Ok(None);
        }
        self.after.parse().map(Some).map_err(|_| Self::foreign())
    }

    /// The status of a token that is not one of ours.
    fn foreign() -> Status {
        let message = "page_token must be the next_page_token of an earlier page.";
        invalid("page_token", message)
    }
}

fn invalid(field: &str, message: &str) -> Status {
    status::refused(&[Refusal::invalid("BAD_PAGE", field, message)])
}

/// Opaque, and safe in any text: `p` and the key's bytes in hexadecimal.
fn encode(key: &str) -> String {
    use std::fmt::Write;
    key.bytes().fold("p".to_owned(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// No key is empty or has a control character, which PostgreSQL might not even look for.
fn decode(token: &str) -> Option<String> {
    if token.is_empty() {
        return Some(String::new());
    }
    let digits = token.strip_prefix('p')?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let key = String::from_utf8(pairs.collect::<Option<_>>()?).ok()?;
    let is_ours = encode(&key) == token && !key.is_empty() && !key.contains(char::is_control);
    is_ours.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_where_the_page_before_ended() {
        let page = Page {
            after: String::new(),
            size: 2,
        };
        let mut items = vec!["a", "é|ü", "c"];
        let token = page.cut(&mut items, |item| item);
        assert_eq!(items, ["a", "é|ü"]);
        assert_eq!(
            Page::parse(2, &token).map(|page| page.after).ok(),
            Some("é|ü".to_owned())
        );
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = Page {
            after: String::new(),
            size: 2,
        };
        assert_eq!(page.cut(&mut vec!["a", "b"], |item| item), "");
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["x", "p", "p1", "pzz", "pff", "p00", "p+1"] {
            assert!(Page::parse(0, token).is_err(), "{token}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        for (asked, size) in [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)] {
            assert_eq!(
                Page::parse(asked, "").map(|page| page.size).ok(),
                Some(size)
            );
        }
        assert!(Page::parse(-1, "").is_err());
    }
}
