//! The audit trail: every change, newest first, by whom, from where and when.

use super::explain;
use super::text::Lang;
use super::view::{self, Frame, Place};
use super::{Failed, Manager};
use crate::http::blocking;
use crate::store::{Account, Cursor, Entry, Filter, What};
use crate::{Error, Server};
use axum::extract::{Query, State};
use carboy_protocol::wire::Answer;
use carboy_protocol::{ActorId, CustomerId, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Lines on one page.
const LINES: usize = 50;

/// The kinds of lines, and the ids of what they are called: mutations first, then the other changes.
const KINDS: [(&str, &str); 38] = [
    ("confirm_delivery", "kind-confirm-delivery"),
    ("collect_cash", "kind-collect-cash"),
    ("update_profile", "kind-update-profile"),
    ("fail_delivery", "kind-fail-delivery"),
    ("note_progress", "kind-note-progress"),
    ("add_customer", "kind-add-customer"),
    ("start_shift", "kind-start-shift"),
    ("finish_shift", "kind-finish-shift"),
    ("load_stock", "kind-load-stock"),
    ("return_stock", "kind-return-stock"),
    ("hand_in_cash", "kind-hand-in-cash"),
    ("withdraw", "kind-withdraw"),
    ("accept", "kind-accept"),
    ("adjust_balance", "kind-adjust-balance"),
    ("set_balance", "kind-set-balance"),
    ("plant_made", "kind-plant-made"),
    ("account_added", "kind-account-added"),
    ("account_disabled", "kind-account-disabled"),
    ("account_enabled", "kind-account-enabled"),
    ("rank_changed", "kind-rank-changed"),
    ("password_reset", "kind-password-reset"),
    ("password_chosen", "kind-password-chosen"),
    ("password_changed", "kind-password-changed"),
    ("signed_in", "kind-signed-in"),
    ("sign_in_failed", "kind-sign-in-failed"),
    ("locked_out", "kind-locked-out"),
    ("signed_out", "kind-signed-out"),
    ("sessions_ended", "kind-sessions-ended"),
    ("code_made", "kind-code-made"),
    ("code_cancelled", "kind-code-cancelled"),
    ("device_enrolled", "kind-device-enrolled"),
    ("device_revoked", "kind-device-revoked"),
    ("token_made", "kind-token-made"),
    ("token_revoked", "kind-token-revoked"),
    ("record_closed", "kind-record-closed"),
    ("product_changed", "kind-product-changed"),
    ("route_changed", "kind-route-changed"),
    ("settings_changed", "kind-settings-changed"),
];

/// What the address asks for; a form sends what was not chosen as an empty text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    person: String,
    kind: String,
    customer: String,
    day: String,
    /// Where the page before ended, among the mutations and among the other changes.
    m: String,
    a: String,
}

impl Wanted {
    /// The filter, and where the page begins. A day is one of the plant's.
    fn read(&self, zone: &TimeZone) -> Result<(Filter, Cursor), Error> {
        let day = chosen::<Date>("day", &self.day)?;
        let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).ok().map(|at| at.as_millisecond());
        let end = day.and_then(|day| start(day.tomorrow().ok()?)).unwrap_or(i64::MAX);
        let filter = Filter {
            person: chosen("person", &self.person)?,
            kind: (!self.kind.is_empty()).then(|| self.kind.clone()),
            customer: chosen("customer", &self.customer)?,
            from: day.and_then(start).map(Timestamp),
        };
        Ok((filter, self.cursor().unwrap_or(Cursor::before(Timestamp(end)))))
    }

    fn cursor(&self) -> Option<Cursor> {
        let mut mutation = self.m.split('.');
        let (at, actor, seq) = (mutation.next()?, mutation.next()?, mutation.next()?);
        let (change_at, number) = self.a.split_once('.')?;
        Some(Cursor {
            mutation: (at.parse().ok()?, actor.parse::<ActorId>().ok()?, seq.parse().ok()?),
            change: (change_at.parse().ok()?, number.parse().ok()?),
        })
    }

    /// The address of what follows.
    fn next(&self, cursor: Cursor) -> String {
        let Cursor { mutation: (at, actor, seq), change: (change_at, number) } = cursor;
        let query = [
            ("person", &self.person),
            ("kind", &self.kind),
            ("customer", &self.customer),
            ("day", &self.day),
        ];
        let query = query.map(|(name, value)| format!("{name}={}&", view::encoded(value))).concat();
        format!("?{query}m={at}.{actor}.{seq}&a={change_at}.{number}")
    }
}

/// What was chosen in a field, if anything was.
fn chosen<T: std::str::FromStr>(name: &str, text: &str) -> Result<Option<T>, Error> {
    let read = (!text.is_empty()).then(|| text.parse()).transpose();
    read.map_err(|_| Error::malformed(format!("{name} {text:?}")))
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, &wanted)).await?)
}

