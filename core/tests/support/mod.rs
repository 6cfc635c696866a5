//! A rider's engine with a clock and a server written by hand, so that a test says what each reply is.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use carboy_core::{
    Clock, Drainer, Engine, Exchange, Identity, KeyStore, MemoryKeys, Options, Random, Reply, Step,
};
use carboy_protocol::wire::{Answer, FeedItem, Settlement, SyncReply, SyncRequest};
use carboy_protocol::*;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that stands still until a test moves it.
#[derive(Default)]
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_732_350_000_000 + self.0.load(Ordering::SeqCst) as i64)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes of a counter: unique, and the same in every run.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (to, from) in buffer.iter_mut().rev().zip(count.iter().rev().cycle()) {
            *to = *from;
        }
        Ok(())
    }
}

pub fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

pub fn customer(n: u8) -> CustomerId {
    CustomerId::from_bytes([n; 16])
}

pub fn identity() -> Identity {
    Identity {
        plant: PlantId::from_bytes([1; 16]),
        account: AccountId::from_bytes([2; 16]),
        currency: "KES".parse().unwrap(),
    }
}

/// The secrets of the tests' one account: the same in every process.
pub fn keys() -> Arc<MemoryKeys> {
    let keys = MemoryKeys::default();
    for (what, byte) in [("device", 7), ("store", 8)] {
        keys.save(&format!("carboy.{}.{what}", identity().account), &[byte; 32]).unwrap();
    }
    Arc::new(keys)
}

pub fn options(folder: &Path) -> Options {
    Options {
        clock: Arc::new(TestClock::default()),
        random: Arc::new(Counter::default()),
        ..Options::new(folder, identity(), keys())
    }
}

/// The account's file in `folder`.
pub fn file(folder: &Path) -> PathBuf {
    options(folder).file()
}

/// A connection to the account's file beside the engine's, to look at it or to damage it.
pub fn raw(file: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file).unwrap();
    #[cfg(feature = "encryption")]
    {
        use sha2::{Digest, Sha256};
        let salt = Sha256::new().chain_update(b"carboy store salt 1").chain_update([8; 32]).finalize();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let key = format!("x'{}{}'", hex(&[8; 32]), hex(&salt[..16]));
        connection.pragma_update(None, "key", key).unwrap();
    }
    connection
}

pub fn profile(name: &str) -> Profile {
    let mut profile = Profile::default();
    profile.apply(&Write {
        dot: Dot { actor: ActorId::from_bytes([9; 16]), seq: 1 },
        context: VectorClock::new(),
        lamport: 1,
        role: Role::Manager,
        author: AccountId::from_bytes([9; 16]),
        at: Timestamp(0),
        changes: [(Field::Name, name.to_owned()), (Field::Phone, "0700".to_owned())].into(),
    });
    profile
}

/// A product, ten customers who owe 100.00 each, and a route over all of them.
pub fn plant() -> Vec<FeedItem> {
    let mut feed = vec![
        FeedItem::Product { code: "20L".parse().unwrap(), name: "20 litres".into(), price: kes(15_000) },
        FeedItem::Route {
            route: RouteId::from_bytes([7; 16]),
            name: "North".into(),
            stops: (1..=10).map(customer).collect(),
        },
    ];
    feed.extend((1..=10).map(|n| FeedItem::Customer {
        customer: customer(n),
        balance: kes(10_000),
        profile: Some(profile(&format!("Customer {n}"))),
        visit: None,
        closed: false,
    }));
    feed
}

pub struct Phone {
    pub engine: Arc<Engine>,
    pub drainer: Drainer,
    pub clock: Arc<TestClock>,
}

impl Phone {
    /// A phone that holds nothing yet, or what an earlier one left in `folder`.
    pub fn empty(folder: &Path) -> Self {
        let clock = Arc::new(TestClock::default());
        Self::open(&Options { clock: clock.clone(), ..options(folder) }, clock)
    }

    pub fn open(options: &Options, clock: Arc<TestClock>) -> Self {
        let engine = Arc::new(Engine::open(options).unwrap());
        Self { drainer: Drainer::new(engine.clone()), engine, clock }
    }

    /// A phone that has fetched the plant.
    pub fn with_plant(folder: &Path) -> Self {
        let mut phone = Self::empty(folder);
        phone.fetch(plant(), 50);
        phone
    }

    /// Lets the phone ask and answers with this feed alone.
    pub fn fetch(&mut self, feed: Vec<FeedItem>, cursor: u64) {
        self.drainer.wake(carboy_core::Wake::Now);
        let request = self.request();
        let reply = applied(&request, 0, feed, cursor);
        self.reply(&SyncReply { results: vec![], ..reply });
    }

    /// The next exchange; a token is given if one is asked for.
    pub fn exchange(&mut self) -> Exchange {
        match self.drainer.step() {
            Step::Send(exchange) => exchange,
            Step::Token { .. } => {
                self.drainer.token(Ok("token".into()));
                self.exchange()
            }
            Step::Wait(until) => panic!("waits until {until:?}"),
            Step::Sleep => panic!("sleeps: {:?}", self.engine.status().unwrap().state),
        }
    }

    pub fn request(&mut self) -> SyncRequest {
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(self.exchange().body.bytes()).read_to_end(&mut json).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    pub fn reply(&mut self, reply: &SyncReply) {
        self.raw_reply(200, &serde_json::to_string(reply).unwrap());
    }

    pub fn raw_reply(&mut self, status: u16, body: &str) {
        let reply = Reply { status, protocol: Some("1".into()), body: body.into(), ..Reply::default() };
        self.drainer.reply(Ok(reply));
    }

    /// The mutations on the attention list.
    pub fn refused(&self) -> Vec<carboy_core::Refused> {
        let items = self.engine.attention(0, 100).unwrap();
        let refused = items.into_iter().filter_map(|item| match item {
            carboy_core::Attention::Refused(refused) => Some(refused),
            _ => None,
        });
        refused.collect()
    }

    pub fn pending(&self) -> u64 {
        self.engine.status().unwrap().pending
    }

    /// How long the drainer wants to wait; `None` if it does not.
    pub fn waits(&mut self) -> Option<Duration> {
        match self.drainer.step() {
            Step::Wait(until) => Some(until - self.clock.elapsed()),
            _ => None,
        }
    }
}

/// A reply that applies everything, at revs from `first_rev` on, and brings the feed up to `cursor`.
pub fn applied(request: &SyncRequest, first_rev: u64, feed: Vec<FeedItem>, cursor: u64) -> SyncReply {
    let results = (request.first_seq..).zip(first_rev..).take(request.mutations.len());
    SyncReply {
        actor: request.actor,
        results: results
            .map(|(seq, rev)| Settlement { seq, answer: Answer::Applied { rev }, duplicate: false })
            .collect(),
        feed,
        cursor,
        more: false,
        day: None,
    }
}

/// The customer's balance as the feed brings it.
pub fn balance(n: u8, minor: i64) -> FeedItem {
    FeedItem::Customer {
        customer: customer(n),
        balance: kes(minor),
        profile: None,
        visit: None,
        closed: false,
    }
}
