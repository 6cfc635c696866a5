//! The feed: what changed in a plant, by rev, in pages that each leave the reader with one moment's state.
//!
//! A page ends between two revs, and a balance in it is the balance as of that end, not as of now: a phone that
//! drops a pending payment once the feed has reached its rev then shows it exactly once. A profile, a visit and
//! whether a customer is closed may be newer than the page's end; resolving a write that is already in a profile
//! changes nothing.

use super::{Tx, people};
use crate::Error;
use carboy_protocol::wire::{FeedItem, LedgerEntry};
use carboy_protocol::{
    AccountId, Currency, CustomerId, Money, PlantId, ProductCode, RouteId, Timestamp, TxnId,
};
use rusqlite::{Params, Row, params};
use std::collections::BTreeMap;

/// How many changes one page holds. A customer with a profile is about 1 kB of JSON, 150 bytes compressed: a page
/// passes a weak 3G link within a second or two.
const PAGE: u32 = 500;

/// One page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// Changes in rev order.
    pub(crate) items: Vec<FeedItem>,
    /// The rev that the reader holds after this page.
    pub(crate) cursor: u64,
    /// Whether there is more behind it.
    pub(crate) more: bool,
}

/// The range of revs of a page, and how far back ledger lines go.
struct Range {
    plant: PlantId,
    currency: Currency,
    after: u64,
    end: u64,
    entries_since: Timestamp,
}

/// The customers that a page is about: the last rev, and whether the profile changed.
type Touched = BTreeMap<[u8; 16], (u64, bool)>;

fn touch(touched: &mut Touched, row: &Row<'_>, is_profile: bool) -> Result<(), Error> {
    let (last, has_profile) = touched.entry(row.get(0)?).or_default();
    *last = row.get::<_, u64>(1)?.max(*last);
    *has_profile |= is_profile;
    Ok(())
}

