//! The services that are served: those of the contract, and reflection.

use tonic::{
    codec::CompressionEncoding::{Gzip, Zstd},
    service::Routes,
};

use super::reflection::{self, ReflectionV1Alpha};
use crate::{
    import::{Clock, Importer},
    limits::ServerLimits,
    proto::{
        audit_service_server::AuditServiceServer, directory_service_server::DirectoryServiceServer,
        import_service_server::ImportServiceServer,
    },
    rpc::{AuditHandlers, DirectoryHandlers, ImportHandlers},
    store::Store,
};

/// Returns all services except health. They accept both compressions, and use the one that a client asks
/// for.
///
/// # Errors
/// Fails if the contract cannot be described.
pub(super) fn all(
    importer: Importer,
    store: Store,
    clock: Clock,
    limits: &ServerLimits,
) -> anyhow::Result<Routes> {
    let imports = ImportServiceServer::new(ImportHandlers::new(importer, store.clone()))
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .send_compressed(Gzip)
        .send_compressed(Zstd)
        .max_decoding_message_size(limits.message_bytes);
    let audit = AuditServiceServer::new(AuditHandlers::new(store.clone()))
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .send_compressed(Gzip)
        .send_compressed(Zstd)
        .max_decoding_message_size(limits.message_bytes);
    let directory =
        DirectoryServiceServer::new(DirectoryHandlers::new(store, clock, limits.deadlines.idle))
            .accept_compressed(Gzip)
            .accept_compressed(Zstd)
            .send_compressed(Gzip)
            .send_compressed(Zstd)
            .max_decoding_message_size(limits.message_bytes);
    let reflection = reflection::service()?;
    let mut routes = Routes::builder();
    routes
        .add_service(reflection.clone())
        .add_service(ReflectionV1Alpha(reflection))
        .add_service(imports)
        .add_service(directory)
        .add_service(audit);
    Ok(routes.routes())
}
