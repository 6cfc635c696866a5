//! Customers, their money, and the route on which they are visited.

use crate::convert::{self, same_variants};
use crate::{CarboyError, CustomerId, ProductCode, RouteId, Timestamp, TxnId, core};
use carboy_protocol as protocol;

/// An amount in minor units (cents) of a currency.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Money {
    /// Signed minor units.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl From<protocol::Money> for Money {
    fn from(money: protocol::Money) -> Self {
        Self { minor: money.minor, currency: money.currency.to_string() }
    }
}

impl TryFrom<Money> for protocol::Money {
    type Error = CarboyError;

    fn try_from(money: Money) -> Result<Self, CarboyError> {
        Ok(Self::new(money.minor, convert::id(&money.currency)?))
    }
}

/// Proof that an action about a customer is on the phone.
#[derive(Debug, Clone, uniffi::Record)]
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

impl From<core::Receipt> for Receipt {
    fn from(receipt: core::Receipt) -> Self {
        Self { txn: receipt.txn, id: receipt.id, code: receipt.code, customer: receipt.customer.into() }
    }
}

/// A field of a customer's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Field {
    /// What the customer is called.
    Name,
    /// A telephone number.
    Phone,
    /// Where to deliver.
    Address,
    /// Anything else that the next rider should know.
    Note,
}

same_variants!(Field => protocol::Field: Name, Phone, Address, Note);
same_variants!(protocol::Field => Field: Name, Phone, Address, Note);

/// Why a delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum FailReason {
    /// The shop was closed.
    Closed,
    /// Nobody was there.
    Absent,
    /// The customer did not want it.
    Refused,
    /// The place could not be reached.
    NoAccess,
    /// Not enough stock left.
    NoStock,
    /// Something else, told in the note.
    Other,
}

same_variants!(FailReason => protocol::FailReason: Closed, Absent, Refused, NoAccess, NoStock, Other);

/// In which role something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// A rider.
    Rider,
    /// A manager.
    Manager,
}

same_variants!(protocol::Role => Role: Rider, Manager);

/// How far a rider got with a stop. (Not `Progress`, which Apple's Foundation has already.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum StopProgress {
    /// The rider is on the way there.
    OnTheWay,
    /// The rider is there.
    Arrived,
    /// The rider passes over it this time.
    Skipped,
}

same_variants!(StopProgress => protocol::Progress: OnTheWay, Arrived, Skipped);

/// How a stop stands: what the last record about it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum StopState {
    /// The rider is on the way there.
    OnTheWay,
    /// The rider is there.
    Arrived,
    /// Bottles were handed over.
    Delivered,
    /// It was visited in vain.
    Failed,
    /// It was passed over.
    Skipped,
}

same_variants!(protocol::StopState => StopState: OnTheWay, Arrived, Delivered, Failed, Skipped);

/// A product and its price on this phone.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Product {
    /// The plant's code.
    pub code: ProductCode,
    /// What people call it.
    pub name: String,
    /// The price of one full bottle.
    pub price: Money,
}

impl From<core::Product> for Product {
    fn from(product: core::Product) -> Self {
        Self { code: product.code, name: product.name, price: product.price.into() }
    }
}

/// A route.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Route {
    /// Which route.
    pub route: RouteId,
    /// What people call it.
    pub name: String,
    /// How many stops it has.
    pub stops: u64,
    /// How many of them the rider is done with in this shift.
    pub done: u64,
}

impl From<core::Route> for Route {
    fn from(route: core::Route) -> Self {
        let core::Route { route, name, stops, done } = route;
        Self { route, name, stops, done }
    }
}

/// A customer in a list.
#[derive(Debug, Clone, uniffi::Record)]
pub struct CustomerRow {
    /// Which customer.
    pub customer: CustomerId,
    /// What the customer is called.
    pub name: String,
    /// Where to deliver.
    pub address: String,
    /// What the customer owes, with what this phone recorded.
    pub balance: Money,
}

impl From<core::CustomerRow> for CustomerRow {
    fn from(row: core::CustomerRow) -> Self {
        let core::CustomerRow { customer, name, address, balance } = row;
        Self { customer, name, address, balance: balance.into() }
    }
}

impl TryFrom<CustomerRow> for core::CustomerRow {
    type Error = CarboyError;

    fn try_from(row: CustomerRow) -> Result<Self, CarboyError> {
        let CustomerRow { customer, name, address, balance } = row;
        Ok(Self { customer, name, address, balance: balance.try_into()? })
    }
}

/// A stop of a route.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Stop {
    /// Who is visited.
    pub customer: CustomerRow,
    /// How it stands in this shift; nothing if nothing was recorded about it yet.
    pub state: Option<StopState>,
    /// Whether the server has settled what says so: one tick or two.
    pub settled: bool,
}

impl From<core::Stop> for Stop {
    fn from(stop: core::Stop) -> Self {
        let core::Stop { customer, state, settled } = stop;
        Self { customer: customer.into(), state: state.map(Into::into), settled }
    }
}

/// One value of a field in conflict.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Value {
    /// The value.
    pub value: String,
    /// The role of who wrote it.
    pub role: Role,
    /// When by the author's clock.
    pub at: Timestamp,
}

impl From<core::Value> for Value {
    fn from(value: core::Value) -> Self {
        Self { value: value.value, role: value.role.into(), at: value.at }
    }
}

/// A field that two people changed without having seen each other's change.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Conflict {
    /// Which field.
    pub field: Field,
    /// Every value, the one shown first.
    pub values: Vec<Value>,
}

/// A customer's screen.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Customer {
    /// Which customer.
    pub customer: CustomerId,
    /// What the customer is called.
    pub name: String,
    /// A telephone number.
    pub phone: String,
    /// Where to deliver.
    pub address: String,
    /// Anything else that the next rider should know.
    pub note: String,
    /// What the customer owes, with what this phone recorded.
    pub balance: Money,
    /// How much of that the server does not know yet.
    pub unsettled: Money,
    /// Whether the customer was added by mistake and is not served any more.
    pub closed: bool,
    /// The fields in conflict.
    pub conflicts: Vec<Conflict>,
}

impl From<core::Customer> for Customer {
    fn from(customer: core::Customer) -> Self {
        let conflict = |(field, values): (protocol::Field, _)| Conflict {
            field: field.into(),
            values: convert::list::<core::Value, _>(values),
        };
        Self {
            customer: customer.customer,
            name: customer.name,
            phone: customer.phone,
            address: customer.address,
            note: customer.note,
            balance: customer.balance.into(),
            unsettled: customer.unsettled.into(),
            closed: customer.closed,
            conflicts: customer.conflicts.into_iter().map(conflict).collect(),
        }
    }
}

/// A line of a customer's history.
#[derive(Debug, Clone, uniffi::Record)]
pub struct HistoryLine {
    /// The mutation.
    pub txn: TxnId,
    /// Its kind, for example `collect_cash`.
    pub kind: String,
    /// The signed amount: positive means the customer owes more.
    pub amount: Money,
    /// The reason or reference given with it.
    pub note: Option<String>,
    /// The role of who did it.
    pub role: Role,
    /// When by the author's clock.
    pub at: Timestamp,
    /// Whether the server has settled it.
    pub settled: bool,
}

impl From<core::HistoryLine> for HistoryLine {
    fn from(line: core::HistoryLine) -> Self {
        Self {
            txn: line.txn,
            kind: line.kind,
            amount: line.amount.into(),
            note: line.note,
            role: line.role.into(),
            at: line.at,
            settled: line.settled,
        }
    }
}
