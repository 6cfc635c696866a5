//! Devices: last contact, what they still hold, enrolment codes, and the end of their access.

use super::view::{self, Frame, Place};
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
        let lang = frame.lang;
        let content = html! {
            h1 { (lang.text("devices-title")) }
            @if let Some((account, code, expires_at)) = code {
                (code_card(&frame, people.iter().find(|person| person.id == *account), code, *expires_at)?)
            }
            form.card.line method="post" action="/devices/code" {
                (view::hidden("csrf", &frame.csrf))
                label {
                    (lang.text("devices-enrol-for"))
                    select name="account" {
                        @for person in &people {
                            option value=(person.id) { (person.name) " (" (frame.role(person.role)) ")" }
                        }
                    }
                }
                button { (lang.text("devices-new-code")) }
            }
            @if devices.is_empty() { p.empty { (lang.text("devices-none")) } }
            @for row in &devices { (device(&frame, row, now)) }
        };
        Ok(view::page(&frame, Some(Place::Devices), &lang.text("devices-title"), &content))
    })
}

fn code_card(
    frame: &Frame,
    person: Option<&Account>,
    code: &str,
    expires_at: Timestamp,
) -> Result<Markup, Error> {
    let qr = QrCode::new(code).map_err(|error| Error::Invalid(format!("qr code: {error}")))?;
    let svg = qr.render::<svg::Color<'_>>().min_dimensions(192, 192).build();
    // Within a page, a drawing starts at its element.
    let svg = svg.find("<svg").map_or("", |start| &svg[start..]);
    let name = person.map_or("", |person| person.name.as_str());
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
            @if row.revoked_at.is_none() {
                details {
                    summary { (lang.text("devices-revoke-ask")) }
                    p.muted { (lang.text("devices-revoke-what")) }
                    form method="post" action="/devices/revoke" {
                        (view::hidden("csrf", &frame.csrf))
                        (view::hidden("device", &row.device.to_string()))
                        button.quiet.danger { (lang.text("devices-revoke")) }
                    }
                }
            }
        }
    }
}
