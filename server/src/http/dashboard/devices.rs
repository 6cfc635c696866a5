//! Devices: last contact, what they still hold, enrolment codes, and the end of their access.

use super::view::{self, Place};
use super::{Failed, Manager, Posted};
use crate::http::blocking;
use crate::store::{Account, DeviceRow};
use crate::{Error, Server};
use axum::extract::State;
use axum::response::Redirect;
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
        let (plant, account) = (posted.manager.plant.id, posted.fields.hidden::<AccountId>("account")?);
        let (code, expires_at) = server.create_enrol_code(plant, account)?;
        page(server, &posted.manager, Some(&(account, code, expires_at)))
    });
    Ok(page.await?)
}

pub(super) async fn revoke(State(server): State<Arc<Server>>, posted: Posted) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        server.revoke_device(posted.manager.plant.id, posted.fields.hidden::<DeviceId>("device")?)
    });
    work.await?;
    Ok(Redirect::to("/devices"))
}

fn page(
    server: &Server,
    manager: &Manager,
    code: Option<&(AccountId, String, Timestamp)>,
) -> Result<Markup, Error> {
    let now = server.now();
    server.store().read(|tx| {
        let (devices, people) = (tx.devices(manager.plant.id)?, tx.accounts(manager.plant.id)?);
        let frame = manager.frame(tx)?;
        let content = html! {
            h1 { "Devices" }
            @if let Some((account, code, expires_at)) = code {
                (code_card(people.iter().find(|person| person.id == *account), code, *expires_at)?)
            }
            form.card.line method="post" action="/devices/code" {
                (view::hidden("csrf", &frame.csrf))
                label {
                    "Enrol a phone for"
                    select name="account" {
                        @for person in &people {
                            option value=(person.id) { (person.name) " (" (view::role(person.role)) ")" }
                        }
                    }
                }
                button { "New code" }
            }
            @if devices.is_empty() { p.empty { "No phone is enrolled yet." } }
            @for row in &devices { (device(row, now, &frame.csrf)) }
        };
        Ok(view::page(&frame, Some(Place::Devices), "Devices", &content))
    })
}

fn code_card(person: Option<&Account>, code: &str, expires_at: Timestamp) -> Result<Markup, Error> {
    let qr = QrCode::new(code).map_err(|error| Error::Invalid(format!("qr code: {error}")))?;
    let svg = qr.render::<svg::Color<'_>>().min_dimensions(192, 192).build();
    // Within a page, a drawing starts at its element.
    let svg = svg.find("<svg").map_or("", |start| &svg[start..]);
    Ok(html! {
        section.card.code role="status" {
            h2 { "Code for " (person.map_or("", |person| &person.name)) }
            p.figure { (code) }
            div.qr aria-hidden="true" { (PreEscaped(svg)) }
            p.muted {
                "Type or scan it in the app. It works once, until " (view::time(expires_at))
                ", and is not shown again."
            }
        }
    })
}

fn device(row: &DeviceRow, now: Timestamp, csrf: &str) -> Markup {
    let contact = row.last_seen.map_or_else(|| "never".to_owned(), |seen| view::ago(seen, now));
    html! {
        article.card.device {
            h2 {
                (row.owner) " " span.muted { (row.name) }
                @if row.revoked_at.is_some() { " " span.badge { "revoked" } }
                @if row.is_chain_broken { " " span.badge { "record changed" } }
            }
            dl {
                div { dt { "Last contact" } dd { (contact) } }
                div {
                    dt { "Unsent then" }
                    dd { @if row.unsent > 0 { span.badge { (row.unsent) } } @else { "nothing" } }
                }
                div { dt { "Enrolled" } dd { (view::time(row.enrolled_at)) } }
            }
            @if row.is_chain_broken {
                p.error {
                    "What this phone sent is not what its own record says it wrote. What was changed had no effect "
                    "and is kept under Rejected. Ask for the phone and compare the day’s cash."
                }
            }
            @if row.revoked_at.is_none() {
                details {
                    summary { "Revoke access…" }
                    p.muted { "What it recorded stays on it; it can send that only after it is enrolled again." }
                    form method="post" action="/devices/revoke" {
                        (view::hidden("csrf", csrf))
                        (view::hidden("device", &row.device.to_string()))
                        button.quiet.danger { "Revoke" }
                    }
                }
            }
        }
    }
}
