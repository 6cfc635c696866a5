//! The ledger of a customer's page, with what stands beside its lines, and the visits that failed.

use super::{LINES, Shown, number};
use crate::Error;
use crate::http::dashboard::text::Lang;
use crate::http::dashboard::{explain, export, photos, view};
use crate::store::{LedgerRow, Tx, VisitRow};
use carboy_protocol::PlantId;
use maud::{Markup, Render, html};

/// How long after it was recorded a line may arrive before the page says when it did, in milliseconds.
const LATE: u64 = 60 * 60 * 1000;

/// What is shown with a line of the ledger and stands elsewhere.
pub(super) struct Beside {
    /// What the line took back.
    taken_back: Option<String>,
    photos: Vec<photos::Shown>,
}

pub(super) fn beside(tx: &Tx<'_>, plant: PlantId, row: &LedgerRow) -> Result<Beside, Error> {
    let taken_back = match explain::target(&row.body) {
        Some(target) => tx.mutation(plant, row.account, target)?.map(|stored| stored.body),
        None => None,
    };
    Ok(Beside { taken_back, photos: photos::of(tx, plant, row)? })
}

impl Shown<'_> {
    pub(super) fn ledger(&self) -> Markup {
        let lang = self.frame.lang;
        html! {
            section.card {
                h2 { (lang.text("customer-ledger")) " " span.muted { (lang.number(self.ledger.total)) } }
                @if self.ledger.rows.is_empty() { p.empty { (lang.text("customer-no-lines")) } }
                ol.ledger {
                    @for (row, beside) in self.ledger.rows.iter().zip(&self.beside) {
                        li { (self.line(row, beside)) }
                    }
                }
                (view::pager(lang, &self.ledger, number(self.wanted), LINES, ""))
                p.muted { (export::link(&self.frame, self.customer)) }
            }
            @if !self.visits.is_empty() {
                section.card {
                    h2 { (lang.text("customer-failed-visits")) }
                    ul { @for visit in &self.visits { li { (self.failed_visit(visit)) } } }
                }
            }
        }
    }

    fn line(&self, row: &LedgerRow, beside: &Beside) -> Markup {
        let (frame, lang) = (&self.frame, self.frame.lang);
        let is_late = row.received_at.0.abs_diff(row.at.0) > LATE;
        let what = explain::in_ledger(lang, &row.body, beside.taken_back.as_deref());
        html! {
            div.what {
                @if row.is_withdrawn { (withdrawn(lang, &what)) } @else { span { (what) } }
                (frame.signed(row.amount))
            }
            @if let Some(why) = explain::why(lang, row) { p { (why) } }
            (photos::beside_a_line(lang, &beside.photos))
            p.muted {
                (frame.by(&row.author, row.role)) " · " (frame.time(row.at))
                @if is_late {
                    " · " (lang.html("customer-received", &[], &[("time", frame.time(row.received_at))]))
                }
                span.after { (lang.html("customer-then", &[], &[("balance", frame.balance(row.after))])) }
            }
            @if let Some(why) = explain::why_not_the_target(lang, row, frame.currency) { p.note { (why) } }
        }
    }

    fn failed_visit(&self, visit: &VisitRow) -> Markup {
        let lang = self.frame.lang;
        let reason = match serde_json::from_value(serde_json::Value::String(visit.reason.clone())) {
            Ok(reason) => explain::fail_reason(lang, reason),
            Err(_) => visit.reason.clone(),
        };
        let what = match &visit.note {
            Some(note) => {
                let note = [("note", html! { bdi { (note) } })];
                lang.html("fail-with-note", &[("reason", reason.into())], &note)
            }
            None => html! { (reason) },
        };
        html! {
            @if visit.is_withdrawn { (withdrawn(lang, &what)) } @else { (what) }
            p.muted { bdi { (visit.author) } " · " (self.frame.time(visit.at)) }
        }
    }
}

fn withdrawn(lang: Lang, what: &impl Render) -> Markup {
    html! { span { s { (what) } " " span.badge { (lang.text("customer-withdrawn")) } } }
}
