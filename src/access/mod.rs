//! Who is calling, by which credential, and what that credential permits.
//!
//! [`Authenticator`] turns the credential that a caller presents into a [`Principal`], and everything after
//! it uses the principal. Knows the kinds of credentials; does not know the wire, nor which RPC needs which
//! permission (`rpc::rpc_table` does).

mod access_denial;
mod authenticator;
mod certificate_allow_list;
mod client_address;
mod connection_peer;
mod connection_trust;
mod disclosure;
pub mod jwt;
pub mod local_token;
mod loopback;
mod principal;
mod public_url;
mod reloaded_files;
mod sign_in;
mod token;
mod trusted_proxies;
mod web_origin;

pub(crate) use access_denial::AccessDenial;
pub use authenticator::{Authenticator, CredentialSources};
pub(crate) use authenticator::{CredentialExpiry, PresentedCredentials};
pub use certificate_allow_list::CertificateAllowList;
pub(crate) use certificate_allow_list::ClientCertificate;
pub(crate) use client_address::ClientAddress;
pub(crate) use connection_peer::ConnectionPeer;
pub(crate) use connection_trust::ConnectionTrust;
pub(crate) use disclosure::{DisclosureScope, ResultAudience};
pub(crate) use local_token::LocalTokenFile;
pub(crate) use loopback::{is_loopback_authority, loopback_authority};
pub(crate) use principal::CredentialKind;
pub use principal::{OrganizationScope, Principal};
pub use public_url::PublicUrl;
pub(crate) use reloaded_files::ReloadedFiles;
pub use sign_in::{InvalidIssuer, SignInProvider};
pub use token::TokenText;
pub(crate) use token::looks_like_token;
pub use trusted_proxies::{ProxyNetwork, TrustedProxies};
pub(crate) use web_origin::WebOrigin;
