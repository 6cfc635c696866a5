//! A rider's day, offline and back: the real core and the real server in one process, on virtual time, with what is
//! sent passing a recorded 3G link or being lost and repeated.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use carboy_core::{
    DeliveredLine, Drainer, Engine, Exchange, Identity, LinkError, Reply, Step, SyncState, Wake,
};
use carboy_protocol::wire::{EnrolRequest, Refusal, SyncReply, SyncRequest};
use carboy_protocol::{Action, CustomerId, FailReason, Field, Money, Role, Timestamp, TxnId};
use carboy_server::{Auth, Server};
use carboy_sim::clock::Ms;
use carboy_sim::link::Direction::{Down, Up};
use carboy_sim::link::Link;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

const HOUR: Ms = 3_600_000;

/// What an HTTP request and its reply add to their bodies, in bytes.
const HEADERS: u64 = 400;

fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

/// Virtual time, in ms, and random bytes that are the same in every run.
#[derive(Default)]
struct Surroundings {
    now: AtomicU64,
    drawn: AtomicU64,
}

impl Surroundings {
    fn set(&self, now: Ms) {
        self.now.store(now, SeqCst);
    }

    fn wall(&self) -> Timestamp {
        Timestamp(1_732_350_000_000 + i64::try_from(self.now.load(SeqCst)).unwrap())
    }

    fn draw(&self, buffer: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, SeqCst).to_be_bytes();
        buffer.fill(0x5a);
        let start = buffer.len().saturating_sub(drawn.len());
        let end = buffer.len();
        buffer[start..].copy_from_slice(&drawn[drawn.len() - (end - start)..]);
    }
}

impl carboy_core::Clock for Surroundings {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.load(SeqCst))
    }
}

impl carboy_core::Random for Surroundings {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.draw(buffer);
        Ok(())
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

/// A plant with one manager, one product, and customers who owe 100.00 each.
struct World {
    folder: tempfile::TempDir,
    surroundings: Arc<Surroundings>,
    server: Server,
    plant: carboy_protocol::PlantId,
    manager: carboy_server::store::Account,
    rider: carboy_server::store::Account,
    customers: Vec<CustomerId>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Arc::new(Surroundings::default());
        let path = folder.path().join("plant.db");
        let server = Server::open_with(&path, surroundings.clone(), surroundings.clone()).unwrap();
        let plant = server.create_plant("Maji Safi", "KES".parse().unwrap()).unwrap();
        let manager = server.create_manager(plant, "Grace", "grace", "a long password").unwrap();
        let rider = server.create_rider(plant, "Amina").unwrap();
        server.put_product(&manager, &"20L".parse().unwrap(), "20 litres", kes(15_000)).unwrap();
        let customer = |n: u32| {
            let fields = [(Field::Name, format!("Customer {n}")), (Field::Phone, "0700".to_owned())];
            server.add_customer(&manager, fields.into()).unwrap()
        };
        let customers: Vec<_> = (1..=20).map(customer).collect();
        server.put_route(&manager, None, "North", &customers).unwrap();
        let world = Self { folder, surroundings, server, plant, manager, rider, customers };
        for &customer in &world.customers {
            let reason = "opening balance".to_owned();
            world.manage(&Action::AdjustBalance { customer, amount: kes(10_000), reason });
        }
        world
    }

    fn manage(&self, action: &Action) {
        let outcome = self.server.act(&self.manager, self.server.new_txn().unwrap(), action).unwrap();
        assert!(matches!(outcome.answer, carboy_protocol::wire::Answer::Applied { .. }), "{outcome:?}");
    }

