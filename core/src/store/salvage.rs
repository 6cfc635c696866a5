//! A damaged file is never deleted: a new store is made beside it, with every unsettled record that can still be
//! read, and only then the damaged file is set aside and the new one takes its name.
//!
//! A crash at any moment loses nothing. Until the new store is whole, the damaged file stands where it was and all
//! begins again; from then on [`finish`] goes on with the renaming.

mod carve;
mod finds;

use super::outbox::{self, Entry};
use super::{Meta, Place, Store, Tx, feed, overlay, photos::Album};
use crate::attention::FILE_ITEM;
use crate::{Error, Identity, Random};
use carboy_protocol::{Action, Mutation, PhotoHash, Timestamp, TxnId};
use finds::{Finds, Item, Saved};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database, behind its name.
pub(crate) const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// No database is shorter than the least page, in bytes.
const SHORTEST: u64 = 512;

/// Opens the store at `place`. A damaged one is set aside, and what can be read of it is carried over into a new one.
pub(crate) fn open(
    place: &Place,
    identity: &Identity,
    random: &dyn Random,
    now: Timestamp,
    album: &Album,
) -> Result<Store, Error> {
    let why = match suspicion(place) {
        Some(why) => why,
        None => match Store::open(place.clone(), identity, random) {
            Err(Error::Damaged(why)) => why,
            other => return other,
        },
    };
    tracing::error!(file = %place.path.display(), %why, "the store is damaged: saving what can be read");
    let finds = Finds::gather(place);
    tracing::warn!(records = finds.records.len(), missing = ?finds.missing, "found in the damaged store");
    let aside = name_aside(&place.path, now);
    build(place, identity, random, album, &finds, &detail(&finds, &aside, &why))?;
    fs::rename(&place.path, &aside)
        .or_else(|error| if place.path.exists() { Err(error) } else { Ok(()) })
        .map_err(Error::from_io)?;
    settle_names(&place.path, &aside)?;
    Store::open(place.clone(), identity, random)
}

/// Goes on where an earlier salvage was interrupted while it gave the files their names. Comes before anything else
/// looks for the file.
pub(crate) fn finish(path: &Path) -> Result<(), Error> {
    if !path.exists() && new_name(path).exists() {
        let aside = last_aside(path).unwrap_or_else(|| name_aside(path, Timestamp(0)));
        return settle_names(path, &aside);
    }
    Ok(())
}

/// Takes note that the file turned out to be damaged while it was in use: the next opening looks at all of it.
pub(super) fn suspect(path: &Path) {
    if let Err(error) = File::create(beside(path, "-suspect")) {
        tracing::error!(%error, "a damaged store could not be marked");
    }
}

/// Why the file cannot be trusted, if so. SQLite itself passes over some of it in silence.
fn suspicion(place: &Place) -> Option<String> {
    let wal = beside(&place.path, "-wal");
    let length = size(&place.path);
    // An empty one is new, if it has no WAL. SQLite would begin it anew and delete the WAL.
    if length < SHORTEST && (length > 0 || size(&wal) > 0) {
        return Some(format!("the database has only {length} bytes"));
    }
    if !carve::has_wal_header(&wal) && finds::has_newer(place) {
        return Some("the WAL's header is damaged".into());
    }
    let marker = beside(&place.path, "-suspect");
    if !marker.exists() {
        return None;
    }
    let found = damage(place);
    if found.is_none() {
        drop(fs::remove_file(marker));
    }
    found
}

/// What is wrong with the file as far as SQLite can tell.
fn damage(place: &Place) -> Option<String> {
    let check = place.old().and_then(|connection| {
        Ok(connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))?)
    });
    match check {
        Ok(sound) if sound == "ok" => None,
        Ok(why) | Err(Error::Damaged(why)) => Some(why),
        // Not for want of a key or the like: opening it says why.
        Err(_) => None,
    }
}

