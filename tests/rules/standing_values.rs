//! A value that its user has already stands, even if it would not be accepted any more (semantics §2). So an export can
//! always be imported.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{EvidenceGroupExtId, Phone, Username},
    proto::{Catalog, Group},
};

use crate::absent_and_blank::app_with_ada;
use user_import_testing::{Database, catalog, on_both_databases, roster};

on_both_databases![
    a_deactivated_group_stays_with_its_user_and_goes_to_nobody_else,
    any_value_that_its_user_already_has_stands,
];

async fn a_deactivated_group_stays_with_its_user_and_goes_to_nobody_else(database: Database) {
    let app = app_with_ada(database).await;
    let closed = Catalog {
        groups: vec![Group {
            external_id: "G-1".to_owned(),
            name: "Closed".to_owned(),
            active: false,
        }],
        ..catalog()
    };
    app.catalog("pd", closed).await;
    let in_g_1 = [(EvidenceGroupExtId, "G-1")];
    let people = roster().row("ada", in_g_1).row("bob", in_g_1);
    let imported = app.import(people).await;
    assert_snapshot!(imported, @r"
    1 UNCHANGED ada [warning: INACTIVE_GROUP]
    2 REJECTED bob [INACTIVE_GROUP]
    COMPLETED: 2 rows, 1 unchanged, 1 rejected
    ");
    assert_snapshot!([imported.messages(1), imported.messages(2)].concat().join("\n"), @r#"
    EVIDENCE_GROUP_EXT_ID "G-1" is inactive. It is accepted, because the user has it already.
    EVIDENCE_GROUP_EXT_ID "G-1" is inactive; give an active group.
    "#);
    assert_eq!(app.import(app.export().await).await.summary().unchanged, 2);
}

async fn any_value_that_its_user_already_has_stands(database: Database) {
    let app = app_with_ada(database).await;
    app.tamper(
        "UPDATE users SET email = 'ada', email_key = 'ada', badge_number = '1.2E+5', \
         username = 'a da', username_key = 'a da', phone = '12' WHERE external_id = 'ada'",
    )
    .await;
    let before = app.users().await;
    let imported = app.import(app.export().await).await;
    assert_snapshot!(imported, @r"
    1 UNCHANGED ada [warning: INVALID_EMAIL, warning: SCIENTIFIC_NOTATION, warning: INVALID_USERNAME, warning: INVALID_PHONE]
    2 UNCHANGED bob
    COMPLETED: 2 rows, 2 unchanged
    ");
    assert_snapshot!(imported.messages(1).join("\n"), @r#"
    EMAIL "ada" is not an email address; write it like name@example.com. It is accepted, because the user has it already.
    BADGE_NUMBER "1.2E+5" is in scientific notation; format the column as text in the spreadsheet and enter the full number again. It is accepted, because the user has it already.
    USERNAME "a da" contains white space; take it out, or write a dot in its place. It is accepted, because the user has it already.
    PHONE "12" is not a phone number; write it with its country code, such as +1 202 555 0143. It is accepted, because the user has it already.
    "#);
    assert_eq!(app.users().await, before);
    let of_another = roster().row("bob", [(Phone, "12"), (Username, "a da")]);
    assert_eq!(app.reject(of_another).await.summary().rejected, 1);
}
