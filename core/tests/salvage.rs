//! A damaged file is never deleted, and what can be read of its outbox goes on in a new one.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{Attention, DeliveredLine, Engine, Error};
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{Dot, Field};
#[cfg(not(feature = "encryption"))]
use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use support::*;

const PAGE: u64 = 4_096;

/// How many records wait in [`a_day`].
const WAITING: usize = 300;

/// A phone with settled, refused and waiting records.
fn a_day(folder: &Path) -> Phone {
    let mut phone = Phone::with_plant(folder);
    for n in 1..=40 {
        phone.engine.collect_cash(customer(3), kes(n)).unwrap();
    }
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![balance(3, 9_181)], 91);
    reply.results[39].answer = Answer::Rejected { reason: Rejection::Forbidden, detail: "not yours".into() };
    phone.reply(&reply);
    let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 1 };
    let engine = &phone.engine;
    for n in 0..WAITING / 3 {
        // Each at its own time, as taps are.
        phone.clock.advance(std::time::Duration::from_secs(1));
        engine
            .confirm_delivery(customer(1), std::slice::from_ref(&line), Some(format!("slip {n}")), &[])
            .unwrap();
        engine.collect_cash(customer(1), kes(100)).unwrap();
        engine.update_profile(customer(2), [(Field::Note, format!("note {n}"))].into()).unwrap();
    }
    phone
}

/// What waits in the file, in its order.
fn waiting(file: &Path) -> Vec<String> {
    let connection = raw(file);
    let mut query = connection
        .prepare("SELECT body FROM record WHERE id > (SELECT settled_id FROM meta) ORDER BY id")
        .unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// What the phone sends, in its order.
fn sent(phone: &mut Phone) -> Vec<String> {
    let mut bodies = Vec::new();
    while phone.pending() > 0 {
        let request = phone.request();
        bodies.extend(request.mutations.iter().map(|body| body.get().to_owned()));
        phone.reply(&applied(&request, 100, vec![], 99));
    }
    bodies
}

/// Writes over the bytes of a file from `at` on.
fn destroy(file: &Path, at: u64, bytes: u64) {
    let mut file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(bytes).unwrap()]).unwrap();
}

