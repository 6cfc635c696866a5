//! Applying mutations in batches, against a bare transaction that leaves the same rows in the same tables.

use crate::bare::{Bare, BarePostgres, BareSqlite, Batch};
use crate::marks::{Marks, Plot};
use crate::postgres::{self, Cluster};
use crate::probe::{median, summary};
use crate::riders::Rider;
use anyhow::{Result, anyhow, ensure};
use carboy_protocol::PlantId;
use carboy_protocol::wire::{Answer, MAX_BATCH, SyncReply, SyncRequest};
use carboy_server::Server;
use carboy_server::env::{SystemClock, SystemRandom};
use carboy_server::store::{Location, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Mutations in one request, where a mark is set.
const BATCH: usize = 100;

/// Mutations in one request, from one tap at a time to the largest.
const BATCHES: [usize; 5] = [1, 10, BATCH, 1_000, MAX_BATCH];

/// So many requests are enough to see what a request of another size costs.
const ENOUGH: usize = 30;

/// Customers of each rider's round.
const CUSTOMERS: usize = 120;

/// Plants that are written to at once, for information.
const AT_ONCE: usize = 4;

/// What differs between the stores.
struct Kind {
    name: &'static str,
    /// The query for its size in bytes, tables and indexes alike.
    size: &'static str,
    /// What is to be run once there is something in the tables.
    warm: Option<&'static str>,
}

const SQLITE: Kind = Kind {
    name: "SQLite",
    size: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    warm: None,
};

const POSTGRES: Kind = Kind {
    name: "PostgreSQL",
    size: "SELECT CAST(sum(pg_total_relation_size(c.oid)) AS BIGINT) FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'",
    // PostgreSQL does that by itself within a minute. Before, it takes a plant for a few rows.
    warm: Some("ANALYZE"),
};

/// Measures `rounds` batches on each store, in turn with bare ones.
pub(crate) fn run(folder: &Path, rounds: usize, marks: &mut Marks) -> Result<()> {
    println!(
        "requests in turn with bare transactions that leave the same rows, {rounds} of {BATCH} mutations"
    );
    let [ours, bare] = ["apply.db", "apply-bare.db"].map(|name| folder.join(name));
    let locations = [&ours, &bare].map(|path| Location::Sqlite(path.clone()));
    let open = || Ok(Box::new(BareSqlite::open(&ours, &bare)?) as Box<dyn Bare>);
    on_store(&SQLITE, &locations, open, rounds, marks)?;
    if !postgres::is_installed() {
        println!("  PostgreSQL is missing: install Debian's package `postgresql` to measure it too");
        return Ok(());
    }
    let cluster = Cluster::primary();
    let [ours, bare] = [cluster.database(), cluster.database()];
    let locations = [&ours, &bare].map(|url| Location::Postgres(url.clone()));
    let open = || Ok(Box::new(BarePostgres::open(&ours, &bare)?) as Box<dyn Bare>);
    on_store(&POSTGRES, &locations, open, rounds, marks)
}

fn on_store(
    kind: &Kind,
    [ours, bare]: &[Location; 2],
    open_bare: impl FnOnce() -> Result<Box<dyn Bare>>,
    rounds: usize,
    marks: &mut Marks,
) -> Result<()> {
    let server = served(Store::migrate(ours)?);
    let mut riders = (0..AT_ONCE).map(|n| rider(&server, n)).collect::<Result<Vec<_>>>()?;
    let plant = riders[0].auth.account.plant;
    copy(server.store(), &Store::migrate(bare)?, plant)?;
    let before = number(server.store(), kind.size)?;
    let mut bare = open_bare()?;
    let marked = in_turn(kind, &server, &mut riders[0], bare.as_mut(), BATCH, rounds)?;
    let bytes = (number(server.store(), kind.size)? - before) / mutations(rounds);
    let name = kind.name;
    marks.note(&format!("{name}, in all tables and indexes"), bytes, "bytes per mutation");
    marks.note(&format!("{name}, requests of {BATCH}"), marked[0], "mutations/s");
    let what = format!("{name}, requests of {BATCH}, rows per second against bare");
    marks.at_least(&what, marked[0] / marked[1], 0.75, "");
    let (mut our_line, mut their_line) = (Vec::new(), Vec::new());
    for batch in BATCHES {
        let enough = (rounds * BATCH / batch).clamp(ENOUGH, rounds);
        let [ours, theirs] = match batch {
            BATCH => marked,
            _ => in_turn(kind, &server, &mut riders[0], bare.as_mut(), batch, enough)?,
        };
        our_line.push((batch as f64, ours));
        their_line.push((batch as f64, theirs));
    }
    marks.line(Plot::Batch, &format!("{name}, carboy"), our_line);
    marks.line(Plot::Batch, &format!("{name}, bare"), their_line);
    let rate = at_once(&server, &mut riders, rounds / 2)?;
    marks.note(&format!("{name}, {AT_ONCE} clients at {AT_ONCE} plants at once"), rate, "mutations/s");
    Ok(())
}

fn served(store: Store) -> Server {
    Server::over(store, Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// A rider with customers, at a new plant.
fn rider(server: &Server, number: usize) -> Result<Rider> {
    let plant = server.create_plant(&format!("Plant {number}"), "KES".parse()?)?;
    let mut rider = Rider::enrol(server, plant, number)?;
    rider.add_customers(server, CUSTOMERS)?;
    Ok(rider)
}

fn copy(from: &Store, into: &Store, plant: PlantId) -> Result<()> {
    let mut lines = Vec::new();
    from.export(plant, &mut lines)?;
    into.import(&mut lines.as_slice())?;
    Ok(())
}

/// The number that a query of one row gives.
fn number(store: &Store, sql: &str) -> Result<f64> {
    let rows = store.rows(sql)?;
    rows[0][0].as_f64().ok_or_else(|| anyhow!("{rows:?} from {sql}"))
}

fn mutations(rounds: usize) -> f64 {
    f64::from(u32::try_from(rounds * BATCH).unwrap_or(u32::MAX))
}

/// Ours and the bare one, batch by batch: how many mutations each takes in a second, by the medians.
fn in_turn(
    kind: &Kind,
    server: &Server,
    rider: &mut Rider,
    bare: &mut dyn Bare,
    batch: usize,
    rounds: usize,
) -> Result<[f64; 2]> {
    let (mut ours, mut theirs, mut rows) = (Vec::new(), Vec::new(), 0);
    let mut cursor = caught_up(server, rider)?;
    for round in 0..rounds {
        let request = rider.round(batch, cursor)?;
        let (first_seq, json) = (request.first_seq, serde_json::to_vec(&request)?);
        let start = Instant::now();
        let reply = answered(server, rider, &json)?;
        let ours_took = start.elapsed();
        ensure!(all_applied(&reply), "not all was applied: {:?}", reply.results);
        let place = Batch { auth: &rider.auth, actor: rider.actor, first_seq, after_rev: cursor };
        let written = bare.fetch(&place)?;
        let start = Instant::now();
        bare.write()?;
        let theirs_took = start.elapsed();
        cursor = reply.cursor;
        // The first tenth warms up.
        if let Some(sql) = kind.warm.filter(|_| round == rounds / 10) {
            server.store().write(rider.auth.account.plant, |tx| tx.run(sql))?;
        }
        if round > rounds / 10 {
            rows += written;
            ours.push(ours_took);
            theirs.push(theirs_took);
        }
    }
    let each = rows / ours.len();
    println!("  {}, requests of {batch}: {each} rows", kind.name);
    println!("    carboy {}", summary(&mut ours));
    println!("    bare   {}", summary(&mut theirs));
    Ok([&mut ours, &mut theirs].map(|times| batch as f64 / median(times).as_secs_f64()))
}

/// A request as it is served but for HTTP and compression: the JSON read, the signature and the hash chain checked,
/// everything settled, the feed fetched and the reply written as JSON.
fn answered(server: &Server, rider: &Rider, json: &[u8]) -> Result<SyncReply> {
    let request: SyncRequest = serde_json::from_slice(json)?;
    let reply = server.handle_sync(&rider.auth, &request).map_err(|refusal| anyhow!("{refusal:?}"))?;
    std::hint::black_box(serde_json::to_vec(&reply)?);
    Ok(reply)
}

fn all_applied(reply: &SyncReply) -> bool {
    reply.results.iter().all(|result| matches!(result.answer, Answer::Applied { .. }) && !result.duplicate)
}

/// The cursor behind everything that there is.
fn caught_up(server: &Server, rider: &mut Rider) -> Result<u64> {
    let mut cursor = 0;
    loop {
        let json = serde_json::to_vec(&rider.round(0, cursor)?)?;
        let reply = answered(server, rider, &json)?;
        cursor = reply.cursor;
        if !reply.more {
            return Ok(cursor);
        }
    }
}

/// Several clients, each at a plant of its own: how many mutations they get settled in a second.
fn at_once(server: &Server, riders: &mut [Rider], rounds: usize) -> Result<f64> {
    let mut prepared = Vec::new();
    for rider in riders.iter_mut() {
        let cursor = caught_up(server, rider)?;
        let requests = (0..rounds as u64).map(|round| {
            // All are applied, so each takes one rev.
            let request = rider.round(BATCH, cursor + round * BATCH as u64)?;
            Ok(serde_json::to_vec(&request)?)
        });
        prepared.push(requests.collect::<Result<Vec<_>>>()?);
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        let clients = riders.iter().zip(&prepared).map(|(rider, requests)| {
            scope.spawn(|| {
                requests.iter().try_for_each(|json| {
                    let reply = answered(server, rider, json)?;
                    ensure!(all_applied(&reply), "not all was applied: {:?}", reply.results);
                    Ok(())
                })
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
    })?;
    Ok(mutations(rounds * riders.len()) / start.elapsed().as_secs_f64())
}
