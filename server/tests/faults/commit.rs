//! The connection to PostgreSQL breaks while a COMMIT is on its way.

use crate::client::{Client, Heard, assert_kept, clients};
use crate::common::postgres::Cluster;
use crate::common::{Engine, World, world_at};
use crate::patience::until;
use crate::process::{Process, serve};
use crate::wire::{Break, Wire};
use carboy_server::store::Location;

struct Plant {
    world: World,
    wire: Wire,
    server: Process,
    client: Client,
    _cluster: Cluster,
}

/// A plant whose server reaches PostgreSQL by a way that can break; one mutation is settled.
fn plant() -> Plant {
    let cluster = Cluster::primary();
    let address = cluster.database();
    let wire = Wire::to(&cluster.socket());
    let server = Location::Postgres(wire.address(address.rsplit('/').next().unwrap()));
    let world = world_at(Engine::Postgres, Location::Postgres(address));
    let server = serve(&server);
    let (mut clients, _) = clients(&world, 2, 20);
    let mut client = clients.remove(0);
    assert_eq!(client.send(&server.address, 0, 1), Heard::Settled);
    Plant { world, wire, server, client, _cluster: cluster }
}

/// Breaks the COMMIT behind nine mutations; returns how many of them the server had not known when they came again.
fn sent_again_after(how: Break) -> usize {
    let Plant { world, wire, server, mut client, _cluster } = plant();
    wire.break_next(how);
    assert_eq!(client.send(&server.address, 1, 9), Heard::Busy);
    let firsts = client.firsts;
    assert_eq!(client.send(&server.address, 1, 9), Heard::Settled);
    let firsts = client.firsts - firsts;
    assert_eq!(client.send(&server.address, 10, 10), Heard::Settled);
    assert_kept(world.server.store(), &[client]);
    firsts
}

#[test]
fn what_was_committed_though_the_answer_was_lost_comes_back_as_a_duplicate() {
    assert_eq!(sent_again_after(Break::AfterCommit), 0);
}

#[test]
fn what_was_not_committed_is_applied_when_it_comes_again() {
    assert_eq!(sent_again_after(Break::BeforeCommit), 9);
}

#[test]
fn a_server_that_falls_silent_within_a_transaction_does_not_stop_the_others_for_long() {
    let Plant { world, wire, server, mut client, _cluster } = plant();
    wire.break_next(Break::Silence);
    assert_eq!(client.send(&server.address, 1, 9), Heard::Busy);
    let other = serve(&world.location);
    until("the plant's lock", || client.send(&other.address, 1, 9) == Heard::Settled);
    assert_eq!(client.send(&server.address, 10, 10), Heard::Settled);
    assert_kept(world.server.store(), &[client]);
}
