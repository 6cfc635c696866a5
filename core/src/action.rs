//! What a rider does. Each action is one mutation and one SQLite transaction, and returns what the screen now
//! shows. An action that fails leaves nothing behind.
#![expect(clippy::needless_pass_by_value, reason = "a write may run twice and needs them each time")]

use crate::query::{Customer, DaySummary, customer, day_summary};
use crate::record::{Draft, Stamp};
use crate::store::feed::{self, Seen};
use crate::store::{Meta, Tx, outbox};
use crate::{Engine, Error};
use carboy_protocol::mutation::{Invalid, MAX_PHOTOS};
use carboy_protocol::{
    Action, Currency, CustomerId, DeliveryLine, Edit, FailReason, Field, Money, Photo, ProductCode, Progress,
    RouteId, StockLine, TxnId,
};
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;
use std::path::Path;

/// Bottles of one product, as the rider counts them. The price is the phone's at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredLine {
    /// Which product.
    pub product: ProductCode,
    /// Full bottles handed over, 0 to 10,000.
    pub delivered: i32,
    /// Empty bottles taken back, 0 to 10,000.
    pub empties: i32,
}

/// Proof that an action about a customer is on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The mutation's id.
    pub txn: TxnId,
    /// The record's number on this phone. Numbers only grow.
    pub id: u64,
    /// The short code of the record for a person's receipt, for example `7Q4K-2MXD`: the server has the same.
    pub code: String,
    /// What the customer's screen now shows.
    pub customer: Customer,
}

/// Proof that an action about the rider's day is on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayReceipt {
    /// The mutation's id.
    pub txn: TxnId,
    /// The record's number on this phone. Numbers only grow.
    pub id: u64,
    /// The short code of the record for a person's receipt; empty if nothing was recorded.
    pub code: String,
    /// What the day's summary now shows.
    pub day: DaySummary,
    /// What the customer's screen now shows, if the record is about one.
    pub customer: Option<Customer>,
}

impl Engine {
    /// Records bottles handed over and empties taken back, in 1 to 50 lines. The customer owes the price of the full
    /// ones. `photos` are files of at most 10 MiB, five at most; they are copied before this returns and sent after
    /// the money.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::UnknownProduct`], [`Error::Invalid`] for numbers, photos or a proof out of
    /// range, [`Error::UnreadablePhoto`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let line = DeliveredLine { product: "20L".parse()?, delivered: 2, empties: 1 }; // at KES 150.00 each
    /// let receipt = engine.confirm_delivery(customer, &[line], Some("signature 17".into()), &[])?;
    /// assert_eq!(receipt.customer.balance.to_string(), "KES 400.00"); // she owed 100.00
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn confirm_delivery(
        &self,
        customer: CustomerId,
        lines: &[DeliveredLine],
        proof: Option<String>,
        photos: &[&Path],
    ) -> Result<Receipt, Error> {
        self.with_photos(photos, |photos| self.record(delivery(customer, lines, &proof, photos), receipt))
    }

    /// Records a delivery and the cash taken for it, both or neither: what [`Engine::confirm_delivery`] and then
    /// [`Engine::collect_cash`] record, for one tap. The receipt is the cash's.
    ///
    /// # Errors
    /// As those two; nothing is recorded then.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let line = DeliveredLine { product: "20L".parse()?, delivered: 2, empties: 1 }; // at KES 150.00 each
    /// let paid = Money::new(30_000, "KES".parse()?);
    /// let receipt = engine.confirm_paid_delivery(customer, &[line], paid, None, &[])?;
    /// assert_eq!(receipt.customer.balance.to_string(), "KES 100.00"); // as before
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn confirm_paid_delivery(
        &self,
        customer: CustomerId,
        lines: &[DeliveredLine],
        paid: Money,
        proof: Option<String>,
        photos: &[&Path],
    ) -> Result<Receipt, Error> {
        let cash = about(customer, move |_, _| Ok(Action::CollectCash { customer, amount: paid }));
        self.with_photos(photos, |photos| {
            self.record_both([&delivery(customer, lines, &proof, photos), &cash], receipt)
        })
    }

