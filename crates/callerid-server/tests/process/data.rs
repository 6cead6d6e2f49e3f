//! The data directory: what becomes of the server when it is taken away, and of what stands in its place.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::Server;

const DATABASE: &str = "callerid.sqlite3";

/// Takes something away under a server that works; the server is to notice, say so and end.
fn take_away(take: impl FnOnce(&Path)) -> (tempfile::TempDir, String) {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let server = Server::start(&data);
    let mut client = server.connect();
    let list = server.list();
    client.post(&list, "PhoneNumber=4158675309").expect(200);
    take(&data);
    let taken = Instant::now();
    // Nothing is acknowledged that the next start would not find, not even before it was noticed.
    if let Ok(response) = client.try_request("POST", &list, "PhoneNumber=4158675310") {
        let response = response.expect_exception(503);
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    let (status, written) = server.wait();
    assert!(taken.elapsed() < Duration::from_secs(3), "{:?}", taken.elapsed());
    assert_eq!(status.code(), Some(1), "{written}");
    let last = written.lines().last().unwrap();
    assert!(last.starts_with("callerid: the store failed: "), "{written}");
    assert!(last.ends_with(" was removed or replaced while it was in use"), "{written}");
    (parent, written)
}

#[test]
fn a_directory_that_is_removed_ends_the_server() {
    let (parent, written) = take_away(|data| fs::remove_dir_all(data).unwrap());
    assert!(written.contains("nothing more can be kept"), "{written}");
    assert_eq!(fs::read_dir(&parent).unwrap().count(), 0, "nothing is made in its place");
}

#[test]
fn a_directory_that_is_moved_keeps_what_was_acknowledged() {
    let (parent, _) = take_away(|data| fs::rename(data, data.with_file_name("moved")).unwrap());
    let server = Server::start(&parent.path().join("moved"));
    assert_eq!(server.newest_call()["phone_number"], "4158675309");
}

#[test]
fn a_lock_or_a_log_that_is_removed_ends_the_server() {
    for name in ["lock", "callerid.sqlite3-wal"] {
        take_away(|data| fs::remove_file(data.join(name)).unwrap());
    }
}

#[test]
fn a_database_that_is_replaced_is_not_written() {
    let other = tempfile::tempdir().unwrap();
    let server = Server::start(other.path());
    server.create("PhoneNumber=2127365000");
    server.kill();
    let files = [DATABASE, "callerid.sqlite3-wal"];
    let read = |directory: &Path| files.map(|name| fs::read(directory.join(name)).unwrap());
    let before = read(other.path());
    let (parent, _) = take_away(|data| {
        for name in files {
            let new = data.join("new");
            fs::copy(other.path().join(name), &new).unwrap();
            fs::rename(new, data.join(name)).unwrap();
        }
    });
    assert!(read(&parent.path().join("data")) == before, "written");
}
