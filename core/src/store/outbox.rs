//! The outbox: stamping and chaining a new record, reading what is to be sent, and taking a new actor.

use super::{Meta, Tx, bytes};
use crate::Error;
use carboy_protocol::wire::{Damaged, SyncRequest};
use carboy_protocol::{Action, ActorId, ChainHash, DeviceKey, Dot, Field, Mutation, Timestamp};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How many settled records stay to be looked at and taken back: a rider's week.
pub(crate) const KEPT: u64 = 2_000;

/// Older ones are dropped when there are so many of them: each is in an index by customer, where those of one day lie on
/// as many pages as there are customers, and dropping many writes these once.
const DROPPED_TOGETHER: u64 = 1_000;

/// How many are dropped with each record settled at most, so that no single transaction has to drop many more.
const DROPPED_PER_SETTLED: u64 = 4;

/// A new record on its way into the file.
pub(crate) struct Entry<'m> {
    pub(crate) mutation: &'m Mutation,
    /// The row of whom it is about.
    pub(crate) customer: Option<i64>,
    /// Its effect on that customer's balance, in minor units.
    pub(crate) amount: i64,
    /// The earlier record that it takes back.
    pub(crate) undoes: Option<Recorded>,
    /// What the fields that it changes showed before.
    pub(crate) before: Option<BTreeMap<Field, String>>,
}

impl Entry<'_> {
    pub(crate) fn is_profile_update(&self) -> bool {
        matches!(
            self.mutation.action,
            Action::UpdateProfile { .. }
                | Action::AddCustomer { .. }
                | Action::Withdraw { restore: Some(_), .. }
        )
    }
}

/// A record as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) id: u64,
    pub(crate) customer: Option<i64>,
    pub(crate) amount: i64,
    pub(crate) profile_update: bool,
    pub(crate) before: Option<BTreeMap<Field, String>>,
    /// Its bytes, whatever they are by now.
    pub(crate) body: Vec<u8>,
    /// What they say, if they can be read.
    pub(crate) mutation: Option<Mutation>,
    pub(crate) undoes: Option<u64>,
    pub(crate) undone_by: Option<u64>,
    pub(crate) state: RecordState,
    /// The chain's hash behind it, if it is one.
    pub(crate) hash: Option<ChainHash>,
}

/// How a record stands to the server's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// Laid over it.
    Laid,
    /// Contained in it.
    Contained,
    /// Not accepted.
    Refused,
}

impl RecordState {
    fn code(self) -> i64 {
        match self {
            Self::Laid => 0,
            Self::Contained => 1,
            Self::Refused => 2,
        }
    }

    fn of(code: i64) -> Self {
        match code {
            0 => Self::Laid,
            1 => Self::Contained,
            _ => Self::Refused,
        }
    }
}

/// The columns that [`Recorded::from_row`] reads.
pub(crate) const COLUMNS: &str =
    "record.id, record.customer, amount, profile_update, before, body, undoes, undone_by, done, hash";

impl Recorded {
    pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body = bytes(row, 5)?.to_vec();
        let before = row.get_ref(4)?.as_bytes_or_null()?;
        Ok(Self {
            id: row.get(0)?,
            customer: row.get(1)?,
            amount: row.get(2)?,
            profile_update: row.get(3)?,
            before: before.and_then(|json| serde_json::from_slice(json).ok()),
            mutation: serde_json::from_slice(&body).ok(),
            body,
            undoes: row.get(6)?,
            undone_by: row.get(7)?,
            state: RecordState::of(row.get(8)?),
            hash: bytes(row, 9)?.try_into().map(ChainHash).ok(),
        })
    }
}

/// Stamps the entry as the next of this history and writes it behind the others. The caller saves `meta`.
pub(crate) fn append(tx: &Tx<'_>, meta: &mut Meta, entry: &Entry<'_>) -> Result<(), Error> {
    let body = serde_json::to_string(entry.mutation)?;
    let before = entry.before.as_ref().map(serde_json::to_string).transpose()?;
    append_bytes(tx, meta, entry, body.as_bytes(), before.as_deref())
}

