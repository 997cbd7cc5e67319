//! What is proposed for whole files.

use std::fmt::Write;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::domain::{Group, GroupId, Rank, RankId, Role, RoleId};

fn catalog() -> Catalog {
    let role = |(id, name): (i32, &str)| Role {
        id: RoleId(id),
        name: name.to_owned(),
        privileged: name == "Administrator",
    };
    let rank = |(id, name): (i32, &str)| Rank {
        id: RankId::new(id).unwrap(),
        name: name.to_owned(),
    };
    let group = |(id, external_id, name): (i32, &str, &str)| Group {
        id: GroupId::new(id).unwrap(),
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        active: true,
    };
    let roles = [
        (1, "Administrator"),
        (2, "Officer"),
        (3, "Supervisor"),
        (4, "Records Clerk"),
    ];
    Catalog {
        roles: roles.map(role).into(),
        ranks: [(1, "Sergeant"), (2, "Lieutenant")].map(rank).into(),
        groups: [
            (1, "PATROL-N", "Patrol North"),
            (2, "PATROL-S", "Patrol South"),
        ]
        .map(group)
        .into(),
        ..Catalog::default()
    }
}

fn inspected(content: impl AsRef<[u8]>, mapping: Mapping) -> Inspection {
    let request = InspectionRequest {
        mapping,
        ..InspectionRequest::default()
    };
    inspect(content.as_ref(), false, &request, &catalog()).unwrap()
}

/// All that is reported, a line each.
fn told(content: impl AsRef<[u8]>) -> String {
    show(&inspected(content, Mapping::default()))
}

fn show(found: &Inspection) -> String {
    let mut told = format!(
        "{} {:?} line {}\n",
        found.charset, found.delimiter, found.header_line
    );
    for column in &found.columns {
        let proposed = column.proposed.map_or("-", Column::header);
        let samples = column.samples.join("|");
        writeln!(
            told,
            "{} -> {proposed} [{samples}] {}",
            column.name, column.reason
        )
        .unwrap();
    }
    for value in &found.values {
        let meaning = match &value.meaning {
            Meaning::Known(known) => known.clone(),
            Meaning::Unknown(None) => "?".to_owned(),
            Meaning::Unknown(Some(near)) => format!("? {near}"),
        };
        writeln!(
            told,
            "{} {:?} x{} = {meaning}",
            value.column, value.cell, value.count
        )
        .unwrap();
    }
    if let Some(mapping) = &found.mapping {
        for (column, template) in &mapping.templates {
            writeln!(told, "{column} := {template}").unwrap();
        }
        writeln!(
            told,
            "skip {} prefixes {:?} nulls {:?}",
            mapping.skip_leading_lines, mapping.ignored_line_prefixes, mapping.null_values
        )
        .unwrap();
    }
    let missing: Vec<_> = found.missing.iter().map(|column| column.header()).collect();
    writeln!(told, "missing {missing:?}").unwrap();
    for issue in &found.issues {
        writeln!(told, "! {}", issue.message).unwrap();
    }
    told
}

#[test]
fn the_export_of_a_dispatch_system() {
    assert_snapshot!(told(include_bytes!("../../examples/dispatch-export.csv")));
}

#[test]
fn the_export_of_an_hr_system() {
    assert_snapshot!(told(include_bytes!("../../examples/hr-export.csv")));
}

#[test]
fn the_export_of_a_student_information_system() {
    assert_snapshot!(told(include_bytes!("../../examples/sis-export.csv")));
}

#[test]
fn the_export_of_active_directory() {
    assert_snapshot!(told(include_bytes!("../../examples/directory-export.csv")));
}

#[test]
fn a_roster_needs_no_mapping() {
    let found = inspected(
        include_bytes!("../../examples/roster.csv"),
        Mapping::default(),
    );
    assert_eq!(found.mapping, Some(Mapping::default()), "{}", show(&found));
    assert!(
        found.missing.is_empty() && found.issues.is_empty(),
        "{}",
        show(&found)
    );
}

#[test]
fn yes_and_no_of_a_column_that_says_disabled_are_turned_round() {
    assert_snapshot!(told("Mail,Disabled\na@b,Yes\nc@d,No\ne@f,?\n"));
}

