//! Signing in and out, and choosing a password with a one-time link: the pages of whoever has no session.

use super::problem::Problem;
use super::text::Lang;
use super::view;
use super::{Cookies, Failed, Fields, Posted, language, read_form};
use crate::http::blocking;
use crate::http::client::Client;
use crate::{Error, Origin, Server, secret};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use std::sync::Arc;

/// The secret that ties a form without a session to the browser that asked for it, and the cookies with it.
fn form_secret(server: &Server, jar: CookieJar) -> Result<(String, CookieJar), Error> {
    let cookies = Cookies::of(server);
    let form = match jar.get(cookies.form()) {
        Some(cookie) => cookie.value().to_owned(),
        None => secret::new_form_token(server.random())?,
    };
    Ok((form.clone(), jar.add(cookies.made(cookies.form(), form))))
}

/// Reads a form that [`form_secret`] was made for; the secret too.
async fn read_secret_form(
    server: &Arc<Server>,
    jar: &CookieJar,
    request: Request,
) -> Result<(String, Fields), Response> {
    let form = jar.get(Cookies::of(server).form()).map(|cookie| cookie.value().to_owned());
    let form = form.ok_or_else(|| Redirect::to("/sign-in").into_response())?;
    let fields = read_form(request, server, &form).await?;
    Ok((form, fields))
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<Response, Failed> {
    let lang = language::asked(&headers).unwrap_or(Lang::En);
    let (form, jar) = form_secret(&server, jar)?;
    Ok((jar, page(lang, &form, "", None)).into_response())
}

pub(super) async fn send(
    State(server): State<Arc<Server>>,
    client: Client,
    jar: CookieJar,
    request: Request,
) -> Result<Response, Response> {
    let lang = language::asked(request.headers()).unwrap_or(Lang::En);
    let (form, fields) = read_secret_form(&server, &jar, request).await?;
    let (login, password) = (fields.get("login").to_owned(), fields.get("password").to_owned());
    let cookies = Cookies::of(&server);
    // Whoever signs in again leaves no open session behind that nobody holds.
    let old = jar.get(cookies.session()).map(|cookie| cookie.value().to_owned());
    let work = move |server: &Server| {
        let token = server.sign_in(&client.text(), &login, &password)?;
        if let (Some(old), true) = (old, token.is_some()) {
            server.sign_out(&old, &Origin::Browser { address: client.text() })?;
        }
        Ok(token)
    };
    let (status, error) = match blocking(server, work).await {
        Ok(Some(token)) => {
            let jar = jar.add(cookies.made(cookies.session(), token)).add(cookies.gone(cookies.form()));
            return Ok((jar, Redirect::to("/rounds")).into_response());
        }
        Ok(None) => (StatusCode::UNAUTHORIZED, lang.text("sign-in-no-match")),
        Err(Error::Wait { seconds }) => (StatusCode::TOO_MANY_REQUESTS, too_many(lang, seconds)),
        Err(error) => return Err(Failed(error).into_response()),
    };
    Ok((status, page(lang, &form, fields.get("login"), Some(&error))).into_response())
}

/// That somebody has to wait before the next attempt.
pub(super) fn too_many(lang: Lang, seconds: u64) -> String {
    lang.with("sign-in-too-many", &[("minutes", seconds.div_ceil(60).into())])
}

/// The page with which a session begins.
fn page(lang: Lang, form: &str, login: &str, error: Option<&str>) -> Markup {
    let (title, csrf) = (lang.text("sign-in-title"), secret::csrf_token(form));
    let content = html! {
        h1 { (title) }
        @if let Some(error) = error { p.error role="alert" { (error) } }
        form.card method="post" action="/sign-in" {
            (view::hidden("csrf", &csrf))
            label {
                (lang.text("sign-in-login"))
                input name="login" autocomplete="username" dir="ltr" value=(login) required;
            }
            (password_field(lang, "password", "sign-in-password", "current-password"))
            button { (lang.text("sign-in-send")) }
        }
        (language::form(lang, &csrf, "/sign-in"))
    };
    view::bare(lang, &title, &content)
}

/// A field for a password; `text` is the id of what it is called.
pub(super) fn password_field(lang: Lang, name: &str, text: &str, autocomplete: &str) -> Markup {
    html! {
        label { (lang.text(text)) input type="password" name=(name) autocomplete=(autocomplete) dir="ltr" required; }
    }
}

pub(super) async fn leave(
    State(server): State<Arc<Server>>,
    jar: CookieJar,
    posted: Posted,
) -> Result<Response, Failed> {
    let cookies = Cookies::of(&server);
    let manager = posted.manager;
    blocking(server, move |server| server.sign_out(&manager.session, &manager.origin)).await?;
    Ok((jar.add(cookies.gone(cookies.session())), Redirect::to("/sign-in")).into_response())
}

/// The page of a one-time link.
pub(super) async fn show_link(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    Path(token): Path<String>,
    jar: CookieJar,
) -> Result<Response, Failed> {
    let lang = language::asked(&headers).unwrap_or(Lang::En);
    let (form, jar) = form_secret(&server, jar)?;
    let page = blocking(server, move |server| link_page(server, lang, &form, &token, None));
    Ok((jar, page.await?).into_response())
}

/// Sets the password that was chosen; then its owner can sign in.
pub(super) async fn send_link(
    State(server): State<Arc<Server>>,
    client: Client,
    Path(token): Path<String>,
    jar: CookieJar,
    request: Request,
) -> Result<Response, Response> {
    let lang = language::asked(request.headers()).unwrap_or(Lang::En);
    let (form, fields) = read_secret_form(&server, &jar, request).await?;
    let work = move |server: &Server| {
        let password = fields.get("password");
        let error = if password == fields.get("again") {
            match server.choose_password(&Origin::Browser { address: client.text() }, &token, password) {
                Ok(true) => return Ok(Redirect::to("/sign-in").into_response()),
                // The page says that the link is good no more.
                Ok(false) => String::new(),
                Err(Error::Unfit(unfit)) => unfit.in_words(lang),
                Err(error) => return Err(error),
            }
        } else {
            lang.text("password-differs")
        };
        let page = link_page(server, lang, &form, &token, Some(&error))?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    blocking(server, work).await.map_err(|error| Failed(error).into_response())
}

fn link_page(
    server: &Server,
    lang: Lang,
    form: &str,
    token: &str,
    error: Option<&str>,
) -> Result<Response, Error> {
    let Some((account, login)) = server.password_link(token)? else {
        return Ok(Problem::new(StatusCode::NOT_FOUND, "password-link-gone").into_response());
    };
    let (title, action) = (lang.text("password-title"), format!("/password/{token}"));
    let content = html! {
        h1 { (title) }
        p { (lang.html("password-lead", &[], &[("name", html! { bdi { (account.name) } })])) }
        @if let Some(error) = error { p.error role="alert" { (error) } }
        form.card method="post" action=(action) {
            (view::hidden("csrf", &secret::csrf_token(form)))
            label {
                (lang.text("sign-in-login"))
                input name="login" autocomplete="username" dir="ltr" value=(login) readonly;
            }
            (password_field(lang, "password", "password-new", "new-password"))
            (password_field(lang, "again", "password-again", "new-password"))
            p.muted { (lang.text("password-hint")) }
            button { (lang.text("password-save")) }
        }
    };
    Ok(view::bare(lang, &title, &content).into_response())
}
