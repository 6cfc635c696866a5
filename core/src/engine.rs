//! The engine: one signed-in rider's file, with everything that can be done to it.

use crate::env::{KeyStore, SystemClock, SystemRandom, key_name};
use crate::observe::{Change, Signal};
use crate::store::key::StoreKey;
use crate::store::outbox::{self, Batch};
use crate::store::photos::{self, Album, Sending};
use crate::store::salvage;
use crate::store::settle::{self, Settled};
use crate::store::{Meta, Place, Store, new_actor};
use crate::{Clock, Error, Random};
#[cfg(feature = "planted")]
use carboy_protocol::planted::{self, Bug};
use carboy_protocol::wire::SyncReply;
use carboy_protocol::{AccountId, ActorId, Currency, DeviceKey, PlantId, Timestamp, TxnId};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// The folder of all accounts on this phone. Each has a file of its own in it, named after the account. The
    /// system must not back it up, and nothing else may open these files.
    pub folder: PathBuf,
    /// Whose store.
    pub identity: Identity,
    /// The platform's place for secrets.
    pub keys: Arc<dyn KeyStore>,
    /// The device's clocks.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub random: Arc<dyn Random>,
    /// The name of a registered SQLite VFS in place of the platform's file system, for a simulator.
    pub vfs: Option<String>,
}

impl Options {
    /// The options for `identity`'s store in `folder`, with the operating system's clocks, randomness and files.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # let identity = identity();
    /// use std::sync::Arc;
    /// let options = Options::new(folder, identity, Arc::new(MemoryKeys::default()));
    /// assert!(options.file().starts_with(folder));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(folder: impl Into<PathBuf>, identity: Identity, keys: Arc<dyn KeyStore>) -> Self {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Self { folder: folder.into(), identity, keys, clock, random, vfs: None }
    }

    /// The account's file.
    pub fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.db", self.identity.account))
    }
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
    /// The shell has paused it.
    Paused,
    /// Something failed; it is tried again by itself.
    Waiting(Waiting),
    /// The server wants a new sign-in. Recording goes on.
    NeedsSignIn,
    /// The server does not speak this version any more. Recording goes on.
    NeedsUpgrade,
}

/// Why nothing is sent at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The reason, for a switch.
    pub reason: WaitReason,
    /// The reason, for a log.
    pub detail: String,
    /// How long until the next try, from when it began to wait. A wake-up comes before that.
    pub delay: Duration,
}

/// What stands in the way of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitReason {
    /// No usable reply: no route, a timeout, a reset, a captive portal's page.
    Link,
    /// The server has too much to do.
    Busy,
    /// The token provider has no token at the moment.
    Token,
    /// The server's replies cannot be acted on.
    Server,
    /// The phone's own store fails, for example because its storage is full.
    Store,
}

/// What is waiting to be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Mutations that the server has not settled. All of them are safe on this phone.
    pub pending: u64,
    /// Their size in bytes, before compression.
    pub pending_bytes: u64,
    /// When the oldest of them was recorded, by this phone's clock.
    pub oldest_pending: Option<Timestamp>,
    /// How long ago that was; zero if the clock was set back since.
    pub oldest_age: Duration,
    /// Photos that the server does not have yet.
    pub photos: u64,
    /// How many of their bytes it does not have.
    pub photo_bytes: u64,
    /// What needs the rider, see [`Engine::attention`].
    pub attention: u64,
    /// What the exchange with the server is doing.
    pub state: SyncState,
    /// When the server last answered, by this phone's clock.
    pub last_contact: Option<Timestamp>,
}

/// How many events diagnostics tell of.
const EVENTS: usize = 200;

