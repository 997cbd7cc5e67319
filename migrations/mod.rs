//! The schema, one file per step, newest last. The same tables and rules on SQLite and
//! PostgreSQL; every key of every table that belongs to an organisation leads with it.

use sea_orm_migration::prelude::*;

mod m20261122_000001_directory;
mod m20261122_000002_imports;
mod m20261123_000003_tokens;
mod m20261123_000004_privileged_roles;
mod m20261123_000005_audit;
mod m20261123_000006_references;
mod m20261123_000007_side_by_side;

/// Brings a database to the newest schema.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_directory::Migration),
            Box::new(m20261122_000002_imports::Migration),
            Box::new(m20261123_000003_tokens::Migration),
            Box::new(m20261123_000004_privileged_roles::Migration),
            Box::new(m20261123_000005_audit::Migration),
            Box::new(m20261123_000006_references::Migration),
            Box::new(m20261123_000007_side_by_side::Migration),
        ]
    }
}
