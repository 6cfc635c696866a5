//! A rider's phone in the middle of a morning, laid down anew for each input: what a reply settles, and a damaged file
//! is compared with.

use super::{Files, temporary};
use crate::plant::{Surroundings, kes, stock};
use carboy_core::{
    DeliveredLine, Drainer, Engine, Exchange, Identity, KeyStore, MemoryKeys, Options, Reply, Step, Wake,
};
use carboy_protocol::wire::{Answer, FeedItem, Rejection, Settlement, SyncReply, SyncRequest, VERSION};
use carboy_protocol::{AccountId, CustomerId, FailReason, Field, PlantId, Profile, RouteId};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

pub(super) const CUSTOMERS: u8 = 4;

pub(super) fn customer(n: u8) -> CustomerId {
    CustomerId::from_bytes([n; 16])
}

pub(super) fn route() -> RouteId {
    RouteId::from_bytes([7; 16])
}

fn identity() -> Identity {
    let (plant, account) = (PlantId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
    Identity { plant, account, currency: kes(0).currency }
}

/// The options of the phone in `folder`, with its time and chance.
pub(super) fn options(folder: &Path) -> (Options, Arc<Surroundings>) {
    let (keys, surroundings) = (MemoryKeys::default(), Arc::new(Surroundings::default()));
    for what in ["device", "store"] {
        keys.save(&format!("carboy.{}.{what}", identity().account), &[7; 32]).unwrap();
    }
    surroundings.rewind();
    let options = Options {
        clock: surroundings.clone(),
        random: surroundings.clone(),
        ..Options::new(folder, identity(), Arc::new(keys))
    };
    (options, surroundings)
}

/// The phone's files.
pub(super) fn prepared() -> &'static Files {
    static PREPARED: OnceLock<Files> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let folder = temporary();
        drop(morning(folder.path()));
        Files::of(folder.path())
    })
}

/// What the server tells of the plant at first.
pub(super) fn plant() -> Vec<FeedItem> {
    let (stops, name) = ((1..=CUSTOMERS).map(customer).collect(), "North".to_owned());
    let mut feed = vec![
        FeedItem::Product { code: "20L".parse().unwrap(), name: "20 litres".into(), price: kes(15_000) },
        FeedItem::Route { route: route(), name, stops },
    ];
    feed.extend((1..=CUSTOMERS).map(|n| FeedItem::Customer {
        customer: customer(n),
        balance: kes(10_000),
        profile: Some(Profile::default()),
        visit: None,
        closed: false,
    }));
    feed
}

/// A phone with settled, rejected and pending records.
fn morning(folder: &Path) -> Phone {
    let mut phone = Phone::open(folder).unwrap();
    phone.exchange_good(plant(), 50);
    let engine = phone.engine.clone();
    let lines = [DeliveredLine { product: "20L".parse().unwrap(), delivered: 3, empties: 2 }];
    engine.start_shift(Some(route())).unwrap();
    engine.load_stock(&stock(40, 0)).unwrap();
    engine.confirm_delivery(customer(1), &lines, None, &[]).unwrap();
    engine.collect_cash(customer(2), kes(300)).unwrap();
    let mut reply = good_reply(&phone.request().unwrap(), 51, vec![], 52);
    let detail = "no customer".to_owned();
    reply.results[3].answer = Answer::Rejected { reason: Rejection::UnknownCustomer, detail };
    phone.reply(&reply);
    engine.confirm_delivery(customer(2), &lines, None, &[]).unwrap();
    engine.collect_cash(customer(1), kes(45_000)).unwrap();
    engine.update_profile(customer(3), [(Field::Phone, "0711".into())].into()).unwrap();
    engine.fail_delivery(customer(4), FailReason::Closed, None).unwrap();
    engine.add_customer([(Field::Name, "New".into())].into(), Some(route())).unwrap();
    phone
}

/// A reply that applies everything, at revs from `first_rev` on.
pub(super) fn good_reply(
    request: &SyncRequest,
    first_rev: u64,
    feed: Vec<FeedItem>,
    cursor: u64,
) -> SyncReply {
    let results = (request.first_seq..).zip(first_rev..).take(request.mutations.len());
    let applied = |(seq, rev)| Settlement { seq, answer: Answer::Applied { rev }, duplicate: false };
    SyncReply {
        actor: request.actor,
        results: results.map(applied).collect(),
        feed,
        cursor,
        more: false,
        day: None,
    }
}

pub(super) struct Phone {
    pub(super) engine: Arc<Engine>,
    pub(super) drainer: Drainer,
    pub(super) surroundings: Arc<Surroundings>,
}

impl Phone {
    /// The phone in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, carboy_core::Error> {
        let (options, surroundings) = options(folder);
        let engine = Arc::new(Engine::open(&options)?);
        Ok(Self { drainer: Drainer::new(engine.clone()), engine, surroundings })
    }

    /// The next exchange; none if the drainer does not want one.
    pub(super) fn exchange(&mut self) -> Option<Exchange> {
        self.surroundings.advance(3_600_000);
        for _ in 0..3 {
            match self.drainer.step() {
                Step::Send(exchange) => return Some(exchange),
                Step::Token { .. } => self.drainer.token(Ok("token".into())),
                Step::Wait(_) | Step::Sleep => return None,
            }
        }
        panic!("asks for one token after another");
    }

    /// The next request for mutations or the feed.
    pub(super) fn request(&mut self) -> Option<SyncRequest> {
        let exchange = self.exchange()?;
        let mut json = Vec::new();
        GzDecoder::new(exchange.body.bytes()).read_to_end(&mut json).unwrap();
        Some(serde_json::from_slice(&json).unwrap())
    }

    pub(super) fn reply(&mut self, reply: &SyncReply) {
        let body = serde_json::to_vec(reply).unwrap();
        let protocol = Some(VERSION.to_string());
        self.drainer.reply(Ok(Reply { status: 200, protocol, body, ..Reply::default() }));
    }

    /// Asks the server, and is answered well.
    pub(super) fn exchange_good(&mut self, feed: Vec<FeedItem>, cursor: u64) {
        self.drainer.wake(Wake::Now);
        let request = self.request().unwrap();
        self.reply(&good_reply(&request, cursor, feed, cursor));
    }

    /// Everything that a rider can see. Fails with the first query that fails.
    pub(super) fn look(&self) -> Result<(), carboy_core::Error> {
        let engine = &self.engine;
        engine.status()?;
        engine.products()?;
        for route in engine.routes()? {
            engine.stops(route.route)?;
        }
        for row in engine.customers("", None, 100)? {
            engine.customer(row.customer)?;
            engine.history(row.customer, 0, 100)?;
        }
        engine.records(None, 100)?;
        engine.waiting(0, 100)?;
        engine.day()?;
        engine.attention(0, 100)?;
        Ok(())
    }

    pub(super) fn pending(&self) -> u64 {
        self.engine.status().unwrap().pending
    }
}
