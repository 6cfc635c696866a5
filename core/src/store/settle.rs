//! Settling: one local transaction that takes the server's answers, merges its feed and moves the cursor. A
//! mutation leaves the overlay in the same transaction that brings the state which contains it, so that a
//! balance never shows it twice or not at all.

use super::lifting::Lifting;
use super::meta::put_told_day;
use super::outbox::{RecordState, Recorded};
use super::{Meta, Tx, feed, outbox, overlay, photos};
use crate::Error;
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, Rejection, SyncReply};
use carboy_protocol::{ActorId, Tally, Timestamp, TxnId};
use rusqlite::params;
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

/// The reason on the attention list of what the server does not know yet.
pub(crate) const PARKED: &str = "parked";

/// A settlement under way.
struct Settling<'t, 'c> {
    tx: &'t Tx<'c>,
    meta: Meta,
    /// The rev up to which the feed is in the file once this is done.
    cursor: u64,
    lifting: Lifting,
    /// Customers of whose profile something else may be shown.
    touched: BTreeSet<i64>,
    outcome: Settled,
}

/// Takes `reply`, the answer to a request whose first mutation was `actor`'s `first_seq`-th.
pub(crate) fn settle(
    tx: &Tx<'_>,
    actor: ActorId,
    first_seq: u64,
    reply: &SyncReply,
    now: Timestamp,
) -> Result<Settled, Error> {
    let meta = Meta::read(tx)?;
    let outcome = Settled { more: reply.more, ..Settled::default() };
    let (cursor, lifting, touched) = (reply.cursor, Lifting::default(), BTreeSet::new());
    let mut settling = Settling { tx, meta, cursor, lifting, touched, outcome };
    // A history that took a new actor since then gets its answers anew.
    if actor == settling.meta.actor {
        settling.take_answers(first_seq, reply)?;
    }
    settling.leave_overlay()?;
    // After the records: what the server tells of a customer is newer than what they say.
    settling.touched.extend(feed::merge(tx, &settling.meta, &reply.feed)?);
    settling.finish(reply, now)
}

/// Takes what became of a parked mutation once the server knew its kind.
pub(crate) fn unpark(tx: &Tx<'_>, txn: TxnId, answer: &Answer) -> Result<(), Error> {
    let mut query = tx.prepare_cached("SELECT id, body FROM attention WHERE reason = ?")?;
    let parked: Vec<(u64, String)> =
        query.query_map([PARKED], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, body) in parked {
        let sent = outbox::as_sent(body.as_bytes(), false)?;
        if Parsed::of(sent.get()).txn() != txn {
            continue;
        }
        match answer {
            Answer::Parked => {}
            Answer::Rejected { reason, detail } => {
                let reason = serde_json::to_value(reason)?;
                tx.prepare_cached("UPDATE attention SET reason = ?, detail = ? WHERE id = ?")?
                    .execute(params![reason.as_str(), detail, id])?;
            }
            Answer::Applied { .. } => {
                photos::release(tx, id..=id)?;
                outbox::accept(tx, id)?;
                tx.prepare_cached("DELETE FROM attention WHERE id = ?")?.execute([id])?;
            }
        }
    }
    Ok(())
}

impl Settling<'_, '_> {
    fn take_answers(&mut self, first_seq: u64, reply: &SyncReply) -> Result<(), Error> {
        let first_id = self.meta.base + first_seq;
        let last_id = (first_id + reply.results.len() as u64).saturating_sub(1);
        let ids = first_id.max(self.meta.settled_id + 1)..=last_id;
        let mut records = outbox::recorded_in(self.tx, ids)?.into_iter().peekable();
        for (seq, result) in (first_seq..).zip(&reply.results) {
            let id = self.meta.base + seq;
            if id <= self.meta.settled_id {
                continue;
            }
            if id != self.meta.settled_id + 1 || id > self.meta.last_id || result.seq != seq {
                return Err(Error::Store(format!("answer for seq {} where {seq} was expected", result.seq)));
            }
            let record = records.next_if(|record| record.id == id);
            self.take_answer(id, record, &result.answer)?;
            self.meta.settled_id = id;
            self.outcome.settled += 1;
        }
        Ok(())
    }

