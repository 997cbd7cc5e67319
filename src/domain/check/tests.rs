use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::{Issue, IssueCode, Severity};

/// A row without faults, as received.
const JANE: [(Column, &str); 13] = [
    (Column::ExternalId, "X-1"),
    (Column::Email, "Jane@Example.com"),
    (Column::BadgeNumber, "00421"),
    (Column::FirstName, "Jane"),
    (Column::LastName, "Doe"),
    (Column::Status, "active"),
    (Column::Username, "jdoe"),
    (Column::Role, "Officer"),
    (Column::SupervisorEmail, "chief@example.com"),
    (Column::Location, ""),
    (Column::Rank, "Sergeant"),
    (Column::EvidenceGroupExtId, "G-1"),
    (Column::Phone, "1 202 555 0143"),
];

fn raw<'a>(changes: &[(Column, Cell<'a>)]) -> RawRow<'a> {
    let mut cells = [Cell::Absent; Column::COUNT];
    for (column, text) in JANE {
        cells[column as usize] = Cell::Text(text);
    }
    for &(column, cell) in changes {
        cells[column as usize] = cell;
    }
    RawRow {
        number: 7,
        line: 8,
        cells,
        misfit: None,
    }
}

/// Jane's row with one cell changed.
fn row_with(column: Column, cell: Cell<'_>) -> Row {
    Row::parse(&raw(&[(column, cell)]))
}

fn issues(row: &Row) -> Vec<Issue> {
    row.issues().collect()
}

/// The issues of a row, one a line: severity, code, message, suggestion.
fn issue_lines(row: &Row) -> String {
    let line = |issue: &Issue| {
        let suggestion = match &*issue.suggestion {
            "" => String::new(),
            suggestion => format!(" [{suggestion}]"),
        };
        format!(
            "{:?} {:?}: {}{suggestion}",
            issue.severity, issue.code, issue.message
        )
    };
    row.issues()
        .map(|issue| line(&issue))
        .collect::<Vec<_>>()
        .join("\n")
}

fn issue_lines_of(column: Column, text: &str) -> String {
    issue_lines(&row_with(column, Cell::Text(text)))
}

#[test]
fn a_row_without_fault_keeps_every_value_in_canonical_form() {
    let row = Row::parse(&raw(&[]));
    assert_eq!(row.issues().count(), 0);
    assert_eq!((row.number, row.line, row.is_misfit()), (7, 8, false));
    for (column, text) in JANE {
        let canonical = match column {
            Column::Status => "Active",
            Column::Phone => "+12025550143",
            _ => text,
        };
        assert_eq!(row.value(column), Some(canonical), "{column}");
    }
}

#[test]
fn absent_blank_and_value_are_three_things() {
    for column in Column::ALL
        .into_iter()
        .filter(|column| !column.is_required())
    {
        assert_eq!(
            row_with(column, Cell::Absent).value(column),
            None,
            "{column}"
        );
        for blank in ["", " \u{A0}", "\u{200B}\u{FEFF}"] {
            let row = row_with(column, Cell::Text(blank));
            assert_eq!(
                (row.value(column), row.issues().count()),
                (Some(""), 0),
                "{column}"
            );
        }
    }
}

#[test]
fn a_required_column_must_be_filled() {
    for column in Column::ALL
        .into_iter()
        .filter(|column| column.is_required())
    {
        for cell in [
            Cell::Absent,
            Cell::Text(""),
            Cell::Text("\u{200B}\u{A0}\r\n"),
        ] {
            let row = row_with(column, cell);
            let expected = format!("Error Required: {column} is blank; fill it in.");
            assert_eq!(issue_lines(&row), expected);
            assert!(row.is_unsound(column));
        }
    }
}

