//! The drainer sends in order, takes only what the server said for an answer, and never stops for good.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{Choice, LinkError, Reply, Step, SyncState, TokenError, Wake};
use carboy_protocol::wire::{Answer, FeedItem, Rejection, Settlement};
use carboy_protocol::{ChainHash, DeviceKey, Dot, Field};
use std::time::Duration;
use support::*;

fn phone_with(entries: i64) -> (tempfile::TempDir, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    for n in 1..=entries {
        phone.engine.collect_cash(customer(1), kes(n)).unwrap();
    }
    (folder, phone)
}

#[test]
fn entries_go_in_order_with_the_hash_chain_over_their_very_bytes() {
    let (_folder, mut phone) = phone_with(3);
    let request = phone.request();
    assert_eq!((request.first_seq, request.last_seq, request.cursor), (1, 3, 50));
    let head = request
        .mutations
        .iter()
        .zip(1..)
        .fold(ChainHash::genesis(request.actor), |head, (raw, seq)| head.next(seq, raw.get().as_bytes()));
    assert_eq!(request.head, head);
    let bytes: usize = request.mutations.iter().map(|raw| raw.get().len()).sum();
    assert_eq!(phone.engine.status().unwrap().pending_bytes, bytes as u64);
    phone.reply(&applied(&request, 51, vec![balance(1, 9_994)], 53));
    assert_eq!((phone.pending(), phone.engine.status().unwrap().pending_bytes), (0, 0));
    phone.engine.collect_cash(customer(1), kes(9)).unwrap();
    assert_eq!(phone.request().first_seq, 4);
}

#[test]
fn every_request_is_signed_for_the_last_entry_that_its_head_covers() {
    let key = DeviceKey::from_seed([7; 32]).public();
    let (_folder, mut phone) = phone_with(3);
    for (first_seq, count, covered) in [(1, 3, 3), (4, 0, 3)] {
        phone.drainer.wake(Wake::Now);
        let request = phone.request();
        assert_eq!((request.first_seq, request.mutations.len()), (first_seq, count));
        assert!(key.verifies_head(request.actor, covered, request.head, &request.signature));
        phone.reply(&applied(&request, 51, vec![], 60));
    }
}

#[test]
fn a_balance_never_flickers_while_an_entry_settles() {
    let (_folder, mut phone) = phone_with(1);
    let shown = |phone: &Phone| phone.engine.customer(customer(1)).unwrap().balance;
    assert_eq!(shown(&phone), kes(9_999));
    // Settled at rev 60, but this page of the feed only reaches 55: the overlay stays.
    let request = phone.request();
    let mut reply = applied(&request, 60, vec![balance(1, 10_000)], 55);
    reply.more = true;
    phone.reply(&reply);
    assert_eq!((phone.pending(), shown(&phone)), (0, kes(9_999)));
    assert!(phone.engine.history(customer(1), 0, 5).unwrap()[0].settled);
    let request = phone.request();
    assert_eq!((request.mutations.len(), request.cursor), (0, 55));
    phone.reply(&applied(&request, 0, vec![balance(1, 9_999)], 60));
    let after = phone.engine.customer(customer(1)).unwrap();
    assert_eq!((after.balance, after.unsettled), (kes(9_999), kes(0)));
}

#[test]
fn a_pending_phone_number_stays_shown_until_the_feed_contains_it() {
    let (_folder, mut phone) = phone_with(0);
    phone.engine.update_profile(customer(1), [(Field::Phone, "0711".into())].into()).unwrap();
    let request = phone.request();
    let item = || FeedItem::Customer {
        customer: customer(1),
        balance: kes(0),
        profile: Some(profile("Renamed")),
        visit: None,
        closed: false,
    };
    phone.reply(&applied(&request, 60, vec![item()], 55));
    let shown = phone.engine.customer(customer(1)).unwrap();
    assert_eq!((shown.name.as_str(), shown.phone.as_str()), ("Renamed", "0711"));
    // With the answer to a later record.
    phone.engine.collect_cash(customer(1), kes(1)).unwrap();
    let request = phone.request();
    phone.reply(&applied(&request, 61, vec![item()], 61));
    assert_eq!(phone.engine.customer(customer(1)).unwrap().phone, "0700");
}

