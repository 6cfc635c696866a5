//! One customer's page: profile with its conflicts, balance, ledger, and the forms that change them.

use super::forms::{Attempt, Form, was};
use super::view::{self, Place};
use super::{Failed, Manager, amount, explain, photos};
use crate::http::blocking;
use crate::store::{Account, Customer, LedgerRow, Part, Tx, VisitRow};
use crate::{Error, Server};
use axum::extract::{Path, Query, State};
use carboy_protocol::{Currency, CustomerId, Field, Money, PlantId, Profile, Sibling, TxnId};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Ledger lines on one page.
const LINES: u64 = 20;

/// Failed visits shown.
const VISITS: u64 = 5;

/// How long after it was recorded a line may arrive before the page says when it did, in milliseconds.
const LATE: u64 = 60 * 60 * 1000;

/// What the address asks for beside the customer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    page: u64,
    /// What the form before did.
    done: Option<String>,
    /// The mutation that it made.
    txn: Option<TxnId>,
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Path(customer): Path<CustomerId>,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, customer, &wanted, None)).await?)
}

/// All that the page shows.
struct Shown<'a> {
    customer: CustomerId,
    currency: Currency,
    csrf: String,
    state: Customer,
    profile: Profile,
    people: Vec<Account>,
    ledger: Part<LedgerRow>,
    /// What stands with each line of the ledger.
    beside: Vec<Beside>,
    visits: Vec<VisitRow>,
    wanted: &'a Wanted,
    attempt: Option<&'a Attempt>,
}

/// What is shown with a line of the ledger and stands elsewhere.
struct Beside {
    /// What the line took back.
    taken_back: Option<String>,
    photos: Vec<photos::Shown>,
}

