//! What each RPC needs: the one table. What is not in it is not served.

use crate::domain::Permission;

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody: whoever looks after servers asks for their health without a credential.
    Anybody,
    /// Any caller who is recognised.
    AnyCaller,
    /// A caller with this permission, for an organisation of his or her own.
    Needs(Permission),
    /// The same with the first of these permissions; with the second the handler looks closer.
    NeedsEither(Permission, Permission),
}

use Permission::{
    CatalogWrite, OrganizationsWrite, UsersDeactivate, UsersImport, UsersRead as Read,
};

const IMPORTS: &str = "/userimport.v1.ImportService/";
const DIRECTORY: &str = "/userimport.v1.DirectoryService/";
const AUDIT: &str = "/userimport.v1.AuditService/ListAuditEvents";

const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// The rule for the RPC at `path` (`/package.Service/Method`); `None`: there is no such RPC.
#[must_use]
pub fn rule(path: &str) -> Option<Rule> {
    if path.starts_with(HEALTH) {
        return Some(Rule::Anybody);
    }
    if REFLECTION.iter().any(|prefix| path.starts_with(prefix)) {
        return Some(Rule::AnyCaller);
    }
    if path == AUDIT {
        return Some(Rule::Needs(Read));
    }
    if path.strip_prefix(IMPORTS) == Some("WatchImport") {
        // Whoever has sent an import in parts has no other way to its results.
        return Some(Rule::NeedsEither(Read, UsersImport));
    }
    let imports = || path.strip_prefix(IMPORTS).and_then(of_imports);
    let directory = || path.strip_prefix(DIRECTORY).and_then(of_directory);
    imports().or_else(directory).map(Rule::Needs)
}

/// True where the RPC at `path` has more than one request.
#[must_use]
pub fn is_request_stream(path: &str) -> bool {
    path.strip_prefix(IMPORTS) == Some("ImportUsers")
        || REFLECTION.iter().any(|prefix| path.starts_with(prefix))
}

fn of_imports(method: &str) -> Option<Permission> {
    Some(match method {
        // What is asked for in `start` may need more: `import::Options`.
        "ImportUsers" | "BeginImport" | "AppendImport" | "FinishImport" | "CancelImport"
        | "GetImportTemplate" => UsersImport,
        "GetImport" | "ListImports" => Read,
        _ => return None,
    })
}

fn of_directory(method: &str) -> Option<Permission> {
    Some(match method {
        "CreateOrganization" => OrganizationsWrite,
        // A catalog that changes which roles are privileged needs `users.grant-privileged` too.
        "UpdateCatalog" => CatalogWrite,
        "GetOrganization" | "ListOrganizations" | "GetCatalog" | "GetUser" | "ListUsers"
        | "ExportUsers" => Read,
        // Who is protected decides whom an import deactivates.
        "SetUserProtected" => UsersDeactivate,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    fn paths() -> Vec<String> {
        let files = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap().file;
        let mut paths = Vec::new();
        for file in files {
            for service in file.service {
                let service_name =
                    format!("/{}.{}/", file.package.as_deref().unwrap(), service.name());
                let methods = service.method.iter();
                paths.extend(methods.map(|method| service_name.clone() + method.name()));
            }
        }
        paths
    }

    #[test]
    fn every_rpc_needs_a_permission() {
        let paths = paths();
        assert!(paths.len() >= 15, "{paths:?}");
        for path in paths {
            let rule = rule(&path);
            let needs = matches!(rule, Some(Rule::Needs(_) | Rule::NeedsEither(..)));
            assert!(needs, "{path}");
        }
    }

    #[test]
    fn streams_of_requests_are_told_from_single_ones() {
        let files = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap().file;
        let services = files.iter().flat_map(|file| &file.service);
        for method in services.flat_map(|service| &service.method) {
            let path = paths()
                .into_iter()
                .find(|path| path.ends_with(method.name()));
            let is_stream = is_request_stream(&path.unwrap());
            assert_eq!(is_stream, method.client_streaming(), "{}", method.name());
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
        ] {
            assert_eq!(rule(path), None, "{path}");
        }
    }
}
