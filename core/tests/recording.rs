//! What a rider records is on the phone at once, as a whole or not at all.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{DeliveredLine, Engine, Error};
use carboy_protocol::wire::{FeedItem, LedgerEntry, Visit};
use carboy_protocol::{ChainHash, FailReason, Field, Money, Role, RouteId, StopState, Timestamp, TxnId};
use support::*;

fn line(delivered: i32, empties: i32) -> DeliveredLine {
    DeliveredLine { product: "20L".parse().unwrap(), delivered, empties }
}

/// Everything in the file, as text.
fn dump(path: &std::path::Path) -> String {
    let connection = raw(path);
    let mut text = String::new();
    for table in ["meta", "record", "customer", "attention", "entry", "product", "stop"] {
        let mut query = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                text.push_str(&format!("{:?} ", row.get_ref(column).unwrap()));
            }
        }
    }
    text
}

#[test]
fn an_action_returns_what_the_screen_now_shows_and_its_entry_waits() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let receipt = phone.engine.confirm_delivery(customer(1), &[line(2, 1)], None, &[]).unwrap();
    assert_eq!(receipt.customer.balance, kes(40_000));
    assert_eq!(receipt.customer.unsettled, kes(30_000));
    let receipt = phone.engine.collect_cash(customer(1), kes(25_000)).unwrap();
    assert_eq!(receipt.customer.balance, kes(15_000));
    assert_eq!(phone.engine.customer(customer(1)).unwrap(), receipt.customer);

    let kinds: Vec<_> =
        phone.engine.waiting(0, 10).unwrap().into_iter().map(|item| (item.id, item.kind)).collect();
    assert_eq!(kinds, [(1, "confirm_delivery".to_owned()), (2, "collect_cash".to_owned())]);
    let history: Vec<_> =
        phone.engine.history(customer(1), 0, 10).unwrap().into_iter().map(|line| line.amount).collect();
    assert_eq!(history, [kes(-25_000), kes(30_000)]);
    let status = phone.engine.status().unwrap();
    assert_eq!((status.pending, status.oldest_pending.unwrap().0), (2, 1_732_350_000_000));
}

#[test]
fn a_delivery_and_its_cash_are_two_records_of_one_tap() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let receipt =
        phone.engine.confirm_paid_delivery(customer(1), &[line(2, 1)], kes(25_000), None, &[]).unwrap();
    assert_eq!(receipt.customer.balance, kes(15_000));
    let kinds: Vec<_> =
        phone.engine.waiting(0, 10).unwrap().into_iter().map(|item| (item.id, item.kind)).collect();
    assert_eq!(kinds, [(1, "confirm_delivery".to_owned()), (2, "collect_cash".to_owned())]);
    assert_eq!((receipt.id, phone.engine.day().unwrap().cash_in_hand), (2, kes(25_000)));
}

#[test]
fn a_delivery_whose_cash_cannot_be_recorded_is_not_recorded_either() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let before = dump(&file(folder.path()));
    let photo = folder.path().join("proof.jpg");
    std::fs::write(&photo, "photo").unwrap();
    for paid in [kes(0), Money::new(100, "UGX".parse().unwrap())] {
        let result = phone.engine.confirm_paid_delivery(customer(1), &[line(2, 1)], paid, None, &[&photo]);
        assert!(matches!(result, Err(Error::Invalid(_) | Error::CurrencyMismatch { .. })), "{result:?}");
    }
    assert_eq!(dump(&file(folder.path())), before);
    assert_eq!(phone.engine.waiting(0, 10).unwrap(), []);
}

#[test]
fn a_receipts_code_names_its_record_on_the_phone_and_in_what_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let paid = phone.engine.collect_cash(customer(1), kes(25_000)).unwrap();
    let begun = phone.engine.start_shift(None).unwrap();
    let codes: Vec<_> =
        phone.engine.records(None, 10).unwrap().into_iter().map(|record| record.code).collect();
    assert_eq!(codes, [begun.code, paid.code.clone()]);

    let request = phone.request();
    let first = ChainHash::genesis(request.actor).next(1, request.mutations[0].get().as_bytes());
    assert_eq!(paid.code, first.short_code());
}

#[test]
fn the_route_shows_how_each_visit_ended_and_whether_the_server_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let first = phone.engine.confirm_delivery(customer(1), &[line(1, 0)], None, &[]).unwrap();
    let request = phone.request();
    let visit = Visit { state: StopState::Delivered, txn: first.txn, shift: None };
    let told = FeedItem::Customer {
        customer: customer(1),
        balance: kes(25_000),
        profile: None,
        visit: Some(visit),
        closed: false,
    };
    phone.reply(&applied(&request, 60, vec![told], 60));
    phone.engine.fail_delivery(customer(2), FailReason::Closed, None).unwrap();

    let stops = phone.engine.stops(RouteId::from_bytes([7; 16])).unwrap();
    let shown: Vec<_> = stops.iter().take(3).map(|stop| (stop.state, stop.settled)).collect();
    assert_eq!(shown, [(Some(StopState::Delivered), true), (Some(StopState::Failed), false), (None, true)]);
    let route = &phone.engine.routes().unwrap()[0];
    assert_eq!((route.name.as_str(), route.stops, route.done), ("North", 10, 2));
}

