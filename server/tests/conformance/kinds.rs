//! What each kind of mutation does, and what is left of it once it is taken back.

use crate::common::{Phone, World, base64, kes};
use crate::world;
use carboy_protocol::wire::{Answer, FeedItem, Rejection, SyncReply, Visit};
use carboy_protocol::*;
use std::collections::BTreeMap;

/// The reasons of a reply's results: `None` where it was applied.
fn reasons(reply: &SyncReply) -> Vec<Option<Rejection>> {
    let reason = |answer: &Answer| match answer {
        Answer::Applied { .. } => None,
        Answer::Rejected { reason, detail } => {
            assert!(!detail.is_empty());
            Some(*reason)
        }
        Answer::Parked => panic!("parked"),
    };
    reply.results.iter().map(|settlement| reason(&settlement.answer)).collect()
}

/// Records and sends one action, which has to be applied.
fn done(world: &World, phone: &mut Phone, action: Action) -> TxnId {
    let txn = phone.record(action);
    assert_eq!(reasons(&phone.sync(world)), [None]);
    txn
}

fn withdraw(target: TxnId) -> Action {
    Action::Withdraw { target, reason: Some("wrong shop".into()), restore: None }
}

fn day(world: &World, phone: &mut Phone) -> Day {
    phone.sync(world).day.unwrap()
}

/// How the feed shows a customer now: last visit, and whether closed.
fn customer(world: &World, phone: &Phone, wanted: CustomerId) -> (Option<Visit>, bool) {
    let (items, _) = world.feed(phone, 0);
    let found = items.into_iter().find_map(|item| match item {
        FeedItem::Customer { customer, visit, closed, .. } if customer == wanted => Some((visit, closed)),
        _ => None,
    });
    found.unwrap()
}

fn visit(world: &World, phone: &Phone) -> Option<Visit> {
    customer(world, phone, world.customer).0
}

fn stock(full: i32, empty: i32) -> Vec<StockLine> {
    vec![StockLine { product: "20L".parse().unwrap(), full, empty }]
}

fn new_customer(n: u8, route: Option<RouteId>) -> Action {
    let fields = BTreeMap::from([(Field::Name, "New shop".to_owned())]);
    Action::AddCustomer { customer: CustomerId::from_bytes([n; 16]), fields, route }
}

fn fail(world: &World) -> Action {
    Action::FailDelivery { customer: world.customer, reason: FailReason::Closed, note: None }
}

