//! The plant's people as those who decide about them see them, and what they decide.

use super::people::{ACCOUNT, account};
use super::{Account, Tx, params};
use crate::{Error, Rank};
use carboy_protocol::{AccountId, DeviceId, PlantId, Timestamp};

/// A person in a list.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account: Account,
    /// What this person signs in with on the dashboard; `None` for a rider.
    pub(crate) login: Option<String>,
    pub(crate) has_password: bool,
    /// Phones and scripts' tokens in use.
    pub(crate) devices: u64,
}

/// A phone or a script's token, as far as it matters for revoking it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) is_script: bool,
    pub(crate) is_revoked: bool,
}

impl Tx<'_> {
    /// The plant's people: those in use first, then by name.
    pub(crate) fn people(&self, plant: PlantId) -> Result<Vec<Person>, Error> {
        let sql = format!(
            "SELECT {ACCOUNT}, l.login, l.password_hash IS NOT NULL,
                 (SELECT count(*) FROM devices d
                  WHERE d.plant = a.plant AND d.account = a.account AND d.revoked_at IS NULL)
             FROM accounts a LEFT JOIN logins l ON l.plant = a.plant AND l.account = a.account
             WHERE a.plant = ?1 ORDER BY a.disabled_at IS NOT NULL, lower(a.name), a.account"
        );
        self.all(&sql, params![plant], |row| {
            Ok(Person {
                account: account(plant, row)?,
                login: row.get(5)?,
                has_password: row.get(6)?,
                devices: row.get(7)?,
            })
        })
    }

    /// How many owners can sign in.
    pub(crate) fn owner_count(&self, plant: PlantId) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM accounts
                   WHERE plant = ?1 AND rank = 'owner' AND disabled_at IS NULL";
        self.count(sql, params![plant])
    }

    pub(crate) fn set_rank(&self, plant: PlantId, account: AccountId, rank: Rank) -> Result<(), Error> {
        let sql = "UPDATE accounts SET rank = ?1 WHERE plant = ?2 AND account = ?3";
        self.execute(sql, params![rank.name(), plant, account])?;
        Ok(())
    }

    /// Disables the account as of that time, or enables it again.
    pub(crate) fn set_disabled(
        &self,
        plant: PlantId,
        account: AccountId,
        since: Option<Timestamp>,
    ) -> Result<(), Error> {
        let sql = "UPDATE accounts SET disabled_at = ?1 WHERE plant = ?2 AND account = ?3";
        self.execute(sql, params![since, plant, account])?;
        Ok(())
    }

    /// Revokes all of the account's devices.
    pub(crate) fn revoke_all(&self, plant: PlantId, account: AccountId, now: Timestamp) -> Result<(), Error> {
        let sql =
            "UPDATE devices SET revoked_at = ?1 WHERE plant = ?2 AND account = ?3 AND revoked_at IS NULL";
        self.execute(sql, params![now, plant, account])?;
        Ok(())
    }

    pub(crate) fn known_device(&self, plant: PlantId, device: DeviceId) -> Result<Option<Known>, Error> {
        let sql = "SELECT d.name, a.name, d.public_key IS NULL, d.revoked_at IS NOT NULL
                   FROM devices d JOIN accounts a ON a.plant = d.plant AND a.account = d.account
                   WHERE d.plant = ?1 AND d.device = ?2";
        self.one(sql, params![plant, device], |row| {
            Ok(Known {
                name: row.get(0)?,
                owner: row.get(1)?,
                is_script: row.get(2)?,
                is_revoked: row.get(3)?,
            })
        })
    }
}
