//! The server on its sockets: what it listens on, how long a client may take, how many there may be, and how it ends.
//!
//! A slow client holds a connection and nothing else: its request is read before a thread is taken, within a time.

mod tls;

use crate::config::Config;
use crate::http::{self, IsTls};
use crate::{Options, Server};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

/// How long nothing is accepted after accepting failed, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a server cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("{}: {detail}", .file.display())]
    Tls {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The system refuses what every program may have.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<&Config> for Options {
    fn from(config: &Config) -> Self {
        Self {
            public_url: config.public_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            body_timeout: config.body_timeout.0,
        }
    }
}

/// A server whose addresses are taken, so that connections wait for it; [`Bound::run`] serves them.
#[derive(Debug)]
pub struct Bound {
    server: Arc<Server>,
    listener: TcpListener,
    watchers: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
    max_connections: u32,
    limits: Limits,
    grace: Duration,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    header: Duration,
    write: Duration,
}

impl Bound {
    /// Takes the addresses and reads the certificate that `config` names.
    ///
    /// # Errors
    /// If an address is not free or a certificate or key no good.
    pub async fn new(server: Server, config: &Config) -> Result<Self, ServeError> {
        let server = Arc::new(server.with_options(config.into()));
        let tls = match (&config.tls_cert, &config.tls_key) {
            (Some(cert), Some(key)) => Some(Arc::new(Tls::load(cert, key)?)),
            _ => None,
        };
        let watchers = match config.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let limits = Limits { header: config.header_timeout.0, write: config.write_timeout.0 };
        let (max_connections, grace) = (config.max_connections, config.shutdown_grace.0);
        Ok(Self {
            server,
            listener: listen(config.listen).await?,
            watchers,
            tls,
            max_connections,
            limits,
            grace,
        })
    }

    /// Where phones and browsers reach it on this machine.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// Where its metrics are, if anywhere.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn metrics_url(&self) -> io::Result<Option<String>> {
        let url = |listener: &TcpListener| Ok(format!("http://{}/metrics", listener.local_addr()?));
        self.watchers.as_ref().map(url).transpose()
    }

    /// Serves until `stop` ends; then accepts nothing more, finishes what is in flight, and returns.
    ///
    /// # Errors
    /// If the system refuses what every program may have.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        // Without certificates to read again, being asked to must not end the program.
        let _hangup = signal(SignalKind::hangup())?;
        let _certificates = self.tls.clone().map(Tls::keep_fresh).transpose()?;
        let _watchers = self.watchers.take().map(|listener| watched(listener, &self.server));
        let connections = GracefulShutdown::new();
        tokio::select! {
            () = self.accept(&connections) => {}
            () = stop => {}
        }
        tracing::info!(connections = connections.count(), "stopping: finishing what was accepted");
        self.server.shutdown_token().cancel();
        drop(self.listener);
        if tokio::time::timeout(self.grace, connections.shutdown()).await.is_err() {
            tracing::warn!(grace = ?self.grace, "some requests were not finished in time");
        }
        Ok(())
    }

    /// Takes one connection after the other; never ends by itself.
    async fn accept(&self, connections: &GracefulShutdown) {
        let permits = Arc::new(Semaphore::new(self.max_connections as usize));
        let router = http::router(self.server.clone());
        // Nobody closes the semaphore.
        while let Ok(permit) = permits.clone().acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let open = Open { _permit: permit, server: self.server.clone() };
                    self.server.metrics().connections().inc();
                    let (tls, limits) = (self.tls.clone(), self.limits);
                    let watcher = connections.watcher();
                    let router = router.clone();
                    tokio::spawn(async move {
                        let _open = open;
                        connection(stream, peer, tls, limits, router, watcher).await;
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// An open connection, as far as it is counted.
struct Open {
    _permit: OwnedSemaphorePermit,
    server: Arc<Server>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.server.metrics().connections().dec();
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

/// Serves what watches the server until the guard is dropped: to the very end, so that it sees that.
fn watched(listener: TcpListener, server: &Arc<Server>) -> DropGuard {
    let end = CancellationToken::new();
    let router = http::status_router(server.clone());
    let serving = axum::serve(listener, router).with_graceful_shutdown(end.clone().cancelled_owned());
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the address for metrics is not served any more");
        }
    });
    end.drop_guard()
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    router: Router,
    watcher: Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "a connection ended before it began");
        return;
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write));
    let stream = Box::pin(stream);
    let Some(tls) = tls else { return exchange(stream, peer, false, limits, router, watcher).await };
    match tokio::time::timeout(limits.header, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => exchange(stream, peer, true, limits, router, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
        Err(_) => tracing::debug!(%peer, "no TLS in time"),
    }
}

/// Requests and replies on one connection, until either side ends it.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: SocketAddr,
    is_tls: bool,
    limits: Limits,
    router: Router,
    watcher: Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(IsTls(is_tls));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header);
    // A client that goes away is the ordinary end of a connection.
    if let Err(error) = watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await {
        tracing::debug!(%peer, %error, "a connection ended");
    }
}
