//! A server for tests: the program with its own account, and a data folder that is deleted with it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{cargo, run, target_dir};

/// The account of every server that this module starts.
pub(crate) const ACCOUNT_SID: &str = "AC309475e5fede1b49e100272a8640f438";
/// Its token.
pub(crate) const AUTH_TOKEN: &str = "3a2630a909aadbf60266234756fb15a0";

/// The key that seals the token.
const KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Builds the program in a profile of cargo's. Returns its path.
pub(crate) fn build(profile: &str) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let build = ["build", "--locked", "--package", "callerid-server", "--profile", profile];
    run(cargo().args(build))?;
    Ok(program(profile))
}

/// The path of the program that was built in this profile.
pub(crate) fn program(profile: &str) -> PathBuf {
    let folder = if profile == "dev" { "debug" } else { profile };
    target_dir().join(folder).join(format!("callerid{}", std::env::consts::EXE_SUFFIX))
}

/// A running `callerid serve`, stopped when dropped.
pub(crate) struct Server {
    /// Its URL: `http://127.0.0.1:` and a free port.
    pub(crate) url: String,
    process: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts the program with these arguments, in addition to those that every test needs.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = target_dir().join(format!("data-of-xtask-{}", std::process::id()));
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data"])
            .arg(&folder)
            .args(arguments)
            .env("CALLERID_ACCOUNT_SID", ACCOUNT_SID)
            .env("CALLERID_AUTH_TOKEN", AUTH_TOKEN)
            .env("CALLERID_KEY", KEY)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        let output = process.stdout.take();
        let mut server = Self { url: String::new(), process, folder };
        // The first line ends with the address.
        let mut line = String::new();
        BufReader::new(output.ok_or("no standard output")?).read_line(&mut line)?;
        let url = line.split_whitespace().next_back().filter(|url| url.starts_with("http://"));
        server.url = url.ok_or_else(|| format!("the server did not start: {line:?}"))?.to_owned();
        Ok(server)
    }

    /// The process id.
    #[cfg(feature = "compare")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Passes what a client needs to know to a command, in its environment.
    pub(crate) fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("CALLERID_URL", &self.url)
            .env("CALLERID_ACCOUNT_SID", ACCOUNT_SID)
            .env("CALLERID_AUTH_TOKEN", AUTH_TOKEN)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
        fs::remove_dir_all(&self.folder).unwrap_or_default();
    }
}
