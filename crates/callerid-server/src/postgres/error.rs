//! What can go wrong with the database.

use std::fmt;

use callerid_core::AccountSid;
use callerid_service::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// An error of the store in PostgreSQL.
#[derive(Debug)]
pub(super) enum PostgresError {
    Database(tokio_postgres::Error),
    /// No connection could be had.
    Pool(PoolError),
    /// The account does not exist, or no longer.
    NoAccount(AccountSid),
    /// A token or callback's credentials that the key cannot unseal.
    Sealed(String),
    NoRandomness(getrandom::Error),
    /// A column's value is none that this program stores.
    Unreadable(String),
    /// The connection of this server's node was lost.
    SessionLost,
    /// The database did not answer in time.
    TooLate,
}

impl PostgresError {
    /// Whether the same may succeed in a moment, on another connection.
    pub(super) fn is_transient(&self) -> bool {
        const TRANSIENT: [SqlState; 9] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::QUERY_CANCELED,
            // A server that was the primary until a failover.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ];
        match self {
            Self::Database(error) => match error.code() {
                Some(code) => TRANSIENT.contains(code),
                // Without an answer of the database, the connection is what failed.
                None => error.is_closed() || is_of_connection(error),
            },
            Self::Pool(PoolError::Backend(error)) => match error.code() {
                Some(code) => TRANSIENT.contains(code),
                None => true,
            },
            Self::Pool(_) => true,
            _ => false,
        }
    }
}

/// Whether the connection failed, rather than what was said on it.
fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::TooLate => Self::unavailable(error),
            error if error.is_transient() => Self::unavailable(error),
            PostgresError::Sealed(_) | PostgresError::Unreadable(_) => Self::unreadable(error),
            error => Self::new(error),
        }
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for PostgresError {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => match error.as_db_error() {
                Some(error) => write!(f, "{error}"),
                None => write!(f, "{error}"),
            },
            Self::Pool(error) => write!(f, "no connection to the database: {error}"),
            Self::NoAccount(sid) => write!(f, "there is no account {sid}"),
            Self::Sealed(what) => write!(f, "{what} cannot be unsealed"),
            Self::NoRandomness(error) => write!(f, "no randomness: {error}"),
            Self::Unreadable(what) => write!(f, "cannot read {what}"),
            Self::SessionLost => f.write_str("the connection was lost"),
            Self::TooLate => f.write_str("the database did not answer in time"),
        }
    }
}

impl std::error::Error for PostgresError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::Pool(error) => Some(error),
            Self::NoRandomness(error) => Some(error),
            _ => None,
        }
    }
}
