//! What databases, scripts, spreadsheets and word processors do to values (semantics §2, "Damage is named"):
//! placeholders, export artefacts, invisible characters, lost letters, garbled text, and emails with something
//! around them.

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
        Role, SupervisorEmail, Username,
    },
    proto::IssueCode,
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, deactivating_missing, dry_run, on_both_databases,
    roster, start_of,
};

on_both_databases![
    a_placeholder_is_no_key,
    a_placeholder_clears_nothing_and_says_what_does,
    a_stored_placeholder_stands_for_its_own_user_alone,
    a_placeholder_as_external_id_stops_a_sync_unless_its_user_is_known,
    a_quoted_formula_is_read_as_its_text,
    an_existing_value_with_an_artefact_is_rejected_with_that_value,
    an_artefact_on_a_new_value_is_a_warning,
    an_artefact_lists_the_user_it_means,
    a_phone_number_with_an_artefact_is_compared_with_its_users,
    what_nobody_sees_makes_no_second_key,
    typographic_characters_make_no_second_key,
    typographic_characters_beside_another_row_are_rejected_in_any_order,
    typographic_characters_in_a_new_key_are_warned_of,
    typographic_marks_match_in_names_of_the_catalog,
    a_lost_letter_never_overwrites_a_name,
    a_letter_lost_as_a_question_mark_never_overwrites_a_name,
    a_question_mark_anywhere_else_is_no_error,
    garbled_text_is_warned_of,
    an_email_with_something_around_it_is_rejected_with_the_address,
    a_domain_and_its_ascii_form_are_one,
    what_is_stored_from_before_stands,
];

async fn preview(app: &App, roster: &Roster) -> ImportResponses {
    app.preview(start_of("pd"), roster).await
}

async fn sync(app: &App, roster: Roster) -> ImportResponses {
    app.import_with(dry_run(deactivating_missing(start_of("pd"))), roster)
        .await
}

fn codes(imported: &ImportResponses, row: u32) -> Vec<IssueCode> {
    imported.row(row).issues.iter().map(proto_code).collect()
}

fn proto_code(issue: &user_import::proto::Issue) -> IssueCode {
    issue.code()
}

fn suggestion(imported: &ImportResponses) -> &str {
    &imported.row(1).issues[0].suggestion
}

async fn a_placeholder_is_no_key(database: Database) {
    let app = App::start(database).await;
    for word in [
        "NULL", "(null)", "\\N", "#N/A", " n/a ", "<null>", "None", "--", "#REF!", "#SPILL!", "TBD",
    ] {
        for column in [ExternalId, BadgeNumber, Username] {
            let imported = preview(&app, &roster().row("ada", [(column, word)])).await;
            assert_eq!(
                codes(&imported, 1),
                [IssueCode::PlaceholderValue],
                "{column} {word}"
            );
        }
    }
    let names = roster().row("ada", [(LastName, "Null"), (FirstName, "None")]);
    assert_eq!(preview(&app, &names).await.summary().created, 1);
    for error in ["#N/A", "#NAME?", "#DIV/0!"] {
        let imported = preview(&app, &roster().row("ada", [(LastName, error)])).await;
        assert_eq!(
            codes(&imported, 1),
            [IssueCode::PlaceholderValue],
            "{error}"
        );
    }
}

