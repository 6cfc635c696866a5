//! The SQLite file: how it is opened, and its one writer and one reader.
//!
//! All writes go through one connection behind a mutex, so that there are never two writers; reads use a second
//! connection and, thanks to WAL, wait for no write. Nothing calls out of this crate while a lock is held.

pub(crate) mod feed;
pub(crate) mod key;
mod lifting;
pub(crate) mod meta;
pub(crate) mod outbox;
pub(crate) mod overlay;
pub(crate) mod photos;
mod reserve;
pub(crate) mod salvage;
mod schema;
pub(crate) mod settle;
mod tx;

pub(crate) use meta::Meta;
pub(crate) use tx::Tx;

use crate::{Error, Identity, Random};
use carboy_protocol::{ActorId, Timestamp};
use key::StoreKey;
use reserve::{Reserve, Room, Use};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The oldest SQLite without the WAL-reset bug, as `sqlite3_libversion_number` counts.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another one's lock. Only a second process can hold one this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages in the WAL before a checkpoint: 4,000 pages are 16 MB, about a thousand actions. The default of 1,000
/// makes one action in 250 pay for a checkpoint, which shows in the slowest percent.
const WAL_PAGES: u32 = 4_000;

/// Where the file is, and how it is read.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The name of a registered SQLite VFS, for a file system other than the platform's.
    pub(crate) vfs: Option<CString>,
    pub(crate) key: Option<StoreKey>,
}

pub(crate) struct Store {
    place: Place,
    writer: Mutex<Option<Connection>>,
    reader: Mutex<Option<Connection>>,
    /// While set, a connection is open only as long as somebody works with it.
    is_paused: AtomicBool,
    /// Once set, nothing opens the file any more.
    is_closed: AtomicBool,
    reserve: Reserve,
}

impl Place {
    pub(crate) fn new(path: PathBuf, vfs: Option<&str>, key: Option<StoreKey>) -> Result<Self, Error> {
        let vfs = vfs.map(CString::new).transpose();
        let vfs = vfs.map_err(|error| Error::Store(format!("name of the VFS: {error}")))?;
        Ok(Self { path, vfs, key })
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, Error> {
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_c_str())?,
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        // Before anything else: the statements below can meet another process's lock already.
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // The WAL stays where it is: its room on the disk is part of the reserve, closing takes no time, and a file
        // that cannot be read is left as it is.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        if let Some(key) = &self.key {
            key.unlock(&connection)?;
        }
        connection.set_prepared_statement_cache_capacity(96);
        // Otherwise SQLite plans a query beside a partial index anew for each value that is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    }

    pub(crate) fn writer(&self) -> Result<Connection, Error> {
        let writer = self.connect(OpenFlags::default())?;
        // Only a new file takes this, and an older one would be written to for nothing: lets the reserve make it
        // shorter again.
        if writer.pragma_query_value(None, "page_count", |row| row.get::<_, u32>(0))? == 0 {
            writer.pragma_update(None, "auto_vacuum", "incremental")?;
        }
        writer.pragma_update(None, "journal_mode", "wal")?;
        // FULL: with NORMAL a power cut may take the last transactions, and those are somebody's cash.
        writer.pragma_update(None, "synchronous", "full")?;
        #[cfg(feature = "planted")]
        if carboy_protocol::planted::is(carboy_protocol::planted::Bug::SynchronousOff) {
            writer.pragma_update(None, "synchronous", "off")?;
        }
        // On Apple systems fsync does not reach the platter; elsewhere these do nothing.
        writer.pragma_update(None, "fullfsync", true)?;
        writer.pragma_update(None, "checkpoint_fullfsync", true)?;
        writer.pragma_update(None, "foreign_keys", true)?;
        writer.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        Ok(writer)
    }

    pub(crate) fn reader(&self) -> Result<Connection, Error> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }
}

/// Whether the file's permissions keep it from being written; not so where there is no file.
fn is_write_protected(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.permissions().readonly())
}

