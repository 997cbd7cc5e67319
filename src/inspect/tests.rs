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

fn inspected(content: impl AsRef<[u8]>, mapping: Mapping) -> FileInspection {
    let request = InspectionRequest {
        mapping,
        ..InspectionRequest::default()
    };
    look(content.as_ref(), false, &request)
}

fn look(content: &[u8], is_cut: bool, request: &InspectionRequest) -> FileInspection {
    let mut go_on = |_| ControlFlow::Continue(());
    let request = (request, InputLimits::default());
    inspect((content, is_cut), request, &catalog(), &mut go_on).unwrap()
}

/// Everything that is reported, a line each.
fn proposed(content: impl AsRef<[u8]>) -> String {
    show(&inspected(content, Mapping::default()))
}

fn show(found: &FileInspection) -> String {
    let mut told = match &found.format {
        InspectedFormat::Csv { charset, delimiter } => format!("{charset} {delimiter:?}"),
        InspectedFormat::Workbook { sheets } => format!("workbook {sheets:?}"),
    };
    writeln!(told, " line {}", found.header_line).unwrap();
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
            ValueMeaning::Known(known) => known.clone(),
            ValueMeaning::Unknown(None) => "?".to_owned(),
            ValueMeaning::Unknown(Some(near)) => format!("? {near}"),
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
    assert_snapshot!(proposed(include_bytes!(
        "../../examples/dispatch-export.csv"
    )));
}

#[test]
fn the_export_of_an_hr_system() {
    assert_snapshot!(proposed(include_bytes!("../../examples/hr-export.csv")));
}

#[test]
fn the_export_of_a_student_information_system() {
    assert_snapshot!(proposed(include_bytes!("../../examples/sis-export.csv")));
}

#[test]
fn the_export_of_active_directory() {
    assert_snapshot!(proposed(include_bytes!(
        "../../examples/directory-export.csv"
    )));
}

#[test]
fn a_roster_needs_no_mapping() {
    let roster = include_bytes!("../../examples/roster.csv");
    let found = inspected(roster, Mapping::default());
    let shown = show(&found);
    assert_eq!(found.mapping, Some(Mapping::default()), "{shown}");
    assert!(found.missing.is_empty(), "{shown}");
    // It gives that role to somebody.
    let issues: Vec<_> = found.issues.iter().map(|issue| &*issue.message).collect();
    assert_eq!(
        issues,
        ["Rows of this file would give the privileged role \"Administrator\"."]
    );
}

#[test]
fn yes_and_no_of_a_column_that_says_disabled_are_turned_round() {
    assert_snapshot!(proposed("Mail,Disabled\na@b,Yes\nc@d,No\ne@f,?\n"));
}

#[test]
fn t_and_f_are_true_and_false_only_by_themselves() {
    for (values, first) in [("T\nF", Some("Active")), ("T\nA\nF", None)] {
        let rows = values.replace('\n', ",a@b\n");
        let found = inspected(format!("Enabled,Mail\n{rows},a@b\n"), Mapping::default());
        let mut values = found.values.iter();
        let value = values.find(|value| value.cell == "T").unwrap();
        let expected = first.map_or(ValueMeaning::Unknown(None), |first| {
            ValueMeaning::Known(first.to_owned())
        });
        assert_eq!(value.meaning, expected);
    }
}

/// A user who has left stays inactive, whatever the column asks.
#[test]
fn a_word_for_the_state_is_never_turned_round() {
    for (header, leaver) in [
        ("Terminated", "Terminated"),
        ("Baja", "BAJA"),
        ("Disabled", "Disabled"),
        ("Inactif", "Inactif"),
    ] {
        let content = format!("Mail,{header}\na@b,{leaver}\nc@d,Active\ne@f,Active\n");
        let found = inspected(content, Mapping::default());
        let meaning = |cell: &str| {
            let mut values = found.values.iter();
            let value = values.find(|value| value.cell == cell).unwrap();
            value.meaning.clone()
        };
        assert_eq!(
            meaning(leaver),
            ValueMeaning::Known("Inactive".to_owned()),
            "{header}"
        );
        assert_eq!(
            meaning("Active"),
            ValueMeaning::Known("Active".to_owned()),
            "{header}"
        );
    }
}

/// A column whose values name nobody, or several people, is never proposed as a column that names one person.
#[test]
fn a_key_is_no_counter_and_no_shared_value() {
    let expect = |content: &str, name: &str, column: Option<Column>| {
        let found = inspected(content, Mapping::default());
        let shown = show(&found);
        let mut columns = found.columns.into_iter();
        let proposed = columns.find(|column| column.name == name).unwrap().proposed;
        assert_eq!(proposed, column, "{name}: {shown}");
    };
    expect("No.,Mail\n1,a@b\n2,c@d\n", "No.", None);
    expect("ID,Mail\n1,a@b\n2,c@d\n", "ID", None);
    expect("ID,Mail\n7,a@b\n2,c@d\n", "ID", Some(Column::ExternalId));
    let agency = "Agency ID,Agency E-mail,E-mail\nX,info@pd,a@b\nX,info@pd,c@d\n";
    expect(agency, "Agency ID", None);
    expect(agency, "E-mail", Some(Column::Email));
    expect("Unit ID,Mail\nU1,a@b\nU1,c@d\n", "Unit ID", None);
    let empty = "employeeNumber,employeeID,Mail\n,7,a@b\n,9,c@d\n";
    expect(empty, "employeeID", Some(Column::ExternalId));
    let empty = "employeeNumber,Mail\n,a@b\n,c@d\n";
    expect(empty, "employeeNumber", None);
}

