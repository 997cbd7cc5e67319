//! The outcomes of standing rows (semantics §4), their warnings and values, and the digest.

use std::cell::Cell;

use crate::domain::Column;
use crate::plan::scenario::{Scenario, decides};
use crate::plan::{
    DenseIndex, MissingUsersScope, RowIndex, order::generated_external_id, plan_while,
};

const TWO: &str = "
    X1 a@x 1 ann > b@x rank=Captain group=G1 phone=+15005550006
    X2 b@x 2 bob";

#[test]
fn absent_leaves_and_blank_clears() {
    decides(
        TWO,
        "X1 a@x 1 ann
         X2 b@x 2 bob > - rank=- group=- phone=-",
        "1 Unchanged
         2 Unchanged",
    );
    decides(
        TWO,
        "X1 a@x 1 ann > - rank=- group=- phone=-",
        "1 Updated SUPERVISOR_EMAIL RANK EVIDENCE_GROUP_EXT_ID PHONE",
    );
}

#[test]
fn a_required_attribute_absent_or_blank_rejects() {
    decides(
        TWO,
        "X1 - 1 ann
         X2 b@x 2 bob role=-",
        "1 Rejected Required(EMAIL)
         2 Rejected Required(ROLE)",
    );
}

#[test]
fn a_change_of_case_alone_is_a_change() {
    decides(
        TWO,
        "X1 A@x 1 Ann role=OFFICER > B@X",
        "1 Updated EMAIL USERNAME",
    );
}

#[test]
fn a_supervisor_is_compared_as_a_user_not_as_an_email() {
    decides(
        TWO,
        "X1 a@x 1 ann > z@x
         X2 z@x 2 bob",
        "1 Unchanged
         2 Updated EMAIL",
    );
}

#[test]
fn a_new_user_lists_every_attribute_that_gets_a_value() {
    let scenario = Scenario::parse(TWO, "- n@x 9 new > a@x group=G1 rank=- phone=-");
    let changes = scenario.plan().decisions[RowIndex::new(0)].changes;
    let names: Vec<&str> = changes.iter().map(Column::header).collect();
    assert_eq!(
        names.join(" "),
        "EXTERNAL_ID EMAIL BADGE_NUMBER FIRST_NAME LAST_NAME STATUS USERNAME ROLE \
         SUPERVISOR_EMAIL EVIDENCE_GROUP_EXT_ID"
    );
}

#[test]
fn a_row_without_external_id_creates_a_user_with_the_same_id_every_time() {
    let scenario = Scenario::parse("", "- n@x 9 new\n _ m@x 8 mew");
    let plan = scenario.plan();
    let write = |row| plan.write(RowIndex::new(row));
    let ids = [0, 1].map(|row| write(row).text(Column::ExternalId).to_owned());
    assert_eq!(
        ids,
        [1, 2].map(|n| generated_external_id(scenario.request.import_id, n))
    );
    assert_eq!(ids[0], "8265c1eb-c133-5642-8dbd-3a722d494f44");
}

#[test]
fn an_inactive_supervisor_is_a_warning_also_where_missing_makes_it_so() {
    let rows = "X1 a@x 1 ann > b@x
                X2 b@x 2 bob inactive
                X3 c@x 3 cyd > d@x";
    let directory = "X1 a@x 1 ann
                     X2 b@x 2 bob
                     X3 c@x 3 cyd
                     X4 d@x 4 dan";
    let scenario =
        Scenario::parse(directory, rows).deactivating_missing(MissingUsersScope::default());
    assert_eq!(
        scenario.decided(),
        "1 Updated SUPERVISOR_EMAIL ~SupervisorInactive(SUPERVISOR_EMAIL)\n\
         2 Updated STATUS\n\
         3 Updated SUPERVISOR_EMAIL ~SupervisorInactive(SUPERVISOR_EMAIL)"
    );
    assert_eq!(scenario.plan().going_inactive, 2);
    assert_eq!(scenario.plan().active_users, 4);
}

#[test]
fn keys_equal_but_for_leading_zeros_are_a_warning() {
    decides(
        "0042 a@x 007 ann
         X2 b@x 8 bob",
        "42 n@x 7 new
         X2 b@x 08 bob
         0042 a@x 007 ann",
        "1 Created ~LeadingZerosLost(EXTERNAL_ID of 0042) ~LeadingZerosLost(BADGE_NUMBER of 0042)
         2 Updated BADGE_NUMBER ~LeadingZerosLost(BADGE_NUMBER of X2)
         3 Unchanged",
    );
}

