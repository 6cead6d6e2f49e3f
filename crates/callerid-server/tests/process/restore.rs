//! Restores: a backup is made while several clients make changes, the process is killed, and the
//! backup replaces the database. Everything acknowledged before the backup exists exactly once, and
//! nothing from after it exists.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Client, Random, Server, callerid, repeats, said};

const ROUNDS: u64 = 8;
const CLIENTS: usize = 3;

/// Renames a caller ID repeatedly, each time to the next number, until the server is gone.
fn rename_until_killed(mut client: Client, path: &str, acknowledged: &AtomicU64) {
    loop {
        let next = acknowledged.load(Ordering::SeqCst) + 1;
        match client.try_request("PUT", path, &format!("FriendlyName={next}")) {
            Ok(renamed) => {
                renamed.expect(200);
                acknowledged.store(next, Ordering::SeqCst);
            }
            Err(_) => return,
        }
    }
}

#[test]
fn a_restored_backup_has_what_was_acknowledged_before_it_once() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let mut server = Server::start(&data);
    let numbers: Vec<_> = (0..CLIENTS).map(|client| format!("415867530{client}")).collect();
    let sids: Vec<_> = numbers.iter().map(|number| server.validate(number)).collect();
    let list = server.list();
    let acknowledged: Vec<AtomicU64> = numbers.iter().map(|_| AtomicU64::new(0)).collect();
    let read =
        || -> Vec<u64> { acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect() };
    let mut random = Random(11);
    let rounds = ROUNDS * repeats();
    for round in 0..rounds {
        let backup = parent.path().join(format!("backup-{round}"));
        let mut pauses = [0; 2];
        pauses.fill_with(|| 20 + random.below(80));
        let (before, after) = thread::scope(|scope| {
            for (sid, count) in sids.iter().zip(&acknowledged) {
                let (client, path) = (server.connect(), format!("{list}/{sid}"));
                scope.spawn(move || rename_until_killed(client, &path, count));
            }
            thread::sleep(Duration::from_millis(pauses[0]));
            let before = read();
            said(callerid().arg("backup").arg(&backup).arg("--data").arg(&data));
            let after = read();
            thread::sleep(Duration::from_millis(pauses[1]));
            server.signal("KILL");
            (before, after)
        });
        for beside in ["", "-wal", "-shm"] {
            fs::remove_file(data.join(format!("callerid.sqlite3{beside}"))).unwrap();
        }
        fs::rename(&backup, data.join("callerid.sqlite3")).unwrap();
        server.kill();
        server = Server::start(&data);
        let listed = server.get(&list).expect(200);
        assert!(listed.text().contains(&format!("total=\"{CLIENTS}\"")), "{}", listed.text());
        for (client, sid) in sids.iter().enumerate() {
            let row = server.get(&format!("{list}/{sid}")).expect(200);
            assert_eq!(row.element("PhoneNumber"), numbers[client]);
            let name = row.element("FriendlyName").parse().unwrap_or(0);
            // One more rename may have been made but not acknowledged yet.
            let is_of_then = before[client] <= name && name <= after[client] + 1;
            assert!(is_of_then, "{name}, not from {} to {}", before[client], after[client]);
            acknowledged[client].store(name, Ordering::SeqCst);
        }
    }
    println!(
        "{rounds} backups restored: 0 changes lost that were acknowledged before them, 0 doubled"
    );
}
