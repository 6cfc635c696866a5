//! What a page of the feed must hold.

use super::{Customer, Day, Plant, Wrong};
use crate::model::Counts;
use carboy_protocol::wire::{FeedItem, SyncReply};
use carboy_protocol::{AccountId, Field, Profile};
use std::ops::Bound::{Excluded, Included};

/// The server's siblings of a field against the model's.
///
/// # Errors
/// If they differ.
pub(crate) fn same_profile(profile: &Profile, customer: &Customer) -> Result<(), Wrong> {
    for field in Field::ALL {
        let (told, expected) = (profile.siblings(field), customer.siblings(field));
        let is_same = told.len() == expected.len()
            && told.iter().zip(expected).all(|(told, write)| {
                told.value == write.value
                    && told.author == write.author
                    && told.role == write.role
                    && told.lamport == write.lamport
                    && (told.dot.actor, told.dot.seq) == (write.actor, write.seq)
            });
        if !is_same {
            return Err(format!("{field:?} is {told:#?} where the model has {expected:#?}"));
        }
    }
    if profile.next_lamport() != customer.lamport() + 1 {
        return Err(format!(
            "the next Lamport counter is {}, not behind {}",
            profile.next_lamport(),
            customer.lamport()
        ));
    }
    Ok(())
}

/// A rider's day as told against the model's.
///
/// # Errors
/// If they differ.
pub(crate) fn same_day(told: &carboy_protocol::Day, expected: &Day) -> Result<(), Wrong> {
    let shift = told.shift.as_ref().map(|shift| (shift.txn, shift.finished_by));
    let (in_shift, in_all) = (Counts::told(&told.in_shift), Counts::told(&told.in_all));
    if (shift, &in_shift, &in_all) == (expected.shift, &expected.in_shift, &expected.in_all) {
        Ok(())
    } else {
        Err(format!("the day is {shift:?}, {in_shift:?}, {in_all:?} where the model has {expected:?}"))
    }
}

impl Plant {
    /// A reply's feed behind `after`, and the day in it, for the phone of `account`.
    ///
    /// # Errors
    /// If something is missing from it or other than it must be.
    pub fn check_feed(&self, account: AccountId, after: u64, reply: &SyncReply) -> Result<(), Wrong> {
        let end = reply.cursor;
        if end > self.rev || (!reply.more && end != self.rev) || end < after {
            return Err(format!("the feed behind {after} ends at {end} of {}", self.rev));
        }
        let begin = self.ledger.partition_point(|line| line.rev <= after);
        let mut lines = self.ledger[begin..].iter().take_while(|line| line.rev <= end);
        for item in &reply.feed {
            match item {
                FeedItem::Entry(entry) => {
                    let line = lines.next();
                    let told = (entry.rev, entry.customer, entry.txn, entry.amount.minor);
                    if line.map(|line| (line.rev, line.customer, line.txn, line.amount)) != Some(told) {
                        return Err(format!("the feed has {entry:?} where the model has {line:?}"));
                    }
                }
                FeedItem::Customer { customer: id, balance, profile, visit, closed } => {
                    let customer =
                        self.customers.get(id).ok_or_else(|| format!("customer {id} is nobody"))?;
                    let expected = customer.balance_at(end);
                    if balance.minor != expected {
                        return Err(format!("{id} owes {balance} where the ledger's sum is {expected}"));
                    }
                    if let Some(profile) = profile {
                        same_profile(profile, customer).map_err(|wrong| format!("{id}: {wrong}"))?;
                    }
                    let visit = visit.as_ref().map(|visit| (visit.state, visit.txn, visit.shift));
                    if (visit, *closed) != (customer.visit, customer.closed) {
                        return Err(format!("{id}: visit {visit:?}, closed {closed}, not {customer:?}"));
                    }
                }
                FeedItem::Settled { txn, answer } => {
                    let verdict = self.verdict(account, *txn);
                    if !verdict.is_some_and(|verdict| verdict.is(answer)) {
                        return Err(format!("{txn} is told as {answer:?}, not {verdict:?}"));
                    }
                }
                FeedItem::Product { .. } | FeedItem::Route { .. } | FeedItem::Unknown => {}
            }
        }
        if let Some(line) = lines.next() {
            return Err(format!("the feed from {after} to {end} leaves out {line:?}"));
        }
        let told = |item: &FeedItem, txn| matches!(item, FeedItem::Settled { txn: told, .. } if *told == txn);
        for (rev, (owner, txn)) in self.unparked.range((Excluded(after), Included(end))) {
            if *owner == account && !reply.feed.iter().any(|item| told(item, *txn)) {
                return Err(format!("the feed leaves out what became of {txn} at {rev}"));
            }
        }
        match &reply.day {
            Some(day) => same_day(day, &self.day(account)),
            None => Err("a rider's reply without a day".to_owned()),
        }
    }
}
