//! The outbox: stamping and chaining a new entry, reading what is to be sent, and taking a new actor.

use super::{Meta, bytes, new_actor};
use crate::{Error, Random};
use carboy_protocol::wire::Damaged;
use carboy_protocol::{Action, ChainHash, Money, Mutation};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::value::RawValue;

/// What is sent in one request.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where the history stands.
    pub(crate) meta: Meta,
    /// The entries as they go on the wire, in seq order, from `meta.settled_id + 1` on.
    pub(crate) mutations: Vec<Box<RawValue>>,
    /// The chain's hash behind the last of them.
    pub(crate) head: ChainHash,
}

impl Batch {
    /// The seq of the first entry, or of the next to come if there is none.
    pub(crate) fn first_seq(&self) -> u64 {
        self.meta.seq(self.meta.settled_id + 1)
    }
}

/// Stamps `mutation` as the next of this history and writes it behind the others. `customer` is the row that it
/// is about, `amount` its effect on that customer's balance. Returns the entry's id.
pub(crate) fn append(
    tx: &Transaction<'_>,
    meta: &Meta,
    mutation: &Mutation,
    customer: i64,
    amount: Option<Money>,
) -> Result<u64, Error> {
    let id = meta.last_id + 1;
    let body = serde_json::to_string(mutation)?;
    let head = meta.head.next(meta.seq(id), body.as_bytes());
    let is_profile_update = matches!(mutation.action, Action::UpdateProfile { .. });
    tx.prepare_cached(
        "INSERT INTO outbox (id, customer, amount, profile_update, body, hash) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        customer,
        amount.map_or(0, |money| money.minor),
        is_profile_update,
        body,
        head.0
    ])?;
    tx.prepare_cached("UPDATE meta SET last_id = ?, head = ?")?.execute(params![id, head.0])?;
    Ok(id)
}

/// The first `limit` entries that the server has not settled. With `wrap` their bytes go as text, for a server that
/// cannot read them as they are.
pub(crate) fn batch(tx: &Transaction<'_>, limit: usize, wrap: bool) -> Result<Batch, Error> {
    let meta = Meta::read(tx)?;
    let mut query =
        tx.prepare_cached("SELECT id, body, hash FROM outbox WHERE id > ? ORDER BY id LIMIT ?")?;
    let mut rows = query.query(params![meta.settled_id, limit])?;
    let mut mutations = Vec::new();
    let mut head = None;
    let mut next_id = meta.settled_id + 1;
    while let Some(row) = rows.next()? {
        let id: u64 = row.get(0)?;
        // A row that somebody took out of the file must not stop those behind it.
        for _ in next_id..id {
            mutations.push(damaged(b"")?);
        }
        next_id = id + 1;
        let body = bytes(row, 1)?;
        mutations.push(match serde_json::from_slice(body) {
            Ok(intact) if !wrap => intact,
            _ => damaged(body)?,
        });
        head = Some(ChainHash(row.get(2)?));
    }
    // With nothing to send, the chain's end is where it stands.
    let head = head.unwrap_or(meta.head);
    drop(rows);
    Ok(Batch { meta, mutations, head })
}

/// Bytes that the server cannot read, so that it can settle them.
fn damaged(body: &[u8]) -> Result<Box<RawValue>, Error> {
    let damaged = Damaged { damaged: String::from_utf8_lossy(body).into_owned() };
    Ok(serde_json::value::to_raw_value(&damaged)?)
}

/// Continues this history as a new actor: the file was restored or cloned, and the old actor's numbers from
/// here on belong to somebody else. Everything unsettled keeps its bytes, and so its transaction id.
pub(crate) fn take_new_actor(tx: &Transaction<'_>, random: &dyn Random) -> Result<(), Error> {
    let meta = Meta::read(tx)?;
    let actor = new_actor(random)?;
    let mut head = ChainHash::genesis(actor);
    let mut query = tx.prepare_cached("SELECT body FROM outbox WHERE id = ?")?;
    let mut update = tx.prepare_cached("UPDATE outbox SET hash = ? WHERE id = ?")?;
    for id in meta.settled_id + 1..=meta.last_id {
        head = query
            .query_row([id], |row| Ok(head.next(id - meta.settled_id, bytes(row, 0)?)))
            .optional()?
            .unwrap_or(head);
        update.execute(params![head.0, id])?;
    }
    // What the old actor had settled is this history's past; if that is nothing, its own parent still is.
    let settled_seq = meta.seq(meta.settled_id);
    let (parent_actor, parent_seq) = match meta.parent {
        Some(parent) if settled_seq == 0 => (Some(parent.actor), Some(parent.seq)),
        _ if settled_seq == 0 => (None, None),
        _ => (Some(meta.actor), Some(settled_seq)),
    };
    tx.execute(
        "UPDATE meta SET actor = ?, base = settled_id, head = ?, parent_actor = ?, parent_seq = ?",
        params![actor.as_bytes(), head.0, parent_actor.map(|actor| *actor.as_bytes()), parent_seq],
    )?;
    tracing::warn!(old = %meta.actor, new = %actor, pending = meta.pending(), "took a new actor");
    Ok(())
}
