//! Merging the server's feed into the file. Every item carries the whole new state of its subject, so merging
//! one twice changes nothing.

use super::{Meta, settle::overlaid_updates};
use crate::Error;
use carboy_protocol::wire::{FeedItem, LedgerEntry};
use carboy_protocol::{Action, Currency, CustomerId, Field, Money, Profile, RouteId};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;

/// Merges `items` in their order. Returns the customers whose profile changed.
pub(crate) fn merge(tx: &Transaction<'_>, meta: &Meta, items: &[FeedItem]) -> Result<BTreeSet<i64>, Error> {
    let mut touched = BTreeSet::new();
    for item in items {
        match item {
            FeedItem::Product { code, name, price } => {
                let price = in_currency(*price, meta.currency)?;
                tx.execute(
                    "INSERT OR REPLACE INTO product (code, name, price) VALUES (?, ?, ?)",
                    params![code.as_str(), name, price],
                )?;
            }
            FeedItem::Route { route, name, stops } => merge_route(tx, *route, name, stops)?,
            FeedItem::Customer { customer, balance, profile } => {
                let id = customer_row(tx, *customer)?;
                let balance = in_currency(*balance, meta.currency)?;
                tx.prepare_cached("UPDATE customer SET balance = ? WHERE id = ?")?
                    .execute(params![balance, id])?;
                if let Some(profile) = profile {
                    tx.prepare_cached("UPDATE customer SET profile = ? WHERE id = ?")?
                        .execute(params![serde_json::to_string(profile)?, id])?;
                    touched.insert(id);
                }
            }
            FeedItem::Entry(entry) => merge_entry(tx, meta, entry)?,
            FeedItem::Unknown => {}
        }
    }
    Ok(touched)
}

/// The plant has one currency; an amount in another one can only come from another plant's server.
fn in_currency(money: Money, expected: Currency) -> Result<i64, Error> {
    if money.currency == expected {
        Ok(money.minor)
    } else {
        Err(Error::CurrencyMismatch { given: money.currency, expected })
    }
}

fn merge_route(tx: &Transaction<'_>, route: RouteId, name: &str, stops: &[CustomerId]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO route (route, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name",
        params![route.as_bytes(), name],
    )?;
    tx.execute("DELETE FROM stop WHERE route = ?", [route.as_bytes()])?;
    let mut insert = tx.prepare_cached("INSERT INTO stop (route, position, customer) VALUES (?, ?, ?)")?;
    for (position, customer) in stops.iter().enumerate() {
        insert.execute(params![route.as_bytes(), position, customer_row(tx, *customer)?])?;
    }
    Ok(())
}

fn merge_entry(tx: &Transaction<'_>, meta: &Meta, entry: &LedgerEntry) -> Result<(), Error> {
    let customer = customer_row(tx, entry.customer)?;
    let amount = in_currency(entry.amount, meta.currency)?;
    let role = serde_json::to_value(entry.role)?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO entry (rev, customer, txn, kind, amount, note, role, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        entry.rev,
        customer,
        entry.txn.as_bytes(),
        entry.kind,
        amount,
        entry.note,
        role.as_str(),
        entry.at.0
    ])?;
    Ok(())
}

/// The row of `customer`; a new one if the feed names it before it describes it.
fn customer_row(tx: &Transaction<'_>, customer: CustomerId) -> Result<i64, Error> {
    let found = tx
        .prepare_cached("SELECT id FROM customer WHERE customer = ?")?
        .query_row([customer.as_bytes()], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    tx.prepare_cached("INSERT INTO customer (customer) VALUES (?)")?.execute([customer.as_bytes()])?;
    Ok(tx.last_insert_rowid())
}

/// The profile as the server has it; empty where the feed has not brought it yet.
pub(crate) fn profile(tx: &Transaction<'_>, customer: i64) -> Result<Profile, Error> {
    let text: Option<String> = tx
        .prepare_cached("SELECT profile FROM customer WHERE id = ?")?
        .query_row([customer], |row| row.get(0))?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Works out anew what screens show of a customer: the server's registers with the outbox's updates over them.
pub(crate) fn refresh_shown(tx: &Transaction<'_>, customer: i64) -> Result<(), Error> {
    let profile = profile(tx, customer)?;
    let mut shown = Field::ALL.map(|field| profile.shown(field).unwrap_or_default().to_owned());
    for mutation in overlaid_updates(tx, customer)? {
        if let Action::UpdateProfile { changes, .. } = mutation.action {
            for (field, value) in Field::ALL.iter().zip(&mut shown) {
                if let Some(change) = changes.get(field) {
                    value.clone_from(change);
                }
            }
        }
    }
    let [name, phone, address, note] = shown;
    tx.prepare_cached("UPDATE customer SET name = ?, phone = ?, address = ?, note = ? WHERE id = ?")?
        .execute(params![name, phone, address, note, customer])?;
    Ok(())
}
