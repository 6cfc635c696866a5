//! What went wrong, as a page in the reader's language.
//!
//! A handler that fails leaves a [`Problem`] with its reply; [`shown`], which knows what language the browser asked
//! for, makes the page of it.

use super::language;
use super::text::Lang;
use super::view;
use crate::Error;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carboy_protocol::wire::Refusal;
use maud::{Markup, html};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    /// The id of the text that says it.
    text: &'static str,
    /// For whoever looks for the cause; not translated.
    detail: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text, detail: None }
    }

    pub(super) fn unreadable(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(StatusCode::BAD_REQUEST, "error-unreadable") }
    }

    fn page(&self, lang: Lang) -> Markup {
        let title = lang.text("error-title");
        let content = html! {
            h1 { (title) }
            p { (lang.text(self.text)) }
            @if let Some(detail) = &self.detail { p.muted lang="en" { bdi { (detail) } } }
            p.up { a href="/customers" { (lang.text("error-back")) } }
        };
        view::bare(lang, &title, &content)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if let Error::NotFound(_) = error {
            return Self::new(StatusCode::NOT_FOUND, "error-not-found");
        }
        if let Error::Unfit(_) = error {
            return Self {
                detail: Some(error.to_string()),
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "error-unfit")
            };
        }
        match Refusal::from(error) {
            Refusal::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "error-busy"),
            Refusal::Malformed { detail } => Self::unreadable(detail),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "error-failed"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes the page of a problem, and of what was refused before it reached a handler.
pub(super) async fn shown(request: Request, next: Next) -> Response {
    let lang = language::asked(request.headers()).unwrap_or(Lang::En);
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>().or_else(|| unhandled(&response));
    problem.map_or(response, |problem| (problem.status, problem.page(lang)).into_response())
}

/// The problem of a reply that is no page: an address or a form that could not be read, or was too large.
fn unhandled(response: &Response) -> Option<Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let text = match response.status() {
        _ if is_page => return None,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "error-not-found",
        StatusCode::PAYLOAD_TOO_LARGE => "error-too-large",
        status if status.is_client_error() => "error-unreadable",
        _ => return None,
    };
    Some(Problem::new(response.status(), text))
}
