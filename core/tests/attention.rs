//! What was not accepted stays visible until the rider has chosen what becomes of it, and each choice is a mutation.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{Attention, Choice, Correction, DeliveredLine, Error, Keep, Wake};
use carboy_protocol::wire::{Answer, FeedItem, Rejection, SyncRequest};
use carboy_protocol::{Action, ActorId, Dot, Field, Mutation, Profile, Role, Timestamp, VectorClock, Write};
use support::*;

fn phone() -> (tempfile::TempDir, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    (folder, phone)
}

/// Sends everything and lets the server accept nothing of it.
fn refuse_all(phone: &mut Phone, answer: &Answer) -> SyncRequest {
    let request = phone.request();
    let mut reply = applied(&request, 60, vec![], 60);
    for result in &mut reply.results {
        result.answer = answer.clone();
    }
    phone.reply(&reply);
    request
}

fn rejected() -> Answer {
    Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no such customer".into() }
}

/// The last mutation in the next request.
fn last_sent(phone: &mut Phone) -> Mutation {
    let request = phone.request();
    serde_json::from_str(request.mutations.last().unwrap().get()).unwrap()
}

#[test]
fn a_refused_mutation_says_what_can_be_done_about_it() {
    let (_folder, mut phone) = phone();
    let receipt = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    refuse_all(&mut phone, &rejected());
    let refused = phone.refused().remove(0);
    assert_eq!(
        (refused.id, refused.txn, refused.kind.as_str()),
        (receipt.id, Some(receipt.txn), "collect_cash")
    );
    assert_eq!((refused.customer, refused.customer_name.as_str()), (Some(customer(1)), "Customer 1"));
    assert_eq!(refused.choices, [Choice::Retry, Choice::Correct, Choice::Withdraw, Choice::Accept]);
    assert_eq!(phone.engine.status().unwrap().attention, 1);
    assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(10_000));
}

#[test]
fn sending_it_again_is_a_new_mutation_in_its_place() {
    let (_folder, mut phone) = phone();
    let first = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    refuse_all(&mut phone, &rejected());
    let again = phone.engine.retry(first.id).unwrap();
    assert_eq!(again.customer.unwrap().balance, kes(9_500));
    assert_eq!(again.day.cash_in_hand, kes(500));
    assert!(phone.refused().is_empty());
    let sent = last_sent(&mut phone);
    assert_eq!(sent.replaces, Some(first.txn));
    assert_ne!(sent.txn, first.txn);
    assert_eq!(sent.action, Action::CollectCash { customer: customer(1), amount: kes(500) });
    assert!(matches!(phone.engine.retry(first.id), Err(Error::UnknownRecord(_))));
}

#[test]
fn it_can_be_corrected_before_it_is_sent_again() {
    let (_folder, mut phone) = phone();
    let line = |delivered| DeliveredLine { product: "20L".parse().unwrap(), delivered, empties: 0 };
    let cash = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    let delivery = phone.engine.confirm_delivery(customer(1), &[line(3)], None, &[]).unwrap();
    refuse_all(&mut phone, &rejected());
    let misfit = phone.engine.resend(cash.id, &Correction::Lines(vec![line(1)]));
    assert!(matches!(misfit, Err(Error::NotPossible { kind: "collect_cash", .. })));
    let wrong = phone.engine.resend(cash.id, &Correction::Amount(kes(-4)));
    assert!(matches!(wrong, Err(Error::Invalid(_))));
    assert_eq!(phone.refused().len(), 2);

    phone.engine.resend(cash.id, &Correction::Amount(kes(400))).unwrap();
    phone.engine.resend(delivery.id, &Correction::Customer(customer(2))).unwrap();
    let balance = |n| phone.engine.customer(customer(n)).unwrap().balance;
    assert_eq!((balance(1), balance(2)), (kes(9_600), kes(55_000)));
    assert!(phone.refused().is_empty());
    assert_eq!(last_sent(&mut phone).replaces, Some(delivery.txn));
}

#[test]
fn withdrawing_or_accepting_it_closes_it_and_tells_the_server() {
    let (_folder, mut phone) = phone();
    let ids = [1, 2].map(|n| phone.engine.collect_cash(customer(1), kes(n)).unwrap());
    refuse_all(&mut phone, &rejected());
    phone.engine.withdraw(ids[0].id, Some("wrong shop".into())).unwrap();
    phone.engine.accept(ids[1].id).unwrap();
    assert!(phone.refused().is_empty());
    assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(10_000));
    let request = phone.request();
    let sent: Vec<Mutation> =
        request.mutations.iter().map(|raw| serde_json::from_str(raw.get()).unwrap()).collect();
    let reason = Some("wrong shop".to_owned());
    assert_eq!(sent[0].action, Action::Withdraw { target: ids[0].txn, reason, restore: None });
    assert_eq!(sent[1].action, Action::Accept { target: ids[1].txn });
    phone.reply(&applied(&request, 70, vec![], 80));
    assert_eq!(phone.engine.status().unwrap().attention, 0);
    // It was dealt with: there is nothing left to take back.
    assert!(matches!(phone.engine.withdraw(ids[0].id, None), Err(Error::NotPossible { .. })));
}

