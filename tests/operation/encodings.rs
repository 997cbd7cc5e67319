//! A PostgreSQL database whose encoding cannot represent every name is refused before anything is written to it.

use crate::program::run;
use user_import_testing::{Database, FreshDatabase, on_postgres};

on_postgres![a_database_with_another_encoding_than_utf_8_is_refused];

async fn a_database_with_another_encoding_than_utf_8_is_refused() {
    let beside = Database::Postgres.create().await;
    let (cluster, _) = beside
        .url()
        .rsplit_once('/')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let cluster = format!("{cluster}/postgres");
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let options = format!(
            "TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc"
        );
        let database = FreshDatabase::on_cluster_with(cluster.clone(), &options).await;
        for command in ["serve", "migrate", "doctor"] {
            let output = run(&[command], &database.url());
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(!output.status.success(), "{command}: {said}");
            let named = said.contains(encoding) && said.contains("ENCODING 'UTF8'");
            assert!(named, "{command}: {said}");
        }
    }
}
