//! The engine: one signed-in rider's file, with everything that can be done to it.

use crate::observe::{Change, Signal};
use crate::store::outbox::{self, Batch};
use crate::store::settle::{self, Settled};
use crate::store::{Meta, Store};
use crate::{Clock, Error, Random};
use carboy_protocol::wire::SyncReply;
use carboy_protocol::{AccountId, ActorId, Currency, Mutation, PlantId, Timestamp, TxnId};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Whose store it is, as enrolment told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The rider's plant.
    pub plant: PlantId,
    /// The rider.
    pub account: AccountId,
    /// The plant's currency.
    pub currency: Currency,
}

/// What the exchange with the server is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SyncState {
    /// Everything is sent and nothing is to do.
    #[default]
    Idle,
    /// A request is under way.
    Sending,
    /// The shell says that there is no network.
    Offline,
    /// Something failed; it is tried again by itself. The text says what, for a log.
    Waiting(String),
    /// The server wants a new sign-in. Recording goes on.
    NeedsSignIn,
    /// The server does not speak this version any more. Recording goes on.
    NeedsUpgrade,
}

/// What is waiting to be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Mutations that the server has not settled. All of them are safe on this phone.
    pub pending: u64,
    /// When the oldest of them was recorded, by this phone's clock.
    pub oldest_pending: Option<Timestamp>,
    /// Mutations that the server did not accept and that nobody has dealt with yet.
    pub attention: u64,
    /// What the exchange with the server is doing.
    pub state: SyncState,
    /// When the server last answered, by this phone's clock, since the store was opened.
    pub last_contact: Option<Timestamp>,
}

/// One rider's store. Every call is local and returns as soon as it is on disk; none waits for the network.
/// May be shared between threads.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) signal: Signal,
    exchange: Mutex<(SyncState, Option<Timestamp>)>,
}

impl Engine {
    /// Opens the file at `path`, and makes it if there is none.
    ///
    /// # Errors
    /// [`Error::WrongAccount`] if the file is another account's, [`Error::NewerSchema`] and [`Error::OldSqlite`]
    /// if this code does not fit it, [`Error::Damaged`] if it is not a store. The file is left as it was.
    pub fn open(
        path: &Path,
        identity: &Identity,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let store = Store::open(path, identity, &*random)?;
        Ok(Self { store, clock, random, signal: Signal::default(), exchange: Mutex::default() })
    }

    /// What is waiting to be sent, since when, and why.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let (state, last_contact) = self.exchange.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let attention = tx.query_row("SELECT count(*) FROM attention", [], |row| row.get(0))?;
            let batch = outbox::batch(tx, 1, false)?;
            let oldest =
                batch.mutations.first().and_then(|raw| serde_json::from_str::<Mutation>(raw.get()).ok());
            let oldest_pending = oldest.map(|mutation| mutation.at);
            Ok(Status { pending: meta.pending(), oldest_pending, attention, state, last_contact })
        })
    }

    /// A new transaction id, and the wall clock's time as evidence.
    pub(crate) fn new_txn(&self) -> Result<(TxnId, Timestamp), Error> {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes).map_err(Error::NoRandomness)?;
        let at = self.clock.now();
        Ok((TxnId::from_random(at, bytes), at))
    }

    pub(crate) fn set_state(&self, state: SyncState) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = exchange.0 != state;
        exchange.0 = state;
        drop(exchange);
        if changed {
            self.signal.raise(&[Change::Status]);
        }
    }

    pub(crate) fn contacted(&self) {
        let now = self.clock.now();
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(now);
    }

    pub(crate) fn batch(&self, limit: usize, wrap: bool) -> Result<Batch, Error> {
        self.store.read(|tx| outbox::batch(tx, limit, wrap))
    }

    pub(crate) fn settle(&self, actor: ActorId, first_seq: u64, reply: &SyncReply) -> Result<Settled, Error> {
        let settled = self.store.write(|tx| settle::settle(tx, actor, first_seq, reply))?;
        if settled.settled > 0 {
            self.signal.raise(&[Change::Outbox, Change::Status]);
        }
        if !reply.feed.is_empty() || settled.settled > 0 {
            self.signal.raise(&[Change::Customers]);
        }
        if !settled.rejected.is_empty() {
            self.signal.raise(&[Change::Attention]);
        }
        Ok(settled)
    }

    pub(crate) fn take_new_actor(&self) -> Result<(), Error> {
        self.store.write(|tx| outbox::take_new_actor(tx, &*self.random))
    }
}
