//! Customers, one by one or those of a batch, and the plant's catalogue.

use super::changes::Customer;
use super::value::{ToValue, Value};
use super::{Lookup, Row, Tx, params};
use crate::Error;
use carboy_protocol::{CustomerId, Money, PlantId, ProductCode, Profile, RouteId};

impl Tx<'_> {
    /// The customer but for the profile, `None` if the plant has no such one.
    pub(crate) fn customer(&self, plant: PlantId, id: CustomerId) -> Result<Option<Customer>, Error> {
        Ok(self.customers_by_id(plant, &[id])?.into_iter().next().map(|(_, customer)| customer))
    }

    /// Those of these customers that the plant has.
    pub(crate) fn customers_by_id(
        &self,
        plant: PlantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Customer)>, Error> {
        let list: Vec<Value<'_>> = ids.iter().map(ToValue::value).collect();
        let lookup = Lookup {
            columns: "customer, balance, visit, closed, rev",
            table: "customers",
            within: &["plant"],
            key: "customer",
        };
        self.found(&lookup, params![plant, Value::List(&list)], |row| Ok((row.get(0)?, customer(row)?)))
    }

    /// The customer's profile, `None` if the plant has no such customer.
    pub(crate) fn profile(&self, plant: PlantId, id: CustomerId) -> Result<Option<Profile>, Error> {
        Ok(self.profiles_by_id(plant, &[id])?.into_iter().next().map(|(_, profile)| profile))
    }

    /// The profiles of those of these customers that the plant has.
    pub(crate) fn profiles_by_id(
        &self,
        plant: PlantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Profile)>, Error> {
        let list: Vec<Value<'_>> = ids.iter().map(ToValue::value).collect();
        let lookup =
            Lookup { columns: "customer, profile", table: "profiles", within: &["plant"], key: "customer" };
        self.found(&lookup, params![plant, Value::List(&list)], |row| {
            Ok((row.get(0)?, serde_json::from_str(&row.get::<String>(1)?)?))
        })
    }

    pub(crate) fn put_product(
        &self,
        plant: PlantId,
        code: &ProductCode,
        name: &str,
        price: Money,
        rev: u64,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO products (plant, code, name, price, rev) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (plant, code) DO UPDATE SET name = excluded.name, price = excluded.price,
                 rev = excluded.rev",
            params![plant, code.as_str(), name, price.minor, rev],
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
        let sql = "DELETE FROM route_stops WHERE plant = ?1 AND route = ?2";
        self.execute(sql, params![plant, route])?;
        self.execute(
            "INSERT INTO routes (plant, route, name, rev) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (plant, route) DO UPDATE SET name = excluded.name, rev = excluded.rev",
            params![plant, route, name, rev],
        )?;
        for (position, customer) in stops.iter().enumerate() {
            let sql = "INSERT INTO route_stops (plant, route, position, customer) VALUES (?1, ?2, ?3, ?4)";
            self.execute(sql, params![plant, route, position, customer])?;
        }
        Ok(())
    }

    /// Whether the plant has this route.
    pub(crate) fn has_route(&self, plant: PlantId, route: RouteId) -> Result<bool, Error> {
        let sql = "SELECT count(*) FROM routes WHERE plant = ?1 AND route = ?2";
        Ok(self.count(sql, params![plant, route])? > 0)
    }
}

fn customer(row: &Row<'_>) -> Result<Customer, Error> {
    Ok(Customer {
        balance: row.get(1)?,
        visit: row.get::<Option<String>>(2)?.map(|text| serde_json::from_str(&text)).transpose()?,
        is_closed: row.get(3)?,
        rev: row.get(4)?,
    })
}
