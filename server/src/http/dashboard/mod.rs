//! The plant manager's dashboard: pages made on the server, usable without scripts.
//!
//! Every form carries the session's CSRF token, a transaction id and the clock that the page showed; submitting it
//! twice is a duplicate, and what came in meanwhile is resolved by the same rule as a phone's mutation.

mod account;
mod amount;
mod audit;
mod cash;
mod chart;
mod cookies;
mod customer;
mod day;
mod devices;
mod explain;
mod export;
mod formats;
mod forms;
mod import;
mod language;
mod lists;
mod live;
mod people;
mod photos;
mod problem;
mod rights;
mod rounds;
mod settings;
mod sheet;
mod sign_in;
pub(crate) mod text;
mod view;

use super::blocking;
use super::client::Client;
use crate::store::{Account, Plant, Tx};
use crate::{Author, Error, Origin, Rank, Server, secret};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use cookies::Cookies;
use jiff::tz::TimeZone;
use problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use text::Lang;
use view::Frame;

/// The largest form that is read, in bytes: far above all fields at their longest.
const MAX_FORM: usize = 64 * 1024;

/// The dashboard's routes.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/", get(async || Redirect::to("/rounds")))
        .route("/sign-in", get(sign_in::show).post(sign_in::send))
        .route("/sign-out", post(sign_in::leave))
        .route("/password/{token}", get(sign_in::show_link).post(sign_in::send_link))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change))
        .route("/account/sessions", post(account::end_others))
        .route("/people", get(people::show))
        .route("/people/{form}", post(people::send))
        .route("/riders", post(people::add_rider))
        .route("/tokens", post(devices::new_token))
        .route("/tokens/revoke", post(devices::revoke_token))
        .route("/audit", get(audit::show))
        .route("/rounds", get(rounds::show))
        .route("/cash", get(cash::show))
        .route("/export/ledger", get(export::ledger))
        .route("/export/cash", get(export::cash))
        .route("/export/customers/{customer}", get(export::customer))
        .route(
            "/import",
            get(import::form).post(import::upload).layer(DefaultBodyLimit::max(import::MAX_UPLOAD)),
        )
        .route("/import/template", get(import::template))
        .route("/import/{import}", get(import::show).post(import::confirm))
        .route("/customers", get(lists::customers))
        .route("/customers/{customer}", get(customer::show))
        .route("/customers/{customer}/{form}", get(forms::back).post(forms::send))
        .route("/photos/{hash}", get(photos::show))
        .route("/conflicts", get(lists::conflicts))
        .route("/rejected", get(lists::rejected))
        .route("/rejected/close", post(lists::close))
        .route("/devices", get(devices::show))
        .route("/devices/code", get(async || Redirect::to("/devices")).post(devices::new_code))
        .route("/devices/cancel", post(devices::cancel_code))
        .route("/devices/revoke", post(devices::revoke))
        .route("/settings", get(settings::show).post(settings::save))
        .route(language::ADDRESS, post(language::choose))
        .route("/live", get(live::events))
        .route(live::SCRIPT, get(live::script))
        .route(view::STYLE, get(style))
        .route(view::ICON, get(icon))
        .fallback(async || Failed(Error::NotFound("page")))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(without_nul))
        .layer(middleware::from_fn(problem::shown))
        .layer(middleware::map_response(with_policy))
}

/// Refuses an address with a NUL character: PostgreSQL takes no such text, and nobody types one.
async fn without_nul(request: Request, next: Next) -> Response {
    if request.uri().query().is_some_and(|query| query.contains("%00")) {
        return Problem::unreadable("the address holds a NUL character").into_response();
    }
    next.run(request).await
}

/// No scripts but ours, nothing from elsewhere, in nobody's frame; pages of a session are not kept by caches.
async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn style() -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("style.css"))
}

async fn icon() -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, include_str!("icon.svg"))
}

