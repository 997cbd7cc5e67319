//! A database with a server process on it, which a test may kill and replace.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use user_import::proto::{ImportStart, ImportState};

use crate::{
    footprint::Footprint,
    leftovers::expect_quiet,
    process::{PATIENT, serve},
};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, Roster, ServeProcess, database::FreshDatabase,
    roster, start_of,
};

/// The import ID that a test with one import uses.
pub const ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";

/// Enough rows that other events can happen while they are written one by one.
const MANY: usize = 150;

/// A server process with its database and a client. The organisation is `pd`.
#[derive(Debug)]
pub struct Scene {
    pub process: ServeProcess,
    pub app: App,
    pub database: Arc<FreshDatabase>,
    url: String,
    transaction_rows: usize,
    patience: u32,
    /// The footprint of the server after its first import.
    fresh: Footprint,
}

impl Scene {
    /// Starts a server that writes this number of rows in a transaction.
    pub async fn start(database: Database, transaction_rows: usize) -> Self {
        let database = Arc::new(database.create().await);
        let url = database.url();
        let scene = Self::on(database, url, transaction_rows, PATIENT).await;
        scene.app.organization("pd").await;
        scene
    }

    /// Starts the first server on the database at `url`, and warms it up with an import. The server waits `patience`
    /// seconds for the database.
    pub async fn on(
        database: Arc<FreshDatabase>,
        url: String,
        transaction_rows: usize,
        patience: u32,
    ) -> Self {
        let process = serve(&url, transaction_rows, patience);
        let app = App::attach(Arc::clone(&database), process.address).await;
        app.organization("warm-up").await;
        expect_whole(&app.import_with(start_of("warm-up"), &many()).await);
        Self {
            fresh: Footprint::of(&process, &url),
            process,
            app,
            database,
            url,
            transaction_rows,
            patience,
        }
    }

    /// Starts one more server on the same database.
    pub async fn another(&self) -> Self {
        let process = serve(&self.url, self.transaction_rows, self.patience);
        let app = App::attach(Arc::clone(&self.database), process.address).await;
        Self {
            process,
            app,
            database: Arc::clone(&self.database),
            url: self.url.clone(),
            ..*self
        }
    }

    /// Returns one more client, with a connection of its own.
    pub async fn another_client(&self) -> App {
        App::attach(Arc::clone(&self.database), self.process.address).await
    }

    /// Starts a new server in place of one that has ended.
    pub async fn restart(&mut self) {
        *self = self.another().await;
    }

    /// Makes sure that the server's work has left nothing behind: no transaction, lock or lease in the database, and
    /// no more descriptors and memory in its process than a fresh one has.
    pub async fn expect_quiet(&self) {
        expect_quiet(&self.database).await;
        // A connection that was closed at one end takes a moment to close at the other.
        let restored = async || self.footprint().excess(&self.fresh).is_none();
        let result = timeout(PATIENCE, until(restored)).await;
        assert!(result.is_ok(), "{:?}", self.footprint().excess(&self.fresh));
    }

    /// Returns the server's footprint now.
    pub fn footprint(&self) -> Footprint {
        Footprint::of(&self.process, &self.url)
    }

    /// Returns the state of the import [`ID`], or unspecified if the import is unknown.
    pub async fn state(&self) -> ImportState {
        let record = self.app.import_record(ID).await;
        record.map_or(ImportState::Unspecified, |record| record.state())
    }

    /// Waits until the import [`ID`] is in this state.
    pub async fn until_state(&self, state: ImportState) {
        eventually(async || self.state().await == state, state.as_str_name()).await;
    }
}

/// Returns the start of the import [`ID`] into `pd`.
pub fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

/// Returns a roster of new people.
pub fn many() -> Roster {
    let names: Vec<String> = (0..MANY).map(|number| format!("u{number:04}")).collect();
    roster().people(names.iter().map(String::as_str))
}

/// Makes sure that an import of [`many`] ended well and reported every row once.
pub fn expect_whole(imported: &ImportResponses) {
    assert_eq!(imported.code(), tonic::Code::Ok, "{imported}");
    let rows: Vec<u32> = imported.results.iter().map(|result| result.row).collect();
    let every = (1u32..).take(MANY).collect::<Vec<_>>();
    assert_eq!(rows, every, "{imported}");
    assert_eq!(imported.summary().created as usize, MANY, "{imported}");
    assert_eq!(imported.summary().state(), ImportState::Completed);
}

/// Waits until the condition holds. Panics if the condition does not hold in time.
pub async fn eventually(holds: impl AsyncFnMut() -> bool, what: &str) {
    let result = timeout(PATIENCE, until(holds)).await;
    assert!(result.is_ok(), "timed out waiting for: {what}");
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
