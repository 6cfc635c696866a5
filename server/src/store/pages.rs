//! What the dashboard's pages show, page by page.

use super::{Row, Tx, Value, params, people};
use crate::Error;
use carboy_protocol::wire::Answer;
use carboy_protocol::{AccountId, CustomerId, DeviceId, PlantId, Role, Timestamp, TxnId};

/// Mutations that had no effect and that nobody has dealt with, as an index has them. All were received at some time:
/// told so, SQLite counts in the index, and otherwise among all mutations of the plant.
const OPEN: &str =
    "m.status <> 'applied' AND m.closed_by IS NULL AND m.closer IS NULL AND m.received_at >= 0";

/// Those that their author or a manager has dealt with.
const CLOSED: &str = "(m.closed_by IS NOT NULL OR m.closer IS NOT NULL) AND m.received_at >= 0";

/// A page of a customer's ledger. The revs come first, from the customer's index, and CROSS keeps SQLite to that: it would
/// rather walk the whole plant's ledger by rev until it has met enough of this customer's lines.
const LEDGER_PAGE: &str = "SELECT l.txn, a.name, l.role, l.amount, l.at, l.received_at, m.body, l.account,
         m.withdrawn_by IS NOT NULL
     FROM (SELECT rev FROM ledger WHERE plant = ?1 AND customer = ?2
           ORDER BY rev DESC LIMIT ?3 OFFSET ?4) AS page
     CROSS JOIN ledger l
     JOIN accounts a ON a.plant = l.plant AND a.account = l.account
     JOIN mutations m ON m.plant = l.plant AND m.account = l.account AND m.txn = l.txn
     WHERE l.plant = ?1 AND l.rev = page.rev
     ORDER BY page.rev DESC";

/// A part of a longer list.
#[derive(Debug, Clone)]
pub(crate) struct Part<T> {
    pub(crate) rows: Vec<T>,
    /// How many rows there are in all.
    pub(crate) total: u64,
}

/// A customer in a list.
#[derive(Debug, Clone)]
pub(crate) struct CustomerRow {
    pub(crate) customer: CustomerId,
    pub(crate) name: String,
    pub(crate) phone: String,
    /// Minor units.
    pub(crate) balance: i64,
    /// How many fields are in conflict.
    pub(crate) conflicts: u32,
    /// Whether the customer was added by mistake.
    pub(crate) is_closed: bool,
}

/// A line of a ledger with what explains it.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    pub(crate) txn: TxnId,
    pub(crate) account: AccountId,
    pub(crate) author: String,
    pub(crate) role: Role,
    /// Minor units.
    pub(crate) amount: i64,
    /// The balance behind this line, in minor units.
    pub(crate) after: i64,
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
    /// The mutation that it comes from.
    pub(crate) body: String,
    /// Whether that was withdrawn later, by a line of its own.
    pub(crate) is_withdrawn: bool,
}

/// A visit in vain.
#[derive(Debug, Clone)]
pub(crate) struct VisitRow {
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) note: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) is_withdrawn: bool,
}

/// A mutation that was rejected or parked.
#[derive(Debug, Clone)]
pub(crate) struct NotApplied {
    pub(crate) txn: TxnId,
    pub(crate) account: AccountId,
    pub(crate) author: String,
    pub(crate) role: Role,
    pub(crate) body: String,
    pub(crate) answer: Answer,
    pub(crate) received_at: Timestamp,
    /// Its author's mutation that dealt with it.
    pub(crate) closed_by: Option<String>,
    /// The manager who dealt with it.
    pub(crate) closing: Option<Closing>,
}

/// That a manager dealt with a mutation that had no effect.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    pub(crate) closer: String,
    pub(crate) at: Timestamp,
    pub(crate) note: Option<String>,
}

/// A phone, or a script's token.
#[derive(Debug, Clone)]
pub(crate) struct DeviceRow {
    pub(crate) device: DeviceId,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) enrolled_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) unsent: u64,
    pub(crate) is_chain_broken: bool,
    pub(crate) is_script: bool,
}

