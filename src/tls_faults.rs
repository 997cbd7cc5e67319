//! What is wrong with the other side of a TLS connection, in words for those who have to mend it.
//!
//! The TLS library writes its messages for programmers: `invalid peer certificate: UnknownIssuer`.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Returns the fault if the cause of an error is one of TLS that has words here.
pub(crate) fn tls_fault(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref() {
        return worded(error);
    }
    // An error of input or output is not the source of the one that it holds.
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match held {
        Some(held) => tls_fault(held),
        None => tls_fault(error.source()?),
    }
}

fn worded(error: &rustls::Error) -> Option<String> {
    let fault = match error {
        rustls::Error::InvalidCertificate(fault) => return Some(of_certificate(fault)),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "it asks for a client certificate"
        }
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => "it does not accept the client certificate",
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS"
        }
        _ => return None,
    };
    Some(fault.to_owned())
}

fn of_certificate(fault: &CertificateError) -> String {
    let fault = match fault {
        // The signature is wrong if the authority has the name of a trusted one and another key, as one that was made again.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is of an authority that is not trusted here"
        }
        CertificateError::NotValidForName => "its certificate is for another name",
        CertificateError::NotValidForNameContext { presented, .. } => return other_name(presented),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::Revoked => "its certificate was revoked",
        // The library has no case of its own for this one.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is one of an authority (CA:TRUE), with which no server may answer"
        }
        _ => "its certificate is not valid",
    };
    fault.to_owned()
}

/// The library writes a name as `DnsName("db.example")` or `IpAddress(10.0.0.1)`.
fn other_name(presented: &[String]) -> String {
    let plain = |name: &String| {
        let name = name.split_once('(').map_or(&**name, |(_, name)| name);
        name.trim_matches(['"', ')']).to_owned()
    };
    let names: Vec<String> = presented.iter().map(plain).collect();
    match names.is_empty() {
        true => "its certificate is for no name".to_owned(),
        false => format!("its certificate is for another name: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, pki_types::ServerName};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("CaUsedAsEndEntity")]
    struct CaUsedAsEndEntity;

    fn certificate(fault: CertificateError) -> rustls::Error {
        rustls::Error::InvalidCertificate(fault)
    }

    #[test]
    fn a_fault_has_words_wherever_it_is_in_the_chain() {
        let of_other_name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("db").unwrap().to_owned(),
            presented: vec![
                "DnsName(\"db.example\")".to_owned(),
                "IpAddress(10.0.0.1)".to_owned(),
            ],
        };
        for (error, expected) in [
            (
                certificate(CertificateError::UnknownIssuer),
                "its certificate is of an authority that is not trusted here",
            ),
            (
                certificate(of_other_name),
                "its certificate is for another name: db.example, 10.0.0.1",
            ),
            (
                certificate(CertificateError::Other(OtherError(Arc::new(
                    CaUsedAsEndEntity,
                )))),
                "its certificate is one of an authority (CA:TRUE), with which no server may answer",
            ),
            (
                certificate(CertificateError::BadSignature),
                "its certificate is of an authority that is not trusted here",
            ),
            (
                certificate(CertificateError::BadEncoding),
                "its certificate is not valid",
            ),
            (
                rustls::Error::AlertReceived(AlertDescription::CertificateRequired),
                "it asks for a client certificate",
            ),
        ] {
            assert_eq!(tls_fault(&error).as_deref(), Some(expected));
            let in_between = io::Error::other(io::Error::other(error));
            assert_eq!(tls_fault(&in_between).as_deref(), Some(expected));
        }
        assert_eq!(tls_fault(&io::Error::other("the cable is out")), None);
        assert_eq!(tls_fault(&rustls::Error::HandshakeNotComplete), None);
    }
}
