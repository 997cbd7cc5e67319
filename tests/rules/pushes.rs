//! A push is the same import as `ImportUsers` makes of the same typed rows, in one call (semantics §3 and §8).

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;
use user_import::{
    domain::{
        Column::{
            BadgeNumber, Email, EvidenceGroupExtId, FirstName, LastName, Location, Phone, Rank,
            Role, Status, SupervisorEmail, Username,
        },
        Permission,
    },
    limits::ServerLimits,
    proto::{
        AuditAction, AuditEvent, CsvFormat, ImportFinish, ImportStart, ImportState, IssueSeverity,
        MatchBy, PushUsersRequest, ResultFilter, UserRow, UserRows, import_users_request::Message,
    },
};

use crate::retries::{ID, MANY, OTHER_ID, many, named, start_slow};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, Roster, deactivating_missing, dry_run,
    on_both_databases, roster, start_of, token,
};

on_both_databases![
    a_push_has_the_results_of_the_same_import,
    a_push_writes_what_the_same_import_writes,
    a_push_deactivates_the_missing_as_an_import_does,
    a_push_is_refused_for_the_same_reasons_as_an_import,
    a_dry_run_gives_the_digest_that_an_import_expects_and_the_other_way_round,
    the_same_push_again_is_answered_from_its_record,
    a_push_and_an_import_of_the_same_rows_are_one_import,
    other_rows_or_options_under_a_bound_id_are_refused,
    an_id_in_use_by_another_credential_is_refused,
    a_push_without_rows_or_with_what_only_files_have_is_refused,
    a_push_of_too_many_rows_or_bytes_is_refused,
    a_push_of_a_thousand_rows_is_one_answer,
    a_thousand_rows_with_many_issues_are_answered_shortened,
    an_answer_that_cannot_be_shortened_says_where_the_results_are,
    only_the_callers_own_organisation_can_be_pushed_into,
    options_of_a_push_need_their_permissions,
    who_may_not_read_users_learns_nothing_of_others,
    a_push_while_an_import_runs_gets_its_turn,
    a_deadline_that_passes_leaves_the_import_to_be_asked_for_again,
    a_push_whose_caller_hangs_up_goes_on,
    a_cancelled_push_ends_cancelled_with_its_summary,
    a_push_is_in_the_history_and_in_the_audit_trail,
];

/// ada to eve. dan is Inactive and reports to ada. bob has a group and a phone.
async fn department(app: &App, organization: &str) {
    let people = roster()
        .row("ada", [(Rank, "Captain")])
        .row(
            "bob",
            [(EvidenceGroupExtId, "G-1"), (Phone, "+12025550123")],
        )
        .row("cy", [(BadgeNumber, "007")])
        .row(
            "dan",
            [(Status, "Inactive"), (SupervisorEmail, "ada@pd.example")],
        )
        .people(["eve", "fay", "gus", "hal", "ivy", "joe"]);
    let imported = app.import_with(start_of(organization), &people).await;
    assert_eq!(imported.summary().created, 10, "{imported}");
}

async fn start(database: Database) -> App {
    let app = App::start(database).await;
    department(&app, "pd").await;
    app
}

/// Rows of every kind: with every outcome, and with errors and warnings about values, names and other rows.
fn every_kind() -> Vec<UserRow> {
    roster()
        .people(["ada", "new"])
        .row("bob", [(FirstName, "Robert"), (Phone, "+12025550199")])
        .row("cy", [(BadgeNumber, "7")])
        .row("dan", [(SupervisorEmail, "eve@pd.example")])
        .row("eve", [(SupervisorEmail, "dan@pd.example")])
        .row("fay", [(Email, "gus@pd.example")])
        .row("gus", [(Location, "Room 4"), (Role, "Oficer")])
        .row("nobody", [(Email, "no address"), (Rank, "Capitan")])
        .row("twice", [])
        .row("twice", [(LastName, "Other")])
        .row("hal", [(FirstName, "MuÃ±oz")])
        .row("waits", [(SupervisorEmail, "nobody@pd.example")])
        .typed()
}

/// bob with another first name. His phone is unset.
fn renamed() -> Vec<UserRow> {
    roster().row("bob", [(FirstName, "Rob")]).typed()
}

