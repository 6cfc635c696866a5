//! A rider's store on a disk that fails: whatever file operation meets the fault, an action is there as a whole or
//! not at all, nothing that was recorded is lost, and recording goes on; and the same when the power goes.
//!
//! `CARBOY_THOROUGH=1` lets every fault meet every operation, and each power cut have eight outcomes.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod calls;
mod failing;
mod full;
mod opening;
mod power;
#[allow(unexpected_cfgs, reason = "the core's tests run encrypted too")]
#[path = "../../../core/tests/support/mod.rs"]
mod support;

use calls::north;
use carboy_core::Engine;
use std::fs;
use std::path::Path;
use support::*;

/// Whether there is time to try everything.
fn is_thorough() -> bool {
    std::env::var("CARBOY_THOROUGH").is_ok_and(|value| value == "1")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A folder in memory where there is such: thousands of copies are made durable for nothing.
fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn copied(from: &Path) -> tempfile::TempDir {
    let to = temporary();
    copy(from, to.path());
    to
}

/// Everything that a rider can see.
fn shown(engine: &Engine) -> String {
    let status = engine.status().unwrap();
    let customers = engine.customers("", None, 100).unwrap();
    let each: Vec<_> = customers
        .iter()
        .map(|row| (engine.customer(row.customer).unwrap(), engine.history(row.customer, 0, 99).unwrap()))
        .collect();
    let lists = (engine.records(None, 999).unwrap(), engine.waiting(0, 999).unwrap());
    format!(
        "{:?} {each:?} {lists:?} {:?} {:?} {:?}",
        (status.pending, status.pending_bytes, status.attention, status.photos, status.photo_bytes),
        engine.stops(north()).unwrap(),
        engine.day().unwrap(),
        engine.attention(0, 99).unwrap(),
    )
}

fn assert_sound(folder: &Path) {
    let check: String = raw(&file(folder)).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

fn assert_records(phone: &Phone) {
    let pending = phone.pending();
    phone.engine.hand_in_cash(kes(1), None).unwrap();
    assert_eq!(phone.pending(), pending + 1);
}
