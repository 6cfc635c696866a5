//! What becomes of a phone's file that somebody changed: what was changed has no effect, everything else has.

use crate::common::{Phone, World};
use crate::world;
use carboy_protocol::wire::{Answer, Refusal, Rejection, Settlement, SyncReply, SyncRequest};
use carboy_protocol::*;
use proptest::prelude::*;
use serde_json::value::RawValue;

fn raw(body: &str) -> Box<RawValue> {
    RawValue::from_string(body.to_owned()).unwrap()
}

/// The seqs that were rejected as tampered with; all others have to be applied.
fn tampered(results: &[Settlement]) -> Vec<u64> {
    let is_tampered = |settlement: &&Settlement| match settlement.answer {
        Answer::Applied { .. } => false,
        Answer::Rejected { reason: Rejection::Tampered, .. } => true,
        ref answer => panic!("{answer:?}"),
    };
    results.iter().filter(is_tampered).map(|settlement| settlement.seq).collect()
}

fn is_noted(world: &World) -> bool {
    world.one::<u32>("SELECT max(chain_broken) FROM devices") == 1
}

/// Sends what does not fit its head: the server asks for the hashes and has settled nothing, then it gets them.
fn send_with_hashes(world: &World, phone: &Phone, request: SyncRequest, hashes: Hashes) -> SyncReply {
    let before = world.dump();
    assert_eq!(world.server.handle_sync(&phone.auth, &request), Err(Refusal::Hashes));
    assert_eq!(world.dump(), before);
    world.server.handle_sync(&phone.auth, &SyncRequest { hashes: Some(hashes), ..request }).unwrap()
}

type Hashes = Vec<Option<ChainHash>>;

fn with_payments(world: &World, amounts: std::ops::RangeInclusive<i64>) -> Phone {
    let mut phone = world.phone();
    for minor in amounts {
        phone.record(world.cash(minor));
    }
    phone
}

