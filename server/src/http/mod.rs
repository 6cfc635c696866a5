//! The server on the network: the phones' API under `/v1`, what machines ask about it, the dashboard everywhere else.

mod api;
mod client;
mod dashboard;
mod description;
mod status;
mod watch;

pub(crate) use client::IsTls;
pub use description::description;

pub(crate) use dashboard::text::Lang;

use crate::apply::panic_text;
use crate::{Error, Server};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use carboy_protocol::wire::{self, Refusal};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// Seconds after which a busy server may be tried again.
const RETRY_AFTER: u32 = 5;

/// All routes of `server` for phones and browsers. Every reply carries the protocol's header, errors and panics
/// included.
pub fn router(server: Arc<Server>) -> Router {
    let (described, _) = description::for_everybody().split_for_parts();
    let routes = Router::new().nest("/v1", api::routes()).merge(described).merge(dashboard::routes());
    layered(routes.with_state(server.clone()), server)
}

/// The routes of `server` for the machines that watch it.
pub fn status_router(server: Arc<Server>) -> Router {
    let (described, _) = description::for_watchers().split_for_parts();
    layered(described.with_state(server.clone()), server)
}

fn layered(routes: Router, server: Arc<Server>) -> Router {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new())
        .layer(axum::middleware::from_fn_with_state(server, watch::watch))
        .layer(axum::middleware::map_response(with_header))
}

async fn with_header(mut response: Response<Body>) -> Response<Body> {
    let name = HeaderName::from_static(wire::HEADER);
    response.headers_mut().insert(name, HeaderValue::from(wire::VERSION));
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer calls it so")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!(panic = panic_text(panic.as_ref()), "a request panicked");
    refused(&Refusal::Internal)
}

/// The reply that carries this refusal, with the status that belongs to it.
fn refused(refusal: &Refusal) -> Response<Body> {
    let status = match refusal {
        Refusal::Malformed { .. } => StatusCode::BAD_REQUEST,
        Refusal::SignIn { .. } => StatusCode::UNAUTHORIZED,
        Refusal::Gap { .. } | Refusal::Forked { .. } | Refusal::Hashes => StatusCode::CONFLICT,
        Refusal::UnknownPhoto => StatusCode::NOT_FOUND,
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Upgrade { .. } => StatusCode::UPGRADE_REQUIRED,
        Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused_as(status, refusal)
}

fn refused_as(status: StatusCode, refusal: &Refusal) -> Response<Body> {
    let mut response = (status, axum::Json(refusal)).into_response();
    if matches!(refusal, Refusal::Busy) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    }
    response
}

/// Runs `work`, which waits for the disk, where that holds up no other request.
pub(crate) async fn blocking<T: Send + 'static>(
    server: Arc<Server>,
    work: impl FnOnce(&Server) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(|| work(&server))).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels: the request did not begin.
            Err(_) => Err(Error::Refused(Refusal::Busy)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_answered_in_the_protocols_form() {
        let folder = tempfile::tempdir().unwrap();
        let server = Arc::new(Server::open(&folder.path().join("carboy.db")).unwrap());
        let routes = Router::new().route("/", get(async || -> &'static str { panic!("broken") }));
        let response =
            layered(routes, server).oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[wire::HEADER], "1");
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        assert_eq!(serde_json::from_slice::<Refusal>(&body).unwrap(), Refusal::Internal);
    }
}
