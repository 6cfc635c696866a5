//! Whatever is sent to the sync endpoint: nothing panics, nothing is answered with a 500, and the books stay right.

use crate::common::{Phone, World, kes};
use crate::world;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use carboy_protocol::*;
use carboy_server::http;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use tower::ServiceExt;

/// How many requests are tried; more with `CARBOY_FUZZ_CASES`.
fn cases() -> usize {
    std::env::var("CARBOY_FUZZ_CASES").map_or(1_500, |cases| cases.parse().expect("a number"))
}

/// The same choices in every run.
struct Choices(TestRunner);

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        (0..count.max(1)).new_tree(&mut self.0).unwrap().current()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        proptest::collection::vec(any::<u8>(), length).new_tree(&mut self.0).unwrap().current()
    }

    /// A value that somebody may not have thought of.
    fn nasty(&mut self) -> Value {
        let values = [
            Value::Null,
            json!(-1),
            json!(0),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1.5e308),
            json!(true),
            json!(""),
            json!("\u{0}"),
            json!("\u{202e}'; DROP TABLE plants; --"),
            json!("9".repeat(3_000)),
            json!("01936000-0000-7000-8000-000000000001"),
            json!([]),
            json!({}),
            json!([[[[[[{"a": [1, 2, {"b": null}]}]]]]]]),
        ];
        values[self.below(values.len())].clone()
    }

    /// Changes one place of `value`.
    fn change(&mut self, value: &mut Value) {
        let mut places = Vec::new();
        collect(value, String::new(), &mut places);
        let place = places[self.below(places.len())].clone();
        let (top, name) = place.rsplit_once('/').unwrap_or(("", ""));
        match (self.below(4), value.pointer_mut(top)) {
            (0, Some(Value::Object(fields))) => drop(fields.remove(name)),
            (1, Some(Value::Array(items))) if !items.is_empty() => {
                let copy = items[self.below(items.len())].clone();
                items.push(copy);
            }
            _ => {
                if let Some(place) = value.pointer_mut(&place) {
                    *place = self.nasty();
                }
            }
        }
    }
}

fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(value, format!("{place}/{name}"), places));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| collect(value, format!("{place}/{n}"), places));
        }
        _ => {}
    }
    places.push(place);
}

/// One action of each kind.
fn actions(world: &World, earlier: TxnId) -> Vec<Action> {
    let customer = world.customer;
    let fields = BTreeMap::from([(Field::Name, "New".to_owned())]);
    let stock = StockLine { product: "20L".parse().unwrap(), full: 4, empty: 1 };
    let new = CustomerId::from_bytes(*world.server.new_txn().unwrap().as_bytes());
    vec![
        world.cash(5),
        world.delivery(2, 1),
        world.edit(Field::Phone, "0711"),
        world.set_balance(0, 5),
        Action::FailDelivery { customer, reason: FailReason::Closed, note: None },
        Action::NoteProgress { customer, progress: Progress::Arrived },
        Action::AddCustomer { customer: new, fields, route: None },
        Action::StartShift { route: None },
        Action::FinishShift {},
        Action::LoadStock { lines: vec![stock.clone()] },
        Action::ReturnStock { lines: vec![stock] },
        Action::HandInCash { amount: kes(3), note: None },
        Action::Withdraw { target: earlier, reason: None, restore: None },
        Action::Accept { target: earlier },
        Action::AdjustBalance { customer, amount: kes(2), reason: "r".into() },
    ]
}

/// A batch of changed mutations in a request that is signed as it should be, so that they reach the rules.
fn changed_mutations(world: &World, phone: &mut Phone, choices: &mut Choices, earlier: TxnId) -> String {
    for _ in 0..=choices.below(4) {
        let all = actions(world, earlier);
        let action = all[choices.below(all.len())].clone();
        let (txn, at) = (world.server.new_txn().unwrap(), Timestamp(5));
        let mut body = json!(Mutation { v: 1, txn, at, replaces: None, action });
        for _ in 0..choices.below(3) {
            choices.change(&mut body);
        }
        phone.record_raw(&body.to_string());
    }
    serde_json::to_string(&phone.pending()).unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn send(router: &Router, token: &str, is_gzip: bool, body: Vec<u8>) -> (u16, String) {
    let mut request = Request::post(wire::SYNC_PATH)
        .header(wire::HEADER, "1")
        .header("authorization", format!("Bearer {token}"));
    if is_gzip {
        request = request.header("content-encoding", "gzip");
    }
    let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn whatever_is_sent_is_settled_or_refused_and_the_books_stay_right() {
    let world = world();
    let router = http::router(world.server.clone());
    let mut choices = Choices(TestRunner::deterministic());
    let mut phone = world.phone();
    let earlier = phone.record(world.cash(1));
    phone.sync(&world);
    let mut settled = 0;
    for case in 0..cases() {
        world.clock.advance(1_000);
        let known = phone.outbox.len();
        let mut text = changed_mutations(&world, &mut phone, &mut choices, earlier);
        let shape = choices.below(4);
        if shape == 1 {
            let mut request: Value = serde_json::from_str(&text).unwrap();
            choices.change(&mut request);
            text = request.to_string();
        }
        let is_gzip = choices.below(2) == 0;
        let mut body = if is_gzip { gzip(&text) } else { text.clone().into_bytes() };
        if shape == 2 {
            let at = choices.below(body.len());
            body[at] = choices.bytes(1)[0];
        }
        if shape == 3 {
            body.truncate(choices.below(body.len()));
        }
        let (status, answer) = send(&router, &phone.token, is_gzip, body).await;
        assert!(
            matches!(status, 200 | 400 | 401 | 409 | 413),
            "case {case}: {status} {answer} to {text} (gzip {is_gzip}, shape {shape})"
        );
        if status == 200 && shape == 0 {
            phone.settled = phone.outbox.len();
            settled += 1;
        } else {
            // What became of it is not known: a history of its own goes on.
            phone.outbox.truncate(known);
            phone = phone.restored();
        }
    }
    assert!(settled > cases() / 5, "{settled} of the requests reached the rules");
    phone.record(world.cash(1));
    assert!(matches!(phone.sync(&world).results[0].answer, wire::Answer::Applied { .. }));
    let sums = "SELECT c.customer, c.balance,
                    CAST(coalesce((SELECT sum(l.amount) FROM ledger l
                         WHERE l.plant = c.plant AND l.customer = c.customer), 0) AS BIGINT)
                FROM customers c";
    for (customer, balance, sum) in world.rows::<(String, i64, i64)>(sums) {
        assert_eq!(balance, sum, "{customer}");
    }
}
