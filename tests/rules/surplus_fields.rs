//! Blank fields beyond those of the header (semantics §2, CSV dialect). All records of a file may have them. If only
//! one record has them, one of its values contains the delimiter.

use insta::assert_snapshot;
use tonic::Code;
use user_import::proto::{Issue, IssueCode, User};

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, dry_run, on_both_databases, start_of,
};

on_both_databases![
    as_many_as_the_header_has_are_accepted,
    as_many_as_the_first_two_records_have_are_accepted,
    any_other_number_rejects_the_row,
    a_value_with_a_delimiter_is_never_read_one_column_off,
    a_missing_delimiter_in_front_of_the_status_deactivates_nobody,
    a_missing_delimiter_anywhere_writes_no_value_one_column_off,
];

const HEADER: &str =
    "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK,PHONE";

fn row(id: &str, end: &str) -> String {
    format!("{id},{id}@pd.example,B-{id},Ann,Lee,Active,{id},Officer,,{end}\n")
}

/// A file whose header and records end with these texts.
fn file(header: &str, ends: &[&str]) -> String {
    let rows = ["ada", "bob", "cy"].into_iter().zip(ends);
    format!("{HEADER}{header}\n") + &rows.map(|(id, end)| row(id, end)).collect::<String>()
}

async fn import(app: &App, header: &str, ends: &[&str]) -> ImportResponses {
    app.import(file(header, ends)).await
}

async fn as_many_as_the_header_has_are_accepted(database: Database) {
    let app = App::start(database).await;
    assert_eq!(
        import(&app, ",,,", &[",,,", ",,, ", ",,,"])
            .await
            .summary()
            .created,
        3
    );
    assert_eq!(
        import(&app, ",", &[",", "", ",\u{A0}"])
            .await
            .summary()
            .unchanged,
        3
    );
    assert_eq!(
        import(&app, ", ", &["", ",", ""]).await.summary().unchanged,
        3
    );
}

async fn as_many_as_the_first_two_records_have_are_accepted(database: Database) {
    let app = App::start(database).await;
    assert_eq!(
        import(&app, "", &[",", ",", ","]).await.summary().created,
        3
    );
    assert_eq!(
        import(&app, "", &[",,", ",, ", ""])
            .await
            .summary()
            .unchanged,
        3
    );
    assert_eq!(
        import(&app, ",", &[",,", ",,", ","])
            .await
            .summary()
            .unchanged,
        3
    );
}

async fn any_other_number_rejects_the_row(database: Database) {
    let app = App::start(database).await;
    for (header, ends, rejected) in [
        ("", ["", ",", ""], vec![2]),
        ("", [",", "", ""], vec![1]),
        ("", [",", ",", ",,"], vec![3]),
        ("", ["", ",", ","], vec![2, 3]),
        (",,", [",", ",,", ",,,"], vec![1, 3]),
        (",,", ["", ",,note", ",,"], vec![2]),
        ("", [",x", ",x", ",,"], vec![1, 2, 3]),
    ] {
        let imported = import(&app, header, &ends).await;
        let told = imported.results.iter().filter(|row| {
            let codes: Vec<_> = row
                .issues
                .iter()
                .map(|issue| issue.code().as_str_name())
                .collect();
            codes == ["ISSUE_CODE_FIELD_COUNT"]
        });
        let told: Vec<u32> = told.map(|row| row.row).collect();
        assert_eq!(told, rejected, "{header:?} {ends:?}\n{imported}");
    }
    let imported = import(&app, "", &[",,"]).await;
    assert_snapshot!(imported.messages(1).join("\n"), @"The row has 12 fields, but the header has 10; put double quotes around a value that holds the delimiter, or remove the delimiters at the end of the line.");
}

async fn a_value_with_a_delimiter_is_never_read_one_column_off(database: Database) {
    let app = App::start(database).await;
    let header =
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,STATUS,USERNAME,ROLE,FIRST_NAME,LAST_NAME,LOCATION";
    let person = "ada,ada@pd.example,B-ada,Active,ada,Officer,Dana";
    assert_eq!(
        app.import(format!("{header}\n{person},\"Whitlock, Jr.\",\n"))
            .await
            .summary()
            .created,
        1
    );
    for values in ["Whitlock, Jr.,", "Whitlock, Jr., ", "Whitlock,,"] {
        let imported = app.import(format!("{header}\n{person},{values}\n")).await;
        assert_snapshot!(imported, @"
        1 REJECTED  [FIELD_COUNT]
        COMPLETED: 1 rows, 1 rejected
        ");
    }
    assert_eq!(app.user("ada").await.last_name, "Whitlock, Jr.");
}

async fn a_missing_delimiter_in_front_of_the_status_deactivates_nobody(database: Database) {
    let app = App::start(database).await;
    import(&app, "", &["", "", ""]).await;
    for (whole, broken) in [
        ("ada,ada@", "adaada@"),
        ("example,B-ada", "exampleB-ada"),
        ("B-ada,Ann", "B-adaAnn"),
        ("Ann,Lee", "AnnLee"),
    ] {
        let csv = file("", &["", "", ""]).replacen(whole, broken, 1);
        let start = dry_run(deactivating_missing(start_of("pd")));
        let imported = app.import_with(start, csv).await;
        let codes: Vec<_> = imported.row(1).issues.iter().map(Issue::code).collect();
        assert_eq!(codes, [IssueCode::FieldCount], "{imported}");
        assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
        assert_eq!(imported.summary().refusals[0].code, "UNCERTAIN_ROWS");
    }
}

/// For each delimiter of a record, the record without that delimiter.
fn without_one_delimiter(record: &str) -> Vec<String> {
    let places = record.match_indices(',').map(|(at, _)| at);
    places
        .map(|at| format!("{}{}", &record[..at], &record[at + 1..]))
        .collect()
}

async fn a_missing_delimiter_anywhere_writes_no_value_one_column_off(database: Database) {
    let app = App::start(database).await;
    app.people(["bob"]).await;
    let header = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,\
        RANK,EVIDENCE_GROUP_EXT_ID,PHONE\n";
    let person = "ada,ada@pd.example,B-ada,Ann,Lee,Active,ada,Officer";
    for optional in [
        ",bob@pd.example,Annex,Captain,G-1,+12025550123",
        ",bob@pd.example,,Captain,G-1,+12025550123",
        ",bob@pd.example,,,,",
        ",,,Captain,,",
        ",,,,G-1,",
        ",,,,,+12025550123",
    ] {
        let whole = format!("{person}{optional}");
        for broken in without_one_delimiter(&whole) {
            app.import(format!("{header}{whole}\n")).await;
            let before = app.user("ada").await;
            let imported = app.import(format!("{header}{broken}\n")).await;
            assert_eq!(imported.summary().created, 0, "{broken}\n{imported}");
            let after = app.user("ada").await;
            if after != before {
                // A record that ends with blank fields may be short, because Excel writes it so. A blank value clears
                // the attribute, and LOCATION is not stored.
                let cleared = User {
                    rank: String::new(),
                    updated_at: after.updated_at,
                    last_import_id: after.last_import_id.clone(),
                    ..before
                };
                assert_eq!((after, optional), (cleared, ",,,Captain,,"), "{broken}");
            }
        }
    }
}
