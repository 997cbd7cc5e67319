//! Certificates made for a test: an authority, and the certificates that it issues.

use std::{fs, path::PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use tempfile::TempDir;
use user_import::config::{SecuritySettings, TlsFiles};

/// A certificate authority.
pub struct CertificateAuthority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    pub certificate: String,
    pub key: String,
}

impl CertificateAuthority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns a certificate for the loopback address.
    pub fn server(&self) -> IssuedCertificate {
        let localhost = SanType::IpAddress([127, 0, 0, 1].into());
        self.issue(vec![localhost], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Returns a client's certificate with these names.
    pub fn client(&self, names: Vec<SanType>) -> IssuedCertificate {
        self.issue(names, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose) -> IssuedCertificate {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        IssuedCertificate {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

/// The certificate files of a server, in a folder that is removed with this value.
pub struct CertificateFiles(TempDir);

impl CertificateFiles {
    pub fn new(server: &IssuedCertificate) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.install(server);
        files
    }

    /// Replaces the server's certificate and key.
    pub fn install(&self, server: &IssuedCertificate) {
        self.write("server.pem", &server.certificate);
        self.write("server.key", &server.key);
    }

    pub fn write(&self, name: &str, content: &str) {
        // Replaces the files in one step, as programs that renew certificates do.
        let partial = self.path("partial");
        fs::write(&partial, content).unwrap();
        fs::rename(partial, self.path(name)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns settings that name the files and reload them often.
    pub fn security(&self) -> SecuritySettings {
        SecuritySettings {
            tls: Some(TlsFiles {
                certificate: self.path("server.pem"),
                key: self.path("server.key"),
                client_ca: None,
            }),
            reload_interval: std::time::Duration::from_millis(20),
            ..SecuritySettings::default()
        }
    }

    /// Returns the same settings with clients' certificates from `authority`, admitted by the list.
    pub fn with_clients(&self, authority: &CertificateAuthority, list: &str) -> SecuritySettings {
        self.write("clients.pem", &authority.pem());
        self.write("identities.json", list);
        let mut security = self.security();
        if let Some(tls) = &mut security.tls {
            tls.client_ca = Some(self.path("clients.pem"));
        }
        security.identities = Some(self.path("identities.json"));
        security
    }
}
