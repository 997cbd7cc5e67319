//! What values mean in common use: words for the status in five languages, and abbreviations of roles and ranks.

use super::names::compared;

/// Words for an account in use.
const ACTIVE: &str = "A ACTIVE ACT ACTIF ACTIVEE ACTIFS AKTIV ACTIVO ACTIVA ATIVO ATIVA ENABLED CURRENT EMPLOYED ONDUTY \
    INSERVICE PRESENT";

/// Words for an account out of use.
const INACTIVE: &str = "I INACTIVE INACT INACTIF INACTIVEE INAKTIV INACTIVO INACTIVA INATIVO INATIVA DISABLED TERMINATED TERM \
    FORMER RETIRED RESIGNED SEPARATED LEFT DECEASED DISMISSED ARCHIVED DELETED DEPARTED AUSGESCHIEDEN PARTI BAJA DESLIGADO \
    DESVINCULADO";

const YES: &str = "1 Y YES TRUE OUI JA SI SIM VRAI WAHR VERDADERO VERDADEIRO";

const NO: &str = "0 N NO FALSE NON NEIN NAO FAUX FALSCH FALSO";

/// Abbreviations, each with the name that it is short for.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("PO", "Police Officer"),
    ("PO", "Officer"),
    ("OFC", "Officer"),
    ("OFCR", "Officer"),
    ("OFF", "Officer"),
    ("SGT", "Sergeant"),
    ("LT", "Lieutenant"),
    ("LIEUT", "Lieutenant"),
    ("CPT", "Captain"),
    ("CAPT", "Captain"),
    ("CPL", "Corporal"),
    ("DET", "Detective"),
    ("DEP", "Deputy"),
    ("MAJ", "Major"),
    ("COL", "Colonel"),
    ("INSP", "Inspector"),
    ("SUPT", "Superintendent"),
    ("PC", "Constable"),
    ("CST", "Constable"),
    ("CONST", "Constable"),
    ("SUP", "Supervisor"),
    ("SUPV", "Supervisor"),
    ("DISP", "Dispatcher"),
    ("TECH", "Technician"),
    ("INV", "Investigator"),
    ("ANL", "Analyst"),
    ("CLK", "Clerk"),
];

/// Bytes of the longest value that may be a word that is known here.
const LONGEST: usize = 64;

/// The bit of `userAccountControl` that says that an account is disabled.
const ACCOUNT_DISABLED: u32 = 2;

/// What a value says about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusWord {
    /// It names the status: `true` if the account is in use.
    State(bool),
    /// Yes or no, to what the column asks.
    Answer(bool),
}

/// Returns what a value says about an account, if it is a word for that. `T` and `F` are true and false if the column has
/// no other values: beside others, `T` may mean terminated.
pub(super) fn status_word(value: &str, is_true_or_false: bool) -> Option<StatusWord> {
    if value.len() > LONGEST {
        return None;
    }
    let word = compared(value);
    let lists = |words: &str| words.split_ascii_whitespace().any(|known| known == word);
    match &*word {
        "T" => is_true_or_false.then_some(StatusWord::Answer(true)),
        "F" => is_true_or_false.then_some(StatusWord::Answer(false)),
        _ if lists(ACTIVE) => Some(StatusWord::State(true)),
        _ if lists(INACTIVE) => Some(StatusWord::State(false)),
        _ if lists(YES) => Some(StatusWord::Answer(true)),
        _ if lists(NO) => Some(StatusWord::Answer(false)),
        _ => None,
    }
}

/// Reads the flags of an account in Active Directory. Returns `true` if it is enabled.
pub(super) fn is_enabled(flags: &str) -> Option<bool> {
    let flags: u32 = flags.parse().ok()?;
    Some(flags & ACCOUNT_DISABLED == 0)
}

/// Returns the names that a value may be short for, the likeliest first.
pub(super) fn long_forms(value: &str) -> impl Iterator<Item = &'static str> {
    let short = match value.len() {
        ..=LONGEST => compared(value),
        _ => String::new(),
    };
    let known = ABBREVIATIONS.iter();
    known.filter_map(move |(known, long)| (*known == short).then_some(*long))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_status_are_known_in_five_languages() {
        use StatusWord::{Answer, State};
        for (words, meaning) in [
            ("A actif Aktiv Présent on-duty Ativo", State(true)),
            ("I Terminated inaktiv Parti Baja Disabled", State(false)),
            ("Yes 1 Sí Oui ja Sim TRUE", Answer(true)),
            ("no 0 Não nein FALSE", Answer(false)),
        ] {
            for word in words.split(' ') {
                assert_eq!(status_word(word, false), Some(meaning), "{word}");
            }
        }
        for word in ["", "L", "T", "F", "On leave", "Suspended", "2"] {
            assert_eq!(status_word(word, false), None, "{word}");
        }
        assert_eq!(status_word("t", true), Some(Answer(true)));
    }

    #[test]
    fn a_disabled_account_shows_by_its_second_bit() {
        for (flags, enabled) in [
            ("512", Some(true)),
            ("66048", Some(true)),
            ("514", Some(false)),
            ("66050", Some(false)),
            ("x", None),
        ] {
            assert_eq!(is_enabled(flags), enabled, "{flags}");
        }
    }
}
