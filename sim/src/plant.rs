//! A plant in the middle of a day, in a file that a server opens on any disk: with a phone's history, and records that
//! can be taken back, accepted or dealt with. What the tests of the server's storage and the fuzz targets begin with.
#![allow(
    clippy::unwrap_used,
    reason = "on a good disk nothing fails; whoever uses it tests what comes after"
)]

use carboy_protocol::wire::{Answer, EnrolRequest, Refusal, SyncRequest};
use carboy_protocol::{
    Action, ActorId, ChainHash, CustomerId, DeliveryLine, DeviceKey, Dot, Edit, Field, Money, Mutation,
    Photo, PhotoHash, RouteId, StockLine, Timestamp, TxnId, VectorClock,
};
use carboy_server::store::{Account, Store};
use carboy_server::{Auth, Error, Server};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// An amount in the plant's currency.
#[must_use]
pub fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

/// A line of stock.
#[must_use]
pub fn stock(full: i32, empty: i32) -> Vec<StockLine> {
    vec![StockLine { product: "20L".parse().unwrap(), full, empty }]
}

/// The server's file in `folder`.
#[must_use]
pub fn file(folder: &Path) -> PathBuf {
    folder.join("plant.db")
}

/// A photo's bytes.
pub const PHOTO: [u8; 9_000] = [7; 9_000];

/// A clock that stands still until it is moved, and random bytes that are the same in every run.
#[derive(Debug, Default)]
pub struct Surroundings {
    now: AtomicU64,
    drawn: AtomicU64,
}

impl Surroundings {
    /// From here on time and chance are the same again, and later ones than those of [`Setting::prepare`].
    pub fn rewind(&self) {
        self.now.store(60_000, SeqCst);
        self.drawn.store(1 << 32, SeqCst);
    }

    /// Lets so many milliseconds pass.
    pub fn advance(&self, millis: u64) {
        self.now.fetch_add(millis, SeqCst);
    }

    /// It is `now` milliseconds after the beginning.
    pub fn set(&self, now: u64) {
        self.now.store(now, SeqCst);
    }

    /// Milliseconds since the beginning.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now.load(SeqCst)
    }

    fn wall(&self) -> Timestamp {
        Timestamp(1_732_350_000_000_i64.saturating_add_unsigned(self.now()))
    }

    /// Fills `buffer` with bytes that no other draw has given.
    pub fn draw(&self, buffer: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, SeqCst).to_be_bytes();
        buffer.iter_mut().rev().zip(drawn.iter().rev().cycle()).for_each(|(to, from)| *to = *from);
    }
}

impl carboy_server::env::Clock for Surroundings {
    fn now(&self) -> Timestamp {
        self.wall()
    }
}

impl carboy_server::env::Random for Surroundings {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.draw(buffer);
        Ok(())
    }
}

impl carboy_core::Clock for Surroundings {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now())
    }
}

impl carboy_core::Random for Surroundings {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.draw(buffer);
        Ok(())
    }
}

/// A history of a phone's: what it has recorded under one actor.
#[derive(Debug, Clone)]
pub struct History {
    /// Which history.
    pub actor: ActorId,
    parent: Option<Dot>,
    bodies: Vec<String>,
}

impl History {
    fn new(n: u8, parent: Option<Dot>) -> Self {
        Self { actor: ActorId::from_bytes([n; 16]), parent, bodies: Vec::new() }
    }

    /// What a restored file makes of it: a history of its own that repeats what it does not know to be settled.
    #[must_use]
    pub fn restored(&self, settled: usize, n: u8) -> Self {
        let parent = Some(Dot { actor: self.actor, seq: settled as u64 });
        Self { bodies: self.bodies[settled..].to_vec(), ..Self::new(n, parent) }
    }

    /// How many mutations it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Records `action` under an id that follows from its place.
    pub fn record(&mut self, action: Action) -> TxnId {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&(self.bodies.len() as u64 + 1).to_be_bytes());
        id[0] = self.actor.as_bytes()[0];
        let txn = TxnId::from_bytes(id);
        let mutation = Mutation { v: 1, txn, at: Timestamp(5), replaces: None, action };
        self.record_raw(serde_json::to_string(&mutation).unwrap());
        txn
    }

    /// Records these bytes.
    pub fn record_raw(&mut self, body: String) {
        self.bodies.push(body);
    }

    /// All behind the first `settled` ones, for a phone that holds the feed up to `cursor`.
    #[must_use]
    pub fn request(&self, settled: usize, cursor: u64, key: &DeviceKey) -> SyncRequest {
        let last = self.bodies.len() as u64;
        let hashed = (1..).zip(&self.bodies);
        let head =
            hashed.fold(ChainHash::genesis(self.actor), |hash, (seq, body)| hash.next(seq, body.as_bytes()));
        SyncRequest {
            actor: self.actor,
            parent: self.parent,
            first_seq: settled as u64 + 1,
            last_seq: last,
            head,
            signature: key.sign_head(self.actor, last, head),
            hashes: None,
            mutations: self.bodies[settled..]
                .iter()
                .map(|it| RawValue::from_string(it.clone()).unwrap())
                .collect(),
            cursor,
        }
    }
}

