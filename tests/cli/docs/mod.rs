//! The documentation is true: each of its commands runs on a terminal, as a reader would run it, and prints the output
//! that the page shows below it. Every link has a target.
//!
//! The `sh` blocks of a page run one after another, in a folder of their own with `examples/` in it, while a server
//! runs. A block of `text` is the output of the block before it. A line with only `…` stands for any lines, and an ID,
//! digest, time or port stands for any other of its kind. A comment directly above a block changes this:
//!
//! - `<!-- not run: REASON -->`: the block cannot run here. Its commands of this program are only parsed.
//! - `<!-- needs: PROGRAM -->`: the block runs if this machine has that program. `USER_IMPORT_TEST_TOOLS` lists programs,
//!   separated by spaces, that the machine must have.
//! - `<!-- output of: COMMAND -->`: the block is the output of this command, not of the block before.
//! - `<!-- setup: COMMANDS -->`, without a block: commands that must have run before the page's own.

mod links;
mod output;
mod page;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use tempfile::TempDir;
use user_import::cli::Cli;

use crate::{
    department::program,
    process::{RunningProgram, address},
    terminal::Terminal,
};
use links::{headings, links};
use output::assert_shown;
use page::{PageStep, steps};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The port of a server with default settings, which the pages show.
const DEFAULT_ADDRESS: &str = "127.0.0.1:50051";

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let repository = Path::new(REPOSITORY);
    let docs = fs::read_dir(repository.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "benches/README.md",
        "tests/wire/README.md",
    ];
    let others = others.map(|page| repository.join(page));
    docs.chain(others)
        .filter(|page| page.extension().is_some_and(|end| end == "md"))
        .collect()
}

/// Makes a folder with the repository's examples and the program.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("bin")).unwrap();
    fs::create_dir(at("examples")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_user-import"), at("bin/user-import")).unwrap();
    for entry in fs::read_dir(Path::new(REPOSITORY).join("examples")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), at("examples").join(entry.file_name())).unwrap();
        }
    }
    folder
}

/// Returns a shell script that runs a page's commands and marks where the output of each block begins and ends.
fn script(steps: &[PageStep]) -> String {
    // Exit code 3 (rejected rows) is allowed, since pages show imports with rejected rows.
    let mut script = "trap '[ $? = 3 ] || failed=1' ERR\n".to_owned();
    for (index, step) in steps.iter().enumerate() {
        if step.is_run() {
            let commands = &step.commands;
            writeln!(script, "failed=0; echo '@@begin {index}'\n{commands}").unwrap();
            writeln!(script, "echo \"@@end {index} $failed\"").unwrap();
        }
    }
    script
}

/// Returns the output of a step, and `true` if one of its commands failed.
fn printed(shown: &str, index: usize) -> Option<(&str, bool)> {
    let (_, rest) = shown.split_once(&format!("@@begin {index}\n"))?;
    let (output, rest) = rest.split_once(&format!("@@end {index} "))?;
    Some((output, !rest.starts_with("0\n")))
}

/// Runs a page's commands. Returns everything that they print.
fn run(steps: &[PageStep]) -> String {
    let folder = folder();
    let mut serve = program();
    serve.current_dir(folder.path());
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    let mut server = RunningProgram::start(serve, &folder.path().join("server.log"));
    let address = address(&mut server).to_string();
    let endpoint = format!("http://{address}");
    let file = folder.path().join("page.sh");
    fs::write(&file, script(steps).replace(DEFAULT_ADDRESS, &address)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    // The shell has no settings of the user who runs the tests, and finds the local tokens of the tests' servers.
    let mut shell = user_import_testing::program_at("bash");
    shell
        .arg(&file)
        .current_dir(folder.path())
        .env("PATH", format!("{}/bin:{path}", folder.path().display()))
        .env("HOME", folder.path())
        .env_remove("XDG_CONFIG_HOME")
        .env("NO_COLOR", "1")
        .env("USER_IMPORT_ENDPOINT", endpoint);
    let (exit, shown) = Terminal::start(shell).end();
    assert_eq!(exit, Some(0), "{shown}");
    let home = folder.path().display().to_string();
    shown.replace("\r\n", "\n").replace(&home, "/home/you")
}

/// Checks that a block's commands of this program can be parsed, even if the block cannot run.
fn assert_parsed(step: &PageStep, page: &str) {
    for words in words::commands(&step.commands) {
        let parsed = Cli::try_parse_from(&words);
        let is_help = parsed.as_ref().is_err_and(|error| error.exit_code() == 0);
        let place = format!("{page}, line {}", step.line);
        assert!(
            parsed.is_ok() || is_help,
            "{place}: {words:?}: {:?}",
            parsed.err()
        );
    }
}

/// Fails if a block was left out although this machine must have the program that the block needs.
fn assert_left_out(step: &PageStep, page: &str) {
    let Some(tool) = step.missing_tool() else {
        return;
    };
    let place = format!("{page}, line {}", step.line);
    let required = std::env::var("USER_IMPORT_TEST_TOOLS").unwrap_or_default();
    let is_required = required.split(' ').any(|name| name == tool);
    assert!(!is_required, "{place}: there is no {tool} to run this with");
    eprintln!("{place} is not run: there is no {tool}");
}

#[test]
fn every_command_of_every_page_runs_and_prints_what_is_shown() {
    let mut ran = 0;
    for path in pages() {
        let page = path.strip_prefix(REPOSITORY).unwrap().display().to_string();
        let steps = steps(&page, &fs::read_to_string(&path).unwrap());
        for step in &steps {
            assert_parsed(step, &page);
            assert_left_out(step, &page);
        }
        if !steps.iter().any(PageStep::is_run) {
            continue;
        }
        let shown = run(&steps);
        for (index, step) in steps.iter().enumerate().filter(|(_, step)| step.is_run()) {
            let place = format!("{page}, line {}", step.line);
            let (output, failed) =
                printed(&shown, index).unwrap_or_else(|| panic!("{place} did not run: {shown}"));
            assert!(!failed, "{place} failed:\n{output}");
            if let Some(expected) = &step.output {
                assert_shown(expected, output, &place);
            }
            ran += 1;
        }
    }
    assert!(ran > 12, "{ran}");
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    let pages = pages();
    let headings: BTreeMap<PathBuf, BTreeSet<String>> = pages
        .iter()
        .map(|page| (page.clone(), headings(&fs::read_to_string(page).unwrap())))
        .collect();
    let mut missing = Vec::new();
    let (mut to_files, mut to_headings) = (0, 0);
    for page in &pages {
        for link in links(&fs::read_to_string(page).unwrap()) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                _ => page.parent().unwrap().join(file),
            };
            to_files += 1;
            let Ok(target) = target.canonicalize() else {
                missing.push(format!("{}: {link}", page.display()));
                continue;
            };
            if !heading.is_empty() {
                to_headings += 1;
                if !headings
                    .get(&target)
                    .is_some_and(|all| all.contains(heading))
                {
                    missing.push(format!("{}: {link}", page.display()));
                }
            }
        }
    }
    assert!(
        to_files > 100 && to_headings > 40,
        "{to_files}, {to_headings}"
    );
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_readme_is_short_enough_to_be_read() {
    let size = fs::metadata(Path::new(REPOSITORY).join("README.md"))
        .unwrap()
        .len();
    assert!(
        size <= 14 * 1024,
        "README.md has {size} bytes; move details to docs/"
    );
}
