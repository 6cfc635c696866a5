//! The platform's files without waiting for the platter: what a simulator runs on. A sync returns at once; where each
//! write-ahead log is not synced is remembered, so that a power cut can be played; and files can be left as they are,
//! as by a process that is killed.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::ptr;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

type Open =
    unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;
type Write = unsafe extern "C" fn(*mut sqlite3_file, *const c_void, c_int, sqlite3_int64) -> c_int;
type Truncate = unsafe extern "C" fn(*mut sqlite3_file, sqlite3_int64) -> c_int;

thread_local! {
    /// Whether what this thread does to files is refused.
    static IS_DEAD: Cell<bool> = const { Cell::new(false) };
}

/// The platform's own way to open a file.
static OPEN: OnceLock<Open> = OnceLock::new();

/// The methods of a kind of files: as the platform has them, with others for `xSync`, `xWrite` and `xTruncate`. Never
/// freed.
#[repr(C)]
struct Methods {
    /// Comes first: a file's pointer to it is one to the whole.
    own: sqlite3_io_methods,
    write: Write,
    truncate: Truncate,
}

/// The write-ahead logs.
#[derive(Default)]
struct Logs {
    /// Their names, by the address of the open file.
    open: HashMap<usize, String>,
    /// Where the first byte lies that is not synced, by name.
    unsynced: HashMap<String, u64>,
    /// The methods in place of the platform's, by the address of those.
    methods: HashMap<usize, &'static Methods>,
}

fn logs() -> MutexGuard<'static, Logs> {
    static LOGS: OnceLock<Mutex<Logs>> = OnceLock::new();
    LOGS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on every file that this process opens with SQLite's default VFS is not synced.
///
/// To be called before anything is opened; calling it again does nothing.
pub fn without_sync() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: asks for the default VFS, which is there for as long as the process.
        let platform = unsafe { ffi::sqlite3_vfs_find(ptr::null()).as_ref() };
        let Some((platform, open)) = platform.and_then(|vfs| Some((vfs, vfs.xOpen?))) else { return };
        OPEN.get_or_init(|| open);
        // The platform's methods look at its private data, which the copy has too.
        let copy = sqlite3_vfs {
            pNext: ptr::null_mut(),
            zName: c"carboy-unsynced".as_ptr(),
            xOpen: Some(open_unsynced),
            ..*platform
        };
        // SAFETY: the copy is never freed, and its name is static.
        unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(copy)), 1) };
    });
}

/// Lets go of what has files open as the end of a process does: nothing that it would still write is written. For files
/// that were opened after [`without_sync`], by what works in this thread alone.
pub fn kill(process: impl Sized) {
    IS_DEAD.set(true);
    drop(process);
    IS_DEAD.set(false);
}

/// What a power cut leaves of the write-ahead log at `path`, which is not open: nothing from where it was not synced.
///
/// # Errors
/// If it cannot be cut short.
pub fn cut_power(path: &Path) -> std::io::Result<()> {
    let unsynced = logs().unsynced.get(path.to_string_lossy().as_ref()).copied();
    match unsynced {
        Some(from) if path.exists() => {
            let log: File = OpenOptions::new().write(true).open(path)?;
            log.set_len(from.min(log.metadata()?.len()))
        }
        _ => Ok(()),
    }
}

unsafe extern "C" fn open_unsynced(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let Some(open) = OPEN.get() else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite's contract; `vfs` is a copy of the platform's own.
    let code = unsafe { open(vfs, name, file, flags, out) };
    // SAFETY: SQLite gives a file, whose methods are set if it was opened.
    let Some(methods) = (unsafe { (*file).pMethods.as_ref() }) else { return code };
    let Some((write, truncate)) = methods.xWrite.zip(methods.xTruncate) else { return code };
    let mut logs = logs();
    // A database has other methods than a log, which is never locked.
    let own = *logs.methods.entry(ptr::from_ref(methods).addr()).or_insert_with(|| {
        let own = sqlite3_io_methods {
            xSync: Some(no_sync),
            xWrite: Some(noted_write),
            xTruncate: Some(live_truncate),
            ..*methods
        };
        Box::leak(Box::new(Methods { own, write, truncate }))
    });
    // SAFETY: as above; the methods are never freed.
    unsafe { (*file).pMethods = ptr::from_ref(own).cast() };
    if flags & ffi::SQLITE_OPEN_WAL != 0 {
        // SAFETY: SQLite's contract.
        let name = unsafe { super::file::text(name) }.into_owned();
        logs.open.insert(file.addr(), name);
    } else {
        logs.open.remove(&file.addr());
    }
    code
}

unsafe extern "C" fn no_sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    if IS_DEAD.get() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    let mut logs = logs();
    let Logs { open, unsynced, .. } = &mut *logs;
    if let Some(name) = open.get(&file.addr()) {
        unsynced.remove(name);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn noted_write(
    file: *mut sqlite3_file,
    from: *const c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    if IS_DEAD.get() {
        return ffi::SQLITE_IOERR_WRITE;
    }
    {
        let mut logs = logs();
        let Logs { open, unsynced, .. } = &mut *logs;
        if let Some(name) = open.get(&file.addr()) {
            let offset = u64::try_from(offset).unwrap_or(0);
            match unsynced.get_mut(name) {
                Some(first) => *first = offset.min(*first),
                None => drop(unsynced.insert(name.clone(), offset)),
            }
        }
    }
    // SAFETY: SQLite's contract; the methods are what `open_unsynced` has made of them.
    unsafe { ((*(*file).pMethods.cast::<Methods>()).write)(file, from, len, offset) }
}

unsafe extern "C" fn live_truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    if IS_DEAD.get() {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    // SAFETY: SQLite's contract; the methods are what `open_unsynced` has made of them.
    unsafe { ((*(*file).pMethods.cast::<Methods>()).truncate)(file, size) }
}
