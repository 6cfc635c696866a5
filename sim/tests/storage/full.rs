//! A full disk: what the reserve in the file is for.

use crate::calls::{line, morning, phone_on};
use crate::support::*;
use crate::{assert_records, assert_sound, copied, shown, temporary};
use carboy_core::{Engine, Error};
use carboy_protocol::FailReason;
use carboy_sim::disk::Disk;
use std::fs;
use std::path::Path;

/// What a rider does at his stops, with the longest notes, until it fails: how many records were made.
fn record_on(engine: &Engine, most: u32) -> (u32, Option<Error>) {
    let note = || Some("x".repeat(500));
    for n in 0..most {
        let whom = customer(1 + u8::try_from(n % 10).unwrap());
        let result = match n % 3 {
            0 => engine.confirm_delivery(whom, &[line(2, 1)], note(), &[]),
            1 => engine.collect_cash(whom, kes(500)),
            _ => engine.fail_delivery(whom, FailReason::Absent, note()),
        };
        if let Err(error) = result {
            return (n, Some(error));
        }
    }
    (most, None)
}

fn assert_records_more(phone: &Phone, count: u32, story: &str) {
    let before = phone.pending();
    let (recorded, error) = record_on(&phone.engine, count);
    assert_eq!(recorded, count, "{story}: {error:?}");
    assert_eq!(phone.pending(), before + u64::from(recorded), "{story}");
}

/// A phone on `disk` that has recorded so much.
fn busy_phone(disk: &Disk, folder: &Path, records: u32) -> Phone {
    drop(Phone::with_plant(folder));
    let phone = phone_on(disk, folder);
    assert_records_more(&phone, records, "before the disk is full");
    phone
}

#[test]
fn a_full_disk_lets_200_more_actions_be_recorded_whenever_it_happens() {
    let disk = Disk::new().unwrap();
    for room in [0, 5_000, 300_000, 1_500_000] {
        for earlier in [0, 1, 400, 1_300] {
            let story = format!("room for {room} bytes after {earlier} records");
            let folder = temporary();
            let phone = busy_phone(&disk, folder.path(), earlier);
            disk.limit(Some(room));
            assert_records_more(&phone, 100, &story);
            // Neither a restart nor a crash takes from the reserve.
            let killed = copied(folder.path());
            drop(phone);
            for folder in [&folder, &killed] {
                let phone = phone_on(&disk, folder.path());
                assert_records_more(&phone, 100, &story);
            }
            disk.heal();
            assert_sound(folder.path());
            assert_sound(killed.path());
        }
    }
}

#[test]
fn a_reserve_used_up_loses_nothing_and_is_filled_up_again() {
    let disk = Disk::new().unwrap();
    let folder = temporary();
    let mut phone = busy_phone(&disk, folder.path(), 1_000);
    disk.limit(Some(0));
    let (recorded, error) = record_on(&phone.engine, 100_000);
    assert!(matches!(error, Some(Error::StorageFull)), "{error:?}");
    assert!(recorded >= 200, "only {recorded} more");
    let pending = 1_000 + u64::from(recorded);
    assert_eq!(phone.pending(), pending);
    let full = shown(&phone.engine);
    // What is settled needs no room, and gives none back at once.
    phone.drainer.wake(carboy_core::Wake::Now);
    let request = phone.request();
    phone.reply(&applied(&request, 51, vec![], 50));
    assert_eq!(phone.pending(), pending - request.mutations.len() as u64);
    let settled = phone.pending();
    drop(phone);
    let phone = phone_on(&disk, folder.path());
    assert_eq!(phone.pending(), settled);
    assert_ne!(shown(&phone.engine), full);
    // There is room again, and then none again.
    disk.heal();
    assert_records_more(&phone, 100, "with room again");
    disk.limit(Some(0));
    assert_records_more(&phone, 200, "on a disk full for the second time");
    disk.heal();
    assert_sound(folder.path());
}

#[test]
fn what_the_server_sends_leaves_the_reserve_alone() {
    let disk = Disk::new().unwrap();
    let folder = temporary();
    let mut phone = busy_phone(&disk, folder.path(), 0);
    let customers = |count: u16| {
        (1..=count).map(|n| {
            let mut id = [0xee; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            carboy_protocol::wire::FeedItem::Customer {
                customer: carboy_protocol::CustomerId::from_bytes(id),
                balance: kes(1),
                profile: Some(profile(&"x".repeat(300))),
                visit: None,
                closed: false,
            }
        })
    };
    disk.limit(Some(0));
    phone.fetch(customers(4_000).collect(), 60);
    assert_eq!(phone.engine.customers("", None, 9_999).unwrap().len(), 10, "there was no room for these");
    assert_records_more(&phone, 200, "after a page of the feed that does not fit");
    disk.heal();
    let request = {
        phone.clock.advance(std::time::Duration::from_secs(600));
        phone.request()
    };
    phone.reply(&applied(&request, 51, vec![], 55));
    phone.fetch(customers(4_000).collect(), 60);
    assert_eq!(phone.engine.customers("", None, 9_999).unwrap().len(), 4_010);
    disk.limit(Some(0));
    assert_records_more(&phone, 200, "right after a large page of the feed");
}

#[test]
fn opening_a_store_needs_no_room() {
    let folder = temporary();
    morning(folder.path());
    // Not even what the WAL keeps.
    fs::write(format!("{}-wal", file(folder.path()).display()), "").unwrap();
    let disk = Disk::new().unwrap();
    disk.limit(Some(0));
    let phone = phone_on(&disk, folder.path());
    assert_eq!(phone.pending(), 2);
    let refused = phone.engine.collect_cash(customer(1), kes(1));
    assert!(matches!(refused, Err(Error::StorageFull)), "{refused:?}");
    disk.heal();
    assert_records(&phone);
}