impl Place {
    /// A connection that only reads, and does not look for anything in the file at first.
    fn old(&self) -> Result<Connection, Error> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }
}

/// Makes the new store, under another name until it is whole and on the disk.
fn build(
    place: &Place,
    identity: &Identity,
    random: &dyn Random,
    album: &Album,
    finds: &Finds,
    detail: &str,
) -> Result<(), Error> {
    let part = Place { path: beside(&place.path, "-part"), ..place.clone() };
    for name in ["-part", "-part-wal", "-part-shm", "-new"] {
        remove(&beside(&place.path, name))?;
    }
    let store = Store::open(part.clone(), identity, random)?;
    let copies = copies(album);
    store.write(|tx| carry_over(tx, finds, &copies, detail))?;
    drop(store);
    let connection = part.writer()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(connection);
    for companion in COMPANIONS {
        remove(&beside(&part.path, companion))?;
    }
    fs::rename(&part.path, new_name(&place.path)).map_err(Error::from_io)?;
    sync_folder(&place.path);
    Ok(())
}

/// Gives the files their names once the damaged database has its own: its companions follow, then the new store
/// takes its place.
fn settle_names(path: &Path, aside: &Path) -> Result<(), Error> {
    sync_folder(path);
    for companion in COMPANIONS {
        unless_gone(fs::rename(beside(path, companion), beside(aside, companion)))?;
    }
    sync_folder(path);
    fs::rename(new_name(path), path).map_err(Error::from_io)?;
    remove(&beside(path, "-suspect"))?;
    sync_folder(path);
    Ok(())
}

/// Puts what was found into the new store, whose numbers go on behind the old one's.
fn carry_over(tx: &Tx<'_>, finds: &Finds, copies: &[(PhotoHash, u64)], detail: &str) -> Result<(), Error> {
    let mut meta = Meta::read(tx)?;
    meta.last_id = finds.last_id;
    meta.settled_id = finds.last_id;
    meta.base = finds.last_id;
    meta.parent = finds.parent;
    let mut by_txn = BTreeMap::new();
    for saved in &finds.records {
        carry_record(tx, &mut meta, saved, &mut by_txn)?;
    }
    meta.save(tx)?;
    for item in &finds.attention {
        carry_item(tx, item)?;
    }
    tx.execute(
        "INSERT OR REPLACE INTO attention (id, reason, detail, body) VALUES (?, 'damaged', ?, '')",
        params![FILE_ITEM, detail],
    )?;
    // Photos of records that were settled: the server knows whether it still wants them.
    for (hash, bytes) in copies {
        tx.execute(
            "INSERT INTO photo (record, hash, bytes, state) SELECT 0, ?1, ?2, 1
             WHERE NOT EXISTS (SELECT 1 FROM photo WHERE hash = ?1)",
            params![hash.0, bytes],
        )?;
    }
    Ok(())
}

fn carry_record(
    tx: &Tx<'_>,
    meta: &mut Meta,
    saved: &Saved,
    by_txn: &mut BTreeMap<TxnId, u64>,
) -> Result<(), Error> {
    let Ok(mutation) = serde_json::from_slice::<Mutation>(&saved.body) else {
        return carry_unreadable(tx, meta, &saved.body);
    };
    let undoes = match &mutation.action {
        Action::Withdraw { target, .. } => by_txn.get(target).copied(),
        _ => None,
    };
    let undoes = undoes.map(|id| outbox::recorded(tx, id)).transpose()?.flatten();
    let whom = mutation.action.customer().or(saved.customer);
    let customer = whom.map(|whom| feed::customer_row(tx, whom)).transpose()?;
    let amount = match (&undoes, saved.amount) {
        (_, Some(amount)) => amount,
        (Some(target), None) => target.amount.saturating_neg(),
        (None, None) => mutation.action.ledger_amount().ok().flatten().map_or(0, |money| money.minor),
    };
    let entry = Entry { mutation: &mutation, customer, amount, undoes, before: None };
    outbox::append_bytes(tx, meta, &entry, &saved.body, saved.before.as_deref())?;
    overlay::lay(tx, meta, &entry)?;
    if let Action::ConfirmDelivery { photos, .. } = &mutation.action {
        super::photos::attach(tx, meta.last_id, photos)?;
    }
    by_txn.insert(mutation.txn, meta.last_id);
    Ok(())
}

