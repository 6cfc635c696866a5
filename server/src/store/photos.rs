//! Photos: which ones mutations speak of, and the pieces that came of them.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::{AccountId, PhotoHash, PlantId};

/// A photo that a mutation speaks of, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Photo {
    /// Its size.
    pub(crate) bytes: u64,
    /// How many bytes from the start are here.
    pub(crate) received: u64,
    /// Whether all are here, with the right hash.
    pub(crate) is_complete: bool,
}

/// Whose photo it is: a photo of the same bytes that two accounts took is two.
type Key = (PlantId, PhotoHash, AccountId);

impl Tx<'_> {
    pub(crate) fn photo(&self, (plant, hash, account): Key) -> Result<Option<Photo>, Error> {
        let sql =
            "SELECT bytes, received, complete FROM photos WHERE plant = ?1 AND hash = ?2 AND account = ?3";
        self.one(sql, params![plant, hash, account], |row| {
            Ok(Photo { bytes: row.get(0)?, received: row.get(1)?, is_complete: row.get(2)? })
        })
    }

    /// Sets how far the photo has come.
    pub(crate) fn put_photo(&self, (plant, hash, account): Key, photo: Photo) -> Result<(), Error> {
        self.execute(
            "UPDATE photos SET received = ?1, complete = ?2 WHERE plant = ?3 AND hash = ?4 AND account = ?5",
            params![photo.received, photo.is_complete, plant, hash, account],
        )?;
        Ok(())
    }

    pub(crate) fn insert_piece(
        &self,
        (plant, hash, account): Key,
        start: u64,
        piece: &[u8],
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO photo_pieces (plant, hash, account, start, piece) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![plant, hash, account, start, piece],
        )?;
        Ok(())
    }

    pub(crate) fn delete_pieces(&self, (plant, hash, account): Key) -> Result<(), Error> {
        let sql = "DELETE FROM photo_pieces WHERE plant = ?1 AND hash = ?2 AND account = ?3";
        self.execute(sql, params![plant, hash, account])?;
        Ok(())
    }

    /// What has come of the photo.
    pub(crate) fn photo_bytes(&self, (plant, hash, account): Key) -> Result<Vec<u8>, Error> {
        let sql = "SELECT piece FROM photo_pieces WHERE plant = ?1 AND hash = ?2 AND account = ?3
                   ORDER BY start";
        let pieces = self.all(sql, params![plant, hash, account], |row| row.get::<Vec<u8>>(0))?;
        Ok(pieces.concat())
    }

    /// The first bytes of what has come of the photo: enough to tell what it is, unless it came in crumbs.
    pub(crate) fn photo_start(&self, (plant, hash, account): Key) -> Result<Vec<u8>, Error> {
        let sql = "SELECT substr(piece, 1, 16) FROM photo_pieces
                   WHERE plant = ?1 AND hash = ?2 AND account = ?3 AND start = 0";
        let found = self.one(sql, params![plant, hash, account], |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }

    /// An account that sent this photo whole.
    pub(crate) fn photo_sender(&self, plant: PlantId, hash: PhotoHash) -> Result<Option<AccountId>, Error> {
        let sql = "SELECT account FROM photos WHERE plant = ?1 AND hash = ?2 AND complete = 1 ORDER BY account LIMIT 1";
        self.one(sql, params![plant, hash], |row| row.get(0))
    }
}
