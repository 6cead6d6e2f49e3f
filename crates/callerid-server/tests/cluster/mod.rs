//! A PostgreSQL of the tests' own, on a Unix socket in a temporary directory. It ends with the process
//! of the tests, however that ends.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server, and the directory with its data and its socket.
pub(crate) struct Cluster {
    pub(crate) directory: TempDir,
    pub(crate) programs: PathBuf,
    settings: &'static str,
    /// A shell that ends the server.
    keeper: Option<Child>,
}

impl Cluster {
    /// Starts a server, which is quicker than durable.
    pub(crate) fn start() -> Self {
        Self::start_with("-c fsync=off")
    }

    /// Starts a server with these settings.
    pub(crate) fn start_with(settings: &'static str) -> Self {
        let programs = programs();
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let data = directory.path().join("data");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(directory.path()));
        }
        let mut initdb = as_user(&programs.join("initdb"));
        run(initdb.arg("--pgdata").arg(&data).args([
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
        ]));
        let mut cluster = Self { directory, programs, settings, keeper: None };
        cluster.run();
        cluster
    }

    /// Starts the server, which is not running.
    pub(crate) fn run(&mut self) {
        self.keeper = Some(keep(&self.programs, self.directory.path(), self.settings));
        self.wait_until_ready();
    }

    /// Stops the server as a crash does.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            keeper.stdin.take().unwrap().write_all(b"stop\n").unwrap();
            keeper.wait().unwrap();
        }
    }

    /// The address of a new and empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        format!("host={} user=postgres dbname={name}", self.directory.path().display())
    }

    /// Runs a statement in a database; returns what it prints.
    pub(crate) fn psql(&self, database: &str, statement: &str) -> String {
        let mut psql = self.try_psql(database, statement);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_psql(&self, database: &str, statement: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username=postgres"]);
        psql.arg("--host").arg(self.directory.path());
        psql.args(["--dbname", database, "--command", statement]);
        psql
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.try_psql("postgres", "SELECT 1").output().unwrap().status.success() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a server, and a shell that ends it when it is told to or when its own input ends, and then
/// removes what is left of it.
fn keep(programs: &Path, directory: &Path, settings: &str) -> Child {
    let script = format!(
        "'{postgres}' -D '{directory}/data' -k '{directory}' -c listen_addresses= {settings} \
         -c max_connections=200 -c log_min_messages=fatal 2>>'{directory}/log' & \
         read -r line; ends=$?; kill -QUIT $!; wait; test $ends = 0 || rm -rf '{directory}'",
        postgres = programs.join("postgres").display(),
        directory = directory.display(),
    );
    let mut shell = as_user(Path::new("/bin/sh"));
    shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().unwrap()
}

/// The newest server's programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = versions.filter_map(|it| {
        let version: u32 = it.file_name().to_str()?.parse().ok()?;
        let programs = it.path().join("bin");
        programs.join("initdb").exists().then_some((version, programs))
    });
    let newest = versions.max().filter(|(version, _)| *version >= 15);
    newest.expect("PostgreSQL 15 or later (Debian: apt-get install postgresql)").1
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// A command of the user that may run PostgreSQL, which root may not.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
