//! What can be read of a damaged store: through SQLite row by row, around the pages that it cannot read, and from the
//! raw bytes where that does not give all.

use super::carve::{self, Carved};
use super::{Place, SHORTEST, beside, size};
use crate::store::{bytes, outbox::KEPT};
use carboy_protocol::{ActorId, CustomerId, Dot, Mutation, TxnId};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// An unsettled record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) body: Vec<u8>,
    pub(super) customer: Option<CustomerId>,
    /// Its effect on that customer's balance, where the row tells it.
    pub(super) amount: Option<i64>,
    pub(super) before: Option<String>,
}

/// A line of the attention list.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) customer: Option<CustomerId>,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) body: Vec<u8>,
}

/// What a damaged store holds.
#[derive(Debug, Default)]
pub(super) struct Finds {
    /// The unsettled records in their order.
    pub(super) records: Vec<Saved>,
    /// How many more there were; `None` if nothing tells.
    pub(super) missing: Option<u64>,
    /// No number behind this one was given.
    pub(super) last_id: u64,
    /// The last event of the old history that the server has settled.
    pub(super) parent: Option<Dot>,
    pub(super) attention: Vec<Item>,
}

/// Where the old history stood.
struct Standing {
    actor: ActorId,
    base: u64,
    parent: Option<Dot>,
    last_id: u64,
    settled_id: u64,
}

/// What the table of records gives.
#[derive(Default)]
struct Rows {
    unsettled: BTreeMap<u64, Saved>,
    /// Settled ones, as far as their bytes can be read.
    settled: BTreeMap<u64, Option<TxnId>>,
}

impl Finds {
    /// Reads all that can be read. The file stays as it is.
    pub(super) fn gather(place: &Place) -> Self {
        let mut carved = carve_wal(place);
        carved.extend(carve_database(place));
        let mut reader = Reader { place, connection: None };
        let standing = standing(&mut reader);
        if let Some(standing) = &standing
            && carve::has_wal_header(&beside(&place.path, "-wal"))
        {
            // Behind the last number stands only what was never committed.
            carved.retain(|found| found.id.is_none_or(|id| id <= standing.last_id));
        }
        let attention = attention(&mut reader);
        let highest = carved.iter().filter_map(|found| found.id).max().unwrap_or(0);
        let last_id = standing.as_ref().map_or(highest, |standing| standing.last_id);
        let settled_id = standing.as_ref().map(|standing| standing.settled_id);
        let rows = rows(&mut reader, settled_id, last_id);
        let mut finds = Self::merge(rows, carved, standing.as_ref());
        let listed = attention.iter().map(|item| item.id).max().unwrap_or(0);
        finds.last_id = finds.last_id.max(listed).max(highest);
        finds.parent = standing.and_then(|Standing { actor, base, parent, settled_id, .. }| {
            let settled_seq = settled_id.saturating_sub(base);
            if settled_seq > 0 { Some(Dot { actor, seq: settled_seq }) } else { parent }
        });
        finds.attention = attention;
        finds
    }

    /// What the rows do not give is taken from what was carved.
    fn merge(rows: Rows, carved: Vec<Carved>, standing: Option<&Standing>) -> Self {
        let Rows { mut unsettled, settled } = rows;
        let expected = |id: u64| standing.is_none_or(|standing| id > standing.settled_id);
        let mut txns: BTreeSet<TxnId> = unsettled.values().filter_map(Saved::txn).collect();
        txns.extend(settled.values().copied().flatten());
        let mut numberless = Vec::new();
        for found in carved {
            let Carved { id, mutation, body } = found;
            let saved = Saved { body, customer: None, amount: None, before: None };
            match id {
                Some(id) => {
                    txns.insert(mutation.txn);
                    if expected(id) && !settled.contains_key(&id) {
                        unsettled.entry(id).or_insert(saved);
                    }
                }
                None => numberless.push((mutation, saved)),
            }
        }
        let missing = standing.map(|standing| {
            let span = standing.last_id.saturating_sub(standing.settled_id);
            span.saturating_sub(unsettled.len() as u64)
        });
        let last_id = unsettled.keys().next_back().copied().unwrap_or(0);
        let last_id = standing.map_or(last_id, |standing| last_id.max(standing.last_id));
        let mut records: Vec<Saved> = unsettled.into_values().collect();
        let numbered = records.len();
        // Those without a number may be settled long since: not where every number was found.
        if missing != Some(0) {
            numberless.retain(|(mutation, _)| txns.insert(mutation.txn));
            numberless.sort_by_key(|(mutation, _)| mutation.at);
            for (mutation, saved) in numberless {
                insert_by_time(&mut records, &mutation, saved);
            }
        }
        let missing = missing.map(|missing| missing.saturating_sub((records.len() - numbered) as u64));
        Self { records, missing, last_id, ..Self::default() }
    }
}

impl Saved {
    fn mutation(&self) -> Option<Mutation> {
        serde_json::from_slice(&self.body).ok()
    }

    fn txn(&self) -> Option<TxnId> {
        self.mutation().map(|mutation| mutation.txn)
    }
}

/// The device's clock is the best that is left to tell where it belongs.
fn insert_by_time(records: &mut Vec<Saved>, mutation: &Mutation, saved: Saved) {
    let is_later = |other: &Saved| other.mutation().is_some_and(|other| other.at > mutation.at);
    let at = records.iter().position(is_later).unwrap_or(records.len());
    records.insert(at, saved);
}

