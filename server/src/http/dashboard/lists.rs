//! The lists: customers, those in conflict, and mutations that were rejected or parked.

use super::text::Lang;
use super::view::{self, Frame, Place};
use super::{Failed, Manager, Posted, explain};
use crate::http::blocking;
use crate::store::{Closing, CustomerRow, NotApplied, Part, Tx};
use crate::{Error, Server};
use axum::extract::{Query, State};
use axum::response::Redirect;
use carboy_protocol::wire::Answer;
use carboy_protocol::{CustomerId, PlantId};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Rows on one page of a list.
const PAGE: u64 = 50;

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: u64,
    /// Of what was not applied: that which its author has dealt with.
    #[serde(default)]
    dealt: bool,
}

impl Wanted {
    fn number(&self) -> u64 {
        // So many pages that no list has them, so few that the offset fits SQLite's integers.
        self.page.clamp(1, 1 << 40)
    }

    fn limit_offset(&self) -> (u64, u64) {
        (PAGE, (self.number() - 1) * PAGE)
    }
}

pub(super) async fn customers(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        server.store().read(|tx| {
            let part = tx.customers(manager.plant.id, &wanted.q, wanted.limit_offset())?;
            let frame = manager.frame(tx)?;
            let (lang, hint) = (frame.lang, frame.lang.text("customers-hint"));
            let query = format!("q={}&", view::encoded(&wanted.q));
            let content = html! {
                (title(lang, "customers-title", part.total))
                form.search method="get" action="/customers" role="search" {
                    input type="search" name="q" value=(wanted.q) placeholder=(hint) aria-label=(hint) dir="auto";
                    button { (lang.text("customers-search")) }
                }
                @if part.rows.is_empty() { p.empty { (lang.text("customers-none")) } }
                (customer_list(&frame, &part))
                (view::pager(lang, &part, wanted.number(), PAGE, &query))
                @if frame.may_work() { p.muted { a href="/import" { (lang.text("import-title")) } } }
            };
            Ok(view::page(&frame, Some(Place::Customers), &lang.text("customers-title"), &content))
        })
    });
    Ok(page.await?)
}

pub(super) async fn conflicts(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        server.store().read(|tx| {
            let part = tx.customers_in_conflict(manager.plant.id, wanted.limit_offset())?;
            let frame = manager.frame(tx)?;
            let lang = frame.lang;
            let content = html! {
                (title(lang, "conflicts-title", part.total))
                p.lead { (lang.text("conflicts-lead")) }
                @if part.rows.is_empty() { p.empty { (lang.text("conflicts-none")) } }
                (customer_list(&frame, &part))
                (view::pager(lang, &part, wanted.number(), PAGE, ""))
            };
            Ok(view::page(&frame, Some(Place::Conflicts), &lang.text("conflicts-title"), &content))
        })
    });
    Ok(page.await?)
}

/// The page's heading with how many there are.
fn title(lang: Lang, id: &str, total: u64) -> Markup {
    html! { div.title { h1 { (lang.text(id)) } span.muted { (lang.number(total)) } } }
}

fn customer_list(frame: &Frame, part: &Part<CustomerRow>) -> Markup {
    let lang = frame.lang;
    html! {
        ul.rows {
            @for row in &part.rows {
                li {
                    a href=(format!("/customers/{}", row.customer)) {
                        span.name {
                            @if row.name.is_empty() { (lang.text("customers-no-name")) } @else { bdi { (row.name) } }
                            @if row.conflicts > 0 { " " span.badge { (lang.text("customers-conflict")) } }
                            @if row.is_closed { " " span.badge.calm { (lang.text("customers-closed")) } }
                        }
                        span.phone { bdi { (row.phone) } }
                        (frame.balance(row.balance))
                    }
                }
            }
        }
    }
}

