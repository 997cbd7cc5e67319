//! Checks that the names of a catalog do not deceive: a name has no invisible characters, and no role name looks
//! like another one (Unicode Technical Standard 39). Names that are stored already are not checked again.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use icu_normalizer::ComposingNormalizerBorrowed as Normalizer;
use unicode_security::skeleton;

use super::{UsernameDeception, fold, username};

/// A name that a catalog will have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CatalogName<'a> {
    /// The name, normalised.
    pub name: &'a str,
    /// Exactly this name is stored already.
    pub stands: bool,
}

/// Why a catalog refuses a name. Displayed as the rest of a sentence that begins with the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// The name does not look like the characters that it contains.
    Deceptive(UsernameDeception),
    /// The name looks like this other name of the catalog.
    LooksLike(String),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deceptive(deception) => deception.fmt(f),
            Self::LooksLike(other) => {
                write!(
                    f,
                    "looks like \"{other}\"; give it a name that differs more."
                )
            }
        }
    }
}

/// Returns the faults of a catalog's role names, each with the position of its role.
#[must_use]
pub(crate) fn role_faults(roles: &[CatalogName<'_>]) -> Vec<(usize, NameFault)> {
    let looks: Vec<BTreeSet<String>> = roles.iter().map(|role| written_forms(role.name)).collect();
    let mut by_look: HashMap<&str, Vec<usize>> = HashMap::new();
    for (role, looks) in looks.iter().enumerate() {
        for look in looks {
            by_look.entry(look).or_default().push(role);
        }
    }
    let twin = |role: usize| {
        let alike = looks[role].iter().flat_map(|look| &by_look[&**look]);
        let twin = alike.copied().find(|&other| other != role)?;
        Some(NameFault::LooksLike(roles[twin].name.to_owned()))
    };
    let fault = |role: usize| match deception(roles[role].name) {
        Some(deception) => Some(NameFault::Deceptive(deception)),
        None => twin(role),
    };
    let new = (0..roles.len()).filter(|&role| !roles[role].stands);
    new.filter_map(|role| Some((role, fault(role)?))).collect()
}

/// Returns the faults of names that give no permissions: names of ranks and groups, and external IDs of groups.
#[must_use]
pub(crate) fn visible_faults(names: &[CatalogName<'_>]) -> Vec<(usize, NameFault)> {
    let new = names.iter().enumerate().filter(|(_, name)| !name.stands);
    let fault = |name: &str| username::check_visible(name).err();
    new.filter_map(|(at, name)| Some((at, NameFault::Deceptive(fault(name.name)?))))
        .collect()
}

/// Returns the deception in a role's name alone. The rules are those for usernames; compatibility forms, such as
/// full-width letters, are deceptive too.
fn deception(name: &str) -> Option<UsernameDeception> {
    if let Err(deception) = username::check(name) {
        return Some(deception);
    }
    let compatible = compatible(name);
    let differing = name.chars().zip(compatible.chars()).find(|(c, n)| c != n);
    (compatible != name).then(|| {
        let last = || name.chars().last().unwrap_or_default();
        UsernameDeception::Variant(differing.map_or_else(last, |(c, _)| c))
    })
}

/// Returns how a name looks: as written, in small letters, and in capitals.
fn written_forms(name: &str) -> BTreeSet<String> {
    let name = compatible(name);
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    [fold(&name).into_owned(), name.to_uppercase(), name]
        .iter()
        .map(|written| skeleton(written).collect())
        .collect()
}

fn compatible(name: &str) -> String {
    Normalizer::new_nfkc().normalize(name).into_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::zero_width_space("Admin\u{200B}istrator")]
    #[case::zero_width_joiner("Admin\u{200D}istrator")]
    #[case::soft_hyphen("Admin\u{AD}istrator")]
    #[case::override_of_direction("Admin\u{202E}istrator")]
    #[case::tag("Administrator\u{E0061}")]
    #[case::cyrillic_a("\u{410}dministrator")]
    #[case::greek_omicron("Administrat\u{3BF}r")]
    #[case::full_width("\u{FF21}dministrator")]
    #[case::all_full_width("\u{FF21}\u{FF24}\u{FF2D}\u{FF29}\u{FF2E}")]
    #[case::mathematical("\u{1D400}dministrator")]
    #[case::a_ligature("O\u{FB03}cer")]
    fn names_that_deceive_are_refused(#[case] name: &str) {
        let alone = CatalogName {
            name,
            stands: false,
        };
        let faults = role_faults(&[alone]);
        assert!(
            matches!(&faults[..], [(0, NameFault::Deceptive(_))]),
            "{faults:?}"
        );
        let stored = CatalogName { name, stands: true };
        assert_eq!(role_faults(&[stored]), []);
    }

    #[rstest]
    #[case::digit_for_letter("Administrator", "Adm1nistrator")]
    #[case::small_l_for_capital_i("IT", "lT")]
    #[case::capitals("Admin", "ADMlN")]
    #[case::r_and_n("Commander", "Cornmander")]
    #[case::zero("Officer", "0fficer")]
    #[case::two_spaces("Police Officer", "Police  Officer")]
    #[case::dashes("Co-Chief", "Co\u{2010}Chief")]
    #[case::another_script("CEO", "\u{421}\u{415}\u{41E}")]
    fn names_that_look_like_another_are_refused(#[case] stored: &str, #[case] new: &str) {
        let all = [
            CatalogName {
                name: stored,
                stands: true,
            },
            CatalogName {
                name: new,
                stands: false,
            },
        ];
        let looks_like = NameFault::LooksLike(stored.to_owned());
        assert_eq!(role_faults(&all), [(1, looks_like)]);
        // Both names are stored already, or both are new.
        assert_eq!(
            role_faults(&all.map(|name| CatalogName {
                stands: true,
                ..name
            })),
            []
        );
        assert_eq!(
            role_faults(&all.map(|name| CatalogName {
                stands: false,
                ..name
            }))
            .len(),
            2
        );
    }

    #[test]
    fn ordinary_names_are_taken() {
        let names = [
            "Administrator",
            "Evidence Technician",
            "Officer",
            "Officer II",
            "Records Clerk",
            "O'Brien's Unit",
            "Capit\u{E1}n",
            "\u{8B66}\u{5B98}",
            "\u{421}\u{43E}\u{442}\u{440}\u{443}\u{434}\u{43D}\u{438}\u{43A}",
            "R&D (East)",
        ];
        let names = names.map(|name| CatalogName {
            name,
            stands: false,
        });
        assert_eq!(role_faults(&names), []);
    }

    #[test]
    fn ranks_and_groups_need_only_be_visible() {
        let names = ["Serge\u{200D}ant", "Officer", "0fficer", "\u{FF21}"];
        let names = names.map(|name| CatalogName {
            name,
            stands: false,
        });
        let faults = visible_faults(&names);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, 0);
    }
}
