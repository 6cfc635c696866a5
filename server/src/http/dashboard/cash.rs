//! Cash expected against cash handed in, by rider and shift, for one day; and what the riders still have in all.

use super::chart::{Bar, Chart, Fill};
use super::view::{self, Frame, Place};
use super::{Failed, Manager, amount, day, export};
use crate::http::blocking;
use crate::store::{RiderRow, ShiftRow, Tx};
use crate::{Error, Server};
use axum::extract::{Query, State};
use carboy_protocol::{Money, PlantId, Tally, Timestamp};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Which day is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// As `2026-11-24`; today's where it is none.
    #[serde(default)]
    date: String,
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        let now = server.now();
        server.store().read(|tx| {
            let frame = manager.frame(tx)?;
            let today = day::date(now, &frame.zone);
            let date = wanted.date.parse().unwrap_or(today);
            let riders = tx.riders(manager.plant.id)?;
            let mut shifts = shifts_of(tx, manager.plant.id, &frame, date)?;
            if date == today {
                add_open(&mut shifts, &riders, day::begin(now, &frame.zone));
            }
            let title = frame.lang.text("cash-title");
            let content = html! {
                h1 { (title) }
                (choice(&frame, date, today))
                (day_card(&frame, &shifts))
                (in_hand(&frame, &riders))
                (export::form(&frame, date))
            };
            Ok(view::page(&frame, Some(Place::Cash), &title, &content))
        })
    });
    Ok(page.await?)
}

/// The shifts begun on `date`.
fn shifts_of(tx: &Tx<'_>, plant: PlantId, frame: &Frame, date: Date) -> Result<Vec<ShiftRow>, Error> {
    let Some(span) = day::span(date, date, &frame.zone) else { return Ok(Vec::new()) };
    let mut shifts = tx.shifts(plant, span)?;
    shifts.retain(|shift| shift.shift.is_some() || !shift.tally.is_empty());
    Ok(shifts)
}

/// Adds the shifts that began before `today` and are open still.
fn add_open(shifts: &mut Vec<ShiftRow>, riders: &[RiderRow], today: Timestamp) {
    let earlier = riders.iter().filter(|rider| rider.since < today).cloned().map(ShiftRow::from);
    shifts.extend(earlier.filter(ShiftRow::is_open));
    shifts.sort_by_cached_key(|shift| (shift.rider.to_lowercase(), shift.account, shift.since));
}

/// The day shown, its neighbours, and any other.
fn choice(frame: &Frame, date: Date, today: Date) -> Markup {
    let lang = frame.lang;
    let link = |date: Result<Date, jiff::Error>, text: &str| {
        let date = date.ok().filter(|date| *date <= today);
        html! { @if let Some(date) = date { a href=(format!("/cash?date={date}")) { (lang.text(text)) } } }
    };
    html! {
        form.day method="get" action="/cash" {
            label { (lang.text("cash-day")) input type="date" name="date" value=(date) max=(today); }
            button.quiet { (lang.text("cash-show")) }
            span.choice {
                (link(date.yesterday(), "cash-day-before"))
                (link(date.tomorrow(), "cash-day-after"))
                @if date != today { a href="/cash" { (lang.text("cash-today")) } }
            }
        }
    }
}

fn day_card(frame: &Frame, shifts: &[ShiftRow]) -> Markup {
    let lang = frame.lang;
    html! {
        section.card {
            h2 { (lang.text("cash-by-shift")) }
            @if shifts.is_empty() { p.empty { (lang.text("cash-no-shifts")) } }
            @else { (chart(frame, shifts)) (table(frame, shifts)) p.muted { (lang.text("cash-next-shift")) } }
        }
    }
}