#[test]
fn keys_of_two_rows_equal_but_for_leading_zeros_are_a_warning() {
    decides(
        "X9 z@x 9 zed",
        "421 a@x 7 ann
         0421 b@x 07 bob
         00421 c@x 007 cyd
         421 !d@x 0009 dan
         X5 e@x 08 eve
         X6 f@x 8 !fay",
        "1 Created ~LeadingZerosLost(EXTERNAL_ID row 2) ~LeadingZerosLost(BADGE_NUMBER row 2)
         2 Created ~LeadingZerosLost(EXTERNAL_ID row 1) ~LeadingZerosLost(BADGE_NUMBER row 1)
         3 Created ~LeadingZerosLost(EXTERNAL_ID row 1) ~LeadingZerosLost(BADGE_NUMBER row 1)
         4 Rejected TooLong(EMAIL) ~LeadingZerosLost(EXTERNAL_ID row 2) ~LeadingZerosLost(BADGE_NUMBER of X9)
         5 Created ~LeadingZerosLost(BADGE_NUMBER row 6)
         6 Rejected TooLong(USERNAME) ~LeadingZerosLost(BADGE_NUMBER row 5)",
    );
}

#[test]
fn a_user_is_named_rather_than_a_row_and_keeps_its_own_value_without_a_word() {
    decides(
        "X1 a@x 007 ann
         X2 b@x 8 bob",
        "X1 a@x 007 ann
         N1 n@x 7 new
         N2 m@x 07 mew
         X2 b@x 09 bob
         N3 k@x 9 kew",
        "1 Unchanged
         2 Created ~LeadingZerosLost(BADGE_NUMBER of X1)
         3 Created ~LeadingZerosLost(BADGE_NUMBER of X1)
         4 Updated BADGE_NUMBER ~LeadingZerosLost(BADGE_NUMBER row 5)
         5 Created ~LeadingZerosLost(BADGE_NUMBER row 4)",
    );
}

#[test]
fn an_external_id_that_a_user_has_in_another_case_is_a_warning() {
    decides(
        "E-12 a@x 1 ann
         STRASSE b@x 2 bob
         n-1 c@x 3 cyd
         N-1 d@x 4 dan
         mcDonaldson e@x 5 eve
         McDonaldson f@x 6 fay",
        "e-12 n@x 7 new
         Stra\u{DF}e m@x 8 mew
         E-12 a@x 1 ann
         e-12 a@x 9 !ann
         12 k@x 10 kew
         E-13 j@x 2 jay
         e-13 i@x 11 ivy
         mCDonaldSON l@x 12 lou",
        "1 Created ~ExportArtifact(EXTERNAL_ID of E-12)
         2 Created ~ExportArtifact(EXTERNAL_ID of STRASSE)
         3 Unchanged
         4 Rejected TooLong(USERNAME) EmailTaken(EMAIL of E-12 row 3)
         5 Created
         6 Rejected BadgeNumberTaken(BADGE_NUMBER of STRASSE)
         7 Created
         8 Created ~ExportArtifact(EXTERNAL_ID of McDonaldson)",
    );
}

#[test]
fn a_key_that_a_user_has_with_typographic_characters_is_no_new_key() {
    decides(
        "E\u{2013}12 a@x K\u{2013}9 o\u{2019}ann
         X2 b@x 2 bob
         X3 c@x A\u{2011}1-1 cyd
         X4 d@x B-1 dan
         X5 e@x B\u{2013}1 eve",
        "E-12 n@x 7 new
         N1 m@x K-9 mew
         N2 k@x 8 O'Ann
         N3 j@x K\u{2014}9 jay
         N4 i@x A-1-1 ivy
         E\u{2013}12 a@x K-9 o\u{2019}ann
         X2 b@x A-1\u{2011}1 bob
         X4 d@x B-1 dan
         N5 g@x B-1 gus
         N6 h@x A1-1 hal",
        "1 Rejected ExportArtifact(EXTERNAL_ID of E\u{2013}12)
         2 Rejected ExportArtifact(BADGE_NUMBER of E\u{2013}12)
         3 Rejected ExportArtifact(USERNAME of E\u{2013}12)
         4 Rejected ExportArtifact(BADGE_NUMBER of E\u{2013}12)
         5 Rejected ExportArtifact(BADGE_NUMBER of X3)
         6 Updated BADGE_NUMBER ~ExportArtifact(EXTERNAL_ID) ~ExportArtifact(USERNAME)
         7 Rejected ExportArtifact(BADGE_NUMBER of X3)
         8 Unchanged
         9 Rejected DuplicateInFile(BADGE_NUMBER row 8)
         10 Created",
    );
}

#[test]
fn two_rows_with_typographic_characters_of_two_kinds_are_rejected_in_any_order() {
    let rows = [
        "N1 a@x K\u{2013}9 ann",
        "N2 b@x K\u{2014}9 bob",
        "N3 c@x k\u{2013}9 cyd",
    ];
    for order in [[0, 1], [1, 0]] {
        decides(
            "",
            &order.map(|row| rows[row]).join("\n"),
            "1 Rejected ExportArtifact(BADGE_NUMBER row 2)
             2 Rejected ExportArtifact(BADGE_NUMBER row 1)",
        );
    }
    let twice = [rows[0], rows[2]].join("\n");
    decides(
        "",
        &twice,
        "1 Created ~ExportArtifact(BADGE_NUMBER)\n2 Created ~ExportArtifact(BADGE_NUMBER)",
    );
}

