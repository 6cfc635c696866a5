//! Phones over real HTTP that remember what they were answered, and the check that all of it is so.

use crate::common::{Phone, World, base64, kes};
use crate::patience::PATIENCE;
use carboy_protocol::wire::{self, Answer, Refusal, SyncReply, SyncRequest};
use carboy_protocol::*;
use carboy_server::store::Store;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Random numbers, the same in every run.
pub(crate) struct Dice {
    seed: u64,
    rolled: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, rolled: 0 }
    }

    /// A number below `limit`.
    pub(crate) fn roll(&mut self, limit: usize) -> usize {
        self.rolled += 1;
        let hash = Sha256::digest([self.seed.to_be_bytes(), self.rolled.to_be_bytes()].concat());
        let number = hash.iter().take(4).fold(0, |number, byte| number << 8 | usize::from(*byte));
        number % limit
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Settled,
    /// 503: come back later.
    Busy,
    /// No reply.
    Nothing,
}

/// What the phones of a test have heard so far, to be watched from outside.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) settled: AtomicUsize,
    pub(crate) busy: AtomicUsize,
    pub(crate) nothing: AtomicUsize,
}

impl Tally {
    pub(crate) fn settled(&self) -> usize {
        self.settled.load(Ordering::SeqCst)
    }
}

/// A phone with an outbox.
pub(crate) struct Client {
    pub(crate) phone: Phone,
    agent: ureq::Agent,
    customers: Vec<CustomerId>,
    tally: Arc<Tally>,
    txns: Vec<TxnId>,
    /// The chain's hash behind each seq, from 0 on.
    heads: Vec<ChainHash>,
    /// What each mutation does to which balance.
    effects: Vec<(CustomerId, i64)>,
    /// What each mutation was answered, as far as the phone knows.
    pub(crate) answers: Vec<Answer>,
    /// How many of them the server had not known.
    pub(crate) firsts: usize,
    /// How often it was told to come back later.
    pub(crate) busy: Arc<AtomicUsize>,
}

/// Phones of as many riders, who serve the same customers, each with so many things done.
pub(crate) fn clients(world: &World, count: usize, taps: usize) -> (Vec<Client>, Arc<Tally>) {
    let customers: Vec<_> = (0..5)
        .map(|n| {
            let fields = BTreeMap::from([(Field::Name, format!("Shop {n}"))]);
            world.server.add_customer(&world.manager, fields).unwrap()
        })
        .collect();
    let tally = Arc::new(Tally::default());
    let client = |n: usize| {
        let rider = world.server.create_rider(world.plant, &format!("Rider {n}")).unwrap();
        let mut client = Client::new(world.phone_of(&rider), customers.clone(), tally.clone());
        client.tap(taps);
        client
    };
    ((0..count).map(client).collect(), tally)
}

impl Client {
    fn new(phone: Phone, customers: Vec<CustomerId>, tally: Arc<Tally>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
        let heads = vec![ChainHash::genesis(phone.actor)];
        let (txns, effects, answers) = (Vec::new(), Vec::new(), Vec::new());
        let busy = Arc::default();
        Self { phone, agent, customers, tally, txns, heads, effects, answers, firsts: 0, busy }
    }

    /// The same file on another phone.
    pub(crate) fn copy(&self) -> Self {
        self.with(self.phone.clone())
    }

    /// A backup of the file from before anything was sent, restored: it sends everything as another actor.
    pub(crate) fn restored(&self) -> Self {
        self.with(self.phone.restored())
    }

    fn with(&self, phone: Phone) -> Self {
        let mut client = Self::new(phone, self.customers.clone(), self.tally.clone());
        client.txns.clone_from(&self.txns);
        client.effects.clone_from(&self.effects);
        client.chain();
        client
    }

    /// Records that many things: mostly payments, some edits, visits in vain and withdrawals.
    pub(crate) fn tap(&mut self, count: usize) {
        for _ in 0..count {
            let n = self.txns.len();
            let customer = self.customers[n * 7 % self.customers.len()];
            let minor = i64::try_from(n % 13).unwrap() + 1;
            let (action, effect) = match n % 10 {
                3 => (edit(customer, n), (customer, 0)),
                5 => {
                    (Action::FailDelivery { customer, reason: FailReason::Closed, note: None }, (customer, 0))
                }
                9 => {
                    let (customer, minor) = self.effects[n - 1];
                    let target = self.txns[n - 1];
                    (Action::Withdraw { target, reason: None, restore: None }, (customer, -minor))
                }
                _ => (Action::CollectCash { customer, amount: kes(minor) }, (customer, -minor)),
            };
            self.txns.push(self.phone.record(action));
            self.effects.push(effect);
        }
        self.chain();
    }

    fn chain(&mut self) {
        let known = self.heads.len() - 1;
        for (seq, body) in (1..).zip(&self.phone.outbox).skip(known) {
            self.heads.push(self.heads[self.heads.len() - 1].next(seq, body.as_bytes()));
        }
    }

