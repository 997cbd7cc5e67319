//! The disk of an SQLite database is full. The import fails with a clear message, and goes on once there is space again.

use std::{fs, path::Path, process::Command, sync::Arc};

use tonic::Code;
use user_import::proto::ImportState;

use crate::{
    process::IMPATIENT,
    scene::{Scene, expect_whole, many, start},
};
use user_import_testing::{ImportResponses, database::FreshDatabase};

/// A small file system in memory, which is removed when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Returns `None` if this user may not mount a file system.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"])
            .arg(directory.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills the rest of the disk, and returns the file to remove.
    fn fill(&self) -> std::path::PathBuf {
        let filler = self.path().join("filler");
        // Ends with an error: the disk is full.
        let _ = fs::write(&filler, vec![0; 64 << 20]);
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_interrupts_an_import_which_goes_on_once_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("left out: only root can mount the small file system that is to be filled");
        return;
    };
    user_import_testing::run(fill_while_importing(&disk));
}

async fn fill_while_importing(disk: &SmallDisk) {
    let directory = tempfile::tempdir_in(disk.path()).expect("there is space yet");
    let database = Arc::new(FreshDatabase::Sqlite { directory });
    let url = database.url();
    let scene = Scene::on(database, url, 1, IMPATIENT).await;
    scene.app.organization("pd").await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let filler = disk.fill();
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert_eq!(ended.summary().state(), ImportState::Interrupted);
    fs::remove_file(filler).expect("it is there");
    let resumed = scene.app.import_with(start(), &many()).await;
    expect_whole(&resumed);
    for result in &ended.results {
        assert!(resumed.results.contains(result), "{result:?} is lost");
    }
    scene.expect_quiet().await;
}
