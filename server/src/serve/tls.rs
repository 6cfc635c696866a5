//! TLS: a certificate that can be exchanged while connections go on.

use super::ServeError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(30);

/// What new connections are greeted with.
#[derive(Debug)]
pub(super) struct Tls {
    cert: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// The certificate in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads both files.
    pub(super) fn load(cert: &Path, key: &Path) -> Result<Self, ServeError> {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(Current(RwLock::new(Arc::new(read(cert, key, &provider)?))));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(cert, &error))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), current, config: Arc::new(config) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Takes what the files hold now for new connections, if it differs; what is no good is logged and not taken.
    fn refresh(&self) {
        match read(&self.cert, &self.key, self.config.crypto_provider()) {
            Ok(new) => {
                let mut current = self.current.0.write().unwrap_or_else(PoisonError::into_inner);
                if current.cert != new.cert {
                    tracing::info!(file = %self.cert.display(), "a new certificate is in use");
                    *current = Arc::new(new);
                }
            }
            Err(error) => tracing::error!(%error, "the certificate in use stays"),
        }
    }

    /// Looks at the files now and then, and on SIGHUP, until the result is dropped.
    pub(super) fn keep_fresh(self: Arc<Self>) -> io::Result<JoinSet<()>> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    _ = hangup.recv() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
                self.refresh();
            }
        });
        Ok(tasks)
    }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, ServeError> {
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| refused(cert, &error))?;
    if chain.is_empty() {
        return Err(refused(cert, &"holds no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, &error))?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => refused(key, &format!("is not the key of {}", cert.display())),
        error => refused(cert, &error),
    })
}

fn refused(file: &Path, detail: &dyn std::fmt::Display) -> ServeError {
    ServeError::Tls { file: file.to_owned(), detail: detail.to_string() }
}