async fn a_placeholder_clears_nothing_and_says_what_does(database: Database) {
    let app = App::start(database).await;
    let cells = [SupervisorEmail, Rank, EvidenceGroupExtId, Phone];
    for word in ["NULL", "N/A", "-", "#N/A"] {
        let imported = preview(
            &app,
            &roster().row("ada", cells.map(|column| (column, word))),
        )
        .await;
        assert_eq!(imported.summary().rejected, 1, "{word}");
        for message in imported.messages(1) {
            assert!(message.contains("leave the cell blank"), "{message}");
        }
    }
    let imported = preview(
        &app,
        &roster().row("ada", cells.map(|column| (column, "NULL"))),
    )
    .await;
    let mut told = imported.messages(1);
    told.sort_unstable();
    assert_snapshot!(told.join("\n"), @r##"
    EVIDENCE_GROUP_EXT_ID "NULL" is not a group of this organisation; leave the cell blank, which clears the group.
    PHONE "NULL" is not a phone number; leave the cell blank, which clears the phone number.
    RANK "NULL" is not a rank of this organisation; leave the cell blank, which clears the rank.
    SUPERVISOR_EMAIL "NULL" is not a user's email; leave the cell blank, which clears the supervisor.
    "##);
}

async fn a_stored_placeholder_stands_for_its_own_user_alone(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    app.tamper(
        "UPDATE users SET external_id = 'NULL', badge_number = '#N/A' WHERE external_id = 'ada'",
    )
    .await;
    let export = app.import(app.export().await).await;
    assert_snapshot!(export, @r##"
    1 UNCHANGED NULL [warning: PLACEHOLDER_VALUE, warning: PLACEHOLDER_VALUE]
    2 UNCHANGED bob
    COMPLETED: 2 rows, 2 unchanged
    "##);
    let renamed = roster().row(
        "ada",
        [
            (ExternalId, "NULL"),
            (BadgeNumber, "#N/A"),
            (LastName, "Byron"),
        ],
    );
    assert_eq!(preview(&app, &renamed).await.summary().updated, 1);
    // A new user of tonight's roster is not one of last night's.
    let hire = roster().row("cyd", [(ExternalId, "NULL")]);
    assert_eq!(
        codes(&app.reject(hire).await, 1),
        [IssueCode::PlaceholderValue]
    );
}

async fn a_placeholder_as_external_id_stops_a_sync_unless_its_user_is_known(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for word in ["NULL", "#N/A", "n.a."] {
        let unknown = roster().people(["ada"]).row("cyd", [(ExternalId, word)]);
        let refused = sync(&app, unknown).await;
        assert_eq!(
            refused.code(),
            Code::FailedPrecondition,
            "{word}\n{refused}"
        );
        let known = roster().people(["ada"]).row("bob", [(ExternalId, word)]);
        let synced = sync(&app, known).await;
        assert_eq!(
            (synced.code(), synced.deactivations.len()),
            (Code::Ok, 0),
            "{word}\n{synced}"
        );
    }
}

async fn a_quoted_formula_is_read_as_its_text(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(BadgeNumber, "0101")]))
        .await;
    let wrapped = roster().row(
        "ada",
        [
            (ExternalId, "=\"ada\""),
            (BadgeNumber, " =\"0101\" "),
            (LastName, "=\"Example\""),
        ],
    );
    assert_eq!(preview(&app, &wrapped).await.summary().unchanged, 1);
    let new = roster().row(
        "bob",
        [
            (BadgeNumber, "=\"0104\""),
            (Phone, "=\"+12025550106\""),
            (Rank, "=\"\""),
        ],
    );
    assert_eq!(app.import(new).await.summary().created, 1);
    let bob = app.user("bob").await;
    assert_eq!(
        (&*bob.badge_number, &*bob.phone, &*bob.rank),
        ("0104", "+12025550106", "")
    );
}

