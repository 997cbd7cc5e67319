//! What an import brings about besides its counts, in sentences.

use std::collections::BTreeMap;

use super::text::{grouped, printable};
use crate::proto::{Consequence, ConsequenceExample, ConsequenceKind};

/// Users that one sentence names.
const NAMED: usize = 5;

/// The sentences of a consequence, without their full stops.
pub(super) fn consequence_lines(found: &Consequence) -> Vec<String> {
    match found.kind() {
        ConsequenceKind::ReportsLoseSupervisor => one_line(
            found,
            [
                "person loses their supervisor",
                "people lose their supervisor",
            ],
        ),
        ConsequenceKind::PrivilegedRoleGained => by_role(
            found,
            ["becomes", "become"],
            [
                "person gets a privileged role",
                "people get a privileged role",
            ],
        ),
        ConsequenceKind::PrivilegedRoleLost => by_role(
            found,
            ["is no longer", "are no longer"],
            [
                "person loses a privileged role",
                "people lose a privileged role",
            ],
        ),
        ConsequenceKind::RoleLeftEmpty => empty_roles(found),
        ConsequenceKind::SignInChanged => one_line(
            found,
            [
                "person signs in with another email or username",
                "people sign in with another email or username",
            ],
        ),
        ConsequenceKind::Reactivated => one_line(
            found,
            ["person becomes Active again", "people become Active again"],
        ),
        ConsequenceKind::IdentityReplaced => one_line(
            found,
            [
                "account becomes another person's",
                "accounts become another person's",
            ],
        ),
        // A newer server has more kinds; its client names them.
        ConsequenceKind::Unspecified => Vec::new(),
    }
}

/// One sentence with the number of users, and the first of them.
fn one_line(found: &Consequence, [one, many]: [&str; 2]) -> Vec<String> {
    let does = if found.count == 1 { one } else { many };
    let counted = format!("{} {does}", grouped(found.count));
    let names: Vec<_> = found.examples.iter().map(named).collect();
    vec![with_names(counted, &names, found.count)]
}

/// A sentence for each role if all users are known, else one with their number.
fn by_role(found: &Consequence, [one, many]: [&str; 2], all: [&str; 2]) -> Vec<String> {
    let are_known = found.examples.len() == found.count as usize;
    if !are_known
        || found
            .examples
            .iter()
            .any(|example| example.detail.is_empty())
    {
        return one_line(found, all);
    }
    let mut roles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for example in &found.examples {
        let of_role = roles.entry(&example.detail).or_default();
        of_role.push(named(example));
    }
    let line = |(role, names): (&str, Vec<String>)| {
        let role = printable(role);
        match &*names {
            [name] => format!("{name} {one} {role}"),
            names => {
                let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
                let counted = format!("{count} people {many} {role}");
                with_names(counted, names, count)
            }
        }
    };
    roles.into_iter().map(line).collect()
}

fn empty_roles(found: &Consequence) -> Vec<String> {
    if found.examples.is_empty() {
        return one_line(
            found,
            [
                "role has no Active user any more",
                "roles have no Active user any more",
            ],
        );
    }
    let line = |example: &ConsequenceExample| {
        format!(
            "No Active user has the role {} any more",
            printable(&example.detail)
        )
    };
    let mut lines: Vec<_> = found.examples.iter().map(line).collect();
    match (found.count as usize).saturating_sub(lines.len()) {
        0 => {}
        1 => lines.push("1 more role has no Active user any more".to_owned()),
        more => lines.push(format!("{more} more roles have no Active user any more")),
    }
    lines
}

fn named(example: &ConsequenceExample) -> String {
    printable(&example.external_id).into_owned()
}

/// Adds the first names after a colon, and how many more there are.
fn with_names(counted: String, names: &[String], count: u32) -> String {
    if names.is_empty() {
        return counted;
    }
    let shown = names.len().min(NAMED);
    let listed = names[..shown].join(", ");
    match (count as usize).saturating_sub(shown) {
        0 => format!("{counted}: {listed}"),
        more => format!("{counted}: {listed} and {} more", grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(id: &str, detail: &str) -> ConsequenceExample {
        ConsequenceExample {
            external_id: id.to_owned(),
            detail: detail.to_owned(),
            ..ConsequenceExample::default()
        }
    }

    fn lines(kind: ConsequenceKind, count: u32, examples: &[(&str, &str)]) -> Vec<String> {
        consequence_lines(&Consequence {
            kind: kind.into(),
            count,
            examples: examples
                .iter()
                .map(|(id, detail)| example(id, detail))
                .collect(),
        })
    }

    #[test]
    fn people_are_counted_and_the_first_named() {
        use ConsequenceKind as Kind;
        let six = ["E3", "E4", "E5", "E6", "E7", "E8"].map(|id| (id, "E1"));
        assert_eq!(
            lines(Kind::ReportsLoseSupervisor, 6, &six),
            ["6 people lose their supervisor: E3, E4, E5, E6, E7 and 1 more"]
        );
        assert_eq!(
            lines(Kind::ReportsLoseSupervisor, 1_200, &six[..2]),
            ["1,200 people lose their supervisor: E3, E4 and 1,198 more"]
        );
        assert_eq!(
            lines(Kind::ReportsLoseSupervisor, 2, &[]),
            ["2 people lose their supervisor"]
        );
        assert_eq!(
            lines(Kind::SignInChanged, 1, &[("E3", "EMAIL")]),
            ["1 person signs in with another email or username: E3"]
        );
        assert_eq!(
            lines(Kind::Reactivated, 1, &[("E\u{1B}3", "")]),
            ["1 person becomes Active again: E\\u{1b}3"]
        );
        assert_eq!(
            lines(Kind::IdentityReplaced, 2, &[("E1", ""), ("E2", "")]),
            ["2 accounts become another person's: E1, E2"]
        );
    }

    #[test]
    fn roles_have_a_sentence_each_if_all_their_users_are_known() {
        use ConsequenceKind as Kind;
        let gained = [("E3", "Admin"), ("E4", "Chief"), ("E5", "Admin")];
        assert_eq!(
            lines(Kind::PrivilegedRoleGained, 3, &gained),
            ["2 people become Admin: E3, E5", "E4 becomes Chief"]
        );
        assert_eq!(
            lines(Kind::PrivilegedRoleGained, 4, &gained),
            ["4 people get a privileged role: E3, E4, E5 and 1 more"]
        );
        assert_eq!(
            lines(Kind::PrivilegedRoleLost, 1, &[("E3", "Admin")]),
            ["E3 is no longer Admin"]
        );
        assert_eq!(
            lines(Kind::PrivilegedRoleLost, 1, &[("E3", "")]),
            ["1 person loses a privileged role: E3"]
        );
        assert_eq!(
            lines(Kind::RoleLeftEmpty, 2, &[("", "Chief")]),
            [
                "No Active user has the role Chief any more",
                "1 more role has no Active user any more"
            ]
        );
        assert_eq!(
            lines(Kind::RoleLeftEmpty, 1, &[]),
            ["1 role has no Active user any more"]
        );
    }
}
