//! A PostgreSQL server whose certificate is not accepted: of X.509 version 1, as Citus makes it, of another name, or of
//! an authority that is not known.

use base64::{Engine, prelude::BASE64_STANDARD};
use x509_parser::pem::Pem;

use crate::{cluster::PostgresCluster, process::program};
use user_import_testing::{
    certificates::{CertificateAuthority, CertificateFiles, IssuedCertificate},
    on_postgres,
};

on_postgres![
    the_error_for_a_certificate_of_version_1_says_so,
    a_certificate_that_is_not_accepted_is_told_in_words_with_what_to_do,
];

/// Splits off the first DER value. Returns its tag, its content, the whole value with its header, and the bytes after it.
fn split(der: &[u8]) -> (u8, &[u8], &[u8], &[u8]) {
    let (header, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 0x7F);
            let digits = der[2..2 + bytes].iter();
            (
                2 + bytes,
                digits.fold(0, |length, &digit| length << 8 | usize::from(digit)),
            )
        }
    };
    let (value, rest) = der.split_at(header + length);
    (der[0], &value[header..], value, rest)
}

/// Returns the content as a DER sequence.
fn sequence(content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    // DER allows only the shortest encoding of a length.
    let header: &[u8] = match (high, low) {
        (0, ..0x80) => &[0x30, low],
        (0, _) => &[0x30, 0x81, low],
        _ => &[0x30, 0x82, high, low],
    };
    [header, content].concat()
}

/// Removes the fields that version 1 lacks: the version and the extensions. The signature is then wrong, but the client
/// checks the version first.
fn of_version_1(certificate: &str) -> String {
    const VERSION: u8 = 0xA0;
    const EXTENSIONS: u8 = 0xA3;
    let pem = Pem::iter_from_buffer(certificate.as_bytes())
        .next()
        .unwrap()
        .unwrap();
    let (_, whole, ..) = split(&pem.contents);
    let (_, mut fields, _, signature) = split(whole);
    let mut kept = Vec::new();
    while !fields.is_empty() {
        let (tag, _, field, rest) = split(fields);
        if tag != VERSION && tag != EXTENSIONS {
            kept.extend_from_slice(field);
        }
        fields = rest;
    }
    let whole = sequence(&[&sequence(&kept), signature].concat());
    let text = BASE64_STANDARD.encode(whole);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

async fn the_error_for_a_certificate_of_version_1_says_so() {
    let issued = CertificateAuthority::new().server();
    let old = IssuedCertificate {
        certificate: of_version_1(&issued.certificate),
        key: issued.key.clone(),
    };
    for (issued, is_named) in [(&old, true), (&issued, false)] {
        let mut cluster = PostgresCluster::start().await;
        cluster.encrypt(issued).await;
        for command in ["doctor", "migrate"] {
            let output = program()
                .arg(command)
                .env(
                    "USER_IMPORT_DATABASE_URL",
                    cluster.url() + "?sslmode=require",
                )
                .env("USER_IMPORT_LISTEN", "127.0.0.1:0")
                .output()
                .expect("the program can be started");
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let names = said.contains("is not of X.509 version 3")
                && said.contains("-addext subjectAltName=DNS:HOST");
            assert_eq!(names, is_named, "{command}: {said}");
            assert!(!said.contains("UnsupportedCertVersion"), "{said}");
        }
    }
}

async fn a_certificate_that_is_not_accepted_is_told_in_words_with_what_to_do() {
    let (authority, other) = (CertificateAuthority::new(), CertificateAuthority::new());
    let issued = authority.server();
    let files = CertificateFiles::new(&issued);
    files.write("ca.pem", &authority.pem());
    files.write("other.pem", &other.pem());
    let mut cluster = PostgresCluster::start().await;
    cluster.encrypt(&issued).await;
    for (host, file, fault, advice) in [
        (
            "127.0.0.1",
            "other.pem",
            "of an authority that is not trusted here",
            "name that authority with sslrootcert=FILE",
        ),
        (
            "localhost",
            "ca.pem",
            "for another name: 127.0.0.1",
            "correct the host",
        ),
        (
            "127.0.0.1",
            "none.pem",
            "none.pem, which",
            "correct its name",
        ),
        ("127.0.0.1", "ca.pem", "", ""),
    ] {
        let file = files.path(file);
        let parameters = format!("?sslmode=verify-full&sslrootcert={}", file.display());
        let url = cluster.url().replace("127.0.0.1", host) + &parameters;
        let output = program()
            .arg("doctor")
            .env("USER_IMPORT_DATABASE_URL", url)
            .env("USER_IMPORT_LISTEN", "127.0.0.1:0")
            .output()
            .expect("the program can be started");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains(fault) && said.contains(advice), "{said}");
        let wrong = said
            .lines()
            .filter(|line| line.starts_with("WRONG    database"));
        assert_eq!(wrong.count(), usize::from(!fault.is_empty()), "{said}");
        for internal in ["peer certificate", "Issuer", "Address("] {
            assert!(!said.contains(internal), "{said}");
        }
    }
}
