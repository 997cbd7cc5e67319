//! The plain version of the reader, which the tests compare the reader with.

use crate::domain::{QuoteFault, is_trimmed};

/// Fields, and the first stray quote with its field.
pub(super) type PlainRecord = (Vec<String>, Option<(usize, QuoteFault)>);

/// Reads records by the rules of strict quoting, one character at a time: the plain version of the reader. Returns
/// `None` if the text ends within quotes.
pub(super) fn plain(text: &str) -> Option<Vec<PlainRecord>> {
    let text: Vec<char> = text.chars().collect();
    let (mut records, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if matches!(text[at], '\r' | '\n') {
            at += 1;
            continue;
        }
        let (mut fields, mut stray) = (Vec::new(), None);
        loop {
            let (field, fault) = plain_field(&text, &mut at)?;
            stray = stray.or(fault.map(|fault| (fields.len(), fault)));
            fields.push(field);
            at += 1;
            if at > text.len() || text[at - 1] != ',' {
                break;
            }
        }
        records.push((fields, stray));
    }
    Some(records)
}

fn plain_field(text: &[char], at: &mut usize) -> Option<(String, Option<QuoteFault>)> {
    let is_end = |c: &char| matches!(c, ',' | '\r' | '\n');
    let unquoted = |from: usize| {
        let length = text[from..].iter().take_while(|c| !is_end(c)).count();
        text[from..from + length].iter().collect::<String>()
    };
    let is_blank = |text: &str| text.chars().all(is_trimmed);
    let whole = unquoted(*at);
    let leading = whole.find('"').filter(|&quote| is_blank(&whole[..quote]));
    let Some(leading) = leading else {
        *at += whole.chars().count();
        let odd = whole.matches('"').count() % 2 == 1;
        return Some((whole, odd.then_some(QuoteFault::Unpaired)));
    };
    *at += whole[..leading].chars().count() + 1;
    let mut value = String::new();
    loop {
        match (text.get(*at)?, text.get(*at + 1)) {
            ('"', Some('"')) => *at += 1,
            ('"', _) => break,
            _ => {}
        }
        value.push(text[*at]);
        *at += 1;
    }
    *at += 1;
    let behind = unquoted(*at);
    *at += behind.chars().count();
    let spans = value.contains(['\r', '\n']);
    let fault = match is_blank(&behind) {
        _ if spans && value.contains(',') => Some(QuoteFault::Unclosed),
        true => None,
        false if value.contains("\\\"") || value.ends_with('\\') => Some(QuoteFault::Backslash),
        false if spans => Some(QuoteFault::Unclosed),
        false => Some(QuoteFault::TextBehind),
    };
    Some((
        if is_blank(&behind) {
            value
        } else {
            value + &behind
        },
        fault,
    ))
}