/// Expects that both callers got the same answer, apart from times.
fn assert_same(pushed: &ImportResponses, imported: &ImportResponses) {
    assert_eq!(pushed.to_string(), imported.to_string());
    assert_eq!(pushed.results, imported.results, "{pushed}");
    assert_eq!(pushed.deactivations, imported.deactivations);
    let timeless = |told: &ImportResponses| {
        let mut summary = told.summary().clone();
        (summary.started_at, summary.finished_at) = (None, None);
        summary
    };
    assert_eq!(timeless(pushed), timeless(imported));
}

async fn a_push_has_the_results_of_the_same_import(database: Database) {
    let app = start(database).await;
    let plain = || named(ID);
    let starts = [
        plain(),
        ImportStart {
            include_values: true,
            ..plain()
        },
        ImportStart {
            result_filter: ResultFilter::ChangesAndRejections.into(),
            ..plain()
        },
        ImportStart {
            result_filter: ResultFilter::Rejections.into(),
            ..plain()
        },
        ImportStart {
            match_by: MatchBy::Username.into(),
            ..plain()
        },
        deactivating_missing(plain()),
    ];
    for start in starts.map(dry_run) {
        let pushed = app.push(start.clone(), every_kind()).await;
        assert!(!pushed.results.is_empty(), "{pushed}");
        let imported = app.import_rows_with(start, every_kind()).await;
        assert_same(&pushed, &imported);
    }
    // The rows have the outcomes that this test needs.
    let pushed = app.push(dry_run(plain()), every_kind()).await;
    insta::assert_snapshot!(pushed, @r"
    1 UPDATED ada: RANK
    2 CREATED new
    3 UPDATED bob: FIRST_NAME, PHONE
    4 UPDATED cy: BADGE_NUMBER [warning: LEADING_ZEROS_LOST user cy]
    5 REJECTED dan [SUPERVISOR_CYCLE]
    6 REJECTED eve [SUPERVISOR_CYCLE]
    7 REJECTED fay [EMAIL_TAKEN user gus]
    8 REJECTED gus [UNKNOWN_ROLE]
    9 REJECTED nobody [INVALID_EMAIL, UNKNOWN_RANK]
    10 REJECTED twice [DUPLICATE_IN_FILE row 11]
    11 REJECTED twice [DUPLICATE_IN_FILE row 10]
    12 UPDATED hal: FIRST_NAME [warning: GARBLED_TEXT]
    13 REJECTED waits [SUPERVISOR_NOT_FOUND]
    COMPLETED: 13 rows, 1 created, 4 updated, 8 rejected
    warning: LOCATION_IGNORED row 8
    ");
}

async fn a_push_writes_what_the_same_import_writes(database: Database) {
    let app = start(database).await;
    app.organization("sheriff").await;
    department(&app, "sheriff").await;
    // Unset fields stay as they are.
    for rows in [every_kind(), renamed()] {
        let pushed = app.push(start_of("pd"), rows.clone()).await;
        let imported = app.import_rows_with(start_of("sheriff"), rows).await;
        assert_eq!(pushed.code(), Code::Ok, "{pushed}");
        assert_eq!(pushed.to_string(), imported.to_string());
        let summaries = (pushed.summary(), imported.summary());
        assert_eq!(summaries.0.input_sha256, summaries.1.input_sha256);
    }
    assert_eq!(app.export_of("pd").await, app.export_of("sheriff").await);
    let bob = app.user("bob").await;
    assert_eq!((&*bob.first_name, &*bob.phone), ("Rob", "+12025550199"));
}

async fn a_push_deactivates_the_missing_as_an_import_does(database: Database) {
    let app = start(database).await;
    app.protect("joe").await;
    let pushed = app
        .push(
            deactivating_missing(start_of("pd")),
            roster().people(["ada", "bob"]).typed(),
        )
        .await;
    insta::assert_snapshot!(pushed, @r"
    1 UNCHANGED ada
    2 UNCHANGED bob
    deactivated: cy
    deactivated: eve
    deactivated: fay
    deactivated: gus
    deactivated: hal
    deactivated: ivy
    COMPLETED: 2 rows, 2 unchanged, 6 deactivated, 1 protected
    ");
    assert_eq!(pushed.deactivations[0].email, "cy@pd.example");
}

/// ada, and a row that is rejected.
fn with_a_rejection() -> Vec<UserRow> {
    let people = roster().people(["ada"]);
    people.row("bad", [(Email, "no address")]).typed()
}

/// Rows that make more users Inactive than the server's guard allows.
fn many_inactive() -> Vec<UserRow> {
    let names = ["ada", "bob", "cy", "eve", "fay", "gus"];
    let inactive = |roster: Roster, name| roster.row(name, [(Status, "Inactive")]);
    names.into_iter().fold(roster(), inactive).typed()
}

/// Four users, each with the data of the next one, as if a spreadsheet had been sorted by one column.
fn rotated() -> Vec<UserRow> {
    let next = [
        ("eve", "fay"),
        ("fay", "gus"),
        ("gus", "hal"),
        ("hal", "eve"),
    ];
    let rotated = |roster: Roster, (name, next): (&str, &str)| {
        let (email, badge) = (format!("{next}@pd.example"), format!("B-{next}"));
        let values = [(Email, &*email), (BadgeNumber, &*badge), (Username, next)];
        roster.row(name, values)
    };
    next.into_iter().fold(roster(), rotated).typed()
}

/// Requests that a push refuses in the same way as a stream does.
fn refused() -> Vec<(ImportStart, Vec<UserRow>)> {
    let all_or_nothing = ImportStart {
        all_or_nothing: true,
        ..start_of("pd")
    };
    let rejections = ImportStart {
        max_rejected_rows: Some(0),
        ..start_of("pd")
    };
    let digest = ImportStart {
        expected_plan_digest: vec![7; 32],
        ..start_of("pd")
    };
    let deactivations = ImportStart {
        max_deactivations: Some(0),
        ..start_of("pd")
    };
    let missing = ImportStart {
        max_deactivations: None,
        ..deactivating_missing(start_of("pd"))
    };
    let bad_options = ImportStart {
        import_id: "7".to_owned(),
        match_by: 99,
        ..start_of("pd")
    };
    let inactive = roster().row("ada", [(Status, "Inactive")]);
    let uncertain = roster().row("", [(Email, "no"), (BadgeNumber, "")]);
    vec![
        (start_of("pd"), many_inactive()),
        (all_or_nothing, with_a_rejection()),
        (rejections, with_a_rejection()),
        (digest, with_a_rejection()),
        (deactivations, inactive.typed()),
        (start_of("pd"), rotated()),
        (missing, roster().people(["ada"]).typed()),
        (deactivating_missing(start_of("pd")), uncertain.typed()),
        (start_of("pd"), Vec::new()),
        (bad_options, with_a_rejection()),
        (start_of("nowhere"), with_a_rejection()),
    ]
}

async fn a_push_is_refused_for_the_same_reasons_as_an_import(database: Database) {
    let app = start(database).await;
    let before = app.users().await;
    for (start, rows) in refused() {
        for start in [dry_run(start.clone()), start] {
            let rows = || UserRows { rows: rows.clone() };
            let messages = [
                Message::Start(start.clone()),
                Message::Rows(rows()),
                Message::Finish(ImportFinish::default()),
            ];
            let imported = app.send(messages).await;
            let pushed = app.push(start, rows().rows).await;
            assert_ne!(pushed.code(), Code::Ok, "{pushed}");
            assert_eq!(pushed.code(), imported.code(), "{imported}");
            assert_eq!(pushed.status.message(), imported.status.message());
            assert_eq!(pushed.violations(), imported.violations());
            assert_eq!(pushed.summary.is_some(), imported.summary.is_some());
            let (Some(summary), Some(expected)) = (&pushed.summary, &imported.summary) else {
                continue;
            };
            assert_eq!(summary.state(), ImportState::Refused);
            assert_eq!(summary.refusals, expected.refusals, "{pushed}");
            assert_eq!(summary.plan_digest, expected.plan_digest);
            assert_eq!(summary.rejected, expected.rejected);
            let record = app.import_record(&summary.import_id).await.unwrap();
            assert_eq!(record.refusals, expected.refusals);
        }
    }
    assert_eq!(app.users().await, before);
}

async fn a_dry_run_gives_the_digest_that_an_import_expects_and_the_other_way_round(
    database: Database,
) {
    let app = start(database).await;
    let rows = |name: &str| roster().row("ada", [(FirstName, name)]).typed();
    let expecting = |digest: &[u8]| ImportStart {
        expected_plan_digest: digest.to_vec(),
        ..start_of("pd")
    };
    let dry = app.push(dry_run(start_of("pd")), rows("Ada")).await;
    let digest = &dry.summary().plan_digest;
    let applied = app.import_rows_with(expecting(digest), rows("Ada")).await;
    assert_eq!(applied.summary().updated, 1, "{applied}");
    let dry = app
        .import_rows_with(dry_run(start_of("pd")), rows("Eda"))
        .await;
    let digest = &dry.summary().plan_digest;
    let applied = app.push(expecting(digest), rows("Eda")).await;
    assert_eq!(applied.summary().updated, 1, "{applied}");
}

async fn the_same_push_again_is_answered_from_its_record(database: Database) {
    let app = start(database).await;
    let first = app.push(named(ID), every_kind()).await;
    app.import(roster().row("bob", [(FirstName, "Bobby")]))
        .await;
    let before = app.users().await;
    for _ in 0..2 {
        let again = app.push(named(ID), every_kind()).await;
        assert_same(&again, &first);
        assert_eq!(again.summary, first.summary);
    }
    assert_eq!(app.users().await, before);
}

async fn a_push_and_an_import_of_the_same_rows_are_one_import(database: Database) {
    let app = start(database).await;
    let by_import = app.import_rows_with(named(ID), every_kind()).await;
    assert_same(&app.push(named(ID), every_kind()).await, &by_import);
    let rows = || roster().row("ada", [(FirstName, "Eda")]).typed();
    let by_push = app.push(named(OTHER_ID), rows()).await;
    let again = app.import_rows_with(named(OTHER_ID), rows()).await;
    assert!(again.started[0].resumed);
    assert_same(&by_push, &again);
}

async fn other_rows_or_options_under_a_bound_id_are_refused(database: Database) {
    let app = start(database).await;
    let rows = || roster().row("ada", [(FirstName, "Eda")]).typed();
    app.push(named(ID), rows()).await;
    let other_options = ImportStart {
        all_or_nothing: true,
        ..named(ID)
    };
    let other_rows = roster().people(["ada"]).typed();
    for refused in [
        app.push(named(ID), other_rows).await,
        app.push(other_options, rows()).await,
    ] {
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
        let info = refused.status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "IMPORT_ID_BOUND");
        assert_eq!(refused.summary().state(), ImportState::Refused);
    }
}

async fn an_id_in_use_by_another_credential_is_refused(database: Database) {
    let app = App::start(database).await;
    let owner = app.holding(token("pd", Permission::ALL)).await;
    let other = app.holding(token("pd", Permission::ALL)).await;
    let call = owner.call().await;
    call.send(Message::Start(named(ID))).await;
    wait_for(&owner, ID, ImportState::Receiving).await;
    let rows = roster().people(["ada"]).typed();
    let taken = other.push(named(ID), rows).await;
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken}");
    let info = taken.status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "IMPORT_ID_IN_USE");
}

