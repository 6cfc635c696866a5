//! The plant's settings: in which time zone and language its pages are.

use super::text::Lang;
use super::view::{self, Place};
use super::{Failed, Manager, Posted};
use crate::http::blocking;
use crate::{Error, Rank, Server};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    saved: bool,
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    let work = move |server: &Server| {
        let flash =
            wanted.saved.then(|| html! { p.flash role="status" { (manager.lang.text("settings-saved")) } });
        page(server, &manager, &manager.plant.time_zone, flash)
    };
    Ok(blocking(server, work).await?)
}

pub(super) async fn save(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let zone = fields.get("time_zone").trim();
        if TimeZone::get(zone).is_err() {
            let text = manager.lang.with("settings-no-zone", &[("zone", zone.into())]);
            let error = html! { p.error role="alert" { (text) } };
            let page = page(server, &manager, zone, Some(error))?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        server.set_plant_formats(manager.author(), zone, fields.get("language"))?;
        Ok(Redirect::to("/settings?saved=true").into_response())
    };
    Ok(blocking(server, work).await?)
}

/// The page; `zone` is what stands in the field, `message` what became of the form.
fn page(server: &Server, manager: &Manager, zone: &str, message: Option<Markup>) -> Result<Markup, Error> {
    let frame = server.store().read(|tx| manager.frame(tx))?;
    let (lang, now) = (frame.lang, [("time", frame.time(server.now()))]);
    let title = lang.text("settings-title");
    let content = html! {
        h1 { (title) }
        @if let Some(message) = message { (message) }
        p.lead { (lang.text("settings-lead")) }
        @if frame.rank == Rank::Owner {
        form.card method="post" action="/settings" {
            (view::hidden("csrf", &frame.csrf))
            label {
                (lang.text("settings-time-zone"))
                input name="time_zone" list="zones" value=(zone) dir="ltr" autocomplete="off" required
                    aria-describedby="zone-hint";
            }
            p.muted id="zone-hint" { (lang.html("settings-time-zone-hint", &[], &now)) }
            datalist id="zones" { @for name in jiff::tz::db().available() { option value=(name); } }
            label {
                (lang.text("settings-language"))
                select name="language" {
                    @for other in Lang::ALL {
                        option value=(other.code()) lang=(other.code())
                            selected[other.code() == manager.plant.language] { (other.name()) }
                    }
                }
            }
            button { (lang.text("settings-save")) }
        }
        } @else {
            dl {
                div { dt { (lang.text("settings-time-zone")) } dd { bdi { (zone) } } }
                div { dt { (lang.text("settings-language")) } dd { (Lang::of_code(&manager.plant.language).map_or("", Lang::name)) } }
            }
        }
        dl { div { dt { (lang.text("settings-currency")) } dd { (frame.currency) } } }
    };
    Ok(view::page(&frame, Some(Place::Settings), &title, &content))
}
