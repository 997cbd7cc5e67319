//! Reads a template's source before it is compiled: which of the file's columns it reads, and whether it stays within
//! what a mapping may do.
//!
//! A template has no loop and no variable, so its cost is bounded by its length and by the length of the cells that it
//! reads.

use std::collections::BTreeSet;

/// What may follow `{%`.
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];

/// Words that are neither values nor filters.
const OPERATORS: [&str; 7] = ["if", "elif", "else", "and", "or", "not", "in"];

/// Filters that make numbers.
const NUMBERS: [&str; 2] = ["int", "length"];

/// Returns the names of the file's columns that the template `source` reads.
///
/// # Errors
/// Returns what is wrong, and what to do, as a sentence that begins with a small letter.
pub(super) fn columns_read(source: &str, filters: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut columns = BTreeSet::new();
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let code = &rest[at..];
        let (is_tag, end) = match code.as_bytes() {
            [b'{', b'{', ..] => (false, "}}"),
            [b'{', b'%', ..] => (true, "%}"),
            [b'{', b'#', ..] => {
                rest = code.split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            _ => {
                rest = &code[1..];
                continue;
            }
        };
        let mut tokens = TemplateTokens {
            rest: &code[2..],
            end,
        };
        if is_tag {
            expect_tag(&mut tokens)?;
        }
        read_expression(&mut tokens, filters, &mut columns)?;
        rest = tokens.rest;
    }
    Ok(columns)
}

fn expect_tag(tokens: &mut TemplateTokens<'_>) -> Result<(), String> {
    let mut tag = tokens.next();
    if matches!(tag, Some(TemplateToken::Mark('-' | '+'))) {
        tag = tokens.next();
    }
    match tag {
        Some(TemplateToken::Word(word)) if TAGS.contains(&word) => Ok(()),
        Some(TemplateToken::Word(word)) => Err(format!(
            "it has \"{word}\" after {{%; only if, elif, else and endif may follow."
        )),
        _ => Err("something other than if, elif, else or endif follows {%.".to_owned()),
    }
}

fn read_expression(
    tokens: &mut TemplateTokens<'_>,
    filters: &[&str],
    columns: &mut BTreeSet<String>,
) -> Result<(), String> {
    let (mut before, mut is_filter) = (None, false);
    let (mut has_number, mut compares) = (false, None);
    while let Some(token) = tokens.next() {
        match (before, token) {
            (Some(TemplateToken::Mark('|')), TemplateToken::Word(filter)) => {
                expect_filter(filter, filters)?;
                has_number |= NUMBERS.contains(&filter);
            }
            (Some(TemplateToken::Mark('.')), TemplateToken::Word(_)) => {}
            (_, TemplateToken::Word("row")) => {
                columns.insert(column_after(tokens)?);
            }
            (_, TemplateToken::Word("is")) => {
                return Err("it has a test with \"is\"; compare with == instead.".to_owned());
            }
            (_, TemplateToken::Word(word)) if is_number(word) => {
                if matches!(before, Some(TemplateToken::Mark('=' | '<' | '>'))) {
                    compares = Some(word);
                }
            }
            (_, TemplateToken::Word(word)) if !OPERATORS.contains(&word) => {
                return Err(format!(
                    "it has the name \"{word}\"; only row, texts in quotes and numbers may be there."
                ));
            }
            (Some(TemplateToken::Word(word)), TemplateToken::Mark('('))
                if !is_filter && !OPERATORS.contains(&word) =>
            {
                return Err(format!("there is no function \"{word}\"; use filters."));
            }
            (Some(TemplateToken::Word(word)), TemplateToken::Mark('=' | '<' | '>'))
                if is_number(word) =>
            {
                compares = Some(word);
            }
            (_, TemplateToken::Mark('*')) => {
                return Err("it multiplies, which is not allowed.".to_owned());
            }
            _ => {}
        }
        is_filter = matches!(before, Some(TemplateToken::Mark('|')));
        before = Some(token);
    }
    match compares {
        Some(number) if !has_number => Err(format!(
            "it compares a cell with the number {number}, and cells are texts; write \"{number}\", or use the filter int."
        )),
        _ => Ok(()),
    }
}