    /// Enrols a phone for the rider, with a file of this name.
    fn phone(&self, file: &str) -> Phone<'_> {
        let (code, _) = self.server.create_enrol_code(self.plant, self.rider.id).unwrap();
        let request = EnrolRequest { code, device_name: file.to_owned() };
        let enrolled = self.server.handle_enrol("test", &request).unwrap();
        self.open(&self.folder.path().join(file), &enrolled.token)
    }

    fn open(&self, path: &Path, token: &str) -> Phone<'_> {
        let identity =
            Identity { plant: self.plant, account: self.rider.id, currency: "KES".parse().unwrap() };
        let (clock, random) = (self.surroundings.clone(), self.surroundings.clone());
        let engine = Arc::new(Engine::open(path, &identity, clock, random).unwrap());
        let auth = self.server.authenticate(token).unwrap();
        Phone { world: self, drainer: Drainer::new(engine.clone()), engine, auth, token: token.to_owned() }
    }

    /// What the server holds, seen through a phone that fetches everything afresh.
    fn fresh_view(&self, file: &str) -> Phone<'_> {
        let mut phone = self.phone(file);
        phone.sync();
        phone
    }
}

struct Phone<'w> {
    world: &'w World,
    engine: Arc<Engine>,
    drainer: Drainer,
    auth: Auth,
    token: String,
}

impl Phone<'_> {
    /// What the server answers to this request, compressed as over HTTP.
    fn serve(&self, exchange: &Exchange) -> Reply {
        let mut json = Vec::new();
        GzDecoder::new(&*exchange.body).read_to_end(&mut json).unwrap();
        let request: SyncRequest = serde_json::from_slice(&json).unwrap();
        let (status, json) = match self.world.server.handle_sync(&self.auth, &request) {
            Ok(reply) => (200, serde_json::to_vec(&reply).unwrap()),
            Err(refusal @ (Refusal::Gap { .. } | Refusal::Forked { .. })) => {
                (409, serde_json::to_vec(&refusal).unwrap())
            }
            Err(refusal) => panic!("{refusal:?}"),
        };
        let mut body = Vec::new();
        GzEncoder::new(&*json, Compression::default()).read_to_end(&mut body).unwrap();
        Reply { status, protocol: Some("1".into()), gzip: true, body, ..Reply::default() }
    }

    /// Runs the drainer until it sleeps, with `carry` between it and the server.
    fn drive(&mut self, mut carry: impl FnMut(&Self, Exchange) -> Result<Reply, LinkError>) {
        for _ in 0..1_000 {
            match self.drainer.step() {
                Step::Sleep => return,
                Step::Token { .. } => self.drainer.token(Ok(self.token.clone())),
                Step::Wait(until) => {
                    self.world.surroundings.set(u64::try_from(until.as_millis()).unwrap() + 1);
                }
                Step::Send(exchange) => {
                    let reply = carry(self, exchange);
                    self.drainer.reply(reply);
                }
            }
        }
        panic!("the drainer does not come to rest: {:?}", self.engine.status());
    }

    /// Exchanges everything over a perfect link.
    fn sync(&mut self) {
        self.drainer.wake(Wake::Now);
        self.drive(|phone, exchange| Ok(phone.serve(&exchange)));
        assert_eq!(self.engine.status().unwrap().state, SyncState::Idle);
    }

    fn pending(&self) -> u64 {
        self.engine.status().unwrap().pending
    }

    fn deliver(&self, customer: CustomerId) {
        let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 2, empties: 1 };
        self.engine.confirm_delivery(customer, &[line], None).unwrap();
    }

    /// Every balance and every profile, by customer.
    fn state(&self) -> Vec<carboy_core::Customer> {
        self.world.customers.iter().map(|&customer| self.engine.customer(customer).unwrap()).collect()
    }

    /// How often each transaction stands on any ledger.
    fn ledger(&self) -> HashMap<TxnId, usize> {
        let mut entries = HashMap::new();
        for &customer in &self.world.customers {
            let lines = self.engine.history(customer, 10_000).unwrap();
            let sum: i64 = lines.iter().map(|line| line.amount.minor).sum();
            assert_eq!(
                self.engine.customer(customer).unwrap().balance.minor,
                sum,
                "balance is the ledger's sum"
            );
            for line in lines {
                *entries.entry(line.txn).or_default() += 1;
            }
        }
        entries
    }
}

/// Who reaches the server first: the manager, or the rider with what he did offline.
#[derive(Clone, Copy, PartialEq)]
enum First {
    Manager,
    Rider,
}

