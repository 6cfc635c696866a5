//! Riders' days: what each rider's mutations add up to.

use super::Tx;
use crate::Error;
use carboy_protocol::{AccountId, Day, PlantId};
use rusqlite::{OptionalExtension, params};

/// A rider's day, and where its shift began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RiderDay {
    pub(crate) day: Day,
    /// The rev of the last shift's start.
    pub(crate) since_rev: u64,
}

impl Tx<'_> {
    /// The rider's day; one of nothing if nothing was recorded yet.
    pub(crate) fn rider_day(&self, plant: PlantId, account: AccountId) -> Result<RiderDay, Error> {
        let found: Option<(String, u64)> = self
            .conn
            .prepare_cached("SELECT day, since_rev FROM rider_days WHERE plant = ? AND account = ?")?
            .query_row(params![plant.as_bytes(), account.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((day, since_rev)) = found else { return Ok(RiderDay::default()) };
        Ok(RiderDay { day: serde_json::from_str(&day)?, since_rev })
    }

    pub(crate) fn put_rider_day(
        &self,
        plant: PlantId,
        account: AccountId,
        rider_day: &RiderDay,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO rider_days (plant, account, day, since_rev) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET day = excluded.day, since_rev = excluded.since_rev",
            )?
            .execute(params![
                plant.as_bytes(),
                account.as_bytes(),
                serde_json::to_string(&rider_day.day)?,
                rider_day.since_rev
            ])?;
        Ok(())
    }
}
