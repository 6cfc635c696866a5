//! PowerSync's Rust SDK as a program that is measured: orders on standard input, nanoseconds on standard output, as
//! README.md says.

use anyhow::{Context, Result, bail};
use futures_lite::StreamExt;
use powersync::env::PowerSyncEnvironment;
use powersync::schema::{Column, Schema, Table};
use powersync::{ConnectionPool, PowerSyncDatabase};
use rusqlite::params;
use serde_json::json;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("no folder")?);
    let customers = arguments.next().context("no customers")?.parse()?;
    let durability = arguments.next().context("no durability")?;
    if durability != "default" {
        bail!("PowerSync has no durability {durability}: its default is that of every bundled SQLite");
    }
    PowerSyncEnvironment::powersync_auto_extension()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&folder.join("powersync.db"), customers))
}

/// Does what it is told until its input ends.
async fn serve(file: &Path, customers: usize) -> Result<()> {
    let mut store = Store::open(file)?;
    store.seed(customers).await?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<_> = line.split(' ').collect();
        let mut times = Vec::new();
        match words[..] {
            ["record", count] => {
                for _ in 0..count.parse()? {
                    let start = Instant::now();
                    store.record().await?;
                    times.push(start.elapsed().as_nanos());
                }
            }
            ["open", count] => {
                for _ in 0..count.parse()? {
                    drop(store);
                    let start = Instant::now();
                    store = Store::open(file)?;
                    store.customers = store.read_customers().await?;
                    times.push(start.elapsed().as_nanos());
                }
            }
            ["drain", server, batch, "1"] => {
                let batch = batch.parse()?;
                let start = Instant::now();
                store.drain(server, batch).await?;
                times.push(start.elapsed().as_nanos());
            }
            _ => bail!("unknown order: {line}"),
        }
        let times: Vec<_> = times.iter().map(ToString::to_string).collect();
        println!("{}", times.join(" "));
        std::io::stdout().flush()?;
    }
    store.close().await
}

struct Store {
    database: PowerSyncDatabase,
    customers: Vec<String>,
    recorded: usize,
}

impl Store {
    fn open(file: &Path) -> Result<Self> {
        let text = |name: &'static str| Column::text(name);
        let delivery = vec![
            text("customer"),
            Column::integer("at"),
            text("lines"),
            Column::integer("amount"),
            text("currency"),
        ];
        let customer = vec![
            text("name"),
            text("phone"),
            text("address"),
            text("note"),
            Column::integer("pending"),
            Column::integer("visit"),
            text("visit_id"),
        ];
        let mut schema = Schema::default();
        schema.tables.push(Table::create("delivery", delivery, |_| {}));
        // What the screen shows meanwhile is this phone's business: it is written and not sent, as with Carboy.
        schema.tables.push(Table::create("customer", customer, |table| table.options.local_only = true));
        let pool = ConnectionPool::open(file)?;
        let environment =
            PowerSyncEnvironment::custom(reqwest::Client::new(), pool, PowerSyncEnvironment::tokio());
        let database = PowerSyncDatabase::new(environment, schema);
        Ok(Self { database, customers: Vec::new(), recorded: 0 })
    }

    async fn seed(&mut self, count: usize) -> Result<()> {
        self.customers = self.read_customers().await?;
        if self.customers.is_empty() {
            let mut writer = self.database.writer().await?;
            let tx = writer.transaction()?;
            for n in 0..count {
                tx.execute(
                    "INSERT INTO customer (id, name, phone, address, note, pending, visit) VALUES (?, ?, ?, ?, ?, 0, 0)",
                    params![
                        Uuid::now_v7().to_string(),
                        format!("Naivas Supermarket {n}"),
                        format!("+254 7{:08}", n * 48_271 % 100_000_000),
                        format!("{} Moi Avenue, basement", n * 7),
                        "ask for the store keeper",
                    ],
                )?;
            }
            tx.commit()?;
            drop(writer);
            self.customers = self.read_customers().await?;
        }
        Ok(())
    }

    /// What a route's screen shows.
    async fn read_customers(&self) -> Result<Vec<String>> {
        let reader = self.database.reader().await?;
        let mut query = reader.prepare("SELECT id, name, address, pending, visit FROM customer ORDER BY id")?;
        let mut rows = query.query([])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let (_, _, _, _): (String, String, i64, i64) =
                (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            ids.push(row.get(0)?);
        }
        Ok(ids)
    }

    /// One delivery: the row that is sent, and what the customer's row shows meanwhile.
    async fn record(&mut self) -> Result<()> {
        let customer = &self.customers[self.recorded % self.customers.len()];
        self.recorded += 1;
        let id = Uuid::now_v7().to_string();
        let at = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let lines = json!([{"product": "20L", "delivered": 1, "empties": 0}]).to_string();
        let mut writer = self.database.writer().await?;
        let tx = writer.transaction()?;
        tx.prepare_cached(
            "INSERT INTO delivery (id, customer, at, lines, amount, currency) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![id, customer, at, lines, 15_000, "KES"])?;
        tx.prepare_cached("UPDATE customer SET pending = pending + ?, visit = ?, visit_id = ? WHERE id = ?")?
            .execute(params![15_000, 3, id, customer])?;
        tx.commit()?;
        Ok(())
    }

    /// Sends everything, so many transactions in a request, as an uploader given to the SDK does.
    async fn drain(&self, server: &str, batch: usize) -> Result<()> {
        let client = reqwest::Client::new();
        loop {
            let (mut entries, mut last) = (Vec::with_capacity(batch), None);
            let mut transactions = Box::pin(self.database.crud_transactions().take(batch));
            while let Some(transaction) = transactions.next().await {
                let mut transaction = transaction?;
                for entry in std::mem::take(&mut transaction.crud) {
                    entries.push(json!({
                        "op": entry.update_type, "type": entry.table, "id": entry.id, "data": entry.data,
                    }));
                }
                last = Some(transaction);
            }
            drop(transactions);
            let Some(last) = last else { return Ok(()) };
            let reply = client.post(format!("{server}/ack")).json(&entries).send().await?;
            reply.error_for_status()?.bytes().await?;
            last.complete().await?;
        }
    }

    /// Leaves one file, as the last connection's end does; the SDK's tasks may outlive this.
    async fn close(&self) -> Result<()> {
        let writer = self.database.writer().await?;
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
