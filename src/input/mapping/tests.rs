use insta::assert_snapshot;

use super::super::decoder_harness::{REQUIRED, decode, header, read_with};
use super::super::{CsvDecoder, CsvOptions, InputLimits};
use super::{Mapping, ValueMapping};
use crate::domain::Column;

fn texts(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    pairs.iter().map(owned).collect()
}

fn list(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn with(mapping: Mapping) -> CsvOptions {
    CsvOptions {
        mapping,
        ..CsvOptions::default()
    }
}

fn columns(pairs: &[(&str, &str)]) -> Mapping {
    Mapping {
        columns: texts(pairs),
        ..Mapping::default()
    }
}

fn templates(pairs: &[(&str, &str)]) -> Mapping {
    Mapping {
        templates: texts(pairs),
        ..Mapping::default()
    }
}

fn value(column: &str, cell: &str, value: &str) -> ValueMapping {
    ValueMapping {
        column: column.to_owned(),
        cell: cell.to_owned(),
        value: value.to_owned(),
    }
}

/// The required columns apart from `LAST_NAME`, and a column of another system.
const OTHER: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,STATUS,USERNAME,ROLE,Name of person";

#[test]
fn a_column_has_the_name_that_the_file_gives_it() {
    let mapping = columns(&[
        ("work e-mail", "email"),
        ("Shield No.", "BADGE_NUMBER"),
        ("Hired", ""),
    ]);
    let file = "Shield No.;Hired;First-Name;LAST_NAME;Status;USERNAME;ROLE;Work E-Mail\nb;2020;f;l;s;u;r;e\n";
    assert_eq!(
        read_with(&with(mapping.clone()), file),
        "1@2: e|b|f|l|s|u|r"
    );
    let header = header(&with(mapping), file);
    assert_eq!(header.ignored, ["Hired"]);
    let named = [
        (Column::Email, "Work E-Mail"),
        (Column::BadgeNumber, "Shield No."),
    ];
    let named = named.map(|(column, name)| (column, name.to_owned()));
    assert_eq!(header.file_columns, named);
}

#[test]
fn two_columns_of_the_file_are_not_one_of_ours() {
    let mapping = columns(&[("Mail", "EMAIL"), ("E-mail 2", "EMAIL")]);
    assert_snapshot!(read_with(&with(mapping), format!("{REQUIRED},E-mail 2\n")), @"DUPLICATE_COLUMN: Column EMAIL is in the header 2 times; keep one.");
}

#[test]
fn what_the_mapping_does_not_name_is_read_as_ever() {
    let mapping = columns(&[("Mobile", "PHONE")]);
    assert_snapshot!(read_with(&with(mapping), "E-mail,Shift\n"), @"NO_HEADER: No header found: the first line must name the columns, such as EMAIL, BADGE_NUMBER and STATUS.");
    let mapping = columns(&[("Mobile", "PHONE")]);
    assert_snapshot!(read_with(&with(mapping), format!("{REQUIRED},Mobil\n")), @r#"UNKNOWN_COLUMN: Unknown column "Mobil"; remove it, or set ignore_unknown_columns."#);
}

#[test]
fn words_for_no_value_are_blank_in_any_case() {
    let mapping = Mapping {
        null_values: list(&["NULL", "\\N", "n/a"]),
        ..Mapping::default()
    };
    let file = format!("{REQUIRED}\ne,null, \\N ,N/A,s,NULLS,r\n");
    assert_eq!(read_with(&with(mapping), file), "1@2: e||||s|NULLS|r");
}

#[test]
fn a_cell_stands_for_another_value_in_its_own_column() {
    let mapping = Mapping {
        values: vec![
            value("status", "a", "Active"),
            value("STATUS", "", "Inactive"),
            value("ROLE", "p\u{301}o", "Officer"),
        ],
        null_values: list(&["-"]),
        ..Mapping::default()
    };
    let file = format!("{REQUIRED}\na,b,f,l, A ,u,\u{1E54}O\ne,b,f,l,-,u,r\n");
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: a|b|f|l|Active|u|Officer\n2@3: e|b|f|l|Inactive|u|r"
    );
}

#[test]
fn a_template_computes_a_column_from_the_cells_of_the_file() {
    let mapping = templates(&[
        (
            "FIRST_NAME",
            "{{ row[\"Name of person\"] | split(\",\") | last | trim }}",
        ),
        (
            "LAST_NAME",
            "{{ row['name of person']|split(',')|first|title }}",
        ),
        ("EMAIL", "{{ row.USERNAME | lower }}@pd.example"),
    ]);
    let file = format!("{OTHER}\nx,b,f,s,ALEE,r,\"LEE, Ann\"\n");
    assert_eq!(
        read_with(&with(mapping.clone()), &file),
        "1@2: alee@pd.example|b|Ann|Lee|s|ALEE|r"
    );
    let header = header(&with(mapping), file);
    assert_eq!(header.ignored, [""; 0]);
    assert!(header.columns.contains(&Column::LastName));
}

#[test]
fn a_template_may_choose() {
    let source = "{% if row.ROLE == \"PO\" %}{{ row.EMAIL }}{% else %}{{ \"x\" if row.EMAIL else \"blank\" }}{% endif %}";
    let mapping = templates(&[("LAST_NAME", source)]);
    let file = "EMAIL,BADGE_NUMBER,FIRST_NAME,STATUS,USERNAME,ROLE\ne,b,f,s,u,PO\ne,b,f,s,u,r\n,b,f,s,u,r\n";
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: e|b|f|e|s|u|PO\n2@3: e|b|f|x|s|u|r\n3@4: |b|f|blank|s|u|r"
    );
}

