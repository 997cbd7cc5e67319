//! Stand-ins for what `domain` provides: once merged, this file becomes an import.

use std::borrow::Cow;

/// `text` as it compares without case.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    let folded = text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if folded {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// `text` without the zeros it begins with.
pub(super) fn strip_leading_zeros(text: &str) -> &str {
    text.trim_start_matches('0')
}

/// The candidate nearest to `needle`, where one is near.
pub(super) fn nearest<'a>(
    needle: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|c| (strsim::damerau_levenshtein(&fold(needle), &fold(c)), c))
        .filter(|&(distance, _)| distance <= 2)
        .min()
        .map(|(_, c)| c)
}

/// Finds the nearest of many texts.
pub(super) struct NearestIndex<'a>(Vec<(u32, &'a str)>);

impl<'a> NearestIndex<'a> {
    pub(super) fn new(texts: impl IntoIterator<Item = (u32, &'a str), IntoIter: 'a>) -> Self {
        Self(texts.into_iter().take(1_000).collect())
    }

    pub(super) fn nearest(&mut self, needle: &str) -> Option<u32> {
        let near = nearest(needle, self.0.iter().map(|&(_, text)| text))?;
        self.0
            .iter()
            .find(|(_, text)| *text == near)
            .map(|&(id, _)| id)
    }
}
