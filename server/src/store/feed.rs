//! The feed: what changed in a plant, by rev, in pages that each leave the reader with one moment's state.
//!
//! A page ends between two revs, and a balance in it is the balance as of that end, not as of now: a phone that
//! drops a pending payment once the feed has reached its rev then shows it exactly once. A profile, a visit and
//! whether a customer is closed may be newer than the page's end; resolving a write that is already in a profile
//! changes nothing.

use super::{Customer, Row, Tx, params, people};
use crate::Error;
use carboy_protocol::wire::{FeedItem, LedgerEntry};
use carboy_protocol::{AccountId, Currency, CustomerId, Money, PlantId, ProductCode, RouteId, Timestamp};
use std::collections::BTreeMap;

/// How many changes one page holds at least. A customer with a profile is about 1 kB of JSON, 150 bytes compressed: a
/// page passes a weak 3G link within a second or two.
const PAGE: usize = 500;

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
    /// Whose feed it is: what concerns one account alone is told to nobody else.
    account: AccountId,
    currency: Currency,
    after: u64,
    end: u64,
    entries_since: Timestamp,
}

/// The customers that a page is about: the last rev, and whether the profile changed.
type Touched = BTreeMap<CustomerId, (u64, bool)>;

fn touch(touched: &mut Touched, row: &Row<'_>, is_profile: bool) -> Result<(), Error> {
    let (last, has_profile) = touched.entry(row.get(0)?).or_default();
    *last = row.get::<u64>(1)?.max(*last);
    *has_profile |= is_profile;
    Ok(())
}

