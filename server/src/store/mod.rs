//! The database, SQLite or PostgreSQL, and all of the server's SQL.
//!
//! Rules live elsewhere; here are only typed reads and writes, grouped by what they are about. Each is written once,
//! for both engines: what differs between them is behind one small trait in `driver`.

mod access;
mod audit;
mod changes;
mod customers;
mod days;
mod driver;
mod exports;
mod feed;
mod formats;
mod history;
mod imports;
mod pages;
mod people;
mod photos;
mod postgres;
mod reports;
mod set_back;
mod sqlite;
mod staff;
mod tables;
mod transfer;
mod value;

pub(crate) use pages::{Closing, CustomerRow, DeviceRow, LedgerRow, NotApplied, Part, VisitRow};
pub use people::{Account, Plant};

pub(crate) use access::SessionRow;
pub(crate) use audit::{Cursor, Entry, Filter, What};
pub(crate) use changes::{Changes, Customer, ExpectedPhoto, FailedVisit, Settled, StopChange};
pub(crate) use days::RiderDay;
pub(crate) use exports::LedgerLine;
#[cfg(feature = "planted")]
pub(crate) use feed::Page;
pub(crate) use history::{Actor, Parked, Stored};
pub(crate) use imports::Named;
pub(crate) use photos::Photo;
pub(crate) use reports::{RiderRow, RouteRow, ShiftRow, Stops};
pub(crate) use staff::Person;
pub(crate) use value::{Row, Value, params};

use crate::Error;
use crate::metrics::Metrics;
use carboy_protocol::PlantId;
use driver::{Driver, Lookup, Session};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

/// One script per schema version, each run once, in order. A version that has been released never changes.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file; it is made if absent.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string, such as `postgresql://carboy@db1,db2/carboy`. Of several hosts, the one
    /// that takes writes is used.
    Postgres(String),
}

impl FromStr for Location {
    type Err = Infallible;

    /// `postgres://` or `postgresql://` begins a connection string; anything else is the path of a file.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_postgres { Self::Postgres(text.to_owned()) } else { Self::Sqlite(text.into()) })
    }
}

impl std::fmt::Debug for Location {
    /// Without the password that a connection string may hold.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

/// The database. Shared by all threads.
#[derive(Debug)]
pub struct Store {
    driver: Box<dyn Driver>,
    metrics: Metrics,
}

/// One transaction. A write that is not returned from with `Ok` leaves nothing behind.
pub struct Tx<'s> {
    session: &'s dyn Session,
}

impl Store {
    /// Opens the database. SQLite's schema is made or upgraded as needed; PostgreSQL's is, by
    /// [`migrate`](Self::migrate) alone, because other servers may be working with it.
    ///
    /// # Errors
    /// If it cannot be opened, or its schema is not this version's.
    pub fn open(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Sqlite(_) => Self::migrate(location),
            Location::Postgres(url) => {
                let driver = postgres::Postgres::open(url)?;
                driver.check()?;
                Ok(Self::over(Box::new(driver)))
            }
        }
    }

    /// Opens the database and brings its schema to this version's.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a newer version than this.
    pub fn migrate(location: &Location) -> Result<Self, Error> {
        let driver: Box<dyn Driver> = match location {
            Location::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
            Location::Postgres(url) => {
                let driver = postgres::Postgres::open(url)?;
                driver.migrate()?;
                driver.check()?;
                return Ok(Self::over(Box::new(driver)));
            }
        };
        driver.migrate()?;
        Ok(Self::over(driver))
    }

    fn over(driver: Box<dyn Driver>) -> Self {
        Self { driver, metrics: Metrics::default() }
    }

    /// What is counted about this store and about the server over it.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Brings the numbers that are looked up instead of counted up to date.
    pub(crate) fn measure(&self) {
        if let Some((open, idle)) = self.driver.pool() {
            self.metrics.pool(open, idle);
        }
    }

    /// Runs `work` in one durable transaction, alone among those that write to the plant. Its lock is taken before
    /// anything else, so that no two transactions ever wait for each other, and revs become visible in order.
    ///
    /// # Errors
    /// What `work` returns, or the database's error; nothing was written then, unless the connection broke while
    /// the commit was on its way.
    pub fn write<T>(
        &self,
        plant: PlantId,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let session = self.driver.write()?;
        let tx = Tx { session: session.as_ref() };
        tx.send("UPDATE plants SET changes = changes + 1 WHERE plant = ?1", params![plant])?;
        let result = work(&tx)?;
        session.commit()?;
        self.metrics.store("write", begun.elapsed());
        Ok(result)
    }

    /// The same without a plant's lock: for what is no part of a plant's books, a directory or a session.
    pub(crate) fn write_apart<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let session = self.driver.write()?;
        let result = work(&Tx { session: session.as_ref() })?;
        session.commit()?;
        Ok(result)
    }

    /// Runs `work` on one snapshot of the database.
    ///
    /// # Errors
    /// What `work` returns, or the database's error.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let begun = Instant::now();
        let session = self.driver.read()?;
        let result = work(&Tx { session: session.as_ref() })?;
        session.commit()?;
        self.metrics.store("read", begun.elapsed());
        Ok(result)
    }
}

impl Tx<'_> {
    /// Runs `work` so that its failure undoes it alone and not the whole transaction.
    ///
    /// # Errors
    /// What `work` returns, or the database's error.
    pub(crate) fn savepoint<T, E: From<Error>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.send("SAVEPOINT one", &[])?;
        let result = work();
        let sent = self.session.wait();
        let result = result.and_then(|done| Ok(sent.map(|()| done)?));
        // A full or failing disk may have ended the whole transaction, and the savepoint with it.
        if result.is_err() && self.session.is_open() {
            self.execute("ROLLBACK TO one", &[])?;
        }
        if self.session.is_open() {
            self.send("RELEASE one", &[])?;
        }
        result
    }

    /// Runs a statement as it stands, past all rules; returns how many rows it changed. For repairs and tests.
    ///
    /// # Errors
    /// If the database refuses it.
    pub fn run(&self, sql: &str) -> Result<u64, Error> {
        self.execute(sql, &[])
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        self.session.execute(sql, params)
    }

    /// Runs a statement without waiting for it: if it fails, whatever comes next does, the commit at the latest.
    pub(crate) fn send(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Error> {
        self.session.send(sql, params)
    }

    /// Calls `take` with each row of a query.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.session.query(sql, params, &mut take)
    }

    /// What `read` makes of each row that a lookup finds; the list of its keys is the last of `params`.
    fn found<T>(
        &self,
        lookup: &Lookup,
        params: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.all(&self.session.spell(lookup), params, read)
    }

    /// What `read` makes of each row of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.each(sql, params, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// What `read` makes of the first row of a query, `None` if it has none.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// The number that a query of one row gives.
    pub(crate) fn count(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        let count = self.one(sql, params, |row| row.get(0))?;
        count.ok_or_else(|| Error::Corrupt(format!("no row from {sql}")))
    }
}

fn newer(version: usize) -> Error {
    let newest = MIGRATIONS.len();
    Error::Unusable(format!(
        "the database has schema version {version}, newer than {newest}: update the server"
    ))
}