    /// Sends `count` mutations behind the first `sent` ones.
    pub(crate) fn send(&mut self, address: &str, sent: usize, count: usize) -> Heard {
        let (phone, head) = (&self.phone, self.heads[sent + count]);
        let bodies = phone.outbox[sent..sent + count].iter();
        let request = SyncRequest {
            actor: phone.actor,
            parent: phone.parent,
            first_seq: sent as u64 + 1,
            last_seq: phone.outbox.len() as u64,
            head,
            signature: phone.key.sign_head(phone.actor, (sent + count) as u64, head),
            hashes: None,
            mutations: bodies.map(|body| RawValue::from_string(body.clone()).unwrap()).collect(),
            cursor: 1 << 40,
        };
        let request = serde_json::to_string(&request).unwrap();
        let post = self.agent.post(format!("{address}{}", wire::SYNC_PATH)).header(wire::HEADER, "1");
        let reply = post.header("authorization", format!("Bearer {}", phone.token)).send(request);
        let read =
            reply.and_then(|mut reply| Ok((reply.status().as_u16(), reply.body_mut().read_to_string()?)));
        match read {
            Ok((200, text)) => self.settle(serde_json::from_str(&text).unwrap()),
            Ok((503, text)) => {
                assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), Refusal::Busy);
                self.busy.fetch_add(1, Ordering::SeqCst);
                self.tally.busy.fetch_add(1, Ordering::SeqCst);
                Heard::Busy
            }
            Ok((status, text)) => panic!("{status}: {text}"),
            Err(_) => {
                self.tally.nothing.fetch_add(1, Ordering::SeqCst);
                Heard::Nothing
            }
        }
    }

    fn settle(&mut self, reply: SyncReply) -> Heard {
        for settlement in reply.results {
            let known = usize::try_from(settlement.seq).unwrap() - 1;
            self.firsts += usize::from(!settlement.duplicate);
            if let Some(answer) = self.answers.get(known) {
                assert_eq!((&settlement.answer, settlement.duplicate), (answer, true));
            } else {
                assert_eq!(known, self.answers.len(), "in order");
                self.answers.push(settlement.answer);
                self.tally.settled.fetch_add(1, Ordering::SeqCst);
            }
        }
        Heard::Settled
    }

    /// Sends the next few mutations, and some of those before them again.
    pub(crate) fn send_some(&mut self, address: &str, dice: &mut Dice) -> Heard {
        let settled = self.answers.len();
        let sent = settled - dice.roll(settled.min(5) + 1);
        let end = settled + 1 + dice.roll(20);
        self.send(address, sent, end.min(self.txns.len()) - sent)
    }

    /// Sends until all is settled, to whichever server `address` gives each time.
    pub(crate) fn drain(&mut self, dice: &mut Dice, address: impl Fn(&mut Dice) -> String) {
        let end = Instant::now() + PATIENCE;
        while self.answers.len() < self.txns.len() {
            assert!(Instant::now() < end, "{} of {} after {PATIENCE:?}", self.answers.len(), self.txns.len());
            if self.send_some(&address(dice), dice) != Heard::Settled {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn edit(customer: CustomerId, n: usize) -> Action {
    let changes = BTreeMap::from([(Field::Note, format!("note {n}"))]);
    Action::UpdateProfile { customer, edit: Edit { changes, context: VectorClock::new(), lamport: n as u64 } }
}

/// What a query gives, row by row.
pub(crate) fn rows<T: DeserializeOwned>(store: &Store, sql: &str) -> Vec<T> {
    let rows = store.rows(sql).unwrap();
    rows.into_iter().map(|row| serde_json::from_value(Value::Array(row)).unwrap()).collect()
}

/// Whatever these phones were answered is in the database, once and in their order, and the money adds up. Nothing
/// else is there, but for what was sent and not answered.
pub(crate) fn assert_kept(store: &Store, clients: &[Client]) {
    let stored: Vec<(String, String)> = rows(store, "SELECT txn, answer FROM mutations");
    let stored: BTreeMap<_, _> = stored.into_iter().collect();
    let dots: Vec<(String, usize, String)> =
        rows(store, "SELECT actor, seq, txn FROM dots ORDER BY actor, seq");
    let mut balances = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for client in clients {
        let actor = base64(client.phone.actor.as_bytes());
        let history: Vec<_> = dots.iter().filter(|(of, _, _)| *of == actor).collect();
        assert!(history.len() >= client.answers.len(), "{} of {}", history.len(), client.answers.len());
        let mut last = 0;
        for (n, (_, seq, txn)) in history.into_iter().enumerate() {
            assert_eq!((*seq, txn), (n + 1, &base64(client.txns[n].as_bytes())));
            let answer: Answer = serde_json::from_str(&stored[txn]).unwrap();
            assert_eq!(client.answers.get(n).unwrap_or(&answer), &answer);
            let Answer::Applied { rev } = answer else { panic!("{answer:?}") };
            assert!(rev > last, "seq {seq}: rev {rev} behind {last}");
            last = rev;
            let (customer, minor) = client.effects[n];
            if minor != 0 {
                *balances.entry(base64(customer.as_bytes())).or_insert(0) += minor;
                lines.insert((txn.clone(), base64(customer.as_bytes()), minor, rev));
            }
        }
    }
    let ledger: Vec<(String, String, i64, u64)> =
        rows(store, "SELECT txn, customer, amount, rev FROM ledger");
    assert_eq!(ledger.len(), lines.len());
    assert_eq!(ledger.into_iter().collect::<BTreeSet<_>>(), lines);
    let found: Vec<(String, i64)> = rows(store, "SELECT customer, balance FROM customers WHERE balance <> 0");
    balances.retain(|_, balance| *balance != 0);
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), balances);
}
