//! A customer's registers, resolved from the set of writes that each writer had seen.

use carboy_protocol::{AccountId, ActorId, Field, Role, TxnId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What the writer of an edit had seen of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every write that the server had applied up to this rev.
    pub until: u64,
    /// Writes of his own history, wherever they are.
    pub own: Vec<TxnId>,
    /// The Lamport counter that the edit must carry: one more than that of anything seen.
    pub lamport: u64,
}

/// One write to one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The rev at which it was applied.
    pub rev: u64,
    /// The mutation.
    pub txn: TxnId,
    /// Its place in its history.
    pub actor: ActorId,
    /// Its place in its history.
    pub seq: u64,
    /// Its Lamport counter.
    pub lamport: u64,
    /// Whose side it is on.
    pub role: Role,
    /// Who wrote it.
    pub author: AccountId,
    /// What it wrote.
    pub value: String,
}

/// The fields of a profile.
#[derive(Debug, Default)]
pub(super) struct Registers {
    fields: BTreeMap<Field, Vec<Write>>,
    lamport: u64,
}

impl Registers {
    /// Adds a write: those that its writer had seen go, the others stay beside it.
    pub(super) fn write(&mut self, field: Field, write: Write, seen: &Seen) {
        self.lamport = self.lamport.max(write.lamport);
        let siblings = self.fields.entry(field).or_default();
        siblings.retain(|other| other.rev > seen.until && !seen.own.contains(&other.txn));
        siblings.push(write);
        siblings.sort_by_key(|write| Reverse((write.lamport, write.role, write.actor, write.seq)));
    }

    pub(super) fn siblings(&self, field: Field) -> &[Write] {
        self.fields.get(&field).map_or(&[], Vec::as_slice)
    }

    pub(super) fn lamport(&self) -> u64 {
        self.lamport
    }
}
