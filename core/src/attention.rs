//! What needs the rider: mutations that were not accepted, and edits that stand behind another one; and what can be
//! done about each. Every choice is a mutation itself, so that the manager sees it.
#![expect(clippy::needless_pass_by_value, reason = "a write may run twice and needs them each time")]

use crate::action::{
    DayReceipt, DeliveredLine, Receipt, day_receipt, known_customer, priced, profile_update, stamped,
};
use crate::query::{Value, value};
use crate::record::{Closes, Draft};
use crate::store::outbox::{RecordState, Recorded, as_sent, laid_updates, recorded};
use crate::store::settle::PARKED;
use crate::store::{Meta, Tx, bytes, feed};
use crate::{Engine, Error};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::{
    AccountId, Action, CustomerId, Edit, FailReason, Field, Money, Mutation, RouteId, StockLine, Timestamp,
    TxnId,
};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// The number on the attention list of what concerns the file itself.
pub(crate) const FILE_ITEM: u64 = 0;

/// Something that needs the rider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attention {
    /// A mutation that the server did not accept.
    Refused(Refused),
    /// An edit of this rider that stands behind another one's.
    LostEdit(LostEdit),
    /// The phone's file was damaged and a new one was made of what could be read. [`Engine::accept`] it as number 0.
    FileDamaged {
        /// What was saved and what was not.
        detail: String,
    },
}

/// A mutation that the server did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The record's number on this phone.
    pub id: u64,
    /// The mutation, if it can be read.
    pub txn: Option<TxnId>,
    /// Its kind; empty if it cannot be read any more.
    pub kind: String,
    /// Whom it is about, if about anybody.
    pub customer: Option<CustomerId>,
    /// That customer's name; empty if it cannot be told any more.
    pub customer_name: String,
    /// When it was recorded, by this phone's clock.
    pub at: Option<Timestamp>,
    /// The server's reason, for a switch.
    pub reason: String,
    /// The server's reason, with the values.
    pub detail: String,
    /// What was recorded, as JSON.
    pub body: String,
    /// What the rider may do.
    pub choices: Vec<Choice>,
}

/// An edit of this rider that somebody changed too, neither having seen the other's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEdit {
    /// Whose profile.
    pub customer: CustomerId,
    /// The customer's name.
    pub customer_name: String,
    /// Which field.
    pub field: Field,
    /// The value that is shown.
    pub shown: Value,
    /// This rider's.
    pub mine: Value,
}

/// What the rider may do about a mutation that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Send it again as it is: [`Engine::retry`].
    Retry,
    /// Send it again corrected: [`Engine::resend`].
    Correct,
    /// Take it back: [`Engine::withdraw`].
    Withdraw,
    /// Leave it at that: [`Engine::accept`].
    Accept,
}

/// What is corrected in a mutation before it is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// Another customer.
    Customer(CustomerId),
    /// The bottles of a delivery, at the phone's prices of now.
    Lines(Vec<DeliveredLine>),
    /// The bottles of a stock record.
    Stock(Vec<StockLine>),
    /// The amount of cash.
    Amount(Money),
    /// The fields of a profile.
    Fields(BTreeMap<Field, String>),
    /// Why a delivery failed.
    Failure(FailReason, Option<String>),
    /// The route of a new customer or a shift.
    Route(Option<RouteId>),
}

/// Which value of a field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keep {
    /// The one that is shown.
    Shown,
    /// This rider's.
    Mine,
}

/// A mutation on the attention list.
struct Listed {
    id: u64,
    reason: String,
    detail: String,
    body: Vec<u8>,
    mutation: Option<Mutation>,
    customer: Option<i64>,
    name: String,
}

impl Listed {
    /// The key under which the server keeps it: what it made of the bytes as they were sent.
    fn txn(&self) -> Result<TxnId, Error> {
        let sent = as_sent(&self.body, false)?;
        Ok(match Parsed::of(sent.get()) {
            // An id that may be another mutation's is not used as a key.
            _ if ["tampered", "txn_reused"].contains(&self.reason.as_str()) => {
                TxnId::of_unreadable(sent.get().as_bytes())
            }
            parsed => parsed.txn(),
        })
    }

