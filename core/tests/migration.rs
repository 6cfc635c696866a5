//! A file of each older schema opens with today's code, shows everything, and is sent.
//!
//! The fixtures are made once, by the code of their time: `core/examples/write_fixture.rs` makes one of today's schema.
#![cfg(not(feature = "encryption"))]
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::Settlement;
use std::fs;
use std::path::{Path, PathBuf};
use support::*;

/// Today's schema.
const VERSION: u32 = 1;

fn fixture(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/version_{version}.db"))
}

/// Everything that the fixture's day shows.
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
