//! Lifting the records of one reply off the overlay. What many of them change is written once: a customer's row for all
//! that are about this customer, and records that stand next to each other together.

use super::outbox::{self, RecordState, Recorded};
use super::{Meta, Tx, overlay, photos};
use crate::Error;
use rusqlite::params;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;

/// What is lifted and not written yet.
#[derive(Default)]
pub(crate) struct Lifting {
    customers: BTreeMap<i64, Customer>,
    /// Records whose photos may go.
    released: Option<RangeInclusive<u64>>,
    /// Records that leave the overlay, and how they stand from then on.
    finished: Option<(RangeInclusive<u64>, RecordState)>,
}

/// What is laid over a customer.
struct Customer {
    /// The records that say something else than an amount, 0 where there is none: of the visit, that the customer was
    /// added here, and that the customer is served no more.
    named: [u64; 3],
    /// The amounts that are lifted off.
    amount: i64,
}

impl Lifting {
    /// The server has applied the record `id`: its photos may go.
    pub(crate) fn release(&mut self, tx: &Tx<'_>, id: u64) -> Result<(), Error> {
        if !extend(&mut self.released, id) {
            self.write_released(tx)?;
            self.released = Some(id..=id);
        }
        Ok(())
    }

    /// The server has taken in what the record says of a stop: from now on that is what it tells.
    pub(crate) fn tell_visit(&mut self, tx: &Tx<'_>, meta: &Meta, record: &Recorded) -> Result<(), Error> {
        match self.customer(tx, record)? {
            Some((_, customer)) if customer.named[0] == record.id => overlay::tell_visit(tx, meta, record),
            _ => Ok(()),
        }
    }

    /// Lifts `record`, which stands as `state` from then on. Returns the customer of whose profile something else may
    /// be shown, if any.
    pub(crate) fn lift(
        &mut self,
        tx: &Tx<'_>,
        meta: &Meta,
        record: &Recorded,
        state: RecordState,
    ) -> Result<Option<i64>, Error> {
        let mut touched = None;
        if let Some((row, customer)) = self.customer(tx, record)? {
            customer.amount += record.amount;
            if customer.named.contains(&record.id) {
                overlay::unname(tx, row, record.id)?;
                customer.named = customer.named.map(|id| if id == record.id { 0 } else { id });
            }
            touched = record.profile_update.then_some(row);
        }
        match &mut self.finished {
            Some((ids, run)) if *run == state && *ids.end() + 1 == record.id => {
                *ids = *ids.start()..=record.id;
            }
            _ => {
                self.write_finished(tx, meta)?;
                self.finished = Some((record.id..=record.id, state));
            }
        }
        Ok(touched)
    }

    /// Writes all that is not written yet. What others change of a customer is read anew after this.
    pub(crate) fn write(&mut self, tx: &Tx<'_>, meta: &Meta) -> Result<(), Error> {
        self.write_released(tx)?;
        self.write_finished(tx, meta)?;
        for (row, Customer { amount, .. }) in std::mem::take(&mut self.customers) {
            if amount != 0 {
                tx.prepare_cached("UPDATE customer SET pending = pending - ? WHERE id = ?")?
                    .execute(params![amount, row])?;
            }
        }
        Ok(())
    }

    fn write_released(&mut self, tx: &Tx<'_>) -> Result<(), Error> {
        self.released.take().map_or(Ok(()), |ids| photos::release(tx, ids))
    }

    fn write_finished(&mut self, tx: &Tx<'_>, meta: &Meta) -> Result<(), Error> {
        self.finished.take().map_or(Ok(()), |(ids, state)| outbox::finish(tx, meta, &ids, state))
    }

    /// The customer whom the record is about, with the row.
    fn customer(&mut self, tx: &Tx<'_>, record: &Recorded) -> Result<Option<(i64, &mut Customer)>, Error> {
        let Some(row) = record.customer else { return Ok(None) };
        let customer = match self.customers.entry(row) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Customer { named: overlay::named(tx, row)?, amount: 0 }),
        };
        Ok(Some((row, customer)))
    }
}

/// Takes `id` into the range if it is empty or ends right before.
fn extend(range: &mut Option<RangeInclusive<u64>>, id: u64) -> bool {
    let first = match range {
        Some(ids) if *ids.end() + 1 != id => return false,
        Some(ids) => *ids.start(),
        None => id,
    };
    *range = Some(first..=id);
    true
}
