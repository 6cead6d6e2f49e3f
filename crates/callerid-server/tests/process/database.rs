//! The program over a database instead of a directory.

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
        (["account", "list"], "", "CALLERID_KEY is not set"),
        (["backup", "/nowhere"], KEY, "this is for a data directory; PostgreSQL's pg_dump"),
    ] {
        let mut command = callerid();
        command.args(arguments).env("CALLERID_DATABASE", &database).env("CALLERID_KEY", key);
        let refused = run(&mut command);
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && errors.contains(why), "{errors}");
    }
}
