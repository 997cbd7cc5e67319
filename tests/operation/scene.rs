//! A server process of its own with the organisation `pd`, a database and metrics.

use std::{net::SocketAddr, sync::Arc};

use tempfile::TempDir;

use crate::{observed::get, program::serve};
use user_import_testing::{App, Database, FreshDatabase, PATIENCE, ServeProcess, free_address};

pub struct Scene {
    pub server: ServeProcess,
    pub app: App,
    pub metrics: SocketAddr,
    _folder: TempDir,
    _database: Arc<FreshDatabase>,
}

impl Scene {
    /// Starts it with these options of `serve`.
    pub async fn start(database: Database, options: &[&str]) -> Self {
        let database = Arc::new(database.create().await);
        let folder = tempfile::tempdir().unwrap();
        let metrics = free_address();
        let listen = metrics.to_string();
        let options = [&["--metrics-listen", &listen][..], options].concat();
        let server = serve(&database.url(), &options, &folder.path().join("log"));
        let app = App::attach(Arc::clone(&database), server.address).await;
        app.organization("pd").await;
        Self {
            server,
            app,
            metrics,
            _folder: folder,
            _database: database,
        }
    }

    /// Returns the number that a line of the metrics ends with, or 0 if there is no such line yet.
    pub fn counted(&self, counter: &str) -> u64 {
        let page = get(self.metrics);
        let line = page.lines().find_map(|line| line.strip_prefix(counter));
        line.and_then(|count| count.trim().parse().ok())
            .unwrap_or_default()
    }

    /// Waits until a counter has reached `at_least`.
    pub async fn until_counted(&self, counter: &str, at_least: u64) {
        let counting = async {
            while self.counted(counter) < at_least {
                tokio::task::yield_now().await;
            }
        };
        let counted = tokio::time::timeout(PATIENCE, counting).await;
        counted.unwrap_or_else(|_| panic!("{counter}: {}", get(self.metrics)));
    }
}