async fn refusal_lines(app: &App, push: PushUsersRequest) -> String {
    let refused = ImportResponses::pushed(app.push_users(push).await);
    let violations = refused.violations();
    let violations: Vec<_> = violations
        .iter()
        .map(|(subject, message)| format!("{subject}: {message}"))
        .collect();
    format!("{:?}\n{}", refused.code(), violations.join("\n"))
}

async fn a_push_without_rows_or_with_what_only_files_have_is_refused(database: Database) {
    let app = App::start(database).await;
    let rows = || roster().people(["ada"]).typed();
    let csv = CsvFormat {
        delimiter: ";".to_owned(),
        ..CsvFormat::default()
    };
    let push = |csv, rows| PushUsersRequest {
        start: Some(ImportStart {
            csv,
            ..start_of("pd")
        }),
        rows,
    };
    let no_start = PushUsersRequest {
        start: None,
        rows: rows(),
    };
    insta::assert_snapshot!(refusal_lines(&app, no_start).await, @r"
    InvalidArgument
    start: start is missing: it says what to import into, and how.
    ");
    insta::assert_snapshot!(refusal_lines(&app, push(Some(csv), rows())).await, @r"
    InvalidArgument
    start.csv: A push has typed rows, so csv has no meaning here: leave it out, or send the file with ImportUsers.
    ");
    insta::assert_snapshot!(refusal_lines(&app, push(None, Vec::new())).await, @r"
    InvalidArgument
    : There are no rows to import; add at least one.
    ");
    assert!(app.users().await.is_empty());
    // Empty options are the same as absent ones.
    let pushed = app
        .push_users(push(Some(CsvFormat::default()), rows()))
        .await;
    assert_eq!(pushed.unwrap().summary.unwrap().created, 1);
}

fn people(count: usize) -> Roster {
    let names: Vec<String> = (0..count).map(|number| format!("u{number:04}")).collect();
    roster().people(names.iter().map(String::as_str))
}

async fn a_push_of_too_many_rows_or_bytes_is_refused(database: Database) {
    let app = App::start(database).await;
    let push = |rows| PushUsersRequest {
        start: Some(start_of("pd")),
        rows,
    };
    insta::assert_snapshot!(refusal_lines(&app, push(people(1_001).typed())).await, @r"
    ResourceExhausted
    rows: A push has at most 1000 rows, and this one has 1001: send fewer, or import them with ImportUsers.
    ");
    // Messages that would take much more memory than bytes on the wire are refused before they are decoded.
    let empty = vec![UserRow::default(); ServerLimits::MESSAGE_ROWS + 1];
    insta::assert_snapshot!(refusal_lines(&app, push(empty)).await, @r"
    ResourceExhausted
    message: A message is over 4 MiB or 50000 rows; send smaller chunks.
    ");
    let mut large = people(1).typed();
    large[0].location = Some("x".repeat(5 << 20));
    insta::assert_snapshot!(refusal_lines(&app, push(large)).await, @r"
    ResourceExhausted
    message: A message is over 4 MiB or 50000 rows; send smaller chunks.
    ");
    assert!(app.users().await.is_empty() && app.import_page(0, "").await.0.is_empty());
}

async fn a_push_of_a_thousand_rows_is_one_answer(database: Database) {
    let app = App::start(database).await;
    let push = PushUsersRequest {
        start: Some(start_of("pd")),
        rows: people(1_000).typed(),
    };
    let answer = app.push_users(push).await.unwrap();
    let rows: Vec<u32> = answer.results.iter().map(|result| result.row).collect();
    assert_eq!(rows, (1..=1_000).collect::<Vec<_>>());
    assert!(!answer.shortened && answer.deactivations.is_none());
    assert_eq!(answer.summary.unwrap().created, 1_000);
}

/// A thousand rows, each with ten errors whose messages quote long values.
fn faulty() -> Vec<UserRow> {
    let long = "y".repeat(150);
    let bad = |number: usize| {
        let mut row = people(1).typed().remove(0);
        row.external_id = Some(format!("u{number:04}"));
        for value in [
            &mut row.email,
            &mut row.badge_number,
            &mut row.first_name,
            &mut row.last_name,
            &mut row.status,
            &mut row.username,
            &mut row.role,
            &mut row.rank,
            &mut row.supervisor_email,
            &mut row.phone,
        ] {
            *value = Some(format!("{long}{number}"));
        }
        row
    };
    (0..1_000).map(bad).collect()
}

async fn a_thousand_rows_with_many_issues_are_answered_shortened(database: Database) {
    let app = App::start(database).await;
    let imported = app.import_rows_with(dry_run(named(ID)), faulty()).await;
    let push = PushUsersRequest {
        start: Some(named(ID)),
        rows: faulty(),
    };
    let answer = app.push_users(push.clone()).await.unwrap();
    assert!(answer.shortened);
    assert_eq!(answer.results.len(), 1_000);
    for (short, whole) in answer.results.iter().zip(&imported.results) {
        assert!(whole.issues.len() > 5, "{whole:?}");
        let mut errors = whole.issues.iter();
        let first = errors.find(|issue| issue.severity() == IssueSeverity::Error);
        let first = first.unwrap();
        assert_eq!(
            (short.row, &short.issues),
            (whole.row, &vec![first.clone()])
        );
    }
    assert_eq!(answer.summary.unwrap().rejected, 1_000);
    // All results are still recorded.
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
}

/// More users than one answer can name if their names are long.
const MISSING: usize = 8_000;

async fn an_answer_that_cannot_be_shortened_says_where_the_results_are(database: Database) {
    let app = App::start(database).await;
    let long = "x".repeat(50);
    let missing = (0..MISSING).fold(roster(), |roster, number| {
        let email = format!("{number}.{long}@pd.example");
        roster.row(&format!("{long}{number}"), [(Email, &*email)])
    });
    assert_eq!(app.import(&missing).await.summary().rejected, 0);
    let start = ImportStart {
        max_deactivations: Some(u32::try_from(MISSING).unwrap()),
        ..deactivating_missing(named(ID))
    };
    let pushed = app.push(start, roster().people(["ada"]).typed()).await;
    assert_eq!(pushed.code(), Code::ResourceExhausted, "{pushed}");
    assert_eq!(pushed.violations()[0].0, "response");
    let summary = pushed.summary();
    assert_eq!(summary.state(), ImportState::Completed);
    assert_eq!(
        (summary.created, summary.deactivated as usize),
        (1, MISSING)
    );
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.deactivations.len(), MISSING);
}

async fn only_the_callers_own_organisation_can_be_pushed_into(database: Database) {
    let app = start(database).await;
    app.organization("sheriff").await;
    let rows = || roster().people(["new"]).typed();
    let stranger = app.holding(token("sheriff", Permission::ALL)).await;
    let app = app.holding(token("*", Permission::ALL)).await;
    let nobody = app.without_credential().push(start_of("pd"), rows()).await;
    assert_eq!(nobody.code(), Code::Unauthenticated, "{nobody}");
    let theirs = stranger.push(start_of("pd"), rows()).await;
    let nowhere = stranger.push(start_of("nowhere"), rows()).await;
    assert_eq!(theirs.code(), Code::PermissionDenied, "{theirs}");
    assert_eq!(theirs.to_string(), nowhere.to_string());
    assert_eq!(app.users().await.len(), 10);
    let own = stranger.push(start_of("sheriff"), rows()).await;
    assert_eq!(own.summary().created, 1, "{own}");
}

async fn options_of_a_push_need_their_permissions(database: Database) {
    let app = start(database).await;
    let rows = || roster().people(["ada"]).typed();
    let writer = app.holding(token("pd", [Permission::UsersImport])).await;
    let values = ImportStart {
        include_values: true,
        ..start_of("pd")
    };
    for (start, needed) in [
        (values, Permission::UsersRead),
        (
            dry_run(deactivating_missing(start_of("pd"))),
            Permission::UsersDeactivate,
        ),
    ] {
        let denied = writer.push(start.clone(), rows()).await;
        assert_eq!(denied.code(), Code::PermissionDenied, "{denied}");
        let info = denied.status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["permission"], needed.to_string());
        let both = [Permission::UsersImport, needed];
        let allowed = app.holding(token("pd", both)).await;
        let allowed = allowed.push(start, rows()).await;
        assert_eq!(allowed.code(), Code::Ok, "{allowed}");
    }
}

async fn who_may_not_read_users_learns_nothing_of_others(database: Database) {
    let app = start(database).await;
    let writer = app.holding(token("pd", [Permission::UsersImport])).await;
    let app = app.holding(token("pd", Permission::ALL)).await;
    let taken = || roster().row("ada", [(Email, "bob@pd.example")]).typed();
    let whole = app.push(dry_run(start_of("pd")), taken()).await;
    assert_eq!(whole.row(1).issues[0].related_external_id, "bob");
    let pushed = writer.push(start_of("pd"), taken()).await;
    let imported = writer.import_rows_with(start_of("pd"), taken()).await;
    assert_eq!(pushed.results, imported.results);
    assert!(
        !format!("{pushed:?}").contains("B-bob")
            && pushed.row(1).issues[0].related_external_id.is_empty()
    );
    // A refusal does not have the number of users, either.
    let (start, rows) = refused().swap_remove(0);
    let refused = writer.push(start.clone(), rows.clone()).await;
    let expected = writer.import_rows_with(start, rows).await;
    assert_eq!(refused.status.message(), expected.status.message());
    assert_eq!(refused.summary().refusals, expected.summary().refusals);
}

/// Repeats a push as a client does, while another import has the organisation's lease.
async fn push_in_turn(app: &App, start: ImportStart, rows: Vec<UserRow>) -> ImportResponses {
    let pushing = async {
        loop {
            let pushed = app.push(start.clone(), rows.clone()).await;
            if pushed.code() != Code::Aborted {
                return pushed;
            }
            let details = pushed.status.get_error_details();
            assert_eq!(details.error_info().unwrap().reason, "IMPORT_RUNNING");
            let retry = details.retry_info().unwrap().retry_delay.unwrap();
            assert!(retry > Duration::ZERO);
            sleep(retry).await;
        }
    };
    timeout(PATIENCE, pushing).await.unwrap()
}

async fn a_push_while_an_import_runs_gets_its_turn(database: Database) {
    let app = start_slow(database).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let (imported, pushed) = tokio::join!(
        first.and_rest(answers),
        push_in_turn(&app, named(OTHER_ID), roster().people(["later"]).typed()),
    );
    assert_eq!(imported.summary().created as usize, MANY, "{imported}");
    assert_eq!(pushed.summary().created, 1, "{pushed}");
    assert_eq!(app.users().await.len(), MANY + 1);
}

async fn a_deadline_that_passes_leaves_the_import_to_be_asked_for_again(database: Database) {
    let app = start_slow(database).await;
    let push = PushUsersRequest {
        start: Some(named(ID)),
        rows: many().typed(),
    };
    let mut request = Request::new(push.clone());
    request.set_timeout(Duration::from_millis(40));
    let status = app.imports().push_users(request).await.unwrap_err();
    // The client's own time limit may be reached first.
    let code = status.code();
    assert!(
        matches!(code, Code::DeadlineExceeded | Code::Cancelled),
        "{status}"
    );
    expect_whole(&push_in_turn(&app, named(ID), many().typed()).await);
}

fn expect_whole(pushed: &ImportResponses) {
    assert_eq!(pushed.summary().created as usize, MANY, "{pushed}");
    let rows: Vec<u32> = pushed.results.iter().map(|result| result.row).collect();
    assert_eq!(rows, (1..).take(MANY).collect::<Vec<u32>>());
}

/// Waits until the import is in this state.
async fn wait_for(app: &App, id: &str, state: ImportState) {
    let waiting = async {
        loop {
            let record = app.import_record(id).await;
            if record.is_ok_and(|record| record.state() == state) {
                return;
            }
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
}

async fn a_push_whose_caller_hangs_up_goes_on(database: Database) {
    let app = start_slow(database).await;
    tokio::select! {
        _ = app.push(named(ID), many().typed()) => panic!("it ends only after its last row"),
        () = wait_for(&app, ID, ImportState::Applying) => {}
    }
    wait_for(&app, ID, ImportState::Completed).await;
    expect_whole(&app.push(named(ID), many().typed()).await);
}

async fn a_cancelled_push_ends_cancelled_with_its_summary(database: Database) {
    let app = start_slow(database).await;
    let cancelling = async {
        wait_for(&app, ID, ImportState::Applying).await;
        app.cancel(ID).await.unwrap();
    };
    let (pushed, ()) = tokio::join!(app.push(named(ID), many().typed()), cancelling);
    assert_eq!(pushed.code(), Code::Cancelled, "{pushed}");
    assert_eq!(pushed.summary().state(), ImportState::Cancelled);
    let info = pushed.status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "IMPORT_CANCELLED");
    assert_eq!(app.users().await.len(), pushed.summary().created as usize);
}

async fn a_push_is_in_the_history_and_in_the_audit_trail(database: Database) {
    let app = start(database).await;
    let rows = || roster().people(["new"]).typed();
    let start = |id| ImportStart {
        source: "portal".to_owned(),
        ..named(id)
    };
    app.import_rows_with(start(ID), rows()).await;
    let pushed = app.push(start(OTHER_ID), rows()).await;
    assert_eq!(pushed.summary().unchanged, 1, "{pushed}");
    let record = app.import_record(OTHER_ID).await.unwrap();
    assert_eq!((&*record.source, record.unchanged), ("portal", 1));
    assert_eq!(
        record.principal,
        app.import_record(ID).await.unwrap().principal
    );
    let events = app.audit_events("pd").await;
    let of = |id: &str| -> Vec<AuditAction> {
        let events = events.iter().filter(|event| event.subject == id);
        events.map(AuditEvent::action).collect()
    };
    assert_eq!(of(OTHER_ID), of(ID));
    assert!(of(OTHER_ID).contains(&AuditAction::ImportEnded));
}
