//! IDs as people type them: whole, or a beginning that no other one has.

use std::str::FromStr;

use uuid::Uuid;

use super::{failure::UsageError, output::printable};

/// Digits of a whole UUID.
const DIGITS: usize = 32;

/// Candidates that a message names.
const NAMED: usize = 5;

/// A UUID, or its first digits. Hyphens and case do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdPrefix {
    /// As typed.
    text: String,
    /// The hexadecimal digits, in lower case.
    digits: String,
}

impl FromStr for IdPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.replace('-', "").to_ascii_lowercase();
        let is_one = !digits.is_empty()
            && digits.len() <= DIGITS
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        match is_one {
            true => Ok(Self {
                text: text.to_owned(),
                digits,
            }),
            false => Err(
                "an ID has the digits 0-9 and a-f, and hyphens; give all of them, or the first"
                    .to_owned(),
            ),
        }
    }
}

impl IdPrefix {
    /// The ID, if all of it is given.
    pub(super) fn whole(&self) -> Option<Uuid> {
        let is_whole = self.digits.len() == DIGITS;
        is_whole.then(|| Uuid::try_parse(&self.digits).ok())?
    }

    /// How many digits are given.
    pub(super) const fn digits(&self) -> usize {
        self.digits.len()
    }

    /// Returns `true` if `id` begins with it.
    pub(super) fn is_beginning_of(&self, id: &str) -> bool {
        let mut digits = id.bytes().filter(|&digit| digit != b'-');
        self.digits.bytes().all(|wanted| {
            digits
                .next()
                .is_some_and(|digit| digit.eq_ignore_ascii_case(&wanted))
        })
    }

    /// The lowest and the highest UUID that begin with it.
    pub(super) fn range(&self) -> (Uuid, Uuid) {
        let filled = |digit: char| {
            let digits = self.digits.chars().chain(std::iter::repeat(digit));
            let digits: String = digits.take(DIGITS).collect();
            Uuid::try_parse(&digits).unwrap_or_default()
        };
        (filled('0'), filled('f'))
    }

    /// Returns the only one of the candidates that begin with it. `kind` is the word for a candidate, `list` is the
    /// command that lists the candidates, and `describe` returns the name by which people know one.
    ///
    /// # Errors
    /// Fails if there is none, or more than one; then it names them.
    pub(super) fn only<T>(
        &self,
        candidates: Vec<T>,
        (kind, list): (&str, &str),
        describe: impl Fn(&T) -> String,
    ) -> Result<T, UsageError> {
        let text = printable(&self.text);
        if candidates.is_empty() {
            return Err(UsageError::new(format!(
                "There is no {kind} whose ID begins with {text}. To see which there are: {list}"
            )));
        }
        let count = candidates.len();
        if count > 1 {
            let named = candidates.iter().take(NAMED).map(&describe);
            let named: Vec<String> = named.map(|line| printable(&line).to_string()).collect();
            let named = named.join("\n  ");
            let more = match count.saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("\n  and {more} more"),
            };
            return Err(UsageError::new(format!(
                "{count} {kind}s have IDs that begin with {text}; give more of the ID:\n  {named}{more}"
            )));
        }
        candidates.into_iter().next().ok_or_else(|| {
            UsageError::new(format!("There is no {kind} whose ID begins with {text}."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";

    fn prefix(text: &str) -> IdPrefix {
        text.parse().unwrap()
    }

    #[test]
    fn hyphens_and_case_do_not_matter() {
        for text in ["0", "018f", "018F4E9E-5c", "018f4e9e5c7b7", ID] {
            assert!(prefix(text).is_beginning_of(ID), "{text}");
            let (lowest, highest) = prefix(text).range();
            let id: Uuid = ID.parse().unwrap();
            assert!(lowest <= id && id <= highest, "{text}");
        }
        for text in ["1", "018e", "018f4e9e-5d", "f"] {
            assert!(!prefix(text).is_beginning_of(ID), "{text}");
            let (lowest, highest) = prefix(text).range();
            let id: Uuid = ID.parse().unwrap();
            assert!(id < lowest || highest < id, "{text}");
        }
        assert_eq!(prefix(ID).whole(), ID.parse().ok());
        assert_eq!(prefix("018f").whole(), None);
    }

    #[test]
    fn what_is_no_beginning_of_an_id_is_refused() {
        for text in ["", "-", "roster.csv", "018g", &format!("{ID}0")] {
            assert!(text.parse::<IdPrefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_unique_beginning_names_one() {
        let only = |candidates: &[&'static str]| {
            let describe = |id: &&str| format!("{id} of a roster\u{1b}");
            let kind = ("import", "user-import imports");
            let only = prefix("01").only(candidates.to_vec(), kind, describe);
            only.map_err(|error| error.to_string())
        };
        assert_eq!(only(&["01a"]), Ok("01a"));
        insta::assert_snapshot!(only(&[]).unwrap_err(), @"There is no import whose ID begins with 01. To see which there are: user-import imports");
        insta::assert_snapshot!(only(&["01a", "01b", "01c", "01d", "01e", "01f"]).unwrap_err(), @r"
        6 imports have IDs that begin with 01; give more of the ID:
          01a of a roster\u{1b}
          01b of a roster\u{1b}
          01c of a roster\u{1b}
          01d of a roster\u{1b}
          01e of a roster\u{1b}
          and 1 more
        ");
    }
}