#[test]
fn a_rejected_entry_needs_attention_and_the_ones_around_it_settle() {
    let (_folder, mut phone) = phone_with(3);
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![balance(1, 9_996)], 53);
    let detail = "no such customer".to_owned();
    reply.results[1].answer = Answer::Rejected { reason: Rejection::UnknownCustomer, detail };
    phone.reply(&reply);
    assert_eq!(phone.pending(), 0);
    let attention = phone.refused();
    assert_eq!(attention.len(), 1);
    assert_eq!((attention[0].id, attention[0].reason.as_str()), (2, "unknown_customer"));
    assert!(attention[0].body.contains(r#""minor":2"#), "{}", attention[0].body);
    use carboy_core::Settlement::{Applied, Refused};
    let states: Vec<_> = phone.engine.records(None, 9).unwrap().iter().map(|record| record.state).collect();
    assert_eq!(states, [Applied, Refused, Applied]);
    assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(9_996));
}

#[test]
fn a_parked_entry_is_settled_and_stays_visible() {
    let (_folder, mut phone) = phone_with(1);
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![], 51);
    reply.results[0].answer = Answer::Parked;
    phone.reply(&reply);
    assert_eq!(phone.pending(), 0);
    assert_eq!(phone.refused()[0].reason, "parked");
}

#[test]
fn a_parked_entry_leaves_the_list_once_an_updated_server_has_applied_it() {
    let (_folder, mut phone) = phone_with(2);
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![], 51);
    for result in &mut reply.results {
        result.answer = Answer::Parked;
    }
    phone.reply(&reply);
    let [first, second] = [0, 1].map(|n| phone.refused()[n].txn.unwrap());
    let detail = "no such customer".to_owned();
    let reason = Rejection::UnknownCustomer;
    phone.fetch(
        vec![
            FeedItem::Settled { txn: first, answer: Answer::Applied { rev: 60 } },
            FeedItem::Settled { txn: second, answer: Answer::Rejected { reason, detail } },
        ],
        61,
    );
    let attention = phone.refused();
    assert_eq!(attention.len(), 1);
    assert_eq!((attention[0].txn, attention[0].reason.as_str()), (Some(second), "unknown_customer"));
    assert!(attention[0].choices.contains(&Choice::Retry));
}

#[test]
fn what_a_parked_reversal_takes_back_stays_taken_back_once_an_updated_server_has_applied_it() {
    for is_told_first in [true, false] {
        let (_folder, mut phone) = phone_with(1);
        let request = phone.request();
        phone.reply(&applied(&request, 51, vec![], 51));
        let answer = |phone: &mut Phone, answer: Answer, cursor: u64| {
            phone.drainer.wake(Wake::Now);
            let mut reply = applied(&phone.request(), 52, vec![], cursor);
            reply.results[0].answer = answer;
            phone.reply(&reply);
        };
        let parked = phone.engine.withdraw(1, None).unwrap();
        answer(&mut phone, Answer::Parked, 52);
        let mut told = vec![FeedItem::Settled { txn: parked.txn, answer: Answer::Applied { rev: 60 } }];
        // The rider tries it once more while the phone asks for news.
        phone.drainer.wake(Wake::Now);
        let request = phone.request();
        phone.engine.withdraw(1, None).unwrap();
        let news = if is_told_first { std::mem::take(&mut told) } else { vec![] };
        phone.reply(&applied(&request, 0, news, 61));
        let detail = "it was withdrawn already".to_owned();
        answer(&mut phone, Answer::Rejected { reason: Rejection::AlreadyWithdrawn, detail }, 62);
        phone.fetch(told, 63);
        assert!(phone.engine.records(None, 10).unwrap()[2].withdrawn, "told first: {is_told_first}");
    }
}

#[test]
fn a_lost_reply_keeps_everything_and_waits_with_growing_backoff() {
    let (_folder, mut phone) = phone_with(5);
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        phone.exchange();
        phone.drainer.reply(Err(LinkError("reset".into())));
        let wait = phone.waits().unwrap_or_default();
        assert!(wait <= Duration::from_secs(300), "{wait:?}");
        longest = longest.max(wait);
        assert_eq!(phone.pending(), 5);
        phone.clock.advance(Duration::from_secs(300));
    }
    assert!(longest > Duration::from_secs(1), "backoff never grew: {longest:?}");
    assert!(matches!(phone.engine.status().unwrap().state, SyncState::Waiting(_)));
}

