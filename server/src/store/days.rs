//! Riders' days: what each rider's mutations add up to.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::{AccountId, Day, PlantId};

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
        let sql = "SELECT day, since_rev FROM rider_days WHERE plant = ?1 AND account = ?2";
        let found = self.one(sql, params![plant, account], |row| {
            Ok(RiderDay { day: serde_json::from_str(&row.get::<String>(0)?)?, since_rev: row.get(1)? })
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
            "INSERT INTO rider_days (plant, account, day, since_rev) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (plant, account) DO UPDATE SET day = excluded.day, since_rev = excluded.since_rev",
            params![plant, account, day, rider_day.since_rev],
        )
    }
}
