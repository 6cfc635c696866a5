//! The reference model: what a plant must hold after what has arrived at its server.
//!
//! It is written apart from the product's code and shares only the messages' types with it. An edit's fate follows from
//! the set of writes that its writer had seen, which the simulator knows from what it showed him, and not from any
//! clock in the message; a balance is a sum; a day is a sum; an answer follows from the rules. Each function that
//! takes in an arrival says what the server must have answered.

mod books;
mod counts;
mod feed;
mod photos;
mod registers;
mod sync;

pub(crate) use books::{hashes, ledger_amount};
pub(crate) use feed::{same_day, same_profile};

pub use counts::Counts;
pub use photos::Photo;
pub use registers::{Seen, Write};
pub use sync::{Arrival, Told};

use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{
    AccountId, ActorId, CustomerId, Field, PhotoHash, PlantId, Role, RouteId, StopState, Timestamp, TxnId,
};
use std::collections::{BTreeMap, HashMap};

/// Why the product and the model disagree.
pub type Wrong = String;

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Applied at this rev.
    Applied(u64),
    /// Not accepted.
    Rejected(Rejection),
    /// Kept until a server knows its kind.
    Parked,
}

impl Verdict {
    /// Whether the server said this.
    #[must_use]
    pub fn is(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Applied(rev), Answer::Applied { rev: told }) => rev == told,
            (Self::Rejected(reason), Answer::Rejected { reason: told, .. }) => reason == told,
            (Self::Parked, Answer::Parked) => true,
            _ => false,
        }
    }
}

/// What a person did, as the simulator asked for it: what arrives must say the same.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    /// The kind.
    pub kind: &'static str,
    /// Whom it is about.
    pub customer: Option<CustomerId>,
    /// What it puts on the customer's ledger; none for a reversal, whose amount follows from what it takes back.
    pub amount: Option<i64>,
    /// The values that it writes; none if the phone itself found them.
    pub changes: Option<BTreeMap<Field, String>>,
    /// What its writer had seen, if it writes to a profile.
    pub seen: Option<Seen>,
    /// The earlier one that it takes back or accepts.
    pub target: Option<TxnId>,
    /// The photos that come with it.
    pub photos: Vec<PhotoHash>,
}

/// Who records something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub account: AccountId,
    /// On which side of a conflict he stands.
    pub role: Role,
}

/// A plant as it must be.
#[derive(Debug)]
pub struct Plant {
    /// Which plant.
    pub id: PlantId,
    dashboard: ActorId,
    rev: u64,
    customers: BTreeMap<CustomerId, Customer>,
    days: BTreeMap<AccountId, Day>,
    routes: BTreeMap<RouteId, Vec<CustomerId>>,
    known: HashMap<(AccountId, TxnId), Known>,
    histories: HashMap<ActorId, Vec<TxnId>>,
    intents: HashMap<(AccountId, TxnId), Intent>,
    /// By rev.
    ledger: Vec<Line>,
    parked: BTreeMap<(Timestamp, ActorId, u64), (Author, TxnId)>,
    /// Of what was parked and was settled after all: by rev.
    unparked: BTreeMap<u64, (AccountId, TxnId)>,
    photos: BTreeMap<(AccountId, PhotoHash), Photo>,
}

/// A customer as it must be.
#[derive(Debug, Default)]
pub struct Customer {
    registers: registers::Registers,
    /// The balance behind each rev that changed it.
    balances: Vec<(u64, i64)>,
    /// The last visit: its state, its mutation and the rider's shift.
    pub visit: Option<(StopState, TxnId, Option<TxnId>)>,
    /// Added by mistake.
    pub closed: bool,
}

/// A rider's day as it must be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Day {
    /// The shift: its mutation and the one that ended it.
    pub shift: Option<(TxnId, Option<TxnId>)>,
    /// The rev of the last start of a shift.
    since: u64,
    /// What counts since then.
    pub in_shift: Counts,
    /// What counts in all.
    pub in_all: Counts,
}

/// A line of a customer's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its rev.
    pub rev: u64,
    /// Whose ledger.
    pub customer: CustomerId,
    /// The mutation.
    pub txn: TxnId,
    /// In minor units.
    pub amount: i64,
}

/// A mutation that has arrived.
#[derive(Debug)]
struct Known {
    kind: &'static str,
    digest: u64,
    verdict: Verdict,
    effect: Effect,
    is_withdrawn: bool,
    is_closed: bool,
    /// The body, kept as long as it is parked.
    body: Option<String>,
}

impl Known {
    fn new(kind: &'static str, verdict: Verdict, effect: Effect) -> Self {
        Self { kind, digest: 0, verdict, effect, is_withdrawn: false, is_closed: false, body: None }
    }
}

