//! The audit trail: every action writes one event in its own transaction, and no event can be changed without a trace.

use std::time::Duration;

use time::OffsetDateTime;
use tonic::{Code, Status};
use user_import::{
    audit::{AuditChain, ChainBreak},
    config::Settings,
    domain::{
        Column::{Role as RoleColumn, Status as StatusColumn},
        Permission,
    },
    limits::{ConcurrencyBounds, ServerLimits},
    proto::{
        AuditAction, AuditEvent, AuditHead, AuditOutcome, Catalog, ExportUsersRequest, FileFormat,
        ImportStart, ListAuditEventsRequest, RecordAuditArchiveRequest, SetUserProtectedRequest,
        UpdateCatalogRequest, audit_service_client::AuditServiceClient,
    },
    store::Store,
};

use crate::retries::{ID, MANY, interrupted, many, named, start_slow};
use user_import_testing::{
    App, Database, ImportResponses, catalog, on_both_databases, roster, start_of, token,
};

on_both_databases![
    making_an_organisation_and_its_catalog_is_recorded,
    an_import_is_recorded_when_it_begins_and_when_it_ends,
    an_import_of_all_or_nothing_is_recorded_in_the_same_way,
    a_refused_import_is_recorded_with_its_reasons,
    a_dry_run_and_an_export_are_recorded,
    switching_a_users_protection_is_recorded_once,
    a_call_that_changes_nothing_is_not_recorded,
    a_rolled_back_import_leaves_nothing_but_its_refusal,
    asking_an_import_to_stop_is_recorded,
    each_attempt_of_an_interrupted_import_is_recorded,
    events_have_who_and_where_and_no_value_of_a_roster,
    events_come_in_pages_in_both_orders,
    organisations_have_chains_of_their_own,
    a_catalog_says_which_roles_became_what,
    a_catalog_says_which_formats_changed,
    an_import_says_what_was_asked_for_and_which_privileged_roles_it_gave,
    events_can_only_be_added,
    tampering_is_found_and_located,
    events_at_once_make_one_chain,
    tokens_are_recorded_with_the_organisations_that_they_are_valid_for,
    an_event_names_the_credential,
    an_archive_is_recorded_of_events_that_there_are_and_without_a_gap,
    what_is_recorded_as_archived_already_is_not_recorded_again,
    only_events_up_to_the_last_recorded_archive_can_be_removed,
    old_events_are_removed_if_they_are_archived_and_the_trail_is_whole_without_them,
    a_removal_that_no_archive_covers_is_found,
];

async fn page(app: &App, request: ListAuditEventsRequest) -> (Vec<AuditEvent>, String, AuditHead) {
    let mut client = AuditServiceClient::new(app.connection());
    let page = client.list_audit_events(request).await;
    let page = page.expect("events can be listed").into_inner();
    let head = page.head.expect("a page has the head");
    (page.events, page.next_page_token, head)
}

async fn chain(app: &App, organization: &str) -> (Vec<AuditEvent>, AuditHead) {
    let request = ListAuditEventsRequest {
        organization: organization.to_owned(),
        page_size: 1_000,
        oldest_first: true,
        ..ListAuditEventsRequest::default()
    };
    let (events, more, head) = page(app, request).await;
    assert!(more.is_empty());
    (events, head)
}

async fn verified(app: &App, organization: &str) -> Result<i64, ChainBreak> {
    let (events, head) = chain(app, organization).await;
    let mut chain = AuditChain::new(organization);
    events.iter().try_for_each(|event| chain.follow(event))?;
    chain.end(&head).map(|end| end.sequence)
}

/// Returns the events of `pd` since it got its catalog, one on a line. Fails unless the chain is complete.
async fn event_lines(app: &App) -> Vec<String> {
    let (events, _) = chain(app, "pd").await;
    let last = events.last().map_or(0, |event| event.sequence);
    assert_eq!(verified(app, "pd").await, Ok(last));
    events.iter().skip(2).map(line).collect()
}

