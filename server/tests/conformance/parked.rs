//! What becomes of a mutation of a kind that the server did not know, once it is updated.

use crate::common::{World, kes};
use crate::world;
use carboy_protocol::wire::{Answer, FeedItem, Rejection};
use carboy_protocol::*;

/// What was parked becomes readable, as by an update of the server.
fn update(world: &World) -> u64 {
    world.run("UPDATE mutations SET body = replace(body, '\"v\":2', '\"v\":1') WHERE status = 'parked'");
    world.server.settle_parked().unwrap()
}

/// Records an action in a version of the future.
fn record_newer(world: &World, phone: &mut crate::common::Phone, action: Action) -> TxnId {
    let txn = world.server.new_txn().unwrap();
    let mutation = Mutation { v: 1, txn, at: Timestamp(5), replaces: None, action };
    phone.record_raw(&serde_json::to_string(&mutation).unwrap().replace("\"v\":1", "\"v\":2"));
    txn
}

fn settled(items: &[FeedItem]) -> Vec<(TxnId, Answer)> {
    let settled = items.iter().filter_map(|item| match item {
        FeedItem::Settled { txn, answer } => Some((*txn, answer.clone())),
        _ => None,
    });
    settled.collect()
}

#[test]
fn what_was_parked_is_settled_after_an_update_and_its_author_alone_hears_of_it() {
    let world = world();
    let other = world.server.create_rider(world.plant, "Brian").unwrap();
    let (mut phone, stranger) = (world.phone(), world.phone_of(&other));
    let good = record_newer(&world, &mut phone, world.cash(30));
    let bad = record_newer(&world, &mut phone, world.set_balance(0, 5));
    phone.record(world.cash(7));
    let reply = phone.sync(&world);
    assert_eq!(reply.results[0].answer, Answer::Parked);
    let (_, cursors) = world.feed(&phone, 0);
    let cursor = *cursors.last().unwrap();
    assert_eq!(world.server.settle_parked().unwrap(), 0, "still unknown");
    assert_eq!(update(&world), 2);
    assert_eq!(world.ledger(), [-7, -30]);
    assert_eq!(world.server.settle_parked().unwrap(), 0, "once");
    let (items, _) = world.feed(&phone, cursor);
    let found = settled(&items);
    assert_eq!(found[0], (good, Answer::Applied { rev: cursor + 1 }));
    let (txn, Answer::Rejected { reason, .. }) = &found[1] else { panic!("{found:?}") };
    assert_eq!((*txn, *reason), (bad, Rejection::Forbidden));
    assert!(items.iter().any(|item| matches!(item, FeedItem::Entry(entry) if entry.txn == good)));
    assert!(settled(&world.feed(&stranger, cursor).0).is_empty());
    assert_eq!(phone.sync(&world).day.unwrap().in_all.collected, 37);
}

#[test]
fn a_parked_edit_is_settled_without_losing_it_or_a_later_one_to_another_field() {
    let world = world();
    let mut phone = world.phone();
    record_newer(&world, &mut phone, world.edit(Field::Phone, "0711"));
    phone.record(world.edit(Field::Address, "Moi Avenue"));
    phone.sync(&world);
    assert_eq!(update(&world), 1);
    let profile = world.profile();
    assert_eq!(profile.shown(Field::Phone), Some("0711"));
    assert_eq!(profile.shown(Field::Address), Some("Moi Avenue"));
    assert_eq!(profile.conflicts().count(), 0);
}

/// An edit of the note that was recorded before the phone had heard of anything.
fn unknowing_edit(world: &World, value: &str) -> Action {
    let changes = [(Field::Note, value.to_owned())].into();
    let edit = Edit { changes, context: VectorClock::new(), lamport: 1 };
    Action::UpdateProfile { customer: world.customer, edit }
}

#[test]
fn what_follows_a_parked_edit_in_its_authors_history_has_seen_it_and_the_same_riders_other_phone_has_not() {
    let world = world();
    let (mut phone, mut other) = (world.phone(), world.phone());
    let edit = |value| unknowing_edit(&world, value);
    let values = || -> Vec<_> {
        let profile = world.profile();
        profile.siblings(Field::Note).iter().map(|sibling| sibling.value.clone()).collect()
    };
    record_newer(&world, &mut phone, edit("0711"));
    record_newer(&world, &mut phone, edit("0722"));
    phone.sync(&world);
    assert_eq!(update(&world), 2);
    assert_eq!(values(), ["0722"]);
    phone.record(edit("0733"));
    phone.sync(&world);
    assert_eq!(values(), ["0733"]);
    record_newer(&world, &mut phone, edit("0744"));
    phone.sync(&world);
    assert_eq!(update(&world), 1);
    other.record(edit("0755"));
    other.sync(&world);
    assert_eq!(values().len(), 2);
}

