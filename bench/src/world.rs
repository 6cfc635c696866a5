//! A plant on a real server and a rider's phone that has fetched it, in one folder that can be copied.

use anyhow::{Context, Result, anyhow, ensure};
use carboy_core::{
    Clock, DeliveredLine, Drainer, Engine, Exchange, Identity, KeyStore, LinkError, MemoryKeys, Options,
    Reply, Step, SystemRandom, Wake,
};
use carboy_protocol::wire::{EnrolRequest, SyncRequest};
use carboy_protocol::{CustomerId, DeviceKey, FailReason, Field, Money, ProductCode, Timestamp};
use carboy_server::{Auth, Server};
use flate2::read::{GzDecoder, GzEncoder};
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Customers of the plant, all on one route.
pub(crate) const CUSTOMERS: usize = 120;

/// What the phone signs with, in every process.
const SEED: [u8; 32] = [7; 32];

pub(crate) const SERVER_FILE: &str = "plant.db";

/// Time that passes only when it is told to, in ms since the morning.
#[derive(Default)]
pub(crate) struct VirtualClock(AtomicU64);

impl VirtualClock {
    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, SeqCst);
    }

    pub(crate) fn ms(&self) -> u64 {
        self.0.load(SeqCst)
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_732_350_000_000_i64.saturating_add_unsigned(self.ms()))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.ms())
    }
}

impl carboy_server::env::Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }
}

/// What a copy of the folder is opened with.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) customers: Vec<CustomerId>,
    pub(crate) token: String,
}

/// A phone and its server, both open.
pub(crate) struct Session {
    pub(crate) engine: Arc<Engine>,
    pub(crate) drainer: Drainer,
    server: Server,
    auth: Auth,
    token: String,
}

impl World {
    /// Makes the plant in `folder` and lets the phone fetch it.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        Self::with_customers(folder, CUSTOMERS)
    }

    /// The same with so many customers, all on its route.
    pub(crate) fn with_customers(folder: &Path, count: usize) -> Result<Self> {
        Self::with_route(folder, count, count)
    }

    /// The same with the first `stops` of so many customers on its route.
    pub(crate) fn with_route(folder: &Path, count: usize, stops: usize) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let clock = Arc::new(VirtualClock::default());
        let random = Arc::new(carboy_server::env::SystemRandom);
        let server = Server::open_with(&folder.join(SERVER_FILE), clock.clone(), random)?;
        let currency = "KES".parse()?;
        let plant = server.create_plant("Maji Safi", currency)?;
        let manager = server.create_owner(plant, "Grace", "grace", "a long password")?;
        let rider = server.create_rider(plant, "Amina")?;
        for (code, name, price) in [("20L", "20 litres", 15_000), ("10L", "10 litres", 9_000)] {
            server.put_product(&manager, &code.parse()?, name, Money::new(price, currency))?;
        }
        let customers = (0..count)
            .map(|n| {
                // Not all on one day, or their ids would be alike.
                clock.advance(40_000_003);
                server.add_customer(&manager, profile(n))
            })
            .collect::<Result<Vec<_>, _>>()?;
        server.put_route(&manager, None, "North", &customers[..stops])?;
        let (code, _) = server.create_enrol_code(plant, rider.id)?;
        let public_key = DeviceKey::from_seed(SEED).public();
        let request = EnrolRequest { code, device_name: "Tecno Spark 8".to_owned(), public_key };
        let enrolled = server.handle_enrol("bench", &request).map_err(|refusal| anyhow!("{refusal:?}"))?;
        drop(server);
        let identity = Identity { plant, account: rider.id, currency };
        let world = Self { identity, customers, token: enrolled.token };
        world.session(folder, &clock)?.sync()?;
        Ok(world)
    }

    /// The plant as a process sees it that has the phone alone.
    pub(crate) fn of_phone(engine: &Engine, identity: &Identity) -> Result<Self> {
        let mut customers = Vec::new();
        for route in engine.routes()? {
            customers.extend(engine.stops(route.route)?.iter().map(|stop| stop.customer.customer));
        }
        Ok(Self { identity: identity.clone(), customers, token: String::new() })
    }

    /// Opens the phone and the server in `folder`, both on this clock.
    pub(crate) fn session(&self, folder: &Path, clock: &Arc<VirtualClock>) -> Result<Session> {
        let random = Arc::new(carboy_server::env::SystemRandom);
        let server = Server::open_with(&folder.join(SERVER_FILE), clock.clone(), random)?;
        let auth = server.authenticate(&self.token).map_err(|refusal| anyhow!("{refusal:?}"))?;
        let options = Options { clock: clock.clone(), ..options(folder, &self.identity)? };
        let engine = Arc::new(Engine::open(&options)?);
        let drainer = Drainer::new(engine.clone());
        Ok(Session { engine, drainer, server, auth, token: self.token.clone() })
    }

    /// Opens the phone alone, on the system's clock.
    pub(crate) fn engine(&self, folder: &Path) -> Result<Engine> {
        Ok(Engine::open(&options(folder, &self.identity)?)?)
    }

    /// Records these actions of a round: at each stop a delivery and its cash; now and then a stop in vain, or a
    /// customer's new number.
    pub(crate) fn record(&self, engine: &Engine, clock: &VirtualClock, actions: Range<usize>) -> Result<()> {
        for n in actions {
            let (stop, customer) = (n / 2, self.customers[n / 2 % self.customers.len()]);
            // A stop takes a minute or so, and its cash a quarter of one.
            clock.advance(if n % 2 == 0 { 40_000 } else { 12_000 } + n as u64 * 7_919 % 9_973);
            match (n % 2, stop % 25) {
                (0, 24) => engine.fail_delivery(customer, FailReason::Closed, None).map(drop)?,
                (1, 24) => engine.update_profile(customer, profile(n)).map(drop)?,
                (0, _) => {
                    engine.confirm_delivery(customer, &lines(stop), None, &[]).map(drop)?;
                }
                (_, _) => {
                    let owed = lines(stop).iter().map(|line| i64::from(line.delivered) * 15_000).sum();
                    engine.collect_cash(customer, Money::new(owed, self.identity.currency)).map(drop)?;
                }
            }
        }
        Ok(())
    }
}

