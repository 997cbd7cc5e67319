//! The one table of RPCs: the name of each, who may call it, and which limits it has.
//!
//! An RPC that is not listed here is not served. Metrics, traces, health, deadlines and limits take their
//! names and rules from it too.

use crate::{
    domain::Permission::{
        self, CatalogWrite, OrganizationsWrite, UsersApprove, UsersDeactivate, UsersImport,
        UsersRead,
    },
    store::ConnectionLane,
};

/// One RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rpc {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// `package.Service`.
    pub service: &'static str,
    /// Who may call it.
    pub access: RpcAccess,
    /// What it does while the database is away.
    pub outage: OutageBehaviour,
    /// Which limit counts its calls.
    pub limit: CallLimit,
    /// What a client sends.
    pub request: RequestShape,
    /// Which connections to the database it uses. Large pages and searches use the heavy ones in any case.
    pub lane: ConnectionLane,
}

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RpcAccess {
    /// Anybody: probes ask for a server's health without a credential.
    Anybody,
    /// Any caller with a valid credential.
    AnyCaller,
    /// A caller with this permission, for an organisation of the caller's.
    Needs(Permission),
    /// A caller with one of these permissions; the handler may ask for more. The answer to others names the first.
    NeedsOneOf(&'static [Permission]),
}

/// What an RPC does while the database is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutageBehaviour {
    /// Waits for the database, for a bounded time.
    Waits,
    /// Fails at once.
    Fails,
}

/// Which limit counts the calls of an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallLimit {
    /// Only the limits of the connection.
    Uncounted,
    /// The limit of calls about one organisation.
    Call,
    /// The limit of imports; see `crate::import`.
    Import,
    /// The limit of exports.
    Export,
    /// The limit of watches.
    Watch,
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestShape {
    /// One message that never needs more than 1 KiB.
    Small,
    /// One message, within the server's limit.
    Message,
    /// Any number of messages.
    Stream,
    /// Any number of messages that never need more than 1 KiB each.
    SmallStream,
}

use CallLimit::{Call, Export, Import, Uncounted, Watch};
use ConnectionLane::{Heavy, Imports, Interactive};
use OutageBehaviour::{Fails, Waits};
use RequestShape::{Message, Small, SmallStream, Stream};
use RpcAccess::{AnyCaller, Anybody, Needs, NeedsOneOf};

macro_rules! table {
    ($($service:literal {
        $($method:ident $access:expr, $outage:ident, $limit:ident, $request:ident, $lane:ident;)*
    })*) => {
        &[$($(Rpc {
            path: concat!("/", $service, "/", stringify!($method)),
            service: $service,
            access: $access,
            outage: $outage,
            limit: $limit,
            request: $request,
            lane: $lane,
        },)*)*]
    };
}

/// `WatchImport` needs no `users.read` from the caller who sent the import in parts, because that caller has no other way
/// to the results.
const WATCHERS: &[Permission] = &[UsersRead, UsersImport];

/// A mapping names no users. A caller who imports may see how the file is read, and a caller who saves mappings may see
/// them.
const READERS_OF_MAPPINGS: &[Permission] = &[CatalogWrite, UsersRead, UsersImport];

/// `start` and the handlers may ask for more: for an import that deactivates users or shows values, and for a
/// catalog that changes which roles are privileged. `SetUserProtected` needs `users.deactivate`, because protection
/// decides which users an import deactivates.
const TABLE: &[Rpc] = table! {
    "userimport.v1.ImportService" {
        ImportUsers          Needs(UsersImport),                  Waits, Import,    Stream,      Imports;
        PushUsers            Needs(UsersImport),                  Waits, Import,    Message,     Imports;
        BeginImport          Needs(UsersImport),                  Waits, Call,      Message,     Imports;
        AppendImport         Needs(UsersImport),                  Waits, Call,      Message,     Imports;
        FinishImport         Needs(UsersImport),                  Waits, Call,      Message,     Imports;
        WatchImport          NeedsOneOf(WATCHERS),                Waits, Watch,     Message,     Imports;
        ReviewImport         Needs(UsersApprove),                 Waits, Import,    Message,     Imports;
        ApproveImport        Needs(UsersApprove),                 Waits, Import,    Message,     Imports;
        CancelImport         Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
        UndoImport           Needs(UsersImport),                  Waits, Import,    Message,     Imports;
        GetImportTemplate    Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
        InspectRoster        Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
        ReadRosterRows       Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
        GetImport            Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        ListImports          Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        ListUserImports      Needs(UsersRead),                    Fails, Call,      Message,     Heavy;
    }
    "userimport.v1.DirectoryService" {
        CreateOrganization   Needs(OrganizationsWrite),           Fails, Call,      Message,     Interactive;
        GetOrganization      Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        ListOrganizations    Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        GetCatalog           Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        UpdateCatalog        Needs(CatalogWrite),                 Fails, Call,      Message,     Heavy;
        GetUser              Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        ListUsers            Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        ExportUsers          Needs(UsersRead),                    Fails, Export,    Message,     Heavy;
        SetUserProtected     Needs(UsersDeactivate),              Fails, Call,      Message,     Interactive;
        ListMappings         NeedsOneOf(READERS_OF_MAPPINGS),     Fails, Call,      Message,     Interactive;
        SaveMapping          Needs(CatalogWrite),                 Fails, Call,      Message,     Interactive;
        DeleteMapping        Needs(CatalogWrite),                 Fails, Call,      Message,     Interactive;
        GetCaller            NeedsOneOf(&Permission::ALL),        Fails, Call,      Message,     Interactive;
    }
    "userimport.v1.AuditService" {
        ListAuditEvents      Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
        RecordAuditArchive   Needs(OrganizationsWrite),           Fails, Call,      Message,     Interactive;
    }
    "grpc.health.v1.Health" {
        Check                Anybody,                             Fails, Uncounted, Small,       Interactive;
        List                 Anybody,                             Fails, Uncounted, Small,       Interactive;
        Watch                Anybody,                             Fails, Uncounted, Small,       Interactive;
    }
    "grpc.reflection.v1.ServerReflection" {
        ServerReflectionInfo AnyCaller,                           Fails, Uncounted, SmallStream, Interactive;
    }
    "grpc.reflection.v1alpha.ServerReflection" {
        ServerReflectionInfo AnyCaller,                           Fails, Uncounted, SmallStream, Interactive;
    }
};

