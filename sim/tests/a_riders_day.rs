//! A rider's day, offline and back: the real core and the real server in one process, on virtual time, with what is
//! sent passing a recorded 3G link or being lost and repeated.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use carboy_core::{Exchange, LinkError, Reply, Wake};
use carboy_protocol::{Action, CustomerId, Edit, FailReason, Field, Role};
use carboy_sim::clock::Ms;
use carboy_sim::link::Direction::{Down, Up};
use carboy_sim::link::Link;
use world::*;

const HOUR: Ms = 3_600_000;

/// What an HTTP request and its reply add to their bodies, in bytes.
const HEADERS: u64 = 400;

/// Who reaches the server first: the manager, or the rider with what he did offline.
#[derive(Clone, Copy, PartialEq)]
enum First {
    Manager,
    Rider,
}

/// Two hours offline with 200 actions, the manager at the same account, then 40 s of 3G. Returns what is known of the
/// disputed customer in the end.
fn two_hours_offline(first: First) -> carboy_core::Customer {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let disputed = world.customers[0];
    // What the manager's forms show before the rider is back.
    let seen = world.fresh_view("form").engine.customer(disputed).unwrap();
    let mut profile_seen = carboy_protocol::VectorClock::new();
    profile_seen.observe(first_dot(&world, disputed));
    let manager = || {
        let (reason, target) = ("agreed by phone".to_owned(), kes(12_000));
        world.manage(&Action::SetBalance { customer: disputed, seen: seen.balance, target, reason });
        let changes = [(Field::Phone, "0711 manager".to_owned())].into();
        let edit = Edit { changes, context: profile_seen.clone(), lamport: 2 };
        world.manage(&Action::UpdateProfile { customer: disputed, edit });
    };

    phone.drainer.wake(Wake::Offline);
    phone.engine.collect_cash(disputed, kes(3_000)).unwrap();
    phone.engine.update_profile(disputed, [(Field::Phone, "0722 rider".to_owned())].into()).unwrap();
    for action in 0..198 {
        let customer = world.customers[1 + action % 19];
        match action % 3 {
            0 => drop(phone.deliver(customer)),
            1 => drop(phone.collect(customer, 5_000)),
            _ => drop(phone.engine.fail_delivery(customer, FailReason::Closed, None).unwrap()),
        }
    }
    assert_eq!(phone.pending(), 200);
    let before = phone.engine.customer(disputed).unwrap();
    assert_eq!((before.balance, before.phone.as_str()), (kes(7_000), "0722 rider"));

    if first == First::Manager {
        manager();
    }
    let start = 2 * HOUR;
    let end = start + 40_000;
    let mut link = Link::umts().with_outage(0..start).unwrap().with_outage(end..end + 24 * HOUR).unwrap();
    world.surroundings.set(start);
    phone.drainer.wake(Wake::Online);
    phone.drive(|phone, exchange| over(&mut link, phone, &exchange));
    let done = world.surroundings.now();
    assert!(done < end, "settled {} ms after the window", done - end);
    assert_eq!(phone.pending(), 0);
    if first == First::Rider {
        manager();
        phone.sync();
    }
    let fresh = world.fresh_view("fresh");
    assert_eq!(phone.shown(), fresh.shown(), "the phone shows what the server holds");
    assert!(fresh.ledger().values().all(|&times| times == 1));
    fresh.engine.customer(disputed).unwrap()
}

/// The write that made the customer, as any form has seen it.
fn first_dot(world: &World, customer: CustomerId) -> carboy_protocol::Dot {
    let profile: String = world
        .database()
        .query_row("SELECT profile FROM profiles WHERE customer = ?", [customer.as_bytes()], |row| row.get(0))
        .unwrap();
    let profile: carboy_protocol::Profile = serde_json::from_str(&profile).unwrap();
    profile.siblings(Field::Phone)[0].dot
}

/// Carries one exchange over the link, in its time; what the link loses is lost.
fn over(link: &mut Link, phone: &Phone<'_>, exchange: &Exchange) -> Result<Reply, LinkError> {
    let surroundings = &phone.world.surroundings;
    let lost = || LinkError("signal lost".into());
    let sent = exchange.body.bytes().len() as u64 + HEADERS;
    let arrived = link.send(Up, surroundings.now(), sent).ok_or_else(lost)?;
    surroundings.set(arrived);
    let reply = phone.serve(exchange);
    let back = link.send(Down, arrived, reply.body.len() as u64 + HEADERS).ok_or_else(lost)?;
    surroundings.set(back);
    Ok(reply)
}

#[test]
fn two_hours_of_cash_settle_in_forty_seconds_and_agree_with_the_manager_in_both_orders() {
    let [manager_first, rider_first] = [First::Manager, First::Rider].map(two_hours_offline);
    for customer in [&manager_first, &rider_first] {
        // 100 set to 120, and 30 collected meanwhile.
        assert_eq!(customer.balance, kes(9_000));
        assert_eq!(customer.phone, "0711 manager");
        let (field, values) = &customer.conflicts[0];
        let values: Vec<_> = values.iter().map(|value| (value.value.as_str(), value.role)).collect();
        let kept = vec![("0711 manager", Role::Manager), ("0722 rider", Role::Rider)];
        assert_eq!((*field, values), (Field::Phone, kept));
    }
}

#[test]
fn every_request_sent_twice_and_every_reply_lost_once_leaves_each_entry_once() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let mut recorded = Vec::new();
    for &customer in &world.customers {
        phone.deliver(customer);
        recorded.push(phone.collect(customer, 700));
    }
    phone.drainer.wake(Wake::Now);
    let mut lost = false;
    phone.drive(|phone, exchange| {
        let first = answered(&phone.serve(&exchange)).results;
        let second = phone.serve(&exchange);
        let again = answered(&second).results;
        assert_eq!(first.len(), again.len());
        for (first, again) in first.iter().zip(&again) {
            assert_eq!((first.seq, &first.answer), (again.seq, &again.answer));
            assert!(again.duplicate);
        }
        lost = !lost;
        if lost { Err(LinkError("the reply is lost".into())) } else { Ok(second) }
    });
    assert_eq!(phone.pending(), 0);
    let fresh = world.fresh_view("fresh");
    let ledger = fresh.ledger();
    assert!(ledger.values().all(|&times| times == 1), "{ledger:?}");
    assert!(recorded.iter().all(|txn| ledger.contains_key(txn)));
    assert_eq!(phone.shown(), fresh.shown());
}