impl Session {
    /// The real server's answer, compressed as over HTTP.
    pub(crate) fn serve(&self, exchange: &Exchange) -> Result<Reply> {
        let request: SyncRequest = serde_json::from_slice(&unzipped(exchange)?)?;
        let reply = self.server.handle_sync(&self.auth, &request);
        let reply = reply.map_err(|refusal| anyhow!("refused: {refusal:?}"))?;
        Ok(reply_of(&serde_json::to_vec(&reply)?)?)
    }

    /// Lets the drainer work until it sleeps, or `carry` says that it is enough.
    pub(crate) fn drive(
        &mut self,
        mut carry: impl FnMut(&Self, &Exchange) -> Result<Result<Reply, LinkError>>,
        clock: Option<&VirtualClock>,
    ) -> Result<()> {
        self.drainer.wake(Wake::Online);
        loop {
            match self.drainer.step() {
                Step::Sleep => return Ok(()),
                Step::Token { .. } => self.drainer.token(Ok(self.token.clone())),
                Step::Wait(until) => {
                    let clock = clock.context("the drainer waits without a clock")?;
                    clock.set(u64::try_from(until.as_millis())? + 1);
                }
                Step::Send(exchange) => {
                    let reply = carry(self, &exchange)?;
                    self.drainer.reply(reply);
                }
            }
        }
    }

    /// Exchanges everything over a perfect link.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.drive(|session, exchange| Ok(Ok(session.serve(exchange)?)), None)?;
        ensure!(self.engine.status()?.pending == 0, "the phone still holds something");
        Ok(())
    }
}

/// How the phone in `folder` is opened, on the system's clock and randomness.
pub(crate) fn options(folder: &Path, identity: &Identity) -> Result<Options> {
    let keys = MemoryKeys::default();
    keys.save(&format!("carboy.{}.device", identity.account), &SEED)?;
    let random = Arc::new(SystemRandom);
    Ok(Options { random, ..Options::new(folder, identity.clone(), Arc::new(keys)) })
}

/// One line, and a second one at every third stop.
pub(crate) fn lines(stop: usize) -> Vec<DeliveredLine> {
    let line = |product: &str, n: usize| DeliveredLine {
        product: ProductCode::try_from(product.to_owned()).expect("a valid code"),
        delivered: 1 + i32::try_from(n % 5).unwrap_or_default(),
        empties: i32::try_from(n % 4).unwrap_or_default(),
    };
    let second = (stop % 3 == 2).then(|| line("10L", stop / 3));
    std::iter::once(line("20L", stop)).chain(second).collect()
}

/// A profile with all its fields.
pub(crate) fn profile(n: usize) -> std::collections::BTreeMap<Field, String> {
    [
        (Field::Name, format!("Naivas Supermarket {n}")),
        (Field::Phone, format!("+254 7{:08}", n * 48_271 % 100_000_000)),
        (Field::Address, format!("{} Moi Avenue, basement", n * 7)),
        (Field::Note, "ask for the store keeper".to_owned()),
    ]
    .into()
}

/// The JSON that the exchange carries.
pub(crate) fn unzipped(exchange: &Exchange) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    GzDecoder::new(exchange.body.bytes()).read_to_end(&mut json)?;
    Ok(json)
}

/// A reply as the server sends it.
pub(crate) fn reply_of(json: &[u8]) -> std::io::Result<Reply> {
    let body = gzipped(json)?;
    Ok(Reply { status: 200, protocol: Some("1".into()), gzip: true, body, ..Reply::default() })
}

/// Compressed as on the wire.
pub(crate) fn gzipped(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    GzEncoder::new(json, flate2::Compression::default()).read_to_end(&mut body)?;
    Ok(body)
}

/// Copies the files in `from`; a closed database's shared memory is not one of them.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_file() && !name.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
