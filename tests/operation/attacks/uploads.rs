//! 40 streams that begin and then send nothing.

use user_import::proto::import_users_request::Message;

use super::attacked_server::{AttackedServer, OngoingAttack, SlowedWork, expect_twice_at_most};
use user_import_testing::{Database, on_both_databases, start_of};

on_both_databases![streams_that_only_begin_leave_another_tenant_its_usual_times];

/// Begins 40 streams that stay open: eight of each tenant.
async fn begin(attacked_server: &AttackedServer) -> OngoingAttack {
    let mut calls = Vec::new();
    for tenant in 0..5 {
        let slug = format!("tenant-{tenant}");
        attacked_server.operator.organization(&slug).await;
        let importer = attacked_server
            .attacker(&slug, [user_import::domain::Permission::UsersImport])
            .await;
        for _ in 0..8 {
            let call = importer.call().await;
            call.send(Message::Start(start_of(&slug))).await;
            calls.push(call);
        }
    }
    attacked_server.attack_by([async move {
        let _calls = calls;
        std::future::pending::<()>().await;
    }])
}

async fn measure(database: Database) -> Vec<SlowedWork> {
    let attacked_server = Box::pin(AttackedServer::start(database, &[])).await;
    attacked_server
        .measure(async || begin(&attacked_server).await)
        .await
}

async fn streams_that_only_begin_leave_another_tenant_its_usual_times(database: Database) {
    expect_twice_at_most(async || measure(database).await).await;
}
