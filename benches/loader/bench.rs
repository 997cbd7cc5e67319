//! The parts of every run: the program under test, a folder for files, and one import by each contender.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use user_import_benchmarks::{names, roster::Roster};

use crate::{
    baseline,
    database::{Database, DatabaseEngine, DatabasePlace},
    measurement::{Contender, Measurement, Workload, between},
    process,
    service::{BenchServer, ImportMeasurements},
};

/// The organisation of a database that has only one.
const ORGANIZATION: &str = "riverton-pd";

/// The parts that all measurements share.
#[derive(Debug)]
pub struct BenchSetup {
    /// The program under test.
    pub binary: PathBuf,
    /// The place for databases and files.
    pub place: DatabasePlace,
    /// The seed that the people of the rosters are made from.
    pub seed: u64,
    catalog: PathBuf,
    rosters: HashMap<(u64, u64, bool), PathBuf>,
}

/// A database with one organisation and its catalog, for one of the contenders.
#[derive(Debug)]
pub struct BenchDatabase {
    /// The server that takes all imports by User Import. `None` if each import starts a server of its own.
    service: Option<BenchServer>,
    contender: Contender,
    database: Database,
}

impl BenchSetup {
    /// Makes a setup whose files are in the folder of `place`.
    pub fn new(binary: PathBuf, place: DatabasePlace, seed: u64) -> anyhow::Result<Self> {
        ensure!(binary.is_file(), "there is no program {}", binary.display());
        let file = place.directory.join("catalog.json");
        fs::write(&file, catalog().to_string())?;
        Ok(Self {
            binary,
            place,
            seed,
            catalog: file,
            rosters: HashMap::new(),
        })
    }

    /// Returns the file with the roster of this organisation. The first call writes it.
    pub fn roster(
        &mut self,
        organization: u64,
        rows: u64,
        workload: Workload,
    ) -> anyhow::Result<PathBuf> {
        let new_phones = workload == Workload::Changed;
        let key = (organization, rows, new_phones);
        if let Some(path) = self.rosters.get(&key) {
            return Ok(path.clone());
        }
        let name = format!("roster-{organization}-{rows}-{new_phones}.csv");
        let path = self.place.directory.join(name);
        let roster = Roster {
            seed: self.seed + organization,
            rows,
            new_phones,
        };
        roster
            .write(&path)
            .context("the roster cannot be written")?;
        self.rosters.insert(key, path.clone());
        Ok(path)
    }

    /// Makes a database with the program's schema, for either contender, so that both have the same tables, indexes and
    /// foreign keys. If `lasting` is `true`, one server takes all imports by User Import.
    pub fn prepare(
        &self,
        engine: DatabaseEngine,
        contender: Contender,
        lasting: bool,
    ) -> anyhow::Result<BenchDatabase> {
        let name = format!("bench_{}", contender.name());
        let database = Database::create(engine, &self.place, &name)?;
        let service = self.serve(&database)?;
        service.create_organization(ORGANIZATION, &self.catalog)?;
        let lasting = lasting && contender == Contender::Ours;
        Ok(BenchDatabase {
            service: lasting.then_some(service),
            contender,
            database,
        })
    }

    /// Starts a server on this database.
    pub fn serve(&self, database: &Database) -> anyhow::Result<BenchServer> {
        BenchServer::start(&self.binary, database)
    }

    /// Makes an organisation whose catalog has the names that the rosters use.
    pub fn create_organization(&self, service: &BenchServer, slug: &str) -> anyhow::Result<()> {
        service.create_organization(slug, &self.catalog)
    }

