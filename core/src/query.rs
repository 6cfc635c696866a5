//! What a rider sees. Every query is local, and shows the server's state with the outbox laid over it.

use crate::store::meta::told_day;
use crate::store::outbox::{RecordState, Recorded};
use crate::store::{Meta, Tx, feed, outbox, overlay};
use crate::{Engine, Error};
use carboy_protocol::{
    Action, CustomerId, Field, Money, ProductCode, Role, RouteId, Shift, Sibling, StopState, Tally,
    Timestamp, TxnId,
};
use rusqlite::{OptionalExtension, Row, params};

/// A product and its price on this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The plant's code.
    pub code: ProductCode,
    /// What people call it.
    pub name: String,
    /// The price of one full bottle.
    pub price: Money,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A customer in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A stop of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Who is visited.
    pub customer: CustomerRow,
    /// How it stands in this shift; `None` if nothing was recorded about it yet.
    pub state: Option<StopState>,
    /// Whether the server has settled what says so: one tick or two.
    pub settled: bool,
}

/// One value of a field in conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub value: String,
    /// The role of who wrote it.
    pub role: Role,
    /// When, by the author's clock.
    pub at: Timestamp,
}

/// A customer's screen.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How much of that the server's feed has not brought back yet.
    pub unsettled: Money,
    /// Whether the customer was added by mistake and is not served any more.
    pub closed: bool,
    /// The fields that two people changed without having seen each other's change, with every value, the one
    /// shown first.
    pub conflicts: Vec<(Field, Vec<Value>)>,
}

/// A line of a customer's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The mutation.
    pub txn: TxnId,
    /// The mutation's kind, for example `collect_cash`.
    pub kind: String,
    /// The signed amount: positive means the customer owes more.
    pub amount: Money,
    /// The reason or reference given with it.
    pub note: Option<String>,
    /// The role of who did it.
    pub role: Role,
    /// When, by the author's clock.
    pub at: Timestamp,
    /// Whether the server has settled it.
    pub settled: bool,
}

/// Something that was recorded on this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number on this phone, for [`Engine::withdraw`].
    pub id: u64,
    /// The mutation; `None` if its bytes cannot be read any more.
    pub txn: Option<TxnId>,
    /// Its short code for a person's receipt, for example `7Q4K-2MXD`; empty if the file's hash of it is damaged.
    pub code: String,
    /// Its kind, for example `collect_cash`; empty if it cannot be read any more.
    pub kind: String,
    /// The name of the customer whom it is about; empty if it is about none.
    pub customer_name: String,
    /// Its signed effect on that customer's balance.
    pub amount: Money,
    /// When it was recorded, by this phone's clock.
    pub at: Option<Timestamp>,
    /// What became of it.
    pub state: Settlement,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// Whether it can be taken back.
    pub can_withdraw: bool,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// It waits to be sent.
    Pending,
    /// The server has applied it.
    Applied,
    /// The server has not accepted it.
    Refused,
}

/// The rider's day.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Bottles of one product in a rider's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayProduct {
    /// Which product.
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

