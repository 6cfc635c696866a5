//! A rider's day: every kind of record has its effect at once, is counted, and can be taken back.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{DaySummary, DeliveredLine, Error, Settlement};
use carboy_protocol::wire::{Answer, FeedItem, Rejection, SyncReply, Visit};
use carboy_protocol::{
    Action, Day, FailReason, Field, Mutation, Progress, RouteId, StockLine, StopState, Timestamp, TxnId,
};
use support::*;

fn phone() -> (tempfile::TempDir, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    (folder, phone)
}

fn north() -> RouteId {
    RouteId::from_bytes([7; 16])
}

fn line(delivered: i32, empties: i32) -> DeliveredLine {
    DeliveredLine { product: "20L".parse().unwrap(), delivered, empties }
}

fn stock(full: i32, empty: i32) -> StockLine {
    StockLine { product: "20L".parse().unwrap(), full, empty }
}

/// The day's numbers in one line: deliveries, failures, customers, collected, handed in, cash in hand; full bottles
/// loaded, returned, delivered, on board; empties got, on board.
fn numbers(day: &DaySummary) -> ([i64; 6], [i64; 6]) {
    let money = [
        day.deliveries,
        day.failures,
        day.customers,
        day.collected.minor,
        day.handed_in.minor,
        day.cash_in_hand.minor,
    ];
    let bottles = day
        .products
        .first()
        .map_or([0; 6], |p| [p.loaded, p.returned, p.delivered, p.on_board, p.empties, p.empties_on_board]);
    (money, bottles)
}

fn stop(phone: &Phone, n: usize) -> Option<StopState> {
    phone.engine.stops(north()).unwrap()[n - 1].state
}

/// What the server's day is after these mutations.
fn day_of(bodies: &[String]) -> Day {
    let mut day = Day::default();
    for body in bodies {
        let mutation: Mutation = serde_json::from_str(body).unwrap();
        day.record(&mutation.action, mutation.txn, mutation.at);
    }
    day
}

#[test]
fn a_day_is_counted_as_it_is_recorded() {
    let (_folder, phone) = phone();
    let engine = &phone.engine;
    engine.start_shift(Some(north())).unwrap();
    engine.load_stock(&[stock(40, 0)]).unwrap();
    engine.note_progress(customer(1), Progress::Arrived).unwrap();
    assert_eq!(stop(&phone, 1), Some(StopState::Arrived));
    engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap();
    engine.collect_cash(customer(1), kes(30_000)).unwrap();
    engine.fail_delivery(customer(2), FailReason::Closed, None).unwrap();
    engine.note_progress(customer(3), Progress::Skipped).unwrap();
    engine.hand_in_cash(kes(10_000), Some("receipt 7".into())).unwrap();
    engine.return_stock(&[stock(5, 2)]).unwrap();
    let receipt = engine.finish_shift().unwrap();
    assert_eq!(numbers(&receipt.day), ([1, 1, 0, 30_000, 10_000, 20_000], [40, 5, 3, 32, 2, 0]));
    let shift = receipt.day.shift.clone().unwrap();
    assert_eq!((shift.route, shift.finished_at), (Some(north()), Some(Timestamp(1_732_350_000_000))));
    assert_eq!(engine.day().unwrap(), receipt.day);
    let states: Vec<_> = (1..=4).map(|n| stop(&phone, n)).collect();
    let expected = [Some(StopState::Delivered), Some(StopState::Failed), Some(StopState::Skipped), None];
    assert_eq!(states, expected);
    assert_eq!(engine.routes().unwrap()[0].done, 3);
    assert_eq!(phone.pending(), 10);
}

#[test]
fn a_new_shift_begins_with_open_stops_and_keeps_cash_and_stock() {
    let (_folder, phone) = phone();
    let engine = &phone.engine;
    engine.start_shift(None).unwrap();
    engine.load_stock(&[stock(10, 0)]).unwrap();
    engine.confirm_delivery(customer(1), &[line(4, 3)], None, &[]).unwrap();
    engine.collect_cash(customer(1), kes(500)).unwrap();
    assert!(matches!(engine.start_shift(None), Err(Error::ShiftOpen(_))));
    engine.finish_shift().unwrap();
    assert!(matches!(engine.finish_shift(), Err(Error::NoShift)));
    let receipt = engine.start_shift(None).unwrap();
    assert_eq!(numbers(&receipt.day), ([0, 0, 0, 0, 0, 500], [0, 0, 0, 6, 0, 3]));
    assert_eq!(stop(&phone, 1), None);
}

