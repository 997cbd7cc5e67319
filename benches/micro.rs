//! Measures each stage of an import that needs no database (decode, validate, plan and encode) in rows per second, and
//! the bytes of memory that a row takes after each stage.
//!
//! Run it with `cargo bench --package user-import-benchmarks`. A word after `--` chooses the benchmarks whose name
//! contains it.

#![allow(
    clippy::disallowed_methods,
    reason = "the files of a benchmark are not secret"
)]

use std::collections::HashMap;
use std::{alloc::System, hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput};
use prost::Message;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use user_import::{
    domain::{
        Catalog, Cell, CheckOptions, Column, Group, GroupId, Rank, RankId, RawRow, Role, RoleId,
        Row, SnapshotExtent, Status, User,
    },
    import::{PlannedImport, ResultFilter, read_phone},
    input::{CsvDecoder, CsvOptions, InputLimits, Mapping, ValueMapping},
    plan::{ByRow, Decision, DenseIndex, FinalUser, Outcome},
    store::Snapshot,
};
use user_import_benchmarks::{names, roster::Roster};
use user_import_testing::{planned_on, rows_of};
use uuid::Uuid;

/// Counts the bytes that are allocated.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROWS: u64 = 10_000;

/// Bytes of a chunk as it comes over the network.
const CHUNK: usize = 512 * 1024;

fn main() -> anyhow::Result<()> {
    let csv = roster(false)?;
    let bench = &mut Criterion::default().sample_size(20).configure_from_args();
    measure_memory(&csv)?;
    decode(bench, &csv);
    validate(bench, &csv);
    plan(bench, &csv)?;
    encode(bench, &csv);
    bench.final_summary();
    Ok(())
}

/// Returns the roster of the comparison with fewer rows.
fn roster(new_phones: bool) -> anyhow::Result<Vec<u8>> {
    let file = tempfile::NamedTempFile::new()?;
    let roster = Roster {
        seed: 1,
        rows: ROWS,
        new_phones,
    };
    roster.write(file.path())?;
    Ok(std::fs::read(file.path())?)
}

/// Calls `each` with every record of a file.
fn read(csv: &[u8], each: impl FnMut(&RawRow<'_>)) {
    read_with(&CsvOptions::default(), csv, each);
}

fn read_with(options: &CsvOptions, csv: &[u8], mut each: impl FnMut(&RawRow<'_>)) {
    let Ok(mut decoder) = CsvDecoder::new(options, InputLimits::default()) else {
        return;
    };
    let chunks = csv.chunks(CHUNK);
    let pushed = chunks.map(|chunk| decoder.push(chunk, &mut each));
    let pushed = pushed.collect::<Result<(), _>>();
    let ended = pushed.and_then(|()| decoder.finish(&mut each));
    assert_eq!((ended, u64::from(decoder.rows())), (Ok(()), ROWS));
}

fn decode(bench: &mut Criterion, csv: &[u8]) {
    let mut group = bench.benchmark_group("decode");
    group.throughput(Throughput::Elements(ROWS));
    let mapped = Mapping {
        null_values: ["NULL", "N/A", "\\N"].map(str::to_owned).into(),
        values: vec![
            value_mapping("STATUS", "A", "Active"),
            value_mapping("ROLE", "PO", "Officer"),
        ],
        ..Mapping::default()
    };
    let computed = [
        ("EMAIL", "{{ row.USERNAME | lower }}@pd.example"),
        (
            "LAST_NAME",
            "{{ row.LAST_NAME | split(\",\") | first | trim }}",
        ),
    ];
    let computed = Mapping {
        templates: computed
            .map(|(column, source)| (column.to_owned(), source.to_owned()))
            .into(),
        ..Mapping::default()
    };
    for (name, mapping) in [
        ("csv", Mapping::default()),
        ("csv, mapped", mapped),
        ("csv, two templates", computed),
    ] {
        let options = CsvOptions {
            mapping,
            ..CsvOptions::default()
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                read_with(&options, black_box(csv), |raw| {
                    black_box(raw);
                });
            });
        });
    }
    group.finish();
}

fn value_mapping(column: &str, cell: &str, value: &str) -> ValueMapping {
    ValueMapping {
        column: column.to_owned(),
        cell: cell.to_owned(),
        value: value.to_owned(),
    }
}

fn validate(bench: &mut Criterion, csv: &[u8]) {
    let mut texts: Vec<[String; Column::COUNT]> = Vec::new();
    read(csv, |raw| texts.push(raw.cells.map(text)));
    let checks = CheckOptions {
        read_phone,
        ..CheckOptions::default()
    };
    let mut group = bench.benchmark_group("validate");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("all new", |b| {
        b.iter(|| {
            for cells in &texts {
                let cells = cells.each_ref().map(|text| Cell::Text(text));
                let raw = RawRow {
                    number: 1,
                    line: 2,
                    cells,
                    misfit: None,
                };
                black_box(Row::parse_with(&raw, checks));
            }
        });
    });
    group.finish();
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.to_owned(),
        Cell::Absent | Cell::Invalid { .. } | Cell::Failed(_) => String::new(),
    }
}

