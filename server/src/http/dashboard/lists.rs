//! The lists: customers, those in conflict, and mutations that were rejected or parked.

use super::view::{self, Place};
use super::{Failed, Manager, explain};
use crate::http::blocking;
use crate::store::{CustomerRow, NotApplied, Part, Tx};
use crate::{Error, Server};
use axum::extract::{Query, State};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Currency, PlantId};
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
            let query = format!("q={}&", view::encoded(&wanted.q));
            let content = html! {
                div.title { h1 { "Customers" } span.muted { (part.total) } }
                form.search method="get" action="/customers" role="search" {
                    input type="search" name="q" value=(wanted.q) placeholder="Name or phone"
                        aria-label="Name or phone";
                    button { "Search" }
                }
                @if part.rows.is_empty() { p.empty { "No customer matches." } }
                (customer_list(&part, manager.plant.currency))
                (view::pager(&part, wanted.number(), PAGE, &query))
            };
            Ok(view::page(&frame, Some(Place::Customers), "Customers", &content))
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
            let content = html! {
                div.title { h1 { "Conflicts" } span.muted { (part.total) } }
                p.lead {
                    "Two people changed the same field without having seen each other’s change. One value is "
                    "shown everywhere, the other is kept. Open a customer to choose."
                }
                @if part.rows.is_empty() { p.empty { "No conflicts." } }
                (customer_list(&part, manager.plant.currency))
                (view::pager(&part, wanted.number(), PAGE, ""))
            };
            Ok(view::page(&manager.frame(tx)?, Some(Place::Conflicts), "Conflicts", &content))
        })
    });
    Ok(page.await?)
}

fn customer_list(part: &Part<CustomerRow>, currency: Currency) -> Markup {
    html! {
        ul.rows {
            @for row in &part.rows {
                li {
                    a href=(format!("/customers/{}", row.customer)) {
                        span.name {
                            (if row.name.is_empty() { "(no name)" } else { &row.name })
                            @if row.conflicts > 0 { " " span.badge { "conflict" } }
                            @if row.is_closed { " " span.badge.calm { "closed" } }
                        }
                        span.phone { (row.phone) }
                        (view::balance(row.balance, currency))
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
                true => ("Nothing of that kind.", "dealt=true&"),
                false => ("Nothing that was rejected is open.", ""),
            };
            let choice = |dealt: bool, address: &str, text: &str| {
                let current = (wanted.dealt == dealt).then_some("page");
                html! { a href=(address) aria-current=[current] { (text) } }
            };
            let content = html! {
                div.title { h1 { "Rejected and parked" } span.muted { (part.total) } }
                p.lead {
                    "What was recorded but had no effect. Nothing is thrown away: each is kept here as it came, "
                    "and its author sees it too."
                }
                p.choice {
                    (choice(false, "/rejected", "Open"))
                    (choice(true, "/rejected?dealt=true", "Dealt with"))
                }
                @if part.rows.is_empty() { p.empty { (none) } }
                @for row in &part.rows { (not_applied(tx, manager.plant.id, row)?) }
                (view::pager(&part, wanted.number(), PAGE, query))
            };
            Ok(view::page(&manager.frame(tx)?, Some(Place::Rejected), "Rejected", &content))
        })
    });
    Ok(page.await?)
}

fn not_applied(tx: &Tx<'_>, plant: PlantId, row: &NotApplied) -> Result<Markup, Error> {
    let customer = match explain::customer(&row.body) {
        Some(customer) => tx.customer_name(plant, customer)?.map(|name| (customer, name)),
        None => None,
    };
    let (badge, detail) = match &row.answer {
        Answer::Rejected { reason, detail } => (explain::rejection(*reason), detail.as_str()),
        Answer::Parked => ("parked", "kept until the server is updated to a version that knows it"),
        Answer::Applied { .. } => ("applied", ""),
    };
    Ok(html! {
        article.card {
            h2 { (explain::in_words(&row.body)) " " span.badge { (badge) } }
            @if let Some((customer, name)) = customer {
                p { "For " a href=(format!("/customers/{customer}")) { (name) } }
            }
            p { (detail) }
            @if let Some(how) = explain::dealt_with(row) { p { span.badge.calm { (how) } } }
            p.muted { (row.author) ", " (view::role(row.role)) " · received " (view::time(row.received_at)) }
            details { summary { "As it came" } pre { (row.body) } }
        }
    })
}
