//! A disk that fails on demand: a SQLite VFS over the platform's own, with a counter, planned faults, a limit and a
//! switch for the power.
//!
//! A phone's store opens on it with `Options::vfs` set to [`Disk::vfs_name`], a server's with [`Disk::uri`] in place of
//! the path, and anything else with `Connection::open_with_flags_and_vfs(path, flags, disk.vfs_name())`. It is made to
//! be cheap enough for hundreds of them in one process: put the files into memory (`/dev/shm`), give each machine a disk
//! of its own, and a power cut costs what was not yet synced. Memory-mapped I/O is off, so that each read is a call.
//!
//! After a power cut, let go of everything that has files open here, and then see what is left:
//!
//! ```
//! # use carboy_sim::disk::{Disk, Fault};
//! # use rusqlite::{Connection, OpenFlags};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("rider.db");
//! let disk = Disk::new()?;
//! let connection = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), disk.vfs_name())?;
//! connection.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE cash (coins INT)")?;
//! disk.fail_at(1, Fault::PowerCut, true);
//! assert!(connection.execute("INSERT INTO cash VALUES (5)", []).is_err());
//! drop(connection);
//! // One seed, one outcome.
//! disk.restart(7)?;
//! let connection = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), disk.vfs_name())?;
//! assert_eq!(connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?, "ok");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod file;
mod log;
mod unsynced;
mod vfs;

pub use cache::Aftermath;
pub use unsynced::{cut_power, kill, without_sync};

use cache::Cache;
use rusqlite::ffi;
use std::ffi::c_int;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room: a write, a truncation or an open that makes a file answers `SQLITE_FULL`, a `-shm` that should grow
    /// `SQLITE_IOERR_SHMSIZE` as on Unix. Everything else passes.
    Full,
    /// The device fails: each operation answers the error that the Unix VFS has for it (`SQLITE_IOERR_WRITE`,
    /// `SQLITE_IOERR_FSYNC`, …; `SQLITE_CANTOPEN` for an open). What a failed sync was to make durable may be lost at a
    /// power cut even if a later one succeeds, as on Linux.
    Io,
    /// As [`Fault::Full`], and a refused write leaves its first half on disk.
    TornFull,
    /// As [`Fault::Io`], and a refused write leaves its first half on disk.
    TornIo,
    /// The power goes while the operation is under way, as by [`Disk::cut_power`].
    PowerCut,
}

/// What SQLite asks of a disk, as far as a fault can strike it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A truncation.
    Truncate,
    /// A sync.
    Sync,
    /// The removal of a file.
    Delete,
    /// An open that makes a file.
    Create,
    /// The open of a file that is there.
    Open,
    /// The growth of a WAL's shared memory (`-shm`).
    ShmGrow,
    /// The mapping of shared memory that is there.
    ShmMap,
    /// Taking a lock in shared memory. Giving it back never fails.
    ShmLock,
    /// Taking a lock on a file. Giving it back never fails.
    Lock,
}

impl Op {
    /// What changes something on disk.
    pub const CHANGES: [Self; 6] =
        [Self::Write, Self::Truncate, Self::Sync, Self::Delete, Self::Create, Self::ShmGrow];

    /// Everything.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::Delete,
        Self::Create,
        Self::Open,
        Self::ShmGrow,
        Self::ShmMap,
        Self::ShmLock,
        Self::Lock,
    ];

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A faulty disk, registered with SQLite as a VFS of its own. Good until told otherwise.
///
/// Dropping it takes its name from SQLite; connections that are open go on. Its few hundred bytes stay allocated until
/// the process ends: a connection keeps a bare pointer to its VFS, and nothing tells when the last one is gone.
#[derive(Debug)]
pub struct Disk {
    name: String,
    control: &'static Control,
}

impl Disk {
    /// Registers a good disk under a name that no other disk of this process has or had.
    ///
    /// # Errors
    /// When SQLite has no VFS to build on, or refuses the registration.
    pub fn new() -> rusqlite::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("carboy-disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let control: &'static Control = Box::leak(Box::default());
        let disk = Self { name, control };
        disk.count(&Op::CHANGES);
        vfs::register(&disk.name, control)?;
        Ok(disk)
    }

    /// The name under which SQLite knows this disk.
    #[must_use]
    pub fn vfs_name(&self) -> &str {
        &self.name
    }

    /// The name of the file at `path` on this disk, for whoever opens SQLite files by a path alone, as the server does.
    #[must_use]
    pub fn uri(&self, path: &Path) -> PathBuf {
        let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        format!("file:{path}?vfs={}", self.name).into()
    }

