//! A phone's real runtime drained to the real server over real HTTP on this machine: end to end, and what each of the
//! two can do alone.

use crate::filled::{Filled, Store};
use crate::marks::Marks;
use crate::memory::Agreeing;
use crate::riders::Rider;
use crate::served::{Served, sync_request};
use crate::world::{CUSTOMERS, SERVER_FILE};
use anyhow::{Context, Result, anyhow, ensure};
use async_trait::async_trait;
use carboy_core::{
    Changes, Engine, Exchange, HttpTransport, LinkError, Observer, Reply, Runtime, TokenError, TokenProvider,
    Transport,
};
use carboy_protocol::wire::MAX_BATCH;
use carboy_server::Server;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What a server that takes 20,000 mutations a second settles end to end.
const RATE: f64 = 20_000.0;

/// The share of the slower one's rate that a drain should reach at least, where that is less.
const SHARE: f64 = 0.6;

/// Drains every store, and compares the half full one with what phone and server do alone.
pub(crate) fn run(filled: &Filled, folder: &Path, marks: &mut Marks) -> Result<()> {
    let half = filled.half().count;
    println!("draining over HTTP on this machine to the server on SQLite, at most {MAX_BATCH} in a request");
    let mut rate = 0.0;
    for store in &filled.stores[1..] {
        let Drained { sent, idle } = end_to_end(filled, store)?;
        let this = per_second(store.count, sent);
        println!("  {} pending: sent in {sent:.1?}, everything fetched in {idle:.1?}", store.count);
        marks.note(&format!("{} pending, end to end", store.count), this, "mutations/s");
        if store.count == half {
            rate = this;
        }
    }
    let phone = per_second(half, phone_alone(filled, filled.half())?);
    let server = per_second(half, server_alone(&folder.join("alone.db"), half)?);
    marks.note("the phone alone", phone, "mutations/s");
    marks.note("the server alone, over HTTP", server, "mutations/s");
    if rate >= RATE {
        marks.at_least(&format!("{half} pending, end to end"), rate, RATE, "mutations/s");
    } else {
        let share = rate / phone.min(server);
        marks.at_least(&format!("{half} pending, share of the slower one alone"), share, SHARE, "");
    }
    Ok(())
}

fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// How long a drain took.
struct Drained {
    /// Until everything was sent and settled.
    sent: Duration,
    /// Until the feed was fetched too.
    idle: Duration,
}

fn end_to_end(filled: &Filled, store: &Store) -> Result<Drained> {
    let folder = filled.copied(store)?;
    let served = Served::start(folder.join(SERVER_FILE).to_str().context("no UTF-8")?)?;
    let transport = Arc::new(HttpTransport::new(&served.url())?);
    drained(filled, &folder, transport)
}

/// How long the phone itself works, its transport's time taken off.
fn phone_alone(filled: &Filled, store: &Store) -> Result<Duration> {
    let folder = filled.copied(store)?;
    let server = Mutex::new(Agreeing::new(filled.world.identity.account));
    let transport = Arc::new(Acknowledging { server, micros: AtomicU64::new(0) });
    let Drained { sent, .. } = drained(filled, &folder, transport.clone())?;
    Ok(sent.saturating_sub(Duration::from_micros(transport.micros.load(SeqCst))))
}

fn drained(filled: &Filled, folder: &Path, transport: Arc<dyn Transport>) -> Result<Drained> {
    let engine = Arc::new(filled.world.engine(folder)?);
    let tokens = Arc::new(Token(filled.world.token.clone()));
    let watch = Arc::new(Watch { engine: engine.clone(), sent: OnceLock::new() });
    let start = Instant::now();
    let runtime = Runtime::start(engine, transport, tokens, Some(watch.clone()))?;
    let waiting = tokio::runtime::Builder::new_current_thread().build()?;
    let report = waiting.block_on(runtime.sync_now()).context("the runtime has ended")?;
    let idle = start.elapsed();
    ensure!(report.status.pending == 0, "not everything was settled: {:?}", report.status);
    // Whatever the observer has not been told yet, it is told before this returns.
    drop(runtime);
    let sent = watch.sent.get().context("nobody saw the end")?.duration_since(start);
    Ok(Drained { sent, idle })
}

/// Takes note of when nothing was pending any more.
struct Watch {
    engine: Arc<Engine>,
    sent: OnceLock<Instant>,
}

impl Observer for Watch {
    fn changed(&self, _: Changes) {
        if self.sent.get().is_none() && self.engine.status().is_ok_and(|status| status.pending == 0) {
            self.sent.get_or_init(Instant::now);
        }
    }
}

pub(crate) struct Token(pub(crate) String);

#[async_trait]
impl TokenProvider for Token {
    async fn token(&self, _: bool) -> Result<String, TokenError> {
        Ok(self.0.clone())
    }
}

/// A server in the phone's own process that agrees to everything.
struct Acknowledging {
    server: Mutex<Agreeing>,
    /// How long it took to do so.
    micros: AtomicU64,
}

#[async_trait]
impl Transport for Acknowledging {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError> {
        let start = Instant::now();
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = server.answer(&exchange).map_err(|error| LinkError(error.to_string()));
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, SeqCst);
        reply
    }
}

/// Requests made beforehand, sent one behind the other as a phone does.
fn server_alone(file: &Path, count: usize) -> Result<Duration> {
    let server = Server::open(file)?;
    let plant = server.create_plant("Maji Safi", "KES".parse()?)?;
    let mut rider = Rider::enrol(&server, plant, 0)?;
    rider.add_customers(&server, CUSTOMERS)?;
    let rev = server.plants()?.first().context("no plant")?.rev;
    drop(server);
    let requests = (0..count / MAX_BATCH).map(|round| {
        // All are applied, so each takes one rev.
        let request = rider.round(MAX_BATCH, rev + (round * MAX_BATCH) as u64)?;
        sync_request(&rider.token, &request)
    });
    let requests = requests.collect::<Result<Vec<_>>>()?;
    ensure!(!requests.is_empty(), "{count} are less than one request");
    let sent = requests.len() * MAX_BATCH;
    let served = Served::start(file.to_str().context("no UTF-8")?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut connection = runtime.block_on(served.connect())?;
    let start = Instant::now();
    for request in requests {
        runtime.block_on(connection.exchange(request))?;
    }
    let took = start.elapsed();
    let after = Server::open(file)?.plants()?.first().ok_or_else(|| anyhow!("no plant"))?.rev;
    ensure!(after == rev + sent as u64, "{} of {sent} were applied", after - rev);
    Ok(took.mul_f64(count as f64 / sent as f64))
}
