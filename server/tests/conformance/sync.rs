//! What a phone can rely on when it syncs: exactly once, in order, nothing lost, nothing wedged.

use crate::common::{Engine, Phone, kes};
use crate::world;
use carboy_protocol::wire::{Answer, Refusal, Rejection, Settlement, SyncRequest};
use carboy_protocol::*;
use proptest::prelude::*;

fn applied(settlement: &Settlement) -> u64 {
    match settlement.answer {
        Answer::Applied { rev } => rev,
        ref answer => panic!("{answer:?}"),
    }
}

fn rejection(settlement: &Settlement) -> Rejection {
    match &settlement.answer {
        Answer::Rejected { reason, detail } => {
            assert!(!detail.is_empty());
            *reason
        }
        answer => panic!("{answer:?}"),
    }
}

fn answers(results: &[Settlement]) -> Vec<(u64, Answer)> {
    results.iter().map(|settlement| (settlement.seq, settlement.answer.clone())).collect()
}

#[test]
fn a_request_sent_twice_has_its_effects_once_and_the_same_answers_twice() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(3_000));
    phone.record(world.cash(-5));
    phone.record(world.edit(Field::Phone, "0711"));
    phone.record_raw(r#"{"damaged":"{\"v\":1,"}"#);
    phone.record(world.cash(2_000));
    let first = phone.try_sync(&world).unwrap();
    let second = phone.try_sync(&world).unwrap();
    assert_eq!(answers(&first.results), answers(&second.results));
    assert!(first.results.iter().all(|settlement| !settlement.duplicate));
    assert!(second.results.iter().all(|settlement| settlement.duplicate));
    assert_eq!(world.ledger(), [-3_000, -2_000]);
    assert_eq!(world.balance(), -5_000);
    assert_eq!(world.phone_numbers(), ["0711"]);
}

#[test]
fn a_rejected_or_unreadable_mutation_leaves_the_others_applied_and_is_kept() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(100));
    phone.record(Action::CollectCash { customer: CustomerId::from_bytes([9; 16]), amount: kes(1) });
    phone.record(Action::CollectCash {
        customer: world.customer,
        amount: Money::new(1, "UGX".parse().unwrap()),
    });
    phone.record(Action::ConfirmDelivery {
        customer: world.customer,
        lines: vec![DeliveryLine {
            product: "20L".parse().unwrap(),
            delivered: -3,
            empties: 0,
            unit_price: 5,
        }],
        currency: "KES".parse().unwrap(),
        proof: None,
        photos: vec![],
    });
    phone.record(world.set_balance(0, 5));
    phone.record_raw("[1, 2]");
    phone.record(world.cash(200));
    let reply = phone.sync(&world);
    let reasons: Vec<_> = reply.results[1..6].iter().map(rejection).collect();
    use Rejection::{CurrencyMismatch, Forbidden, Invalid, UnknownCustomer};
    assert_eq!(reasons, [UnknownCustomer, CurrencyMismatch, Invalid, Forbidden, Invalid]);
    assert_eq!(world.ledger(), [-100, -200]);
    assert_eq!(applied(&reply.results[6]), applied(&reply.results[0]) + 1, "a rejection takes no rev");
    let kept: Vec<(String,)> = world.rows("SELECT body FROM mutations WHERE status = 'rejected'");
    for body in &phone.outbox[1..6] {
        assert_eq!(kept.iter().filter(|(kept,)| kept == body).count(), 1);
    }
}

#[test]
fn a_text_that_only_some_databases_keep_is_rejected_by_the_rule_and_not_by_the_database() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Note, "left\0right"));
    phone.record(world.cash(1));
    let reply = phone.sync(&world);
    let Answer::Rejected { reason, detail } = &reply.results[0].answer else { panic!("{reply:?}") };
    assert_eq!((*reason, detail.as_str()), (Rejection::Invalid, "note holds a NUL character"));
    applied(&reply.results[1]);
}

#[test]
fn a_kind_or_version_of_the_future_is_parked_with_its_payload() {
    let world = world();
    let mut phone = world.phone();
    let body = r#"{ "v":1, "txn":"01936000-0000-7000-8000-000000000001", "kind":"sing", "song":"Malaika" }"#;
    phone.record_raw(body);
    phone.record(world.cash(100));
    let reply = phone.sync(&world);
    assert_eq!(reply.results[0].answer, Answer::Parked);
    applied(&reply.results[1]);
    let kept = "SELECT body FROM mutations WHERE status = 'parked'";
    assert_eq!(world.one::<String>(kept), body);
}

