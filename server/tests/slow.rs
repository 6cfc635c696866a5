//! Clients that take their time: they hold a connection, for a while, and nothing else.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
#[path = "common/patience.rs"]
mod patience;

use carboy_protocol::wire::{self, SyncReply};
use carboy_server::Server;
use carboy_server::config::Config;
use carboy_server::serve::Bound;
use carboy_server::store::Store;
use common::{World, world};
use patience::{PATIENCE, agent, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Far longer than the test: whoever waits for it is held.
const NEVER: &str = "1h";

/// A server with one thread for its requests and one for the disk.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).enable_all().build().unwrap()
}

fn config(header: &str, body: &str, write: &str) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: Some("127.0.0.1:0".parse().unwrap()),
        header_timeout: header.parse().unwrap(),
        body_timeout: body.parse().unwrap(),
        write_timeout: write.parse().unwrap(),
        ..Config::default()
    }
}

struct Served {
    _runtime: Runtime,
    address: String,
    metrics: String,
}

fn served(world: &World, config: &Config) -> Served {
    let runtime = runtime();
    let server =
        Server::over(Store::open(&world.location).unwrap(), world.clock.clone(), world.random.clone());
    let bound = runtime.block_on(Bound::new(server, config)).unwrap();
    let address = bound.url().unwrap().trim_start_matches("http://").to_owned();
    let metrics = bound.metrics_url().unwrap().unwrap();
    runtime.spawn(bound.run(std::future::pending()));
    Served { _runtime: runtime, address, metrics }
}

impl Served {
    fn connected(&self, first: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(first).unwrap();
        stream
    }

    /// A body that has begun and does not end.
    fn begun(&self) -> TcpStream {
        let head = format!(
            "POST /v1/sync HTTP/1.1\r\nhost: x\r\n{}: 1\r\nauthorization: Bearer x\r\n",
            wire::HEADER
        );
        self.connected(format!("{head}content-length: 100\r\n\r\n{{").as_bytes())
    }

    fn connections(&self) -> String {
        let text = agent().get(&self.metrics).call().unwrap().body_mut().read_to_string().unwrap();
        let line = text.lines().find(|line| line.starts_with("carboy_connections ")).unwrap();
        line.trim_start_matches("carboy_connections ").to_owned()
    }
}

fn syncs(world: &World, served: &Served) {
    let mut phone = world.phone();
    phone.record(world.cash(5));
    let body = serde_json::to_string(&phone.pending()).unwrap();
    let request = agent().post(format!("http://{}{}", served.address, wire::SYNC_PATH));
    let request =
        request.header(wire::HEADER, "1").header("authorization", format!("Bearer {}", phone.token));
    let text = request.send(body).unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(serde_json::from_str::<SyncReply>(&text).unwrap().results.len(), 1);
}

fn to_the_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn two_hundred_slow_clients_do_not_hold_up_a_phone() {
    let world = world();
    let served = served(&world, &config(NEVER, NEVER, NEVER));
    let slow: Vec<_> =
        (0..100).flat_map(|_| [served.begun(), served.connected(b"POST /v1/sync HTTP/1.1\r\nho")]).collect();
    syncs(&world, &served);
    let open: usize = served.connections().parse().unwrap();
    assert!(open >= slow.len(), "{open}");
}

#[test]
fn a_client_that_does_not_end_its_head_or_its_body_is_let_go() {
    let world = world();
    let served = served(&world, &config("50ms", "50ms", NEVER));
    assert_eq!(to_the_end(served.connected(b"")), "");
    assert_eq!(to_the_end(served.connected(b"GET / HTT")), "");
    let answer = to_the_end(served.begun());
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with(r#"{"error":"busy"}"#), "{answer}");
}

#[test]
fn a_body_that_drips_steadily_is_let_go_all_the_same() {
    let world = world();
    let served = served(&world, &config(NEVER, "50ms", NEVER));
    let mut stream = served.begun();
    let mut drip = stream.try_clone().unwrap();
    // As fast as it is taken: each byte comes well within any time between two.
    let dripping = std::thread::spawn(move || {
        while drip.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 408");
    drop(stream);
    drop(dripping);
}

#[test]
fn a_client_that_does_not_take_its_replies_is_let_go() {
    let world = world();
    let served = served(&world, &config(NEVER, NEVER, "50ms"));
    let mut stream = served.connected(b"");
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let asks = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2_000);
    // It asks until the server takes no more, because its replies pile up.
    let _ = stream.write_all(&asks);
    until("nobody is connected", || served.connections() == "0");
    drop(stream);
}

#[test]
fn who_comes_when_all_connections_are_taken_waits_until_one_is_free() {
    let world = world();
    let config = Config { max_connections: 2, ..config(NEVER, NEVER, NEVER) };
    let served = served(&world, &config);
    let taken = [served.connected(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"), served.begun()];
    until("two are connected", || served.connections() == "2");
    let ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let waiting = served.connected(ask);
    waiting.set_nonblocking(true).unwrap();
    let nothing = (&waiting).read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    waiting.set_nonblocking(false).unwrap();
    drop(taken);
    assert!(to_the_end(waiting).ends_with("up\n"));
}
