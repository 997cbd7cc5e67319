//! The modules depend on each other in one direction only, and few of them know each library: see the layout in
//! `src/lib.rs`.
//!
//! Reads the paths that the sources name, without comments and without tests. Every entry of the lists below must
//! be in use, so that they only shrink.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::{Regex, RegexBuilder};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The modules that each module may use, the lowest first. A module may use only modules that are listed before it.
const MODULES: [(&str, &[&str]); 21] = [
    ("domain", &[]),
    ("clock", &[]),
    ("private_files", &[]),
    ("tls_faults", &[]),
    ("migrations", &[]),
    ("limits", &[]),
    ("telemetry", &["domain"]),
    ("input", &["domain"]),
    ("inspect", &["domain", "input"]),
    ("plan", &["domain"]),
    ("workbook", &["domain"]),
    // A typed row has a field for each column. The codec refuses a message that is larger than the limit.
    ("proto", &["domain", "limits"]),
    ("audit", &["proto"]),
    (
        "store",
        &[
            "audit",
            "clock",
            "domain",
            "limits",
            "migrations",
            "private_files",
            "proto",
            "telemetry",
            "tls_faults",
        ],
    ),
    ("access", &["clock", "domain", "private_files", "store"]),
    ("config", &["access", "input", "limits", "store"]),
    (
        "import",
        &[
            "access",
            "audit",
            "clock",
            "config",
            "domain",
            "input",
            "inspect",
            "limits",
            "plan",
            "proto",
            "store",
            "telemetry",
        ],
    ),
    (
        "rpc",
        &[
            "access",
            "audit",
            "clock",
            "domain",
            "import",
            "inspect",
            "limits",
            "proto",
            "store",
            "telemetry",
            "workbook",
        ],
    ),
    (
        "server",
        &[
            "access",
            "clock",
            "config",
            "domain",
            "import",
            "limits",
            "proto",
            "rpc",
            "store",
            "telemetry",
        ],
    ),
    ("client", &["audit", "proto", "tls_faults"]),
    (
        "cli",
        &[
            "access",
            "audit",
            "client",
            "clock",
            "config",
            "domain",
            "import",
            "input",
            "limits",
            "private_files",
            "proto",
            "server",
            "store",
            "telemetry",
            "workbook",
        ],
    ),
];

/// The steps of a plan and the phases of an import. Each may use only those that are listed before it.
const STEPS: [(&str, &[&str]); 2] = [
    ("plan", &["index", "judge", "order", "report"]),
    (
        "import",
        &[
            "refusal",
            "review",
            "messages",
            "respond",
            "record",
            "receive",
            "lease",
            "apply",
            "attempt",
            "stages",
            "undo",
            "watch",
            "upload",
            "held",
            "inspection",
            "roster_rows",
        ],
    ),
];

/// Libraries and other paths, as regular expressions for a path's segments or its beginning, and the modules or files
/// that may name them.
const RESTRICTED: [(&str, &[&str]); 9] = [
    (
        r"tonic(_\w+)?",
        &["cli", "client", "proto", "rpc", "server"],
    ),
    // The log's filter names modules of the driver.
    ("sea_orm|sqlx", &["store", "telemetry/mod.rs"]),
    ("crate::proto", MESSAGES),
    (
        "(std|tokio)::fs",
        &["access", "cli", "private_files.rs", "store/connect.rs"],
    ),
    (
        "(std|tokio)::net",
        &[
            "access",
            "cli",
            "client",
            "limits",
            "server",
            "telemetry/metrics.rs",
        ],
    ),
    (
        "tokio::(spawn|task)",
        &[
            "access",
            "cli",
            "client",
            "import",
            "rpc",
            "server",
            "store",
            "telemetry/mod.rs",
        ],
    ),
    ("rust_xlsxwriter", &["workbook"]),
    ("SystemTime|now_utc", &["clock.rs"]),
    // They only fork and join, on data that no other code uses.
    (
        "rayon",
        &[
            "import/receive/parallel_checks.rs",
            "import/record/result_log.rs",
            "plan/index/parallel.rs",
        ],
    ),
];

