//! Photos: copied into the store's folder under their hash, and sent piece by piece after the money.

use super::Tx;
use crate::Error;
use carboy_protocol::mutation::{Invalid, MAX_PHOTO};
use carboy_protocol::{Photo, PhotoHash};
use rusqlite::{OptionalExtension, params};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A photo that is being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) id: i64,
    pub(crate) hash: PhotoHash,
    /// The file's size.
    pub(crate) bytes: u64,
    /// How many of them the server has.
    pub(crate) sent: u64,
}

/// The folder of an account's photos.
#[derive(Debug, Clone)]
pub(crate) struct Album {
    folder: PathBuf,
}

impl Album {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies the file at `from` into the album and makes it durable. The same file twice is one copy.
    pub(crate) fn adopt(&self, from: &Path) -> Result<Photo, Error> {
        let unreadable =
            |error: &std::io::Error| Error::UnreadablePhoto(format!("{}: {error}", from.display()));
        let size = fs::metadata(from).map_err(|error| unreadable(&error))?.len();
        if !(1..=MAX_PHOTO).contains(&size) {
            return Err(Invalid::PhotoSize(size).into());
        }
        let content = fs::read(from).map_err(|error| unreadable(&error))?;
        let photo = Photo { hash: PhotoHash::of(&content), bytes: content.len() as u64 };
        self.keep(photo.hash, &content).map_err(Error::from_io)?;
        Ok(photo)
    }

    fn keep(&self, hash: PhotoHash, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(hash);
        if fs::metadata(&path).is_ok_and(|found| found.len() == content.len() as u64) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        // Under another name until all of it is on the disk.
        let part = path.with_extension("part");
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            // The name has to survive a power cut too. Not every platform can open a folder.
            File::open(&self.folder).and_then(|folder| folder.sync_all()).or(Ok(()))
        };
        let result = write();
        if result.is_err() {
            // Room that a full disk needs; the name is nobody's yet.
            drop(fs::remove_file(&part));
        }
        result
    }

    /// Where a photo's file is.
    pub(crate) fn path(&self, hash: PhotoHash) -> PathBuf {
        self.folder.join(hash.to_string())
    }

    /// The next bytes of a photo to send, at most `limit`. Before the first ones all of it is checked: a file that is
    /// not what it was would be sent in vain.
    pub(crate) fn piece(&self, photo: &Sending, limit: u64) -> std::io::Result<Vec<u8>> {
        let path = self.path(photo.hash);
        if photo.sent == 0 && PhotoHash::of(&fs::read(&path)?) != photo.hash {
            return Err(std::io::Error::other("its bytes have changed"));
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(photo.sent))?;
        let mut piece = Vec::new();
        file.take(limit).read_to_end(&mut piece)?;
        Ok(piece)
    }

    /// Removes what no row speaks of: copies for records that were never made.
    pub(crate) fn sweep(&self, is_used: impl Fn(&str) -> Result<bool, Error>) -> Result<(), Error> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(()) };
        for entry in entries.flatten() {
            if !entry.file_name().to_str().map_or(Ok(true), &is_used)? {
                fs::remove_file(entry.path()).map_err(Error::from_io)?;
            }
        }
        Ok(())
    }

    /// Removes a photo's file, once nothing waits for it any more.
    pub(crate) fn forget(&self, hash: PhotoHash) {
        if let Err(error) = fs::remove_file(self.path(hash)) {
            tracing::warn!(%hash, %error, "a sent photo could not be removed");
        }
    }
}

/// Notes that `record` comes with these photos.
pub(crate) fn attach(tx: &Tx<'_>, record: u64, photos: &[Photo]) -> Result<(), Error> {
    for photo in photos {
        tx.prepare_cached("INSERT INTO photo (record, hash, bytes) VALUES (?, ?, ?)")?.execute(params![
            record,
            photo.hash.0,
            photo.bytes
        ])?;
    }
    Ok(())
}

/// The photos of a record that was not accepted belong to the one that takes its place, or are not sent at all.
pub(crate) fn hand_over(tx: &Tx<'_>, record: u64, to: Option<u64>) -> Result<(), Error> {
    match to {
        Some(to) => tx.execute("UPDATE photo SET record = ? WHERE record = ?", [to, record])?,
        None => tx.execute("UPDATE photo SET state = 2 WHERE record = ?", [record])?,
    };
    Ok(())
}

/// The server has applied these records: their photos may go.
pub(crate) fn release(tx: &Tx<'_>, records: RangeInclusive<u64>) -> Result<(), Error> {
    tx.prepare_cached("UPDATE photo SET state = 1 WHERE record BETWEEN ? AND ? AND state = 0")?
        .execute([*records.start(), *records.end()])?;
    Ok(())
}

/// The next photo to send.
pub(crate) fn next(tx: &Tx<'_>) -> Result<Option<Sending>, Error> {
    let mut query =
        tx.prepare_cached("SELECT id, hash, bytes, sent FROM photo WHERE state = 1 ORDER BY id LIMIT 1")?;
    let found = query.query_row([], |row| {
        let (id, hash) = (row.get(0)?, PhotoHash(row.get(1)?));
        Ok(Sending { id, hash, bytes: row.get(2)?, sent: row.get(3)? })
    });
    Ok(found.optional()?)
}

/// How many photos wait, and how many of their bytes.
pub(crate) fn waiting(tx: &Tx<'_>) -> Result<(u64, u64), Error> {
    let mut query =
        tx.prepare_cached("SELECT count(*), coalesce(sum(bytes - sent), 0) FROM photo WHERE state < 2")?;
    Ok(query.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// The server has so much of the photo.
pub(crate) fn advance(tx: &Tx<'_>, id: i64, sent: u64) -> Result<(), Error> {
    tx.prepare_cached("UPDATE photo SET sent = ? WHERE id = ?")?.execute(params![sent, id])?;
    Ok(())
}

/// The server has all of it. Returns whether the file is not needed any more.
pub(crate) fn finish(tx: &Tx<'_>, photo: &Sending) -> Result<bool, Error> {
    tx.prepare_cached("DELETE FROM photo WHERE id = ?")?.execute([photo.id])?;
    Ok(!is_used(tx, photo.hash)?)
}

/// The photo cannot be sent. It stays on the phone and stands in nobody's way.
pub(crate) fn set_aside(tx: &Tx<'_>, id: i64) -> Result<(), Error> {
    tx.prepare_cached("UPDATE photo SET state = 2 WHERE id = ?")?.execute([id])?;
    Ok(())
}

/// Whether any record speaks of this photo.
pub(crate) fn is_used(tx: &Tx<'_>, hash: PhotoHash) -> Result<bool, Error> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM photo WHERE hash = ?)")?
        .query_row([hash.0], |row| row.get(0))?)
}
