//! Diagnostics: one file for support, without secrets and without what is personal.

use crate::store::outbox::{self, Recorded};
use crate::store::{Meta, Tx, bytes};
use crate::{Engine, Error, Status};
use rusqlite::params;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// How many records, at most, of the oldest unsettled and of the newest.
const RECORDS: u32 = 200;

/// Fields of a mutation whose text says nothing personal: ids, kinds and codes. Any other text is masked.
const PLAIN: [&str; 11] = [
    "txn", "kind", "customer", "product", "currency", "target", "replaces", "route", "progress", "hash",
    "actor",
];

impl Engine {
    /// Writes a file at `to` that tells support how this store stands: versions, status, what happened lately, and the
    /// records that wait or were not accepted. Names, numbers, addresses, notes and every other free text are
    /// masked, and no key or token is in it.
    ///
    /// # Errors
    /// [`Error::StorageFull`], [`Error::Store`] if the file cannot be written.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let file = tempfile::NamedTempFile::new()?;
    /// engine.export_diagnostics(file.path())?;
    /// let report = std::fs::read_to_string(file.path())?;
    /// assert!(report.contains("settled_id") && !report.contains("Mama Njeri"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export_diagnostics(&self, to: &Path) -> Result<(), Error> {
        let status = self.status()?;
        let now = self.clock.now();
        let mut report = self.store.read(|tx| stored(tx, &status))?;
        report["at"] = json!(now);
        report["recent"] = json!(self.recent());
        report["version"] = json!(env!("CARGO_PKG_VERSION"));
        report["sqlite"] = json!(rusqlite::version());
        let size = |path: &Path| std::fs::metadata(path).map(|found| found.len()).ok();
        report["file_bytes"] = json!(size(self.file()));
        let text = serde_json::to_vec_pretty(&report)?;
        let write = || {
            let mut file = File::create(to)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(Error::from_io)
    }
}

fn stored(tx: &Tx<'_>, status: &Status) -> Result<Value, Error> {
    let meta = Meta::read(tx)?;
    let check: String = tx.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(json!({
        "check": check,
        "account": meta.account,
        "plant": meta.plant,
        "actor": meta.actor,
        "parent": meta.parent,
        "base": meta.base,
        "last_id": meta.last_id,
        "settled_id": meta.settled_id,
        "cursor": meta.cursor,
        "status": {
            "state": format!("{:?}", status.state),
            "pending": status.pending,
            "pending_bytes": status.pending_bytes,
            "oldest_pending": status.oldest_pending,
            "photos": status.photos,
            "photo_bytes": status.photo_bytes,
            "attention": status.attention,
            "last_contact": status.last_contact,
        },
        "oldest_unsettled": records(tx, &meta, "id > ?1 ORDER BY id")?,
        "newest": records(tx, &meta, "id > 0 OR ?1 IS NULL ORDER BY id DESC")?,
        "attention": attention(tx)?,
        "rows": rows(tx)?,
    }))
}

fn records(tx: &Tx<'_>, meta: &Meta, condition: &str) -> Result<Vec<Value>, Error> {
    let sql = format!("SELECT {} FROM record WHERE {condition} LIMIT ?2", outbox::COLUMNS);
    let mut query = tx.prepare_cached(&sql)?;
    let found = query.query_map(params![meta.settled_id, RECORDS], Recorded::from_row)?;
    found
        .map(|record| {
            let record = record?;
            Ok(json!({
                "id": record.id,
                "seq": record.id.checked_sub(meta.base),
                "state": format!("{:?}", record.state),
                "undone_by": record.undone_by,
                "bytes": record.body.len(),
                "body": masked_bytes(&record.body),
            }))
        })
        .collect()
}

fn attention(tx: &Tx<'_>) -> Result<Vec<Value>, Error> {
    let mut query = tx.prepare_cached("SELECT id, reason, body FROM attention ORDER BY id LIMIT ?")?;
    let found = query.query_map([RECORDS], |row| {
        let (id, reason): (u64, String) = (row.get(0)?, row.get(1)?);
        Ok(json!({ "id": id, "reason": reason, "body": masked_bytes(bytes(row, 2)?) }))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn rows(tx: &Tx<'_>) -> Result<Value, Error> {
    let mut counts = serde_json::Map::new();
    for table in ["product", "customer", "route", "stop", "entry", "record", "attention", "photo"] {
        let count: u64 = tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        counts.insert(table.to_owned(), json!(count));
    }
    Ok(Value::Object(counts))
}

fn masked_bytes(body: &[u8]) -> Value {
    serde_json::from_slice(body).map_or_else(|_| json!("unreadable"), |body| masked(None, body))
}

/// The value of the field `name` without what may be personal in it.
fn masked(name: Option<&str>, value: Value) -> Value {
    match value {
        Value::String(text) if name.is_none_or(|name| !PLAIN.contains(&name)) => {
            json!(format!("masked, {} characters", text.chars().count()))
        }
        Value::Array(items) => items.into_iter().map(|item| masked(name, item)).collect(),
        Value::Object(fields) => {
            let masked = fields.into_iter().map(|(name, value)| {
                let value = masked(Some(&name), value);
                (name, value)
            });
            Value::Object(masked.collect())
        }
        plain => plain,
    }
}
