//! The embedded database: one writer, a few readers beside it, and all of the server's SQL.
//!
//! Rules live elsewhere; here are only typed reads and writes, grouped by what they are about.

mod customers;
mod days;
mod feed;
mod history;
mod pages;
mod people;
mod photos;

pub(crate) use pages::{CustomerRow, DeviceRow, LedgerRow, NotApplied, Part, VisitRow};
pub use people::{Account, Enrolment, Plant};

pub(crate) use customers::CustomerState;
pub(crate) use days::RiderDay;
pub(crate) use history::{Actor, Stored};
pub(crate) use photos::Photo;

use crate::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One script per schema version, each run once, in order. A version that has been released never changes.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// How long a connection waits for another one's lock before the request is told to come back later.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle readers kept open; more are opened under load and closed again.
const IDLE_READERS: usize = 8;

/// Statements kept compiled per connection: more than the server has.
const CACHED_STATEMENTS: usize = 128;

/// Older SQLite versions have a WAL reset bug that can corrupt a database.
const MIN_SQLITE: i32 = 3_051_003;

/// The database file. Shared by all threads; writes take turns, reads run beside them.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

/// One transaction. A write that is not returned from with `Ok` leaves nothing behind.
#[derive(Debug)]
pub struct Tx<'c> {
    conn: &'c Connection,
}

impl Store {
    /// Opens the database at `path`, creating or upgrading it as needed.
    ///
    /// # Errors
    /// If the file cannot be opened or is of a newer version than this.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if rusqlite::version_number() < MIN_SQLITE {
            let version = rusqlite::version();
            return Err(Error::Unusable(format!("SQLite {version} is older than 3.51.3")));
        }
        let mut writer = Connection::open(path)?;
        configure(&writer)?;
        migrate(&mut writer)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::default() })
    }

    /// Runs `work` in one durable transaction, alone among writers.
    ///
    /// # Errors
    /// What `work` returns, or the database's error; nothing was written then.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut conn = unpoisoned(&self.writer);
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&Tx { conn: &transaction })?;
        transaction.commit()?;
        Ok(result)
    }

    /// Runs `work` on one snapshot of the database.
    ///
    /// # Errors
    /// What `work` returns, or the database's error.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let idle = unpoisoned(&self.readers).pop();
        let mut conn = idle.map_or_else(|| self.open_reader(), Ok)?;
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let result = work(&Tx { conn: &transaction });
        transaction.finish()?;
        let mut readers = unpoisoned(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(conn);
        }
        result
    }

    fn open_reader(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        configure(&conn)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }
}

impl Tx<'_> {
    /// Runs `work` so that its failure undoes it alone and not the whole transaction.
    ///
    /// # Errors
    /// What `work` returns, or the database's error.
    pub(crate) fn savepoint<T, E: From<Error>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.run("SAVEPOINT one")?;
        let result = work();
        // A full or failing disk may have ended the whole transaction, and the savepoint with it.
        if result.is_err() && !self.conn.is_autocommit() {
            self.run("ROLLBACK TO one")?;
        }
        if !self.conn.is_autocommit() {
            self.run("RELEASE one")?;
        }
        result
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// A thread that panicked has rolled back what it had open: the connection is fit for use.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn configure(conn: &Connection) -> Result<(), Error> {
    // First, so that the others wait for a lock instead of failing.
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    // Cash must survive a power cut: with NORMAL, WAL may lose the last transactions.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // Ten times the default: in one measurement p99 of a small write fell to a third.
    conn.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    conn.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Otherwise SQLite plans a query beside a partial index anew for each value that is bound.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn migrate(conn: &mut Connection) -> Result<(), Error> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let newest = MIGRATIONS.len();
    if version > newest {
        return Err(Error::Unusable(format!(
            "the database has schema version {version}, newer than {newest}: update the server"
        )));
    }
    for script in &MIGRATIONS[version..] {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_version_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("carboy.db");
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "user_version", 99).unwrap();
        let error = Store::open(&path).unwrap_err().to_string();
        assert_eq!(error, "the database has schema version 99, newer than 1: update the server");
        let tables: u32 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }

    #[test]
    fn a_write_is_flushed_to_the_disk_and_a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("carboy.db")).unwrap();
        let pragma =
            |tx: &Tx<'_>, name| Ok(tx.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?);
        // 2 is FULL.
        assert_eq!(store.write(|tx| pragma(tx, "synchronous")).unwrap(), 2);
        assert_eq!(store.write(|tx| pragma(tx, "foreign_keys")).unwrap(), 1);
        store.read(|tx| tx.run("DELETE FROM plants")).unwrap_err();
    }
}
