//! Plants, the people who work with them, and how these prove who they are.

use super::Tx;
use crate::Error;
use carboy_protocol::{AccountId, ActorId, Currency, DeviceId, PlantId, PublicKey, Role, Timestamp};
use rusqlite::{OptionalExtension, params};

/// A bottling plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plant {
    /// Its id.
    pub id: PlantId,
    /// What people call it.
    pub name: String,
    /// The currency of all its amounts.
    pub currency: Currency,
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
    /// What this person may do.
    pub role: Role,
    /// What people call this person.
    pub name: String,
}

/// A one-time code, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The plant of whoever enrols with it.
    pub plant: PlantId,
    /// Who enrols with it.
    pub account: AccountId,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whether somebody has enrolled with it.
    pub used: bool,
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
        self.conn.execute(
            "INSERT INTO plants (plant, name, currency, rev, dashboard) VALUES (?, ?, ?, ?, ?)",
            params![
                plant.id.as_bytes(),
                plant.name,
                plant.currency.as_str(),
                plant.rev,
                plant.dashboard.as_bytes()
            ],
        )?;
        Ok(())
    }

    pub(crate) fn plant(&self, id: PlantId) -> Result<Plant, Error> {
        let (name, currency, rev, dashboard): (String, String, u64, [u8; 16]) = self
            .conn
            .prepare_cached("SELECT name, currency, rev, dashboard FROM plants WHERE plant = ?")?
            .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?
            .ok_or(Error::NotFound("plant"))?;
        let currency = currency.parse().map_err(|_| Error::Corrupt(format!("currency {currency:?}")))?;
        Ok(Plant { id, name, currency, rev, dashboard: ActorId::from_bytes(dashboard) })
    }

    /// Every plant of this server, by name.
    pub(crate) fn plants(&self) -> Result<Vec<PlantId>, Error> {
        let mut query = self.conn.prepare_cached("SELECT plant FROM plants ORDER BY name, plant")?;
        let ids = query.query_map([], |row| row.get(0).map(PlantId::from_bytes))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    pub(crate) fn set_rev(&self, plant: PlantId, rev: u64) -> Result<(), Error> {
        self.conn
            .prepare_cached("UPDATE plants SET rev = ? WHERE plant = ?")?
            .execute(params![rev, plant.as_bytes()])?;
        Ok(())
    }

    pub(crate) fn insert_account(&self, account: &Account) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO accounts (plant, account, role, name) VALUES (?, ?, ?, ?)",
            params![account.plant.as_bytes(), account.id.as_bytes(), role_name(account.role), account.name],
        )?;
        Ok(())
    }

    pub(crate) fn account(&self, plant: PlantId, id: AccountId) -> Result<Option<Account>, Error> {
        Ok(self
            .conn
            .prepare_cached("SELECT role, name FROM accounts WHERE plant = ? AND account = ?")?
            .query_row(params![plant.as_bytes(), id.as_bytes()], |row| {
                Ok(Account { plant, id, role: role_of(&row.get::<_, String>(0)?), name: row.get(1)? })
            })
            .optional()?)
    }

    /// The plant's people, by name.
    pub(crate) fn accounts(&self, plant: PlantId) -> Result<Vec<Account>, Error> {
        let mut query = self.conn.prepare_cached(
            "SELECT account, role, name FROM accounts WHERE plant = ? ORDER BY name COLLATE NOCASE, account",
        )?;
        let rows = query.query_map([plant.as_bytes()], |row| {
            Ok(Account {
                plant,
                id: AccountId::from_bytes(row.get(0)?),
                role: role_of(&row.get::<_, String>(1)?),
                name: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether the login was free and is now this account's.
    pub(crate) fn insert_login(&self, login: &str, account: &Account, hash: &str) -> Result<bool, Error> {
        let inserted = self.conn.execute(
            "INSERT INTO logins (login, plant, account, password_hash) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            params![login, account.plant.as_bytes(), account.id.as_bytes(), hash],
        )?;
        Ok(inserted == 1)
    }

    pub(crate) fn login(&self, login: &str) -> Result<Option<(PlantId, AccountId, String)>, Error> {
        Ok(self
            .conn
            .prepare_cached("SELECT plant, account, password_hash FROM logins WHERE login = ?")?
            .query_row([login], |row| {
                Ok((PlantId::from_bytes(row.get(0)?), AccountId::from_bytes(row.get(1)?), row.get(2)?))
            })
            .optional()?)
    }

    /// Opens a session, and ends the plant's expired ones.
    pub(crate) fn insert_session(
        &self,
        account: &Account,
        token_hash: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let plant = account.plant.as_bytes();
        self.conn
            .execute("DELETE FROM sessions WHERE plant = ? AND expires_at <= ?", params![plant, now.0])?;
        self.conn.execute(
            "INSERT INTO sessions (plant, token_hash, account, expires_at) VALUES (?, ?, ?, ?)",
            params![plant, token_hash, account.id.as_bytes(), expires_at.0],
        )?;
        Ok(())
    }

    pub(crate) fn session(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AccountId>, Error> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT account FROM sessions WHERE plant = ? AND token_hash = ? AND expires_at > ?",
            )?
            .query_row(params![plant.as_bytes(), token_hash, now.0], |row| {
                row.get(0).map(AccountId::from_bytes)
            })
            .optional()?)
    }

    pub(crate) fn delete_session(&self, plant: PlantId, token_hash: [u8; 32]) -> Result<(), Error> {
        self.conn.execute(
            "DELETE FROM sessions WHERE plant = ? AND token_hash = ?",
            params![plant.as_bytes(), token_hash],
        )?;
        Ok(())
    }

    pub(crate) fn insert_code(
        &self,
        account: &Account,
        code_hash: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO codes (code_hash, plant, account, expires_at) VALUES (?, ?, ?, ?)",
            params![code_hash, account.plant.as_bytes(), account.id.as_bytes(), expires_at.0],
        )?;
        Ok(())
    }

    pub(crate) fn code(&self, code_hash: [u8; 32]) -> Result<Option<Enrolment>, Error> {
        Ok(self
            .conn
            .prepare_cached("SELECT plant, account, expires_at, used_at FROM codes WHERE code_hash = ?")?
            .query_row([code_hash], |row| {
                Ok(Enrolment {
                    plant: PlantId::from_bytes(row.get(0)?),
                    account: AccountId::from_bytes(row.get(1)?),
                    expires_at: Timestamp(row.get(2)?),
                    used: row.get::<_, Option<i64>>(3)?.is_some(),
                })
            })
            .optional()?)
    }

    pub(crate) fn use_code(&self, code_hash: [u8; 32], now: Timestamp) -> Result<(), Error> {
        self.conn.execute("UPDATE codes SET used_at = ? WHERE code_hash = ?", params![now.0, code_hash])?;
        Ok(())
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
        self.conn.execute(
            "INSERT INTO devices (plant, device, account, name, token_hash, public_key, enrolled_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                account.plant.as_bytes(),
                device.as_bytes(),
                account.id.as_bytes(),
                name,
                token_hash,
                public_key.map(|key| key.0),
                now.0
            ],
        )?;
        Ok(())
    }

    pub(crate) fn device_by_token(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
    ) -> Result<Option<Device>, Error> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT device, account, public_key, revoked_at IS NOT NULL FROM devices
                 WHERE plant = ? AND token_hash = ?",
            )?
            .query_row(params![plant.as_bytes(), token_hash], |row| {
                Ok(Device {
                    id: DeviceId::from_bytes(row.get(0)?),
                    account: AccountId::from_bytes(row.get(1)?),
                    public_key: row.get::<_, Option<[u8; 32]>>(2)?.map(PublicKey),
                    is_revoked: row.get(3)?,
                })
            })
            .optional()?)
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
        self.conn
            .prepare_cached(
                "UPDATE devices SET last_seen = ?, unsent = ?, chain_broken = max(chain_broken, ?)
                 WHERE plant = ? AND device = ?",
            )?
            .execute(params![now.0, unsent, chain_broken, plant.as_bytes(), device.as_bytes()])?;
        Ok(())
    }

    /// Whether there was such a device to revoke.
    pub(crate) fn revoke(&self, plant: PlantId, device: DeviceId, now: Timestamp) -> Result<bool, Error> {
        let changed = self.conn.execute(
            "UPDATE devices SET revoked_at = coalesce(revoked_at, ?) WHERE plant = ? AND device = ?",
            params![now.0, plant.as_bytes(), device.as_bytes()],
        )?;
        Ok(changed == 1)
    }
}
