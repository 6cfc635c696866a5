//! What a rider sees. Each call is local, and shows the server's state with the outbox laid over it.

use crate::{
    Attention, Carboy, CarboyError, Customer, CustomerId, CustomerRow, DaySummary, HistoryLine, Product,
    Record, Route, RouteId, Status, Stop, convert, core,
};

#[uniffi::export]
impl Carboy {
    /// The products, by code.
    pub fn products(&self) -> Result<Vec<Product>, CarboyError> {
        Ok(convert::list(self.engine().products()?))
    }

    /// The routes, by name.
    pub fn routes(&self) -> Result<Vec<Route>, CarboyError> {
        Ok(convert::list(self.engine().routes()?))
    }

    /// The stops of a route in the order of the round; none if the route is unknown.
    pub fn stops(&self, route: RouteId) -> Result<Vec<Stop>, CarboyError> {
        Ok(convert::list(self.engine().stops(route)?))
    }

    /// One page of the customers by name: those whose name, number or address contains `search` (all if it is empty;
    /// letters of the Latin alphabet match in either case), behind `after`, at most `limit`.
    #[uniffi::method(default(search = "", after = None, limit = 50))]
    pub fn customers(
        &self,
        search: String,
        after: Option<CustomerRow>,
        limit: u32,
    ) -> Result<Vec<CustomerRow>, CarboyError> {
        let after = after.map(TryInto::<core::CustomerRow>::try_into).transpose()?;
        Ok(convert::list(self.engine().customers(&search, after.as_ref(), limit)?))
    }

    /// A customer's screen.
    ///
    /// Fails with `UnknownCustomer`.
    pub fn customer(&self, customer: CustomerId) -> Result<Customer, CarboyError> {
        Ok(self.engine().customer(customer)?.into())
    }

    /// One page of a customer's history, newest first: `skip` lines are passed over, at most `limit` come back.
    ///
    /// Fails with `UnknownCustomer`.
    #[uniffi::method(default(skip = 0, limit = 50))]
    pub fn history(
        &self,
        customer: CustomerId,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<HistoryLine>, CarboyError> {
        Ok(convert::list(self.engine().history(customer, skip, limit)?))
    }

    /// One page of what is waiting to be sent, oldest first: records behind number `after` (0 for the first page), at
    /// most `limit`.
    #[uniffi::method(default(after = 0, limit = 50))]
    pub fn waiting(&self, after: u64, limit: u32) -> Result<Vec<Record>, CarboyError> {
        Ok(convert::list(self.engine().waiting(after, limit)?))
    }

    /// One page of what was recorded on this phone, newest first: records before number `before` (nothing for the
    /// first page), at most `limit`.
    #[uniffi::method(default(before = None, limit = 50))]
    pub fn records(&self, before: Option<u64>, limit: u32) -> Result<Vec<Record>, CarboyError> {
        Ok(convert::list(self.engine().records(before, limit)?))
    }

    /// One page of what needs the rider: mutations that were not accepted, oldest first, then edits that stand behind
    /// another one. `skip` of them are passed over, at most `limit` come back.
    #[uniffi::method(default(skip = 0, limit = 50))]
    pub fn attention(&self, skip: u32, limit: u32) -> Result<Vec<Attention>, CarboyError> {
        Ok(convert::list(self.engine().attention(skip, limit)?))
    }

    /// The rider's day: bottles, empties, cash in hand.
    pub fn day(&self) -> Result<DaySummary, CarboyError> {
        Ok(self.engine().day()?.into())
    }

    /// What is waiting to be sent, since when, and why.
    pub fn status(&self) -> Result<Status, CarboyError> {
        Ok(self.engine().status()?.into())
    }
}
