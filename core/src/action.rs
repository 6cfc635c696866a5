//! What a rider does. Each action is one mutation and one SQLite transaction, and returns what the screen now
//! shows. An action that fails leaves nothing behind.

use crate::observe::Change;
use crate::query::{self, Customer, Visit};
use crate::store::settle::overlaid_updates;
use crate::store::{Meta, feed, outbox};
use crate::{Engine, Error};
use carboy_protocol::{
    Action, CustomerId, DeliveryLine, FailReason, Field, Money, Mutation, ProductCode, TxnId, mutation,
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// Bottles of one product, as the rider counts them. The price is the phone's at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredLine {
    /// Which product.
    pub product: ProductCode,
    /// Full bottles handed over.
    pub delivered: i32,
    /// Empty bottles taken back.
    pub empties: i32,
}

/// Proof that an action is on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The mutation's id.
    pub txn: TxnId,
    /// Its place in this phone's outbox. Places only grow.
    pub id: u64,
    /// What the customer's screen now shows.
    pub customer: Customer,
}

impl Engine {
    /// Records bottles handed over and empties taken back. The customer owes the price of the full ones.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::UnknownProduct`], [`Error::Invalid`] for numbers out of range,
    /// [`Error::StorageFull`].
    pub fn confirm_delivery(
        &self,
        customer: CustomerId,
        lines: &[DeliveredLine],
        proof: Option<String>,
    ) -> Result<Receipt, Error> {
        self.record(customer, Some(Visit::Delivered), |tx, meta, _| {
            let lines = lines.iter().map(|line| priced(tx, line)).collect::<Result<_, _>>()?;
            Ok(Action::ConfirmDelivery { customer, lines, currency: meta.currency, proof })
        })
    }

    /// Records cash taken from a customer, who owes that much less.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::CurrencyMismatch`], [`Error::Invalid`] for an amount that is not
    /// positive, [`Error::StorageFull`].
    pub fn collect_cash(&self, customer: CustomerId, amount: Money) -> Result<Receipt, Error> {
        self.record(customer, None, |_, meta, _| {
            if amount.currency != meta.currency {
                return Err(Error::CurrencyMismatch { given: amount.currency, expected: meta.currency });
            }
            Ok(Action::CollectCash { customer, amount })
        })
    }

    /// Records new values for fields of a customer's profile.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::Invalid`] for no change or a text too long, [`Error::StorageFull`].
    pub fn update_profile(
        &self,
        customer: CustomerId,
        changes: BTreeMap<Field, String>,
    ) -> Result<Receipt, Error> {
        self.record(customer, None, |tx, _, row| {
            let confirmed = feed::profile(tx, row)?;
            let lamport =
                overlaid_updates(tx, row)?.iter().fold(confirmed.next_lamport(), |next, update| match update
                    .action
                {
                    Action::UpdateProfile { lamport, .. } => next.max(lamport.saturating_add(1)),
                    _ => next,
                });
            Ok(Action::UpdateProfile { customer, changes, context: confirmed.clock(), lamport })
        })
    }

    /// Records a stop visited in vain.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::Invalid`] for a note too long, [`Error::StorageFull`].
    pub fn fail_delivery(
        &self,
        customer: CustomerId,
        reason: FailReason,
        note: Option<String>,
    ) -> Result<Receipt, Error> {
        self.record(customer, Some(Visit::Failed), |_, _, _| {
            Ok(Action::FailDelivery { customer, reason, note })
        })
    }

    /// One tap: validates, stamps, and writes the entry with its effect in one transaction.
    fn record(
        &self,
        customer: CustomerId,
        visit: Option<Visit>,
        action: impl FnOnce(&Transaction<'_>, &Meta, i64) -> Result<Action, Error>,
    ) -> Result<Receipt, Error> {
        let (txn, at) = self.new_txn()?;
        let receipt = self.store.write(|tx| {
            let meta = Meta::read(tx)?;
            let row = known_customer(tx, customer)?;
            let action = action(tx, &meta, row)?;
            action.validate()?;
            let amount = action.ledger_amount().map_err(mutation::Invalid::from)?;
            let mutation = Mutation { v: mutation::VERSION, txn, at, action };
            let id = outbox::append(tx, &meta, &mutation, row, amount)?;
            lay_over(tx, row, id, amount, visit)?;
            if let Action::UpdateProfile { .. } = mutation.action {
                feed::refresh_shown(tx, row)?;
            }
            Ok(Receipt { txn, id, customer: query::customer(tx, &meta, row)? })
        })?;
        tracing::debug!(%txn, id = receipt.id, "recorded");
        self.signal.raise(&[Change::Customers, Change::Outbox, Change::Status]);
        self.signal.wake_drainer();
        Ok(receipt)
    }
}

/// The row of a customer whom the feed has described.
fn known_customer(tx: &Transaction<'_>, customer: CustomerId) -> Result<i64, Error> {
    tx.prepare_cached("SELECT id FROM customer WHERE customer = ? AND profile IS NOT NULL")?
        .query_row([customer.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Error::UnknownCustomer(customer))
}

fn priced(tx: &Transaction<'_>, line: &DeliveredLine) -> Result<DeliveryLine, Error> {
    let unit_price = tx
        .prepare_cached("SELECT price FROM product WHERE code = ?")?
        .query_row([line.product.as_str()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::UnknownProduct(line.product.clone()))?;
    let DeliveredLine { product, delivered, empties } = line.clone();
    Ok(DeliveryLine { product, delivered, empties, unit_price })
}

/// Lays the effect of entry `id` over what the server said of the customer.
fn lay_over(
    tx: &Transaction<'_>,
    row: i64,
    id: u64,
    amount: Option<Money>,
    visit: Option<Visit>,
) -> Result<(), Error> {
    let amount = amount.map_or(0, |money| money.minor);
    if let Some(visit) = visit {
        tx.prepare_cached("UPDATE customer SET pending = pending + ?, visit = ?, visit_id = ? WHERE id = ?")?
            .execute(params![amount, visit.code(), id, row])?;
    } else if amount != 0 {
        tx.prepare_cached("UPDATE customer SET pending = pending + ? WHERE id = ?")?
            .execute(params![amount, row])?;
    }
    Ok(())
}
