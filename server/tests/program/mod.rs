//! The real program, as its own process, and a phone's requests to it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests: each file uses its part"
)]

use carboy_protocol::wire::{EnrolReply, EnrolRequest, Refusal, SyncReply, SyncRequest};
use carboy_protocol::{ActorId, ChainHash, DeviceKey, wire};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};

#[path = "../common/patience.rs"]
pub mod patience;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_carboy-server");

pub struct Running {
    pub process: Child,
    pub address: String,
    out: Receiver<String>,
    log: Receiver<String>,
}

impl Running {
    /// The next line on standard output.
    pub fn line(&self) -> String {
        patience::next("a line of output", &self.out).expect("it goes on")
    }

    /// Waits for a log line that contains `text`.
    pub fn logged(&self, text: &str) -> String {
        loop {
            let line = patience::next(text, &self.log).unwrap_or_else(|| panic!("it ended without {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What it logs from here to its end.
    pub fn rest_of_log(&self) -> Vec<String> {
        std::iter::from_fn(|| patience::next("the end of its log", &self.log)).collect()
    }

    /// How it ended.
    pub fn ended(&mut self) -> ExitStatus {
        patience::ended(&mut self.process)
    }

    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads all that comes, so that the other side never waits.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Nobody may want to hear it.
            let _ = sender.send(line);
        }
    });
    receiver
}

pub fn started(mut command: Command) -> Running {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, log) = (lines(process.stdout.take().unwrap()), lines(process.stderr.take().unwrap()));
    let Some(line) = patience::next("its first line", &out) else {
        panic!("it did not start: {:?}", log.iter().collect::<Vec<_>>())
    };
    let address = line.strip_prefix("listening on ").expect("the first line is the address").to_owned();
    Running { process, address, out, log }
}

/// `serve` on a free port, with more flags.
pub fn serve_with(data: &Path, flags: &[&str]) -> Running {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
    started(command)
}

pub fn serve(data: &Path) -> Running {
    serve_with(data, &[])
}

pub fn seed(data: &Path) -> Value {
    let output =
        patience::output(Command::new(PROGRAM).args(["seed", "--customers", "4", "--data"]).arg(data));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn post(url: String, token: &str, body: String) -> (u16, String) {
    let agent = patience::agent();
    let request =
        agent.post(url).header(wire::HEADER, "1").header("authorization", format!("Bearer {token}"));
    let mut response = request.send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

pub fn key() -> DeviceKey {
    DeviceKey::from_seed([1; 32])
}

pub fn enrol(running: &Running, sample: &Value) -> String {
    enrol_rider(running, sample, 0)
}

pub fn enrol_rider(running: &Running, sample: &Value, rider: usize) -> String {
    let code = sample["riders"][rider]["enrol_code"].as_str().unwrap().to_owned();
    let request = EnrolRequest { code, device_name: "Pixel".into(), public_key: key().public() };
    let body = serde_json::to_string(&request).unwrap();
    let (status, text) = post(format!("{}{}", running.address, wire::ENROL_PATH), "", body);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str::<EnrolReply>(&text).unwrap().token
}

/// A batch of payments: the 200 that follow `first_seq - 1`.
pub fn payments(sample: &Value, first_seq: u64, before: ChainHash) -> (SyncRequest, ChainHash) {
    let mut head = before;
    let mutations = (first_seq..first_seq + 200).map(|seq| {
        let body = json!({"v": 1, "txn": format!("01936000-0000-7000-8000-{seq:012}"), "at": 5,
            "kind": "collect_cash", "customer": sample["customers"][0],
            "amount": {"minor": 1, "currency": "KES"}});
        head = head.next(seq, body.to_string().as_bytes());
        RawValue::from_string(body.to_string()).unwrap()
    });
    let mutations = mutations.collect();
    let actor = ActorId::from_bytes([1; 16]);
    let last_seq = first_seq + 199;
    let signature = key().sign_head(actor, last_seq, head);
    let (parent, hashes, cursor) = (None, None, 0);
    (SyncRequest { actor, parent, first_seq, last_seq, head, signature, hashes, mutations, cursor }, head)
}

/// One payment, the `seq`th of this rider's phone.
pub fn payment(sample: &Value, rider: u8, seq: u64, head: &mut ChainHash) -> SyncRequest {
    let actor = ActorId::from_bytes([rider + 1; 16]);
    let txn = format!("0193600{rider}-0000-7000-8000-{seq:012}");
    let body = json!({"v": 1, "txn": txn, "at": 5, "kind": "collect_cash", "customer": sample["customers"][0],
        "amount": {"minor": 1, "currency": "KES"}});
    *head = head.next(seq, body.to_string().as_bytes());
    SyncRequest {
        actor,
        parent: None,
        first_seq: seq,
        last_seq: seq,
        head: *head,
        signature: key().sign_head(actor, seq, *head),
        hashes: None,
        mutations: vec![RawValue::from_string(body.to_string()).unwrap()],
        cursor: 1 << 40,
    }
}

/// Sends one payment after the other, from `seq` on, until the server is gone; the last that was acknowledged.
/// A server that was set back gets again what it lost.
pub fn pays(address: &str, token: &str, sample: &Value, rider: u8, seq: u64, total: &AtomicU64) -> u64 {
    let agent = patience::agent();
    let mut seq = seq;
    // The chain's hash behind each payment.
    let mut heads = vec![ChainHash::genesis(ActorId::from_bytes([rider + 1; 16]))];
    loop {
        let at = usize::try_from(seq).unwrap();
        while heads.len() <= at {
            let mut head = heads[heads.len() - 1];
            payment(sample, rider, heads.len() as u64, &mut head);
            heads.push(head);
        }
        let body = serde_json::to_string(&payment(sample, rider, seq, &mut heads[at - 1].clone())).unwrap();
        let request = agent.post(format!("{address}{}", wire::SYNC_PATH)).header(wire::HEADER, "1");
        // No reply at all: the server is gone, or had stopped accepting before this one.
        let sent = request.header("authorization", format!("Bearer {token}")).send(body);
        let Ok(mut reply) = sent else { return seq - 1 };
        // A reply that began ends, unless the server was killed.
        let Ok(text) = reply.body_mut().read_to_string() else { return seq - 1 };
        if reply.status() == 409 {
            let Ok(Refusal::Gap { expected }) = serde_json::from_str(&text) else { panic!("{text}") };
            seq = expected;
            continue;
        }
        let reply: SyncReply = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(reply.results[0].seq, seq);
        total.fetch_add(1, Ordering::SeqCst);
        seq += 1;
    }
}