#[test]
fn what_is_taken_back_of_an_earlier_shift_leaves_the_numbers_of_this_one() {
    let (_folder, phone) = phone();
    let engine = &phone.engine;
    engine.start_shift(None).unwrap();
    let id = engine.collect_cash(customer(1), kes(500)).unwrap().id;
    engine.finish_shift().unwrap();
    engine.start_shift(None).unwrap();
    engine.collect_cash(customer(1), kes(30)).unwrap();
    let day = engine.withdraw(id, None).unwrap().day;
    assert_eq!((day.collected, day.cash_in_hand), (kes(30), kes(30)));
}

#[test]
fn a_stop_shows_how_far_the_rider_got_before_and_after_the_server_has_it() {
    for (progress, state) in [
        (Progress::OnTheWay, StopState::OnTheWay),
        (Progress::Arrived, StopState::Arrived),
        (Progress::Skipped, StopState::Skipped),
    ] {
        let (_folder, mut phone) = phone();
        phone.engine.note_progress(customer(1), progress).unwrap();
        assert_eq!(stop(&phone, 1), Some(state));
        let request = phone.request();
        phone.reply(&applied(&request, 60, vec![], 60));
        assert_eq!(stop(&phone, 1), Some(state));
    }
}

#[test]
fn every_kind_can_be_taken_back_and_then_all_is_as_before() {
    let (_folder, phone) = phone();
    let engine = &phone.engine;
    engine.start_shift(None).unwrap();
    let shown = || {
        let customers: Vec<_> = (1..=3).map(|n| engine.customer(customer(n)).unwrap()).collect();
        let stops = engine.stops(north()).unwrap();
        let states: Vec<_> = stops.iter().map(|stop| (stop.customer.clone(), stop.state)).collect();
        (customers, states, engine.day().unwrap())
    };
    let before = shown();
    let ids = [
        engine.load_stock(&[stock(40, 1)]).unwrap().id,
        engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap().id,
        engine.collect_cash(customer(1), kes(30_000)).unwrap().id,
        engine.fail_delivery(customer(2), FailReason::Closed, None).unwrap().id,
        engine.note_progress(customer(3), Progress::Skipped).unwrap().id,
        engine.update_profile(customer(1), [(Field::Phone, "0711".into())].into()).unwrap().id,
        engine.add_customer([(Field::Name, "New".into())].into(), Some(north())).unwrap().id,
        engine.hand_in_cash(kes(10_000), None).unwrap().id,
        engine.return_stock(&[stock(5, 2)]).unwrap().id,
        engine.finish_shift().unwrap().id,
    ];
    assert_ne!(shown(), before);
    for id in ids {
        engine.withdraw(id, Some("a slip".into())).unwrap();
    }
    assert_eq!(shown(), before);
    // A reversal is a record of its own; nothing was deleted.
    assert_eq!(phone.pending(), 21);
    let records = engine.records(None, 100).unwrap();
    let withdrawn: Vec<_> =
        records.iter().filter(|record| record.withdrawn).map(|record| record.id).collect();
    assert_eq!(withdrawn, ids.iter().rev().copied().collect::<Vec<_>>());
    assert!(matches!(engine.withdraw(ids[0], None), Err(Error::AlreadyWithdrawn(_))));
    assert!(matches!(engine.withdraw(records[0].id, None), Err(Error::NotPossible { kind: "withdraw", .. })));
    assert!(matches!(engine.withdraw(999, None), Err(Error::UnknownRecord(999))));
}

#[test]
fn a_shift_begun_by_mistake_can_be_taken_back() {
    let (_folder, phone) = phone();
    let id = phone.engine.start_shift(None).unwrap().id;
    let receipt = phone.engine.withdraw(id, None).unwrap();
    assert_eq!(receipt.day.shift, None);
    phone.engine.start_shift(None).unwrap();
}

#[test]
fn taking_back_an_edit_leaves_alone_what_was_changed_since() {
    let (_folder, phone) = phone();
    let engine = &phone.engine;
    let changes = [(Field::Phone, "0711".into()), (Field::Note, "ring twice".into())];
    let id = engine.update_profile(customer(1), changes.into()).unwrap().id;
    engine.update_profile(customer(1), [(Field::Phone, "0722".into())].into()).unwrap();
    let shown = engine.withdraw(id, None).unwrap().customer.unwrap();
    assert_eq!((shown.phone.as_str(), shown.note.as_str()), ("0722", ""));
}

