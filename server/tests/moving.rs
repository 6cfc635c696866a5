//! The real program moves a plant from SQLite to PostgreSQL and back.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod program;

use carboy_protocol::wire::SyncReply;
use carboy_protocol::{ActorId, ChainHash, PlantId, wire};
use carboy_server::store::{Location, Store};
use common::postgres;
use program::{PROGRAM, enrol, patience, payments, post, seed, serve, started};
use std::fs::File;
use std::io::{BufRead, Read};
use std::path::Path;
use std::process::{Command, Output};

fn run(command: &str, place: [&str; 2], input: Option<&Path>) -> Output {
    let mut program = Command::new(PROGRAM);
    program.arg(command).args(place);
    if let Some(input) = input {
        program.stdin(File::open(input).unwrap());
    }
    patience::output(&mut program)
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

/// A file that notes, behind each 200 mutations that were read from it, what the database has done by then.
struct Watched<'a> {
    rest: &'a [u8],
    mutations: usize,
    done: &'a dyn Fn() -> u64,
    noted: Vec<u64>,
}

impl Watched<'_> {
    fn line(&self) -> usize {
        self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |end| end + 1)
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("it is read line by line")
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(&self.rest[..self.line()])
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.starts_with(b"{\"row\":[\"mutations\",") {
            // The first of the next 200 is what the last of these is written for.
            if self.mutations > 200 && self.mutations % 200 == 1 {
                self.noted.push((self.done)());
            }
            self.mutations += 1;
        }
        self.rest = &self.rest[amount..];
    }
}

#[test]
fn however_large_a_plant_is_no_more_than_a_step_of_it_is_on_its_way_to_postgresql() {
    let here = tempfile::tempdir().unwrap();
    let sample = seed(here.path());
    let running = serve(here.path());
    let token = enrol(&running, &sample);
    let mut head = ChainHash::genesis(ActorId::from_bytes([1; 16]));
    for first_seq in [1, 201, 401, 601] {
        let (request, next) = payments(&sample, first_seq, head);
        head = next;
        let body = serde_json::to_string(&request).unwrap();
        let (status, text) = post(format!("{}{}", running.address, wire::SYNC_PATH), &token, body);
        assert_eq!(status, 200, "{text}");
    }
    drop(running);
    let plant: PlantId = sample["plant"].as_str().unwrap().parse().unwrap();
    let mut text = Vec::new();
    let from = Store::open(&Location::Sqlite(here.path().join("carboy.db"))).unwrap();
    from.export(plant, &mut text).unwrap();
    let there = Location::Postgres(postgres::database());
    let (into, other) = (Store::migrate(&there).unwrap(), Store::open(&there).unwrap());
    // A statement takes a moment, and counts at once, whatever becomes of its transaction.
    for sql in [
        "CREATE SEQUENCE done",
        "CREATE FUNCTION note_done() RETURNS trigger AS
         'BEGIN PERFORM pg_sleep(0.05), nextval(''done''); RETURN NULL; END' LANGUAGE plpgsql",
        "CREATE TRIGGER note_done AFTER INSERT ON mutations EXECUTE FUNCTION note_done()",
    ] {
        into.write(plant, |tx| tx.run(sql)).unwrap();
    }
    let done = || other.rows("SELECT last_value FROM done").unwrap()[0][0].as_u64().unwrap();
    let mut file = Watched { rest: &text, mutations: 0, done: &done, noted: Vec::new() };
    into.import(&mut file).unwrap();
    assert_eq!(file.noted, [1, 2, 3, 4]);
}
