//! A file of each older schema opens with today's code, shows everything, and is sent.
//!
//! The fixtures are made once, by the code of their time:
//! `cargo test -p carboy-core --test migration -- --ignored` writes the one of today's schema.
#![cfg(not(feature = "encryption"))]
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{DeliveredLine, Settlement};
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{FailReason, Field, Progress, RouteId, StockLine};
use std::fs;
use std::path::{Path, PathBuf};
use support::*;

/// Today's schema.
const VERSION: u32 = 1;

fn fixture(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/version_{version}.db"))
}

fn north() -> RouteId {
    RouteId::from_bytes([7; 16])
}

/// A day with every kind of record: settled, refused and waiting ones.
fn a_day(folder: &Path) {
    let mut phone = Phone::with_plant(folder);
    let engine = phone.engine.clone();
    let line = |delivered, empties| DeliveredLine { product: "20L".parse().unwrap(), delivered, empties };
    let stock = |full, empty| StockLine { product: "20L".parse().unwrap(), full, empty };
    let photo = folder.join("photo.jpg");
    fs::write(&photo, "a picture").unwrap();
    engine.start_shift(Some(north())).unwrap();
    engine.load_stock(&[stock(40, 0)]).unwrap();
    engine.confirm_delivery(customer(1), &[line(3, 2)], Some("slip 1".into()), &[&photo]).unwrap();
    engine.collect_cash(customer(2), kes(300)).unwrap();
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![balance(1, 55_000)], 54);
    reply.results[3].answer =
        Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no customer".into() };
    phone.reply(&reply);
    phone.clock.advance(std::time::Duration::from_secs(60));
    engine.confirm_delivery(customer(3), &[line(1, 0)], None, &[]).unwrap();
    let cash = engine.collect_cash(customer(1), kes(45_000)).unwrap();
    engine.withdraw(cash.id, Some("a slip".into())).unwrap();
    engine.fail_delivery(customer(4), FailReason::Closed, None).unwrap();
    engine.note_progress(customer(5), Progress::Arrived).unwrap();
    engine.update_profile(customer(6), [(Field::Phone, "0711".into())].into()).unwrap();
    engine.add_customer([(Field::Name, "Corner Kiosk".into())].into(), Some(north())).unwrap();
    engine.return_stock(&[stock(5, 2)]).unwrap();
    engine.hand_in_cash(kes(10_000), None).unwrap();
    engine.finish_shift().unwrap();
}

/// Everything that [`a_day`] shows.
fn assert_shows_the_day(phone: &Phone) {
    let engine = &phone.engine;
    let status = engine.status().unwrap();
    assert_eq!((status.pending, status.attention, status.photos), (10, 1, 1));
    let balances: Vec<_> = (1..=4).map(|n| engine.customer(customer(n)).unwrap().balance.minor).collect();
    assert_eq!(balances, [55_000, 10_000, 25_000, 10_000]);
    assert_eq!(engine.customer(customer(6)).unwrap().phone, "0711");
    assert_eq!(engine.customers("corner", None, 9).unwrap().len(), 1);
    assert_eq!(engine.routes().unwrap()[0].stops, 11);
    assert_eq!(phone.refused()[0].reason, "unknown_customer");
    let records = engine.records(None, 99).unwrap();
    assert_eq!(records.len(), 14);
    assert_eq!(records.iter().filter(|record| record.state == Settlement::Applied).count(), 3);
    assert_eq!(records.iter().filter(|record| record.withdrawn).count(), 1);
    let day = engine.day().unwrap();
    assert!(day.shift.unwrap().finished_at.is_some());
    assert_eq!((day.deliveries, day.failures, day.customers), (1, 1, 1));
}

#[test]
fn a_file_of_each_schema_opens_shows_everything_and_is_sent() {
    for version in 1..=VERSION {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(fixture(version), file(folder.path())).unwrap();
        let mut phone = Phone::empty(folder.path());
        assert_shows_the_day(&phone);
        let raw_version: u32 =
            raw(&file(folder.path())).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(raw_version, VERSION);
        let request = phone.request();
        assert_eq!((request.first_seq, request.mutations.len()), (5, 10));
        phone.reply(&applied(&request, 60, vec![], 70));
        assert_eq!(phone.pending(), 0);
        phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    }
}

#[test]
#[ignore = "writes the fixture of today's schema, once, before the next one begins"]
fn write_the_fixture() {
    let folder = tempfile::tempdir().unwrap();
    a_day(folder.path());
    assert_shows_the_day(&Phone::empty(folder.path()));
    let path = file(folder.path());
    // One small file, without the free pages of the reserve.
    raw(&path).execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    fs::copy(path, fixture(VERSION)).unwrap();
}
