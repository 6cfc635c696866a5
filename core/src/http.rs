//! The transport over HTTP, with TLS by rustls.

use crate::transport::{Body, Exchange, LinkError, Reply, Transport};
use async_trait::async_trait;
use carboy_protocol::wire;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a connection may take to come up. A 3G radio that sleeps needs about two seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest compressed reply that is read, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Carries exchanges over HTTP/1.1 to one server. Connections are kept and used again while there is a network.
pub struct HttpTransport {
    tls: rustls::ClientConfig,
    /// Made for the first exchange, and let go with its connections when the network goes: the pool of a client that has
    /// kept one wakes up every 90 seconds to look at it.
    client: Mutex<Option<Client>>,
    base: Url,
}

impl HttpTransport {
    /// A transport to the server at `base`, for example `https://plant.example`; a path in it is not used. Exchanges
    /// need a Tokio runtime with I/O and time, as [`crate::Runtime`] has. Certificates are checked against Mozilla's
    /// roots, which are compiled in: the platform's verifier needs a JVM context on Android.
    ///
    /// # Errors
    /// If `base` is not an `http` or `https` address.
    ///
    /// ```
    /// use carboy_core::HttpTransport;
    /// assert!(HttpTransport::new("https://plant.example").is_ok());
    /// assert!(HttpTransport::new("ftp://plant.example").is_err());
    /// ```
    pub fn new(base: &str) -> Result<Self, LinkError> {
        let base =
            Url::parse(base).map_err(|error| LinkError(format!("server address {base:?}: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(LinkError(format!("server address {base}: neither http nor https")));
        }
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| LinkError(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls, client: Mutex::default(), base })
    }

    fn client(&self) -> Result<Client, LinkError> {
        let mut kept = self.kept();
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| link_error(&error))?;
        Ok(kept.insert(client).clone())
    }

    fn kept(&self) -> MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError> {
        let url = self.base.join(&exchange.path).map_err(|error| LinkError(error.to_string()))?;
        let mut request = self
            .client()?
            .post(url)
            .timeout(exchange.timeout)
            .header(wire::HEADER, wire::VERSION)
            .header(ACCEPT_ENCODING, "gzip");
        request = match exchange.body {
            Body::Json(gzip) => {
                request.header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip").body(gzip)
            }
            Body::Piece(piece) => request.header(CONTENT_TYPE, "application/octet-stream").body(piece),
        };
        if let Some(token) = exchange.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| link_error(&error))?;
        read(response).await
    }

    fn disconnect(&self) {
        *self.kept() = None;
    }
}

async fn read(mut response: Response) -> Result<Reply, LinkError> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let mut reply = Reply {
        status: response.status().as_u16(),
        protocol: header(wire::HEADER).map(str::to_owned),
        retry_after: header(RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok()),
        gzip: header(CONTENT_ENCODING.as_str()) == Some("gzip"),
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| link_error(&error))? {
        if reply.body.len() + chunk.len() > MAX_BODY {
            return Err(LinkError(format!("the reply is larger than {MAX_BODY} bytes")));
        }
        reply.body.extend_from_slice(&chunk);
    }
    Ok(reply)
}

/// The whole chain of causes: the outermost alone says only that sending failed.
fn link_error(error: &reqwest::Error) -> LinkError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    LinkError(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// Answers one request on a connection that it keeps.
    fn serve(stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        while !lines.next().expect("a whole request")?.is_empty() {}
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    }

    #[test]
    fn a_connection_is_used_again_until_the_network_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let transport =
            HttpTransport::new(&format!("http://{}", listener.local_addr().expect("its address")));
        let transport = transport.expect("a transport");
        let exchange = || Exchange {
            path: "/v1/sync".into(),
            token: None,
            body: Body::Piece(Vec::new()),
            timeout: Duration::from_secs(60),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (closed, left) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let served = || -> std::io::Result<usize> {
                let (mut stream, _) = listener.accept()?;
                serve(&stream)?;
                serve(&stream)?;
                stream.read(&mut [0])
            };
            closed.send(served())
        });
        for _ in 0..2 {
            let reply = runtime.block_on(transport.exchange(exchange()));
            assert_eq!(reply.map(|reply| reply.status), Ok(200));
        }
        transport.disconnect();
        // Sooner than the pool itself would look at it.
        let left = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), left).await });
        let left =
            left.expect("no word of the connection").expect("the server ends").expect("no connection breaks");
        assert_eq!(left, 0, "the connection is closed");
    }
}