async fn an_existing_value_with_an_artefact_is_rejected_with_that_value(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .row("1001", [(BadgeNumber, "1421"), (Username, "5001")])
        .row("1002", [(BadgeNumber, "0422")]);
    app.import(people).await;
    for (column, value, existing) in [
        (ExternalId, "1001.0", "1001"),
        (ExternalId, "'1001", "1001"),
        (ExternalId, "1,001", "1001"),
        (BadgeNumber, "1421.0", "1421"),
        (BadgeNumber, "1,421", "1421"),
        (BadgeNumber, "1\u{A0}421", "1421"),
        (BadgeNumber, "'1421", "1421"),
        (BadgeNumber, "422.0", "0422"),
        (BadgeNumber, "'0422", "0422"),
        (Username, "5001.0", "5001"),
        (Username, "'5001", "5001"),
    ] {
        for row in ["1001", "new"] {
            let imported = preview(&app, &roster().row(row, [(column, value)])).await;
            assert!(
                codes(&imported, 1).contains(&IssueCode::ExportArtifact),
                "{column} {value}\n{imported}"
            );
            assert_eq!(
                imported.summary().rejected,
                1,
                "{column} {value}\n{imported}"
            );
            assert_eq!(suggestion(&imported), existing, "{column} {value}");
        }
    }
    let told = preview(&app, &roster().row("1002", [(BadgeNumber, "422.0")])).await;
    assert_snapshot!(told.messages(1).join("\n"), @r##"BADGE_NUMBER "422.0" is the existing "0422" as a spreadsheet or a script has changed it; write "0422", and export the column as text."##);
}

async fn an_artefact_on_a_new_value_is_a_warning(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(BadgeNumber, "2-Mar")]))
        .await;
    for (column, value) in [
        (ExternalId, "1001.0"),
        (ExternalId, "'E-7"),
        (BadgeNumber, "421.00"),
        (BadgeNumber, "1,421"),
        (BadgeNumber, "1-Mar"),
        (BadgeNumber, "Jun-08"),
        (BadgeNumber, "3/1/2025"),
        (Username, "jdoe1.0"),
    ] {
        let imported = preview(&app, &roster().row("new", [(column, value)])).await;
        assert_eq!(
            codes(&imported, 1),
            [IssueCode::ExportArtifact],
            "{column} {value}"
        );
        assert_eq!(imported.summary().created, 1, "{column} {value}");
    }
    let own = preview(&app, &roster().row("ada", [(BadgeNumber, "2-Mar")])).await;
    assert_eq!(codes(&own, 1), []);
    let told = roster()
        .row("a", [(BadgeNumber, "421.0")])
        .row("b", [(BadgeNumber, "1-Mar")]);
    let told = preview(&app, &told).await;
    assert_snapshot!([told.messages(1), told.messages(2)].concat().join("\n"), @r##"
    BADGE_NUMBER "421.0" looks as if a spreadsheet or a script had changed it; if "421" is right, write that, and export the column as text.
    BADGE_NUMBER "1-Mar" looks like a date that a spreadsheet has made of a badge number; if it is one, format the column as text and enter the badge number again.
    "##);
}

async fn an_artefact_lists_the_user_it_means(database: Database) {
    let app = App::start(database).await;
    app.people(["1001", "1002", "01003"]).await;
    for ids in [
        ["1001.0", "1002.0"],
        ["'1001", "'1002"],
        ["1,001", "1 002"],
        ["'1001'", "`1002`"],
        ["\"1001\"", "\u{201C}1002\u{201D}"],
    ] {
        let people = ids.map(|id| {
            [
                (ExternalId, id),
                (Email, "x@pd.example"),
                (Username, "x"),
                (BadgeNumber, "x"),
            ]
        });
        let [a, b] = people;
        let listing = roster().row("a", a).row("b", b).people(["01003"]);
        let synced = sync(&app, listing).await;
        assert_eq!(
            (synced.code(), synced.deactivations.len()),
            (Code::Ok, 0),
            "{synced}"
        );
        assert_eq!(synced.summary().rejected, 2, "{synced}");
    }
}