impl Tx<'_> {
    /// The page behind `cursor`. Ledger lines received before `entries_since` are left out; balances count them.
    pub(crate) fn feed(&self, plant: PlantId, cursor: u64, entries_since: Timestamp) -> Result<Page, Error> {
        let people::Plant { currency, rev, .. } = self.plant(plant)?;
        let end = self.page_end(plant, cursor, entries_since)?.unwrap_or(rev);
        let range = Range { plant, currency, after: cursor, end, entries_since };
        let mut items = Vec::new();
        self.feed_products(&range, &mut items)?;
        self.feed_routes(&range, &mut items)?;
        self.feed_customers(&range, &mut items)?;
        self.feed_entries(&range, &mut items)?;
        // Stable: a rev's customer goes before its ledger line.
        items.sort_by_key(|&(rev, _)| rev);
        let items = items.into_iter().map(|(_, item)| item).collect();
        Ok(Page { items, cursor: end, more: end < rev })
    }

    /// The rev of the last change that still fits the page; `None` if all that is left fits.
    fn page_end(&self, plant: PlantId, after: u64, since: Timestamp) -> Result<Option<u64>, Error> {
        // Each branch reads at most a page of its index.
        Ok(self
            .conn
            .prepare_cached(
                "SELECT CASE WHEN count(*) = ?4 THEN max(rev) END FROM (
                     SELECT rev FROM (
                         SELECT * FROM (SELECT rev FROM products WHERE plant = ?1 AND rev > ?2
                                        ORDER BY rev LIMIT ?4)
                         UNION SELECT * FROM (SELECT rev FROM routes WHERE plant = ?1 AND rev > ?2
                                        ORDER BY rev LIMIT ?4)
                         UNION SELECT * FROM (SELECT rev FROM customers WHERE plant = ?1 AND rev > ?2
                                        ORDER BY rev LIMIT ?4)
                         UNION SELECT * FROM (SELECT rev FROM profile_changes WHERE plant = ?1 AND rev > ?2
                                        ORDER BY rev LIMIT ?4)
                         UNION SELECT * FROM (SELECT rev FROM ledger WHERE plant = ?1 AND rev > ?2
                                        AND received_at >= ?3 ORDER BY rev LIMIT ?4))
                     ORDER BY rev LIMIT ?4)",
            )?
            .query_row(params![plant.as_bytes(), after, since.0, PAGE], |row| row.get(0))?)
    }

    /// A customer stands at its last change within the range.
    fn feed_customers(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let mut touched = Touched::new();
        let key = params![range.plant.as_bytes(), range.after, range.end];
        let sql = "SELECT customer, rev FROM profile_changes WHERE plant = ? AND rev > ? AND rev <= ?";
        self.each(sql, key, |row| touch(&mut touched, row, true))?;
        let sql = "SELECT customer, rev FROM customers WHERE plant = ? AND rev > ? AND rev <= ?";
        self.each(sql, key, |row| touch(&mut touched, row, false))?;
        let sql = "SELECT customer, rev FROM ledger
                   WHERE plant = ? AND rev > ? AND rev <= ? AND received_at >= ?";
        let key = params![range.plant.as_bytes(), range.after, range.end, range.entries_since.0];
        self.each(sql, key, |row| touch(&mut touched, row, false))?;
        for (customer, (rev, has_profile)) in touched {
            let customer = CustomerId::from_bytes(customer);
            items.push((rev, self.feed_customer(range, customer, has_profile)?));
        }
        Ok(())
    }

    fn feed_customer(
        &self,
        range: &Range,
        customer: CustomerId,
        with_profile: bool,
    ) -> Result<FeedItem, Error> {
        let state = self.customer(range.plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let later: i64 = if state.rev > range.end {
            self.conn
                .prepare_cached(
                    "SELECT coalesce(sum(amount), 0) FROM ledger
                     WHERE plant = ? AND customer = ? AND rev > ?",
                )?
                .query_row(params![range.plant.as_bytes(), customer.as_bytes(), range.end], |row| {
                    row.get(0)
                })?
        } else {
            0
        };
        let minor = state
            .balance
            .checked_sub(later)
            .ok_or_else(|| Error::Corrupt(format!("balance of customer {customer}")))?;
        Ok(FeedItem::Customer {
            customer,
            balance: Money::new(minor, range.currency),
            profile: with_profile.then_some(state.profile),
            visit: state.visit,
            closed: state.is_closed,
        })
    }

    fn feed_entries(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, customer, account, txn, kind, amount, note, role, at FROM ledger
                   WHERE plant = ? AND rev > ? AND rev <= ? AND received_at >= ? ORDER BY rev";
        let key = params![range.plant.as_bytes(), range.after, range.end, range.entries_since.0];
        self.each(sql, key, |row| {
            let entry = LedgerEntry {
                rev: row.get(0)?,
                customer: CustomerId::from_bytes(row.get(1)?),
                author: AccountId::from_bytes(row.get(2)?),
                txn: TxnId::from_bytes(row.get(3)?),
                kind: row.get(4)?,
                amount: Money::new(row.get(5)?, range.currency),
                note: row.get(6)?,
                role: people::role_of(&row.get::<_, String>(7)?),
                at: Timestamp(row.get(8)?),
            };
            items.push((entry.rev, FeedItem::Entry(entry)));
            Ok(())
        })
    }

    fn feed_products(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, code, name, price FROM products WHERE plant = ? AND rev > ? AND rev <= ?";
        self.each(sql, params![range.plant.as_bytes(), range.after, range.end], |row| {
            let code: String = row.get(1)?;
            let code = ProductCode::try_from(code).map_err(|error| Error::Corrupt(error.to_string()))?;
            let price = Money::new(row.get(3)?, range.currency);
            items.push((row.get(0)?, FeedItem::Product { code, name: row.get(2)?, price }));
            Ok(())
        })
    }

    fn feed_routes(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, route, name FROM routes WHERE plant = ? AND rev > ? AND rev <= ?";
        self.each(sql, params![range.plant.as_bytes(), range.after, range.end], |row| {
            let route = RouteId::from_bytes(row.get(1)?);
            let mut stops = Vec::new();
            let sql = "SELECT customer FROM route_stops WHERE plant = ? AND route = ? ORDER BY position";
            self.each(sql, params![range.plant.as_bytes(), route.as_bytes()], |row| {
                stops.push(CustomerId::from_bytes(row.get(0)?));
                Ok(())
            })?;
            items.push((row.get(0)?, FeedItem::Route { route, name: row.get(2)?, stops }));
            Ok(())
        })
    }

    /// Calls `take` with each row of a query.
    pub(super) fn each(
        &self,
        sql: &str,
        key: impl Params,
        mut take: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query(key)?;
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }
}
