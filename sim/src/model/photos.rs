//! Photos: which ones the servers wait for, and how much of each they must have.

use super::Plant;
use carboy_protocol::wire::PhotoReply;
use carboy_protocol::{AccountId, PhotoHash};

/// A photo of which an applied mutation speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Photo {
    /// Its size.
    pub bytes: u64,
    /// How many bytes from the start are at the servers.
    pub received: u64,
}

impl Photo {
    /// Whether the servers have all of it.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.received == self.bytes
    }

    fn reply(self) -> PhotoReply {
        PhotoReply { received: self.received, complete: self.is_complete() }
    }
}

impl Plant {
    /// A piece arrives; its bytes are the photo's, since nothing changes them on the way. Returns what the server must
    /// answer: nothing but a refusal if it waits for no such photo.
    pub fn receive_piece(
        &mut self,
        account: AccountId,
        hash: PhotoHash,
        from: u64,
        bytes: u64,
    ) -> Option<PhotoReply> {
        let photo = self.photos.get_mut(&(account, hash))?;
        if from == photo.received && from + bytes <= photo.bytes {
            photo.received += bytes;
        }
        Some(photo.reply())
    }

    /// A photo of which an applied mutation of this account speaks.
    #[must_use]
    pub fn photo(&self, account: AccountId, hash: PhotoHash) -> Option<Photo> {
        self.photos.get(&(account, hash)).copied()
    }

    /// The photos of which applied mutations speak, each with who took it.
    pub fn photos(&self) -> impl Iterator<Item = (AccountId, PhotoHash, Photo)> {
        self.photos.iter().map(|(&(account, hash), &photo)| (account, hash, photo))
    }
}
