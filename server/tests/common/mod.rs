//! A plant on a temporary disk with a clock and randomness of the test's own, and phones that talk to it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests: each file uses its part"
)]

use base64::Engine as _;
use carboy_protocol::wire::{EnrolRequest, FeedItem, Refusal, SyncReply, SyncRequest};
use carboy_protocol::*;
use carboy_server::env::{Clock, Random};
use carboy_server::store::{Account, Location, Store};
use carboy_server::{Auth, Server};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub mod browser;
pub mod postgres;

/// Which database a plant stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub const DAY: i64 = 24 * 60 * 60 * 1000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes in every run.
#[derive(Debug, Default)]
pub struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        for chunk in buffer.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

pub struct World {
    pub engine: Engine,
    pub location: Location,
    pub folder: tempfile::TempDir,
    pub server: Arc<Server>,
    pub clock: Arc<TestClock>,
    pub random: Arc<TestRandom>,
    pub plant: PlantId,
    pub manager: Account,
    pub rider: Account,
    pub customer: CustomerId,
}

pub fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

/// A plant on SQLite.
pub fn world() -> World {
    world_on(Engine::Sqlite)
}

/// Where a new database is to be.
pub fn location_on(engine: Engine, folder: &tempfile::TempDir) -> Location {
    match engine {
        Engine::Sqlite => Location::Sqlite(folder.path().join("carboy.db")),
        Engine::Postgres => Location::Postgres(postgres::database()),
    }
}

pub fn world_on(engine: Engine) -> World {
    let folder = tempfile::tempdir().unwrap();
    let location = location_on(engine, &folder);
    World { folder, ..world_at(engine, location) }
}

/// A plant in a new database.
pub fn world_at(engine: Engine, location: Location) -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock(AtomicI64::new(1_732_350_000_000)));
    let random = Arc::new(TestRandom::default());
    let store = Store::migrate(&location).unwrap();
    let server = Arc::new(Server::over(store, clock.clone(), random.clone()));
    let plant = server.create_plant("Maji", "KES".parse().unwrap()).unwrap();
    let manager = server.create_owner(plant, "Grace", "grace@example.com", "clean water").unwrap();
    let rider = server.create_rider(plant, "Amina").unwrap();
    let fields = BTreeMap::from([(Field::Name, "Kiosk".to_owned()), (Field::Phone, "0700".to_owned())]);
    let customer = server.add_customer(&manager, fields).unwrap();
    World { engine, location, folder, server, clock, random, plant, manager, rider, customer }
}

