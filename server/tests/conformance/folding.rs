//! What is left of the records of a phone that is gone for good: enough to recognise everything it ever sent.

use crate::common::World;
use crate::world;
use carboy_protocol::wire::{Answer, Refusal};

fn dots(world: &World) -> u64 {
    world.one("SELECT count(*) FROM dots WHERE actor IN (SELECT actor FROM actors WHERE account IS NOT NULL)")
}

#[test]
fn a_revoked_phone_that_had_sent_everything_is_folded_and_its_backup_still_applies_nothing_twice() {
    let world = world();
    let mut phone = world.phone();
    for minor in [3, 4, 5] {
        phone.record(world.cash(minor));
    }
    let backup = phone.clone();
    phone.sync(&world);
    assert_eq!(world.server.fold().unwrap(), 0, "the phone is in use");
    world.server.revoke_device(world.plant, phone.auth.device).unwrap();
    let answers = phone.outbox.len() as u64;
    assert_eq!(world.server.fold().unwrap(), answers);
    assert_eq!((dots(&world), world.server.fold().unwrap()), (0, 0));
    // Its backup turns up on another phone of the same rider.
    let other = world.phone();
    let mut found = backup;
    (found.auth, found.token, found.key) = (other.auth, other.token, other.key);
    let refusal = found.try_sync(&world).unwrap_err();
    assert!(matches!(refusal, Refusal::Forked { .. }), "{refusal:?}");
    let mut found = found.restored();
    found.record(world.cash(6));
    let reply = found.sync(&world);
    let duplicates: Vec<_> = reply.results.iter().map(|settlement| settlement.duplicate).collect();
    assert_eq!(duplicates, [true, true, true, false]);
    assert!(matches!(reply.results[0].answer, Answer::Applied { rev: 2 }), "{:?}", reply.results[0]);
    assert_eq!(world.ledger(), [-3, -4, -5, -6]);
}

#[test]
fn a_revoked_phone_that_still_held_something_is_not_folded() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(3));
    phone.record(world.cash(4));
    world.server.handle_sync(&phone.auth, &phone.request(1, 1)).unwrap();
    world.server.revoke_device(world.plant, phone.auth.device).unwrap();
    assert_eq!(world.server.fold().unwrap(), 0);
    assert_eq!(dots(&world), 1);
}
