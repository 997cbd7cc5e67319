//! The reader of records: single texts, the csv crate, and the plain reader.

use proptest::prelude::*;

use super::{
    plain_reader::{PlainRecord, plain},
    *,
};
use crate::input::FileFault;

const CAP: usize = 64 * 1024;

/// Returns each record as `line:field|field`, with `~` at its end if its line does not end, and then the fault, if
/// any.
fn read(delimiter: u8, input: &[u8], step: usize) -> String {
    let mut reader = RecordReader::new(delimiter, CAP);
    let mut shown = Vec::new();
    let result = read_all(&mut reader, input, step, &mut shown);
    shown.extend(
        result
            .err()
            .map(|fault| fault.code().to_owned() + " " + &fault.subject()),
    );
    shown.join(" / ")
}

fn read_all(
    reader: &mut RecordReader,
    input: &[u8],
    step: usize,
    shown: &mut Vec<String>,
) -> Result<(), FileFault> {
    for mut chunk in input.chunks(step) {
        while reader.read(&mut chunk)? {
            shown.push(show(reader.record()));
        }
    }
    while reader.finish()? {
        shown.push(show(reader.record()));
    }
    Ok(())
}

fn show(record: Record<'_>) -> String {
    let fields: Vec<_> = record.fields().map(String::from_utf8_lossy).collect();
    let end = if record.terminated { "" } else { "~" };
    let stray = record.stray.map(|stray| {
        let StrayQuotePlace { fault, field } = stray;
        format!("!{fault:?} {field} {}", record.lines)
    });
    let stray = stray.unwrap_or_default();
    format!("{}:{}{end}{stray}", record.line, fields.join("|"))
}

fn assert_reads(input: &str, shown: &str) {
    for step in 1..=input.len().clamp(1, 40) {
        assert_eq!(
            read(b',', input.as_bytes(), step),
            shown,
            "{input:?} by {step}"
        );
    }
}

#[test]
fn records_end_at_any_line_end_and_know_their_line() {
    assert_reads("", "");
    assert_reads("a,b\nc,d\n", "1:a|b / 2:c|d");
    assert_reads("a,b\r\nc,d\r\n", "1:a|b / 2:c|d");
    assert_reads("a,b\rc,d\r", "1:a|b / 2:c|d");
    assert_reads("a\r\nb\nc\rd\r\n", "1:a / 2:b / 3:c / 4:d");
    assert_reads("a\nb", "1:a / 2:b~");
    assert_reads("\n\r\n\ra\n\r\rb\n", "4:a / 7:b");
    assert_reads("\r\n\n", "");
}

#[test]
fn quotes_hold_delimiters_line_breaks_and_doubled_quotes() {
    assert_reads("\"a,b\",\"c\nd\"\ne\n", "1:a,b|c\nd / 3:e");
    assert_reads("\"a\r\nb\r\nc\"\r\nd\r\n", "1:a\r\nb\r\nc / 4:d");
    assert_reads("\"a\rb\"\rc", "1:a\rb / 3:c~");
    assert_reads("\"a\"\"b\",\"\"\n", "1:a\"b|");
}

#[test]
fn blanks_around_quotes_do_not_count() {
    assert_reads(" \"a,b\",\t\"c\"\n", "1:a,b|c");
    assert_reads("\"a,b\" ,\"c\"\t \n \"d\" ", "1:a,b|c / 2:d~");
    assert_reads("a, \"b\nc\" \r\nd\n", "1:a|b\nc / 3:d");
    assert_reads("\u{A0}\"a\"\u{A0},\u{FEFF}\"b\"\u{200B}\n", "1:a|b");
    assert_reads("\" a \", b \n", "1: a | b ");
    assert_reads("\"\" , \"\"\n", "1:|");
}

#[test]
fn quotes_in_pairs_are_ordinary_in_a_value_that_begins_with_none() {
    assert_reads("a \"b\",=\"01\",\"\"\n", "1:a \"b\"|=\"01\"|");
    assert_reads("a\"\"b\"\",c\n", "1:a\"\"b\"\"|c");
}

#[test]
fn an_odd_quote_is_stray() {
    assert_reads("a\"b,c\nd\n", "1:a\"b|c!Unpaired 0 1 / 2:d");
    assert_reads("a,b\"\nd\"", "1:a|b\"!Unpaired 1 1 / 2:d\"~!Unpaired 0 1");
    assert_reads("a \"\"\"b,c\n", "1:a \"\"\"b|c!Unpaired 0 1");
    assert_reads("=\"Whitlock, Jr.\"\n", "1:=\"Whitlock| Jr.\"!Unpaired 0 1");
}

#[test]
fn text_behind_a_closing_quote_is_stray() {
    assert_reads("\"a\"b,c\nd\n", "1:ab|c!TextBehind 0 1 / 2:d");
    assert_reads("\"D \"Dee\"\",\"W\"\n", "1:D Dee\"\"|W!TextBehind 0 1");
    assert_reads("\"a\" \"b\",c\n", "1:a \"b\"|c!TextBehind 0 1");
    assert_reads("x,\"a,\"b\",c\n", "1:x|a,b\"|c!TextBehind 1 1");
    assert_reads("\"a\"\u{A0}b\n", "1:a\u{A0}b!TextBehind 0 1");
}

#[test]
fn a_backslash_before_a_quote_is_named() {
    assert_reads(
        "\"D \\\"Dee\\\"\",\"W\"\n",
        "1:D \\Dee\\\"\"|W!Backslash 0 1",
    );
    assert_reads("\"T\\\"\",\"b\",c\n", "1:T\\\",b\"|c!Backslash 0 1");
    assert_reads("\"T\\\\\",b\n", "1:T\\\\|b");
}