impl Tx<'_> {
    /// Customers by name: those whose name or number contains `search`, or all if it is empty.
    pub(crate) fn customers(
        &self,
        plant: PlantId,
        search: &str,
        (limit, offset): (u64, u64),
    ) -> Result<Part<CustomerRow>, Error> {
        let search = search.trim().to_lowercase();
        let digits: String = search.chars().filter(char::is_ascii_digit).collect();
        // A number is found however it is spaced; any other text is looked for as it stands.
        let is_number =
            !digits.is_empty() && search.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
        let pattern = contains(if is_number { &digits } else { &search });
        // All of it reads nothing but an index; only the rows of the page are looked up.
        let matches = "FROM profiles WHERE plant = ?1 AND search LIKE ?2 ESCAPE '\\'";
        let page =
            format!("SELECT sort_name, customer {matches} ORDER BY sort_name, customer LIMIT ?3 OFFSET ?4");
        let rows = self.customer_rows(&page, params![plant, pattern, limit, offset])?;
        let until_here = offset + rows.len() as u64;
        let total = match rows.last() {
            // What was read for the page is not read again to be counted.
            Some(last) if rows.len() as u64 == limit => {
                let behind = "AND (sort_name, customer) >
                              ((SELECT sort_name FROM profiles WHERE plant = ?1 AND customer = ?3), ?3)";
                let sql = format!("SELECT count(*) {matches} {behind}");
                until_here + self.count(&sql, params![plant, pattern, last.customer])?
            }
            None if offset > 0 => {
                self.count(&format!("SELECT count(*) {matches}"), params![plant, pattern])?
            }
            _ => until_here,
        };
        Ok(Part { rows, total })
    }

    /// Customers with a field in conflict, by name.
    pub(crate) fn customers_in_conflict(
        &self,
        plant: PlantId,
        (limit, offset): (u64, u64),
    ) -> Result<Part<CustomerRow>, Error> {
        let page = "SELECT sort_name, customer FROM profiles WHERE plant = ?1 AND conflicts > 0
                    ORDER BY sort_name, customer LIMIT ?2 OFFSET ?3";
        let rows = self.customer_rows(page, params![plant, limit, offset])?;
        Ok(Part { rows, total: self.conflict_count(plant)? })
    }

    /// What the customer is called, `None` if there is no such customer.
    pub(crate) fn customer_name(
        &self,
        plant: PlantId,
        customer: CustomerId,
    ) -> Result<Option<String>, Error> {
        let sql = "SELECT name FROM profiles WHERE plant = ?1 AND customer = ?2";
        self.one(sql, params![plant, customer], |row| row.get(0))
    }

    pub(crate) fn conflict_count(&self, plant: PlantId) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM profiles WHERE plant = ?1 AND conflicts > 0";
        self.count(sql, params![plant])
    }

    /// A customer's ledger, newest first.
    pub(crate) fn ledger(
        &self,
        plant: PlantId,
        customer: CustomerId,
        (limit, offset): (u64, u64),
    ) -> Result<Part<LedgerRow>, Error> {
        let sql = "SELECT count(*) FROM ledger WHERE plant = ?1 AND customer = ?2";
        let total = self.count(sql, params![plant, customer])?;
        let newer = "SELECT c.balance - CAST(coalesce((
                         SELECT sum(amount) FROM (
                             SELECT amount FROM ledger WHERE plant = ?1 AND customer = ?2
                             ORDER BY rev DESC LIMIT ?3) AS newer), 0) AS BIGINT)
                     FROM customers c WHERE plant = ?1 AND customer = ?2";
        let after = self.one(newer, params![plant, customer, offset], |row| row.get(0))?;
        let mut after: i64 = after.ok_or(Error::NotFound("customer"))?;
        let rows = self.all(LEDGER_PAGE, params![plant, customer, limit, offset], |row| {
            let line = LedgerRow {
                txn: row.get(0)?,
                author: row.get(1)?,
                role: people::role_of(&row.get::<String>(2)?),
                amount: row.get(3)?,
                after,
                at: row.get(4)?,
                received_at: row.get(5)?,
                body: row.get(6)?,
                account: row.get(7)?,
                is_withdrawn: row.get(8)?,
            };
            after = after.saturating_sub(line.amount);
            Ok(line)
        })?;
        Ok(Part { rows, total })
    }

    /// The last visits to a customer that were in vain, newest first.
    pub(crate) fn failed_visits(
        &self,
        plant: PlantId,
        customer: CustomerId,
        limit: u64,
    ) -> Result<Vec<VisitRow>, Error> {
        let sql = "SELECT a.name, v.reason, v.note, v.at, v.withdrawn
                   FROM failed_visits v JOIN accounts a ON a.plant = v.plant AND a.account = v.account
                   WHERE v.plant = ?1 AND v.customer = ?2 ORDER BY v.rev DESC LIMIT ?3";
        self.all(sql, params![plant, customer, limit], |row| {
            Ok(VisitRow {
                author: row.get(0)?,
                reason: row.get(1)?,
                note: row.get(2)?,
                at: row.get(3)?,
                is_withdrawn: row.get(4)?,
            })
        })
    }

    /// Mutations that were rejected or parked, newest first: those that nobody has dealt with, or the others.
    pub(crate) fn not_applied(
        &self,
        plant: PlantId,
        is_closed: bool,
        (limit, offset): (u64, u64),
    ) -> Result<Part<NotApplied>, Error> {
        let condition = if is_closed { CLOSED } else { OPEN };
        let sql = format!("SELECT count(*) FROM mutations m WHERE m.plant = ?1 AND {condition}");
        let total = self.count(&sql, params![plant])?;
        let sql = format!(
            "SELECT a.name, a.role, m.body, m.answer, m.received_at, m.txn, c.body,
                 m.account, k.name, m.closed_at, m.closed_note
             FROM mutations m JOIN accounts a ON a.plant = m.plant AND a.account = m.account
             LEFT JOIN mutations c ON c.plant = m.plant AND c.account = m.account AND c.txn = m.closed_by
             LEFT JOIN accounts k ON k.plant = m.plant AND k.account = m.closer
             WHERE m.plant = ?1 AND {condition}
             ORDER BY m.received_at DESC, m.seq DESC LIMIT ?2 OFFSET ?3"
        );
        let rows = self.all(&sql, params![plant, limit, offset], |row| {
            Ok(NotApplied {
                author: row.get(0)?,
                role: people::role_of(&row.get::<String>(1)?),
                body: row.get(2)?,
                answer: serde_json::from_str(&row.get::<String>(3)?)?,
                received_at: row.get(4)?,
                txn: row.get(5)?,
                closed_by: row.get(6)?,
                account: row.get(7)?,
                closing: closing(row)?,
            })
        })?;
        Ok(Part { rows, total })
    }

    /// How many mutations were rejected or parked that nobody has dealt with.
    pub(crate) fn open_count(&self, plant: PlantId) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM mutations m WHERE m.plant = ?1 AND {OPEN}");
        self.count(&sql, params![plant])
    }

    /// The plant's devices: those in use first, then by owner.
    pub(crate) fn devices(&self, plant: PlantId) -> Result<Vec<DeviceRow>, Error> {
        let sql = "SELECT d.device, d.name, a.name, d.enrolled_at, d.revoked_at, d.last_seen,
                       coalesce(d.unsent, 0), d.chain_broken, d.public_key IS NULL
                   FROM devices d JOIN accounts a ON a.plant = d.plant AND a.account = d.account
                   WHERE d.plant = ?1
                   ORDER BY d.revoked_at IS NOT NULL, lower(a.name), d.enrolled_at DESC";
        self.all(sql, params![plant], |row| {
            Ok(DeviceRow {
                device: row.get(0)?,
                name: row.get(1)?,
                owner: row.get(2)?,
                enrolled_at: row.get(3)?,
                revoked_at: row.get(4)?,
                last_seen: row.get(5)?,
                unsent: row.get(6)?,
                is_chain_broken: row.get(7)?,
                is_script: row.get(8)?,
            })
        })
    }

    /// The customers of the page that this query gives, in its order.
    fn customer_rows(&self, page: &str, key: &[Value<'_>]) -> Result<Vec<CustomerRow>, Error> {
        // Nothing is missing on the right: the join says LEFT so that SQLite reads the page first, and not everybody.
        let sql = format!(
            "SELECT f.customer, f.name, f.phone, c.balance, f.conflicts, c.closed FROM ({page}) AS p
             LEFT JOIN profiles f ON f.plant = ?1 AND f.customer = p.customer
             LEFT JOIN customers c ON c.plant = ?1 AND c.customer = p.customer
             ORDER BY p.sort_name, p.customer"
        );
        self.all(&sql, key, |row| {
            Ok(CustomerRow {
                customer: row.get(0)?,
                name: row.get(1)?,
                phone: row.get(2)?,
                balance: row.get(3)?,
                conflicts: row.get(4)?,
                is_closed: row.get(5)?,
            })
        })
    }
}

