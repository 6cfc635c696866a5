//! Signing in on the dashboard: passwords, the one-time links to choose one, and sessions.

use crate::audit::Change;
use crate::brake::Brake;
use crate::staff::Unfit;
use crate::store::{Account, Plant, SessionRow, Tx};
use crate::who::{Author, By, Origin};
use crate::{Error, Server, secret};
use carboy_protocol::{AccountId, PlantId, Role, Timestamp};
use std::sync::PoisonError;

/// How long somebody stays signed in at most, in milliseconds: a working day.
pub(crate) const SESSION_SPAN: i64 = 12 * 60 * 60 * 1000;

/// How long somebody stays signed in who asks for nothing, in milliseconds.
pub(crate) const IDLE_SPAN: i64 = 2 * 60 * 60 * 1000;

/// How long a link to choose a password is good, in milliseconds: a day.
pub const LINK_SPAN: i64 = 24 * 60 * 60 * 1000;

/// Requests within this of the last one noted are not noted again, in milliseconds.
const SEEN_STEP: i64 = 60_000;

/// The shortest and the longest password, in characters.
pub(crate) const PASSWORD: std::ops::RangeInclusive<usize> = 8..=256;

impl Server {
    /// Opens a session for whoever signs in with `login` and `password` at `address`, and returns its token; `None` if
    /// they do not match.
    ///
    /// # Errors
    /// [`Error::Wait`] after too many failed attempts with this login, which need not exist, or from this address.
    pub fn sign_in(&self, address: &str, login: &str, password: &str) -> Result<Option<String>, Error> {
        let login = login.trim().to_lowercase();
        let brakes = [Brake::login(&login), Brake::sign_in_from(address)];
        self.attempt(brakes)?;
        let known = self.store().read(|tx| {
            let Some(known) = tx.login(&login)? else { return Ok(None) };
            let account = tx.account(known.plant, known.account)?.ok_or(Error::NotFound("account"))?;
            Ok(Some((account, known.password_hash)))
        })?;
        let (account, stored) = known.map_or((None, None), |(account, stored)| (Some(account), stored));
        let is_right = self.is_password(password, stored.as_deref())?;
        let origin = Origin::Browser { address: address.to_owned() };
        match account {
            Some(account) if is_right && !account.is_disabled => {
                self.open_session(&account, brakes, &origin).map(Some)
            }
            account => self.sign_in_failed(&login, account.as_ref(), brakes[0], &origin).map(|()| None),
        }
    }

    fn open_session(
        &self,
        account: &Account,
        [login, from]: [Brake; 2],
        origin: &Origin,
    ) -> Result<String, Error> {
        let now = self.now();
        let (token, token_hash) = secret::new_token(self.random(), account.plant)?;
        let session = SessionRow {
            token_hash,
            started_at: now,
            last_seen: now,
            expires_at: after(now, SESSION_SPAN),
            address: origin.address().unwrap_or_default().to_owned(),
        };
        self.store().write(account.plant, |tx| {
            // In one order everywhere, so that two processes never wait for each other.
            if login < from {
                login.release(tx)?;
                from.give_back(tx, now)?;
            } else {
                from.give_back(tx, now)?;
                login.release(tx)?;
            }
            tx.delete_old_sessions(account.plant, now, idle_since(now))?;
            tx.insert_session(account.plant, account.id, &session)?;
            let author = Author { account, origin };
            By::from(author).note(tx, now, Change::SignedIn, Some(account.id.as_bytes()), "")
        })?;
        Ok(token)
    }

    /// One short write whether there is such a login or not: the time must not tell.
    fn sign_in_failed(
        &self,
        login: &str,
        account: Option<&Account>,
        brake: Brake,
        origin: &Origin,
    ) -> Result<(), Error> {
        let now = self.now();
        self.metrics().failed_sign_in("password");
        let Some(account) = account else {
            return self.store().write_apart(|tx| brake.failed(tx, now).map(|_| ()));
        };
        self.store().write(account.plant, |tx| {
            let change = if brake.failed(tx, now)? { Change::LockedOut } else { Change::SignInFailed };
            let by = By { plant: account.plant, account: None, origin };
            by.note(tx, now, change, Some(account.id.as_bytes()), login)
        })
    }

    /// Whether that is the password; as much work if there is none.
    fn is_password(&self, password: &str, stored: Option<&str>) -> Result<bool, Error> {
        // One at a time: each takes 19 MiB, and a crowd of them must not take all of the memory.
        let _turn = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        match stored {
            Some(stored) => secret::verify_password(password, stored),
            None => secret::hash_password(self.random(), password).map(|_| false),
        }
    }

    pub(crate) fn hash_new_password(&self, password: &str) -> Result<String, Error> {
        let length = password.chars().count();
        if !PASSWORD.contains(&length) {
            return Err(Unfit::Password { length }.into());
        }
        let _turn = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        secret::hash_password(self.random(), password)
    }

