//! A plant with its server and phones, all in one process on virtual time: the real core and the real server's
//! routes, with only the sockets left out.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use axum::body::Body as HttpBody;
use axum::http::{Request, header};
use carboy_core::{
    Body, DeliveredLine, Drainer, Engine, Exchange, Identity, KeyStore, LinkError, MemoryKeys, Options,
    Reply, Step, SyncState, Wake,
};
use carboy_protocol::wire::{self, Answer, EnrolRequest, SyncReply, SyncRequest};
use carboy_protocol::{Action, CustomerId, DeviceKey, Field, PlantId, RouteId, StockLine, TxnId};
use carboy_server::Server;
use carboy_server::store::Account;
pub use carboy_sim::plant::{Surroundings, kes};
use flate2::read::GzDecoder;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower::ServiceExt;

pub fn bottles(delivered: i32, empties: i32) -> DeliveredLine {
    DeliveredLine { product: "20L".parse().unwrap(), delivered, empties }
}

pub fn stock(full: i32) -> StockLine {
    StockLine { product: "20L".parse().unwrap(), full, empty: 0 }
}

/// A plant with one manager, one rider, one product, and customers who owe 100.00 each.
pub struct World {
    pub folder: tempfile::TempDir,
    pub surroundings: Arc<Surroundings>,
    pub server: Arc<Server>,
    pub plant: PlantId,
    pub manager: Account,
    pub rider: Account,
    pub customers: Vec<CustomerId>,
    pub route: RouteId,
    routes: axum::Router,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Arc::new(Surroundings::default());
        let path = folder.path().join("plant.db");
        let server = Arc::new(Server::open_with(&path, surroundings.clone(), surroundings.clone()).unwrap());
        let plant = server.create_plant("Maji Safi", "KES".parse().unwrap()).unwrap();
        let manager = server.create_owner(plant, "Grace", "grace", "a long password").unwrap();
        let rider = server.create_rider(plant, "Amina").unwrap();
        server.put_product(&manager, &"20L".parse().unwrap(), "20 litres", kes(15_000)).unwrap();
        let customer = |n: u32| {
            let fields = [(Field::Name, format!("Customer {n}")), (Field::Phone, "0700".to_owned())];
            server.add_customer(&manager, fields.into()).unwrap()
        };
        let customers: Vec<_> = (1..=20).map(customer).collect();
        let route = server.put_route(&manager, None, "North", &customers).unwrap();
        let routes = carboy_server::http::router(server.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world =
            Self { folder, surroundings, server, plant, manager, rider, customers, route, routes, runtime };
        for &customer in &world.customers {
            let reason = "opening balance".to_owned();
            world.manage(&Action::AdjustBalance { customer, amount: kes(10_000), reason });
        }
        world
    }

