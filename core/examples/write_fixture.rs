//! Writes a store with a rider's day in it, of today's schema: `write_fixture FILE`. Before a schema changes, its file is
//! kept in `core/tests/fixtures`, where the migration test opens it from then on.
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use carboy_core::DeliveredLine;
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{FailReason, Field, Progress, RouteId, StockLine};
use std::fs;
use std::path::Path;
use support::*;

fn main() {
    let to = std::env::args().nth(1).expect("usage: write_fixture FILE");
    let folder = tempfile::tempdir().unwrap();
    a_day(folder.path());
    let path = file(folder.path());
    // One small file, without the free pages of the reserve.
    raw(&path).execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    fs::copy(path, to).unwrap();
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
