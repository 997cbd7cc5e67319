//! A value made of files, made again when they change.

use std::{fmt, fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

/// Makes a `T` of the contents of its files, in their order.
type LoadFiles<T> = Box<dyn Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send + Sync>;

/// A `T` made of files. If a changed file is not valid, that is logged, and the previous value stays.
pub struct ReloadedFiles<T> {
    files: Vec<PathBuf>,
    load: LoadFiles<T>,
    current: RwLock<Arc<T>>,
    /// The digest of the contents that were last read, valid or not.
    seen: Mutex<[u8; 32]>,
}

impl<T: Send + Sync + 'static> ReloadedFiles<T> {
    /// Makes the first value.
    ///
    /// # Errors
    /// Fails if a file cannot be read, or its contents are not valid.
    pub fn start(
        files: Vec<PathBuf>,
        load: impl Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<Arc<Self>> {
        let contents = read(&files)?;
        let first = load(&contents).with_context(|| names(&files))?;
        Ok(Arc::new(Self {
            files,
            load: Box::new(load),
            current: RwLock::new(Arc::new(first)),
            seen: Mutex::new(digest(&contents)),
        }))
    }

    /// The newest valid value.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read())
    }

    /// Reads the files every `interval`, until dropped. Compares their contents, because times and sizes do
    /// not show every change.
    pub async fn keep_fresh(self: Arc<Self>, interval: Duration) {
        loop {
            sleep(interval).await;
            let this = Arc::clone(&self);
            // The files may be on a network.
            if let Err(error) = spawn_blocking(move || this.reload()).await {
                warn!(%error, "files could not be checked for changes");
            }
        }
    }

    /// Makes a new value if the contents are new and valid.
    fn reload(&self) {
        let files = names(&self.files);
        let contents = match read(&self.files) {
            Ok(contents) => contents,
            Err(error) => return self.complain([0; 32], &error),
        };
        let digest = digest(&contents);
        if self.is_seen(digest) {
            return;
        }
        match (self.load)(&contents) {
            Ok(new) => {
                self.set_seen(digest);
                *self.current.write() = Arc::new(new);
                info!(%files, "the changed files are in use");
            }
            Err(error) => self.complain(digest, &error),
        }
    }

    /// Logs that the files are not valid, once for each different contents of them.
    fn complain(&self, digest: [u8; 32], error: &anyhow::Error) {
        if !self.is_seen(digest) {
            self.set_seen(digest);
            let files = names(&self.files);
            warn!(%files, "changed files cannot be used, so their earlier contents stay in use: \
                {error:#}");
        }
    }

    fn is_seen(&self, digest: [u8; 32]) -> bool {
        *self.seen.lock() == digest
    }

    fn set_seen(&self, digest: [u8; 32]) {
        *self.seen.lock() = digest;
    }
}

impl<T> fmt::Debug for ReloadedFiles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReloadedFiles({})", names(&self.files))
    }
}

fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    let read = |file: &PathBuf| {
        fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
    };
    files.iter().map(read).collect()
}

fn digest(contents: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for content in contents {
        hash.update(Sha256::digest(content));
    }
    hash.finalize().into()
}

fn names(files: &[PathBuf]) -> String {
    let names: Vec<_> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_change_is_taken_over_and_a_bad_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        fs::write(&file, "1").unwrap();
        let number = ReloadedFiles::start(vec![file.clone()], |contents| {
            Ok(std::str::from_utf8(&contents[0])?.parse::<u32>()?)
        });
        let number = number.unwrap();
        for (content, expected) in [("2", 2), ("x", 2), ("x", 2), ("3", 3), ("2", 2)] {
            fs::write(&file, content).unwrap();
            number.reload();
            assert_eq!(*number.current(), expected, "{content}");
        }
        fs::remove_file(&file).unwrap();
        number.reload();
        assert_eq!(*number.current(), 2);
        fs::write(&file, "2").unwrap();
        number.reload();
        assert_eq!(*number.current(), 2);
    }

    #[test]
    fn what_is_no_good_at_the_start_is_an_error_that_names_the_file() {
        let missing = PathBuf::from("/nowhere/number");
        let error = ReloadedFiles::start(vec![missing], |_| Ok(())).unwrap_err();
        assert!(
            format!("{error:#}").contains("/nowhere/number"),
            "{error:#}"
        );
    }
}
