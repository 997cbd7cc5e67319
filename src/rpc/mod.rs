//! The gRPC services: messages to domain values and back, every error to its status, and who may call which
//! RPC. Each of these has one place.

mod audit;
mod auth_layer;
mod call_limiter;
mod caller;
mod cancel;
mod catalog_draft;
mod csv_export;
mod denial_recorder;
mod directory;
mod directory_requests;
mod export;
mod exported_users;
mod held;
mod import;
mod import_list;
mod inbound_messages;
mod inspect;
mod interruptible;
mod mappings;
mod messages;
mod middleware;
mod paging;
mod partial_message;
mod push;
mod roster_rows;
mod rpc_table;
mod status;
mod supervised_response;
mod transport_statuses;
mod undo;
mod upload_parts;
mod user_imports;
mod user_list;
mod workbook_export;

pub(crate) use audit::AuditHandlers;
pub(crate) use auth_layer::AuthLayer;
pub(crate) use denial_recorder::DenialRecorder;
pub(crate) use directory::DirectoryHandlers;
pub(crate) use import::ImportHandlers;
pub(crate) use inbound_messages::WireBytes;
pub(crate) use interruptible::interruptible;
pub(crate) use middleware::{InnerService, Middleware};
pub(crate) use rpc_table::{Rpc, contract_services, path_label, rpc};
pub(crate) use transport_statuses::{
    SMALL_REQUEST_BYTES, bad_timeout, deadline_exceeded, forwarded_headers_differ,
    memory_exhausted, message_too_large, origin_refused, request_too_slow, too_many_health_watches,
    undecodable, unreadable,
};

use std::{future::Future, pin::Pin};

use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use crate::telemetry::request_id;
use caller::Caller;

/// How a call ends.
type CallResult<T> = Result<Response<T>, Status>;

/// The messages of a response that is a stream.
type ResponseMessages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Serves a call with one request message, in a task of its own; see [`detached`].
async fn serve<H, Q, A, F>(
    handlers: &H,
    request: Request<Q>,
    handle: impl FnOnce(H, Caller, Q) -> F,
) -> CallResult<A>
where
    H: Clone,
    A: Send + 'static,
    F: Future<Output = Result<A, Status>> + Send + 'static,
{
    let caller = Caller::of(&request)?;
    let handling = handle(handlers.clone(), caller, request.into_inner());
    Ok(Response::new(detached(handling).await?))
}

/// Runs database work in a task of its own: a client that hangs up must not leave a pooled connection
/// inside a transaction (sqlx issues 4385 and 4393).
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    let work = request_id::serving(request_id::current(), work.in_current_span());
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(status::internal(&error)),
    }
}

/// Runs a long computation on a thread for blocking work.
async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let computed = tokio::task::spawn_blocking(work).await;
    computed.map_err(|error| status::internal(&error))
}
