//! A copy of a running plant, and the plant that goes on from it: nothing that phones hold is lost or counts twice.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod program;

use carboy_protocol::wire::{FeedItem, Refusal, SyncRequest};
use carboy_protocol::{ActorId, Field};
use carboy_server::Server;
use carboy_server::backup::{backup, restore};
use carboy_server::store::{Location, Store};
use common::{Phone, World, world};
use program::{PROGRAM, enrol_rider, patience, pays, seed, serve_with};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The same plant after its backup was restored elsewhere.
fn restored(world: World, file: &Path) -> World {
    let folder = tempfile::tempdir().unwrap();
    restore(file, folder.path()).unwrap();
    assert_eq!(names(folder.path()), ["carboy.db"]);
    let location = Location::Sqlite(folder.path().join("carboy.db"));
    let store = Store::open(&location).unwrap();
    let server = Arc::new(Server::over(store, world.clock.clone(), world.random.clone()));
    World { folder, location, server, ..world }
}

/// Sends all that the server lacks, as it asks for it.
fn drain(phone: &mut Phone, world: &World) {
    if let Err(Refusal::Gap { expected }) = phone.try_sync(world) {
        phone.settled = usize::try_from(expected).unwrap() - 1;
    }
    phone.sync(world);
}

#[test]
fn a_restored_server_gets_again_what_phones_hold_and_counts_nothing_twice() {
    let world = world();
    let (mut first, mut second) = (world.phone(), world.phone());
    first.record(world.cash(1));
    first.sync(&world);
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("copy");
    backup(world.folder.path(), &file).unwrap();
    // Both are ahead of the backup; the second had not even been heard of.
    for minor in [10, 100] {
        first.record(world.cash(minor));
        second.record(world.cash(minor * 1_000));
        first.sync(&world);
        second.sync(&world);
    }
    first.record(world.cash(5));
    let world = restored(world, &file);
    assert_eq!(world.ledger(), [-1]);
    drain(&mut first, &world);
    drain(&mut second, &world);
    let mut ledger = world.ledger();
    ledger.sort_unstable();
    assert_eq!(ledger, [-100_000, -10_000, -100, -10, -5, -1]);
    assert_eq!(world.balance(), ledger.iter().sum::<i64>());
    for phone in [&mut first, &mut second] {
        assert!(phone.try_sync(&world).unwrap().results.is_empty());
    }
}

#[test]
fn a_phone_that_had_read_what_was_lost_reads_the_feed_anew_however_far_the_server_has_come_since() {
    let world = world();
    let phone = world.phone();
    let (_, cursors) = world.feed(&phone, 0);
    let before = cursors[cursors.len() - 1];
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("copy");
    backup(world.folder.path(), &file).unwrap();
    for n in 0..5 {
        world.act(&world.edit(Field::Phone, &format!("lost {n}")));
    }
    let (_, cursors) = world.feed(&phone, before);
    let lost = cursors[cursors.len() - 1];
    let shown = |world: &World, cursor| {
        let (items, cursors) = world.feed(&phone, cursor);
        let mut profiles = items.into_iter().filter_map(|item| match item {
            FeedItem::Customer { profile, .. } => profile,
            _ => None,
        });
        let profile = profiles.next_back().unwrap_or_else(|| panic!("nothing behind {cursor}"));
        (profile.shown(Field::Phone).unwrap().to_owned(), cursors[cursors.len() - 1])
    };
    // Twice set back, and further on than the phone had seen.
    let mut world = world;
    for _ in 0..2 {
        world = restored(world, &file);
        // The customer has not changed since: all the same the phone must not show what was lost.
        assert_eq!(shown(&world, lost).0, "0700");
        for n in 0..8 {
            world.act(&world.edit(Field::Note, &format!("new {n}")));
        }
        for cursor in [lost, before, 0] {
            assert_eq!(shown(&world, cursor).0, "0700", "{cursor}");
        }
        // Who is up to date with the plant as it is now gets nothing again.
        let request = SyncRequest { cursor: shown(&world, 0).1, ..phone.request(1, 0) };
        assert!(world.server.handle_sync(&phone.auth, &request).unwrap().feed.is_empty());
    }
}