async fn a_phone_number_with_an_artefact_is_compared_with_its_users(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(Phone, "+12025550101")]))
        .await;
    for phone in ["12025550101.0", "'+12025550101", "+12,025,550,101"] {
        let own = preview(&app, &roster().row("ada", [(Phone, phone)])).await;
        assert_eq!(codes(&own, 1), [IssueCode::ExportArtifact], "{phone}");
        assert_eq!(
            (own.summary().rejected, suggestion(&own)),
            (1, "+12025550101"),
            "{phone}"
        );
        let new = preview(&app, &roster().row("bob", [(Phone, phone)])).await;
        assert_eq!(codes(&new, 1), [IssueCode::ExportArtifact], "{phone}");
        assert_eq!(new.summary().created, 1, "{phone}");
    }
    app.import(roster().row("bob", [(Phone, "4930901820.0")]))
        .await;
    assert_eq!(app.user("bob").await.phone, "+4930901820");
}

async fn what_nobody_sees_makes_no_second_key(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(BadgeNumber, "0101")]))
        .await;
    for value in ["01\u{200B}01", "01\u{AD}01", "0\u{2060}101", "010\u{FEFF}1"] {
        let taken = preview(&app, &roster().row("bob", [(BadgeNumber, value)])).await;
        assert_eq!(codes(&taken, 1), [IssueCode::BadgeNumberTaken], "{value:?}");
        assert!(
            taken.messages(1)[0].contains("U+"),
            "{}",
            taken.messages(1)[0]
        );
        let own = preview(&app, &roster().row("ada", [(BadgeNumber, value)])).await;
        assert_eq!(own.summary().unchanged, 1, "{value:?}");
    }
    for (column, value) in [
        (ExternalId, "a\u{200D}da"),
        (BadgeNumber, "01\u{200E}01"),
        (BadgeNumber, "01\u{2063}01"),
        (Username, "a\u{200D}da"),
    ] {
        let rejected = preview(&app, &roster().row("bob", [(column, value)])).await;
        assert_eq!(rejected.summary().rejected, 1, "{value:?}");
        assert!(
            rejected.messages(1)[0].contains("U+"),
            "{}",
            rejected.messages(1)[0]
        );
    }
    let spaced = roster().row(
        "ada",
        [
            (BadgeNumber, "0101"),
            (LastName, "Van\u{A0}der\u{2009}Berg"),
        ],
    );
    app.import(spaced).await;
    assert_eq!(app.user("ada").await.last_name, "Van der Berg");
}

