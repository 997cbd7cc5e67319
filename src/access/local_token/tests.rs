use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
};

use tempfile::TempDir;

use super::*;

const PORT: u16 = 50_051;

/// An own directory, and the place for local tokens in it.
fn place() -> (TempDir, PathBuf) {
    let own = tempfile::tempdir().unwrap();
    let place = own.path().join("user-import");
    (own, place)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn the_token_is_there_for_this_user_alone_for_as_long_as_the_server_runs() {
    let (_own, place) = place();
    assert_eq!(find_in(&place, PORT).unwrap(), None);
    let server = LocalTokenFile::create_in(&place, PORT).unwrap();
    assert_eq!(server.path(), place.join("50051.token"));
    assert_eq!((mode(&place), mode(server.path())), (0o700, 0o600));
    assert_eq!(
        find_in(&place, PORT).unwrap().as_ref(),
        Some(server.token())
    );
    assert_eq!(find_in(&place, PORT + 1).unwrap(), None);
    drop(server);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    assert_eq!(find_in(&place, PORT).unwrap(), None);
}

#[test]
fn the_file_of_a_server_that_was_killed_counts_for_nothing_and_is_replaced() {
    let (_own, place) = place();
    let text = TokenText::generate().unwrap();
    let killed = LocalTokenFile::create_in(&place, PORT).unwrap();
    let path = killed.path().to_owned();
    drop(killed);
    fs::write(&path, text.reveal()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(find_in(&place, PORT).unwrap(), None);
    let server = LocalTokenFile::create_in(&place, PORT).unwrap();
    let found = find_in(&place, PORT).unwrap().unwrap();
    assert!(found == *server.token() && found != text);
}

#[test]
fn a_server_that_stops_leaves_the_file_of_the_one_that_took_its_port() {
    let (_own, place) = place();
    let old = LocalTokenFile::create_in(&place, PORT).unwrap();
    let new = LocalTokenFile::create_in(&place, PORT).unwrap();
    drop(old);
    assert_eq!(find_in(&place, PORT).unwrap().as_ref(), Some(new.token()));
}

#[test]
fn nothing_is_written_through_a_link_in_the_way() {
    let (own, place) = place();
    let target = own.path().join("target");
    fs::write(&target, "precious").unwrap();
    fs::create_dir(&place).unwrap();
    symlink(&target, place.join("50051.token")).unwrap();
    let server = LocalTokenFile::create_in(&place, PORT).unwrap();
    assert!(fs::symlink_metadata(server.path()).unwrap().is_file());
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn a_link_in_place_of_the_directory_is_refused() {
    let (own, place) = place();
    let elsewhere = own.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &place).unwrap();
    assert!(LocalTokenFile::create_in(&place, PORT).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    let server = LocalTokenFile::create_in(&elsewhere, PORT).unwrap();
    assert!(find_in(&place, PORT).is_err());
    drop(server);
}

#[test]
fn a_directory_in_place_of_the_file_is_refused_and_nothing_is_left() {
    let (_own, place) = place();
    fs::create_dir_all(place.join("50051.token/full")).unwrap();
    assert!(LocalTokenFile::create_in(&place, PORT).is_err());
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
}

#[test]
fn a_directory_that_others_may_enter_is_closed_by_the_server_and_refused_by_clients() {
    let (_own, place) = place();
    let server = LocalTokenFile::create_in(&place, PORT).unwrap();
    for open in [0o755, 0o770, 0o701] {
        fs::set_permissions(&place, Permissions::from_mode(open)).unwrap();
        assert!(find_in(&place, PORT).is_err(), "{open:o}");
    }
    let again = LocalTokenFile::create_in(&place, PORT).unwrap();
    assert_eq!(mode(&place), 0o700);
    drop((server, again));
}

#[test]
fn a_file_that_others_may_read_or_that_is_no_token_is_refused() {
    let (_own, place) = place();
    let server = LocalTokenFile::create_in(&place, PORT).unwrap();
    for open in [0o644, 0o640, 0o602] {
        fs::set_permissions(server.path(), Permissions::from_mode(open)).unwrap();
        let error = find_in(&place, PORT).unwrap_err().to_string();
        assert!(error.contains("other users have access to it"), "{error}");
    }
    fs::set_permissions(server.path(), Permissions::from_mode(0o600)).unwrap();
    fs::write(server.path(), "no token").unwrap();
    assert!(find_in(&place, PORT).is_err());
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    let (_own, given_away) = place();
    let foreign = match fs::metadata("/proc/self").unwrap().uid() {
        // Root owns the system's directories, and can give one of its own away.
        0 => {
            fs::create_dir(&given_away).unwrap();
            std::os::unix::fs::chown(&given_away, Some(65_534), None).unwrap();
            given_away
        }
        _ => PathBuf::from("/tmp"),
    };
    for refused in [
        PrivateFolder::create(&foreign),
        PrivateFolder::open(&foreign),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), "it belongs to another user");
    }
}