fn line(event: &AuditEvent) -> String {
    let action = event.action().as_str_name();
    let outcome = event.outcome().as_str_name();
    let shown = [
        "refusals",
        "rows",
        "created",
        "rejected",
        "protected",
        "filtered",
        "format",
    ];
    let details = event.details.iter();
    let details = details.filter(|(name, _)| shown.contains(&name.as_str()));
    let details: Vec<_> = details
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    let details = details.concat();
    format!(
        "{} {}{details}",
        action.trim_start_matches("AUDIT_ACTION_"),
        outcome.trim_start_matches("AUDIT_OUTCOME_"),
    )
}

async fn making_an_organisation_and_its_catalog_is_recorded(database: Database) {
    let app = App::start(database).await;
    let (events, _) = chain(&app, "pd").await;
    let actions: Vec<_> = events.iter().map(AuditEvent::action).collect();
    assert_eq!(
        actions,
        [
            AuditAction::OrganizationCreated,
            AuditAction::CatalogUpdated
        ]
    );
    assert!(events.iter().all(|event| event.subject == "pd"));
    let counts = events[1]
        .details
        .iter()
        .map(|(name, n)| format!("{name}={n}"));
    let counts: Vec<_> = counts.collect();
    let added = "roles_added=[\"Administrator\",\"Officer\",\"Sergeant\"]";
    assert_eq!(counts, ["groups=2", "ranks=2", "roles=3", added]);
}

/// Returns the details of the last event, without the counts.
async fn last_details(app: &App, action: AuditAction) -> Vec<String> {
    let (events, _) = chain(app, "pd").await;
    let told = events.iter().rev().find(|event| event.action() == action);
    let details = told.expect("it was told").details.iter();
    let named = details.filter(|(_, value)| value.parse::<u32>().is_err());
    named
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

async fn a_catalog_says_which_formats_changed(database: Database) {
    let app = App::start(database).await;
    let mut changed = Catalog {
        phone_region: "US".to_owned(),
        badge_number_pattern: "[0-9]{4}".to_owned(),
        ..catalog()
    };
    app.catalog("pd", changed.clone()).await;
    assert_eq!(
        last_details(&app, AuditAction::CatalogUpdated).await,
        ["badge_number_pattern=[0-9]{4}", "phone_region=US"]
    );
    changed.phone_region.clear();
    app.catalog("pd", changed).await;
    assert_eq!(
        last_details(&app, AuditAction::CatalogUpdated).await,
        ["phone_region=none"]
    );
}

async fn a_catalog_says_which_roles_became_what(database: Database) {
    let app = App::start(database).await;
    let mut changed = catalog();
    changed.roles.retain(|role| role.name != "Sergeant");
    for role in &mut changed.roles {
        role.privileged = role.name == "Administrator";
    }
    app.catalog("pd", changed.clone()).await;
    assert_eq!(
        last_details(&app, AuditAction::CatalogUpdated).await,
        [
            "roles_marked_privileged=[\"Administrator\"]",
            "roles_removed=[\"Sergeant\"]"
        ]
    );
    for role in &mut changed.roles {
        if role.name == "Administrator" {
            role.privileged = false;
            role.previous_name = std::mem::replace(&mut role.name, "Chief".to_owned());
        }
    }
    app.catalog("pd", changed).await;
    assert_eq!(
        last_details(&app, AuditAction::CatalogUpdated).await,
        [
            "roles_renamed=[\"Administrator -> Chief\"]",
            "roles_unmarked_privileged=[\"Administrator\"]"
        ]
    );
}

async fn an_import_says_what_was_asked_for_and_which_privileged_roles_it_gave(database: Database) {
    let app = App::start(database).await;
    let mut privileged = catalog();
    for role in &mut privileged.roles {
        role.privileged = role.name != "Officer";
    }
    app.catalog("pd", privileged).await;
    let start = ImportStart {
        max_rejected_rows: Some(3),
        ..start_of("pd")
    };
    let people = roster()
        .row("ada", [(RoleColumn, "Administrator")])
        .row("bob", [(RoleColumn, "Administrator")])
        .people(["cy"]);
    let imported = app.import_with(start.clone(), people).await;
    let digit = |text: String, byte: &u8| format!("{text}{byte:02x}");
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), digit);
    let summary = imported.summary();
    let described = [
        format!("input_sha256={}", hex(&summary.input_sha256)),
        "options=max_rejected_rows=3".to_owned(),
        format!("plan_digest={}", hex(&summary.plan_digest)),
    ];
    assert_eq!(
        last_details(&app, AuditAction::ImportBegun).await,
        described
    );
    let grants = AuditAction::PrivilegedRolesGranted;
    assert_eq!(
        last_details(&app, grants).await,
        ["granted=[\"Administrator: 2\"]"]
    );
    let moved = roster()
        .row("ada", [(RoleColumn, "Sergeant")])
        .row("bob", [(RoleColumn, "Officer")]);
    app.import(moved).await;
    assert_eq!(
        last_details(&app, grants).await,
        ["granted=[\"Sergeant: 1\"]", "taken=[\"Administrator: 2\"]"]
    );
    let dry = ImportStart {
        validate_only: true,
        ..start
    };
    app.import_with(dry, roster().people(["dan"])).await;
    let told = last_details(&app, AuditAction::ImportPreviewed).await;
    assert!(
        told.contains(&"options=validate_only max_rejected_rows=3".to_owned()),
        "{told:?}"
    );
    assert_eq!(told.len(), 3, "{told:?}");
    // A transaction in which no user gets or loses a privileged role has no event for that.
    let (events, _) = chain(&app, "pd").await;
    let granting = events.iter().filter(|event| event.action() == grants);
    assert_eq!(granting.count(), 2);
}

