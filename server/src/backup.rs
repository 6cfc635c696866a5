//! A copy of a running plant's SQLite database, and a plant made of such a copy.
//!
//! A copy is one moment's state: writers go on beside it. It gets its name only once it is whole, checked and on
//! the disk. A plant made of it is behind what phones hold: they are asked for what it lacks and read its feed anew.

use crate::env::SystemRandom;
use crate::store::{Location, Store};
use crate::{Error, secret};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The database's name in its folder.
pub const DATABASE: &str = "carboy.db";

/// How long a step waits for a lock before it is tried again.
const BUSY: Duration = Duration::from_secs(5);

/// Why a copy was not made, or no plant of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Something stands where the result would go; it is left alone.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// There is nothing to copy.
    #[error("no plant in {}: {error}", .path.display())]
    NoPlant {
        /// Where it should be.
        path: PathBuf,
        /// What opening it said.
        error: rusqlite::Error,
    },
    /// The file is not a whole database of a plant.
    #[error("{} is damaged or no backup of a plant: {detail}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The database failed, or is of a newer version.
    #[error(transparent)]
    Store(#[from] Error),
    /// A file cannot be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Copies the database in the folder `data`, which may be in use, to the new file `target`.
///
/// # Errors
/// If `target` exists, there is no database, or the copy is not whole.
pub fn backup(data: &Path, target: &Path) -> Result<(), BackupError> {
    let source = data.join(DATABASE);
    let copy = beside(target)?;
    let no_plant = |error| BackupError::NoPlant { path: source.clone(), error };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(&source, flags).map_err(no_plant)?;
    copy_to(&from, copy.path()).map_err(no_plant)?;
    check(copy.path(), target)?;
    keep(copy, target)
}

/// Makes a plant of `file` in the folder `data`, which must not hold one.
///
/// # Errors
/// If there is a plant, or `file` is damaged, no backup, or of a newer version than this program.
pub fn restore(file: &Path, data: &Path) -> Result<(), BackupError> {
    let target = data.join(DATABASE);
    std::fs::create_dir_all(data).map_err(|error| failed(data, error))?;
    let copy = beside(&target)?;
    // Byte for byte: opening the backup itself could write to it.
    std::fs::copy(file, copy.path()).map_err(|error| failed(file, error))?;
    check(copy.path(), file)?;
    Store::open(&Location::from(copy.path()))?.set_back(random()?)?;
    single_file(copy.path()).map_err(|error| damaged(file, &error))?;
    keep(copy, &target)
}

fn random() -> Result<u32, Error> {
    Ok(u32::from_be_bytes(secret::random_bytes(&SystemRandom)?))
}

/// An unnamed place next to `target`, where nothing may be yet.
fn beside(target: &Path) -> Result<NamedTempFile, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let folder = folder_of(target);
    NamedTempFile::with_prefix_in(".carboy-", folder).map_err(|error| failed(folder, error))
}

/// One step takes one snapshot, beside which writers go on. In several steps, each write by another connection
/// would start the copy over, and under load it would never end.
fn copy_to(from: &Connection, path: &Path) -> rusqlite::Result<()> {
    from.busy_timeout(BUSY)?;
    let mut to = Connection::open(path)?;
    let backup = Backup::new(from, &mut to)?;
    while backup.step(-1)? != StepResult::Done {}
    drop(backup);
    drop(to);
    single_file(path)
}

/// Leaves nothing of the database beside its file.
fn single_file(path: &Path) -> rusqlite::Result<()> {
    Connection::open(path)?.pragma_update(None, "journal_mode", "delete")
}

/// Whether the database at `path` is whole and a plant's; `named` is what the error calls it.
fn check(path: &Path, named: &Path) -> Result<(), BackupError> {
    let conn = Connection::open(path).map_err(|error| damaged(named, &error))?;
    let text = |sql: &str| {
        conn.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(|error| damaged(named, &error))
    };
    let found = text("PRAGMA integrity_check")?;
    if found != "ok" {
        return Err(damaged(named, &found));
    }
    text("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'plants'").map(drop)
}

/// Flushes `copy` and gives it its name, unless somebody else was quicker.
fn keep(copy: NamedTempFile, target: &Path) -> Result<(), BackupError> {
    copy.as_file().sync_all().map_err(|error| failed(target, error))?;
    copy.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => failed(target, error.error),
    })?;
    // The name is only safe once the folder is.
    let folder = folder_of(target);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, error: io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), error }
}

fn damaged(path: &Path, detail: &dyn std::fmt::Display) -> BackupError {
    BackupError::Damaged { path: path.to_owned(), detail: detail.to_string() }
}
