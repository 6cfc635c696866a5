//! What the simulator knows to be in a phone's file: each record that the app said was saved, and what the phone was
//! shown of the server's state. A backup or a clone of the file comes with a copy of this.

use crate::model::Seen;
use carboy_protocol::wire::{Answer, FeedItem, SyncReply};
use carboy_protocol::{CustomerId, TxnId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A record in a file.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) txn: TxnId,
    pub(crate) kind: &'static str,
    pub(crate) customer: Option<CustomerId>,
    /// What it lays over the customer's balance.
    pub(crate) amount: i64,
    /// Whether it writes to the customer's profile.
    pub(crate) is_edit: bool,
    /// The earlier one that it takes back or accepts.
    pub(crate) target: Option<TxnId>,
}

/// A write to a profile of this file's own history.
#[derive(Debug, Clone)]
struct OwnEdit {
    txn: TxnId,
    lamport: u64,
    is_laid: bool,
    rev: Option<u64>,
}

/// What a file holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    /// Not settled yet, oldest first.
    pub(crate) pending: VecDeque<Record>,
    /// Applied, and not in the feed yet.
    laid: Vec<(u64, Record)>,
    /// The sum of both, by customer.
    over: BTreeMap<CustomerId, i64>,
    pub(crate) cursor: u64,
    /// What was shown of each profile: up to which rev, and the greatest Lamport counter.
    shown: BTreeMap<CustomerId, (u64, u64)>,
    edits: BTreeMap<CustomerId, Vec<OwnEdit>>,
    /// What the products cost, as the feed told.
    pub(crate) prices: BTreeMap<String, i64>,
    /// What must be on the attention list, each with the record that it takes back.
    pub(crate) attention: BTreeMap<TxnId, Option<TxnId>>,
}

/// What the server's state was when it made a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf {
    pub(crate) rev: u64,
}

impl File {
    /// Takes note of a record that the app says is saved.
    pub(crate) fn record(&mut self, record: Record, seen: Option<&Seen>) {
        if let Some(customer) = record.customer {
            *self.over.entry(customer).or_default() += record.amount;
            if let Some(seen) = seen.filter(|_| record.is_edit) {
                let edit = OwnEdit { txn: record.txn, lamport: seen.lamport, is_laid: true, rev: None };
                self.edits.entry(customer).or_default().push(edit);
            }
        }
        self.pending.push_back(record);
    }

    /// What an edit of a customer's profile made now has seen.
    pub(crate) fn seen(&self, customer: CustomerId) -> Seen {
        let (until, lamport) = self.shown.get(&customer).copied().unwrap_or((0, 0));
        let edits = self.edits.get(&customer).map_or(&[][..], Vec::as_slice);
        let laid = edits.iter().rev().find(|edit| edit.is_laid).map_or(0, |edit| edit.lamport);
        Seen { until, own: edits.iter().map(|edit| edit.txn).collect(), lamport: lamport.max(laid) + 1 }
    }

    /// What lies over the server's balance of a customer.
    pub(crate) fn over(&self, customer: CustomerId) -> i64 {
        self.over.get(&customer).copied().unwrap_or(0)
    }

    /// Takes what a reply settles and brings. Returns the customers that it is about.
    pub(crate) fn settle(&mut self, reply: &SyncReply, as_of: AsOf) -> Result<BTreeSet<CustomerId>, String> {
        let mut touched = BTreeSet::new();
        for result in &reply.results {
            let record = self.pending.pop_front().ok_or("an answer to nothing")?;
            touched.extend(record.customer);
            match result.answer {
                Answer::Applied { rev } if rev > reply.cursor => self.laid.push((rev, record)),
                Answer::Applied { rev } => self.lift(&record, Some(rev)),
                Answer::Rejected { .. } | Answer::Parked => {
                    self.attention.insert(record.txn, record.target);
                    self.lift(&record, None);
                }
            }
        }
        let contained: Vec<_> = self.laid.extract_if(.., |(rev, _)| *rev <= reply.cursor).collect();
        for (rev, record) in contained {
            touched.extend(record.customer);
            self.lift(&record, Some(rev));
        }
        self.cursor = reply.cursor;
        for item in &reply.feed {
            match item {
                FeedItem::Customer { customer, profile, .. } => {
                    touched.insert(*customer);
                    if let Some(profile) = profile {
                        self.shown.insert(*customer, (as_of.rev, profile.next_lamport() - 1));
                        if let Some(edits) = self.edits.get_mut(customer) {
                            let is_in_it = |edit: &OwnEdit| edit.rev.is_some_and(|rev| rev <= as_of.rev);
                            edits.retain(|edit| edit.is_laid || !is_in_it(edit));
                        }
                    }
                }
                FeedItem::Product { code, price, .. } => {
                    self.prices.insert(code.as_str().to_owned(), price.minor);
                }
                FeedItem::Settled { txn, answer: Answer::Applied { .. } } => {
                    self.attention.remove(txn);
                }
                _ => {}
            }
        }
        Ok(touched)
    }

    fn lift(&mut self, record: &Record, rev: Option<u64>) {
        let Some(customer) = record.customer else { return };
        *self.over.entry(customer).or_default() -= record.amount;
        for edit in self.edits.get_mut(&customer).into_iter().flatten() {
            if edit.txn == record.txn {
                (edit.is_laid, edit.rev) = (false, rev);
            }
        }
    }
}
