//! The tables, and how a database gets them.

use rusqlite::Transaction;

/// "CLID", in the header of every database of this program.
const APPLICATION_ID: i32 = 0x434c_4944;

/// Each migration upgrades the database by one version; the first one creates a new database.
const MIGRATIONS: [&str; 9] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
];

/// The version that this program reads and writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// What a file is, judging by its header and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An empty database.
    Empty,
    /// A database of this program, with this version of the tables.
    Ours(i32),
    /// A database of another program.
    Foreign,
}

/// Determines what the file is. Takes a transaction, so that the answer is consistent.
pub(super) fn kind(connection: &Transaction<'_>) -> rusqlite::Result<Kind> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (APPLICATION_ID, ..) => Kind::Ours(version),
        (0, 0, 0) => Kind::Empty,
        _ => Kind::Foreign,
    })
}

/// Creates the tables that a database of this kind lacks. The transaction must be a write
/// transaction from the start, so that only one of several concurrent processes does this.
pub(super) fn migrate(transaction: &Transaction<'_>, kind: Kind) -> rusqlite::Result<()> {
    let version = match kind {
        Kind::Ours(version) => usize::try_from(version).unwrap_or_default(),
        Kind::Empty | Kind::Foreign => 0,
    };
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)
}
