//! The frame around every page, and the small parts that pages share.

use super::amount;
use crate::store::Part;
use carboy_protocol::{Currency, Money, Role, Timestamp};
use maud::{DOCTYPE, Markup, html};
use std::fmt::Write;
use time::OffsetDateTime;
use time::macros::format_description;

/// The stylesheet's address.
pub(super) const STYLE: &str = "/style.css";

/// What every page of a signed-in manager shows around its content.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) plant: String,
    pub(super) manager: String,
    /// What each form carries.
    pub(super) csrf: String,
    pub(super) conflicts: u64,
    pub(super) open: u64,
}

/// The places that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Customers,
    Conflicts,
    Rejected,
    Devices,
}

pub(super) fn page(frame: &Frame, place: Option<Place>, title: &str, content: &Markup) -> Markup {
    let link = |to: Place, address: &str, text: &str, count: u64| {
        let current = (place == Some(to)).then_some("page");
        html! {
            a href=(address) aria-current=[current] {
                (text) @if count > 0 { " " span.count { (count) } }
            }
        }
    };
    let body = html! {
        header {
            div.bar {
                a.brand href="/customers" { "Carboy" }
                span.plant { (frame.plant) }
                form method="post" action="/sign-out" {
                    (hidden("csrf", &frame.csrf))
                    span.who { (frame.manager) }
                    button.quiet { "Sign out" }
                }
            }
            nav aria-label="Main" {
                (link(Place::Customers, "/customers", "Customers", 0))
                (link(Place::Conflicts, "/conflicts", "Conflicts", frame.conflicts))
                (link(Place::Rejected, "/rejected", "Rejected", frame.open))
                (link(Place::Devices, "/devices", "Devices", 0))
            }
        }
        main { (content) }
        footer { "All times are UTC." }
    };
    document(title, &body)
}

/// A page for whoever is not signed in, or where something went wrong.
pub(super) fn bare(title: &str, content: &Markup) -> Markup {
    document(title, &html! { main.bare { p.brand { "Carboy" } (content) } })
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Carboy" }
                link rel="stylesheet" href=(STYLE);
            }
            body { (body) }
        }
    }
}

pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A balance in words and figures: positive is what the customer owes.
pub(super) fn balance(minor: i64, currency: Currency) -> Markup {
    let figure = format!("{currency}\u{a0}{}", amount::plain(minor, currency));
    match minor {
        ..0 => html! { span.credit { "credit " b { (figure) } } },
        0 => html! { span.even { b { (figure) } } },
        1.. => html! { span.owes { "owes " b { (figure) } } },
    }
}

pub(super) fn signed(minor: i64, currency: Currency) -> Markup {
    let class = if minor < 0 { "minus" } else { "plus" };
    html! { span class=(class) { (amount::signed(Money::new(minor, currency), true)) } }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Rider => "rider",
        Role::Manager => "manager",
    }
}

/// A time as people write it. A clock may say anything: what is no date is shown as the number it is.
pub(super) fn time(at: Timestamp) -> Markup {
    let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]");
    let exact = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000);
    let text = exact.ok().and_then(|at| at.format(&format).ok());
    html! { time { (text.unwrap_or_else(|| format!("clock at {}", at.0))) } }
}

/// How long ago that was.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let minutes = now.0.saturating_sub(then.0).max(0) / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// Links to the neighbouring parts of a list. `query` is what else the address holds, encoded, ending in `&`.
pub(super) fn pager<T>(part: &Part<T>, number: u64, size: u64, query: &str) -> Markup {
    let last = part.total.div_ceil(size).max(1);
    html! {
        @if last > 1 {
            p.pager {
                @if number > 1 { a rel="prev" href=(format!("?{query}page={}", number - 1)) { "← Previous" } }
                span { "Page " (number) " of " (last) }
                @if number < last { a rel="next" href=(format!("?{query}page={}", number + 1)) { "Next →" } }
            }
        }
    }
}

/// Text for a part of an address.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