fn plan(bench: &mut Criterion, csv: &[u8]) -> anyhow::Result<()> {
    let (old, new) = (rows_of(csv), rows_of(&roster(true)?));
    let mut group = bench.benchmark_group("plan");
    group.throughput(Throughput::Elements(ROWS));
    for (name, rows, users, outcome) in [
        ("all new", &old, Vec::new(), Outcome::Created),
        ("same again", &old, users(&old), Outcome::Unchanged),
        ("one attribute changed", &new, users(&old), Outcome::Updated),
    ] {
        assert!(most_are(&judge(rows, &users), outcome), "{name}");
        group.bench_function(name, |b| {
            let snapshot = || (Arc::clone(rows), users.clone());
            let judge = |(rows, users): (Arc<ByRow<Row>>, Vec<User>)| judge(&rows, &users);
            b.iter_batched(snapshot, judge, BatchSize::LargeInput);
        });
    }
    group.finish();
    Ok(())
}

fn encode(bench: &mut Criterion, csv: &[u8]) {
    let planned = judge(&rows_of(csv), &[]);
    let mut group = bench.benchmark_group("encode");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("results", |b| b.iter(|| black_box(encoded(&planned))));
    group.finish();
}

/// Returns the results of all rows as they are sent and recorded.
fn encoded(planned: &PlannedImport) -> Vec<Vec<u8>> {
    let rows = planned.plan.decisions.indices();
    let messages = planned.results(rows, ResultFilter::All, false);
    messages.map(|message| message.encode_to_vec()).collect()
}

fn judge(rows: &Arc<ByRow<Row>>, users: &[User]) -> PlannedImport {
    let snapshot = Snapshot {
        revision: 1,
        catalog: catalog(),
        users: users.to_vec(),
        extent: SnapshotExtent::Complete,
        last_imports: HashMap::new(),
    };
    let mut planned = planned_on(rows, snapshot, None);
    planned.assign_ids();
    planned
}

/// Returns `true` if nine of ten decisions have this outcome. The other rows have no phone and are unchanged.
fn most_are(planned: &PlannedImport, outcome: Outcome) -> bool {
    let like = |decision: &&Decision| decision.outcome == outcome;
    planned.plan.decisions.iter().filter(like).count() >= planned.plan.decisions.len() * 8 / 10
}

/// Returns the users that these rows make.
fn users(rows: &Arc<ByRow<Row>>) -> Vec<User> {
    let made = judge(rows, &[]);
    let pairs = rows.iter().zip(made.plan.decisions.iter());
    (0..)
        .zip(pairs)
        .map(|(index, (row, decision))| user(index, row, decision))
        .collect()
}

fn user(index: usize, row: &Row, decision: &Decision) -> User {
    let id = |index: usize| Uuid::from_u128(index as u128 + 1);
    let mut user = User::new(id(index), decision.role, |column| value(row, column));
    user.rank = decision.rank;
    user.group = decision.group;
    if value(row, Column::Status) == Status::Inactive.as_str() {
        user.status = Status::Inactive;
    }
    if let Some(FinalUser::Row(supervisor)) = decision.supervisor {
        user.supervisor = Some(id(supervisor.position()));
    }
    user
}

fn value(row: &Row, column: Column) -> &str {
    row.value(column).unwrap_or_default()
}

/// Returns the catalog of the comparison.
fn catalog() -> Catalog {
    let named = |names: &[&str]| -> Vec<(i32, String)> {
        (1..)
            .zip(names)
            .map(|(id, name)| (id, (*name).to_owned()))
            .collect()
    };
    let roles = named(&names::ROLES).into_iter();
    let ranks = named(&names::RANKS).into_iter();
    let groups = named(&names::GROUPS).into_iter();
    Catalog {
        roles: roles
            .map(|(id, name)| Role {
                id: RoleId(id),
                name,
                privileged: false,
            })
            .collect(),
        ranks: ranks
            .filter_map(|(id, name)| {
                let id = RankId::new(id)?;
                Some(Rank { id, name })
            })
            .collect(),
        groups: groups
            .filter_map(|(id, name)| {
                Some(Group {
                    id: GroupId::new(id)?,
                    external_id: name.clone(),
                    name,
                    active: true,
                })
            })
            .collect(),
        ..Catalog::default()
    }
}

/// Prints the bytes that a row takes: as CSV, checked, in the plan, and as an encoded result.
fn measure_memory(csv: &[u8]) -> anyhow::Result<()> {
    // Memory that is allocated once, such as the tables of phone numbers, belongs to no row.
    drop(encoded(&judge(&rows_of(csv), &[])));
    let region = Region::new(ALLOCATOR);
    let rows = rows_of(csv);
    let checked = held(&region);
    let users = users(&rows);
    let created = judge(&rows, &[]);
    let before = held(&region);
    let planned = judge(&rows, &[]);
    let plan = held(&region) - before;
    let before = held(&region);
    let snapshot = users.clone();
    let snapshot_bytes = held(&region) - before;
    let results: usize = encoded(&created).iter().map(Vec::len).sum();
    drop((planned, snapshot));
    for (what, bytes) in [
        ("as CSV", i64::try_from(csv.len())?),
        ("as a checked row", checked),
        ("as a user of the snapshot", snapshot_bytes),
        ("in a plan that creates it", plan),
        ("as a result, encoded", i64::try_from(results)?),
    ] {
        println!("a row {what}: {} bytes", bytes / i64::try_from(ROWS)?);
    }
    Ok(())
}

/// Returns the bytes that were allocated since the region began and are not freed yet.
#[expect(clippy::cast_possible_wrap, reason = "far below 2^63")]
fn held(region: &Region<'_, System>) -> i64 {
    let change = region.change();
    // The region counts memory by which a block grows in place as allocated already.
    change.bytes_allocated as i64 - change.bytes_deallocated as i64
}