async fn events_can_only_be_added(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let before = chain(&app, "pd").await;
    let is_sqlite = app.database_url().starts_with("sqlite");
    let of_one = match is_sqlite {
        true => [
            "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE sequence = 1",
            "UPDATE OR REPLACE audit_events SET sequence = 1 WHERE sequence = 2",
        ],
        false => ["TRUNCATE audit_events", "TRUNCATE audit_heads"],
    };
    for tampering in [
        "UPDATE audit_events SET principal = 'x'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence = 4",
        "UPDATE audit_heads SET sequence = sequence - 1",
        "UPDATE audit_heads SET organization_id = organization_id + 100",
        "DELETE FROM audit_heads",
    ]
    .into_iter()
    .chain(of_one)
    {
        let refused = app.database().try_execute(tampering).await;
        let words = refused.expect_err(tampering);
        // The second message is what Citus says of a row that would belong to another machine.
        let is_refused = ["can only be added to", "modifying the partition value"];
        assert!(
            is_refused.iter().any(|refused| words.contains(refused)),
            "{tampering}: {words}"
        );
    }
    assert_eq!(chain(&app, "pd").await, before);
}

async fn an_import_is_recorded_when_it_begins_and_when_it_ends(database: Database) {
    let app = App::start(database).await;
    let bad = roster()
        .people(["ada"])
        .row("bob", [(RoleColumn, "Nobody")]);
    let imported = app.import(bad).await;
    assert_eq!(
        event_lines(&app).await,
        [
            "IMPORT_BEGUN DONE rows=2",
            "IMPORT_ENDED COMPLETED created=1 rejected=1 rows=2",
        ]
    );
    let (events, _) = chain(&app, "pd").await;
    assert!(
        events[2..]
            .iter()
            .all(|event| event.subject == imported.import_id())
    );
}