#[test]
fn an_id_that_stands_for_something_else_is_rejected_kept_and_answered_the_same_again() {
    let world = world();
    let mut phone = world.phone();
    let txn = phone.record(world.cash(100));
    let other = phone.outbox[0].replace("100", "999");
    phone.record_raw(&other);
    // Somebody took the key under which the other content will be kept.
    let key = TxnId::of_unreadable(other.as_bytes());
    phone.outbox.insert(0, phone.outbox[0].replace(&txn.to_string(), &key.to_string()).replace("100", "1"));
    let first = phone.try_sync(&world).unwrap();
    assert_eq!(rejection(&first.results[2]), Rejection::TxnReused);
    let restored = phone.restored();
    let again = restored.try_sync(&world).unwrap();
    assert_eq!(answers(&again.results), answers(&first.results));
    assert!(again.results.iter().all(|settlement| settlement.duplicate));
    assert_eq!(world.ledger(), [-1, -100]);
}

#[test]
fn what_came_under_an_id_that_stands_for_something_else_is_closed_under_the_key_of_its_bytes() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(100));
    let other = phone.outbox[0].replace("100", "999");
    phone.record_raw(&other);
    phone.record(Action::Accept { target: TxnId::of_unreadable(other.as_bytes()) });
    let reply = phone.sync(&world);
    assert_eq!(rejection(&reply.results[1]), Rejection::TxnReused);
    applied(&reply.results[2]);
}

#[test]
fn a_restored_phone_repeats_its_past_under_a_new_actor_without_effect_or_conflict_with_itself() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(100));
    phone.record(world.edit(Field::Phone, "0711"));
    phone.sync(&world);
    let backup = Phone { settled: 1, ..phone.clone() };
    let mut restored = backup.restored();
    // Written on the restored phone, which shows 0711 as its own pending edit over the server's older profile.
    let mut edit = world.edit(Field::Phone, "0722");
    if let Action::UpdateProfile { edit, .. } = &mut edit {
        edit.context = VectorClock::new();
    }
    restored.record(edit);
    let reply = restored.sync(&world);
    assert!(reply.results[0].duplicate);
    assert!(!reply.results[1].duplicate);
    // What 0711 had seen (the customer's first number) was not in the context: only 0711 is.
    assert_eq!(world.phone_numbers(), ["0722"]);
    assert_eq!(world.ledger(), [-100]);
}

#[test]
fn what_a_history_continues_counts_as_seen_even_where_it_repeats_nothing() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0711"));
    let mut later = world.edit(Field::Phone, "0722");
    phone.sync(&world);
    if let Action::UpdateProfile { edit, .. } = &mut later {
        edit.lamport += 1;
    }
    let mut restored = phone.restored();
    restored.record(later.clone());
    restored.sync(&world);
    assert_eq!(world.phone_numbers(), ["0722"]);
    let mut stranger = phone.restored();
    stranger.parent = None;
    stranger.record(later);
    stranger.sync(&world);
    assert_eq!(world.phone_numbers().len(), 2, "without a parent the same edit is concurrent");
}

#[test]
fn a_history_that_says_it_continues_more_than_there_is_does_not_make_later_edits_vanish() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0711"));
    phone.sync(&world);
    let later = world.edit(Field::Phone, "0733");
    let mut clone = phone.restored();
    clone.parent = Some(Dot { seq: 99, ..clone.parent.unwrap() });
    clone.record(world.edit(Field::Phone, "0722"));
    clone.sync(&world);
    phone.record(later);
    phone.sync(&world);
    let mut numbers = world.phone_numbers();
    numbers.sort_unstable();
    assert_eq!(numbers, ["0722", "0733"]);
}

#[test]
fn nobody_continues_another_accounts_history() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(1));
    phone.sync(&world);
    let mut other = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    other.parent = Some(Dot { actor: phone.actor, seq: 1 });
    other.record(world.cash(2));
    let before = world.dump();
    assert!(matches!(other.try_sync(&world), Err(Refusal::Malformed { .. })));
    assert_eq!(world.dump(), before);
}

