//! A copy of last week's file, a clone that works beside the original, a phone set up anew: nothing is lost, nothing
//! counts twice, and in the end phones and server agree.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use carboy_core::{MemoryKeys, SyncState, Wake};
use carboy_protocol::{FailReason, Field, TxnId};
use std::sync::Arc;
use world::*;

/// Some work of every sort. `n` makes it differ from other work.
fn work(phone: &Phone<'_>, n: usize) -> Vec<TxnId> {
    let (engine, customers) = (&phone.engine, &phone.world.customers);
    let customer = customers[n % customers.len()];
    let minor = i64::try_from(n).unwrap() + 1;
    let cash = engine.collect_cash(customer, kes(1_000 * minor)).unwrap();
    vec![
        cash.txn,
        phone.deliver(customer),
        engine.update_profile(customers[0], [(Field::Phone, format!("07{n:02}"))].into()).unwrap().txn,
        engine.fail_delivery(customers[(n + 1) % customers.len()], FailReason::Closed, None).unwrap().txn,
        engine.load_stock(&[stock(10)]).unwrap().txn,
        engine
            .add_customer([(Field::Name, format!("Kiosk {n}"))].into(), Some(phone.world.route))
            .unwrap()
            .txn,
        engine.hand_in_cash(kes(100), None).unwrap().txn,
        engine.withdraw(cash.id, Some("wrong shop".into())).unwrap().txn,
    ]
}

/// Every mutation stands in the server's books once and was applied, and all phones show what a new one shows.
fn assert_agreed(world: &World, recorded: &[TxnId], phones: &[&Phone<'_>]) {
    let settled = world.settled();
    for txn in recorded {
        assert_eq!(settled.get(txn), Some(&(1, "applied".to_owned())), "{txn}");
    }
    let fresh = world.fresh_view("fresh");
    for phone in phones {
        let status = phone.engine.status().unwrap();
        assert_eq!((status.state, status.pending, status.attention), (SyncState::Idle, 0, 0));
        assert_eq!(phone.shown(), fresh.shown());
    }
    assert!(fresh.ledger().values().all(|&times| times == 1));
}

#[test]
fn last_weeks_copy_goes_on_where_the_lost_phone_ended() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    phone.engine.start_shift(None).unwrap();
    let mut recorded = work(&phone, 1);
    phone.sync();
    // In the copy they wait; the phone itself sends them, and more, before it is lost.
    recorded.extend(work(&phone, 2));
    copy_folder(&world.place("rider"), &world.place("copy"));
    phone.sync();
    recorded.extend(work(&phone, 3));
    phone.sync();
    let (keys, token) = (phone.keys.clone(), phone.token.clone());
    drop(phone);

    let mut restored = world.open("copy", keys, &token);
    recorded.extend(work(&restored, 4));
    restored.sync();
    recorded.extend(work(&restored, 5));
    restored.sync();
    assert_agreed(&world, &recorded, &[&restored]);
}

#[test]
fn a_copy_on_another_phone_records_without_a_key_and_sends_once_it_is_enrolled() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let mut recorded = work(&phone, 1);
    copy_folder(&world.place("rider"), &world.place("copy"));
    phone.sync();
    // The key store does not travel with a backup.
    let mut restored = world.open("copy", Arc::new(MemoryKeys::default()), "lost");
    recorded.extend(work(&restored, 2));
    restored.drive(|phone, exchange| Ok(phone.serve(&exchange)));
    assert_eq!(restored.state(), SyncState::NeedsSignIn);
    restored.token = world.enrol(&restored.keys, "new phone");
    restored.drainer.wake(Wake::SignedIn);
    restored.sync();
    phone.sync();
    assert_agreed(&world, &recorded, &[&restored, &phone]);
}

#[test]
fn a_clone_and_its_original_work_side_by_side() {
    let world = World::new();
    let mut original = world.phone("rider");
    original.sync();
    let mut recorded = work(&original, 0);
    copy_folder(&world.place("rider"), &world.place("clone"));
    let mut clone = world.open("clone", original.keys.clone(), &original.token);
    for round in 0..6 {
        recorded.extend(work(&original, 10 + round));
        recorded.extend(work(&clone, 20 + round));
        // Now one is first, now the other; sometimes one has no signal.
        if round % 2 == 0 {
            original.sync();
            clone.sync();
        } else {
            clone.sync();
        }
    }
    for _ in 0..2 {
        original.sync();
        clone.sync();
    }
    assert_agreed(&world, &recorded, &[&original, &clone]);
}

#[test]
fn a_rider_does_not_fight_his_own_earlier_edits_after_a_restore() {
    let world = World::new();
    let mut original = world.phone("rider");
    original.sync();
    let customer = world.customers[3];
    let edit = |phone: &Phone<'_>, text: &str| {
        phone.engine.update_profile(customer, [(Field::Phone, text.to_owned())].into()).unwrap();
    };
    edit(&original, "shared");
    copy_folder(&world.place("rider"), &world.place("copy"));
    original.sync();
    let mut restored = world.open("copy", original.keys.clone(), &original.token);
    edit(&restored, "restored");
    restored.sync();
    let shown = world.fresh_view("fresh").engine.customer(customer).unwrap();
    assert_eq!((shown.phone.as_str(), shown.conflicts.len()), ("restored", 0));
}

#[test]
fn a_phone_set_up_anew_shows_the_day_as_it_was() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    phone.engine.start_shift(Some(world.route)).unwrap();
    let recorded = work(&phone, 1);
    phone.sync();
    let before = phone.shown();
    let again = world.fresh_view("again");
    assert_eq!(again.shown(), before);
    assert_eq!(before.2.shift.as_ref().unwrap().route, Some(world.route));
    assert_agreed(&world, &recorded, &[&phone, &again]);
}

#[test]
fn a_file_opened_with_another_riders_token_needs_a_sign_in_and_keeps_everything() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    phone.collect(world.customers[0], 500);
    let other = world.server.create_rider(world.plant, "Otieno").unwrap();
    let (code, _) = world.server.create_enrol_code(world.plant, other.id).unwrap();
    let public_key = carboy_protocol::DeviceKey::from_seed([9; 32]).public();
    let request = carboy_protocol::wire::EnrolRequest { code, device_name: "other".into(), public_key };
    phone.token = world.server.handle_enrol("test", &request).unwrap().token;
    phone.drainer.wake(Wake::SignedIn);
    phone.drive(|phone, exchange| Ok(phone.serve(&exchange)));
    assert_eq!((phone.state(), phone.pending()), (SyncState::NeedsSignIn, 1));
}
