//! Plants, the people who work with them, and how these prove who they are.

use super::{Row, Tx, params};
use crate::{Error, Rank};
use carboy_protocol::{AccountId, ActorId, Currency, DeviceId, PlantId, PublicKey, Role, Timestamp};

/// A bottling plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plant {
    /// Its id.
    pub id: PlantId,
    /// What people call it.
    pub name: String,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// The time zone that its times are shown in, as an IANA name, for example `Africa/Nairobi`.
    pub time_zone: String,
    /// The code of the language that its pages are in where nobody asks for another one, for example `sw`.
    pub language: String,
    /// The last rev given.
    pub rev: u64,
    /// The history that the dashboard's mutations belong to.
    pub dashboard: ActorId,
}

/// A person of a plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where.
    pub plant: PlantId,
    /// Who.
    pub id: AccountId,
    /// On which side of a conflict this person stands.
    pub role: Role,
    /// What this person may do on the dashboard; `None` for a rider, who does not sign in there.
    pub rank: Option<Rank>,
    /// What people call this person.
    pub name: String,
    /// Whether neither password nor device of this account is good.
    pub is_disabled: bool,
}

/// A phone or a script, found by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) account: AccountId,
    /// What checks its signatures; `None` for a script.
    pub(crate) public_key: Option<PublicKey>,
    pub(crate) is_revoked: bool,
}

pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Rider => "rider",
        Role::Manager => "manager",
    }
}

pub(super) fn role_of(name: &str) -> Role {
    // The schema lets no third value in; the lesser right is the safe reading.
    if name == "manager" { Role::Manager } else { Role::Rider }
}

impl Tx<'_> {
    pub(crate) fn insert_plant(&self, plant: &Plant) -> Result<(), Error> {
        self.execute(
            "INSERT INTO plants (plant, name, currency, time_zone, language, rev, dashboard)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                plant.id,
                plant.name,
                plant.currency.as_str(),
                plant.time_zone,
                plant.language,
                plant.rev,
                plant.dashboard
            ],
        )?;
        Ok(())
    }

    pub(crate) fn plant(&self, id: PlantId) -> Result<Plant, Error> {
        let sql = "SELECT name, currency, time_zone, language, rev, dashboard FROM plants WHERE plant = ?1";
        let found = self.one(sql, params![id], |row| {
            let currency: String = row.get(1)?;
            Ok(Plant {
                id,
                name: row.get(0)?,
                currency: currency.parse().map_err(|_| Error::Corrupt(format!("currency {currency:?}")))?,
                time_zone: row.get(2)?,
                language: row.get(3)?,
                rev: row.get(4)?,
                dashboard: row.get(5)?,
            })
        })?;
        found.ok_or(Error::NotFound("plant"))
    }

    /// Every plant of this server, by name.
    pub(crate) fn plants(&self) -> Result<Vec<PlantId>, Error> {
        self.all("SELECT plant FROM plants ORDER BY name, plant", &[], |row| row.get(0))
    }

    pub(crate) fn set_rev(&self, plant: PlantId, rev: u64) -> Result<(), Error> {
        self.send("UPDATE plants SET rev = ?1 WHERE plant = ?2", params![rev, plant])
    }

    pub(crate) fn insert_account(&self, account: &Account) -> Result<(), Error> {
        self.execute(
            "INSERT INTO accounts (plant, account, role, rank, name) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                account.plant,
                account.id,
                role_name(account.role),
                account.rank.map(Rank::name),
                account.name
            ],
        )?;
        Ok(())
    }

    pub(crate) fn account(&self, plant: PlantId, id: AccountId) -> Result<Option<Account>, Error> {
        let sql = format!("SELECT {ACCOUNT} FROM accounts a WHERE a.plant = ?1 AND a.account = ?2");
        self.one(&sql, params![plant, id], |row| account(plant, row))
    }

    /// The plant's people, by name.
    pub(crate) fn accounts(&self, plant: PlantId) -> Result<Vec<Account>, Error> {
        let sql =
            format!("SELECT {ACCOUNT} FROM accounts a WHERE a.plant = ?1 ORDER BY lower(a.name), a.account");
        self.all(&sql, params![plant], |row| account(plant, row))
    }

    pub(crate) fn insert_device(
        &self,
        account: &Account,
        device: DeviceId,
        name: &str,
        token_hash: [u8; 32],
        public_key: Option<PublicKey>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO devices (plant, device, account, name, token_hash, public_key, enrolled_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![account.plant, device, account.id, name, token_hash, public_key, now],
        )?;
        Ok(())
    }

    pub(crate) fn device_by_token(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
    ) -> Result<Option<Device>, Error> {
        let sql = "SELECT device, account, public_key, revoked_at IS NOT NULL FROM devices
                   WHERE plant = ?1 AND token_hash = ?2";
        self.one(sql, params![plant, token_hash], |row| {
            Ok(Device {
                id: row.get(0)?,
                account: row.get(1)?,
                public_key: row.get(2)?,
                is_revoked: row.get(3)?,
            })
        })
    }

    /// Notes a contact: what the phone still holds, and whether its hash chain broke.
    pub(crate) fn device_seen(
        &self,
        plant: PlantId,
        device: DeviceId,
        now: Timestamp,
        unsent: u64,
        chain_broken: bool,
    ) -> Result<(), Error> {
        self.send(
            "UPDATE devices SET last_seen = ?1, unsent = ?2,
                 chain_broken = CASE WHEN chain_broken > ?3 THEN chain_broken ELSE ?3 END
             WHERE plant = ?4 AND device = ?5",
            params![now, unsent, chain_broken, plant, device],
        )
    }

    /// Whether there was such a device to revoke.
    pub(crate) fn revoke(&self, plant: PlantId, device: DeviceId, now: Timestamp) -> Result<bool, Error> {
        let sql = "UPDATE devices SET revoked_at = coalesce(revoked_at, ?1) WHERE plant = ?2 AND device = ?3";
        Ok(self.execute(sql, params![now, plant, device])? == 1)
    }
}

/// What [`account`] reads first.
pub(super) const ACCOUNT: &str = "a.account, a.role, a.rank, a.name, a.disabled_at IS NOT NULL";

pub(super) fn account(plant: PlantId, row: &Row<'_>) -> Result<Account, Error> {
    Ok(Account {
        plant,
        id: row.get(0)?,
        role: role_of(&row.get::<String>(1)?),
        rank: row.get::<Option<String>>(2)?.and_then(|name| Rank::of(&name)),
        name: row.get(3)?,
        is_disabled: row.get(4)?,
    })
}
