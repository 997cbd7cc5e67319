//! The data that are kept of attempts that wrote nothing, and the largest size of a page of any list.

use std::{fmt::Write, time::Duration};

use prost::Message as _;
use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{FirstName, LastName},
    proto::{Import, ImportStart, ImportState, ListUsersRequest, Refusal},
};

use user_import_testing::{App, Database, PATIENCE, on_both_databases, roster, start_of};

on_both_databases![
    of_a_refused_attempt_four_kibibytes_are_kept,
    records_of_an_earlier_release_come_in_pages_that_fit_a_message,
    attempts_are_forgotten_by_number_and_refused_ones_first,
    attempts_are_forgotten_by_age_and_what_was_applied_is_not,
    a_page_of_long_users_ends_early_and_goes_on,
];

/// Bytes that clients accept by default, with room for the rest of the answer.
const PAGE: usize = 3 * 1024 * 1024;

/// Returns every import into `pd`, in pages of the largest size.
async fn history(app: &App) -> Vec<Vec<Import>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let (page, next) = app.import_page(1_000, &token).await;
        pages.push(page);
        token = next;
        if token.is_empty() {
            return pages;
        }
    }
}

async fn of_a_refused_attempt_four_kibibytes_are_kept(database: Database) {
    let app = App::start(database).await;
    let columns: Vec<_> = (0..14)
        .map(|n| format!("{n}{}", "X".repeat(4_000)))
        .collect();
    let header = format!("EMAIL,STATUS,{}\n", columns.join(","));
    assert!(header.len() > 56_000);
    for _ in 0..30 {
        let imported = app.import_with(start_of("pd"), header.clone()).await;
        assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
        // The client whose import is refused receives the complete refusal.
        assert!(imported.summary().refusals.len() > 14);
    }
    let pages = history(&app).await;
    assert_eq!((pages.len(), pages[0].len()), (1, 30));
    for import in &pages[0] {
        assert_eq!(import.state(), ImportState::Refused);
        assert!(import.encoded_len() <= 4_096, "{}", import.encoded_len());
        let last = import.refusals.last().unwrap();
        assert_eq!(last.code, "MORE_REFUSALS");
    }
}

async fn records_of_an_earlier_release_come_in_pages_that_fit_a_message(database: Database) {
    let app = App::start(database).await;
    for _ in 0..20 {
        app.import_with(start_of("pd"), "no header\n").await;
    }
    let refusal = Refusal {
        message: "x".repeat(400_000),
        ..Refusal::default()
    };
    let notes = Import {
        refusals: vec![refusal],
        ..Import::default()
    };
    let mut hex = String::new();
    for byte in notes.encode_to_vec() {
        write!(hex, "{byte:02x}").expect("a text takes what is written");
    }
    let blob = match database {
        Database::Sqlite => format!("X'{hex}'"),
        Database::Postgres => format!("'\\x{hex}'"),
    };
    let sql = format!("UPDATE imports SET notes = {blob}");
    app.database().execute(&sql).await;
    let pages = history(&app).await;
    assert!(pages.len() >= 3, "{}", pages.len());
    let mut ids = Vec::new();
    for page in pages {
        let bytes: usize = page.iter().map(Import::encoded_len).sum();
        assert!(bytes <= PAGE && !page.is_empty(), "{bytes}");
        ids.extend(page.into_iter().map(|import| import.import_id));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

async fn forgetting(database: Database, kept: u32, retention: Duration) -> App {
    let settings = Settings {
        attempts_kept: kept,
        attempt_retention: retention,
        cleaning_interval: Duration::from_millis(20),
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Waits until the history has these states, the latest import first.
async fn expect_history(app: &App, states: &[(ImportState, bool)]) {
    let looking = async {
        loop {
            let (page, _) = app.import_page(1_000, "").await;
            let found: Vec<_> = page.iter().map(|i| (i.state(), i.validate_only)).collect();
            if found == states {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.expect("the rest is forgotten");
}

fn dry() -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of("pd")
    }
}

async fn attempts_are_forgotten_by_number_and_refused_ones_first(database: Database) {
    use ImportState::{Completed, Refused};
    let app = forgetting(database, 3, Duration::from_hours(24)).await;
    let file = roster().people(["ada"]).csv();
    app.import_with(dry(), file.clone()).await;
    app.import_with(start_of("pd"), file.clone()).await;
    app.import_with(dry(), file).await;
    for _ in 0..4 {
        app.import_with(start_of("pd"), "no header\n").await;
    }
    let kept = [
        (Refused, false),
        (Completed, true),
        (Completed, false),
        (Completed, true),
    ];
    expect_history(&app, &kept).await;
}

async fn attempts_are_forgotten_by_age_and_what_was_applied_is_not(database: Database) {
    let app = forgetting(database, 1_000, Duration::ZERO).await;
    let file = roster().people(["ada"]).csv();
    app.import_with(dry(), file.clone()).await;
    app.import_with(start_of("pd"), file).await;
    app.import_with(start_of("pd"), "no header\n").await;
    expect_history(&app, &[(ImportState::Completed, false)]).await;
}

async fn a_page_of_long_users_ends_early_and_goes_on(database: Database) {
    let app = App::start(database).await;
    let long = "\u{10348}".repeat(120);
    let ids: Vec<_> = (0..1_000)
        .map(|number| format!("{number:04}{}", "\u{10348}".repeat(250)))
        .collect();
    let people = ids.iter().zip(0..).fold(roster(), |people, (id, number)| {
        let names = [
            (FirstName, &*long),
            (LastName, &*long),
            (user_import::domain::Column::ExternalId, &**id),
        ];
        people.row(&format!("u{number}"), names)
    });
    let imported = app.import(people.csv()).await;
    assert_eq!(imported.summary().created, 1_000, "{imported}");
    // These values are longer than an import allows, as an earlier release might have stored them.
    let sql = "UPDATE users SET phone = first_name || first_name || last_name || last_name";
    app.database().execute(sql).await;
    let mut request = ListUsersRequest {
        organization: "pd".to_owned(),
        page_size: 1_000,
        ..ListUsersRequest::default()
    };
    let (mut listed, mut pages) = (Vec::new(), 0);
    loop {
        let page = app.directory().list_users(request.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.encoded_len() <= PAGE + 4_096, "{}", page.encoded_len());
        listed.extend(page.users.into_iter().map(|user| user.external_id));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert!(pages > 1);
    assert_eq!(listed, ids);
}
