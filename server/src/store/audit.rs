//! The audit trail: the changes that are no mutations, and both kinds together, newest first.

use super::value::ToValue;
use super::{Row, Tx, Value, params};
use crate::Error;
use crate::audit::Change;
use crate::who::By;
use carboy_protocol::wire::Answer;
use carboy_protocol::{AccountId, ActorId, CustomerId, PlantId, Timestamp};

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Those that this person made, or that changed this person's account.
    pub(crate) person: Option<AccountId>,
    /// Those of this kind: a mutation's or a [`Change`]'s name.
    pub(crate) kind: Option<String>,
    /// Mutations about this customer.
    pub(crate) customer: Option<CustomerId>,
    /// Not before this time.
    pub(crate) from: Option<Timestamp>,
}

/// A mutation's time, actor and seq.
type MutationPlace = (i64, ActorId, u64);

/// A change's time and number.
type ChangePlace = (i64, u64);

/// Lines of one kind with their places.
type Lines<P> = Vec<(P, Entry)>;

/// Where the trail goes on: behind these two entries. Each kind has a place of its own, so that none is passed over
/// where several have one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) mutation: MutationPlace,
    pub(crate) change: ChangePlace,
}

/// A line of the trail.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    /// Who did it; `None` where nobody had proven who it is.
    pub(crate) author: Option<String>,
    /// The phone or script that it came from, and whether it is a script.
    pub(crate) device: Option<(String, bool)>,
    /// From where; `None` for the server's own machine.
    pub(crate) address: Option<String>,
    pub(crate) what: What,
}

/// What a line of the trail says.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A mutation, as it came, and what became of it.
    Mutation { body: String, answer: Answer, customer: Option<(CustomerId, String)> },
    /// Another change: its kind's name, and a word about what was changed.
    Change { kind: String, detail: String },
}

/// A part of the trail.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub(crate) entries: Vec<Entry>,
    /// Where it goes on; `None` at the end.
    pub(crate) next: Option<Cursor>,
}

impl Cursor {
    /// Everything before `end`.
    pub(crate) fn before(end: Timestamp) -> Self {
        Self { mutation: (end.0, ActorId::from_bytes([0; 16]), 0), change: (end.0, 0) }
    }
}

/// Who and whence of the lines that stand in `from`, in the columns that [`entry`] reads. `x` is what `from` calls them.
fn whence(from: &str, x: &str) -> String {
    format!(
        "p.name, d.name, d.public_key IS NULL, {x}.address
         FROM {from} LEFT JOIN accounts p ON p.plant = {x}.plant AND p.account = {x}.account
         LEFT JOIN devices d ON d.plant = {x}.plant AND d.device = {x}.device"
    )
}

