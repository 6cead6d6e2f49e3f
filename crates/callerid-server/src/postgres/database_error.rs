//! Why a database cannot be used.

use std::fmt;

/// Why a database cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The address is no address of a database.
    Address(tokio_postgres::Error),
    /// The certificates to check the database's against are none.
    Authorities(String),
    /// The database does not answer, or answers with an error.
    Database(tokio_postgres::Error),
    /// The server is older than PostgreSQL 15.
    OldServer(String),
    /// The tables are of a newer version of this program.
    Newer {
        /// Their version.
        found: i32,
        /// The version that this program reads and writes.
        supported: i32,
    },
    /// The tokens in the database are sealed with another key.
    WrongKey,
    /// This server cannot join the others.
    Joining(String),
    /// The system gives no random bytes.
    NoRandomness(getrandom::Error),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => write!(
                f,
                "--database: {error}; expected an address like postgres://user@host/database"
            ),
            Self::Authorities(error) => write!(f, "--database-ca: {error}"),
            Self::Database(error) => {
                write!(f, "the database cannot be used: {error}")?;
                let mut source = std::error::Error::source(error);
                while let Some(error) = source {
                    write!(f, ": {error}")?;
                    source = error.source();
                }
                Ok(())
            }
            Self::OldServer(version) => {
                write!(f, "the database is PostgreSQL {version}; expected 15 or later")
            }
            Self::Newer { found, supported } => write!(
                f,
                "the database is of a newer callerid (tables {found}; this one knows {supported}): upgrade this program"
            ),
            Self::WrongKey => f.write_str(
                "the tokens in the database are sealed with another key: give the one of its other servers, in CALLERID_KEY or --key-file",
            ),
            Self::Joining(error) => write!(f, "the servers of the database cannot be joined: {error}"),
            Self::NoRandomness(error) => write!(f, "the system gives no random bytes: {error}"),
        }
    }
}

impl std::error::Error for DatabaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) | Self::Database(error) => Some(error),
            Self::NoRandomness(error) => Some(error),
            _ => None,
        }
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}
