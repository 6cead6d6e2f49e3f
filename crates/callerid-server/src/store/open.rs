//! Opening a directory: what may be in the way, and in which order things are made.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::SqliteStore;
use super::connect::{WRITER, connect, first_damage, use_wal};
use super::presence::Presence;
use super::readers::Readers;
use super::schema::{self, Kind};
use super::writer::Writer;
use crate::seal::{KeyError, KeyFile, SealingKey, mode_open_to_others, owner_only};

pub(super) const DATABASE: &str = "callerid.sqlite3";
const LOCK: &str = "lock";

/// Known bytes, and what they are sealed for: if they do not come back, the key is another.
const CHECK: &[u8] = b"callerid";
const CHECK_PURPOSE: &[u8] = b"key check";

/// How a directory is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key that tokens are sealed with. `None`: the directory's key file, made for a new directory.
    pub key: Option<SealingKey>,
    /// Whether this is to be the one server that works on the directory.
    pub serve: bool,
    /// How many changes may share a commit.
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
    // In this order: a key that is no draft comes after its database.
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
    // In a transaction: else another process could make the tables between two of its looks.
    let kind = connection.transaction().and_then(|it| schema::kind(&it)).map_err(failed)?;
    let refused = |kind| match kind {
        Kind::Foreign => Err(OpenError::Foreign { path: path.clone() }),
        Kind::Ours(found) if found > schema::VERSION => {
            let supported = schema::VERSION;
            Err(OpenError::Newer { path: path.clone(), found, supported })
        }
        // With a key that is no draft, something was in it.
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
        // Before anything is written: later it takes a VACUUM.
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
            // Before the tables are there: a start that is killed between the two finds the draft again.
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

/// Opens a database that is there and ours, to look at it.
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

/// Opens a file as a database, to look at it.
pub(super) fn existing_file(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, "")
}

/// Whether that key is the one that the database's tokens are sealed with.
pub(super) fn is_key_of(connection: &Connection, key: &SealingKey) -> rusqlite::Result<bool> {
    let sealed = connection.query_row("SELECT sealed_check FROM meta", [], |row| row.get(0));
    let sealed: Vec<u8> = sealed?;
    Ok(key.unseal(&sealed, CHECK_PURPOSE).as_deref() == Some(CHECK))
}

/// The name of a file that SQLite keeps beside its database.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Refuses a directory that others than its owner may write, for they could put another database there, and a database
/// that they may read as well. `loose` has the bits that must not be set.
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

/// For a file that was there before anything was in it.
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

/// Makes the database's file where there is none, for its owner alone; SQLite gives those beside it the
/// same mode.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    owner_only(&mut options);
    options.open(path).map(|_| ())
}

/// Held by the one server of a directory. The operating system takes it back however the process ends.
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

/// Why a directory cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be made, read or written.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Others than its owner may use it.
    TooOpen {
        /// The directory, or its database.
        path: PathBuf,
        /// The mode it has.
        mode: u32,
        /// The mode to give it.
        expected: u32,
    },
    /// Another server works on it.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other server's process, where it has said so.
        process: Option<u32>,
    },
    /// Its database was written by a newer version of this program.
    Newer {
        /// The database.
        path: PathBuf,
        /// The version it has.
        found: i32,
        /// The newest version that this program knows.
        supported: i32,
    },
    /// What is in the database's place is something else.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Its key is there and its database is missing or empty.
    Lost {
        /// The database.
        path: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Its database is damaged.
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first thing that SQLite found.
        found: String,
    },
    /// There is no key, or the wrong one.
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
