//! The real program moves a plant from SQLite to PostgreSQL and back.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod program;

use carboy_protocol::wire::SyncReply;
use carboy_protocol::{ActorId, ChainHash, PlantId, wire};
use carboy_server::store::{Location, Store};
use common::postgres;
use program::{PROGRAM, enrol, payments, post, seed, serve, started};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

fn run(command: &str, place: [&str; 2], input: Option<&Path>) -> Output {
    let mut program = Command::new(PROGRAM);
    program.arg(command).args(place);
    if let Some(input) = input {
        program.stdin(File::open(input).unwrap());
    }
    program.output().unwrap()
}

fn done(output: &Output) -> &[u8] {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    &output.stdout
}

#[test]
fn a_plant_moves_to_postgresql_works_there_and_moves_back_without_loss() {
    let (here, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sample = seed(here.path());
    let running = serve(here.path());
    let token = enrol(&running, &sample);
    let (first, head) = payments(&sample, 1, ChainHash::genesis(ActorId::from_bytes([1; 16])));
    let sync = |address: &str, body: String| {
        let (status, text) = post(format!("{address}{}", wire::SYNC_PATH), &token, body);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<SyncReply>(&text).unwrap()
    };
    let first = serde_json::to_string(&first).unwrap();
    sync(&running.address, first.clone());
    drop(running);
    let file = here.path().join("plant.jsonl");
    let sqlite = ["--data", here.path().to_str().unwrap()];
    std::fs::write(&file, done(&run("export", sqlite, None))).unwrap();

    let database = postgres::database();
    let there = ["--database", &database];
    let early = run("import", there, Some(&file));
    assert!(String::from_utf8_lossy(&early.stderr).contains("run carboy-server migrate"), "{early:?}");
    for _ in 0..2 {
        done(&run("migrate", there, None));
    }
    let plant = sample["plant"].as_str().unwrap();
    assert_eq!(done(&run("import", there, Some(&file))), format!("{plant}\n").as_bytes());
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(there);
    let running = started(command);
    let again = sync(&running.address, first);
    assert!(again.results.iter().all(|settlement| settlement.duplicate));
    let (second, _) = payments(&sample, 201, head);
    let second = sync(&running.address, serde_json::to_string(&second).unwrap());
    assert!(second.results.iter().all(|settlement| !settlement.duplicate));
    drop(running);

    let moved = done(&run("export", there, None)).to_vec();
    std::fs::write(&file, &moved).unwrap();
    let sqlite = ["--data", back.path().to_str().unwrap()];
    done(&run("import", sqlite, Some(&file)));
    assert_eq!(done(&run("export", sqlite, None)), moved);
    assert_eq!(done(&run("fold", sqlite, None)), b"0 records folded\n");
}

#[test]
fn a_postgresql_of_another_version_is_refused_and_left_alone() {
    let location = Location::Postgres(postgres::database());
    let store = Store::migrate(&location).unwrap();
    for (version, refusal) in
        [(99, "schema version 99, newer than 1: update the server"), (0, "run carboy-server migrate")]
    {
        let set = format!("UPDATE schema_version SET version = {version}");
        store.write(PlantId::from_bytes([1; 16]), |tx| tx.run(&set)).unwrap();
        let error = Store::open(&location).unwrap_err().to_string();
        assert!(error.contains(refusal), "{error}");
        let found = store.rows("SELECT version FROM schema_version").unwrap();
        assert_eq!(found, [[version]]);
    }
}
