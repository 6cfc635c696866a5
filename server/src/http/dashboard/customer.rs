//! One customer's page: profile with its conflicts, balance, ledger, and the forms that change them.

mod ledger;

use super::forms::{Attempt, Form, was};
use super::text::Lang;
use super::view::{self, Frame, Place};
use super::{Failed, Manager, amount, explain};
use crate::http::blocking;
use crate::store::{Account, Customer, LedgerRow, Part, VisitRow};
use crate::{Error, Server};
use axum::extract::{Path, Query, State};
use carboy_protocol::{CustomerId, Field, Money, Profile, Sibling, TxnId};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Ledger lines on one page.
const LINES: u64 = 20;

/// Failed visits shown.
const VISITS: u64 = 5;

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
    frame: Frame,
    customer: CustomerId,
    state: Customer,
    profile: Profile,
    people: Vec<Account>,
    ledger: Part<LedgerRow>,
    /// What stands with each line of the ledger.
    beside: Vec<ledger::Beside>,
    visits: Vec<VisitRow>,
    wanted: &'a Wanted,
    attempt: Option<&'a Attempt>,
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
    let shown = server.store().read(|tx| {
        let state = tx.customer(plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let profile = tx.profile(plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let ledger = tx.ledger(plant, customer, (LINES, (number(wanted) - 1) * LINES))?;
        let beside =
            ledger.rows.iter().map(|row| ledger::beside(tx, plant, row)).collect::<Result<_, _>>()?;
        Ok(Shown {
            frame: manager.frame(tx)?,
            customer,
            state,
            profile,
            people: tx.accounts(plant)?,
            ledger,
            beside,
            visits: tx.failed_visits(plant, customer, VISITS)?,
            wanted,
            attempt,
        })
    })?;
    let (frame, lang) = (&shown.frame, shown.frame.lang);
    let no_name = lang.text("customers-no-name");
    let name = shown.profile.shown(Field::Name).unwrap_or(&no_name);
    let content = html! {
        p.up { a href="/customers" { span.back aria-hidden="true" { "← " } (lang.text("customers-title")) } }
        div.title { h1 { bdi { (name) } } (frame.balance(shown.state.balance)) }
        @if shown.state.is_closed { p.note { (lang.text("customer-closed")) } }
        (shown.flash())
        (shown.conflicts(server)?)
        div.columns {
            div.side {
                (shown.profile(server)?)
                @if frame.may_work() { (shown.set_form(server)?) (shown.adjust_form(server)?) }
                p.muted { a href=(format!("/audit?customer={customer}")) { (lang.text("people-trail")) } }
             }
            div { (shown.ledger()) }
        }
    };
    Ok(view::page(frame, Some(Place::Customers), name, &content))
}

fn number(wanted: &Wanted) -> u64 {
    wanted.page.clamp(1, 1 << 40)
}

impl Shown<'_> {
    /// What the form before did, in a sentence.
    fn flash(&self) -> Markup {
        let (lang, currency) = (self.frame.lang, self.frame.currency);
        let line = self.ledger.rows.iter().find(|row| Some(row.txn) == self.wanted.txn);
        let text = match (self.wanted.done.as_deref(), line) {
            (Some("saved"), Some(line)) => {
                explain::why_not_the_target(lang, line, currency).unwrap_or_else(|| {
                    let money = |minor, always| amount::signed(lang, Money::new(minor, currency), always);
                    let (sum, after) = (money(line.amount, true), money(line.after, false));
                    lang.with("customer-saved-line", &[("sum", sum.into()), ("after", after.into())])
                })
            }
            (Some("saved"), None) => lang.text("customer-saved"),
            (Some("unchanged"), _) => lang.text("customer-unchanged"),
            _ => return html! {},
        };
        html! { p.flash role="status" { (text) } }
    }

    fn conflicts(&self, server: &Server) -> Result<Markup, Error> {
        let lang = self.frame.lang;
        let mut cards = Vec::new();
        for field in self.profile.conflicts() {
            let rows = self.profile.siblings(field).iter().enumerate();
            let rows = rows.map(|(place, sibling)| self.sibling(server, field, sibling, place == 0));
            cards.push((field, rows.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(html! {
            @for (field, rows) in cards {
                section.card.conflict {
                    h2 {
                        (lang.with("customer-values", &[
                            ("field", explain::label(lang, field).into()), ("count", rows.len().into()),
                        ]))
                    }
                    p.muted { (lang.text("customer-which")) }
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
        let (frame, lang) = (&self.frame, self.frame.lang);
        let author = self.people.iter().find(|person| person.id == sibling.author);
        let somebody = lang.text("customer-somebody");
        let author = author.map_or(&somebody, |person| &person.name);
        Ok(html! {
            div {
                b { @if sibling.value.is_empty() { (lang.text("customer-empty")) } @else { bdi { (sibling.value) } } }
                @if is_shown { " " span.badge.calm { (lang.text("customer-shown")) } }
                p.muted {
                    (frame.by(author, sibling.role)) " · " (frame.time(sibling.at))
                }
            }
            @if self.frame.may_work() { form method="post" action=(self.action("keep")) {
                (self.hidden_parts(server)?)
                (self.hidden_clock())
                (view::hidden("field", field.name()))
                (view::hidden("value", &sibling.value))
                button.quiet { (lang.text("customer-keep")) }
            } }
        })
    }

    fn profile(&self, server: &Server) -> Result<Markup, Error> {
        let lang = self.frame.lang;
        let is_open = self.attempt.is_some_and(|attempt| attempt.form == Form::Profile);
        let shown = |field| self.profile.shown(field).unwrap_or_default();
        Ok(html! {
            section.card {
                dl.profile {
                    @for field in [Field::Phone, Field::Address, Field::Note] {
                        @if !shown(field).is_empty() { div { dt { (explain::label(lang, field)) } dd { bdi { (shown(field)) } } } }
                    }
                }
                @if self.frame.may_work() {
                    details open[is_open] {
                        summary { (lang.text("customer-edit")) }
                        (self.error(Form::Profile))
                        (self.profile_form(server)?)
                    }
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
                    (input(self.frame.lang, field, kept(field.name()).unwrap_or(shown(field))))
                }
                button { (self.frame.lang.text("customer-save")) }
            }
        })
    }

    fn adjust_form(&self, server: &Server) -> Result<Markup, Error> {
        let lang = self.frame.lang;
        let choices = [("more", "customer-owes-more"), ("less", "customer-owes-less")];
        let form = html! {
            (self.error(Form::Adjust))
            form method="post" action=(self.action("adjust")) {
                (self.hidden_parts(server)?)
                (self.amount(Form::Adjust, choices, "more", "customer-by-how-much"))
                (self.reason(Form::Adjust, "customer-adjust-example"))
                button { (lang.text("customer-adjust-send")) }
            }
        };
        Ok(self.folded(Form::Adjust, "customer-adjust", &form))
    }

    fn set_form(&self, server: &Server) -> Result<Markup, Error> {
        // A form shown again still means the balance that was seen when it was filled in.
        let seen = self.kept(Form::Set, "seen").and_then(|seen| seen.parse().ok());
        let seen: i64 = seen.unwrap_or(self.state.balance);
        let direction = if seen < 0 { "less" } else { "more" };
        let (frame, lang) = (&self.frame, self.frame.lang);
        let balance = |minor| [("balance", frame.balance(minor))];
        let choices = [("more", "customer-owes"), ("less", "customer-has-credit")];
        let form = html! {
            p { (lang.html("customer-you-see", &[], &balance(seen))) }
            @if seen != self.state.balance {
                p { (lang.html("customer-now", &[], &balance(self.state.balance))) }
            }
            (self.error(Form::Set))
            form method="post" action=(self.action("set")) {
                (self.hidden_parts(server)?)
                (view::hidden("seen", &seen.to_string()))
                (self.amount(Form::Set, choices, direction, "customer-new-balance"))
                (self.reason(Form::Set, "customer-set-example"))
                button { (lang.text("customer-set-send")) }
            }
        };
        Ok(self.folded(Form::Set, "customer-set", &form))
    }

    fn amount(&self, form: Form, choices: [(&str, &str); 2], direction: &str, label: &str) -> Markup {
        let chosen = self.kept(form, "direction").unwrap_or(direction);
        let (lang, currency) = (self.frame.lang, self.frame.currency);
        let label = lang.with(label, &[("currency", currency.as_str().into())]);
        // What was typed is read in the language that it was typed in.
        let written = self.kept(form, "written").unwrap_or(lang.code());
        html! {
            div.amount role="group" aria-label=(label) {
                span.label aria-hidden="true" { (label) }
                (view::hidden("written", written))
                span.pair {
                    select name="direction" aria-label=(lang.text("customer-direction")) {
                        @for (value, text) in choices {
                            option value=(value) selected[value == chosen] { (lang.text(text)) }
                        }
                    }
                    input name="amount" aria-label=(label) inputmode="decimal" autocomplete="off" required
                        placeholder=(amount::plain(lang, 0, currency))
                        value=(self.kept(form, "amount").unwrap_or_default());
                }
            }
        }
    }

    fn reason(&self, form: Form, example: &str) -> Markup {
        html! {
            label {
                (self.frame.lang.text("form-reason"))
                input name="reason" placeholder=(self.frame.lang.text(example)) maxlength="500" dir="auto" required
                    value=(self.kept(form, "reason").unwrap_or_default());
            }
        }
    }

    /// A form that opens on demand; open where it has to be looked at.
    fn folded(&self, form: Form, title: &str, content: &Markup) -> Markup {
        let is_open = self.attempt.is_some_and(|attempt| attempt.form == form);
        html! { details.card open[is_open] { summary { h2 { (self.frame.lang.text(title)) } } (content) } }
    }

    fn action(&self, form: &str) -> String {
        format!("/customers/{}/{form}", self.customer)
    }

    /// What every form carries: the session's token, and the id under which sending it twice counts once.
    fn hidden_parts(&self, server: &Server) -> Result<Markup, Error> {
        let txn = server.new_txn()?.to_string();
        Ok(html! { (view::hidden("csrf", &self.frame.csrf)) (view::hidden("txn", &txn)) })
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

fn input(lang: Lang, field: Field, value: &str) -> Markup {
    html! {
        label {
            (explain::label(lang, field))
            @match field {
                Field::Note => textarea name="note" rows="2" dir="auto" { (value) },
                Field::Phone => input type="tel" name="phone" dir="ltr" value=(value);,
                Field::Name | Field::Address => input name=(field.name()) dir="auto" value=(value);,
            }
        }
    }
}
