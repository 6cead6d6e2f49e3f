//! The tables: created, upgraded, and checked.

use tokio_postgres::Client;

use super::database::Database;
use super::database_error::DatabaseError;
use crate::seal::SealingKey;

/// Known bytes and their purpose. If they cannot be unsealed, the key is wrong.
const CHECK: &[u8] = b"callerid";
const CHECK_PURPOSE: &[u8] = b"key check";

/// Each migration upgrades the tables by one version. If programs that know only older versions cannot
/// work with its tables, it sets `meta.oldest`: all programs of one release must work together.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];
const VERSION: i32 = MIGRATIONS.len() as i32;
/// The first version of the server whose tables these could be.
const OLDEST_SERVER: i32 = 150_000;

/// "CLID": the advisory lock that is held while tables change.
pub(super) const MIGRATION_LOCK: i64 = 0x434c_4944;

/// What opening a database did to its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version that the tables had; `None` if there were none.
    pub from: Option<i32>,
    /// The version that they have now.
    pub to: i32,
}

/// Creates the tables, or upgrades them, and checks that the key is theirs.
pub(super) async fn prepare(
    database: &Database,
    key: &SealingKey,
) -> Result<Migrated, DatabaseError> {
    let (mut client, connection) = database.connect().await?;
    let connection = tokio::spawn(connection);
    let server: String = client.query_one("SHOW server_version_num", &[]).await?.try_get(0)?;
    if server.parse::<i32>().is_ok_and(|version| version < OLDEST_SERVER) {
        let version = client.query_one("SHOW server_version", &[]).await?.try_get(0)?;
        return Err(DatabaseError::OldServer(version));
    }
    let migrated = migrate(&mut client, key).await;
    drop(client);
    // It ends with its client.
    connection.await.map(drop).unwrap_or_default();
    migrated
}

async fn migrate(client: &mut Client, key: &SealingKey) -> Result<Migrated, DatabaseError> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    let exists: bool =
        transaction.query_one("SELECT to_regclass('meta') IS NOT NULL", &[]).await?.try_get(0)?;
    let found = match exists {
        true => transaction.query_one("SELECT version FROM meta", &[]).await?.try_get(0)?,
        false => 0,
    };
    if found > VERSION {
        let oldest: i32 =
            transaction.query_one("SELECT oldest FROM meta", &[]).await?.try_get(0)?;
        if oldest > VERSION {
            return Err(DatabaseError::Newer { found, supported: VERSION });
        }
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.batch_execute(migration).await?;
    }
    match exists {
        true => {
            let upgrade = "UPDATE meta SET version = $1 WHERE version < $1";
            transaction.execute(upgrade, &[&VERSION]).await?;
        }
        false => {
            let check = key.seal(CHECK, CHECK_PURPOSE).map_err(DatabaseError::NoRandomness)?;
            let insert = "INSERT INTO meta (id, version, sealed_check) VALUES (1, $1, $2)";
            transaction.execute(insert, &[&VERSION, &check]).await?;
        }
    }
    let check = transaction.query_one("SELECT sealed_check FROM meta", &[]).await?;
    if key.unseal(check.try_get(0)?, CHECK_PURPOSE).is_none_or(|check| check != CHECK) {
        return Err(DatabaseError::WrongKey);
    }
    transaction.commit().await?;
    Ok(Migrated { from: exists.then_some(found), to: found.max(VERSION) })
}
