//! 60 text searches beside another tenant's calls and import; 200,000 users at the scale 50.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tonic::Code;
use user_import::{domain::Permission, proto::ListUsersRequest};

use super::{
    attacked_server::{AttackedServer, SlowedWork, expect_twice_at_most_if_optimised},
    scale,
};
use user_import_testing::{Database, on_both_databases, start_of};

on_both_databases![sixty_searches_leave_another_tenant_its_usual_times];

const USERS: usize = 4_000;

async fn measure(database: Database) -> Vec<SlowedWork> {
    let attacked_server = Box::pin(AttackedServer::start(database, &[])).await;
    let mut csv =
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE\n".to_owned();
    for n in 0..USERS * scale() {
        writeln!(
            csv,
            "E{n},e{n}@pd.example,B{n},Ada,Example,Active,u{n},Officer"
        )
        .unwrap();
    }
    let imported = attacked_server
        .operator
        .import_with(start_of("pd"), csv)
        .await;
    assert_eq!(imported.code(), Code::Ok, "{}", imported.status);
    let reader = attacked_server
        .attacker("pd", [Permission::UsersRead])
        .await;
    let done = Arc::new(AtomicU64::new(0));
    let attack = async || {
        let searches = (0..60).map(|n| {
            let mut directory = reader.directory();
            let request = ListUsersRequest {
                organization: "pd".to_owned(),
                // No user has this text, so that every user is looked at.
                text: format!("nobody {n}"),
                ..ListUsersRequest::default()
            };
            let done = Arc::clone(&done);
            async move {
                loop {
                    // Whether the search was refused or answered, the next one follows.
                    let _ = directory.list_users(request.clone()).await;
                    done.fetch_add(1, Relaxed);
                }
            }
        });
        attacked_server.attack_by(searches)
    };
    let measured = attacked_server.measure(attack).await;
    assert!(done.load(Relaxed) > 0, "searches are asked meanwhile");
    measured
}

async fn sixty_searches_leave_another_tenant_its_usual_times(database: Database) {
    expect_twice_at_most_if_optimised(async || Box::pin(measure(database)).await).await;
}
