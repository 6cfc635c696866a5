//! How people prove who they are: passwords, the links to choose one, sessions, enrolment codes; and the brakes on
//! guessing them.

use super::{Account, Tx, params};
use crate::Error;
use crate::brake::Attempts;
use carboy_protocol::{AccountId, PlantId, Timestamp};

/// What a login leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) plant: PlantId,
    pub(crate) account: AccountId,
    /// `None` until one is chosen.
    pub(crate) password_hash: Option<String>,
}

/// A session that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) token_hash: [u8; 32],
    pub(crate) started_at: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Where it was opened.
    pub(crate) address: String,
}

/// A one-time code, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) plant: PlantId,
    pub(crate) account: AccountId,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_used: bool,
}

impl Tx<'_> {
    /// Whether the login was free and is now this account's.
    pub(crate) fn insert_login(
        &self,
        login: &str,
        account: &Account,
        hash: Option<&str>,
    ) -> Result<bool, Error> {
        let sql = "INSERT INTO logins (login, plant, account, password_hash) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO NOTHING";
        Ok(self.execute(sql, params![login, account.plant, account.id, hash])? == 1)
    }

    pub(crate) fn login(&self, login: &str) -> Result<Option<Login>, Error> {
        let sql = "SELECT plant, account, password_hash FROM logins WHERE login = ?1";
        self.one(sql, params![login], |row| {
            Ok(Login { plant: row.get(0)?, account: row.get(1)?, password_hash: row.get(2)? })
        })
    }

    /// What this account signs in with.
    pub(crate) fn login_of(&self, plant: PlantId, account: AccountId) -> Result<Option<String>, Error> {
        let sql = "SELECT login FROM logins WHERE plant = ?1 AND account = ?2";
        self.one(sql, params![plant, account], |row| row.get(0))
    }

    /// Sets the password, or takes it away.
    pub(crate) fn set_password(
        &self,
        plant: PlantId,
        account: AccountId,
        hash: Option<&str>,
    ) -> Result<(), Error> {
        let sql = "UPDATE logins SET password_hash = ?1 WHERE plant = ?2 AND account = ?3";
        self.execute(sql, params![hash, plant, account])?;
        Ok(())
    }

    /// Makes a link with which the account can choose a password; one made before is good no more.
    pub(crate) fn put_password_link(
        &self,
        plant: PlantId,
        account: AccountId,
        token_hash: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let sql =
            "INSERT INTO password_links (plant, account, token_hash, expires_at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (plant, account) DO UPDATE SET token_hash = excluded.token_hash,
                       expires_at = excluded.expires_at";
        self.execute(sql, params![plant, account, token_hash, expires_at])?;
        Ok(())
    }

    /// Whose password the link of this token sets, if it is still good.
    pub(crate) fn password_link(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AccountId>, Error> {
        let sql =
            "SELECT account FROM password_links WHERE plant = ?1 AND token_hash = ?2 AND expires_at > ?3";
        let key = params![plant, token_hash, now];
        self.one(sql, key, |row| row.get(0))
    }

    /// Ends the account's link; whether there was one.
    pub(crate) fn delete_password_link(&self, plant: PlantId, account: AccountId) -> Result<bool, Error> {
        let sql = "DELETE FROM password_links WHERE plant = ?1 AND account = ?2";
        Ok(self.execute(sql, params![plant, account])? == 1)
    }

    /// Opens a session.
    pub(crate) fn insert_session(
        &self,
        plant: PlantId,
        account: AccountId,
        session: &SessionRow,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO sessions
                       (plant, token_hash, account, started_at, last_seen, expires_at, address)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.execute(
            sql,
            params![
                plant,
                session.token_hash,
                account,
                session.started_at,
                session.last_seen,
                session.expires_at,
                session.address
            ],
        )?;
        Ok(())
    }

    /// Whose session this is and when it was last used, if it has not ended: neither by age, nor for not having been
    /// used since `idle_since`.
    pub(crate) fn session(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<(AccountId, Timestamp)>, Error> {
        let sql = "SELECT account, last_seen FROM sessions
                   WHERE plant = ?1 AND token_hash = ?2 AND expires_at > ?3 AND last_seen > ?4";
        self.one(sql, params![plant, token_hash, now, idle_since], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    pub(crate) fn session_seen(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), Error> {
        let sql = "UPDATE sessions SET last_seen = ?1 WHERE plant = ?2 AND token_hash = ?3";
        self.execute(sql, params![now, plant, token_hash])?;
        Ok(())
    }

    /// The account's sessions, the last used first.
    pub(crate) fn sessions(
        &self,
        plant: PlantId,
        account: AccountId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<SessionRow>, Error> {
        let mut rows = Vec::new();
        let sql = "SELECT token_hash, started_at, last_seen, expires_at, address FROM sessions
                   WHERE plant = ?1 AND account = ?2 AND expires_at > ?3 AND last_seen > ?4
                   ORDER BY last_seen DESC, token_hash";
        let key = params![plant, account, now, idle_since];
        self.each(sql, key, |row| {
            rows.push(SessionRow {
                token_hash: row.get(0)?,
                started_at: row.get(1)?,
                last_seen: row.get(2)?,
                expires_at: row.get(3)?,
                address: row.get(4)?,
            });
            Ok(())
        })?;
        Ok(rows)
    }

    /// Ends a session; whose it was.
    pub(crate) fn delete_session(
        &self,
        plant: PlantId,
        token_hash: [u8; 32],
    ) -> Result<Option<AccountId>, Error> {
        let sql = "DELETE FROM sessions WHERE plant = ?1 AND token_hash = ?2 RETURNING account";
        self.one(sql, params![plant, token_hash], |row| row.get(0))
    }

    /// Ends the plant's sessions that are over.
    pub(crate) fn delete_old_sessions(
        &self,
        plant: PlantId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<(), Error> {
        let sql = "DELETE FROM sessions WHERE plant = ?1 AND (expires_at <= ?2 OR last_seen <= ?3)";
        self.execute(sql, params![plant, now, idle_since])?;
        Ok(())
    }

    /// Ends the account's sessions, all but the one of this token; how many there were.
    pub(crate) fn delete_sessions_but(
        &self,
        plant: PlantId,
        account: AccountId,
        kept: Option<[u8; 32]>,
    ) -> Result<u64, Error> {
        let sql = "DELETE FROM sessions WHERE plant = ?1 AND account = ?2 AND token_hash <> ?3";
        // No hash is empty.
        let kept = kept.as_ref().map_or(&[][..], |hash| &hash[..]);
        self.execute(sql, params![plant, account, kept])
    }

    pub(crate) fn insert_code(
        &self,
        account: &Account,
        code_hash: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO codes (code_hash, plant, account, expires_at) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![code_hash, account.plant, account.id, expires_at])?;
        Ok(())
    }

    pub(crate) fn code(&self, code_hash: [u8; 32]) -> Result<Option<Code>, Error> {
        let sql = "SELECT plant, account, expires_at, used_at IS NOT NULL FROM codes WHERE code_hash = ?1";
        self.one(sql, params![code_hash], |row| {
            Ok(Code {
                plant: row.get(0)?,
                account: row.get(1)?,
                expires_at: row.get(2)?,
                is_used: row.get(3)?,
            })
        })
    }

    /// Whether the code was unused until now: of two who try at once, one gets it.
    pub(crate) fn use_code(&self, code_hash: [u8; 32], now: Timestamp) -> Result<bool, Error> {
        let sql = "UPDATE codes SET used_at = ?1 WHERE code_hash = ?2 AND used_at IS NULL";
        Ok(self.execute(sql, params![now, code_hash])? == 1)
    }

    /// The plant's codes that can still be used: whose, and until when.
    pub(crate) fn open_codes(
        &self,
        plant: PlantId,
        now: Timestamp,
    ) -> Result<Vec<(AccountId, Timestamp)>, Error> {
        let mut rows = Vec::new();
        let sql = "SELECT account, expires_at FROM codes
                   WHERE plant = ?1 AND used_at IS NULL AND expires_at > ?2 ORDER BY expires_at, account";
        self.each(sql, params![plant, now], |row| {
            rows.push((row.get(0)?, row.get(1)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Cancels the account's unused codes, or the one that ends at that time; whether there was one.
    pub(crate) fn delete_codes(
        &self,
        plant: PlantId,
        account: AccountId,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let sql = "DELETE FROM codes WHERE plant = ?1 AND account = ?2 AND used_at IS NULL
                   AND expires_at BETWEEN ?3 AND ?4";
        let (from, to) = expires_at.map_or((i64::MIN, i64::MAX), |at| (at.0, at.0));
        Ok(self.execute(sql, params![plant, account, from, to])? > 0)
    }

    pub(crate) fn brake(&self, key: [u8; 32]) -> Result<Option<Attempts>, Error> {
        let sql = "SELECT count, last_at FROM brakes WHERE key = ?1";
        self.one(sql, params![key], |row| Ok(Attempts { count: row.get(0)?, last_at: row.get(1)? }))
    }

    /// The same, held against other transactions until this one ends; made if there is none.
    pub(crate) fn lock_brake(&self, key: [u8; 32], now: Timestamp) -> Result<Attempts, Error> {
        let sql = "INSERT INTO brakes (key, count, last_at) VALUES (?1, 0, ?2)
                   ON CONFLICT (key) DO UPDATE SET count = brakes.count";
        self.execute(sql, params![key, now])?;
        Ok(self.brake(key)?.unwrap_or(Attempts { count: 0, last_at: now }))
    }

    pub(crate) fn set_brake(&self, key: [u8; 32], attempts: Attempts) -> Result<(), Error> {
        let sql = "INSERT INTO brakes (key, count, last_at) VALUES (?1, ?2, ?3)
                   ON CONFLICT (key) DO UPDATE SET count = excluded.count, last_at = excluded.last_at";
        self.execute(sql, params![key, attempts.count, attempts.last_at])?;
        Ok(())
    }

    pub(crate) fn delete_brake(&self, key: [u8; 32]) -> Result<(), Error> {
        self.execute("DELETE FROM brakes WHERE key = ?1", params![key])?;
        Ok(())
    }

    pub(crate) fn delete_brakes_before(&self, time: Timestamp) -> Result<(), Error> {
        self.execute("DELETE FROM brakes WHERE last_at < ?1", params![time])?;
        Ok(())
    }
}