    fn take_answer(&mut self, id: u64, record: Option<Recorded>, answer: &Answer) -> Result<(), Error> {
        let Some(record) = record else {
            tracing::error!(id, "a record is missing from the file");
            self.lifting.write(self.tx, &self.meta)?;
            overlay::mend(self.tx)?;
            return match answer {
                Answer::Applied { .. } => Ok(()),
                other => self.note_refusal(id, None, other),
            };
        };
        if let Some(mutation) = &record.mutation {
            tracing::debug!(txn_id = %mutation.txn, id, ?answer, "settled");
        }
        self.meta.pending_bytes = self.meta.pending_bytes.saturating_sub(record.body.len() as u64);
        overlay::uncount(self.tx, &mut self.meta, &record)?;
        match answer {
            Answer::Applied { rev } => {
                self.lifting.release(self.tx, id)?;
                // The feed of this very reply contains the effect: most often so.
                if *rev <= self.cursor {
                    // A duplicate's effect may have been in the feed long ago, with newer ones behind it.
                    if *rev > self.meta.cursor {
                        self.lifting.tell_visit(self.tx, &self.meta, &record)?;
                    }
                    self.lift(&record, RecordState::Contained)
                } else {
                    self.tx
                        .prepare_cached("UPDATE record SET rev = ? WHERE id = ?")?
                        .execute(params![rev, id])?;
                    Ok(())
                }
            }
            refused => {
                self.note_refusal(id, Some(&record), refused)?;
                self.lift(&record, RecordState::Refused)?;
                overlay::refuse(self.tx, &record)
            }
        }
    }

    /// Puts a record that was not accepted on the attention list. One that somebody took out of the file is listed
    /// without its bytes.
    fn note_refusal(&mut self, id: u64, record: Option<&Recorded>, answer: &Answer) -> Result<(), Error> {
        let (reason, detail) = match answer {
            Answer::Rejected { reason, detail } => {
                self.outcome.rejected.push(Rejected { id, reason: *reason, detail: detail.clone() });
                let name = serde_json::to_value(reason)?;
                (name.as_str().unwrap_or_default().to_owned(), detail.as_str())
            }
            _ => (PARKED.to_owned(), "the server keeps it until it knows this kind"),
        };
        #[cfg(feature = "planted")]
        if carboy_protocol::planted::is(carboy_protocol::planted::Bug::RejectedDropped) {
            return Ok(());
        }
        let body = record.map_or_else(Default::default, |record| String::from_utf8_lossy(&record.body));
        self.tx.execute(
            "INSERT INTO attention (id, customer, reason, detail, body) VALUES (?, ?, ?, ?, ?)",
            params![id, record.and_then(|record| record.customer), reason, detail, body],
        )?;
        Ok(())
    }

    /// Takes out what the feed now contains.
    fn leave_overlay(&mut self) -> Result<(), Error> {
        let sql =
            format!("SELECT {} FROM record WHERE rev IS NOT NULL AND done = 0 AND rev <= ?", outbox::COLUMNS);
        let mut query = self.tx.prepare_cached(&sql)?;
        let contained: Vec<Recorded> =
            query.query_map([self.cursor], Recorded::from_row)?.collect::<Result<_, _>>()?;
        for record in contained {
            self.lifting.tell_visit(self.tx, &self.meta, &record)?;
            self.lift(&record, RecordState::Contained)?;
        }
        self.lifting.write(self.tx, &self.meta)
    }

    fn lift(&mut self, record: &Recorded, state: RecordState) -> Result<(), Error> {
        let touched = self.lifting.lift(self.tx, &self.meta, record, state)?;
        self.touched.extend(touched);
        Ok(())
    }

    fn finish(mut self, reply: &SyncReply, now: Timestamp) -> Result<Settled, Error> {
        let meta = &mut self.meta;
        // A cursor behind ours means that the server was set back to a backup: read its feed anew.
        if reply.cursor < meta.cursor {
            meta.cursor = 0;
            self.outcome.more |= reply.cursor > 0;
        } else {
            meta.cursor = reply.cursor;
        }
        if meta.pending() == 0 {
            (meta.laid_in_shift, meta.laid_in_all, meta.pending_bytes) =
                (Tally::default(), Tally::default(), 0);
        }
        if let Some(day) = &reply.day {
            put_told_day(self.tx, day)?;
            if meta.shift_id <= meta.settled_id {
                meta.shift.clone_from(&day.shift);
            }
        }
        meta.last_contact = Some(now);
        meta.save(self.tx)?;
        for customer in &self.touched {
            feed::refresh_shown(self.tx, *customer)?;
        }
        outbox::drop_old(self.tx, &self.meta, self.outcome.settled)?;
        self.outcome.pending = self.meta.pending();
        Ok(self.outcome)
    }
}