fn expect_filter(word: &str, filters: &[&str]) -> Result<(), String> {
    if filters.contains(&word) {
        return Ok(());
    }
    Err(format!(
        "there is no filter \"{word}\"; use one of {}.",
        filters.join(", ")
    ))
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the name of the column after `row`.
fn column_after(tokens: &mut TemplateTokens<'_>) -> Result<String, String> {
    let name = match (tokens.next(), tokens.next()) {
        (Some(TemplateToken::Mark('.')), Some(TemplateToken::Word(name))) => Some(name.to_owned()),
        (Some(TemplateToken::Mark('[')), Some(TemplateToken::Text(name)))
            if !name.contains('\\') =>
        {
            matches!(tokens.next(), Some(TemplateToken::Mark(']'))).then(|| name.to_owned())
        }
        _ => None,
    };
    name.ok_or_else(|| "the name of a column must follow row, as in row[\"User ID\"].".to_owned())
}

#[derive(Clone, Copy)]
enum TemplateToken<'a> {
    Word(&'a str),
    /// A text in quotes, without them.
    Text(&'a str),
    Mark(char),
}

/// The tokens up to `end`.
struct TemplateTokens<'a> {
    rest: &'a str,
    end: &'static str,
}

impl<'a> Iterator for TemplateTokens<'a> {
    type Item = TemplateToken<'a>;

    fn next(&mut self) -> Option<TemplateToken<'a>> {
        self.rest = self.rest.trim_start();
        if let Some(after) = self.rest.strip_prefix(self.end) {
            // From now on there are no more tokens.
            (self.rest, self.end) = (after, "");
            return None;
        }
        if self.end.is_empty() {
            return None;
        }
        let first = self.rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, length) = match first {
            '"' | '\'' => {
                let text = &self.rest[1..];
                let length = quoted_length(text, first);
                let closed = usize::from(length < text.len());
                (TemplateToken::Text(&text[..length]), 1 + length + closed)
            }
            _ if is_word(first) => {
                let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                (TemplateToken::Word(&self.rest[..length]), length)
            }
            _ => (TemplateToken::Mark(first), first.len_utf8()),
        };
        self.rest = &self.rest[length..];
        Some(token)
    }
}

/// Returns the length of `text` up to the quote that closes it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTERS: [&str; 4] = ["lower", "split", "first", "length"];

    #[test]
    fn the_columns_that_a_template_reads_are_found() {
        for (source, columns) in [
            (
                "{{ row[\"User ID\"] | lower }}@pd.example",
                &["User ID"][..],
            ),
            (
                "{{ row['Name']|split(',')|first }} {{row.Unit}}",
                &["Name", "Unit"],
            ),
            (
                "{% if row[\"A\"] == \"}} row.X\" %}{{ row.B }}{% endif %}{# row.C #}",
                &["A", "B"],
            ),
            ("plain { text } row.X", &[]),
            (
                "{{ \"x\" if row.A | length > 4 else (row.B | split(\",\", 1))[0] }}",
                &["A", "B"],
            ),
            (
                "{{ (\"x\" if not (row.A) else row.B | split(\",\")) }}",
                &["A", "B"],
            ),
        ] {
            let found = columns_read(source, &FILTERS).unwrap();
            assert_eq!(
                found.iter().map(String::as_str).collect::<Vec<_>>(),
                columns,
                "{source}"
            );
        }
    }

    #[test]
    fn what_could_cost_more_than_it_reads_is_refused() {
        for source in [
            "{% for c in row.A %}x{% endfor %}",
            "{%- set x = row.A ~ row.A %}",
            "{% macro f() %}{% endmacro %}",
            "{{ row.A * 1000 }}",
            "{{ row.A ** 9 }}",
            "{{ row }}",
            "{{ row[row.A] }}",
            "{{ row | lower }}",
            "{{ row.A | batch(9) }}",
            "{{ row[\"A\\\"\"] }}",
            "{{ range(9) }}",
            "{{ row.A.upper() }}",
            "{{ row.A is none }}",
            "{{ State | lower }}",
            "{{ none }}",
            "{{ row.A == 512 }}",
            "{{ \"x\" if 4 < row.A else \"y\" }}",
            "{{ row.A | first(State) }}",
        ] {
            assert!(columns_read(source, &FILTERS).is_err(), "{source}");
        }
    }
}
