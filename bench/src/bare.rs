//! What writes the rows of a batch and does nothing else: a prepared insert loop on SQLite, `unnest` on PostgreSQL.

use anyhow::{Context, Result, bail};
use carboy_protocol::ActorId;
use carboy_server::Auth;
use carboy_server::store::Store;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use std::path::Path;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};

/// The tables that a batch writes; how many columns are the key of those whose rows may stand already; and which rows
/// a batch has written: ?1 is the plant, ?2 its rev in front of the batch, ?3 the actor, ?4 the first seq,
/// ?5 the account and ?6 the device.
const WRITTEN: [(&str, usize, &str); 11] = [
    ("plants", 1, "FROM plants t WHERE plant = ?1"),
    (
        "mutations",
        0,
        "FROM dots d JOIN mutations t ON t.plant = d.plant AND t.account = d.account AND t.txn = d.txn
         WHERE d.plant = ?1 AND d.actor = ?3 AND d.seq >= ?4",
    ),
    ("dots", 0, "FROM dots t WHERE plant = ?1 AND actor = ?3 AND seq >= ?4"),
    ("customers", 2, "FROM customers t WHERE plant = ?1 AND rev > ?2"),
    (
        "profiles",
        2,
        "FROM profiles t WHERE plant = ?1
         AND customer IN (SELECT customer FROM profile_changes WHERE plant = ?1 AND rev > ?2)",
    ),
    ("profile_changes", 0, "FROM profile_changes t WHERE plant = ?1 AND rev > ?2"),
    ("ledger", 0, "FROM ledger t WHERE plant = ?1 AND rev > ?2"),
    ("failed_visits", 0, "FROM failed_visits t WHERE plant = ?1 AND rev > ?2"),
    ("rider_days", 2, "FROM rider_days t WHERE plant = ?1 AND account = ?5"),
    ("actors", 2, "FROM actors t WHERE plant = ?1 AND actor = ?3"),
    ("devices", 2, "FROM devices t WHERE plant = ?1 AND device = ?6"),
];

/// Which batch: its author, and where it began.
pub(crate) struct Batch<'a> {
    pub(crate) auth: &'a Auth,
    pub(crate) actor: ActorId,
    pub(crate) first_seq: u64,
    pub(crate) after_rev: u64,
}

/// A database with the same plant and nothing that works on it.
pub(crate) trait Bare {
    /// Fetches the rows that the batch has left in the other database. Tells how many.
    fn fetch(&mut self, batch: &Batch<'_>) -> Result<usize>;

    /// Writes what was fetched, in one durable transaction.
    fn write(&mut self) -> Result<()>;
}

/// A table's insertion, but for the values.
struct Insert {
    table: &'static str,
    columns: Vec<&'static str>,
    /// Which rows to fetch.
    rows: &'static str,
    /// Rows that may stand already take the new values.
    upsert: Option<String>,
}

impl Insert {
    fn all() -> Result<Vec<Self>> {
        let inserts = WRITTEN.iter().map(|&(table, key, rows)| {
            let columns = Store::columns().find(|(name, _)| *name == table);
            let columns: Vec<_> = columns.with_context(|| format!("no table {table}"))?.1.collect();
            let (key, rest) = columns.split_at(key);
            let rest = rest.iter().map(|name| format!("{name} = excluded.{name}"));
            let set = rest.collect::<Vec<_>>().join(", ");
            let upsert = format!(" ON CONFLICT ({}) DO UPDATE SET {set}", key.join(", "));
            let upsert = (!key.is_empty()).then_some(upsert);
            Ok(Self { table, columns, rows, upsert })
        });
        inserts.collect()
    }

    fn select(&self) -> String {
        format!("SELECT t.{} {}", self.columns.join(", t."), self.rows)
    }
}

/// rusqlite with the server's settings.
pub(crate) struct BareSqlite {
    from: Connection,
    into: Connection,
    inserts: Vec<(Insert, String)>,
    rows: Vec<Vec<Vec<Value>>>,
}

impl BareSqlite {
    /// Fetches from one file, and writes into another.
    pub(crate) fn open(from: &Path, into: &Path) -> Result<Self> {
        let (from, into) = (Connection::open(from)?, Connection::open(into)?);
        into.pragma_update(None, "journal_mode", "wal")?;
        into.pragma_update(None, "synchronous", "full")?;
        into.pragma_update(None, "foreign_keys", true)?;
        into.pragma_update(None, "wal_autocheckpoint", 10_000)?;
        into.pragma_update(None, "cache_size", -16_384)?;
        into.set_prepared_statement_cache_capacity(128);
        let inserts = Insert::all()?.into_iter().map(|insert| {
            let places = (1..=insert.columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
            let (table, columns) = (insert.table, insert.columns.join(", "));
            let upsert = insert.upsert.clone().unwrap_or_default();
            (insert, format!("INSERT INTO {table} ({columns}) VALUES ({places}){upsert}"))
        });
        Ok(Self { from, into, inserts: inserts.collect(), rows: Vec::new() })
    }
}

impl Bare for BareSqlite {
    fn fetch(&mut self, batch: &Batch<'_>) -> Result<usize> {
        let account = &batch.auth.account;
        let blob = |id: &[u8; 16]| Value::Blob(id.to_vec());
        let key = [
            blob(account.plant.as_bytes()),
            Value::Integer(batch.after_rev.try_into()?),
            blob(batch.actor.as_bytes()),
            Value::Integer(batch.first_seq.try_into()?),
            blob(account.id.as_bytes()),
            blob(batch.auth.device.as_bytes()),
        ];
        self.rows.clear();
        for (insert, _) in &self.inserts {
            let mut query = self.from.prepare_cached(&insert.select())?;
            let key = &key[..query.parameter_count()];
            let rows = query.query_map(params_from_iter(key), |row| {
                (0..insert.columns.len()).map(|column| row.get(column)).collect()
            })?;
            self.rows.push(rows.collect::<Result<_, _>>()?);
        }
        Ok(self.rows.iter().map(Vec::len).sum())
    }

