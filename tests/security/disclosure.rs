//! The users whose data a caller may see. Without `users.read`, a caller learns that a value is taken or not found, and
//! nothing else about another user, in whatever way it asks.

use tonic::{Code, Request};
use user_import::{
    domain::{
        Column::{BadgeNumber, Email, ExternalId, FirstName, LastName, SupervisorEmail, Username},
        Permission::{self, UsersDeactivate, UsersImport, UsersRead},
    },
    proto::{
        CancelImportRequest, GetUserRequest, ImportStart, Issue, IssueCode,
        SetUserProtectedRequest, UserStatus, WatchImportRequest, get_user_request::Key,
    },
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, every_missing_user, finish_of, on_both_databases,
    roster, rpcs::status_line, start_of, token,
};

on_both_databases![
    an_importer_learns_that_values_are_taken_but_not_who_has_them,
    an_email_of_the_importers_own_file_is_suggested,
    missing_users_are_reported_by_our_own_id_alone,
    how_many_active_users_there_are_is_for_readers,
    values_follow_the_permission_while_an_import_is_watched,
    a_reader_who_loses_the_permission_watches_no_longer,
    a_caller_that_cancels_another_callers_import_gets_its_state_and_counts,
    protecting_a_user_tells_nothing_of_the_user,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-0000000000d1";

fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

/// A user each of whose values contains a word that marks it as secret.
fn secret() -> Roster {
    roster().row(
        "x",
        [
            (ExternalId, "00secret"),
            (Email, "secret@pd.example"),
            (BadgeNumber, "00secret-badge"),
            (FirstName, "Secret"),
            (LastName, "S\u{E9}cret"),
            (Username, "secret.user"),
        ],
    )
}

/// Keys that consist of digits. No row of a file has them in this form.
const SECRET_ID: &str = "71828182";
const SECRET_BADGE: &str = "31415926";

const SECRETS: [&str; 4] = ["secret", "s\u{E9}cret", SECRET_ID, SECRET_BADGE];

async fn department(database: Database) -> App {
    let app = App::start(database).await;
    assert_eq!(app.import(secret()).await.summary().created, 1);
    app
}

/// Each row concerns the secret user in another way. No row contains a value of that user, except the keys that it asks
/// about.
fn probing() -> Vec<u8> {
    roster()
        .row("a", [(Email, "SECRET@pd.example")])
        .row("b", [(BadgeNumber, "00secret-badge")])
        .row("c", [(Username, "Secret.User")])
        .row("d", [(SupervisorEmail, "secre@pd.example")])
        .row("e", [(ExternalId, "0secret")])
        .row("f", [(BadgeNumber, "0secret-other")])
        .row("g", [(SupervisorEmail, "g2@pd.example")])
        .row("g2", [(SupervisorEmail, "g@pd.example")])
        .row("h", [(BadgeNumber, "31415926.0")])
        .row("i", [(BadgeNumber, "'31415926")])
        .row("j", [(BadgeNumber, "31,415,926")])
        .row("k", [(ExternalId, "71828182.0")])
        .row("l", [(ExternalId, "71\u{A0}828\u{A0}182")])
        .row("m", [(ExternalId, "00SECRET")])
        .row("n", [(BadgeNumber, "00secret\u{2011}badge")])
        .row("o", [(BadgeNumber, "secret-key")])
        .row(
            "p",
            [
                (ExternalId, "00secret"),
                (FirstName, "Secret"),
                (LastName, "S?cret"),
            ],
        )
        .into()
}

/// Returns everything in an answer that could name a user, without the values of the asking rows themselves.
fn disclosed_texts(imported: &ImportResponses) -> String {
    let mut told = Vec::new();
    for result in &imported.results {
        for issue in &result.issues {
            told.push(issue.message.replace(&issue.value, "…"));
            told.push(issue.suggestion.clone());
            told.push(issue.related_external_id.clone());
        }
        let values = result.changes.iter();
        told.extend(
            values
                .flat_map(|change| [change.before.clone(), change.after.clone()])
                .flatten(),
        );
    }
    let users = imported.deactivations.iter();
    told.extend(users.flat_map(|user| [user.external_id.clone(), user.email.clone()]));
    if let Some(summary) = &imported.summary {
        told.push(format!("{:?} {:?}", summary.warnings, summary.refusals));
    }
    told.push(imported.status.message().to_owned());
    told.push(String::from_utf8_lossy(imported.status.details()).into_owned());
    told.join("\n").to_lowercase()
}

fn codes(imported: &ImportResponses) -> Vec<IssueCode> {
    let issues = imported.results.iter().flat_map(|result| &result.issues);
    issues.map(Issue::code).collect()
}

async fn an_importer_learns_that_values_are_taken_but_not_who_has_them(database: Database) {
    let app = department(database).await;
    // No row of the file has these badge numbers. (The value of another row in a message is no secret.)
    let others = roster()
        .row("y", [(BadgeNumber, "00secret-other")])
        .row("z", [(ExternalId, SECRET_ID), (BadgeNumber, SECRET_BADGE)])
        .row("v", [(BadgeNumber, "secret\u{2013}key")]);
    app.import(others).await;
    let importer = app.holding(token("pd", [UsersImport])).await;
    let reader = app.holding(token("pd", [UsersImport, UsersRead])).await;
    let dry = |start: ImportStart| ImportStart {
        validate_only: true,
        ..start
    };
    let read = reader.import_with(dry(start_of("pd")), probing()).await;
    for secret in SECRETS {
        assert!(
            disclosed_texts(&read).contains(secret),
            "{}",
            disclosed_texts(&read)
        );
    }
    for code in [
        IssueCode::EmailTaken,
        IssueCode::BadgeNumberTaken,
        IssueCode::UsernameTaken,
        IssueCode::SupervisorNotFound,
        IssueCode::LeadingZerosLost,
        IssueCode::SupervisorCycle,
        IssueCode::ExportArtifact,
        IssueCode::InvalidEncoding,
    ] {
        assert!(codes(&read).contains(&code), "{code:?}: {read}");
    }
    let tried = importer.import_with(dry(start_of("pd")), probing()).await;
    let staged = importer
        .import_in_parts(dry(start_of("pd")), &probing(), [])
        .await;
    let applied = importer.import_with(start(), probing()).await;
    let replayed = importer.import_with(start(), probing()).await;
    let watched = importer.watch_in("pd", ID).await;
    for answer in [&tried, &applied, &replayed, &watched, &staged] {
        let told = disclosed_texts(answer);
        assert!(
            !SECRETS.iter().any(|secret| told.contains(secret)),
            "{told}"
        );
        // The caller still learns the kind of the issue.
        assert_eq!(codes(answer), codes(&read), "{answer}");
    }
    // The record is complete, for callers who may read it.
    let recorded = reader.watch_in("pd", ID).await;
    assert!(disclosed_texts(&recorded).contains("secret"), "{recorded}");
}

async fn an_email_of_the_importers_own_file_is_suggested(database: Database) {
    let app = department(database).await;
    let importer = app.holding(token("pd", [UsersImport])).await;
    let people = roster()
        .people(["amina"])
        .row("b", [(SupervisorEmail, "amian@pd.example")]);
    let imported = importer.import(people).await;
    let issue = &imported.row(2).issues[0];
    assert_eq!(issue.code(), IssueCode::SupervisorNotFound, "{imported}");
    assert_eq!(
        (&*issue.suggestion, issue.related_row),
        ("amina@pd.example", 1)
    );
}

fn missing(max_deactivations: Option<u32>) -> ImportStart {
    ImportStart {
        max_deactivations,
        deactivate_missing: Some(every_missing_user()),
        ..start_of("pd")
    }
}

async fn missing_users_are_reported_by_our_own_id_alone(database: Database) {
    let app = department(database).await;
    app.people(["ada"]).await;
    let importer = app
        .holding(token("pd", [UsersImport, UsersDeactivate]))
        .await;
    let reader = app.holding(token("pd", [UsersRead])).await;
    let people = roster().people(["ada"]);
    let dry = ImportStart {
        validate_only: true,
        ..missing(Some(1))
    };
    for start in [dry, missing(Some(1))] {
        let imported = importer.import_with(start, &people).await;
        assert_eq!(imported.summary().deactivated, 1, "{imported}");
        let [gone] = &imported.deactivations[..] else {
            panic!("{imported}");
        };
        assert_eq!((&*gone.external_id, &*gone.email), ("", ""));
        assert_eq!(gone.user_id, reader.user("00secret").await.id);
    }
    assert_eq!(reader.user("00secret").await.status(), UserStatus::Inactive);
}

async fn how_many_active_users_there_are_is_for_readers(database: Database) {
    let app = department(database).await;
    let names: Vec<String> = (0..58).map(|n| format!("p{n}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    let importer = app
        .holding(token("pd", [UsersImport, UsersDeactivate]))
        .await;
    let all = app.holding(token("pd", Permission::ALL)).await;
    let kept = || roster().people(names[..27].iter().map(String::as_str));
    for max in [None, Some(3)] {
        let read = all.import_with(missing(max), kept()).await;
        assert!(
            disclosed_texts(&read).contains("32 of 59 active users"),
            "{read}"
        );
        let csv: Vec<u8> = kept().into();
        let streamed = importer.import_with(missing(max), kept()).await;
        let staged = importer.import_in_parts(missing(max), &csv, []).await;
        for refused in [streamed, staged] {
            assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
            let told = disclosed_texts(&refused);
            assert!(told.contains("32 users would be deactivated"), "{told}");
            assert!(!told.contains("59"), "{told}");
        }
    }
}

/// Sends an import with values of `csv` in parts, all except the last part.
async fn upload_with_values(owner: &App, csv: &[u8]) {
    let start = ImportStart {
        include_values: true,
        ..start()
    };
    owner.begin_upload(start).await.unwrap();
    owner.append(ID, 0, csv).await.unwrap();
}

async fn lose_reading(app: &App) {
    app.tamper(
        "UPDATE tokens SET permissions = 'users.import' \
         WHERE permissions = 'users.import users.read'",
    )
    .await;
}

async fn values_follow_the_permission_while_an_import_is_watched(database: Database) {
    let app = department(database).await;
    let owner = app.holding(token("pd", [UsersImport, UsersRead])).await;
    let renamed: Vec<u8> = roster().row("00secret", [(LastName, "Other")]).into();
    upload_with_values(&owner, &renamed).await;
    owner.finish(ID, finish_of(&renamed)).await.unwrap();
    let with_values = owner.watch_in("pd", ID).await;
    assert!(
        disclosed_texts(&with_values).contains("secret"),
        "{with_values}"
    );
    lose_reading(&app).await;
    let without = owner.watch_in("pd", ID).await;
    assert_eq!(without.results.len(), 1, "{without}");
    assert!(
        !disclosed_texts(&without).contains("secret"),
        "{}",
        disclosed_texts(&without)
    );
}

async fn a_reader_who_loses_the_permission_watches_no_longer(database: Database) {
    let app = department(database).await;
    let owner = app
        .holding(token("pd", [UsersImport, UsersDeactivate, UsersRead]))
        .await;
    let reader = app.holding(token("pd", [UsersImport, UsersRead])).await;
    let csv: Vec<u8> = roster().people(["ada"]).into();
    upload_with_values(&owner, &csv).await;
    let request = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: ID.to_owned(),
        ..WatchImportRequest::default()
    };
    let watch = reader.imports().watch_import(request).await;
    lose_reading(&app).await;
    owner.finish(ID, finish_of(&csv)).await.unwrap();
    let watched = ImportResponses::watched(watch.map(tonic::Response::into_inner)).await;
    assert!(
        watched.results.is_empty() && watched.summary.is_none(),
        "{watched}"
    );
    assert_eq!(
        status_line(&watched.status),
        "PermissionDenied PERMISSION_MISSING: This needs the permission users.read, which this \
         credential does not have."
    );
}

async fn a_caller_that_cancels_another_callers_import_gets_its_state_and_counts(
    database: Database,
) {
    let app = department(database).await;
    let owner = app.holding(token("pd", [UsersImport])).await;
    let other = app.holding(token("pd", [UsersImport])).await;
    let named = ImportStart {
        source: "secret.csv".to_owned(),
        ..start()
    };
    owner.begin_upload(named).await.unwrap();
    let request = CancelImportRequest {
        organization: "pd".to_owned(),
        import_id: ID.to_owned(),
    };
    let cancelled = other.imports().cancel_import(request).await.unwrap();
    let import = cancelled.into_inner().import_record.unwrap();
    assert_eq!(import.import_id, ID);
    assert_eq!((&*import.source, &*import.principal), ("", ""));
}

async fn protecting_a_user_tells_nothing_of_the_user(database: Database) {
    let app = department(database).await;
    let keeper = app.holding(token("pd", [UsersDeactivate])).await;
    let reader = app.holding(token("pd", [UsersRead])).await;
    let request = Request::new(GetUserRequest {
        organization: "pd".to_owned(),
        key: Some(Key::ExternalId("00secret".to_owned())),
    });
    let user = reader.directory().get_user(request).await.unwrap();
    let user_id = user.into_inner().user.unwrap().id;
    let request = SetUserProtectedRequest {
        organization: "pd".to_owned(),
        user_id: user_id.clone(),
        protected: true,
    };
    let told = keeper.directory().set_user_protected(request).await;
    let told = told.unwrap().into_inner().user.unwrap();
    assert_eq!((&*told.id, told.protected), (&*user_id, true));
    assert!(!format!("{told:?}").to_lowercase().contains("secret"));
}