    /// Records cash taken from a customer, who owes that much less.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::CurrencyMismatch`], [`Error::Invalid`] for an amount that is not
    /// positive or above 10¹² minor units, [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let paid = Money::new(3_000, "KES".parse()?);
    /// let receipt = engine.collect_cash(customer, paid)?;
    /// assert_eq!(receipt.customer.balance.to_string(), "KES 70.00"); // she owed 100.00
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn collect_cash(&self, customer: CustomerId, amount: Money) -> Result<Receipt, Error> {
        self.record_about(customer, |_, _| Ok(Action::CollectCash { customer, amount }))
    }

    /// Records new values for fields of a customer's profile.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::Invalid`] for no change, an empty name or a text too long,
    /// [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let receipt = engine.update_profile(customer, [(Field::Phone, "0733".to_owned())].into())?;
    /// assert_eq!(receipt.customer.phone, "0733");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update_profile(
        &self,
        customer: CustomerId,
        changes: BTreeMap<Field, String>,
    ) -> Result<Receipt, Error> {
        let draft = |tx: &Tx<'_>, _: &Meta| {
            let row = known_customer(tx, customer)?;
            profile_update(tx, customer, row, changes.clone())
        };
        self.record(draft, receipt)
    }

    /// Records a stop visited in vain.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::Invalid`] for a note that is blank or too long, [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.fail_delivery(customer, FailReason::Closed, Some("back at four".into()))?;
    /// assert_eq!(engine.stops(route)?[0].state, Some(StopState::Failed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail_delivery(
        &self,
        customer: CustomerId,
        reason: FailReason,
        note: Option<String>,
    ) -> Result<Receipt, Error> {
        self.record_about(customer, |_, _| Ok(Action::FailDelivery { customer, reason, note: note.clone() }))
    }

    /// Records how far the rider got with a stop.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.note_progress(customer, Progress::Arrived)?;
    /// assert_eq!(engine.stops(route)?[0].state, Some(StopState::Arrived));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn note_progress(&self, customer: CustomerId, progress: Progress) -> Result<Receipt, Error> {
        self.record_about(customer, |_, _| Ok(Action::NoteProgress { customer, progress }))
    }

    /// Adds a customer, who can be delivered to at once; with `route` as the last stop of that route.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a name or with a text too long, [`Error::UnknownRoute`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let receipt = engine.add_customer([(Field::Name, "Kiosk Uhuru".to_owned())].into(), Some(route))?;
    /// assert_eq!(receipt.customer.balance.minor, 0);
    /// assert_eq!(engine.stops(route)?[1].customer.customer, receipt.customer.customer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_customer(
        &self,
        fields: BTreeMap<Field, String>,
        route: Option<RouteId>,
    ) -> Result<Receipt, Error> {
        let (txn, at) = self.new_txn()?;
        let customer = CustomerId(txn.0);
        let draft = |tx: &Tx<'_>, _: &Meta| {
            if let Some(route) = route {
                known_route(tx, route)?;
            }
            let row = feed::customer_row(tx, customer)?;
            Ok(Draft::about(row, Action::AddCustomer { customer, fields: fields.clone(), route }))
        };
        self.record_as(txn, at, draft, receipt)
    }

    /// Begins the rider's working day, on `route` if one is given. The counts of the day begin anew; cash in hand
    /// and stock on board stay.
    ///
    /// # Errors
    /// [`Error::ShiftOpen`], [`Error::UnknownRoute`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let receipt = engine.start_shift(Some(route))?;
    /// assert!(receipt.day.shift.is_some_and(|shift| shift.is_open()));
    /// assert!(matches!(engine.start_shift(None), Err(Error::ShiftOpen(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_shift(&self, route: Option<RouteId>) -> Result<DayReceipt, Error> {
        let draft = |tx: &Tx<'_>, meta: &Meta| {
            if let Some(shift) = meta.shift.as_ref().filter(|shift| shift.is_open()) {
                return Err(Error::ShiftOpen(shift.started_at));
            }
            if let Some(route) = route {
                known_route(tx, route)?;
            }
            Ok(Draft::of(Action::StartShift { route }))
        };
        self.record(draft, day_receipt)
    }

    /// Ends the rider's working day.
    ///
    /// # Errors
    /// [`Error::NoShift`], [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.start_shift(None)?;
    /// let receipt = engine.finish_shift()?;
    /// assert!(receipt.day.shift.is_some_and(|shift| !shift.is_open()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish_shift(&self) -> Result<DayReceipt, Error> {
        let draft = |_: &Tx<'_>, meta: &Meta| {
            meta.shift.as_ref().filter(|shift| shift.is_open()).ok_or(Error::NoShift)?;
            Ok(Draft::of(Action::FinishShift {}))
        };
        self.record(draft, day_receipt)
    }

    /// Records bottles loaded at the plant, in 1 to 50 lines.
    ///
    /// # Errors
    /// [`Error::UnknownProduct`], [`Error::Invalid`] for numbers out of range, [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let line = StockLine { product: "20L".parse()?, full: 40, empty: 0 };
    /// let receipt = engine.load_stock(&[line])?;
    /// assert_eq!(receipt.day.products[0].on_board, 40);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_stock(&self, lines: &[StockLine]) -> Result<DayReceipt, Error> {
        let draft =
            |tx: &Tx<'_>, _: &Meta| Ok(Draft::of(Action::LoadStock { lines: known_products(tx, lines)? }));
        self.record(draft, day_receipt)
    }

    /// Records bottles given back to the plant.
    ///
    /// # Errors
    /// As [`Engine::load_stock`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let line = StockLine { product: "20L".parse()?, full: 3, empty: 12 };
    /// let receipt = engine.return_stock(&[line])?;
    /// assert_eq!(receipt.day.products[0].returned, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn return_stock(&self, lines: &[StockLine]) -> Result<DayReceipt, Error> {
        let draft =
            |tx: &Tx<'_>, _: &Meta| Ok(Draft::of(Action::ReturnStock { lines: known_products(tx, lines)? }));
        self.record(draft, day_receipt)
    }

    /// Records collected cash handed to the plant.
    ///
    /// # Errors
    /// [`Error::CurrencyMismatch`], [`Error::Invalid`] for an amount that is not positive or above 10¹² minor units,
    /// or a note that is blank or too long, [`Error::StorageFull`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let cash = Money::new(3_000, "KES".parse()?);
    /// engine.collect_cash(customer, cash)?;
    /// let receipt = engine.hand_in_cash(cash, Some("receipt 118".into()))?;
    /// assert_eq!(receipt.day.cash_in_hand.minor, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hand_in_cash(&self, amount: Money, note: Option<String>) -> Result<DayReceipt, Error> {
        let draft = |_: &Tx<'_>, _: &Meta| Ok(Draft::of(Action::HandInCash { amount, note: note.clone() }));
        self.record(draft, day_receipt)
    }

    fn record_about(
        &self,
        customer: CustomerId,
        action: impl Fn(&Tx<'_>, Currency) -> Result<Action, Error>,
    ) -> Result<Receipt, Error> {
        self.record(about(customer, action), receipt)
    }

    /// Records with copies of the photos, which go again if that fails.
    fn with_photos(
        &self,
        photos: &[&Path],
        record: impl FnOnce(&[Photo]) -> Result<Receipt, Error>,
    ) -> Result<Receipt, Error> {
        if photos.len() > MAX_PHOTOS {
            return Err(Invalid::Photos(photos.len()).into());
        }
        let photos = photos.iter().map(|path| self.album.adopt(path)).collect::<Result<Vec<_>, _>>()?;
        let result = record(&photos);
        if result.is_err() && !photos.is_empty() {
            self.sweep_album()?;
        }
        result
    }
}

