//! The text of a token, and the hash of it, which is stored in its place.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// Begins every token, so that scanners for leaked secrets find them.
const PREFIX: &str = "uit_";

/// Random bytes of a token.
const BYTES: usize = 32;

/// A token as its owner has it: `uit_` and 64 hexadecimal digits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

/// The text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is {PREFIX} and 64 hexadecimal digits")]
pub struct InvalidToken;

impl TokenText {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// Fails if the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(secret))))
    }

    /// Returns the form that is stored: SHA-256 of the whole text. A slow password hash would add nothing, because
    /// 2^256 texts cannot be tried, and it would cost every call.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenText {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidToken)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match digits.len() == 2 * BYTES && digits.bytes().all(is_digit) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidToken),
        }
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(…)")
    }
}

/// Returns `true` for a text that contains a token of this service or of an identity provider. Somebody may have given
/// a token in place of another value.
#[must_use]
pub(crate) fn looks_like_token(text: &str) -> bool {
    let after = |prefix| text.split_once(prefix).map(|(_, rest)| rest);
    let is_ours = after(PREFIX).is_some_and(|rest| rest.len() >= BYTES);
    // A JSON object in Base64, and what follows it.
    let is_signed = after("eyJ").is_some_and(|rest| rest.contains('.'));
    is_ours || is_signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike_and_each_is_read_as_it_is_shown() {
        let [one, other] = [(); 2].map(|()| TokenText::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn what_is_not_a_token_is_not_looked_up() {
        let token = TokenText::generate().unwrap();
        let text = token.reveal();
        for wrong in [
            "",
            "uit_",
            &text[4..],
            &text[..text.len() - 1],
            &format!("{text}0"),
            &format!(" {text}"),
            &text.to_uppercase(),
            &text.replace("uit_", "uit-"),
            &format!("{}ä", &text[..text.len() - 2]),
        ] {
            assert_eq!(wrong.parse::<TokenText>(), Err(InvalidToken), "{wrong}");
        }
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = TokenText::generate().unwrap();
        assert_eq!(format!("{token:?}"), "TokenText(…)");
    }
}
