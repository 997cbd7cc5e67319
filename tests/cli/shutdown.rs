//! `serve` stops in an orderly way when it gets a signal.

use std::net::TcpStream;

use crate::department::{Department, officers};

#[test]
fn a_server_ends_well_though_its_clients_are_silent() {
    let mut department = Department::open_with(&["--shutdown-grace-seconds", "1"]);
    // One client never sends anything, and the roster of the other never ends.
    let silent = TcpStream::connect(department.address()).unwrap();
    let mut import = department.begin_piped(&officers(10_000), &["--retries", "0"]);
    import.id();
    let server = department.take_server();
    server.terminate();
    let log = department.path("server.log");
    let ended = server.end(&log);
    assert_eq!(ended.exit, Some(0), "{}", ended.errors);
    assert_eq!(import.end().exit, Some(5));
    drop(silent);
}