/// What drafts an action about a known customer.
fn about(
    customer: CustomerId,
    action: impl Fn(&Tx<'_>, Currency) -> Result<Action, Error>,
) -> impl Fn(&Tx<'_>, &Meta) -> Result<Draft, Error> {
    move |tx, meta| {
        let row = known_customer(tx, customer)?;
        Ok(Draft::about(row, action(tx, meta.currency)?))
    }
}

/// What drafts a delivery at the phone's prices.
fn delivery(
    customer: CustomerId,
    lines: &[DeliveredLine],
    proof: &Option<String>,
    photos: &[Photo],
) -> impl Fn(&Tx<'_>, &Meta) -> Result<Draft, Error> {
    about(customer, move |tx, currency| {
        let lines = priced(tx, lines)?;
        let (proof, photos) = (proof.clone(), photos.to_vec());
        Ok(Action::ConfirmDelivery { customer, lines, currency, proof, photos })
    })
}

/// The receipt for an action that is about a customer.
pub(crate) fn receipt(tx: &Tx<'_>, meta: &Meta, stamp: &Stamp) -> Result<Receipt, Error> {
    let Stamp { txn, id, .. } = *stamp;
    let row = stamp.customer.ok_or_else(|| Error::Store(format!("record {id} is about no customer")))?;
    Ok(Receipt { txn, id, code: meta.head.short_code(), customer: customer(tx, meta, row)? })
}

/// The receipt for any other.
pub(crate) fn day_receipt(tx: &Tx<'_>, meta: &Meta, stamp: &Stamp) -> Result<DayReceipt, Error> {
    let customer = stamp.customer.map(|row| customer(tx, meta, row)).transpose()?;
    let code = meta.head.short_code();
    Ok(DayReceipt { txn: stamp.txn, id: stamp.id, code, day: day_summary(tx, meta)?, customer })
}

/// The row of a customer whom the feed has described or who was added here.
pub(crate) fn known_customer(tx: &Tx<'_>, customer: CustomerId) -> Result<i64, Error> {
    tx.prepare_cached("SELECT id FROM customer WHERE customer = ? AND (profile IS NOT NULL OR added_id > 0)")?
        .query_row([customer.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Error::UnknownCustomer(customer))
}

fn known_route(tx: &Tx<'_>, route: RouteId) -> Result<(), Error> {
    tx.prepare_cached("SELECT 1 FROM route WHERE route = ?")?
        .query_row([route.as_bytes()], |_| Ok(()))
        .optional()?
        .ok_or(Error::UnknownRoute(route))
}

fn known_products(tx: &Tx<'_>, lines: &[StockLine]) -> Result<Vec<StockLine>, Error> {
    for line in lines {
        price(tx, &line.product)?;
    }
    Ok(lines.to_vec())
}

/// The lines with the phone's prices.
pub(crate) fn priced(tx: &Tx<'_>, lines: &[DeliveredLine]) -> Result<Vec<DeliveryLine>, Error> {
    let priced = |line: &DeliveredLine| {
        let unit_price = price(tx, &line.product)?;
        let DeliveredLine { product, delivered, empties } = line.clone();
        Ok(DeliveryLine { product, delivered, empties, unit_price })
    };
    lines.iter().map(priced).collect()
}

fn price(tx: &Tx<'_>, product: &ProductCode) -> Result<i64, Error> {
    tx.prepare_cached("SELECT price FROM product WHERE code = ?")?
        .query_row([product.as_str()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::UnknownProduct(product.clone()))
}

/// New values for a customer's profile, with what they replace.
pub(crate) fn profile_update(
    tx: &Tx<'_>,
    customer: CustomerId,
    row: i64,
    changes: BTreeMap<Field, String>,
) -> Result<Draft, Error> {
    let mut seen = feed::seen(tx, row)?;
    let mut before = std::mem::take(&mut seen.shown);
    before.retain(|field, _| changes.contains_key(field));
    let edit = stamped(tx, row, seen, changes)?;
    Ok(Draft { before: Some(before), ..Draft::about(row, Action::UpdateProfile { customer, edit }) })
}

/// New values with what this phone has seen of a customer's profile.
pub(crate) fn stamped(
    tx: &Tx<'_>,
    row: i64,
    seen: Seen,
    changes: BTreeMap<Field, String>,
) -> Result<Edit, Error> {
    let laid = outbox::last_laid_lamport(tx, row)?;
    Ok(Edit { changes, context: seen.clock, lamport: seen.lamport.max(laid.saturating_add(1)) })
}
