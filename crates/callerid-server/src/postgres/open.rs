//! Opening a database: connections, the key, and the tables.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::seal::SealingKey;

/// Connections of a server to its database.
const CONNECTIONS: usize = 16;
/// How long to wait for a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// The database ends what a server has given up: after five seconds, or because it is gone.
const ABANDONED: &str =
    "-c statement_timeout=6s -c idle_in_transaction_session_timeout=6s -c tcp_user_timeout=6s";

/// Known bytes and their purpose. If they cannot be unsealed, the key is wrong.
const CHECK: &[u8] = b"callerid";
const CHECK_PURPOSE: &[u8] = b"key check";

/// Each migration upgrades the tables by one version.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];
const VERSION: i32 = MIGRATIONS.len() as i32;
/// The first version of the server whose tables these could be.
const OLDEST_SERVER: i32 = 150_000;

/// "CLID": the advisory lock that is held while tables change.
const MIGRATION_LOCK: i64 = 0x434c_4944;

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
    /// Another server serves this database.
    Served,
    /// The tokens in the database are sealed with another key.
    WrongKey,
    /// What a server that has ended left behind cannot be removed.
    Sandboxes(String),
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
            Self::Served => f.write_str(
                "another server serves this database; one at a time can",
            ),
            Self::WrongKey => f.write_str(
                "the tokens in the database are sealed with another key: give the one of its other servers in CALLERID_KEY",
            ),
            Self::Sandboxes(error) => {
                write!(f, "the sandboxes of an earlier server cannot be removed: {error}")
            }
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

/// Reads the address of a database.
pub(super) fn config(address: &str) -> Result<Config, DatabaseError> {
    let mut config = Config::from_str(address).map_err(DatabaseError::Address)?;
    config
        .application_name("callerid")
        .connect_timeout(CONNECT_PATIENCE)
        // After a failover, the old server must not be written to.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

/// How to connect where the address wants TLS: the database's certificate is checked against these in
/// PEM, or against those that browsers trust.
pub(super) fn tls(authorities: Option<&[u8]>) -> Result<MakeRustlsConnect, DatabaseError> {
    let mut roots = RootCertStore::empty();
    let invalid = |error: &dyn fmt::Display| DatabaseError::Authorities(error.to_string());
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| invalid(&error))?;
                roots.add(certificate).map_err(|error| invalid(&error))?;
            }
            if roots.is_empty() {
                return Err(invalid(&"expected certificates in PEM"));
            }
        }
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Creates the tables, or upgrades them, and checks that the key is theirs.
pub(super) async fn prepare(
    config: &Config,
    tls: MakeRustlsConnect,
    key: &SealingKey,
) -> Result<(), DatabaseError> {
    let (mut client, connection) = config.connect(tls).await?;
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

async fn migrate(client: &mut Client, key: &SealingKey) -> Result<(), DatabaseError> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    let exists: bool =
        transaction.query_one("SELECT to_regclass('meta') IS NOT NULL", &[]).await?.try_get(0)?;
    let found = match exists {
        true => transaction.query_one("SELECT version FROM meta", &[]).await?.try_get(0)?,
        false => 0,
    };
    if found > VERSION {
        return Err(DatabaseError::Newer { found, supported: VERSION });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.batch_execute(migration).await?;
    }
    match exists {
        true => {
            transaction.execute("UPDATE meta SET version = $1", &[&VERSION]).await?;
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
    Ok(transaction.commit().await?)
}

/// The connections of a server.
pub(super) fn pool(mut config: Config, tls: MakeRustlsConnect) -> Pool {
    let options = format!("{} {ABANDONED}", config.get_options().unwrap_or_default());
    config.options(options);
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls, recycling);
    let pool = Pool::builder(manager).max_size(CONNECTIONS);
    // Only a timeout would need a runtime to be named.
    match pool.build() {
        Ok(pool) => pool,
        Err(error) => unreachable!("a pool without timeouts: {error}"),
    }
}