impl Engine {
    /// The products, by code.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let products = engine.products()?;
    /// assert_eq!(products[0].price.to_string(), "KES 150.00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn products(&self) -> Result<Vec<Product>, Error> {
        self.store.read(|tx| {
            let currency = Meta::read(tx)?.currency;
            let mut query = tx.prepare_cached("SELECT code, name, price FROM product ORDER BY code")?;
            let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
            rows.map(|row| {
                let (code, name, price) = row?;
                let code = ProductCode::try_from(code).map_err(|error| Error::Damaged(error.to_string()))?;
                Ok(Product { code, name, price: Money::new(price, currency) })
            })
            .collect()
        })
    }

    /// The routes, by name.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.note_progress(customer, Progress::Skipped)?;
    /// let routes = engine.routes()?;
    /// assert_eq!((routes[0].done, routes[0].stops), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn routes(&self) -> Result<Vec<Route>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let mut query = tx.prepare_cached("SELECT route, name FROM route ORDER BY name, route")?;
            let rows = query.query_map([], |row| Ok((RouteId::from_bytes(row.get(0)?), row.get(1)?)))?;
            rows.map(|row| {
                let (route, name) = row?;
                let stops = stops(tx, &meta, route)?;
                let done = stops.iter().filter(|stop| stop.state.is_some_and(StopState::is_done)).count();
                Ok(Route { route, name, stops: stops.len() as u64, done: done as u64 })
            })
            .collect()
        })
    }

    /// The stops of a route in the order of the round; none if the route is unknown.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let stops = engine.stops(route)?;
    /// assert_eq!(stops[0].customer.name, "Mama Njeri");
    /// assert_eq!(stops[0].state, None); // nothing was recorded about it yet
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stops(&self, route: RouteId) -> Result<Vec<Stop>, Error> {
        self.store.read(|tx| stops(tx, &Meta::read(tx)?, route))
    }

    /// One page of the customers by name: those whose name, number or address contains `search` (all if it is
    /// empty; the letters A to Z match in either case), behind `after`, at most `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let page = engine.customers("njeri", None, 50)?;
    /// assert_eq!(page[0].customer, customer);
    /// assert!(engine.customers("njeri", page.last(), 50)?.is_empty()); // the next page
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn customers(
        &self,
        search: &str,
        after: Option<&CustomerRow>,
        limit: u32,
    ) -> Result<Vec<CustomerRow>, Error> {
        let (name, customer) =
            after.map_or(("", &[0; 16]), |row| (row.name.as_str(), row.customer.as_bytes()));
        let escaped = search.trim().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = format!("%{escaped}%");
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let mut query = tx.prepare_cached(
                "SELECT customer, name, address, balance, pending FROM customer
                 WHERE (name, customer) > (?, ?) AND (profile IS NOT NULL OR added_id > 0)
                     AND closed = 0 AND closing_id = 0
                     AND (name LIKE ?3 ESCAPE '\\' OR phone LIKE ?3 ESCAPE '\\' OR address LIKE ?3 ESCAPE '\\')
                 ORDER BY name, customer LIMIT ?4",
            )?;
            let rows =
                query.query_map(params![name, customer, pattern, limit], |row| customer_row(&meta, row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A customer's screen.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let screen = engine.customer(customer)?;
    /// assert_eq!((screen.name.as_str(), screen.balance.to_string()), ("Mama Njeri", "KES 100.00".into()));
    /// assert_eq!(screen.conflicts[0].0, Field::Phone);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn customer(&self, id: CustomerId) -> Result<Customer, Error> {
        self.store.read(|tx| customer(tx, &Meta::read(tx)?, find(tx, id)?))
    }

    /// One page of a customer's history, newest first: what this phone recorded and the feed has not brought back
    /// yet, then the ledger. `skip` lines are passed over, at most `limit` come back.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.collect_cash(customer, Money::new(3_000, "KES".parse()?))?;
    /// let lines = engine.history(customer, 0, 20)?;
    /// assert_eq!((lines[0].kind.as_str(), lines[0].amount.minor, lines[0].settled), ("collect_cash", -3_000, false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn history(&self, id: CustomerId, skip: u32, limit: u32) -> Result<Vec<HistoryLine>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let row = find(tx, id)?;
            let mut lines = laid_lines(tx, &meta, row, skip, limit)?;
            // Of those that are settled, the ones whose effect the feed still has to bring: a few. The others are counted in
            // the index.
            let laid: u32 = tx
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM record WHERE customer = ?1 AND id > ?2)
                         + (SELECT count(*) FROM record INDEXED BY record_awaiting
                            WHERE rev IS NOT NULL AND done = 0 AND customer = ?1)",
                )?
                .query_row(params![row, meta.settled_id], |row| row.get(0))?;
            let missing = u64::from(limit) - lines.len() as u64;
            let mut query = tx.prepare_cached(
                "SELECT txn, kind, amount, note, role, at FROM entry
                 WHERE customer = ? ORDER BY rev DESC LIMIT ? OFFSET ?",
            )?;
            let rows = query.query_map(params![row, missing, skip.saturating_sub(laid)], |row| {
                Ok(HistoryLine {
                    txn: TxnId::from_bytes(row.get(0)?),
                    kind: row.get(1)?,
                    amount: Money::new(row.get(2)?, meta.currency),
                    note: row.get(3)?,
                    role: if row.get_ref(4)?.as_str()? == "manager" { Role::Manager } else { Role::Rider },
                    at: Timestamp(row.get(5)?),
                    settled: true,
                })
            })?;
            for line in rows {
                lines.push(line?);
            }
            Ok(lines)
        })
    }

    /// One page of what is waiting to be sent, oldest first: records behind number `after` (0 for the first page),
    /// at most `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let receipt = engine.start_shift(Some(route))?;
    /// let waiting = engine.waiting(0, 50)?;
    /// assert_eq!((waiting[0].id, waiting[0].state), (receipt.id, Settlement::Pending));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn waiting(&self, after: u64, limit: u32) -> Result<Vec<Record>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            records(tx, &meta, "record.id > ? ORDER BY record.id", after.max(meta.settled_id), limit)
        })
    }

    /// One page of what was recorded on this phone, newest first: records before number `before` (`None` for the
    /// first page), at most `limit`. Settled ones stay for about two thousand more records.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let receipt = engine.start_shift(Some(route))?;
    /// let records = engine.records(None, 50)?;
    /// assert_eq!(records[0].txn, Some(receipt.txn));
    /// assert!(engine.records(Some(receipt.id), 50)?.is_empty()); // the next page
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn records(&self, before: Option<u64>, limit: u32) -> Result<Vec<Record>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let before = before.unwrap_or(meta.last_id + 1);
            records(tx, &meta, "record.id < ? ORDER BY record.id DESC", before, limit)
        })
    }

    /// The rider's day: bottles, empties, cash in hand.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.collect_cash(customer, Money::new(3_000, "KES".parse()?))?;
    /// assert_eq!(engine.day()?.cash_in_hand.to_string(), "KES 30.00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn day(&self) -> Result<DaySummary, Error> {
        self.store.read(|tx| day_summary(tx, &Meta::read(tx)?))
    }
}