fn chart(frame: &Frame, shifts: &[ShiftRow]) -> Markup {
    let lang = frame.lang;
    let length = |minor: i64| u64::try_from(minor).unwrap_or(0);
    let bar = |shift: &ShiftRow| {
        let &Tally { collected, handed_in, .. } = &shift.tally;
        let covered = handed_in.min(collected);
        let parts = vec![
            (Fill::Full, length(covered)),
            (Fill::Striped, length(collected.saturating_sub(covered))),
            (Fill::Dotted, length(handed_in.saturating_sub(covered))),
        ];
        let figures =
            [("handed", plain(frame, handed_in).into()), ("expected", plain(frame, collected).into())];
        Bar { label: shift.rider.clone(), figures: lang.with("cash-handed-of", &figures), parts }
    };
    let bars: Vec<_> = shifts.iter().map(bar).collect();
    let legend = [
        (Fill::Full, "cash-handed-in"),
        (Fill::Striped, "cash-not-handed-in"),
        (Fill::Dotted, "cash-too-much"),
    ];
    let legend = legend.map(|(fill, name)| (fill, lang.text(name)));
    let (title, description) = (lang.text("cash-by-shift"), lang.text("cash-chart-text"));
    Chart { id: "cash", title: &title, description: &description, legend: &legend, bars: &bars }.draw(lang)
}

fn table(frame: &Frame, shifts: &[ShiftRow]) -> Markup {
    let lang = frame.lang;
    let sum = |part: fn(&Tally) -> i64| {
        shifts.iter().map(|shift| part(&shift.tally)).fold(0i64, i64::saturating_add)
    };
    let (collected, handed_in) = (sum(|tally| tally.collected), sum(|tally| tally.handed_in));
    html! {
        table {
            caption { (lang.with("cash-amounts-in", &[("currency", frame.currency.to_string().into())])) }
            thead {
                tr {
                    th scope="col" { (lang.text("cash-rider")) }
                    th scope="col" { (lang.text("cash-expected")) }
                    th scope="col" { (lang.text("cash-handed-in")) }
                    th scope="col" { (lang.text("cash-difference")) }
                }
            }
            tbody { @for shift in shifts { (line(frame, shift)) } }
            tfoot {
                tr {
                    th scope="row" { (lang.text("cash-in-all")) }
                    td { (plain(frame, collected)) }
                    td { (plain(frame, handed_in)) }
                    td { (difference(frame, collected, handed_in, shifts.iter().any(ShiftRow::is_open))) }
                }
            }
        }
    }
}

fn line(frame: &Frame, shift: &ShiftRow) -> Markup {
    let (lang, &Tally { collected, handed_in, .. }) = (frame.lang, &shift.tally);
    html! {
        tr {
            th scope="row" {
                bdi { (shift.rider) }
                span.muted {
                    @match &shift.shift {
                        Some(began) => {
                            (frame.time(began.started_at)) " · "
                            (lang.text(if shift.is_open() { "cash-open" } else { "cash-finished" }))
                        },
                        None => (lang.text("cash-outside")),
                    }
                }
            }
            td { (plain(frame, collected)) }
            td { (plain(frame, handed_in)) }
            td { (difference(frame, collected, handed_in, shift.is_open())) }
        }
    }
}

/// What is between the two, in words.
fn difference(frame: &Frame, collected: i64, handed_in: i64, is_open: bool) -> String {
    let between = collected.saturating_sub(handed_in);
    let id = match between {
        0 => return frame.lang.text("cash-even"),
        ..0 => "cash-over",
        1.. if is_open => "cash-to-hand-in",
        1.. => "cash-short",
    };
    frame.lang.with(id, &[("amount", plain(frame, between.saturating_abs()).into())])
}

/// What each rider has collected and not handed in, whenever it was.
fn in_hand(frame: &Frame, riders: &[RiderRow]) -> Markup {
    let lang = frame.lang;
    let holding: Vec<_> = riders
        .iter()
        .map(|rider| (&rider.name, rider.day.in_all.cash_in_hand()))
        .filter(|(_, cash)| *cash != 0)
        .collect();
    html! {
        section.card {
            h2 { (lang.text("cash-in-hand")) }
            p.muted { (lang.text("cash-in-hand-text")) }
            @if holding.is_empty() { p { (lang.text("cash-in-hand-none")) } }
            ul {
                @for (name, cash) in holding {
                    li.what {
                        bdi { (name) }
                        b { bdi { (amount::signed(lang, Money::new(cash, frame.currency), false)) } }
                    }
                }
            }
        }
    }
}

/// An amount without currency; a sum that corrections took below nothing has its sign.
fn plain(frame: &Frame, minor: i64) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    format!("{sign}{}", amount::plain(frame.lang, minor, frame.currency))
}
