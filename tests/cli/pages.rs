//! The commands that show one thing, on terminals of 80 and of 140 columns and for a script.

use crate::{
    department::{Department, officers},
    transcript::page_transcripts,
};

const ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";

/// Makes a department whose last import changed one user and created two.
fn department() -> Department {
    let department = Department::open();
    department.file("roster.csv", &officers(11));
    department.run(&["import", "roster.csv"]);
    let changed = officers(13).replace("p1@pd.example", "p1.of.the.harbour.patrol@pd.example");
    department.file("changed.csv", &changed);
    department.run(&["import", "changed.csv", "--import-id", ID]);
    department
}

#[test]
fn an_undo_as_it_would_be() {
    let department = department();
    insta::assert_snapshot!(page_transcripts(
        &department,
        &["undo", ID, "--validate-only"]
    ));
}

#[test]
fn a_held_import_in_review() {
    let department = department();
    department.file("few.csv", &officers(4));
    let hold = ["--hold", "--deactivate-missing", "--confirm", "Confirm"];
    let id = ["--import-id", "01a30000-0000-7000-8000-000000000002"];
    department.run(&[&["import", "few.csv"][..], &hold, &id].concat());
    insta::assert_snapshot!(page_transcripts(&department, &["review", id[1]]));
}

#[test]
fn an_import_from_its_record() {
    let department = department();
    insta::assert_snapshot!(page_transcripts(&department, &["watch", ID]));
}

#[test]
fn a_file_before_it_is_imported() {
    let department = Department::open();
    department.file(
        "hr.csv",
        "Employee #,Surname,Given name,Work e-mail address,Badge no.,Active,Job title\n\
         E-1,Lee,Ann,ann.lee@pd.example,0042,Y,Officer\nE-2,Costa,Rui,rui@pd.example,0043,N,Oficer\n",
    );
    insta::assert_snapshot!(page_transcripts(&department, &["inspect", "hr.csv"]));
}

#[test]
fn an_import_as_it_would_be() {
    let department = department();
    let sergeant = officers(12).replace("p2,Officer", "p2,Sergeant");
    department.file("next.csv", &sergeant);
    let leaving = ["--deactivate-missing", "--confirm", "Confirm", "--diff"];
    insta::assert_snapshot!(page_transcripts(
        &department,
        &[&["import", "next.csv"][..], &leaving].concat()
    ));
}

#[test]
fn an_import_that_was_done_before() {
    let department = department();
    let words = ["import", "changed.csv", "--import-id", ID];
    insta::assert_snapshot!(page_transcripts(&department, &words));
}

#[test]
fn a_push_as_it_would_be() {
    let department = department();
    department.file(
        "one.csv",
        &officers(1).replace(",Officer,", ",Sergeant,+12025550123"),
    );
    insta::assert_snapshot!(page_transcripts(
        &department,
        &["push", "one.csv", "--diff"]
    ));
}

#[test]
fn a_client_without_faults() {
    let department = Department::open();
    let shown = page_transcripts(&department, &["doctor", "client"]);
    let port = department.address().port().to_string();
    let shown = shown.replace(&port, "50051");
    insta::assert_snapshot!(shown.replace(env!("CARGO_PKG_VERSION"), "1.2.3"));
}
