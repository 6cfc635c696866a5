//! Photos: a phone sends them in pieces, each of which may come any number of times.

use crate::server::Auth;
use crate::store::{Photo, Tx};
use crate::{Error, Server};
use carboy_protocol::PhotoHash;
use carboy_protocol::wire::{MAX_PIECE, PhotoReply, Refusal};

impl Server {
    /// Serves one `POST /v1/photos/{hash}?from={from}`. A piece that does not begin where the last one ended is
    /// not stored: the reply says where to go on.
    ///
    /// # Errors
    /// The [`Refusal`] to send instead: [`Refusal::UnknownPhoto`] unless an applied mutation of this account
    /// speaks of the photo, [`Refusal::TooLarge`] for a piece of more than [`MAX_PIECE`] bytes.
    pub fn handle_photo(
        &self,
        auth: &Auth,
        hash: PhotoHash,
        from: u64,
        piece: &[u8],
    ) -> Result<PhotoReply, Refusal> {
        let _span = tracing::info_span!("photo", device = %auth.device, %hash).entered();
        if piece.len() > MAX_PIECE {
            return Err(Refusal::TooLarge { limit: MAX_PIECE as u64 });
        }
        Ok(self.store().write(auth.account.plant, |tx| receive(tx, auth, hash, from, piece))?)
    }
}

fn receive(tx: &Tx<'_>, auth: &Auth, hash: PhotoHash, from: u64, piece: &[u8]) -> Result<PhotoReply, Error> {
    let key = (auth.account.plant, hash, auth.account.id);
    let mut photo = tx.photo(key)?.ok_or(Error::Refused(Refusal::UnknownPhoto))?;
    let end = photo.received.saturating_add(piece.len() as u64);
    if !photo.is_complete && from == photo.received && !piece.is_empty() && end <= photo.bytes {
        tx.insert_piece(key, from, piece)?;
        photo.received = end;
        if end == photo.bytes {
            photo = finished(tx, auth, hash, photo)?;
        }
        tx.put_photo(key, photo)?;
        tracing::debug!(received = photo.received, complete = photo.is_complete, "a piece of a photo came");
    }
    Ok(PhotoReply { received: photo.received, complete: photo.is_complete })
}

/// All bytes are here: either they are the photo, or they are of no use.
fn finished(tx: &Tx<'_>, auth: &Auth, hash: PhotoHash, photo: Photo) -> Result<Photo, Error> {
    let key = (auth.account.plant, hash, auth.account.id);
    let found = PhotoHash::of(&tx.photo_bytes(key)?);
    if found == hash {
        return Ok(Photo { is_complete: true, ..photo });
    }
    tracing::warn!(%found, "a photo's bytes are not what its name says: it is to be sent again");
    tx.delete_pieces(key)?;
    Ok(Photo { received: 0, ..photo })
}
