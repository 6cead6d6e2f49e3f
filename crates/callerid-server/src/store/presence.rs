//! Whether a store's files are still those that were opened.
//!
//! SQLite goes on with a file that has been removed or replaced: what it is told is lost with the process. So the
//! files' identities are looked at, before and after each commit and a few times a second; once one is another,
//! the store does nothing any more. Files are only looked at by name: to open and close the database's would give
//! up SQLite's locks on it.

use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::SqliteError;

/// What a name led to when the store was opened, and whether it still does.
pub(super) struct Presence {
    files: Vec<(PathBuf, Identity)>,
    gone: OnceLock<PathBuf>,
}

impl Presence {
    /// The files of these names as they are now.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> io::Result<Self> {
        let identified = |path: PathBuf| {
            let identity = identity(&fs::metadata(&path)?);
            Ok((path, identity))
        };
        let files = paths.into_iter().map(identified).collect::<io::Result<_>>()?;
        Ok(Self { files, gone: OnceLock::new() })
    }

    /// Looks at the files.
    ///
    /// # Errors
    /// [`SqliteError::Gone`] where one is missing or another, from then on for good.
    pub(super) fn check(&self) -> Result<(), SqliteError> {
        let is_same = |(path, then): &&(PathBuf, Identity)| {
            let now = fs::metadata(path).map(|metadata| identity(&metadata));
            // What cannot be looked at for another reason may be there.
            now.map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |now| now == *then)
        };
        if let Some((path, _)) = self.files.iter().find(|file| !is_same(file)) {
            self.gone.get_or_init(|| path.clone());
        }
        self.known()
    }

    /// What the last look found: without another one.
    pub(super) fn known(&self) -> Result<(), SqliteError> {
        self.gone.get().map_or(Ok(()), |path| Err(SqliteError::Gone(path.clone())))
    }
}

/// Tells one file from another that has its name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    (0, 0)
}
