//! Everything that the dashboard and the alerts in `deploy/monitoring` name exists: metrics and labels, and codes and
//! headings of the runbook. A test in `tests/operation` compares the runbook's table of metrics with a running server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use regex::Regex;
use serde_json::Value;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

fn read(file: &str) -> String {
    fs::read_to_string(format!("{REPOSITORY}/{file}")).unwrap()
}

/// Returns the text that the first group of a pattern matches, for each match.
fn all<'a>(pattern: &str, text: &'a str) -> BTreeSet<&'a str> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.captures_iter(text);
    found.map(|found| found.get(1).unwrap().as_str()).collect()
}

/// Returns the metrics of the runbook, each with its labels.
fn documented(runbook: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let row = Regex::new(r"(?m)^\| `(user_import_\w+)` \|([^|]*)\|").unwrap();
    let rows = row.captures_iter(runbook);
    rows.map(|row| {
        let (_, [name, labels]) = row.extract();
        let labels = labels.split(", ").map(str::trim);
        (name, labels.filter(|label| !label.is_empty()).collect())
    })
    .collect()
}

/// Returns the queries of the dashboard and of the rules.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("deploy/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut queries: Vec<String> = targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect();
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let asked = variables.filter_map(|variable| variable["query"]["query"].as_str());
    queries.extend(asked.map(str::to_owned));
    assert!(queries.len() > 20, "{queries:?}");
    queries.push(read("deploy/monitoring/rules.yaml"));
    queries.push(read("deploy/monitoring/rules_test.yaml"));
    queries
}

#[test]
fn every_metric_that_is_asked_for_is_documented_with_its_labels() {
    let runbook = read("docs/operations.md");
    let documented = documented(&runbook);
    let metric = Regex::new(r"(user_import_\w+)(?:\{([^}]*)\})?").unwrap();
    let mut asked = BTreeSet::new();
    for query in queries() {
        for found in metric.captures_iter(&query) {
            let name = &found[1];
            // A histogram also has these names, which are made from its own.
            let histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            let (name, labels) = [Some(name), histogram]
                .into_iter()
                .flatten()
                .find_map(|name| documented.get_key_value(name))
                .unwrap_or_else(|| panic!("{name} is not in docs/operations.md"));
            asked.insert(*name);
            // Prometheus adds this label with the server's address.
            let used = found.get(2).map_or("", |labels| labels.as_str());
            for label in all(r"(\w+)(?:=|!=|=~|!~)[\x22']", used) {
                let is_known = labels.contains(label) || label == "instance";
                assert!(is_known, "{name} has no label {label}");
            }
        }
    }
    let documented: BTreeSet<&str> = documented.into_keys().collect();
    assert_eq!(asked, documented, "what is exposed is shown somewhere");
}

#[test]
fn every_alert_is_documented_and_has_a_test() {
    let (runbook, rules) = (
        read("docs/operations.md"),
        read("deploy/monitoring/rules.yaml"),
    );
    let alerts = all(r"- alert: (\w+)", &rules);
    assert!(alerts.len() > 8, "{alerts:?}");
    assert_eq!(alerts, all(r"(?m)^\| `(UserImport\w+)` \|", &runbook));
    // Each alert has a case in which it fires. The case before that names it as one that does not fire.
    let tests = read("deploy/monitoring/rules_test.yaml");
    let firing = all(
        r"- alertname: (\w+)\n\s+eval_time: \w+\n\s+exp_alerts:",
        &tests,
    );
    assert_eq!(alerts, firing);
    for panel in all(
        r"(UserImport\w+)",
        &read("deploy/monitoring/dashboard.json"),
    ) {
        assert!(alerts.contains(panel), "{panel}");
    }
}

#[test]
fn every_code_of_an_alert_is_one_of_the_runbook_and_every_link_leads_there() {
    let (runbook, rules) = (
        read("docs/operations.md"),
        read("deploy/monitoring/rules.yaml"),
    );
    let codes: BTreeSet<&str> = all(r#"reason=~"([A-Z_|]+)""#, &rules)
        .into_iter()
        .flat_map(|codes| codes.split('|'))
        .collect();
    assert!(codes.len() > 5, "{codes:?}");
    for code in codes {
        assert!(runbook.contains(&format!("`{code}`")), "{code}");
    }
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.replace(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'), "")
    };
    let headings: BTreeSet<String> = all(r"(?m)^#+ (.*)$", &runbook)
        .into_iter()
        .map(anchor)
        .collect();
    for link in all(r"runbook: docs/operations\.md#(\S+)", &rules) {
        assert!(headings.contains(link), "{link}: {headings:?}");
    }
}
