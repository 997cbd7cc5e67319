//! The cost of an import is proportional to its rows, even if its rows depend on each other (architecture.md, Judging
//! is a worklist).

use std::time::{Duration, Instant};

use user_import::domain::Column::{BadgeNumber, Phone};

use futures_util::future::join_all;

use user_import_testing::{App, Database, Roster, on_both_databases, roster, start_of};

on_both_databases![
    ten_times_the_rows_take_no_more_than_twenty_five_times_as_long,
    a_long_chain_of_badge_numbers_falls_as_one,
    a_long_rotation_of_badge_numbers_is_written_as_one,
    a_directory_is_read_whole_however_many_there_are,
    more_imports_at_once_than_may_overlap_are_all_written,
];

/// Returns people whose badge numbers are their own number plus `by`. After `limit`, badge numbers begin again at the
/// start.
fn shifted(count: usize, by: usize, limit: usize) -> Roster {
    (0..count).fold(roster(), |roster, n| {
        let badge = format!("{}", (n + by) % limit);
        let phone = if n + 1 == count && by > 0 && limit > count {
            "12"
        } else {
            ""
        };
        roster.row(&format!("u{n}"), [(BadgeNumber, &*badge), (Phone, phone)])
    })
}

async fn time(app: &App, roster: Roster) -> Duration {
    let csv = roster.csv();
    let begun = Instant::now();
    let imported = app.import(csv).await;
    let passed = begun.elapsed();
    assert_eq!(imported.summary().rejected, 0, "{imported}");
    passed
}

async fn ten_times_the_rows_take_no_more_than_twenty_five_times_as_long(database: Database) {
    let small = App::start(database).await;
    let large = App::start(database).await;
    let (few, many) = (1_000, 10_000);
    let mut ratio = f64::INFINITY;
    // The shorter of two times, because other programs may keep the machine busy.
    for by in 0..2 {
        let one = time(&small, shifted(few, by, few)).await;
        let ten = time(&large, shifted(many, by, many)).await;
        ratio = ratio.min(ten.as_secs_f64() / one.as_secs_f64());
    }
    assert!(
        ratio < 25.0,
        "ten times the rows took {ratio:.1} times as long"
    );
}

/// Length of the chains. If each step looked at all rows, these tests would take hours.
const LONG: usize = 20_000;

async fn a_long_chain_of_badge_numbers_falls_as_one(database: Database) {
    let app = App::start(database).await;
    app.import(shifted(LONG, 0, LONG + 1)).await;
    // Each row takes the value that the next row frees. The last row is rejected, and therefore all of them.
    let imported = app.import(shifted(LONG, 1, LONG + 1)).await;
    assert_eq!(imported.summary().rejected as usize, LONG);
}

async fn a_long_rotation_of_badge_numbers_is_written_as_one(database: Database) {
    let app = App::start(database).await;
    app.import(shifted(LONG, 0, LONG)).await;
    let imported = app.import(shifted(LONG, 1, LONG)).await;
    assert_eq!(imported.summary().updated as usize, LONG);
}

/// Tries the number of users that are handed over at once, one less, one more and twice as many. Users of other
/// organisations are in the same table.
async fn a_directory_is_read_whole_however_many_there_are(database: Database) {
    let app = App::start(database).await;
    for count in [511, 512, 513, 1_024] {
        let organization = format!("pd-{count}");
        app.organization(&organization).await;
        let people = || shifted(count, 0, count).csv();
        let made = app.import_with(start_of(&organization), people()).await;
        assert_eq!(made.summary().created as usize, count, "{made}");
        let again = app.import_with(start_of(&organization), people()).await;
        assert_eq!(again.summary().unchanged as usize, count, "{again}");
    }
}

/// Each import has several transactions. Four imports may overlap their transactions.
async fn more_imports_at_once_than_may_overlap_are_all_written(database: Database) {
    let app = App::start(database).await;
    let organizations: Vec<_> = (0..9).map(|n| format!("pd-{n}")).collect();
    for organization in &organizations {
        app.organization(organization).await;
    }
    for (by, of) in [(0, "created"), (1, "updated")] {
        let imports = organizations.iter().map(|organization| {
            let people = shifted(3_000, by, 3_000).csv();
            app.import_with(start_of(organization), people)
        });
        for imported in join_all(imports).await {
            let summary = imported.summary();
            let written = if by == 0 {
                summary.created
            } else {
                summary.updated
            };
            assert_eq!(written, 3_000, "{of}: {imported}");
        }
    }
}
