//! Who is calling, for the audit trail.

use tonic::Request;

use crate::domain::Actor;

/// The caller of a request, by principal and address.
pub fn actor<T>(request: &Request<T>) -> Actor {
    let address = request.remote_addr();
    Actor {
        principal: "local".to_owned(),
        address: address.map(|peer| peer.to_string()).unwrap_or_default(),
    }
}
