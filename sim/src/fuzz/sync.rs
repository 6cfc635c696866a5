//! The sync endpoint: whatever is sent to the real router, nothing panics, nothing is answered with a 500, what is
//! settled is answered the same when it is sent again, and the books stay right.
//!
//! The first byte says how the others are meant: as a request's body, or as choices that make up a phone's requests.

use super::choices::Choices;
use super::{Files, temporary};
use crate::plant::{History, Plant, Setting, delivery, edit, file, kes, photo, stock};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use carboy_protocol::wire::{self, Settlement, SyncReply, SyncRequest};
use carboy_protocol::{
    Action, CustomerId, Edit, FailReason, Field, Mutation, Progress, Timestamp, TxnId, VectorClock,
};
use carboy_server::http::router;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;
use std::sync::OnceLock;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The statuses that a client's doing may have.
const EXPECTED: [u16; 7] = [200, 400, 401, 409, 413, 415, 426];

/// A server on a copy of the prepared plant.
struct World {
    plant: Plant,
    router: Router,
    folder: tempfile::TempDir,
}

fn prepared() -> &'static (Files, Setting, Runtime) {
    static PREPARED: OnceLock<(Files, Setting, Runtime)> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let folder = temporary();
        let setting = Setting::prepare(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        (Files::of(folder.path()), setting, runtime)
    })
}

/// Runs the target.
pub fn sync(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let world = World::new();
    if how & 1 == 0 {
        world.any_body(how, rest);
    } else {
        world.requests(&mut Choices::of(rest));
    }
    world.assert_sound();
}

/// A request's body that is settled, one whose chain does not hold, and one of nothing.
pub(super) fn seeds() -> Vec<(String, Vec<u8>)> {
    let world = World::new();
    let Setting { history, key, settled, customers, .. } = &world.plant.setting;
    let mut new = history.clone();
    new.record(Action::CollectCash { customer: customers[0], amount: kes(5) });
    new.record(edit(customers[1], "0722"));
    new.record_raw(r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","kind":"sing"}"#.to_owned());
    let good = new.request(*settled, 0, key);
    let mut broken =
        SyncRequest { hashes: Some(vec![Some(good.head); good.mutations.len()]), ..good.clone() };
    broken.mutations.swap(0, 1);
    let named =
        |name: &str, request: &SyncRequest| (name.to_owned(), [&[0][..], json(request).as_bytes()].concat());
    vec![
        named("new", &good),
        named("broken-chain", &broken),
        named("all-again", &history.request(0, 0, key)),
        named("restored", &new.restored(1, 0xb0).request(0, 3, key)),
        named("feed", &history.request(*settled, 0, key)),
    ]
}

impl World {
    fn new() -> Self {
        let (files, setting, _) = prepared();
        let folder = temporary();
        files.lay_down(folder.path());
        let plant = Plant::open(&file(folder.path()), setting).unwrap();
        let router = router(plant.server.clone());
        Self { plant, router, folder }
    }

    /// The status and the body of the answer.
    fn send(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let answer = async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            (status, to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec())
        };
        let (status, body) = prepared().2.block_on(answer);
        assert!(EXPECTED.contains(&status), "{status} {}", String::from_utf8_lossy(&body));
        (status, body)
    }

    /// The bits of `how` say what goes around the body.
    fn any_body(&self, how: u8, body: &[u8]) {
        let is = |bit: u8| how & (1 << bit) != 0;
        let body = if is(1) { gzip(body) } else { body.to_vec() };
        let mut request = Request::post(wire::SYNC_PATH);
        if is(1) || is(2) {
            request = request.header("content-encoding", "gzip");
        }
        if !is(3) {
            request = request.header(wire::HEADER, "1");
        }
        if !is(4) {
            request = request.header("authorization", format!("Bearer {}", self.plant.setting.token));
        }
        let (status, reply) = self.send(request.body(Body::from(body)).unwrap());
        if status == 200 {
            serde_json::from_slice::<SyncReply>(&reply).unwrap();
        }
    }

    fn sync(&self, request: &str) -> Option<SyncReply> {
        let request = Request::post(wire::SYNC_PATH)
            .header(wire::HEADER, "1")
            .header("authorization", format!("Bearer {}", self.plant.setting.token))
            .body(Body::from(request.to_owned()));
        let (status, reply) = self.send(request.unwrap());
        (status == 200).then(|| serde_json::from_slice(&reply).unwrap())
    }

    /// A phone that records, sends, repeats, is restored, and whose requests may be changed on the way.
    fn requests(&self, choices: &mut Choices<'_>) {
        let Setting { history, key, settled, .. } = &self.plant.setting;
        let (mut history, mut settled, mut restored) = (history.clone(), *settled, 0xb0);
        let mut known: Vec<Option<Settlement>> = vec![None; settled];
        for _ in 0..=choices.below(6) {
            self.plant.surroundings.advance(1_000);
            for _ in 0..choices.below(5) {
                self.record(&mut history, choices);
            }
            let first = settled - choices.below(3).min(settled);
            let request = history.request(first, choices.below(60) as u64, key);
            let mut text = json(&request);
            let is_changed = choices.below(4) == 1;
            if is_changed {
                let mut changed = serde_json::from_str(&text).unwrap();
                choices.change(&mut changed);
                text = changed.to_string();
            }
            match self.sync(&text) {
                Some(reply) if !is_changed => {
                    known.resize(history.len(), None);
                    assert_same(&reply, &request, &mut known[first..], false);
                    settled = history.len();
                    if choices.below(2) == 1 {
                        let again = self.sync(&text).expect("what was settled is answered again");
                        assert_same(&again, &request, &mut known[first..], true);
                    }
                }
                None if !is_changed => panic!("refused: {text}"),
                _ => {
                    // What became of it is not known: a history of its own goes on.
                    (history, known) = (history.restored(settled, restored), Vec::new());
                    (settled, restored) = (0, restored + 1);
                }
            }
        }
    }

    fn record(&self, history: &mut History, choices: &mut Choices<'_>) {
        let action = self.action(history, choices);
        let (at, txn) = (Timestamp(choices.amount()), new_txn(history, choices));
        let replaces = (choices.below(6) == 1).then(|| self.earlier(history, choices));
        let mut body = json!(Mutation { v: 1, txn, at, replaces, action });
        for _ in 0..choices.below(3) {
            choices.change(&mut body);
        }
        history.record_raw(body.to_string());
    }

    /// The id of something that may stand in a history.
    fn earlier(&self, history: &History, choices: &mut Choices<'_>) -> TxnId {
        let Setting { delivery, rejected, .. } = self.plant.setting;
        let guessed = choices.below(history.len() + 1) as u64;
        choices.pick(&[delivery, rejected, numbered(guessed), TxnId::from_bytes([9; 16])])
    }

    fn action(&self, history: &History, choices: &mut Choices<'_>) -> Action {
        let setting = &self.plant.setting;
        let customer = choices.pick(&setting.customers);
        let target = self.earlier(history, choices);
        let text = choices.pick(&["wrong shop", "", "\u{0}", "\u{202e}"]).to_owned();
        let amount = kes(choices.amount());
        let lines = stock(choices.any(), choices.any());
        match choices.below(16) {
            0 => Action::CollectCash { customer, amount },
            1 => delivery(customer, vec![]),
            2 => delivery(customer, vec![photo()]),
            3 => edit(customer, "0722"),
            4 => Action::UpdateProfile { customer, edit: any_edit(history, choices) },
            5 => Action::FailDelivery { customer, reason: FailReason::Other, note: Some(text) },
            6 => Action::NoteProgress { customer, progress: Progress::Skipped },
            7 => {
                let id = CustomerId::from_bytes([choices.any(); 16]);
                let fields = [(Field::Name, text)].into();
                Action::AddCustomer { customer: id, fields, route: Some(setting.route) }
            }
            8 => Action::StartShift { route: None },
            9 => Action::FinishShift {},
            10 => Action::LoadStock { lines },
            11 => Action::ReturnStock { lines },
            12 => Action::HandInCash { amount, note: Some(text) },
            13 => Action::Withdraw { target, reason: Some(text), restore: Some(any_edit(history, choices)) },
            14 => Action::Accept { target },
            _ => Action::SetBalance { customer, seen: amount, target: kes(choices.amount()), reason: text },
        }
    }

    /// The books are right, and the server goes on.
    fn assert_sound(&self) {
        let store = self.plant.server.store();
        let wrong = "SELECT c.customer FROM customers c WHERE balance <> coalesce(
            (SELECT sum(amount) FROM ledger l WHERE l.plant = c.plant AND l.customer = c.customer), 0)";
        assert!(store.rows(wrong).unwrap().is_empty(), "balances are not their ledgers' sums");
        let gaps = "SELECT a.actor FROM actors a WHERE next_seq - 1 <>
            (SELECT count(*) FROM dots d WHERE d.plant = a.plant AND d.actor = a.actor)";
        assert!(store.rows(gaps).unwrap().is_empty(), "histories have gaps");
        let mut history = self.plant.setting.history.restored(0, 0xff);
        history.record(Action::HandInCash { amount: kes(1), note: None });
        let request = json(&history.request(0, 0, &self.plant.setting.key));
        let reply = self.sync(&request).expect("a good request is answered");
        let last = &reply.results.last().unwrap().answer;
        assert!(matches!(last, wire::Answer::Applied { .. }), "{last:?}");
        assert!(file(self.folder.path()).exists());
    }
}

