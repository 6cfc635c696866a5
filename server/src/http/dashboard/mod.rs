//! The plant manager's dashboard: pages made on the server, usable without scripts.
//!
//! Every form carries the session's CSRF token, a transaction id and the clock that the page showed; submitting it
//! twice is a duplicate, and what came in meanwhile is resolved by the same rule as a phone's mutation.

mod amount;
mod customer;
mod devices;
mod explain;
mod formats;
mod forms;
mod language;
mod lists;
mod photos;
mod problem;
mod settings;
pub(crate) mod text;
mod view;

use super::blocking;
use crate::store::{Account, Plant, Tx};
use crate::{Error, Server, secret};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use carboy_protocol::wire::Refusal;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use text::Lang;
use view::Frame;

/// The cookie that holds the session's token.
const SESSION: &str = "carboy_session";

/// The cookie that ties the sign-in form to the browser that asked for it.
const FORM: &str = "carboy_form";

/// The largest form that is read, in bytes: far above all fields at their longest.
const MAX_FORM: usize = 64 * 1024;

/// The dashboard's routes.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/", get(async || Redirect::to("/customers")))
        .route("/sign-in", get(sign_in_form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/customers", get(lists::customers))
        .route("/customers/{customer}", get(customer::show))
        .route("/customers/{customer}/{form}", post(forms::send))
        .route("/photos/{hash}", get(photos::show))
        .route("/conflicts", get(lists::conflicts))
        .route("/rejected", get(lists::rejected))
        .route("/devices", get(devices::show))
        .route("/devices/code", post(devices::new_code))
        .route("/devices/revoke", post(devices::revoke))
        .route("/settings", get(settings::show).post(settings::save))
        .route(language::ADDRESS, post(language::choose))
        .route(view::STYLE, get(style))
        .fallback(async || Failed(Error::NotFound("page")))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(problem::shown))
        .layer(middleware::map_response(with_policy))
}

/// No scripts, nothing from elsewhere, in nobody's frame; pages of a session are not kept by caches.
async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
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

/// A signed-in manager.
#[derive(Debug, Clone)]
struct Manager {
    account: Account,
    plant: Plant,
    /// The session's token.
    session: String,
    /// The language of the pages for this browser.
    lang: Lang,
    /// The address of the page that was asked for.
    here: String,
}

impl Manager {
    fn frame(&self, tx: &Tx<'_>) -> Result<Frame, Error> {
        Ok(Frame {
            plant: self.plant.name.clone(),
            manager: self.account.name.clone(),
            csrf: secret::csrf_token(&self.session),
            here: self.here.clone(),
            lang: self.lang,
            currency: self.plant.currency,
            zone: TimeZone::get(&self.plant.time_zone).unwrap_or(TimeZone::UTC),
            conflicts: tx.conflict_count(self.plant.id)?,
            open: tx.open_count(self.plant.id)?,
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
        let session = cookie(&parts.headers, SESSION).ok_or_else(to_sign_in)?;
        let token = session.clone();
        let found = blocking(Arc::from_ref(state), move |server| server.session(&token)).await;
        let (account, plant) =
            found.map_err(|error| Failed(error).into_response())?.ok_or_else(to_sign_in)?;
        let lang = language::asked(&parts.headers).or_else(|| Lang::of_code(&plant.language));
        // What a form was sent to is no page to come back to.
        let here = match parts.method {
            Method::GET => parts.uri.to_string(),
            _ => "/".to_owned(),
        };
        Ok(Self { account, plant, session, lang: lang.unwrap_or(Lang::En), here })
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
    let fields = Fields(fields);
    if secret::same_secret(fields.get("csrf"), &secret::csrf_token(token)) {
        Ok(fields)
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "error-not-our-form").into_response())
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

fn set_cookie(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax).build()
}

async fn sign_in_form(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<Response, Failed> {
    let lang = language::asked(&headers).unwrap_or(Lang::En);
    let form = match jar.get(FORM) {
        Some(cookie) => cookie.value().to_owned(),
        None => secret::new_form_token(server.random())?,
    };
    let page = sign_in_page(lang, &form, "", None);
    Ok((jar.add(set_cookie(FORM, form)), page).into_response())
}

async fn sign_in(
    State(server): State<Arc<Server>>,
    jar: CookieJar,
    request: Request,
) -> Result<Response, Response> {
    let Some(form) = jar.get(FORM).map(|cookie| cookie.value().to_owned()) else {
        return Err(Redirect::to("/sign-in").into_response());
    };
    let lang = language::asked(request.headers()).unwrap_or(Lang::En);
    let fields = read_form(request, &server, &form).await?;
    let (login, password) = (fields.get("login").to_owned(), fields.get("password").to_owned());
    let (status, error) = match blocking(server, move |server| server.sign_in(&login, &password)).await {
        Ok(Some(token)) => {
            let jar = jar.add(set_cookie(SESSION, token)).remove(Cookie::build(FORM).path("/"));
            return Ok((jar, Redirect::to("/customers")).into_response());
        }
        Ok(None) => (StatusCode::UNAUTHORIZED, "sign-in-no-match"),
        Err(Error::Refused(Refusal::Busy)) => (StatusCode::TOO_MANY_REQUESTS, "sign-in-too-many"),
        Err(error) => return Err(Failed(error).into_response()),
    };
    Ok((status, sign_in_page(lang, &form, fields.get("login"), Some(error))).into_response())
}

/// The page with which a session begins; `error` is the id of what went wrong.
fn sign_in_page(lang: Lang, form: &str, login: &str, error: Option<&str>) -> Markup {
    let (title, csrf) = (lang.text("sign-in-title"), secret::csrf_token(form));
    let content = html! {
        h1 { (title) }
        @if let Some(error) = error { p.error role="alert" { (lang.text(error)) } }
        form.card method="post" action="/sign-in" {
            (view::hidden("csrf", &csrf))
            label {
                (lang.text("sign-in-login"))
                input name="login" autocomplete="username" dir="ltr" value=(login) required;
            }
            label {
                (lang.text("sign-in-password"))
                input type="password" name="password" autocomplete="current-password" dir="ltr" required;
            }
            button { (lang.text("sign-in-send")) }
        }
        (language::form(lang, &csrf, "/sign-in"))
    };
    view::bare(lang, &title, &content)
}

async fn sign_out(
    State(server): State<Arc<Server>>,
    jar: CookieJar,
    posted: Posted,
) -> Result<Response, Failed> {
    blocking(server, move |server| server.sign_out(&posted.manager.session)).await?;
    Ok((jar.remove(Cookie::build(SESSION).path("/")), Redirect::to("/sign-in")).into_response())
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
