//! A plant served by the real program, and phones that speak with it over HTTP.

use crate::patience;
use carboy_protocol::wire::{self, EnrolReply, EnrolRequest, FeedItem, SyncReply, SyncRequest};
use carboy_protocol::*;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::BufReader;
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_carboy-server");

/// What the phones' clocks say, in milliseconds since 1970: evidence, and not the time of any of these tests.
const AT: Timestamp = Timestamp(1_732_350_000_000);

/// A seeded plant and its server.
pub struct Plant {
    pub address: String,
    /// What `carboy-server seed` printed.
    pub sample: Value,
    process: Child,
    /// Open, so that what it prints finds somebody.
    _out: BufReader<ChildStdout>,
    _data: TempDir,
}

impl Plant {
    pub fn served() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut seed = Command::new(PROGRAM);
        let output = patience::output(seed.args(["seed", "--customers", "24", "--data"]).arg(data.path()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sample = serde_json::from_slice(&output.stdout).unwrap();
        let mut serve = Command::new(PROGRAM);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        let mut process = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (line, out) = patience::first_line(&mut process);
        let address = line.trim().strip_prefix("listening on ").expect("the first line is the address");
        Self { address: address.to_owned(), sample, process, _out: out, _data: data }
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.sample.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}"))
    }

    /// The `nth` customer of the sample.
    pub fn customer(&self, nth: usize) -> CustomerId {
        self.text(&format!("/customers/{nth}")).parse().unwrap()
    }

    /// A phone of the first rider, enrolled with the code that the sample has for it.
    pub fn phone(&self) -> Phone {
        self.phone_with(self.text("/riders/0/enrol_code"))
    }

    /// A phone enrolled with this code.
    pub fn phone_with(&self, code: &str) -> Phone {
        // The code makes each phone another one.
        let seed = ChainHash::genesis(ActorId::from_bytes([0; 16])).next(1, code.as_bytes());
        let seed: [u8; 32] = std::array::from_fn(|place| seed.to_string().as_bytes()[place]);
        let key = DeviceKey::from_seed(seed);
        let actor = ActorId::from_bytes(seed[..16].try_into().unwrap());
        let request =
            EnrolRequest { code: code.to_owned(), device_name: "Pixel".into(), public_key: key.public() };
        let (status, text) = self.post(wire::ENROL_PATH, "", &serde_json::to_string(&request).unwrap());
        assert_eq!(status, 200, "{text}");
        let token = serde_json::from_str::<EnrolReply>(&text).unwrap().token;
        Phone { token, key, actor, head: ChainHash::genesis(actor), seq: 0 }
    }

    fn post(&self, path: &str, token: &str, body: &str) -> (u16, String) {
        let request = patience::agent().post(format!("{}{path}", self.address));
        let request = request.header(wire::HEADER, "1").header("authorization", format!("Bearer {token}"));
        let mut response = request.send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A rider's phone, with all that it recorded sent.
pub struct Phone {
    token: String,
    key: DeviceKey,
    actor: ActorId,
    head: ChainHash,
    seq: u64,
}

impl Phone {
    /// Records `action` and sends it.
    pub fn sends(&mut self, plant: &Plant, action: Action) -> TxnId {
        self.sends_replacing(plant, None, action)
    }

    /// The same in the place of an earlier mutation that was not accepted.
    pub fn sends_replacing(&mut self, plant: &Plant, replaces: Option<TxnId>, action: Action) -> TxnId {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&(self.seq + 1).to_be_bytes());
        random[8..].copy_from_slice(&self.actor.as_bytes()[..2]);
        let txn = TxnId::from_random(AT, random);
        let mutation = Mutation { v: mutation::VERSION, txn, at: AT, replaces, action };
        let body = serde_json::to_string(&mutation).unwrap();
        self.seq += 1;
        self.head = self.head.next(self.seq, body.as_bytes());
        let (status, text) = self.syncs(plant, vec![RawValue::from_string(body).unwrap()]);
        assert_eq!(status, 200, "{text}");
        txn
    }

    /// The status of a request that sends nothing.
    pub fn status(&self, plant: &Plant) -> u16 {
        self.syncs(plant, Vec::new()).0
    }

    /// A customer as the feed has it.
    pub fn profile(&self, plant: &Plant, wanted: CustomerId) -> Profile {
        let (status, text) = self.syncs(plant, Vec::new());
        assert_eq!(status, 200, "{text}");
        let reply: SyncReply = serde_json::from_str(&text).unwrap();
        let found = reply.feed.into_iter().rev().find_map(|item| match item {
            FeedItem::Customer { customer, profile, .. } if customer == wanted => profile,
            _ => None,
        });
        found.expect("the first page of the feed has all customers")
    }

    fn syncs(&self, plant: &Plant, mutations: Vec<Box<RawValue>>) -> (u16, String) {
        let request = SyncRequest {
            actor: self.actor,
            parent: None,
            first_seq: self.seq + 1 - mutations.len() as u64,
            last_seq: self.seq,
            head: self.head,
            signature: self.key.sign_head(self.actor, self.seq, self.head),
            hashes: None,
            mutations,
            cursor: 0,
        };
        plant.post(wire::SYNC_PATH, &self.token, &serde_json::to_string(&request).unwrap())
    }
}