async fn an_import_of_all_or_nothing_is_recorded_in_the_same_way(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        all_or_nothing: true,
        ..start_of("pd")
    };
    app.import_with(start, roster().people(["ada", "bob"]))
        .await;
    assert_eq!(
        event_lines(&app).await,
        [
            "IMPORT_BEGUN DONE rows=2",
            "IMPORT_ENDED COMPLETED created=2 rejected=0 rows=2",
        ]
    );
}

async fn a_refused_import_is_recorded_with_its_reasons(database: Database) {
    let app = App::start(database).await;
    app.refuse(start_of("pd"), "EMAIL,NONSENSE\nx,y\n").await;
    let dry = ImportStart {
        validate_only: true,
        max_rejected_rows: Some(0),
        ..start_of("pd")
    };
    let bad = roster().row("bob", [(RoleColumn, "Nobody")]);
    app.import_with(dry, bad).await;
    let (events, _) = chain(&app, "pd").await;
    let refused = &events[2..];
    assert_eq!(refused.len(), 2);
    for (event, dry) in refused.iter().zip(["false", "true"]) {
        assert_eq!(event.action(), AuditAction::ImportRefused);
        assert_eq!(event.outcome(), AuditOutcome::Refused);
        assert_eq!(event.details["validate_only"], dry);
    }
    assert_eq!(
        refused[0].details["refusals"],
        "MISSING_COLUMN,UNKNOWN_COLUMN"
    );
    assert_eq!(refused[1].details["refusals"], "TOO_MANY_REJECTED_ROWS");
}

async fn a_dry_run_and_an_export_are_recorded(database: Database) {
    let app = App::start(database).await;
    let dry = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    app.import_with(dry, roster().people(["ada"])).await;
    app.export().await;
    let workbook = ExportUsersRequest {
        organization: "pd".to_owned(),
        format: FileFormat::Xlsx.into(),
        ..ExportUsersRequest::default()
    };
    app.export_workbook(workbook).await;
    assert_eq!(
        event_lines(&app).await,
        [
            "IMPORT_PREVIEWED COMPLETED created=1 rejected=0 rows=1",
            "USERS_EXPORTED DONE filtered=false",
            "USERS_EXPORTED DONE filtered=false format=xlsx",
        ]
    );
}

async fn switching_a_users_protection_is_recorded_once(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    app.protect("ada").await;
    app.protect("ada").await;
    let (events, _) = chain(&app, "pd").await;
    let [switched] = &events[4..] else {
        panic!("not one event: {events:?}");
    };
    assert_eq!(switched.action(), AuditAction::UserProtectionChanged);
    assert_eq!(switched.subject, app.user("ada").await.id);
    assert_eq!(switched.details["protected"], "true");
}

async fn a_call_that_changes_nothing_is_not_recorded(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let before = event_lines(&app).await;
    let in_use = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(Catalog::default()),
    };
    let refused = app.directory().update_catalog(in_use).await;
    assert_eq!(
        refused.map_err(|status| status.code()).err(),
        Some(Code::FailedPrecondition)
    );
    let nobody = SetUserProtectedRequest {
        organization: "pd".to_owned(),
        user_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
        protected: true,
    };
    assert!(app.directory().set_user_protected(nobody).await.is_err());
    app.users().await;
    assert_eq!(event_lines(&app).await, before);
}

async fn a_rolled_back_import_leaves_nothing_but_its_refusal(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let before = event_lines(&app).await.len();
    // The table of results is gone, so the transaction fails after it has recorded that the import begins.
    app.tamper("ALTER TABLE import_results RENAME TO gone")
        .await;
    let imported = app.import(roster().people(["bob"])).await;
    assert_eq!(imported.code(), Code::Internal, "{imported}");
    assert_eq!(event_lines(&app).await.len(), before);
}