    fn choices(&self) -> Vec<Choice> {
        match &self.mutation {
            None => vec![Choice::Accept],
            Some(_) if self.reason == PARKED => vec![Choice::Withdraw],
            Some(mutation) if mutation.action.target().is_some() => vec![Choice::Retry, Choice::Accept],
            Some(_) => vec![Choice::Retry, Choice::Correct, Choice::Withdraw, Choice::Accept],
        }
    }

    fn read(self, tx: &Tx<'_>) -> Result<Attention, Error> {
        if self.id == FILE_ITEM {
            return Ok(Attention::FileDamaged { detail: self.detail });
        }
        let choices = self.choices();
        let customer = self.customer.map(|row| customer_id(tx, row)).transpose()?;
        Ok(Attention::Refused(Refused {
            id: self.id,
            txn: self.mutation.as_ref().map(|mutation| mutation.txn),
            kind: self.mutation.as_ref().map_or("", |mutation| mutation.action.kind()).to_owned(),
            customer,
            customer_name: self.name,
            at: self.mutation.map(|mutation| mutation.at),
            reason: self.reason,
            detail: self.detail,
            body: String::from_utf8_lossy(&self.body).into_owned(),
            choices,
        }))
    }
}

impl Engine {
    /// One page of what needs the rider: first the mutations that were not accepted, oldest first, then edits that
    /// stand behind another one. `skip` of them are passed over, at most `limit` come back.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, id, _folder) = refused();
    /// let items = engine.attention(0, 20)?;
    /// let Some(Attention::Refused(refused)) = items.first() else { panic!("nothing was refused") };
    /// assert_eq!((refused.id, refused.reason.as_str()), (id, "invalid"));
    /// assert!(refused.choices.contains(&Choice::Retry));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attention(&self, skip: u32, limit: u32) -> Result<Vec<Attention>, Error> {
        self.store.read(|tx| {
            let mut items = refused(tx, skip, limit)?;
            let total: u32 = tx.query_row("SELECT count(*) FROM attention", [], |row| row.get(0))?;
            let taken = u32::try_from(items.len()).unwrap_or(u32::MAX);
            if taken < limit {
                items.extend(lost_edits(tx, skip.saturating_sub(total), limit - taken)?);
            }
            Ok(items)
        })
    }

    /// Takes a record back: its effect is reversed, and the record stays to be seen. One that was not accepted is
    /// closed, and the manager sees that.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`], [`Error::AlreadyWithdrawn`], [`Error::NotPossible`], [`Error::Invalid`] for a
    /// reason that is blank or too long, [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let paid = engine.collect_cash(customer, Money::new(3_000, "KES".parse()?))?;
    /// engine.withdraw(paid.id, Some("counted twice".into()))?;
    /// assert_eq!(engine.customer(customer)?.balance.to_string(), "KES 100.00"); // as before
    /// assert!(matches!(engine.withdraw(paid.id, None), Err(Error::AlreadyWithdrawn(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn withdraw(&self, id: u64, reason: Option<String>) -> Result<DayReceipt, Error> {
        let draft = |tx: &Tx<'_>, _: &Meta| {
            if let Some(listed) = listed(tx, id)? {
                let action =
                    Action::Withdraw { target: listed.txn()?, reason: reason.clone(), restore: None };
                let closes = Some(Closes { id, replaces: None });
                return Ok(Draft { customer: listed.customer, closes, ..Draft::of(action) });
            }
            let record = recorded(tx, id)?.ok_or(Error::UnknownRecord(id))?;
            reversal(tx, record, reason.clone())
        };
        self.record(draft, day_receipt)
    }

    /// Leaves it at that: the mutation stays as it is on the server, and off the attention list. Number 0, what
    /// concerns the file itself, leaves the list without a mutation: the receipt's id then stands for none.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`] if it is not on the list (never for number 0), [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, id, _folder) = refused();
    /// let before = engine.status()?.attention;
    /// engine.accept(id)?;
    /// assert_eq!(engine.status()?.attention, before - 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept(&self, id: u64) -> Result<DayReceipt, Error> {
        if id == FILE_ITEM {
            return self.accept_file();
        }
        let draft = |tx: &Tx<'_>, _: &Meta| {
            let listed = listed(tx, id)?.ok_or(Error::UnknownRecord(id))?;
            let closes = Some(Closes { id, replaces: None });
            let action = Action::Accept { target: listed.txn()? };
            Ok(Draft { customer: listed.customer, closes, ..Draft::of(action) })
        };
        self.record(draft, day_receipt)
    }

    /// Sends a mutation that was not accepted again as it is, in a new one that takes its place.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`] if it is not on the list, [`Error::NotPossible`] if it cannot be read any more,
    /// what its action itself may fail with.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, id, _folder) = refused();
    /// let receipt = engine.retry(id)?;
    /// assert!(receipt.id > id);
    /// assert_eq!(engine.waiting(0, 20)?[0].id, receipt.id);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry(&self, id: u64) -> Result<DayReceipt, Error> {
        self.replace(id, |_, action| Ok(action))
    }

    /// Sends a mutation that was not accepted again with `correction`, in a new one that takes its place.
    ///
    /// # Errors
    /// As [`Engine::retry`]; [`Error::NotPossible`] if the correction does not fit the kind.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, id, _folder) = refused();
    /// let amount = Money::new(300, "KES".parse()?); // it was 3,000
    /// let receipt = engine.resend(id, &Correction::Amount(amount))?;
    /// let customer = receipt.customer.ok_or("a payment is about a customer")?;
    /// assert_eq!(customer.balance.to_string(), "KES 97.00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resend(&self, id: u64, correction: &Correction) -> Result<DayReceipt, Error> {
        self.replace(id, |tx, action| corrected(tx, action, correction.clone()))
    }

    /// Settles a conflict in which this rider's edit stands behind another one: a new edit that has seen both.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::NoLostEdit`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// // The manager's number is shown, the rider's stands behind it.
    /// assert_eq!(engine.customer(customer)?.phone, "0711");
    /// let receipt = engine.settle_edit(customer, Field::Phone, Keep::Mine)?;
    /// assert_eq!(receipt.customer.phone, "0722");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle_edit(&self, customer: CustomerId, field: Field, keep: Keep) -> Result<Receipt, Error> {
        let edit = self.store.read(|tx| {
            let account = Meta::read(tx)?.account;
            let mut edits = lost_edits_of(tx, known_customer(tx, customer)?, account)?.into_iter();
            edits.find(|edit| edit.field == field).ok_or(Error::NoLostEdit(field.name()))
        })?;
        let kept = match keep {
            Keep::Shown => edit.shown.value,
            Keep::Mine => edit.mine.value,
        };
        self.update_profile(customer, [(field, kept)].into())
    }

    fn accept_file(&self) -> Result<DayReceipt, Error> {
        // The server has no part in this: nothing to send, but the same receipt.
        self.store.write(|tx| {
            tx.execute("DELETE FROM attention WHERE id = ?", [FILE_ITEM])?;
            Ok(())
        })?;
        self.signal.raise(&[crate::Change::Attention, crate::Change::Status]);
        let (txn, _) = self.new_txn()?;
        Ok(DayReceipt { txn, id: FILE_ITEM, code: String::new(), day: self.day()?, customer: None })
    }

    fn replace(
        &self,
        id: u64,
        correct: impl Fn(&Tx<'_>, Action) -> Result<Action, Error>,
    ) -> Result<DayReceipt, Error> {
        let draft = |tx: &Tx<'_>, _: &Meta| {
            let listed = listed(tx, id)?.ok_or(Error::UnknownRecord(id))?;
            let what = "sending it again";
            let closes = Some(Closes { id, replaces: Some(listed.txn()?) });
            let mutation = listed.mutation.ok_or(Error::NotPossible { what, kind: "unreadable" })?;
            let draft = match mutation.action {
                action if action.target().is_some() => again(tx, id, action)?,
                action => drafted(tx, correct(tx, action)?)?,
            };
            Ok(Draft { closes, ..draft })
        };
        self.record(draft, day_receipt)
    }
}