/// Somebody who is signed in, and may send this request.
#[derive(Debug, Clone)]
struct Manager {
    account: Account,
    plant: Plant,
    origin: Origin,
    /// Where phones and browsers reach the server: `https://carboy.example`.
    site: String,
    /// The session's token.
    session: String,
    /// The language of the pages for this browser.
    lang: Lang,
    /// The address of the page that was asked for.
    here: String,
}

impl Manager {
    /// Who changes what this request changes, and from where.
    fn author(&self) -> Author<'_> {
        Author { account: &self.account, origin: &self.origin }
    }

    fn frame(&self, tx: &Tx<'_>) -> Result<Frame, Error> {
        Ok(Frame {
            plant: self.plant.name.clone(),
            manager: self.account.name.clone(),
            rank: self.account.rank.unwrap_or(Rank::Viewer),
            csrf: secret::csrf_token(&self.session),
            here: self.here.clone(),
            lang: self.lang,
            currency: self.plant.currency,
            zone: TimeZone::get(&self.plant.time_zone).unwrap_or(TimeZone::UTC),
            conflicts: tx.conflict_count(self.plant.id)?,
            open: tx.open_count(self.plant.id)?,
            seen: tx.changes(self.plant.id)?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Manager
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let to_sign_in = || Redirect::to("/sign-in").into_response();
        let server = Arc::<Server>::from_ref(state);
        let session = cookie(&parts.headers, Cookies::of(&server).session()).ok_or_else(to_sign_in)?;
        let token = session.clone();
        let Ok(client) = Client::from_request_parts(parts, state).await;
        let site = site(&server, client, &parts.headers);
        let found = blocking(server, move |server| server.session(&token)).await;
        let (account, plant) =
            found.map_err(|error| Failed(error).into_response())?.ok_or_else(to_sign_in)?;
        if !account.is_at_least(rights::needed(&parts.method, parts.uri.path())) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "error-not-allowed").into_response());
        }
        let origin = Origin::Browser { address: client.text() };
        let lang = language::asked(&parts.headers).or_else(|| Lang::of_code(&plant.language));
        // What a form was sent to is no page to come back to.
        let here = match parts.method {
            Method::GET => parts.uri.to_string(),
            _ => "/".to_owned(),
        };
        Ok(Self { account, plant, origin, site, session, lang: lang.unwrap_or(Lang::En), here })
    }
}

/// A form's fields.
#[derive(Debug, Clone, Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    /// The field's text, empty if there is none.
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The field as a value that only our own pages write.
    fn hidden<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Error> {
        self.get(name).parse().map_err(|_| Error::malformed(format!("form field {name}")))
    }
}

/// A form that a signed-in manager sent from one of our pages.
struct Posted {
    manager: Manager,
    fields: Fields,
}

impl<S: Send + Sync> FromRequest<S> for Posted
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let manager = Manager::from_request_parts(&mut parts, state).await?;
        let fields = read_form(Request::from_parts(parts, body), state, &manager.session).await?;
        Ok(Self { manager, fields })
    }
}

/// Reads a form and checks that it comes from a page made for the holder of `token`.
async fn read_form<S: Send + Sync>(request: Request, state: &S, token: &str) -> Result<Fields, Response> {
    let form = axum::Form::<BTreeMap<String, String>>::from_request(request, state).await;
    let axum::Form(fields) = form.map_err(IntoResponse::into_response)?;
    if fields.values().any(|value| value.contains('\0')) {
        return Err(Problem::unreadable("a field holds a NUL character").into_response());
    }
    let fields = Fields(fields);
    if secret::same_secret(fields.get("csrf"), &secret::csrf_token(token)) {
        Ok(fields)
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "error-not-our-form").into_response())
    }
}

/// Where this server is reached, as it was told; else as the browser addresses it, empty if it does not say.
fn site(server: &Server, client: Client, headers: &HeaderMap) -> String {
    if let Some(url) = &server.options().public_url {
        return url.to_string();
    }
    let scheme = if client.is_https { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

/// An error as a page.
struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        Problem::from(self.0).into_response()
    }
}
