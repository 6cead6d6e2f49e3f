//! The key that seals tokens: from the environment, or from a file.

use std::path::PathBuf;

use clap::Args;

use super::{CommandError, variable};
use crate::seal::{KEY_VARIABLE, SealingKey, read_key_file};

/// Where the key is.
#[derive(Debug, Args)]
pub(super) struct KeyOptions {
    /// A file with the key that seals tokens, which only its owner can read; CALLERID_KEY can contain
    /// the key itself
    #[arg(long, value_name = "FILE", env = "CALLERID_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
}

impl KeyOptions {
    /// The given key, if any.
    pub(super) fn read(&self) -> Result<Option<SealingKey>, CommandError> {
        match (variable(KEY_VARIABLE)?, &self.key_file) {
            (None, None) => Ok(None),
            (None, Some(file)) => Ok(Some(read_key_file(file)?)),
            (Some(text), None) => match SealingKey::parse(&text) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(CommandError(format!("{KEY_VARIABLE}: {error}"))),
            },
            (Some(_), Some(file)) => Err(CommandError(format!(
                "the key is in {KEY_VARIABLE} and in {}: give it only once",
                file.display()
            ))),
        }
    }
}