/// What a mutation did, as far as taking it back needs that.
#[derive(Debug, Clone, Default)]
struct Effect {
    is_reversible: bool,
    adds_customer: bool,
    finishes_shift: bool,
    starts_shift: bool,
    is_visit: bool,
    customer: Option<CustomerId>,
    /// What it put on the customer's ledger; none if nothing at all.
    amount: Option<i64>,
    counts: Counts,
}

impl Plant {
    /// A plant of which nothing is known yet, with the history of its dashboard.
    #[must_use]
    pub fn new(id: PlantId, dashboard: ActorId) -> Self {
        Self {
            id,
            dashboard,
            rev: 0,
            customers: BTreeMap::new(),
            days: BTreeMap::new(),
            routes: BTreeMap::new(),
            known: HashMap::new(),
            histories: HashMap::new(),
            intents: HashMap::new(),
            ledger: Vec::new(),
            parked: BTreeMap::new(),
            unparked: BTreeMap::new(),
            photos: BTreeMap::new(),
        }
    }

    /// The last rev given.
    #[must_use]
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// A change of the catalogue takes a rev too.
    pub fn take_rev(&mut self) -> u64 {
        self.rev += 1;
        self.rev
    }

    /// A person does something: from now on it may arrive.
    pub fn intend(&mut self, account: AccountId, txn: TxnId, intent: Intent) {
        self.intents.insert((account, txn), intent);
    }

    /// A route gets these stops.
    pub fn put_route(&mut self, route: RouteId, stops: &[CustomerId]) {
        self.take_rev();
        self.routes.insert(route, stops.to_vec());
    }

    /// The stops of a route that are served.
    pub fn stops(&self, route: RouteId) -> impl Iterator<Item = CustomerId> {
        let stops = self.routes.get(&route).into_iter().flatten().copied();
        stops.filter(|stop| self.customers.get(stop).is_some_and(|customer| !customer.closed))
    }

    /// The routes.
    pub fn routes(&self) -> impl Iterator<Item = RouteId> {
        self.routes.keys().copied()
    }

    /// The customers.
    pub fn customers(&self) -> &BTreeMap<CustomerId, Customer> {
        &self.customers
    }

    /// Every line of every ledger, by rev.
    #[must_use]
    pub fn ledger(&self) -> &[Line] {
        &self.ledger
    }

    /// A rider's day.
    #[must_use]
    pub fn day(&self, rider: AccountId) -> Day {
        self.days.get(&rider).cloned().unwrap_or_default()
    }

    /// What became of a mutation, if it has arrived.
    #[must_use]
    pub fn verdict(&self, account: AccountId, txn: TxnId) -> Option<&Verdict> {
        self.known.get(&(account, txn)).map(|known| &known.verdict)
    }

    /// Whether somebody has dealt with a mutation that was not accepted.
    #[must_use]
    pub fn is_closed(&self, account: AccountId, txn: TxnId) -> bool {
        self.known.get(&(account, txn)).is_some_and(|known| known.is_closed)
    }

    /// How many mutations have arrived, by what became of them: applied, rejected, parked.
    #[must_use]
    pub fn arrived(&self) -> [usize; 3] {
        let mut arrived = [0; 3];
        for known in self.known.values() {
            let place = match known.verdict {
                Verdict::Applied(_) => 0,
                Verdict::Rejected(_) => 1,
                Verdict::Parked => 2,
            };
            arrived[place] += 1;
        }
        arrived
    }

    /// Mutations that were not accepted and that nobody has dealt with, in the order of their ids.
    #[must_use]
    pub fn open(&self) -> Vec<(AccountId, TxnId)> {
        let is_open = |known: &Known| !known.is_closed && !matches!(known.verdict, Verdict::Applied(_));
        let mut open: Vec<_> =
            self.known.iter().filter(|(_, known)| is_open(known)).map(|(key, _)| *key).collect();
        open.sort_unstable();
        open
    }

    /// How long each history is.
    pub fn histories(&self) -> impl Iterator<Item = (ActorId, usize)> {
        self.histories.iter().map(|(actor, txns)| (*actor, txns.len()))
    }

    /// A manager deals with a mutation in its author's place.
    pub fn close(&mut self, account: AccountId, txn: TxnId) {
        if let Some(known) = self.known.get_mut(&(account, txn)) {
            known.is_closed = true;
        }
    }
}

impl Customer {
    /// The sum of the ledger up to `rev`.
    #[must_use]
    pub fn balance_at(&self, rev: u64) -> i64 {
        let behind = self.balances.partition_point(|&(at, _)| at <= rev);
        behind.checked_sub(1).map_or(0, |last| self.balances[last].1)
    }

    /// The sum of the ledger.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.balances.last().map_or(0, |&(_, balance)| balance)
    }

    /// The writes of a field that no other write has seen, the one that is shown first.
    #[must_use]
    pub fn siblings(&self, field: Field) -> &[Write] {
        self.registers.siblings(field)
    }

    /// The greatest Lamport counter of a write.
    #[must_use]
    pub fn lamport(&self) -> u64 {
        self.registers.lamport()
    }
}
