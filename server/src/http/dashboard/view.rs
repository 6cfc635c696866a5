//! The frame around every page, and the small parts that pages share.

use super::text::Lang;
use super::{amount, language, live};
use crate::Rank;
use crate::store::Part;
use carboy_protocol::{Currency, Money, Role, Timestamp};
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use std::fmt::Write;

/// The stylesheet's address.
pub(super) const STYLE: &str = "/style.css";

/// The icon's address.
pub(super) const ICON: &str = "/icon.svg";

/// What every page of a signed-in manager shows around its content, and how it writes.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) plant: String,
    pub(super) manager: String,
    /// What the reader may do: forms for others are not shown.
    pub(super) rank: Rank,
    /// What each form carries.
    pub(super) csrf: String,
    /// The page's own address, for a browser to come back to.
    pub(super) here: String,
    pub(super) lang: Lang,
    pub(super) currency: Currency,
    pub(super) zone: TimeZone,
    pub(super) conflicts: u64,
    pub(super) open: u64,
    /// The plant's last change that the page shows.
    pub(super) seen: u64,
}

impl Frame {
    /// Whether the forms of the plant's daily work are for the reader.
    pub(super) fn may_work(&self) -> bool {
        self.rank >= Rank::Manager
    }

    pub(super) fn rank_name(&self, rank: Rank) -> String {
        self.lang.text(match rank {
            Rank::Viewer => "rank-viewer",
            Rank::Manager => "rank-manager",
            Rank::Owner => "rank-owner",
        })
    }

    /// A time as people write it. A clock may say anything: what is no date is shown as the number it is.
    pub(super) fn time(&self, at: Timestamp) -> Markup {
        match (self.lang.time(at, &self.zone), jiff::Timestamp::from_millisecond(at.0)) {
            (Some(text), Ok(exact)) => html! { time datetime=(exact) { (text) } },
            _ => html! { bdi { (self.lang.with("clock-at", &[("number", at.0.to_string().into())])) } },
        }
    }

    /// How long ago that was.
    pub(super) fn ago(&self, then: Timestamp, now: Timestamp) -> String {
        let minutes = now.0.saturating_sub(then.0).max(0) / 60_000;
        match minutes {
            0 => self.lang.text("ago-now"),
            1..120 => self.lang.with("ago-minutes", &[("count", minutes.into())]),
            120..2880 => self.lang.with("ago-hours", &[("count", (minutes / 60).into())]),
            _ => self.lang.with("ago-days", &[("count", (minutes / 1440).into())]),
        }
    }

    /// A balance in words and figures: positive is what the customer owes.
    pub(super) fn balance(&self, minor: i64) -> Markup {
        let figure = amount::signed(self.lang, Money::new(minor.saturating_abs(), self.currency), false);
        let (class, word) = match minor {
            ..0 => ("credit", Some("balance-credit")),
            0 => ("even", None),
            1.. => ("owes", Some("balance-owes")),
        };
        html! {
            span class=(class) { @if let Some(word) = word { (self.lang.text(word)) " " } b { bdi { (figure) } } }
        }
    }

    /// A change of a balance, with its sign.
    pub(super) fn signed(&self, minor: i64) -> Markup {
        let class = if minor < 0 { "minus" } else { "plus" };
        let figure = amount::signed(self.lang, Money::new(minor, self.currency), true);
        html! { bdi class=(class) { (figure) } }
    }

    /// Somebody with what they are.
    pub(super) fn by(&self, name: &str, role: Role) -> Markup {
        self.lang.html("frame-by", &[("role", self.role(role).into())], &[("name", html! { bdi { (name) } })])
    }

    pub(super) fn role(&self, role: Role) -> String {
        self.lang.text(match role {
            Role::Rider => "role-rider",
            Role::Manager => "role-manager",
        })
    }
}

/// The places that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Rounds,
    Cash,
    Customers,
    Conflicts,
    Rejected,
    Devices,
    People,
    Audit,
    Settings,
}

