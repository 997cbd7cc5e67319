//! Comments, documentation, the contract's comments, the help texts and the texts of the program have no turns of
//! phrase that readers must decode.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use clap::CommandFactory;
use regex::RegexSet;
use user_import::cli::Cli;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// Folders and files with text for maintainers and users.
const PLACES: [&str; 20] = [
    ".ci",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "allocator",
    "benches",
    "build.rs",
    "console/README.md",
    "console/browser",
    "console/src",
    "deploy",
    "docs",
    "examples",
    "fuzz",
    "migrations",
    "proto",
    "scripts",
    "src",
    "tests",
];

/// Folders with files that other programs write, or that hold what a test reads and compares.
const SKIPPED: [&str; 9] = [
    "cases",
    "snapshots",
    "wire",
    "target",
    "node_modules",
    "results",
    "corpus",
    "gen",
    "released",
];

/// What not to write. Write "if" for a condition, the subject first, and the thing's own name.
const BANNED: [&str; 21] = [
    r"(?i)\banew\b",
    r"(?i)\bapart by\b",
    r"(?i)\bbut for (a|leading|the|what)\b",
    r"(?i)\bwhoever\b",
    r"(?i)\bwhom\b",
    r"(?i)\b(true|false|none|nothing)`? where\b",
    r"(?i)\bonly where\b",
    r"\bWhere (a|an|any|it|no|nobody|none|nothing|one|somebody|that|the|there|they|this)\b",
    r"\bwhere (nobody|none|nothing|somebody|there (is|are) (no|none))\b",
    r"(?i)\b(are|be|been|is|was|were) told\b",
    r"(?i)\bas may be\b",
    r"(?i)\bthat of which\b",
    r"(?i)\bof (these|those)[,;]",
    r"(?i)\bnobody's\b",
    r"(?i)\bthere is one[,.;)]",
    r"(?i)\bfails? where\b",
    r"(?i)\bwhat is said of\b",
    r"(?i)\b(that|which) (is|are) none\b",
    r"(?i)\b(event|none|nothing|value) lacks?\b",
    r"(?i)\bbegins? (neither )?as [^.,;]{1,45} do(es)?\b",
    r"(?i)\b(the|this) very (attempt|call|credential|host|one|origin|same)\b",
];

/// First words of a clause. The documentation of a function says what the function does: it begins with a verb.
const CLAUSES: [&str; 10] = [
    "All that", "As", "Of", "What", "Where", "Whether", "Which", "Who", "Whose", "Why",
];

/// A turn of phrase, and the line that it begins on.
struct BannedTurn {
    line: usize,
    text: String,
}

/// The text of a file that people read: all of a page, and the comments of a program.
fn blocks(path: &Path, text: &str) -> Vec<(usize, String)> {
    let marker = match path.extension().and_then(|end| end.to_str()) {
        Some("md") => return paragraphs(text),
        Some("rs" | "proto" | "go" | "java" | "ts" | "tsx") => "//",
        Some("sql") => "--",
        _ => "#",
    };
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut last = 0;
    for (number, line) in text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
    {
        let line = line.trim_start();
        // Comments of TypeScript and Java may begin with a slash and stars, and their lines with a star.
        let is_of_block = marker == "//" && (line.starts_with("/*") || line.starts_with("* "));
        if !is_of_block && !line.starts_with(marker) {
            continue;
        }
        let comment = line.strip_prefix(marker).unwrap_or(line);
        let comment = comment
            .trim_start_matches(['/', '!', '#', '*'])
            .trim_end_matches(['*', '/'])
            .trim();
        match blocks.last_mut() {
            Some((_, block)) if last + 1 == number => {
                block.push('\n');
                block.push_str(comment);
            }
            _ => blocks.push((number, comment.to_owned())),
        }
        last = number;
    }
    blocks
}

/// The lines of a page outside of its code blocks, each with those that follow it at once.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let lines = text.lines().map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence { "" } else { line.trim() }
    });
    vec![(1, lines.collect::<Vec<_>>().join("\n"))]
}

/// The turns in a block that begins on line `first`. A turn may go over the end of a line.
fn find(banned: &[regex::Regex], first: usize, block: &str) -> Vec<BannedTurn> {
    let flat = block.replace('\n', " ");
    let turns = banned.iter().flat_map(|turn| turn.find_iter(&flat));
    let turns = turns.map(|turn| BannedTurn {
        line: first + block[..turn.start()].matches('\n').count(),
        text: turn.as_str().to_owned(),
    });
    turns.collect()
}

/// The documentation of functions that begins with a clause.
fn clauses(text: &str) -> Vec<BannedTurn> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let function = regex::Regex::new(r"^(pub(\([^)]*\))? )?((async|const|unsafe) )*fn ").unwrap();
    let is_clause = |at: &usize| {
        let begins = |words| lines[*at].starts_with(&format!("/// {words} "));
        let is_first = *at == 0 || !lines[at - 1].starts_with("///");
        let is_passed = |line: &&&str| line.starts_with("///") || line.starts_with("#[");
        let documented = lines[*at..].iter().find(|line| !is_passed(line));
        let is_of_function = documented.is_some_and(|line| function.is_match(line));
        is_first && is_of_function && CLAUSES.iter().any(begins)
    };
    let found = (0..lines.len()).filter(is_clause).map(|at| BannedTurn {
        line: at + 1,
        text: lines[at].to_owned(),
    });
    found.collect()
}

fn files(path: &Path, found: &mut Vec<std::path::PathBuf>) {
    let name = path.file_name().and_then(|name| name.to_str());
    if path.is_dir() {
        if name.is_none_or(|name| !SKIPPED.contains(&name)) {
            let entries = fs::read_dir(path).unwrap();
            entries.for_each(|entry| files(&entry.unwrap().path(), found));
        }
    } else if path
        .extension()
        .is_none_or(|end| end != "lock" && end != "json")
    {
        found.push(path.to_owned());
    }
}

