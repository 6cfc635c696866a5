//! The overlay: what the outbox adds to the state that the server told. Each record is laid over it when it is
//! recorded and lifted off once the server's own state contains it, or once it was not accepted.

use super::outbox::{self, Entry, Recorded};
use super::{Meta, Tx, feed};
use crate::Error;
use carboy_protocol::wire::Visit;
use carboy_protocol::{Action, Mutation, RouteId, Shift, StopState, Tally, TxnId};
use rusqlite::{OptionalExtension, params};

/// The visit that the server told is taken back.
const TAKEN_BACK: i64 = -1;

pub(crate) fn state_code(state: StopState) -> i64 {
    match state {
        StopState::OnTheWay => 1,
        StopState::Arrived => 2,
        StopState::Delivered => 3,
        StopState::Failed => 4,
        StopState::Skipped => 5,
    }
}

pub(crate) fn state_of(code: i64) -> Option<StopState> {
    match code {
        1 => Some(StopState::OnTheWay),
        2 => Some(StopState::Arrived),
        3 => Some(StopState::Delivered),
        4 => Some(StopState::Failed),
        5 => Some(StopState::Skipped),
        _ => None,
    }
}

/// Lays a new record, already appended as `meta.last_id`, over the server's state, and notes its count in `meta`.
pub(crate) fn lay(tx: &Tx<'_>, meta: &mut Meta, entry: &Entry<'_>) -> Result<(), Error> {
    let id = meta.last_id;
    if let Some(row) = entry.customer {
        lay_over_customer(tx, row, id, entry)?;
    }
    let Mutation { txn, at, action, .. } = entry.mutation;
    match (action, &entry.undoes) {
        (Action::StartShift { .. }, _) => {
            meta.laid_in_shift = Tally::default();
            meta.since = id;
        }
        (Action::AddCustomer { route, .. }, _) => lay_new_customer(tx, id, *route, entry.customer)?,
        (_, Some(target)) => outbox::undo(tx, target.id, id)?,
        _ => {}
    }
    let shift = match &entry.undoes {
        Some(Recorded { mutation: Some(target), .. }) => {
            Shift::without(meta.shift.clone(), &target.action, target.txn)
        }
        _ => Shift::after(meta.shift.clone(), action, *txn, *at),
    };
    if shift != meta.shift {
        (meta.shift, meta.shift_id) = (shift, id);
    }
    let (in_shift, in_all) = counts(meta, id, action, entry.undoes.as_ref());
    meta.laid_in_shift.add(&in_shift);
    meta.laid_in_all.add(&in_all);
    Ok(())
}

fn lay_over_customer(tx: &Tx<'_>, row: i64, id: u64, entry: &Entry<'_>) -> Result<(), Error> {
    let visit = entry.mutation.action.stop_state().map(state_code);
    // One statement for both: each costs a tap as much as all that is checked before it.
    if entry.amount != 0 || visit.is_some() {
        tx.prepare_cached(
            "UPDATE customer SET pending = pending + ?1,
                 visit = coalesce(?2, visit), visit_id = iif(?2 IS NULL, visit_id, ?3)
             WHERE id = ?4",
        )?
        .execute(params![entry.amount, visit, id, row])?;
    }
    if let Some(target) = &entry.undoes {
        undo_over_customer(tx, row, id, target)?;
    }
    match &entry.mutation.action {
        Action::UpdateProfile { edit, .. } | Action::Withdraw { restore: Some(edit), .. } => {
            feed::show_over(tx, row, &edit.changes)
        }
        Action::AddCustomer { fields, .. } => feed::show_over(tx, row, fields),
        _ => Ok(()),
    }
}