async fn typographic_characters_make_no_second_key(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .row(
            "E-1001",
            [(BadgeNumber, "K-9"), (Username, "mary-jane.o'brien")],
        )
        .row("0102", [(BadgeNumber, "0102"), (Username, "bob")]);
    app.import(people).await;
    for (column, value, existing) in [
        (ExternalId, "E\u{2011}1001", "E-1001"),
        (ExternalId, "E\u{2212}1001", "E-1001"),
        (ExternalId, "E\u{2013}1001", "E-1001"),
        (ExternalId, "01\u{A0}02", "0102"),
        (BadgeNumber, "K\u{2013}9", "K-9"),
        (BadgeNumber, "K\u{2010}9", "K-9"),
        (BadgeNumber, "K\u{2011}\u{2009}9", "K-9"),
        (BadgeNumber, "01\u{A0}02", "0102"),
        (BadgeNumber, "0\u{202F}102", "0102"),
        (Username, "mary-jane.o\u{2019}brien", "mary-jane.o'brien"),
        (
            Username,
            "Mary\u{2011}Jane.O\u{2BC}Brien",
            "mary-jane.o'brien",
        ),
        (Username, "mary\u{2014}jane.o'brien", "mary-jane.o'brien"),
    ] {
        for row in ["E-1001", "0102", "new"] {
            let imported = preview(&app, &roster().row(row, [(column, value)])).await;
            let counts = (imported.summary().rejected, suggestion(&imported));
            assert_eq!(counts, (1, existing), "{column} {value}\n{imported}");
            assert_eq!(
                codes(&imported, 1)[0],
                IssueCode::ExportArtifact,
                "{column} {value}\n{imported}"
            );
            // The user still counts as listed.
            let others = roster().people(["E-1001", "0102"].into_iter().filter(|id| *id != row));
            let synced = sync(&app, others.row(row, [(column, value)])).await;
            assert_eq!(
                (synced.code(), synced.deactivations.len()),
                (Code::Ok, 0),
                "{column} {value}\n{synced}"
            );
        }
    }
    let told = preview(&app, &roster().row("new", [(BadgeNumber, "01\u{A0}02")])).await;
    let dashed = preview(&app, &roster().row("new", [(BadgeNumber, "K\u{2011}9")])).await;
    assert_snapshot!([told.messages(1), dashed.messages(1)].concat().join("\n"), @r#"
    BADGE_NUMBER "01 02" is the existing "0102" as a spreadsheet or a script has changed it; write "0102", and export the column as text. The cell holds U+00A0, which is invisible and not part of the value.
    BADGE_NUMBER "K‑9" is the existing "K-9" as a spreadsheet or a script has changed it; write "K-9", and export the column as text. The cell holds U+2011 in place of "-".
    "#);
    // A space that a person typed is a space, and a stored value stands.
    let spaced = roster().row("new", [(BadgeNumber, "01 02"), (Username, "o\u{2019}hara")]);
    assert_eq!(app.import(spaced).await.summary().created, 1);
    for badge in ["01 02", "01\u{A0}02"] {
        let own = roster().row("new", [(BadgeNumber, badge), (Username, "o\u{2019}hara")]);
        assert_eq!(preview(&app, &own).await.summary().unchanged, 1, "{badge}");
    }
}

async fn typographic_characters_beside_another_row_are_rejected_in_any_order(database: Database) {
    let app = App::start(database).await;
    for (column, value, typed) in [
        (ExternalId, "E\u{2011}1001", "E-1001"),
        (BadgeNumber, "K\u{2013}9", "K-9"),
        (BadgeNumber, "01\u{A0}02", "0102"),
        (Username, "o\u{2019}brien", "O'Brien"),
    ] {
        let rows = [("a", value), ("b", typed)];
        for order in [[0, 1], [1, 0]] {
            let add = |roster: Roster, at: usize| roster.row(rows[at].0, [(column, rows[at].1)]);
            let imported = preview(&app, &order.into_iter().fold(roster(), add)).await;
            let row = 1 + order.iter().position(|at| *at == 0).unwrap();
            let issue = &imported.row(row.try_into().unwrap()).issues[0];
            assert_eq!(
                (issue.code(), &*issue.suggestion),
                (IssueCode::ExportArtifact, typed),
                "{imported}"
            );
            assert_eq!(issue.related_row as usize, 3 - row, "{imported}");
            let summary = imported.summary();
            assert_eq!((summary.created, summary.rejected), (1, 1), "{imported}");
        }
    }
    let both = roster()
        .row("a", [(BadgeNumber, "K\u{2013}9")])
        .row("b", [(BadgeNumber, "K-9")]);
    let told = preview(&app, &both).await;
    assert_snapshot!(told.messages(1).join("\n"), @r#"BADGE_NUMBER "K–9" is "K-9" of row 2 with other dashes, apostrophes or spaces; if both are one person, delete one of the rows; otherwise give one of them another badge number. The cell holds U+2013 in place of "-"."#);
}

async fn typographic_characters_in_a_new_key_are_warned_of(database: Database) {
    let app = App::start(database).await;
    for (column, value, typed) in [
        (ExternalId, "E\u{2011}1001", "E-1001"),
        (BadgeNumber, "K\u{2013}9", "K-9"),
        (BadgeNumber, "01\u{A0}02", "0102"),
        (Username, "o\u{2019}brien", "o'brien"),
    ] {
        let imported = preview(&app, &roster().row("new", [(column, value)])).await;
        assert_eq!(codes(&imported, 1), [IssueCode::ExportArtifact], "{value}");
        assert_eq!(
            (imported.summary().created, suggestion(&imported)),
            (1, typed)
        );
    }
}

async fn typographic_marks_match_in_names_of_the_catalog(database: Database) {
    let app = App::start(database).await;
    let mut catalog = user_import_testing::catalog();
    for name in ["Co-Chief", "Chief's Aide"] {
        catalog.ranks.push(user_import::proto::Rank {
            name: name.to_owned(),
            ..Default::default()
        });
        catalog.roles.push(user_import::proto::Role {
            name: name.to_owned(),
            ..Default::default()
        });
        catalog.groups.push(user_import::proto::Group {
            external_id: name.to_owned(),
            name: name.to_owned(),
            active: true,
        });
    }
    app.catalog("pd", catalog).await;
    for (written, name) in [
        ("Co\u{2011}Chief", "Co-Chief"),
        ("Co\u{2013}Chief", "Co-Chief"),
        ("Co\u{2212}Chief", "Co-Chief"),
        ("Chief\u{2019}s\u{A0}Aide", "Chief's Aide"),
        ("Chief\u{2BC}s Aide", "Chief's Aide"),
        ("Chief\u{B4}s Ai\u{AD}de", "Chief's Aide"),
    ] {
        let columns = [Rank, Role, EvidenceGroupExtId].map(|column| (column, written));
        let imported = app.import(roster().row("ada", columns)).await;
        assert_eq!(imported.summary().rejected, 0, "{written}\n{imported}");
        let ada = app.user("ada").await;
        let stored = [&ada.rank, &ada.role, &ada.evidence_group_external_id];
        assert_eq!(stored, [name; 3], "{written}");
    }
    let cased = [(Rank, "co\u{2013}chief"), (Role, "CHIEF\u{2019}S AIDE")];
    let imported = preview(&app, &roster().row("ada", cased)).await;
    assert_eq!(imported.summary().rejected, 0, "{imported}");
}

async fn a_lost_letter_never_overwrites_a_name(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(LastName, "Mu\u{F1}oz")]))
        .await;
    let mut columns = Column::ALL.to_vec();
    columns.retain(|column| *column != Column::Status);
    for column in columns {
        let imported = preview(&app, &roster().row("ada", [(column, "l\u{FFFD}x")])).await;
        assert!(
            codes(&imported, 1).contains(&IssueCode::InvalidEncoding),
            "{column}\n{imported}"
        );
        assert_eq!(imported.summary().rejected, 1, "{column}");
    }
}