/// The banned turns of every file, by its path in the repository.
fn turns() -> BTreeMap<String, Vec<BannedTurn>> {
    let banned = BANNED.map(|turn| regex::Regex::new(turn).unwrap());
    let mut paths = Vec::new();
    for place in PLACES {
        files(&Path::new(REPOSITORY).join(place), &mut paths);
    }
    let mut turns = BTreeMap::new();
    for path in paths {
        // A file that is not text has no comments.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let blocks = blocks(&path, &text);
        let mut found: Vec<_> = blocks
            .iter()
            .flat_map(|(first, block)| find(&banned, *first, block))
            .collect();
        if path.extension().is_some_and(|end| end == "rs") {
            found.extend(clauses(&text));
        }
        if !found.is_empty() {
            let path = path.strip_prefix(REPOSITORY).unwrap();
            turns.insert(path.to_string_lossy().into_owned(), found);
        }
    }
    turns
}

#[test]
fn plain_english_has_no_turns_that_must_be_decoded() {
    let mut bad = String::new();
    for (path, found) in turns() {
        for BannedTurn { line, text } in found {
            writeln!(bad, "{path}:{line}: \"{text}\"").unwrap();
        }
    }
    assert!(
        bad.is_empty(),
        "Say it in plain English (CONTRIBUTING.md):\n{bad}"
    );
}

#[test]
fn plain_english_is_what_help_says() {
    let banned = RegexSet::new(BANNED).unwrap();
    let mut bad = Vec::new();
    let mut commands = vec![Cli::command()];
    while let Some(mut command) = commands.pop() {
        let help = command.render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for turn in banned.matches(&help) {
            bad.push(format!("{}: {}", command.get_name(), BANNED[turn]));
        }
        commands.extend(command.get_subcommands().cloned());
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The texts in quotes of a Rust file, each with the line that it begins on: messages, errors and lines of the log.
fn quoted_texts(source: &str) -> Vec<(usize, String)> {
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let code = source.lines().map(|line| match is_comment(&line) {
        true => "",
        false => line,
    });
    let code = code.collect::<Vec<_>>().join("\n");
    let quoted = regex::Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap();
    let continued = regex::Regex::new(r"\\\n\s*").unwrap();
    let texts = quoted.captures_iter(&code).map(|found| {
        let begin = found.get(1).unwrap().start();
        let line = 1 + code[..begin].matches('\n').count();
        (line, continued.replace_all(&found[1], "").into_owned())
    });
    // SQL has words of its own.
    texts
        .filter(|(_, text)| !text.contains(" WHERE "))
        .collect()
}

#[test]
fn plain_english_is_what_messages_say() {
    let banned = BANNED.map(|turn| regex::Regex::new(turn).unwrap());
    let mut paths = Vec::new();
    files(&Path::new(REPOSITORY).join("src"), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut bad = String::new();
    let mut checked = 0;
    for path in paths {
        let Ok(source) = fs::read_to_string(&path) else {
            continue;
        };
        for (line, text) in quoted_texts(&source) {
            checked += 1;
            for turn in find(&banned, line, &text) {
                writeln!(bad, "{}:{line}: \"{}\"", path.display(), turn.text).unwrap();
            }
        }
    }
    assert!(checked > 1_000, "{checked} texts");
    assert!(
        bad.is_empty(),
        "Say it in plain English (CONTRIBUTING.md):\n{bad}"
    );
}

#[test]
fn plain_english_is_looked_for_in_texts_that_go_over_lines() {
    let source = "// \"whom\"\nfn a() {\n    error(\"It is made \\\n        anew, \\\"again\\\".\");\n\
        query(\"SET a = TRUE WHERE b\");\n}";
    let texts = quoted_texts(source);
    assert_eq!(texts, [(3, r#"It is made anew, \"again\"."#.to_owned())]);
    let banned = BANNED.map(|turn| regex::Regex::new(turn).unwrap());
    assert_eq!(find(&banned, 3, &texts[0].1).len(), 1);
}

#[test]
fn plain_english_says_with_a_verb_what_a_function_does() {
    let source = "/// What it is.\nstruct A;\n/// Returns\n/// What it is.\nfn a() {}\n\
        \x20   /// What it is,\n    /// and why.\n    #[must_use]\n    pub(super) const fn b() {}\n/// Whatever.\nfn c() {}";
    let found: Vec<_> = clauses(source).iter().map(|clause| clause.line).collect();
    assert_eq!(found, [6]);
}

#[test]
fn plain_english_is_looked_for_over_the_ends_of_lines() {
    let banned = BANNED.map(|turn| regex::Regex::new(turn).unwrap());
    let source = "fn a() {}\n/// Returns all users, as\n/// many as may\n/// be.\nlet whom = 1;\n// Where it fails.";
    let blocks = blocks(Path::new("a.rs"), source);
    let found: Vec<_> = blocks
        .iter()
        .flat_map(|(first, block)| find(&banned, *first, block))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|turn| (turn.line, turn.text.as_str()))
        .collect();
    assert_eq!(found, [(3, "as may be"), (6, "Where it")]);
    let source = "/** Whoever\n * it is. */\nlet whom;\n/**\n * Returns what is told to\n * those, as may\n * be.\n */";
    let blocks = self::blocks(Path::new("a.tsx"), source);
    let found: Vec<_> = blocks
        .iter()
        .flat_map(|(first, block)| find(&banned, *first, block))
        .map(|turn| (turn.line, turn.text))
        .collect();
    let expected = [(1, "Whoever"), (5, "is told"), (6, "as may be")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}