/// The pages of a table, in its order.
fn pages(file: &Path, table: &str, kind: &str) -> Vec<u64> {
    let connection = raw(file);
    let mut query = connection
        .prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path")
        .unwrap();
    query.query_map([table, kind], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn destroy_page(file: &Path, page: u64) {
    destroy(file, (page - 1) * PAGE, PAGE);
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// The damaged databases that were set aside.
fn aside(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_database = |path: &PathBuf| {
        path.to_str().unwrap().rsplit_once("-damaged-").is_some_and(|(_, end)| end.parse::<u64>().is_ok())
    };
    let mut found: Vec<_> = names.filter(is_database).collect();
    found.sort();
    found
}

/// What the rider is told about the file, if anything.
fn told(phone: &Phone) -> Option<String> {
    phone.engine.attention(0, 100).unwrap().into_iter().find_map(|item| match item {
        Attention::FileDamaged { detail } => Some(detail),
        _ => None,
    })
}

/// What a killed process leaves of the folder.
fn crash_image(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_page_that_cannot_be_read_takes_no_more_than_what_is_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    drop(a_day(folder.path()));
    let before = waiting(&file);
    let actor: Vec<u8> = raw(&file).query_row("SELECT actor FROM meta", [], |row| row.get(0)).unwrap();
    let leaves = pages(&file, "record", "leaf");
    destroy_page(&file, leaves[leaves.len() / 2]);
    fs::write(beside(&file, "-suspect"), "").unwrap();
    let damaged = fs::read(&file).unwrap();

    let mut phone = Phone::empty(folder.path());
    assert_eq!(
        aside(folder.path()).iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>(),
        [damaged]
    );
    let detail = told(&phone).unwrap();
    let saved = usize::try_from(phone.pending()).unwrap();
    assert!(saved < WAITING && saved > WAITING - 40, "{detail}");
    assert!(
        detail.starts_with(&format!("{saved} unsent records saved, {} known to be missing", WAITING - saved)),
        "{detail}"
    );
    assert_eq!(phone.refused()[0].reason, "forbidden");
    // What was settled is this history's past; what is sent are the very bytes.
    let parent = phone.request().parent.unwrap();
    assert_eq!((parent.actor.as_bytes().to_vec(), parent.seq), (actor, 40));
    let sent = sent(&mut phone);
    assert_eq!(sent.len(), saved);
    let mut rest = before.iter();
    assert!(sent.iter().all(|body| rest.any(|other| other == body)), "in their order");
    phone.engine.accept(0).unwrap();
    assert_eq!(told(&phone), None);
}

#[test]
fn what_was_saved_shows_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    let phone = a_day(folder.path());
    let id = phone.engine.collect_cash(customer(5), kes(700)).unwrap().id;
    phone.engine.withdraw(id, None).unwrap();
    let added =
        phone.engine.add_customer([(Field::Name, "Corner Kiosk".into())].into(), None).unwrap().customer;
    let cash = phone.engine.day().unwrap().cash_in_hand;
    let unsettled = phone.engine.customer(customer(1)).unwrap().unsettled;
    drop(phone);
    destroy_page(&file, pages(&file, "customer_name", "leaf")[0]);
    fs::write(beside(&file, "-suspect"), "").unwrap();
    let phone = Phone::empty(folder.path());
    assert_eq!(phone.pending(), WAITING as u64 + 3);
    assert_eq!(phone.engine.customer(customer(1)).unwrap().unsettled, unsettled);
    assert_eq!(phone.engine.customer(customer(5)).unwrap().unsettled, kes(0));
    assert_eq!(phone.engine.customer(customer(2)).unwrap().note, format!("note {}", WAITING / 3 - 1));
    assert_eq!(phone.engine.customers("corner", None, 9).unwrap()[0].customer, added.customer);
    assert_eq!(phone.engine.day().unwrap().cash_in_hand, cash);
}

#[test]
#[cfg(not(feature = "encryption"))]
fn without_its_first_page_all_records_are_found_in_the_raw_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    drop(a_day(folder.path()));
    let before = waiting(&file);
    destroy_page(&file, 1);
    let mut phone = Phone::empty(folder.path());
    assert!(told(&phone).unwrap().contains("how many are missing is not known"), "{:?}", told(&phone));
    // Settled ones come back as duplicates: nothing tells them apart any more.
    let sent = sent(&mut phone);
    assert_eq!(sent.len(), 40 + WAITING);
    assert_eq!(sent[40..], before);
    assert_eq!(aside(folder.path()).len(), 1);
}

#[test]
#[cfg(not(feature = "encryption"))]
fn a_truncated_file_gives_what_is_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    drop(a_day(folder.path()));
    let before = waiting(&file);
    let mut leaves = pages(&file, "record", "leaf");
    leaves.sort_unstable();
    // Half of the leaves, with about half of the records.
    let cut = leaves[leaves.len() / 2];
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(cut * PAGE + 100).unwrap();
    let mut phone = Phone::empty(folder.path());
    let detail = told(&phone).unwrap();
    let sent: BTreeSet<String> = sent(&mut phone).into_iter().collect();
    let found = before.iter().filter(|body| sent.contains(*body)).count();
    assert!(found > WAITING / 3, "{found} found: {detail}");
}

#[test]
fn a_file_of_garbage_is_set_aside_and_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    drop(a_day(folder.path()));
    for round in 1..=2 {
        // Encrypted, the first bytes tell that the file is ours; the rest is noise either way.
        let from = if cfg!(feature = "encryption") { 16 } else { 0 };
        let length = fs::metadata(&file).unwrap().len();
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(beside(&file, suffix)));
        }
        destroy(&file, from, length - from);
        let mut phone = Phone::empty(folder.path());
        assert!(told(&phone).unwrap().starts_with("0 unsent records saved"), "{:?}", told(&phone));
        assert_eq!(aside(folder.path()).len(), round);
        phone.fetch(plant(), 50);
        phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    }
}

#[test]
#[cfg(not(feature = "encryption"))]
fn records_of_a_destroyed_wal_are_found_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let phone = a_day(folder.path());
    let before = waiting(phone.engine.file());
    let killed = crash_image(folder.path());
    drop(phone);
    let file = file(killed.path());
    let wal = beside(&file, "-wal");
    // SQLite reads nothing of a WAL without its header, and says nothing.
    destroy(&wal, 0, 32);
    let mut phone = Phone::empty(killed.path());
    assert!(told(&phone).is_some());
    assert!(sent(&mut phone).ends_with(&before));
    let kept = beside(&aside(killed.path())[0], "-wal");
    assert_eq!(fs::read(kept).unwrap()[..32], [0xa5; 32]);
}

