//! Deceptive usernames are rejected with the reason. A deceptive username that a user has already stays.

use insta::assert_snapshot;
use user_import::domain::Column::Username;

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    deceptive_usernames_are_rejected_with_the_reason,
    a_deceptive_username_that_its_user_already_has_stands,
];

async fn deceptive_usernames_are_rejected_with_the_reason(database: Database) {
    let app = App::start(database).await;
    let rejected = app
        .reject(
            roster()
                .row("control", [(Username, "a\u{7}b")])
                .row("invisible", [(Username, "a\u{200D}b")])
                .row("bidirectional", [(Username, "a\u{202E}b")])
                .row("mark", [(Username, "a\u{200E}b")])
                .row("mixed", [(Username, "p\u{430}ypal")])
                .row("variant", [(Username, "jo\u{1D421}n")]),
        )
        .await;
    let told: Vec<_> = (1..=6).flat_map(|row| rejected.messages(row)).collect();
    assert_snapshot!(rejected, @"
    1 REJECTED control [INVALID_CHARACTER]
    2 REJECTED invisible [INVALID_CHARACTER]
    3 REJECTED bidirectional [INVALID_CHARACTER]
    4 REJECTED mark [INVALID_CHARACTER]
    5 REJECTED mixed [INVALID_USERNAME]
    6 REJECTED variant [INVALID_USERNAME]
    COMPLETED: 6 rows, 6 rejected
    ");
    assert_snapshot!(told.join("\n"), @r#"
    USERNAME "a�b" holds the invisible character U+0007; remove it.
    USERNAME "a[U+200D]b" holds the invisible character U+200D; remove it.
    USERNAME "a�b" holds the invisible character U+202E; remove it.
    USERNAME "a[U+200E]b" holds the invisible character U+200E; remove it.
    USERNAME "pаypal" mixes scripts whose letters look alike: "а" (U+0430) is Cyrillic; write it in one script.
    USERNAME "jo𝐡n" holds "𝐡" (U+1D421), a variant of an ordinary character; write the ordinary one.
    "#);
}

async fn a_deceptive_username_that_its_user_already_has_stands(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    app.tamper("UPDATE users SET username = 'p\u{430}ypal', username_key = 'p\u{430}ypal'")
        .await;
    let imported = app.import(app.export().await).await;
    assert_snapshot!(imported, @"
    1 UNCHANGED ada [warning: INVALID_USERNAME]
    COMPLETED: 1 rows, 1 unchanged
    ");
    let of_another = roster().row("bob", [(Username, "x\u{430}y")]);
    assert_eq!(app.reject(of_another).await.summary().rejected, 1);
}