/// A record's reversal.
fn reversal(tx: &Tx<'_>, record: Recorded, reason: Option<String>) -> Result<Draft, Error> {
    let what = "withdrawing it";
    let id = record.id;
    let Some(mutation) = &record.mutation else {
        return Err(Error::NotPossible { what, kind: "unreadable" });
    };
    if record.undone_by.is_some() {
        return Err(Error::AlreadyWithdrawn(id));
    }
    // One that was not accepted and was dealt with has nothing left to take back.
    if !mutation.action.is_reversible() || record.state == RecordState::Refused {
        return Err(Error::NotPossible { what, kind: mutation.action.kind() });
    }
    let restore = restored(tx, &record)?;
    let action = Action::Withdraw { target: mutation.txn, reason, restore };
    Ok(Draft { customer: record.customer, undoes: Some(record), ..Draft::of(action) })
}

/// The edit that brings back what an update of a profile replaced, where its own values are still shown.
fn restored(tx: &Tx<'_>, record: &Recorded) -> Result<Option<Edit>, Error> {
    let (Some(row), Some(before), Some(mutation)) = (record.customer, &record.before, &record.mutation)
    else {
        return Ok(None);
    };
    let Action::UpdateProfile { edit, .. } = &mutation.action else { return Ok(None) };
    let seen = feed::seen(tx, row)?;
    let is_still_there = |field: &Field| seen.shown.get(field) == edit.changes.get(field);
    // A name cannot become empty: a customer who had none keeps the new one.
    let can_be = |field: &Field, value: &str| *field != Field::Name || !value.trim().is_empty();
    let changes: BTreeMap<_, _> = before
        .iter()
        .filter(|(field, value)| is_still_there(field) && can_be(field, value))
        .map(|(field, value)| (*field, value.clone()))
        .collect();
    if changes.is_empty() { Ok(None) } else { stamped(tx, row, seen, changes).map(Some) }
}

