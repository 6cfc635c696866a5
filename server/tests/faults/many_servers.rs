//! Several servers on one PostgreSQL, and the same mutations sent to them at the same time.

use crate::client::{Dice, assert_kept, clients, rows};
use crate::common::{Engine, world_on};
use crate::process::serve;
use std::thread;

#[test]
fn eight_phones_that_send_the_same_mutations_to_three_servers_have_one_effect_each() {
    let world = world_on(Engine::Postgres);
    let servers = [0; 3].map(|_| serve(&world.location));
    // Two riders at the same customers, each with a copy of the phone's file and two restored backups of it.
    let (phones, _) = clients(&world, 2, 200);
    let copies =
        phones.iter().flat_map(|phone| [phone.copy(), phone.copy(), phone.restored(), phone.restored()]);
    let mut copies: Vec<_> = copies.collect();
    thread::scope(|scope| {
        for (seed, client) in (0..).zip(&mut copies) {
            let servers = &servers;
            let address = |dice: &mut Dice| servers[dice.roll(servers.len())].address.clone();
            scope.spawn(move || client.drain(&mut Dice::new(seed), address));
        }
    });
    for same in copies.chunks(4) {
        assert!(same.iter().all(|client| client.answers == same[0].answers));
        // Every reply has arrived, and one of them tells of the first time.
        let firsts: usize = same.iter().map(|client| client.firsts).sum();
        assert_eq!(firsts, same[0].answers.len());
    }
    let deadlocks: Vec<(u64,)> = rows(
        world.server.store(),
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    );
    assert_eq!(deadlocks, [(0,)]);
    let mut copies = copies.into_iter();
    let phones: Vec<_> = [copies.next().unwrap(), copies.nth(3).unwrap()].into();
    assert_kept(world.server.store(), &phones);
}
