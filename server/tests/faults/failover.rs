//! PostgreSQL fails under load, with and without another one that takes over.

use crate::client::{Client, Dice, assert_kept, clients};
use crate::common::postgres::{Cluster, on_either};
use crate::common::{Engine, World, world_at};
use crate::patience::until;
use crate::process::{Process, serve};
use carboy_server::store::Location;
use std::sync::atomic::Ordering;
use std::thread;

/// A plant on a PostgreSQL that a synchronous standby follows; whoever works with it knows both.
fn with_standby() -> (Cluster, Cluster, World) {
    let primary = Cluster::primary();
    let database = primary.database();
    let standby = primary.standby();
    let database = database.rsplit('/').next().unwrap();
    let location = Location::Postgres(on_either(&primary, &standby, database));
    (primary, standby, world_at(Engine::Postgres, location))
}

/// Has the phones drain their outboxes while `meanwhile` runs.
fn under_load(servers: &[Process], clients: &mut [Client], meanwhile: impl FnOnce()) {
    thread::scope(|scope| {
        for (seed, client) in (0..).zip(clients) {
            let address = |dice: &mut Dice| servers[dice.roll(servers.len())].address.clone();
            scope.spawn(move || client.drain(&mut Dice::new(seed), address));
        }
        meanwhile();
    });
}

#[test]
fn a_primary_that_dies_loses_nothing_that_was_acknowledged_once_its_standby_is_promoted() {
    let (mut primary, standby, world) = with_standby();
    let servers = [serve(&world.location), serve(&world.location)];
    let (mut clients, tally) = clients(&world, 6, 300);
    under_load(&servers, &mut clients, || {
        until("half of it settled", || tally.settled() > 900);
        primary.kill9();
        assert!(tally.settled() < 1_700, "the load was over");
        standby.promote();
    });
    assert_eq!(tally.settled(), 1_800);
    assert_kept(world.server.store(), &clients);
}

#[test]
fn a_primary_that_dies_and_comes_back_goes_on_where_it_was() {
    let mut primary = Cluster::primary();
    let world = world_at(Engine::Postgres, Location::Postgres(primary.database()));
    let servers = [serve(&world.location), serve(&world.location)];
    let (mut clients, tally) = clients(&world, 6, 300);
    under_load(&servers, &mut clients, || {
        for settled in [400, 800, 1_200] {
            until("some of it settled", || tally.settled() > settled);
            primary.kill9();
            assert!(tally.settled() < 1_700, "the load was over");
            primary.start();
        }
    });
    assert_eq!(tally.settled(), 1_800);
    assert_kept(world.server.store(), &clients);
}

#[test]
fn while_the_standby_is_lost_nothing_is_acknowledged_and_then_all_of_it_is() {
    let (_primary, mut standby, world) = with_standby();
    let servers = [serve(&world.location), serve(&world.location)];
    let (mut clients, tally) = clients(&world, 6, 200);
    let busy: Vec<_> = clients.iter().map(|client| client.busy.clone()).collect();
    let all_are_busy_again = || {
        let before: Vec<_> = busy.iter().map(|busy| busy.load(Ordering::SeqCst)).collect();
        until("503 for everybody", || {
            busy.iter().zip(&before).all(|(busy, before)| busy.load(Ordering::SeqCst) > *before)
        });
    };
    under_load(&servers, &mut clients, || {
        until("some of it settled", || tally.settled() > 300);
        standby.kill9();
        // What is answered until here may have been on the standby's disk before.
        all_are_busy_again();
        let settled = tally.settled();
        all_are_busy_again();
        assert_eq!(tally.settled(), settled);
        assert!(settled < 1_200, "the load was over");
        standby.start();
    });
    assert_eq!((tally.settled(), tally.nothing.load(Ordering::SeqCst)), (1_200, 0));
    assert_kept(world.server.store(), &clients);
}
