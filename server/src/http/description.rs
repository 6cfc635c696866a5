//! The OpenAPI description, made from the same table of routes as the router.

use super::{api, status};
use crate::Server;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(info(
    title = "Carboy",
    description = "The server of a plant, for phones, scripts and what watches it. `docs/protocol.md` tells how a \
                   phone uses it."
), modifiers(&Bearer))]
struct Frame;

/// How a request proves who sends it.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// The routes outside `/v1` that machines use, on the address for phones and browsers.
pub(super) fn for_everybody() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(status::health))
        .routes(routes!(status::ready))
        .routes(routes!(openapi))
}

/// The routes on the address for metrics.
pub(super) fn for_watchers() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(status::health))
        .routes(routes!(status::ready))
        .routes(routes!(status::metrics))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "status", responses(
    (status = 200, description = "an OpenAPI document", body = serde_json::Value),
))]
async fn openapi() -> axum::Json<serde_json::Value> {
    axum::Json(description())
}

/// What the server answers, as an OpenAPI document.
pub fn description() -> serde_json::Value {
    let described = OpenApiRouter::with_openapi(Frame::openapi())
        .nest("/v1", api::described())
        .merge(for_everybody())
        .routes(routes!(status::metrics));
    let mut document = serde_json::to_value(described.into_openapi()).unwrap_or_default();
    without_examples(&mut document);
    document
}

/// The examples in the code's documentation are Rust: of no use here.
fn without_examples(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let Some(end) = text.find("\n\n```") {
                text.truncate(end);
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(without_examples),
        serde_json::Value::Object(members) => members.values_mut().for_each(without_examples),
        _ => {}
    }
}