    /// Whose session this token opens, and the plant.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn session(&self, token: &str) -> Result<Option<(Account, Plant)>, Error> {
        let Some((plant, hash)) = secret::read_token(token) else { return Ok(None) };
        let now = self.now();
        let found = self.store().read(|tx| {
            let Some((account, seen)) = tx.session(plant, hash, now, idle_since(now))? else {
                return Ok(None);
            };
            let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
            let is_good = account.role == Role::Manager && !account.is_disabled;
            Ok(is_good.then_some((account, tx.plant(plant)?, seen)))
        })?;
        let Some((account, plant, seen)) = found else { return Ok(None) };
        if now.0.abs_diff(seen.0) >= SEEN_STEP.unsigned_abs() {
            self.store().write_apart(|tx| tx.session_seen(plant.id, hash, now))?;
        }
        Ok(Some((account, plant)))
    }

    /// Ends the session of this token.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn sign_out(&self, token: &str, origin: &Origin) -> Result<(), Error> {
        let Some((plant, hash)) = secret::read_token(token) else { return Ok(()) };
        self.store().write(plant, |tx| {
            let Some(account) = tx.delete_session(plant, hash)? else { return Ok(()) };
            let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
            let author = Author { account: &account, origin };
            By::from(author).note(tx, self.now(), Change::SignedOut, Some(account.id.as_bytes()), "")
        })
    }

    /// The open sessions of an account, the last used first; each with whether it is the one of this token.
    pub(crate) fn sessions(
        &self,
        tx: &Tx<'_>,
        account: &Account,
        token: &str,
    ) -> Result<Vec<(SessionRow, bool)>, Error> {
        let (now, own) = (self.now(), secret::read_token(token).map(|(_, hash)| hash));
        let rows = tx.sessions(account.plant, account.id, now, idle_since(now))?;
        Ok(rows.into_iter().map(|row| (row.clone(), Some(row.token_hash) == own)).collect())
    }

    /// Ends the author's sessions but the one of this token.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn end_other_sessions(&self, author: Author<'_>, token: &str) -> Result<(), Error> {
        let (plant, id) = (author.account.plant, author.account.id);
        let own = secret::read_token(token).map(|(_, hash)| hash);
        self.store().write(plant, |tx| {
            let count = tx.delete_sessions_but(plant, id, own)?;
            let (by, detail) = (By::from(author), count.to_string());
            by.note(tx, self.now(), Change::SessionsEnded, Some(id.as_bytes()), &detail)
        })
    }

    /// Gives the author another password and ends all sessions but the one of this token; whether `old` was the
    /// password. Guesses are braked as when signing in.
    ///
    /// # Errors
    /// If the new password is too short or too long; [`Error::Wait`] after too many wrong guesses.
    pub fn change_password(
        &self,
        author: Author<'_>,
        token: &str,
        old: &str,
        new: &str,
    ) -> Result<bool, Error> {
        let (plant, id, now) = (author.account.plant, author.account.id, self.now());
        let login = self.store().read(|tx| tx.login_of(plant, id))?.ok_or(Error::NotFound("login"))?;
        let brake = Brake::login(&login);
        self.attempt([brake])?;
        let stored = self.store().read(|tx| tx.login(&login))?.and_then(|login| login.password_hash);
        if !self.is_password(old, stored.as_deref())? {
            self.sign_in_failed(&login, Some(author.account), brake, author.origin)?;
            return Ok(false);
        }
        let hash = self.hash_new_password(new)?;
        let own = secret::read_token(token).map(|(_, hash)| hash);
        self.store().write(plant, |tx| {
            brake.release(tx)?;
            tx.set_password(plant, id, Some(&hash))?;
            tx.delete_password_link(plant, id)?;
            tx.delete_sessions_but(plant, id, own)?;
            By::from(author).note(tx, now, Change::PasswordChanged, Some(id.as_bytes()), "")
        })?;
        Ok(true)
    }

    /// Makes the link with which the account chooses its password, within a transaction: its token, and until when it
    /// is good.
    pub(crate) fn new_link(
        &self,
        tx: &Tx<'_>,
        plant: PlantId,
        account: AccountId,
    ) -> Result<(String, Timestamp), Error> {
        let (token, hash) = secret::new_token(self.random(), plant)?;
        let until = after(self.now(), LINK_SPAN);
        tx.put_password_link(plant, account, hash, until)?;
        Ok((token, until))
    }

    /// Who chooses a password with the link of this token, and the login; `None` if it is good no more.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn password_link(&self, token: &str) -> Result<Option<(Account, String)>, Error> {
        let Some((plant, hash)) = secret::read_token(token) else { return Ok(None) };
        self.store().read(|tx| self.link(tx, plant, hash))
    }

    fn link(&self, tx: &Tx<'_>, plant: PlantId, hash: [u8; 32]) -> Result<Option<(Account, String)>, Error> {
        let Some(account) = tx.password_link(plant, hash, self.now())? else { return Ok(None) };
        let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
        let login = tx.login_of(plant, account.id)?.ok_or(Error::NotFound("login"))?;
        Ok((!account.is_disabled).then_some((account, login)))
    }

    /// Sets the password of whoever the link of this token is for; whether it was still good. It works once.
    ///
    /// # Errors
    /// If the password is too short or too long.
    pub fn choose_password(&self, origin: &Origin, token: &str, password: &str) -> Result<bool, Error> {
        let Some((plant, hash)) = secret::read_token(token) else { return Ok(false) };
        if self.password_link(token)?.is_none() {
            return Ok(false);
        }
        let password = self.hash_new_password(password)?;
        self.store().write(plant, |tx| {
            let Some((account, login)) = self.link(tx, plant, hash)? else { return Ok(false) };
            tx.delete_password_link(plant, account.id)?;
            tx.set_password(plant, account.id, Some(&password))?;
            tx.delete_sessions_but(plant, account.id, None)?;
            Brake::login(&login).release(tx)?;
            let by = By::from(Author { account: &account, origin });
            by.note(tx, self.now(), Change::PasswordChosen, Some(account.id.as_bytes()), "")?;
            Ok(true)
        })
    }
}

fn after(now: Timestamp, span: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(span))
}

/// A session that was last used then, or before, is over.
fn idle_since(now: Timestamp) -> Timestamp {
    after(now, -IDLE_SPAN)
}