async fn asking_an_import_to_stop_is_recorded(database: Database) {
    let app = start_slow(database).await;
    let status = app.cancel(ID).await.expect_err("there is no such import");
    assert_eq!(status.code(), Code::NotFound);
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    app.cancel(ID).await.expect("it is applying");
    let summary = first.and_rest(answers).await.summary().clone();
    let created = summary.created;
    assert_eq!(
        event_lines(&app).await,
        [
            format!("IMPORT_BEGUN DONE rows={MANY}"),
            "IMPORT_CANCEL_REQUESTED DONE".to_owned(),
            format!("IMPORT_ENDED CANCELLED created={created} rejected=0 rows={MANY}"),
        ]
    );
}

async fn each_attempt_of_an_interrupted_import_is_recorded(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let (events, _) = chain(&app, "pd").await;
    // An earlier import has created the people.
    let stopped = line(&events[5]);
    assert!(stopped.starts_with("IMPORT_ENDED INTERRUPTED"), "{stopped}");
    app.import_with(named(ID), &many()).await;
    // An import that has ended is answered from its record. That is no action, so it has no event.
    app.import_with(named(ID), &many()).await;
    let stale = ImportStart {
        all_or_nothing: true,
        ..named(ID)
    };
    app.import_with(stale, &many()).await;
    let told = event_lines(&app).await;
    assert_eq!(
        told[4..],
        [
            "IMPORT_RESUMED DONE".to_owned(),
            format!("IMPORT_ENDED COMPLETED created={MANY} rejected=0 rows={MANY}"),
            "IMPORT_REFUSED REFUSED created=0 refusals=IMPORT_ID_BOUND rejected=0 rows=0"
                .to_owned(),
        ]
    );
}

async fn events_have_who_and_where_and_no_value_of_a_roster(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        source: "canary-source".to_owned(),
        ..start_of("pd")
    };
    let canary = roster()
        .people(["canary"])
        .row("canary-2", [(StatusColumn, "canary-status")]);
    app.import_with(start.clone(), canary.clone()).await;
    app.refuse(start, "EMAIL,CANARY\nx,y\n").await;
    let (events, _) = chain(&app, "pd").await;
    assert_eq!(events.len(), 5);
    for event in &events {
        assert_eq!(event.principal, "local");
        let peer: std::net::SocketAddr = event.address.parse().expect("an address and a port");
        assert!(peer.ip().is_loopback());
        assert!(event.at.is_some());
        let whole = format!("{event:?}").to_lowercase();
        assert!(!whole.contains("canary"), "{whole}");
    }
}

async fn events_come_in_pages_in_both_orders(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    for (oldest_first, expected) in [(true, [1, 2, 3, 4]), (false, [4, 3, 2, 1])] {
        let mut request = ListAuditEventsRequest {
            organization: "pd".to_owned(),
            page_size: 3,
            oldest_first,
            ..ListAuditEventsRequest::default()
        };
        let (mut events, token, _) = page(&app, request.clone()).await;
        assert_eq!(events.len(), 3);
        request.page_token = token;
        let (rest, end, head) = page(&app, request).await;
        events.extend(rest);
        let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, expected);
        assert_eq!((end.as_str(), head.sequence), ("", 4));
    }
    let mut client = AuditServiceClient::new(app.connection());
    for (organization, token, code) in [
        ("nobody", "", Code::NotFound),
        ("pd", "p78", Code::InvalidArgument),
        ("pd", "x", Code::InvalidArgument),
    ] {
        let request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            page_token: token.to_owned(),
            ..ListAuditEventsRequest::default()
        };
        let status = client
            .list_audit_events(request)
            .await
            .expect_err(organization);
        assert_eq!(status.code(), code, "{status:?}");
    }
}

async fn organisations_have_chains_of_their_own(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    app.people(["ada"]).await;
    let (here, _) = chain(&app, "pd").await;
    let (there, head) = chain(&app, "sheriff").await;
    assert_eq!((here.len(), there.len(), head.sequence), (4, 2, 2));
    // Not even a complete chain is accepted as that of another organisation.
    assert_eq!(
        AuditChain::new("pd").follow(&there[0]),
        Err(ChainBreak::Altered(1))
    );
    let nothing = chain(&app, "*").await;
    assert_eq!((nothing.0.len(), nothing.1.sequence), (0, 0));
}