/// The modules that know the contract's messages.
const MESSAGES: &[&str] = &[
    // They convert the messages into the engine's types and back.
    "rpc",
    "client",
    // They show what the client receives.
    "cli",
    // Registers the generated services, and answers gRPC's own health and reflection protocols.
    "server/health.rs",
    "server/mod.rs",
    "server/reflection.rs",
    "server/services.rs",
    // The server that appends an event and the client that verifies it must hash the same fields of the same message.
    "audit",
    "store/audit.rs",
    // Turns the engine's types into messages.
    "import/messages.rs",
    // What a client sends is decoded: options and rows become the engine's types here. The session fills the summary,
    // which is recorded and sent as it is.
    "import/receive",
    // Parts of uploads and some responses are stored as the messages that they were sent in, or will be sent in.
    "import/upload",
    // The kept input of a held import becomes the messages of a stream again.
    "import/held",
    // Results, refusals and warnings are recorded as encoded messages, once, and replayed from there.
    "import/record",
    "import/review/first_plan_warnings.rs",
    // Sends responses, live and replayed ones, and removes from them what their reader may not see.
    "import/respond",
    // Results of rows that are given up, which are recorded.
    "import/apply.rs",
    "import/apply/changed_concurrently.rs",
];

/// The modules that only compute: no input or output, no clock, no random numbers, no threads of their own.
const PURE: [&str; 5] = ["audit", "domain", "input", "inspect", "plan"];

/// The paths that such a module must not name.
const IMPURE: &str = r"^((std::(env|fs|io|net|process|thread))|tokio|Instant|SystemTime|now_utc|now_v7|new_v4|rand)(::|$)";

/// The files of those modules that read compressed bytes. The bytes are in memory, but the libraries read them through
/// these traits.
const DECOMPRESSES: &str = "input/workbook/";

/// The paths that these files may name.
const IN_MEMORY: &str = r"^std::io(::(BufReader|Cursor|ErrorKind|Read|Result))?$";

/// Compiles a pattern. Without Unicode tables it takes a tenth of the time.
fn pattern(text: &str) -> Regex {
    let pattern = RegexBuilder::new(text).unicode(false).build();
    pattern.expect("a pattern")
}

/// The paths that a source names, as their segments and as their beginnings: `crate::plan`, `std::fs`, `tonic`, and
/// for a part of a module `plan::judge` or `super::judge`.
fn names(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for segment in [r"(\w+)::", r"::(\w+)"] {
        let segment = pattern(segment);
        names.extend(segment.captures_iter(code).map(|found| found[1].to_owned()));
    }
    let beginning = pattern(r"\b(crate|std|tokio|super|plan|import)::");
    for found in beginning.find_iter(code) {
        let next = first_segments(&code[found.end()..]).into_iter();
        names.extend(next.map(|next| format!("{}{next}", found.as_str())));
    }
    names
}

/// Returns the first segments of the rest of a path: one, or several if the path continues with a list in braces.
fn first_segments(rest: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    if !rest.starts_with('{') {
        return vec![&rest[..word(rest).unwrap_or(rest.len())]];
    }
    let (mut depth, mut segments, mut begins) = (0, Vec::new(), 1);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 1 => {
                let segment = rest[begins..at].trim_start();
                segments.push(&segment[..word(segment).unwrap_or(segment.len())]);
                begins = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    segments
}

/// The source without comments and without the tests at its end.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let tests = pattern(r"#\[cfg\(test\)\]\n(pub\(crate\) )?mod \w+ \{");
    match tests.find(&code) {
        Some(tests) => code[..tests.start()].to_owned(),
        None => code,
    }
}

/// The sources without those that are compiled for tests only, and the names in each.
static SOURCES: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(read_sources);

fn read_sources() -> BTreeMap<String, BTreeSet<String>> {
    let mut sources = BTreeMap::new();
    let mut test_only = Vec::new();
    let mut folders = vec![PathBuf::from(FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            test_only.extend(test_modules(&path, &text));
            let relative = path.strip_prefix(FOLDER).expect("below the sources");
            sources.insert(
                relative.to_str().expect("a name").to_owned(),
                names(&code(&text)),
            );
        }
    }
    sources.retain(|path, _| {
        let path = Path::new(FOLDER).join(path);
        let module = path.with_extension("");
        !test_only.iter().any(|test| module.starts_with(test))
    });
    sources
}