/// One rider's store. Every call is local and returns as soon as it is on disk; none waits for the network.
/// May be shared between threads: writes take turns, and reads go on beside them.
///
/// Besides what it names itself, every call may fail with [`Error::SignedOut`] once the account is signed out, with
/// [`Error::Damaged`] and with [`Error::Store`]; and every action with [`Error::NoRandomness`], since each gets a new
/// id. Texts are at most 500 characters; one that is given but blank is out of range too.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) album: Album,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) signal: Signal,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) account: AccountId,
    exchange: Mutex<Exchange>,
}

/// What is known of the exchange and not kept in the file.
#[derive(Default)]
struct Exchange {
    state: SyncState,
    last_contact: Option<Timestamp>,
    /// What happened lately, for diagnostics.
    recent: VecDeque<Event>,
}

/// Something that happened, for diagnostics. Holds no secret and nothing personal.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Event {
    at: Timestamp,
    what: String,
}

impl Engine {
    /// Opens the account's file, and makes it if there is none. A damaged file is set aside beside it and never
    /// deleted; what can be read of its outbox is carried over into a new one, and the attention list says so.
    ///
    /// # Errors
    /// [`Error::WrongAccount`] if the file is another account's, [`Error::NotAStore`] if it is another program's,
    /// [`Error::NewerSchema`] and [`Error::OldSqlite`] if this code does not fit it, [`Error::WrongKey`],
    /// [`Error::NotEncrypted`], [`Error::KeyStore`], [`Error::StorageFull`], [`Error::Store`] if the folder cannot be
    /// written. The file is then left as it was.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # let options = options(folder);
    /// let number = Engine::open(&options)?.start_shift(None)?.id;
    /// // After a restart of the app:
    /// let engine = Engine::open(&options)?;
    /// assert_eq!(engine.waiting(0, 20)?[0].id, number);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(options: &Options) -> Result<Self, Error> {
        let Options { identity, keys, clock, random, .. } = options;
        std::fs::create_dir_all(&options.folder).map_err(Error::from_io)?;
        let path = options.file();
        salvage::finish(&path)?;
        let key = StoreKey::find(identity.account, !path.exists(), &**keys, &**random)?;
        let album = Album::new(path.with_extension("photos"));
        let place = Place::new(path, options.vfs.as_deref(), key)?;
        let store = salvage::open(&place, identity, &**random, clock.now(), &album)?;
        let engine = Self {
            store,
            album,
            clock: clock.clone(),
            random: random.clone(),
            signal: Signal::default(),
            keys: keys.clone(),
            account: identity.account,
            exchange: Mutex::default(),
        };
        engine.sweep_album()?;
        Ok(engine)
    }

    /// The account's file.
    pub fn file(&self) -> &Path {
        &self.store.place().path
    }

    /// What is waiting to be sent, since when, and why.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.start_shift(None)?;
    /// let status = engine.status()?;
    /// assert_eq!((status.pending, status.photos), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> Result<Status, Error> {
        let (state, last_contact) = {
            let exchange = self.exchange();
            (exchange.state.clone(), exchange.last_contact)
        };
        let now = self.clock.now();
        self.store.read(|tx| {
            let meta = Meta::read(tx)?;
            let sql = "SELECT (SELECT count(*) FROM attention)
                            + (SELECT coalesce(sum(lost), 0) FROM customer WHERE lost > 0)";
            let attention = tx.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            let oldest_pending = outbox::oldest_pending(tx, &meta)?;
            let age = oldest_pending.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
            let (photos, photo_bytes) = photos::waiting(tx)?;
            Ok(Status {
                pending: meta.pending(),
                pending_bytes: meta.pending_bytes,
                oldest_pending,
                oldest_age: Duration::from_millis(age.unsigned_abs()),
                photos,
                photo_bytes,
                attention,
                state,
                last_contact: last_contact.max(meta.last_contact),
            })
        })
    }

    /// A new transaction id, and the wall clock's time as evidence.
    pub(crate) fn new_txn(&self) -> Result<(TxnId, Timestamp), Error> {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes).map_err(Error::NoRandomness)?;
        let at = self.clock.now();
        Ok((TxnId::from_random(at, bytes), at))
    }

    /// What signs this phone's outbox; `None` if the key store has lost it, or never had it.
    pub(crate) fn device_key(&self) -> Result<Option<DeviceKey>, Error> {
        let seed = self.keys.load(&key_name(self.account, "device"))?;
        Ok(seed.and_then(|seed| seed.try_into().ok()).map(DeviceKey::from_seed))
    }

    pub(crate) fn set_state(&self, state: SyncState) {
        let mut exchange = self.exchange();
        let changed = exchange.state != state;
        if changed {
            exchange.note(self.clock.now(), format!("{state:?}"));
        }
        exchange.state = state;
        drop(exchange);
        if changed {
            self.signal.raise(&[Change::Status]);
        }
    }

    /// What happened lately, oldest first.
    pub(crate) fn recent(&self) -> Vec<Event> {
        self.exchange().recent.iter().cloned().collect()
    }

    pub(crate) fn contacted(&self) {
        let now = self.clock.now();
        self.exchange().last_contact = Some(now);
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn batch(&self, limit: usize, wrap: bool) -> Result<Batch, Error> {
        self.store.read(|tx| outbox::batch(tx, limit, wrap))
    }

    pub(crate) fn settle(&self, actor: ActorId, first_seq: u64, reply: &SyncReply) -> Result<Settled, Error> {
        let now = self.clock.now();
        let settled = self.store.write_settling(|tx| settle::settle(tx, actor, first_seq, reply, now))?;
        let (count, refused) = (settled.settled, settled.rejected.len());
        self.exchange().note(now, format!("settled {count}, {refused} of them refused"));
        if settled.settled > 0 {
            self.signal.raise(&[Change::Outbox, Change::Day]);
        }
        if !reply.feed.is_empty() || settled.settled > 0 {
            self.signal.raise(&[Change::Customers, Change::Attention]);
        }
        self.signal.raise(&[Change::Status]);
        Ok(settled)
    }

    pub(crate) fn take_new_actor(&self) -> Result<(), Error> {
        let actor = new_actor(&*self.random)?;
        self.store.write(|tx| outbox::take_new_actor(tx, actor))?;
        self.exchange().note(self.clock.now(), "took a new actor".to_owned());
        Ok(())
    }

    /// Removes the copies of photos that no record speaks of.
    pub(crate) fn sweep_album(&self) -> Result<(), Error> {
        self.store.read(|tx| {
            // A name that is no hash is a copy that was never finished.
            self.album.sweep(|name| name.parse().map_or(Ok(false), |hash| photos::is_used(tx, hash)))
        })
    }

    pub(crate) fn next_photo(&self) -> Result<Option<Sending>, Error> {
        self.store.read(photos::next)
    }

    /// Takes note of how much of a photo the server has; forgets it once that is all.
    pub(crate) fn photo_sent(&self, photo: &Sending, sent: u64, complete: bool) -> Result<(), Error> {
        #[cfg(feature = "planted")]
        let complete = complete || planted::is(Bug::PhotoForgotten);
        if complete {
            if self.store.write(|tx| photos::finish(tx, photo))? {
                self.album.forget(photo.hash);
            }
        } else {
            self.store.write(|tx| photos::advance(tx, photo.id, sent))?;
        }
        self.signal.raise(&[Change::Status]);
        Ok(())
    }

    pub(crate) fn set_photo_aside(&self, photo: &Sending) -> Result<(), Error> {
        tracing::error!(hash = %photo.hash, "a photo cannot be sent; it stays on the phone");
        self.store.write(|tx| photos::set_aside(tx, photo.id))?;
        self.signal.raise(&[Change::Status]);
        Ok(())
    }
}

impl Exchange {
    fn note(&mut self, at: Timestamp, what: String) {
        if self.recent.len() == EVENTS {
            self.recent.pop_front();
        }
        self.recent.push_back(Event { at, what });
    }
}