#[test]
fn a_customer_added_offline_can_be_delivered_to_at_once() {
    let (_folder, mut phone) = phone();
    let fields = [(Field::Name, "Corner Kiosk".to_owned()), (Field::Address, "Moi Avenue".to_owned())];
    let added = phone.engine.add_customer(fields.into(), Some(north())).unwrap();
    let new = added.customer.customer;
    let receipt = phone.engine.confirm_delivery(new, &[line(2, 0)], None, &[]).unwrap();
    assert_eq!((receipt.customer.name.as_str(), receipt.customer.balance), ("Corner Kiosk", kes(30_000)));
    let stops = phone.engine.stops(north()).unwrap();
    assert_eq!((stops.len(), stops[10].customer.customer), (11, new));
    let found = phone.engine.customers("corner", None, 10).unwrap();
    assert_eq!(found.len(), 1);
    // The route comes anew from the server, which does not know of the customer yet.
    phone.drainer.wake(carboy_core::Wake::Now);
    let request = phone.request();
    let mut reply = applied(&request, 60, plant(), 55);
    reply.more = true;
    phone.reply(&reply);
    assert_eq!(phone.engine.stops(north()).unwrap()[10].customer.customer, new);
    // A name is needed, and a route that exists.
    let none = phone.engine.add_customer([].into(), None);
    assert_eq!(none.unwrap_err().to_string(), "name has 0 characters (1 to 500)");
    let nowhere = RouteId::from_bytes([8; 16]);
    let lost = phone.engine.add_customer([(Field::Name, "x".into())].into(), Some(nowhere));
    assert!(matches!(lost, Err(Error::UnknownRoute(_))));
    assert_eq!(phone.engine.customers("", None, 100).unwrap().len(), 11);
}

#[test]
fn an_edit_of_a_new_customer_that_is_not_accepted_leaves_what_the_customer_was_added_with() {
    let (_folder, mut phone) = phone();
    let fields = [(Field::Name, "Corner Kiosk".to_owned()), (Field::Phone, "0700".to_owned())];
    let new = phone.engine.add_customer(fields.into(), None).unwrap().customer.customer;
    phone.engine.update_profile(new, [(Field::Phone, "0711".into())].into()).unwrap();
    let request = phone.request();
    let edited: Mutation = serde_json::from_str(request.mutations[1].get()).unwrap();
    let Action::UpdateProfile { edit, .. } = edited.action else { panic!() };
    assert_eq!(edit.lamport, 2, "it has seen the first values");
    // The customer is settled, and the feed has yet to bring the profile.
    let mut reply = applied(&request, 60, vec![], 55);
    reply.results[1].answer = Answer::Rejected { reason: Rejection::Invalid, detail: "no number".into() };
    phone.reply(&reply);
    let shown = phone.engine.customer(new).unwrap();
    assert_eq!((shown.name.as_str(), shown.phone.as_str()), ("Corner Kiosk", "0700"));
}

#[test]
fn a_new_customers_settled_visit_gives_way_to_what_the_server_tells() {
    let (_folder, mut phone) = phone();
    let fields = [(Field::Name, "Corner Kiosk".to_owned())];
    let new = phone.engine.add_customer(fields.into(), Some(north())).unwrap().customer.customer;
    let delivered = phone.engine.confirm_delivery(new, &[line(1, 0)], None, &[]).unwrap();
    let told = |state, txn| FeedItem::Customer {
        customer: new,
        balance: kes(15_000),
        profile: Some(profile("Corner Kiosk")),
        visit: Some(Visit { state, txn, shift: None }),
        closed: false,
    };
    let stops = (1..=10).map(customer).chain([new]).collect();
    let route = FeedItem::Route { route: north(), name: "North".into(), stops };
    let request = phone.request();
    phone.reply(&applied(&request, 60, vec![route, told(StopState::Delivered, delivered.txn)], 61));
    assert_eq!(stop(&phone, 11), Some(StopState::Delivered));
    phone.fetch(vec![told(StopState::Failed, TxnId::from_bytes([9; 16]))], 62);
    assert_eq!(stop(&phone, 11), Some(StopState::Failed));
}

#[test]
fn the_days_numbers_never_flicker_while_records_settle() {
    let (_folder, mut phone) = phone();
    phone.engine.start_shift(None).unwrap();
    phone.engine.load_stock(&[stock(40, 0)]).unwrap();
    phone.engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap();
    let id = phone.engine.collect_cash(customer(1), kes(500)).unwrap().id;
    let shown = phone.engine.day().unwrap();
    let request = phone.request();
    let bodies: Vec<_> = request.mutations.iter().map(|raw| raw.get().to_owned()).collect();
    // Recorded while the request is under way.
    phone.engine.withdraw(id, None).unwrap();
    let while_sending = phone.engine.day().unwrap();
    assert_eq!(while_sending.cash_in_hand, kes(0));
    let mut reply = applied(&request, 60, vec![balance(1, 54_500)], 64);
    reply.day = Some(day_of(&bodies));
    phone.reply(&reply);
    assert_eq!(phone.engine.day().unwrap(), while_sending);
    assert_eq!(shown.collected, kes(500));
    // And the same after the reversal has settled too.
    let request = phone.request();
    let mut day = day_of(&bodies);
    let cash: Mutation = serde_json::from_str(&bodies[3]).unwrap();
    day.withdraw(&cash.action, cash.txn, true);
    let mut reply = applied(&request, 65, vec![balance(1, 55_000)], 65);
    reply.day = Some(day);
    phone.reply(&reply);
    assert_eq!(phone.engine.day().unwrap(), while_sending);
    assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(55_000));
}

