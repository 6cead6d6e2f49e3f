//! Opening a directory: what can go wrong, and in which order things are created.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::SqliteStore;
use super::accounts;
use super::connect::{WRITER, connect, first_damage, use_wal};
use super::presence::Presence;
use super::readers::Readers;
use super::schema::{self, Kind};
use super::writer::Writer;
use crate::seal::{KeyError, KeyFile, SealingKey, mode_open_to_others, owner_only};

pub(super) const DATABASE: &str = "callerid.sqlite3";
const LOCK: &str = "lock";

/// Known bytes and their purpose. If they cannot be unsealed, the key is wrong.
const CHECK: &[u8] = b"callerid";
const CHECK_PURPOSE: &[u8] = b"key check";

/// Options for opening a directory.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key that seals tokens. `None` selects the directory's key file, which is created for a
    /// new directory.
    pub key: Option<SealingKey>,
    /// Whether to open the directory as its only server.
    pub serve: bool,
    /// The maximum number of changes that share a commit.
    pub batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { key: None, serve: false, batch: 256 }
    }
}

pub(super) fn open(directory: &Path, options: Options) -> Result<SqliteStore, OpenError> {
    let path = directory.join(DATABASE);
    let unusable = |source| OpenError::Directory { path: directory.into(), source };
    make_directory(directory).map_err(unusable)?;
    check_mode(directory, 0o022)?;
    let lock = options.serve.then(|| Lock::take(directory)).transpose()?;
    let file = KeyFile::in_directory(directory);
    // In this order, because a key stops being a draft only after its database exists.
    if file.exists() && path.metadata().map_or(true, |database| database.len() == 0) {
        return Err(OpenError::Lost { path, key: directory.join("key") });
    }
    make_file(&path).map_err(unusable)?;

    let failed = |source| match source {
        rusqlite::Error::SqliteFailure(error, _) if error.code == ErrorCode::NotADatabase => {
            OpenError::Foreign { path: path.clone() }
        }
        source => OpenError::Database { path: path.clone(), source },
    };
    let mut connection = connect(&path, WRITER).map_err(failed)?;
    // In a transaction. Otherwise another process could create the tables between two queries.
    let kind = connection.transaction().and_then(|it| schema::kind(&it)).map_err(failed)?;
    let refused = |kind| match kind {
        Kind::Foreign => Err(OpenError::Foreign { path: path.clone() }),
        Kind::Ours(found) if found > schema::VERSION => {
            let supported = schema::VERSION;
            Err(OpenError::Newer { path: path.clone(), found, supported })
        }
        // A key that is not a draft means that the database had contents.
        Kind::Empty if file.exists() => {
            Err(OpenError::Lost { path: path.clone(), key: directory.join("key") })
        }
        Kind::Ours(_) | Kind::Empty => Ok(()),
    };
    if kind == Kind::Empty {
        close_to_others(&path).map_err(unusable)?;
    } else {
        refused(kind)?;
        check_mode(&path, 0o077)?;
    }
    if kind == Kind::Empty {
        // Before anything is written, because later it would take a VACUUM.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    }
    use_wal(&connection).map_err(failed)?;
    if kind != Kind::Ours(schema::VERSION) {
        let begin = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begin.map_err(failed)?;
        let kind = schema::kind(&transaction).map_err(failed)?;
        refused(kind)?;
        schema::migrate(&transaction, kind).map_err(failed)?;
        if kind == Kind::Empty {
            // Before the tables are created, so that a start that is killed in between finds the
            // draft again.
            let key = options.key.clone().map_or_else(|| file.draft(), Ok)?;
            let check = key.seal(CHECK, CHECK_PURPOSE).map_err(|error| unusable(error.into()))?;
            let insert = "INSERT INTO meta (id, sealed_check) VALUES (1, ?1)";
            transaction.execute(insert, [check]).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
    }
    if options.serve
        && let Some(found) = first_damage(&connection).map_err(failed)?
    {
        return Err(OpenError::Damaged { path, found });
    }
    if options.serve {
        accounts::remove_sandboxes(&connection).map_err(failed)?;
    }
    let key = match options.key {
        Some(key) => key,
        None => file.read()?.ok_or_else(|| file.missing())?,
    };
    if !is_key_of(&connection, &key).map_err(failed)? {
        return Err(KeyError::Wrong.into());
    }
    let watched = [directory.into(), path.clone(), beside(&path, "-wal")];
    let watched = watched.into_iter().chain(lock.is_some().then(|| directory.join(LOCK)));
    let presence = Arc::new(Presence::of(watched).map_err(unusable)?);
    let writer =
        Writer::start(connection, Arc::clone(&presence), options.batch).map_err(unusable)?;
    let readers = Readers::new(path, Arc::clone(&presence));
    let rows_set_aside = AtomicU64::new(0);
    Ok(SqliteStore { key, readers, writer, presence, rows_set_aside, _lock: lock })
}

/// Opens an existing database of this program for checking.
pub(super) fn existing(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Database { path: path.into(), source };
    let source = match path.metadata() {
        Ok(metadata) if metadata.is_file() => None,
        Ok(_) => Some(io::Error::other("it is no file")),
        Err(error) => Some(error),
    };
    if let Some(source) = source {
        return Err(OpenError::Directory { path: path.into(), source });
    }
    let mut connection = existing_file(path).map_err(failed)?;
    match connection.transaction().and_then(|it| schema::kind(&it)) {
        Ok(Kind::Ours(found)) if found > schema::VERSION => {
            Err(OpenError::Newer { path: path.into(), found, supported: schema::VERSION })
        }
        Ok(Kind::Ours(_)) => Ok(connection),
        Ok(Kind::Empty | Kind::Foreign) => Err(OpenError::Foreign { path: path.into() }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(OpenError::Foreign { path: path.into() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Opens a file as a database for checking.
pub(super) fn existing_file(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, "")
}

/// Whether this key seals the database's tokens.
pub(super) fn is_key_of(connection: &Connection, key: &SealingKey) -> rusqlite::Result<bool> {
    let sealed = connection.query_row("SELECT sealed_check FROM meta", [], |row| row.get(0));
    let sealed: Vec<u8> = sealed?;
    Ok(key.unseal(&sealed, CHECK_PURPOSE).as_deref() == Some(CHECK))
}

/// The name of a file that SQLite keeps next to its database.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Rejects a directory that other users can write to, because they could replace the database, and
/// a database that other users can read. `loose` contains the bits that must not be set.
fn check_mode(path: &Path, loose: u32) -> Result<(), OpenError> {
    let metadata = path.metadata();
    let metadata = metadata.map_err(|source| OpenError::Directory { path: path.into(), source })?;
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    match mode_open_to_others(&metadata) {
        Some(mode) if mode & loose != 0 => {
            Err(OpenError::TooOpen { path: path.into(), mode, expected })
        }
        _ => Ok(()),
    }
}

/// For a file that existed before it had contents.
fn close_to_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, owner_only)?;
    }
    let _ = path;
    Ok(())
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates the database's file if it does not exist, accessible only to its owner. SQLite gives the
/// files next to it the same mode.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    owner_only(&mut options);
    options.open(path).map(|_| ())
}

/// The lock of the directory's only server. The operating system releases it however the process
/// ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held for the lock on it")] File);

impl Lock {
    fn take(directory: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: directory.into(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        owner_only(&mut options);
        let mut file = options.open(directory.join(LOCK)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.take(20).read_to_string(&mut holder);
                return Err(OpenError::InUse {
                    path: directory.into(),
                    process: holder.trim().parse().ok(),
                });
            }
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(unusable)?;
        Ok(Self(file))
    }
}

/// Removes a directory unless a server works on it. Others cannot begin to meanwhile.
pub(crate) fn remove_unserved(directory: &Path) {
    let lock = File::open(directory.join(LOCK));
    let is_unserved = match &lock {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if is_unserved && let Err(error) = std::fs::remove_dir_all(directory) {
        tracing::warn!(%error, directory = %directory.display(), "it cannot be removed");
    }
}

/// Why a directory cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory cannot be created, read or written.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Users other than its owner can access it.
    TooOpen {
        /// The directory, or its database.
        path: PathBuf,
        /// Its current mode.
        mode: u32,
        /// The mode that it should have.
        expected: u32,
    },
    /// Another server uses the directory.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other server's process id, if known.
        process: Option<u32>,
    },
    /// A newer version of this program wrote the database.
    Newer {
        /// The database.
        path: PathBuf,
        /// The database's version.
        found: i32,
        /// The newest version that this program supports.
        supported: i32,
    },
    /// The file in the database's place is not a database of this program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The key exists, but the database is missing or empty.
    Lost {
        /// The database.
        path: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The database is damaged.
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first problem that SQLite found.
        found: String,
    },
    /// The key is missing or wrong.
    Key(KeyError),
    /// The database cannot be opened.
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory { path, source } => {
                write!(f, "cannot keep data in {}: {source}", path.display())
            }
            Self::TooOpen { path, mode, expected } => write!(
                f,
                "{0} has mode {mode:o}, so others than its owner may use it: chmod {expected:o} {0}",
                path.display()
            ),
            Self::InUse { path, process } => {
                write!(f, "another server works on {}", path.display())?;
                process.map_or(Ok(()), |process| write!(f, " (process {process})"))
            }
            Self::Newer { path, found, supported } => write!(
                f,
                "{} has version {found}, and this program knows versions up to {supported}: use a newer one",
                path.display()
            ),
            Self::Foreign { path } => {
                write!(f, "{} is no database of this program", path.display())
            }
            Self::Lost { path, key } => write!(
                f,
                "{} is missing or empty, and the key beside it tells that there was one: put it back, from a \
                 backup if need be; to begin anew without what was kept, remove {}",
                path.display(),
                key.display()
            ),
            Self::Damaged { path, found } => write!(
                f,
                "{} is damaged: {found}; `callerid check` says more, and a backup takes its place",
                path.display()
            ),
            Self::Key(error) => error.fmt(f),
            Self::Database { path, source } => {
                write!(f, "cannot open {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::Key(error) => Some(error),
            Self::Database { source, .. } => Some(source),
            Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::TooOpen { .. }
            | Self::Lost { .. }
            | Self::Damaged { .. } => None,
        }
    }
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