#[test]
fn a_captive_portals_page_is_no_answer() {
    let (_folder, mut phone) = phone_with(1);
    phone.exchange();
    let portal = Reply { status: 200, body: b"<html>Welcome!</html>".to_vec(), ..Reply::default() };
    phone.drainer.reply(Ok(portal));
    assert_eq!(phone.pending(), 1);
    assert_eq!(phone.engine.status().unwrap().last_contact.map(|at| at.0), Some(1_732_350_000_000));
    phone.drainer.wake(Wake::Online);
    assert_eq!(phone.request().mutations.len(), 1);
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let (_folder, mut phone) = phone_with(1);
    phone.exchange();
    let busy = Reply { status: 503, retry_after: Some(90), ..Reply::default() };
    phone.drainer.reply(Ok(busy));
    assert_eq!(phone.waits(), Some(Duration::from_secs(90)));
    // Another tap does not change that.
    phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    assert_eq!(phone.waits(), Some(Duration::from_secs(90)));
    phone.clock.advance(Duration::from_secs(90));
    assert_eq!(phone.request().mutations.len(), 2);
}

#[test]
fn a_refused_token_is_renewed_once_and_then_a_person_has_to_sign_in() {
    let refused = r#"{"error":"sign_in","detail":"expired"}"#;
    let (_folder, mut phone) = phone_with(1);
    phone.exchange();
    phone.raw_reply(401, refused);
    assert!(matches!(phone.drainer.step(), Step::Token { refresh: true }));
    phone.drainer.token(Ok("newer".into()));
    assert_eq!(phone.exchange().token.as_deref(), Some("newer"));
    phone.raw_reply(401, refused);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    assert_eq!(phone.engine.status().unwrap().state, SyncState::NeedsSignIn);
    // Recording needs no token, and neither network nor a tap helps before the sign-in.
    phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    phone.drainer.wake(Wake::Now);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    phone.drainer.wake(Wake::SignedIn);
    assert_eq!(phone.request().mutations.len(), 2);
}

