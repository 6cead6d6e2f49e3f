//! The program over a database instead of a directory.

use std::fs;
use std::process::Command;

use crate::cluster::Cluster;
use crate::harness::{SID, Server, callerid, run, said, serve};

pub(crate) const KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// A command over a database.
pub(crate) fn over<'a>(command: &'a mut Command, database: &str) -> &'a mut Command {
    command.env("CALLERID_DATABASE", database).env("CALLERID_KEY", KEY)
}

#[test]
fn what_a_server_over_a_database_acknowledged_is_there_after_it_was_killed() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let directory = tempfile::tempdir().unwrap();
    let launch = || Server::launch(over(&mut serve(directory.path()), &database));
    let server = launch();
    for number in 0..5 {
        server.create(&format!("PhoneNumber=415867530{number}"));
    }
    server.kill();
    let server = launch();
    let calls = server.get("/_callerid/calls").expect(200).json();
    assert_eq!(calls["calls"].as_array().unwrap().len(), 5, "{calls}");
    // Commands work beside the server.
    let accounts = said(over(callerid().args(["account", "list"]), &database));
    assert_eq!(accounts, format!("{SID}\n"));
    said(over(callerid().args(["account", "add"]), &database));
    let page = said(over(callerid().args(["page", SID]), &database));
    assert!(page.contains("#account="), "{page}");
}

#[test]
fn a_database_without_a_key_or_a_command_for_directories_is_refused() {
    let cluster = Cluster::start();
    let database = cluster.database();
    for (arguments, key, why) in [
        (["account", "list"], "", "there is no key: with --database, CALLERID_KEY must be set"),
        (["backup", "/nowhere"], KEY, "this is for a data directory; PostgreSQL's pg_dump"),
    ] {
        let mut command = callerid();
        command.args(arguments).env("CALLERID_DATABASE", &database).env("CALLERID_KEY", key);
        let refused = run(&mut command);
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && errors.contains(why), "{errors}");
    }
}

/// The error message of a command that fails.
fn refused(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn migrate_says_what_it_did_and_leaves_newer_tables_alone() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let migrate = || {
        let mut command = callerid();
        command.args(["migrate", "--database", &database]).env("CALLERID_KEY", KEY);
        command
    };
    let first = said(&mut migrate());
    assert!(first.contains(": created the tables, version "), "{first}");
    let again = said(&mut migrate());
    assert!(again.contains(": the tables have version "), "{again}");
    let (_, name) = database.rsplit_once('=').unwrap();
    cluster.psql(name, "UPDATE meta SET version = 999, oldest = 999");
    for mut command in [migrate(), serve(std::env::temp_dir().as_path())] {
        let errors = refused(over(&mut command, &database));
        assert!(errors.contains("is of a newer callerid (tables 999;"), "{errors}");
    }
    let errors = refused(callerid().arg("migrate").env("CALLERID_KEY", KEY));
    assert!(errors.contains("--database is missing"), "{errors}");
}

#[cfg(unix)]
#[test]
fn the_key_can_be_in_a_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::start();
    let database = cluster.database();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shared.key");
    let with_file = |arguments: &[&str]| {
        let mut command = callerid();
        command.args(arguments).env("CALLERID_DATABASE", &database);
        command.arg("--key-file").arg(&file);
        command
    };
    let errors = refused(&mut with_file(&["account", "add"]));
    assert!(errors.contains("shared.key: there is no such file"), "{errors}");
    fs::write(&file, "banana\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let errors = refused(&mut with_file(&["account", "add"]));
    assert!(errors.contains("has mode 644, so others than its owner may read the key"), "{errors}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let errors = refused(&mut with_file(&["account", "add"]));
    assert!(errors.contains("holds no key: a key is 64 hexadecimal digits"), "{errors}");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    said(&mut with_file(&["account", "add"]));
    let errors = refused(with_file(&["account", "list"]).env("CALLERID_KEY", KEY));
    assert!(errors.contains("give it only once"), "{errors}");
    // The same key from the environment, and another one.
    said(over(callerid().args(["account", "list"]), &database));
    let other = "5b".repeat(32);
    let errors =
        refused(over(callerid().args(["account", "list"]), &database).env("CALLERID_KEY", other));
    assert!(errors.contains("sealed with another key"), "{errors}");
    // A directory's key can be in such a file too.
    let data = directory.path().join("data");
    let of_directory = || {
        let mut command = callerid();
        command.args(["account", "add", "--data"]).arg(&data);
        command
    };
    said(of_directory().env("CALLERID_KEY_FILE", &file));
    assert!(!data.join("key").exists());
    said(of_directory().env("CALLERID_KEY", KEY));
}