#[test]
fn nothing_is_overwritten_and_what_is_no_whole_backup_is_refused() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let (good, empty) = (folder.path().join("good"), folder.path().join("empty"));
    backup(world.folder.path(), &good).unwrap();
    std::fs::create_dir(&empty).unwrap();
    let bytes = std::fs::read(&good).unwrap();
    let said = |result: Result<(), carboy_server::backup::BackupError>| result.unwrap_err().to_string();

    assert_eq!(said(backup(world.folder.path(), &good)), format!("{} exists already", good.display()));
    assert_eq!(std::fs::read(&good).unwrap(), bytes);
    let live = world.folder.path().join("carboy.db");
    assert_eq!(said(restore(&good, world.folder.path())), format!("{} exists already", live.display()));
    assert!(said(backup(&empty, &folder.path().join("of nothing"))).starts_with("no plant in "));

    let changed = |name: &str, change: &dyn Fn(&Path)| {
        let file = folder.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        change(&file);
        said(restore(&file, &empty))
    };
    let sql = |sql: &'static str| {
        move |file: &Path| {
            rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
        }
    };
    let damaged = |said: &str| assert!(said.contains("is damaged or no backup of a plant: "), "{said}");
    damaged(&changed("half", &|file| std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap()));
    damaged(&changed("text", &|file| std::fs::write(file, "no database").unwrap()));
    damaged(&changed("nothing", &|file| std::fs::write(file, "").unwrap()));
    damaged(&changed("holed", &|file| {
        let mut bytes = bytes.clone();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0xa5);
        std::fs::write(file, bytes).unwrap();
    }));
    damaged(&changed("other", &sql("PRAGMA foreign_keys = off; DROP TABLE plants")));
    let newer = changed("newer", &sql("PRAGMA user_version = 99"));
    assert_eq!(newer, "the database has schema version 99, newer than 1: update the server");
    assert!(said(restore(&folder.path().join("gone"), &empty)).contains("No such file"));
    assert_eq!(names(&empty), Vec::<String>::new(), "nothing is left of what was refused");
    restore(&good, &empty).unwrap();
}

fn command(name: &str, data: &Path, file: &Path) {
    let output = patience::output(Command::new(PROGRAM).args([name, "--data"]).arg(data).arg(file));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_backup_under_load_and_a_server_killed_and_restored_lose_nothing_that_phones_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (data, again) = (folder.path().join("data"), folder.path().join("again"));
    let sample = Arc::new(seed(&data));
    let mut running = serve_with(&data, &["--log-filter", "warn"]);
    let total = Arc::new(AtomicU64::new(0));
    let tokens: Vec<_> = (0..3).map(|rider| enrol_rider(&running, &sample, rider)).collect();
    let work = |address: &str, seqs: &[u64]| {
        let riders = tokens.iter().zip((0..).zip(seqs.iter().copied())).map(|(token, (rider, seq))| {
            let (address, token, sample, total) =
                (address.to_owned(), token.clone(), sample.clone(), total.clone());
            std::thread::spawn(move || pays(&address, &token, &sample, rider, seq, &total))
        });
        riders.collect::<Vec<_>>()
    };
    let reached = |count| patience::until("so many payments", || total.load(Ordering::SeqCst) >= count);
    let riders = work(&running.address, &[1, 1, 1]);
    reached(20);
    command("backup", &data, &folder.path().join("copy"));
    // They are ahead of the backup.
    reached(total.load(Ordering::SeqCst) + 20);
    running.process.kill().unwrap();
    let acknowledged: Vec<_> = riders.into_iter().map(|rider| rider.join().unwrap()).collect();

    command("restore", &again, &folder.path().join("copy"));
    let mut running = serve_with(&again, &["--log-filter", "warn"]);
    let next: Vec<_> = acknowledged.iter().map(|seq| seq + 1).collect();
    let riders = work(&running.address, &next);
    // As many again as the phones had sent: all that was lost has come, and more.
    reached(2 * total.load(Ordering::SeqCst) + 20);
    running.signal("-TERM");
    assert!(running.ended().success());
    let conn = rusqlite::Connection::open(again.join("carboy.db")).unwrap();
    let mut sum = 0;
    for (rider, (rider_thread, before)) in (0..).zip(riders.into_iter().zip(acknowledged)) {
        let last = rider_thread.join().unwrap();
        assert!(last > before, "rider {rider} went on");
        let sql = "SELECT next_seq - 1 FROM actors WHERE actor = ?1";
        let actor = *ActorId::from_bytes([rider + 1; 16]).as_bytes();
        assert_eq!(conn.query_row(sql, [actor], |row| row.get::<_, u64>(0)).unwrap(), last);
        sum += last;
    }
    let sql = "SELECT count(*) FROM ledger WHERE kind = 'collect_cash'";
    assert_eq!(conn.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap(), sum);
}
