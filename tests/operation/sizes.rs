//! The operator sets the largest size of a record and of a field. The limits of CSV and of typed rows are the same, to
//! the byte.

use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{self, Location, Phone, Rank},
    input::InputLimits,
    proto::IssueCode,
};

use user_import_testing::{App, Database, ImportResponses, Roster, on_both_databases, roster};

on_both_databases![
    a_field_of_the_size_that_is_set_is_read_and_a_longer_one_rejects_its_row,
    a_record_of_the_size_that_is_set_is_read_and_a_longer_one_refuses_the_import,
    larger_sizes_than_the_defaults_can_be_set,
];

async fn app(database: Database, max_record_bytes: usize, max_field_bytes: usize) -> App {
    let settings = Settings {
        limits: InputLimits {
            max_record_bytes,
            max_field_bytes,
            ..InputLimits::default()
        },
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Returns a roster of Ada and Bob. One of them has this value.
fn roster_with(column: Column, value: &str) -> Roster {
    roster().row("ada", [(column, value)]).people(["bob"])
}

/// Imports the roster as a file and as typed rows.
async fn both_ways(app: &App, roster: &Roster) -> [ImportResponses; 2] {
    let from_csv = app.import(roster).await;
    [from_csv, app.import_rows(roster.typed()).await]
}

async fn a_field_of_the_size_that_is_set_is_read_and_a_longer_one_rejects_its_row(
    database: Database,
) {
    let app = app(database, 8_192, 2_000).await;
    // White space around a value is not stored, but counts towards the received size.
    for imported in both_ways(&app, &roster_with(Rank, &" ".repeat(2_000))).await {
        let summary = imported.summary();
        assert_eq!(summary.created + summary.unchanged, 2, "{imported}");
    }
    for imported in both_ways(&app, &roster_with(Phone, &" ".repeat(2_001))).await {
        let summary = imported.summary();
        assert_eq!((imported.code(), summary.rejected), (Code::Ok, 1));
        let rejected = imported.results.iter().find(|result| result.row == 1);
        let issue = &rejected.unwrap().issues[0];
        assert_eq!(issue.code(), IssueCode::TooLong);
        let told = "PHONE has 2001 bytes, and no field may have more than 2000; shorten it.";
        assert_eq!(issue.message, told);
    }
}

async fn a_record_of_the_size_that_is_set_is_read_and_a_longer_one_refuses_the_import(
    database: Database,
) {
    let app = app(database, 5_000, 5_000).await;
    let bare = roster_with(Location, "").csv();
    let used = bare.lines().nth(1).unwrap().len();
    let values: usize = used - bare.lines().next().unwrap().matches(',').count();
    for (room, beyond) in [(5_000 - used, false), (5_001 - used, true)] {
        let imported = app.import(roster_with(Location, &" ".repeat(room))).await;
        expect(&imported, beyond, "line 2");
    }
    for (room, beyond) in [(5_000 - values, false), (5_001 - values, true)] {
        let rows = roster_with(Location, &" ".repeat(room)).typed();
        expect(&app.import_rows(rows).await, beyond, "row 1");
    }
}

fn expect(imported: &ImportResponses, beyond: bool, subject: &str) {
    if !beyond {
        return assert_eq!(imported.code(), Code::Ok, "{imported}");
    }
    let refusal = imported.refusal();
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    let told = format!("RECORD_TOO_LONG {subject}: ");
    assert!(refusal.contains(&told), "{refusal}");
    assert!(refusal.contains("longer than 5000 bytes"), "{refusal}");
}

/// The sizes are the largest that `serve` accepts.
async fn larger_sizes_than_the_defaults_can_be_set(database: Database) {
    let app = app(database, 1_048_576, 65_536).await;
    let (long, half) = (" ".repeat(65_536), " ".repeat(40_000));
    let people = roster()
        .row("ada", [(Rank, &*long), (Phone, &*half), (Location, &*long)])
        .people(["bob"]);
    for imported in both_ways(&app, &people).await {
        let summary = imported.summary();
        assert_eq!(summary.created + summary.unchanged, 2, "{imported}");
    }
}
