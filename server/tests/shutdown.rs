//! The end of the program under load: what was accepted is answered, what was answered is there.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use carboy_protocol::{ActorId, ChainHash, wire};
use program::patience::{self, PATIENCE, until};
use program::{PROGRAM, Running, enrol_rider, payment, pays, seed, serve_with};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A connection whose other end is not waited for without an end.
fn connected(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn settled(folder: &Path, rider: u8) -> u64 {
    let conn = rusqlite::Connection::open(folder.join("carboy.db")).unwrap();
    let sql = "SELECT next_seq - 1 FROM actors WHERE actor = ?1";
    conn.query_row(sql, [[rider + 1; 16]], |row| row.get(0)).unwrap()
}

#[test]
fn what_was_accepted_is_answered_and_what_was_answered_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Arc::new(seed(folder.path()));
    let mut running = serve_with(folder.path(), &["--log-filter", "warn"]);
    let total = Arc::new(AtomicU64::new(0));
    let riders: Vec<_> = (0..3)
        .map(|rider| {
            let token = enrol_rider(&running, &sample, usize::from(rider));
            let (address, sample, total) = (running.address.clone(), sample.clone(), total.clone());
            std::thread::spawn(move || pays(&address, &token, &sample, rider, 1, &total))
        })
        .collect();
    until("fifty payments", || total.load(Ordering::SeqCst) >= 50);
    running.signal("-TERM");
    for (rider, acknowledged) in (0..).zip(riders) {
        // Not one more either: each that took effect was answered.
        assert_eq!(settled_in_the_end(&mut running, folder.path(), rider), acknowledged.join().unwrap());
    }
    assert!(running.ended().success());
}

fn settled_in_the_end(running: &mut Running, folder: &Path, rider: u8) -> u64 {
    assert!(running.ended().success());
    settled(folder, rider)
}

#[test]
fn a_request_in_flight_is_finished_while_the_server_is_ready_for_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let sample = seed(folder.path());
    let mut running =
        serve_with(folder.path(), &["--metrics-listen", "127.0.0.1:0", "--shutdown-grace", "1h"]);
    let token = enrol_rider(&running, &sample, 0);
    let status = running.line().trim_start_matches("metrics on ").replace("/metrics", "/readyz");
    let agent = patience::agent();
    let ready = || agent.get(&status).call().unwrap().status().as_u16();
    // What reads certificates again is no reason to end where there are none.
    running.signal("-HUP");
    assert_eq!(ready(), 200);

    let mut head = ChainHash::genesis(ActorId::from_bytes([1; 16]));
    let body = serde_json::to_string(&payment(&sample, 0, 1, &mut head)).unwrap();
    let address = running.address.trim_start_matches("http://");
    let mut stream = connected(address);
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\n{}: 1\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        wire::SYNC_PATH,
        wire::HEADER,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    // The server asks for the body: it has taken the request.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");

    let metrics = status.trim_start_matches("http://").trim_end_matches("/readyz");
    let health = || {
        let output =
            patience::output(Command::new(PROGRAM).arg("health").env("CARBOY_METRICS_LISTEN", metrics));
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(health(), (true, String::new()));
    running.signal("-TERM");
    until("no longer ready", || ready() == 503);
    assert_eq!(health(), (false, "carboy-server: not ready: about to end\n".to_owned()));
    TcpStream::connect(address).unwrap_err();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(running.ended().success());
    assert_eq!(settled(folder.path(), 0), 1);
}

#[test]
fn a_client_that_never_ends_its_request_holds_the_end_up_for_the_grace_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = serve_with(folder.path(), &["--shutdown-grace", "50ms", "--body-timeout", "1h"]);
    let mut stream = connected(running.address.trim_start_matches("http://"));
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\n{}: 1\r\nauthorization: Bearer x\r\n",
        wire::SYNC_PATH,
        wire::HEADER
    );
    stream.write_all(format!("{head}expect: 100-continue\r\ncontent-length: 9\r\n\r\n").as_bytes()).unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    running.signal("-TERM");
    running.logged("some requests were not finished in time");
    assert!(running.ended().success());
}
