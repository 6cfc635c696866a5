//! The VFS behind a [`super::Disk`]: its methods ask the disk first, and then the platform's own VFS to do the work.
//!
//! SQLite's contract, on which each safety comment below rests: a method gets the `sqlite3_vfs` that was registered,
//! and the other arguments are valid for that method; so they are for the VFS below.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::{fs, ptr};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_vfs};

use super::file::{self, size_at, text};
use super::{Control, Op};

/// A disk as SQLite holds it. Never freed.
#[repr(C)]
struct Vfs {
    /// Comes first: SQLite's pointer to it is one to the whole.
    head: sqlite3_vfs,
    below: *mut sqlite3_vfs,
    control: &'static Control,
}

type DlSymbol = Option<unsafe extern "C" fn(*mut sqlite3_vfs, *mut c_void, *const c_char)>;

/// Makes SQLite know `control`'s disk as `name`.
pub(super) fn register(name: &str, control: &'static Control) -> rusqlite::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: asks for the default VFS, which is there for as long as the process.
    let below = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: null, or a registered VFS.
    let Some(platform) = (unsafe { below.as_ref() }) else { return Err(failed(ffi::SQLITE_NOTFOUND)) };
    let own = c_int::try_from(file::HEAD).map_err(|_| failed(ffi::SQLITE_TOOBIG))?;
    let head = sqlite3_vfs {
        iVersion: 2,
        szOsFile: own + platform.szOsFile,
        mxPathname: platform.mxPathname,
        pNext: ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: Some(dl_open),
        xDlError: Some(dl_error),
        xDlSym: Some(dl_sym),
        xDlClose: Some(dl_close),
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    let vfs = Box::into_raw(Box::new(Vfs { head, below, control }));
    // SAFETY: `vfs` and its name are never freed.
    match unsafe { ffi::sqlite3_vfs_register(vfs.cast(), 0) } {
        ffi::SQLITE_OK => Ok(()),
        code => Err(failed(code)),
    }
}

/// Makes SQLite forget `name`. Its connections keep their pointers to what [`register`] has made.
pub(super) fn unregister(name: &str) {
    let Ok(name) = CString::new(name) else { return };
    // SAFETY: null, which does nothing, or what was registered.
    unsafe { ffi::sqlite3_vfs_unregister(ffi::sqlite3_vfs_find(name.as_ptr())) };
}

fn failed(code: c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("cannot register a faulty disk".to_owned()))
}

/// Methods of the VFS that are those of the VFS below, or give `$none` where it has none.
macro_rules! pass_vfs {
    ($($name:ident = $method:ident($($arg:ident: $type:ty),*) -> $result:ty, $none:expr;)*) => {$(
        unsafe extern "C" fn $name(vfs: *mut sqlite3_vfs $(, $arg: $type)*) -> $result {
            // SAFETY: SQLite's contract.
            let below = unsafe { (*vfs.cast::<Vfs>()).below };
            // SAFETY: `register` has found it, and it stays.
            match unsafe { (*below).$method } {
                // SAFETY: SQLite's contract.
                Some(method) => unsafe { method(below $(, $arg)*) },
                None => $none,
            }
        }
    )*};
}

pass_vfs! {
    open_below = xOpen(name: *const c_char, file: *mut sqlite3_file, flags: c_int, out: *mut c_int) -> c_int,
        ffi::SQLITE_CANTOPEN;
    delete_below = xDelete(name: *const c_char, sync: c_int) -> c_int, ffi::SQLITE_IOERR;
    access = xAccess(name: *const c_char, flags: c_int, out: *mut c_int) -> c_int, ffi::SQLITE_IOERR;
    full_pathname = xFullPathname(name: *const c_char, len: c_int, out: *mut c_char) -> c_int, ffi::SQLITE_IOERR;
    dl_open = xDlOpen(name: *const c_char) -> *mut c_void, ptr::null_mut();
    dl_error = xDlError(len: c_int, out: *mut c_char) -> (), ();
    dl_sym = xDlSym(library: *mut c_void, symbol: *const c_char) -> DlSymbol, None;
    dl_close = xDlClose(library: *mut c_void) -> (), ();
    randomness = xRandomness(len: c_int, out: *mut c_char) -> c_int, ffi::SQLITE_ERROR;
    sleep = xSleep(micros: c_int) -> c_int, ffi::SQLITE_ERROR;
    current_time = xCurrentTime(out: *mut f64) -> c_int, ffi::SQLITE_ERROR;
    last_error = xGetLastError(len: c_int, out: *mut c_char) -> c_int, ffi::SQLITE_OK;
    current_time_ms = xCurrentTimeInt64(out: *mut sqlite3_int64) -> c_int, ffi::SQLITE_ERROR;
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's contract; a file without methods is one that SQLite does not close.
    let (control, path) = unsafe {
        (*file).pMethods = ptr::null();
        ((*vfs.cast::<Vfs>()).control, text(name))
    };
    let is_new = flags & ffi::SQLITE_OPEN_CREATE != 0 && size_at(&path).is_none();
    if let Err(refusal) = control.allow(if is_new { Op::Create } else { Op::Open }, &path, 0) {
        return refusal.code;
    }
    // SAFETY: SQLite's contract; behind the head are as many bytes as the VFS below asks for.
    let code = unsafe { open_below(vfs, name, file::below(file), flags, out) };
    if code == ffi::SQLITE_OK {
        // SAFETY: SQLite gives `szOsFile` aligned bytes, and keeps the name until the file is closed.
        unsafe { file::place(file, control, name, flags) };
        if is_new && !path.is_empty() {
            control.lock().cache.created(&path);
        }
    }
    code
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    let (control, path) = unsafe { ((*vfs.cast::<Vfs>()).control, text(name)) };
    if let Err(refusal) = control.allow(Op::Delete, &path, 0) {
        return refusal.code;
    }
    // A journal, on which nobody has a lock that closing it here would drop.
    let content = fs::read(&*path).unwrap_or_default();
    let before = size_at(&path).unwrap_or(0);
    // SAFETY: SQLite's contract.
    let code = unsafe { delete_below(vfs, name, sync) };
    if code == ffi::SQLITE_OK {
        control.lock().cache.removed(&path, content, sync != 0);
    }
    control.resized(before, size_at(&path).unwrap_or(0));
    code
}
