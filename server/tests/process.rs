//! The real program: over a real socket, through a full disk, to its end.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use carboy_protocol::wire::{Refusal, SyncReply};
use carboy_protocol::{ActorId, ChainHash, wire};
use program::{PROGRAM, enrol, patience, payments, post, seed, serve, started};
use std::process::{Command, Stdio};

#[test]
fn a_seeded_plant_is_served_until_the_program_is_asked_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let sample = seed(folder.path());
    let mut running = serve(folder.path());
    let token = enrol(&running, &sample);
    let (request, _) = payments(&sample, 1, ChainHash::genesis(ActorId::from_bytes([1; 16])));
    let body = serde_json::to_string(&request).unwrap();
    let (status, text) = post(format!("{}{}", running.address, wire::SYNC_PATH), &token, body);
    assert_eq!(status, 200, "{text}");
    let reply: SyncReply = serde_json::from_str(&text).unwrap();
    assert_eq!(reply.results.len(), 200);
    running.signal("-TERM");
    assert!(running.ended().success());
}

#[test]
fn a_full_disk_is_busy_nothing_is_half_written_and_it_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let sample = seed(folder.path());
    // No file may grow beyond 1 MiB: what a write meets on a full disk.
    let mut command = Command::new("bash");
    let script = r#"trap "" XFSZ; ulimit -f 1024; exec "$0" serve --listen 127.0.0.1:0 --data "$1""#;
    command.args(["-c", script, PROGRAM]).arg(folder.path());
    let running = started(command);
    let token = enrol(&running, &sample);
    let (mut first_seq, mut head) = (1, ChainHash::genesis(ActorId::from_bytes([1; 16])));
    let (refused, text) = loop {
        let (request, next) = payments(&sample, first_seq, head);
        let body = serde_json::to_string(&request).unwrap();
        let (status, text) = post(format!("{}{}", running.address, wire::SYNC_PATH), &token, body.clone());
        if status != 200 {
            assert_eq!(status, 503, "{text}");
            break (body, text);
        }
        (first_seq, head) = (first_seq + 200, next);
        assert!(first_seq < 100_000, "the limit has no effect");
    };
    assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), Refusal::Busy);
    drop(running);
    let conn = rusqlite::Connection::open(folder.path().join("carboy.db")).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    let payments = "SELECT count(*) FROM ledger WHERE kind = 'collect_cash'";
    assert_eq!(count(payments), first_seq - 1);
    assert_eq!(count("SELECT next_seq FROM actors WHERE account IS NOT NULL"), first_seq);
    let running = serve(folder.path());
    let (status, text) = post(format!("{}{}", running.address, wire::SYNC_PATH), &token, refused);
    assert_eq!(status, 200, "{text}");
    assert_eq!(count(payments), first_seq + 199);
    assert_eq!(conn.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_plant_is_made_with_its_time_zone_and_language_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let init = |zone: &str, language: &str| {
        let mut command = Command::new(PROGRAM);
        command.args([
            "init",
            "--plant",
            "Maji",
            "--currency",
            "EGP",
            "--manager",
            "Grace",
            "--login",
            "grace",
        ]);
        command.args(["--time-zone", zone, "--language", language, "--data"]).arg(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        std::io::Write::write_all(&mut process.stdin.take().unwrap(), b"clean water\n").unwrap();
        let output = patience::output_of(process);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (zone, language, error) in [
        ("Africa/Atlantis", "ar", "no such time zone: Africa/Atlantis"),
        ("Africa/Cairo", "tlh", "no such language: tlh"),
    ] {
        let (is_made, told) = init(zone, language);
        assert!(!is_made && told.contains(error), "{told}");
    }
    assert!(init("africa/cairo", "ar-EG").0);
    let server = carboy_server::Server::open(&folder.path().join("carboy.db")).unwrap();
    let plants = server.plants().unwrap();
    let formats: Vec<_> = plants.iter().map(|plant| (&*plant.time_zone, &*plant.language)).collect();
    assert_eq!(formats, [("Africa/Cairo", "ar")]);
}
