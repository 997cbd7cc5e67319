//! Who is calling, by which credential, and what that permits.
//!
//! A caller presents a credential, [`Gate`] makes a [`Principal`] of it, and everything after that
//! goes by the principal. Knows the kinds of credentials; not the wire they come over, nor which
//! call needs which permission (`rpc` has that table).

mod denial;
mod disclosure;
mod gate;
mod identities;
pub mod jwt;
pub mod local_token;
mod origin;
mod peer;
mod principal;
mod recognition;
mod reloaded;
mod token;

pub use denial::Denial;
pub use disclosure::{Audience, Disclosure};
pub use gate::{Gate, Outlived, Presented, Sources};
pub use identities::{ClientCertificate, Identities, Identity};
pub use local_token::LocalTokenFile;
pub use origin::{InvalidOrigin, Origin};
pub use peer::Peer;
pub use principal::{Credential, Principal, Reach};
pub use recognition::Recognition;
pub use reloaded::Reloaded;
pub use token::{InvalidToken, TokenText, looks_like_token};