#[test]
fn t_is_true_beside_f_and_unknown_beside_others() {
    for (values, first) in [("T\nF", Some("Active")), ("T\nA", None)] {
        let rows = values.replace('\n', ",a@b\n");
        let found = inspected(format!("Enabled,Mail\n{rows},a@b\n"), Mapping::default());
        let value = found.values.iter().find(|value| value.cell == "T").unwrap();
        let expected = first.map_or(Meaning::Unknown(None), |first| {
            Meaning::Known(first.to_owned())
        });
        assert_eq!(value.meaning, expected);
    }
}

#[test]
fn what_the_given_mapping_says_is_kept() {
    let columns = [("Mail", ""), ("Alias", "EMAIL")];
    let given = Mapping {
        columns: columns.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        values: vec![crate::input::ValueMapping {
            column: "STATUS".to_owned(),
            cell: "Y".to_owned(),
            value: "Inactive".to_owned(),
        }],
        ..Mapping::default()
    };
    assert_snapshot!(show(&inspected("Mail,Alias,Active\na@b,c@d,Y\n", given)));
}

#[test]
fn a_privileged_role_is_never_proposed_and_whole_names_are_told_apart() {
    assert_snapshot!(told(
        "Name,Mail,Function\nAda Lovelace,a@b,Admin\nGrace Hopper,c@d,Sup\n"
    ));
}

#[test]
fn a_column_of_addresses_without_addresses_is_none() {
    assert_snapshot!(told(
        "Mail,Reports To,Home e-mail,Mail\na@b,Chief Wiggum,x@y,\n"
    ));
}

#[test]
fn what_has_no_header_says_why() {
    assert_snapshot!(told("%PDF-1.7"));
}

/// The proposal is used as it is, so it must never be one that is refused.
#[test]
fn every_proposal_can_be_used() {
    for header in [
        "Employee \"No\";'Name'",
        "Name \\ x,Mail",
        "\"a\"\"b'c\",Name",
        "row,Name,{{ x }},Mail",
        "Name,name,NAME",
        ",,Mail,",
        "IMPORT_ERRORS,Mail",
    ] {
        for rows in [
            "",
            "Ada Lovelace,a@b\n",
            "\"Lovelace, Ada\",x,y,z,a@b\n",
            "#x\nTotal: 3\n",
        ] {
            let found = inspected(format!("{header}\n{rows}"), Mapping::default());
            let mapping = found.mapping.unwrap_or_default();
            assert_eq!(mapping.check(), Ok(()), "{header} {rows} {mapping:?}");
        }
    }
}

/// Pieces of headers, rows and lines around them.
fn piece() -> impl Strategy<Value = &'static str> {
    let pieces = [
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\"",
        "'",
        "\\",
        "{{",
        "#",
        "Total: 3",
        "sep=;",
        "Name",
        "E-mail",
        "Given name",
        "Surname",
        "Status",
        "Disabled",
        "userAccountControl",
        "Job title",
        "Station",
        "STATUS",
        "IMPORT_ERRORS",
        "a@b",
        "Lee, Ann",
        "Ada Lovelace",
        "514",
        "Yes",
        "T",
        "F",
        "Sgt",
        "NULL",
        "\u{FEFF}",
        "\0",
        "é",
        " ",
    ];
    prop::sample::select(pieces.to_vec())
}

proptest! {
    #[test]
    fn whatever_a_file_is_its_proposal_can_be_used(
        pieces in prop::collection::vec(piece(), 0..60),
        tail in prop::collection::vec(any::<u8>(), 0..8),
        is_cut: bool,
    ) {
        let content = [pieces.concat().into_bytes(), tail].concat();
        let request = InspectionRequest::default();
        let found = inspect(&content, is_cut, &request, &catalog()).unwrap();
        let mapping = found.mapping.unwrap_or_default();
        prop_assert_eq!(mapping.check(), Ok(()), "{:?}", mapping);
        // What was proposed is kept if the file is looked at again with it.
        let again = InspectionRequest { mapping: mapping.clone(), ..request };
        let found = inspect(&content, is_cut, &again, &catalog()).unwrap();
        prop_assert_eq!(found.mapping.unwrap_or_default(), mapping);
    }
}
