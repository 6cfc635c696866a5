//! A disk that fails on demand: a SQLite VFS over the platform's own, with a counter, planned faults and a limit.
//!
//! Open a file on it with `Connection::open_with_flags_and_vfs(path, flags, disk.vfs_name())`. What counts as an
//! **operation** changes something on disk: a write, a truncation, a sync, a deletion, an open that makes a file, and
//! the growth of a WAL's shared memory (`-shm`). Memory-mapped I/O is off, so that each read is a call too.

mod file;
mod unsynced;
mod vfs;

pub use unsynced::{cut_power, without_sync};

use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room: a write, a truncation or an open that makes a file answers `SQLITE_FULL`, a `-shm` that should grow
    /// `SQLITE_IOERR_SHMSIZE` as on Unix. A sync, a deletion or a read passes.
    Full,
    /// The device fails: each operation answers the error that the Unix VFS has for it (`SQLITE_IOERR_WRITE`,
    /// `SQLITE_IOERR_FSYNC`, …; `SQLITE_CANTOPEN` for an open).
    Io,
    /// As [`Fault::Full`], and a refused write leaves its first half on disk.
    TornFull,
    /// As [`Fault::Io`], and a refused write leaves its first half on disk.
    TornIo,
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
        vfs::register(&name, control)?;
        Ok(Self { name, control })
    }

    /// The name under which SQLite knows this disk.
    #[must_use]
    pub fn vfs_name(&self) -> &str {
        &self.name
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

    /// Whether reads count as operations too, and so can fail by [`Fault::Io`]. They do not at first.
    pub fn count_reads(&self, yes: bool) {
        self.control.lock().reads = yes;
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

    /// Makes the disk good again: no fault is planned, and nothing is limited.
    pub fn heal(&self) {
        let mut state = self.control.lock();
        state.plan = None;
        state.room = None;
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        vfs::unregister(&self.name);
    }
}

/// What SQLite asks of a disk, as far as a fault can strike it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Read,
    /// An open that makes a file.
    Open,
    Write,
    Truncate,
    Sync,
    Delete,
    /// A WAL's shared memory grows.
    ShmGrow,
}

impl Fault {
    /// SQLite's code for `op` failing in this way; none if it passes.
    fn code(self, op: Op) -> Option<c_int> {
        let full = matches!(self, Self::Full | Self::TornFull);
        match op {
            Op::ShmGrow => Some(ffi::SQLITE_IOERR_SHMSIZE),
            Op::Open | Op::Write | Op::Truncate if full => Some(ffi::SQLITE_FULL),
            Op::Read | Op::Sync | Op::Delete if full => None,
            Op::Read => Some(ffi::SQLITE_IOERR_READ),
            Op::Open => Some(ffi::SQLITE_CANTOPEN),
            Op::Write => Some(ffi::SQLITE_IOERR_WRITE),
            Op::Truncate => Some(ffi::SQLITE_IOERR_TRUNCATE),
            Op::Sync => Some(ffi::SQLITE_IOERR_FSYNC),
            Op::Delete => Some(ffi::SQLITE_IOERR_DELETE),
        }
    }

    fn is_torn(self) -> bool {
        matches!(self, Self::TornFull | Self::TornIo)
    }
}

/// Why an operation must not happen.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    /// What SQLite gets for an answer.
    code: c_int,
    /// Whether half of a write happens all the same.
    torn: bool,
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
    reads: bool,
    plan: Option<Plan>,
    room: Option<u64>,
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
}

/// What the test and SQLite's threads share of a disk.
#[derive(Debug, Default)]
struct Control(Mutex<State>);

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides over each operation before it happens; `grows` is by how many bytes it would make `file` longer.
    ///
    /// # Errors
    /// When it must not happen.
    fn allow(&self, op: Op, file: &str, grows: u64) -> Result<(), Refusal> {
        let mut state = self.lock();
        if op == Op::Read && !state.reads {
            return Ok(());
        }
        state.ops += 1;
        let refuse = |fault: Fault| Some(Refusal { code: fault.code(op)?, torn: fault.is_torn() });
        let struck = state.due().and_then(refuse);
        let full = state.room.is_some_and(|room| room < grows);
        let Some(refusal) = struck.or_else(|| refuse(Fault::Full).filter(|_| full)) else { return Ok(()) };
        state.refused += 1;
        tracing::debug!(op = ?op, number = state.ops, file, grows, code = refusal.code, "operation refused");
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
