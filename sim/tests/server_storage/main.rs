//! A server's store on a disk that fails: whatever file operation meets the fault, a request is answered and durable, or
//! refused and without effect; the same request again is answered as if nothing had been, and nothing takes effect twice.
//!
//! `CARBOY_THOROUGH=1` lets every fault meet every operation, and each power cut have eight outcomes.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod calls;
mod failing;
mod opening;
mod power;

use carboy_sim::disk::Disk;
use carboy_sim::plant::{self, Plant, Setting};
use std::fs;
use std::path::Path;

/// Whether there is time to try everything.
fn is_thorough() -> bool {
    std::env::var("CARBOY_THOROUGH").is_ok_and(|value| value == "1")
}

/// A folder in memory where there is such: thousands of copies are made durable for nothing.
fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn copied(from: &Path) -> tempfile::TempDir {
    let to = temporary();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// Starts a server on the plant in `folder`, on `disk`.
fn open(disk: &Disk, folder: &Path, setting: &Setting) -> Result<Plant, carboy_server::Error> {
    Plant::open(&disk.uri(&plant::file(folder)), setting)
}

/// What must hold of a store whatever has happened: SQLite finds its file sound, each balance is the sum of its ledger,
/// no mutation stands at two places of one history, and no history has a gap.
fn assert_sound(folder: &Path, story: &str) {
    let conn = rusqlite::Connection::open(plant::file(folder)).unwrap();
    let text = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(text("PRAGMA integrity_check"), "ok", "{story}");
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0, "{story}");
    let unequal = "SELECT count(*) FROM customers c WHERE balance <> coalesce(
        (SELECT sum(amount) FROM ledger l WHERE l.plant = c.plant AND l.customer = c.customer), 0)";
    assert_eq!(count(unequal), 0, "{story}: balances are not their ledgers' sums");
    let gaps = "SELECT count(*) FROM actors a WHERE next_seq - 1 <>
        (SELECT count(*) FROM dots d WHERE d.plant = a.plant AND d.actor = a.actor)";
    assert_eq!(count(gaps), 0, "{story}: histories have gaps");
}

/// A call's state before and after it on a good disk, and its answer.
struct Expected {
    before: String,
    after: String,
    answer: String,
}

impl Expected {
    fn of(call: &calls::Call, prepared: &Path, setting: &Setting) -> Self {
        let disk = Disk::new().unwrap();
        let folder = copied(prepared);
        let plant = open(&disk, folder.path(), setting).unwrap();
        let before = plant.shown();
        let answer = (call.act)(&plant).unwrap_or_else(|error| panic!("{}: {error}", call.name));
        let after = plant.shown();
        assert_ne!(before, after, "{} has no effect", call.name);
        Self { before, after, answer }
    }

    /// Does it again on a disk that is good now, and twice: it is answered as on one that has always been good.
    fn assert_again(&self, call: &calls::Call, plant: &Plant, story: &str) {
        for _ in 0..2 {
            assert_eq!((call.act)(plant).as_ref(), Ok(&self.answer), "again after {story}");
            assert_eq!(plant.shown(), self.after, "again after {story}");
            if !call.is_repeatable {
                return;
            }
        }
    }
}