async fn tampering_is_found_and_located(database: Database) {
    let ours = "organization_id = (SELECT id FROM organizations WHERE slug = 'pd')";
    let missing = |expected, found| ChainBreak::Missing { expected, found };
    for (tampering, found) in [
        (
            format!("UPDATE audit_events SET principal = 'x' WHERE {ours} AND sequence = 3"),
            ChainBreak::Altered(3),
        ),
        (
            format!("UPDATE audit_events SET details = 'x' WHERE {ours} AND sequence = 2"),
            ChainBreak::Altered(2),
        ),
        (
            format!("UPDATE audit_events SET outcome = 2 WHERE {ours} AND sequence = 4"),
            ChainBreak::Altered(4),
        ),
        (
            format!("DELETE FROM audit_events WHERE {ours} AND sequence = 2"),
            missing(2, 3),
        ),
        (
            format!("DELETE FROM audit_events WHERE {ours} AND sequence = 1"),
            missing(1, 2),
        ),
        (
            format!("DELETE FROM audit_events WHERE {ours} AND sequence = 4"),
            ChainBreak::CutOff { last: 3, head: 4 },
        ),
        (
            format!("UPDATE audit_heads SET sequence = 3 WHERE {ours}"),
            ChainBreak::CutOff { last: 4, head: 3 },
        ),
    ] {
        let app = App::start(database).await;
        app.organization("sheriff").await;
        app.people(["ada"]).await;
        assert_eq!(verified(&app, "pd").await, Ok(4));
        app.tamper_audit(&tampering).await;
        assert_eq!(verified(&app, "pd").await, Err(found), "{tampering}");
        assert_eq!(verified(&app, "sheriff").await, Ok(2), "{tampering}");
    }
}

async fn tokens_are_recorded_with_the_organisations_that_they_are_valid_for(database: Database) {
    let app = App::start(database).await;
    let (here, _) = app.create_token(token("pd", [Permission::UsersRead])).await;
    let (everywhere, text) = app.create_token(token("*", Permission::ALL)).await;
    app.revoke(here).await;
    app.revoke(here).await;
    let operator = app.presenting(&text);
    let lines = |events: &[AuditEvent]| -> Vec<String> {
        let told = events
            .iter()
            .map(|event| format!("{} {}", line(event), event.subject));
        told.collect()
    };
    let (events, _) = chain(&operator, "pd").await;
    assert_eq!(
        lines(&events[2..]),
        [
            format!("TOKEN_CREATED DONE {here}"),
            format!("TOKEN_REVOKED DONE {here}"),
        ]
    );
    let (events, _) = chain(&operator, "*").await;
    assert_eq!(lines(&events), [format!("TOKEN_CREATED DONE {everywhere}")]);
    assert_eq!(verified(&operator, "*").await, Ok(1));
    // A caller of one organisation may not read the server's own chain.
    let clerk = app.holding(token("pd", [Permission::UsersRead])).await;
    assert_eq!(chain(&clerk, "pd").await.0.len(), 5);
    let mut client = AuditServiceClient::new(clerk.connection());
    for organization in ["*", "sheriff"] {
        let request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            ..ListAuditEventsRequest::default()
        };
        let status = client
            .list_audit_events(request)
            .await
            .expect_err(organization);
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}

async fn an_event_names_the_credential(database: Database) {
    let app = App::start(database).await;
    let clerk = app.holding(token("pd", [Permission::UsersImport])).await;
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    clerk.import(roster().people(["ada"])).await;
    let (events, _) = chain(&reader, "pd").await;
    let ended = events.last().expect("the import is told");
    assert_eq!(ended.action(), AuditAction::ImportEnded);
    let record = reader
        .import_record(&ended.subject)
        .await
        .expect("it is recorded");
    assert_eq!(ended.principal, record.principal);
    assert!(ended.principal.starts_with("token"), "{}", ended.principal);
}