/// A reversal or an acceptance that was not accepted itself, once more.
fn again(tx: &Tx<'_>, id: u64, action: Action) -> Result<Draft, Error> {
    let target = recorded(tx, id)?.and_then(|record| record.undoes);
    match (target.map(|target| recorded(tx, target)).transpose()?.flatten(), action) {
        (Some(target), Action::Withdraw { reason, .. }) => reversal(tx, target, reason),
        (_, action) => Ok(Draft::of(action)),
    }
}

/// An action of before, stamped anew.
fn drafted(tx: &Tx<'_>, action: Action) -> Result<Draft, Error> {
    let Some(customer) = action.customer() else { return Ok(Draft::of(action)) };
    let row = match action {
        Action::AddCustomer { .. } => feed::customer_row(tx, customer)?,
        _ => known_customer(tx, customer)?,
    };
    match action {
        Action::UpdateProfile { edit, .. } => profile_update(tx, customer, row, edit.changes),
        other => Ok(Draft::about(row, other)),
    }
}

fn corrected(tx: &Tx<'_>, action: Action, correction: Correction) -> Result<Action, Error> {
    let kind = action.kind();
    let mut action = action;
    match (&mut action, correction) {
        (
            Action::ConfirmDelivery { customer, .. }
            | Action::CollectCash { customer, .. }
            | Action::UpdateProfile { customer, .. }
            | Action::FailDelivery { customer, .. }
            | Action::NoteProgress { customer, .. },
            Correction::Customer(other),
        ) => *customer = other,
        (Action::ConfirmDelivery { lines, .. }, Correction::Lines(other)) => *lines = priced(tx, &other)?,
        (Action::LoadStock { lines } | Action::ReturnStock { lines }, Correction::Stock(other)) => {
            *lines = other;
        }
        (
            Action::CollectCash { amount, .. } | Action::HandInCash { amount, .. },
            Correction::Amount(other),
        ) => *amount = other,
        (Action::UpdateProfile { edit, .. }, Correction::Fields(other)) => edit.changes = other,
        (Action::AddCustomer { fields, .. }, Correction::Fields(other)) => *fields = other,
        (Action::FailDelivery { reason, note, .. }, Correction::Failure(other, about)) => {
            (*reason, *note) = (other, about);
        }
        (Action::AddCustomer { route, .. } | Action::StartShift { route }, Correction::Route(other)) => {
            *route = other
        }
        _ => return Err(Error::NotPossible { what: "this correction", kind }),
    }
    Ok(action)
}