async fn a_letter_lost_as_a_question_mark_never_overwrites_a_name(database: Database) {
    let app = App::start(database).await;
    for (stored, damaged) in [
        ("Mu\u{F1}oz", "Mu?oz"),
        ("Mu\u{F1}oz", "MU?OZ"),
        ("Mu\u{F1}oz", "Mu??oz"),
        ("Mu\u{F1}oz", "Mun?oz"),
        ("Mu\u{F1}oz", "Mu\u{EF}\u{BF}\u{BD}oz"),
        ("Mu\u{F1}oz", "Mu&#65533;oz"),
        ("\u{C1}lvarez Garc\u{ED}a", "?lvarez Garc?a"),
        ("O\u{2019}Brien", "O?Brien"),
        ("Mu\u{F1}oz", "Mu_oz"),
        ("Mu\u{F1}oz", "Mu\u{BF}oz"),
        ("\u{418}\u{432}\u{430}\u{43D}\u{43E}\u{432}", "??????"),
    ] {
        app.import(roster().row("ada", [(LastName, stored)])).await;
        let rows = roster().row("ada", [(LastName, damaged)]).people(["bob"]);
        let imported = preview(&app, &rows).await;
        assert_eq!(
            codes(&imported, 1),
            [IssueCode::InvalidEncoding],
            "{damaged}"
        );
        assert_eq!(imported.summary().rejected, 1, "{damaged}");
        // What is left of U+FFFD shows that a letter is lost, even without a user to compare with.
        let is_told = !damaged.contains(['&', '\u{EF}']);
        assert_eq!(suggestion(&imported) == stored, is_told, "{damaged}");
        // The user still counts as listed.
        let synced = sync(&app, rows).await;
        assert_eq!((synced.code(), synced.deactivations.len()), (Code::Ok, 0));
        app.import(rows_with_name(damaged)).await;
        assert_eq!(app.user("ada").await.last_name, stored, "{damaged}");
    }
    app.import(roster().row("ada", [(LastName, "Mu\u{F1}oz")]))
        .await;
    let told = preview(&app, &rows_with_name("Mu?oz")).await;
    let garbled = preview(&app, &rows_with_name("Mu\u{EF}\u{BF}\u{BD}oz")).await;
    assert_snapshot!([told.messages(1), garbled.messages(1)].concat().join("\n"), @r#"
    LAST_NAME "Mu?oz" is the user's "Muñoz", in which a program has lost a letter; write "Muñoz", and export the file as UTF-8.
    LAST_NAME "Muï¿½oz" holds U+FFFD in place of a letter that a program has lost; export the file again, as UTF-8, and check the name in the system that it comes from.
    "#);
}

fn rows_with_name(name: &str) -> Roster {
    roster().row("ada", [(LastName, name)])
}

async fn a_question_mark_anywhere_else_is_no_error(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(LastName, "Mu\u{F1}oz")]))
        .await;
    // For a changed name and for a new user, the name may be wrong, and the right one is not known.
    for row in [
        roster().row("ada", [(LastName, "L?pez")]),
        roster().row("new", [(LastName, "Mu?oz")]),
        roster().row("new", [(FirstName, "Jos?")]),
    ] {
        let imported = preview(&app, &row).await;
        assert_eq!(codes(&imported, 1), [IssueCode::GarbledText], "{imported}");
        assert_eq!(imported.summary().rejected, 0, "{imported}");
    }
    let told = preview(&app, &roster().row("new", [(FirstName, "Jos?")])).await;
    assert_snapshot!(told.messages(1).join("\n"), @r#"FIRST_NAME "Jos?" has a question mark, which programs write in place of a letter that they have lost; if a letter is lost, correct the name in the system that the file comes from, and export the file as UTF-8."#);
    let elsewhere = [
        (BadgeNumber, "B?1"),
        (Username, "who?"),
        (ExternalId, "what?"),
        (Column::Location, "Annex?"),
    ];
    let imported = preview(&app, &roster().row("bob", elsewhere)).await;
    assert_eq!(codes(&imported, 1), [], "{imported}");
    // A stored name stands, and does not cause a warning every night.
    app.import(roster().row("new", [(FirstName, "Jos?")])).await;
    let again = preview(&app, &roster().row("new", [(FirstName, "Jos?")])).await;
    assert_eq!(
        (codes(&again, 1), again.summary().unchanged),
        (Vec::new(), 1)
    );
}