#[test]
fn a_changed_amount_has_no_effect_is_kept_and_the_chain_goes_on() {
    let world = world();
    let mut phone = with_payments(&world, 1..=3);
    world.server.handle_sync(&phone.auth, &phone.request(1, 1)).unwrap();
    let mut request = phone.request(1, 3);
    let altered = phone.outbox[1].replace(r#""minor":2"#, r#""minor":200"#);
    request.mutations[1] = raw(&altered);
    let hashes = phone.hashes(&request);
    let reply = send_with_hashes(&world, &phone, request.clone(), hashes.clone());
    assert_eq!(tampered(&reply.results), [2]);
    assert!(reply.results[0].duplicate, "what was settled before is answered as before");
    assert_eq!((world.ledger(), reply.day.unwrap().in_all.collected), (vec![-1, -3], 4));
    assert!(is_noted(&world));
    assert_eq!(world.one::<String>("SELECT body FROM mutations WHERE status = 'rejected'"), altered);
    // The reply was lost: the same request comes again, and the chain holds by what the server has noted.
    world.run("UPDATE devices SET chain_broken = 0");
    let again = world.server.handle_sync(&phone.auth, &request).unwrap();
    assert_eq!(tampered(&again.results), [2]);
    phone.record(world.cash(4));
    phone.settled = 3;
    phone.sync(&world);
    assert!(!is_noted(&world), "the chain goes on from what the phone has");
    assert_eq!(world.ledger(), [-1, -3, -4]);
}

#[test]
fn a_changed_copy_of_what_is_known_is_kept_under_a_key_of_its_own() {
    let world = world();
    let mut phone = with_payments(&world, 1..=1);
    phone.sync(&world);
    let mut restored = Phone { settled: 0, ..phone.clone() }.restored();
    restored.record(world.cash(2));
    let mut request = restored.pending();
    request.mutations[0] = raw(&phone.outbox[0].replace(r#""minor":1"#, r#""minor":7"#));
    let hashes = restored.hashes(&request);
    let reply = send_with_hashes(&world, &restored, request, hashes);
    assert_eq!(tampered(&reply.results), [1]);
    assert_eq!(world.ledger(), [-1, -2]);
    assert_eq!(world.one::<u32>("SELECT count(*) FROM mutations WHERE status = 'rejected'"), 1);
}

#[test]
fn what_the_server_knows_already_is_a_duplicate_even_where_the_chain_vouches_for_nothing() {
    let world = world();
    let mut phone = with_payments(&world, 1..=2);
    phone.sync(&world);
    let mut restored = Phone { settled: 0, ..phone }.restored();
    restored.record(world.cash(3));
    let mut request = restored.pending();
    request.mutations[2] = raw(r#"{"damaged":""}"#);
    let reply = send_with_hashes(&world, &restored, request, vec![Some(ChainHash([1; 32])), None, None]);
    assert!(reply.results[0].duplicate && reply.results[1].duplicate);
    assert_eq!(tampered(&reply.results), [3]);
    assert_eq!(world.ledger(), [-1, -2]);
}

#[test]
fn a_head_that_fits_nothing_is_noted_even_without_mutations() {
    let world = world();
    let mut phone = with_payments(&world, 1..=2);
    phone.sync(&world);
    let elsewhere = phone.signed(SyncRequest { head: ChainHash([5; 32]), ..phone.pending() });
    let reply = send_with_hashes(&world, &phone, elsewhere, vec![]);
    assert!(reply.results.is_empty() && is_noted(&world));
    world.run("UPDATE devices SET chain_broken = 0");
    // What follows is checked against what the phone has, also where it sends the last one again.
    phone.record(world.cash(3));
    let follows = |phone: &Phone, first_seq: u64, count: usize| {
        let head = ChainHash([5; 32]).next(3, phone.outbox[2].as_bytes());
        let request = phone.signed(SyncRequest { head, ..phone.request(first_seq, count) });
        world.server.handle_sync(&phone.auth, &request).unwrap()
    };
    assert_eq!(tampered(&follows(&phone, 2, 2).results), [0_u64; 0]);
    assert_eq!(tampered(&follows(&phone, 3, 1).results), [0_u64; 0]);
    assert!(!is_noted(&world));
    assert_eq!(world.ledger(), [-1, -2, -3]);
}

#[test]
fn a_head_that_fits_nothing_behind_what_is_known_already_leaves_the_chain_as_it_is() {
    let world = world();
    let mut phone = with_payments(&world, 1..=5);
    phone.sync(&world);
    let elsewhere = phone.signed(SyncRequest { head: ChainHash([5; 32]), ..phone.request(2, 3) });
    let hashes = phone.hashes(&elsewhere);
    let reply = send_with_hashes(&world, &phone, elsewhere, hashes);
    assert!(reply.results.iter().all(|settlement| settlement.duplicate) && is_noted(&world));
    world.run("UPDATE devices SET chain_broken = 0");
    phone.record(world.cash(6));
    phone.sync(&world);
    assert!(!is_noted(&world));
}

#[test]
fn a_signature_that_is_not_the_devices_is_told_to_sign_in_and_changes_nothing() {
    let world = world();
    let phone = with_payments(&world, 1..=2);
    let other = world.phone();
    let good = phone.pending();
    let script = world.server.create_token(world.plant, world.rider.id, "script").unwrap();
    let script = world.server.authenticate(&script).unwrap();
    let before = world.dump();
    let strangers = Phone { key: other.key.clone(), ..phone.clone() }.pending();
    let moved = SyncRequest { head: phone.hash(1), ..good.clone() };
    let shorter = SyncRequest { mutations: good.mutations[..1].to_vec(), ..good.clone() };
    for (auth, request) in
        [(&phone.auth, &strangers), (&phone.auth, &moved), (&phone.auth, &shorter), (&script, &good)]
    {
        let refusal = world.server.handle_sync(auth, request).unwrap_err();
        assert!(matches!(&refusal, Refusal::SignIn { detail } if !detail.is_empty()), "{refusal:?}");
    }
    assert_eq!(world.dump(), before);
    world.server.handle_sync(&phone.auth, &good).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn wherever_a_file_is_changed_that_place_alone_has_no_effect(
        (count, place) in (1usize..8).prop_flat_map(|count| (Just(count), 0..count)),
        first in 0usize..8,
        what in 0usize..3,
    ) {
        let world = world();
        let amounts = 1..=i64::try_from(count).unwrap();
        let mut phone = with_payments(&world, amounts);
        // Some were settled before anything was changed; what is changed is among the others.
        phone.settled = first.min(place);
        world.server.handle_sync(&phone.auth, &phone.request(1, phone.settled)).unwrap();
        let mut request = phone.pending();
        let mut hashes = phone.hashes(&request);
        let at = place - phone.settled;
        match what {
            0 => request.mutations[at] = raw(&phone.outbox[place].replace(r#""at":5"#, r#""at":6"#)),
            1 => {
                request.mutations[at] = raw(r#"{"damaged":""}"#);
                hashes[at] = None;
            }
            _ => {
                // A damaged hash alone breaks the chain only where the phone's head is read from it.
                hashes[at] = Some(ChainHash([9; 32]));
                if at + 1 == hashes.len() {
                    request.head = ChainHash([9; 32]);
                    request = phone.signed(request);
                } else {
                    request.hashes = Some(hashes.clone());
                }
            }
        }
        let is_last = at + 1 == hashes.len();
        let reply = if what == 2 && !is_last {
            world.server.handle_sync(&phone.auth, &request).unwrap()
        } else {
            send_with_hashes(&world, &phone, request, hashes)
        };
        let expected = if what == 2 && !is_last { vec![] } else { vec![place as u64 + 1] };
        prop_assert_eq!(tampered(&reply.results), expected.clone());
        prop_assert_eq!(is_noted(&world), !expected.is_empty());
        let lost: i64 = expected.iter().map(|&seq| i64::try_from(seq).unwrap()).sum();
        let all: i64 = (1..=i64::try_from(count).unwrap()).sum();
        prop_assert_eq!(world.balance(), lost - all);
    }
}