#[test]
fn a_phone_may_ask_for_news_from_any_place_of_its_history() {
    let world = world();
    let mut phone = world.phone();
    for minor in 1..=3 {
        phone.record(world.cash(minor));
    }
    phone.sync(&world);
    for first_seq in 1..=4 {
        let reply = world.server.handle_sync(&phone.auth, &phone.request(first_seq, 0));
        assert!(reply.unwrap().results.is_empty(), "from {first_seq}");
    }
}

#[test]
fn a_gap_is_refused_with_the_seq_expected_and_nothing_is_written() {
    let world = world();
    let mut phone = world.phone();
    for minor in 1..=4 {
        phone.record(world.cash(minor));
    }
    world.server.handle_sync(&phone.auth, &phone.request(1, 2)).unwrap();
    let before = world.dump();
    let refusal = world.server.handle_sync(&phone.auth, &phone.request(4, 1)).unwrap_err();
    assert_eq!(refusal, Refusal::Gap { expected: 3 });
    assert_eq!(world.dump(), before);
    world.server.handle_sync(&phone.auth, &phone.request(2, 3)).unwrap();
    assert_eq!(world.ledger(), [-1, -2, -3, -4]);
}

#[test]
fn a_phone_that_has_less_or_other_than_the_server_saw_of_it_is_forked() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(1));
    let backup = phone.clone();
    phone.record(world.cash(2));
    phone.sync(&world);
    let before = world.dump();
    assert!(matches!(backup.try_sync(&world), Err(Refusal::Forked { .. })), "has seen less");
    let mut clone = backup.clone();
    clone.record(world.cash(3));
    assert!(matches!(clone.try_sync(&world), Err(Refusal::Forked { .. })), "has other content");
    assert_eq!(world.dump(), before);
    assert_eq!(world.ledger(), [-1, -2]);
}

#[test]
fn another_accounts_file_is_told_to_sign_in_and_changes_nothing() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(1));
    phone.sync(&world);
    let mut other = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    other.actor = phone.actor;
    other.record(world.cash(4));
    let before = world.dump();
    // Signed with the key of the phone that holds the file, and with the one that belongs to the token.
    for key in [&phone.key, &other.key] {
        let refusal = Phone { key: key.clone(), ..other.clone() }.try_sync(&world).unwrap_err();
        assert!(matches!(refusal, Refusal::SignIn { .. }), "{refusal:?}");
    }
    assert_eq!(world.dump(), before);
}

