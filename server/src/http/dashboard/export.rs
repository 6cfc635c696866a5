//! Ledgers and the cash report as files for spreadsheets.

use super::view::Frame;
use super::{Failed, Manager, day, sheet};
use crate::http::blocking;
use crate::store::LedgerLine;
use crate::{Error, Server};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use carboy_protocol::{CustomerId, Timestamp};
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Rows read at a time.
const PAGE: u64 = 1_000;

/// The longest period, in days: some years.
const MAX_DAYS: i32 = 3_700;

/// The days that are asked for, both included, as `2026-11-24`.
#[derive(Debug, Deserialize)]
pub(super) struct Period {
    from: Date,
    to: Date,
}

impl Period {
    /// When it begins and ends.
    fn span(&self, frame: &Frame) -> Result<(Timestamp, Timestamp), Error> {
        let days = self.from.until(self.to).map_or(-1, |span| span.get_days());
        let span =
            (0..=MAX_DAYS).contains(&days).then(|| day::span(self.from, self.to, &frame.zone)).flatten();
        span.ok_or_else(|| Error::malformed(format!("period {} to {}", self.from, self.to)))
    }
}

/// What asks for a period's files.
pub(super) fn form(frame: &Frame, date: Date) -> Markup {
    let lang = frame.lang;
    html! {
        section.card {
            h2 { (lang.text("export-title")) }
            p.muted { (lang.text("export-text")) }
            form.line method="get" action="/export/cash" {
                label { (lang.text("export-from")) input type="date" name="from" required value=(date); }
                label { (lang.text("export-to")) input type="date" name="to" required value=(date); }
                button { (lang.text("export-cash")) }
                button.quiet formaction="/export/ledger" { (lang.text("export-ledger")) }
            }
        }
    }
}

/// The link to one customer's file.
pub(super) fn link(frame: &Frame, customer: CustomerId) -> Markup {
    html! { a href=(format!("/export/customers/{customer}")) { (frame.lang.text("export-one")) } }
}

/// All ledger lines that came in within the period.
pub(super) async fn ledger(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(period): Query<Period>,
) -> Result<Response, Failed> {
    let frame = frame(&server, &manager).await?;
    let span = period.span(&frame)?;
    let plant = manager.plant.id;
    let head = [
        "export-rev",
        "export-recorded",
        "export-received",
        "export-customer",
        "export-id",
        "export-kind",
        "export-amount",
        "export-currency",
        "export-author",
        "export-role",
        "export-note",
    ]
    .map(|name| frame.lang.text(name));
    let name = format!("ledger-{}-{}", period.from, period.to);
    let next = move |server: &Server, after: u64, sheet: &mut sheet::Sheet| {
        let lines = server.store().read(|tx| tx.ledger_lines(plant, span, after, PAGE))?;
        lines.iter().for_each(|line| sheet.row(&cells(&frame, line, None)));
        Ok(following(&lines))
    };
    Ok(sheet::file(server, &name, &head, 0, next))
}

/// One customer's ledger, from its beginning, with the balance behind each line.
pub(super) async fn customer(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Path(customer): Path<CustomerId>,
) -> Result<Response, Failed> {
    let frame = frame(&server, &manager).await?;
    let plant = manager.plant.id;
    let known = move |server: &Server| server.store().read(|tx| tx.customer_name(plant, customer));
    blocking(server.clone(), known).await?.ok_or(Error::NotFound("customer"))?;
    let columns = [
        "export-rev",
        "export-recorded",
        "export-received",
        "export-customer",
        "export-id",
        "export-kind",
        "export-amount",
        "export-balance",
        "export-currency",
        "export-author",
        "export-role",
        "export-note",
    ];
    let head = columns.map(|name| frame.lang.text(name));
    let next = move |server: &Server, (after, mut balance): (u64, i64), sheet: &mut sheet::Sheet| {
        let lines = server.store().read(|tx| tx.customer_lines(plant, customer, after, PAGE))?;
        for line in &lines {
            balance = balance.saturating_add(line.amount);
            sheet.row(&cells(&frame, line, Some(balance)));
        }
        Ok(following(&lines).map(|after| (after, balance)))
    };
    Ok(sheet::file(server, &format!("customer-{customer}"), &head, (0, 0), next))
}

/// Cash expected and handed in, by day, rider and shift.
pub(super) async fn cash(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(period): Query<Period>,
) -> Result<Response, Failed> {
    let frame = frame(&server, &manager).await?;
    period.span(&frame)?;
    let (plant, last) = (manager.plant.id, period.to);
    let columns = [
        "export-date",
        "export-rider",
        "export-started",
        "export-finished",
        "export-expected",
        "export-handed-in",
        "export-difference",
        "export-currency",
        "export-deliveries",
        "export-failures",
    ];
    let head = columns.map(|name| frame.lang.text(name));
    let name = format!("cash-{}-{}", period.from, period.to);
    let next = move |server: &Server, date: Date, sheet: &mut sheet::Sheet| {
        let span = day::span(date, date, &frame.zone).ok_or_else(|| Error::malformed(date.to_string()))?;
        let shifts = server.store().read(|tx| tx.shifts(plant, span))?;
        for row in shifts.iter().filter(|row| row.shift.is_some() || !row.tally.is_empty()) {
            let (shift, tally) = (row.shift.as_ref(), &row.tally);
            let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| sheet::time(at, &frame));
            let amount = |minor: i64| sheet::decimal(minor, frame.currency);
            sheet.row(&[
                date.to_string(),
                sheet::text(&row.rider),
                time(shift.map(|shift| shift.started_at)),
                time(shift.and_then(|shift| shift.finished_at)),
                amount(tally.collected),
                amount(tally.handed_in),
                amount(tally.handed_in.saturating_sub(tally.collected)),
                frame.currency.to_string(),
                tally.deliveries.to_string(),
                tally.failures.to_string(),
            ]);
        }
        Ok((date < last).then(|| date.saturating_add(1.day())))
    };
    Ok(sheet::file(server, &name, &head, period.from, next))
}

async fn frame(server: &Arc<Server>, manager: &Manager) -> Result<Frame, Error> {
    let manager = manager.clone();
    blocking(server.clone(), move |server| server.store().read(|tx| manager.frame(tx))).await
}

/// Where the next page begins, if this one was full.
fn following(lines: &[LedgerLine]) -> Option<u64> {
    lines.last().filter(|_| lines.len() as u64 == PAGE).map(|line| line.rev)
}

fn cells(frame: &Frame, line: &LedgerLine, balance: Option<i64>) -> Vec<String> {
    let mut cells = vec![
        line.rev.to_string(),
        sheet::time(line.at, frame),
        sheet::time(line.received_at, frame),
        sheet::text(&line.name),
        line.customer.to_string(),
        kind(frame, &line.kind),
        sheet::decimal(line.amount, frame.currency),
    ];
    cells.extend(balance.map(|balance| sheet::decimal(balance, frame.currency)));
    cells.extend([
        frame.currency.to_string(),
        sheet::text(&line.author),
        frame.role(line.role),
        sheet::text(line.note.as_deref().unwrap_or_default()),
    ]);
    cells
}

fn kind(frame: &Frame, kind: &str) -> String {
    frame.lang.text(match kind {
        "confirm_delivery" => "export-kind-delivery",
        "collect_cash" => "export-kind-cash",
        "adjust_balance" => "export-kind-adjusted",
        "set_balance" => "export-kind-set",
        "withdraw" => "export-kind-withdrawn",
        _ => "export-kind-other",
    })
}
