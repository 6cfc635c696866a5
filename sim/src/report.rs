//! What a run counts: actions by kind, faults by kind, and which faults struck which kinds.

use crate::model::Verdict;
use crate::schedule::Fault;
use carboy_protocol::TxnId;
use std::collections::BTreeMap;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Operations performed.
    pub operations: u64,
    /// What riders and managers did, by kind.
    pub actions: BTreeMap<&'static str, u64>,
    /// Requests that phones sent.
    pub requests: u64,
    /// Mutations that servers answered, duplicates among them.
    pub answers: u64,
    /// Duplicates among the answers.
    pub duplicates: u64,
    /// What was rejected and parked, the first time.
    pub refused: u64,
    /// Records that went with a phone that was wiped, or with what was newer than a restored backup, unsent.
    pub lost_with_phones: u64,
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

    pub(crate) fn act(&mut self, kind: &'static str) {
        *self.actions.entry(kind).or_default() += 1;
    }

    pub(crate) fn strike(&mut self, fault: Fault, kinds: impl Iterator<Item = &'static str>) {
        *self.faults.entry(fault.name()).or_default() += 1;
        for kind in kinds {
            *self.struck.entry((fault.name(), kind)).or_default() += 1;
        }
    }

    pub(crate) fn settle(&mut self, answers: &[(TxnId, Verdict, bool)]) {
        for (_, verdict, duplicate) in answers {
            self.answers += 1;
            self.duplicates += u64::from(*duplicate);
            self.refused += u64::from(!duplicate && !matches!(verdict, Verdict::Applied(_)));
        }
    }
}
