//! Who speaks: the address at the other end, or the one that a trusted proxy speaks for.

use crate::config::Networks;
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How a connection came in, as far as the listener knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IsTls(pub(crate) bool);

/// The other end of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; `None` within one process.
    pub(crate) address: Option<IpAddr>,
    /// Whether it came by HTTPS.
    pub(crate) is_https: bool,
}

impl Client {
    /// The client of `request`. What the headers say counts only from the networks in `trusted`.
    pub(crate) fn of(request: &Request, trusted: &Networks) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let is_tls = request.extensions().get::<IsTls>().is_some_and(|tls| tls.0);
        match peer {
            Some(peer) if trusted.contain(peer) => forwarded(request.headers(), peer, is_tls, trusted),
            address => Self { address: address.map(|peer| peer.to_canonical()), is_https: is_tls },
        }
    }

    /// The address as text, empty within one process.
    pub(crate) fn text(&self) -> String {
        self.address.map_or_else(String::new, |address| address.to_string())
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }
}

/// From the right, for what stands further left may be anybody's invention: the first that is no proxy of ours.
fn forwarded(headers: &HeaderMap, peer: IpAddr, is_tls: bool, trusted: &Networks) -> Client {
    let mut address = peer;
    let lists = headers.get_all(FORWARDED_FOR).iter().rev();
    let entries = lists.flat_map(|list| list.to_str().unwrap_or("?").rsplit(','));
    for entry in entries {
        let Ok(entry) = entry.trim().parse::<IpAddr>() else { break };
        address = entry.to_canonical();
        if !trusted.contain(address) {
            break;
        }
    }
    let proto = headers.get(FORWARDED_PROTO).and_then(|proto| proto.to_str().ok());
    Client {
        address: Some(address),
        is_https: proto.map_or(is_tls, |proto| proto.eq_ignore_ascii_case("https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn seen(peer: &str, forwarded: &[&str], proto: &str) -> (String, bool) {
        let mut request = Request::get("/").header("x-forwarded-proto", proto);
        for list in forwarded {
            request = request.header("x-forwarded-for", *list);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let client = Client::of(&request, &"127.0.0.1, 10.0.0.0/8".parse().unwrap());
        (client.text(), client.is_https)
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_others_and_only_for_whom_it_saw() {
        for (peer, forwarded, proto, address, is_https) in [
            ("9.9.9.9", &["1.2.3.4"][..], "https", "9.9.9.9", false),
            ("127.0.0.1", &["1.2.3.4"], "https", "1.2.3.4", true),
            ("::ffff:127.0.0.1", &["1.2.3.4"], "http", "1.2.3.4", false),
            ("127.0.0.1", &["6.6.6.6, 1.2.3.4, 10.1.1.1"], "https", "1.2.3.4", true),
            ("127.0.0.1", &["6.6.6.6", "1.2.3.4"], "https", "1.2.3.4", true),
            ("127.0.0.1", &["6.6.6.6, nonsense"], "https", "127.0.0.1", true),
            ("127.0.0.1", &[], "https", "127.0.0.1", true),
        ] {
            assert_eq!(seen(peer, forwarded, proto), (address.to_owned(), is_https), "{peer} {forwarded:?}");
        }
    }
}