#[test]
fn a_name_with_lost_letters_is_rejected_and_any_other_question_mark_warned_of() {
    decides(
        "X1 a@x 1 ann last=Mu\u{F1}oz first=Jos\u{E9}
         X2 b@x 2 bob last=Mu?oz
         X3 c@x 3 cyd last=Munoz",
        "X1 a@x 1 ann last=Mu?oz first=Jos?
         X1 a@x 1 ann last=L?pez first=Jos\u{E9}
         X2 b@x 2 bob last=Mu?oz
         X3 c@x 3 cyd last=Mu?oz
         N1 d@x 4 dan last=Mu?oz
         N1 d@x 4 dan last=Mu?oz",
        "1 Rejected InvalidEncoding(FIRST_NAME) InvalidEncoding(LAST_NAME)
         2 Updated LAST_NAME ~GarbledText(LAST_NAME)
         3 Unchanged
         4 Updated LAST_NAME ~GarbledText(LAST_NAME)
         5 Created ~GarbledText(LAST_NAME)
         6 Unchanged ~GarbledText(LAST_NAME) ~DuplicateInFile(EXTERNAL_ID row 5)",
    );
}

#[test]
fn a_copy_of_a_rejected_row_has_each_warning_once() {
    decides(
        "X1 a@x 1 ann",
        "N1 a@x 421.0 new last=Mu?oz
         N1 a@x 421.0 new last=Mu?oz",
        "1 Rejected ~GarbledText(LAST_NAME) ~ExportArtifact(BADGE_NUMBER) EmailTaken(EMAIL of X1)
         2 Rejected ~GarbledText(LAST_NAME) ~ExportArtifact(BADGE_NUMBER) EmailTaken(EMAIL of X1) \
         ~DuplicateInFile(EXTERNAL_ID row 1)",
    );
}

#[test]
fn changes_have_their_values_as_a_roster_writes_them() {
    let rows = "X1 a@x 1 ann > c@x rank=sergeant group=- phone=+15005550009
                X3 c@x 3 cyd";
    let scenario = Scenario::parse(TWO, rows);
    let plan = scenario.plan();
    let [first, second] = [0, 1].map(RowIndex::new);
    let value = |column| {
        let (before, after) = plan.change_values(first, column);
        format!("{before:?} {after:?}")
    };
    assert_eq!(value(Column::SupervisorEmail), r#"Some("b@x") Some("c@x")"#);
    assert_eq!(value(Column::Rank), r#"Some("Captain") Some("Sergeant")"#);
    assert_eq!(value(Column::EvidenceGroupExtId), r#"Some("G1") None"#);
    assert_eq!(
        value(Column::Phone),
        r#"Some("+15005550006") Some("+15005550009")"#
    );
    let (before, after) = plan.change_values(second, Column::ExternalId);
    assert_eq!((before, after.as_deref()), (None, Some("X3")));
}

#[test]
fn the_digest_covers_what_happens_and_nothing_else() {
    let digest = |directory: &str, rows: &str| Scenario::parse(directory, rows).plan().digest;
    let base = digest(TWO, "X1 a@x 1 ann first=Ann");
    assert_eq!(base, digest(TWO, "X1 a@x 1 ann first=Ann"));
    assert_ne!(base, digest(TWO, "X1 a@x 1 ann"), "outcome");
    assert_ne!(base, digest(TWO, "X1 a@x 1 ann first=Anna"), "value after");
    assert_ne!(base, digest(TWO, "X1 a@x 3 ann first=Ann"), "column");
    let renamed = digest("X1 a@x 1 ann first=Al", "X1 a@x 4 ann");
    let other = digest("X1 a@x 2 ann first=Al", "X1 a@x 4 ann");
    assert_ne!(renamed, other, "value before");
    let rejected = digest(TWO, "X1 a@x 2 ann");
    assert_ne!(rejected, digest(TWO, "X1 b@x 1 ann"), "issue code");
}

#[test]
fn the_digest_says_nothing_to_who_does_not_have_the_key() {
    let mut scenario = Scenario::parse(TWO, "X1 a@x 1 ann first=Ann");
    let own = scenario.plan().digest;
    scenario.request.terms.digest_key = crate::plan::DigestKey::new(&[8; 32]);
    assert_ne!(own, scenario.plan().digest);
}

#[test]
fn the_digest_covers_who_is_deactivated_but_no_generated_id() {
    let mut scenario = Scenario::parse(TWO, "- n@x 9 new");
    let kept = scenario.plan().digest;
    scenario.request.import_id = uuid::Uuid::from_u128(8);
    assert_eq!(kept, scenario.plan().digest);
    let scenario = scenario.deactivating_missing(MissingUsersScope::default());
    assert_ne!(kept, scenario.plan().digest);
}

#[test]
fn a_plan_that_is_no_longer_wanted_is_given_up() {
    let scenario = Scenario::parse(TWO, "X1 a@x 1 eve");
    let planned_for = |looks: u32| {
        let left = Cell::new(looks);
        let wanted = || {
            let wanted = left.get() > 0;
            left.set(left.get().saturating_sub(1));
            wanted
        };
        plan_while(scenario.request.clone(), &wanted).is_some()
    };
    assert!(!planned_for(0) && !planned_for(1) && !planned_for(3));
    assert!(planned_for(100));
}
