//! Carboy and a bare SQLite as programs that take the same orders as the peers.

use crate::record::{Bare, Kind};
use crate::world::{World, options};
use anyhow::{Context, Result, bail, ensure};
use carboy_core::{Body, Drainer, Engine, Exchange, HttpTransport, Identity, Reply, Step, Transport};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How long an exchange with a server on the same machine may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The child: opens the store that is named and does what it is told until its input ends.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [which, folder, plant, account] = arguments else {
        bail!("expected which store, folder, plant and account, not {arguments:?}")
    };
    let identity = Identity { plant: plant.parse()?, account: account.parse()?, currency: "KES".parse()? };
    let folder = PathBuf::from(folder);
    match which.as_str() {
        "carboy" => obey(|| Carboy::open(&folder, &identity)),
        "bare" => obey(|| BareQueue::open(&options(&folder, &identity)?.file())),
        _ => bail!("no store is called {which}"),
    }
}

/// What is measured.
trait Store {
    /// One delivery with its upload queued, durable when this returns.
    fn record(&mut self) -> Result<()>;

    /// Sends everything, so many in a request.
    fn drain(&mut self, server: &str, batch: usize) -> Result<()>;
}

fn obey<S: Store>(open: impl Fn() -> Result<S>) -> Result<()> {
    let mut store = open()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut times = Vec::new();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["record", count] => {
                for _ in 0..count.parse()? {
                    let start = Instant::now();
                    store.record()?;
                    times.push(start.elapsed());
                }
            }
            ["open", count] => {
                for _ in 0..count.parse()? {
                    drop(store);
                    let start = Instant::now();
                    store = open()?;
                    times.push(start.elapsed());
                }
            }
            ["drain", server, batch, "1"] => {
                let batch = batch.parse()?;
                let start = Instant::now();
                store.drain(server, batch)?;
                times.push(start.elapsed());
            }
            _ => bail!("unknown order: {line}"),
        }
        let times: Vec<_> = times.iter().map(|took| took.as_nanos().to_string()).collect();
        println!("{}", times.join(" "));
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The rider's phone without its shell.
struct Carboy {
    engine: Arc<Engine>,
    world: World,
    recorded: usize,
}

impl Carboy {
    /// With the status and the route that the first screen shows.
    fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        let engine = Arc::new(Engine::open(&options(folder, identity)?)?);
        engine.status()?;
        let world = World::of_phone(&engine, identity)?;
        Ok(Self { engine, world, recorded: 0 })
    }
}

impl Store for Carboy {
    fn record(&mut self) -> Result<()> {
        self.recorded += 1;
        Kind::Delivery.act(&self.engine, &self.world, self.recorded)
    }

    fn drain(&mut self, server: &str, batch: usize) -> Result<()> {
        let link = Link::new(server)?;
        let mut drainer = Drainer::new(self.engine.clone());
        drainer.limit_batch(batch);
        loop {
            match drainer.step() {
                Step::Token { .. } => drainer.token(Ok("token".into())),
                Step::Send(exchange) => {
                    let reply = link.exchange(exchange)?;
                    drainer.reply(Ok(reply)).context("the reply settled nothing")?;
                }
                Step::Sleep => break,
                Step::Wait(_) => bail!("the drainer waits: {:?}", self.engine.status()?.state),
            }
        }
        ensure!(self.engine.status()?.pending == 0, "not everything was sent");
        Ok(())
    }
}

/// The same rows without anything around them, and a loop that sends and drops them.
struct BareQueue {
    bare: Bare,
    recorded: usize,
}

impl BareQueue {
    fn open(file: &Path) -> Result<Self> {
        Ok(Self { bare: Bare::open(file, Kind::Delivery)?, recorded: 0 })
    }
}

impl Store for BareQueue {
    fn record(&mut self) -> Result<()> {
        self.recorded += 1;
        self.bare.insert(self.recorded)
    }

    fn drain(&mut self, server: &str, batch: usize) -> Result<()> {
        let link = Link::new(server)?;
        let mut after = 0;
        loop {
            let (bodies, last) = self.bare.queued(after, batch)?;
            if bodies.is_empty() {
                return Ok(());
            }
            let body = Body::Piece(format!("[{}]", bodies.join(",")).into_bytes());
            link.exchange(Exchange { path: "/ack".into(), token: None, body, timeout: TIMEOUT })?;
            self.bare.drop_up_to(last)?;
            after = last;
        }
    }
}

/// The core's transport, driven on this thread as the core's runtime drives it on its own.
struct Link {
    runtime: Runtime,
    transport: HttpTransport,
}

impl Link {
    fn new(server: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let transport = HttpTransport::new(server)?;
        Ok(Self { runtime, transport })
    }

    fn exchange(&self, exchange: Exchange) -> Result<Reply> {
        let reply = self.runtime.block_on(self.transport.exchange(exchange))?;
        ensure!(reply.status == 200, "the server says {}", reply.status);
        Ok(reply)
    }
}
