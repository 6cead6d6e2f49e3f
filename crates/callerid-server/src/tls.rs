//! TLS: a certificate and its key from files, which can be reloaded.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// The server's certificate and key, which can be reloaded.
#[derive(Clone, Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads the certificate (and its chain) and the key from these PEM files.
    ///
    /// # Errors
    /// A message that names the invalid file and the problem.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let config = Arc::new(RwLock::new(Arc::new(read(certificate, key)?)));
        Ok(Self { certificate: certificate.into(), key: key.into(), config })
    }

    /// Reads the files again. New connections use the new certificate.
    ///
    /// # Errors
    /// As for [`open`](Self::open). The previous certificate stays in use.
    pub fn reload(&self) -> Result<(), String> {
        let config = Arc::new(read(&self.certificate, &self.key)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Performs the TLS handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let named = |path: &Path| {
        let path = path.display().to_string();
        move |error: &dyn std::fmt::Display| format!("{path}: {error}")
    };
    let (in_certificate, in_key) = (named(certificate), named(key));
    let chain =
        CertificateDer::pem_file_iter(certificate).map_err(|error| in_certificate(&error))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| in_certificate(&error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| in_key(&error))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|error| in_certificate(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