/// The modules in files of their own that `path` compiles for tests only.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let module = pattern(r"#\[cfg\(test\)\]\n(?:pub\(crate\) )?mod (\w+);");
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => path.parent().expect("a folder").to_owned(),
        _ => path.with_extension(""),
    };
    let found = module.captures_iter(text);
    found.map(|found| folder.join(&found[1])).collect()
}

/// The module of a source, or `None` for `lib.rs` and `main.rs`.
fn module_of(path: &str) -> Option<&str> {
    let module = path.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&module)).then_some(module)
}

#[test]
fn modules_depend_on_each_other_in_one_direction() {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let all: Vec<&str> = MODULES.iter().map(|(module, _)| *module).collect();
    for (path, names) in &*SOURCES {
        let Some(module) = module_of(path) else {
            continue;
        };
        assert!(all.contains(&module), "{path}: list its module here");
        let used = names.iter().filter_map(|name| name.strip_prefix("crate::"));
        let used = used.filter(|used| *used != module && all.contains(used));
        found.entry(module).or_default().extend(used);
    }
    for (at, (module, may_use)) in MODULES.iter().enumerate() {
        let higher = may_use.iter().find(|used| !all[..at].contains(used));
        assert_eq!(
            higher, None,
            "{module} must not depend on a module above it"
        );
        let found = found.remove(module).unwrap_or_default();
        let listed: BTreeSet<_> = may_use.iter().copied().collect();
        assert_eq!(found, listed, "what {module} uses, and may use");
    }
}

#[test]
fn steps_use_only_those_before_them() {
    for (module, steps) in STEPS {
        for (path, names) in &*SOURCES {
            let mut parts = path.split('/');
            let (Some(folder), Some(step)) = (parts.next(), parts.next()) else {
                continue;
            };
            if folder != module || step == "mod.rs" {
                continue;
            }
            let step = step.trim_end_matches(".rs");
            let at = steps.iter().position(|listed| *listed == step);
            let at = at.unwrap_or_else(|| panic!("{path}: list its step here"));
            let is_named = |later: &&&str| {
                let paths = [format!("{module}::{later}"), format!("super::{later}")];
                paths.iter().any(|path| names.contains(path))
            };
            let later = steps[at + 1..].iter().find(is_named);
            assert_eq!(later, None, "{path} must not use a later step");
        }
    }
}

#[test]
fn few_modules_know_a_library() {
    for (what, places) in RESTRICTED {
        let named = pattern(&format!("^({what})$"));
        let is_at = |path: &str, place: &str| {
            path == place
                || path
                    .strip_prefix(place)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let naming = SOURCES
            .iter()
            .filter(|(_, names)| names.iter().any(|name| named.is_match(name)));
        let naming: Vec<&str> = naming.map(|(path, _)| &**path).collect();
        let elsewhere = naming.iter().find(|path| {
            module_of(path).is_some() && !places.iter().any(|place| is_at(path, place))
        });
        assert_eq!(elsewhere, None, "must not name {what}");
        let unused = places
            .iter()
            .find(|place| !naming.iter().any(|path| is_at(path, place)));
        assert_eq!(
            unused, None,
            "does not name {what} any more: take it off the list"
        );
    }
}

#[test]
fn what_decides_only_computes() {
    let (impure, memory) = (pattern(IMPURE), pattern(IN_MEMORY));
    for (path, names) in &*SOURCES {
        if module_of(path).is_some_and(|module| PURE.contains(&module)) {
            let in_memory = |name: &str| path.starts_with(DECOMPRESSES) && memory.is_match(name);
            let mut named = names.iter().filter(|name| impure.is_match(name));
            let found = named.find(|name| !in_memory(name));
            assert_eq!(found, None, "{path}");
        }
    }
}

#[test]
fn paths_are_found_in_lists_too() {
    let code = "use crate::{\n    access::{self, jwt::{A, B}},\n    domain::Row,\n};\nfs::read(std::fs::x)";
    let expected = ["crate::", "crate::access", "crate::domain", "std::fs"];
    let names = names(code);
    let paths: Vec<_> = names.iter().filter(|name| name.contains(':')).collect();
    assert_eq!(paths, expected);
}