async fn garbled_text_is_warned_of(database: Database) {
    let app = App::start(database).await;
    for (value, before) in [
        ("Mu\u{C3}\u{B1}oz", "Mu\u{F1}oz"),
        ("O\u{E2}\u{20AC}\u{2122}Brien", "O\u{2019}Brien"),
        ("Garc\u{C3}\u{AD}a", "Garc\u{ED}a"),
        ("Mu\u{C3}\u{192}\u{C2}\u{B1}oz", "Mu\u{F1}oz"),
        ("O&#039;Brien", "O'Brien"),
        ("Ren&eacute;e", "Ren\u{E9}e"),
        ("Smith &amp; Jones", "Smith & Jones"),
        ("O\\'Brien", "O'Brien"),
        ("Mu\\u00f1oz", "Mu\u{F1}oz"),
        ("O%27Brien", "O'Brien"),
    ] {
        let imported = preview(&app, &roster().row("ada", [(LastName, value)])).await;
        assert_eq!(codes(&imported, 1), [IssueCode::GarbledText], "{value}");
        assert_eq!(
            (imported.summary().created, suggestion(&imported)),
            (1, before)
        );
    }
    for name in [
        "JO\u{C3}O",
        "S\u{E3}o",
        "CONCEI\u{C7}\u{C3}O",
        "Mu\u{F1}oz",
        "R&D",
    ] {
        let imported = preview(&app, &roster().row("ada", [(LastName, name)])).await;
        assert_eq!(codes(&imported, 1), [], "{name}");
    }
}

