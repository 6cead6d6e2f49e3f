//! The database: where it is, and this server's connections.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::database_error::DatabaseError;
use super::error::PostgresError;

/// Connections of a server to its database, apart from the one of its node.
const CONNECTIONS: usize = 16;
/// How long to wait for a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// The settings of a session.
const SETTINGS: [(&str, &str); 7] = [
    // The database ends what a server has given up: after five seconds, or because it is gone.
    ("statement_timeout", "6s"),
    ("idle_in_transaction_session_timeout", "6s"),
    // To plan a statement for its parameters costs more than most statements, and no plan depends on
    // them: all reads that matter look up a few rows in an index. Those of a table that was small when
    // they were planned, too.
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// How to connect to a database.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatabaseOptions<'a> {
    /// Where the address wants TLS (`sslmode=require`), the database's certificate is checked against
    /// these in PEM, or against those that browsers trust.
    pub authorities: Option<&'a [u8]>,
    /// Whether the address is that of pgbouncer, from 1.21 on and in transaction mode. A session then has
    /// no settings and no notifications.
    pub is_pooled: bool,
}

/// A database, and the connections to it.
#[derive(Clone)]
pub(super) struct Database {
    config: Config,
    tls: MakeRustlsConnect,
    pool: Pool,
    is_pooled: bool,
}

/// What runs a connection.
type Running = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

impl Database {
    pub(super) fn new(address: &str, options: DatabaseOptions<'_>) -> Result<Self, DatabaseError> {
        let mut config = Config::from_str(address).map_err(DatabaseError::Address)?;
        config
            .application_name("callerid")
            .connect_timeout(CONNECT_PATIENCE)
            // After a failover, the old server must not be written to.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let (tls, is_pooled) = (tls(options.authorities)?, options.is_pooled);
        let pool = pool(config.clone(), tls.clone(), is_pooled);
        Ok(Self { config, tls, pool, is_pooled })
    }

    /// A connection of one's own.
    pub(super) async fn connect(&self) -> Result<(Client, Running), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }

    /// One of the server's connections.
    pub(super) async fn get(&self) -> Result<Object, PostgresError> {
        Ok(self.pool.get().await?)
    }

    /// Whether connections are shared with others, so that a session has no settings and no
    /// notifications.
    pub(super) const fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// The statements that begin a change.
    pub(super) fn begin(&self) -> String {
        let mut begin = "BEGIN".to_owned();
        if self.is_pooled {
            for (name, value) in SETTINGS {
                begin.push_str(&format!("; SET LOCAL {name} = '{value}'"));
            }
        }
        begin
    }

    /// Where it is, without secrets: `callerid on db.example.com`.
    pub(super) fn location(&self) -> String {
        let host = self.config.get_hosts().first().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let database = self.config.get_dbname().unwrap_or("the user's database");
        format!("{database} on {}", host.unwrap_or_default())
    }
}

fn tls(authorities: Option<&[u8]>) -> Result<MakeRustlsConnect, DatabaseError> {
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

fn pool(mut config: Config, tls: MakeRustlsConnect, is_pooled: bool) -> Pool {
    if !is_pooled {
        let mut options = config.get_options().unwrap_or_default().to_owned();
        for (name, value) in SETTINGS {
            options.push_str(&format!(" -c {name}={value}"));
        }
        // So that a lost server's transactions end too.
        options.push_str(" -c tcp_user_timeout=6s");
        config.options(options);
    }
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls, recycling);
    let pool = Pool::builder(manager).max_size(CONNECTIONS);
    // Only a timeout would need a runtime to be named.
    match pool.build() {
        Ok(pool) => pool,
        Err(error) => unreachable!("a pool without timeouts: {error}"),
    }
}