    /// How many operations were tried since [`Disk::new`], refused ones too.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.control.lock().ops
    }

    /// How many of them this disk refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.control.lock().refused
    }

    /// Says which operations count, and so can fail by plan: [`Op::CHANGES`] at first.
    pub fn count(&self, ops: &[Op]) {
        self.control.lock().counted = ops.iter().fold(0, |bits, op| bits | op.bit());
    }

    /// Plans that the `n`-th operation from now (1: the next) fails, in place of what was planned before.
    ///
    /// `lasting`: from there on each one fails, until [`Disk::heal`]; else the `n`-th alone, and it passes if it is one
    /// that `fault` lets pass.
    pub fn fail_at(&self, n: u64, fault: Fault, lasting: bool) {
        let mut state = self.control.lock();
        state.plan = Some(Plan { at: state.ops.saturating_add(n), fault, lasting });
    }

    /// Leaves room for `bytes` more, or without limit.
    ///
    /// What would make a file grow beyond that is refused whole, as by [`Fault::Full`]. Overwriting in place is not;
    /// truncation and deletion give room back. Only what is done through this disk is reckoned.
    pub fn limit(&self, bytes: Option<u64>) {
        self.control.lock().room = bytes;
    }

    /// The room left, in bytes; none without a limit.
    #[must_use]
    pub fn room(&self) -> Option<u64> {
        self.control.lock().room
    }

    /// Makes the disk good again: no fault is planned, and nothing is limited. Does not bring the power back.
    pub fn heal(&self) {
        let mut state = self.control.lock();
        state.plan = None;
        state.room = None;
    }

    /// Cuts the power: from here on each operation fails and changes nothing, whether it counts or not, until
    /// [`Disk::restart`].
    ///
    /// What the process does to files in other ways still happens.
    pub fn cut_power(&self) {
        self.control.lock().is_off = true;
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.control.lock().is_off
    }

    /// Brings the power back, or cuts it and brings it back, and heals the disk. `seed` draws what has become of
    /// everything that was not synced: each write since may be there, or not, or in part, in whatever order they were;
    /// new files may be gone, and removed ones back. Of eight seeds one keeps all, as when only the process was killed.
    ///
    /// A `-shm` stays as it is: whoever opens the database first makes it anew.
    ///
    /// # Errors
    /// While a file of this disk is open; and if the platform's files cannot be written.
    pub fn restart(&self, seed: u64) -> io::Result<Aftermath> {
        let mut state = self.control.lock();
        if state.open > 0 {
            return Err(io::Error::other(format!("{} files are still open on {}", state.open, self.name)));
        }
        (state.is_off, state.plan, state.room) = (false, None, None);
        state.cache.lose(seed)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        vfs::unregister(&self.name);
    }
}

impl Fault {
    /// SQLite's code for `op` failing in this way; none if it passes.
    fn code(self, op: Op) -> Option<c_int> {
        let full = matches!(self, Self::Full | Self::TornFull);
        match op {
            Op::ShmGrow => Some(ffi::SQLITE_IOERR_SHMSIZE),
            Op::Create | Op::Write | Op::Truncate if full => Some(ffi::SQLITE_FULL),
            _ if full => None,
            Op::Read => Some(ffi::SQLITE_IOERR_READ),
            Op::Create | Op::Open => Some(ffi::SQLITE_CANTOPEN),
            Op::Write => Some(ffi::SQLITE_IOERR_WRITE),
            Op::Truncate => Some(ffi::SQLITE_IOERR_TRUNCATE),
            Op::Sync => Some(ffi::SQLITE_IOERR_FSYNC),
            Op::Delete => Some(ffi::SQLITE_IOERR_DELETE),
            Op::ShmMap => Some(ffi::SQLITE_IOERR_SHMMAP),
            Op::ShmLock => Some(ffi::SQLITE_IOERR_SHMLOCK),
            Op::Lock => Some(ffi::SQLITE_IOERR_LOCK),
        }
    }

    /// What happens on disk all the same.
    fn remnant(self) -> Remnant {
        match self {
            Self::Full | Self::Io => Remnant::Nothing,
            Self::TornFull | Self::TornIo => Remnant::Half,
            Self::PowerCut => Remnant::All,
        }
    }
}

/// What happens on disk of an operation that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remnant {
    Nothing,
    /// The first half of a write.
    Half,
    /// All of a write or truncation, not synced.
    All,
}

/// Why an operation must not succeed.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    /// What SQLite gets for an answer.
    code: c_int,
    remnant: Remnant,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    /// The operation's number, counted as [`State::ops`] is.
    at: u64,
    fault: Fault,
    lasting: bool,
}

#[derive(Debug, Default)]
struct State {
    ops: u64,
    refused: u64,
    /// The kinds that count, by their bits.
    counted: u16,
    plan: Option<Plan>,
    room: Option<u64>,
    is_off: bool,
    /// Files that are open.
    open: u64,
    cache: Cache,
}

impl State {
    /// The fault that strikes the operation just counted.
    fn due(&mut self) -> Option<Fault> {
        let plan = self.plan.filter(|plan| plan.at <= self.ops)?;
        if !plan.lasting {
            self.plan = None;
        }
        Some(plan.fault)
    }

    /// What strikes an operation that would make its file longer by `grows` bytes.
    fn struck(&mut self, op: Op, grows: u64) -> Option<Refusal> {
        let refuse = |fault: Fault| Some(Refusal { code: fault.code(op)?, remnant: fault.remnant() });
        if self.is_off {
            return refuse(Fault::Io);
        }
        if self.counted & op.bit() != 0 {
            self.ops += 1;
            if let Some(fault) = self.due() {
                self.is_off = fault == Fault::PowerCut;
                if let Some(refusal) = refuse(fault) {
                    return Some(refusal);
                }
            }
        }
        let is_full = self.room.is_some_and(|room| room < grows);
        refuse(Fault::Full).filter(|_| is_full)
    }
}

/// What the test and SQLite's threads share of a disk.
#[derive(Debug, Default)]
struct Control(Mutex<State>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Decides over each operation before it happens; `grows` is by how many bytes it would make `file` longer.
    ///
    /// # Errors
    /// When it must not succeed.
    fn allow(&self, op: Op, file: &str, grows: u64) -> Result<(), Refusal> {
        let mut state = self.lock();
        let Some(refusal) = state.struck(op, grows) else { return Ok(()) };
        state.refused += 1;
        tracing::debug!(?op, number = state.ops, file, grows, code = refusal.code, "operation refused");
        Err(refusal)
    }

    /// Reckons with a file that has gone from one size to another, in bytes.
    ///
    /// Measured and not derived, because an operation that fails below has done anything between nothing and all.
    fn resized(&self, before: u64, after: u64) {
        let mut state = self.lock();
        state.room = state.room.map(|room| room.saturating_add(before).saturating_sub(after));
    }
}
