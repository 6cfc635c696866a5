//! One recorded action against a bare rusqlite transaction that leaves the same rows in the same tables.

use crate::marks::Marks;
use crate::probe::{median, summary};
use crate::world::{World, copy, lines, options, profile};
use anyhow::{Result, ensure};
use carboy_core::Engine;
use carboy_protocol::Money;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params, params_from_iter};
use std::path::Path;
use std::time::Instant;

/// The kinds that are measured.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Delivery,
    Cash,
    Profile,
}

/// Measures `rounds` actions of each kind, in turn with bare ones: on the disk, which is what the mark is for, and
/// in memory, where nothing is flushed and the work itself shows even on a busy machine.
pub(crate) fn run(folder: &Path, rounds: usize, marks: &mut Marks) -> Result<()> {
    println!("one recorded action, WAL, synchronous=FULL, {rounds} rounds in turn (profile: a fifth)");
    all_kinds(folder, rounds, Some(marks))?;
    if let Ok(memory) = tempfile::tempdir_in("/dev/shm") {
        println!("the same in memory, without a flush: for information");
        all_kinds(memory.path(), rounds, None)?;
    }
    Ok(())
}

fn all_kinds(folder: &Path, rounds: usize, mut marks: Option<&mut Marks>) -> Result<()> {
    let world = World::create(&folder.join("world"))?;
    for kind in [Kind::Delivery, Kind::Cash, Kind::Profile] {
        // Each update waits beside those of the same customer: as many as these no rider makes.
        let rounds = if kind == Kind::Profile { rounds / 5 } else { rounds };
        let [ours, bare] = ["ours", "bare"].map(|name| folder.join(name).join(kind.name()));
        copy(&folder.join("world"), &ours)?;
        copy(&folder.join("world"), &bare)?;
        let ratio = measure(&world, kind, [&ours, &bare], rounds)?;
        let what = format!("{}, ratio of the medians", kind.name());
        match &mut marks {
            Some(marks) => marks.at_most(&what, ratio, 1.15, ""),
            None => println!("  {what}: {ratio:.2}"),
        }
    }
    Ok(())
}

/// The ratio of the medians.
fn measure(world: &World, kind: Kind, folders: [&Path; 2], rounds: usize) -> Result<f64> {
    let engine = world.engine(folders[0])?;
    let mut bare = Bare::new(world, kind, folders[1])?;
    let (mut ours, mut theirs) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    let actions = rounds + rounds / 10;
    for round in 0..actions {
        let start = Instant::now();
        kind.act(&engine, world, round)?;
        let ours_took = start.elapsed();
        let start = Instant::now();
        bare.insert(round)?;
        let theirs_took = start.elapsed();
        // The first tenth warms up.
        if round >= rounds / 10 {
            ours.push(ours_took);
            theirs.push(theirs_took);
        }
    }
    println!("  {}, carboy         {}", kind.name(), summary(&mut ours));
    println!("  {}, bare rusqlite  {}", kind.name(), summary(&mut theirs));
    let same: usize = bare.connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0))?;
    ensure!(same == actions + 1, "the bare file has {same} records");
    Ok(median(&mut ours).as_secs_f64() / median(&mut theirs).as_secs_f64())
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Cash => "cash",
            Self::Profile => "profile update",
        }
    }

    /// Records one of this kind about the next customer of the round.
    pub(crate) fn act(self, engine: &Engine, world: &World, round: usize) -> Result<()> {
        let customer = world.customers[round % world.customers.len()];
        match self {
            Self::Delivery => engine.confirm_delivery(customer, &lines(0), None, &[])?,
            Self::Cash => engine.collect_cash(customer, Money::new(15_000, world.identity.currency))?,
            Self::Profile => engine.update_profile(customer, profile(round))?,
        };
        Ok(())
    }

    /// What the action changes in the customer's row: ?1 is the record, ?2 the row, and the values from ?3 on are
    /// taken from a real one.
    fn customer_update(self) -> (&'static str, &'static str) {
        match self {
            Self::Delivery => (
                "UPDATE customer SET pending = pending + ?3, visit = ?4, visit_id = ?1 WHERE id = ?2",
                "SELECT pending, visit FROM customer WHERE id = ?",
            ),
            Self::Cash => (
                "UPDATE customer SET pending = pending + ?3 WHERE id = ?2",
                "SELECT pending FROM customer WHERE id = ?",
            ),
            Self::Profile => (
                "UPDATE customer SET name = ?3, phone = ?4, address = ?5, note = ?6, lost = ?7 WHERE id = ?2",
                "SELECT name, phone, address, note, lost FROM customer WHERE id = ?",
            ),
        }
    }
}