/// The row of a customer, described or not.
pub(crate) fn find(tx: &Tx<'_>, id: CustomerId) -> Result<i64, Error> {
    tx.prepare_cached("SELECT id FROM customer WHERE customer = ?")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Error::UnknownCustomer(id))
}

fn customer_row(meta: &Meta, row: &Row<'_>) -> rusqlite::Result<CustomerRow> {
    Ok(CustomerRow {
        customer: CustomerId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        address: row.get(2)?,
        balance: balance(row, 3, meta)?,
    })
}

/// What a customer owes: the server's balance in a column, and what lies over it in the next. SQLite itself would make a
/// sum that no integer holds a fraction.
fn balance(row: &Row<'_>, column: usize, meta: &Meta) -> rusqlite::Result<Money> {
    let (told, pending): (i64, i64) = (row.get(column)?, row.get(column + 1)?);
    Ok(Money::new(told.saturating_add(pending), meta.currency))
}

/// What the screen of the customer in `row` shows.
pub(crate) fn customer(tx: &Tx<'_>, meta: &Meta, row: i64) -> Result<Customer, Error> {
    let mut query = tx.prepare_cached(
        "SELECT customer, name, phone, address, note, balance, pending,
                closed <> 0 OR closing_id > 0, conflicts
         FROM customer WHERE id = ?",
    )?;
    let (mut shown, in_conflict) = query.query_row([row], |row| {
        let shown = Customer {
            customer: CustomerId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            phone: row.get(2)?,
            address: row.get(3)?,
            note: row.get(4)?,
            balance: balance(row, 5, meta)?,
            unsettled: Money::new(row.get(6)?, meta.currency),
            closed: row.get(7)?,
            conflicts: Vec::new(),
        };
        Ok((shown, row.get::<_, bool>(8)?))
    })?;
    if in_conflict {
        let profile = feed::profile(tx, row)?;
        let values = |field| (field, profile.siblings(field).iter().map(value).collect());
        shown.conflicts = profile.conflicts().map(values).collect();
    }
    Ok(shown)
}

pub(crate) fn value(sibling: &Sibling) -> Value {
    Value { value: sibling.value.clone(), role: sibling.role, at: sibling.at }
}

