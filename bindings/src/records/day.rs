//! A rider's day: what was recorded, and what it adds up to.

use super::{Customer, Money};
use crate::convert::{self, same_variants};
use crate::{ProductCode, RouteId, Timestamp, TxnId, core};
use carboy_protocol as protocol;

/// Bottles of one product, as the rider counts them. The price is the phone's at that moment.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeliveredLine {
    /// The product's code.
    pub product: ProductCode,
    /// Full bottles handed over, 0 to 10,000.
    pub delivered: i32,
    /// Empty bottles taken back, 0 to 10,000.
    pub empties: i32,
}

impl From<DeliveredLine> for core::DeliveredLine {
    fn from(line: DeliveredLine) -> Self {
        let DeliveredLine { product, delivered, empties } = line;
        Self { product, delivered, empties }
    }
}

/// Bottles of one product, between the plant and the rider's vehicle.
#[derive(Debug, Clone, uniffi::Record)]
pub struct StockLine {
    /// The product's code.
    pub product: ProductCode,
    /// Full bottles, 0 to 10,000.
    pub full: i32,
    /// Empty bottles, 0 to 10,000.
    pub empty: i32,
}

impl From<StockLine> for protocol::StockLine {
    fn from(line: StockLine) -> Self {
        let StockLine { product, full, empty } = line;
        Self { product, full, empty }
    }
}

/// Proof that an action about the rider's day is on the phone.
#[derive(Debug, Clone, uniffi::Record)]
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

impl From<core::DayReceipt> for DayReceipt {
    fn from(receipt: core::DayReceipt) -> Self {
        let core::DayReceipt { txn, id, code, day, customer } = receipt;
        Self { txn, id, code, day: day.into(), customer: customer.map(Into::into) }
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
    pub txn: TxnId,
    /// The route that the rider means to work through.
    pub route: Option<RouteId>,
    /// When it began by the device's clock.
    pub started_at: Timestamp,
    /// When it ended by the device's clock; nothing while it is open.
    pub finished_at: Option<Timestamp>,
}

impl From<protocol::Shift> for Shift {
    fn from(shift: protocol::Shift) -> Self {
        Self {
            txn: shift.txn,
            route: shift.route,
            started_at: shift.started_at,
            finished_at: shift.finished_at,
        }
    }
}

/// Bottles of one product in a rider's day.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DayProduct {
    /// The product's code.
    pub product: ProductCode,
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
            product: bottles.product,
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
    pub txn: Option<TxnId>,
    /// Its short code for a person's receipt, for example `7Q4K-2MXD`; empty if the file's hash of it is damaged.
    pub code: String,
    /// Its kind, for example `collect_cash`; empty if it cannot be read any more.
    pub kind: String,
    /// The name of the customer whom it is about; empty if it is about none.
    pub customer_name: String,
    /// Its signed effect on that customer's balance: positive means the customer owes more.
    pub amount: Money,
    /// When it was recorded by this phone's clock.
    pub at: Option<Timestamp>,
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
            txn: record.txn,
            code: record.code,
            kind: record.kind,
            customer_name: record.customer_name,
            amount: record.amount.into(),
            at: record.at,
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