/// What is known of a prepared plant.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Who manages it.
    pub manager: Account,
    /// Whose the phone is.
    pub rider: Account,
    /// Its customers.
    pub customers: Vec<CustomerId>,
    /// A route over all of them.
    pub route: RouteId,
    /// The phone's token.
    pub token: String,
    /// The phone's key.
    pub key: Arc<DeviceKey>,
    /// What the phone has sent so far.
    pub history: History,
    /// An applied delivery.
    pub delivery: TxnId,
    /// A rejected record.
    pub rejected: TxnId,
    /// How many mutations are settled.
    pub settled: usize,
}

/// A running server and what is known of its plant.
#[derive(Debug)]
pub struct Plant {
    /// The server.
    pub server: Arc<Server>,
    /// Its time and chance.
    pub surroundings: Arc<Surroundings>,
    /// What is known of its plant.
    pub setting: Setting,
}

impl Setting {
    /// Makes a plant in `folder`, on a good disk.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn prepare(folder: &Path) -> Self {
        let surroundings = Arc::new(Surroundings::default());
        let server = Server::open_with(&file(folder), surroundings.clone(), surroundings).unwrap();
        let plant = server.create_plant("Maji", "KES".parse().unwrap()).unwrap();
        let manager = server.create_owner(plant, "Grace", "grace@example.com", "clean water").unwrap();
        let rider = server.create_rider(plant, "Amina").unwrap();
        server.put_product(&manager, &"20L".parse().unwrap(), "20 litres", kes(15_000)).unwrap();
        let customer = |n: u8| {
            let fields = [(Field::Name, format!("Kiosk {n}")), (Field::Phone, "0700".to_owned())];
            server.add_customer(&manager, fields.into()).unwrap()
        };
        let customers: Vec<_> = (1..=4).map(customer).collect();
        let route = server.put_route(&manager, None, "North", &customers).unwrap();
        let (code, _) = server.create_enrol_code(plant, rider.id).unwrap();
        let key = Arc::new(DeviceKey::from_seed([7; 32]));
        let request = EnrolRequest { code, device_name: "Pixel".into(), public_key: key.public() };
        let token = server.handle_enrol("test", &request).unwrap().token;
        let (mut history, unknown) = (History::new(0xa0, None), TxnId::from_bytes([9; 16]));
        history.record(Action::StartShift { route: Some(route) });
        let delivery = history.record(delivery(customers[0], vec![photo()]));
        let rejected = history.record(Action::Withdraw { target: unknown, reason: None, restore: None });
        history.record(edit(customers[1], "0711"));
        let request = history.request(0, 0, &key);
        let reply = server.handle_sync(&server.authenticate(&token).unwrap(), &request).unwrap();
        let applied = |n: usize| matches!(reply.results[n].answer, Answer::Applied { .. });
        assert!(applied(0) && applied(1) && !applied(2) && applied(3), "{reply:?}");
        let settled = reply.results.len();
        Self { manager, rider, customers, route, token, key, history, delivery, rejected, settled }
    }
}

/// The photo of [`PHOTO`]'s bytes.
#[must_use]
pub fn photo() -> Photo {
    Photo { hash: PhotoHash::of(&PHOTO), bytes: PHOTO.len() as u64 }
}

/// A delivery of three bottles.
#[must_use]
pub fn delivery(customer: CustomerId, photos: Vec<Photo>) -> Action {
    let line = DeliveryLine { product: "20L".parse().unwrap(), delivered: 3, empties: 2, unit_price: 15_000 };
    Action::ConfirmDelivery {
        customer,
        lines: vec![line],
        currency: "KES".parse().unwrap(),
        proof: None,
        photos,
    }
}

/// An edit whose writer has seen nothing.
#[must_use]
pub fn edit(customer: CustomerId, phone: &str) -> Action {
    let changes = [(Field::Phone, phone.to_owned())].into();
    Action::UpdateProfile { customer, edit: Edit { changes, context: VectorClock::new(), lamport: 1 } }
}

impl Plant {
    /// Opens the plant in the file at `path`, or under that URI.
    ///
    /// # Errors
    /// If the server does not start.
    pub fn open(path: &Path, setting: &Setting) -> Result<Self, Error> {
        let surroundings = Arc::new(Surroundings::default());
        surroundings.rewind();
        let server = Arc::new(Server::open_with(path, surroundings.clone(), surroundings.clone())?);
        Ok(Self { server, surroundings, setting: setting.clone() })
    }

    /// The phone, by its token.
    ///
    /// # Errors
    /// If the server cannot tell, or does not know it.
    pub fn auth(&self) -> Result<Auth, Refusal> {
        self.server.authenticate(&self.setting.token)
    }

    /// Every row of every table, but for how many transactions there were.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for (table, columns) in Store::columns() {
            let columns: Vec<_> = columns.filter(|name| (table, *name) != ("plants", "changes")).collect();
            let sql = format!("SELECT {} FROM {table}", columns.join(", "));
            let rows = self.server.store().rows(&sql).unwrap();
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{table} {row:?}\n")).collect();
            rows.sort();
            shown.extend(rows);
        }
        shown
    }
}
