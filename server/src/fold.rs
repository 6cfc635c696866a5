//! Folding the records of histories that nobody can continue.
//!
//! A mutation is known by its id for ever, because a phone may come back after months. Which mutation stood at which
//! place of a history is asked for only by the phone that writes that history: once its access is revoked and it has
//! sent everything, nobody asks again. Should its file turn up on another phone, that one is told to begin a new
//! history, and the ids say what was applied already.

use crate::{Error, Server};

impl Server {
    /// Drops the places of mutations in histories whose phone is revoked and had nothing left to send; returns how
    /// many. The mutations with their answers stay.
    ///
    /// # Errors
    /// If the database fails. What was folded before stays so.
    pub fn fold(&self) -> Result<u64, Error> {
        let mut count = 0;
        for plant in self.store().read(|tx| tx.plants())? {
            for actor in self.store().read(|tx| tx.ended_actors(plant))? {
                count += self.store().write(plant, |tx| tx.drop_dots(plant, actor))?;
            }
        }
        Ok(count)
    }
}