impl Tx<'_> {
    /// The page behind `cursor`, for a reader who has just sent so many mutations: it holds at least as many changes,
    /// or a long outbox would leave its reader ever further behind. Ledger lines received before `entries_since` are
    /// left out; balances count them.
    pub(crate) fn feed(
        &self,
        (plant, account): (PlantId, AccountId),
        (cursor, sent): (u64, usize),
        entries_since: Timestamp,
    ) -> Result<Page, Error> {
        let people::Plant { currency, rev, .. } = self.plant(plant)?;
        let size = PAGE.max(sent);
        let end = self.page_end((plant, account), (cursor, size), entries_since)?.unwrap_or(rev);
        let range = Range { plant, account, currency, after: cursor, end, entries_since };
        let mut items = Vec::new();
        self.feed_products(&range, &mut items)?;
        self.feed_routes(&range, &mut items)?;
        self.feed_customers(&range, &mut items)?;
        self.feed_entries(&range, &mut items)?;
        self.feed_settled(&range, &mut items)?;
        // Stable: a rev's customer goes before its ledger line.
        items.sort_by_key(|&(rev, _)| rev);
        let items = items.into_iter().map(|(_, item)| item).collect();
        Ok(Page { items, cursor: end, more: end < rev })
    }

    /// The rev of the last change that still fits the page; `None` if all that is left fits.
    fn page_end(
        &self,
        (plant, account): (PlantId, AccountId),
        (after, size): (u64, usize),
        since: Timestamp,
    ) -> Result<Option<u64>, Error> {
        // Each branch reads at most a page of its index.
        let end = self.one(
            "SELECT CASE WHEN count(*) = ?1 THEN max(rev) END FROM (
                 SELECT rev FROM (
                     SELECT rev FROM (SELECT rev FROM products WHERE plant = ?2 AND rev > ?3
                                      ORDER BY rev LIMIT ?1) AS p
                     UNION SELECT rev FROM (SELECT rev FROM routes WHERE plant = ?2 AND rev > ?3
                                      ORDER BY rev LIMIT ?1) AS r
                     UNION SELECT rev FROM (SELECT rev FROM customers WHERE plant = ?2 AND rev > ?3
                                      ORDER BY rev LIMIT ?1) AS c
                     UNION SELECT rev FROM (SELECT rev FROM profile_changes WHERE plant = ?2 AND rev > ?3
                                      ORDER BY rev LIMIT ?1) AS f
                     UNION SELECT rev FROM (SELECT rev FROM ledger WHERE plant = ?2 AND rev > ?3
                                      AND received_at >= ?4 ORDER BY rev LIMIT ?1) AS l
                     UNION SELECT rev FROM (SELECT settled_rev AS rev FROM mutations
                                      WHERE plant = ?2 AND account = ?5 AND settled_rev > ?3
                                      ORDER BY settled_rev LIMIT ?1) AS m) AS u
                 ORDER BY rev LIMIT ?1) AS page",
            params![size, plant, after, since, account],
            |row| row.get(0),
        )?;
        Ok(end.flatten())
    }

    /// A customer stands at its last change within the range.
    fn feed_customers(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let mut touched = Touched::new();
        let key = params![range.plant, range.after, range.end];
        let sql = "SELECT customer, rev FROM profile_changes WHERE plant = ?1 AND rev > ?2 AND rev <= ?3";
        self.each(sql, key, |row| touch(&mut touched, row, true))?;
        let sql = "SELECT customer, rev FROM customers WHERE plant = ?1 AND rev > ?2 AND rev <= ?3";
        self.each(sql, key, |row| touch(&mut touched, row, false))?;
        let sql = "SELECT customer, rev FROM ledger
                   WHERE plant = ?1 AND rev > ?2 AND rev <= ?3 AND received_at >= ?4";
        let key = params![range.plant, range.after, range.end, range.entries_since];
        self.each(sql, key, |row| touch(&mut touched, row, false))?;
        let ids: Vec<_> = touched.keys().copied().collect();
        let with_profile: Vec<_> =
            touched.iter().filter(|(_, (_, has_profile))| *has_profile).map(|(id, _)| *id).collect();
        let mut profiles: BTreeMap<_, _> =
            self.profiles_by_id(range.plant, &with_profile)?.into_iter().collect();
        for (customer, state) in self.customers_by_id(range.plant, &ids)? {
            let (rev, _) = touched[&customer];
            let item = FeedItem::Customer {
                customer,
                balance: self.balance_at_end(range, customer, &state)?,
                profile: profiles.remove(&customer),
                visit: state.visit,
                closed: state.is_closed,
            };
            items.push((rev, item));
        }
        Ok(())
    }

    /// The balance as of the page's end.
    fn balance_at_end(&self, range: &Range, id: CustomerId, state: &Customer) -> Result<Money, Error> {
        let mut later = Some(0);
        if state.rev > range.end {
            let sql = "SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM ledger
                       WHERE plant = ?1 AND customer = ?2 AND rev > ?3";
            later = self.one(sql, params![range.plant, id, range.end], |row| row.get::<i64>(0))?;
        }
        let minor = later.and_then(|later| state.balance.checked_sub(later));
        let minor = minor.ok_or_else(|| Error::Corrupt(format!("balance of customer {id}")))?;
        Ok(Money::new(minor, range.currency))
    }

    fn feed_entries(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, customer, account, txn, kind, amount, note, role, at FROM ledger
                   WHERE plant = ?1 AND rev > ?2 AND rev <= ?3 AND received_at >= ?4 ORDER BY rev";
        let key = params![range.plant, range.after, range.end, range.entries_since];
        self.each(sql, key, |row| {
            let entry = LedgerEntry {
                rev: row.get(0)?,
                customer: row.get(1)?,
                author: row.get(2)?,
                txn: row.get(3)?,
                kind: row.get(4)?,
                amount: Money::new(row.get(5)?, range.currency),
                note: row.get(6)?,
                role: people::role_of(&row.get::<String>(7)?),
                at: row.get(8)?,
            };
            items.push((entry.rev, FeedItem::Entry(entry)));
            Ok(())
        })
    }

    /// Mutations of this account that were parked and are settled after all.
    fn feed_settled(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT settled_rev, txn, answer FROM mutations
                   WHERE plant = ?1 AND account = ?2 AND settled_rev > ?3 AND settled_rev <= ?4";
        self.each(sql, params![range.plant, range.account, range.after, range.end], |row| {
            let answer = serde_json::from_str(&row.get::<String>(2)?)?;
            items.push((row.get(0)?, FeedItem::Settled { txn: row.get(1)?, answer }));
            Ok(())
        })
    }

    fn feed_products(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, code, name, price FROM products WHERE plant = ?1 AND rev > ?2 AND rev <= ?3";
        self.each(sql, params![range.plant, range.after, range.end], |row| {
            let code: String = row.get(1)?;
            let code = ProductCode::try_from(code).map_err(|error| Error::Corrupt(error.to_string()))?;
            let price = Money::new(row.get(3)?, range.currency);
            items.push((row.get(0)?, FeedItem::Product { code, name: row.get(2)?, price }));
            Ok(())
        })
    }

    fn feed_routes(&self, range: &Range, items: &mut Vec<(u64, FeedItem)>) -> Result<(), Error> {
        let sql = "SELECT rev, route, name FROM routes WHERE plant = ?1 AND rev > ?2 AND rev <= ?3";
        self.each(sql, params![range.plant, range.after, range.end], |row| {
            let route: RouteId = row.get(1)?;
            let sql = "SELECT customer FROM route_stops WHERE plant = ?1 AND route = ?2 ORDER BY position";
            let stops = self.all(sql, params![range.plant, route], |row| row.get(0))?;
            items.push((row.get(0)?, FeedItem::Route { route, name: row.get(2)?, stops }));
            Ok(())
        })
    }
}
