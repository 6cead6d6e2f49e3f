//! Copies of a database that is in use, and what is wrong with one.

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

/// Writes a copy of a directory's database to a file, as it is at one moment, also while a server works on it.
///
/// The file is there whole, durable and checked, or not at all. It is for its owner alone. It holds tokens sealed, and
/// not the key that they are sealed with.
///
/// # Errors
/// [`BackupError`], which names what is in the way; the file is as it was.
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

/// What a copy fails with, before it is known for which file.
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
    // The copy gives space back, though the database may be one from before that was so.
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

/// Renames where the new name is not taken.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Where files have one name each.
        Err(_) if !to.exists() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// What a database holds, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The database.
    pub path: PathBuf,
    /// How many accounts it has.
    pub accounts: u64,
    /// How many caller IDs.
    pub caller_ids: u64,
    /// How many calls.
    pub calls: u64,
    /// How many callbacks.
    pub callbacks: u64,
    /// What is wrong, a line each.
    pub found: Vec<String>,
}

/// Looks at a directory's database, also while a server works on it: at its pages, at every row, and with the key (the
/// one given, or the directory's) at every token and a callback's credentials.
///
/// # Errors
/// [`OpenError`], which names what is in the way.
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

/// Looks at a backup: at its pages and every row. Its tokens stay sealed.
///
/// # Errors
/// [`OpenError`], which names what is in the way.
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
    // All at one moment.
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
    /// There is a file of that name.
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
    /// The copy is damaged, for the database is.
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