async fn events_at_once_make_one_chain(database: Database) {
    let exports = ConcurrencyBounds {
        server: 20,
        key: 20,
    };
    let server = ServerLimits {
        exports,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let exports = (0..20).map(|_| app.export());
    futures_util::future::join_all(exports).await;
    let updates = (0..5).map(|_| app.catalog("pd", catalog()));
    futures_util::future::join_all(updates).await;
    assert_eq!(verified(&app, "pd").await, Ok(27));
}

/// Records that the events of `pd` after the first ones, up to `last`, are archived. Returns the sequence of the event
/// that records it.
async fn record_archive(app: &App, after: i64, last: &AuditHead) -> Result<i64, Status> {
    let request = RecordAuditArchiveRequest {
        organization: "pd".to_owned(),
        after_sequence: after,
        last: Some(last.clone()),
    };
    let mut client = AuditServiceClient::new(app.connection());
    let recorded = client.record_audit_archive(request).await?;
    Ok(recorded.into_inner().sequence)
}

fn head_of(event: &AuditEvent) -> AuditHead {
    AuditHead {
        sequence: event.sequence,
        hash: event.hash.clone(),
    }
}

async fn an_archive_is_recorded_of_events_that_there_are_and_without_a_gap(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let (events, head) = chain(&app, "pd").await;
    let third = head_of(&events[2]);
    let forged = AuditHead {
        hash: vec![7; 32],
        ..third.clone()
    };
    let unknown = AuditHead {
        sequence: 99,
        ..third.clone()
    };
    for (after, last, code, told) in [
        (
            0,
            &forged,
            Code::FailedPrecondition,
            "does not have the event",
        ),
        (
            0,
            &unknown,
            Code::FailedPrecondition,
            "does not have the event",
        ),
        (1, &third, Code::FailedPrecondition, "only events up to 0"),
        (
            0,
            &AuditHead::default(),
            Code::InvalidArgument,
            "ends with an event",
        ),
    ] {
        let refused = record_archive(&app, after, last).await;
        let refused = refused.expect_err("nothing is recorded");
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.message().contains(told), "{refused}");
    }
    assert_eq!(chain(&app, "pd").await.1, head);
    assert_eq!(record_archive(&app, 0, &third).await.ok(), Some(5));
    let gap = record_archive(&app, 4, &head).await;
    let gap = gap.expect_err("event 4 would be in no archive");
    assert!(gap.message().contains("only events up to 3"), "{gap}");
    assert_eq!(record_archive(&app, 3, &head).await.ok(), Some(6));
    let (events, _) = chain(&app, "pd").await;
    let [first, second] = &events[4..] else {
        panic!("two archives are recorded: {events:?}");
    };
    for (event, last, count) in [(first, &third, "3"), (second, &head, "1")] {
        assert_eq!(event.action(), AuditAction::EventsArchived);
        assert_eq!((&*event.subject, &*event.principal), ("pd", "local"));
        assert_eq!(event.details["through"], last.sequence.to_string());
        assert_eq!(event.details["events"], count);
    }
    assert_eq!(verified(&app, "pd").await, Ok(6));
}

async fn what_is_recorded_as_archived_already_is_not_recorded_again(database: Database) {
    let app = App::start(database).await;
    let (events, head) = chain(&app, "pd").await;
    assert_eq!(record_archive(&app, 0, &head).await.ok(), Some(3));
    let first = head_of(&events[0]);
    let (_, recorded) = chain(&app, "pd").await;
    // Since the last archive, the only new event is the record of that archive. If that were archived and recorded too,
    // there would always be a new one.
    for again in [&first, &head, &recorded] {
        assert_eq!(record_archive(&app, 0, again).await.ok(), Some(3));
    }
    assert_eq!(chain(&app, "pd").await.1, recorded);
}