async fn an_email_with_something_around_it_is_rejected_with_the_address(database: Database) {
    let app = App::start(database).await;
    for (value, address) in [
        ("mailto:dana@pd.example", "dana@pd.example"),
        ("<dana@pd.example>", "dana@pd.example"),
        ("dana@pd.example.", "dana@pd.example"),
        ("dana@pd.example;", "dana@pd.example"),
        ("Whitlock, Dana <dana@pd.example>", "dana@pd.example"),
        ("Dana Whitlock (dana@pd.example)", "dana@pd.example"),
        ("\"dana@pd.example\"", "dana@pd.example"),
        ("o\u{2019}brien@pd.example", "o'brien@pd.example"),
        ("dana@pd.example; luis@pd.example", ""),
        ("none", ""),
    ] {
        let imported = preview(&app, &roster().row("ada", [(Email, value)])).await;
        assert_eq!(codes(&imported, 1), [IssueCode::InvalidEmail], "{value}");
        assert_eq!(suggestion(&imported), address, "{value}");
    }
}

async fn a_domain_and_its_ascii_form_are_one(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(Email, "ada@m\u{FC}ller.example")]))
        .await;
    for email in [
        "ada@xn--mller-kva.example",
        "ADA@M\u{DC}LLER.example",
        "ada@mu\u{308}ller.example",
    ] {
        let taken = preview(&app, &roster().row("bob", [(Email, email)])).await;
        assert_eq!(codes(&taken, 1), [IssueCode::EmailTaken], "{email}");
        let report = roster().row("bob", [(SupervisorEmail, email)]);
        assert_eq!(preview(&app, &report).await.summary().created, 1, "{email}");
    }
    assert_eq!(app.import(app.export().await).await.summary().unchanged, 1);
}

async fn what_is_stored_from_before_stands(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .people(["ada", "bob"])
        .row("cyd", [(SupervisorEmail, "ada@pd.example")]);
    app.import(people).await;
    app.tamper(
        "UPDATE users SET external_id = 'a\u{AD}da', email = 'a\u{200B}da@pd.example', \
         email_key = 'a\u{200B}da@pd.example', badge_number = '01\u{200D}0\u{A0}1', last_name = 'Van\u{A0}Berg', \
         first_name = 'Mu\u{FFFD}oz', username = '''ada1.0', username_key = '''ada1.0' WHERE external_id = 'ada'",
    )
    .await;
    app.tamper("UPDATE users SET external_id = 'ada', badge_number = '=\"0101\"', last_name = 'O&#039;Neil' WHERE external_id = 'bob'")
        .await;
    let before = app.users().await;
    let imported = app.import(app.export().await).await;
    assert_eq!(imported.summary().unchanged, 3, "{imported}");
    assert_eq!(app.users().await, before);
    // Changing one value leaves the others as they were.
    let changed = app.export().await.replace("Van\u{A0}Berg", "Berg");
    let imported = app.import(changed).await;
    assert_eq!(
        (imported.summary().updated, imported.summary().unchanged),
        (1, 2),
        "{imported}"
    );
    let ada = app.user("a\u{AD}da").await;
    assert_eq!(
        (&*ada.last_name, &*ada.badge_number),
        ("Berg", "01\u{200D}0\u{A0}1")
    );
}
