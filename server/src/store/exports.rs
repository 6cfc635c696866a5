//! What is written out as tables: ledgers, a page at a time.

use super::{Tx, Value, params, people};
use crate::Error;
use carboy_protocol::{CustomerId, PlantId, Role, Timestamp};

/// A line of a ledger, to be written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerLine {
    pub(crate) rev: u64,
    pub(crate) customer: CustomerId,
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) note: Option<String>,
    pub(crate) author: String,
    pub(crate) role: Role,
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
}

const COLUMNS: &str =
    "SELECT l.rev, l.customer, p.name, l.kind, l.amount, l.note, a.name, l.role, l.at, l.received_at
     FROM ledger l JOIN accounts a ON a.plant = l.plant AND a.account = l.account
     JOIN profiles p ON p.plant = l.plant AND p.customer = l.customer";

/// The revs come first, from the customer's index: SQLite would rather walk the whole plant's ledger by rev.
pub(super) fn customer_lines() -> String {
    format!(
        "{COLUMNS} WHERE l.plant = ?1 AND l.rev IN (
             SELECT rev FROM ledger WHERE plant = ?1 AND customer = ?2 AND rev > ?3 ORDER BY rev LIMIT ?4)
         ORDER BY l.rev"
    )
}

impl Tx<'_> {
    /// The first lines behind `after` of the plant's ledgers that came in within `from..to`, in order of their rev.
    pub(crate) fn ledger_lines(
        &self,
        plant: PlantId,
        (from, to): (Timestamp, Timestamp),
        after: u64,
        limit: u64,
    ) -> Result<Vec<LedgerLine>, Error> {
        let sql = format!(
            "{COLUMNS} WHERE l.plant = ?1 AND l.rev > ?2 AND l.received_at >= ?3 AND l.received_at < ?4
             ORDER BY l.rev LIMIT ?5"
        );
        self.lines(&sql, params![plant, after, from, to, limit])
    }

    /// The first lines behind `after` of one customer's ledger, in order of their rev.
    pub(crate) fn customer_lines(
        &self,
        plant: PlantId,
        customer: CustomerId,
        after: u64,
        limit: u64,
    ) -> Result<Vec<LedgerLine>, Error> {
        self.lines(&customer_lines(), params![plant, customer, after, limit])
    }

    fn lines(&self, sql: &str, key: &[Value<'_>]) -> Result<Vec<LedgerLine>, Error> {
        self.all(sql, key, |row| {
            Ok(LedgerLine {
                rev: row.get(0)?,
                customer: row.get(1)?,
                name: row.get(2)?,
                kind: row.get(3)?,
                amount: row.get(4)?,
                note: row.get(5)?,
                author: row.get(6)?,
                role: people::role_of(&row.get::<String>(7)?),
                at: row.get(8)?,
                received_at: row.get(9)?,
            })
        })
    }
}