fn stops(world: &World, phone: &Phone, wanted: RouteId) -> Vec<CustomerId> {
    let (items, _) = world.feed(phone, 0);
    let found = items.into_iter().find_map(|item| match item {
        FeedItem::Route { route, stops, .. } if route == wanted => Some(stops),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_day_counts_what_the_rider_did_and_a_second_phone_of_his_is_told() {
    let world = world();
    let (mut phone, mut second) = (world.phone(), world.phone());
    let shift = phone.record(Action::StartShift { route: None });
    phone.record(Action::LoadStock { lines: stock(20, 2) });
    phone.record(world.delivery(4, 3));
    phone.record(world.cash(300));
    phone.record(fail(&world));
    phone.record(new_customer(9, None));
    phone.record(Action::ReturnStock { lines: stock(5, 5) });
    phone.record(Action::HandInCash { amount: kes(200), note: Some("receipt 7".into()) });
    phone.record(world.cash(-1));
    let told = phone.sync(&world).day.unwrap();
    assert_eq!(told.shift.as_ref().map(|shift| (shift.txn, shift.is_open())), Some((shift, true)));
    let tally = &told.in_shift;
    assert_eq!((tally.deliveries, tally.failures, tally.customers, tally.cash_in_hand()), (1, 1, 1, 100));
    let bottles = tally.products.values().next().unwrap();
    assert_eq!((bottles.on_board(), bottles.empties_on_board()), (11, 0));
    assert_eq!(second.sync(&world).day.as_ref(), Some(&told));
    second.record(Action::FinishShift {});
    second.record(Action::StartShift { route: None });
    let next = second.sync(&world).day.unwrap();
    assert!(next.in_shift.is_empty());
    assert_eq!(next.in_all, told.in_all);
    assert_eq!(world.phone_of(&world.manager).sync(&world).day, None);
}

#[test]
fn a_stop_stands_as_the_last_record_says_with_the_shift_of_that() {
    let world = world();
    let mut phone = world.phone();
    let customer = world.customer;
    let txn = done(&world, &mut phone, Action::NoteProgress { customer, progress: Progress::OnTheWay });
    assert_eq!(visit(&world, &phone), Some(Visit { state: StopState::OnTheWay, txn, shift: None }));
    let shift = Some(done(&world, &mut phone, Action::StartShift { route: None }));
    let cursor = phone.sync(&world).cursor;
    let txn = done(&world, &mut phone, fail(&world));
    let failed = Visit { state: StopState::Failed, txn, shift };
    assert_eq!(visit(&world, &phone), Some(failed));
    let (items, _) = world.feed(&phone, cursor);
    assert_eq!(items.len(), 1, "whoever has read the feed is told of the visit: {items:?}");
    done(&world, &mut phone, world.cash(5));
    assert_eq!(visit(&world, &phone), Some(failed), "cash alone is no visit");
    let txn = done(&world, &mut phone, world.delivery(1, 0));
    let delivered = Visit { state: StopState::Delivered, txn, shift };
    assert_eq!(visit(&world, &phone), Some(delivered));
    // What is withdrawn is not the last record: that stands.
    done(&world, &mut phone, withdraw(failed.txn));
    assert_eq!(visit(&world, &phone), Some(delivered));
    done(&world, &mut phone, withdraw(delivered.txn));
    assert_eq!(visit(&world, &phone), None);
}

#[test]
fn every_amount_has_to_be_in_the_plants_currency() {
    let world = world();
    let mut phone = world.phone();
    phone.record(Action::HandInCash { amount: Money::new(5, "UGX".parse().unwrap()), note: None });
    let reply = phone.sync(&world);
    assert_eq!(reasons(&reply), [Some(Rejection::CurrencyMismatch)]);
    assert_eq!(reply.day, Some(Day::default()));
}

#[test]
fn a_customer_met_on_the_way_is_the_last_stop_of_the_route_and_can_be_worked_with() {
    let world = world();
    let mut phone = world.phone();
    let route = world.server.put_route(&world.manager, None, "North", &[world.customer]).unwrap();
    let (added, lost) = (CustomerId::from_bytes([9; 16]), CustomerId::from_bytes([8; 16]));
    let cursor = phone.sync(&world).cursor;
    phone.record(new_customer(9, Some(route)));
    phone.record(Action::CollectCash { customer: added, amount: kes(30) });
    phone.record(new_customer(8, Some(RouteId::from_bytes([7; 16]))));
    phone.record(new_customer(9, None));
    let reply = phone.sync(&world);
    assert_eq!(reasons(&reply), [None, None, None, Some(Rejection::Invalid)]);
    let Answer::Rejected { detail, .. } = &reply.results[3].answer else { panic!() };
    assert!(detail.contains(&added.to_string()), "{detail}");
    assert_eq!(stops(&world, &phone, route), [world.customer, added]);
    let (items, _) = world.feed(&phone, cursor);
    let profiles = items.iter().filter_map(|item| match item {
        FeedItem::Customer { customer, profile: Some(profile), .. } => Some((*customer, profile)),
        _ => None,
    });
    let profiles: BTreeMap<_, _> = profiles.collect();
    assert_eq!(profiles[&added].shown(Field::Name), Some("New shop"));
    assert!(profiles.contains_key(&lost), "an unknown route is no reason to lose the customer");
    assert_eq!(reply.day.unwrap().in_all.customers, 2);
}

#[test]
fn a_withdrawn_delivery_leaves_a_line_of_its_own_and_no_debt_no_visit_and_no_count() {
    let world = world();
    let mut phone = world.phone();
    done(&world, &mut phone, Action::StartShift { route: None });
    let before = day(&world, &mut phone);
    let delivery = done(&world, &mut phone, world.delivery(3, 1));
    assert_eq!(world.ledger(), [300]);
    let back = done(&world, &mut phone, withdraw(delivery));
    assert_eq!((world.ledger(), world.balance()), (vec![300, -300], 0));
    assert_eq!(visit(&world, &phone), None);
    assert_eq!(day(&world, &mut phone), before);
    let (items, _) = world.feed(&phone, 0);
    let line = items.into_iter().rev().find_map(|item| match item {
        FeedItem::Entry(entry) => Some(entry),
        _ => None,
    });
    let line = line.unwrap();
    assert_eq!((line.kind.as_str(), line.txn, line.amount), ("withdraw", back, kes(-300)));
    assert_eq!(line.note.as_deref(), Some("wrong shop"));
}

#[test]
fn a_ledgers_line_tells_the_reference_or_the_reason_that_was_given() {
    let world = world();
    let mut phone = world.phone();
    let Action::ConfirmDelivery { customer, lines, currency, photos, .. } = world.delivery(1, 0) else {
        panic!()
    };
    let proof = Some("signature 7".to_owned());
    done(&world, &mut phone, Action::ConfirmDelivery { customer, lines, currency, proof, photos });
    done(&world, &mut phone, world.cash(5));
    let outcome = world.act(&world.set_balance(95, 100));
    assert_eq!((outcome.kind, outcome.duplicate), ("set_balance", false));
    let notes: Vec<(Option<String>,)> = world.rows("SELECT note FROM ledger ORDER BY rev");
    let told = ["signature 7", "", "agreed"].map(|note| (Some(note.to_owned()).filter(|n| !n.is_empty()),));
    assert_eq!(notes, told);
}

#[test]
fn withdrawn_cash_is_owed_again() {
    let world = world();
    let mut phone = world.phone();
    let cash = done(&world, &mut phone, world.cash(70));
    done(&world, &mut phone, withdraw(cash));
    assert_eq!(world.ledger(), [-70, 70]);
    assert_eq!(day(&world, &mut phone), Day::default());
}

#[test]
fn withdrawn_stock_and_cash_handed_in_are_on_board_and_in_hand_again() {
    let world = world();
    let mut phone = world.phone();
    let actions = [
        Action::LoadStock { lines: stock(10, 1) },
        Action::ReturnStock { lines: stock(2, 0) },
        Action::HandInCash { amount: kes(5), note: None },
    ];
    let txns = actions.map(|action| done(&world, &mut phone, action));
    assert!(!day(&world, &mut phone).in_all.is_empty());
    for txn in txns {
        done(&world, &mut phone, withdraw(txn));
    }
    assert_eq!(day(&world, &mut phone), Day::default());
}

#[test]
fn a_withdrawn_failed_visit_counts_no_more() {
    let world = world();
    let mut phone = world.phone();
    let txn = done(&world, &mut phone, fail(&world));
    done(&world, &mut phone, withdraw(txn));
    assert_eq!(visit(&world, &phone), None);
    assert_eq!(world.one::<u32>("SELECT withdrawn FROM failed_visits"), 1);
    assert_eq!(day(&world, &mut phone), Day::default());
}

#[test]
fn a_shifts_end_withdrawn_leaves_it_open_and_its_start_withdrawn_leaves_none() {
    let world = world();
    let mut phone = world.phone();
    let start = done(&world, &mut phone, Action::StartShift { route: None });
    let finish = done(&world, &mut phone, Action::FinishShift {});
    done(&world, &mut phone, withdraw(finish));
    assert!(day(&world, &mut phone).shift.unwrap().is_open());
    done(&world, &mut phone, withdraw(start));
    assert_eq!(day(&world, &mut phone).shift, None);
}

#[test]
fn what_is_withdrawn_of_an_earlier_shift_leaves_the_whole_and_not_this_shift() {
    let world = world();
    let mut phone = world.phone();
    done(&world, &mut phone, Action::StartShift { route: None });
    let old = done(&world, &mut phone, world.cash(70));
    done(&world, &mut phone, Action::StartShift { route: None });
    let new = done(&world, &mut phone, world.cash(5));
    done(&world, &mut phone, withdraw(old));
    let told = day(&world, &mut phone);
    assert_eq!((told.in_shift.collected, told.in_all.collected), (5, 5));
    done(&world, &mut phone, withdraw(new));
    let told = day(&world, &mut phone);
    assert!(told.in_shift.is_empty() && told.in_all.is_empty());
}

#[test]
fn a_withdrawn_edit_restores_what_its_author_saw_and_nobody_elses_later_edit() {
    let world = world();
    let mut phone = world.phone();
    let edit = done(&world, &mut phone, world.edit(Field::Phone, "0711"));
    let Action::UpdateProfile { edit: restore, .. } = world.edit(Field::Phone, "0700") else { panic!() };
    let back = Action::Withdraw { target: edit, reason: None, restore: Some(restore) };
    done(&world, &mut phone, back);
    assert_eq!(world.phone_numbers(), ["0700"]);
    let edit = done(&world, &mut phone, world.edit(Field::Phone, "0722"));
    world.act(&world.edit(Field::Phone, "0733"));
    done(&world, &mut phone, withdraw(edit));
    assert_eq!(world.phone_numbers(), ["0733"], "nothing to restore: nothing is written");
    // A counter too far ahead is as wrong here as in an update, and nothing is withdrawn then.
    let Action::UpdateProfile { edit: mut restore, .. } = world.edit(Field::Phone, "0744") else { panic!() };
    let edit = done(&world, &mut phone, world.edit(Field::Phone, "0755"));
    restore.lamport += 20_000;
    phone.record(Action::Withdraw { target: edit, reason: None, restore: Some(restore) });
    phone.record(withdraw(edit));
    assert_eq!(reasons(&phone.sync(&world)), [Some(Rejection::Invalid), None]);
}

#[test]
fn a_customer_added_by_mistake_is_closed_leaves_the_routes_and_keeps_the_ledger() {
    let world = world();
    let mut phone = world.phone();
    let first = world.server.put_route(&world.manager, None, "North", &[world.customer]).unwrap();
    let added = CustomerId::from_bytes([9; 16]);
    let add = done(&world, &mut phone, new_customer(9, Some(first)));
    let stops_of_second = [added, world.customer];
    let second = world.server.put_route(&world.manager, None, "South", &stops_of_second).unwrap();
    let cursor = phone.sync(&world).cursor;
    done(&world, &mut phone, withdraw(add));
    let (items, _) = world.feed(&phone, cursor);
    assert_eq!(items.len(), 3, "two routes and the customer: {items:?}");
    for route in [first, second] {
        assert_eq!(stops(&world, &phone, route), [world.customer]);
    }
    assert_eq!(customer(&world, &phone, added), (None, true));
    done(&world, &mut phone, Action::CollectCash { customer: added, amount: kes(30) });
    assert_eq!(customer(&world, &phone, world.customer), (None, false));
    assert_eq!(day(&world, &mut phone).in_all.customers, 0);
}

#[test]
fn nothing_is_withdrawn_twice_nor_what_cannot_be_nor_what_is_not_there_nor_anothers() {
    let world = world();
    let mut phone = world.phone();
    let mut brian = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    let cash = phone.record(world.cash(70));
    let back = phone.record(withdraw(cash));
    phone.record(withdraw(cash));
    phone.record(withdraw(back));
    phone.record(withdraw(TxnId::from_bytes([9; 16])));
    use Rejection::{AlreadyWithdrawn, NotReversible, UnknownRecord};
    let expected = [None, None, Some(AlreadyWithdrawn), Some(NotReversible), Some(UnknownRecord)];
    assert_eq!(reasons(&phone.sync(&world)), expected);
    brian.record(withdraw(cash));
    brian.record(Action::Accept { target: cash });
    assert_eq!(reasons(&brian.sync(&world)), [Some(UnknownRecord); 2]);
    assert_eq!(world.ledger(), [-70, 70]);
    let adjust = Action::AdjustBalance { customer: world.customer, amount: kes(5), reason: "r".into() };
    let txn = world.server.new_txn().unwrap();
    world.server.act(&world.manager, txn, &adjust).unwrap();
    let outcome = world.act(&withdraw(txn)).answer;
    assert!(matches!(outcome, Answer::Rejected { reason: NotReversible, .. }), "{outcome:?}");
}

/// The txns that stand in `closed_by`, by the closed one's.
fn closed(world: &World) -> BTreeMap<String, String> {
    world.rows("SELECT txn, closed_by FROM mutations WHERE closed_by IS NOT NULL").into_iter().collect()
}

#[test]
fn what_was_not_accepted_is_closed_by_withdrawing_accepting_or_replacing_it() {
    let world = world();
    let mut phone = world.phone();
    let sing = |n: u8| format!(r#"{{"v":1,"txn":"{}","kind":"sing"}}"#, TxnId::from_bytes([n; 16]));
    let rejected: Vec<_> = (0..4).map(|_| phone.record(world.cash(-5))).collect();
    let parked = [TxnId::from_bytes([7; 16]), TxnId::from_bytes([8; 16])];
    phone.record_raw(&sing(7));
    phone.record_raw(&sing(8));
    phone.sync(&world);
    let withdrawn = phone.record(withdraw(rejected[0]));
    let accepted = phone.record(Action::Accept { target: rejected[1] });
    let replaced = phone.record_replacing(Some(rejected[2]), world.cash(5));
    let parked_too = [phone.record(withdraw(parked[0])), phone.record(Action::Accept { target: parked[1] })];
    // What is not accepted itself takes nobody's place.
    phone.record_replacing(Some(rejected[3]), world.cash(-6));
    phone.record(Action::Accept { target: rejected[0] });
    let reply = phone.sync(&world);
    let invalid = Some(Rejection::Invalid);
    assert_eq!(reasons(&reply), [None, None, None, None, None, invalid, None]);
    let pairs = [
        (rejected[0], withdrawn),
        (rejected[1], accepted),
        (rejected[2], replaced),
        (parked[0], parked_too[0]),
        (parked[1], parked_too[1]),
    ];
    let expected = pairs.map(|(of, by)| (*of.as_bytes(), *by.as_bytes()));
    let expected = expected.map(|(txn, by)| (base64(&txn), base64(&by)));
    assert_eq!(closed(&world), BTreeMap::from(expected), "who dealt with it first stands");
    assert_eq!(world.ledger(), [-5]);
    assert_eq!(reply.day.unwrap().in_all.collected, 5);
}

#[test]
fn what_was_applied_is_neither_accepted_nor_replaced_and_what_is_unknown_hinders_no_replacement() {
    let world = world();
    let mut phone = world.phone();
    let cash = phone.record(world.cash(70));
    phone.record(Action::Accept { target: cash });
    phone.record_replacing(Some(cash), world.cash(71));
    phone.record_replacing(Some(TxnId::from_bytes([9; 16])), world.cash(1));
    phone.record(Action::Accept { target: TxnId::from_bytes([9; 16]) });
    use Rejection::{NotReversible, UnknownRecord};
    let expected = [None, Some(NotReversible), Some(NotReversible), None, Some(UnknownRecord)];
    assert_eq!(reasons(&phone.sync(&world)), expected);
    assert_eq!(world.ledger(), [-70, -1]);
    assert_eq!(day(&world, &mut phone).in_all.collected, 71);
}

#[test]
fn a_rejected_and_an_unknown_one_in_the_middle_of_a_thousand_stop_none_of_the_others() {
    let world = world();
    let mut phone = world.phone();
    for n in 1..=1_000 {
        match n {
            500 => phone.record_raw(r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","kind":"sing"}"#),
            501 => drop(phone.record(world.cash(-1))),
            _ => drop(phone.record(world.cash(1))),
        }
    }
    let reply = phone.sync(&world);
    let applied = reply.results.iter().filter(|one| matches!(one.answer, Answer::Applied { .. })).count();
    assert_eq!(applied, 998);
    assert_eq!((world.balance(), reply.day.unwrap().in_all.collected), (-998, 998));
}

#[test]
fn what_is_sent_again_is_neither_counted_nor_reversed_again() {
    let world = world();
    let mut phone = world.phone();
    let delivery = phone.record(world.delivery(3, 1));
    phone.record(Action::LoadStock { lines: stock(10, 0) });
    phone.record(withdraw(delivery));
    let first = phone.try_sync(&world).unwrap();
    let again = phone.try_sync(&world).unwrap();
    let restored = phone.restored().try_sync(&world).unwrap();
    for reply in [again, restored] {
        assert!(reply.results.iter().all(|settlement| settlement.duplicate));
        assert_eq!(reply.day, first.day);
    }
    assert_eq!(world.ledger(), [300, -300]);
}