/// The stops of a route.
fn stops(tx: &Tx<'_>, meta: &Meta, route: RouteId) -> Result<Vec<Stop>, Error> {
    let mut query = tx.prepare_cached(
        "SELECT customer.customer, name, address, balance, pending, visit, visit_id, told_state, told_shift
         FROM stop JOIN customer ON customer.id = stop.customer
         WHERE route = ? AND (profile IS NOT NULL OR added_id > 0) AND closed = 0 AND closing_id = 0
         ORDER BY position",
    )?;
    let rows = query.query_map([route.as_bytes()], |row| {
        let shown = overlay::shown_visit(meta, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
        Ok(Stop { customer: customer_row(meta, row)?, state: shown.state, settled: shown.settled })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the day's screen shows: the server's day with the outbox laid over it.
pub(crate) fn day_summary(tx: &Tx<'_>, meta: &Meta) -> Result<DaySummary, Error> {
    let told = told_day(tx)?;
    // While the shift's beginning itself waits to be sent, the server's counts are those of the shift before.
    let mut in_shift = if meta.since > meta.settled_id { Tally::default() } else { told.in_shift };
    in_shift.add(&meta.laid_in_shift);
    let mut in_all = told.in_all;
    in_all.add(&meta.laid_in_all);
    let money = |minor| Money::new(minor, meta.currency);
    let products = in_all.products.iter().map(|(product, all)| {
        let bottles = in_shift.products.get(product).copied().unwrap_or_default();
        DayProduct {
            product: product.clone(),
            loaded: bottles.loaded,
            returned: bottles.returned,
            delivered: bottles.delivered,
            empties: bottles.empties,
            on_board: all.on_board(),
            empties_on_board: all.empties_on_board(),
        }
    });
    Ok(DaySummary {
        shift: meta.shift.clone(),
        deliveries: in_shift.deliveries,
        failures: in_shift.failures,
        customers: in_shift.customers,
        collected: money(in_shift.collected),
        handed_in: money(in_shift.handed_in),
        cash_in_hand: money(in_all.cash_in_hand()),
        products: products.collect(),
    })
}

/// A page of records: those that `condition` picks, given `key`.
fn records(tx: &Tx<'_>, meta: &Meta, condition: &str, key: u64, limit: u32) -> Result<Vec<Record>, Error> {
    let sql = format!(
        "SELECT {}, coalesce(name, '') FROM record LEFT JOIN customer ON customer.id = record.customer
         WHERE {condition} LIMIT ?",
        outbox::COLUMNS
    );
    let mut query = tx.prepare_cached(&sql)?;
    let rows = query.query_map(params![key, limit], |row| Ok((Recorded::from_row(row)?, row.get(10)?)))?;
    rows.map(|row| {
        let (record, name) = row?;
        Ok(shown_record(meta, record, name))
    })
    .collect()
}

fn shown_record(meta: &Meta, record: Recorded, customer_name: String) -> Record {
    let state = match record.state {
        RecordState::Refused => Settlement::Refused,
        _ if record.id > meta.settled_id => Settlement::Pending,
        _ => Settlement::Applied,
    };
    let withdrawn = record.undone_by.is_some();
    let is_reversible = record.mutation.as_ref().is_some_and(|mutation| mutation.action.is_reversible());
    Record {
        id: record.id,
        txn: record.mutation.as_ref().map(|mutation| mutation.txn),
        code: record.hash.map(|hash| hash.short_code()).unwrap_or_default(),
        kind: record.mutation.as_ref().map_or("", |mutation| mutation.action.kind()).to_owned(),
        customer_name,
        amount: Money::new(record.amount, meta.currency),
        at: record.mutation.map(|mutation| mutation.at),
        state,
        withdrawn,
        can_withdraw: is_reversible && !withdrawn && state != Settlement::Refused,
    }
}

/// The lines of a customer's history that the feed has not brought back yet, newest first.
fn laid_lines(
    tx: &Tx<'_>,
    meta: &Meta,
    customer: i64,
    skip: u32,
    limit: u32,
) -> Result<Vec<HistoryLine>, Error> {
    let sql = format!(
        "SELECT {} FROM record WHERE customer = ? AND done = 0 ORDER BY id DESC LIMIT ? OFFSET ?",
        outbox::COLUMNS
    );
    let mut query = tx.prepare_cached(&sql)?;
    let rows = query.query_map(params![customer, limit, skip], Recorded::from_row)?;
    let mut lines = Vec::new();
    for row in rows {
        let Recorded { id, amount, mutation: Some(mutation), .. } = row? else { continue };
        let kind = mutation.action.kind().to_owned();
        let note = match mutation.action {
            Action::ConfirmDelivery { proof, .. } => proof,
            Action::FailDelivery { note, .. } => note,
            Action::Withdraw { reason, .. } => reason,
            _ => None,
        };
        lines.push(HistoryLine {
            txn: mutation.txn,
            kind,
            amount: Money::new(amount, meta.currency),
            note,
            role: Role::Rider,
            at: mutation.at,
            settled: id <= meta.settled_id,
        });
    }
    Ok(lines)
}