pub(super) async fn rejected(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        server.store().read(|tx| {
            let part = tx.not_applied(manager.plant.id, wanted.dealt, wanted.limit_offset())?;
            let (none, query) = match wanted.dealt {
                true => ("rejected-none-dealt", "dealt=true&"),
                false => ("rejected-none-open", ""),
            };
            let frame = manager.frame(tx)?;
            let lang = frame.lang;
            let choice = |dealt: bool, address: &str, id: &str| {
                let current = (wanted.dealt == dealt).then_some("page");
                html! { a href=(address) aria-current=[current] { (lang.text(id)) } }
            };
            let content = html! {
                (title(lang, "rejected-title", part.total))
                p.lead { (lang.text("rejected-lead")) }
                p.choice {
                    (choice(false, "/rejected", "rejected-open"))
                    (choice(true, "/rejected?dealt=true", "rejected-dealt"))
                }
                @if part.rows.is_empty() { p.empty { (lang.text(none)) } }
                @for row in &part.rows { (not_applied(tx, &frame, manager.plant.id, row)?) }
                (view::pager(lang, &part, wanted.number(), PAGE, query))
            };
            Ok(view::page(&frame, Some(Place::Rejected), &lang.text("rejected-title"), &content))
        })
    });
    Ok(page.await?)
}

fn not_applied(tx: &Tx<'_>, frame: &Frame, plant: PlantId, row: &NotApplied) -> Result<Markup, Error> {
    let lang = frame.lang;
    let customer = match explain::customer(&row.body) {
        Some(customer) => tx.customer_name(plant, customer)?.map(|name| (customer, name)),
        None => None,
    };
    let (badge, detail) = match &row.answer {
        Answer::Rejected { reason, detail } => {
            (explain::rejection(lang, *reason), html! { p lang="en" { bdi { (detail) } } })
        }
        Answer::Parked => (lang.text("rejected-parked"), html! { p { (lang.text("rejected-parked-why")) } }),
        Answer::Applied { .. } => (lang.text("rejected-applied"), html! {}),
    };
    Ok(html! {
        article.card {
            h2 { (explain::in_words(lang, &row.body)) " " span.badge { (badge) } }
            @if let Some((customer, name)) = customer {
                p { (lang.html("rejected-for", &[], &[("customer", link(customer, &name))])) }
            }
            (detail)
            @if let Some(how) = explain::dealt_with(lang, row) { p { span.badge.calm { (how) } } }
            p.muted {
                (frame.by(&row.author, row.role)) " · "
                (lang.html("rejected-received", &[], &[("time", frame.time(row.received_at))]))
            }
            @if let Some(closing) = &row.closing { (closed(frame, closing)) }
            @if frame.may_work() && row.closed_by.is_none() && row.closing.is_none() { (close_form(frame, row)) }
            details { summary { (lang.text("rejected-as-it-came")) } pre dir="ltr" { (row.body) } }
        }
    })
}

/// What a manager did about it.
fn closed(frame: &Frame, closing: &Closing) -> Markup {
    let (name, time) = (html! { bdi { (closing.closer) } }, frame.time(closing.at));
    html! {
        p {
            span.badge.calm { (frame.lang.html("rejected-closed-by", &[], &[("name", name), ("time", time)])) }
            @if let Some(note) = &closing.note { " " bdi { (note) } }
        }
    }
}

fn close_form(frame: &Frame, row: &NotApplied) -> Markup {
    let lang = frame.lang;
    html! {
        details {
            summary { (lang.text("rejected-close")) }
            @if row.answer == Answer::Parked { p.muted { (lang.text("rejected-close-parked")) } }
            form.line method="post" action="/rejected/close" {
                (view::hidden("csrf", &frame.csrf))
                (view::hidden("account", &row.account.to_string()))
                (view::hidden("txn", &row.txn.to_string()))
                label { (lang.text("rejected-note")) input name="note" autocomplete="off" dir="auto"; }
                button { (lang.text("rejected-close-send")) }
            }
        }
    }
}

/// Closes what had no effect, with or without a word about it. Sent twice, it is closed once.
pub(super) async fn close(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        let record = (fields.hidden("account")?, fields.hidden("txn")?);
        server.close_record(manager.author(), record, fields.get("note"))
    });
    work.await?;
    Ok(Redirect::to("/rejected"))
}

fn link(customer: CustomerId, name: &str) -> Markup {
    html! { a href=(format!("/customers/{customer}")) { bdi { (name) } } }
}
