//! One customer: profile with its conflicts, balance, ledger, and the forms that change them.

use super::view::{self, Place};
use super::{Failed, Fields, Manager, Posted, amount, explain};
use crate::http::blocking;
use crate::store::{Account, CustomerState, LedgerRow, Part, VisitRow};
use crate::{Error, Server};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Action, Currency, CustomerId, Field, Money, Sibling, TxnId, VectorClock};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
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

/// A form of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Profile,
    Keep,
    Adjust,
    Set,
}

/// A form that could not be accepted: it is shown again as it was filled in.
struct Attempt {
    form: Form,
    fields: Fields,
    error: String,
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Path(customer): Path<CustomerId>,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, customer, &wanted, None)).await?)
}

pub(super) async fn edit_profile(
    State(server): State<Arc<Server>>,
    Path(customer): Path<CustomerId>,
    posted: Posted,
) -> Result<Response, Failed> {
    handle(server, customer, posted, Form::Profile).await
}

pub(super) async fn keep(
    State(server): State<Arc<Server>>,
    Path(customer): Path<CustomerId>,
    posted: Posted,
) -> Result<Response, Failed> {
    handle(server, customer, posted, Form::Keep).await
}

pub(super) async fn adjust(
    State(server): State<Arc<Server>>,
    Path(customer): Path<CustomerId>,
    posted: Posted,
) -> Result<Response, Failed> {
    handle(server, customer, posted, Form::Adjust).await
}

pub(super) async fn set(
    State(server): State<Arc<Server>>,
    Path(customer): Path<CustomerId>,
    posted: Posted,
) -> Result<Response, Failed> {
    handle(server, customer, posted, Form::Set).await
}

