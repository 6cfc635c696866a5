//! The reserve: room inside the file that lets a rider go on recording when the phone's storage is full.
//!
//! It has two parts. Free pages of the database, which exist on the disk already, so that new rows need no new
//! blocks; and the room of the WAL, which is written over from its start after each checkpoint. When a write meets
//! a full disk, a checkpoint moves the WAL into pages that exist, and the write is tried again.
//!
//! All of this rests on one rule: **only [`fill`] makes the database longer.** What is committed beyond the pages
//! that exist cannot be moved out of the WAL on a full disk, and a WAL that cannot be emptied ends the reserve. So
//! any other transaction that would need new pages is undone, and tried again once they exist.

use crate::Error;
use rusqlite::Connection;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes in a page: SQLite's default, which a store never changes. SQLCipher does not tell when asked.
const PAGE: u64 = 4_096;

/// With fewer free pages than this the reserve is filled up. Five actions with long notes take about one page, so
/// these hold 1,000, and 200 deliveries of fifty products each.
const LOW: u32 = 256;

/// So many pages are free after filling up: 2 MiB of the default page size, and as much of the WAL.
const FILLED: u32 = 512;

/// With a shorter WAL than this, in bytes, the reserve is filled up too.
const SHORTEST_WAL: u64 = 2 * 1024 * 1024;

/// So many pages are left for settling, which gives room back: what stands behind a full disk can still be sent.
const FOR_SETTLING: u32 = 64;

/// A transaction that takes more pages than this is no single action: it must leave the reserve to those. The largest
/// action, a delivery of fifty products with all its texts, takes fewer.
const LARGE: u32 = 16;

/// So many writes pass between two looks at the reserve. They take less than what is left when it is low.
const WRITES_BETWEEN_LOOKS: u32 = 8;

/// So many writes pass before filling up is tried again where it failed.
const WRITES_BETWEEN_TRIES: u32 = 64;

/// A WAL shorter than this is not worth the time to start it anew, in pages.
const SHORT_WAL: i64 = 400;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// What a person does.
    Tap,
    /// Anything else.
    Record,
    /// Taking the server's answers.
    Settle,
}

/// How many pages the database has, and how many of them are free.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pages: u32,
    free: u32,
}

impl Room {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
        Ok(Self { pages: number("PRAGMA page_count")?, free: number("PRAGMA freelist_count")? })
    }

    /// None in a damaged file that says of more pages than it has that they are free.
    fn used(self) -> u32 {
        self.pages.saturating_sub(self.free)
    }

    /// How many pages a transaction that began with `self` and would end with `end` needs and must not take: 0 if
    /// it may be committed.
    pub(super) fn lacking(self, end: Self, use_of: Use) -> u32 {
        let taken = end.used().saturating_sub(self.used());
        let is_longer = end.pages > self.pages;
        let left = match use_of {
            _ if taken > LARGE => LOW,
            Use::Tap | Use::Record => FOR_SETTLING,
            Use::Settle => 0,
        };
        if is_longer || (taken > 0 && end.free < left) { taken } else { 0 }
    }
}

/// Looks after the reserve.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    /// How many writes pass before the next look.
    rest: AtomicU32,
    /// As long as nothing else has changed it.
    left: Mutex<Option<Left>>,
}

/// The room that a write has left, and how many taps have passed since without asking. SQLite reads a PRAGMA's text anew
/// each time, so that asking costs a tap as much as reading what the file knows of itself.
#[derive(Debug, Clone, Copy)]
struct Left {
    room: Room,
    taps: u32,
}

impl Left {
    /// Whether one more tap leaves enough, however much each of them has taken.
    fn is_plenty(self) -> bool {
        self.room.free >= FOR_SETTLING + LARGE * (self.taps + 1)
    }
}

impl Reserve {
    /// Whether a write needs to look at the room. A tap does not while there is plenty, and is counted.
    pub(super) fn must_look(&self, use_of: Use) -> bool {
        match &mut *self.left() {
            Some(left) if use_of == Use::Tap && left.is_plenty() => {
                left.taps += 1;
                false
            }
            _ => true,
        }
    }

    /// The room with which a write begins.
    pub(super) fn at_begin(&self, writer: &Connection) -> rusqlite::Result<Room> {
        match self.left().take() {
            Some(Left { room, taps: 0 }) => Ok(room),
            _ => Room::of(writer),
        }
    }

    /// A write has left this room.
    pub(super) fn leave(&self, room: Room) {
        *self.left() = Some(Left { room, taps: 0 });
    }

    /// Something else may have changed it.
    pub(super) fn forget(&self) {
        *self.left() = None;
    }