/// Reads row by row. After a failure it goes on with a new connection: encrypted, the old one fails for good.
struct Reader<'p> {
    place: &'p Place,
    connection: Option<Connection>,
}

impl Reader<'_> {
    /// The one row that `sql` asks for; nothing if there is none, or none that can be read.
    fn ask<T>(
        &mut self,
        sql: &str,
        key: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Option<T> {
        // SQLite would take it for a new one, and delete its WAL.
        if self.connection.is_none() && size(&self.place.path) >= SHORTEST {
            self.connection = self.place.old().ok();
        }
        let mut query = match self.connection.as_ref()?.prepare_cached(sql) {
            Ok(query) => query,
            Err(_) => return None,
        };
        let result = query.query_row(key, read).optional();
        drop(query);
        result.unwrap_or_else(|_| {
            self.connection = None;
            None
        })
    }
}

/// Whether a WAL that SQLite does not read holds records that the database does not know.
pub(super) fn has_newer(place: &Place) -> bool {
    let carved = carve_wal(place);
    let standing = standing(&mut Reader { place, connection: None });
    standing
        .is_some_and(|standing| carved.iter().any(|found| found.id.is_some_and(|id| id > standing.last_id)))
}

/// Nothing can be carved from an encrypted file.
fn carve_wal(place: &Place) -> Vec<Carved> {
    if place.key.is_some() {
        return Vec::new();
    }
    carve::wal(&fs::read(beside(&place.path, "-wal")).unwrap_or_default())
}

/// Comes while no connection is open: closing a descriptor of the file would drop its locks.
fn carve_database(place: &Place) -> Vec<Carved> {
    if place.key.is_some() {
        return Vec::new();
    }
    carve::database(&fs::read(&place.path).unwrap_or_default())
}

fn standing(reader: &mut Reader<'_>) -> Option<Standing> {
    let sql = "SELECT actor, base, parent_actor, parent_seq, last_id, settled_id FROM meta";
    reader.ask(sql, [], |row| {
        let parent = match (row.get(2)?, row.get(3)?) {
            (Some(actor), Some(seq)) => Some(Dot { actor: ActorId::from_bytes(actor), seq }),
            _ => None,
        };
        let actor = ActorId::from_bytes(row.get(0)?);
        Ok(Standing { actor, base: row.get(1)?, parent, last_id: row.get(4)?, settled_id: row.get(5)? })
    })
}

/// Asks for each number by itself: a page that cannot be read takes no more with it than what is on it.
fn rows(reader: &mut Reader<'_>, settled_id: Option<u64>, last_id: u64) -> Rows {
    let mut rows = Rows::default();
    let first_id = settled_id.map_or(1, |settled_id| settled_id.saturating_sub(KEPT) + 1);
    let greatest = reader.ask("SELECT max(id) FROM record", [], |row| row.get::<_, Option<u64>>(0));
    let last_id = last_id.max(greatest.flatten().unwrap_or(0));
    let sql = "SELECT body, amount, before, customer, done <> 0 OR rev IS NOT NULL FROM record WHERE id = ?";
    for id in first_id..=last_id {
        let row = reader.ask(sql, [id], |row| Ok((saved(row)?, row.get(3)?, row.get::<_, bool>(4)?)));
        let Some((mut saved, customer, is_settled)) = row else { continue };
        if is_settled || settled_id.is_some_and(|settled_id| id <= settled_id) {
            rows.settled.insert(id, saved.txn());
        } else {
            saved.customer = customer_of(reader, customer);
            rows.unsettled.insert(id, saved);
        }
    }
    rows
}

fn saved(row: &Row<'_>) -> rusqlite::Result<Saved> {
    let before = row.get_ref(2)?.as_bytes_or_null()?;
    let before = before.and_then(|text| String::from_utf8(text.to_vec()).ok());
    Ok(Saved { body: bytes(row, 0)?.to_vec(), amount: row.get(1)?, before, customer: None })
}

fn customer_of(reader: &mut Reader<'_>, row: Option<i64>) -> Option<CustomerId> {
    let sql = "SELECT customer FROM customer WHERE id = ?";
    reader.ask(sql, [row?], |row| row.get(0)).map(CustomerId::from_bytes)
}

/// From the beginning as far as it goes, and then from the end.
fn attention(reader: &mut Reader<'_>) -> Vec<Item> {
    let mut found = BTreeMap::new();
    let columns = "SELECT id, customer, reason, detail, body FROM attention";
    for (condition, mut behind) in
        [("id > ? ORDER BY id LIMIT 1", -1_i64), ("id < ? ORDER BY id DESC LIMIT 1", i64::MAX)]
    {
        let sql = format!("{columns} WHERE {condition}");
        while let Some((id, item, customer)) = reader.ask(&sql, [behind], item) {
            let customer = customer_of(reader, customer);
            if found.insert(id, Item { customer, ..item }).is_some() {
                break;
            }
            behind = id;
        }
    }
    found.into_values().collect()
}

fn item(row: &Row<'_>) -> rusqlite::Result<(i64, Item, Option<i64>)> {
    let text = |column| bytes(row, column).map(|text| String::from_utf8_lossy(text).into_owned());
    let (reason, detail, body) = (text(2)?, text(3)?, bytes(row, 4)?.to_vec());
    Ok((row.get(0)?, Item { id: row.get(0)?, customer: None, reason, detail, body }, row.get(1)?))
}
