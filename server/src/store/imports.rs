//! Imports that were looked at and perhaps confirmed, and what they have to know of customers and routes.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::{AccountId, CustomerId, PlantId, RouteId, Timestamp, TxnId};
use std::collections::{BTreeMap, BTreeSet};

/// A customer, known by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) customer: CustomerId,
    pub(crate) phone: String,
}

/// An import, as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// What it would do, as JSON.
    pub(crate) plan: String,
    /// What was not accepted once it was confirmed, as JSON.
    pub(crate) refused: Option<String>,
}

impl Tx<'_> {
    /// Keeps an import to be confirmed, and forgets those from before `oldest`.
    pub(crate) fn insert_import(
        &self,
        (plant, account): (PlantId, AccountId),
        import: TxnId,
        plan: &str,
        (now, oldest): (Timestamp, Timestamp),
    ) -> Result<(), Error> {
        let sql = "DELETE FROM imports WHERE plant = ?1 AND made_at < ?2";
        self.execute(sql, params![plant, oldest])?;
        let sql = "INSERT INTO imports (plant, import, account, made_at, plan) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.execute(sql, params![plant, import, account, now, plan])?;
        Ok(())
    }

    /// The import that this account looked at.
    pub(crate) fn import(
        &self,
        (plant, account): (PlantId, AccountId),
        import: TxnId,
    ) -> Result<Option<Import>, Error> {
        let sql = "SELECT plan, refused FROM imports WHERE plant = ?1 AND import = ?2 AND account = ?3";
        self.one(sql, params![plant, import, account], |row| {
            Ok(Import { plan: row.get(0)?, refused: row.get(1)? })
        })
    }

    /// Notes that the import was confirmed, and what of it was not accepted.
    pub(crate) fn set_imported(&self, plant: PlantId, import: TxnId, refused: &str) -> Result<(), Error> {
        let sql = "UPDATE imports SET refused = ?1 WHERE plant = ?2 AND import = ?3";
        self.execute(sql, params![refused, plant, import])?;
        Ok(())
    }

    /// The customers that are served and called by one of `names`, all in lower case.
    pub(crate) fn customers_named(
        &self,
        plant: PlantId,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<Named>>, Error> {
        let mut found: BTreeMap<String, Vec<Named>> = BTreeMap::new();
        let sql = "SELECT p.customer, p.name, p.phone FROM profiles p
                   JOIN customers c ON c.plant = p.plant AND c.customer = p.customer
                   WHERE p.plant = ?1 AND c.closed = 0 ORDER BY p.customer";
        self.each(sql, params![plant], |row| {
            let name = row.get::<String>(1)?.to_lowercase();
            if names.contains(&name) {
                found.entry(name).or_default().push(Named { customer: row.get(0)?, phone: row.get(2)? });
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The route of this name, whatever its case.
    pub(crate) fn route_named(&self, plant: PlantId, name: &str) -> Result<Option<RouteId>, Error> {
        let name = name.to_lowercase();
        let routes = self.routes(plant)?;
        Ok(routes.into_iter().find(|route| route.name.to_lowercase() == name).map(|route| route.route))
    }

    /// The customers on a route, in order.
    pub(crate) fn stops_of(&self, plant: PlantId, route: RouteId) -> Result<Vec<CustomerId>, Error> {
        let sql = "SELECT customer FROM route_stops WHERE plant = ?1 AND route = ?2 ORDER BY position";
        self.all(sql, params![plant, route], |row| row.get(0))
    }
}
