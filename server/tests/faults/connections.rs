//! The pool of connections to PostgreSQL: what is in it is fit for use, whatever happened to it.

use crate::client::{Client, Heard, assert_kept, clients, rows};
use crate::common::postgres::Cluster;
use crate::common::{Engine, Phone, World, kes, world_on};
use crate::patience::PATIENCE;
use crate::process::serve;
use crate::wire::Wire;
use carboy_protocol::wire::{Refusal, SyncRequest};
use carboy_protocol::*;
use carboy_server::Error;
use carboy_server::store::{Location, Store};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn count(world: &World, sql: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {sql}");
    rows::<(u64,)>(world.server.store(), &sql)[0].0
}

/// A request of each kind that is refused, wholly or in part.
fn bad(phone: &Phone, n: usize) -> SyncRequest {
    let mut other = phone.clone();
    match n {
        0 => {
            other.outbox[0] = other.outbox[0].replace("\"v\":1", "\"v\":1 ");
            other.request(1, 1)
        }
        1 => SyncRequest { first_seq: 0, ..phone.request(1, 1) },
        2 => phone.signed(SyncRequest { first_seq: 90, last_seq: 99, ..phone.request(1, 1) }),
        3 => SyncRequest {
            signature: phone.key.sign_head(phone.actor, 9, phone.hash(1)),
            ..phone.request(1, 1)
        },
        4 => phone.signed(SyncRequest { last_seq: 0, mutations: vec![], ..phone.request(1, 0) }),
        _ => {
            let next = phone.next_seq();
            other.record(Action::CollectCash { customer: CustomerId::from_bytes([9; 16]), amount: kes(1) });
            phone.signed(SyncRequest { head: phone.hash(1), ..other.request(next, 1) })
        }
    }
}

/// Requests of one phone, good and bad in turn; how many were refused.
fn hammer(world: &World, phone: &mut Phone) -> usize {
    let unreadable = "a\0b".to_owned();
    let (customer, reason) = (world.customer, FailReason::Closed);
    let mut refused = 0;
    for n in 0..125 {
        match n % 8 {
            0 => {
                phone.record(world.cash(1));
                phone.sync(world);
            }
            1 => {
                // PostgreSQL takes no such text: this one is rejected, and what is beside it is not.
                phone.record(Action::FailDelivery { customer, reason, note: Some(unreadable.clone()) });
                phone.record(world.cash(1));
                phone.sync(world);
            }
            n => {
                let refusal = world.server.handle_sync(&phone.auth, &bad(phone, n - 2)).unwrap_err();
                assert!(!matches!(refusal, Refusal::Internal | Refusal::Busy), "{n}: {refusal:?}");
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn after_a_thousand_good_and_bad_requests_no_transaction_is_open_and_the_next_one_is_served() {
    let world = world_on(Engine::Postgres);
    let riders = (0..8).map(|n| world.server.create_rider(world.plant, &format!("Rider {n}")).unwrap());
    let mut phones: Vec<_> = riders.map(|rider| world.phone_of(&rider)).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = phones.iter_mut().map(|phone| scope.spawn(|| hammer(&world, phone))).collect();
        assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>(), 8 * 93);
    });
    assert_eq!(count(&world, "state LIKE 'idle in transaction%'"), 0);
    assert!(count(&world, "backend_type = 'client backend'") <= 16);
    let collected = world.balance();
    phones[0].record(world.cash(5));
    phones[0].sync(&world);
    assert_eq!((collected, world.balance()), (-8 * 32, -8 * 32 - 5));
}

#[test]
fn fifty_requests_behind_a_lock_that_is_held_too_long_are_told_to_come_back() {
    let world = world_on(Engine::Postgres);
    let server = serve(&world.location);
    let (mut phones, _) = clients(&world, 50, 1);
    let send = |client: &mut Client| client.send(&server.address, 0, 1);
    let (locked, is_locked) = mpsc::channel();
    let (release, is_released) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let world = &world;
        let holder = scope.spawn(move || {
            world.server.store().write(world.plant, |_| {
                locked.send(()).unwrap();
                is_released.recv_timeout(PATIENCE).unwrap();
                Ok(())
            })
        });
        is_locked.recv_timeout(PATIENCE).unwrap();
        let heard: Vec<_> = phones.iter_mut().map(|client| scope.spawn(|| send(client))).collect();
        assert!(heard.into_iter().all(|thread| thread.join().unwrap() == Heard::Busy));
        release.send(()).unwrap();
        holder.join().unwrap().unwrap();
    });
    assert!(phones.iter_mut().all(|client| send(client) == Heard::Settled));
    assert_kept(world.server.store(), &phones);
}

#[test]
fn a_schema_that_changes_under_a_running_server_costs_at_most_a_503() {
    let world = world_on(Engine::Postgres);
    let mut phone = world.phone();
    phone.record(world.cash(1));
    phone.sync(&world);
    let other = Store::open(&world.location).unwrap();
    other.write(world.plant, |tx| tx.run("ALTER TABLE customers ALTER COLUMN closed TYPE INTEGER")).unwrap();
    phone.record(world.cash(1));
    let first = phone.try_sync(&world);
    assert!(matches!(first, Ok(_) | Err(Refusal::Busy)), "{first:?}");
    phone.sync(&world);
    assert_eq!(world.balance(), -2);
}

/// Has `count` connections open at once.
fn use_connections(store: &Store, count: usize) -> Result<(), Error> {
    store.read(|tx| {
        tx.run("SELECT 1")?;
        if count > 1 { use_connections(store, count - 1) } else { Ok(()) }
    })
}

#[test]
fn a_machine_that_vanished_is_waited_for_once_and_not_for_each_idle_connection() {
    let cluster = Cluster::primary();
    let address = cluster.database();
    let wire = Wire::to(&cluster.socket());
    let location = Location::Postgres(wire.address(address.rsplit('/').next().unwrap()));
    let store = Store::migrate(&location).unwrap();
    use_connections(&store, 5).unwrap();
    assert_eq!(wire.silence(), 5);
    assert!(matches!(use_connections(&store, 1), Err(Error::NoAnswer)));
    use_connections(&store, 5).unwrap();
}

#[test]
fn a_database_that_acknowledges_what_its_standby_does_not_have_is_refused() {
    let Location::Postgres(address) = world_on(Engine::Postgres).location else { panic!("PostgreSQL") };
    for (commit, is_refused) in [("local", true), ("off", true), ("remote_apply", false)] {
        let address = format!("{address}?options=-c%20synchronous_commit%3D{commit}");
        assert_eq!(Store::open(&Location::Postgres(address)).is_err(), is_refused, "{commit}");
    }
}

#[test]
fn a_host_that_is_gone_does_not_hide_the_one_that_serves() {
    let Location::Postgres(address) = world_on(Engine::Postgres).location else { panic!("PostgreSQL") };
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = gone.local_addr().unwrap();
    // A full queue: who comes now hears nothing, as from a machine without power.
    let connect = |to: &SocketAddr| TcpStream::connect_timeout(to, Duration::from_millis(200));
    let _queue: Vec<_> = std::iter::from_fn(|| connect(&to).ok()).collect();
    let (user, rest) = address.split_once('@').unwrap();
    let (host, database) = rest.split_once('/').unwrap();
    let both = format!("{user}@{to},{host}:5432/{database}?sslmode=disable");
    Store::open(&Location::Postgres(both)).unwrap();
}
