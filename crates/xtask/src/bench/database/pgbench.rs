//! PostgreSQL, and its own benchmark.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

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
        let children = children_cpu_time();
        let output = pgbench.arg("postgres").output().expect("pgbench can be run");
        let cpu = self.cpu_time() - cpu;
        let children = children_cpu_time() - children;
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
        let ticks = processes.filter_map(|process| {
            let pid: u32 = process.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            // The state and the parent follow the name, which is in parentheses.
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            let ticks = |from: usize, to: usize| -> u64 {
                fields
                    .get(from..to)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|it| it.parse::<u64>().ok())
                    .sum()
            };
            // The time of a process, and of its children that have ended.
            match pid == postmaster {
                true => Some(ticks(11, 15)),
                false => (fields.get(1)?.parse() == Ok(postmaster)).then(|| ticks(11, 13)),
            }
        });
        Duration::from_millis(10 * ticks.sum::<u64>())
    }

    /// Deletes the calls of earlier measurements, so that no server ends them.
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

/// The CPU time of this process's children that have ended.
fn children_cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux tells of processes");
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let ticks = fields.split(' ').skip(13).take(2).filter_map(|it| it.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
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