impl Store {
    pub(crate) fn open(place: Place, identity: &Identity, random: &dyn Random) -> Result<Self, Error> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::OldSqlite { found: rusqlite::version() });
        }
        let mut writer = place.writer()?;
        // So SQLite takes a file whose header names a version to come; one that may not be written opens like that too.
        if writer.is_readonly("main")? && !is_write_protected(&place.path) {
            return Err(Error::Damaged("the header's version for writing is not known".into()));
        }
        schema::migrate(&mut writer)?;
        meta::adopt(&mut writer, identity, random)?;
        let reserve = Reserve::default();
        reserve.care(&writer);
        let reader = place.reader()?;
        Ok(Self {
            place,
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(Some(reader)),
            is_paused: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            reserve,
        })
    }

    /// Runs `work` in one transaction: all of it is on disk when this returns `Ok`, nothing of it otherwise. It may
    /// run twice: when the disk is full, it is tried again with the room that the file keeps for that.
    pub(crate) fn write<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.write_for(Use::Record, work)
    }

    /// The same for one action of a person's.
    pub(crate) fn write_tap<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.write_for(Use::Tap, work)
    }

    /// The same for settling, which may use the last of that room.
    pub(crate) fn write_settling<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.write_for(Use::Settle, work)
    }

    fn write_for<T>(&self, use_of: Use, work: impl Fn(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = lock(&self.writer);
        let writer = self.opened(&mut slot, Place::writer)?;
        let mut lacking = 0;
        let mut result = self.attempt(writer, use_of, &work, &mut lacking);
        if matches!(result, Err(Error::StorageFull)) {
            reserve::make_room(writer, lacking);
            result = self.attempt(writer, use_of, &work, &mut lacking);
        }
        self.reserve.care(writer);
        self.put_away(&mut slot);
        self.noted(result)
    }

    /// Sets `lacking` to how many pages it would have to take from where it must not.
    fn attempt<T>(
        &self,
        writer: &mut Connection,
        use_of: Use,
        work: &impl Fn(&Tx<'_>) -> Result<T, Error>,
        lacking: &mut u32,
    ) -> Result<T, Error> {
        let looks = self.reserve.must_look(use_of);
        let tx = Tx::writing(writer)?;
        let begin = looks.then(|| self.reserve.at_begin(&tx)).transpose()?;
        let result = work(&tx)?;
        let end = looks.then(|| Room::of(&tx)).transpose()?;
        if let Some((begin, end)) = begin.zip(end) {
            *lacking = begin.lacking(end, use_of);
            if *lacking > 0 {
                return Err(Error::StorageFull);
            }
        }
        if let Err(error) = tx.commit() {
            self.reserve.forget();
            reserve::overwrite(writer);
            return Err(error.into());
        }
        if let Some(end) = end {
            self.reserve.leave(end);
        }
        Ok(result)
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = lock(&self.reader);
        let reader = self.opened(&mut slot, Place::reader)?;
        let result = look(reader, work);
        self.put_away(&mut slot);
        self.noted(result)
    }

    /// Closes the file, so that this process holds no lock on it. Work that comes meanwhile opens it for as long as
    /// it takes.
    pub(crate) fn pause(&self) {
        self.is_paused.store(true, Ordering::SeqCst);
        let mut writer = lock(&self.writer);
        if let Some(writer) = &*writer {
            reserve::rest(writer);
        }
        self.put_away(&mut writer);
        self.put_away(&mut lock(&self.reader));
    }

    /// Keeps the file open from now on.
    pub(crate) fn resume(&self) {
        self.is_paused.store(false, Ordering::SeqCst);
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Closes the file for good: whatever comes later fails with [`Error::SignedOut`].
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.pause();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// How many mutations wait in the closed file.
    pub(crate) fn pending_when_closed(&self) -> Result<u64, Error> {
        let mut reader = self.place.reader()?;
        let tx = Tx::reading(&mut reader)?;
        Ok(Meta::read(&tx)?.pending())
    }

    fn opened<'s>(
        &self,
        slot: &'s mut Option<Connection>,
        open: impl FnOnce(&Place) -> Result<Connection, Error>,
    ) -> Result<&'s mut Connection, Error> {
        if self.is_closed() {
            return Err(Error::SignedOut);
        }
        let connection = match slot.take() {
            Some(connection) => connection,
            None => open(&self.place)?,
        };
        Ok(slot.insert(connection))
    }

    /// A file that proves damaged is looked at as a whole when it is opened again.
    fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if matches!(result, Err(Error::Damaged(_))) {
            salvage::suspect(&self.place.path);
        }
        result
    }

    fn put_away(&self, slot: &mut Option<Connection>) {
        if self.is_paused.load(Ordering::SeqCst) {
            *slot = None;
            self.reserve.forget();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(writer) = &*lock(&self.writer) {
            reserve::rest(writer);
        }
    }
}

fn look<T>(reader: &mut Connection, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    work(&Tx::reading(reader)?)
}

/// A panic while a lock was held rolled its transaction back, so the connection behind it is fit for use.
fn lock(connection: &Mutex<Option<Connection>>) -> MutexGuard<'_, Option<Connection>> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A column's bytes, even where a damaged file has text that is no UTF-8.
pub(crate) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(column)?.as_bytes()?)
}

/// A fresh actor. Its time part is zero: an actor says nothing about when.
pub(crate) fn new_actor(random: &dyn Random) -> Result<ActorId, Error> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes).map_err(Error::NoRandomness)?;
    Ok(ActorId::from_random(Timestamp(0), bytes))
}
