//! Bugs that the simulator puts in on purpose, to see them caught. Only a build with the feature `planted` has them, and
//! in it only a thread that asks for one.

use crate::TxnId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A bug of a kind that others have met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The phone commits the outbox entry and the rows that show it apart.
    CommitApart,
    /// The phone's store does not wait for the disk.
    SynchronousOff,
    /// The server answers before it has committed.
    AckBeforeCommit,
    /// The server takes two mutations that say the same for one.
    DedupByContent,
    /// The server does not look whether a seq stands for the same mutation as before.
    SeqReused,
    /// A page of the feed ends behind a rev whose change is not visible yet.
    FeedPastUncommitted,
    /// The entries of other histories leave a write's clock before it is compared.
    PruneBeforeComparison,
    /// Of concurrent writes, the one with the latest device time is shown.
    TieBreakByWallClock,
    /// Setting a balance sets it, instead of adding the difference to the balance that was seen.
    BalanceAsRegister,
    /// A drain that is cancelled waits for its reply for ever.
    CancelledDrain,
    /// Nothing ends a backoff.
    BackoffNeverWoken,
    /// Any reply with status 200 is taken for the server's.
    ReplyFromPortal,
    /// What was not accepted leaves the outbox and goes nowhere.
    RejectedDropped,
    /// A duplicate takes effect again.
    DuplicateTakesEffect,
    /// The phone forgets a photo once any piece of it was answered.
    PhotoForgotten,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::CommitApart,
        Self::SynchronousOff,
        Self::AckBeforeCommit,
        Self::DedupByContent,
        Self::SeqReused,
        Self::FeedPastUncommitted,
        Self::PruneBeforeComparison,
        Self::TieBreakByWallClock,
        Self::BalanceAsRegister,
        Self::CancelledDrain,
        Self::BackoffNeverWoken,
        Self::ReplyFromPortal,
        Self::RejectedDropped,
        Self::DuplicateTakesEffect,
        Self::PhotoForgotten,
    ];
}

/// How many chances to strike a bug lets pass before it does.
const PASSED_OVER: u32 = 7;

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    static CHANCES: Cell<u32> = const { Cell::new(0) };
    static CONTENTS: RefCell<HashMap<String, TxnId>> = RefCell::default();
    static UNKNOWN: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
}

/// Puts `bug` into all that this thread runs from now on, in place of what was there.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
    CHANCES.set(0);
    CONTENTS.take();
}

/// Whether `bug` is in.
#[must_use]
pub fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Whether `bug` is in and strikes this time: now and then.
#[must_use]
pub fn strikes(bug: Bug) -> bool {
    if !is(bug) {
        return false;
    }
    CHANCES.set(CHANCES.get() + 1);
    CHANCES.get().is_multiple_of(PASSED_OVER)
}

/// The first mutation that said `content`; this one if there was none.
#[must_use]
pub fn first_with(content: String, txn: TxnId) -> TxnId {
    CONTENTS.with_borrow_mut(|contents| *contents.entry(content).or_insert(txn))
}

/// From now on this thread is an older version that does not know these kinds.
pub fn set_unknown_kinds(kinds: &'static [&'static str]) {
    UNKNOWN.set(kinds);
}

/// Whether this thread is a version that does not know `kind`.
#[must_use]
pub fn is_unknown(kind: &str) -> bool {
    UNKNOWN.get().contains(&kind)
}
