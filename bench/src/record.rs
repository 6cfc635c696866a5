//! One recorded action against a bare rusqlite transaction that leaves the same rows in the same tables.

use crate::probe::{median, summary};
use anyhow::{Context, Result};
use carboy_core::{DeliveredLine, Drainer, Engine, Identity, Reply, Step, SystemClock, SystemRandom};
use carboy_protocol::wire::{FeedItem, SyncReply};
use carboy_protocol::{
    AccountId, ActorId, CustomerId, Dot, Field, Money, PlantId, Profile, Role, Timestamp, VectorClock, Write,
};
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CUSTOMERS: u8 = 100;

/// Measures `rounds` actions of each, in turn.
pub(crate) fn run(folder: &Path, rounds: usize) -> Result<()> {
    let engine = engine(&folder.join("carboy.db"))?;
    let (mut bare, rows) = bare(&folder.join("bare.db"))?;
    let line = [DeliveredLine { product: "20L".parse()?, delivered: 3, empties: 2 }];
    let (mut ours, mut theirs) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds + rounds / 10 {
        let customer = CustomerId::from_bytes([u8::try_from(round % usize::from(CUSTOMERS))?; 16]);
        let start = Instant::now();
        engine.confirm_delivery(customer, &line, None)?;
        let ours_took = start.elapsed();
        let start = Instant::now();
        insert(&mut bare, &rows, i64::try_from(round)? + 2)?;
        let theirs_took = start.elapsed();
        // The first tenth warms up.
        if round >= rounds / 10 {
            ours.push(ours_took);
            theirs.push(theirs_took);
        }
    }
    report(&mut ours, &mut theirs);
    let same: i64 = bare.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?;
    let actions = rounds + rounds / 10;
    anyhow::ensure!(same == i64::try_from(actions)? + 1, "the bare file has {same} entries");
    Ok(())
}

fn report(ours: &mut [Duration], theirs: &mut [Duration]) {
    let ratio = median(ours).as_secs_f64() / median(theirs).as_secs_f64();
    println!("one recorded delivery, WAL, synchronous=FULL, {} rounds in turn", ours.len());
    println!("  carboy         {}", summary(ours));
    println!("  bare rusqlite  {}  (the same rows, no validation, no stamping)", summary(theirs));
    println!("  ratio of the medians {ratio:.2} (mark: at most 1.30)");
}

/// An engine that has fetched a product and its customers.
fn engine(path: &Path) -> Result<Arc<Engine>> {
    let identity = Identity {
        plant: PlantId::from_bytes([1; 16]),
        account: AccountId::from_bytes([2; 16]),
        currency: "KES".parse()?,
    };
    let engine = Arc::new(Engine::open(path, &identity, Arc::new(SystemClock), Arc::new(SystemRandom))?);
    let mut drainer = Drainer::new(engine.clone());
    drainer.step();
    drainer.token(Ok("token".into()));
    anyhow::ensure!(matches!(drainer.step(), Step::Send(_)), "nothing was sent");
    let actor: ActorId = {
        let connection = Connection::open(path)?;
        connection.query_row("SELECT actor FROM meta", [], |row| Ok(ActorId::from_bytes(row.get(0)?)))?
    };
    let reply = SyncReply { actor, results: vec![], feed: feed()?, cursor: 1, more: false };
    let body = serde_json::to_vec(&reply)?;
    drainer
        .reply(Ok(Reply { status: 200, protocol: Some("1".into()), body, ..Reply::default() }))
        .context("the feed was not merged")?;
    Ok(engine)
}

fn feed() -> Result<Vec<FeedItem>> {
    let price = Money::new(15_000, "KES".parse()?);
    let product = FeedItem::Product { code: "20L".parse()?, name: "20 litres".into(), price };
    let customers = (0..CUSTOMERS).map(|n| {
        let mut profile = Profile::default();
        profile.apply(&Write {
            dot: Dot { actor: ActorId::from_bytes([9; 16]), seq: u64::from(n) + 1 },
            context: VectorClock::new(),
            lamport: 1,
            role: Role::Manager,
            author: AccountId::from_bytes([9; 16]),
            at: Timestamp(0),
            changes: [(Field::Name, format!("Customer {n}"))].into(),
        });
        let balance = Money::new(0, price.currency);
        FeedItem::Customer { customer: CustomerId::from_bytes([n; 16]), balance, profile: Some(profile) }
    });
    Ok(std::iter::once(product).chain(customers).collect())
}

/// What one action leaves behind, read off a real one.
struct Rows {
    amount: i64,
    body: String,
    hash: Vec<u8>,
}

/// A file with the same tables and one action in it, opened by rusqlite alone with the same settings.
fn bare(path: &Path) -> Result<(Connection, Rows)> {
    let engine = engine(path)?;
    let line = [DeliveredLine { product: "20L".parse()?, delivered: 3, empties: 2 }];
    engine.confirm_delivery(CustomerId::from_bytes([0; 16]), &line, None)?;
    drop(engine);
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    let rows = connection.query_row("SELECT amount, body, hash FROM outbox", [], |row| {
        Ok(Rows { amount: row.get(0)?, body: row.get(1)?, hash: row.get(2)? })
    })?;
    Ok((connection, rows))
}

fn insert(connection: &mut Connection, rows: &Rows, id: i64) -> Result<()> {
    let customer = (id - 2) % i64::from(CUSTOMERS) + 1;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.prepare_cached(
        "INSERT INTO outbox (id, customer, amount, profile_update, body, hash) VALUES (?, ?, ?, 0, ?, ?)",
    )?
    .execute(params![id, customer, rows.amount, rows.body, rows.hash])?;
    tx.prepare_cached("UPDATE meta SET last_id = ?, head = ?")?.execute(params![id, rows.hash])?;
    tx.prepare_cached("UPDATE customer SET pending = pending + ?, visit = 1, visit_id = ? WHERE id = ?")?
        .execute(params![rows.amount, id, customer])?;
    tx.commit()?;
    Ok(())
}
