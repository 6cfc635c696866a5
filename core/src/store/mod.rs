//! The SQLite file: how it is opened, and its one writer and one reader.
//!
//! All writes go through one connection behind a mutex, so that there are never two writers; reads use a second
//! connection and, thanks to WAL, wait for no write. Nothing calls out of this crate while a lock is held.

pub(crate) mod feed;
pub(crate) mod outbox;
mod schema;
pub(crate) mod settle;

use crate::{Error, Identity, Random};
use carboy_protocol::{AccountId, ActorId, ChainHash, Currency, Dot, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The oldest SQLite without the WAL-reset bug, as `sqlite3_libversion_number` counts.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another one's lock. Only a second process can hold one this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages in the WAL before a checkpoint: 4,000 pages are 16 MB, about a thousand actions. The default of 1,000
/// makes one action in 250 pay for a checkpoint, which shows in the slowest percent.
const WAL_PAGES: u32 = 4_000;

pub(crate) struct Store {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl Store {
    pub(crate) fn open(path: &Path, identity: &Identity, random: &dyn Random) -> Result<Self, Error> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::OldSqlite { found: rusqlite::version() });
        }
        let mut writer = Connection::open_with_flags(path, OpenFlags::default())?;
        // Before anything else: the statements below can meet another process's lock already.
        writer.busy_timeout(BUSY_TIMEOUT)?;
        writer.set_prepared_statement_cache_capacity(64);
        writer.pragma_update(None, "journal_mode", "wal")?;
        // FULL: with NORMAL a power cut may take the last transactions, and those are somebody's cash.
        writer.pragma_update(None, "synchronous", "full")?;
        // On Apple systems fsync does not reach the platter; elsewhere these do nothing.
        writer.pragma_update(None, "fullfsync", true)?;
        writer.pragma_update(None, "checkpoint_fullfsync", true)?;
        writer.pragma_update(None, "foreign_keys", true)?;
        writer.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        schema::migrate(&mut writer)?;
        adopt(&mut writer, identity, random)?;

        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(BUSY_TIMEOUT)?;
        reader.set_prepared_statement_cache_capacity(64);
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    /// Runs `work` in one transaction: all of it is on disk when this returns `Ok`, nothing of it otherwise.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut writer = lock(&self.writer);
        let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&tx)?;
        tx.commit()?;
        Ok(result)
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut reader = lock(&self.reader);
        let tx = reader.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&tx)
    }
}

/// A panic while a lock was held rolled its transaction back, so the connection behind it is fit for use.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where this file's history stands.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) actor: ActorId,
    pub(crate) base: u64,
    pub(crate) parent: Option<Dot>,
    pub(crate) last_id: u64,
    pub(crate) settled_id: u64,
    pub(crate) head: ChainHash,
    pub(crate) cursor: u64,
}

impl Meta {
    pub(crate) fn read(tx: &Transaction<'_>) -> Result<Self, Error> {
        Self::find(tx)?.ok_or_else(|| Error::Damaged("no meta row".into()))
    }

    fn find(tx: &Transaction<'_>) -> Result<Option<Self>, Error> {
        let mut query = tx.prepare_cached(
            "SELECT account, currency, actor, base, parent_actor, parent_seq, last_id, settled_id, head, cursor
             FROM meta",
        )?;
        let row = query.query_row([], |row| Ok(Self::from_row(row))).optional()?;
        row.transpose()
    }

    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        let parent = match (row.get(4)?, row.get(5)?) {
            (Some(actor), Some(seq)) => Some(Dot { actor: ActorId::from_bytes(actor), seq }),
            _ => None,
        };
        Ok(Self {
            account: AccountId::from_bytes(row.get(0)?),
            currency: currency(&row.get::<_, String>(1)?)?,
            actor: ActorId::from_bytes(row.get(2)?),
            base: row.get(3)?,
            parent,
            last_id: row.get(6)?,
            settled_id: row.get(7)?,
            head: ChainHash(row.get(8)?),
            cursor: row.get(9)?,
        })
    }

    /// The place in the actor's history of the outbox entry with this id.
    pub(crate) fn seq(&self, id: u64) -> u64 {
        id - self.base
    }

    /// How many mutations the server has not settled.
    pub(crate) fn pending(&self) -> u64 {
        self.last_id - self.settled_id
    }
}

/// A column's bytes, even where a damaged file has text that is no UTF-8.
pub(crate) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(column)?.as_bytes()?)
}

fn currency(text: &str) -> Result<Currency, Error> {
    text.parse().map_err(|error: carboy_protocol::MoneyError| Error::Damaged(error.to_string()))
}

/// Makes the file `identity`'s, or checks that it is.
fn adopt(writer: &mut Connection, identity: &Identity, random: &dyn Random) -> Result<(), Error> {
    let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match Meta::find(&tx)? {
        Some(meta) if meta.account == identity.account => Ok(()),
        Some(meta) => Err(Error::WrongAccount { found: meta.account, wanted: identity.account }),
        None => {
            let actor = new_actor(random)?;
            tx.execute(
                "INSERT INTO meta (one, plant, account, currency, actor, base, last_id, settled_id, head, cursor)
                 VALUES (1, ?, ?, ?, ?, 0, 0, 0, ?, 0)",
                params![
                    identity.plant.as_bytes(),
                    identity.account.as_bytes(),
                    identity.currency.as_str(),
                    actor.as_bytes(),
                    ChainHash::genesis(actor).0
                ],
            )?;
            Ok(tx.commit()?)
        }
    }
}

/// A fresh actor. Its time part is zero: an actor says nothing about when.
pub(crate) fn new_actor(random: &dyn Random) -> Result<ActorId, Error> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes).map_err(Error::NoRandomness)?;
    Ok(ActorId::from_random(Timestamp(0), bytes))
}
