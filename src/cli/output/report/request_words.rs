//! The words of requests in a server's messages, as the words of the command line.
//!
//! A server names the fields of a request, since its callers are programs: `max_deactivations 7`. A person gives an
//! option: `--max-deactivations 7`. A field has the option of the same name, or one of [`OTHER_NAMES`]; any other word
//! of this kind becomes plain words. A quoted text is a value, and does not change.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use clap::CommandFactory;

use crate::cli::Cli;

/// The commands whose options are those of an import's request.
const COMMANDS: [&str; 5] = ["import", "push", "undo", "approve", "inspect"];

/// Fields and RPCs with another name on the command line.
const OTHER_NAMES: [(&str, &str); 25] = [
    ("only_roles", "--only-role"),
    ("only_group_external_ids", "--only-group"),
    ("deactivate_missing.confirmation", "--confirm"),
    ("deactivate_missing.only_roles", "--only-role"),
    ("deactivate_missing.only_group_external_ids", "--only-group"),
    ("csv.charset", "--charset"),
    ("csv.delimiter", "--delimiter"),
    ("csv.ignore_unknown_columns", "--ignore-unknown-columns"),
    ("workbook.sheet", "--sheet"),
    ("mapping_name", "the name in --mapping"),
    ("plan_digest", "digest"),
    ("user_id", "the user's ID"),
    ("previous_name", "previousName"),
    ("catalog.phone_region", "phoneRegion"),
    ("catalog.badge_number_pattern", "badgeNumberPattern"),
    ("catalog.external_id_pattern", "externalIdPattern"),
    ("ImportUsers", "user-import import"),
    ("PushUsers", "user-import push"),
    ("WatchImport", "user-import watch"),
    ("CancelImport", "user-import cancel"),
    ("BeginImport", "the import"),
    ("AppendImport", "the next part"),
    ("FinishImport", "the import"),
    ("GetImport", "user-import imports"),
    ("InspectRoster", "user-import inspect"),
];

/// The keys of a mapping's file and the columns of an export have these names for a person too.
const SAME: [&str; 5] = [
    "null_values",
    "skip_leading_lines",
    "ignored_line_prefixes",
    "external_id",
    "badge_number",
];

/// The prefixes of the names of an enum's values.
const ENUMS: [&str; 10] = [
    "IMPORT_STATE_",
    "IMPORT_PHASE_",
    "MATCH_BY_",
    "RESULT_FILTER_",
    "FILE_FORMAT_",
    "ROSTER_FORMAT_",
    "USER_STATUS_",
    "ROW_OUTCOME_",
    "ISSUE_CODE_",
    "CONSEQUENCE_KIND_",
];

/// States, as messages name them.
const STATES: [&str; 7] = [
    "RECEIVING",
    "APPLYING",
    "COMPLETED",
    "REFUSED",
    "INTERRUPTED",
    "CANCELLED",
    "HELD",
];

/// The long options of [`COMMANDS`].
static OPTIONS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let cli = Cli::command();
    let commands = COMMANDS.iter().filter_map(|name| cli.find_subcommand(name));
    let options = commands.flat_map(clap::Command::get_arguments);
    let options = options.filter_map(|option| option.get_long());
    options.map(str::to_owned).collect()
});

/// A server's message in the words of the command line.
#[must_use]
pub(crate) fn for_people(message: &str) -> Cow<'_, str> {
    let mut shown = String::with_capacity(message.len());
    let mut is_changed = false;
    // Every other piece between quotes is a quoted value.
    for (index, piece) in message.split('"').enumerate() {
        if index > 0 {
            shown.push('"');
        }
        match index % 2 {
            0 => is_changed |= push_plain(&mut shown, piece),
            _ => shown.push_str(piece),
        }
    }
    match is_changed {
        true => Cow::Owned(shown),
        false => Cow::Borrowed(message),
    }
}

/// Adds a piece without quoted values. Returns `true` if a word was replaced.
fn push_plain(shown: &mut String, piece: &str) -> bool {
    let mut is_changed = false;
    let mut rest = piece;
    while let Some(start) = rest.find(is_of_word) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !is_of_word(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        // The end of a sentence.
        let name = word.trim_end_matches('.');
        shown.push_str(before);
        let is_first = shown.is_empty();
        // Parts of addresses, paths and options are no words.
        let is_part =
            before.ends_with(['@', '/', '-', '\\', '$']) || after.starts_with(['@', '/', '(']);
        match in_words(name, is_first).filter(|_| !is_part) {
            Some(words) => {
                shown.push_str(&words);
                shown.push_str(&word[name.len()..]);
                is_changed = true;
            }
            None => shown.push_str(word),
        }
        rest = after;
    }
    shown.push_str(rest);
    is_changed
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
}