/// The same for bytes that were written before, whatever they are.
pub(crate) fn append_bytes(
    tx: &Tx<'_>,
    meta: &mut Meta,
    entry: &Entry<'_>,
    body: &[u8],
    before: Option<&str>,
) -> Result<(), Error> {
    meta.last_id += 1;
    meta.head = meta.head.next(meta.seq(meta.last_id), body);
    meta.pending_bytes += body.len() as u64;
    tx.prepare_cached(
        "INSERT INTO record (id, customer, amount, profile_update, before, body, hash, undoes)
         VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?)",
    )?
    .execute(params![
        meta.last_id,
        entry.customer,
        entry.amount,
        entry.is_profile_update(),
        before,
        body,
        meta.head.0,
        entry.undoes.as_ref().map(|target| target.id),
    ])?;
    Ok(())
}

/// The record with this id, if it is still here.
pub(crate) fn recorded(tx: &Tx<'_>, id: u64) -> Result<Option<Recorded>, Error> {
    let mut query = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM record WHERE id = ?"))?;
    Ok(query.query_row([id], Recorded::from_row).optional()?)
}

/// The records with these ids that are still here.
pub(crate) fn recorded_in(tx: &Tx<'_>, ids: RangeInclusive<u64>) -> Result<Vec<Recorded>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM record WHERE id BETWEEN ? AND ? ORDER BY id");
    let mut query = tx.prepare_cached(&sql)?;
    let records = query.query_map([*ids.start(), *ids.end()], Recorded::from_row)?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// The record `id` is taken back by the record `by`.
pub(crate) fn undo(tx: &Tx<'_>, id: u64, by: u64) -> Result<(), Error> {
    tx.prepare_cached("UPDATE record SET undone_by = ? WHERE id = ?")?.execute(params![by, id])?;
    Ok(())
}

/// The record `id` stands again, unless another one than `by` has taken it back.
pub(crate) fn redo(tx: &Tx<'_>, id: u64, by: u64) -> Result<(), Error> {
    tx.prepare_cached("UPDATE record SET undone_by = NULL WHERE id = ? AND undone_by = ?")?
        .execute(params![id, by])?;
    Ok(())
}

/// These records leave the overlay. Those among the newest stay, and others until they are many.
pub(crate) fn finish(
    tx: &Tx<'_>,
    meta: &Meta,
    ids: &RangeInclusive<u64>,
    state: RecordState,
) -> Result<(), Error> {
    let (first, last) = (*ids.start(), *ids.end());
    let behind_old = last.min(meta.last_id.saturating_sub(KEPT)) + 1;
    // Many at once need not be written before they are dropped.
    let kept = if behind_old >= first + DROPPED_TOGETHER { behind_old } else { first };
    if first < kept {
        tx.prepare_cached("DELETE FROM record WHERE id BETWEEN ? AND ?")?.execute([first, kept - 1])?;
    }
    if kept <= last {
        tx.prepare_cached("UPDATE record SET done = ?, rev = NULL WHERE id BETWEEN ? AND ?")?
            .execute(params![state.code(), kept, last])?;
    }
    Ok(())
}

/// A record that was not accepted is contained in the server's state after all.
pub(crate) fn accept(tx: &Tx<'_>, id: u64) -> Result<(), Error> {
    tx.prepare_cached("UPDATE record SET done = ? WHERE id = ? AND done = ?")?.execute(params![
        RecordState::Contained.code(),
        id,
        RecordState::Refused.code()
    ])?;
    match recorded(tx, id)?.and_then(|record| record.undoes) {
        Some(target) => undo(tx, target, id),
        None => Ok(()),
    }
}

/// Drops some of the settled records that are not among the newest any more, once they are many.
pub(crate) fn drop_old(tx: &Tx<'_>, meta: &Meta, settled: u64) -> Result<(), Error> {
    let last = meta.last_id.saturating_sub(KEPT).min(meta.settled_id);
    let oldest: Option<u64> =
        tx.prepare_cached("SELECT min(id) FROM record")?.query_row([], |row| row.get(0))?;
    if oldest.is_none_or(|oldest| last < oldest.saturating_add(DROPPED_TOGETHER - 1)) {
        return Ok(());
    }
    tx.prepare_cached(
        "DELETE FROM record WHERE id IN (
             SELECT id FROM record WHERE id <= ?1 AND done <> 0 ORDER BY id LIMIT ?2)",
    )?
    .execute([last, settled.saturating_mul(DROPPED_PER_SETTLED).max(DROPPED_TOGETHER)])?;
    Ok(())
}