#[test]
fn a_withdrawn_visit_leaves_the_newer_one_that_the_server_has_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let told = |state, txn| FeedItem::Customer {
        customer: customer(1),
        balance: kes(10_000),
        profile: None,
        visit: Some(Visit { state, txn, shift: None }),
        closed: false,
    };
    let vain = phone.engine.fail_delivery(customer(1), FailReason::Closed, None).unwrap();
    let request = phone.request();
    phone.reply(&applied(&request, 60, vec![told(StopState::Failed, vain.txn)], 60));
    phone.engine.collect_cash(customer(2), kes(5_000)).unwrap();
    let request = phone.request();
    // While this request is under way; its answer brings the visit that another rider made since.
    phone.engine.withdraw(vain.id, None).unwrap();
    phone.reply(&applied(&request, 61, vec![told(StopState::Delivered, TxnId::from_bytes([9; 16]))], 61));
    let request = phone.request();
    phone.reply(&applied(&request, 62, vec![], 62));

    let stop = &phone.engine.stops(RouteId::from_bytes([7; 16])).unwrap()[0];
    assert_eq!((stop.state, stop.settled), (Some(StopState::Delivered), true));
}

#[test]
fn a_visit_that_the_feed_held_long_ago_leaves_the_newer_one_that_the_server_has_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let told = FeedItem::Customer {
        customer: customer(1),
        balance: kes(10_000),
        profile: None,
        visit: Some(Visit { state: StopState::Delivered, txn: TxnId::from_bytes([9; 16]), shift: None }),
        closed: false,
    };
    phone.fetch(vec![told], 55);
    // The server knows it already, as from the phone that this file was restored from.
    phone.engine.fail_delivery(customer(1), FailReason::Closed, None).unwrap();
    let request = phone.request();
    let mut reply = applied(&request, 55, vec![], 60);
    reply.results[0].duplicate = true;
    phone.reply(&reply);
    let stop = &phone.engine.stops(RouteId::from_bytes([7; 16])).unwrap()[0];
    assert_eq!((stop.state, stop.settled), (Some(StopState::Delivered), true));
}

#[test]
fn the_ledger_of_the_feed_stands_behind_what_waits_and_takes_no_other_currency() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let entry = |rev: u8, amount| {
        FeedItem::Entry(LedgerEntry {
            txn: TxnId::from_bytes([rev; 16]),
            customer: customer(1),
            kind: "adjust_balance".into(),
            amount,
            note: Some("agreed".into()),
            role: Role::Manager,
            author: identity().account,
            at: Timestamp(5),
            rev: rev.into(),
        })
    };
    phone.fetch(vec![entry(51, kes(700)), entry(52, kes(-200))], 52);
    phone.engine.collect_cash(customer(1), kes(100)).unwrap();
    let lines = phone.engine.history(customer(1), 0, 10).unwrap();
    let shown: Vec<_> = lines.iter().map(|line| (line.amount, line.role, line.settled)).collect();
    let expected =
        [(kes(-100), Role::Rider, false), (kes(-200), Role::Manager, true), (kes(700), Role::Manager, true)];
    assert_eq!(shown, expected);
    let request = phone.request();
    let ugx = Money::new(5, "UGX".parse().unwrap());
    phone.reply(&applied(&request, 53, vec![entry(53, ugx)], 53));
    assert_eq!(phone.pending(), 1, "a reply of another plant settles nothing");
}

#[test]
fn a_profile_update_shows_at_once_and_later_ones_build_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    for number in ["0711", "0722"] {
        let receipt =
            phone.engine.update_profile(customer(1), [(Field::Phone, number.into())].into()).unwrap();
        assert_eq!(receipt.customer.phone, number);
        // What stands between them is no edit.
        phone.engine.collect_cash(customer(1), kes(1)).unwrap();
    }
    let lamports: Vec<u64> = phone
        .request()
        .mutations
        .iter()
        .filter_map(|raw| serde_json::from_str::<serde_json::Value>(raw.get()).unwrap()["lamport"].as_u64())
        .collect();
    assert_eq!(lamports, [2, 3]);
}

