//! What surrounds every request: who sends it, its line in the log, its count, and the time its body may take.

use super::client::Client;
use crate::{Server, secret};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use tracing::Instrument;
use tracing::field::Empty;

/// Surrounds a request.
pub(super) async fn watch(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let client = Client::of(&request, &server.options().trusted_proxies);
    request.extensions_mut().insert(client);
    // The template: a path would put ids into labels.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let id = secret::random_bytes::<8>(server.random()).map_or(0, u64::from_be_bytes);
    let id = format!("{id:016x}");
    let span = tracing::info_span!("request", id, method, route, peer = client.text(), device = Empty);
    let limit = server.options().body_timeout;
    let request = request.map(|body| if body.is_end_stream() { body } else { Timely::of(body, limit) });
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, time) = (response.status().as_u16(), started.elapsed());
    server.metrics().request(method, &route, status, time);
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    // What asks every few seconds whether all is well would bury the rest.
    if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") && response.status().is_success() {
        span.in_scope(|| tracing::debug!(status, ms, "answered"));
    } else {
        span.in_scope(|| tracing::info!(status, ms, "answered"));
    }
    response
}

/// The method as a label: a client can invent others.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// The body was not there in time.
#[derive(Debug, thiserror::Error)]
#[error("the body took longer than {0:?}")]
pub(super) struct TooSlow(Duration);

/// A body that has to end within a time, however steadily it drips.
struct Timely {
    body: Body,
    limit: Duration,
    end: Pin<Box<Sleep>>,
}

impl Timely {
    fn of(body: Body, limit: Duration) -> Body {
        Body::new(Self { body, limit, end: Box::pin(tokio::time::sleep(limit)) })
    }
}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Box::new(TooSlow(self.limit)))));
        }
        Pin::new(&mut self.body).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether reading a body failed because it was not there in time.
pub(super) fn is_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.into_iter().any(|cause| cause.is::<TooSlow>())
}
