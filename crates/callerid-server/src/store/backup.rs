//! Copies and checks of a database that may be in use.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::connect::first_damage;
use super::open::{self, DATABASE, OpenError};
use super::unreadable::{Survey, Unreadable};
use super::{SqliteError, accounts, callbacks, caller_ids, calls};
use crate::seal::{KeyFile, SealingKey, owner_only, random_digits, sync_directory};

/// Writes a consistent copy of a directory's database to a file, even while a server uses it.
///
/// The file is created complete, durable and checked, or not at all, and is accessible only to its
/// owner. It contains sealed tokens, but not the key.
///
/// # Errors
/// [`BackupError`], which says what the problem is. An existing file stays unchanged.
pub fn backup(directory: &Path, file: &Path, overwrite: bool) -> Result<(), BackupError> {
    let database = directory.join(DATABASE);
    let not_written = |source| BackupError::File { path: file.into(), source };
    if !overwrite && file.exists() {
        return Err(BackupError::Exists { path: file.into() });
    }
    if fs::canonicalize(file)
        .is_ok_and(|file| fs::canonicalize(&database).is_ok_and(|it| it == file))
    {
        return Err(BackupError::Itself { path: file.into() });
    }
    let connection = open::existing(&database)?;
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}.part", random_digits::<4>().map_err(not_written)?));
    let draft = PathBuf::from(draft);
    let written = copy(&connection, &draft).and_then(|()| match overwrite {
        true => fs::rename(&draft, file).map_err(CopyError::File),
        false => rename_new(&draft, file).map_err(CopyError::File),
    });
    let written = written.and_then(|()| sync_directory(file).map_err(CopyError::File));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map_err(|failure| match failure {
        CopyError::File(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            BackupError::Exists { path: file.into() }
        }
        CopyError::File(source) => not_written(source),
        CopyError::Database(source) => BackupError::Database { path: database, source },
        CopyError::Damaged(found) => BackupError::Damaged { path: database, found },
    })
}

/// A copy's error, without the name of the file.
enum CopyError {
    File(io::Error),
    Database(rusqlite::Error),
    Damaged(String),
}

fn copy(connection: &Connection, draft: &Path) -> Result<(), CopyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    drop(options.open(draft).map_err(CopyError::File)?);
    let Some(name) = draft.to_str() else {
        return Err(CopyError::File(io::Error::other("its name is no UTF-8")));
    };
    // The copy reclaims free space, even if the database was created before that was the default.
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .and_then(|()| connection.execute("VACUUM INTO ?1", [name]))
        .map_err(CopyError::Database)?;
    let copied = open::existing_file(draft).map_err(CopyError::Database)?;
    let found = first_damage(&copied).map_err(CopyError::Database)?;
    drop(copied);
    found.map_or(Ok(()), |found| Err(CopyError::Damaged(found)))?;
    let file = OpenOptions::new().write(true).open(draft).map_err(CopyError::File)?;
    File::sync_all(&file).map_err(CopyError::File)
}

/// Renames a file, unless the new name exists.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // For file systems without hard links.
        Err(_) if !to.exists() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// The contents of a database, and its problems.
#[derive(Debug)]
pub struct Checked {
    /// The database's path.
    pub path: PathBuf,
    /// The number of accounts.
    pub accounts: u64,
    /// The number of caller IDs.
    pub caller_ids: u64,
    /// The number of calls.
    pub calls: u64,
    /// The number of callbacks.
    pub callbacks: u64,
    /// The problems found, one line each.
    pub found: Vec<String>,
}

/// Checks a directory's database, even while a server uses it: its pages, every row and, with the
/// key (the given one, or the directory's), every token and the credentials of every callback.
///
/// # Errors
/// [`OpenError`], which says what the problem is.
pub fn check_directory(directory: &Path, key: Option<SealingKey>) -> Result<Checked, OpenError> {
    let (key, missing) = match key {
        Some(key) => (Some(key), None),
        None => match KeyFile::in_directory(directory).read() {
            Ok(Some(key)) => (Some(key), None),
            Ok(None) => (None, Some(KeyFile::in_directory(directory).missing())),
            Err(error) => (None, Some(error)),
        },
    };
    let mut checked = check(&directory.join(DATABASE), key.as_ref())?;
    checked.found.extend(missing.map(|error| error.to_string()));
    Ok(checked)
}

/// Checks a backup: its pages and every row. Its tokens stay sealed.
///
/// # Errors
/// [`OpenError`], which says what the problem is.
pub fn check_backup(file: &Path) -> Result<Checked, OpenError> {
    check(file, None)
}

fn check(path: &Path, key: Option<&SealingKey>) -> Result<Checked, OpenError> {
    let connection = open::existing(path)?;
    look(&connection, path, key).map_err(|error| match error {
        SqliteError::Database(source) => OpenError::Database { path: path.into(), source },
        error => OpenError::Directory { path: path.into(), source: io::Error::other(error) },
    })
}

fn look(
    connection: &Connection,
    path: &Path,
    key: Option<&SealingKey>,
) -> Result<Checked, SqliteError> {
    // Everything in one snapshot.
    connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    let mut found = Vec::new();
    let mut pages = connection.prepare("PRAGMA integrity_check")?;
    for line in pages.query_map([], |row| row.get::<_, String>(0))? {
        found.extend(Some(line?).filter(|line| line != "ok"));
    }
    let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
    for table in orphans.query_map([], |row| row.get::<_, String>(0))? {
        found.push(format!("a row of the table {} is of no account", table?));
    }
    let mut rows = |what: &str, survey: Survey| {
        let wrong = |row: &Unreadable| format!("a {what} cannot be read: {row}");
        found.extend(survey.unreadable.iter().map(wrong));
        survey.rows
    };
    let accounts = rows("account", accounts::survey(connection)?);
    let caller_ids = rows("caller ID", caller_ids::survey(connection)?);
    let calls = rows("call", calls::survey(connection, key)?);
    let callbacks = rows("callback", callbacks::survey(connection, key)?);
    if let Some(key) = key {
        if !open::is_key_of(connection, key)? {
            found.push("its tokens were sealed with another key".to_owned());
        }
        for sid in accounts::list(connection).unwrap_or_default() {
            if let Err(error) = accounts::find(connection, key, &sid) {
                found.push(error.to_string());
            }
        }
    }
    Ok(Checked { path: path.into(), accounts, caller_ids, calls, callbacks, found })
}

/// Why there is no backup.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// A file with this name exists.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is the database itself.
    Itself {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The database cannot be opened.
    Open(OpenError),
    /// The database cannot be copied.
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// The copy is damaged, because the database is.
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first thing that SQLite found.
        found: String,
    },
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => {
                write!(f, "{} is there already; --overwrite replaces it", path.display())
            }
            Self::Itself { path } => {
                write!(f, "{} is the database; name another file", path.display())
            }
            Self::File { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Open(error) => error.fmt(f),
            Self::Database { path, source } => {
                write!(f, "cannot copy {}: {source}", path.display())
            }
            Self::Damaged { path, found } => write!(f, "{} is damaged: {found}", path.display()),
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Open(error) => Some(error),
            Self::Database { source, .. } => Some(source),
            Self::Exists { .. } | Self::Itself { .. } | Self::Damaged { .. } => None,
        }
    }
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