impl Place {
    const ALL: [Self; 9] = [
        Self::Rounds,
        Self::Cash,
        Self::Customers,
        Self::Conflicts,
        Self::Rejected,
        Self::Devices,
        Self::People,
        Self::Audit,
        Self::Settings,
    ];

    /// Its address and the id of its name.
    fn link(self) -> (&'static str, &'static str) {
        match self {
            Self::Rounds => ("/rounds", "rounds-title"),
            Self::Cash => ("/cash", "cash-title"),
            Self::Customers => ("/customers", "frame-customers"),
            Self::Conflicts => ("/conflicts", "frame-conflicts"),
            Self::Rejected => ("/rejected", "frame-rejected"),
            Self::Devices => ("/devices", "frame-devices"),
            Self::People => ("/people", "frame-people"),
            Self::Audit => ("/audit", "frame-audit"),
            Self::Settings => ("/settings", "frame-settings"),
        }
    }
}

pub(super) fn page(frame: &Frame, place: Option<Place>, title: &str, content: &Markup) -> Markup {
    let lang = frame.lang;
    let body = html! {
        a.skip href="#content" { (lang.text("frame-skip")) }
        header {
            div.bar {
                a.brand href="/rounds" { "Carboy" }
                bdi.plant { (frame.plant) }
                form method="post" action="/sign-out" {
                    (hidden("csrf", &frame.csrf))
                    a.who href="/account" { bdi { (frame.manager) } }
                    button.quiet { (lang.text("frame-sign-out")) }
                }
            }
            nav aria-label=(lang.text("frame-main")) { (navigation(frame, place)) }
        }
        main id="content" tabindex="-1" { (content) }
        footer {
            p { (lang.with("frame-times", &[("zone", zone_name(&frame.zone).into())])) }
            (language::form(lang, &frame.csrf, &frame.here))
        }
    };
    let body = html! {
        body data-seen=(frame.seen) data-updated=(lang.text("live-updated")) data-stale=(lang.text("live-stale")) {
            (body)
            p #live.unseen role="status" {}
            script src=(live::SCRIPT) defer {}
        }
    };
    document(lang, title, &body)
}

fn navigation(frame: &Frame, place: Option<Place>) -> Markup {
    html! {
        @for to in Place::ALL {
            @let (address, name) = to.link();
            @let count = match to { Place::Conflicts => frame.conflicts, Place::Rejected => frame.open, _ => 0 };
            a href=(address) aria-current=[(place == Some(to)).then_some("page")] {
                (frame.lang.text(name))
                @if count > 0 { " " span.count { (frame.lang.number(count)) } }
            }
        }
    }
}

/// A page for whoever is not signed in, or where something went wrong.
pub(super) fn bare(lang: Lang, title: &str, content: &Markup) -> Markup {
    document(lang, title, &html! { body { main.bare { p.brand { "Carboy" } (content) } } })
}

fn document(lang: Lang, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.code()) dir=(lang.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Carboy" }
                link rel="stylesheet" href=(STYLE);
                link rel="icon" type="image/svg+xml" href=(ICON);
            }
            (body)
        }
    }
}

pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Links to the neighbouring parts of a list. `query` is what else the address holds, encoded, ending in `&`.
pub(super) fn pager<T>(lang: Lang, part: &Part<T>, number: u64, size: u64, query: &str) -> Markup {
    let last = part.total.div_ceil(size).max(1);
    let here = || lang.with("frame-page", &[("page", number.into()), ("last", last.into())]);
    html! {
        @if last > 1 {
            nav.pager aria-label=(here()) {
                @if number > 1 { a rel="prev" href=(format!("?{query}page={}", number - 1)) { span.back aria-hidden="true" { "← " } (lang.text("frame-previous")) } }
                span { (here()) }
                @if number < last { a rel="next" href=(format!("?{query}page={}", number + 1)) { (lang.text("frame-next")) span.on aria-hidden="true" { " →" } } }
            }
        }
    }
}

/// What the plant's time zone is called: its place is a name, the same in every language.
fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
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
