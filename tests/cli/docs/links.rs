//! The links of a page, and the headings that links may point to.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the lines of a page that are not in code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the targets of a page's links, without those to other sites.
pub fn links(text: &str) -> Vec<String> {
    let prose: Vec<&str> = prose(text).collect();
    let prose = prose.join("\n");
    let links = prose.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.contains("://"));
    links.map(str::to_owned).collect()
}

/// Returns the anchors of a page's headings, by the rule that code hosts apply.
pub fn headings(text: &str) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
    let headings = headings.map(|anchor| {
        let count = counts.entry(anchor.clone()).or_default();
        *count += 1;
        match *count {
            1 => anchor,
            n => format!("{anchor}-{}", n - 1),
        }
    });
    headings.collect()
}

/// Returns the heading in lower case, with hyphens for spaces and without punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.collect::<String>().to_lowercase()
}

#[test]
fn headings_are_found_by_their_anchors_and_links_outside_of_code() {
    let page = "# `NOT_FOUND`, `ALREADY_EXISTS`\n## A page\n## A page\n```sh\n# a comment [x](y)\n```\n[z](#a-page)";
    let expected = ["a-page", "a-page-1", "not_found-already_exists"];
    assert_eq!(headings(page), expected.map(str::to_owned).into());
    assert_eq!(links(page), ["#a-page"]);
}
