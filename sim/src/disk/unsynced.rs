//! The platform's files without waiting for the platter: what a simulator runs on. A sync returns at once; where each
//! write-ahead log is not synced is remembered, so that a power cut can be played; and files can be left as they are,
//! as by a process that is killed. A log lies in memory while it is open: a call of the system for each page took a tenth
//! of a world's time.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock};
use std::{io, ptr, slice};

use super::lock;
use super::log::Log;
use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

type Open =
    unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;
type Write = unsafe extern "C" fn(*mut sqlite3_file, *const c_void, c_int, sqlite3_int64) -> c_int;
type Truncate = unsafe extern "C" fn(*mut sqlite3_file, sqlite3_int64) -> c_int;
type Close = unsafe extern "C" fn(*mut sqlite3_file) -> c_int;

thread_local! {
    /// Whether what this thread does to files is refused.
    static IS_DEAD: Cell<bool> = const { Cell::new(false) };
}

/// The platform's own way to open a file.
static OPEN: OnceLock<Open> = OnceLock::new();

/// The methods of a kind of files, and those of the platform's that they call. Never freed.
#[repr(C)]
struct Methods {
    /// Comes first: a file's pointer to it is one to the whole.
    own: sqlite3_io_methods,
    write: Write,
    truncate: Truncate,
    close: Close,
}

/// The write-ahead logs.
#[derive(Default)]
struct Logs {
    /// By the address of each open file of theirs.
    open: HashMap<usize, Arc<Mutex<Log>>>,
    /// By name.
    named: HashMap<String, Arc<Mutex<Log>>>,
    /// Of those that are not open: where the first byte lies that is not synced, by name.
    unsynced: HashMap<String, u64>,
    /// The methods in place of the platform's, by the address of those, for logs and for other files.
    methods: HashMap<(usize, bool), &'static Methods>,
}

fn logs() -> MutexGuard<'static, Logs> {
    static LOGS: OnceLock<Mutex<Logs>> = OnceLock::new();
    lock(LOGS.get_or_init(Mutex::default))
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
    let Some(own) = logs().methods_for(methods, flags & ffi::SQLITE_OPEN_WAL != 0) else { return code };
    if flags & ffi::SQLITE_OPEN_WAL != 0 {
        // SAFETY: SQLite's contract.
        let name = unsafe { super::file::text(name) }.into_owned();
        if logs().open(file.addr(), name).is_err() {
            // SAFETY: the platform has opened it just now.
            unsafe {
                (own.close)(file);
                (*file).pMethods = ptr::null();
            }
            return ffi::SQLITE_CANTOPEN;
        }
    }
    // SAFETY: as above; the methods are never freed.
    unsafe { (*file).pMethods = ptr::from_ref(own).cast() };
    code
}

impl Logs {
    /// The methods of a file that the platform has opened with these.
    fn methods_for(&mut self, methods: &sqlite3_io_methods, is_log: bool) -> Option<&'static Methods> {
        let key = (ptr::from_ref(methods).addr(), is_log);
        if let Some(own) = self.methods.get(&key) {
            return Some(own);
        }
        let (write, truncate, close) = (methods.xWrite?, methods.xTruncate?, methods.xClose?);
        let own = if is_log {
            sqlite3_io_methods {
                xClose: Some(close_log),
                xRead: Some(read_log),
                xWrite: Some(write_log),
                xTruncate: Some(truncate_log),
                xSync: Some(sync_log),
                xFileSize: Some(size_of_log),
                ..*methods
            }
        } else {
            sqlite3_io_methods {
                xWrite: Some(live_write),
                xTruncate: Some(live_truncate),
                xSync: Some(no_sync),
                ..*methods
            }
        };
        let own: &'static Methods = Box::leak(Box::new(Methods { own, write, truncate, close }));
        self.methods.insert(key, own);
        Some(own)
    }

    /// A connection has opened the log of this name.
    fn open(&mut self, file: usize, name: String) -> io::Result<()> {
        let log = match self.named.get(&name) {
            Some(log) => log.clone(),
            None => {
                let log = Log::open(Path::new(&name), self.unsynced.remove(&name))?;
                self.named.entry(name).or_insert(Arc::new(Mutex::new(log))).clone()
            }
        };
        self.open.insert(file, log);
        Ok(())
    }

    /// A connection closes its file of a log: the last one leaves the log as a file.
    fn close(&mut self, file: usize) -> io::Result<()> {
        let Some(log) = self.open.remove(&file) else { return Ok(()) };
        // One is here, and one by its name.
        if Arc::strong_count(&log) > 2 {
            return Ok(());
        }
        let name = self.named.extract_if(|_, named| Arc::ptr_eq(named, &log)).next();
        let mut log = lock(&log);
        if let Some(((name, _), from)) = name.zip(log.unsynced) {
            self.unsynced.insert(name, from);
        }
        log.close()
    }
}

/// The log that lies behind `file`.
fn log_of(file: *mut sqlite3_file) -> Option<Arc<Mutex<Log>>> {
    logs().open.get(&file.addr()).cloned()
}

/// SQLite's code for what became of a log; `code` if it failed in another way than for lack of room.
fn code_of(result: io::Result<()>, code: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => ffi::SQLITE_FULL,
        Err(_) => code,
    }
}

unsafe extern "C" fn close_log(file: *mut sqlite3_file) -> c_int {
    let closed = logs().close(file.addr());
    // SAFETY: SQLite's contract; the methods are what `open_unsynced` has made of them.
    let code = unsafe { ((*(*file).pMethods.cast::<Methods>()).close)(file) };
    if code == ffi::SQLITE_OK { code_of(closed, ffi::SQLITE_IOERR_CLOSE) } else { code }
}

unsafe extern "C" fn read_log(
    file: *mut sqlite3_file,
    to: *mut c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let Some(log) = log_of(file) else { return ffi::SQLITE_IOERR_READ };
    // SAFETY: SQLite's contract: so many bytes are there.
    let to = unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), len.cast_unsigned() as usize) };
    match lock(&log).read(to, offset.cast_unsigned()) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write_log(
    file: *mut sqlite3_file,
    from: *const c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let Some(log) = log_of(file).filter(|_| !IS_DEAD.get()) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite's contract: so many bytes are there.
    let from = unsafe { slice::from_raw_parts(from.cast::<u8>(), len.cast_unsigned() as usize) };
    code_of(lock(&log).write(from, offset.cast_unsigned()), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate_log(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let Some(log) = log_of(file).filter(|_| !IS_DEAD.get()) else { return ffi::SQLITE_IOERR_TRUNCATE };
    code_of(lock(&log).truncate(size.cast_unsigned()), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync_log(file: *mut sqlite3_file, _: c_int) -> c_int {
    let Some(log) = log_of(file).filter(|_| !IS_DEAD.get()) else { return ffi::SQLITE_IOERR_FSYNC };
    lock(&log).unsynced = None;
    ffi::SQLITE_OK
}

unsafe extern "C" fn size_of_log(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    let Some(log) = log_of(file) else { return ffi::SQLITE_IOERR_FSTAT };
    // SAFETY: SQLite's contract. A log is never so long that it would not fit.
    unsafe { *size = (lock(&log).size() as u64).cast_signed() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn no_sync(_: *mut sqlite3_file, _: c_int) -> c_int {
    if IS_DEAD.get() { ffi::SQLITE_IOERR_FSYNC } else { ffi::SQLITE_OK }
}

unsafe extern "C" fn live_write(
    file: *mut sqlite3_file,
    from: *const c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    if IS_DEAD.get() {
        return ffi::SQLITE_IOERR_WRITE;
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