/// What taking `target` back does to its customer, besides the amount.
fn undo_over_customer(tx: &Tx<'_>, row: i64, id: u64, target: &Recorded) -> Result<(), Error> {
    let Some(mutation) = &target.mutation else { return Ok(()) };
    if mutation.action.stop_state().is_some() {
        tx.prepare_cached(
            "UPDATE customer SET visit = ?1, visit_id = ?2
             WHERE id = ?3 AND (visit_id = ?4 OR (visit_id = 0 AND told_txn = ?5))",
        )?
        .execute(params![TAKEN_BACK, id, row, target.id, mutation.txn.as_bytes()])?;
    }
    if matches!(mutation.action, Action::AddCustomer { .. }) {
        tx.execute("UPDATE customer SET closing_id = ? WHERE id = ?", params![id, row])?;
    }
    Ok(())
}

/// A customer added here is known from now on and, until the feed says where it stands, the last stop of its route.
fn lay_new_customer(
    tx: &Tx<'_>,
    id: u64,
    route: Option<RouteId>,
    customer: Option<i64>,
) -> Result<(), Error> {
    let route = route.map(|route| *route.as_bytes());
    tx.execute(
        "UPDATE customer SET added_id = ?, added_route = ? WHERE id = ?",
        params![id, route, customer],
    )?;
    tx.execute(
        "INSERT INTO stop (route, position, customer)
         SELECT route, coalesce((SELECT max(position) + 1 FROM stop WHERE route = ?1), 0), ?2
         FROM route WHERE route = ?1",
        params![route, customer],
    )?;
    Ok(())
}

/// What the record `id` counts since the shift that screens show began, and in all.
fn counts(meta: &Meta, id: u64, action: &Action, undoes: Option<&Recorded>) -> (Tally, Tally) {
    let (tally, since) = match undoes {
        Some(Recorded { id, mutation: Some(target), .. }) => {
            let mut tally = Tally::default();
            tally.subtract(&Tally::of(&target.action));
            (tally, *id)
        }
        Some(_) => (Tally::default(), id),
        None => (Tally::of(action), id),
    };
    // A record of an earlier shift that is taken back now was counted there.
    if since > meta.since && id > meta.since { (tally.clone(), tally) } else { (Tally::default(), tally) }
}

/// Takes what a settled record counts out of what is laid over the server's day: the day that came with the
/// settlement counts it.
pub(crate) fn uncount(tx: &Tx<'_>, meta: &mut Meta, record: &Recorded) -> Result<(), Error> {
    let Some(mutation) = &record.mutation else { return Ok(()) };
    let undoes = record.undoes.map(|id| outbox::recorded(tx, id)).transpose()?.flatten();
    if record.undoes.is_some() && undoes.is_none() {
        return Ok(());
    }
    let (in_shift, in_all) = counts(meta, record.id, &mutation.action, undoes.as_ref());
    meta.laid_in_shift.subtract(&in_shift);
    meta.laid_in_all.subtract(&in_all);
    Ok(())
}

/// The server has taken in what the record says of a stop: from now on that is what it tells, until the feed says
/// something else. A withdrawal takes back the visit that it is about, and leaves another one that has come since.
pub(crate) fn tell_visit(tx: &Tx<'_>, meta: &Meta, record: &Recorded) -> Result<(), Error> {
    let (Some(row), Some(mutation)) = (record.customer, &record.mutation) else { return Ok(()) };
    let shift = meta.shift.as_ref().filter(|_| record.id > meta.since).map(|shift| *shift.txn.as_bytes());
    let taken_back = match &mutation.action {
        Action::Withdraw { target, .. } => Some(*target.as_bytes()),
        _ => None,
    };
    tx.prepare_cached(
        "UPDATE customer SET told_state = max(visit, 0), told_txn = iif(visit > 0, ?1, NULL), told_shift = ?2
         WHERE id = ?3 AND visit_id = ?4 AND (?5 IS NULL OR told_txn = ?5)",
    )?
    .execute(params![mutation.txn.as_bytes(), shift, row, record.id, taken_back])?;
    Ok(())
}

