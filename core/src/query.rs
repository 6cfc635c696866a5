//! What a rider sees. Every query is local, and shows the server's state with the outbox laid over it.

use crate::store::{Meta, bytes, feed};
use crate::{Engine, Error};
use carboy_protocol::{
    Action, CustomerId, Field, Money, Mutation, ProductCode, Role, RouteId, Sibling, Timestamp, TxnId,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

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
    /// How many of them were visited.
    pub visited: u64,
}

/// How the last visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visit {
    /// Bottles were handed over.
    Delivered,
    /// It was in vain.
    Failed,
}

impl Visit {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Delivered => 1,
            Self::Failed => 2,
        }
    }

    fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Delivered),
            2 => Some(Self::Failed),
            _ => None,
        }
    }
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
    /// How the last visit ended, if there was one.
    pub visit: Option<Visit>,
    /// Whether the server has settled that visit: one tick or two.
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
    /// How much of that the server does not know yet.
    pub unsettled: Money,
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

/// A mutation that is waiting to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingItem {
    /// Its place in the outbox.
    pub id: u64,
    /// The mutation.
    pub txn: TxnId,
    /// Its kind, for example `collect_cash`.
    pub kind: String,
    /// The name of the customer whom it is about.
    pub customer_name: String,
    /// When it was recorded, by this phone's clock.
    pub at: Timestamp,
}

/// A mutation that the server did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionItem {
    /// Its place in the outbox.
    pub id: u64,
    /// The mutation's kind; empty if it cannot be read any more.
    pub kind: String,
    /// The name of the customer whom it is about; empty if it cannot be told any more.
    pub customer_name: String,
    /// The server's reason, for a switch.
    pub reason: String,
    /// The server's reason, with the values.
    pub detail: String,
    /// What was recorded, as JSON.
    pub body: String,
}