/// Bytes as a query shows them.
pub fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl World {
    pub fn phone(&self) -> Phone {
        self.phone_of(&self.rider)
    }

    pub fn phone_of(&self, account: &Account) -> Phone {
        let (code, _) = self.server.create_enrol_code(account.plant, account.id).unwrap();
        let key = self.new_key();
        let request = EnrolRequest { code, device_name: "Pixel".into(), public_key: key.public() };
        let token = self.server.handle_enrol("test", &request).unwrap().token;
        Phone::new(self.random.clone(), self.server.authenticate(&token).unwrap(), token, key, None)
    }

    pub fn new_key(&self) -> Arc<DeviceKey> {
        let mut seed = [0; 32];
        self.random.fill(&mut seed).unwrap();
        Arc::new(DeviceKey::from_seed(seed))
    }

    pub fn act(&self, action: &Action) -> carboy_server::Outcome {
        self.server.act(&self.manager, self.server.new_txn().unwrap(), action).unwrap()
    }

    pub fn cash(&self, minor: i64) -> Action {
        Action::CollectCash { customer: self.customer, amount: kes(minor) }
    }

    pub fn set_balance(&self, seen: i64, target: i64) -> Action {
        let (seen, target) = (kes(seen), kes(target));
        Action::SetBalance { customer: self.customer, seen, target, reason: "agreed".into() }
    }

    /// An edit by someone who looks at the server's profile now.
    pub fn edit(&self, field: Field, value: &str) -> Action {
        let profile = self.profile();
        Action::UpdateProfile {
            customer: self.customer,
            edit: Edit {
                changes: BTreeMap::from([(field, value.to_owned())]),
                context: profile.clock(),
                lamport: profile.next_lamport(),
            },
        }
    }

    /// So many bottles handed over and empties taken back.
    pub fn delivery(&self, delivered: i32, empties: i32) -> Action {
        let line = DeliveryLine { product: "20L".parse().unwrap(), delivered, empties, unit_price: 100 };
        let (lines, currency) = (vec![line], "KES".parse().unwrap());
        Action::ConfirmDelivery { customer: self.customer, lines, currency, proof: None, photos: vec![] }
    }

    /// What a query gives, row by row.
    pub fn rows<T: DeserializeOwned>(&self, sql: &str) -> Vec<T> {
        let rows = self.server.store().rows(sql).unwrap();
        rows.into_iter().map(|row| serde_json::from_value(Value::Array(row)).unwrap()).collect()
    }

    /// What one row of one query holds.
    pub fn one<T: DeserializeOwned>(&self, sql: &str) -> T {
        let (value,) = self.rows(sql).into_iter().next().unwrap();
        value
    }

    /// Runs a statement past all rules.
    pub fn run(&self, sql: &str) {
        self.server.store().write(self.plant, |tx| tx.run(sql)).unwrap();
    }

    /// What a query of customers and a value gives for this world's customer.
    fn of_customer<T: DeserializeOwned>(&self, sql: &str) -> Vec<T> {
        let rows: Vec<(String, T)> = self.rows(sql);
        let id = base64(self.customer.as_bytes());
        rows.into_iter().filter(|(customer, _)| *customer == id).map(|(_, value)| value).collect()
    }

    pub fn balance(&self) -> i64 {
        self.of_customer("SELECT customer, balance FROM customers")[0]
    }

    pub fn ledger(&self) -> Vec<i64> {
        self.of_customer("SELECT customer, amount FROM ledger ORDER BY rev")
    }

    pub fn profile(&self) -> Profile {
        let texts: Vec<String> = self.of_customer("SELECT customer, profile FROM profiles");
        serde_json::from_str(&texts[0]).unwrap()
    }

    pub fn phone_numbers(&self) -> Vec<String> {
        self.profile().siblings(Field::Phone).iter().map(|sibling| sibling.value.clone()).collect()
    }

    /// Every row of every table, but for the count of transactions and when sessions were used.
    pub fn dump(&self) -> Vec<(&'static str, Vec<Value>)> {
        let mut dump = Vec::new();
        for (table, _) in Store::columns() {
            let columns = match table {
                "plants" => "plant, name, currency, rev, dashboard",
                "sessions" => "plant, token_hash, account, expires_at",
                _ => "*",
            };
            let rows = self.server.store().rows(&format!("SELECT {columns} FROM {table}")).unwrap();
            let mut rows: Vec<_> = rows.into_iter().map(|row| (table, row)).collect();
            rows.sort_by_key(|row| format!("{row:?}"));
            dump.extend(rows);
        }
        assert!(dump.len() > 5, "the dump holds the plant");
        dump
    }

    /// All of the feed behind `cursor`, and the cursor after each page.
    pub fn feed(&self, phone: &Phone, mut cursor: u64) -> (Vec<FeedItem>, Vec<u64>) {
        let (mut items, mut cursors) = (Vec::new(), Vec::new());
        loop {
            let request = SyncRequest { cursor, ..phone.request(phone.next_seq(), 0) };
            let reply = self.server.handle_sync(&phone.auth, &request).unwrap();
            items.extend(reply.feed);
            cursor = reply.cursor;
            cursors.push(cursor);
            if !reply.more {
                return (items, cursors);
            }
        }
    }
}

/// A phone's outbox: every mutation that it ever recorded under its actor, from seq 1.
#[derive(Clone)]
pub struct Phone {
    pub random: Arc<TestRandom>,
    pub auth: Auth,
    pub token: String,
    pub key: Arc<DeviceKey>,
    pub actor: ActorId,
    pub parent: Option<Dot>,
    pub outbox: Vec<String>,
    /// How many of them were settled, as far as the phone knows.
    pub settled: usize,
}