#[test]
fn all_faults_of_a_row_are_reported_in_the_order_of_the_columns() {
    let row = Row::parse(&raw(&[
        (Column::ExternalId, Cell::Text("1.4155E+10")),
        (Column::Email, Cell::Text("jane.example.com")),
        (Column::BadgeNumber, Cell::Text("1,5E-3")),
        (Column::FirstName, Cell::Text("")),
        (
            Column::LastName,
            Cell::Invalid {
                byte: 0xE9,
                charset: "UTF-8",
            },
        ),
        (Column::Status, Cell::Text("Actve")),
        (Column::Username, Cell::Text("j doe")),
        (Column::Role, Cell::Text("Offi\u{7}cer")),
        (Column::Phone, Cell::Text("n/a")),
    ]));
    assert_snapshot!(issue_lines(&row), @r#"
    Error ScientificNotation: EXTERNAL_ID "1.4155E+10" is in scientific notation; format the column as text in the spreadsheet and enter the full number again.
    Error InvalidEmail: EMAIL "jane.example.com" is not an email address; write it like name@example.com.
    Error ScientificNotation: BADGE_NUMBER "1,5E-3" is in scientific notation; format the column as text in the spreadsheet and enter the full number again.
    Error Required: FIRST_NAME is blank; fill it in.
    Error InvalidEncoding: LAST_NAME holds the byte 0xE9, which is not valid UTF-8; save the file as UTF-8, or name the charset it has (such as windows-1252) in the charset option.
    Error InvalidStatus: STATUS "Actve" is neither Active nor Inactive; did you mean "Active"? [Active]
    Error InvalidUsername: USERNAME "j doe" contains white space; take it out, or write a dot in its place.
    Error InvalidCharacter: ROLE "Offi�cer" holds the invisible character U+0007; remove it.
    Error InvalidPhone: PHONE "n/a" is not a phone number; leave the cell blank, which clears the phone number.
    "#);
    let issues = issues(&row);
    let email = &issues[1];
    assert_eq!(
        (email.column, &*email.value),
        (Some(Column::Email), "jane.example.com")
    );
}

#[test]
fn a_status_is_one_of_two_and_the_nearer_is_suggested() {
    assert_snapshot!(issue_lines_of(Column::Status, "INACTIV"), @r#"Error InvalidStatus: STATUS "INACTIV" is neither Active nor Inactive; did you mean "Inactive"? [Inactive]"#);
    assert_snapshot!(issue_lines_of(Column::Status, "a"), @r#"Error InvalidStatus: STATUS "a" is neither Active nor Inactive; did you mean "Active"? [Active]"#);
    assert_snapshot!(issue_lines_of(Column::Status, "on leave"), @r#"Error InvalidStatus: STATUS "on leave" is neither Active nor Inactive; write one of the two."#);
    for text in ["ACTIVE", " inactive ", "InActive"] {
        assert_eq!(issue_lines_of(Column::Status, text), "");
    }
}

#[test]
fn a_value_may_not_be_longer_than_its_column_allows() {
    let long = "é".repeat(256);
    assert_snapshot!(issue_lines_of(Column::ExternalId, &long), @r#"Error TooLong: EXTERNAL_ID "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…" has 256 characters; shorten it to at most 255."#);
    assert_snapshot!(issue_lines_of(Column::BadgeNumber, &long[..130]), @r#"Error TooLong: BADGE_NUMBER "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…" has 65 characters; shorten it to at most 64."#);
    assert_snapshot!(issue_lines_of(Column::FirstName, &long[..258]), @r#"Error TooLong: FIRST_NAME "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…" has 129 characters; shorten it to at most 128."#);
    assert_snapshot!(issue_lines_of(Column::Email, &format!("{}@example.com", "j".repeat(250))), @r#"Error TooLong: EMAIL "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj…" has 262 bytes; shorten it to at most 254."#);
    assert_eq!(
        issue_lines_of(Column::Role, &long),
        "",
        "the planner says that there is no such role"
    );
}

#[test]
fn every_phone_fault_says_what_to_do() {
    assert_snapshot!(issue_lines_of(Column::Phone, "ask the desk"), @r#"Error InvalidPhone: PHONE "ask the desk" is not a phone number; write it with its country code, such as +1 202 555 0143."#);
    assert_snapshot!(issue_lines_of(Column::Phone, "020 7946 0018"), @r#"Error InvalidPhone: PHONE "020 7946 0018" begins with no known country code; write it with one, such as +1 202 555 0143."#);
    assert_snapshot!(issue_lines_of(Column::Phone, "+1 202 555 014"), @r#"Error InvalidPhone: PHONE "+1 202 555 014" has too few or too many digits for its country code; check both."#);
    assert_snapshot!(issue_lines_of(Column::Phone, "+1 202 555 0143 ext. 5"), @r#"Error InvalidPhone: PHONE "+1 202 555 0143 ext. 5" has an extension; leave the extension out."#);
    assert_snapshot!(issue_lines_of(Column::Phone, "1.202555E+10"), @r#"Error ScientificNotation: PHONE "1.202555E+10" is in scientific notation; format the column as text in the spreadsheet and enter the full number again."#);
}

#[test]
fn a_phone_number_not_in_use_is_a_warning_and_is_kept() {
    let row = row_with(Column::Phone, Cell::Text("49 10000"));
    assert_snapshot!(issue_lines(&row), @r#"Warning InvalidPhone: PHONE "49 10000" was read as +4910000, which is not a number in use; check its country code and digits."#);
    assert_eq!(row.sound(Column::Phone), Some("+4910000"));
    assert_eq!(&*issues(&row)[0].value, "49 10000");
}

#[rstest]
#[case::more(15, "put")]
#[case::fewer(4, "add")]
fn a_record_with_a_wrong_number_of_fields_has_that_fault_alone(
    #[case] found: u32,
    #[case] advice: &str,
) {
    let cells = [Cell::Absent; Column::COUNT];
    let row = Row::parse(&RawRow {
        number: 1,
        line: 2,
        cells,
        misfit: Some(ValueFault::FieldCount {
            expected: 13_u32.into(),
            found: found.into(),
        }),
    });
    assert!(
        row.is_misfit()
            && Column::ALL
                .into_iter()
                .all(|column| row.value(column).is_none())
    );
    let start =
        format!("Error FieldCount: The row has {found} fields, but the header has 13; {advice}");
    assert!(
        issue_lines(&row).starts_with(&start),
        "{}",
        issue_lines(&row)
    );
    assert_eq!((row.issues().count(), issues(&row)[0].column), (1, None));
}

#[test]
fn a_field_over_4_kib_is_refused_in_any_column_however_blank() {
    let (fits, over) = (" ".repeat(4096), "x".repeat(4097));
    for column in Column::ALL
        .into_iter()
        .filter(|column| !column.is_required())
    {
        assert_eq!(issue_lines_of(column, &fits), "", "{column}");
        let row = row_with(column, Cell::Text(&over));
        assert_eq!(issues(&row)[0].code, IssueCode::TooLong, "{column}");
    }
    let blanks = format!("{fits} ");
    assert_snapshot!(issue_lines_of(Column::Location, &blanks), @"Error TooLong: LOCATION has 4097 bytes, and no field may have more than 4096; shorten it.");
}

#[test]
fn what_is_kept_of_a_long_value_is_bounded() {
    let long = "é".repeat(2048);
    let row = Row::parse(&raw(&JANE.map(|(column, _)| (column, Cell::Text(&long)))));
    for (column, _) in JANE
        .into_iter()
        .filter(|&(column, _)| column != Column::Location)
    {
        let kept = row.value(column).unwrap_or_default();
        assert_eq!(kept.chars().count(), MAX_KEPT, "{column}");
    }
}

#[test]
fn forbidden_characters_and_bytes_are_faults_in_every_column() {
    for column in Column::ALL {
        let row = row_with(column, Cell::Text("a\u{202E}b"));
        let code = issues(&row)[0].code;
        assert_eq!(code, IssueCode::InvalidCharacter, "{column}");
        assert_eq!(&*issues(&row)[0].value, "a\u{FFFD}b");
        let row = row_with(
            column,
            Cell::Invalid {
                byte: 0xFF,
                charset: "UTF-8",
            },
        );
        assert_eq!(issues(&row)[0].code, IssueCode::InvalidEncoding, "{column}");
        assert!(row.is_unsound(column) && issues(&row)[0].is_error());
    }
}

#[test]
fn location_is_not_kept_but_its_presence_is() {
    assert!(row_with(Column::Location, Cell::Text("Depot 4")).has_location());
    assert!(!row_with(Column::Location, Cell::Text("\u{A0}")).has_location());
    assert_eq!(
        row_with(Column::Location, Cell::Text("Depot 4")).value(Column::Location),
        Some("")
    );
}

#[test]
fn an_example_of_the_template_is_recognised_in_any_case() {
    let row = row_with(Column::Email, Cell::Text("Jordan.Sample@Template.Example"));
    assert_snapshot!(issue_lines(&row), @r#"Error TemplateExample: EMAIL "Jordan.Sample@Template.Example" is an example from the import template; delete this row."#);
}

#[test]
fn only_a_phone_number_not_in_use_is_a_warning() {
    let row = row_with(Column::Phone, Cell::Text("+1 555 555 0143"));
    assert_eq!(issues(&row)[0].severity, Severity::Warning);
    assert!(!row.is_unsound(Column::Phone));
}

#[test]
fn the_issue_of_a_national_number_without_a_region_names_a_country() {
    assert_snapshot!(issue_lines_of(Column::Phone, "650-253-0000"), @r#"Warning PhoneRegionAssumed: PHONE "650-253-0000" was read as +6502530000, a number of Singapore; if it is one of North America, write +16502530000, or set the organisation's phone region. [+16502530000]"#);
    assert_snapshot!(issue_lines_of(Column::Phone, "(469) 234-5678"), @r#"Error InvalidPhone: PHONE "(469) 234-5678" begins with "(", so it has no country code. Write it with one, such as +1 469-234-5678, or set the organisation's phone region. [+14692345678]"#);
    assert_snapshot!(issue_lines_of(Column::Phone, "(030) 901820"), @r#"Error InvalidPhone: PHONE "(030) 901820" begins with "(", so it has no country code. Write it with one, such as +1 202-555-0143, or set the organisation's phone region."#);
}

#[rstest]
#[case::float("4692345678.0")]
#[case::apostrophe("'469-234-5678")]
#[case::thousands("4,692,345,678")]
fn a_national_number_with_an_artefact_gets_a_suggestion_with_its_country(#[case] text: &str) {
    let row = row_with(Column::Phone, Cell::Text(text));
    let issue = &issues(&row)[0];
    assert_eq!(
        (issue.code, &*issue.suggestion),
        (IssueCode::PhoneRegionAssumed, "+14692345678")
    );
    assert!(row.has_phone_artifact());
    assert_eq!(row.sound(Column::Phone), Some("+4692345678"));
}

#[rstest]
#[case::null("NULL")]
#[case::full_width("\u{FF2E}\u{FF35}\u{FF2C}\u{FF2C}")]
#[case::german("(leer)")]
#[case::spreadsheet_error(" #REF! ")]
#[case::not_available("N/A")]
#[case::around("<null>")]
fn a_placeholder_identifies_nobody(#[case] text: &str) {
    for column in [Column::ExternalId, Column::BadgeNumber, Column::Username] {
        let row = row_with(column, Cell::Text(text));
        assert_eq!(
            issues(&row)[0].code,
            IssueCode::PlaceholderValue,
            "{column}"
        );
        assert!(row.is_unsound(column));
    }
}

#[test]
fn a_placeholder_is_told_with_what_to_do() {
    assert_snapshot!(issue_lines_of(Column::ExternalId, "NULL"), @r##"Error PlaceholderValue: EXTERNAL_ID "NULL" means "no value", so it identifies no user. Leave the cell blank; a row with a blank EXTERNAL_ID creates a user."##);
    assert_snapshot!(issue_lines_of(Column::BadgeNumber, "#N/A"), @r##"Error PlaceholderValue: BADGE_NUMBER "#N/A" means "no value", so it identifies no user. Enter the badge number."##);
    assert_snapshot!(issue_lines_of(Column::Username, "not available"), @r##"Error PlaceholderValue: USERNAME "not available" means "no value", so it identifies no user. Enter the username."##);
    assert_snapshot!(issue_lines_of(Column::LastName, "#VALUE!"), @r##"Error PlaceholderValue: LAST_NAME "#VALUE!" is an error of the spreadsheet, not a name; correct its formula, or enter the name."##);
    for name in ["Null", "None", "Nil", "Na", "Tba"] {
        assert_eq!(issue_lines_of(Column::LastName, name), "");
    }
}

#[test]
fn a_lost_letter_is_an_error_in_every_column() {
    for column in Column::ALL {
        let row = row_with(column, Cell::Text("Mu\u{FFFD}oz"));
        assert_eq!(issues(&row)[0].code, IssueCode::InvalidEncoding, "{column}");
    }
    assert_snapshot!(issue_lines_of(Column::LastName, "Mu\u{FFFD}oz"), @r#"Error InvalidEncoding: LAST_NAME "Mu�oz" holds U+FFFD, which programs write in place of a letter that they have lost; export the file again, as UTF-8, and check the name in the system that it comes from."#);
}

#[test]
fn a_cell_that_is_a_quoted_formula_is_read_as_its_text() {
    let row = Row::parse(&raw(&[
        (Column::ExternalId, Cell::Text("=\"E-1001\"")),
        (Column::BadgeNumber, Cell::Text(" =\"0101\"")),
        (Column::LastName, Cell::Text("=\"O\"\"Neil\"")),
        (Column::Rank, Cell::Text("=\"\"")),
        (Column::Status, Cell::Text("=\"Active\"")),
        (Column::Phone, Cell::Text("=\"+12025550106\"")),
    ]));
    assert_eq!(issue_lines(&row), "");
    for (column, value) in [
        (Column::ExternalId, "E-1001"),
        (Column::BadgeNumber, "0101"),
        (Column::LastName, "O\"Neil"),
        (Column::Rank, ""),
        (Column::Status, "Active"),
        (Column::Phone, "+12025550106"),
    ] {
        assert_eq!(row.value(column), Some(value), "{column}");
    }
    assert_eq!(row.written(Column::BadgeNumber), Some("=\"0101\""));
    assert_eq!(row.written(Column::Email), None);
}

#[test]
fn what_nobody_sees_in_an_identifier_is_left_out_or_named() {
    for column in [Column::ExternalId, Column::BadgeNumber] {
        let row = row_with(column, Cell::Text("01\u{200B}0\u{AD}1"));
        assert_eq!(
            (row.sound(column), issue_lines(&row)),
            (Some("0101"), String::new())
        );
        for hidden in [
            '\u{200D}', '\u{200E}', '\u{2061}', '\u{180E}', '\u{FE0F}', '\u{3164}',
        ] {
            let row = row_with(column, Cell::Text(&format!("01{hidden}01")));
            assert_eq!(
                issues(&row)[0].code,
                IssueCode::InvalidCharacter,
                "{hidden:?}"
            );
        }
    }
    assert_snapshot!(issue_lines_of(Column::BadgeNumber, "01\u{200D}01"), @r#"Error InvalidCharacter: BADGE_NUMBER "01[U+200D]01" holds the invisible character U+200D; remove it."#);
}

#[test]
fn garbled_text_is_a_warning_with_what_it_probably_was() {
    assert_snapshot!(issue_lines_of(Column::LastName, "Mu\u{C3}\u{B1}oz"), @r#"Warning GarbledText: LAST_NAME "MuÃ±oz" looks garbled, like text that was decoded twice or copied from a web page; if "Muñoz" is right, correct it in the system that the file comes from, and export the file as UTF-8. [Muñoz]"#);
    assert_snapshot!(issue_lines_of(Column::FirstName, "Garc\u{C3}\u{AD}a"), @r#"Warning GarbledText: FIRST_NAME "GarcÃ[U+00AD]a" looks garbled, like text that was decoded twice or copied from a web page; if "García" is right, correct it in the system that the file comes from, and export the file as UTF-8. [García]"#);
    assert_snapshot!(issue_lines_of(Column::LastName, "O&#039;Brien"), @r#"Warning GarbledText: LAST_NAME "O&#039;Brien" looks garbled, like text that was decoded twice or copied from a web page; if "O'Brien" is right, correct it in the system that the file comes from, and export the file as UTF-8. [O'Brien]"#);
    assert_snapshot!(issue_lines_of(Column::FirstName, "\u{C3}\u{81}lvaro"), @r#"Error InvalidCharacter: FIRST_NAME "Ã�lvaro" holds the invisible character U+0081, like text that was decoded twice; if "Álvaro" is right, write that, and export the file as UTF-8. [Álvaro]"#);
    assert_snapshot!(issue_lines_of(Column::FirstName, "Nicol\u{C3}\u{A0}"), @r#"Warning GarbledText: FIRST_NAME "NicolÃ" looks garbled, like text that was decoded twice or copied from a web page; if "Nicolà" is right, correct it in the system that the file comes from, and export the file as UTF-8. [Nicolà]"#);
    let row = row_with(Column::LastName, Cell::Text("O&#039;Brien"));
    assert_eq!(row.sound(Column::LastName), Some("O&#039;Brien"));
    assert_eq!(issue_lines_of(Column::LastName, "CONCEI\u{C7}\u{C3}O"), "");
}

#[test]
fn an_email_with_something_around_it_is_told_with_the_address() {
    assert_snapshot!(issue_lines_of(Column::Email, "mailto:dana@harbor.example"), @r#"Error InvalidEmail: EMAIL "mailto:dana@harbor.example" has more than an email address, or is mistyped; write dana@harbor.example. [dana@harbor.example]"#);
    assert_snapshot!(issue_lines_of(Column::Email, "o\u{2019}brien@harbor.example"), @r#"Error InvalidEmail: EMAIL "o’brien@harbor.example" has more than an email address, or is mistyped; write o'brien@harbor.example. [o'brien@harbor.example]"#);
    assert_snapshot!(issue_lines_of(Column::Email, "dana@harbor.example; luis@harbor.example"), @r#"Error InvalidEmail: EMAIL "dana@harbor.example; luis@harbor.example" holds several email addresses; write one."#);
    assert_snapshot!(issue_lines_of(Column::Email, "none"), @r#"Error InvalidEmail: EMAIL "none" is not an email address; write it like name@example.com."#);
}

fn any_cell() -> impl Strategy<Value = Option<Result<String, u8>>> {
    proptest::option::of(prop_oneof![
        any::<String>().prop_map(Ok),
        "[+0-9eE., ()@a-z\\-]{0,20}".prop_map(Ok),
        "[\u{0}-\u{20}\u{200B}-\u{2069}é]{0,8}".prop_map(Ok),
        any::<u8>().prop_map(Err),
    ])
}

proptest! {
    #[test]
    fn any_cells_give_a_row_whose_sound_values_parse_to_themselves(
        cells in proptest::collection::vec(any_cell(), Column::COUNT)
    ) {
        let cell = |index: usize| match &cells[index] {
            None => Cell::Absent,
            Some(Ok(text)) => Cell::Text(text),
            Some(Err(byte)) => Cell::Invalid { byte: *byte, charset: "UTF-8" },
        };
        let row = Row::parse(&RawRow { number: 1, line: 2, cells: std::array::from_fn(cell), misfit: None });
        let again = Column::ALL.map(|column| row.sound(column).map_or(Cell::Absent, Cell::Text));
        let again = Row::parse(&RawRow { number: 1, line: 2, cells: again, misfit: None });
        for column in Column::ALL {
            prop_assert_eq!(row.sound(column), again.sound(column));
            prop_assert!(row.value(column).is_none() == (cell(column as usize) == Cell::Absent));
        }
    }
}
