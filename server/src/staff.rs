//! A plant's people: who is there, who may do what, and the end of that.

use crate::admin::text;
use crate::audit::Change;
use crate::sign_in::PASSWORD;
use crate::store::{Account, Tx};
use crate::who::By;
use crate::{Error, Rank, Server, secret};
use carboy_protocol::mutation::MAX_TEXT;
use carboy_protocol::{AccountId, PlantId, Role, Timestamp};

/// A one-time link with which somebody chooses a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Who signs in with it.
    pub account: AccountId,
    /// What stands at the end of the link, `/password/…`. It is told once and stored as a hash.
    pub token: String,
    /// Until when it is good.
    pub until: Timestamp,
}

/// Why what somebody asks for about people cannot be: whoever typed it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// A name or the like is empty or too long.
    #[error("{what} has {length} characters (1 to {MAX_TEXT})")]
    Text {
        /// Which one.
        what: &'static str,
        /// How long it is.
        length: usize,
    },
    /// A password is too short or too long.
    #[error("password has {length} characters ({} to {})", PASSWORD.start(), PASSWORD.end())]
    Password {
        /// How long it is.
        length: usize,
    },
    /// Somebody else signs in with it, in this plant or another.
    #[error("login {0:?} is taken")]
    LoginTaken(String),
    /// A plant without an owner could never have one again.
    #[error("{0} is the last owner: make another one first")]
    LastOwner(String),
    /// The account is disabled.
    #[error("{0} is disabled")]
    Disabled(String),
    /// What a viewer's phone sends would have no effect.
    #[error("{0} may only look")]
    Viewer(String),
}

