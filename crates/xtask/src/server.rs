//! A server to try things on: the program, with an account of its own and an empty folder that goes when it does.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::target_dir;

/// The account of every server started here.
pub(crate) const ACCOUNT_SID: &str = "AC309475e5fede1b49e100272a8640f438";
/// Its token.
pub(crate) const AUTH_TOKEN: &str = "3a2630a909aadbf60266234756fb15a0";

/// A running `callerid serve`, stopped when dropped.
pub(crate) struct Server {
    /// Where it answers: `http://127.0.0.1:` and a port that was free.
    pub(crate) url: String,
    process: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts the program with these arguments besides the ones that every test needs.
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
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        let output = process.stdout.take();
        let mut server = Self { url: String::new(), process, folder };
        // Its first line ends in the address.
        let mut line = String::new();
        BufReader::new(output.ok_or("no standard output")?).read_line(&mut line)?;
        let url = line.split_whitespace().next_back().filter(|url| url.starts_with("http://"));
        server.url = url.ok_or_else(|| format!("the server did not start: {line:?}"))?.to_owned();
        Ok(server)
    }

    /// The process, by its number.
    #[cfg(feature = "compare")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What a client needs to know, in the environment of the command.
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
