//! A roster that was cut off or altered on its way never changes any user (semantics §3, phase 1): the totals of
//! `finish` are compared with the received bytes and rows.

use sha2::{Digest, Sha256};
use tonic::Code;
use user_import::{
    domain::Column::{EvidenceGroupExtId, Phone, Rank},
    proto::{ImportFinish, ImportStart, ImportState, UserRows, import_users_request::Message},
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, every_missing_user, on_both_databases, roster, start_of,
};

on_both_databases![
    what_finish_states_must_be_what_came,
    each_total_by_itself_tells_a_changed_file,
    rows_are_counted_without_blank_lines_and_however_they_are_grouped,
    totals_that_no_input_can_have_are_bad_requests,
    a_file_cut_at_any_byte_never_changes_a_user,
    a_file_cut_at_any_byte_lists_nobody_by_half_a_record,
];

fn totals(csv: &[u8], rows: u64) -> ImportFinish {
    ImportFinish {
        row_count: Some(rows),
        byte_count: Some(csv.len() as u64),
        sha256: Some(Sha256::digest(csv).to_vec()),
    }
}

async fn send(
    app: &App,
    start: ImportStart,
    csv: &[u8],
    finish: Option<ImportFinish>,
) -> ImportResponses {
    let chunk = Message::CsvChunk(csv.to_vec().into());
    let messages = [Message::Start(start), chunk].into_iter();
    app.send(messages.chain(finish.map(Message::Finish))).await
}

async fn what_finish_states_must_be_what_came(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob"]).csv().into_bytes();
    let imported = send(&app, start_of("pd"), &csv, Some(totals(&csv, 2))).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    let digest = Sha256::digest(&csv);
    assert_eq!(imported.summary().input_sha256, digest.as_slice());
}

async fn each_total_by_itself_tells_a_changed_file(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob"]).csv();
    let altered = csv.replace("B-bob", "B-rob");
    let sound = totals(csv.as_bytes(), 2);
    let nothing = ImportFinish::default();
    for (sent, finish, code) in [
        (
            &altered,
            ImportFinish {
                sha256: sound.sha256.clone(),
                ..nothing.clone()
            },
            "SHA256_DIFFERS",
        ),
        (
            &(csv.clone() + "\n"),
            ImportFinish {
                byte_count: sound.byte_count,
                ..nothing.clone()
            },
            "BYTE_COUNT_DIFFERS",
        ),
        (
            &csv,
            ImportFinish {
                row_count: Some(3),
                ..nothing.clone()
            },
            "ROW_COUNT_DIFFERS",
        ),
        (
            &csv,
            ImportFinish {
                row_count: Some(0),
                ..nothing.clone()
            },
            "ROW_COUNT_DIFFERS",
        ),
        (
            &csv,
            ImportFinish {
                byte_count: Some(0),
                ..nothing
            },
            "BYTE_COUNT_DIFFERS",
        ),
    ] {
        let imported = send(&app, start_of("pd"), sent.as_bytes(), Some(finish)).await;
        let told = imported.refusal();
        assert!(
            told.starts_with("FailedPrecondition") && told.contains(code),
            "{code}: {told}"
        );
    }
    let both = send(&app, start_of("pd"), &csv.as_bytes()[..90], Some(sound)).await;
    assert_eq!(both.violations().len(), 2, "{both}");
    assert!(app.users().await.is_empty());
}

async fn rows_are_counted_without_blank_lines_and_however_they_are_grouped(database: Database) {
    let app = App::start(database).await;
    let people = roster().people(["ada", "bob", "cy"]);
    let spaced = people.csv().replace('\n', "\r\n\r\n,,,\r\n") + "\n";
    let three = ImportFinish {
        row_count: Some(3),
        ..ImportFinish::default()
    };
    let imported = send(&app, start_of("pd"), spaced.as_bytes(), Some(three.clone())).await;
    assert_eq!(imported.summary().created, 3, "{imported}");

    let group = |rows: &[user_import::proto::UserRow]| {
        Message::Rows(UserRows {
            rows: rows.to_vec(),
        })
    };
    let typed = people.typed();
    let groups = [
        Message::Start(start_of("pd")),
        group(&typed[..1]),
        group(&[]),
        group(&typed[1..]),
    ];
    let imported = app
        .send(groups.into_iter().chain([Message::Finish(three)]))
        .await;
    assert_eq!(imported.summary().unchanged, 3, "{imported}");
}