#[test]
fn a_template_that_fails_spoils_its_own_cell() {
    let mapping = templates(&[(
        "LAST_NAME",
        "{{ (row[\"Name of person\"] | split(\",\"))[1] }}",
    )]);
    let long = "x".repeat(1_001);
    let file = format!("{OTHER}\ne,b,f,s,u,r,Lee\ne,b,f,s,u,r,\"x,{long}\"\n");
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: e|b|f|<NoSuchPart>|s|u|r\n2@3: e|b|f|<LongCell>|s|u|r"
    );
    let mapping = Mapping {
        columns: texts(&[("Name of person", "")]),
        ..templates(&[("LAST_NAME", "{{ row.ROLE | replace(\"\", row.EMAIL) }}")])
    };
    let cell = "y".repeat(900);
    let file = format!("{OTHER}\n{cell},b,f,s,u,{cell},x\n");
    assert!(read_with(&with(mapping), file).contains("<LongText>"));
    let mapping = templates(&[("LAST_NAME", "{{ row[\"Name of person\"] }}")]);
    let file = [OTHER.as_bytes(), b"\ne,b,f,s,u,r,\xFF\n"].concat();
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: e|b|f|<MalformedCell>|s|u|r"
    );
}

#[test]
fn a_template_needs_the_columns_that_it_reads() {
    let mapping = templates(&[("LAST_NAME", "{{ row[\"Surname\"] }}")]);
    assert_snapshot!(read_with(&with(mapping), format!("{OTHER}\n")), @r#"
    UNKNOWN_COLUMN: Unknown column "Name of person"; remove it, or set ignore_unknown_columns.
    MISSING_COLUMN: The template of LAST_NAME reads column "Surname", which is missing from the header; correct the template, or add the column.
    "#);
}

#[test]
fn a_template_reads_no_name_that_two_columns_have() {
    let mapping = Mapping {
        columns: texts(&[("Name of person", "")]),
        ..templates(&[("LAST_NAME", "{{ row[\"Name of person\"] }}")])
    };
    let file = format!("{OTHER},NAME OF PERSON\n");
    assert_snapshot!(read_with(&with(mapping), file), @r#"DUPLICATE_COLUMN: The template of LAST_NAME reads column "Name of person", which is in the header 2 times; keep one."#);
}

#[test]
fn lines_above_the_header_and_lines_with_a_prefix_are_no_records() {
    let mapping = Mapping {
        skip_leading_lines: 2,
        ignored_line_prefixes: list(&["#", "Total:"]),
        ..Mapping::default()
    };
    let row = "e,b,f,l,s,u,r";
    let file = format!(
        "A title, \"with a quote\r\n\r\n# a note\r{REQUIRED}\r\n#{row}\r\nTota,b,f,l,s,u,r\nTotal: 1,\"\n{row}\nTotal"
    );
    assert_eq!(
        read_with(&with(mapping), file),
        "1@6: Tota|b|f|l|s|u|r\n2@8: e|b|f|l|s|u|r\n3@9: misfit, 1 for 7: a line of a report (Total)"
    );
}

#[test]
fn a_prefix_within_quotes_belongs_to_its_value() {
    let mapping = Mapping {
        ignored_line_prefixes: list(&["#"]),
        ..Mapping::default()
    };
    let file = format!("{REQUIRED}\ne,b,f,\"l\n# 2\",s,u,r\n#");
    assert_eq!(read_with(&with(mapping), file), "1@2: e|b|f|l\n# 2|s|u|r");
}

/// The file of rejected rows has this form, and programs write it for spreadsheets.
#[test]
fn the_parts_of_a_mapping_see_a_cell_as_its_checks_read_it() {
    let mapping = Mapping {
        null_values: list(&["-"]),
        values: vec![value("STATUS", "+", "Active")],
        ..templates(&[(
            "EMAIL",
            "{{ row.USERNAME | lower }}@x{{ \"!\" if row.STATUS == \"+\" }}",
        )])
    };
    for status in ["+", "\u{200B}+", " + ", "=\"\"+\"\"", "\u{FEFF}+"] {
        let file = format!("{REQUIRED}\ne,\u{200B}-,f,l,\"{status}\", U ,r\n");
        let read = "1@2: u@x!||f|l|Active| U |r";
        assert_eq!(read_with(&with(mapping.clone()), file), read, "{status}");
    }
}

#[test]
fn a_template_makes_a_text() {
    let mapping = templates(&[("LAST_NAME", "{{ row.FIRST_NAME | split(\" \") }}")]);
    let file = "EMAIL,BADGE_NUMBER,FIRST_NAME,STATUS,USERNAME,ROLE\ne,b,f g,s,u,r\n";
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: e|b|f g|<Unsuitable>|s|u|r"
    );
}

#[test]
fn a_cell_that_cannot_be_read_spoils_only_what_reads_it() {
    let mapping = templates(&[("STATUS", "Active"), ("LAST_NAME", "{{ row.FIRST_NAME }}")]);
    let long = "x".repeat(1_001);
    let file = format!("EMAIL,BADGE_NUMBER,FIRST_NAME,USERNAME,ROLE\ne,b,{long},u,r\n");
    assert_eq!(
        read_with(&with(mapping), file),
        format!("1@2: e|b|{long}|<LongCell>|Active|u|r")
    );
}

/// The columns of a second header would give the rows below it each other's values.
#[test]
fn a_second_header_by_the_files_own_names_is_known() {
    let mapping = columns(&[("Mail", "EMAIL"), ("Account state", "STATUS")]);
    let names = "Mail,BADGE_NUMBER,FIRST_NAME,LAST_NAME,Account state,USERNAME,ROLE";
    let row = "e,b,f,l,Active,u,r";
    let file = format!("{names}\n{row}\n{names}\n{row}\n");
    assert_eq!(
        read_with(&with(mapping.clone()), file),
        "1@2: e|b|f|l|Active|u|r\n2@3: not a row (Header)\n3@4: e|b|f|l|Active|u|r"
    );
    let other = "Mail,FIRST_NAME,BADGE_NUMBER,LAST_NAME,Account state,USERNAME,ROLE";
    let file = format!("{names}\n{row}\n{other}\n{row}\n");
    assert!(read_with(&with(mapping), file).contains("\nANOTHER_HEADER: Line 3"));
}

/// A missing value shifts the values after it. The words Active and Inactive show that, but not if a mapping computes
/// STATUS or gives it other words.
#[test]
fn no_field_may_lack_if_a_shift_would_not_show() {
    let computed = templates(&[("STATUS", "Active")]);
    let coded = Mapping {
        values: vec![value("STATUS", "1", "Active")],
        ..Mapping::default()
    };
    let file = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,USERNAME,ROLE,PHONE,RANK\ne,b,fl,u,r,p,k\n";
    assert_eq!(read_with(&with(computed), file), "1@2: misfit, 7 for 8");
    let file = format!("{REQUIRED},PHONE,RANK\ne,b,fl,1,u,r,p,k\n");
    assert_eq!(read_with(&with(coded), file), "1@2: misfit, 8 for 9");
}

#[test]
fn a_list_of_two_columns_has_people_and_no_totals() {
    let rest = ["EMAIL", "FIRST_NAME", "STATUS", "USERNAME", "ROLE"];
    let mapping = templates(&rest.map(|column| (column, "x")));
    let file = "LAST_NAME,BADGE_NUMBER\n\"Page, Elaine\",8101\n\"Sum, Li\",8102\n";
    assert_eq!(
        read_with(&with(mapping), file),
        "1@2: x|8101|x|Page, Elaine|x|x|x\n2@3: x|8102|x|Sum, Li|x|x|x"
    );
}

#[test]
fn lines_that_a_prefix_leaves_out_are_counted() {
    let mapping = Mapping {
        skip_leading_lines: 1,
        ignored_line_prefixes: list(&["#"]),
        ..Mapping::default()
    };
    let mut decoder = CsvDecoder::new(&with(mapping), InputLimits::default()).unwrap();
    let file = format!("#\n#\n{REQUIRED}\n# 1\ne,b,f,l,s,u,r\n# 2");
    decoder.push(file.as_bytes(), &mut |_| {}).unwrap();
    decoder.finish(&mut |_| {}).unwrap();
    assert_eq!(decoder.ignored_lines(), Some((3, 2)));
}

#[test]
fn a_mapping_that_cannot_be_used_is_refused_with_all_its_faults() {
    let mapping = Mapping {
        columns: texts(&[
            ("Mail", "EMIAL"),
            ("a b", "EMAIL"),
            ("A-B", "PHONE"),
            (" ", "ROLE"),
        ]),
        values: vec![
            value("STATUS", "a", "Active"),
            value("status", "A", "Inactive"),
        ],
        templates: texts(&[
            ("EMAIL", "{{ row[\"x\" }}"),
            ("PHONE", "{% for x in row.A %}{% endfor %}"),
            ("shoe", "x"),
            ("RANK", "{{ row.A | md5 }}"),
        ]),
        skip_leading_lines: 1_001,
        ignored_line_prefixes: list(&["", "a\nb"]),
        ..Mapping::default()
    };
    let decoded = decode(&with(mapping), InputLimits::default(), b"");
    let faults = decoded.faults.iter();
    let faults: Vec<_> = faults
        .map(|fault| format!("{} {}: {fault}", fault.code(), fault.subject()))
        .collect();
    assert_snapshot!(faults.join("\n"), @r#"
    BAD_MAPPING mapping.columns: A text of columns is blank; fill it in, or remove it.
    BAD_MAPPING mapping.columns: "EMIAL" is not a column of a roster; did you mean EMAIL?
    BAD_MAPPING mapping.columns: "a b" is stated twice; keep one.
    BAD_MAPPING mapping.values: "STATUS: A" is stated twice; keep one.
    BAD_MAPPING mapping.templates: The template of EMAIL cannot be used: the name of a column must follow row, as in row["User ID"].
    BAD_MAPPING mapping.templates: The template of PHONE cannot be used: it has "for" after {%; only if, elif, else and endif may follow.
    BAD_MAPPING mapping.templates: The template of RANK cannot be used: there is no filter "md5"; use one of lower, upper, title, capitalize, trim, replace, split, lines, first, last, join, length, default, int, string.
    BAD_MAPPING mapping.templates: "shoe" is not a column of a roster; name one such as EMAIL.
    BAD_MAPPING mapping.skip_leading_lines: At most 1000 lines above the header are skipped, not 1001.
    BAD_MAPPING mapping.ignored_line_prefixes: A text of ignored_line_prefixes is blank; fill it in, or remove it.
    BAD_MAPPING mapping.ignored_line_prefixes: "a�b" has a line break, which no line has; write the beginning of one line.
    "#);
}

#[test]
fn a_mapping_has_limits() {
    let many = (0..=Mapping::MOST_ENTRIES).map(|n| n.to_string());
    let long = "x".repeat(Mapping::MOST_BYTES + 1);
    for null_values in [many.collect(), vec![long]] {
        let mapping = Mapping {
            null_values,
            ..Mapping::default()
        };
        let told = read_with(&with(mapping), "");
        assert!(
            told.starts_with("BAD_MAPPING: The mapping is too large"),
            "{told}"
        );
    }
}
