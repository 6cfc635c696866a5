//! A rider's day: what was recorded, and what it adds up to.

use super::{Customer, Money};
use crate::convert::{self, same_variants};
use crate::{CarboyError, core};
use carboy_protocol as protocol;

/// Bottles of one product, as the rider counts them. The price is the phone's at that moment.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeliveredLine {
    /// The product's code.
    pub product: String,
    /// Full bottles handed over, 0 to 10,000.
    pub delivered: i32,
    /// Empty bottles taken back, 0 to 10,000.
    pub empties: i32,
}

impl TryFrom<DeliveredLine> for core::DeliveredLine {
    type Error = CarboyError;

    fn try_from(line: DeliveredLine) -> Result<Self, CarboyError> {
        let DeliveredLine { product, delivered, empties } = line;
        Ok(Self { product: convert::id(&product)?, delivered, empties })
    }
}

/// Bottles of one product, between the plant and the rider's vehicle.
#[derive(Debug, Clone, uniffi::Record)]
pub struct StockLine {
    /// The product's code.
    pub product: String,
    /// Full bottles, 0 to 10,000.
    pub full: i32,
    /// Empty bottles, 0 to 10,000.
    pub empty: i32,
}

impl TryFrom<StockLine> for protocol::StockLine {
    type Error = CarboyError;

    fn try_from(line: StockLine) -> Result<Self, CarboyError> {
        let StockLine { product, full, empty } = line;
        Ok(Self { product: convert::id(&product)?, full, empty })
    }
}

/// Proof that an action about the rider's day is on the phone.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DayReceipt {
    /// The mutation's id.
    pub txn: String,
    /// The record's number on this phone. Numbers only grow.
    pub id: u64,
    /// What the day's summary now shows.
    pub day: DaySummary,
    /// What the customer's screen now shows, if the record is about one.
    pub customer: Option<Customer>,
}

impl From<core::DayReceipt> for DayReceipt {
    fn from(receipt: core::DayReceipt) -> Self {
        let core::DayReceipt { txn, id, day, customer } = receipt;
        Self { txn: txn.to_string(), id, day: day.into(), customer: customer.map(Into::into) }
    }
}

/// The rider's day.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DaySummary {
    /// The last shift begun, open or not.
    pub shift: Option<Shift>,
    /// Deliveries confirmed in this shift.
    pub deliveries: i64,
    /// Stops visited in vain in this shift.
    pub failures: i64,
    /// Customers added in this shift.
    pub customers: i64,
    /// Cash collected in this shift.
    pub collected: Money,
    /// Cash handed in in this shift.
    pub handed_in: Money,
    /// Cash that the rider carries, whenever it was collected.
    pub cash_in_hand: Money,
    /// Bottles by product, by code.
    pub products: Vec<DayProduct>,
}

impl From<core::DaySummary> for DaySummary {
    fn from(day: core::DaySummary) -> Self {
        Self {
            shift: day.shift.map(Into::into),
            deliveries: day.deliveries,
            failures: day.failures,
            customers: day.customers,
            collected: day.collected.into(),
            handed_in: day.handed_in.into(),
            cash_in_hand: day.cash_in_hand.into(),
            products: convert::list(day.products),
        }
    }
}

/// A rider's working day.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Shift {
    /// The mutation that began it.
    pub txn: String,
    /// The route that the rider means to work through.
    pub route: Option<String>,
    /// When it began, in milliseconds since 1970 by the device's clock.
    pub started_at: i64,
    /// When it ended, in milliseconds since 1970 by the device's clock; nothing while it is open.
    pub finished_at: Option<i64>,
}

impl From<protocol::Shift> for Shift {
    fn from(shift: protocol::Shift) -> Self {
        Self {
            txn: shift.txn.to_string(),
            route: shift.route.map(|route| route.to_string()),
            started_at: shift.started_at.0,
            finished_at: shift.finished_at.map(|at| at.0),
        }
    }
}

/// Bottles of one product in a rider's day.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DayProduct {
    /// The product's code.
    pub product: String,
    /// Full bottles loaded in this shift.
    pub loaded: i64,
    /// Full bottles given back to the plant in this shift.
    pub returned: i64,
    /// Full bottles handed to customers in this shift.
    pub delivered: i64,
    /// Empty bottles got from customers in this shift.
    pub empties: i64,
    /// Full bottles on board, whenever they were loaded.
    pub on_board: i64,
    /// Empty bottles on board, whenever they were got.
    pub empties_on_board: i64,
}

impl From<core::DayProduct> for DayProduct {
    fn from(bottles: core::DayProduct) -> Self {
        Self {
            product: bottles.product.into(),
            loaded: bottles.loaded,
            returned: bottles.returned,
            delivered: bottles.delivered,
            empties: bottles.empties,
            on_board: bottles.on_board,
            empties_on_board: bottles.empties_on_board,
        }
    }
}

/// Something that was recorded on this phone.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Record {
    /// Its number on this phone, for `withdraw`.
    pub id: u64,
    /// The mutation; nothing if its bytes cannot be read any more.
    pub txn: Option<String>,
    /// Its kind, for example `collect_cash`; empty if it cannot be read any more.
    pub kind: String,
    /// The name of the customer whom it is about; empty if it is about none.
    pub customer_name: String,
    /// Its signed effect on that customer's balance: positive means the customer owes more.
    pub amount: Money,
    /// When it was recorded, in milliseconds since 1970 by this phone's clock.
    pub at: Option<i64>,
    /// What became of it.
    pub state: Settlement,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// Whether it can be taken back.
    pub can_withdraw: bool,
}

impl From<core::Record> for Record {
    fn from(record: core::Record) -> Self {
        Self {
            id: record.id,
            txn: record.txn.map(|txn| txn.to_string()),
            kind: record.kind,
            customer_name: record.customer_name,
            amount: record.amount.into(),
            at: record.at.map(|at| at.0),
            state: record.state.into(),
            withdrawn: record.withdrawn,
            can_withdraw: record.can_withdraw,
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Settlement {
    /// It waits to be sent.
    Pending,
    /// The server has applied it.
    Applied,
    /// The server has not accepted it.
    Refused,
}

same_variants!(core::Settlement => Settlement: Pending, Applied, Refused);
