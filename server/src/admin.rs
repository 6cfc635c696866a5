//! What sets a plant up: devices, products, customers and routes. For the command line, the sample data and the
//! dashboard. Its people are in `staff`.

use crate::audit::Change;
use crate::books::{Books, Pace};
use crate::http::Lang;
use crate::staff::Unfit;
use crate::store::{Account, Plant, Tx};
use crate::who::{Author, By};
use crate::{Error, Server, secret};
use carboy_protocol::mutation::MAX_TEXT;
use carboy_protocol::wire::Answer;
use carboy_protocol::{
    AccountId, Action, ActorId, Currency, CustomerId, DeviceId, Field, Money, PlantId, ProductCode, RouteId,
    Timestamp, TxnId,
};
use std::collections::BTreeMap;

/// How long an enrolment code is good, in milliseconds: a quarter of an hour.
pub const CODE_SPAN: i64 = 15 * 60 * 1000;

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
        self.store().write(plant.id, |tx| {
            tx.insert_plant(&plant)?;
            By::from(plant.id).note(tx, self.now(), Change::PlantMade, None, &plant.name)
        })?;
        Ok(plant.id)
    }

    /// Sets the time zone that the plant's times are shown in, by its IANA name, and the language that its pages are
    /// in where nobody asks for another one, by its code.
    ///
    /// # Errors
    /// If there is no such time zone, the dashboard does not speak the language, or there is no such plant.
    pub fn set_plant_formats<'a>(
        &self,
        by: impl Into<By<'a>>,
        time_zone: &str,
        language: &str,
    ) -> Result<(), Error> {
        let by = by.into();
        let (zone, language) = Self::check_formats(time_zone, language)?;
        self.store().write(by.plant, |tx| {
            tx.plant(by.plant)?;
            tx.set_plant_formats(by.plant, &zone, &language)?;
            let detail = format!("{zone}, {language}");
            by.note(tx, self.now(), Change::SettingsChanged, None, &detail)
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

    /// A one-time code with which `account` can enrol a phone for [`CODE_SPAN`], and when it ends.
    ///
    /// # Errors
    /// If there is no such account, it is disabled, or what it records would have no effect.
    pub fn create_enrol_code<'a>(
        &self,
        by: impl Into<By<'a>>,
        account: AccountId,
    ) -> Result<(String, Timestamp), Error> {
        let (by, now) = (by.into(), self.now());
        let (code, hash) = secret::new_code(self.random())?;
        let expires_at = Timestamp(now.0.saturating_add(CODE_SPAN));
        self.store().write(by.plant, |tx| {
            let account = in_use(tx, by.plant, account)?;
            if !account.may_record() {
                return Err(Unfit::Viewer(account.name).into());
            }
            tx.insert_code(&account, hash, expires_at)?;
            by.note(tx, now, Change::CodeMade, Some(account.id.as_bytes()), &account.name)
        })?;
        Ok((code, expires_at))
    }

    /// Cancels the unused code of `account` that ends at that time.
    ///
    /// # Errors
    /// If there is no such code: it may have been used meanwhile.
    pub fn cancel_code<'a>(
        &self,
        by: impl Into<By<'a>>,
        account: AccountId,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let by = by.into();
        self.store().write(by.plant, |tx| {
            if !tx.delete_codes(by.plant, account, Some(expires_at))? {
                return Err(Error::NotFound("code"));
            }
            let name = tx.account(by.plant, account)?.map(|account| account.name).unwrap_or_default();
            by.note(tx, self.now(), Change::CodeCancelled, Some(account.as_bytes()), &name)
        })
    }

    /// A bearer token for a script that acts as `account`, with its right; `name` is what the device list calls it.
    ///
    /// # Errors
    /// If there is no such account, it is disabled, or the name is empty or too long.
    pub fn create_token<'a>(
        &self,
        by: impl Into<By<'a>>,
        account: AccountId,
        name: &str,
    ) -> Result<String, Error> {
        let (by, name) = (by.into(), text("name", name)?);
        self.store().write(by.plant, |tx| {
            let account = in_use(tx, by.plant, account)?;
            let (device, token) = self.add_device(tx, &account, &name, None)?;
            let detail = format!("{}: {name}", account.name);
            by.note(tx, self.now(), Change::TokenMade, Some(device.as_bytes()), &detail)?;
            Ok(token)
        })
    }

    /// Ends a phone's access. What it recorded stays on it.
    ///
    /// # Errors
    /// If there is no such phone.
    pub fn revoke_device<'a>(&self, by: impl Into<By<'a>>, device: DeviceId) -> Result<(), Error> {
        self.revoke(by.into(), device, Change::DeviceRevoked)
    }

    /// Ends a script's access.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn revoke_token<'a>(&self, by: impl Into<By<'a>>, device: DeviceId) -> Result<(), Error> {
        self.revoke(by.into(), device, Change::TokenRevoked)
    }

    fn revoke(&self, by: By<'_>, device: DeviceId, change: Change) -> Result<(), Error> {
        let now = self.now();
        self.store().write(by.plant, |tx| {
            let known = tx.known_device(by.plant, device)?;
            let is_script = change == Change::TokenRevoked;
            let known =
                known.filter(|known| known.is_script == is_script).ok_or(Error::NotFound("device"))?;
            if known.is_revoked {
                return Ok(());
            }
            tx.revoke(by.plant, device, now)?;
            let detail = format!("{}: {}", known.owner, known.name);
            by.note(tx, now, change, Some(device.as_bytes()), &detail)
        })
    }

    /// Deals with a mutation that was rejected or parked, in its author's place. A parked one is then never applied.
    ///
    /// # Errors
    /// If there is no such mutation that nobody has dealt with, or the note is too long.
    pub fn close_record(
        &self,
        author: Author<'_>,
        (account, txn): (AccountId, TxnId),
        note: &str,
    ) -> Result<(), Error> {
        let note = (!note.trim().is_empty()).then(|| text("note", note)).transpose()?;
        let (plant, now, closer) = (author.account.plant, self.now(), author.account.id);
        self.store().write(plant, |tx| {
            if !tx.close_by_manager(plant, (account, txn), closer, note.as_deref(), now)? {
                return Err(Error::NotFound("record that is open"));
            }
            let by = By::from(author);
            by.note(tx, now, Change::RecordClosed, Some(txn.as_bytes()), note.as_deref().unwrap_or_default())
        })
    }

    /// Adds a product, or gives it another name or price.
    ///
    /// # Errors
    /// If the name is empty or too long, the price negative or in another currency than the plant's.
    pub fn put_product<'a>(
        &self,
        manager: impl Into<Author<'a>>,
        code: &ProductCode,
        name: &str,
        price: Money,
    ) -> Result<(), Error> {
        let (manager, name) = (manager.into(), text("product name", name)?);
        self.changing(manager, |tx, books| {
            if price.currency != books.plant().currency || price.minor < 0 {
                return Err(Error::Invalid(format!("{price} is no price in {}", books.plant().currency)));
            }
            tx.put_product(manager.account.plant, code, &name, price, books.take_rev())?;
            let detail = format!("{code}: {name}, {price}");
            By::from(manager).note(tx, self.now(), Change::ProductChanged, None, &detail)
        })
    }

    /// Adds a customer with these fields.
    ///
    /// # Errors
    /// If a value is not acceptable.
    pub fn add_customer<'a>(
        &self,
        manager: impl Into<Author<'a>>,
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
    pub fn put_route<'a>(
        &self,
        manager: impl Into<Author<'a>>,
        route: Option<RouteId>,
        name: &str,
        stops: &[CustomerId],
    ) -> Result<RouteId, Error> {
        let (manager, name) = (manager.into(), text("route name", name)?);
        let plant = manager.account.plant;
        let route = match route {
            Some(route) => route,
            None => RouteId::from_random(self.now(), secret::random_bytes(self.random())?),
        };
        self.changing(manager, |tx, books| {
            for stop in stops {
                tx.customer(plant, *stop)?.ok_or(Error::NotFound("customer"))?;
            }
            tx.put_route(plant, route, &name, stops, books.take_rev())?;
            let detail = format!("{name}: {}", stops.len());
            By::from(manager).note(tx, self.now(), Change::RouteChanged, Some(route.as_bytes()), &detail)
        })?;
        Ok(route)
    }

    /// Runs a change of the plant's catalogue in one transaction with the rev that it takes.
    pub(crate) fn changing(
        &self,
        manager: Author<'_>,
        change: impl FnOnce(&Tx<'_>, &mut Books<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.store().write(manager.account.plant, |tx| {
            let mut books = Books::open(tx, manager, self.now(), Pace::AllAtOnce)?;
            change(tx, &mut books)?;
            books.close()
        })
    }
}

/// The account, unless it is disabled.
fn in_use(tx: &Tx<'_>, plant: PlantId, account: AccountId) -> Result<Account, Error> {
    let account = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
    if account.is_disabled { Err(Unfit::Disabled(account.name).into()) } else { Ok(account) }
}

pub(crate) fn text(what: &'static str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    if value.contains('\0') {
        return Err(Error::malformed(format!("{what} holds a NUL character")));
    }
    let length = value.chars().count();
    if (1..=MAX_TEXT).contains(&length) {
        Ok(value.to_owned())
    } else {
        Err(Unfit::Text { what, length }.into())
    }
}
