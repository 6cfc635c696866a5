//! What mutations change: customers, their profiles, ledgers and visits; and the plant's catalogue.

use super::Tx;
use crate::Error;
use carboy_protocol::wire::{LedgerEntry, Visit};
use carboy_protocol::{
    AccountId, CustomerId, FailReason, Field, Money, PlantId, ProductCode, Profile, RouteId, Timestamp, TxnId,
};
use rusqlite::{OptionalExtension, params};

/// A customer as the feed shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerState {
    /// Minor units of the plant's currency.
    pub(crate) balance: i64,
    pub(crate) profile: Profile,
    /// The last record about the customer as a stop.
    pub(crate) visit: Option<Visit>,
    /// Whether the customer was added by mistake.
    pub(crate) is_closed: bool,
    /// Of the last change of any of these.
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
        let sql =
            "SELECT balance, profile, visit, closed, rev FROM customers WHERE plant = ? AND customer = ?";
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query(params![plant.as_bytes(), customer.as_bytes()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(CustomerState {
            balance: row.get(0)?,
            profile: serde_json::from_str(&row.get::<_, String>(1)?)?,
            visit: row.get::<_, Option<String>>(2)?.map(|text| serde_json::from_str(&text)).transpose()?,
            is_closed: row.get(3)?,
            rev: row.get(4)?,
        }))
    }

    /// Whether the id was free and is now that of a customer with an empty profile and ledger.
    pub(crate) fn insert_customer(
        &self,
        plant: PlantId,
        customer: CustomerId,
        rev: u64,
    ) -> Result<bool, Error> {
        let inserted = self
            .conn
            .prepare_cached(
                "INSERT INTO customers (plant, customer, profile, rev) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                plant.as_bytes(),
                customer.as_bytes(),
                serde_json::to_string(&Profile::default())?,
                rev
            ])?;
        Ok(inserted == 1)
    }

    /// Takes the customer from all routes and keeps everything else.
    pub(crate) fn close_customer(&self, plant: PlantId, customer: CustomerId, rev: u64) -> Result<(), Error> {
        let key = params![plant.as_bytes(), customer.as_bytes(), rev];
        for sql in [
            "UPDATE customers SET closed = 1, rev = ?3 WHERE plant = ?1 AND customer = ?2",
            "UPDATE routes SET rev = ?3 WHERE plant = ?1
             AND route IN (SELECT route FROM route_stops WHERE plant = ?1 AND customer = ?2)",
        ] {
            self.conn.prepare_cached(sql)?.execute(key)?;
        }
        self.conn
            .prepare_cached("DELETE FROM route_stops WHERE plant = ? AND customer = ?")?
            .execute(params![plant.as_bytes(), customer.as_bytes()])?;
        Ok(())
    }

    pub(crate) fn put_visit(
        &self,
        plant: PlantId,
        customer: CustomerId,
        visit: &Visit,
        rev: u64,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached("UPDATE customers SET visit = ?, rev = ? WHERE plant = ? AND customer = ?")?
            .execute(params![serde_json::to_string(visit)?, rev, plant.as_bytes(), customer.as_bytes()])?;
        Ok(())
    }

    /// Forgets the customer's last visit if `txn` made it.
    pub(crate) fn clear_visit(
        &self,
        plant: PlantId,
        customer: CustomerId,
        txn: TxnId,
        rev: u64,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "UPDATE customers SET visit = NULL, rev = ?
                 WHERE plant = ? AND customer = ? AND visit ->> '$.txn' = ?",
            )?
            .execute(params![rev, plant.as_bytes(), customer.as_bytes(), txn.to_string()])?;
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

    /// Takes note that the failed visit recorded at `recorded_rev` is withdrawn.
    pub(crate) fn withdraw_failed_visit(
        &self,
        plant: PlantId,
        customer: CustomerId,
        recorded_rev: u64,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "UPDATE failed_visits SET withdrawn = 1 WHERE plant = ? AND customer = ? AND rev = ?",
            )?
            .execute(params![plant.as_bytes(), customer.as_bytes(), recorded_rev])?;
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

    /// Whether there is such a route, which then has the customer as its last stop.
    pub(crate) fn append_stop(
        &self,
        plant: PlantId,
        route: RouteId,
        customer: CustomerId,
        rev: u64,
    ) -> Result<bool, Error> {
        let known = self
            .conn
            .prepare_cached("UPDATE routes SET rev = ? WHERE plant = ? AND route = ?")?
            .execute(params![rev, plant.as_bytes(), route.as_bytes()])?;
        if known == 1 {
            self.conn
                .prepare_cached(
                    "INSERT INTO route_stops (plant, route, position, customer)
                     SELECT ?1, ?2, coalesce(max(position) + 1, 0), ?3 FROM route_stops
                     WHERE plant = ?1 AND route = ?2",
                )?
                .execute(params![plant.as_bytes(), route.as_bytes(), customer.as_bytes()])?;
        }
        Ok(known == 1)
    }
}