#[test]
fn the_order_of_a_whole_name_is_the_headers() {
    for (content, first) in [
        ("Nom et prénom,Mail\nDurand Zoé,a@b\n", Some("last")),
        ("\"Name, Vorname\",Mail\nHuber Anna,a@b\n", Some("last")),
        ("Full name,Mail\nAnna Huber,a@b\n", Some("first")),
        ("Full name,Mail\nHUBER Anna,a@b\n", None),
        ("Nom,Mail\nDurand Zoé,a@b\n", None),
        (
            "DisplayName,sn,Mail\n\"Lee, Ann\",Lee,a@b\n",
            Some("[1] | trim"),
        ),
    ] {
        let mapping = inspected(content, Mapping::default()).mapping.unwrap();
        let template = mapping.templates.get("FIRST_NAME");
        let has = |part: &str| template.is_some_and(|template| template.contains(part));
        assert_eq!(
            first.is_some(),
            template.is_some(),
            "{content} {template:?}"
        );
        assert!(first.is_none_or(has), "{content} {template:?}");
    }
}

#[test]
fn a_job_title_gives_no_privileged_role() {
    let content = "Mail,Job title\na@b,Officer\nc@d,Administrator\n";
    let found = inspected(content, Mapping::default());
    assert_eq!(found.columns[1].proposed, None, "{}", show(&found));
    let found = inspected(
        "Mail,Role\na@b,administrator\nc@d,Administrador\n",
        Mapping::default(),
    );
    assert!(
        found.issues[0].message.contains("privileged"),
        "{}",
        show(&found)
    );
    assert_eq!(found.values[0].meaning, ValueMeaning::Unknown(None));
}

#[test]
fn a_word_for_nothing_is_blank_in_its_own_column_alone() {
    let content =
        "Employee ID,Surname,Mail,Mobile\nNULL,Null,a@b,NULL\n7,Lee,c@d,+1 202-555-0143\n";
    let mapping = inspected(content, Mapping::default()).mapping.unwrap();
    assert!(mapping.null_values.is_empty());
    let columns: Vec<_> = mapping.values.iter().map(|value| &*value.column).collect();
    assert_eq!(columns, ["PHONE"]);
}

#[test]
fn a_header_with_line_breaks_is_found_and_a_row_is_no_header() {
    let wrapped =
        "\"Employee\nID\",\"First\nName\",\"Last\nName\",Email,Status\n7,Ann,Lee,a@b,Active\n";
    let found = inspected(wrapped, Mapping::default());
    assert_eq!(
        (found.header_line, found.columns.len()),
        (1, 5),
        "{}",
        show(&found)
    );
    let row = "PERS_KEY,X_FN,X_ST,X_RL\n1,Ann,Active,Officer\n";
    let found = inspected(row, Mapping::default());
    assert_eq!(found.header_line, 1, "{}", show(&found));
}

#[test]
fn a_few_bad_bytes_make_no_other_charset() {
    let mut content = "Mail,Surname\n".to_owned().into_bytes();
    content.extend("a@b,Müller\n".repeat(20).bytes());
    content.extend(b"c@d,M\xFCller\n");
    let found = inspected(&content, Mapping::default());
    let told = show(&found);
    assert!(
        told.starts_with("UTF-8") && told.contains("line 22"),
        "{told}"
    );
    // Cut within a letter, at any size.
    let cut = &"Mail,Surname\na@b,Müller\nc@d,Mü".as_bytes()[..31];
    let told = show(&inspected(cut, Mapping::default()));
    assert!(told.starts_with("UTF-8") && !told.contains("! "), "{told}");
}

#[test]
fn a_footer_is_named_and_counts_as_no_row() {
    let content = "Mail,Status,Role\na@b,Active,Officer\n\"Total: 1\",,\nEnd of report\n";
    let found = inspected(content, Mapping::default());
    let told = show(&found);
    assert!(told.contains("such as \"Total: 1\""), "{told}");
    assert!(found.values.iter().all(|value| value.count == 1), "{told}");
    assert!(found.mapping.unwrap().ignored_line_prefixes.is_empty());
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
fn a_privileged_role_is_never_proposed_and_whole_names_are_recognised() {
    assert_snapshot!(proposed(
        "Name,Mail,Function\nAda Lovelace,a@b,Admin\nGrace Hopper,c@d,Sup\n"
    ));
}

#[test]
fn a_column_of_addresses_without_addresses_is_none() {
    assert_snapshot!(proposed(
        "Mail,Reports To,Home e-mail,Mail\na@b,Chief Wiggum,x@y,\n"
    ));
}

#[test]
fn what_has_no_header_says_why() {
    assert_snapshot!(proposed("%PDF-1.7"));
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
        let found = look(&content, is_cut, &request);
        let mapping = found.mapping.unwrap_or_default();
        prop_assert_eq!(mapping.check(), Ok(()), "{:?}", mapping);
        // What was proposed is kept if the file is looked at again with it.
        let again = InspectionRequest { mapping: mapping.clone(), ..request };
        let found = look(&content, is_cut, &again);
        prop_assert_eq!(found.mapping.unwrap_or_default(), mapping);
    }
}