/// The records that say of a customer how the visit went, that the customer was added here, and that the customer is
/// served no more; 0 where there is none.
pub(crate) fn named(tx: &Tx<'_>, row: i64) -> Result<[u64; 3], Error> {
    let mut query = tx.prepare_cached("SELECT visit_id, added_id, closing_id FROM customer WHERE id = ?")?;
    let ids = query.query_row([row], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
    Ok(ids.optional()?.unwrap_or_default())
}

/// What the record `id` says in one of these places, it says no more.
pub(crate) fn unname(tx: &Tx<'_>, row: i64, id: u64) -> Result<(), Error> {
    tx.prepare_cached(
        "UPDATE customer SET
             visit = iif(visit_id = ?1, 0, visit), visit_id = iif(visit_id = ?1, 0, visit_id),
             added_route = iif(added_id = ?1, NULL, added_route), added_id = iif(added_id = ?1, 0, added_id),
             closing_id = iif(closing_id = ?1, 0, closing_id)
         WHERE id = ?2",
    )?
    .execute(params![id, row])?;
    Ok(())
}

/// Works the overlay of all customers out anew, once a record is found missing from the file: what it had added
/// cannot be taken off any more.
pub(crate) fn mend(tx: &Tx<'_>) -> Result<(), Error> {
    tx.execute_batch(
        "UPDATE customer SET pending = coalesce(
             (SELECT sum(amount) FROM record WHERE record.customer = customer.id AND done = 0), 0)
         WHERE pending <> 0;
         UPDATE customer SET visit = 0, visit_id = 0
         WHERE visit_id > 0 AND visit_id NOT IN (SELECT id FROM record WHERE done = 0);
         UPDATE customer SET closing_id = 0
         WHERE closing_id > 0 AND closing_id NOT IN (SELECT id FROM record WHERE done = 0);",
    )?;
    Ok(())
}

/// What else a record that was not accepted leaves behind: a customer whom the server does not know is shown no
/// more, and what it took back stands again.
pub(crate) fn refuse(tx: &Tx<'_>, record: &Recorded) -> Result<(), Error> {
    if let Some(target) = record.undoes {
        outbox::redo(tx, target, record.id)?;
    }
    let is_new_customer =
        matches!(&record.mutation, Some(mutation) if matches!(mutation.action, Action::AddCustomer { .. }));
    if is_new_customer {
        tx.execute(
            "DELETE FROM stop WHERE customer = (SELECT id FROM customer WHERE id = ? AND profile IS NULL)",
            [record.customer],
        )?;
    }
    Ok(())
}

/// The visit that the server told of a customer.
pub(crate) fn put_told_visit(tx: &Tx<'_>, row: i64, visit: Option<&Visit>) -> Result<(), Error> {
    let bytes = |txn: TxnId| *txn.as_bytes();
    tx.prepare_cached("UPDATE customer SET told_state = ?, told_txn = ?, told_shift = ? WHERE id = ?")?
        .execute(params![
            visit.map_or(0, |visit| state_code(visit.state)),
            visit.map(|visit| bytes(visit.txn)),
            visit.and_then(|visit| visit.shift).map(bytes),
            row
        ])?;
    Ok(())
}

/// How a stop stands in the shift that screens show, and whether the server has that.
pub(crate) struct Shown {
    pub(crate) state: Option<StopState>,
    pub(crate) settled: bool,
}

/// Reads [`Shown`] from the columns `visit, visit_id, told_state, told_shift`.
pub(crate) fn shown_visit(
    meta: &Meta,
    visit: i64,
    visit_id: u64,
    told_state: i64,
    told_shift: Option<[u8; 16]>,
) -> Shown {
    if visit_id > 0 {
        let is_of_this_shift = visit_id > meta.since;
        let state = state_of(visit).filter(|_| is_of_this_shift);
        return Shown { state, settled: visit_id <= meta.settled_id };
    }
    let shift = meta.shift.as_ref().map(|shift| *shift.txn.as_bytes());
    Shown { state: state_of(told_state).filter(|_| told_shift == shift), settled: true }
}