    fn left(&self) -> MutexGuard<'_, Option<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills the reserve up if it is low. On a full disk this fails and leaves what there is.
    pub(super) fn care(&self, writer: &Connection) {
        let rest = self.rest.load(Ordering::Relaxed);
        if rest > 0 {
            self.rest.store(rest - 1, Ordering::Relaxed);
            return;
        }
        let filled = is_low(writer).and_then(|low| {
            if low {
                self.forget();
                fill(writer, FILLED)
            } else {
                Ok(())
            }
        });
        let rest = match filled {
            Ok(()) => WRITES_BETWEEN_LOOKS,
            Err(error) => {
                tracing::warn!(%error, "the reserve could not be filled up");
                WRITES_BETWEEN_TRIES
            }
        };
        self.rest.store(rest, Ordering::Relaxed);
    }
}

/// Whether the free pages or the WAL's room are fewer than they should be.
fn is_low(writer: &Connection) -> Result<bool, Error> {
    let wal = fs::metadata(format!("{}-wal", writer.path().unwrap_or_default())).map_or(0, |wal| wal.len());
    Ok(Room::of(writer)?.free < LOW || wal < SHORTEST_WAL)
}

/// Makes room for a write that met a full disk, or that lacks so many pages.
pub(super) fn make_room(writer: &Connection, lacking: u32) {
    let made = match lacking {
        0 => checkpoint(writer),
        // Filling up grows the database by at least what is lacking, and leaves the reserve behind it.
        lacking => Room::of(writer)
            .map_err(Error::from)
            .and_then(|room| fill(writer, room.free.saturating_add(lacking).saturating_add(LOW)).map(|()| 0)),
    };
    match made {
        Ok(pages) if lacking == 0 => tracing::warn!(pages, "the storage is full: using the reserve"),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the storage is full and so is the reserve"),
    }
}

/// Sees to it that `wanted` pages are free and exist on the disk: takes so many, the free ones first, and frees them
/// at once; they stay in the file. Writing them makes the WAL long enough too, and the checkpoint puts them on the
/// disk. If that fails, the database becomes as short as before.
fn fill(writer: &Connection, wanted: u32) -> Result<(), Error> {
    // What an earlier one left, if the process died in it; and an empty WAL, so that there is room to undo this.
    writer.execute("DELETE FROM reserve", [])?;
    checkpoint(writer)?;
    let before = Room::of(writer)?;
    let result = take_and_free(writer, PAGE * u64::from(wanted));
    if result.is_err() {
        shorten(writer, before.pages)?;
    }
    result
}

fn take_and_free(writer: &Connection, bytes: u64) -> Result<(), Error> {
    writer.execute("INSERT INTO reserve VALUES (zeroblob(?))", [bytes])?;
    writer.execute("DELETE FROM reserve", [])?;
    checkpoint(writer).map(drop)
}

/// Takes the last pages, all of them free, off the database again.
fn shorten(writer: &Connection, pages: u32) -> Result<(), Error> {
    writer.execute("DELETE FROM reserve", [])?;
    let surplus = Room::of(writer)?.pages.saturating_sub(pages);
    if surplus > 0 {
        let mut vacuum = writer.prepare(&format!("PRAGMA incremental_vacuum({surplus})"))?;
        let mut steps = vacuum.query([])?;
        while steps.next()?.is_some() {}
    }
    checkpoint(writer).map(drop)
}

/// Leaves a short WAL behind, so that the next opening has little to read.
pub(super) fn rest(writer: &Connection) {
    let result = checkpoint(writer).and_then(|pages| {
        // The next write starts the WAL anew; what is behind it then counts no more.
        if pages < SHORT_WAL { Ok(()) } else { Ok(write_something(writer)?) }
    });
    if let Err(error) = result {
        tracing::warn!(%error, "no checkpoint at the end");
    }
}

/// Writes over what a commit that failed has left in the WAL. It may stand there whole where only the flush failed, and
/// whoever read the file next would take for recorded what a person was told is not. On a disk that goes on failing,
/// the next write does it.
pub(super) fn overwrite(writer: &Connection) {
    if let Err(error) = write_something(writer) {
        tracing::warn!(%error, "a commit that failed may come back if the app ends now");
    }
}

/// The least that is written: it takes the place in the WAL where nothing is committed any more.
fn write_something(writer: &Connection) -> rusqlite::Result<()> {
    writer.execute("UPDATE meta SET rests = rests + 1", []).map(drop)
}

/// Moves the whole WAL into the database, so that the next write starts it anew. Returns the pages it had.
fn checkpoint(writer: &Connection) -> Result<i64, Error> {
    let (busy, pages): (bool, i64) =
        writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if busy { Err(Error::Store("another process reads the file".into())) } else { Ok(pages) }
}
