//! The day's rounds as they come in: how far each rider is, when his phone was last heard of, and what it still holds.

use super::chart::{Bar, Chart, Fill};
use super::view::{self, Frame, Place};
use super::{Failed, Manager, amount, day};
use crate::http::blocking;
use crate::store::{RiderRow, RouteRow, Stops, Tx};
use crate::{Error, Server};
use axum::extract::State;
use carboy_protocol::{Money, Shift, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// A rider with the round of the day.
struct Round {
    rider: RiderRow,
    /// The name of the route that the shift is about, if it is about one.
    route: Option<String>,
    /// How that route's stops stand.
    stops: Option<Stops>,
    standing: Standing,
}

/// How a rider's day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Out,
    Finished,
    NotYet,
}

pub(super) async fn show(State(server): State<Arc<Server>>, manager: Manager) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        let now = server.now();
        server.store().read(|tx| {
            let frame = manager.frame(tx)?;
            let routes = tx.routes(manager.plant.id)?;
            let rounds = rounds(tx, &manager, &frame, &routes, now)?;
            let title = frame.lang.text("rounds-title");
            let content = html! {
                div.title { h1 { (title) } span.muted { (frame.time(now)) } }
                @if rounds.is_empty() { p.empty { (frame.lang.text("rounds-no-riders")) } }
                (in_all(&frame, &rounds))
                (rounds_chart(&frame, &rounds))
                div.cards { @for round in &rounds { (card(&frame, round, now)) } }
                (pending(&frame, &rounds))
                (not_begun(&frame, &rounds, &routes))
            };
            Ok(view::page(&frame, Some(Place::Rounds), &title, &content))
        })
    });
    Ok(page.await?)
}

/// Every rider: those who are out first, then those who have finished, each by name.
fn rounds(
    tx: &Tx<'_>,
    manager: &Manager,
    frame: &Frame,
    routes: &[RouteRow],
    now: Timestamp,
) -> Result<Vec<Round>, Error> {
    let today = day::begin(now, &frame.zone);
    let mut rounds = Vec::new();
    for rider in tx.riders(manager.plant.id)? {
        let standing = match &rider.day.shift {
            Some(shift) if shift.is_open() => Standing::Out,
            Some(_) if rider.since >= today => Standing::Finished,
            Some(_) | None => Standing::NotYet,
        };
        let shift = rider.day.shift.as_ref().filter(|_| standing != Standing::NotYet);
        let route = shift.and_then(|shift| routes.iter().find(|row| Some(row.route) == shift.route));
        let stops = match (shift, route) {
            (Some(shift), Some(row)) => Some(tx.stops(manager.plant.id, row.route, shift.txn)?),
            _ => None,
        };
        let route = route.map(|row| row.name.clone());
        rounds.push(Round { rider, route, stops, standing });
    }
    rounds.sort_by_key(|round| round.standing);
    Ok(rounds)
}

impl Round {
    /// Of the day: nothing where no round was begun.
    fn shift(&self) -> Option<&Shift> {
        self.rider.day.shift.as_ref().filter(|_| self.standing != Standing::NotYet)
    }

    /// How its stops stand; of a round without a route only those that were visited are known.
    fn counted(&self) -> Option<Stops> {
        let tally = &self.rider.day.in_shift;
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        self.shift()?;
        Some(self.stops.unwrap_or(Stops {
            delivered: count(tally.deliveries),
            failed: count(tally.failures),
            ..Stops::default()
        }))
    }
}

fn in_all(frame: &Frame, rounds: &[Round]) -> Markup {
    let out = rounds.iter().filter(|round| round.standing == Standing::Out).count();
    let stops: Vec<_> = rounds.iter().filter_map(Round::counted).collect();
    let sum = |count: fn(&Stops) -> u64| stops.iter().map(count).sum::<u64>();
    let unsent = rounds.iter().map(|round| round.rider.unsent).sum::<u64>();
    let figures = [
        ("rounds-out", out as u64),
        ("rounds-delivered", sum(|stops| stops.delivered)),
        ("rounds-failed", sum(|stops| stops.failed)),
        ("rounds-left", sum(|stops| stops.left)),
        ("rounds-unsent", unsent),
    ];
    html! {
        dl.figures {
            @for (name, count) in figures {
                div { dt { (frame.lang.text(name)) } dd { (frame.lang.number(count)) } }
            }
        }
    }
}

fn rounds_chart(frame: &Frame, rounds: &[Round]) -> Markup {
    let lang = frame.lang;
    let bar = |round: &Round| {
        let stops = round.counted()?;
        let done = [("done", (stops.total() - stops.left).into()), ("all", stops.total().into())];
        let parts = vec![
            (Fill::Full, stops.delivered),
            (Fill::Striped, stops.failed),
            (Fill::Dotted, stops.skipped),
            (Fill::Empty, stops.left),
        ];
        // Where there is no route, nobody knows of how many.
        let figures = match round.stops {
            Some(_) => lang.with("rounds-done-of", &done),
            None => lang.number(stops.total()),
        };
        let label = round.rider.name.clone();
        Some(Bar { label, figures, parts })
    };
    let bars: Vec<_> = rounds.iter().filter_map(bar).collect();
    let legend = [
        (Fill::Full, "rounds-delivered"),
        (Fill::Striped, "rounds-failed"),
        (Fill::Dotted, "rounds-skipped"),
        (Fill::Empty, "rounds-left"),
    ];
    let legend = legend.map(|(fill, name)| (fill, lang.text(name)));
    let (title, description) = (lang.text("rounds-chart"), lang.text("rounds-chart-text"));
    let (title, description) = (title.as_str(), description.as_str());
    let chart = Chart { id: "rounds", title, description, legend: &legend, bars: &bars };
    html! {
        @if !bars.is_empty() { section.card { h2 { (title) } (chart.draw(lang)) } }
    }
}