/// Two hours offline with 200 actions, the manager at the same account, then 40 s of 3G. Returns what is known of the
/// disputed customer in the end.
fn two_hours_offline(first: First) -> carboy_core::Customer {
    let world = World::new();
    let mut phone = world.phone("rider.db");
    phone.sync();
    let disputed = world.customers[0];
    // What the manager's forms show before the rider is back.
    let seen = world.fresh_view("form.db").engine.customer(disputed).unwrap();
    let mut profile_seen = carboy_protocol::VectorClock::new();
    profile_seen.observe(first_dot(&world, disputed));
    let manager = || {
        let (reason, target) = ("agreed by phone".to_owned(), kes(12_000));
        world.manage(&Action::SetBalance { customer: disputed, seen: seen.balance, target, reason });
        world.manage(&Action::UpdateProfile {
            customer: disputed,
            changes: [(Field::Phone, "0711 manager".to_owned())].into(),
            context: profile_seen.clone(),
            lamport: 2,
        });
    };

    phone.drainer.wake(Wake::Offline);
    phone.engine.collect_cash(disputed, kes(3_000)).unwrap();
    phone.engine.update_profile(disputed, [(Field::Phone, "0722 rider".to_owned())].into()).unwrap();
    for action in 0..198 {
        let customer = world.customers[1 + action % 19];
        match action % 3 {
            0 => phone.deliver(customer),
            1 => drop(phone.engine.collect_cash(customer, kes(5_000)).unwrap()),
            _ => drop(phone.engine.fail_delivery(customer, FailReason::Closed, None).unwrap()),
        }
    }
    assert_eq!(phone.pending(), 200);
    let before = phone.engine.customer(disputed).unwrap();
    assert_eq!((before.balance, before.phone.as_str()), (kes(7_000), "0722 rider"));

    if first == First::Manager {
        manager();
    }
    let start = 2 * HOUR;
    let end = start + 40_000;
    let mut link = Link::umts().with_outage(0..start).unwrap().with_outage(end..end + 24 * HOUR).unwrap();
    world.surroundings.set(start);
    phone.drainer.wake(Wake::Online);
    phone.drive(|phone, exchange| over(&mut link, phone, &exchange));
    let done = world.surroundings.now.load(SeqCst);
    assert!(done < end, "settled {} ms after the window", done - end);
    assert_eq!(phone.pending(), 0);
    if first == First::Rider {
        manager();
        phone.sync();
    }
    let fresh = world.fresh_view("fresh.db");
    assert_eq!(phone.state(), fresh.state(), "the phone shows what the server holds");
    assert!(fresh.ledger().values().all(|&times| times == 1));
    fresh.engine.customer(disputed).unwrap()
}

/// The write that made the customer, as any form has seen it.
fn first_dot(world: &World, customer: CustomerId) -> carboy_protocol::Dot {
    let connection = rusqlite::Connection::open(world.folder.path().join("plant.db")).unwrap();
    let profile: String = connection
        .query_row("SELECT profile FROM customers WHERE customer = ?", [customer.as_bytes()], |row| {
            row.get(0)
        })
        .unwrap();
    let profile: carboy_protocol::Profile = serde_json::from_str(&profile).unwrap();
    profile.siblings(Field::Phone)[0].dot
}

/// Carries one exchange over the link, in its time; what the link loses is lost.
fn over(link: &mut Link, phone: &Phone<'_>, exchange: &Exchange) -> Result<Reply, LinkError> {
    let surroundings = &phone.world.surroundings;
    let lost = || LinkError("signal lost".into());
    let sent = exchange.body.len() as u64 + HEADERS;
    let arrived = link.send(Up, surroundings.now.load(SeqCst), sent).ok_or_else(lost)?;
    surroundings.set(arrived);
    let reply = phone.serve(exchange);
    let back = link.send(Down, arrived, reply.body.len() as u64 + HEADERS).ok_or_else(lost)?;
    surroundings.set(back);
    Ok(reply)
}

