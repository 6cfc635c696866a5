//! Riders' days: what each rider's mutations add up to, in the last shift begun and in those before.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::{AccountId, Day, PlantId, Tally, Timestamp};

/// A rider's day, and where its shift began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RiderDay {
    pub(crate) day: Day,
    /// The rev of the last shift's start.
    pub(crate) since_rev: u64,
    /// When that start came in.
    pub(crate) since: Timestamp,
}

impl Tx<'_> {
    /// The rider's day; one of nothing if nothing was recorded yet.
    pub(crate) fn rider_day(&self, plant: PlantId, account: AccountId) -> Result<RiderDay, Error> {
        let sql = "SELECT day, since_rev, since FROM rider_days WHERE plant = ?1 AND account = ?2";
        let found = self.one(sql, params![plant, account], |row| {
            let day = serde_json::from_str(&row.get::<String>(0)?)?;
            Ok(RiderDay { day, since_rev: row.get(1)?, since: row.get(2)? })
        })?;
        Ok(found.unwrap_or_default())
    }

    pub(crate) fn put_rider_day(
        &self,
        plant: PlantId,
        account: AccountId,
        rider_day: &RiderDay,
    ) -> Result<(), Error> {
        let day = serde_json::to_string(&rider_day.day)?;
        self.send(
            "INSERT INTO rider_days (plant, account, day, since_rev, since) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (plant, account) DO UPDATE
                 SET day = excluded.day, since_rev = excluded.since_rev, since = excluded.since",
            params![plant, account, day, rider_day.since_rev, rider_day.since],
        )
    }

    /// Keeps the shift that `rider_day` ends with, because another one begins.
    pub(crate) fn put_past_shift(
        &self,
        plant: PlantId,
        account: AccountId,
        rider_day: &RiderDay,
    ) -> Result<(), Error> {
        let RiderDay { day, since_rev, since } = rider_day;
        let shift = day.shift.as_ref().map(serde_json::to_string).transpose()?;
        let tally = serde_json::to_string(&day.in_shift)?;
        self.execute(
            "INSERT INTO past_shifts (plant, account, since_rev, since, shift, tally)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![plant, account, since_rev, since, shift, tally],
        )?;
        Ok(())
    }

    /// Takes what was recorded at `rev` out of the earlier shift that it belongs to.
    pub(crate) fn withdraw_from_past_shift(
        &self,
        plant: PlantId,
        account: AccountId,
        rev: u64,
        withdrawn: &Tally,
    ) -> Result<(), Error> {
        let sql = "SELECT since_rev, tally FROM past_shifts
                   WHERE plant = ?1 AND account = ?2 AND since_rev <= ?3 ORDER BY since_rev DESC LIMIT 1";
        let found = self.one(sql, params![plant, account, rev], |row| {
            Ok((row.get::<u64>(0)?, serde_json::from_str::<Tally>(&row.get::<String>(1)?)?))
        })?;
        // What came before all shifts and before any was kept stands in no shift.
        let Some((since_rev, mut tally)) = found else { return Ok(()) };
        tally.subtract(withdrawn);
        let tally = serde_json::to_string(&tally)?;
        self.execute(
            "UPDATE past_shifts SET tally = ?1 WHERE plant = ?2 AND account = ?3 AND since_rev = ?4",
            params![tally, plant, account, since_rev],
        )?;
        Ok(())
    }
}
