//! One HTTP exchange, and what its outcome means. A transport only carries bytes: every judgement is made here.

use async_trait::async_trait;
use carboy_protocol::wire::{self, Refusal};
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::time::Duration;

/// How long one exchange may take before it counts as a lost link. A batch is small and a 3G link may pause for
/// seconds; a reply later than this is answered again as a duplicate.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest reply that is read, in bytes after decompression. A server's page of feed is far below it; a
/// captive portal's film is not.
const MAX_REPLY: u64 = 16 * 1024 * 1024;

/// A POST to the server.
#[derive(Clone)]
pub struct Exchange {
    /// The path with its query, for example `/v1/sync`.
    pub path: String,
    /// For the header `Authorization: Bearer …`.
    pub token: Option<String>,
    /// What is sent.
    pub body: Body,
    /// After this time the transport gives up: 30 seconds.
    pub timeout: Duration,
}

/// The body of a POST.
#[derive(Clone)]
pub enum Body {
    /// JSON, compressed with gzip (`Content-Encoding: gzip`).
    Json(Vec<u8>),
    /// A piece of a photo as it is (`application/octet-stream`).
    Piece(Vec<u8>),
}

impl Body {
    /// The bytes that go over the link.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(bytes) | Self::Piece(bytes) => bytes,
        }
    }
}

/// What came back, whoever sent it.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The value of the protocol's own header, if there is one.
    pub protocol: Option<String>,
    /// `Retry-After` in seconds, if there is one. More than an hour counts as an hour.
    pub retry_after: Option<u64>,
    /// Whether `body` is compressed with gzip.
    pub gzip: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// No reply: no route, a timeout, a reset, a name that does not resolve, a certificate that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no reply: {0}")]
pub struct LinkError(pub String);

/// Carries exchanges to the server.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let (engine, customer, route, _folder) = phone();
/// # run(async {
/// use std::sync::Arc;
/// struct NoRoute;
///
/// #[async_trait::async_trait]
/// impl Transport for NoRoute {
///     async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError> {
///         Err(LinkError(format!("no route for {}", exchange.path)))
///     }
/// }
/// let runtime = Runtime::start(engine, Arc::new(NoRoute), Arc::new(Tokens), None)?;
/// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
/// assert!(matches!(report.status.state, SyncState::Waiting(Waiting { reason: WaitReason::Link, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request with the header [`wire::HEADER`] and waits for the reply. Redirects are not followed.
    /// Dropping the future gives the exchange up.
    ///
    /// # Errors
    /// [`LinkError`] if no whole reply came back.
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError>;

    /// There is no network, or the app is being suspended: connections that are kept are dead, and what looks after them
    /// would wake the phone. Does nothing unless a transport keeps any.
    fn disconnect(&self) {}
}

/// What an exchange came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// The answer.
    Answer(T),
    /// Nothing that a Carboy server said.
    Link(String),
    /// The server has too much to do or failed; come back after this time if it names one.
    Busy(Option<Duration>),
    /// The server wants another token.
    SignIn,
    /// The body was too large.
    TooLarge,
    /// The server expects another seq first.
    Gap(u64),
    /// The server holds other content of this history.
    Forked,
    /// The server wants the chain's hashes to find which entry was changed.
    Hashes,
    /// The server has no use for this photo.
    UnknownPhoto,
    /// The server does not speak this version.
    Upgrade,
    /// The server cannot read the request.
    Malformed(String),
}

/// Judges what came back. Only a reply with the protocol's own header that parses is taken for an answer or for
/// a refusal; what a proxy on the way may say (413, 429, 5xx) is believed without it, since it only slows down.
pub(crate) fn judge<T: DeserializeOwned>(reply: Result<Reply, LinkError>) -> Outcome<T> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return Outcome::Link(error.0),
    };
    let retry_after = reply.retry_after.map(Duration::from_secs);
    match reply.status {
        413 => return Outcome::TooLarge,
        429 | 500.. => return Outcome::Busy(retry_after),
        _ => {}
    }
    if reply.protocol.as_deref() != Some(&wire::VERSION.to_string()) && reply.status != 426 {
        return Outcome::Link(format!("status {} from something that is not the server", reply.status));
    }
    let body = match decompressed(&reply) {
        Ok(body) => body,
        Err(error) => return Outcome::Link(format!("unreadable reply: {error}")),
    };
    let parsed = if reply.status == 200 {
        serde_json::from_slice(&body).map(Outcome::Answer)
    } else {
        serde_json::from_slice(&body).map(refused)
    };
    parsed.unwrap_or_else(|error| Outcome::Link(format!("status {}, not understood: {error}", reply.status)))
}