/// Does what the form says and goes back to the customer's page, or shows the form again with what is wrong.
async fn handle(
    server: Arc<Server>,
    customer: CustomerId,
    posted: Posted,
    form: Form,
) -> Result<Response, Failed> {
    let Posted { manager, fields } = posted;
    let work = move |server: &Server| {
        let back = |done: &str| {
            let address = format!("/customers/{customer}?done={done}&txn={}", fields.get("txn"));
            Ok(Redirect::to(&address).into_response())
        };
        let error = match read(&fields, customer, manager.plant.currency, form)? {
            Ok(None) => return back("unchanged"),
            Ok(Some(action)) => match submit(server, &manager, fields.hidden("txn")?, &action)? {
                Ok(()) => return back("saved"),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let attempt = Attempt { form, fields: fields.clone(), error };
        let page = page(server, &manager, customer, &Wanted::default(), Some(&attempt))?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    Ok(blocking(server, work).await?)
}

/// Settles the action. The inner error is for whoever filled the form in.
fn submit(
    server: &Server,
    manager: &Manager,
    txn: TxnId,
    action: &Action,
) -> Result<Result<(), String>, Error> {
    if let Err(error) = action.validate() {
        return Ok(Err(format!("Not accepted: {error}.")));
    }
    match server.act(&manager.account, txn, action) {
        Ok(outcome) => Ok(match outcome.answer {
            Answer::Applied { .. } => Ok(()),
            Answer::Rejected { detail, .. } => Err(format!("Not accepted: {detail}.")),
            Answer::Parked => Err("Kept until the server is updated.".to_owned()),
        }),
        Err(Error::TxnReused(_)) => {
            Ok(Err("This form was already sent with other values, and those count. \
             Look at the page as it is now before you send it again."
                .to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// What a form asks for; `None` if it changes nothing. The inner error is for whoever filled it in.
fn read(
    fields: &Fields,
    customer: CustomerId,
    currency: Currency,
    form: Form,
) -> Result<Result<Option<Action>, String>, Error> {
    let reason = || fields.get("reason").trim().to_owned();
    let money = |minor| Money::new(minor, currency);
    let amount = || {
        let sign = if fields.get("direction") == "less" { -1 } else { 1 };
        amount::parse(fields.get("amount"), currency).map(|minor| money(sign * minor))
    };
    Ok(match form {
        Form::Profile => update(fields, customer, edits(fields))?,
        Form::Keep => update(fields, customer, kept(fields)?)?,
        Form::Adjust => amount().and_then(|amount| match amount.minor {
            0 => Err("An adjustment by nothing changes nothing.".to_owned()),
            _ => Ok(Some(Action::AdjustBalance { customer, amount, reason: reason() })),
        }),
        Form::Set => {
            let seen = money(fields.hidden("seen")?);
            amount().map(|target| Some(Action::SetBalance { customer, seen, target, reason: reason() }))
        }
    })
}

fn update(
    fields: &Fields,
    customer: CustomerId,
    changes: BTreeMap<Field, String>,
) -> Result<Result<Option<Action>, String>, Error> {
    if changes.is_empty() {
        return Ok(Ok(None));
    }
    let context: VectorClock = serde_json::from_str(fields.get("context"))
        .map_err(|error| Error::malformed(format!("form field context: {error}")))?;
    let lamport = fields.hidden("lamport")?;
    Ok(Ok(Some(Action::UpdateProfile { customer, changes, context, lamport })))
}

/// The fields that differ from what the page had shown in them.
fn edits(fields: &Fields) -> BTreeMap<Field, String> {
    let text = |name: &str| fields.get(name).replace("\r\n", "\n").trim().to_owned();
    let pairs = Field::ALL.map(|field| (field, text(field.name()), text(&was(field))));
    pairs.into_iter().filter(|(_, new, was)| new != was).map(|(field, new, _)| (field, new)).collect()
}

fn kept(fields: &Fields) -> Result<BTreeMap<Field, String>, Error> {
    let field = Field::ALL.into_iter().find(|field| field.name() == fields.get("field"));
    let field = field.ok_or_else(|| Error::malformed("form field field"))?;
    Ok(BTreeMap::from([(field, fields.get("value").replace("\r\n", "\n"))]))
}

fn was(field: Field) -> String {
    format!("was_{}", field.name())
}

/// All that the page shows.
struct Shown<'a> {
    customer: CustomerId,
    currency: Currency,
    csrf: String,
    state: CustomerState,
    people: Vec<Account>,
    ledger: Part<LedgerRow>,
    visits: Vec<VisitRow>,
    wanted: &'a Wanted,
    attempt: Option<&'a Attempt>,
}

fn page(
    server: &Server,
    manager: &Manager,
    customer: CustomerId,
    wanted: &Wanted,
    attempt: Option<&Attempt>,
) -> Result<Markup, Error> {
    let plant = manager.plant.id;
    let (frame, shown) = server.store().read(|tx| {
        let state = tx.customer(plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let frame = manager.frame(tx)?;
        let shown = Shown {
            customer,
            currency: manager.plant.currency,
            csrf: frame.csrf.clone(),
            state,
            people: tx.accounts(plant)?,
            ledger: tx.ledger(plant, customer, (LINES, (number(wanted) - 1) * LINES))?,
            visits: tx.failed_visits(plant, customer, VISITS)?,
            wanted,
            attempt,
        };
        Ok((frame, shown))
    })?;
    let name = shown.state.profile.shown(Field::Name).unwrap_or("(no name)");
    let content = html! {
        p.up { a href="/customers" { "← Customers" } }
        div.title { h1 { (name) } (view::balance(shown.state.balance, shown.currency)) }
        (shown.flash())
        (shown.conflicts(server)?)
        div.columns {
            div.side { (shown.profile(server)?) (shown.set_form(server)?) (shown.adjust_form(server)?) }
            div { (shown.ledger()) }
        }
    };
    Ok(view::page(&frame, Some(Place::Customers), name, &content))
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
        for field in self.state.profile.conflicts() {
            let rows = self.state.profile.siblings(field).iter().enumerate();
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
        let shown = |field| self.state.profile.shown(field).unwrap_or_default();
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
        let shown = |field| self.state.profile.shown(field).unwrap_or_default();
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
                ol.ledger { @for row in &self.ledger.rows { li { (self.line(row)) } } }
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

    fn line(&self, row: &LedgerRow) -> Markup {
        let is_late = row.received_at.0.abs_diff(row.at.0) > LATE;
        html! {
            div.what { (explain::in_ledger(&row.body)) (view::signed(row.amount, self.currency)) }
            @if let Some(why) = explain::why(row) { p { (why) } }
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
        let profile = &self.state.profile;
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
        (reason)
        @if let Some(note) = &visit.note { ": " (note) }
        p.muted { (visit.author) " · " (view::time(visit.at)) }
    }
}