/// Holds a reply to what was answered before, and remembers what is answered now.
fn assert_same(reply: &SyncReply, request: &SyncRequest, known: &mut [Option<Settlement>], is_again: bool) {
    assert_eq!(reply.results.len(), request.mutations.len());
    for (settlement, known) in reply.results.iter().zip(known) {
        assert!(settlement.duplicate || !is_again, "{settlement:?} took effect again");
        if let Some(known) = known {
            assert_eq!((&settlement.answer, settlement.seq), (&known.answer, known.seq));
            assert!(settlement.duplicate, "{settlement:?} took effect again");
        }
        *known = Some(settlement.clone());
    }
}

fn any_edit(history: &History, choices: &mut Choices<'_>) -> Edit {
    let field = choices.pick(&Field::ALL);
    let mut context = VectorClock::new();
    if choices.below(2) == 1 {
        context.observe(carboy_protocol::Dot { actor: history.actor, seq: choices.any() });
    }
    Edit { changes: [(field, format!("{}", choices.any::<u8>()))].into(), context, lamport: choices.any() }
}

fn numbered(n: u64) -> TxnId {
    let mut id = [0xc0; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    TxnId::from_bytes(id)
}

/// Most often a new one.
fn new_txn(history: &History, choices: &mut Choices<'_>) -> TxnId {
    let last = history.len() as u64;
    numbered(if choices.below(8) == 1 { last } else { last + 1 })
}

fn json(request: &SyncRequest) -> String {
    serde_json::to_string(request).unwrap()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_prepared_phone_gets_its_answers() {
        let world = World::new();
        let request = world.plant.setting.history.request(0, 0, &world.plant.setting.key);
        assert_eq!(world.sync(&json(&request)).unwrap().results.len(), world.plant.setting.settled);
        assert!(json!(request).get("mutations").is_some_and(Value::is_array));
    }
}
