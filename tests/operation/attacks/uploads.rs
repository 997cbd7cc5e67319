//! 40 streams that begin and then send nothing.

use user_import::proto::import_users_request::Message;

use super::besieged::Besieged;
use user_import_testing::{Database, on_both_databases, start_of};

on_both_databases![streams_that_only_begin_take_no_place_from_another_tenant];

async fn streams_that_only_begin_take_no_place_from_another_tenant(database: Database) {
    let besieged = Besieged::start(database, &[]).await;
    let mut calls = Vec::new();
    for tenant in 0..5 {
        let slug = format!("tenant-{tenant}");
        besieged.operator.organization(&slug).await;
        let importer = besieged
            .caller(&slug, [user_import::domain::Permission::UsersImport])
            .await;
        for _ in 0..8 {
            let call = importer.call().await;
            call.send(Message::Start(start_of(&slug))).await;
            calls.push(call);
        }
    }
    besieged.expect_unharmed().await;
    drop(calls);
}
