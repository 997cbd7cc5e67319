//! Who is calling, by which credential, and what that credential permits.
//!
//! [`Authenticator`] turns the credential that a caller presents into a [`Principal`], and everything after
//! it uses the principal. Knows the kinds of credentials; does not know the wire, nor which RPC needs which
//! permission (`rpc::rpc_table` does).

mod authenticator;
mod certificate_allow_list;
mod connection_peer;
mod connection_trust;
mod denial;
mod disclosure;
pub mod jwt;
pub mod local_token;
mod principal;
mod reloaded_files;
mod token;
mod web_origin;

pub use authenticator::{Authenticator, CredentialExpiry, CredentialSources, PresentedCredentials};
pub use certificate_allow_list::{AllowedCertificate, CertificateAllowList, ClientCertificate};
pub use connection_peer::ConnectionPeer;
pub use connection_trust::ConnectionTrust;
pub use denial::Denial;
pub use disclosure::{Disclosure, ResultAudience};
pub use local_token::LocalTokenFile;
pub use principal::{Credential, OrganizationScope, Principal};
pub use reloaded_files::ReloadedFiles;
pub use token::{InvalidToken, TokenText, looks_like_token};
pub use web_origin::{InvalidWebOrigin, WebOrigin};