#[test]
fn two_hours_of_cash_settle_in_forty_seconds_and_agree_with_the_manager_in_both_orders() {
    let [manager_first, rider_first] = [First::Manager, First::Rider].map(two_hours_offline);
    for customer in [&manager_first, &rider_first] {
        // 100 set to 120, and 30 collected meanwhile.
        assert_eq!(customer.balance, kes(9_000));
        assert_eq!(customer.phone, "0711 manager");
        let (field, values) = &customer.conflicts[0];
        let values: Vec<_> = values.iter().map(|value| (value.value.as_str(), value.role)).collect();
        let kept = vec![("0711 manager", Role::Manager), ("0722 rider", Role::Rider)];
        assert_eq!((*field, values), (Field::Phone, kept));
    }
}

#[test]
fn every_request_sent_twice_and_every_reply_lost_once_leaves_each_entry_once() {
    let world = World::new();
    let mut phone = world.phone("rider.db");
    phone.sync();
    let mut recorded = Vec::new();
    for &customer in &world.customers {
        phone.deliver(customer);
        recorded.push(phone.engine.collect_cash(customer, kes(700)).unwrap().txn);
    }
    phone.drainer.wake(Wake::Now);
    let mut lost = false;
    phone.drive(|phone, exchange| {
        let first = results(&phone.serve(&exchange));
        let second = phone.serve(&exchange);
        let again = results(&second);
        assert_eq!(first.len(), again.len());
        for (first, again) in first.iter().zip(&again) {
            assert_eq!((first.seq, &first.answer), (again.seq, &again.answer));
            assert!(again.duplicate);
        }
        lost = !lost;
        if lost { Err(LinkError("the reply is lost".into())) } else { Ok(second) }
    });
    assert_eq!(phone.pending(), 0);
    let fresh = world.fresh_view("fresh.db");
    let ledger = fresh.ledger();
    assert!(ledger.values().all(|&times| times == 1), "{ledger:?}");
    assert!(recorded.iter().all(|txn| ledger.contains_key(txn)));
    assert_eq!(phone.state(), fresh.state());
}

fn results(reply: &Reply) -> Vec<carboy_protocol::wire::Settlement> {
    let reply: SyncReply = serde_json::from_reader(GzDecoder::new(&*reply.body)).unwrap();
    reply.results
}

#[test]
fn a_restored_copy_and_its_original_lose_nothing_double_nothing_and_do_not_fight_themselves() {
    let world = World::new();
    let mut original = world.phone("rider.db");
    original.sync();
    let customer = world.customers[3];
    let phone_number = |text: &str| [(Field::Phone, text.to_owned())].into();
    // In the copy and in the original: sent by the original only later.
    let shared = original.engine.collect_cash(customer, kes(100)).unwrap().txn;
    original.engine.update_profile(customer, phone_number("shared")).unwrap();
    let copy = world.folder.path().join("copy.db");
    let open = rusqlite::Connection::open(world.folder.path().join("rider.db")).unwrap();
    open.execute("VACUUM INTO ?", [copy.to_str().unwrap()]).unwrap();

    let mut recorded = vec![shared, original.engine.collect_cash(customer, kes(200)).unwrap().txn];
    original.sync();
    let mut restored = world.open(&copy, &original.token);
    recorded.push(restored.engine.collect_cash(customer, kes(400)).unwrap().txn);
    restored.engine.update_profile(customer, phone_number("restored")).unwrap();
    restored.sync();
    recorded.push(original.engine.collect_cash(customer, kes(800)).unwrap().txn);
    original.sync();
    restored.sync();

    assert_eq!((original.pending(), restored.pending()), (0, 0));
    let fresh = world.fresh_view("fresh.db");
    let ledger = fresh.ledger();
    for txn in recorded {
        assert_eq!(ledger.get(&txn), Some(&1));
    }
    let shown = fresh.engine.customer(customer).unwrap();
    assert_eq!(shown.balance, kes(10_000 - 1_500));
    assert_eq!((shown.phone.as_str(), shown.conflicts.len()), ("restored", 0));
    assert_eq!(original.state(), fresh.state());
    assert_eq!(restored.state(), fresh.state());
}