#[test]
fn bad_input_is_a_clear_error_and_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    let phone = Phone::with_plant(folder.path());
    let engine = &phone.engine;
    let before = dump(&path);
    let unknown_product = DeliveredLine { product: "5L".parse().unwrap(), ..line(1, 0) };
    let ugx = Money::new(5, "UGX".parse().unwrap());
    let errors = [
        engine.collect_cash(customer(99), kes(5)),
        engine.confirm_delivery(customer(1), &[line(-3, 0)], None, &[]),
        engine.confirm_delivery(customer(1), &[], None, &[]),
        engine.confirm_delivery(customer(1), &[unknown_product], None, &[]),
        engine.collect_cash(customer(1), ugx),
        engine.collect_cash(customer(1), kes(0)),
        engine.update_profile(customer(1), [].into()),
        engine.fail_delivery(customer(1), FailReason::Other, Some("x".repeat(501))),
    ]
    .map(|result| result.unwrap_err().to_string());
    assert_eq!(
        errors,
        [
            "unknown customer 63636363-6363-6363-6363-636363636363",
            "bottles delivered out of range: -3 (0 to 10000)",
            "a delivery needs 1 to 50 lines with at least one bottle, not 0 lines",
            "unknown product 5L",
            "currency UGX is not the plant's KES",
            "cash out of range: 0 minor units (limit 1000000000000)",
            "a profile update needs at least one changed field",
            "note has 501 characters (1 to 500)",
        ]
    );
    assert_eq!(dump(&path), before);
}

#[test]
fn a_store_reopens_as_it_was_and_only_for_its_account() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    let phone = Phone::with_plant(folder.path());
    phone.engine.collect_cash(customer(1), kes(100)).unwrap();
    let before = dump(&path);
    drop(phone);
    assert_eq!(Phone::empty(folder.path()).pending(), 1);
    assert_eq!(dump(&path), before);

    // Another account's file under this account's name.
    let other = carboy_protocol::AccountId::from_bytes([3; 16]);
    raw(&path).execute("UPDATE meta SET account = ?", [other.as_bytes()]).unwrap();
    assert!(matches!(Engine::open(&options(folder.path())), Err(Error::WrongAccount { .. })));
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    drop(Phone::empty(folder.path()));
    let path = file(folder.path());
    raw(&path).pragma_update(None, "user_version", 99).unwrap();
    let opened = Engine::open(&options(folder.path()));
    assert!(matches!(opened, Err(Error::NewerSchema { found: 99, known: 1 })));
}

#[test]
fn the_store_commits_with_full_durability() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    drop(Phone::empty(folder.path()));
    let connection = raw(&path);
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_conflict_from_the_feed_shows_every_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let mut conflicted = profile("Customer 1");
    let write = carboy_protocol::Write {
        dot: carboy_protocol::Dot { actor: carboy_protocol::ActorId::from_bytes([8; 16]), seq: 1 },
        context: carboy_protocol::VectorClock::new(),
        lamport: 1,
        role: Role::Rider,
        author: identity().account,
        at: carboy_protocol::Timestamp(5),
        changes: [(Field::Phone, "0799".to_owned())].into(),
    };
    conflicted.apply(&write);
    phone.drainer.wake(carboy_core::Wake::Now);
    let request = phone.request();
    let item = carboy_protocol::wire::FeedItem::Customer {
        customer: customer(1),
        balance: kes(1),
        profile: Some(conflicted),
        visit: None,
        closed: false,
    };
    phone.reply(&applied(&request, 0, vec![item], 51));
    let shown = phone.engine.customer(customer(1)).unwrap();
    assert_eq!(shown.phone, "0700");
    let (field, values) = &shown.conflicts[0];
    let values: Vec<_> = values.iter().map(|value| (value.value.as_str(), value.role)).collect();
    assert_eq!((*field, values), (Field::Phone, vec![("0700", Role::Manager), ("0799", Role::Rider)]));
}

#[test]
fn a_conflict_between_others_needs_nothing_of_the_rider() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::with_plant(folder.path());
    let mut conflicted = profile("Customer 1");
    conflicted.apply(&carboy_protocol::Write {
        dot: carboy_protocol::Dot { actor: carboy_protocol::ActorId::from_bytes([8; 16]), seq: 1 },
        context: carboy_protocol::VectorClock::new(),
        lamport: 1,
        role: Role::Rider,
        author: carboy_protocol::AccountId::from_bytes([4; 16]),
        at: Timestamp(5),
        changes: [(Field::Phone, "0799".to_owned())].into(),
    });
    let item = FeedItem::Customer {
        customer: customer(1),
        balance: kes(1),
        profile: Some(conflicted),
        visit: None,
        closed: false,
    };
    phone.fetch(vec![item], 51);
    assert_eq!(phone.engine.customer(customer(1)).unwrap().conflicts.len(), 1);
    assert_eq!(phone.engine.status().unwrap().attention, 0);
}