#[test]
#[cfg(not(feature = "encryption"))]
fn a_wal_without_its_database_is_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let phone = a_day(folder.path());
    let before = waiting(phone.engine.file());
    let killed = crash_image(folder.path());
    drop(phone);
    fs::write(file(killed.path()), "").unwrap();
    let mut phone = Phone::empty(killed.path());
    assert!(sent(&mut phone).ends_with(&before));
}

#[test]
fn damage_met_while_recording_is_dealt_with_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let phone = a_day(folder.path());
    let path = phone.engine.file().to_owned();
    drop(phone);
    let leaves = pages(&path, "record", "leaf");
    let phone = Phone::empty(folder.path());
    // On disk and not in the page cache.
    destroy_page(&path, leaves[leaves.len() / 2]);
    let met = phone.engine.records(None, 1_000).unwrap_err();
    assert!(matches!(met, Error::Damaged(_)), "{met:?}");
    assert!(beside(&path, "-suspect").exists());
    drop(phone);
    let phone = Phone::empty(folder.path());
    assert!(told(&phone).is_some());
    assert!(phone.pending() > 200);
    assert!(!beside(&path, "-suspect").exists());
    // A sound file is no longer suspect once it was looked at.
    fs::write(beside(&path, "-suspect"), "").unwrap();
    drop(phone);
    assert!(Phone::empty(folder.path()).pending() > 200);
    assert!(!beside(&path, "-suspect").exists());
    assert_eq!(aside(folder.path()).len(), 1);
}

#[test]
fn a_salvage_cut_short_anywhere_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    drop(a_day(folder.path()));
    let before = waiting(&path);
    destroy_page(&path, pages(&path, "customer_name", "leaf")[0]);
    fs::write(beside(&path, "-suspect"), "").unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::write(beside(&path, suffix), [0; 64]).unwrap();
    }
    let done = crash_image(folder.path());
    drop(Phone::empty(done.path()));
    let set_aside = aside(done.path())[0].clone();
    let name = |suffix: &str| beside(&file(folder.path()), suffix);
    let damaged = set_aside.file_name().unwrap();
    // The steps, each as a crash leaves the folder behind it.
    let steps: [&dyn Fn(); 5] = [
        &|| fs::write(name("-part"), "half of a file").unwrap(),
        &|| {
            fs::copy(file(done.path()), name("-part")).unwrap();
            fs::rename(name("-part"), name("-new")).unwrap();
        },
        &|| fs::rename(name(""), folder.path().join(damaged)).unwrap(),
        &|| fs::rename(name("-wal"), beside(&folder.path().join(damaged), "-wal")).unwrap(),
        &|| fs::rename(name("-shm"), beside(&folder.path().join(damaged), "-shm")).unwrap(),
    ];
    for (number, step) in steps.iter().enumerate() {
        step();
        let crashed = crash_image(folder.path());
        let mut phone = Phone::empty(crashed.path());
        assert_eq!(sent(&mut phone), before, "after step {number}");
        assert_eq!(aside(crashed.path()).len(), 1, "after step {number}");
        let left: Vec<_> = ["-part", "-new", "-suspect"]
            .into_iter()
            .filter(|end| beside(&file(crashed.path()), end).exists())
            .collect();
        assert_eq!(left, [""; 0], "after step {number}");
    }
}

#[test]
fn photos_of_a_damaged_store_are_sent_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    let mut phone = Phone::with_plant(folder.path());
    let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 0 };
    for content in ["settled", "waiting"] {
        let photo = folder.path().join("photo.jpg");
        fs::write(&photo, content).unwrap();
        phone.engine.confirm_delivery(customer(1), std::slice::from_ref(&line), None, &[&photo]).unwrap();
        if content == "settled" {
            let request = phone.request();
            phone.reply(&applied(&request, 60, vec![], 60));
        }
    }
    drop(phone);
    destroy_page(&path, pages(&path, "photo", "leaf")[0]);
    fs::write(beside(&path, "-suspect"), "").unwrap();
    let phone = Phone::empty(folder.path());
    assert_eq!((phone.pending(), phone.engine.status().unwrap().photos), (1, 2));
    drop(phone);
    // And they stay when it is opened again.
    assert_eq!(fs::read_dir(path.with_extension("photos")).unwrap().count(), 2);
}