#[test]
fn a_quoted_value_that_spans_lines_and_holds_the_delimiter_is_not_closed() {
    assert_reads("a,\"b\nc,\" \nd\n", "1:a|b\nc,!Unclosed 1 2 / 3:d");
    assert_reads("\"a,b\nc\"\nd\n", "1:a,b\nc!Unclosed 0 2 / 3:d");
    assert_reads("a,\"b\n\"c\",\"d\"\ne\n", "1:a|b\nc\"|d!Unclosed 1 2 / 3:e");
    assert_reads("\"a\r\nb\",\"c,d\"\r\n", "1:a\r\nb|c,d");
    assert_reads("\"a\r\nb,\r\nc\"\r\n", "1:a\r\nb,\r\nc!Unclosed 0 3");
}

#[test]
fn line_breaks_of_two_fields_are_not_one_crlf() {
    assert_reads("\"a\r\",\"\nb\"\nc\n", "1:a\r|\nb / 4:c");
}

#[test]
fn an_empty_last_field_is_a_field() {
    assert_reads("a,\n,b\n,", "1:a| / 2:|b / 3:|~");
    assert_reads("\"\"", "1:~");
}

#[test]
fn a_byte_order_mark_is_text_however_it_arrives() {
    assert_reads("\u{FEFF}a\n", "1:\u{FEFF}a");
}

#[test]
fn a_quote_never_closed_is_a_fault_that_names_the_records_line() {
    assert_reads("a\n\n\"b\nc\n", "1:a / UNCLOSED_QUOTE line 3");
    assert_reads("a,\"b\"\"", "UNCLOSED_QUOTE line 1");
    assert_reads("\"", "UNCLOSED_QUOTE line 1");
    assert_reads("a,\"b\"", "1:a|b~");
}

#[test]
fn a_record_may_be_as_long_as_the_cap_and_no_longer() {
    for end in ["", "\n", "\r\n", ",\n"] {
        let longest = "x".repeat(CAP - end.trim_end().len()) + end;
        for step in [1, 100, CAP, CAP + 1, 2 * CAP] {
            assert!(read(b',', longest.as_bytes(), step).starts_with("1:xxx"));
            let longer = format!("\n{}", longest.replacen('x', "xx", 1));
            let shown = read(b',', longer.as_bytes(), step);
            assert_eq!(shown, "RECORD_TOO_LONG line 2", "{end:?} by {step}");
        }
    }
}

#[test]
fn a_record_may_be_all_delimiters() {
    let shown = read(b';', &vec![b';'; CAP], 1000);
    assert_eq!(shown.len(), "1:".len() + CAP + "~".len());
    assert_eq!(
        read(b';', &vec![b';'; CAP + 1], 1000),
        "RECORD_TOO_LONG line 1"
    );
}

#[test]
fn an_unclosed_quote_that_swallows_the_file_stops_at_the_cap() {
    let input = format!("a\n\"b\n{}", "c,d\n".repeat(CAP));
    assert_eq!(
        read(b',', input.as_bytes(), 4096),
        "1:a / RECORD_TOO_LONG line 2"
    );
}

#[test]
fn an_unclosed_quote_of_just_the_cap_is_an_unclosed_quote() {
    let input = format!("\"{}", "b".repeat(CAP - 1));
    assert_eq!(read(b',', input.as_bytes(), 4096), "UNCLOSED_QUOTE line 1");
}

/// Returns the records of `text`, each with its fault, and whether the text ends within quotes.
fn records(text: &str, step: usize) -> (Vec<PlainRecord>, bool) {
    let mut reader = RecordReader::new(b',', CAP);
    let mut records = Vec::new();
    let mut note = |record: Record<'_>| {
        let fields = record
            .fields()
            .map(|field| String::from_utf8_lossy(field).into());
        let faults = record.stray.map(|stray| (stray.field, stray.fault));
        records.push((fields.collect(), faults));
    };
    for mut chunk in text.as_bytes().chunks(step) {
        while reader.read(&mut chunk).expect("within the cap") {
            note(reader.record());
        }
    }
    let end = reader.finish();
    if end == Ok(true) {
        note(reader.record());
    }
    (records, end.is_err())
}

/// Returns the records as the csv crate reads them. For that crate, a quote that is never closed is no fault.
fn reference(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true);
    let records = reader.from_reader(text.as_bytes()).into_records();
    let records = records.map(|record| record.expect("memory can be read"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Holds for any ill-formed text and for any split.
    #[test]
    fn any_text_without_blanks_is_read_as_the_csv_crate_reads_it(
        text in prop_oneof!["[a,\"\r\n;\u{E9}]{0,40}", "([a-z]{0,30}[,\"\r\n]{0,2}){0,20}"],
        step in 1usize..200,
    ) {
        let (read, unclosed) = records(&text, step);
        let mut expected = reference(&text);
        if unclosed {
            expected.pop();
        }
        let read: Vec<_> = read.into_iter().map(|(fields, _)| fields).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_text_is_read_as_the_plain_reader_reads_it(
        text in prop_oneof![
            "[a,\"\r\n \u{A0}\\\\]{0,40}",
            "( ?\"?[a\\\\ \n,]{0,3}\"? ?[,\n]){0,12}",
            "([a-z \t]{0,30}[,\" \r\n]{0,3}){0,20}",
        ],
        step in 1usize..200,
    ) {
        let (read, unclosed) = records(&text, step);
        match plain(&text) {
            Some(expected) => prop_assert_eq!(read, expected),
            None => prop_assert!(unclosed, "{:?}", read),
        }
    }
}