#[test]
fn another_accounts_ids_can_neither_be_read_nor_taken() {
    let world = world();
    let mut victim = world.phone();
    victim.record(world.cash(1));
    let mut squatter = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    squatter.record_raw(&victim.outbox[0].replace(r#""minor":1"#, r#""minor":7"#));
    let squatted = squatter.sync(&world);
    let reply = victim.sync(&world);
    assert!(!squatted.results[0].duplicate && !reply.results[0].duplicate);
    applied(&reply.results[0]);
    assert_eq!(world.ledger(), [-7, -1]);
}

#[test]
fn a_hundred_set_to_120_while_30_are_collected_is_90_in_either_order() {
    for cash_first in [true, false] {
        let world = world();
        let opening =
            Action::AdjustBalance { customer: world.customer, amount: kes(100), reason: "o".into() };
        world.act(&opening);
        let mut phone = world.phone();
        phone.record(world.cash(30));
        let set = world.set_balance(100, 120);
        if cash_first {
            phone.sync(&world);
            world.act(&set);
        } else {
            world.act(&set);
            phone.sync(&world);
        }
        assert_eq!(world.balance(), 90, "cash first: {cash_first}");
    }
}

#[test]
fn a_phone_number_edited_on_both_sides_ends_the_same_in_either_order_with_the_loser_kept() {
    let outcomes = [true, false].map(|phone_first| {
        let world = world();
        let mut phone = world.phone();
        phone.record(world.edit(Field::Phone, "rider's"));
        let managers = world.edit(Field::Phone, "manager's");
        if phone_first {
            phone.sync(&world);
            world.act(&managers);
        } else {
            world.act(&managers);
            phone.sync(&world);
        }
        world.phone_numbers()
    });
    assert_eq!(outcomes[0], ["manager's", "rider's"]);
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn two_dashboard_windows_that_had_not_seen_each_other_make_a_conflict() {
    let world = world();
    let (left, right) = (world.edit(Field::Phone, "left"), world.edit(Field::Phone, "right"));
    world.act(&left);
    world.act(&right);
    assert_eq!(world.phone_numbers(), ["right", "left"]);
}

#[test]
fn a_context_that_nobody_can_have_seen_does_not_make_later_edits_vanish() {
    let world = world();
    let mut phone = world.phone();
    let mut forged = world.edit(Field::Phone, "0711");
    if let Action::UpdateProfile { edit, .. } = &mut forged {
        edit.context = edit.context.dots().map(|dot| Dot { seq: i64::MAX as u64, ..dot }).collect();
    }
    phone.record(forged);
    phone.sync(&world);
    world.act(&world.edit(Field::Phone, "0722"));
    assert_eq!(world.phone_numbers(), ["0722"]);
}

#[test]
fn a_lamport_counter_too_far_ahead_is_rejected() {
    for (lead, is_accepted) in [(10_000, true), (10_001, false)] {
        let world = world();
        let mut phone = world.phone();
        let mut edit = world.edit(Field::Phone, "0711");
        if let Action::UpdateProfile { edit, .. } = &mut edit {
            edit.lamport += lead;
        }
        phone.record(edit);
        let reply = phone.sync(&world);
        assert_eq!(matches!(reply.results[0].answer, Answer::Applied { .. }), is_accepted, "{lead}");
    }
}

#[test]
fn a_balance_that_would_overflow_is_rejected_and_stays() {
    let world = world();
    world.run(&format!("UPDATE customers SET balance = -{}", (i64::MIN + 5).unsigned_abs()));
    let mut phone = world.phone();
    phone.record(world.cash(6));
    phone.record(world.cash(5));
    let reply = phone.sync(&world);
    assert_eq!(rejection(&reply.results[0]), Rejection::Invalid);
    assert_eq!(world.balance(), i64::MIN);
}

#[test]
fn an_effect_that_breaks_a_constraint_fails_alone_and_leaves_no_part_of_itself() {
    let world = world();
    world.run(match world.engine {
        Engine::Sqlite => {
            "CREATE TRIGGER fails BEFORE INSERT ON ledger WHEN new.amount IN (-7, -4)
             BEGIN SELECT raise(ABORT, 'broken row'); END"
        }
        Engine::Postgres => "ALTER TABLE ledger ADD CONSTRAINT fails CHECK (amount NOT IN (-7, -4))",
    });
    let mut phone = world.phone();
    for minor in [7, 3, 4, 2] {
        phone.record(world.cash(minor));
    }
    let reply = phone.sync(&world);
    assert_eq!(rejection(&reply.results[0]), Rejection::Invalid);
    assert_eq!(applied(&reply.results[1]), 2, "the failed one's rev is taken by the next");
    assert_eq!(rejection(&reply.results[2]), Rejection::Invalid);
    assert_eq!(applied(&reply.results[3]), 3);
    assert_eq!((world.ledger(), world.balance()), (vec![-3, -2], -5));
}

#[test]
fn a_profile_row_that_cannot_be_read_stops_only_what_needs_it() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0711"));
    phone.record(world.cash(3));
    world.run("UPDATE profiles SET profile = 'x'");
    let reply = phone.sync(&world);
    assert_eq!(rejection(&reply.results[0]), Rejection::Invalid);
    applied(&reply.results[1]);
}

#[test]
fn what_the_database_cannot_do_at_all_is_no_mutations_fault_and_settles_once_it_can() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0711"));
    phone.record(world.cash(3));
    // For the row that cannot be read, the mutations are settled one by one.
    world.run("UPDATE profiles SET profile = 'x'");
    let before = world.dump();
    world.run("ALTER TABLE ledger RENAME TO elsewhere");
    assert_eq!(phone.try_sync(&world), Err(Refusal::Internal));
    world.run("ALTER TABLE elsewhere RENAME TO ledger");
    assert_eq!(world.dump(), before);
    let reply = phone.sync(&world);
    assert_eq!(rejection(&reply.results[0]), Rejection::Invalid);
    applied(&reply.results[1]);
}

#[test]
fn what_is_withdrawn_in_the_request_that_brings_it_is_withdrawn_once_beside_a_row_that_cannot_be_read() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0711"));
    let target = phone.record(world.cash(3));
    let withdraw = Action::Withdraw { target, reason: None, restore: None };
    phone.record(withdraw.clone());
    world.run("UPDATE profiles SET profile = 'x'");
    applied(&phone.sync(&world).results[2]);
    phone.record(withdraw);
    assert_eq!(rejection(&phone.sync(&world).results[0]), Rejection::AlreadyWithdrawn);
    assert_eq!(world.ledger(), [-3, 3]);
}

