//! Settling: one local transaction that takes the server's answers, merges its feed and moves the cursor. A
//! mutation leaves the overlay in the same transaction that brings the state which contains it, so that a
//! balance never shows it twice or not at all.

use super::{Meta, bytes, feed};
use crate::Error;
use carboy_protocol::wire::{Answer, Rejection, SyncReply};
use carboy_protocol::{ActorId, Mutation};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;

/// What one reply settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// How many mutations were settled.
    pub settled: u64,
    /// Those among them that the server did not accept.
    pub rejected: Vec<Rejected>,
    /// How many mutations are still unsettled.
    pub pending: u64,
    /// Whether the server has more feed.
    pub more: bool,
}

/// A mutation that the server did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the outbox.
    pub id: u64,
    /// Why.
    pub reason: Rejection,
    /// Why, with the values.
    pub detail: String,
}

/// Takes `reply`, the answer to a request whose first mutation was `actor`'s `first_seq`-th.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    actor: ActorId,
    first_seq: u64,
    reply: &SyncReply,
) -> Result<Settled, Error> {
    let meta = Meta::read(tx)?;
    let mut touched = feed::merge(tx, &meta, &reply.feed)?;
    let mut outcome = Settled { more: reply.more, ..Settled::default() };
    let mut settled_id = meta.settled_id;
    // A history that took a new actor since then gets its answers anew.
    if actor == meta.actor {
        for (seq, result) in (first_seq..).zip(&reply.results) {
            let id = meta.base + seq;
            if id <= settled_id {
                continue;
            }
            if id != settled_id + 1 || id > meta.last_id || result.seq != seq {
                return Err(Error::Store(format!("answer for seq {} where {seq} was expected", result.seq)));
            }
            match &result.answer {
                // The feed of this very reply contains the effect: most often so.
                Answer::Applied { rev } if *rev <= reply.cursor => remove(tx, id, &mut touched)?,
                Answer::Applied { rev } => {
                    tx.prepare_cached("UPDATE outbox SET rev = ? WHERE id = ?")?.execute(params![rev, id])?;
                }
                Answer::Rejected { reason, detail } => {
                    let name = serde_json::to_value(reason)?;
                    needs_attention(tx, id, name.as_str().unwrap_or_default(), detail, &mut touched)?;
                    outcome.rejected.push(Rejected { id, reason: *reason, detail: detail.clone() });
                }
                Answer::Parked => {
                    let detail = "the server keeps it until it knows this kind";
                    needs_attention(tx, id, "parked", detail, &mut touched)?;
                }
            }
            settled_id = id;
        }
    }
    // A cursor behind ours means that the server was set back to a backup: read its feed anew.
    let cursor = if reply.cursor < meta.cursor { 0 } else { reply.cursor };
    tx.execute("UPDATE meta SET settled_id = ?, cursor = ?", params![settled_id, cursor])?;
    leave_overlay(tx, reply.cursor, &mut touched)?;
    for customer in touched {
        feed::refresh_shown(tx, customer)?;
    }
    outcome.settled = settled_id - meta.settled_id;
    outcome.pending = meta.last_id - settled_id;
    outcome.more |= cursor < reply.cursor;
    Ok(outcome)
}

/// Moves an entry to the attention list. An entry that somebody took out of the file is listed without its body.
fn needs_attention(
    tx: &Transaction<'_>,
    id: u64,
    reason: &str,
    detail: &str,
    touched: &mut BTreeSet<i64>,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO attention (id, reason, detail, customer, body)
         SELECT ?1, ?2, ?3, customer, coalesce(body, '') FROM (SELECT 1) LEFT JOIN outbox ON id = ?1",
        params![id, reason, detail],
    )?;
    tx.execute(
        "UPDATE customer SET visit = 0, visit_id = 0
         WHERE id = (SELECT customer FROM outbox WHERE id = ?1) AND visit_id = ?1",
        [id],
    )?;
    remove(tx, id, touched)
}

/// Takes out what the feed up to `cursor` contains.
fn leave_overlay(tx: &Transaction<'_>, cursor: u64, touched: &mut BTreeSet<i64>) -> Result<(), Error> {
    let mut query = tx.prepare_cached("SELECT id FROM outbox WHERE rev IS NOT NULL AND rev <= ?")?;
    let ids: Vec<u64> = query.query_map([cursor], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        remove(tx, id, touched)?;
    }
    Ok(())
}

/// Takes one entry, and with it its amount, out of the overlay.
fn remove(tx: &Transaction<'_>, id: u64, touched: &mut BTreeSet<i64>) -> Result<(), Error> {
    let removed: Option<(i64, i64, bool)> = tx
        .prepare_cached("DELETE FROM outbox WHERE id = ? RETURNING customer, amount, profile_update")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((customer, amount, is_profile_update)) = removed else {
        tracing::error!(id, "an outbox entry is missing from the file");
        return Ok(());
    };
    if amount != 0 {
        tx.prepare_cached("UPDATE customer SET pending = pending - ? WHERE id = ?")?
            .execute(params![amount, customer])?;
    }
    if is_profile_update {
        touched.insert(customer);
    }
    Ok(())
}

/// The profile updates in the overlay of `customer`, oldest first.
pub(crate) fn overlaid_updates(tx: &Transaction<'_>, customer: i64) -> Result<Vec<Mutation>, Error> {
    let mut query =
        tx.prepare_cached("SELECT body FROM outbox WHERE customer = ? AND profile_update ORDER BY id")?;
    let updates = query.query_map([customer], |row| {
        // An entry damaged on disk is the server's to reject; here it shows nothing.
        Ok(serde_json::from_slice(bytes(row, 0)?).ok())
    })?;
    Ok(updates.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
