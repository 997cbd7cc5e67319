//! `docs/operations.md` lists exactly the metrics that a running server has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    net::TcpStream,
    sync::Arc,
};

use crate::{observed::get, program::serve};
use user_import_testing::{App, Database, free_address, on_both_databases, roster};

on_both_databases![every_metric_is_documented_with_its_labels_and_every_documented_one_is_there];

/// The names of the metrics, each with the names of its labels.
type MetricNames = BTreeMap<String, BTreeSet<String>>;

fn documented() -> MetricNames {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `user_import_"));
    let metric = |row: &str| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let name = cells.next().unwrap().trim_matches('`').to_owned();
        // A row of the table of alerts has a condition instead of labels.
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let labels = cells
            .next()
            .unwrap()
            .split(", ")
            .filter(|label| !label.is_empty());
        is_name.then(|| (name, labels.map(str::to_owned).collect()))
    };
    rows.filter_map(metric).collect()
}

fn exposed(page: &str) -> MetricNames {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.map(|line| line.split(' ').next().unwrap());
    names
        .map(|name| (name.to_owned(), labels(page, name)))
        .collect()
}

/// Returns the labels on any line of the metric, except the bounds of a histogram.
fn labels(page: &str, name: &str) -> BTreeSet<String> {
    let of_it = page.lines().filter_map(|line| line.strip_prefix(name));
    let kinds = ["{", "_bucket{", "_sum{", "_count{"];
    let inner = of_it.filter_map(|rest| kinds.iter().find_map(|kind| rest.strip_prefix(kind)));
    let inner = inner.filter_map(|rest| Some(rest.rsplit_once('}')?.0));
    let pairs = inner.flat_map(|inner| {
        inner
            .split("\",")
            .map(|pair| pair.split_once('=').unwrap().0)
    });
    pairs
        .filter(|label| *label != "le")
        .map(str::to_owned)
        .collect()
}

async fn every_metric_is_documented_with_its_labels_and_every_documented_one_is_there(
    database: Database,
) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let options = [
        "--first-call-seconds",
        "1",
        "--metrics-listen",
        &address.to_string(),
    ];
    let server = serve(&database.url(), &options, &folder.path().join("log"));
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    app.people(["ada"]).await;
    // Causes a refused request, a denied call, and a connection that a limit closes.
    assert_ne!(app.import("nonsense\n1\n").await.code(), tonic::Code::Ok);
    assert_ne!(
        app.presenting("x").import(roster()).await.code(),
        tonic::Code::Ok
    );
    let mut silent = TcpStream::connect(server.address).unwrap();
    let closed = tokio::task::spawn_blocking(move || {
        // A reset is also a way to close it.
        let _ = silent.read_to_end(&mut Vec::new());
    });
    closed.await.unwrap();
    let (documented, exposed) = (documented(), exposed(&get(address)));
    assert!(exposed.len() > 10, "{exposed:?}");
    assert_eq!(documented, exposed);
}
