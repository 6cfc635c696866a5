//! Photos: which ones mutations speak of, and the pieces that came of them.

use super::Tx;
use crate::Error;
use carboy_protocol::{AccountId, PhotoHash, PlantId, TxnId};
use rusqlite::{OptionalExtension, params};

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
    /// Takes note that `txn` speaks of a photo. The first mutation that does stands.
    pub(crate) fn expect_photo(
        &self,
        (plant, hash, account): Key,
        txn: TxnId,
        bytes: u64,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO photos (plant, hash, account, txn, bytes) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![plant.as_bytes(), hash.0, account.as_bytes(), txn.as_bytes(), bytes])?;
        Ok(())
    }

    pub(crate) fn photo(&self, (plant, hash, account): Key) -> Result<Option<Photo>, Error> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT bytes, received, complete FROM photos WHERE plant = ? AND hash = ? AND account = ?",
            )?
            .query_row(params![plant.as_bytes(), hash.0, account.as_bytes()], |row| {
                Ok(Photo { bytes: row.get(0)?, received: row.get(1)?, is_complete: row.get(2)? })
            })
            .optional()?)
    }

    /// Sets how far the photo has come.
    pub(crate) fn put_photo(&self, (plant, hash, account): Key, photo: Photo) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "UPDATE photos SET received = ?, complete = ? WHERE plant = ? AND hash = ? AND account = ?",
            )?
            .execute(params![
                photo.received,
                photo.is_complete,
                plant.as_bytes(),
                hash.0,
                account.as_bytes()
            ])?;
        Ok(())
    }

    pub(crate) fn insert_piece(
        &self,
        (plant, hash, account): Key,
        start: u64,
        piece: &[u8],
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO photo_pieces (plant, hash, account, start, piece) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![plant.as_bytes(), hash.0, account.as_bytes(), start, piece])?;
        Ok(())
    }

    pub(crate) fn delete_pieces(&self, (plant, hash, account): Key) -> Result<(), Error> {
        self.conn
            .prepare_cached("DELETE FROM photo_pieces WHERE plant = ? AND hash = ? AND account = ?")?
            .execute(params![plant.as_bytes(), hash.0, account.as_bytes()])?;
        Ok(())
    }

    /// What has come of the photo.
    pub(crate) fn photo_bytes(&self, (plant, hash, account): Key) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let sql =
            "SELECT piece FROM photo_pieces WHERE plant = ? AND hash = ? AND account = ? ORDER BY start";
        self.each(sql, params![plant.as_bytes(), hash.0, account.as_bytes()], |row| {
            bytes.extend_from_slice(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// The first bytes of what has come of the photo: enough to tell what it is, unless it came in crumbs.
    pub(crate) fn photo_start(&self, (plant, hash, account): Key) -> Result<Vec<u8>, Error> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT substr(piece, 1, 16) FROM photo_pieces
                 WHERE plant = ? AND hash = ? AND account = ? AND start = 0",
            )?
            .query_row(params![plant.as_bytes(), hash.0, account.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    /// An account that sent this photo whole.
    pub(crate) fn photo_sender(&self, plant: PlantId, hash: PhotoHash) -> Result<Option<AccountId>, Error> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT account FROM photos WHERE plant = ? AND hash = ? AND complete = 1 LIMIT 1",
            )?
            .query_row(params![plant.as_bytes(), hash.0], |row| row.get(0).map(AccountId::from_bytes))
            .optional()?)
    }
}