/// What every save of the meta row writes beside the last id.
const META: &str = "actor, base, parent_actor, parent_seq, settled_id, head, cursor, pending_bytes, last_contact, \
                    shift, shift_id, since, laid_in_shift, laid_in_all";

/// What a record's insertion writes beside id and customer.
const RECORD: &str = "amount, profile_update, before, body, hash, undoes";

/// A file with the same tables, opened by rusqlite alone with the same settings, and the values that one action left
/// in it.
pub(crate) struct Bare {
    connection: Connection,
    kind: Kind,
    last_id: i64,
    update: &'static str,
    customer: Vec<Value>,
    meta: Vec<Value>,
    record: Vec<Value>,
}

impl Bare {
    pub(crate) fn new(world: &World, kind: Kind, folder: &Path) -> Result<Self> {
        let engine = world.engine(folder)?;
        kind.act(&engine, world, 0)?;
        drop(engine);
        Self::open(&options(folder, &world.identity)?.file(), kind)
    }

    /// Opens a file in which such an action stands first.
    pub(crate) fn open(file: &Path, kind: Kind) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        connection.set_prepared_statement_cache_capacity(96);
        let (update, select) = kind.customer_update();
        let row = connection.query_row("SELECT customer FROM record", [], |row| row.get::<_, i64>(0))?;
        let last_id = connection.query_row("SELECT max(id) FROM record", [], |row| row.get(0))?;
        let customer = values(&connection, select, params![row])?;
        let meta = values(&connection, &format!("SELECT {META} FROM meta"), params![])?;
        let record = values(&connection, &format!("SELECT {RECORD} FROM record"), params![])?;
        Ok(Self { connection, kind, last_id, update, customer, meta, record })
    }

    /// What the action of this round leaves behind, and nothing else: no validation, no stamping, no receipt.
    pub(crate) fn insert(&mut self, round: usize) -> Result<()> {
        self.last_id += 1;
        let id = self.last_id;
        if self.kind == Kind::Profile {
            // The values of this round: SQLite writes no page on which nothing changes.
            for (value, new) in self.customer.iter_mut().zip(profile(round).into_values()) {
                *value = new.into();
            }
        }
        let customer = i64::try_from(round % crate::world::CUSTOMERS)? + 1;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached(
            "INSERT INTO record (id, customer, amount, profile_update, before, body, hash, undoes)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params_from_iter([id, customer].map(Value::from).iter().chain(&self.record)))?;
        tx.prepare_cached(self.update)?
            .execute(params_from_iter([id, customer].map(Value::from).iter().chain(&self.customer)))?;
        tx.prepare_cached(
            "UPDATE meta SET last_id = ?, actor = ?, base = ?, parent_actor = ?, parent_seq = ?, settled_id = ?,
                 head = ?, cursor = ?, pending_bytes = ?, last_contact = ?, shift = ?, shift_id = ?, since = ?,
                 laid_in_shift = ?, laid_in_all = ?",
        )?
        .execute(params_from_iter(std::iter::once(&Value::from(id)).chain(&self.meta)))?;
        tx.commit()?;
        Ok(())
    }

    /// The first `limit` bodies behind this id, and the id of the last of them.
    pub(crate) fn queued(&self, after: i64, limit: usize) -> Result<(Vec<String>, i64)> {
        let mut query =
            self.connection.prepare_cached("SELECT id, body FROM record WHERE id > ? ORDER BY id LIMIT ?")?;
        let mut rows = query.query(params![after, limit])?;
        let (mut bodies, mut last) = (Vec::with_capacity(limit), after);
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            bodies.push(row.get(1)?);
        }
        Ok((bodies, last))
    }

    /// Drops the records up to this id.
    pub(crate) fn drop_up_to(&self, id: i64) -> Result<()> {
        self.connection.prepare_cached("DELETE FROM record WHERE id <= ?")?.execute([id])?;
        Ok(())
    }
}

/// The first row's values.
fn values(connection: &Connection, sql: &str, key: impl rusqlite::Params) -> Result<Vec<Value>> {
    let mut query = connection.prepare(sql)?;
    let columns = query.column_count();
    Ok(query.query_row(key, |row| (0..columns).map(|column| row.get(column)).collect())?)
}
