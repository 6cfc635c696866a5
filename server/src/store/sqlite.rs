//! SQLite, embedded: one writer, a few readers beside it.

use super::driver::{Conflict, Driver, Lookup, Session, Take};
use super::tables::Table;
use super::value::{Columns, Row, Value, ValueRef};
use super::{MIGRATIONS, newer};
use crate::Error;
use rusqlite::config::DbConfig;
use rusqlite::types::{self, ToSqlOutput};
use rusqlite::{Connection, OpenFlags, ToSql, TransactionBehavior, params_from_iter, vtab};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a connection waits for another one's lock before the request is told to come back later.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle readers kept open; more are opened under load and closed again.
const IDLE_READERS: usize = 8;

/// Statements kept compiled per connection: more than the server has.
const CACHED_STATEMENTS: usize = 128;

/// Pages that the writer keeps, in KiB, as SQLite wants it: below zero. With the 2 MiB that are the default, a large request
/// of a large plant writes index pages to the WAL more than once before it is committed.
const WRITER_CACHE: i64 = -16_384;

/// Older SQLite versions have a WAL reset bug that can corrupt a database.
const MIN_SQLITE: i32 = 3_051_003;

/// A database file. Writes take turns, reads run beside them.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if rusqlite::version_number() < MIN_SQLITE {
            let version = rusqlite::version();
            return Err(Error::Unusable(format!("SQLite {version} is older than 3.51.3")));
        }
        check_whole(path)?;
        let writer = Connection::open(path)?;
        // A database whose schema cannot be read is left as it is, with its WAL, for whoever repairs it.
        writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        configure(&writer)?;
        writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        writer.pragma_update(None, "cache_size", WRITER_CACHE)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::default() })
    }

    fn open_reader(&self) -> Result<Connection, Error> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        configure(&conn)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }
}

impl Driver for Sqlite {
    fn migrate(&self) -> Result<(), Error> {
        let mut conn = unpoisoned(&self.writer);
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > MIGRATIONS.len() {
            return Err(newer(version));
        }
        for script in &MIGRATIONS[version..] {
            transaction.execute_batch(script)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
        Ok(transaction.commit()?)
    }

    fn write(&self) -> Result<Box<dyn Session + '_>, Error> {
        let conn = Held::Writer(unpoisoned(&self.writer));
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Box::new(Open { conn }))
    }

    fn read(&self) -> Result<Box<dyn Session + '_>, Error> {
        let idle = unpoisoned(&self.readers).pop();
        let conn = idle.map_or_else(|| self.open_reader(), Ok)?;
        conn.prepare_cached("BEGIN")?.execute([])?;
        Ok(Box::new(Open { conn: Held::Reader(Some(conn), &self.readers) }))
    }

    fn pool(&self) -> Option<(usize, usize)> {
        None
    }
}

/// A connection, for the time of one transaction.
enum Held<'d> {
    Writer(MutexGuard<'d, Connection>),
    /// Goes back to the idle ones; `None` only while it does.
    Reader(Option<Connection>, &'d Mutex<Vec<Connection>>),
}

impl Deref for Held<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Writer(conn) => conn,
            Self::Reader(Some(conn), _) => conn,
            Self::Reader(None, _) => unreachable!("a reader is given back only when it is dropped"),
        }
    }
}

struct Open<'d> {
    conn: Held<'d>,
}

impl Session for Open<'_> {
    fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        Ok(self.conn.prepare_cached(sql)?.execute(params_from_iter(params))? as u64)
    }

    fn send(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Error> {
        self.execute(sql, params).map(drop)
    }

    fn wait(&self) -> Result<(), Error> {
        Ok(())
    }

    fn query(&self, sql: &str, params: &[Value<'_>], take: &mut Take<'_>) -> Result<(), Error> {
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query(params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            take(&Row(row))?;
        }
        Ok(())
    }

    fn insert(&self, table: &Table, conflict: Conflict, rows: &[Vec<Value<'_>>]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let places = (1..=table.columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let (name, columns, clause) = (table.name, table.names(), conflict.clause(table));
        let sql = format!("INSERT INTO {name} ({columns}) VALUES ({places}){clause}");
        let mut insert = self.conn.prepare_cached(&sql)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    fn spell(&self, lookup: &Lookup) -> String {
        let Lookup { columns, table, key, .. } = lookup;
        format!(
            "SELECT {columns} FROM {table} WHERE {} AND {key} IN rarray(?{})",
            lookup.condition(),
            lookup.list()
        )
    }

    fn loaded(&self, _: &Table) -> Result<(), Error> {
        // Its plans follow from the schema alone.
        Ok(())
    }

    fn is_open(&self) -> bool {
        !self.conn.is_autocommit()
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "rolling back");
        }
        if let Held::Reader(conn, readers) = &mut self.conn {
            let mut readers = unpoisoned(readers);
            if readers.len() < IDLE_READERS {
                readers.extend(conn.take());
            }
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match *self {
            Value::Null => types::ValueRef::Null,
            Value::Int(int) => types::ValueRef::Integer(int),
            Value::Text(text) => types::ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => types::ValueRef::Blob(bytes),
            Value::List(list) => {
                let values = list.iter().map(owned).collect::<Result<_, _>>()?;
                return Ok(ToSqlOutput::from_rc::<Vec<types::Value>>(Rc::new(values), c"rarray"));
            }
            Value::TooLarge(_) => return Err(owned(self).err().unwrap_or(rusqlite::Error::InvalidQuery)),
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}

/// A value of a list.
fn owned(value: &Value<'_>) -> rusqlite::Result<types::Value> {
    match *value {
        Value::Int(int) => Ok(types::Value::Integer(int)),
        Value::Text(text) => Ok(types::Value::Text(text.to_owned())),
        Value::Blob(bytes) => Ok(types::Value::Blob(bytes.to_vec())),
        Value::Null | Value::List(_) | Value::TooLarge(_) => {
            Err(rusqlite::Error::ToSqlConversionFailure(format!("{value:?} is no value").into()))
        }
    }
}

impl Columns for rusqlite::Row<'_> {
    fn count(&self) -> usize {
        self.as_ref().column_count()
    }

    fn column(&self, index: usize) -> Result<ValueRef<'_>, Error> {
        Ok(match self.get_ref(index)? {
            types::ValueRef::Null => ValueRef::Null,
            types::ValueRef::Integer(int) => ValueRef::Int(int),
            types::ValueRef::Text(text) => {
                let text = std::str::from_utf8(text);
                ValueRef::Text(text.map_err(|error| Error::Corrupt(error.to_string()))?)
            }
            types::ValueRef::Blob(bytes) => ValueRef::Blob(bytes),
            types::ValueRef::Real(real) => return Err(Error::Corrupt(format!("a real number: {real}"))),
        })
    }
}

/// A thread that panicked has rolled back what it had open: the connection is fit for use.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite takes a database of no bytes for a new one, and deletes the WAL beside it with all that was committed there.
fn check_whole(path: &Path) -> Result<(), Error> {
    let size = |path: &Path| path.metadata().map_or(0, |found| found.len());
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let wal = PathBuf::from(wal);
    if size(path) == 0 && size(&wal) > 0 {
        let (path, wal) = (path.display(), wal.display());
        return Err(Error::Unusable(format!(
            "{path} is empty, but {wal} is not: the database is lost or elsewhere"
        )));
    }
    Ok(())
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
    vtab::array::load_module(conn)?;
    Ok(())
}