#[test]
fn a_parked_edit_has_not_seen_what_its_author_wrote_behind_it() {
    let world = world();
    let mut phone = world.phone();
    record_newer(&world, &mut phone, world.edit(Field::Phone, "0711"));
    phone.record(world.edit(Field::Phone, "0722"));
    phone.sync(&world);
    assert_eq!(update(&world), 1);
    assert!(world.phone_numbers().contains(&"0722".to_owned()), "{:?}", world.phone_numbers());
}

#[test]
fn what_the_author_of_a_parked_edit_had_seen_is_not_seen_by_the_dashboard() {
    let world = world();
    let mut phone = world.phone();
    // A form that was opened before the rider's number came in.
    let managers = world.edit(Field::Phone, "manager's");
    phone.record(world.edit(Field::Phone, "rider's"));
    record_newer(&world, &mut phone, world.edit(Field::Note, "ring twice"));
    phone.sync(&world);
    assert_eq!(update(&world), 1);
    world.act(&managers);
    assert_eq!(world.phone_numbers(), ["manager's", "rider's"]);
}

#[test]
fn what_follows_a_parked_edit_leaves_what_another_phone_wrote_at_the_place_where_that_was_settled() {
    let world = world();
    let (mut phone, mut other) = (world.phone(), world.phone());
    let edit = |value| unknowing_edit(&world, value);
    record_newer(&world, &mut phone, edit("parked"));
    phone.sync(&world);
    assert_eq!(update(&world), 1);
    // The parked edit is the dashboard's event of this number.
    let place: usize = world.one("SELECT max(seq) FROM dots WHERE actor = (SELECT dashboard FROM plants)");
    for _ in 1..place {
        other.record(world.cash(1));
    }
    other.record(edit("other"));
    other.sync(&world);
    phone.record(edit("later"));
    phone.sync(&world);
    let profile = world.profile();
    let mut left: Vec<_> = profile.siblings(Field::Note).iter().map(|one| one.value.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["later", "other"]);
}

#[test]
fn what_its_author_has_withdrawn_stays_without_effect_after_an_update() {
    let world = world();
    let mut phone = world.phone();
    let target = record_newer(&world, &mut phone, world.cash(30));
    phone.record(Action::Withdraw { target, reason: None, restore: None });
    phone.sync(&world);
    assert_eq!(update(&world), 0);
    assert_eq!(world.ledger(), [0_i64; 0]);
    assert_eq!(world.balance(), kes(0).minor);
}

#[test]
fn the_withdrawal_of_what_only_a_newer_server_can_read_waits_for_one() {
    let world = world();
    let mut phone = world.phone();
    let target = phone.record(world.cash(30));
    phone.sync(&world);
    // A newer server has applied it, as one in the midst of an update does.
    world.run("UPDATE mutations SET body = replace(body, '\"v\":1', '\"v\":2') WHERE kind = 'collect_cash'");
    phone.record(Action::Withdraw { target, reason: None, restore: None });
    phone.record(world.cash(7));
    let answers: Vec<_> = phone.sync(&world).results.into_iter().map(|result| result.answer).collect();
    assert!(matches!(&answers[..], [Answer::Parked, Answer::Applied { .. }]), "{answers:?}");
    assert_eq!(world.server.settle_parked().unwrap(), 0, "still unknown");
    assert_eq!(world.ledger(), [-30, -7]);
    world.run("UPDATE mutations SET body = replace(body, '\"v\":2', '\"v\":1')");
    assert_eq!(world.server.settle_parked().unwrap(), 1);
    assert_eq!(world.ledger(), [-30, -7, 30]);
}

#[test]
fn what_a_manager_has_dealt_with_stays_without_effect_after_an_update() {
    let world = world();
    let mut phone = world.phone();
    let (closed, left) =
        (record_newer(&world, &mut phone, world.cash(500)), record_newer(&world, &mut phone, world.cash(70)));
    phone.sync(&world);
    world
        .server
        .close_record((&world.manager).into(), (world.rider.id, closed), "paid in the office")
        .unwrap();
    assert_eq!(update(&world), 1);
    assert_eq!(world.ledger(), [-70]);
    assert_ne!(closed, left);
    let kinds: Vec<(Option<String>,)> =
        world.rows("SELECT kind FROM mutations WHERE settled_rev IS NOT NULL");
    assert_eq!(kinds, [(Some("collect_cash".to_owned()),)], "the trail knows now what it is");
}
