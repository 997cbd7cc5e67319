//! What values mean in common use: words for the status in five languages, and abbreviations of roles and ranks.

use super::names::compared;

/// Words for an account in use.
const ACTIVE: &str = "A ACTIVE ACT ACTIF ACTIVEE ACTIFS AKTIV ACTIVO ACTIVA ATIVO ATIVA 1 Y YES TRUE OUI JA SI SIM VRAI \
    WAHR VERDADERO VERDADEIRO ENABLED CURRENT EMPLOYED ONDUTY INSERVICE PRESENT";

/// Words for an account out of use.
const INACTIVE: &str = "I INACTIVE INACT INACTIF INACTIVEE INAKTIV INACTIVO INACTIVA INATIVO INATIVA 0 N NO FALSE NON NEIN \
    NAO FAUX FALSCH FALSO DISABLED TERMINATED TERM FORMER RETIRED RESIGNED SEPARATED LEFT DECEASED DISMISSED ARCHIVED \
    DELETED DEPARTED AUSGESCHIEDEN PARTI BAJA DESLIGADO DESVINCULADO";

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

/// The bit of `userAccountControl` that says that an account is disabled.
const ACCOUNT_DISABLED: u32 = 2;

/// Returns `true` if the value means that an account is in use, and `false` if it means that it is not.
///
/// `T` and `F` are true and false only beside each other: `T` alone may mean terminated.
pub(super) fn is_active(value: &str, has_true_and_false: bool) -> Option<bool> {
    let word = compared(value);
    let lists = |words: &str| words.split_ascii_whitespace().any(|known| known == word);
    match &*word {
        "T" => has_true_and_false.then_some(true),
        "F" => has_true_and_false.then_some(false),
        _ if lists(ACTIVE) => Some(true),
        _ if lists(INACTIVE) => Some(false),
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
    let short = compared(value);
    let known = ABBREVIATIONS.iter();
    known.filter_map(move |(known, long)| (*known == short).then_some(*long))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_status_are_known_in_five_languages() {
        for word in [
            "A", "Yes", "1", "actif", "Aktiv", "Présent", "Sí", "on duty", "Ativo",
        ] {
            assert_eq!(is_active(word, false), Some(true), "{word}");
        }
        for word in [
            "I",
            "no",
            "0",
            "Terminated",
            "inaktiv",
            "Parti",
            "Não",
            "Baja",
        ] {
            assert_eq!(is_active(word, false), Some(false), "{word}");
        }
        for word in ["", "L", "T", "F", "On leave", "Suspended", "2"] {
            assert_eq!(is_active(word, false), None, "{word}");
        }
        assert_eq!(is_active("t", true), Some(true));
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
