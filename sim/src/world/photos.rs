//! Photos: what riders photograph, and what becomes of the pieces that phones send.

use super::server::Piece;
use super::{Device, World};
use crate::dice::Dice;
use crate::model::Wrong;
use carboy_protocol::PhotoHash;
use carboy_protocol::wire::PhotoReply;
use rusqlite::OptionalExtension;
use std::path::PathBuf;
use std::{fs, io};

/// So many different photos there are in a world: few enough that some are taken twice by one rider.
const PHOTOS: usize = 400;

/// The largest one, in bytes: several pieces, and more of them over a link that has failed.
const LARGEST: usize = 90_000;

/// What takes photos: real files, of which one may be taken several times.
pub(super) struct Camera {
    folder: PathBuf,
}

impl Camera {
    /// A camera whose photos go into `folder`, which is not there yet.
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// Takes a photo. Returns where it is, and its hash.
    pub(super) fn shoot(&self, dice: &mut Dice) -> io::Result<(PathBuf, PhotoHash)> {
        let number = dice.skewed(PHOTOS);
        let path = self.folder.join(format!("{number}.jpg"));
        let mut grain = Dice::of(number as u64);
        let mut bytes = vec![0; 1 + grain.skewed(LARGEST)];
        grain.fill(&mut bytes);
        fs::write(&path, &bytes)?;
        Ok((path, PhotoHash::of(&bytes)))
    }
}

impl World {
    /// Whether the server said of a piece what the model says; no reply: that it waits for no such photo.
    pub(super) fn compare_piece(
        &mut self,
        device: &Device,
        piece: &Piece,
        reply: Option<PhotoReply>,
    ) -> Result<(), Wrong> {
        let Piece { hash, from, bytes } = *piece;
        let expected = self.sites[device.plant].model.receive_piece(device.account, hash, from, bytes);
        if reply == expected {
            return Ok(());
        }
        Err(format!("{bytes} bytes from {from} of the photo {hash} are told {reply:?}, not {expected:?}"))
    }

    /// What must be after a server's disk failed while a piece came: all of it is there, or nothing.
    pub(super) fn after_failing_piece(&mut self, device: &Device, piece: &Piece) -> Result<(), Wrong> {
        let Piece { hash, from, bytes } = *piece;
        let model = &mut self.sites[device.plant].model;
        let sql = "SELECT received FROM photos WHERE plant = ? AND hash = ? AND account = ?";
        let key = (model.id.as_bytes(), hash.0, device.account.as_bytes());
        let found =
            self.inspector.prepare_cached(sql).and_then(|mut query| query.query_row(key, |row| row.get(0)));
        let received: Option<u64> = found.optional().map_err(|error| format!("the photo {hash}: {error}"))?;
        if received == model.photo(device.account, hash).map(|photo| photo.received) {
            return Ok(());
        }
        let expected = model.receive_piece(device.account, hash, from, bytes).map(|reply| reply.received);
        if received == expected {
            return Ok(());
        }
        Err(format!(
            "{received:?} bytes of the photo {hash} are there, not {expected:?}, after {piece:?} failed"
        ))
    }
}
