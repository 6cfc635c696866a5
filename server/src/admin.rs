//! What sets a plant up: people, devices, products, customers and routes. For the command line, the sample data
//! and the dashboard.

use crate::apply::{Books, Pace};
use crate::http::Lang;
use crate::store::{Account, Plant};
use crate::{Error, Server, secret};
use carboy_protocol::mutation::MAX_TEXT;
use carboy_protocol::wire::Answer;
use carboy_protocol::{
    AccountId, Action, ActorId, Currency, CustomerId, DeviceId, Field, Money, PlantId, ProductCode, Role,
    RouteId, Timestamp,
};
use std::collections::BTreeMap;

/// How long an enrolment code is good, in milliseconds: a quarter of an hour.
pub const CODE_SPAN: i64 = 15 * 60 * 1000;

/// The shortest password, in characters.
const MIN_PASSWORD: usize = 8;

impl Server {
    /// A new plant.
    ///
    /// # Errors
    /// If the name is empty or too long.
    pub fn create_plant(&self, name: &str, currency: Currency) -> Result<PlantId, Error> {
        let plant = Plant {
            id: PlantId::from_random(self.now(), secret::random_bytes(self.random())?),
            name: text("plant name", name)?,
            currency,
            time_zone: "UTC".to_owned(),
            language: "en".to_owned(),
            rev: 0,
            dashboard: ActorId::from_random(self.now(), secret::random_bytes(self.random())?),
        };
        self.store().write(plant.id, |tx| tx.insert_plant(&plant))?;
        Ok(plant.id)
    }

    /// Sets the time zone that the plant's times are shown in, by its IANA name, and the language that its pages are
    /// in where nobody asks for another one, by its code.
    ///
    /// # Errors
    /// If there is no such time zone, the dashboard does not speak the language, or there is no such plant.
    pub fn set_plant_formats(&self, manager: &Account, time_zone: &str, language: &str) -> Result<(), Error> {
        let (zone, language) = Self::check_formats(time_zone, language)?;
        self.store().write(manager.plant, |tx| {
            tx.plant(manager.plant)?;
            tx.set_plant_formats(manager.plant, &zone, &language)
        })
    }

    /// A time zone's name and a language's code as they are stored, however they were typed.
    ///
    /// # Errors
    /// If there is no such time zone, or the dashboard does not speak the language.
    pub fn check_formats(time_zone: &str, language: &str) -> Result<(String, String), Error> {
        let zone = jiff::tz::TimeZone::get(time_zone.trim())
            .map_err(|_| Error::Invalid(format!("no such time zone: {time_zone}")))?;
        let language =
            Lang::of_code(language).ok_or_else(|| Error::Invalid(format!("no such language: {language}")))?;
        Ok((zone.iana_name().unwrap_or("UTC").to_owned(), language.code().to_owned()))
    }

