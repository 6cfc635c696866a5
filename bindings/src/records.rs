//! The records that cross the border. They mirror those of `carboy-core`, whose documentation says more.

/// Whose store to open, and where.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// The account's own file, in a folder that the system does not back up.
    pub path: String,
    /// The server's address, for example `https://plant.example`.
    pub server: String,
    /// The rider's plant, as enrolment told.
    pub plant: String,
    /// The rider, as enrolment told.
    pub account: String,
    /// The plant's currency, as enrolment told, for example `KES`.
    pub currency: String,
}

/// What an enrolled phone works with.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Enrolment {
    /// The bearer token. It belongs in the platform's key store.
    pub token: String,
    /// The phone, as the manager's device list names it.
    pub device: String,
    /// The rider.
    pub account: String,
    /// The rider's name.
    pub account_name: String,
    /// The plant.
    pub plant: String,
    /// The plant's name.
    pub plant_name: String,
    /// The plant's currency.
    pub currency: String,
}

/// An amount in minor units (cents) of a currency.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Money {
    /// Signed minor units.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// Bottles of one product, as the rider counts them.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeliveredLine {
    /// The product's code.
    pub product: String,
    /// Full bottles handed over.
    pub delivered: i32,
    /// Empty bottles taken back.
    pub empties: i32,
}

/// Proof that an action is on the phone.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Receipt {
    /// The mutation's id.
    pub txn: String,
    /// Its place in this phone's outbox.
    pub id: u64,
    /// What the customer's screen now shows.
    pub customer: Customer,
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
    /// Anything else.
    Note,
}

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

/// In which role something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// A rider.
    Rider,
    /// A manager.
    Manager,
}

/// How the last visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Visit {
    /// Bottles were handed over.
    Delivered,
    /// It was in vain.
    Failed,
}

/// A product and its price.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Product {
    /// The plant's code.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The price of one full bottle.
    pub price: Money,
}

/// A route.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Route {
    /// Which route.
    pub route: String,
    /// What people call it.
    pub name: String,
    /// How many stops it has.
    pub stops: u64,
    /// How many were visited.
    pub visited: u64,
}

/// A customer in a list.
#[derive(Debug, Clone, uniffi::Record)]
pub struct CustomerRow {
    /// Which customer.
    pub customer: String,
    /// What the customer is called.
    pub name: String,
    /// Where to deliver.
    pub address: String,
    /// What the customer owes.
    pub balance: Money,
}

/// A stop of a route.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Stop {
    /// Who is visited.
    pub customer: CustomerRow,
    /// How the last visit ended, if there was one.
    pub visit: Option<Visit>,
    /// Whether the server has settled that visit.
    pub settled: bool,
}

/// One value of a field in conflict.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Value {
    /// The value.
    pub value: String,
    /// The role of who wrote it.
    pub role: Role,
    /// When, in milliseconds since 1970 by the author's clock.
    pub at: i64,
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
    pub customer: String,
    /// What the customer is called.
    pub name: String,
    /// A telephone number.
    pub phone: String,
    /// Where to deliver.
    pub address: String,
    /// Anything else.
    pub note: String,
    /// What the customer owes, with what this phone recorded.
    pub balance: Money,
    /// How much of that the server does not know yet.
    pub unsettled: Money,
    /// The fields in conflict.
    pub conflicts: Vec<Conflict>,
}

/// A line of a customer's history.
#[derive(Debug, Clone, uniffi::Record)]
pub struct HistoryLine {
    /// The mutation.
    pub txn: String,
    /// Its kind, for example `collect_cash`.
    pub kind: String,
    /// The signed amount: positive means the customer owes more.
    pub amount: Money,
    /// The reason or reference given with it.
    pub note: Option<String>,
    /// The role of who did it.
    pub role: Role,
    /// When, in milliseconds since 1970 by the author's clock.
    pub at: i64,
    /// Whether the server has settled it.
    pub settled: bool,
}

/// A mutation that is waiting to be sent.
#[derive(Debug, Clone, uniffi::Record)]
pub struct WaitingItem {
    /// Its place in the outbox.
    pub id: u64,
    /// The mutation.
    pub txn: String,
    /// Its kind, for example `collect_cash`.
    pub kind: String,
    /// The customer's name.
    pub customer_name: String,
    /// When it was recorded, in milliseconds since 1970.
    pub at: i64,
}

/// A mutation that the server did not accept.
#[derive(Debug, Clone, uniffi::Record)]
pub struct AttentionItem {
    /// Its place in the outbox.
    pub id: u64,
    /// Its kind; empty if it cannot be read any more.
    pub kind: String,
    /// The customer's name; empty if it cannot be told any more.
    pub customer_name: String,
    /// The server's reason, for a switch.
    pub reason: String,
    /// The server's reason, with the values.
    pub detail: String,
    /// What was recorded, as JSON.
    pub body: String,
}

/// What the exchange with the server is doing.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Everything is sent.
    Idle,
    /// A request is under way.
    Sending,
    /// The shell says that there is no network.
    Offline,
    /// Something failed; it is tried again by itself.
    Waiting {
        /// What failed, for a log.
        why: String,
    },
    /// The server wants a new sign-in. Recording goes on.
    NeedsSignIn,
    /// The server needs a newer version of the app. Recording goes on.
    NeedsUpgrade,
}

/// What is waiting to be sent, and why.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Status {
    /// Mutations that the server has not settled. All of them are safe on this phone.
    pub pending: u64,
    /// When the oldest of them was recorded, in milliseconds since 1970.
    pub oldest_pending: Option<i64>,
    /// Mutations that the server did not accept.
    pub attention: u64,
    /// What the exchange with the server is doing.
    pub state: SyncState,
    /// When the server last answered, in milliseconds since 1970.
    pub last_contact: Option<i64>,
}

/// What an asked-for exchange with the server came to.
#[derive(Debug, Clone, uniffi::Record)]
pub struct SyncReport {
    /// How many mutations were settled meanwhile.
    pub settled: u64,
    /// How many of those the server did not accept.
    pub rejected: u64,
    /// How things stand now.
    pub status: Status,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Change {
    /// Customers, balances, routes, products.
    Customers,
    /// What is waiting to be sent.
    Outbox,
    /// What needs attention.
    Attention,
    /// What the exchange with the server is doing.
    Status,
}
