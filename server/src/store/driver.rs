//! What a database engine does for the store: transactions, statements and inserting many rows at once.
//!
//! All SQL of the store is written once, in the part of the language that SQLite and PostgreSQL share, with
//! parameters as `?1`, `?2` …; only rows by a list of keys are each engine's own, see [`Lookup`].

use super::tables::Table;
use super::value::{Row, Value};
use crate::Error;
use std::fmt::Debug;

/// Takes a row of a query's result.
pub(super) type Take<'t> = dyn FnMut(&Row<'_>) -> Result<(), Error> + 't;

/// A database engine. Shared by all threads.
pub(super) trait Driver: Debug + Send + Sync {
    /// Brings the schema to this version's, in one transaction: a database of no version is made.
    fn migrate(&self) -> Result<(), Error>;

    /// A transaction that sees what was committed before each of its statements, and may write.
    fn write(&self) -> Result<Box<dyn Session + '_>, Error>;

    /// A transaction that sees one moment of the database, and writes nothing.
    fn read(&self) -> Result<Box<dyn Session + '_>, Error>;

    /// How many connections to another process are open, and how many of them are idle; `None` without such.
    fn pool(&self) -> Option<(usize, usize)>;
}

/// An open transaction. It is rolled back when dropped.
pub(super) trait Session {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error>;

    /// Runs a statement without waiting for it: whoever needs its outcome learns of an error from what comes next.
    fn send(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Error>;

    /// Waits for what was sent; the first error of it, if there is one.
    fn wait(&self) -> Result<(), Error>;

    /// The query that finds rows by a list of keys.
    fn spell(&self, lookup: &Lookup) -> String;

    /// Hands each row of a query's result to `take`.
    fn query(&self, sql: &str, params: &[Value<'_>], take: &mut Take<'_>) -> Result<(), Error>;

    /// Inserts rows, each with a value for every column of the table, without waiting for it.
    fn insert(&self, table: &Table, conflict: Conflict, rows: &[Vec<Value<'_>>]) -> Result<(), Error>;

    /// Takes note of how many rows a table has now, where plans for statements depend on it.
    fn loaded(&self, table: &Table) -> Result<(), Error>;

    /// Whether statements can still run: a failing disk may have ended the transaction.
    fn is_open(&self) -> bool;

    /// Makes it durable.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// Finds the rows of a table by a list of keys, which is the last parameter.
#[derive(Debug)]
pub(super) struct Lookup {
    /// What of each row.
    pub(super) columns: &'static str,
    /// The table.
    pub(super) table: &'static str,
    /// The columns of its primary key before the last one, each equal to the parameter at its place.
    pub(super) within: &'static [&'static str],
    /// The last column of its primary key, of ids.
    pub(super) key: &'static str,
}

impl Lookup {
    /// The condition on the columns in `within`.
    pub(super) fn condition(&self) -> String {
        let equal = |(place, column): (usize, &&str)| format!("{column} = ?{}", place + 1);
        self.within.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// The parameter that holds the list.
    pub(super) fn list(&self) -> usize {
        self.within.len() + 1
    }
}

/// What to do with a row whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conflict {
    /// It is an error.
    Fail,
    /// The old row stays.
    Keep,
    /// The old row takes the new one's values.
    Replace,
}

impl Conflict {
    /// The end of an INSERT statement.
    pub(super) fn clause(self, table: &Table) -> String {
        let names = |columns: &[(&str, super::tables::Kind)], shape: fn(&str) -> String| {
            columns.iter().map(|(name, _)| shape(name)).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Fail => String::new(),
            Self::Keep => " ON CONFLICT DO NOTHING".to_owned(),
            Self::Replace => {
                let (key, rest) = table.columns.split_at(table.key);
                let key = names(key, str::to_owned);
                let rest = names(rest, |name| format!("{name} = excluded.{name}"));
                format!(" ON CONFLICT ({key}) DO UPDATE SET {rest}")
            }
        }
    }
}
