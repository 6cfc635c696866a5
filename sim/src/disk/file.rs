//! The files of a [`super::Disk`]: their methods ask the disk first, and then the platform's file to do the work.
//!
//! SQLite's contract, on which each safety comment below rests: a method gets a file that [`place`] has made and that is
//! not yet closed, and the other arguments are valid for that method; so they are for the file below.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use super::cache::SECTOR;
use super::{Control, Op, Refusal, Remnant};

/// An open file, in memory that SQLite gives. The file of the VFS below lies right behind it.
#[repr(C)]
struct File {
    /// Comes first: SQLite's pointer to it is one to the whole.
    head: sqlite3_file,
    control: &'static Control,
    /// Null for a temporary file. Else SQLite keeps it until the file is closed.
    name: *const c_char,
    deleted_on_close: bool,
    /// A WAL or a rollback journal: SQLite syncs the folder of a new one with it.
    is_journal: bool,
}

/// How many bytes of a file come before those of the VFS below.
pub(super) const HEAD: usize = size_of::<File>();

/// Makes `file` one of `control`'s disk, on the open file of the VFS below.
///
/// # Safety
/// `file` has room for [`HEAD`] aligned bytes, and behind them lies an open file. `name` is null, or stays until the
/// file is closed.
pub(super) unsafe fn place(
    file: *mut sqlite3_file,
    control: &'static Control,
    name: *const c_char,
    flags: c_int,
) {
    let head = sqlite3_file { pMethods: &METHODS };
    let deleted_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let is_journal = flags & journals != 0;
    control.lock().open += 1;
    // SAFETY: as this function asks.
    unsafe { file.cast::<File>().write(File { head, control, name, deleted_on_close, is_journal }) };
}

/// The size of the file at `path`, in bytes; none where there is no file.
///
/// By its name: to open and close a file would drop the process's POSIX locks on it.
pub(super) fn size_at(path: &str) -> Option<u64> {
    Path::new(path).metadata().ok().map(|found| found.len())
}

/// A name that SQLite gives; empty for a temporary file.
///
/// # Safety
/// `name` is null or a string that outlives the answer's use.
pub(super) unsafe fn text<'a>(name: *const c_char) -> Cow<'a, str> {
    if name.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: as this function asks.
    unsafe { CStr::from_ptr(name) }.to_string_lossy()
}

/// The file of the VFS below.
pub(super) fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    file.cast::<File>().wrapping_add(1).cast()
}

/// Calls a method of the file below, or answers an error where it has none.
macro_rules! call {
    ($file:expr, $method:ident $(, $arg:expr)*) => {{
        let below = below($file);
        // SAFETY: SQLite's contract.
        match unsafe { (*(*below).pMethods).$method } {
            // SAFETY: SQLite's contract.
            Some(method) => unsafe { method(below $(, $arg)*) },
            None => ffi::SQLITE_IOERR,
        }
    }};
}

/// Methods of a file that are those of the file below.
macro_rules! pass_file {
    ($($name:ident = $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $arg: $type)*) -> c_int {
            call!(file, $method $(, $arg)*)
        }
    )*};
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Version 3 adds memory-mapped pages, which would be read and written past this disk.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

pass_file! {
    file_size = xFileSize(out: *mut sqlite3_int64);
    unlock = xUnlock(level: c_int);
    check_reserved_lock = xCheckReservedLock(out: *mut c_int);
    sector_size = xSectorSize();
    device_characteristics = xDeviceCharacteristics();
}

/// What [`place`] has made of `file`, and its name.
///
/// # Safety
/// As SQLite's contract says.
unsafe fn own<'a>(file: *mut sqlite3_file) -> (&'a File, Cow<'a, str>) {
    // SAFETY: `place` has written it, and nothing changes it until it is closed.
    let own = unsafe { &*file.cast::<File>() };
    // SAFETY: SQLite keeps the name until the file is closed.
    (own, unsafe { text(own.name) })
}