/// It shows nothing; the server settles it.
fn carry_unreadable(tx: &Tx<'_>, meta: &mut Meta, body: &[u8]) -> Result<(), Error> {
    meta.last_id += 1;
    meta.head = meta.head.next(meta.seq(meta.last_id), body);
    meta.pending_bytes += body.len() as u64;
    tx.execute(
        "INSERT INTO record (id, amount, profile_update, body, hash) VALUES (?, 0, 0, CAST(? AS TEXT), ?)",
        params![meta.last_id, body, meta.head.0],
    )?;
    Ok(())
}

fn carry_item(tx: &Tx<'_>, item: &Item) -> Result<(), Error> {
    let customer = item.customer.map(|whom| feed::customer_row(tx, whom)).transpose()?;
    tx.execute(
        "INSERT OR IGNORE INTO attention (id, customer, reason, detail, body)
         VALUES (?, ?, ?, ?, CAST(? AS TEXT))",
        params![item.id, customer, item.reason, item.detail, item.body],
    )?;
    Ok(())
}

/// The photos in the album, and their sizes.
fn copies(album: &Album) -> Vec<(PhotoHash, u64)> {
    let entries = fs::read_dir(album.folder()).into_iter().flatten().flatten();
    let copy =
        |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, entry.metadata().ok()?.len()));
    entries.filter_map(copy).collect()
}

/// What the rider and support are told.
fn detail(finds: &Finds, aside: &Path, why: &str) -> String {
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    let missing = match finds.missing {
        Some(missing) => format!("{missing} known to be missing"),
        None => "how many are missing is not known".to_owned(),
    };
    let earlier = finds.attention.iter().find(|item| item.id == FILE_ITEM);
    let earlier = earlier.map_or_else(String::new, |item| format!(" Before that: {}", item.detail));
    format!(
        "{} unsent records saved, {missing}; the damaged file is {name} ({why}).{earlier}",
        finds.records.len()
    )
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn new_name(path: &Path) -> PathBuf {
    beside(path, "-new")
}

/// A name that no damaged file has yet.
fn name_aside(path: &Path, now: Timestamp) -> PathBuf {
    let name = |number: i64| beside(path, &format!("-damaged-{number}"));
    let is_free =
        |path: &PathBuf| !path.exists() && COMPANIONS.iter().all(|suffix| !beside(path, suffix).exists());
    (now.0..).map(name).find(is_free).unwrap_or_else(|| name(now.0))
}

/// The damaged file that was set aside last and has no companions yet.
fn last_aside(path: &Path) -> Option<PathBuf> {
    let prefix = format!("{}-damaged-", path.file_name()?.to_string_lossy());
    let names = fs::read_dir(path.parent()?).ok()?.flatten().map(|entry| entry.file_name());
    let number = |name: std::ffi::OsString| name.to_str()?.strip_prefix(&prefix)?.parse::<i64>().ok();
    names.filter_map(number).max().map(|number| beside(path, &format!("-damaged-{number}")))
}

fn remove(path: &Path) -> Result<(), Error> {
    unless_gone(fs::remove_file(path))
}

/// That something is not there is as good as its removal.
pub(crate) fn unless_gone(removed: std::io::Result<()>) -> Result<(), Error> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::from_io(error)),
        _ => Ok(()),
    }
}

/// Names have to survive a power cut too, in their order. Not every platform can open a folder.
fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(File::open)
        && let Err(error) = folder.sync_all()
    {
        tracing::warn!(%error, "the folder could not be made durable");
    }
}
