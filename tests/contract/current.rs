//! The files that are made from the contract and kept in the repository are current.

use std::{collections::BTreeSet, env, fmt::Write, fs, process::Command};

use user_import::{domain::Column, proto::DESCRIPTOR_SET};

use crate::{
    catalogue::{enums, files, messages, services},
    reference,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");

#[test]
fn the_reference_says_what_the_contract_says() {
    let page = reference::render(&files());
    if env::var_os("USER_IMPORT_WRITE_REFERENCE").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap();
    assert!(
        kept == page,
        "docs/api.md is out of date. Write it again with \
         USER_IMPORT_WRITE_REFERENCE=1 cargo test --test contract"
    );
}

/// A workbook's header cells have the same rules as notes.
#[test]
fn the_page_of_columns_has_the_rules_of_the_table_of_columns() {
    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rows.md");
    let mut table = "| column | required | value |\n|---|---|---|\n".to_owned();
    for column in Column::ALL {
        let (header, rule) = (column.header(), column.rule());
        let required = if column.is_required() { "yes" } else { "no" };
        writeln!(table, "| `{header}` | {required} | {rule} |").unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap();
    assert!(
        kept.contains(&table),
        "docs/rows.md must have this table of src/domain/column.rs:\n\n{table}"
    );
}

#[test]
fn everything_in_the_contract_has_a_comment() {
    let files = files();
    let mut bare = BTreeSet::new();
    let mut note = |name: &str, comment: &str| {
        if comment.is_empty() {
            bare.insert(name.to_owned());
        }
    };
    for service in services(&files) {
        note(service.descriptor.name(), service.comment());
        for (index, method) in service.descriptor.method.iter().enumerate() {
            note(method.name(), service.member_comment(index));
        }
    }
    for message in messages(&files) {
        note(message.descriptor.name(), message.comment());
        for (index, field) in message.descriptor.field.iter().enumerate() {
            note(field.name(), message.member_comment(index));
        }
    }
    for kind in enums(&files) {
        note(kind.descriptor.name(), kind.comment());
        for (index, value) in kind.descriptor.value.iter().enumerate() {
            note(value.name(), kind.member_comment(index));
        }
    }
    assert_eq!(bare, BTreeSet::new());
}

#[test]
fn the_program_gives_out_the_contract() {
    let program = env!("CARGO_BIN_EXE_user-import");
    let given = Command::new(program).arg("descriptor").output().unwrap();
    assert!(given.status.success());
    assert!(given.stdout == DESCRIPTOR_SET);
    let file = tempfile::NamedTempFile::new().unwrap();
    let written = Command::new(program)
        .args(["descriptor", "--output"])
        .arg(file.path())
        .status();
    assert!(written.unwrap().success());
    assert!(fs::read(file.path()).unwrap() == DESCRIPTOR_SET);
}
