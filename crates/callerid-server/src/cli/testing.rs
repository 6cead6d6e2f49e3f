//! The options of `callerid serve` for tests, and what a test reads when the server answers.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callerid_service::{Account, Seed};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::CommandError;
use crate::store::remove_unserved;

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// How the names of temporary directories begin.
const TEMPORARY: &str = "callerid-ephemeral-";
/// Longer than a server takes from making its directory to locking it.
const STARTING: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub(super) struct TestOptions {
    /// Put the server under the control of tests (see docs/testing.md): whoever has an account's
    /// token can reset and seed it, and set its clock
    #[arg(long)]
    pub(super) test: bool,
    /// Keep the data in memory, or in a temporary directory, and remove it in the end
    #[arg(long)]
    ephemeral: bool,
    /// A JSON file with the caller IDs, codes and phone scripts that accounts begin with
    #[arg(long, value_name = "FILE", requires = "test")]
    seed: Option<PathBuf>,
    /// Derive Sids and codes from this number, so that two runs give the same responses
    #[arg(long, value_name = "NUMBER", requires = "test")]
    pub(super) entropy_seed: Option<u64>,
    /// Write one line of JSON to this file when the server answers: its URL, and an account's Sid
    /// and token
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Write the same line to this file descriptor
    #[cfg(unix)]
    #[arg(long, value_name = "NUMBER")]
    ready_fd: Option<u32>,
}

impl TestOptions {
    /// The seed, if there is one; `None` without `--test`.
    pub(super) fn seed(&self) -> Result<Option<Seed>, CommandError> {
        let Some(path) = &self.seed else { return Ok(self.test.then(Seed::default)) };
        let failed =
            |error: &dyn std::fmt::Display| CommandError(format!("{}: {error}", path.display()));
        let json = fs::read(path).map_err(|error| failed(&error))?;
        Ok(Some(Seed::parse(&json).map_err(|error| failed(&error.message))?))
    }

    /// The directory that replaces the data directory. It is removed when it is dropped, and those of
    /// servers that were killed now.
    pub(super) fn temporary_directory(&self) -> Result<Option<TempDir>, CommandError> {
        if !self.ephemeral {
            return Ok(None);
        }
        let directory_in = |place: &Path| {
            let directory = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(place)?;
            remove_abandoned(place);
            Ok::<_, std::io::Error>(directory)
        };
        let in_memory = directory_in(Path::new(MEMORY));
        Ok(Some(in_memory.or_else(|_| directory_in(&env::temp_dir()))?))
    }

    /// Tells whoever started the server that it answers.
    pub(super) fn tell_ready(
        &self,
        url: &str,
        account: Option<&Account>,
    ) -> Result<(), CommandError> {
        let line = json!({
            "url": url,
            "account_sid": account.map(|account| account.sid.as_str()),
            "auth_token": account.map(|account| account.auth_token.expose()),
        });
        let line = format!("{line}\n");
        if let Some(path) = &self.ready_file {
            let failed = |error| CommandError(format!("{}: {error}", path.display()));
            write_at_once(path, &line).map_err(failed)?;
        }
        #[cfg(unix)]
        if let Some(descriptor) = self.ready_fd {
            let failed = |error| CommandError(format!("the file descriptor {descriptor}: {error}"));
            let file = File::options().write(true).open(format!("/dev/fd/{descriptor}"));
            file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(failed)?;
        }
        Ok(())
    }
}

/// Removes the temporary directories in this place on which no server works. Those of other users
/// cannot be looked into, and stay.
fn remove_abandoned(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
        let is_directory = entry.file_type().is_ok_and(|it| it.is_dir());
        let changed = entry.metadata().and_then(|it| it.modified()).ok();
        let age = changed.and_then(|then| then.elapsed().ok());
        if is_temporary && is_directory && age.is_some_and(|age| age > STARTING) {
            remove_unserved(&entry.path());
        }
    }
}

/// Writes a file that others see either whole or not at all. It contains a token, so it is only for
/// its owner.
fn write_at_once(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
