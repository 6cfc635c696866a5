//! The phone's side of a reply: whatever comes back, nothing panics, a record leaves the outbox only as settled, every
//! screen can still be drawn, recording goes on, and the outbox empties once the server answers well again.
//!
//! The first byte says how the others are meant: as a reply's body, or as choices that make up replies.

use super::choices::Choices;
use super::phone::{self, Phone, customer, good_reply, route};
use super::temporary;
use crate::plant::kes;
use carboy_core::{Attention, Reply, Wake};
use carboy_protocol::wire::{
    Answer, FeedItem, LedgerEntry, Rejection, Settlement, SyncReply, SyncRequest, VERSION, Visit,
};
use carboy_protocol::{
    AccountId, ActorId, Day, Dot, Field, Profile, Role, StopState, Timestamp, TxnId, VectorClock, Write,
};
use serde_json::{Value, json};
use std::io::Write as _;

const STATUSES: [u16; 14] = [200, 200, 200, 200, 400, 401, 404, 409, 413, 426, 429, 500, 503, 302];

/// Runs the target.
pub fn reply(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let folder = temporary();
    phone::prepared().lay_down(folder.path());
    let mut phone = Phone::open(folder.path()).unwrap();
    phone.drainer.wake(Wake::Now);
    if how & 1 == 0 {
        any_body(&mut phone, how, rest);
    } else {
        replies(&mut phone, &mut Choices::of(rest));
    }
    assert_goes_on(phone, folder.path());
}

/// A reply of each item of the feed, one of each answer, and each refusal.
pub(super) fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = temporary();
    phone::prepared().lay_down(folder.path());
    let mut phone = Phone::open(folder.path()).unwrap();
    let request = phone.request().unwrap();
    let good = good_reply(&request, 53, phone::plant(), 60);
    let mut choices = Choices::of(&[3; 400]);
    let entry = FeedItem::Entry(LedgerEntry {
        txn: TxnId::from_bytes([5; 16]),
        customer: customer(1),
        kind: "set_balance".into(),
        amount: kes(i64::MAX),
        note: Some("agreed".into()),
        role: Role::Manager,
        author: AccountId::from_bytes([3; 16]),
        at: Timestamp(0),
        rev: 59,
    });
    let settled = FeedItem::Settled { txn: TxnId::from_bytes([6; 16]), answer: Answer::Applied { rev: 58 } };
    let feed = vec![entry, settled, any_item(&mut choices), FeedItem::Unknown];
    let mut mixed = SyncReply { feed, day: Some(Day::default()), more: true, ..good.clone() };
    mixed.results[0].answer = Answer::Parked;
    mixed.results[1].answer = Answer::Rejected { reason: Rejection::Invalid, detail: "d".into() };
    let named = |name: &str, status: usize, body: &Value| {
        let how =
            (0..).zip(STATUSES).find(|(_, of)| usize::from(*of) == status).map_or(0, |(how, _)| how << 3);
        (name.to_owned(), [&[how][..], body.to_string().as_bytes()].concat())
    };
    vec![
        named("good", 200, &json!(good)),
        named("mixed", 200, &json!(mixed)),
        named("gap", 409, &json!({"error": "gap", "expected": 4})),
        named("forked", 409, &json!({"error": "forked", "detail": "d"})),
        named("hashes", 409, &json!({"error": "hashes"})),
        named("sign-in", 401, &json!({"error": "sign_in", "detail": "d"})),
        named("upgrade", 426, &json!({"error": "upgrade", "supported": [2]})),
        named("malformed", 400, &json!({"error": "malformed", "detail": "d"})),
    ]
}

/// The bits of `how` say what goes around the body.
fn any_body(phone: &mut Phone, how: u8, body: &[u8]) {
    let status = STATUSES[usize::from(how >> 3) % STATUSES.len()];
    let protocol = (how & 2 == 0).then(|| VERSION.to_string());
    let reply = Reply { status, protocol, retry_after: None, gzip: how & 4 != 0, body: body.to_vec() };
    phone.exchange().expect("the phone asks");
    taken(phone, reply);
}

/// Lets the phone take `reply`, and holds it to what became of its records.
fn taken(phone: &mut Phone, reply: Reply) {
    let story = format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body));
    let (pending, listed) = (phone.pending(), refused(phone));
    let settled = phone.drainer.reply(Ok(reply));
    phone.look().unwrap_or_else(|error| panic!("{error} after {story}"));
    match settled {
        None => assert_eq!(phone.pending(), pending, "{story}"),
        Some(settled) => {
            assert_eq!(phone.pending() + settled.settled, pending, "{story}");
            assert!(refused(phone) + 1 >= listed.min(1) + settled.rejected.len(), "{story}");
        }
    }
}

/// How many records are on the attention list.
fn refused(phone: &Phone) -> usize {
    let list = phone.engine.attention(0, 1_000).unwrap();
    list.iter().filter(|item| matches!(item, Attention::Refused(_))).count()
}