/// New values for a profile, still laid over the server's.
pub(crate) struct LaidUpdate {
    pub(crate) changes: BTreeMap<Field, String>,
    pub(crate) lamport: u64,
}

/// The greatest Lamport counter in the overlay of `customer`, 0 if there is none: the last update has it.
pub(crate) fn last_laid_lamport(tx: &Tx<'_>, customer: i64) -> Result<u64, Error> {
    let mut query = tx.prepare_cached(
        "SELECT body FROM record WHERE customer = ? AND profile_update AND done = 0 ORDER BY id DESC LIMIT 1",
    )?;
    let last = query.query_row([customer], |row| Ok(laid_update(bytes(row, 0)?))).optional()?;
    Ok(last.flatten().map_or(0, |update| update.lamport))
}

/// The profile updates in the overlay of `customer`, oldest first.
pub(crate) fn laid_updates(tx: &Tx<'_>, customer: i64) -> Result<Vec<LaidUpdate>, Error> {
    let mut query = tx.prepare_cached(
        "SELECT body FROM record WHERE customer = ? AND profile_update AND done = 0 ORDER BY id",
    )?;
    let updates = query.query_map([customer], |row| Ok(laid_update(bytes(row, 0)?)))?;
    Ok(updates.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What a record's bytes write into a profile. An entry damaged on disk is the server's to reject; here it shows
/// nothing.
fn laid_update(body: &[u8]) -> Option<LaidUpdate> {
    match serde_json::from_slice::<Mutation>(body).ok()?.action {
        Action::UpdateProfile { edit, .. } | Action::Withdraw { restore: Some(edit), .. } => {
            Some(LaidUpdate { changes: edit.changes, lamport: edit.lamport })
        }
        Action::AddCustomer { fields, .. } => Some(LaidUpdate { changes: fields, lamport: 1 }),
        _ => None,
    }
}

/// When the oldest unsettled record was made, by this phone's clock.
pub(crate) fn oldest_pending(tx: &Tx<'_>, meta: &Meta) -> Result<Option<Timestamp>, Error> {
    let mut query = tx.prepare_cached("SELECT body FROM record WHERE id > ? ORDER BY id LIMIT 1")?;
    let oldest = query
        .query_row([meta.settled_id], |row| Ok(serde_json::from_slice::<Mutation>(bytes(row, 0)?).ok()))
        .optional()?;
    Ok(oldest.flatten().map(|mutation| mutation.at))
}

/// What is sent in one request.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where the history stands.
    pub(crate) meta: Meta,
    /// The id of the first entry, or of the next to come if there is none.
    pub(crate) first_id: u64,
    /// The entries as they go on the wire, in seq order.
    pub(crate) mutations: Vec<Box<RawValue>>,
    /// The chain's hash behind each, `None` for a row that is gone.
    pub(crate) hashes: Vec<Option<ChainHash>>,
    /// The chain's hash behind the last of them.
    pub(crate) head: ChainHash,
}

impl Batch {
    /// The seq of the first entry, or of the next to come if there is none.
    pub(crate) fn first_seq(&self) -> u64 {
        self.meta.seq(self.first_id)
    }

    /// The request that carries it, signed with `key`.
    pub(crate) fn request(self, key: &DeviceKey, with_hashes: bool) -> SyncRequest {
        let first_seq = self.first_seq();
        let Self { meta, mutations, hashes, head, .. } = self;
        let covered = first_seq + mutations.len() as u64 - 1;
        SyncRequest {
            actor: meta.actor,
            parent: meta.parent,
            first_seq,
            last_seq: meta.seq(meta.last_id),
            head,
            signature: key.sign_head(meta.actor, covered, head),
            hashes: with_hashes.then_some(hashes),
            mutations,
            cursor: meta.cursor,
        }
    }
}

/// The first `limit` entries that the server has not settled. With `wrap` their bytes go as text, for a server that
/// cannot read them as they are.
pub(crate) fn batch(tx: &Tx<'_>, limit: usize, wrap: bool) -> Result<Batch, Error> {
    let meta = Meta::read(tx)?;
    let first_id = meta.settled_id + 1;
    batch_from(tx, meta, first_id, limit, wrap)
}

/// The same from another entry on.
pub(crate) fn batch_from(
    tx: &Tx<'_>,
    meta: Meta,
    first_id: u64,
    limit: usize,
    wrap: bool,
) -> Result<Batch, Error> {
    let mut batch = Batch { head: meta.head, meta, first_id, mutations: Vec::new(), hashes: Vec::new() };
    let last_id = batch.meta.last_id.min(first_id.saturating_add(limit as u64).saturating_sub(1));
    let mut query =
        tx.prepare_cached("SELECT id, body, hash FROM record WHERE id BETWEEN ? AND ? ORDER BY id")?;
    let mut rows = query.query(params![first_id, last_id])?;
    let mut next_id = first_id;
    while let Some(row) = rows.next()? {
        let id: u64 = row.get(0)?;
        // A row that somebody took out of the file must not stop those behind it.
        batch.push_missing(id - next_id)?;
        next_id = id + 1;
        let body = bytes(row, 1)?;
        batch.mutations.push(as_sent(body, wrap)?);
        let hash = bytes(row, 2)?.try_into().map(ChainHash).ok();
        batch.hashes.push(hash);
        batch.head = hash.unwrap_or(batch.head);
    }
    drop(rows);
    drop(query);
    if next_id <= last_id {
        // The last rows are gone.
        batch.push_missing(last_id + 1 - next_id)?;
        batch.head = batch.meta.head;
    }
    Ok(batch)
}

impl Batch {
    fn push_missing(&mut self, count: u64) -> Result<(), Error> {
        for _ in 0..count {
            self.mutations.push(as_sent(b"", true)?);
            self.hashes.push(None);
        }
        Ok(())
    }
}

/// An entry's bytes as they go on the wire: as they are or, if they are no JSON any more or `wrap` says so, as text,
/// so that any server can settle them.
pub(crate) fn as_sent(body: &[u8], wrap: bool) -> Result<Box<RawValue>, Error> {
    match serde_json::from_slice(body) {
        Ok(intact) if !wrap => Ok(intact),
        _ => {
            let damaged = Damaged { damaged: String::from_utf8_lossy(body).into_owned() };
            Ok(serde_json::value::to_raw_value(&damaged)?)
        }
    }
}

/// Continues this history as a new actor: the file was restored or cloned, and the old actor's numbers from
/// here on belong to somebody else. Everything unsettled keeps its bytes, and so its transaction id.
pub(crate) fn take_new_actor(tx: &Tx<'_>, actor: ActorId) -> Result<(), Error> {
    let mut meta = Meta::read(tx)?;
    // What the old actor had settled is this history's past; if that is nothing, its own parent still is.
    let settled_seq = meta.seq(meta.settled_id);
    if settled_seq > 0 {
        meta.parent = Some(Dot { actor: meta.actor, seq: settled_seq });
    }
    tracing::warn!(old = %meta.actor, new = %actor, pending = meta.pending(), "took a new actor");
    meta.actor = actor;
    meta.base = meta.settled_id;
    meta.head = ChainHash::genesis(actor);
    let mut query = tx.prepare_cached("SELECT body FROM record WHERE id = ?")?;
    let mut update = tx.prepare_cached("UPDATE record SET hash = ? WHERE id = ?")?;
    for id in meta.settled_id + 1..=meta.last_id {
        meta.head = query
            .query_row([id], |row| Ok(meta.head.next(meta.seq(id), bytes(row, 0)?)))
            .optional()?
            .unwrap_or(meta.head);
        update.execute(params![meta.head.0, id])?;
    }
    meta.save(tx)
}
