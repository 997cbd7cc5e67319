//! The template: the file that administrators start from. It has a header row and four example rows, which an
//! import recognises and rejects. Knows nothing about how a file is read.

use std::borrow::Cow;

use super::{Catalog, Column, neutralise};

/// File name of the template, without its ending.
pub(crate) const TEMPLATE_NAME: &str = "user-import-template";

/// Returns the template as UTF-8 CSV after `begins`. Names of the catalog are made harmless for spreadsheets; our own
/// examples already are.
#[must_use]
pub(crate) fn template_csv(catalog: &Catalog, begins: &str) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(begins.as_bytes().to_vec());
    // Writing records of equal length to memory cannot fail, so no error is lost.
    let _ = csv.write_record(Column::ALL.map(Column::header));
    for row in template_rows(catalog) {
        let cells = Column::ALL.map(|column| match column {
            Column::Role | Column::Rank | Column::EvidenceGroupExtId => {
                neutralise(row[column as usize])
            }
            _ => Cow::Borrowed(row[column as usize]),
        });
        let _ = csv.write_record(cells.each_ref().map(|cell| cell.as_bytes()));
    }
    csv.into_inner().unwrap_or_default()
}

/// Returns the example rows. Roles, ranks and active groups are the organisation's own. If it has no roles, the role is
/// the example's, because a role is required. If it has no ranks or groups, they are blank.
#[must_use]
pub(crate) fn template_rows(catalog: &Catalog) -> [[&str; Column::COUNT]; Column::EXAMPLES] {
    std::array::from_fn(|number| Column::ALL.map(|column| cell(catalog, number, column)))
}

/// Returns `true` for the [folded](fn@super::fold) email of one of the examples.
#[must_use]
pub(crate) fn is_template_example(email_key: &str) -> bool {
    Column::Email.examples().contains(&email_key)
}

fn cell(catalog: &Catalog, number: usize, column: Column) -> &str {
    let example = column.examples()[number];
    match column {
        _ if example.is_empty() => "",
        Column::Role => {
            let roles = catalog.roles.iter().map(|role| &*role.name);
            taking_turns(roles, number).unwrap_or(example)
        }
        Column::Rank => {
            let ranks = catalog.ranks.iter().map(|rank| &*rank.name);
            taking_turns(ranks, number).unwrap_or_default()
        }
        Column::EvidenceGroupExtId => {
            let groups = catalog.groups.iter().filter(|group| group.active);
            let names = groups.map(|group| &*group.external_id);
            taking_turns(names, number).unwrap_or_default()
        }
        _ => example,
    }
}

fn taking_turns<'a>(names: impl Iterator<Item = &'a str> + Clone, turn: usize) -> Option<&'a str> {
    names.cycle().nth(turn)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::{
        Cell, Group, GroupId, IssueCode, Rank, RankId, RawRow, Role, RoleId, Row, fold,
    };

    fn catalog() -> Catalog {
        let role = |id, name: &str| Role {
            id: RoleId(id),
            name: name.into(),
            privileged: false,
        };
        let rank = |id, name: &str| Rank {
            id: RankId::new(id).unwrap(),
            name: name.into(),
        };
        let group = |id, external_id: &str, active| Group {
            id: GroupId::new(id).unwrap(),
            external_id: external_id.into(),
            name: external_id.into(),
            active,
        };
        Catalog {
            roles: vec![role(1, "Investigator"), role(2, "Patrol, days")],
            ranks: vec![rank(1, "Sergeant")],
            groups: vec![group(1, "CLOSED", false), group(2, "NORTH", true)],
            ..Catalog::default()
        }
    }

    #[test]
    fn the_template_uses_the_organisations_own_names() {
        let csv = String::from_utf8(template_csv(&catalog(), "")).unwrap();
        assert_snapshot!(csv, @r#"
        EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE
        EXAMPLE-1,jordan.sample@template.example,00101,Jordan,Sample,Active,jordan.sample,Investigator,,,Sergeant,NORTH,+12025550101
        EXAMPLE-2,casey.sample@template.example,00102,Casey,Sample,Active,casey.sample,"Patrol, days",jordan.sample@template.example,,Sergeant,NORTH,+442079460018
        ,robin.sample@template.example,00103,Robin,Sample,Active,robin.sample,Investigator,jordan.sample@template.example,,Sergeant,,
        EXAMPLE-4,morgan.sample@template.example,00104,Morgan,Sample,Inactive,morgan.sample,"Patrol, days",,,,,
        "#);
    }

    #[test]
    fn the_template_of_an_empty_catalog_has_blank_ranks_and_groups() {
        let csv = String::from_utf8(template_csv(&Catalog::default(), "")).unwrap();
        assert_snapshot!(csv, @r#"
        EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE
        EXAMPLE-1,jordan.sample@template.example,00101,Jordan,Sample,Active,jordan.sample,Officer,,,,,+12025550101
        EXAMPLE-2,casey.sample@template.example,00102,Casey,Sample,Active,casey.sample,Officer,jordan.sample@template.example,,,,+442079460018
        ,robin.sample@template.example,00103,Robin,Sample,Active,robin.sample,Officer,jordan.sample@template.example,,,,
        EXAMPLE-4,morgan.sample@template.example,00104,Morgan,Sample,Inactive,morgan.sample,Officer,,,,,
        "#);
    }

    #[test]
    fn every_example_is_rejected_for_being_one_and_for_nothing_else() {
        let csv = template_csv(&catalog(), "");
        let mut reader = csv::Reader::from_reader(&*csv);
        let mut rows = 0;
        for record in reader.records().map(Result::unwrap) {
            let cells = std::array::from_fn(|index| Cell::Text(&record[index]));
            let row = Row::parse(&RawRow {
                number: 1,
                line: 2,
                cells,
                misfit: None,
            });
            let codes: Vec<_> = row.issues().map(|issue| issue.code).collect();
            assert_eq!(codes, [IssueCode::TemplateExample], "{record:?}");
            rows += 1;
        }
        assert_eq!(rows, 4);
    }

    #[test]
    fn the_emails_are_their_own_keys() {
        let emails = Column::Email.examples();
        assert_eq!(emails.map(|email| fold(email).into_owned()), emails);
        assert!(!is_template_example("jordan@template.example"));
    }
}