/// Returns what a person says for a word of a request, or `None` if the word is not from a request. The first word of a
/// message may be one only if it begins with a small letter.
fn in_words(word: &str, is_first: bool) -> Option<String> {
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == word);
    if let Some((_, words)) = other {
        return Some((*words).to_owned());
    }
    if STATES.contains(&word) {
        return Some(word.to_ascii_lowercase());
    }
    if let Some(value) = ENUMS.iter().find_map(|name| word.strip_prefix(name)) {
        return Some(value.to_ascii_lowercase().replace('_', " "));
    }
    if word.contains('.') && word.contains('_') {
        // A field of a field.
        let parts = word.split('.');
        let parts = parts.map(|part| in_words(part, false).unwrap_or_else(|| part.to_owned()));
        return Some(parts.collect::<Vec<_>>().join(" "));
    }
    let is_of_field = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let is_field =
        word.bytes().all(is_of_field) && word.starts_with(|c: char| c.is_ascii_lowercase());
    if !is_field || SAME.contains(&word) || !(word.contains('_') || is_first) {
        return None;
    }
    let option = word.replace('_', "-");
    if OPTIONS.contains(&option) {
        return Some(format!("--{option}"));
    }
    word.contains('_').then(|| word.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use insta::assert_snapshot;
    use prost::Message as _;
    use prost_types::{DescriptorProto, FileDescriptorSet};
    use regex::Regex;

    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    #[test]
    fn fields_become_options_and_values_stay() {
        let said = |message: &'static str| for_people(message);
        assert_snapshot!(said("41 of 60 active users would be deactivated, and max_deactivations allows 7."), @"41 of 60 active users would be deactivated, and --max-deactivations allows 7.");
        assert_snapshot!(said("if it is right, state max_deactivations 41."), @"if it is right, state --max-deactivations 41.");
        assert_snapshot!(said("Correct them, or import without all_or_nothing."), @"Correct them, or import without --all-or-nothing.");
        assert_snapshot!(said("source has 300 characters; at most 255 are stored."), @"--source has 300 characters; at most 255 are stored.");
        assert_snapshot!(said("The source is unknown."), @"The source is unknown.");
        assert_snapshot!(said("Unknown column \"max_deactivations\"; set ignore_unknown_columns."), @r#"Unknown column "max_deactivations"; set --ignore-unknown-columns."#);
        assert_snapshot!(said("it begins with one of ignored_line_prefixes."), @"it begins with one of ignored_line_prefixes.");
        assert_snapshot!(said("Import 0198-a is COMPLETED, and match_by was MATCH_BY_BADGE_NUMBER."), @"Import 0198-a is completed, and --match-by was badge number.");
        assert_snapshot!(said("Ask WatchImport for its results."), @"Ask user-import watch for its results.");
        assert_snapshot!(said("some_new_field is missing."), @"some new field is missing.");
        assert_snapshot!(said("See max_deactivations@pd.example and a/page_size."), @"See max_deactivations@pd.example and a/page_size.");
        assert_snapshot!(said("deactivate_missing.only_roles"), @"--only-role");
        assert_snapshot!(said("deactivate_missing.some_field"), @"--deactivate-missing some field");
    }

    /// The contract.
    fn files() -> FileDescriptorSet {
        FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap()
    }

    /// The names of all fields of the contract.
    fn fields() -> BTreeSet<String> {
        fn of(message: &DescriptorProto, names: &mut BTreeSet<String>) {
            names.extend(message.field.iter().map(|field| field.name().to_owned()));
            message
                .nested_type
                .iter()
                .for_each(|nested| of(nested, names));
        }
        let mut names = BTreeSet::new();
        for file in files().file {
            file.message_type
                .iter()
                .for_each(|message| of(message, &mut names));
        }
        names
    }

    /// The names of all RPCs of the contract.
    fn rpcs() -> BTreeSet<String> {
        let files = files().file.into_iter();
        let services = files.flat_map(|file| file.service);
        let methods = services.flat_map(|service| service.method);
        methods.map(|method| method.name().to_owned()).collect()
    }

    #[test]
    fn every_option_that_is_named_is_one() {
        for (field, words) in OTHER_NAMES {
            for option in words.split(' ').filter_map(|word| word.strip_prefix("--")) {
                assert!(OPTIONS.contains(option), "{field}: there is no --{option}");
            }
            if let Some(command) = words.strip_prefix("user-import ") {
                assert!(Cli::command().find_subcommand(command).is_some(), "{words}");
            }
        }
    }

    #[test]
    fn every_field_of_the_contract_is_in_words() {
        let fields = fields();
        assert!(fields.len() > 100, "{fields:?}");
        for field in fields.iter().filter(|field| field.contains('_')) {
            let words = for_people(field);
            let is_plain = !words.contains('_') || SAME.contains(&&**field);
            assert!(is_plain, "{field}: {words}");
        }
        let start = files().file.into_iter().flat_map(|file| file.message_type);
        let start = start
            .into_iter()
            .find(|message| message.name() == "ImportStart")
            .unwrap();
        for field in &start.field {
            let option = field.name().replace('_', "-");
            let is_option = OPTIONS.contains(&option);
            let words = for_people(field.name());
            assert!(
                !is_option || words == format!("--{option}"),
                "{}: {words}",
                field.name()
            );
        }
    }

    /// The text of a source file without its tests and comments.
    fn code(path: &Path) -> String {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            match path.is_dir() {
                true if !is_test => sources(&path, found),
                false if !is_test && path.extension().is_some_and(|end| end == "rs") => {
                    found.push(path);
                }
                _ => {}
            }
        }
    }

    /// Every text of the server that may be a message or the subject of one.
    fn texts() -> Vec<(String, String)> {
        let literal = Regex::new(r#""((?:[^"\\]|\\(?s:.))*)""#).unwrap();
        let raw = Regex::new("(?s)r#\".*?\"#").unwrap();
        let continued = Regex::new(r"\\\n\s*").unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        for module in [
            "access", "import", "input", "inspect", "limits", "plan", "rpc", "server",
        ] {
            sources(&source.join(module), &mut files);
        }
        let mut texts = Vec::new();
        for path in files {
            // A quote that is a character begins no text.
            let code = code(&path).replace("'\"'", "' '").replace("'\\\"'", "' '");
            let code = raw.replace_all(&code, " ");
            for found in literal.captures_iter(&code) {
                let text = continued.replace_all(&found[1], "");
                texts.push((path.display().to_string(), text.replace("\\\"", "\"")));
            }
        }
        texts
    }

    #[test]
    fn no_refusal_and_no_subject_of_one_has_a_word_of_the_contract() {
        let (fields, rpcs) = (fields(), rpcs());
        let texts = texts();
        let sentences = texts.iter().filter(|(_, text)| text.contains(' ')).count();
        assert!(sentences > 500, "{sentences}");
        let word = Regex::new(r"[A-Za-z_]+").unwrap();
        let mut changed = 0;
        let values = Regex::new(r"\{[^}]*\}").unwrap();
        for (path, text) in &texts {
            // The names of what is logged and counted, and the values of formats, are no messages.
            let text = values.replace_all(text, "7");
            let words = for_people(&text);
            changed += usize::from(words != text);
            let plain = words.split('"').step_by(2);
            for found in plain.flat_map(|piece| word.find_iter(piece).map(|found| found.as_str())) {
                let is_field =
                    found.contains('_') && fields.contains(found) && !SAME.contains(&found);
                let is_rpc = rpcs.contains(found) && text.contains(' ');
                let is_address = text.contains('/') && !text.contains(' ');
                assert!(
                    !(is_field || is_rpc) || is_address,
                    "{path}: say in request_words.rs what {found} is to a person: {words}"
                );
            }
        }
        assert!(changed > 30, "{changed}");
    }

    #[test]
    fn the_guards_name_options_in_what_they_advise() {
        let guards = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/review/guard.rs");
        let texts = texts();
        let guards = texts.iter().filter(|(path, _)| Path::new(path) == guards);
        let words: Vec<_> = guards.map(|(_, text)| for_people(text)).collect();
        for option in [
            "--max-deactivations",
            "--max-rejected-rows",
            "--max-identity-changes",
            "--all-or-nothing",
            "--deactivate-missing",
            "--expected-plan-digest",
        ] {
            assert!(
                words.iter().any(|words| words.contains(option)),
                "{option}: {words:?}"
            );
        }
    }
}
