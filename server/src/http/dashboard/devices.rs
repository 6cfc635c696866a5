//! Devices: last contact, what they still hold, enrolment codes, and the end of their access.

use super::view::{self, Frame, Place};
use super::{Failed, Manager, Posted};
use crate::http::blocking;
use crate::store::{Account, DeviceRow};
use crate::{Error, Rank, Server};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carboy_protocol::{AccountId, DeviceId, Timestamp};
use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;
use std::sync::Arc;

pub(super) async fn show(State(server): State<Arc<Server>>, manager: Manager) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, None)).await?)
}

pub(super) async fn new_code(State(server): State<Arc<Server>>, posted: Posted) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        let account = posted.fields.hidden::<AccountId>("account")?;
        let (code, until) = server.create_enrol_code(posted.manager.author(), account)?;
        page(server, &posted.manager, Some(&Made::Code { account, code, until }))
    });
    Ok(page.await?)
}

pub(super) async fn revoke(State(server): State<Arc<Server>>, posted: Posted) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        server.revoke_device(posted.manager.author(), posted.fields.hidden::<DeviceId>("device")?)
    });
    work.await?;
    Ok(Redirect::to("/devices"))
}

pub(super) async fn cancel_code(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        let (account, until) = (fields.hidden("account")?, fields.hidden("until")?);
        server.cancel_code(manager.author(), account, Timestamp(until))
    });
    work.await?;
    Ok(Redirect::to("/devices"))
}

pub(super) async fn new_token(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let account = fields.hidden::<AccountId>("account")?;
        match server.create_token(manager.author(), account, fields.get("name")) {
            Ok(token) => Ok(page(server, &manager, Some(&Made::Token(token)))?.into_response()),
            Err(Error::Unfit(unfit)) => {
                let page = page(server, &manager, Some(&Made::Error(unfit.in_words(manager.lang))))?;
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            Err(error) => Err(error),
        }
    };
    Ok(blocking(server, work).await?)
}

pub(super) async fn revoke_token(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        server.revoke_token(manager.author(), fields.hidden::<DeviceId>("device")?)
    });
    work.await?;
    Ok(Redirect::to("/devices"))
}

/// What a form left to show.
enum Made {
    Code { account: AccountId, code: String, until: Timestamp },
    Token(String),
    Error(String),
}

fn page(server: &Server, manager: &Manager, made: Option<&Made>) -> Result<Markup, Error> {
    let (now, plant) = (server.now(), manager.plant.id);
    server.store().read(|tx| {
        let (devices, people) = (tx.devices(plant)?, tx.accounts(plant)?);
        let name = |id| people.iter().find(|person| person.id == id).map_or("", |person| person.name.as_str());
        let frame = manager.frame(tx)?;
        let lang = frame.lang;
        let content = html! {
            h1 { (lang.text("devices-title")) }
            @match made {
                Some(Made::Code { account, code, until }) => (code_card(&frame, &manager.site, name(*account), code, *until)?),
                Some(Made::Token(token)) => (token_card(&frame, token)),
                Some(Made::Error(error)) => p.error role="alert" { (error) },
                None => {},
            }
            @if frame.may_work() { (code_form(&frame, &people)) }
            @for (account, until) in tx.open_codes(plant, now)? { (open_code(&frame, name(account), account, until)) }
            @if frame.rank == Rank::Owner { (token_form(&frame, &people)) }
            @if devices.is_empty() { p.empty { (lang.text("devices-none")) } }
            @for row in &devices { (device(&frame, row, now)) }
        };
        Ok(view::page(&frame, Some(Place::Devices), &lang.text("devices-title"), &content))
    })
}

/// A choice among people; `fits` says whom.
fn person_field(frame: &Frame, label: &str, people: &[Account], fits: fn(&Account) -> bool) -> Markup {
    html! {
        label {
            (frame.lang.text(label))
            select name="account" {
                @for person in people.iter().filter(|person| !person.is_disabled && fits(person)) {
                    option value=(person.id) { (person.name) " (" (frame.role(person.role)) ")" }
                }
            }
        }
    }
}

fn code_form(frame: &Frame, people: &[Account]) -> Markup {
    html! {
        form.card.line method="post" action="/devices/code" {
            (view::hidden("csrf", &frame.csrf))
            (person_field(frame, "devices-enrol-for", people, Account::may_record))
            button { (frame.lang.text("devices-new-code")) }
        }
    }
}

