//! Each RPC needs one permission, and a caller with all others is refused.

use tonic::Code;
use user_import::{domain::Permission, proto::ImportStart};

use user_import_testing::{
    App, Database, every_missing_user, on_both_databases, roster,
    rpcs::{self, answer, call, is_admitted, status_line},
    start_of, token,
};

on_both_databases![
    each_rpc_needs_its_permission_and_no_other_will_do,
    a_token_without_permissions_opens_nothing,
    values_are_for_those_who_may_read_users,
    deactivating_the_missing_is_for_those_who_may_deactivate,
];

/// Returns the permission that the RPC needs, or those of which it needs one, as the documentation has them.
fn needed(path: &str) -> Vec<Permission> {
    let permission = match rpcs::name(path) {
        "ImportUsers" | "PushUsers" | "BeginImport" | "AppendImport" | "FinishImport"
        | "CancelImport" | "UndoImport" | "GetImportTemplate" | "InspectRoster"
        | "ReadRosterRows" => Permission::UsersImport,
        "WatchImport" | "GetImport" | "ListImports" | "ListUserImports" | "GetOrganization"
        | "ListOrganizations" | "GetCatalog" | "GetUser" | "ListUsers" | "ExportUsers"
        | "ListAuditEvents" => Permission::UsersRead,
        "SetUserProtected" => Permission::UsersDeactivate,
        "ReviewImport" | "ApproveImport" => Permission::UsersApprove,
        "UpdateCatalog" | "SaveMapping" | "DeleteMapping" => Permission::CatalogWrite,
        "ListMappings" => {
            return vec![
                Permission::CatalogWrite,
                Permission::UsersRead,
                Permission::UsersImport,
            ];
        }
        "GetCaller" => return Permission::ALL.to_vec(),
        "CreateOrganization" | "RecordAuditArchive" => Permission::OrganizationsWrite,
        other => panic!("{other} is new: say what it needs"),
    };
    vec![permission]
}

async fn each_rpc_needs_its_permission_and_no_other_will_do(database: Database) {
    let app = App::start(database).await;
    for path in rpcs::all() {
        let one_of = needed(&path);
        for &needed in &one_of {
            let alone = app.holding(token("pd", [needed])).await;
            let admitted = call(&alone, &path, "pd").await;
            assert!(is_admitted(&admitted), "{path} {needed}: {admitted:?}");
        }

        let needed = one_of[0];
        let others = Permission::ALL.into_iter().filter(|p| !one_of.contains(p));
        let without = app.holding(token("pd", others)).await;
        let denied = format!(
            "PermissionDenied PERMISSION_MISSING: This needs the permission {needed}, which this \
             credential does not have."
        );
        assert_eq!(answer(&without, &path, "pd").await, denied, "{path}");
        // The answer is the same for every organisation, because a missing permission is found before the organisation
        // is looked up.
        assert_eq!(answer(&without, &path, "nowhere").await, denied, "{path}");
    }
}

async fn a_token_without_permissions_opens_nothing(database: Database) {
    let app = App::start(database).await;
    for organization in ["pd", "*"] {
        let caller = app.holding(token(organization, [])).await;
        for path in rpcs::all() {
            let status = call(&caller, &path, "pd").await.unwrap_err();
            assert_eq!(status.code(), Code::PermissionDenied, "{path}");
        }
    }
}

async fn values_are_for_those_who_may_read_users(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        include_values: true,
        ..start_of("pd")
    };
    let people = || roster().people(["ada"]);
    let import = [Permission::UsersImport];
    let writer = app.holding(token("pd", import)).await;
    let denied = writer.import_with(start.clone(), people()).await;
    insta::assert_snapshot!(status_line(&denied.status), @"PermissionDenied PERMISSION_MISSING: This needs the permission users.read, which this credential does not have.");
    assert!(denied.summary.is_none() && denied.results.is_empty());

    let both = [Permission::UsersImport, Permission::UsersRead];
    let reader = app.holding(token("pd", both)).await;
    let told = reader.import_with(start, people()).await;
    assert_eq!(told.summary().created, 1, "{told}");
}

async fn deactivating_the_missing_is_for_those_who_may_deactivate(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let people = || roster().people(["ada"]);
    for validate_only in [true, false] {
        let start = ImportStart {
            validate_only,
            max_deactivations: Some(1),
            deactivate_missing: Some(every_missing_user()),
            ..start_of("pd")
        };
        let writer = app.holding(token("pd", [Permission::UsersImport])).await;
        let denied = writer.import_with(start.clone(), people()).await;
        assert_eq!(
            status_line(&denied.status),
            "PermissionDenied PERMISSION_MISSING: This needs the permission users.deactivate, \
             which this credential does not have."
        );
        assert!(denied.summary.is_none(), "{denied}");
        let both = [Permission::UsersImport, Permission::UsersDeactivate];
        let allowed = app.holding(token("pd", both)).await;
        let done = allowed.import_with(start, people()).await;
        assert_eq!(done.summary().deactivated, 1, "{done}");
    }
}
