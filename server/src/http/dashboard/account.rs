//! One's own account: the password, and where one is signed in.

use super::sign_in::{password_field, too_many};
use super::view::{self, Frame};
use super::{Failed, Manager, Posted};
use crate::http::blocking;
use crate::store::SessionRow;
use crate::{Error, Server};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub(super) async fn show(State(server): State<Arc<Server>>, manager: Manager) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, None)).await?)
}

/// Changes the password, or shows the form again with what is wrong.
pub(super) async fn change(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let (lang, new) = (manager.lang, fields.get("password"));
        let error = if new == fields.get("again") {
            match server.change_password(manager.author(), &manager.session, fields.get("old"), new) {
                Ok(true) => {
                    let done = html! { p.flash role="status" { (lang.text("account-changed")) } };
                    return Ok(page(server, &manager, Some(done))?.into_response());
                }
                Ok(false) => lang.text("account-wrong-password"),
                Err(Error::Wait { seconds }) => too_many(lang, seconds),
                Err(Error::Unfit(unfit)) => unfit.in_words(lang),
                Err(error) => return Err(error),
            }
        } else {
            lang.text("password-differs")
        };
        let page = page(server, &manager, Some(html! { p.error role="alert" { (error) } }))?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    Ok(blocking(server, work).await?)
}

/// Ends all sessions but this one.
pub(super) async fn end_others(
    State(server): State<Arc<Server>>,
    Posted { manager, .. }: Posted,
) -> Result<Redirect, Failed> {
    blocking(server, move |server| server.end_other_sessions(manager.author(), &manager.session)).await?;
    Ok(Redirect::to("/account"))
}

fn page(server: &Server, manager: &Manager, message: Option<Markup>) -> Result<Markup, Error> {
    server.store().read(|tx| {
        let (frame, sessions) =
            (manager.frame(tx)?, server.sessions(tx, &manager.account, &manager.session)?);
        let lang = frame.lang;
        let title = lang.text("account-title");
        let content = html! {
            div.title { h1 { (title) } span.muted { bdi { (frame.manager) } ", " (frame.rank_name(frame.rank)) } }
            @if let Some(message) = message { (message) }
            div.columns {
                section.card {
                    h2 { (lang.text("account-password")) }
                    form method="post" action="/account/password" {
                        (view::hidden("csrf", &frame.csrf))
                        (password_field(lang, "old", "account-old-password", "current-password"))
                        (password_field(lang, "password", "password-new", "new-password"))
                        (password_field(lang, "again", "password-again", "new-password"))
                        p.muted { (lang.text("password-hint")) " " (lang.text("account-ends-others")) }
                        button { (lang.text("password-save")) }
                    }
                }
                section.card {
                    h2 { (lang.text("account-sessions")) }
                    ul { @for (row, is_own) in &sessions { li { (session(&frame, row, *is_own)) } } }
                    @if sessions.len() > 1 {
                        form method="post" action="/account/sessions" {
                            (view::hidden("csrf", &frame.csrf))
                            button.quiet.danger { (lang.text("account-end-others")) }
                        }
                    }
                }
            }
        };
        Ok(view::page(&frame, None, &title, &content))
    })
}

fn session(frame: &Frame, row: &SessionRow, is_own: bool) -> Markup {
    let lang = frame.lang;
    html! {
        bdi dir="ltr" { (if row.address.is_empty() { "—" } else { &row.address }) }
        @if is_own { " " span.badge.calm { (lang.text("account-this-one")) } }
        p.muted {
            (lang.html("account-since", &[], &[
                ("start", frame.time(row.started_at)),
                ("seen", frame.time(row.last_seen)),
                ("end", frame.time(row.expires_at)),
            ]))
        }
    }
}
