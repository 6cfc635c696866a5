//! The server is killed again and again under load.

use crate::client::{Client, Dice, Heard, assert_kept, clients};
use crate::common::{Engine, World, world_on};
use crate::patience::until;
use crate::process::{Process, serve};
use carboy_server::store::{Location, Store};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const KILLS: usize = 100;

/// Records and sends, to whichever server runs, until it is told to end.
fn work(client: &mut Client, mut dice: Dice, address: &Mutex<String>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        client.tap(dice.roll(8));
        let to = address.lock().unwrap().clone();
        if client.send_some(&to, &mut dice) == Heard::Nothing {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Kills the server a random moment after it has settled more than before, and starts the next one.
fn kill_often(
    location: &Location,
    mut server: Process,
    address: &Mutex<String>,
    settled: impl Fn() -> usize,
) {
    let mut dice = Dice::new(100);
    for kill in 0..KILLS {
        let enough = settled() + dice.roll(30);
        until("the load goes on", || settled() > enough);
        thread::sleep(Duration::from_micros(dice.roll(10_000) as u64));
        server.kill9();
        server = serve(location);
        address.lock().unwrap().clone_from(&server.address);
        assert!(settled() > kill);
    }
    let enough = settled();
    until("the last one serves", || settled() > enough);
}

fn a_killed_server_keeps_its_word(world: World) -> (Location, tempfile::TempDir) {
    let (mut clients, tally) = clients(&world, 4, 1);
    let World { server, location, folder, .. } = world;
    // Nobody else holds the database open: each new server finds what the killed one left.
    drop(server);
    let process = serve(&location);
    let (address, is_over) = (Mutex::new(process.address.clone()), AtomicBool::new(false));
    thread::scope(|scope| {
        for (seed, client) in (0..).zip(&mut clients) {
            let (address, is_over) = (&address, &is_over);
            scope.spawn(move || work(client, Dice::new(seed), address, is_over));
        }
        let killing = scope.spawn(|| kill_often(&location, process, &address, || tally.settled())).join();
        is_over.store(true, Ordering::SeqCst);
        killing.unwrap();
    });
    assert_kept(&Store::open(&location).unwrap(), &clients);
    (location, folder)
}

#[test]
fn a_server_on_sqlite_that_is_killed_a_hundred_times_keeps_what_it_acknowledged() {
    let (location, _folder) = a_killed_server_keeps_its_word(world_on(Engine::Sqlite));
    let Location::Sqlite(path) = location else { panic!("{location:?}") };
    let conn = rusqlite::Connection::open(path).unwrap();
    assert_eq!(conn.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_server_on_postgresql_that_is_killed_a_hundred_times_keeps_what_it_acknowledged() {
    a_killed_server_keeps_its_word(world_on(Engine::Postgres));
}