#[test]
fn a_stop_never_flickers_while_its_record_settles() {
    let (_folder, mut phone) = phone();
    phone.engine.start_shift(None).unwrap();
    phone.engine.fail_delivery(customer(2), FailReason::Closed, None).unwrap();
    let request = phone.request();
    // The page that contains the record does not say anything of the customer; a later one does.
    let mut reply = applied(&request, 60, vec![], 61);
    reply.more = true;
    let mut day = day_of(&[request.mutations[0].get().to_owned()]);
    day.in_shift.failures = 1;
    reply.day = Some(day);
    phone.reply(&reply);
    assert_eq!(stop(&phone, 2), Some(StopState::Failed));
    assert!(phone.engine.stops(north()).unwrap()[1].settled);
}

#[test]
fn a_phone_that_was_reinstalled_shows_the_day_as_the_server_knows_it() {
    let (_folder, mut phone) = phone();
    let mut day = Day::default();
    let start = Action::StartShift { route: Some(north()) };
    let txn = carboy_protocol::TxnId::from_bytes([5; 16]);
    day.record(&start, txn, Timestamp(7));
    day.record(&Action::CollectCash { customer: customer(1), amount: kes(900) }, txn, Timestamp(8));
    phone.drainer.wake(carboy_core::Wake::Now);
    let request = phone.request();
    let visit = Visit { state: StopState::Delivered, txn, shift: Some(txn) };
    let stale = Visit { shift: None, ..visit };
    let told = |n, visit| FeedItem::Customer {
        customer: customer(n),
        balance: kes(0),
        profile: None,
        visit: Some(visit),
        closed: false,
    };
    let reply = applied(&request, 0, vec![told(1, visit), told(2, stale)], 60);
    phone.reply(&SyncReply { day: Some(day), ..reply });
    let shown = phone.engine.day().unwrap();
    assert_eq!((shown.cash_in_hand, shown.shift.unwrap().txn), (kes(900), txn));
    // Of an earlier shift's visit nothing is left.
    assert_eq!((stop(&phone, 1), stop(&phone, 2)), (Some(StopState::Delivered), None));
    phone.engine.finish_shift().unwrap();
}

#[test]
fn a_record_that_was_not_accepted_counts_nothing_and_the_others_do() {
    let (_folder, mut phone) = phone();
    phone.engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap();
    phone.engine.confirm_delivery(customer(2), &[line(1, 1)], None, &[]).unwrap();
    let request = phone.request();
    let mut reply = applied(&request, 60, vec![balance(2, 25_000)], 60);
    reply.results[0].answer =
        Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no customer".into() };
    reply.day = Some(day_of(&[request.mutations[1].get().to_owned()]));
    phone.reply(&reply);
    assert_eq!(numbers(&phone.engine.day().unwrap()), ([1, 0, 0, 0, 0, 0], [0, 0, 1, -1, 1, 1]));
    assert_eq!((stop(&phone, 1), stop(&phone, 2)), (None, Some(StopState::Delivered)));
    let states: Vec<_> = phone.engine.records(None, 9).unwrap().iter().map(|record| record.state).collect();
    assert_eq!(states, [Settlement::Applied, Settlement::Refused]);
}

/// Records so many payments and has all settled; returns how many records are kept then.
fn settle(phone: &mut Phone, more: u32) -> usize {
    for _ in 0..more {
        phone.engine.collect_cash(customer(1), kes(1)).unwrap();
    }
    while phone.pending() > 0 {
        let request = phone.request();
        phone.reply(&applied(&request, 60, vec![], 5_000));
    }
    assert_eq!(phone.engine.customer(customer(1)).unwrap().unsettled, kes(0));
    phone.engine.records(None, u32::MAX).unwrap().len()
}

#[test]
fn old_settled_records_are_dropped_once_they_are_many_and_the_newest_stay() {
    let (_folder, mut phone) = phone();
    assert_eq!([2_999, 1, 10].map(|more| settle(&mut phone, more)), [2_999, 2_000, 2_010]);
}

#[test]
fn of_many_that_are_settled_at_once_the_newest_alone_stay() {
    let (_folder, mut phone) = phone();
    assert_eq!([3_001, 1_100].map(|more| settle(&mut phone, more)), [2_000, 2_000]);
}
