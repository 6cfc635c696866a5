// What the examples in the documentation start from: a plant on a phone in a temporary folder, and a server in a few
// lines. It is included into each of them, so it has no `//!`.

use async_trait::async_trait;
use carboy_core::{
    Drainer, Engine, Exchange, Identity, KeyStore, LinkError, MemoryKeys, Options, Reply, Runtime, Step,
    TokenError, TokenProvider, Transport,
};
use carboy_protocol::wire::{
    Answer, EnrolReply, FeedItem, Rejection, SYNC_PATH, Settlement, SyncReply, SyncRequest,
};
use carboy_protocol::*;
use std::error::Error;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const CUSTOMER: CustomerId = CustomerId::from_bytes([3; 16]);
const ROUTE: RouteId = RouteId::from_bytes([4; 16]);
const RIDER: AccountId = AccountId::from_bytes([2; 16]);
const MANAGER: AccountId = AccountId::from_bytes([9; 16]);

pub fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

pub fn identity() -> Identity {
    Identity { plant: PlantId::from_bytes([1; 16]), account: RIDER, currency: kes(0).currency }
}

/// An enrolled phone.
pub fn options(folder: &Path) -> Options {
    let keys = MemoryKeys::default();
    keys.save(&format!("carboy.{RIDER}.device"), &[7; 32]).unwrap();
    Options::new(folder, identity(), Arc::new(keys))
}

/// A write to a phone number.
fn write(author: AccountId, role: Role, phone: &str) -> Write {
    let dot = Dot { actor: ActorId(author.0), seq: 1 };
    let (context, changes) = (VectorClock::new(), [(Field::Phone, phone.to_owned())].into());
    Write { dot, context, lamport: 1, role, author, at: Timestamp(0), changes }
}

/// The product `20L` at KES 150.00, and a route with one customer, who owes KES 100.00. The rider's number for her,
/// 0722, stands behind the manager's, 0711.
fn plant_feed() -> Vec<FeedItem> {
    let mut profile = Profile::default();
    let mut first = write(MANAGER, Role::Manager, "0711");
    first.changes.insert(Field::Name, "Mama Njeri".into());
    profile.apply(&first);
    profile.apply(&write(RIDER, Role::Rider, "0722"));
    vec![
        FeedItem::Product { code: "20L".parse().unwrap(), name: "20 litres".into(), price: kes(15_000) },
        FeedItem::Route { route: ROUTE, name: "North".into(), stops: vec![CUSTOMER] },
        FeedItem::Customer {
            customer: CUSTOMER,
            balance: kes(10_000),
            profile: Some(profile),
            visit: None,
            closed: false,
        },
    ]
}

/// A server that gives every mutation the same kind of answer, and every phone the same feed once.
#[derive(Clone, Copy, Default)]
pub struct Server {
    pub rejects: bool,
}

impl Server {
    pub fn reply(self, exchange: &Exchange) -> Reply {
        let body = match exchange.path.as_str() {
            SYNC_PATH => serde_json::to_vec(&self.sync(exchange)),
            _ => serde_json::to_vec(&enrolled()),
        };
        Reply { status: 200, protocol: Some("1".into()), body: body.unwrap(), ..Reply::default() }
    }

    fn sync(self, exchange: &Exchange) -> SyncReply {
        let json = flate2::read::GzDecoder::new(exchange.body.bytes());
        let request: SyncRequest = serde_json::from_reader(json).unwrap();
        let answer = match self.rejects {
            true => Answer::Rejected { reason: Rejection::Invalid, detail: "too much".into() },
            false => Answer::Applied { rev: 2 },
        };
        let seqs = (request.first_seq..).take(request.mutations.len());
        SyncReply {
            actor: request.actor,
            results: seqs.map(|seq| Settlement { seq, answer: answer.clone(), duplicate: false }).collect(),
            feed: if request.cursor == 0 { plant_feed() } else { Vec::new() },
            cursor: request.cursor.max(1),
            more: false,
            day: None,
        }
    }
}

fn enrolled() -> EnrolReply {
    EnrolReply {
        token: "token".into(),
        device: DeviceId::from_bytes([5; 16]),
        account: RIDER,
        account_name: "Juma".into(),
        plant: identity().plant,
        plant_name: "Maji Safi".into(),
        currency: identity().currency,
    }
}

#[async_trait]
impl Transport for Server {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError> {
        Ok(self.reply(&exchange))
    }
}

/// A provider that always has a token.
pub struct Tokens;

#[async_trait]
impl TokenProvider for Tokens {
    async fn token(&self, _: bool) -> Result<String, TokenError> {
        Ok("token".into())
    }
}

/// Exchanges everything with `server`.
pub fn drain(engine: &Arc<Engine>, server: Server) {
    let mut drainer = Drainer::new(engine.clone());
    loop {
        match drainer.step() {
            Step::Token { .. } => drainer.token(Ok("token".into())),
            Step::Send(exchange) => {
                drainer.reply(Ok(server.reply(&exchange)));
            }
            Step::Wait(_) | Step::Sleep => return,
        }
    }
}

/// A phone that has fetched the plant, its customer and its route.
pub fn phone() -> (Arc<Engine>, CustomerId, RouteId, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(Engine::open(&options(folder.path())).unwrap());
    drain(&engine, Server::default());
    (engine, CUSTOMER, ROUTE, folder)
}

/// A phone with a payment of KES 30.00 that the server did not accept, and the record's number.
pub fn refused() -> (Arc<Engine>, u64, TempDir) {
    let (engine, .., folder) = phone();
    let id = engine.collect_cash(CUSTOMER, kes(3_000)).unwrap().id;
    drain(&engine, Server { rejects: true });
    (engine, id, folder)
}

/// A phone that has fetched the plant, exchanging with a server that accepts everything.
pub fn runtime() -> (Runtime, TempDir) {
    let (engine, .., folder) = phone();
    let runtime = Runtime::start(engine, Arc::new(Server::default()), Arc::new(Tokens), None);
    (runtime.unwrap(), folder)
}

/// Runs an example that waits.
pub fn run(example: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().build()?.block_on(example)
}
