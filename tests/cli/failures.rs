//! The messages that an administrator reads when something is wrong: what happened, and what to do next.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{
    department::{Department, officers, program, text},
    process::{RunningProgram, address},
};

/// Returns the exit code and the standard error of a command.
fn fails(department: &Department, words: &[&str]) -> (Option<i32>, String) {
    let output = department.run(words);
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_file_that_cannot_be_read_fails_before_anything_is_sent() {
    let department = Department::open();
    fs::create_dir(department.path("folder")).unwrap();
    for (file, told) in [
        ("nothing.csv", "nothing.csv cannot be read: No such file"),
        ("nothing.csv", "Check its name and the folder you are in."),
        (
            "folder",
            "folder cannot be read: is a directory. Give a file in it.",
        ),
    ] {
        let (exit, errors) = fails(&department, &["import", file]);
        assert_eq!(exit, Some(2), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_file_that_is_no_csv_says_what_it_is_and_what_to_do() {
    let department = Department::open();
    for (bytes, told) in [
        ("", "the file is empty"),
        (
            "PK\u{3}\u{4}\u{14}\0\u{6}\0[Content_Types].xml xl/workbook.xml",
            "Excel workbook",
        ),
    ] {
        department.file("roster.xlsx", bytes);
        let output = department.run(&["import", "roster.xlsx"]);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(text(&output.stdout).contains(told), "{output:?}");
    }
}

#[test]
fn an_errors_file_that_cannot_be_written_stops_the_import_before_it_begins() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    fs::create_dir(department.path("folder")).unwrap();
    for (errors, told) in [
        ("folder", "is a directory. Name another file."),
        ("none/rejected.csv", "there is no folder none."),
        ("roster.csv", "names the roster itself"),
    ] {
        let (exit, said) = fails(&department, &["import", "roster.csv", "--errors", errors]);
        assert_eq!(exit, Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert!(department.users().is_empty());
}

#[test]
fn a_full_disk_keeps_the_exit_code_and_says_how_to_have_the_rejected_rows() {
    let department = Department::open();
    department.file("roster.csv", &officers(1).replace("Officer", "Oficer"));
    let words = ["import", "roster.csv", "--errors", "/dev/full"];
    let (exit, said) = fails(&department, &words);
    assert_eq!(exit, Some(3), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    let id = said
        .split("--import-id ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let again = [
        "import",
        "roster.csv",
        "--import-id",
        id,
        "--errors",
        "rejected.csv",
    ];
    assert_eq!(department.run(&again).status.code(), Some(3));
    assert!(department.read("rejected.csv").contains("Oficer"));
}

#[test]
fn the_error_for_an_unusable_server_says_what_may_be_wrong() {
    let department = Department::open();
    let tls = format!("https://{}", department.address());
    let plain = format!("use http://{}", department.address());
    for (endpoint, told) in [
        (tls.as_str(), plain.as_str()),
        ("http://127.0.0.1:1", "user-import serve"),
        ("http://nobody.invalid:1", "Check --endpoint"),
    ] {
        let (exit, said) = fails(&department, &["imports", "--endpoint", endpoint]);
        assert_eq!(exit, Some(5), "{said}");
        assert!(said.contains(told), "{said}");
    }
    let (exit, said) = fails(&department, &["imports", "--endpoint", "127.0.0.1:50051"]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("https://HOST:PORT"), "{said}");
}

/// Writes the certificate of an authority into `ca.pem`, and a certificate for `names` that it has issued, with its
/// key.
fn certificates(folder: &Path, names: &[&str]) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(names).unwrap();
    let server = params.signed_by(&key, &authority).unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

#[test]
fn the_error_for_an_untrusted_certificate_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path(), &["localhost"]);
    let mut serve = program();
    serve
        .current_dir(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0"]);
    serve.args(["--tls-cert", "server.pem", "--tls-key", "server.key"]);
    let mut server = RunningProgram::start(serve, &folder.path().join("server.log"));
    let port = address(&mut server).port();
    for (endpoint, more, told) in [
        ("https://localhost", &[][..], "--ca-cert FILE"),
        (
            "https://127.0.0.1",
            &["--ca-cert", "ca.pem"],
            "is for another name",
        ),
        ("http://localhost", &[], "begins with https://"),
        // The connection works: the server answers that there is no such organisation.
        (
            "https://localhost",
            &["--ca-cert", "ca.pem"],
            "org create pd",
        ),
    ] {
        let mut command = program();
        command.current_dir(folder.path());
        command.args(["imports", "--organization", "pd", "--endpoint"]);
        command.arg(format!("{endpoint}:{port}")).args(more);
        let output = command.output().unwrap();
        let said = text(&output.stderr);
        assert!(said.contains(told), "{endpoint} {more:?}: {said}");
        assert!(!said.contains("peer certificate"), "{said}");
    }
}

#[test]
fn what_is_not_there_comes_with_how_to_find_what_is() {
    let department = Department::open();
    let id = "018f4e9e-5c7b-7000-8000-00000000dead";
    department.file("roster.csv", &officers(1));
    for (words, told) in [
        (&["watch", id][..], "user-import imports"),
        (&["cancel", id], "user-import imports"),
        (
            &["imports", "--organization", "pb"],
            "user-import org create pb",
        ),
        (
            &["catalog", "apply", "roster.csv"],
            "user-import catalog get",
        ),
    ] {
        let (_, said) = fails(&department, words);
        assert!(said.contains(told), "{said}");
    }
}
