//! Compares the output of a command with the output that a page shows.

/// Fails if `printed` differs from the text `shown` on the page at `place`.
pub fn assert_shown(shown: &str, printed: &str, place: &str) {
    let (shown, printed) = (neutral(shown), neutral(printed));
    let pieces: Vec<Vec<&str>> = pieces(&shown);
    let lines = printed.iter().map(String::as_str);
    let lines: Vec<&str> = lines.filter(|line| !is_progress(line)).collect();
    let mut rest = &lines[..];
    for (index, piece) in pieces.iter().enumerate() {
        let is_last = index + 1 == pieces.len();
        let at = match (index, is_last) {
            (0, _) => rest.starts_with(piece).then_some(0),
            (_, true) => rest.ends_with(piece).then(|| rest.len() - piece.len()),
            _ => (0..rest.len()).find(|&at| rest[at..].starts_with(piece)),
        };
        let at = at.unwrap_or_else(|| {
            panic!(
                "{place} shows\n{}\nbut printed was\n{}",
                piece.join("\n"),
                lines.join("\n")
            )
        });
        rest = &rest[at + piece.len()..];
    }
    let is_open = pieces.len() > 1 && pieces.last().is_some_and(Vec::is_empty);
    assert!(
        is_open || rest.is_empty(),
        "{place} does not show\n{}",
        rest.join("\n")
    );
}

/// Matches the line with which an import shows its progress. Only imports that take a while print it, so no page shows
/// it.
fn is_progress(line: &str) -> bool {
    let phases = ["reading: ", "checking: ", "writing: ", "deactivating: "];
    phases.iter().any(|phase| line.starts_with(phase))
}

/// Returns the parts of the shown text between lines that stand for any lines.
fn pieces(lines: &[String]) -> Vec<Vec<&str>> {
    let pieces = lines.split(|line| line.trim() == "…");
    pieces
        .map(|piece| piece.iter().map(String::as_str).collect())
        .collect()
}

/// Returns the lines without the parts that differ from run to run.
fn neutral(text: &str) -> Vec<String> {
    // Some versions of Go print a second space there, so that no program relies on a single one.
    let text = text.replace("\":  ", "\": ");
    let lines = text.trim_end().lines();
    lines.map(|line| pace(&words(line.trim_end()))).collect()
}

/// Returns a line in which each word that spaces or commas delimit is replaced by its kind.
fn words(line: &str) -> String {
    let fields = |word: &str| word.split(',').map(kind).collect::<Vec<_>>().join(",");
    line.split(' ').map(fields).collect::<Vec<_>>().join(" ")
}

/// Returns the kind of a word that is an ID, a digest, a token, a date, a time of day or a port.
fn kind(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let kind = match core {
        _ if core.len() == 36 && core.split('-').all(is_hex) => "ID",
        _ if core.len() == 64 && is_hex(core) => "DIGEST",
        _ if core.starts_with("uit_") => "TOKEN",
        _ if core.len() == 10 && core.split('-').all(is_number) && core.contains('-') => "DATE",
        _ if core.len() >= 5 && core.split(':').all(is_number) && core.contains(':') => "TIME",
        _ => match core.rsplit_once("127.0.0.1:") {
            Some((before, port)) if is_number(port) => {
                return word.replace(&format!("{before}127.0.0.1:{port}"), "ADDRESS");
            }
            _ => return word.to_owned(),
        },
    };
    word.replace(core, kind)
}

/// Returns `20 rows (39 ms, 512 rows/s)` without the figures that depend on the machine.
fn pace(line: &str) -> String {
    match (line.split_once(" ("), line.split_once(" rows/s)")) {
        (Some((before, _)), Some((_, after))) => format!("{before} (PACE){after}"),
        _ => line.to_owned(),
    }
}

#[test]
fn what_a_page_shows_is_compared_but_for_what_is_another_each_time() {
    let printed =
        "Import 018f4e9e-5c7b-7000-8000-000000000001: 20 rows (39 ms, 512 rows/s).\nb\nc\nd\n";
    let id = "018f4e9e-5c7b-7000-8000-000000000002";
    let pages = [
        (
            format!("Import {id}: 20 rows (1 ms, 20,000 rows/s).\nb\nc\nd\n"),
            true,
        ),
        (
            format!("Import {id}: 21 rows (1 ms, 20,000 rows/s).\nb\nc\nd\n"),
            false,
        ),
        ("…\nc\nd\n".to_owned(), true),
        ("…\nc\n…\n".to_owned(), true),
        ("…\nc\n".to_owned(), false),
        ("…\nx\n…\n".to_owned(), false),
        (String::new(), false),
    ];
    for (page, is_good) in pages {
        let compared = std::panic::catch_unwind(|| assert_shown(&page, printed, "page"));
        assert_eq!(compared.is_ok(), is_good, "{page}");
    }
}