fn closing(row: &Row<'_>) -> Result<Option<Closing>, Error> {
    let (closer, at): (Option<String>, Option<Timestamp>) = (row.get(8)?, row.get(9)?);
    let note = row.get(10)?;
    Ok(closer.zip(at).map(|(closer, at)| Closing { closer, at, note }))
}

/// A LIKE pattern for texts that contain this one.
fn contains(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;
    use crate::store::exports;

    #[test]
    fn what_few_mutations_or_customers_are_is_found_in_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(&folder.path().join("carboy.db")).unwrap();
        let parked =
            "mutations WHERE plant = x'00' AND status = 'parked' AND closed_by IS NULL AND closer IS NULL
                      AND (received_at, actor, seq) > (0, x'00', 0)";
        for (what, expected) in [
            (parked.to_owned(), "INDEX mutations_parked"),
            (format!("mutations m WHERE m.plant = x'00' AND {OPEN}"), "INDEX mutations_open"),
            (format!("mutations m WHERE m.plant = x'00' AND {CLOSED}"), "INDEX mutations_closed"),
            ("profiles WHERE plant = x'00' AND conflicts > 0".to_owned(), "INDEX profiles_in_conflict"),
        ] {
            let plan = plan_of(&server, &format!("SELECT count(*) FROM {what}"));
            assert!(plan.contains(expected), "{what}: {plan}");
        }
    }

    #[test]
    fn a_customers_ledger_is_read_without_a_walk_over_the_plants() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(&folder.path().join("carboy.db")).unwrap();
        for sql in [LEDGER_PAGE.to_owned(), exports::customer_lines()] {
            let plan = plan_of(&server, &sql);
            assert!(plan.contains("l USING PRIMARY KEY (plant=? AND rev=?)"), "{sql}: {plan}");
        }
    }

    fn plan_of(server: &Server, sql: &str) -> String {
        let filled = (1..=4).fold(sql.to_owned(), |sql, number| sql.replace(&format!("?{number}"), "1"));
        format!("{:?}", server.store().rows(&format!("EXPLAIN QUERY PLAN {filled}")).unwrap())
    }
}
