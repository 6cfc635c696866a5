//! A rider's store on a disk that fails: whatever file operation meets the fault, an action is there as a whole or
//! not at all, nothing that was recorded is lost, and recording goes on.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[allow(unexpected_cfgs, reason = "the core's tests run encrypted too")]
#[path = "../../core/tests/support/mod.rs"]
mod support;

use carboy_core::{Correction, DeliveredLine, Engine, Error, Options, Random, Reply};
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{FailReason, Field, Progress, RouteId, StockLine};
use carboy_sim::disk::{Disk, Fault};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::*;

/// What a test does while the disk fails. The text is the error's.
type Call = Box<dyn FnOnce(&mut Phone) -> Result<(), String>>;

/// Gets ready for a call, on a good disk.
type Ready = fn(&mut Phone) -> Call;

fn line(delivered: i32, empties: i32) -> DeliveredLine {
    DeliveredLine { product: "20L".parse().unwrap(), delivered, empties }
}

fn stock(full: i32, empty: i32) -> StockLine {
    StockLine { product: "20L".parse().unwrap(), full, empty }
}

fn north() -> RouteId {
    RouteId::from_bytes([7; 16])
}

/// A call of the engine.
fn call<T>(act: impl FnOnce(&Engine) -> Result<T, Error> + 'static) -> Call {
    Box::new(|phone| act(&phone.engine).map(drop).map_err(|error| error.to_string()))
}

/// Every kind of record, every choice of the attention list, and a reply.
const CALLS: [(&str, Ready); 17] = [
    ("a delivery", |_| call(|engine| engine.confirm_delivery(customer(1), &[line(2, 1)], None, &[]))),
    ("cash", |_| call(|engine| engine.collect_cash(customer(2), kes(700)))),
    ("an edit", |_| call(|engine| engine.update_profile(customer(3), [(Field::Phone, "07".into())].into()))),
    ("a failure", |_| call(|engine| engine.fail_delivery(customer(4), FailReason::Closed, None))),
    ("progress", |_| call(|engine| engine.note_progress(customer(5), Progress::Arrived))),
    ("a new customer", |_| {
        call(|engine| engine.add_customer([(Field::Name, "New".into())].into(), Some(north())))
    }),
    ("a shift's start", |phone| {
        phone.engine.finish_shift().unwrap();
        call(|engine| engine.start_shift(Some(north())))
    }),
    ("a shift's end", |_| call(Engine::finish_shift)),
    ("stock loaded", |_| call(|engine| engine.load_stock(&[stock(9, 0)]))),
    ("stock returned", |_| call(|engine| engine.return_stock(&[stock(1, 2)]))),
    ("cash handed in", |_| call(|engine| engine.hand_in_cash(kes(100), None))),
    ("a withdrawal", |phone| {
        let id = phone.engine.records(None, 1).unwrap()[0].id;
        call(move |engine| engine.withdraw(id, Some("a slip".into())))
    }),
    ("a refused one taken back", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.withdraw(id, None))
    }),
    ("a refused one once more", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.retry(id))
    }),
    ("a refused one corrected", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.resend(id, &Correction::Amount(kes(5))))
    }),
    ("a refused one accepted", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.accept(id))
    }),
    ("a reply", |phone| {
        let request = phone.request();
        let mut reply = applied(&request, 70, vec![balance(1, 5), balance(2, 9)], 71);
        reply.results[1].answer = refusal();
        let body = serde_json::to_vec(&reply).unwrap();
        Box::new(move |phone| {
            let reply = Reply { status: 200, protocol: Some("1".into()), body, ..Reply::default() };
            phone.drainer.reply(Ok(reply)).map(drop).ok_or_else(|| "not settled".to_owned())
        })
    }),
];

fn refusal() -> Answer {
    Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no customer".into() }
}

/// A folder with a rider's morning: settled, refused and pending records.
fn morning(folder: &Path) {
    let mut phone = Phone::with_plant(folder);
    phone.engine.start_shift(Some(north())).unwrap();
    phone.engine.load_stock(&[stock(40, 0)]).unwrap();
    phone.engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap();
    phone.engine.collect_cash(customer(9), kes(300)).unwrap();
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![balance(1, 55_000)], 54);
    reply.results[3].answer = refusal();
    phone.reply(&reply);
    phone.engine.confirm_delivery(customer(2), &[line(1, 0)], None, &[]).unwrap();
    phone.engine.collect_cash(customer(1), kes(45_000)).unwrap();
}

/// The folder's phone on `disk`. What it makes up is new, and the same each time.
fn phone_on(disk: &Disk, folder: &Path) -> Phone {
    let clock = Arc::new(TestClock::default());
    Phone::open(&Options { clock: clock.clone(), ..options_on(disk, folder) }, clock)
}