fn refused<T>(refusal: Refusal) -> Outcome<T> {
    match refusal {
        Refusal::Malformed { detail } => Outcome::Malformed(detail),
        Refusal::SignIn { .. } => Outcome::SignIn,
        Refusal::Gap { expected } => Outcome::Gap(expected),
        Refusal::Forked { .. } => Outcome::Forked,
        Refusal::Hashes => Outcome::Hashes,
        Refusal::UnknownPhoto => Outcome::UnknownPhoto,
        Refusal::TooLarge { .. } => Outcome::TooLarge,
        Refusal::Upgrade { .. } => Outcome::Upgrade,
        Refusal::Busy | Refusal::Internal => Outcome::Busy(None),
    }
}

fn decompressed(reply: &Reply) -> std::io::Result<Vec<u8>> {
    if !reply.gzip {
        return Ok(reply.body.clone());
    }
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*reply.body).take(MAX_REPLY).read_to_end(&mut body)?;
    Ok(body)
}

/// `message` as an [`Exchange`] carries it.
pub(crate) fn json_body(message: &impl serde::Serialize) -> std::io::Result<Body> {
    compressed(&serde_json::to_vec(message)?).map(Body::Json)
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use carboy_protocol::wire::SyncReply;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, protocol: Some("1".into()), body: body.into(), ..Reply::default() }
    }

    fn judged(reply: Reply) -> Outcome<SyncReply> {
        judge(Ok(reply))
    }

    #[test]
    fn a_login_page_with_status_200_is_the_link_and_no_answer() {
        let portal = Reply { protocol: None, ..reply(200, "<html>Welcome to FreeWiFi</html>") };
        assert!(matches!(judged(portal), Outcome::Link(_)));
        assert!(matches!(judged(reply(200, "<html>")), Outcome::Link(_)));
    }

    #[test]
    fn a_401_counts_only_from_the_server() {
        let body = r#"{"error":"sign_in","detail":"expired"}"#;
        assert_eq!(judged(reply(401, body)), Outcome::SignIn);
        assert!(matches!(judged(Reply { protocol: None, ..reply(401, body) }), Outcome::Link(_)));
    }

    #[test]
    fn busy_and_too_large_are_believed_of_a_proxy_as_well() {
        for status in [429, 500, 502, 503, 504] {
            let busy = Reply { retry_after: Some(7), protocol: None, ..reply(status, "") };
            assert_eq!(judged(busy), Outcome::Busy(Some(Duration::from_secs(7))), "{status}");
        }
        assert_eq!(judged(Reply { protocol: None, ..reply(413, "<html>") }), Outcome::TooLarge);
    }

    #[test]
    fn every_refusal_has_its_outcome() {
        assert_eq!(judged(reply(409, r#"{"error":"gap","expected":4}"#)), Outcome::Gap(4));
        assert_eq!(judged(reply(409, r#"{"error":"forked","detail":"d"}"#)), Outcome::Forked);
        assert_eq!(judged(reply(426, r#"{"error":"upgrade","supported":[2]}"#)), Outcome::Upgrade);
        let malformed = judged(reply(400, r#"{"error":"malformed","detail":"d"}"#));
        assert_eq!(malformed, Outcome::Malformed("d".into()));
    }

    #[test]
    fn a_reply_cut_short_is_the_link() {
        let gzip = compressed(br#"{"error":"gap","expected":4}"#).unwrap();
        let whole = Reply { gzip: true, body: gzip.clone(), ..reply(409, "") };
        assert_eq!(judged(whole), Outcome::Gap(4));
        let cut = Reply { gzip: true, body: gzip[..gzip.len() - 9].to_vec(), ..reply(409, "") };
        assert!(matches!(judged(cut), Outcome::Link(_)));
    }
}