fn listed(tx: &Tx<'_>, id: u64) -> Result<Option<Listed>, Error> {
    if id == FILE_ITEM {
        return Ok(None);
    }
    let sql = format!("{LISTED} WHERE attention.id = ?");
    Ok(tx.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
}

fn refused(tx: &Tx<'_>, skip: u32, limit: u32) -> Result<Vec<Attention>, Error> {
    let sql = format!("{LISTED} ORDER BY attention.id LIMIT ? OFFSET ?");
    let mut query = tx.prepare_cached(&sql)?;
    let rows: Vec<Listed> = query.query_map(params![limit, skip], from_row)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|listed| listed.read(tx)).collect()
}

const LISTED: &str = "SELECT attention.id, reason, detail, body, attention.customer, coalesce(name, '')
     FROM attention LEFT JOIN customer ON customer.id = attention.customer";

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Listed> {
    let body = bytes(row, 3)?.to_vec();
    let mutation = serde_json::from_slice(&body).ok();
    let (id, reason, detail) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Listed { id, reason, detail, body, mutation, customer: row.get(4)?, name: row.get(5)? })
}

fn lost_edits(tx: &Tx<'_>, skip: u32, limit: u32) -> Result<Vec<Attention>, Error> {
    let account = Meta::read(tx)?.account;
    let mut query = tx.prepare_cached("SELECT id FROM customer WHERE lost > 0 ORDER BY id")?;
    let rows: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut edits = Vec::new();
    for row in rows {
        edits.extend(lost_edits_of(tx, row, account)?.into_iter().map(Attention::LostEdit));
        if edits.len() >= skip.saturating_add(limit) as usize {
            break;
        }
    }
    Ok(edits.into_iter().skip(skip as usize).take(limit as usize).collect())
}

/// This rider's edits of a customer that stand behind another one, where no pending edit deals with that.
fn lost_edits_of(tx: &Tx<'_>, row: i64, account: AccountId) -> Result<Vec<LostEdit>, Error> {
    let profile = feed::profile(tx, row)?;
    let laid = laid_updates(tx, row)?;
    let customer = customer_id(tx, row)?;
    let customer_name = feed::shown_fields(tx, row)?.remove(&Field::Name).unwrap_or_default();
    let is_open = |field: &Field| !laid.iter().any(|update| update.changes.contains_key(field));
    let edit = |field: Field| {
        let (shown, others) = profile.siblings(field).split_first()?;
        let mine = others.iter().find(|sibling| sibling.author == account)?;
        let customer_name = customer_name.clone();
        Some(LostEdit { customer, customer_name, field, shown: value(shown), mine: value(mine) })
    };
    Ok(feed::lost_fields(&profile, account).into_iter().filter(is_open).filter_map(edit).collect())
}

fn customer_id(tx: &Tx<'_>, row: i64) -> Result<CustomerId, Error> {
    let id = tx
        .prepare_cached("SELECT customer FROM customer WHERE id = ?")?
        .query_row([row], |row| row.get(0))?;
    Ok(CustomerId::from_bytes(id))
}
