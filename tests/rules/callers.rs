//! `GetCaller` says who the caller is, and what the credential permits.

use user_import::{domain::Permission, proto::GetCallerRequest};
use user_import_testing::{App, Database, on_both_databases, token};

on_both_databases![a_caller_learns_who_it_is_and_what_it_may_do];

async fn a_caller_learns_who_it_is_and_what_it_may_do(database: Database) {
    let app = App::start(database).await;
    for (organization, permissions, shown) in [
        ("pd", &[Permission::UsersImport][..], "pd"),
        (
            "nowhere",
            &[Permission::CatalogWrite, Permission::UsersRead],
            "nowhere",
        ),
        ("*", &Permission::ALL, ""),
    ] {
        let granted = permissions.iter().copied();
        let caller = app.holding(token(organization, granted)).await;
        let answer = caller.directory().get_caller(GetCallerRequest {}).await;
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.organization, shown);
        let mut names: Vec<&str> = permissions.iter().map(|one| one.name()).collect();
        let mut told: Vec<&str> = answer.permissions.iter().map(String::as_str).collect();
        names.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, names);
        assert!(answer.principal.starts_with("token "), "{answer:?}");
        let [expires, now] =
            [answer.expires_at, answer.server_time].map(|time| time.unwrap().seconds);
        assert!(expires > now, "{expires} {now}");
        assert_eq!(answer.server_version, env!("CARGO_PKG_VERSION"));
    }
}