/// The page; with the form that could not be accepted, if one could not.
pub(super) fn page(
    server: &Server,
    manager: &Manager,
    customer: CustomerId,
    wanted: &Wanted,
    attempt: Option<&Attempt>,
) -> Result<Markup, Error> {
    let plant = manager.plant.id;
    let (frame, shown) = server.store().read(|tx| {
        let state = tx.customer(plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let profile = tx.profile(plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let frame = manager.frame(tx)?;
        let ledger = tx.ledger(plant, customer, (LINES, (number(wanted) - 1) * LINES))?;
        let beside = ledger.rows.iter().map(|row| beside(tx, plant, row)).collect::<Result<_, _>>()?;
        let shown = Shown {
            customer,
            currency: manager.plant.currency,
            csrf: frame.csrf.clone(),
            state,
            profile,
            people: tx.accounts(plant)?,
            ledger,
            beside,
            visits: tx.failed_visits(plant, customer, VISITS)?,
            wanted,
            attempt,
        };
        Ok((frame, shown))
    })?;
    let name = shown.profile.shown(Field::Name).unwrap_or("(no name)");
    let content = html! {
        p.up { a href="/customers" { "← Customers" } }
        div.title { h1 { (name) } (view::balance(shown.state.balance, shown.currency)) }
        @if shown.state.is_closed {
            p.note { "Added by mistake and closed: no rider is sent there any more. The ledger still counts." }
        }
        (shown.flash())
        (shown.conflicts(server)?)
        div.columns {
            div.side { (shown.profile(server)?) (shown.set_form(server)?) (shown.adjust_form(server)?) }
            div { (shown.ledger()) }
        }
    };
    Ok(view::page(&frame, Some(Place::Customers), name, &content))
}

fn beside(tx: &Tx<'_>, plant: PlantId, row: &LedgerRow) -> Result<Beside, Error> {
    let taken_back = match explain::target(&row.body) {
        Some(target) => tx.mutation(plant, row.account, target)?.map(|stored| stored.body),
        None => None,
    };
    Ok(Beside { taken_back, photos: photos::of(tx, plant, row)? })
}

fn number(wanted: &Wanted) -> u64 {
    wanted.page.clamp(1, 1 << 40)
}

impl Shown<'_> {
    /// What the form before did, in a sentence.
    fn flash(&self) -> Markup {
        let line = self.ledger.rows.iter().find(|row| Some(row.txn) == self.wanted.txn);
        let text = match (self.wanted.done.as_deref(), line) {
            (Some("saved"), Some(line)) => {
                explain::why_not_the_target(line, self.currency).unwrap_or_else(|| {
                    let [sum, after] =
                        [line.amount, line.after].map(|minor| Money::new(minor, self.currency));
                    let (sum, after) = (amount::signed(sum, true), amount::signed(after, false));
                    format!("{sum} went on the ledger; the balance became {after}.")
                })
            }
            (Some("saved"), None) => "Saved.".to_owned(),
            (Some("unchanged"), _) => "Nothing was changed.".to_owned(),
            _ => return html! {},
        };
        html! { p.flash role="status" { (text) } }
    }

    fn conflicts(&self, server: &Server) -> Result<Markup, Error> {
        let mut cards = Vec::new();
        for field in self.profile.conflicts() {
            let rows = self.profile.siblings(field).iter().enumerate();
            let rows = rows.map(|(place, sibling)| self.sibling(server, field, sibling, place == 0));
            cards.push((field, rows.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(html! {
            @for (field, rows) in cards {
                section.card.conflict {
                    h2 { (explain::label(field)) ": " (rows.len()) " values" }
                    p.muted { "Changed on both sides without having seen each other. Which one is right?" }
                    (self.error(Form::Keep))
                    ul { @for row in rows { li { (row) } } }
                }
            }
        })
    }

    fn sibling(
        &self,
        server: &Server,
        field: Field,
        sibling: &Sibling,
        is_shown: bool,
    ) -> Result<Markup, Error> {
        let author = self.people.iter().find(|person| person.id == sibling.author);
        Ok(html! {
            div {
                b { (if sibling.value.is_empty() { "(empty)" } else { &sibling.value }) }
                @if is_shown { " " span.badge.calm { "shown" } }
                p.muted {
                    (author.map_or("somebody", |person| &person.name)) ", " (view::role(sibling.role)) " · "
                    (view::time(sibling.at))
                }
            }
            form method="post" action=(self.action("keep")) {
                (self.hidden_parts(server)?)
                (self.hidden_clock())
                (view::hidden("field", field.name()))
                (view::hidden("value", &sibling.value))
                button.quiet { "Keep this one" }
            }
        })
    }

    fn profile(&self, server: &Server) -> Result<Markup, Error> {
        let is_open = self.attempt.is_some_and(|attempt| attempt.form == Form::Profile);
        let shown = |field| self.profile.shown(field).unwrap_or_default();
        Ok(html! {
            section.card {
                dl.profile {
                    @for field in [Field::Phone, Field::Address, Field::Note] {
                        @if !shown(field).is_empty() { div { dt { (explain::label(field)) } dd { (shown(field)) } } }
                    }
                }
                details open[is_open] {
                    summary { "Edit profile" }
                    (self.error(Form::Profile))
                    (self.profile_form(server)?)
                }
            }
        })
    }

    fn profile_form(&self, server: &Server) -> Result<Markup, Error> {
        let shown = |field| self.profile.shown(field).unwrap_or_default();
        let kept = |name: &str| self.kept(Form::Profile, name);
        Ok(html! {
            form method="post" action=(self.action("profile")) {
                (self.hidden_parts(server)?)
                // What was typed belongs to the profile that was seen then.
                @if let (Some(context), Some(lamport)) = (kept("context"), kept("lamport")) {
                    (view::hidden("context", context))
                    (view::hidden("lamport", lamport))
                } @else {
                    (self.hidden_clock())
                }
                @for field in Field::ALL {
                    @let was = was(field);
                    (view::hidden(&was, kept(&was).unwrap_or(shown(field))))
                    (input(field, kept(field.name()).unwrap_or(shown(field))))
                }
                button { "Save profile" }
            }
        })
    }

    fn adjust_form(&self, server: &Server) -> Result<Markup, Error> {
        let form = html! {
            (self.error(Form::Adjust))
            form method="post" action=(self.action("adjust")) {
                (self.hidden_parts(server)?)
                (self.amount(Form::Adjust, [("more", "owes more"), ("less", "owes less")], "more", "By how much"))
                (self.reason(Form::Adjust, "For example: two bottles returned broken"))
                button { "Adjust balance" }
            }
        };
        Ok(self.folded(Form::Adjust, "Adjust the balance", &form))
    }

    fn set_form(&self, server: &Server) -> Result<Markup, Error> {
        // A form shown again still means the balance that was seen when it was filled in.
        let seen = self.kept(Form::Set, "seen").and_then(|seen| seen.parse().ok());
        let seen: i64 = seen.unwrap_or(self.state.balance);
        let direction = if seen < 0 { "less" } else { "more" };
        let form = html! {
            p {
                "You see: " (view::balance(seen, self.currency)) ". Only the difference goes on the ledger, so "
                "that a payment still on its way is not undone."
            }
            @if seen != self.state.balance { p { "Now: " (view::balance(self.state.balance, self.currency)) } }
            (self.error(Form::Set))
            form method="post" action=(self.action("set")) {
                (self.hidden_parts(server)?)
                (view::hidden("seen", &seen.to_string()))
                (self.amount(Form::Set, [("more", "owes"), ("less", "has credit of")], direction, "New balance"))
                (self.reason(Form::Set, "For example: agreed on the phone"))
                button { "Set balance" }
            }
        };
        Ok(self.folded(Form::Set, "Set the balance", &form))
    }

    fn amount(&self, form: Form, choices: [(&str, &str); 2], direction: &str, label: &str) -> Markup {
        let chosen = self.kept(form, "direction").unwrap_or(direction);
        let example = amount::plain(0, self.currency);
        html! {
            label {
                (label) " (" (self.currency) ")"
                span.pair {
                    select name="direction" aria-label="Direction" {
                        @for (value, text) in choices {
                            option value=(value) selected[value == chosen] { (text) }
                        }
                    }
                    input name="amount" inputmode="decimal" autocomplete="off" placeholder=(example) required
                        value=(self.kept(form, "amount").unwrap_or_default());
                }
            }
        }
    }

    fn reason(&self, form: Form, example: &str) -> Markup {
        html! {
            label {
                "Reason"
                input name="reason" placeholder=(example) maxlength="500" required
                    value=(self.kept(form, "reason").unwrap_or_default());
            }
        }
    }

    /// A form that opens on demand; open where it has to be looked at.
    fn folded(&self, form: Form, title: &str, content: &Markup) -> Markup {
        let is_open = self.attempt.is_some_and(|attempt| attempt.form == form);
        html! { details.card open[is_open] { summary { h2 { (title) } } (content) } }
    }

    fn ledger(&self) -> Markup {
        html! {
            section.card {
                h2 { "Ledger " span.muted { (self.ledger.total) } }
                @if self.ledger.rows.is_empty() { p.empty { "Nothing yet." } }
                ol.ledger {
                    @for (row, beside) in self.ledger.rows.iter().zip(&self.beside) {
                        li { (self.line(row, beside)) }
                    }
                }
                (view::pager(&self.ledger, number(self.wanted), LINES, ""))
            }
            @if !self.visits.is_empty() {
                section.card {
                    h2 { "Failed visits" }
                    ul { @for visit in &self.visits { li { (failed_visit(visit)) } } }
                }
            }
        }
    }

    fn line(&self, row: &LedgerRow, beside: &Beside) -> Markup {
        let is_late = row.received_at.0.abs_diff(row.at.0) > LATE;
        let what = explain::in_ledger(&row.body, beside.taken_back.as_deref());
        html! {
            div.what {
                @if row.is_withdrawn { span { s { (what) } " " span.badge { "withdrawn" } } } @else { (what) }
                (view::signed(row.amount, self.currency))
            }
            @if let Some(why) = explain::why(row) { p { (why) } }
            (photos::beside_a_line(&beside.photos))
            p.muted {
                (row.author) ", " (view::role(row.role)) " · " (view::time(row.at))
                @if is_late { " · received " (view::time(row.received_at)) }
                span.after { "then " (view::balance(row.after, self.currency)) }
            }
            @if let Some(why) = explain::why_not_the_target(row, self.currency) { p.note { (why) } }
        }
    }

    fn action(&self, form: &str) -> String {
        format!("/customers/{}/{form}", self.customer)
    }

    /// What every form carries: the session's token, and the id under which sending it twice counts once.
    fn hidden_parts(&self, server: &Server) -> Result<Markup, Error> {
        let txn = server.new_txn()?.to_string();
        Ok(html! { (view::hidden("csrf", &self.csrf)) (view::hidden("txn", &txn)) })
    }

    /// What the manager sees of the profile.
    fn hidden_clock(&self) -> Markup {
        let profile = &self.profile;
        // A clock of our own making always becomes JSON; an empty one would only make a conflict more.
        let context = serde_json::to_string(&profile.clock()).unwrap_or_else(|_| "{}".to_owned());
        html! {
            (view::hidden("context", &context))
            (view::hidden("lamport", &profile.next_lamport().to_string()))
        }
    }

    fn kept(&self, form: Form, name: &str) -> Option<&str> {
        self.attempt.filter(|attempt| attempt.form == form).map(|attempt| attempt.fields.get(name))
    }

    fn error(&self, form: Form) -> Markup {
        html! {
            @if let Some(attempt) = self.attempt.filter(|attempt| attempt.form == form) {
                p.error role="alert" { (attempt.error) }
            }
        }
    }
}

fn input(field: Field, value: &str) -> Markup {
    html! {
        label {
            (explain::label(field))
            @match field {
                Field::Note => textarea name="note" rows="2" { (value) },
                Field::Phone => input type="tel" name="phone" value=(value);,
                Field::Name | Field::Address => input name=(field.name()) value=(value);,
            }
        }
    }
}

fn failed_visit(visit: &VisitRow) -> Markup {
    let reason = match serde_json::from_value(serde_json::Value::String(visit.reason.clone())) {
        Ok(reason) => explain::fail_reason(reason),
        Err(_) => visit.reason.as_str(),
    };
    html! {
        @let what = html! { (reason) @if let Some(note) = &visit.note { ": " (note) } };
        @if visit.is_withdrawn { s { (what) } " " span.badge { "withdrawn" } } @else { (what) }
        p.muted { (visit.author) " · " (view::time(visit.at)) }
    }
}