impl Phone {
    fn new(
        random: Arc<TestRandom>,
        auth: Auth,
        token: String,
        key: Arc<DeviceKey>,
        parent: Option<Dot>,
    ) -> Self {
        let mut bytes = [0; 10];
        random.fill(&mut bytes).unwrap();
        let actor = ActorId::from_random(Timestamp(0), bytes);
        Self { random, auth, token, key, actor, parent, outbox: Vec::new(), settled: 0 }
    }

    /// What a restored file becomes: a new actor that repeats what it has not seen settled.
    pub fn restored(&self) -> Self {
        let seq = self.settled as u64;
        let parent = (seq > 0).then_some(Dot { actor: self.actor, seq });
        let outbox = self.outbox[self.settled..].to_vec();
        let (auth, token, key) = (self.auth.clone(), self.token.clone(), self.key.clone());
        Self { outbox, ..Self::new(self.random.clone(), auth, token, key, parent) }
    }

    pub fn next_seq(&self) -> u64 {
        self.outbox.len() as u64 + 1
    }

    pub fn record(&mut self, action: Action) -> TxnId {
        self.record_replacing(None, action)
    }

    /// Records `action` in the place of an earlier mutation that was not accepted.
    pub fn record_replacing(&mut self, replaces: Option<TxnId>, action: Action) -> TxnId {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes).unwrap();
        let txn = TxnId::from_random(Timestamp(5), bytes);
        let mutation = Mutation { v: 1, txn, at: Timestamp(5), replaces, action };
        self.record_raw(&serde_json::to_string(&mutation).unwrap());
        txn
    }

    pub fn record_raw(&mut self, body: &str) {
        self.outbox.push(body.to_owned());
    }

    /// The chain's hash behind `seq`.
    pub fn hash(&self, seq: usize) -> ChainHash {
        (1..)
            .zip(&self.outbox[..seq])
            .fold(ChainHash::genesis(self.actor), |hash, (seq, body)| hash.next(seq, body.as_bytes()))
    }

    /// `count` mutations from `first_seq` on, with the cursor at the feed's end: nothing to receive.
    pub fn request(&self, first_seq: u64, count: usize) -> SyncRequest {
        let first = usize::try_from(first_seq).unwrap() - 1;
        let bodies = &self.outbox[first..first + count];
        let head = self.hash(first + count);
        SyncRequest {
            actor: self.actor,
            parent: self.parent,
            first_seq,
            last_seq: self.outbox.len() as u64,
            head,
            signature: self.key.sign_head(self.actor, (first + count) as u64, head),
            hashes: None,
            mutations: bodies.iter().map(|body| RawValue::from_string(body.clone()).unwrap()).collect(),
            cursor: 1 << 40,
        }
    }

    /// The same with its signature made anew, after a test has changed what it covers.
    pub fn signed(&self, request: SyncRequest) -> SyncRequest {
        let covered = request.first_seq + request.mutations.len() as u64 - 1;
        SyncRequest { signature: self.key.sign_head(request.actor, covered, request.head), ..request }
    }

    /// The hashes behind the mutations of `request`, as the phone's file has them.
    pub fn hashes(&self, request: &SyncRequest) -> Vec<Option<ChainHash>> {
        let first = usize::try_from(request.first_seq).unwrap();
        (first..first + request.mutations.len()).map(|seq| Some(self.hash(seq))).collect()
    }

    /// All that is not settled.
    pub fn pending(&self) -> SyncRequest {
        self.request(self.settled as u64 + 1, self.outbox.len() - self.settled)
    }

    pub fn sync(&mut self, world: &World) -> SyncReply {
        let reply = self.try_sync(world).unwrap();
        self.settled = self.outbox.len();
        reply
    }

    pub fn try_sync(&self, world: &World) -> Result<SyncReply, Refusal> {
        world.server.handle_sync(&self.auth, &self.pending())
    }
}
