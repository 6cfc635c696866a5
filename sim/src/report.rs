//! What a run counts: actions by kind, faults by kind, and which faults struck which kinds.

use crate::model::{Arrival, Verdict};
use crate::schedule::Fault;
use carboy_protocol::TxnId;
use std::collections::BTreeMap;

/// What may become of a mutation that arrives, and how it may arrive again: as before, or in a history that was
/// continued as another one.
pub const ANSWERS: [&str; 5] = ["applied", "rejected", "parked", "repeated", "moved"];

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Operations performed.
    pub operations: u64,
    /// What riders and managers did, by kind.
    pub actions: BTreeMap<&'static str, u64>,
    /// Requests that phones sent.
    pub requests: u64,
    /// Mutations that servers answered, by what became of them, or by how they arrived again.
    pub answers: BTreeMap<&'static str, u64>,
    /// Records that went with a phone that was wiped, or with what was newer than a restored backup, unsent.
    pub lost_with_phones: u64,
    /// Photos of which applied deliveries speak: those that the servers have in the end, and those that went with a
    /// phone.
    pub photos: [u64; 2],
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// How often a fault struck a kind of mutation.
    pub struck: BTreeMap<(&'static str, &'static str), u64>,
}

impl Stats {
    /// What riders and managers did in all.
    #[must_use]
    pub fn all_actions(&self) -> u64 {
        self.actions.values().sum()
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.requests += other.requests;
        self.lost_with_phones += other.lost_with_phones;
        self.photos = [0, 1].map(|place| self.photos[place] + other.photos[place]);
        add(&mut self.actions, &other.actions);
        add(&mut self.answers, &other.answers);
        add(&mut self.faults, &other.faults);
        add(&mut self.struck, &other.struck);
    }

    pub(crate) fn act(&mut self, kind: &'static str) {
        *self.actions.entry(kind).or_default() += 1;
    }

    pub(crate) fn strike(&mut self, fault: Fault, kinds: impl Iterator<Item = &'static str>) {
        *self.faults.entry(fault.name()).or_default() += 1;
        for kind in kinds {
            *self.struck.entry((fault.name(), kind)).or_default() += 1;
        }
    }

    pub(crate) fn settle(&mut self, answers: &[(TxnId, Verdict, Arrival)]) {
        for (_, verdict, arrival) in answers {
            let name = match (arrival, verdict) {
                (Arrival::Repeated, _) => ANSWERS[3],
                (Arrival::Moved, _) => ANSWERS[4],
                (Arrival::New, Verdict::Applied(_)) => ANSWERS[0],
                (Arrival::New, Verdict::Rejected(_)) => ANSWERS[1],
                (Arrival::New, Verdict::Parked) => ANSWERS[2],
            };
            *self.answers.entry(name).or_default() += 1;
        }
    }
}

fn add<K: Ord + Copy>(sums: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    for (key, count) in other {
        *sums.entry(*key).or_default() += count;
    }
}
