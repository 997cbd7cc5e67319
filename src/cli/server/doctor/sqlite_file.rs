//! Checks SQLite's file and folder before the file is opened.

use std::path::Path;

use super::{CheckLevel, CheckResult};
use crate::private_files;

/// Looks at the file. Returns a warning if SQLite may not be reliable there.
///
/// # Errors
/// Fails with what is wrong, if the file cannot be used.
pub(super) fn check(file: &Path) -> Result<Option<CheckResult>, CheckResult> {
    let wrong = |text: String| Err(CheckResult::new(CheckLevel::Wrong, "database", text));
    let shown = file.display();
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if file.is_dir() {
        return wrong(format!(
            "{shown} is a folder; name a file in it in --database-url"
        ));
    }
    if !file.exists() && !folder.is_dir() {
        let folder = folder.display();
        return wrong(format!(
            "there is no folder {folder}; make it, or correct --database-url"
        ));
    }
    if let Err(error) = private_files::beside(file) {
        let folder = folder.display();
        return wrong(format!(
            "SQLite keeps a log beside {shown}, and the folder {folder} cannot be written to: {error}; give the \
             user who runs the server the right to write there"
        ));
    }
    if !file.exists() {
        return wrong(format!(
            "there is no file {shown}; user-import migrate or serve makes it, or correct --database-url"
        ));
    }
    Ok(is_on_network(file).then(|| {
        let text = format!(
            "{shown} is on a network file system, whose locks SQLite cannot rely on; move it to a disk of this \
             machine, or use PostgreSQL"
        );
        CheckResult::new(CheckLevel::Warning, "database", text)
    }))
}

/// Returns `true` if the file is on another machine, as the kernel tells.
#[cfg(target_os = "linux")]
fn is_on_network(file: &Path) -> bool {
    let kind = rustix::fs::statfs(file).map(|system| u32::try_from(system.f_type));
    kind.is_ok_and(|kind| kind.is_ok_and(is_network))
}

/// Returns `true` for the number of a network file system.
#[cfg(target_os = "linux")]
fn is_network(kind: u32) -> bool {
    /// NFS, SMB, CIFS, SMB 2, AFS, Ceph and Coda, by their numbers in the kernel's headers.
    const NETWORKS: [u32; 7] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x5346_414F,
        0x00C3_6400,
        0x7375_7245,
    ];
    NETWORKS.contains(&kind)
}

#[cfg(not(target_os = "linux"))]
const fn is_on_network(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_the_kernels_numbers() {
        // As statfs(2) lists them.
        for (name, kind) in [
            ("nfs", 0x6969),
            ("smb", 0x517b),
            ("cifs", 0xff53_4d42),
            ("smb2", 0xfe53_4d42),
            ("afs", 0x5346_414f),
            ("ceph", 0x00c3_6400),
            ("coda", 0x7375_7245),
        ] {
            assert!(is_network(kind), "{name}");
        }
        for (name, kind) in [
            ("ext4", 0xef53),
            ("xfs", 0x5846_5342),
            ("btrfs", 0x9123_683e),
            ("tmpfs", 0x0102_1994),
            ("overlay", 0x794c_7630),
            ("zfs", 0x2fc1_2fc1),
        ] {
            assert!(!is_network(kind), "{name}");
        }
    }

    #[test]
    fn a_file_of_this_machine_is_on_no_network() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_on_network(folder.path()));
        assert!(!is_on_network(&folder.path().join("missing")));
    }
}
