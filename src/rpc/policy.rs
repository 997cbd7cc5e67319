//! What each RPC needs and may take up: the one table. What is not in it is not served.

use crate::{
    domain::Permission::{
        self, CatalogWrite, OrganizationsWrite, UsersDeactivate, UsersImport, UsersRead,
    },
    store::ConnectionLane,
};

/// One RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rpc {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it does while the database is away.
    pub patience: Patience,
    /// As what it is counted.
    pub place: Place,
    /// What a client sends.
    pub request: Request,
    /// Which connections to the database it uses. Pages that are large, and searches, are heavy in any case.
    pub lane: ConnectionLane,
}

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: probes ask for a server's health without a credential.
    Anybody,
    /// Any caller who is recognised.
    AnyCaller,
    /// A caller with this permission, for an organisation of theirs.
    Needs(Permission),
    /// The same with the first of these permissions; with the second the handler looks closer.
    NeedsEither(Permission, Permission),
}

/// What an RPC does while the database is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Waits for it, for a bounded time.
    Waits,
    /// Says so at once.
    Fails,
}

/// What bounds the number of calls under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The connection alone.
    Uncounted,
    /// Calls about one organisation.
    Call,
    /// Imports; see `crate::import`.
    Import,
    /// Exports.
    Export,
    /// Watches.
    Watch,
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// One message that never needs more than 1 KiB.
    Small,
    /// One message, within the server's limit.
    Message,
    /// Any number of messages.
    Stream,
    /// Any number of messages that never need more than 1 KiB each.
    SmallStream,
}

use Access::{AnyCaller, Anybody, Needs, NeedsEither};
use ConnectionLane::{Heavy, Imports, Interactive};
use Patience::{Fails, Waits};
use Place::{Call, Export, Import, Uncounted, Watch};
use Request::{Message, Small, SmallStream, Stream};

macro_rules! table {
    ($($path:literal $access:expr, $patience:ident, $place:ident, $request:ident, $lane:ident;)*) => {
        &[$(Rpc {
            path: concat!("/", $path),
            access: $access,
            patience: $patience,
            place: $place,
            request: $request,
            lane: $lane,
        }),*]
    };
}

/// `start` and the handlers may ask for more: an import that deactivates or shows values, a catalog that
/// changes which roles are privileged. `WatchImport` needs no `users.read` from whoever sent the import in
/// parts, who has no other way to its results. Who is protected decides whom an import deactivates.
const TABLE: &[Rpc] = table! {
    "userimport.v1.ImportService/ImportUsers"           Needs(UsersImport),                  Waits, Import,    Stream,      Imports;
    "userimport.v1.ImportService/BeginImport"           Needs(UsersImport),                  Waits, Call,      Message,     Imports;
    "userimport.v1.ImportService/AppendImport"          Needs(UsersImport),                  Waits, Call,      Message,     Imports;
    "userimport.v1.ImportService/FinishImport"          Needs(UsersImport),                  Waits, Call,      Message,     Imports;
    "userimport.v1.ImportService/WatchImport"           NeedsEither(UsersRead, UsersImport), Waits, Watch,     Message,     Imports;
    "userimport.v1.ImportService/CancelImport"          Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
    "userimport.v1.ImportService/GetImportTemplate"     Needs(UsersImport),                  Fails, Call,      Message,     Interactive;
    "userimport.v1.ImportService/GetImport"             Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.ImportService/ListImports"           Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/CreateOrganization" Needs(OrganizationsWrite),           Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/GetOrganization"    Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/ListOrganizations"  Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/GetCatalog"         Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/UpdateCatalog"      Needs(CatalogWrite),                 Fails, Call,      Message,     Heavy;
    "userimport.v1.DirectoryService/GetUser"            Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/ListUsers"          Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "userimport.v1.DirectoryService/ExportUsers"        Needs(UsersRead),                    Fails, Export,    Message,     Heavy;
    "userimport.v1.DirectoryService/SetUserProtected"   Needs(UsersDeactivate),              Fails, Call,      Message,     Interactive;
    "userimport.v1.AuditService/ListAuditEvents"        Needs(UsersRead),                    Fails, Call,      Message,     Interactive;
    "grpc.health.v1.Health/Check"                       Anybody,                             Fails, Uncounted, Small,       Interactive;
    "grpc.health.v1.Health/List"                        Anybody,                             Fails, Uncounted, Small,       Interactive;
    "grpc.health.v1.Health/Watch"                       Anybody,                             Fails, Uncounted, Small,       Interactive;
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
                                                        AnyCaller,                           Fails, Uncounted, SmallStream, Interactive;
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
                                                        AnyCaller,                           Fails, Uncounted, SmallStream, Interactive;
};

/// The RPC at `path`; `None`: there is no such RPC.
#[must_use]
pub fn rpc(path: &str) -> Option<&'static Rpc> {
    TABLE.iter().find(|rpc| rpc.path == path)
}

impl Rpc {
    /// `true` if a client sends more than one message.
    #[must_use]
    pub const fn has_request_stream(&self) -> bool {
        matches!(self.request, Stream | SmallStream)
    }

    /// `true` if no message of a client needs more than 1 KiB.
    #[must_use]
    pub const fn has_small_requests(&self) -> bool {
        matches!(self.request, Small | SmallStream)
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
            assert!(matches!(rpc.access, Needs(_) | NeedsEither(..)), "{path}");
            assert_ne!(rpc.place, Uncounted, "{path}");
            assert_eq!(rpc.has_request_stream(), is_stream, "{path}");
        }
    }

    #[test]
    fn nothing_stands_in_the_table_twice_or_without_being_served() {
        let contract = contract();
        for rpc in TABLE {
            let same = TABLE.iter().filter(|other| other.path == rpc.path);
            assert_eq!(same.count(), 1, "{}", rpc.path);
            let is_known = contract.iter().any(|(path, _)| path == rpc.path);
            assert!(is_known || rpc.path.starts_with("/grpc."), "{}", rpc.path);
        }
    }

    #[test]
    fn what_is_no_rpc_is_not_served() {
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
            assert_eq!(rpc(path), None, "{path}");
        }
    }
}
