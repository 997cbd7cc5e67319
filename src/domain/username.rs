//! Checks that usernames do not deceive: they have no invisible characters, and no letters that look like those of
//! another script (issue code `INVALID_USERNAME`; Unicode Technical Standard 39). Sees one value.

use std::fmt;

use unicode_script::Script;
use unicode_security::{
    GeneralSecurityProfile, general_security_profile::IdentifierType,
    mixed_script::AugmentedScriptSet,
};

use super::normalise::is_format;

/// A deceptive part of a username. Displayed as the rest of a sentence that begins with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsernameDeception {
    /// A character that is invisible, or that reorders the visible text.
    Invisible(char),
    /// A letter without a script that is only a variant of another letter, such as a mathematical one.
    Variant(char),
    /// The first letter whose script does not fit the letters before it.
    Mixed(char),
}

/// Returns `true` if all characters are visible ASCII. Such a value has no deception and no white space.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Checks that nothing in `value`, which is normalised, deceives.
///
/// # Errors
/// Fails with the first deception found.
pub(super) fn check(value: &str) -> Result<(), UsernameDeception> {
    value.chars().try_for_each(check_character)?;
    check_scripts(value)
}

/// Checks that nothing in `value`, which is normalised, is invisible.
///
/// # Errors
/// Fails with the first invisible character.
pub(super) fn check_visible(value: &str) -> Result<(), UsernameDeception> {
    let checked = value.chars().map(check_character);
    let mut faults = checked.filter_map(Result::err);
    match faults.find(|fault| matches!(fault, UsernameDeception::Invisible(_))) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// Checks that `value`, an external ID or badge number, has no character that is invisible or only formats the text
/// around it.
///
/// # Errors
/// Fails with the first such character.
pub(super) fn check_shown(value: &str) -> Result<(), UsernameDeception> {
    if value.is_ascii() {
        return Ok(());
    }
    match value.chars().find(|&c| is_format(c)) {
        Some(c) => Err(UsernameDeception::Invisible(c)),
        None => check_visible(value),
    }
}

fn check_character(c: char) -> Result<(), UsernameDeception> {
    match c.identifier_type() {
        Some(
            IdentifierType::Not_Character
            | IdentifierType::Deprecated
            | IdentifierType::Default_Ignorable,
        )
        | None
            if !c.is_ascii() =>
        {
            Err(UsernameDeception::Invisible(c))
        }
        // A letter without a script, such as a mathematical one, looks like a letter of any script.
        Some(IdentifierType::Not_NFKC)
            if c.is_alphabetic() && Script::from(c) == Script::Common =>
        {
            Err(UsernameDeception::Variant(c))
        }
        _ => Ok(()),
    }
}

/// Checks the restriction level "highly restrictive": one script, or Latin together with Chinese, Japanese or
/// Korean.
fn check_scripts(value: &str) -> Result<(), UsernameDeception> {
    let mut all = AugmentedScriptSet::default();
    let mut beside_latin = AugmentedScriptSet::default();
    for c in value.chars() {
        let scripts = AugmentedScriptSet::for_char(c);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            beside_latin.intersect_with(scripts);
        }
        let east_asian = beside_latin.hanb || beside_latin.jpan || beside_latin.kore;
        if all.is_empty() && !east_asian {
            return Err(UsernameDeception::Mixed(c));
        }
    }
    Ok(())
}

impl fmt::Display for UsernameDeception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Invisible(c) => write!(
                f,
                "holds the invisible character U+{:04X}; remove it.",
                u32::from(c)
            ),
            Self::Variant(c) => write!(
                f,
                "holds \"{c}\" (U+{:04X}), a variant of an ordinary character; write the ordinary one.",
                u32::from(c)
            ),
            Self::Mixed(c) => write!(
                f,
                "mixes scripts whose letters look alike: \"{c}\" (U+{:04X}) is {}; write it in one \
                 script.",
                u32::from(c),
                Script::from(c).full_name()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("j.doe")]
    #[case::an_email("J_Doe+pd@pd.example")]
    #[case::a_domain("PD\\j-doe")]
    #[case::accents("jörg.muñoz")]
    #[case::cyrillic("иван.петров")]
    #[case::greek("γιώργος-7")]
    #[case::japanese_with_latin("tanaka田中たなか")]
    #[case::korean_with_latin("kim김")]
    #[case::chinese_with_latin("li李ㄅ")]
    #[case::a_ligature_of_the_script("o\u{FB01}cer")]
    #[case::arabic("محمد")]
    #[case::hindi_with_its_marks("हिन्दी")]
    fn names_of_one_script_are_sound(#[case] name: &str) {
        assert_eq!(check(name), Ok(()));
    }

    #[rstest]
    #[case::cyrillic_o("j\u{43E}hn", '\u{43E}')]
    #[case::latin_after_cyrillic("\u{438}\u{432}\u{430}n", 'n')]
    #[case::greek_omicron("d\u{3BF}e", '\u{3BF}')]
    #[case::cherokee("A\u{13AA}", '\u{13AA}')]
    #[case::cyrillic_beside_japanese("\u{7530}\u{430}", '\u{430}')]
    fn look_alikes_of_another_script_are_named(#[case] name: &str, #[case] letter: char) {
        assert_eq!(check(name), Err(UsernameDeception::Mixed(letter)));
    }

    #[rstest]
    #[case::zero_width_joiner("a\u{200D}b")]
    #[case::zero_width_space("a\u{200B}b")]
    #[case::soft_hyphen("a\u{AD}b")]
    #[case::left_to_right_mark("a\u{200E}b")]
    #[case::arabic_letter_mark("a\u{61C}b")]
    #[case::word_joiner("a\u{2060}b")]
    #[case::hangul_filler("a\u{3164}b")]
    #[case::variation_selector("a\u{FE0F}b")]
    #[case::tag("a\u{E0061}b")]
    #[case::private_use("a\u{E000}b")]
    #[case::unassigned("a\u{378}b")]
    fn what_nobody_sees_is_named(#[case] name: &str) {
        let hidden = name.chars().nth(1).unwrap();
        assert_eq!(check(name), Err(UsernameDeception::Invisible(hidden)));
    }

    #[rstest]
    #[case::mathematical("jo\u{1D421}n", '\u{1D421}')]
    #[case::script_like("\u{2113}ee", '\u{2113}')]
    fn variants_of_letters_are_named(#[case] name: &str, #[case] letter: char) {
        assert_eq!(check(name), Err(UsernameDeception::Variant(letter)));
    }
}
