//! The forms of a customer's page: what they ask for, and what becomes of it.

use super::text::Lang;
use super::{Failed, Fields, Manager, Posted, amount, customer, explain};
use crate::http::blocking;
use crate::{Error, Server};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carboy_protocol::mutation::{Invalid, MAX_TEXT};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Action, CustomerId, Edit, Field, Money, TxnId, VectorClock};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A form of the page, named as in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// New values for the profile's fields.
    Profile,
    /// The value of a conflict that is to stay.
    Keep,
    /// An amount to put on the ledger.
    Adjust,
    /// A balance to have instead of the one seen.
    Set,
}

/// A form that could not be accepted: it is shown again as it was filled in.
pub(super) struct Attempt {
    pub(super) form: Form,
    pub(super) fields: Fields,
    pub(super) error: String,
}

/// Leads a browser that comes again to where a form was answered to the page that the form is on.
pub(super) async fn back(Path((customer, _)): Path<(CustomerId, Form)>) -> Redirect {
    Redirect::to(&format!("/customers/{customer}"))
}

/// Does what the form says and goes back to the customer's page, or shows the form again with what is wrong.
pub(super) async fn send(
    State(server): State<Arc<Server>>,
    Path((customer, form)): Path<(CustomerId, Form)>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let txn: TxnId = fields.hidden("txn")?;
        let back = |done: &str| {
            Ok(Redirect::to(&format!("/customers/{customer}?done={done}&txn={txn}")).into_response())
        };
        let error = match read(&manager, &fields, customer, form)? {
            Ok(None) => return back("unchanged"),
            Ok(Some(action)) => match submit(server, &manager, txn, &action)? {
                Ok(()) => return back("saved"),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let attempt = Attempt { form, fields: fields.clone(), error };
        let wanted = customer::Wanted::default();
        let page = customer::page(server, &manager, customer, &wanted, Some(&attempt))?;
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
    let lang = manager.lang;
    if let Err(invalid) = action.validate() {
        return Ok(Err(in_words(lang, &invalid)));
    }
    match server.act(manager.author(), txn, action) {
        Ok(outcome) => Ok(match outcome.answer {
            Answer::Applied { .. } => Ok(()),
            Answer::Rejected { reason, .. } => {
                let why = explain::rejection(lang, reason);
                Err(lang.with("form-not-accepted", &[("why", why.into())]))
            }
            Answer::Parked => Err(lang.text("form-parked")),
        }),
        Err(Error::TxnReused(_)) => Ok(Err(lang.text("form-sent-already"))),
        Err(error) => Err(error),
    }
}

/// What is wrong with what was typed.
fn in_words(lang: Lang, invalid: &Invalid) -> String {
    match invalid {
        Invalid::Text { what, length, min } => {
            let field = Field::ALL.into_iter().find(|field| field.name() == *what);
            let what = field.map_or_else(|| lang.text("form-reason"), |field| explain::label(lang, field));
            let [length, min, max] = [*length, *min, MAX_TEXT].map(Into::into);
            lang.with("form-length", &[("what", what.into()), ("length", length), ("min", min), ("max", max)])
        }
        Invalid::Amount { .. } | Invalid::Money(_) => lang.text("form-out-of-range"),
        other => lang.with("form-not-accepted", &[("why", other.to_string().into())]),
    }
}

/// What a form asks for; `None` if it changes nothing. The inner error is for whoever filled it in.
fn read(
    manager: &Manager,
    fields: &Fields,
    customer: CustomerId,
    form: Form,
) -> Result<Result<Option<Action>, String>, Error> {
    let reason = || fields.get("reason").trim().to_owned();
    let currency = manager.plant.currency;
    let money = |minor| Money::new(minor, currency);
    // The language may have changed since the page was made, and with it what a comma means.
    let written = Lang::of_code(fields.get("written")).unwrap_or(manager.lang);
    let amount = || {
        let sign = if fields.get("direction") == "less" { -1 } else { 1 };
        amount::parse(written, fields.get("amount"), currency).map(|minor| money(sign * minor))
    };
    Ok(match form {
        Form::Profile => update(fields, customer, edits(fields))?,
        Form::Keep => update(fields, customer, kept(fields)?)?,
        Form::Adjust => amount().and_then(|amount| match amount.minor {
            0 => Err(manager.lang.text("form-by-nothing")),
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
    Ok(Ok(Some(Action::UpdateProfile { customer, edit: Edit { changes, context, lamport } })))
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

/// The name under which a form carries what the page had shown in this field.
pub(super) fn was(field: Field) -> String {
    format!("was_{}", field.name())
}