    /// Imports a roster into a database with that database's contender, and measures it.
    pub fn run(
        &mut self,
        prepared: &BenchDatabase,
        workload: Workload,
        rows: u64,
    ) -> anyhow::Result<Measurement> {
        let roster = self.roster(0, rows, workload)?;
        let engine = prepared.database.engine();
        let mut measured = Measurement::of(engine, prepared.contender, workload, rows);
        prepared.database.settle()?;
        let database = prepared.database.cpu()?;
        match prepared.contender {
            Contender::Ours => self.import(prepared, &roster, &mut measured)?,
            Contender::Loader => load(prepared, &roster, &mut measured)?,
        }
        measured.database_cpu_seconds = between(database, prepared.database.cpu()?);
        Ok(measured)
    }

    fn import(
        &self,
        prepared: &BenchDatabase,
        roster: &Path,
        measured: &mut Measurement,
    ) -> anyhow::Result<()> {
        let own = match &prepared.service {
            Some(_) => None,
            None => Some(self.serve(&prepared.database)?),
        };
        let service = prepared.service.as_ref().or(own.as_ref());
        let service = service.context("there is no server")?;
        service.forget_peak_memory()?;
        let (client, server) = (process::cpu_of_ended_children()?, service.cpu()?);
        let answers = self.place.directory.join("answers.jsonl");
        let import = service.import(ORGANIZATION, roster, answers)?;
        let (
            ImportMeasurements {
                total,
                first_result,
            },
            summary,
        ) = import.watch()?;
        expect_outcome(measured.workload, measured.rows, &summary)?;
        measured.seconds = total.as_secs_f64();
        measured.first_result_seconds = first_result.map(|time| time.as_secs_f64());
        measured.client_cpu_seconds = between(client, process::cpu_of_ended_children()?);
        measured.server_cpu_seconds = between(server, service.cpu()?);
        measured.peak_bytes = service.peak_memory()?;
        Ok(())
    }
}

fn load(prepared: &BenchDatabase, roster: &Path, measured: &mut Measurement) -> anyhow::Result<()> {
    let client = process::cpu_of_ended_children()?;
    let took = baseline::load(&prepared.database, ORGANIZATION, roster)?;
    measured.seconds = took.as_secs_f64();
    measured.client_cpu_seconds = between(client, process::cpu_of_ended_children()?);
    Ok(())
}

impl BenchDatabase {
    /// Returns the content of the directory, to check that both contenders made the same directory from the roster.
    pub fn fingerprint(&self) -> anyhow::Result<String> {
        self.database.query(
            "SELECT count(*), sum(CASE WHEN u.active THEN 1 ELSE 0 END), count(u.rank_id), \
             count(u.group_id), count(u.phone), sum(u.role_id), sum(u.rank_id), sum(u.group_id), \
             count(boss.id), max(u.phone), min(u.phone), min(boss.email_key), max(boss.email_key), \
             sum(length(boss.email_key)), sum(length(u.email_key)), max(u.username_key), \
             max(u.badge_number), sum(length(u.first_name)), sum(length(u.last_name)) \
             FROM users u LEFT JOIN users boss ON boss.organization_id = u.organization_id \
             AND boss.id = u.supervisor_id",
        )
    }
}

/// Fails if the import did less than its workload asks for, because the time of such an import means nothing.
pub fn expect_outcome(workload: Workload, rows: u64, summary: &Value) -> anyhow::Result<()> {
    let number = |name: &str| summary[name].as_u64().unwrap_or_default();
    let done = match workload {
        Workload::New => number("created") == rows,
        Workload::Same => number("unchanged") == rows,
        Workload::Changed => {
            number("updated") > rows / 2 && number("updated") + number("unchanged") == rows
        }
    };
    ensure!(
        done,
        "{} is not what the import did: {summary}",
        workload.name()
    );
    Ok(())
}

/// The catalog that the roster's names refer to, as `user-import catalog apply` reads it.
fn catalog() -> Value {
    json!({
        "roles": names::ROLES.map(|name| json!({ "name": name })),
        "ranks": names::RANKS.map(|name| json!({ "name": name })),
        "groups": names::GROUPS.map(|id| json!({ "externalId": id, "name": id, "active": true })),
    })
}
