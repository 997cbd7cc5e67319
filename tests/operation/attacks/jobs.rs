//! Eight jobs that import into one organisation, beside another tenant.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tonic::Code;
use tonic_types::StatusExt;
use user_import::domain::Permission;

use super::attacked_server::{AttackedServer, SlowedWork, expect_twice_at_most};
use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![eight_jobs_of_one_organisation_leave_another_tenant_its_usual_times];

/// Imports new users without end, and retries when the server asks for that. Counts the imports that succeeded.
async fn push(job: App, name: String, done: Arc<AtomicU64>) {
    for round in 0.. {
        let names = [0, 1, 2].map(|n| format!("{name}-{round}-{n}"));
        let people = roster().people(names.iter().map(String::as_str));
        let pushed = job.import_with(start_of("pd"), people).await;
        let code = pushed.code();
        // The server asks the job to retry, or says that there are too many imports.
        assert!(
            matches!(code, Code::Ok | Code::Aborted | Code::ResourceExhausted),
            "{pushed}"
        );
        done.fetch_add(u64::from(code == Code::Ok), Relaxed);
        let wait = pushed.status.get_details_retry_info();
        if let Some(wait) = wait.and_then(|info| info.retry_delay) {
            tokio::time::sleep(wait).await;
        }
    }
}

async fn measure(database: Database) -> Vec<SlowedWork> {
    let attacked_server = Box::pin(AttackedServer::start(database, &[])).await;
    let mut jobs = Vec::new();
    for _ in 0..8 {
        jobs.push(
            attacked_server
                .attacker("pd", [Permission::UsersImport])
                .await,
        );
    }
    let done = Arc::new(AtomicU64::new(0));
    let attack = async || {
        let pushing = jobs.iter().enumerate().map(|(number, job)| {
            let name = format!("job{number}");
            push(job.clone_connection(), name, Arc::clone(&done))
        });
        attacked_server.attack_by(pushing)
    };
    let measured = attacked_server.measure(attack).await;
    assert!(done.load(Relaxed) > 0, "the jobs get on meanwhile");
    measured
}

async fn eight_jobs_of_one_organisation_leave_another_tenant_its_usual_times(database: Database) {
    expect_twice_at_most(async || measure(database).await).await;
}