#[test]
fn a_file_too_short_to_be_a_store_is_set_aside() {
    for length in [1, 15, 16, 500] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file(folder.path()), vec![7; length]).unwrap();
        let phone = Phone::empty(folder.path());
        assert!(told(&phone).is_some());
        assert_eq!(fs::read(&aside(folder.path())[0]).unwrap().len(), length);
    }
}

#[test]
fn numbers_that_no_version_writes_are_damage_and_do_not_keep_the_file_shut() {
    for sql in [
        "PRAGMA user_version = -1",
        "PRAGMA user_version = 0",
        "UPDATE meta SET last_id = settled_id - 1",
        "UPDATE meta SET last_id = last_id - 1",
        "UPDATE meta SET base = settled_id + 1",
        "UPDATE meta SET cursor = -1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        drop(a_day(folder.path()));
        raw(&file(folder.path())).execute_batch(sql).unwrap();
        let phone = Phone::empty(folder.path());
        assert!(told(&phone).is_some(), "{sql}");
        assert_eq!(aside(folder.path()).len(), 1, "{sql}");
        phone.engine.hand_in_cash(kes(5), None).unwrap();
    }
}

#[test]
fn a_header_that_no_version_of_sqlite_writes_does_not_keep_the_file_shut() {
    // The version for writing, the version for reading, the schema's format ("Database File Format", §1.3).
    for (place, byte) in [(19, 5), (18, 5), (47, 9)] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        drop(a_day(folder.path()));
        raw(&path).execute_batch("PRAGMA wal_checkpoint(truncate)").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[place] = byte;
        fs::write(&path, bytes).unwrap();
        let phone = Phone::empty(folder.path());
        assert!(told(&phone).is_some(), "{place}");
        assert_eq!(aside(folder.path()).len(), 1, "{place}");
        phone.engine.hand_in_cash(kes(5), None).unwrap();
    }
}

#[test]
fn what_is_not_damage_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    drop(a_day(folder.path()));
    type Refused = fn(&Error) -> bool;
    let cases: [(&str, Refused); 4] = [
        ("PRAGMA user_version = 99", |error| matches!(error, Error::NewerSchema { .. })),
        ("PRAGMA user_version = 1; PRAGMA application_id = 5", |error| matches!(error, Error::NotAStore(_))),
        ("PRAGMA user_version = 0; PRAGMA application_id = 0", |error| matches!(error, Error::NotAStore(_))),
        (
            "PRAGMA user_version = 1; PRAGMA application_id = 0x43426f79; UPDATE meta SET account = zeroblob(16)",
            |error| matches!(error, Error::WrongAccount { .. }),
        ),
    ];
    for (sql, is_refused) in cases {
        raw(&path).execute_batch(sql).unwrap();
        fs::write(beside(&path, "-suspect"), "").unwrap();
        let before = fs::read(&path).unwrap();
        let refused = Engine::open(&options(folder.path())).err().unwrap();
        assert!(is_refused(&refused), "{sql}: {refused:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "{sql}");
        assert!(aside(folder.path()).is_empty(), "{sql}");
    }
}

#[test]
fn a_history_that_was_salvaged_twice_names_what_it_continues() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    drop(a_day(folder.path()));
    let settled = |path: &Path| -> Dot {
        raw(path)
            .query_row("SELECT parent_actor, parent_seq FROM meta", [], |row| {
                Ok(Dot { actor: carboy_protocol::ActorId::from_bytes(row.get(0)?), seq: row.get(1)? })
            })
            .unwrap()
    };
    let mut parents = Vec::new();
    for round in 1..=2 {
        destroy_page(&path, pages(&path, "customer_name", "leaf")[0]);
        fs::write(beside(&path, "-suspect"), "").unwrap();
        let phone = Phone::empty(folder.path());
        assert_eq!(phone.pending(), WAITING as u64);
        assert_eq!(aside(folder.path()).len(), round);
        drop(phone);
        parents.push(settled(&path));
    }
    // Nothing was settled in between: it still continues the first.
    assert_eq!(parents[0], parents[1]);
    let detail = told(&Phone::empty(folder.path())).unwrap();
    assert_eq!(detail.matches("unsent records saved").count(), 2, "{detail}");
}