/// The file's size in bytes; 0 if the VFS below cannot tell.
///
/// # Safety
/// As SQLite's contract says.
unsafe fn size(file: *mut sqlite3_file) -> u64 {
    let mut size = 0;
    match call!(file, xFileSize, &raw mut size) {
        ffi::SQLITE_OK => u64::try_from(size).unwrap_or(0),
        _ => 0,
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's contract.
    let (File { control, deleted_on_close, .. }, _) = unsafe { own(file) };
    // SAFETY: SQLite's contract.
    let gone = if *deleted_on_close { unsafe { size(file) } } else { 0 };
    let code = call!(file, xClose);
    control.resized(gone, 0);
    control.lock().open -= 1;
    code
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    match own.control.allow(Op::Read, &path, 0) {
        Ok(()) => call!(file, xRead, to, len, offset),
        Err(refusal) => refusal.code,
    }
}

/// The bytes of the sectors around `from..to`, with zeros behind the file's end.
///
/// # Safety
/// As SQLite's contract says.
unsafe fn sectors(file: *mut sqlite3_file, from: u64, to: u64) -> Vec<u8> {
    let start = from / SECTOR * SECTOR;
    let mut bytes = vec![0; usize::try_from(to.next_multiple_of(SECTOR).saturating_sub(start)).unwrap_or(0)];
    // A million bytes at a time: SQLite counts them by an int.
    for (chunk, offset) in bytes.chunks_mut(1 << 20).zip((start..).step_by(1 << 20)) {
        let len = c_int::try_from(chunk.len()).unwrap_or(c_int::MAX);
        call!(file, xRead, chunk.as_mut_ptr().cast(), len, offset.cast_signed());
    }
    bytes
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    len: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path, before) = unsafe {
        let (own, path) = own(file);
        (own, path, size(file))
    };
    let start = offset.cast_unsigned();
    let grows = (start + u64::from(len.cast_unsigned())).saturating_sub(before);
    let (len, refused) = match own.control.allow(Op::Write, &path, grows) {
        Ok(()) => (len, None),
        Err(Refusal { code, remnant: Remnant::Nothing }) => return code,
        Err(Refusal { code, remnant: Remnant::Half }) => (len / 2, Some(code)),
        Err(Refusal { code, remnant: Remnant::All }) => (len, Some(code)),
    };
    // SAFETY: SQLite's contract: so many bytes are there.
    let new = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len.cast_unsigned() as usize) };
    // SAFETY: SQLite's contract.
    let old = unsafe { sectors(file, start, start + new.len() as u64) };
    let code = call!(file, xWrite, from, len, offset);
    if !path.is_empty() && code == ffi::SQLITE_OK {
        own.control.lock().cache.wrote(&path, before, &old, start, new);
    }
    // SAFETY: SQLite's contract.
    own.control.resized(before, unsafe { size(file) });
    refused.unwrap_or(code)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, to: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path, before) = unsafe {
        let (own, path) = own(file);
        (own, path, size(file))
    };
    let end = to.cast_unsigned();
    let refused = match own.control.allow(Op::Truncate, &path, end.saturating_sub(before)) {
        Ok(()) => None,
        Err(Refusal { code, remnant: Remnant::All }) => Some(code),
        Err(refusal) => return refusal.code,
    };
    // SAFETY: SQLite's contract.
    let old = unsafe { sectors(file, end, before) };
    let code = call!(file, xTruncate, to);
    if !path.is_empty() && code == ffi::SQLITE_OK {
        own.control.lock().cache.resized(&path, before, &old, end);
    }
    // SAFETY: SQLite's contract.
    own.control.resized(before, unsafe { size(file) });
    refused.unwrap_or(code)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    if let Err(refusal) = own.control.allow(Op::Sync, &path, 0) {
        let mut state = own.control.lock();
        // Whatever was under way when the power went may have arrived.
        if !state.is_off {
            state.cache.sync_failed(&path);
        }
        return refusal.code;
    }
    let code = call!(file, xSync, flags);
    if code == ffi::SQLITE_OK {
        own.control.lock().cache.synced(&path, own.is_journal);
    }
    code
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    match own.control.allow(Op::Lock, &path, 0) {
        Ok(()) => call!(file, xLock, level),
        Err(refusal) => refusal.code,
    }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    match op {
        // Hints, on which the VFS below would let a file grow past this disk.
        ffi::SQLITE_FCNTL_SIZE_HINT | ffi::SQLITE_FCNTL_CHUNK_SIZE => ffi::SQLITE_NOTFOUND,
        _ => call!(file, xFileControl, op, arg),
    }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    region_size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    let shm = format!("{path}-shm");
    let before = size_at(&shm).unwrap_or(0);
    let end = u64::try_from((i64::from(region) + 1) * i64::from(region_size)).unwrap_or(0);
    let grows = end.saturating_sub(before);
    let (op, grows) = if extend != 0 && grows > 0 { (Op::ShmGrow, grows) } else { (Op::ShmMap, 0) };
    if let Err(refusal) = own.control.allow(op, &shm, grows) {
        return refusal.code;
    }
    let code = call!(file, xShmMap, region, region_size, extend, out);
    own.control.resized(before, size_at(&shm).unwrap_or(0));
    code
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    if flags & ffi::SQLITE_SHM_LOCK != 0
        && let Err(refusal) = own.control.allow(Op::ShmLock, &path, 0)
    {
        return refusal.code;
    }
    call!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    let below = below(file);
    // SAFETY: SQLite's contract.
    if let Some(barrier) = unsafe { (*(*below).pMethods).xShmBarrier } {
        // SAFETY: SQLite's contract.
        unsafe { barrier(below) };
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    let (own, path) = unsafe { own(file) };
    let shm = format!("{path}-shm");
    let before = size_at(&shm).unwrap_or(0);
    let code = call!(file, xShmUnmap, delete);
    own.control.resized(before, size_at(&shm).unwrap_or(0));
    code
}
