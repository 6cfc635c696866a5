//! Merging the server's feed into the file. Every item carries the whole new state of its subject, so merging
//! one twice changes nothing.

use super::outbox::LaidUpdate;
use super::{Meta, Tx, bytes, outbox, overlay, settle};
use crate::Error;
use carboy_protocol::wire::{FeedItem, LedgerEntry};
use carboy_protocol::{AccountId, Currency, CustomerId, Field, Money, Profile, RouteId, VectorClock};
use rusqlite::{OptionalExtension, Row, ToSql, params, params_from_iter};
use std::collections::{BTreeMap, BTreeSet};

/// Merges `items` in their order. Returns the customers whose profile changed.
pub(crate) fn merge(tx: &Tx<'_>, meta: &Meta, items: &[FeedItem]) -> Result<BTreeSet<i64>, Error> {
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
            FeedItem::Customer { customer, balance, profile, visit, closed } => {
                let id = customer_row(tx, *customer)?;
                let balance = in_currency(*balance, meta.currency)?;
                tx.prepare_cached("UPDATE customer SET balance = ?, closed = ? WHERE id = ?")?
                    .execute(params![balance, closed, id])?;
                overlay::put_told_visit(tx, id, visit.as_ref())?;
                if let Some(profile) = profile {
                    put_profile(tx, id, profile)?;
                    touched.insert(id);
                }
            }
            FeedItem::Entry(entry) => merge_entry(tx, meta, entry)?,
            FeedItem::Settled { txn, answer } => settle::unpark(tx, *txn, answer)?,
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

fn merge_route(tx: &Tx<'_>, route: RouteId, name: &str, stops: &[CustomerId]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO route (route, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name",
        params![route.as_bytes(), name],
    )?;
    tx.execute("DELETE FROM stop WHERE route = ?", [route.as_bytes()])?;
    let mut insert = tx.prepare_cached("INSERT INTO stop (route, position, customer) VALUES (?, ?, ?)")?;
    for (position, customer) in stops.iter().enumerate() {
        insert.execute(params![route.as_bytes(), position, customer_row(tx, *customer)?])?;
    }
    // Those who were added here and whom the server does not know yet stay where they were put.
    tx.execute(
        "INSERT INTO stop (route, position, customer)
         SELECT ?1, ?2 + row_number() OVER (ORDER BY id), id FROM customer
         WHERE added_route = ?1 AND id NOT IN (SELECT customer FROM stop WHERE route = ?1)",
        params![route.as_bytes(), stops.len()],
    )?;
    Ok(())
}

fn merge_entry(tx: &Tx<'_>, meta: &Meta, entry: &LedgerEntry) -> Result<(), Error> {
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

/// The row of `customer`; a new one if it is named before it is described.
pub(crate) fn customer_row(tx: &Tx<'_>, customer: CustomerId) -> Result<i64, Error> {
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

fn put_profile(tx: &Tx<'_>, customer: i64, profile: &Profile) -> Result<(), Error> {
    let (clock, lamport) = (serde_json::to_string(&profile.clock())?, profile.next_lamport());
    tx.prepare_cached("UPDATE customer SET profile = ?, clock = ?, lamport = ? WHERE id = ?")?
        .execute(params![serde_json::to_string(profile)?, clock, lamport, customer])?;
    Ok(())
}

/// What a write of a customer's profile has seen.
pub(crate) struct Seen {
    /// The profile's clock as the server has it, and the Lamport counter of a write that has seen that.
    pub(crate) clock: VectorClock,
    pub(crate) lamport: u64,
    /// What the fields show.
    pub(crate) shown: BTreeMap<Field, String>,
}

pub(crate) fn seen(tx: &Tx<'_>, customer: i64) -> Result<Seen, Error> {
    let mut query =
        tx.prepare_cached("SELECT clock, lamport, name, phone, address, note FROM customer WHERE id = ?")?;
    let (clock, lamport, shown) = query.query_row([customer], |row| {
        Ok((serde_json::from_slice(bytes(row, 0)?), row.get(1)?, fields(row, 2)?))
    })?;
    Ok(Seen { clock: clock?, lamport, shown })
}

/// The fields of a customer's profile, as shown.
pub(crate) fn shown_fields(tx: &Tx<'_>, customer: i64) -> Result<BTreeMap<Field, String>, Error> {
    let mut query = tx.prepare_cached("SELECT name, phone, address, note FROM customer WHERE id = ?")?;
    Ok(query.query_row([customer], |row| fields(row, 0))?)
}

/// Reads them from the columns `name, phone, address, note`, the first of which is `from`.
fn fields(row: &Row<'_>, from: usize) -> rusqlite::Result<BTreeMap<Field, String>> {
    Field::ALL.into_iter().zip(from..).map(|(field, column)| Ok((field, row.get(column)?))).collect()
}

/// The profile as the server has it; empty where the feed has not brought it yet.
pub(crate) fn profile(tx: &Tx<'_>, customer: i64) -> Result<Profile, Error> {
    let text: Option<String> = tx
        .prepare_cached("SELECT profile FROM customer WHERE id = ?")?
        .query_row([customer], |row| row.get(0))?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Works out anew what screens show of a customer: the server's registers with the outbox's updates over them.
pub(crate) fn refresh_shown(tx: &Tx<'_>, customer: i64) -> Result<(), Error> {
    let profile = profile(tx, customer)?;
    let account: [u8; 16] = tx.prepare_cached("SELECT account FROM meta")?.query_row([], |row| row.get(0))?;
    let mut lost = lost_fields(&profile, AccountId::from_bytes(account));
    let mut shown = Field::ALL.map(|field| profile.shown(field).unwrap_or_default().to_owned());
    for LaidUpdate { changes, .. } in outbox::laid_updates(tx, customer)? {
        for (field, value) in Field::ALL.iter().zip(&mut shown) {
            if let Some(change) = changes.get(field) {
                value.clone_from(change);
            }
        }
        lost.retain(|field| !changes.contains_key(field));
    }
    let [name, phone, address, note] = shown;
    tx.prepare_cached(
        "UPDATE customer SET name = ?, phone = ?, address = ?, note = ?, lost = ?, conflicts = ? WHERE id = ?",
    )?
    .execute(params![name, phone, address, note, lost.len(), profile.conflicts().count(), customer])?;
    Ok(())
}

/// Shows `changes` over what is shown: the same as [`refresh_shown`] for the newest of the outbox's updates, without
/// reading the others.
pub(crate) fn show_over(tx: &Tx<'_>, customer: i64, changes: &BTreeMap<Field, String>) -> Result<(), Error> {
    // Only what changes: a column that is set anew costs its index too. Fields and columns have the same names.
    let columns: Vec<String> = changes.keys().map(|field| format!("{} = ?", field.name())).collect();
    let sql = format!("UPDATE customer SET {} WHERE id = ? AND lost = 0", columns.join(", "));
    let values = changes.values().map(|value| value as &dyn ToSql).chain([&customer as &dyn ToSql]);
    let shown = tx.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    // An edit that stood behind another one may be dealt with by this.
    if shown == 0 { refresh_shown(tx, customer) } else { Ok(()) }
}

/// The fields in conflict in which `account` wrote a value that is not the one shown.
pub(crate) fn lost_fields(profile: &Profile, account: AccountId) -> Vec<Field> {
    let lost = |field: &Field| {
        let siblings = profile.siblings(*field);
        siblings.first().is_some_and(|shown| shown.author != account)
            && siblings.iter().skip(1).any(|sibling| sibling.author == account)
    };
    profile.conflicts().filter(lost).collect()
}