fn page(server: &Server, manager: &Manager, wanted: &Wanted) -> Result<Markup, Error> {
    let plant = manager.plant.id;
    server.store().read(|tx| {
        let frame = manager.frame(tx)?;
        let (filter, cursor) = wanted.read(&frame.zone)?;
        let (trail, people) = (tx.trail(plant, &filter, cursor, LINES)?, tx.accounts(plant)?);
        let customer = match filter.customer {
            Some(customer) => tx.customer_name(plant, customer)?.map(|name| (customer, name)),
            None => None,
        };
        let lang = frame.lang;
        let content = html! {
            h1 { (lang.text("audit-title")) }
            p.lead { (lang.text("audit-lead")) }
            (filters(lang, wanted, &people, customer.as_ref()))
            @if trail.entries.is_empty() { p.empty { (lang.text("audit-none")) } }
            @for line in &trail.entries { (entry(&frame, line)) }
            @if let Some(next) = trail.next {
                nav.pager aria-label=(lang.text("audit-older")) {
                    a rel="next" href=(wanted.next(next)) {
                        (lang.text("audit-older")) span.on aria-hidden="true" { " →" }
                    }
                }
            }
        };
        Ok(view::page(&frame, Some(Place::Audit), &lang.text("audit-title"), &content))
    })
}

fn filters(
    lang: Lang,
    wanted: &Wanted,
    people: &[Account],
    customer: Option<&(CustomerId, String)>,
) -> Markup {
    html! {
        form.card.line method="get" action="/audit" role="search" {
            label {
                (lang.text("audit-person"))
                select name="person" {
                    option value="" { (lang.text("audit-everybody")) }
                    @for person in people {
                        @let id = person.id.to_string();
                        option value=(id) selected[id == wanted.person] { (person.name) }
                    }
                }
            }
            label {
                (lang.text("audit-kind"))
                select name="kind" {
                    option value="" { (lang.text("audit-everything")) }
                    @for (kind, text) in KINDS {
                        option value=(kind) selected[kind == wanted.kind] { (lang.text(text)) }
                    }
                }
            }
            label { (lang.text("audit-day")) input type="date" name="day" value=(wanted.day); }
            @if let Some((id, name)) = customer {
                (view::hidden("customer", &id.to_string()))
                p { (lang.html("rejected-for", &[], &[("customer", html! { bdi { (name) } })])) }
            }
            button { (lang.text("audit-show")) }
            a href="/audit" { (lang.text("audit-all")) }
        }
    }
}

/// What a kind is called; one of a later version has only its name.
fn kind_name(lang: Lang, kind: &str) -> String {
    let text = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, text)| lang.text(text));
    text.unwrap_or_else(|| kind.to_owned())
}

fn entry(frame: &Frame, line: &Entry) -> Markup {
    let lang = frame.lang;
    html! {
        article.card.entry {
            @match &line.what {
                What::Mutation { body, answer, customer } => {
                    h2 { (explain::in_words(lang, body)) (answer_badge(lang, answer)) }
                    @if let Some((id, name)) = customer {
                        @let link = html! { a href=(format!("/customers/{id}")) { bdi { (name) } } };
                        p { (lang.html("rejected-for", &[], &[("customer", link)])) }
                    }
                }
                What::Change { kind, detail } => {
                    h2 { (kind_name(lang, kind)) @if !detail.is_empty() { ": " bdi { (detail) } } }
                }
            }
            p.muted { (frame.time(line.at)) " · " (whence(lang, line)) }
        }
    }
}

fn answer_badge(lang: Lang, answer: &Answer) -> Markup {
    match answer {
        Answer::Applied { .. } => html! {},
        Answer::Rejected { reason, .. } => html! { " " span.badge { (explain::rejection(lang, *reason)) } },
        Answer::Parked => html! { " " span.badge { (lang.text("rejected-parked")) } },
    }
}

/// Who, with what, from where.
fn whence(lang: Lang, line: &Entry) -> Markup {
    let with = match (&line.device, &line.address) {
        (Some((name, false)), _) => lang.with("audit-phone", &[("name", name.into())]),
        (Some((name, true)), _) => lang.with("audit-script", &[("name", name.into())]),
        (None, Some(_)) => lang.text("audit-dashboard"),
        (None, None) => lang.text("audit-here"),
    };
    html! {
        @if let Some(author) = &line.author { bdi { (author) } " · " }
        (with)
        @if let Some(address) = line.address.as_ref().filter(|address| !address.is_empty()) {
            " · " bdi dir="ltr" { (address) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Change;

    #[test]
    fn every_kind_of_change_can_be_chosen_and_has_a_name() {
        let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let behind: Vec<_> = Change::ALL.into_iter().map(Change::name).collect();
        assert_eq!(kinds[15..], behind, "behind the kinds of mutations");
    }
}
