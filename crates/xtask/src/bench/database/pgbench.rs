//! PostgreSQL, and its own benchmark.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::cpu_time::CpuTime;
use super::figure::{Figure, percentile};
use super::{CLIENTS, MEASURED};
use crate::cluster::Cluster;

/// A branch for each client, so that they rarely wait for each other.
const SCALE: usize = CLIENTS;

/// What pgbench's clients do.
#[derive(Clone, Copy)]
pub(super) enum Script {
    TpcbLike,
    SelectOnly,
}

/// A server with its own settings, on a disk.
pub(super) struct Postgres {
    pub(super) cluster: Cluster,
}

impl Postgres {
    pub(super) fn start() -> Self {
        Self { cluster: Cluster::start_with("") }
    }

    fn directory(&self) -> &Path {
        self.cluster.directory.path()
    }

    fn command(&self) -> Command {
        let mut pgbench = Command::new(self.cluster.programs.join("pgbench"));
        pgbench.arg("--host").arg(self.directory()).arg("--username=postgres");
        pgbench
    }

    /// Fills pgbench's tables.
    pub(super) fn initialize_pgbench(&self) {
        let mut pgbench = self.command();
        pgbench.args(["--initialize", "--quiet", "--scale", &SCALE.to_string(), "postgres"]);
        let output = pgbench.output().expect("pgbench can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// One turn of pgbench.
    pub(super) fn pgbench(&self, script: Script) -> Figure {
        let log = tempfile::tempdir_in("target").expect("target can be written");
        let mut pgbench = self.command();
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"]);
        pgbench.arg(format!("--log-prefix={}/log", log.path().display()));
        pgbench.args(["--client", &CLIENTS.to_string()]);
        pgbench.args(["--time", &MEASURED.as_secs().to_string()]);
        pgbench.arg(match script {
            Script::TpcbLike => "--builtin=tpcb-like",
            Script::SelectOnly => "--builtin=select-only",
        });
        let cpu = self.cpu_time();
        let children = CpuTime::of_this().ended_children;
        let output = pgbench.arg("postgres").output().expect("pgbench can be run");
        let cpu = self.cpu_time() - cpu;
        let children = CpuTime::of_this().ended_children - children;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        let number = |name: &str| -> f64 {
            let line = said.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            let word = line.split_whitespace().next().expect(name);
            word.parse().expect("a number")
        };
        let transactions = number("number of transactions actually processed: ");
        Figure {
            per_second: number("tps = "),
            p99_ms: p99(log.path()),
            database_micros: cpu.as_secs_f64() * 1e6 / transactions,
            client_micros: children.as_secs_f64() * 1e6 / transactions,
        }
    }

    /// The CPU time of all of the server's processes so far, also of those that have ended.
    pub(super) fn cpu_time(&self) -> Duration {
        let pid = fs::read_to_string(self.directory().join("data/postmaster.pid"));
        let postmaster: u32 =
            pid.ok().and_then(|text| text.lines().next()?.parse().ok()).expect("a server runs");
        let processes = fs::read_dir("/proc").expect("Linux tells of processes").flatten();
        let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
        let times = ids.filter_map(|id: u32| {
            let time = CpuTime::of(id)?;
            match id == postmaster {
                true => Some(time.own + time.ended_children),
                false => (time.parent == postmaster).then_some(time.own),
            }
        });
        times.sum()
    }

    /// Deletes the calls of earlier measurements, so that no server adopts or ends them.
    pub(super) fn forget_calls(&self, database: &str) {
        for statement in [
            "DELETE FROM call",
            "UPDATE ledger SET live_calls = 0",
            "UPDATE live_calls SET calls = 0",
        ] {
            self.cluster.psql(name(database), statement);
        }
        self.vacuum(database);
    }

    /// Does what autovacuum does now and then.
    pub(super) fn vacuum(&self, database: &str) {
        self.cluster.psql(name(database), "VACUUM (ANALYZE)");
    }
}

/// From pgbench's logs, a line for each transaction with its time in µs as the third word.
fn p99(folder: &Path) -> f64 {
    let logs = fs::read_dir(folder).expect("pgbench writes logs").flatten();
    let texts = logs.filter_map(|log| fs::read_to_string(log.path()).ok());
    let mut times: Vec<u64> = Vec::new();
    for text in texts {
        let time = |line: &str| -> Option<u64> { line.split(' ').nth(2)?.parse().ok() };
        times.extend(text.lines().filter_map(time));
    }
    percentile(&mut times, 99) as f64 / 1_000.0
}

/// The name of the database with this address.
fn name(database: &str) -> &str {
    database.rsplit_once('=').expect("the address ends with the name").1
}
