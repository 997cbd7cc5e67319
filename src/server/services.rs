//! The services that are served: those of the contract, and reflection.

use tonic::{
    codec::CompressionEncoding::{Gzip, Zstd},
    service::Routes,
};

use super::reflection;
use crate::{
    config::Settings,
    import::{Clock, Importer},
    proto::{
        audit_service_server::AuditServiceServer, directory_service_server::DirectoryServiceServer,
        import_service_server::ImportServiceServer,
    },
    rpc::{AuditHandlers, DirectoryHandlers, ImportHandlers},
    store::Store,
};

/// tonic's generated servers have no trait in common.
macro_rules! configured {
    ($server:ident, $handlers:expr, $limits:expr) => {
        $server::new($handlers)
            .accept_compressed(Gzip)
            .accept_compressed(Zstd)
            .send_compressed(Gzip)
            .send_compressed(Zstd)
            .max_decoding_message_size($limits.message_bytes)
    };
}

/// Returns all services except health. They accept both compressions, and use the one that a client asks
/// for.
///
/// # Errors
/// Fails if the contract cannot be described.
pub(super) fn all(
    importer: Importer,
    store: Store,
    clock: Clock,
    settings: &Settings,
) -> anyhow::Result<Routes> {
    let limits = &settings.server;
    let rows = settings.limits.workbook.max_rows;
    let imports = ImportHandlers::new(importer, store.clone());
    let audit = AuditHandlers::new(store.clone(), clock.clone());
    let directory = DirectoryHandlers::new(store, clock, limits.deadlines.idle, rows);
    let mut routes = Routes::builder();
    routes
        .add_service(reflection::service()?)
        .add_service(configured!(ImportServiceServer, imports, limits))
        .add_service(configured!(DirectoryServiceServer, directory, limits))
        .add_service(configured!(AuditServiceServer, audit, limits));
    Ok(routes.routes())
}
