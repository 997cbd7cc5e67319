//! Long computations do not run on the threads that serve all calls (safety.md, CPU).

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use tokio::{runtime::Builder, task::yield_now};
use tonic::{Code, Status};
use user_import::proto::{
    DeactivateMissing, ExportUsersRequest, ImportStart, ListUsersRequest, Role,
};

use user_import_testing::{App, Database, catalog, roster, start_of};

/// A role that no catalog has. It is compared with every role of the catalog until the call's budget is used up.
const UNKNOWN: &str = "ABCDEFGHIJKLMNOPQRST";

/// Returns how long `work` took, and the longest time for which the only thread of this runtime did nothing else.
async fn stalled(work: impl Future<Output = ()>) -> [Duration; 2] {
    let begun = Instant::now();
    let (mut last, mut longest) = (begun, Duration::ZERO);
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => return [begun.elapsed(), longest],
            () = yield_now() => {
                longest = longest.max(last.elapsed());
                last = Instant::now();
            }
        }
    }
}

fn expect_unknown<T>(result: Result<T, Status>) {
    let status = result.err().expect("nobody knows the role");
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
}

async fn list(app: &App, role: &str) -> Result<(), Status> {
    let request = ListUsersRequest {
        organization: "pd".to_owned(),
        role: role.to_owned(),
        ..ListUsersRequest::default()
    };
    app.directory().list_users(request).await.map(drop)
}

async fn export(app: &App) -> Result<(), Status> {
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        role: UNKNOWN.to_owned(),
        ..ExportUsersRequest::default()
    };
    app.directory().export_users(request).await.map(drop)
}

async fn sync(app: &App) -> Result<(), Status> {
    let start = ImportStart {
        validate_only: true,
        deactivate_missing: Some(DeactivateMissing {
            only_roles: vec![UNKNOWN.to_owned()],
            ..DeactivateMissing::default()
        }),
        ..start_of("pd")
    };
    let imported = app.import_with(start, roster().people(["ada"])).await;
    Err(imported.status)
}

/// Returns `true` if a call with an unknown name blocked the thread for less than half of the time that the search for
/// the nearest name took. `known` is the time of a call with a known name.
fn searched_elsewhere([took, longest]: [Duration; 2], known: Duration) -> bool {
    2 * longest < took.saturating_sub(known)
}

/// A busy machine sometimes blocks every thread, so one good measurement of several is enough.
#[test]
fn unknown_names_beside_a_large_catalog_hold_up_no_other_call() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::start(Database::Sqlite).await;
        let mut catalog = catalog();
        catalog.roles.extend((0..4_800).map(|number| Role {
            name: format!("{number:020}"),
            ..Role::default()
        }));
        app.catalog("pd", catalog).await;
        let (mut good, mut seen) = ([false; 3], Vec::new());
        for _ in 0..10 {
            let [known, _] = stalled(async { list(&app, "Officer").await.unwrap() }).await;
            let measured = [
                stalled(async { expect_unknown(list(&app, UNKNOWN).await) }).await,
                stalled(async { expect_unknown(export(&app).await) }).await,
                stalled(async { expect_unknown(sync(&app).await) }).await,
            ];
            for (good, measured) in good.iter_mut().zip(measured) {
                *good |= searched_elsewhere(measured, known);
            }
            if good == [true; 3] {
                return;
            }
            seen.push((known, measured));
        }
        panic!("{seen:#?}");
    });
}