impl Engine {
    /// The products, by code.
    ///
    /// # Errors
    /// If the store cannot be read.
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
    pub fn routes(&self) -> Result<Vec<Route>, Error> {
        self.store.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT route.route, route.name, count(customer.id), count(nullif(visit, 0))
                 FROM route LEFT JOIN stop USING (route) LEFT JOIN customer ON customer.id = stop.customer
                 GROUP BY route.route ORDER BY route.name, route.route",
            )?;
            let rows = query.query_map([], |row| {
                Ok(Route {
                    route: RouteId::from_bytes(row.get(0)?),
                    name: row.get(1)?,
                    stops: row.get(2)?,
                    visited: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The stops of a route in the order of the round; none if the route is unknown.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stops(&self, route: RouteId) -> Result<Vec<Stop>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let mut query = tx.prepare_cached(
                "SELECT customer.customer, name, address, balance + pending, visit, visit_id
                 FROM stop JOIN customer ON customer.id = stop.customer
                 WHERE route = ? AND profile IS NOT NULL ORDER BY position",
            )?;
            let rows = query.query_map([route.as_bytes()], |row| {
                Ok(Stop {
                    customer: customer_row(&meta, row)?,
                    visit: Visit::from_code(row.get(4)?),
                    settled: row.get::<_, u64>(5)? <= meta.settled_id,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One page of all customers by name: those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn customers(&self, after: Option<&CustomerRow>, limit: u32) -> Result<Vec<CustomerRow>, Error> {
        let (name, customer) =
            after.map_or(("", &[0; 16]), |row| (row.name.as_str(), row.customer.as_bytes()));
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let mut query = tx.prepare_cached(
                "SELECT customer, name, address, balance + pending FROM customer
                 WHERE profile IS NOT NULL AND (name, customer) > (?, ?) ORDER BY name, customer LIMIT ?",
            )?;
            let rows = query.query_map(params![name, customer, limit], |row| customer_row(&meta, row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A customer's screen.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`].
    pub fn customer(&self, id: CustomerId) -> Result<Customer, Error> {
        self.store.read(|tx| customer(tx, &Meta::read(tx)?, find(tx, id)?))
    }

    /// The newest `limit` lines of a customer's history: first what this phone recorded and the feed has not
    /// brought back yet, then the ledger.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`].
    pub fn history(&self, id: CustomerId, limit: u32) -> Result<Vec<HistoryLine>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let row = find(tx, id)?;
            let mut lines = overlaid_lines(tx, &meta, row, limit)?;
            let missing = u64::from(limit) - lines.len() as u64;
            let mut query = tx.prepare_cached(
                "SELECT txn, kind, amount, note, role, at FROM entry WHERE customer = ? ORDER BY rev DESC LIMIT ?",
            )?;
            let rows = query.query_map(params![row, missing], |row| {
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

    /// One page of what is waiting to be sent, oldest first: those behind place `after` (0 for the first page),
    /// at most `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn waiting(&self, after: u64, limit: u32) -> Result<Vec<WaitingItem>, Error> {
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let mut query = tx.prepare_cached(
                "SELECT outbox.id, body, name FROM outbox JOIN customer ON customer.id = outbox.customer
                 WHERE outbox.id > ? ORDER BY outbox.id LIMIT ?",
            )?;
            let rows = query.query_map(params![after.max(meta.settled_id), limit], |row| {
                let mutation = serde_json::from_slice::<Mutation>(bytes(row, 1)?).ok();
                Ok(mutation.map(|mutation| (row.get(0), mutation, row.get(2))))
            })?;
            let mut items = Vec::new();
            for row in rows {
                if let Some((id, mutation, name)) = row? {
                    let kind = mutation.action.kind().to_owned();
                    items.push(WaitingItem {
                        id: id?,
                        txn: mutation.txn,
                        kind,
                        customer_name: name?,
                        at: mutation.at,
                    });
                }
            }
            Ok(items)
        })
    }

    /// What the server did not accept, oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn attention(&self) -> Result<Vec<AttentionItem>, Error> {
        self.store.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT attention.id, body, coalesce(name, ''), reason, detail
                 FROM attention LEFT JOIN customer ON customer.id = attention.customer ORDER BY attention.id",
            )?;
            let rows = query.query_map([], |row| {
                let body = String::from_utf8_lossy(bytes(row, 1)?).into_owned();
                let mutation = serde_json::from_str::<Mutation>(&body).ok();
                Ok(AttentionItem {
                    id: row.get(0)?,
                    kind: mutation.map(|mutation| mutation.action.kind().to_owned()).unwrap_or_default(),
                    customer_name: row.get(2)?,
                    reason: row.get(3)?,
                    detail: row.get(4)?,
                    body,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// The row of a customer, described or not.
fn find(tx: &Transaction<'_>, id: CustomerId) -> Result<i64, Error> {
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
        balance: Money::new(row.get(3)?, meta.currency),
    })
}

/// What the screen of the customer in `row` shows.
pub(crate) fn customer(tx: &Transaction<'_>, meta: &Meta, row: i64) -> Result<Customer, Error> {
    let profile = feed::profile(tx, row)?;
    let conflicts = profile
        .conflicts()
        .map(|field| (field, profile.siblings(field).iter().map(value).collect()))
        .collect();
    let mut query = tx.prepare_cached(
        "SELECT customer, name, phone, address, note, balance + pending, pending FROM customer WHERE id = ?",
    )?;
    Ok(query.query_row([row], |row| {
        Ok(Customer {
            customer: CustomerId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            phone: row.get(2)?,
            address: row.get(3)?,
            note: row.get(4)?,
            balance: Money::new(row.get(5)?, meta.currency),
            unsettled: Money::new(row.get(6)?, meta.currency),
            conflicts,
        })
    })?)
}

fn value(sibling: &Sibling) -> Value {
    Value { value: sibling.value.clone(), role: sibling.role, at: sibling.at }
}

/// The lines of a customer's history that the feed has not brought back yet, newest first.
fn overlaid_lines(
    tx: &Transaction<'_>,
    meta: &Meta,
    customer: i64,
    limit: u32,
) -> Result<Vec<HistoryLine>, Error> {
    let mut query =
        tx.prepare_cached("SELECT id, amount, body FROM outbox WHERE customer = ? ORDER BY id DESC LIMIT ?")?;
    let rows = query.query_map(params![customer, limit], |row| {
        let mutation = serde_json::from_slice::<Mutation>(bytes(row, 2)?).ok();
        Ok((row.get::<_, u64>(0)?, row.get(1)?, mutation))
    })?;
    let mut lines = Vec::new();
    for row in rows {
        let (id, amount, Some(mutation)) = row? else { continue };
        let note = match &mutation.action {
            Action::ConfirmDelivery { proof, .. } => proof.clone(),
            Action::FailDelivery { note, .. } => note.clone(),
            _ => None,
        };
        lines.push(HistoryLine {
            txn: mutation.txn,
            kind: mutation.action.kind().to_owned(),
            amount: Money::new(amount, meta.currency),
            note,
            role: Role::Rider,
            at: mutation.at,
            settled: id <= meta.settled_id,
        });
    }
    Ok(lines)
}