#[test]
fn a_reversal_that_is_not_accepted_leaves_the_record_standing_and_can_be_tried_again() {
    let (_folder, mut phone) = phone();
    let cash = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    let request = phone.request();
    phone.reply(&applied(&request, 60, vec![balance(1, 9_500)], 60));
    let reversal = phone.engine.withdraw(cash.id, None).unwrap();
    assert_eq!(reversal.customer.unwrap().balance, kes(10_000));
    refuse_all(&mut phone, &rejected());
    assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(9_500));
    assert_eq!(phone.refused()[0].choices, [Choice::Retry, Choice::Accept]);
    let again = phone.engine.retry(reversal.id).unwrap();
    assert_eq!(again.customer.unwrap().balance, kes(10_000));
    // Named as replaced, the first one leaves the manager's list.
    let sent = last_sent(&mut phone);
    assert_eq!((sent.replaces, sent.action.target()), (Some(reversal.txn), Some(cash.txn)));
}

#[test]
fn what_the_server_parked_can_be_withdrawn() {
    let (_folder, mut phone) = phone();
    let cash = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    refuse_all(&mut phone, &Answer::Parked);
    let refused = phone.refused().remove(0);
    assert_eq!((refused.reason.as_str(), refused.choices), ("parked", vec![Choice::Withdraw]));
    phone.engine.withdraw(cash.id, None).unwrap();
    assert!(phone.refused().is_empty());
}

#[test]
fn a_mutation_whose_bytes_cannot_be_read_any_more_can_be_accepted() {
    let (folder, mut phone) = phone();
    let cash = phone.engine.collect_cash(customer(1), kes(500)).unwrap();
    raw(&file(folder.path())).execute("UPDATE record SET body = '{'", []).unwrap();
    let request = refuse_all(&mut phone, &rejected());
    let refused = phone.refused().remove(0);
    assert_eq!((refused.txn, refused.choices), (None, vec![Choice::Accept]));
    assert!(matches!(phone.engine.retry(cash.id), Err(Error::NotPossible { kind: "unreadable", .. })));
    phone.engine.accept(cash.id).unwrap();
    let key = carboy_protocol::TxnId::of_unreadable(request.mutations[0].get().as_bytes());
    assert_eq!(last_sent(&mut phone).action, Action::Accept { target: key });
}

#[test]
fn a_customer_who_was_not_accepted_is_shown_no_more_and_can_be_sent_again() {
    let (_folder, mut phone) = phone();
    let added = phone.engine.add_customer([(Field::Name, "Kiosk".into())].into(), None).unwrap();
    refuse_all(&mut phone, &rejected());
    assert_eq!(phone.engine.customers("", None, 100).unwrap().len(), 10);
    assert!(phone.engine.collect_cash(added.customer.customer, kes(5)).is_err());
    let fields = Correction::Fields([(Field::Name, "Corner Kiosk".into())].into());
    phone.engine.resend(added.id, &fields).unwrap();
    let receipt = phone.engine.collect_cash(added.customer.customer, kes(5)).unwrap();
    assert_eq!(receipt.customer.name, "Corner Kiosk");
}

/// A profile in which a manager's number is shown and the rider's stands behind it.
fn conflicted() -> Profile {
    let mut conflicted = profile("Customer 1");
    conflicted.apply(&Write {
        dot: Dot { actor: ActorId::from_bytes([8; 16]), seq: 1 },
        context: VectorClock::new(),
        lamport: 1,
        role: Role::Rider,
        author: identity().account,
        at: Timestamp(5),
        changes: [(Field::Phone, "0799".to_owned())].into(),
    });
    conflicted
}

fn with_conflict() -> (tempfile::TempDir, Phone) {
    let (folder, mut phone) = phone();
    let profile = Some(conflicted());
    let item =
        FeedItem::Customer { customer: customer(1), balance: kes(0), profile, visit: None, closed: false };
    phone.fetch(vec![item], 60);
    (folder, phone)
}

#[test]
fn an_edit_that_stands_behind_another_one_needs_the_rider() {
    let (_folder, phone) = with_conflict();
    let items = phone.engine.attention(0, 10).unwrap();
    let [Attention::LostEdit(edit)] = &items[..] else { panic!("{items:?}") };
    assert_eq!((edit.customer_name.as_str(), edit.field), ("Customer 1", Field::Phone));
    assert_eq!((edit.shown.value.as_str(), edit.mine.value.as_str()), ("0700", "0799"));
    assert_eq!(phone.engine.status().unwrap().attention, 1);
    assert!(phone.engine.attention(1, 10).unwrap().is_empty());
}

#[test]
fn either_value_of_a_conflict_can_be_kept_by_an_edit_that_has_seen_both() {
    for (keep, kept) in [(Keep::Mine, "0799"), (Keep::Shown, "0700")] {
        let (_folder, mut phone) = with_conflict();
        let receipt = phone.engine.settle_edit(customer(1), Field::Phone, keep).unwrap();
        assert_eq!(receipt.customer.phone, kept);
        assert!(phone.engine.attention(0, 10).unwrap().is_empty());
        assert_eq!(phone.engine.status().unwrap().attention, 0);
        let again = phone.engine.settle_edit(customer(1), Field::Phone, keep);
        assert!(matches!(again, Err(Error::NoLostEdit("phone"))));
        phone.drainer.wake(Wake::Now);
        let Action::UpdateProfile { edit, .. } = last_sent(&mut phone).action else { panic!() };
        assert_eq!((edit.context, edit.lamport), (conflicted().clock(), 2));
    }
}
