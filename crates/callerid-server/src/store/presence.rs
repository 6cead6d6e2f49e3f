//! Checks whether a store's files are still those that were opened.
//!
//! SQLite keeps working with a file that has been removed or replaced, and its changes are lost
//! when the process ends. Therefore the identities of the files are checked before and after each
//! commit and several times a second. Once one differs, the store stops working. The files are only
//! checked by name: opening and closing the database file would release SQLite's locks on it.

use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::SqliteError;

/// The files that the names referred to when the store was opened, and whether they still do.
pub(super) struct Presence {
    files: Vec<(PathBuf, Identity)>,
    gone: OnceLock<PathBuf>,
}

impl Presence {
    /// Records the current files with these names.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> io::Result<Self> {
        let identified = |path: PathBuf| {
            let identity = identity(&fs::metadata(&path)?);
            Ok((path, identity))
        };
        let files = paths.into_iter().map(identified).collect::<io::Result<_>>()?;
        Ok(Self { files, gone: OnceLock::new() })
    }

    /// Checks the files.
    ///
    /// # Errors
    /// [`SqliteError::Gone`] if a file is missing or has been replaced. After that, every check
    /// fails.
    pub(super) fn check(&self) -> Result<(), SqliteError> {
        let is_same = |(path, then): &&(PathBuf, Identity)| {
            let now = fs::metadata(path).map(|metadata| identity(&metadata));
            // If the check fails for another reason, the file may exist.
            now.map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |now| now == *then)
        };
        if let Some((path, _)) = self.files.iter().find(|file| !is_same(file)) {
            self.gone.get_or_init(|| path.clone());
        }
        self.known()
    }

    /// The result of the last check, without a new one.
    pub(super) fn known(&self) -> Result<(), SqliteError> {
        self.gone.get().map_or(Ok(()), |path| Err(SqliteError::Gone(path.clone())))
    }
}

/// Distinguishes a file from another with the same name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// On other platforms, an open file cannot be removed.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    (0, 0)
}