fn options_on(disk: &Disk, folder: &Path) -> Options {
    let random = Counter::default();
    (0..1_000).for_each(|_| random.fill(&mut [0; 1]).unwrap());
    Options { random: Arc::new(random), vfs: Some(disk.vfs_name().into()), ..options(folder) }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
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
        (status.pending, status.pending_bytes, status.attention, status.photos),
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
    phone.engine.collect_cash(customer(7), kes(1)).unwrap();
    assert_eq!(phone.pending(), pending + 1);
}

/// Lets `ready`'s call meet the fault at each of its file operations in turn. Returns how many calls failed.
fn each_operation_fails(prepared: &Path, name: &str, ready: Ready, fault: Fault, lasting: bool) -> u32 {
    let disk = Disk::new().unwrap();
    let (before, after) = {
        let folder = copied(prepared);
        let mut phone = phone_on(&disk, folder.path());
        let call = ready(&mut phone);
        let before = shown(&phone.engine);
        call(&mut phone).unwrap();
        (before, shown(&phone.engine))
    };
    assert_ne!(before, after, "{name} has no effect");
    let mut failed = 0;
    for n in 1.. {
        let story = format!("{name}, {fault:?} at operation {n}, lasting: {lasting}");
        let folder = copied(prepared);
        let mut phone = phone_on(&disk, folder.path());
        let call = ready(&mut phone);
        let ops = disk.ops();
        disk.fail_at(n, fault, lasting);
        let result = call(&mut phone);
        let is_past = disk.ops() - ops < n;
        disk.heal();
        let expected = if result.is_ok() { &after } else { &before };
        assert_eq!(&shown(&phone.engine), expected, "{story}: {result:?}");
        failed += u32::from(result.is_err());
        // A commit that failed because it could not be made durable may be there when the file is read anew.
        drop(phone);
        let phone = phone_on(&disk, folder.path());
        let reopened = shown(&phone.engine);
        assert!(reopened == after || result.is_err() && reopened == before, "{story}: {result:?} {reopened}");
        assert_sound(folder.path());
        assert_records(&phone);
        if is_past {
            assert!(result.is_ok(), "{story}: {result:?}");
            return failed;
        }
    }
    failed
}

fn everything_fails(fault: Fault, lasting: bool) -> u32 {
    let prepared = temporary();
    morning(prepared.path());
    CALLS
        .iter()
        .map(|(name, ready)| each_operation_fails(prepared.path(), name, *ready, fault, lasting))
        .sum()
}

#[test]
fn a_passing_io_error_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::Io, false) > 100);
}

#[test]
fn a_lasting_io_error_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::Io, true) > 100);
}

#[test]
fn a_torn_write_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::TornIo, false) > 100);
}

#[test]
fn a_full_disk_at_any_operation_leaves_all_or_nothing() {
    // One full write is helped by the reserve.
    assert_eq!(everything_fails(Fault::Full, false), 0);
    assert!(everything_fails(Fault::Full, true) > 100);
}

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

#[test]
fn opening_on_a_disk_that_fails_at_any_operation_changes_nothing() {
    let prepared = temporary();
    morning(prepared.path());
    let shown_in = |folder: &Path| shown(&phone_on(&Disk::new().unwrap(), folder).engine);
    let expected = shown_in(copied(prepared.path()).path());
    let disk = Disk::new().unwrap();
    // As a clean end leaves it, without the WAL's index, and with a reserve to be filled up.
    for (what, prepare) in [
        ("as it was", (|_| ()) as fn(&Path)),
        ("without an index", |folder| fs::remove_file(format!("{}-shm", file(folder).display())).unwrap()),
        ("without a reserve", |folder| {
            raw(&file(folder)).execute_batch("PRAGMA incremental_vacuum").unwrap()
        }),
    ] {
        for (fault, lasting) in
            [(Fault::Io, false), (Fault::Io, true), (Fault::TornIo, true), (Fault::Full, true)]
        {
            let mut n = 1;
            loop {
                let folder = copied(prepared.path());
                prepare(folder.path());
                let ops = disk.ops();
                disk.fail_at(n, fault, lasting);
                let opened = Engine::open(&options_on(&disk, folder.path())).map(drop);
                let is_past = disk.ops() - ops < n;
                disk.heal();
                let story = format!("{what}, {fault:?} at operation {n}, lasting: {lasting}: {opened:?}");
                assert_eq!(shown_in(folder.path()), expected, "{story}");
                assert_sound(folder.path());
                if is_past {
                    assert!(opened.is_ok(), "{story}");
                    break;
                }
                // Filling the reserve up is a thousand writes, each as good as the next.
                n += 1 + n / 20;
            }
        }
    }
}
