//! What mutations change: customers, their profiles and ledgers, failed visits; and the plant's catalogue.

use super::Tx;
use crate::Error;
use carboy_protocol::wire::LedgerEntry;
use carboy_protocol::{
    AccountId, CustomerId, FailReason, Field, Money, PlantId, ProductCode, Profile, RouteId, Timestamp,
};
use rusqlite::{OptionalExtension, params};

/// A customer's balance and profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerState {
    /// Minor units of the plant's currency.
    pub(crate) balance: i64,
    pub(crate) profile: Profile,
    /// Of the last change of either.
    pub(crate) rev: u64,
}

impl Tx<'_> {
    /// The balance in minor units, `None` if there is no such customer in the plant.
    pub(crate) fn balance(&self, plant: PlantId, customer: CustomerId) -> Result<Option<i64>, Error> {
        Ok(self
            .conn
            .prepare_cached("SELECT balance FROM customers WHERE plant = ? AND customer = ?")?
            .query_row(params![plant.as_bytes(), customer.as_bytes()], |row| row.get(0))
            .optional()?)
    }

    pub(crate) fn customer(
        &self,
        plant: PlantId,
        customer: CustomerId,
    ) -> Result<Option<CustomerState>, Error> {
        let found: Option<(i64, String, u64)> = self
            .conn
            .prepare_cached("SELECT balance, profile, rev FROM customers WHERE plant = ? AND customer = ?")?
            .query_row(params![plant.as_bytes(), customer.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        found
            .map(|(balance, profile, rev)| {
                Ok(CustomerState { balance, profile: serde_json::from_str(&profile)?, rev })
            })
            .transpose()
    }

    /// A customer with an empty profile and ledger.
    pub(crate) fn insert_customer(
        &self,
        plant: PlantId,
        customer: CustomerId,
        rev: u64,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached("INSERT INTO customers (plant, customer, profile, rev) VALUES (?, ?, ?, ?)")?
            .execute(params![
                plant.as_bytes(),
                customer.as_bytes(),
                serde_json::to_string(&Profile::default())?,
                rev
            ])?;
        Ok(())
    }

    pub(crate) fn put_profile(
        &self,
        plant: PlantId,
        customer: CustomerId,
        profile: &Profile,
        rev: u64,
    ) -> Result<(), Error> {
        let shown = |field| profile.shown(field).unwrap_or_default();
        let (name, phone) = (shown(Field::Name), shown(Field::Phone));
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        self.conn
            .prepare_cached(
                "UPDATE customers SET profile = ?, name = ?, phone = ?, search = ?, conflicts = ?, rev = ?
                 WHERE plant = ? AND customer = ?",
            )?
            .execute(params![
                serde_json::to_string(profile)?,
                name,
                phone,
                format!("{}\n{}\n{digits}", name.to_lowercase(), phone.to_lowercase()),
                profile.conflicts().count(),
                rev,
                plant.as_bytes(),
                customer.as_bytes()
            ])?;
        self.conn
            .prepare_cached("INSERT INTO profile_changes (plant, rev, customer) VALUES (?, ?, ?)")?
            .execute(params![plant.as_bytes(), rev, customer.as_bytes()])?;
        Ok(())
    }

    /// Appends `entry` to the ledger and sets the balance that results.
    pub(crate) fn append_entry(
        &self,
        plant: PlantId,
        entry: &LedgerEntry,
        balance: i64,
        received_at: Timestamp,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO ledger
                     (plant, rev, customer, account, txn, kind, amount, note, role, at, received_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                plant.as_bytes(),
                entry.rev,
                entry.customer.as_bytes(),
                entry.author.as_bytes(),
                entry.txn.as_bytes(),
                entry.kind,
                entry.amount.minor,
                entry.note,
                super::people::role_name(entry.role),
                entry.at.0,
                received_at.0
            ])?;
        self.conn
            .prepare_cached("UPDATE customers SET balance = ?, rev = ? WHERE plant = ? AND customer = ?")?
            .execute(params![balance, entry.rev, plant.as_bytes(), entry.customer.as_bytes()])?;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a row's columns")]
    pub(crate) fn insert_failed_visit(
        &self,
        plant: PlantId,
        customer: CustomerId,
        rev: u64,
        account: AccountId,
        (reason, note): (FailReason, Option<&str>),
        at: Timestamp,
        received_at: Timestamp,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO failed_visits (plant, customer, rev, account, reason, note, at, received_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                plant.as_bytes(),
                customer.as_bytes(),
                rev,
                account.as_bytes(),
                serde_json::to_value(reason)?.as_str(),
                note,
                at.0,
                received_at.0
            ])?;
        Ok(())
    }

    pub(crate) fn put_product(
        &self,
        plant: PlantId,
        code: &ProductCode,
        name: &str,
        price: Money,
        rev: u64,
    ) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO products (plant, code, name, price, rev) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET name = excluded.name, price = excluded.price, rev = excluded.rev",
            params![plant.as_bytes(), code.as_str(), name, price.minor, rev],
        )?;
        Ok(())
    }

    pub(crate) fn put_route(
        &self,
        plant: PlantId,
        route: RouteId,
        name: &str,
        stops: &[CustomerId],
        rev: u64,
    ) -> Result<(), Error> {
        let key = params![plant.as_bytes(), route.as_bytes()];
        self.conn.execute("DELETE FROM route_stops WHERE plant = ? AND route = ?", key)?;
        self.conn.execute(
            "INSERT INTO routes (plant, route, name, rev) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET name = excluded.name, rev = excluded.rev",
            params![plant.as_bytes(), route.as_bytes(), name, rev],
        )?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO route_stops (plant, route, position, customer) VALUES (?, ?, ?, ?)",
        )?;
        for (position, customer) in stops.iter().enumerate() {
            insert.execute(params![plant.as_bytes(), route.as_bytes(), position, customer.as_bytes()])?;
        }
        Ok(())
    }
}