#[test]
fn the_device_list_learns_what_a_phone_still_holds() {
    let world = world();
    let mut phone = world.phone();
    for minor in 1..=5 {
        phone.record(world.cash(minor));
    }
    world.server.handle_sync(&phone.auth, &phone.request(1, 2)).unwrap();
    let unsent = "SELECT unsent FROM devices";
    assert_eq!(world.one::<u32>(unsent), 3);
}

#[test]
fn requests_that_contradict_themselves_are_malformed() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(1));
    let good = phone.pending();
    let before = world.dump();
    let zero = SyncRequest { first_seq: 0, ..good.clone() };
    let beyond = SyncRequest { last_seq: 0, ..good.clone() };
    let huge = SyncRequest { first_seq: u64::MAX, last_seq: u64::MAX, mutations: vec![], ..good.clone() };
    let cursor = SyncRequest { cursor: u64::MAX, ..good.clone() };
    let hashes = SyncRequest { hashes: Some(vec![]), ..good.clone() };
    let end = i64::MAX as u64;
    let last = SyncRequest { last_seq: end, ..good.clone() };
    let farther = SyncRequest { cursor: end + 1, ..good.clone() };
    let gone_too_far = SyncRequest { first_seq: 3, mutations: vec![], ..good.clone() };
    for request in [zero, beyond, huge, cursor, hashes, last, farther, gone_too_far] {
        let refusal = world.server.handle_sync(&phone.auth, &request).unwrap_err();
        assert!(matches!(refusal, Refusal::Malformed { .. }), "{refusal:?}");
    }
    let many = |count| {
        let mutations = vec![good.mutations[0].clone(); count];
        SyncRequest { last_seq: end - 1, cursor: end, mutations, ..good.clone() }
    };
    // As many as there may be, with the greatest numbers: nothing is wrong with it but the signature.
    let refusal = world.server.handle_sync(&phone.auth, &many(wire::MAX_BATCH)).unwrap_err();
    assert!(matches!(refusal, Refusal::SignIn { .. }), "{refusal:?}");
    let many = many(wire::MAX_BATCH + 1);
    let refusal = world.server.handle_sync(&phone.auth, &many).unwrap_err();
    assert_eq!(refusal, Refusal::TooLarge { limit: wire::MAX_BATCH as u64 });
    assert_eq!(world.dump(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_and_sent_again_the_balance_is_the_sum_of_the_ledger_and_each_entry_is_there_once(
        steps in prop::collection::vec((0usize..2, -3i64..50, 0usize..4, any::<bool>()), 1..20),
    ) {
        let world = world();
        let mut phones = [world.phone(), world.phone()];
        let mut expected = 0;
        for (n, minor, back, is_restored) in steps {
            let phone = &mut phones[n];
            if is_restored {
                // The backup is some steps old: what the server settled meanwhile is repeated.
                phone.settled = phone.settled.saturating_sub(back);
                *phone = phone.restored();
            }
            phone.record(world.cash(minor));
            expected += if minor > 0 { minor } else { 0 };
            let first = (phone.settled + 1).saturating_sub(back).max(1);
            let request = phone.request(first as u64, phone.outbox.len() + 1 - first);
            let reply = world.server.handle_sync(&phone.auth, &request).unwrap();
            let again = world.server.handle_sync(&phone.auth, &request).unwrap();
            prop_assert_eq!(answers(&reply.results), answers(&again.results));
            phone.settled = phone.outbox.len();
        }
        prop_assert_eq!(world.balance(), -expected);
        prop_assert_eq!(world.ledger().iter().sum::<i64>(), -expected);
    }
}
