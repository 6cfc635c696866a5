//! A transaction as rusqlite's own, but for its beginning and its end being parsed once and not anew with each tap and
//! each query.

use rusqlite::{Connection, Result};
use std::ops::Deref;

/// A transaction. Undone when dropped, unless it was committed.
pub(crate) struct Tx<'c>(&'c Connection);

impl<'c> Tx<'c> {
    /// One consistent snapshot, from the first look on.
    pub(crate) fn reading(connection: &'c mut Connection) -> Result<Self> {
        Self::begin(connection, "BEGIN")
    }

    /// Waits for its turn to write.
    pub(crate) fn writing(connection: &'c mut Connection) -> Result<Self> {
        Self::begin(connection, "BEGIN IMMEDIATE")
    }

    /// Nobody else has the connection, so that there is no transaction within one.
    fn begin(connection: &'c mut Connection, how: &str) -> Result<Self> {
        connection.prepare_cached(how)?.execute([])?;
        Ok(Self(connection))
    }

    pub(crate) fn commit(self) -> Result<()> {
        self.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        // SQLite undoes it by itself after some failures.
        if self.is_autocommit() {
            return;
        }
        let undone = self.prepare_cached("ROLLBACK").and_then(|mut undo| undo.execute([]));
        if let Err(error) = undone {
            tracing::error!(%error, "a transaction could not be undone");
        }
    }
}