    fn write(&mut self) -> Result<()> {
        let tx = self.into.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for ((_, sql), rows) in self.inserts.iter().zip(&self.rows) {
            let mut insert = tx.prepare_cached(sql)?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        Ok(tx.commit()?)
    }
}

/// tokio-postgres, one statement behind the other, on one thread.
pub(crate) struct BarePostgres {
    runtime: Runtime,
    from: Client,
    into: Client,
    inserts: Vec<(Statement, Statement)>,
    columns: Vec<Vec<Column>>,
}

/// A column of the rows to write.
enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn of(rows: &[Row], column: usize, kind: &Type) -> Result<Self> {
        Ok(match *kind {
            Type::INT8 => Self::Int(values(rows, column)?),
            Type::TEXT => Self::Text(values(rows, column)?),
            Type::BYTEA => Self::Blob(values(rows, column)?),
            _ => bail!("a column of type {kind}"),
        })
    }

    fn array(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(values) => values,
            Self::Text(values) => values,
            Self::Blob(values) => values,
        }
    }
}

fn values<'r, T: tokio_postgres::types::FromSql<'r>>(
    rows: &'r [Row],
    column: usize,
) -> Result<Vec<Option<T>>, tokio_postgres::Error> {
    rows.iter().map(|row| row.try_get(column)).collect()
}

impl BarePostgres {
    /// Fetches from one database, and writes into another.
    pub(crate) fn open(from: &str, into: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (from, into) = (connected(&runtime, from)?, connected(&runtime, into)?);
        let mut inserts = Vec::new();
        for insert in Insert::all()? {
            let kinds = [Type::BYTEA, Type::INT8, Type::BYTEA, Type::INT8, Type::BYTEA, Type::BYTEA];
            let select = insert.select().replace('?', "$");
            let select = runtime.block_on(from.prepare_typed(&select, &kinds))?;
            let arrays = (1..).zip(select.columns()).map(|(n, column)| format!("${n}::{}[]", column.type_()));
            let (table, columns) = (insert.table, insert.columns.join(", "));
            let arrays = arrays.collect::<Vec<_>>().join(", ");
            let conflict = insert.upsert.unwrap_or_else(|| " ON CONFLICT DO NOTHING".to_owned());
            let sql = format!("INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}){conflict}");
            inserts.push((select, runtime.block_on(into.prepare(&sql))?));
        }
        Ok(Self { runtime, from, into, inserts, columns: Vec::new() })
    }
}

fn connected(runtime: &Runtime, address: &str) -> Result<Client> {
    let (client, connection) = runtime.block_on(tokio_postgres::connect(address, NoTls))?;
    runtime.spawn(connection);
    Ok(client)
}

impl Bare for BarePostgres {
    fn fetch(&mut self, batch: &Batch<'_>) -> Result<usize> {
        let account = &batch.auth.account;
        let (rev, seq) = (i64::try_from(batch.after_rev)?, i64::try_from(batch.first_seq)?);
        let ids = [
            account.plant.as_bytes(),
            batch.actor.as_bytes(),
            account.id.as_bytes(),
            batch.auth.device.as_bytes(),
        ];
        let [plant, actor, account, device] = ids.map(|id| &id[..]);
        let mut count = 0;
        self.columns.clear();
        for (select, _) in &self.inserts {
            let key: [&(dyn ToSql + Sync); 6] = [&plant, &rev, &actor, &seq, &account, &device];
            let rows = self.runtime.block_on(self.from.query(select, &key))?;
            let columns = select.columns().iter().enumerate();
            let columns = columns.map(|(n, column)| Column::of(&rows, n, column.type_()));
            self.columns.push(if rows.is_empty() { Vec::new() } else { columns.collect::<Result<_>>()? });
            count += rows.len();
        }
        Ok(count)
    }

    fn write(&mut self) -> Result<()> {
        self.runtime.block_on(async {
            self.into.batch_execute("BEGIN").await?;
            for ((_, insert), columns) in self.inserts.iter().zip(&self.columns) {
                if !columns.is_empty() {
                    let arrays: Vec<_> = columns.iter().map(Column::array).collect();
                    self.into.execute(insert, &arrays).await?;
                }
            }
            self.into.batch_execute("COMMIT").await
        })?;
        Ok(())
    }
}
