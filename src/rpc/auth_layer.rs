//! The layer before every RPC: it recognises the caller, expects the permission that the RPC needs, and
//! counts the call.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body};

use super::{
    call_limiter::{CallLimiter, CallPermit},
    caller::Caller,
    denial_recorder::{DenialRecorder, IncomingCall},
    detached,
    middleware::{InnerService, Middleware},
    partial_message::PartialMessage,
    rpc_table::{CallLimit, OutageBehaviour, RequestShape, Rpc, RpcAccess, rpc},
    status,
    supervised_response::supervise,
    transport_statuses::memory_exhausted,
};
use crate::{
    access::{
        AccessDenial, Authenticator, ClientAddress, ConnectionPeer, ConnectionTrust,
        CredentialExpiry, PresentedCredentials, Principal,
    },
    limits::{MemoryAccount, MemoryBudget, MemoryExhausted, MemoryParty, ServerLimits},
};

/// Pause before the database is asked again while it is away.
const PAUSE: Duration = Duration::from_millis(200);

/// Admits the callers who may call an RPC. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct AuthLayer {
    authenticator: Authenticator,
    patience: Duration,
    denials: DenialRecorder,
    limiter: CallLimiter,
    memory: MemoryBudget,
}

impl AuthLayer {
    /// Admits the callers that `authenticator` recognises, and reports the others to `denials`. Waits up to
    /// `patience` for a database that is away. `limits` bounds the admitted calls.
    #[must_use]
    pub(crate) fn new(
        authenticator: Authenticator,
        patience: Duration,
        denials: DenialRecorder,
        limits: &ServerLimits,
    ) -> Self {
        Self {
            authenticator,
            patience,
            denials,
            limiter: CallLimiter::new(limits),
            memory: MemoryBudget::new(limits.memory),
        }
    }

    /// The budget for the bytes of all calls.
    #[must_use]
    pub(crate) const fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// The layer.
    #[must_use]
    pub(crate) fn layer(self) -> Middleware {
        Middleware::new(move |request, next| self.clone().serve(request, next))
    }

    async fn serve(self, mut request: Request<Body>, next: InnerService) -> Response<Body> {
        let path = request.uri().path();
        let mut call = self.denials.call(path, address(&request));
        let Some(rpc) = rpc(path) else {
            return Status::unimplemented("There is no such method.").into_http();
        };
        let permit = self.limiter.permit(rpc.limit);
        // This future is dropped if the client goes before there is a response: that cancels `gone`.
        let gone = CancellationToken::new();
        let _here = gone.clone().drop_guard();
        let admitted = self.admit(rpc, &mut request, &mut call, permit.clone(), gone);
        let expiry = match admitted.await {
            Ok(expiry) => expiry,
            Err(status) => {
                call.record_denial(&status);
                return status.into_http();
            }
        };
        match metered(rpc, request) {
            Ok(request) => supervise(next.call(request).await, call, expiry, permit),
            Err(exhausted) => memory_exhausted(exhausted).into_http(),
        }
    }

    /// Recognises the caller of `rpc`, and adds a [`Caller`] to the request's extensions. Returns the
    /// future that ends the response when the credential expires, or `None` if the RPC does not need it.
    async fn admit(
        &self,
        rpc: &Rpc,
        request: &mut Request<Body>,
        call: &mut IncomingCall,
        permit: CallPermit,
        gone: CancellationToken,
    ) -> Result<Option<CredentialExpiry>, Status> {
        let address = address(request);
        let account = self.memory.account(address.map(|address| address.ip));
        request.extensions_mut().insert(account.clone());
        if rpc.access == RpcAccess::Anybody {
            return Ok(None);
        }
        let is_patient = rpc.outage == OutageBehaviour::Waits;
        let recognised = self.recognise(presented(request), is_patient);
        let principal = Arc::new(recognised.await?);
        call.set_caller(&principal);
        let permitted = match rpc.access {
            RpcAccess::Needs(permission) => principal.expect(permission),
            RpcAccess::NeedsOneOf(permissions) => principal.expect_one_of(permissions),
            RpcAccess::Anybody | RpcAccess::AnyCaller => Ok(()),
        };
        permitted.map_err(|denial| status::from_denial(&denial))?;
        if let Some(trust) = request.extensions().get::<ConnectionTrust>() {
            trust.mark_trusted();
        }
        let charged = account.charge_to(MemoryParty::Principal(principal.name.clone()));
        charged.map_err(memory_exhausted)?;
        // An import checks its credential itself.
        let looks_itself = rpc.limit == CallLimit::Import;
        let expiry =
            (!looks_itself).then(|| self.authenticator.credential_expiry(Arc::clone(&principal)));
        let caller = Caller::new(principal, address, permit, account, (rpc.lane, gone));
        request.extensions_mut().insert(caller);
        Ok(expiry)
    }

    async fn recognise(
        &self,
        presented: PresentedCredentials,
        patient: bool,
    ) -> Result<Principal, Status> {
        let (authenticator, patience) = (self.authenticator.clone(), self.patience);
        detached(async move {
            let deadline = Instant::now() + patience;
            loop {
                match authenticator.admit(&presented).await {
                    Err(AccessDenial::Store(error))
                        if patient && error.is_transient() && Instant::now() < deadline =>
                    {
                        sleep(PAUSE).await;
                    }
                    result => return result.map_err(|denial| status::from_denial(&denial)),
                }
            }
        })
        .await
    }
}

/// Charges the messages of a stream as they arrive. A single message is charged in `server::unary_body`.
fn metered(rpc: &Rpc, request: Request<Body>) -> Result<Request<Body>, MemoryExhausted> {
    let account = request.extensions().get::<MemoryAccount>().cloned();
    match account.filter(|_| rpc.request == RequestShape::Stream) {
        Some(account) => PartialMessage::meter(request, &account),
        None => Ok(request),
    }
}

fn address(request: &Request<Body>) -> Option<ClientAddress> {
    let peer = request.extensions().get::<ConnectionPeer>();
    peer.and_then(|peer| peer.address)
}

fn presented(request: &Request<Body>) -> PresentedCredentials {
    let headers = request.headers();
    let bearer = bearer(headers);
    let peer = request.extensions().get::<ConnectionPeer>();
    PresentedCredentials {
        other_authorization: bearer.is_none() && headers.contains_key(AUTHORIZATION),
        bearer,
        certificate: peer.and_then(|peer| peer.certificate.clone()),
    }
}

/// Returns the bearer token. Two headers count as none, because either could be meant.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer_of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers)
    }

    #[test]
    fn a_bearer_token_is_read_from_the_one_authorization_header() {
        for (values, expected) in [
            (&["Bearer abc"][..], Some("abc")),
            (&["bearer  abc "], Some("abc")),
            (&["BEARER abc"], Some("abc")),
            (&["Basic abc"], None),
            (&["abc"], None),
            (&["Bearer"], None),
            (&["Bearer abc", "Bearer def"], None),
            (&[], None),
        ] {
            assert_eq!(bearer_of(values).as_deref(), expected, "{values:?}");
        }
    }
}
