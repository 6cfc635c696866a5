//! A plant that was restored from a backup: revs that its lost days had given away must not be given again, and a
//! phone that stands on one of them reads the feed from its start.

use super::{Store, Tx, params};
use crate::Error;
use carboy_protocol::PlantId;

/// How far the revs leap, at least: more than any plant changes between a backup and its restoring. Twice as far at
/// most, by chance, so that two plants restored from one backup give different revs.
const LEAP: u64 = 1 << 32;

impl Store {
    /// Takes note that every plant here was set back to what it holds now.
    pub(crate) fn set_back(&self, random: u32) -> Result<(), Error> {
        for plant in self.read(|tx| tx.plants())? {
            self.write(plant, |tx| {
                let rev = tx.plant(plant)?.rev;
                let leapt_to = rev + LEAP + u64::from(random);
                let sql = "INSERT INTO set_backs (plant, rev, leapt_to) VALUES (?1, ?2, ?3)";
                tx.execute(sql, params![plant, rev, leapt_to])?;
                tx.set_rev(plant, leapt_to)
            })?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// The cursor to read on from: 0 if the given one was reached in days that were lost since.
    pub(crate) fn cursor_here(&self, plant: PlantId, cursor: u64) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM set_backs WHERE plant = ?1 AND rev < ?2 AND leapt_to >= ?2";
        Ok(if self.count(sql, params![plant, cursor])? > 0 { 0 } else { cursor })
    }
}
