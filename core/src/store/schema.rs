//! The schema of a rider's file, and how an older file becomes a newer one. Migrations only go forward.

use super::Tx;
use crate::Error;
use rusqlite::Connection;

/// Tells a Carboy file from any other SQLite file: `CBoy`.
const APPLICATION_ID: i32 = 0x4342_6f79;

/// One script per version; a file at version n has run the first n.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// Brings the file to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let tx = Tx::writing(connection)?;
    let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = tx.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application, found, tables) != (0, 0, 0) {
        return Err(Error::NotAStore(format!(
            "application id {application:#x}, {tables} tables and indexes"
        )));
    }
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    // Nothing to write, as most often: the file opens on a full disk too.
    if found == known {
        return Ok(());
    }
    if found == 0 && tables > 0 {
        return Err(Error::Damaged(format!("no version, and {tables} tables and indexes")));
    }
    for script in &MIGRATIONS[found as usize..] {
        tx.execute_batch(script)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", known)?;
    Ok(tx.commit()?)
}