/// Begins the name of every service of the contract.
const PACKAGE: &str = "userimport.";

/// Returns the RPC at `path`, or `None` if there is no such RPC.
#[must_use]
pub(crate) fn rpc(path: &str) -> Option<&'static Rpc> {
    TABLE.iter().find(|rpc| rpc.path == path)
}

/// Returns the RPC's path as a label of metrics and traces: `other` for a path that is no RPC, so that there
/// are few labels.
#[must_use]
pub(crate) fn path_label(path: &str) -> &'static str {
    rpc(path).map_or("other", |rpc| rpc.path)
}

/// Returns the services of the contract.
pub(crate) fn contract_services() -> impl Iterator<Item = &'static str> {
    let services = TABLE.chunk_by(|one, next| one.service == next.service);
    let names = services.map(|rpcs| rpcs[0].service);
    names.filter(|service| service.starts_with(PACKAGE))
}

impl Rpc {
    /// Returns `true` if a client sends more than one message.
    #[must_use]
    pub(crate) const fn has_request_stream(&self) -> bool {
        matches!(self.request, Stream | SmallStream)
    }

    /// Returns `true` if no message of a client needs more than 1 KiB.
    #[must_use]
    pub(crate) const fn has_small_requests(&self) -> bool {
        matches!(self.request, Small | SmallStream)
    }

    /// Returns `true` if the RPC is part of the contract, and not of health or reflection.
    #[must_use]
    pub(crate) fn is_of_contract(&self) -> bool {
        self.service.starts_with(PACKAGE)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    /// Each RPC of the contract, and whether its requests are a stream.
    fn contract() -> Vec<(String, bool)> {
        let files = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap().file;
        let mut rpcs = Vec::new();
        for file in files {
            let package = file.package.as_deref().unwrap();
            for service in &file.service {
                let path = |method: &str| format!("/{package}.{}/{method}", service.name());
                let methods = service.method.iter();
                rpcs.extend(methods.map(|m| (path(m.name()), m.client_streaming())));
            }
        }
        rpcs
    }

    #[test]
    fn every_rpc_of_the_contract_needs_a_permission_and_is_counted() {
        let contract = contract();
        assert!(contract.len() >= 15, "{contract:?}");
        for (path, is_stream) in contract {
            let rpc = rpc(&path).expect(&path);
            assert!(matches!(rpc.access, Needs(_) | NeedsOneOf(_)), "{path}");
            assert_ne!(rpc.limit, Uncounted, "{path}");
            assert_eq!(path_label(&path), path);
            assert_eq!(rpc.has_request_stream(), is_stream, "{path}");
        }
    }

    #[test]
    fn no_rpc_is_in_the_table_twice_or_without_being_served() {
        let contract = contract();
        for rpc in TABLE {
            let same = TABLE.iter().filter(|other| other.path == rpc.path);
            assert_eq!(same.count(), 1, "{}", rpc.path);
            let is_known = contract.iter().any(|(path, _)| path == rpc.path);
            assert!(is_known == rpc.is_of_contract(), "{}", rpc.path);
        }
    }

    #[test]
    fn an_unknown_path_is_not_served() {
        for path in [
            "",
            "/",
            "/userimport.v1.ImportService/",
            "/userimport.v1.ImportService/importusers",
            "/userimport.v1.ImportService/ImportUsers/",
            "/userimport.v1.ImportService/ListUsers",
            "/userimport.v2.ImportService/ImportUsers",
            "/x/grpc.health.v1.Health/Check",
            "/grpc.health.v1.Health/",
        ] {
            assert_eq!((rpc(path), path_label(path)), (None, "other"), "{path}");
        }
    }
}