async fn only_events_up_to_the_last_recorded_archive_can_be_removed(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    app.people(["ada"]).await;
    let (events, _) = chain(&app, "pd").await;
    record_archive(&app, 0, &head_of(&events[2]))
        .await
        .expect("the events are there");
    let ours = "organization_id = (SELECT id FROM organizations WHERE slug = 'pd')";
    let theirs = "organization_id = (SELECT id FROM organizations WHERE slug = 'sheriff')";
    for refused in [
        format!("DELETE FROM audit_events WHERE {ours}"),
        format!("DELETE FROM audit_events WHERE {ours} AND sequence <= 4"),
        format!("DELETE FROM audit_events WHERE {ours} AND sequence = 5"),
        format!("DELETE FROM audit_events WHERE {theirs} AND sequence = 1"),
        format!("UPDATE audit_events SET principal = 'x' WHERE {ours} AND sequence = 1"),
    ] {
        let words = app.database().try_execute(&refused).await;
        let words = words.expect_err(&refused);
        assert!(words.contains("can only be added to"), "{refused}: {words}");
    }
    assert_eq!(chain(&app, "pd").await.0.len(), 5);
    app.tamper(&format!(
        "DELETE FROM audit_events WHERE {ours} AND sequence <= 3"
    ))
    .await;
    let left: Vec<_> = chain(&app, "pd").await.0;
    let left: Vec<_> = left.iter().map(|event| event.sequence).collect();
    assert_eq!(left, [4, 5]);
    assert_eq!(verified(&app, "pd").await, Ok(5));
    assert_eq!(verified(&app, "sheriff").await, Ok(2));
}

async fn old_events_are_removed_if_they_are_archived_and_the_trail_is_whole_without_them(
    database: Database,
) {
    let settings = Settings {
        audit: Some(Duration::ZERO),
        cleaning_interval: Duration::from_millis(20),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.people(["ada"]).await;
    let (events, _) = chain(&app, "pd").await;
    let store = Store::connect(&app.database().url()).await.unwrap();
    let later = OffsetDateTime::now_utc() + Duration::from_mins(1);
    assert_eq!(store.expire_audit_events(later).await.unwrap(), 0);
    let third = head_of(&events[2]);
    assert_eq!(record_archive(&app, 0, &third).await.ok(), Some(5));
    let left = "SELECT COUNT(*) FROM audit_events WHERE sequence <= 3 AND organization_id = \
        (SELECT id FROM organizations WHERE slug = 'pd')";
    while app.database().number(left).await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(verified(&app, "pd").await, Ok(5));
    // An event that is not archived is never removed, even if it is old.
    assert_eq!(store.expire_audit_events(later).await.unwrap(), 0);
    let (kept, head) = chain(&app, "pd").await;
    assert_eq!(kept.first().map(|event| event.sequence), Some(4));
    // An archive whose events are removed already is recorded already.
    assert_eq!(record_archive(&app, 0, &third).await.ok(), Some(5));
    // Together with the archive, the trail has every event.
    let mut whole = AuditChain::new("pd");
    events
        .iter()
        .try_for_each(|event| whole.follow(event))
        .unwrap();
    whole.begin_part();
    kept.iter()
        .try_for_each(|event| whole.follow(event))
        .unwrap();
    assert_eq!((whole.first(), whole.end(&head).unwrap().sequence), (1, 5));
    app.people(["bob"]).await;
    assert_eq!(verified(&app, "pd").await, Ok(7));
}

async fn a_removal_that_no_archive_covers_is_found(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let (events, _) = chain(&app, "pd").await;
    record_archive(&app, 0, &head_of(&events[1]))
        .await
        .expect("the events are there");
    app.tamper_audit(
        "DELETE FROM audit_events WHERE sequence <= 3 AND organization_id = \
         (SELECT id FROM organizations WHERE slug = 'pd')",
    )
    .await;
    let missing = ChainBreak::Missing {
        expected: 3,
        found: 4,
    };
    assert_eq!(verified(&app, "pd").await, Err(missing));
}