/// A code that nobody has used yet.
fn open_code(frame: &Frame, name: &str, account: AccountId, until: Timestamp) -> Markup {
    let lang = frame.lang;
    html! {
        div.card.line {
            p {
                (lang.with("devices-code-for", &[("name", name.into())])) " · "
                span.muted { (lang.html("devices-code-until", &[], &[("time", frame.time(until))])) }
            }
            @if frame.may_work() {
                form method="post" action="/devices/cancel" {
                    (view::hidden("csrf", &frame.csrf))
                    (view::hidden("account", &account.to_string()))
                    (view::hidden("until", &until.0.to_string()))
                    button.quiet.danger { (lang.text("devices-code-cancel")) }
                }
            }
        }
    }
}

fn token_form(frame: &Frame, people: &[Account]) -> Markup {
    let lang = frame.lang;
    html! {
        details.card {
            summary { (lang.text("devices-token-new")) }
            p.muted { (lang.text("devices-token-what")) }
            form.line method="post" action="/tokens" {
                (view::hidden("csrf", &frame.csrf))
                (person_field(frame, "devices-token-for", people, |person| person.rank.is_some()))
                label { (lang.text("devices-token-name")) input name="name" autocomplete="off" dir="auto" required; }
                button { (lang.text("devices-token-make")) }
            }
        }
    }
}

fn token_card(frame: &Frame, token: &str) -> Markup {
    html! {
        section.card.link role="status" {
            h2 { (frame.lang.text("devices-token")) }
            p { code dir="ltr" { (token) } }
            p.muted { (frame.lang.text("devices-token-use")) }
        }
    }
}

/// What the app reads from the drawing: where the server is, and the code. See `docs/protocol.md`.
fn enrol_link(site: &str, code: &str) -> String {
    format!("carboy://enrol?server={}&code={code}", view::encoded(site))
}

fn code_card(
    frame: &Frame,
    site: &str,
    name: &str,
    code: &str,
    expires_at: Timestamp,
) -> Result<Markup, Error> {
    let qr =
        QrCode::new(enrol_link(site, code)).map_err(|error| Error::Invalid(format!("qr code: {error}")))?;
    let svg = qr.render::<svg::Color<'_>>().min_dimensions(192, 192).build();
    // Within a page, a drawing starts at its element.
    let svg = svg.find("<svg").map_or("", |start| &svg[start..]);
    let until = [("time", frame.time(expires_at))];
    Ok(html! {
        section.card.code role="status" {
            h2 { (frame.lang.with("devices-code-for", &[("name", name.into())])) }
            div dir="ltr" { p.figure { (code) } }
            div.qr aria-hidden="true" { (PreEscaped(svg)) }
            p.muted { (frame.lang.html("devices-code-use", &[], &until)) }
        }
    })
}

fn device(frame: &Frame, row: &DeviceRow, now: Timestamp) -> Markup {
    let lang = frame.lang;
    let contact = row.last_seen.map_or_else(|| lang.text("devices-never"), |seen| frame.ago(seen, now));
    html! {
        article.card.device {
            h2 {
                bdi { (row.owner) } " " bdi.muted { (row.name) }
                @if row.is_script { " " span.badge.calm { (lang.text("devices-script")) } }
                @if row.revoked_at.is_some() { " " span.badge { (lang.text("devices-revoked")) } }
                @if row.is_chain_broken { " " span.badge { (lang.text("devices-changed")) } }
            }
            dl {
                div { dt { (lang.text("devices-last-contact")) } dd { (contact) } }
                div {
                    dt { (lang.text("devices-unsent")) }
                    dd {
                        @if row.unsent > 0 { span.badge { (lang.number(row.unsent)) } }
                        @else { (lang.text("devices-nothing")) }
                    }
                }
                div { dt { (lang.text("devices-enrolled")) } dd { (frame.time(row.enrolled_at)) } }
            }
            @if row.is_chain_broken { p.error { (lang.text("devices-changed-why")) } }
            @let (address, least) = if row.is_script { ("/tokens/revoke", Rank::Owner) } else { ("/devices/revoke", Rank::Manager) };
            @if row.revoked_at.is_none() && frame.rank >= least {
                details {
                    summary { (lang.text("devices-revoke-ask")) }
                    p.muted { (lang.text("devices-revoke-what")) }
                    form method="post" action=(address) {
                        (view::hidden("csrf", &frame.csrf))
                        (view::hidden("device", &row.device.to_string()))
                        button.quiet.danger { (lang.text("devices-revoke")) }
                    }
                }
            }
        }
    }
}