async fn totals_that_no_input_can_have_are_bad_requests(database: Database) {
    let app = App::start(database).await;
    let people = roster().people(["ada"]);
    let short = ImportFinish {
        sha256: Some(vec![0; 31]),
        ..ImportFinish::default()
    };
    let imported = send(&app, start_of("pd"), people.csv().as_bytes(), Some(short)).await;
    assert!(
        imported
            .refusal()
            .contains("sha256 must have 32 bytes, not 31"),
        "{imported}"
    );
    assert_eq!(imported.code(), Code::InvalidArgument);

    let bytes = ImportFinish {
        byte_count: Some(9),
        ..ImportFinish::default()
    };
    let typed = Message::Rows(UserRows {
        rows: people.typed(),
    });
    let messages = [
        Message::Start(start_of("pd")),
        typed,
        Message::Finish(bytes),
    ];
    let imported = app.send(messages).await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    assert!(app.users().await.is_empty());
}

/// Three people whose fields end in every possible way: with quotes, with a line break, blank, and left out.
fn station() -> Roster {
    roster()
        .row("ada", [(Rank, "Captain"), (Phone, "+12025550123")])
        .row(
            "bob",
            [
                (user_import::domain::Column::LastName, "O\n\"Neil\" é"),
                (Phone, "+12025550124"),
            ],
        )
        .row("cy", [(EvidenceGroupExtId, "G-1")])
}

/// Deactivates all users that the file does not list, up to a hundred.
fn deactivating(validate_only: bool) -> ImportStart {
    ImportStart {
        validate_only,
        deactivate_missing: Some(every_missing_user()),
        max_deactivations: Some(100),
        ..start_of("pd")
    }
}

async fn a_file_cut_at_any_byte_never_changes_a_user(database: Database) {
    let app = App::start(database).await;
    let csv = station().csv().into_bytes();
    assert_eq!(app.import(csv.clone()).await.summary().created, 3);
    let before = app.users().await;
    for cut in 0..csv.len() {
        let (sent, lie) = (&csv[..cut], totals(&csv, 3));
        for finish in [None, Some(lie)] {
            let imported = send(&app, deactivating(false), sent, finish).await;
            assert_ne!(imported.code(), Code::Ok, "cut at {cut}:\n{imported}");
            assert_eq!(
                imported.summary().state(),
                ImportState::Refused,
                "cut at {cut}"
            );
        }
    }
    assert_eq!(app.users().await, before);
    let whole = send(&app, deactivating(false), &csv, Some(totals(&csv, 3))).await;
    assert_eq!(whole.summary().unchanged, 3, "{whole}");
}

/// Without totals, complete records must be believed. A record with missing fields is still rejected.
async fn a_file_cut_at_any_byte_lists_nobody_by_half_a_record(database: Database) {
    let app = App::start(database).await;
    let csv = station().csv();
    assert_eq!(app.import(csv.clone()).await.summary().created, 3);
    let last_record = |csv: &str| {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader
            .has_headers(false)
            .flexible(true)
            .from_reader(csv.as_bytes());
        reader
            .records()
            .last()
            .map_or(0, |record| record.unwrap().len())
    };
    let columns = last_record(csv.lines().next().unwrap());
    for cut in (0..csv.len()).filter(|&cut| csv.is_char_boundary(cut)) {
        let finish = Some(ImportFinish::default());
        let imported = send(&app, deactivating(true), &csv.as_bytes()[..cut], finish).await;
        let is_part = last_record(&csv[..cut]) < columns;
        let refused = imported.summary().state() == ImportState::Refused;
        assert!(refused || !is_part, "cut at {cut}:\n{imported}");
    }
}