impl Tx<'_> {
    pub(crate) fn insert_audit(
        &self,
        by: By<'_>,
        at: Timestamp,
        change: Change,
        subject: Option<&[u8; 16]>,
        detail: &str,
    ) -> Result<(), Error> {
        // Under the plant's lock, so no two have one number.
        let last = "SELECT number FROM audit WHERE plant = ?1 ORDER BY number DESC LIMIT 1";
        let last: Option<u64> = self.one(last, params![by.plant], |row| row.get(0))?;
        let sql = "INSERT INTO audit (plant, number, at, account, device, address, kind, subject, detail)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.execute(
            sql,
            params![
                by.plant,
                last.unwrap_or_default() + 1,
                at,
                by.account.map(|account| account.id),
                by.origin.device(),
                by.origin.address(),
                change.name(),
                subject,
                detail
            ],
        )?;
        Ok(())
    }

    /// At most `limit` entries behind `cursor`, newest first.
    pub(crate) fn trail(
        &self,
        plant: PlantId,
        filter: &Filter,
        cursor: Cursor,
        limit: usize,
    ) -> Result<Trail, Error> {
        let mutations = self.trail_of_mutations(plant, filter, cursor.mutation, limit + 1)?;
        let changes = self.trail_of_changes(plant, filter, cursor.change, limit + 1)?;
        let is_all = mutations.len() + changes.len() <= limit;
        let (mut mutations, mut changes) = (mutations.into_iter().peekable(), changes.into_iter().peekable());
        let (mut entries, mut next) = (Vec::new(), cursor);
        while entries.len() < limit {
            let time = |entry: Option<&Entry>| entry.map(|entry| entry.at);
            let (mutation, change) = (
                time(mutations.peek().map(|(_, entry)| entry)),
                time(changes.peek().map(|(_, entry)| entry)),
            );
            if mutation >= change {
                let Some((key, entry)) = mutations.next() else { break };
                next.mutation = key;
                entries.push(entry);
            } else {
                let Some((key, entry)) = changes.next() else { break };
                next.change = key;
                entries.push(entry);
            }
        }
        Ok(Trail { entries, next: (!is_all).then_some(next) })
    }

    fn trail_of_mutations(
        &self,
        plant: PlantId,
        filter: &Filter,
        (at, actor, seq): MutationPlace,
        limit: usize,
    ) -> Result<Lines<MutationPlace>, Error> {
        let sql = "SELECT k.plant, k.account, k.txn FROM mutations k
                   WHERE k.plant = ?1 AND (k.received_at, k.actor, k.seq) < (?2, ?3, ?4)";
        let mut query = Query { sql: sql.to_owned(), params: params![plant, at, actor, seq].to_vec() };
        query.and_if("k.received_at >= ?", filter.from.as_ref());
        query.and_if("k.account = ?", filter.person.as_ref());
        query.and_if("k.kind = ?", filter.kind.as_ref());
        query.and_if("k.customer = ?", filter.customer.as_ref());
        query.end("ORDER BY k.received_at DESC, k.actor DESC, k.seq DESC", &limit);
        // The inner query walks an index alone, however many lines the filter passes over.
        let keys = query.sql;
        query.sql = format!(
            "SELECT m.received_at, m.actor, m.seq, m.body, m.answer, m.customer, f.name, {}
             LEFT JOIN profiles f ON f.plant = m.plant AND f.customer = m.customer
             ORDER BY m.received_at DESC, m.actor DESC, m.seq DESC",
            whence(
                &format!(
                    "({keys}) n JOIN mutations m
                     ON m.plant = n.plant AND m.account = n.account AND m.txn = n.txn"
                ),
                "m"
            )
        );
        self.all(&query.sql, &query.params, |row| {
            let customer: (Option<CustomerId>, Option<String>) = (row.get(5)?, row.get(6)?);
            let what = What::Mutation {
                body: row.get(3)?,
                answer: serde_json::from_str(&row.get::<String>(4)?)?,
                customer: customer.0.zip(customer.1),
            };
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?), entry(row, 7, what)?))
        })
    }

    fn trail_of_changes(
        &self,
        plant: PlantId,
        filter: &Filter,
        (at, number): ChangePlace,
        limit: usize,
    ) -> Result<Lines<ChangePlace>, Error> {
        let sql = format!(
            "SELECT e.at, e.number, e.kind, e.detail, {}
             WHERE e.plant = ?1 AND (e.at, e.number) < (?2, ?3)",
            whence("audit e", "e")
        );
        let mut query = Query { sql, params: params![plant, at, number].to_vec() };
        query.and_if("e.at >= ?", filter.from.as_ref());
        query.and_if("? IN (e.account, e.subject)", filter.person.as_ref());
        query.and_if("e.kind = ?", filter.kind.as_ref());
        query.and_if("e.subject = ?", filter.customer.as_ref());
        query.end("ORDER BY e.at DESC, e.number DESC", &limit);
        self.all(&query.sql, &query.params, |row| {
            let what = What::Change { kind: row.get(2)?, detail: row.get(3)? };
            Ok(((row.get(0)?, row.get(1)?), entry(row, 4, what)?))
        })
    }
}

/// A line of the trail, whose time stands in the first column and whose author and so on from column `first` on.
fn entry(row: &Row<'_>, first: usize, what: What) -> Result<Entry, Error> {
    let device: Option<String> = row.get(first + 1)?;
    let is_script = row.get(first + 2)?;
    let device = device.map(|name| (name, is_script));
    Ok(Entry { at: row.get(0)?, author: row.get(first)?, device, address: row.get(first + 3)?, what })
}

/// A query whose conditions depend on what is asked for: only then can an index serve each of them.
struct Query<'p> {
    sql: String,
    params: Vec<Value<'p>>,
}

impl<'p> Query<'p> {
    /// Adds a condition with one `?` if there is a value for it.
    fn and_if(&mut self, condition: &str, value: Option<&'p impl ToValue>) {
        if let Some(value) = value {
            self.params.push(value.value());
            let place = format!("?{}", self.params.len());
            self.sql.push_str(&format!(" AND {}", condition.replace('?', &place)));
        }
    }

    fn end(&mut self, order: &str, limit: &'p usize) {
        self.params.push(limit.value());
        self.sql.push_str(&format!(" {order} LIMIT ?{}", self.params.len()));
    }
}