fn replies(phone: &mut Phone, choices: &mut Choices<'_>) {
    for _ in 0..=choices.below(4) {
        let Some(request) = phone.request() else {
            phone.drainer.wake(choices.pick(&[Wake::Now, Wake::SignedIn]));
            continue;
        };
        let mut body = json!(any_reply(&request, choices));
        for _ in 0..choices.below(3) {
            choices.change(&mut body);
        }
        let status = if choices.below(8) == 1 { choices.pick(&STATUSES) } else { 200 };
        if status != 200 {
            body = any_refusal(choices);
        }
        let (gzip, body) = (choices.below(2) == 1, body.to_string().into_bytes());
        let body = if gzip { gzipped(&body) } else { body };
        let (protocol, retry_after) =
            (Some(VERSION.to_string()), (choices.below(4) == 1).then(|| choices.any()));
        taken(phone, Reply { status, protocol, retry_after, gzip, body });
        if choices.below(2) == 1 {
            let recorded = phone.engine.collect_cash(customer(1), kes(5));
            assert!(!matches!(recorded, Err(carboy_core::Error::Damaged(_) | carboy_core::Error::Store(_))));
        }
    }
}

fn any_reply(request: &SyncRequest, choices: &mut Choices<'_>) -> SyncReply {
    let results = (request.first_seq..).take(request.mutations.len());
    let results =
        results.map(|seq| Settlement { seq, answer: any_answer(choices), duplicate: choices.any() });
    let results = results.collect();
    let feed = (0..choices.below(6)).map(|_| any_item(choices)).collect();
    let cursor = if choices.below(8) == 1 { choices.any() } else { 50 + choices.below(20) as u64 };
    let day = (choices.below(3) == 1).then(Day::default);
    SyncReply { actor: request.actor, results, feed, cursor, more: choices.any(), day }
}

fn any_answer(choices: &mut Choices<'_>) -> Answer {
    match choices.below(6) {
        1 => Answer::Parked,
        2 => Answer::Rejected { reason: Rejection::UnknownCustomer, detail: String::new() },
        3 => Answer::Rejected { reason: Rejection::Tampered, detail: "d".to_owned() },
        4 => Answer::Applied { rev: choices.any() },
        _ => Answer::Applied { rev: 50 + choices.below(20) as u64 },
    }
}

fn any_item(choices: &mut Choices<'_>) -> FeedItem {
    let customer = customer(choices.pick(&[1, 2, 3, 4, 5, 9]));
    let txn = TxnId::from_bytes([choices.any(); 16]);
    match choices.below(6) {
        1 => FeedItem::Product {
            code: choices.pick(&["20L", "10L"]).parse().unwrap(),
            name: "litres".into(),
            price: kes(choices.amount()),
        },
        2 => FeedItem::Route { route: route(), name: "South".into(), stops: vec![customer, customer] },
        3 => FeedItem::Entry(LedgerEntry {
            txn,
            customer,
            kind: choices.pick(&["collect_cash", "set_balance", "x"]).to_owned(),
            amount: kes(choices.amount()),
            note: None,
            role: Role::Manager,
            author: AccountId::from_bytes([3; 16]),
            at: Timestamp(choices.amount()),
            rev: choices.any(),
        }),
        4 => FeedItem::Settled { txn, answer: any_answer(choices) },
        _ => {
            let visit = Visit { state: StopState::Delivered, txn, shift: Some(txn) };
            FeedItem::Customer {
                customer,
                balance: kes(choices.amount()),
                profile: (choices.below(2) == 1).then(|| any_profile(choices)),
                visit: (choices.below(2) == 1).then_some(visit),
                closed: choices.below(4) == 1,
            }
        }
    }
}

fn any_profile(choices: &mut Choices<'_>) -> Profile {
    let mut profile = Profile::default();
    for _ in 0..choices.below(4) {
        let dot = Dot { actor: ActorId::from_bytes([choices.any(); 16]), seq: choices.any() };
        profile.apply(&Write {
            dot,
            context: VectorClock::new(),
            lamport: choices.any(),
            role: Role::Rider,
            author: AccountId::from_bytes([choices.pick(&[2, 3]); 16]),
            at: Timestamp(choices.amount()),
            changes: [(choices.pick(&Field::ALL), "value".to_owned())].into(),
        });
    }
    profile
}

fn any_refusal(choices: &mut Choices<'_>) -> Value {
    let refusals = [
        json!({"error": "malformed", "detail": "d"}),
        json!({"error": "sign_in", "detail": "d"}),
        json!({"error": "gap", "expected": 4}),
        json!({"error": "gap", "expected": u64::MAX}),
        json!({"error": "forked", "detail": "d"}),
        json!({"error": "hashes"}),
        json!({"error": "unknown_photo"}),
        json!({"error": "too_large", "limit": 0}),
        json!({"error": "upgrade", "supported": [2]}),
        json!({"error": "busy"}),
    ];
    choices.pick(&refusals)
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// The app is started anew: it has all that it had, records, and sends all of it to a server that answers well.
fn assert_goes_on(phone: Phone, folder: &std::path::Path) {
    let pending = phone.pending();
    drop(phone);
    let mut phone = Phone::open(folder).unwrap();
    assert_eq!(phone.pending(), pending);
    phone.engine.hand_in_cash(kes(1), None).unwrap();
    for rev in 1_000.. {
        if phone.pending() == 0 {
            break;
        }
        phone.drainer.wake(Wake::Now);
        let request = phone.request().expect("something is to be sent");
        assert!(rev < 1_020, "the outbox does not empty: {:?}", phone.engine.status());
        phone.reply(&good_reply(&request, rev * 100, vec![], rev * 100 + 99));
    }
    phone.look().unwrap();
}
