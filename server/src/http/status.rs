//! What machines ask about the server: whether it is up, whether it is ready, and what it counted.

use crate::http::blocking;
use crate::{Server, metrics};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Whether the process is up. It asks nothing of the store: restarting helps no disk.
#[utoipa::path(get, path = "/healthz", tag = "status", responses((status = 200, description = "up", body = str)))]
pub(super) async fn health() -> &'static str {
    "up\n"
}

/// Whether requests should be sent here: the store answers, and the server is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "status", responses(
    (status = 200, description = "ready", body = str),
    (status = 503, description = "about to end, or the store does not answer", body = str),
))]
pub(super) async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, &'static str) {
    if server.shutdown_token().is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "about to end\n");
    }
    match blocking(server, |server| server.store().read(|tx| tx.plants())).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}

/// What the server counted, as Prometheus reads it. Only on the address for metrics.
#[utoipa::path(get, path = "/metrics", tag = "status", responses(
    (status = 200, description = "OpenMetrics text", body = str,
     content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
))]
pub(super) async fn metrics(State(server): State<Arc<Server>>) -> Response {
    server.store().measure();
    match server.metrics().text() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