impl Server {
    /// A new rider.
    ///
    /// # Errors
    /// If the name is empty or too long, or there is no such plant.
    pub fn create_rider<'a>(&self, by: impl Into<By<'a>>, name: &str) -> Result<Account, Error> {
        let by = by.into();
        let account = self.new_account(by.plant, None, name)?;
        self.store().write(by.plant, |tx| {
            tx.plant(by.plant)?;
            self.add(tx, by, &account)
        })?;
        Ok(account)
    }

    /// A plant's new owner, who signs in on the dashboard with `login` (unique on this server) and `password`.
    ///
    /// # Errors
    /// If the login is taken, the password too short, a name empty or too long, or there is no such plant.
    pub fn create_owner<'a>(
        &self,
        by: impl Into<By<'a>>,
        name: &str,
        login: &str,
        password: &str,
    ) -> Result<Account, Error> {
        let by = by.into();
        let account = self.new_account(by.plant, Some(Rank::Owner), name)?;
        let login = text("login", login)?.to_lowercase();
        let hash = self.hash_new_password(password)?;
        self.store().write(by.plant, |tx| {
            tx.plant(by.plant)?;
            self.add(tx, by, &account)?;
            add_login(tx, &account, &login, Some(&hash))
        })?;
        Ok(account)
    }

    /// A new person for the dashboard, who chooses a password with a one-time link.
    ///
    /// # Errors
    /// If the login is taken, or a name empty or too long.
    pub fn invite<'a>(
        &self,
        by: impl Into<By<'a>>,
        rank: Rank,
        name: &str,
        login: &str,
    ) -> Result<Invitation, Error> {
        let by = by.into();
        let account = self.new_account(by.plant, Some(rank), name)?;
        let login = text("login", login)?.to_lowercase();
        let (token, until) = self.store().write(by.plant, |tx| {
            tx.plant(by.plant)?;
            self.add(tx, by, &account)?;
            add_login(tx, &account, &login, None)?;
            self.new_link(tx, by.plant, account.id)
        })?;
        Ok(Invitation { account: account.id, token, until })
    }

    fn new_account(&self, plant: PlantId, rank: Option<Rank>, name: &str) -> Result<Account, Error> {
        let id = AccountId::from_random(self.now(), secret::random_bytes(self.random())?);
        let role = if rank.is_some() { Role::Manager } else { Role::Rider };
        Ok(Account { plant, id, role, rank, name: text("name", name)?, is_disabled: false })
    }

    fn add(&self, tx: &Tx<'_>, by: By<'_>, account: &Account) -> Result<(), Error> {
        tx.insert_account(account)?;
        let detail = match account.rank {
            Some(rank) => format!("{}: {}", account.name, rank.name()),
            None => account.name.clone(),
        };
        by.note(tx, self.now(), Change::AccountAdded, Some(account.id.as_bytes()), &detail)
    }

    /// Takes a person's password and sessions away, and makes a link to choose another password.
    ///
    /// # Errors
    /// If nobody of that account signs in on the dashboard, or the account is disabled.
    pub fn reset_password<'a>(&self, by: impl Into<By<'a>>, account: AccountId) -> Result<Invitation, Error> {
        let by = by.into();
        let (token, until) = self.store().write(by.plant, |tx| {
            let known = on_dashboard(tx, by.plant, account)?;
            if known.is_disabled {
                return Err(Unfit::Disabled(known.name).into());
            }
            tx.set_password(by.plant, account, None)?;
            tx.delete_sessions_but(by.plant, account, None)?;
            by.note(tx, self.now(), Change::PasswordReset, Some(account.as_bytes()), &known.name)?;
            self.new_link(tx, by.plant, account)
        })?;
        Ok(Invitation { account, token, until })
    }

    /// Gives a person another rank, from the next request on.
    ///
    /// # Errors
    /// If nobody of that account signs in on the dashboard, or it is the plant's last owner.
    pub fn set_rank<'a>(&self, by: impl Into<By<'a>>, account: AccountId, rank: Rank) -> Result<(), Error> {
        let by = by.into();
        self.store().write(by.plant, |tx| {
            let known = on_dashboard(tx, by.plant, account)?;
            if known.rank == Some(rank) {
                return Ok(());
            }
            keep_an_owner(tx, &known)?;
            tx.set_rank(by.plant, account, rank)?;
            let detail = format!("{}: {}", known.name, rank.name());
            by.note(tx, self.now(), Change::RankChanged, Some(account.as_bytes()), &detail)
        })
    }

    /// Ends all access of an account at once: sessions, links and codes, and every device of it.
    ///
    /// # Errors
    /// If there is no such account, or it is the plant's last owner's.
    pub fn disable_account<'a>(&self, by: impl Into<By<'a>>, account: AccountId) -> Result<(), Error> {
        let (by, now) = (by.into(), self.now());
        self.store().write(by.plant, |tx| {
            let known = tx.account(by.plant, account)?.ok_or(Error::NotFound("account"))?;
            if known.is_disabled {
                return Ok(());
            }
            keep_an_owner(tx, &known)?;
            tx.set_disabled(by.plant, account, Some(now))?;
            tx.delete_sessions_but(by.plant, account, None)?;
            tx.delete_password_link(by.plant, account)?;
            tx.delete_codes(by.plant, account, None)?;
            tx.revoke_all(by.plant, account, now)?;
            by.note(tx, now, Change::AccountDisabled, Some(account.as_bytes()), &known.name)
        })
    }

    /// Lets an account be used again. Its password is good again, its devices have to be enrolled anew.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn enable_account<'a>(&self, by: impl Into<By<'a>>, account: AccountId) -> Result<(), Error> {
        let by = by.into();
        self.store().write(by.plant, |tx| {
            let known = tx.account(by.plant, account)?.ok_or(Error::NotFound("account"))?;
            if !known.is_disabled {
                return Ok(());
            }
            tx.set_disabled(by.plant, account, None)?;
            by.note(tx, self.now(), Change::AccountEnabled, Some(account.as_bytes()), &known.name)
        })
    }
}

fn add_login(tx: &Tx<'_>, account: &Account, login: &str, hash: Option<&str>) -> Result<(), Error> {
    let is_free = tx.insert_login(login, account, hash)?;
    if is_free { Ok(()) } else { Err(Unfit::LoginTaken(login.to_owned()).into()) }
}

/// The account, if it is of somebody who signs in on the dashboard.
fn on_dashboard(tx: &Tx<'_>, plant: PlantId, account: AccountId) -> Result<Account, Error> {
    let known = tx.account(plant, account)?.filter(|known| known.rank.is_some());
    known.ok_or(Error::NotFound("account"))
}

/// Fails if this is the plant's last owner.
fn keep_an_owner(tx: &Tx<'_>, leaving: &Account) -> Result<(), Error> {
    if leaving.is_at_least(Rank::Owner) && !leaving.is_disabled && tx.owner_count(leaving.plant)? <= 1 {
        return Err(Unfit::LastOwner(leaving.name.clone()).into());
    }
    Ok(())
}