fn card(frame: &Frame, round: &Round, now: Timestamp) -> Markup {
    let (lang, rider) = (frame.lang, &round.rider);
    let (state, class) = match round.standing {
        Standing::Out => ("rounds-state-out", "badge calm"),
        Standing::Finished => ("rounds-state-finished", "badge quiet"),
        Standing::NotYet => ("rounds-state-not-yet", "badge quiet"),
    };
    html! {
        article.card {
            h2 { bdi { (rider.name) } " " span class=(class) { (lang.text(state)) } }
            @if let Some(shift) = round.shift() { (of_shift(frame, round, shift)) }
            dl {
                div {
                    dt { (lang.text("rounds-last-contact")) }
                    dd { (rider.last_seen.map_or_else(|| lang.text("rounds-never"), |seen| frame.ago(seen, now))) }
                }
                div {
                    dt { (lang.text("rounds-unsent")) }
                    dd {
                        @if rider.unsent > 0 { span.badge { (lang.number(rider.unsent)) } }
                        @else { (lang.text("rounds-nothing")) }
                    }
                }
            }
        }
    }
}

fn of_shift(frame: &Frame, round: &Round, shift: &Shift) -> Markup {
    let (lang, tally) = (frame.lang, &round.rider.day.in_shift);
    let bottles = |count: fn(&carboy_protocol::day::Bottles) -> i64| {
        let sum: i64 = tally.products.values().map(count).sum();
        lang.number(u64::try_from(sum).unwrap_or(0))
    };
    let stops = round.counted().unwrap_or_default();
    let mut figures = vec![("rounds-delivered", stops.delivered), ("rounds-failed", stops.failed)];
    if round.stops.is_some() {
        figures.extend([("rounds-skipped", stops.skipped), ("rounds-left", stops.left)]);
    }
    html! {
        p.muted {
            @if let Some(route) = &round.route { bdi { (route) } " · " }
            (lang.text("rounds-since")) " " (frame.time(shift.started_at))
            @if let Some(finished) = shift.finished_at { " · " (lang.text("rounds-until")) " " (frame.time(finished)) }
        }
        dl {
            @for (name, count) in figures { div { dt { (lang.text(name)) } dd { (lang.number(count)) } } }
            div { dt { (lang.text("rounds-bottles")) } dd { (bottles(|bottles| bottles.delivered)) } }
            div { dt { (lang.text("rounds-empties")) } dd { (bottles(|bottles| bottles.empties)) } }
            div { dt { (lang.text("rounds-cash")) } dd { (amount::signed(lang, Money::new(tally.collected, frame.currency), false)) } }
        }
    }
}

/// What the phones still hold, as far as they said.
fn pending(frame: &Frame, rounds: &[Round]) -> Markup {
    let lang = frame.lang;
    let holding = rounds.iter().filter(|round| round.rider.unsent > 0);
    let bars: Vec<_> = holding
        .map(|round| Bar {
            label: round.rider.name.clone(),
            figures: lang.number(round.rider.unsent),
            parts: vec![(Fill::Striped, round.rider.unsent)],
        })
        .collect();
    let (title, description) = (lang.text("rounds-pending"), lang.text("rounds-pending-text"));
    let (title, description) = (title.as_str(), description.as_str());
    let legend = [(Fill::Striped, lang.text("rounds-unsent"))];
    let chart = Chart { id: "pending", title, description, legend: &legend, bars: &bars };
    html! {
        @if !rounds.is_empty() {
            section.card {
                h2 { (title) }
                @if bars.is_empty() { p { (lang.text("rounds-all-sent")) } }
                @else { p.muted { (description) } (chart.draw(lang)) }
            }
        }
    }
}

/// The routes that no round of the day is about.
fn not_begun(frame: &Frame, rounds: &[Round], routes: &[RouteRow]) -> Markup {
    let is_begun =
        |row: &&RouteRow| rounds.iter().filter_map(Round::shift).any(|shift| shift.route == Some(row.route));
    let open: Vec<_> = routes.iter().filter(|row| !is_begun(row)).collect();
    html! {
        @if !open.is_empty() {
            section.card {
                h2 { (frame.lang.text("rounds-not-begun")) }
                ul {
                    @for row in open {
                        li.what {
                            bdi { (row.name) }
                            span.muted { (frame.lang.with("rounds-stops", &[("count", row.stops.into())])) }
                        }
                    }
                }
            }
        }
    }
}