    /// The plants of this server, by name.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn plants(&self) -> Result<Vec<Plant>, Error> {
        self.store().read(|tx| tx.plants()?.into_iter().map(|id| tx.plant(id)).collect())
    }

    /// The plant's people, by name.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn accounts(&self, plant: PlantId) -> Result<Vec<Account>, Error> {
        self.store().read(|tx| tx.accounts(plant))
    }

    /// A new rider.
    ///
    /// # Errors
    /// If the name is empty or too long, or there is no such plant.
    pub fn create_rider(&self, plant: PlantId, name: &str) -> Result<Account, Error> {
        let account = self.new_account(plant, Role::Rider, name)?;
        self.store().write(plant, |tx| tx.plant(plant).and_then(|_| tx.insert_account(&account)))?;
        Ok(account)
    }

    /// A new manager, who signs in on the dashboard with `login` (unique on this server) and `password`.
    ///
    /// # Errors
    /// If the login is taken, the password too short, a name empty or too long, or there is no such plant.
    pub fn create_manager(
        &self,
        plant: PlantId,
        name: &str,
        login: &str,
        password: &str,
    ) -> Result<Account, Error> {
        let account = self.new_account(plant, Role::Manager, name)?;
        let login = text("login", login)?.to_lowercase();
        let length = password.chars().count();
        if length < MIN_PASSWORD {
            return Err(Error::Invalid(format!(
                "password has {length} characters (at least {MIN_PASSWORD})"
            )));
        }
        let hash = secret::hash_password(self.random(), password)?;
        self.store().write(plant, |tx| {
            tx.plant(plant)?;
            tx.insert_account(&account)?;
            let is_free = tx.insert_login(&login, &account, &hash)?;
            if is_free { Ok(()) } else { Err(Error::Invalid(format!("login {login:?} is taken"))) }
        })?;
        Ok(account)
    }

    fn new_account(&self, plant: PlantId, role: Role, name: &str) -> Result<Account, Error> {
        let id = AccountId::from_random(self.now(), secret::random_bytes(self.random())?);
        Ok(Account { plant, id, role, name: text("name", name)? })
    }

    /// A one-time code with which `account` can enrol a phone for [`CODE_SPAN`], and when it ends.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn create_enrol_code(
        &self,
        plant: PlantId,
        account: AccountId,
    ) -> Result<(String, Timestamp), Error> {
        let (code, hash) = secret::new_code(self.random())?;
        let expires_at = Timestamp(self.now().0.saturating_add(CODE_SPAN));
        self.store().write(plant, |tx| {
            let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
            tx.insert_code(&account, hash, expires_at)
        })?;
        Ok((code, expires_at))
    }

    /// A bearer token for a script that acts as `account`; `name` is what the device list calls it.
    ///
    /// # Errors
    /// If there is no such account, or the name is empty or too long.
    pub fn create_token(&self, plant: PlantId, account: AccountId, name: &str) -> Result<String, Error> {
        let name = text("name", name)?;
        self.store().write(plant, |tx| {
            let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
            Ok(self.add_device(tx, &account, &name, None)?.1)
        })
    }

    /// Ends a device's access. What it recorded stays on it.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn revoke_device(&self, plant: PlantId, device: DeviceId) -> Result<(), Error> {
        let now = self.now();
        let is_known = self.store().write(plant, |tx| tx.revoke(plant, device, now))?;
        if is_known { Ok(()) } else { Err(Error::NotFound("device")) }
    }

    /// Adds a product, or gives it another name or price.
    ///
    /// # Errors
    /// If the name is empty or too long, the price negative or in another currency than the plant's.
    pub fn put_product(
        &self,
        manager: &Account,
        code: &ProductCode,
        name: &str,
        price: Money,
    ) -> Result<(), Error> {
        let name = text("product name", name)?;
        self.changing(manager, |tx, books| {
            if price.currency != books.plant().currency || price.minor < 0 {
                return Err(Error::Invalid(format!("{price} is no price in {}", books.plant().currency)));
            }
            tx.put_product(manager.plant, code, &name, price, books.take_rev())
        })
    }

    /// Adds a customer with these fields.
    ///
    /// # Errors
    /// If a value is not acceptable.
    pub fn add_customer(
        &self,
        manager: &Account,
        fields: BTreeMap<Field, String>,
    ) -> Result<CustomerId, Error> {
        let customer = CustomerId::from_random(self.now(), secret::random_bytes(self.random())?);
        let action = Action::AddCustomer { customer, fields, route: None };
        match self.act(manager, self.new_txn()?, &action)?.answer {
            Answer::Rejected { detail, .. } => Err(Error::Invalid(detail)),
            Answer::Applied { .. } | Answer::Parked => Ok(customer),
        }
    }

    /// Adds a route, or changes its name and stops.
    ///
    /// # Errors
    /// If the name is empty or too long, or a customer is not of this plant.
    pub fn put_route(
        &self,
        manager: &Account,
        route: Option<RouteId>,
        name: &str,
        stops: &[CustomerId],
    ) -> Result<RouteId, Error> {
        let name = text("route name", name)?;
        let route = match route {
            Some(route) => route,
            None => RouteId::from_random(self.now(), secret::random_bytes(self.random())?),
        };
        self.changing(manager, |tx, books| {
            for stop in stops {
                tx.customer(manager.plant, *stop)?.ok_or(Error::NotFound("customer"))?;
            }
            tx.put_route(manager.plant, route, &name, stops, books.take_rev())
        })?;
        Ok(route)
    }

    /// Runs a change of the plant's catalogue in one transaction with the rev that it takes.
    fn changing(
        &self,
        manager: &Account,
        change: impl FnOnce(&crate::store::Tx<'_>, &mut Books<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.store().write(manager.plant, |tx| {
            let mut books = Books::open(tx, manager, self.now(), Pace::AllAtOnce)?;
            change(tx, &mut books)?;
            books.close()
        })
    }
}

fn text(what: &str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    let length = value.chars().count();
    if (1..=MAX_TEXT).contains(&length) {
        Ok(value.to_owned())
    } else {
        Err(Error::Invalid(format!("{what} has {length} characters (1 to {MAX_TEXT})")))
    }
}