#[test]
fn a_provider_without_a_token_pauses_or_is_asked_again() {
    let (_folder, mut phone) = phone_with(1);
    phone.exchange();
    phone.raw_reply(401, r#"{"error":"sign_in","detail":"expired"}"#);
    phone.drainer.token(Err(TokenError::Unavailable("key store locked".into())));
    assert!(matches!(phone.engine.status().unwrap().state, SyncState::Waiting(_)));
    phone.clock.advance(Duration::from_secs(2));
    assert!(matches!(phone.drainer.step(), Step::Token { refresh: true }));
    phone.drainer.token(Err(TokenError::SignedOut));
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    assert_eq!(phone.engine.status().unwrap().state, SyncState::NeedsSignIn);
}

#[test]
fn a_batch_too_large_is_halved_down_to_one() {
    let (_folder, mut phone) = phone_with(8);
    for expected in [8, 4, 2] {
        assert_eq!(phone.request().mutations.len(), expected);
        phone.raw_reply(413, "");
    }
    assert_eq!(phone.request().mutations.len(), 1);
    phone.raw_reply(413, "");
    assert!(matches!(phone.engine.status().unwrap().state, SyncState::Waiting(_)));
    assert_eq!(phone.pending(), 8);
}

#[test]
fn a_batch_shrinks_on_a_bad_link_and_grows_again_on_a_good_one() {
    let (_folder, mut phone) = phone_with(1_700);
    for expected in [1_700, 1_000] {
        assert_eq!(phone.request().mutations.len(), expected);
        phone.drainer.reply(Err(LinkError("reset".into())));
        phone.drainer.wake(Wake::Online);
    }
    for (sent, settled) in [(500, 500), (1_000, 1_500), (200, 1_700)] {
        let request = phone.request();
        assert_eq!(request.mutations.len(), sent);
        phone.reply(&applied(&request, 51 + request.first_seq, vec![], 50 + settled));
        assert_eq!(phone.pending(), 1_700 - settled);
    }
}

#[test]
fn a_slow_round_trip_makes_the_next_batch_smaller() {
    let (_folder, mut phone) = phone_with(1_200);
    let request = phone.request();
    phone.clock.advance(Duration::from_secs(11));
    phone.reply(&applied(&request, 60, vec![], 2_000));
    for n in 0..1_100 {
        phone.engine.collect_cash(customer(1), kes(n + 1)).unwrap();
    }
    assert_eq!(phone.request().mutations.len(), 1_000);
}

#[test]
fn an_old_protocol_stops_sending_but_not_recording() {
    let (_folder, mut phone) = phone_with(1);
    phone.exchange();
    phone.raw_reply(426, r#"{"error":"upgrade","supported":[2]}"#);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    assert_eq!(phone.engine.status().unwrap().state, SyncState::NeedsUpgrade);
    phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    assert_eq!(phone.pending(), 2);
}

#[test]
fn a_forked_history_goes_on_as_a_new_actor_with_the_same_transactions() {
    let (_folder, mut phone) = phone_with(2);
    let first = phone.request();
    phone.reply(&applied(&first, 51, vec![], 52));
    phone.engine.collect_cash(customer(1), kes(7)).unwrap();
    let before = phone.request();
    phone.raw_reply(409, r#"{"error":"forked","detail":"d"}"#);
    let after = phone.request();
    assert_ne!(after.actor, before.actor);
    assert_eq!(after.parent, Some(Dot { actor: before.actor, seq: 2 }));
    assert_eq!((after.first_seq, after.last_seq), (1, 1));
    assert_eq!(after.mutations[0].get(), before.mutations[0].get());
    let head = ChainHash::genesis(after.actor).next(1, after.mutations[0].get().as_bytes());
    assert_eq!(after.head, head);
    phone.reply(&applied(&after, 60, vec![], 60));
    assert_eq!(phone.pending(), 0);
    // A second fork right away still continues the first history.
    phone.drainer.wake(Wake::Now);
    phone.request();
    phone.raw_reply(409, r#"{"error":"forked","detail":"d"}"#);
    assert_eq!(phone.request().parent, Some(Dot { actor: after.actor, seq: 1 }));
}

#[test]
fn a_history_of_which_nothing_was_settled_is_nothing_to_continue() {
    let (_folder, mut phone) = phone_with(1);
    let before = phone.request();
    phone.raw_reply(409, r#"{"error":"forked","detail":"d"}"#);
    let after = phone.request();
    assert_ne!(after.actor, before.actor);
    assert_eq!((after.parent, after.first_seq, after.mutations.len()), (None, 1, 1));
}

#[test]
fn offline_means_no_try_at_all_and_online_means_one_at_once() {
    let (_folder, mut phone) = phone_with(1);
    phone.drainer.wake(Wake::Offline);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    assert_eq!(phone.engine.status().unwrap().state, SyncState::Offline);
    phone.drainer.wake(Wake::Now);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    phone.drainer.wake(Wake::Online);
    assert_eq!(phone.request().mutations.len(), 1);
}

#[test]
fn with_nothing_to_do_the_drainer_sleeps() {
    let (_folder, mut phone) = phone_with(0);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
    assert_eq!(phone.engine.status().unwrap().state, SyncState::Idle);
}

#[test]
fn an_answer_for_other_mutations_than_those_sent_settles_nothing() {
    let (_folder, mut phone) = phone_with(2);
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![], 52);
    reply.results.pop();
    phone.reply(&reply);
    assert_eq!(phone.pending(), 2);
    phone.drainer.wake(Wake::Now);
    phone.request();
    let mut reply = applied(&request, 51, vec![], 52);
    reply.results[0] = Settlement { seq: 9, ..reply.results[0].clone() };
    phone.reply(&reply);
    assert_eq!(phone.pending(), 2);
}

#[test]
fn an_entry_damaged_or_removed_on_disk_is_still_settled_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    let mut phone = Phone::with_plant(folder.path());
    for n in 1..=4 {
        phone.engine.collect_cash(customer(1), kes(n)).unwrap();
    }
    let other = raw(&path);
    other.execute("UPDATE record SET body = CAST(x'7bff' AS TEXT) WHERE id = 2", []).unwrap();
    other.execute("DELETE FROM record WHERE id = 3", []).unwrap();
    let request = phone.request();
    let bodies: Vec<_> = request.mutations.iter().map(|raw| raw.get()).collect();
    assert_eq!(bodies.len(), 4);
    assert_eq!((bodies[1], bodies[2]), ("{\"damaged\":\"{\u{fffd}\"}", r#"{"damaged":""}"#));
    let mut reply = applied(&request, 51, vec![], 54);
    for result in &mut reply.results[1..3] {
        result.answer = Answer::Rejected { reason: Rejection::Invalid, detail: "malformed".into() };
    }
    phone.reply(&reply);
    assert_eq!(phone.pending(), 0);
    assert_eq!(phone.refused().len(), 2);
    // What the row that is gone had added is not shown any more either.
    assert_eq!(phone.engine.customer(customer(1)).unwrap().unsettled, kes(0));
}

#[test]
fn entries_gone_from_the_end_of_the_file_are_sent_as_damaged_under_the_head_behind_them() {
    let (folder, mut phone) = phone_with(4);
    let file = raw(&file(folder.path()));
    let head: Vec<u8> = file.query_row("SELECT head FROM meta", [], |row| row.get(0)).unwrap();
    file.execute("DELETE FROM record WHERE id > 2", []).unwrap();
    let request = phone.request();
    let bodies: Vec<_> = request.mutations.iter().map(|raw| raw.get()).collect();
    assert_eq!((bodies.len(), &bodies[2..]), (4, &[r#"{"damaged":""}"#; 2][..]));
    assert_eq!(request.head.0, head[..]);
}

#[test]
fn what_another_process_has_settled_meanwhile_is_settled_once_and_what_is_new_in_the_answer_too() {
    let (folder, mut phone) = phone_with(2);
    let mut other = Phone::empty(folder.path());
    let shorter = other.request();
    phone.engine.collect_cash(customer(1), kes(3)).unwrap();
    let longer = phone.request();
    other.reply(&applied(&shorter, 51, vec![balance(1, 9_997)], 52));
    assert_eq!(phone.pending(), 1);
    phone.reply(&applied(&longer, 51, vec![balance(1, 9_994)], 53));
    let shown = phone.engine.customer(customer(1)).unwrap();
    assert_eq!((phone.pending(), shown.balance, shown.unsettled), (0, kes(9_994), kes(0)));
}

#[test]
fn an_answer_that_leaves_an_entry_out_settles_nothing() {
    let (folder, mut phone) = phone_with(2);
    let request = phone.request();
    phone.reply(&applied(&request, 51, vec![], 52));
    phone.engine.collect_cash(customer(1), kes(3)).unwrap();
    let request = phone.request();
    // Somebody set the file back under way.
    raw(&file(folder.path())).execute("UPDATE meta SET settled_id = 1", []).unwrap();
    phone.reply(&applied(&request, 53, vec![], 53));
    assert_eq!(phone.pending(), 2);
}

#[test]
fn a_server_set_back_to_a_backup_is_read_anew() {
    let (_folder, mut phone) = phone_with(0);
    phone.fetch(vec![], 50);
    phone.drainer.wake(Wake::Now);
    let request = phone.request();
    assert_eq!(request.cursor, 50, "nothing new is no step back");
    phone.reply(&applied(&request, 0, vec![], 20));
    // At once: nobody has to ask for it.
    let request = phone.request();
    assert_eq!(request.cursor, 0);
    phone.reply(&applied(&request, 0, vec![], 20));
    // One that holds nothing at all has nothing to read.
    phone.fetch(vec![], 0);
    assert!(matches!(phone.drainer.step(), Step::Sleep));
}

#[test]
fn a_mutation_that_the_server_cannot_read_is_isolated_and_settled_as_text() {
    let malformed = r#"{"error":"malformed","detail":"d"}"#;
    let (_folder, mut phone) = phone_with(4);
    for expected in [4, 2, 1] {
        assert_eq!(phone.request().mutations.len(), expected);
        phone.raw_reply(400, malformed);
    }
    let request = phone.request();
    assert!(request.mutations[0].get().starts_with(r#"{"damaged":"{"#), "{}", request.mutations[0].get());
    let mut reply = applied(&request, 51, vec![], 51);
    reply.results[0].answer = Answer::Rejected { reason: Rejection::Invalid, detail: "malformed".into() };
    phone.reply(&reply);
    assert_eq!(phone.pending(), 3);
    assert!(phone.request().mutations[0].get().contains("collect_cash"));
}

#[test]
fn a_server_that_refuses_every_actor_is_not_asked_in_a_tight_circle() {
    let (_folder, mut phone) = phone_with(1);
    for _ in 0..2 {
        phone.exchange();
        phone.raw_reply(409, r#"{"error":"forked","detail":"d"}"#);
    }
    assert!(matches!(phone.engine.status().unwrap().state, SyncState::Waiting(_)));
    assert_eq!(phone.pending(), 1);
}

#[test]
fn a_balance_that_no_sum_holds_is_shown_as_far_as_numbers_go() {
    for (told, shown) in [(i64::MIN, i64::MIN), (i64::MIN + 1, i64::MIN), (i64::MIN + 2, i64::MIN + 1)] {
        let (_folder, mut phone) = phone_with(1);
        let request = phone.request();
        // The feed tells of a balance that nobody can have, and does not hold the cash yet.
        let mut reply = applied(&request, 60, vec![balance(1, told)], 50);
        reply.results.iter_mut().for_each(|result| result.answer = Answer::Applied { rev: 90 });
        phone.reply(&reply);
        assert_eq!(phone.engine.customer(customer(1)).unwrap().balance, kes(shown));
        assert!(phone.engine.customers("", None, 10).unwrap().iter().any(|row| row.balance == kes(shown)));
    }
}