    pub fn manage(&self, action: &Action) {
        let outcome = self.server.act(&self.manager, self.server.new_txn().unwrap(), action).unwrap();
        assert!(matches!(outcome.answer, Answer::Applied { .. }), "{outcome:?}");
    }

    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("plant.db")).unwrap()
    }

    /// The files of the phone of this name are here.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Enrols a phone of the rider's, with an empty folder of its own.
    pub fn phone(&self, name: &str) -> Phone<'_> {
        let keys = Arc::new(MemoryKeys::default());
        let token = self.enrol(&keys, name);
        self.open(name, keys, &token)
    }

    /// What enrolling does on a phone with these keys. Returns the token.
    pub fn enrol(&self, keys: &MemoryKeys, name: &str) -> String {
        let (code, _) = self.server.create_enrol_code(self.plant, self.rider.id).unwrap();
        let mut seed = [0; 32];
        self.surroundings.draw(&mut seed);
        keys.save(&format!("carboy.{}.device", self.rider.id), &seed).unwrap();
        let public_key = DeviceKey::from_seed(seed).public();
        let request = EnrolRequest { code, device_name: name.to_owned(), public_key };
        self.server.handle_enrol("test", &request).unwrap().token
    }

    /// Opens the store in the folder of this name with these secrets.
    pub fn open(&self, name: &str, keys: Arc<MemoryKeys>, token: &str) -> Phone<'_> {
        let identity =
            Identity { plant: self.plant, account: self.rider.id, currency: "KES".parse().unwrap() };
        let options = Options {
            clock: self.surroundings.clone(),
            random: self.surroundings.clone(),
            ..Options::new(self.place(name), identity, keys.clone())
        };
        let engine = Arc::new(Engine::open(&options).unwrap());
        Phone { world: self, drainer: Drainer::new(engine.clone()), engine, keys, token: token.to_owned() }
    }

    /// What the server holds, seen through a phone that fetches everything afresh.
    pub fn fresh_view(&self, name: &str) -> Phone<'_> {
        let mut phone = self.phone(name);
        phone.sync();
        phone
    }

    /// How often each mutation stands in the server's books, whatever its answer, by its answer's status.
    pub fn settled(&self) -> HashMap<TxnId, (usize, String)> {
        let database = self.database();
        let mut query =
            database.prepare("SELECT txn, count(*), max(status) FROM mutations GROUP BY txn").unwrap();
        let rows = query.query_map([], |row| {
            Ok((TxnId::from_bytes(row.get(0)?), (row.get::<_, usize>(1)?, row.get(2)?)))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

/// Copies a folder of files as they are, as a backup program or a crash leaves them.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

pub struct Phone<'w> {
    pub world: &'w World,
    pub engine: Arc<Engine>,
    pub drainer: Drainer,
    pub keys: Arc<MemoryKeys>,
    pub token: String,
}

impl Phone<'_> {
    /// What the server answers to this request.
    pub fn serve(&self, exchange: &Exchange) -> Reply {
        let request = Request::post(&exchange.path)
            .header(wire::HEADER, wire::VERSION)
            .header(header::ACCEPT_ENCODING, "gzip")
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", exchange.token.as_deref().unwrap_or_default()),
            );
        let request = match &exchange.body {
            Body::Json(_) => request.header(header::CONTENT_ENCODING, "gzip"),
            Body::Piece(_) => request,
        };
        let request = request.body(HttpBody::from(exchange.body.bytes().to_vec())).unwrap();
        self.world.runtime.block_on(async {
            let response = self.world.routes.clone().oneshot(request).await.unwrap();
            let text =
                |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let mut reply = Reply {
                status: response.status().as_u16(),
                protocol: text(wire::HEADER),
                retry_after: text("retry-after").map(|seconds| seconds.parse().unwrap()),
                gzip: text("content-encoding").as_deref() == Some("gzip"),
                body: Vec::new(),
            };
            reply.body = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap().to_vec();
            reply
        })
    }

    /// Runs the drainer until it sleeps, with `carry` between it and the server. Waiting takes no time.
    pub fn drive(&mut self, mut carry: impl FnMut(&Self, Exchange) -> Result<Reply, LinkError>) {
        for _ in 0..2_000 {
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
    pub fn sync(&mut self) {
        self.drainer.wake(Wake::Now);
        self.drive(|phone, exchange| Ok(phone.serve(&exchange)));
        assert_eq!(self.state(), SyncState::Idle);
    }

    pub fn state(&self) -> SyncState {
        self.engine.status().unwrap().state
    }

    pub fn pending(&self) -> u64 {
        self.engine.status().unwrap().pending
    }

    pub fn deliver(&self, customer: CustomerId) -> TxnId {
        self.engine.confirm_delivery(customer, &[bottles(2, 1)], None, &[]).unwrap().txn
    }

    pub fn collect(&self, customer: CustomerId, minor: i64) -> TxnId {
        self.engine.collect_cash(customer, kes(minor)).unwrap().txn
    }

    /// Every balance and every profile, by customer, every stop, and the day.
    pub fn shown(&self) -> (Vec<carboy_core::Customer>, Vec<carboy_core::Stop>, carboy_core::DaySummary) {
        let customers = self.engine.customers("", None, 1_000).unwrap();
        let customers = customers.iter().map(|row| self.engine.customer(row.customer).unwrap()).collect();
        (customers, self.engine.stops(self.world.route).unwrap(), self.engine.day().unwrap())
    }

    /// How often each transaction stands on any ledger.
    pub fn ledger(&self) -> HashMap<TxnId, usize> {
        let mut entries = HashMap::new();
        for row in self.engine.customers("", None, 1_000).unwrap() {
            let lines = self.engine.history(row.customer, 0, 100_000).unwrap();
            let sum: i64 = lines.iter().map(|line| line.amount.minor).sum();
            let balance = self.engine.customer(row.customer).unwrap().balance.minor;
            assert_eq!(balance, sum, "balance is the ledger's sum");
            for line in lines {
                *entries.entry(line.txn).or_default() += 1;
            }
        }
        entries
    }
}

/// A batch as it was sent.
pub fn sent(exchange: &Exchange) -> Option<SyncRequest> {
    match &exchange.body {
        Body::Json(gzip) => Some(serde_json::from_reader(GzDecoder::new(&gzip[..])).unwrap()),
        Body::Piece(_) => None,
    }
}

/// A reply as it was answered.
pub fn answered(reply: &Reply) -> SyncReply {
    let mut json = reply.body.clone();
    if reply.gzip {
        json.clear();
        GzDecoder::new(&reply.body[..]).read_to_end(&mut json).unwrap();
    }
    serde_json::from_slice(&json).unwrap()
}
