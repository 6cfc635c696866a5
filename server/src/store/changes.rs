//! What a batch of mutations changes: collected in memory, then written table by table.
//!
//! So a batch costs a few statements instead of a few for each mutation, and a mutation that fails has touched
//! nothing yet.

use super::driver::Conflict::{Fail, Keep, Replace};
use super::people::role_name;
use super::value::{ToValue, Value, params};
use super::{Tx, tables};
use crate::Error;
use crate::who::Origin;
use carboy_protocol::wire::{Answer, LedgerEntry, Visit};
use carboy_protocol::{
    AccountId, ChainHash, CustomerId, Dot, FailReason, Field, Photo, PlantId, Profile, RouteId, Timestamp,
    TxnId,
};
use std::collections::BTreeMap;

/// The most characters of a name or a number that lists are sorted by and searched in: an index entry of
/// PostgreSQL ends at 2,700 bytes.
const MAX_INDEXED: usize = 100;

/// A customer but for the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    /// Minor units of the plant's currency.
    pub(crate) balance: i64,
    /// The last record about the customer as a stop.
    pub(crate) visit: Option<Visit>,
    /// Whether the customer was added by mistake.
    pub(crate) is_closed: bool,
    /// Of the last change of these or of the profile.
    pub(crate) rev: u64,
}

/// A mutation with its answer.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) txn: TxnId,
    pub(crate) dot: Dot,
    pub(crate) body: String,
    pub(crate) answer: Answer,
    /// What it does and to whom, for the audit trail; `None` for one that cannot be read.
    pub(crate) kind: Option<&'static str>,
    pub(crate) customer: Option<CustomerId>,
}

/// A visit in vain.
#[derive(Debug)]
pub(crate) struct FailedVisit {
    pub(crate) customer: CustomerId,
    pub(crate) rev: u64,
    pub(crate) reason: FailReason,
    pub(crate) note: Option<String>,
    pub(crate) at: Timestamp,
}

/// A photo that an applied mutation speaks of.
#[derive(Debug)]
pub(crate) struct ExpectedPhoto {
    pub(crate) photo: Photo,
    pub(crate) txn: TxnId,
}

/// A change of routes' stops.
#[derive(Debug)]
pub(crate) enum StopChange {
    /// The customer becomes the route's last stop.
    Append { route: RouteId, customer: CustomerId, rev: u64 },
    /// The customer is no stop any more.
    Remove { customer: CustomerId, rev: u64 },
}

/// What mutations of one author change. Nothing in it is in the database yet.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) settled: Vec<Settled>,
    /// Which mutation stands where, with the chain's hash behind it.
    pub(crate) dots: Vec<(Dot, TxnId, ChainHash)>,
    /// As they are now.
    pub(crate) customers: BTreeMap<CustomerId, Customer>,
    /// As they are now.
    pub(crate) profiles: BTreeMap<CustomerId, Profile>,
    /// The revs at which profiles changed.
    pub(crate) profile_changes: Vec<(u64, CustomerId)>,
    pub(crate) entries: Vec<LedgerEntry>,
    pub(crate) failed_visits: Vec<FailedVisit>,
    pub(crate) photos: Vec<ExpectedPhoto>,
    /// Mutations that were not applied, and what dealt with them.
    pub(crate) closed: Vec<(TxnId, TxnId)>,
    /// Mutations that were applied, and what took them back.
    pub(crate) withdrawn: Vec<(TxnId, TxnId)>,
    /// Failed visits that were taken back, by customer and rev.
    pub(crate) withdrawn_visits: Vec<(CustomerId, u64)>,
    pub(crate) stops: Vec<StopChange>,
}

impl Changes {
    /// Adds what came later.
    pub(crate) fn absorb(&mut self, later: Self) {
        self.settled.extend(later.settled);
        self.dots.extend(later.dots);
        self.customers.extend(later.customers);
        self.profiles.extend(later.profiles);
        self.profile_changes.extend(later.profile_changes);
        self.entries.extend(later.entries);
        self.failed_visits.extend(later.failed_visits);
        self.photos.extend(later.photos);
        self.closed.extend(later.closed);
        self.withdrawn.extend(later.withdrawn);
        self.withdrawn_visits.extend(later.withdrawn_visits);
        self.stops.extend(later.stops);
    }
}

/// Where and for whom changes are written.
#[derive(Clone, Copy)]
struct Written<'t> {
    tx: &'t Tx<'t>,
    plant: PlantId,
    account: AccountId,
    now: Timestamp,
}

impl Tx<'_> {
    /// Writes what mutations of `account` have changed.
    pub(crate) fn write_changes(
        &self,
        (plant, account): (PlantId, AccountId),
        changes: &Changes,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let written = Written { tx: self, plant, account, now };
        written.mutations(&changes.settled, origin)?;
        written.dots(&changes.dots)?;
        written.customers(&changes.customers)?;
        written.profiles(&changes.profiles)?;
        written.profile_changes(&changes.profile_changes)?;
        written.entries(&changes.entries)?;
        written.failed_visits(&changes.failed_visits)?;
        written.photos(&changes.photos)?;
        written.marks(changes)?;
        changes.stops.iter().try_for_each(|change| written.stop(change))
    }
}

impl Written<'_> {
    fn mutations(&self, settled: &[Settled], origin: &Origin) -> Result<(), Error> {
        let (device, address) = (origin.device(), origin.address());
        let answers: Vec<_> =
            settled.iter().map(|settled| serde_json::to_string(&settled.answer)).collect::<Result<_, _>>()?;
        let rows = settled.iter().zip(&answers).map(|(settled, answer)| {
            vec![
                self.plant.value(),
                self.account.value(),
                settled.txn.value(),
                settled.dot.actor.value(),
                settled.dot.seq.value(),
                settled.body.value(),
                Value::Text(status(&settled.answer)),
                answer.value(),
                self.now.value(),
                Value::Null,
                Value::Null,
                Value::Null,
                settled.kind.value(),
                settled.customer.value(),
                device.value(),
                address.value(),
                Value::Null,
                Value::Null,
                Value::Null,
            ]
        });
        self.tx.session.insert(&tables::MUTATIONS, Fail, &rows.collect::<Vec<_>>())
    }

    fn dots(&self, dots: &[(Dot, TxnId, ChainHash)]) -> Result<(), Error> {
        let rows = dots.iter().map(|(dot, txn, hash)| {
            vec![
                self.plant.value(),
                dot.actor.value(),
                dot.seq.value(),
                self.account.value(),
                txn.value(),
                hash.value(),
            ]
        });
        self.tx.session.insert(&tables::DOTS, Fail, &rows.collect::<Vec<_>>())
    }

    fn customers(&self, customers: &BTreeMap<CustomerId, Customer>) -> Result<(), Error> {
        let visits: Vec<_> = customers
            .values()
            .map(|state| state.visit.as_ref().map(serde_json::to_string).transpose())
            .collect::<Result<_, _>>()?;
        let rows = customers.iter().zip(&visits).map(|((customer, state), visit)| {
            vec![
                self.plant.value(),
                customer.value(),
                state.balance.value(),
                visit.value(),
                state.is_closed.value(),
                state.rev.value(),
            ]
        });
        self.tx.session.insert(&tables::CUSTOMERS, Replace, &rows.collect::<Vec<_>>())
    }

    fn profiles(&self, profiles: &BTreeMap<CustomerId, Profile>) -> Result<(), Error> {
        let shown: Vec<_> = profiles.values().map(Shown::of).collect::<Result<_, _>>()?;
        let rows = profiles.iter().zip(&shown).map(|((customer, profile), shown)| {
            vec![
                self.plant.value(),
                customer.value(),
                shown.json.value(),
                Value::Text(profile.shown(Field::Name).unwrap_or_default()),
                Value::Text(profile.shown(Field::Phone).unwrap_or_default()),
                shown.sort_name.value(),
                shown.search.value(),
                shown.conflicts.value(),
            ]
        });
        self.tx.session.insert(&tables::PROFILES, Replace, &rows.collect::<Vec<_>>())
    }

    fn profile_changes(&self, changes: &[(u64, CustomerId)]) -> Result<(), Error> {
        let rows =
            changes.iter().map(|(rev, customer)| vec![self.plant.value(), rev.value(), customer.value()]);
        self.tx.session.insert(&tables::PROFILE_CHANGES, Fail, &rows.collect::<Vec<_>>())
    }

    fn entries(&self, entries: &[LedgerEntry]) -> Result<(), Error> {
        let rows = entries.iter().map(|entry| {
            vec![
                self.plant.value(),
                entry.rev.value(),
                entry.customer.value(),
                entry.author.value(),
                entry.txn.value(),
                entry.kind.value(),
                entry.amount.minor.value(),
                entry.note.value(),
                Value::Text(role_name(entry.role)),
                entry.at.value(),
                self.now.value(),
            ]
        });
        self.tx.session.insert(&tables::LEDGER, Fail, &rows.collect::<Vec<_>>())
    }

    fn failed_visits(&self, visits: &[FailedVisit]) -> Result<(), Error> {
        let reasons: Vec<_> =
            visits.iter().map(|visit| serde_json::to_value(visit.reason)).collect::<Result<_, _>>()?;
        let rows = visits.iter().zip(&reasons).map(|(visit, reason)| {
            vec![
                self.plant.value(),
                visit.customer.value(),
                visit.rev.value(),
                self.account.value(),
                Value::Text(reason.as_str().unwrap_or_default()),
                visit.note.value(),
                visit.at.value(),
                self.now.value(),
                Value::Int(0),
            ]
        });
        self.tx.session.insert(&tables::FAILED_VISITS, Fail, &rows.collect::<Vec<_>>())
    }

    /// The first mutation that speaks of a photo stands.
    fn photos(&self, photos: &[ExpectedPhoto]) -> Result<(), Error> {
        let rows = photos.iter().map(|ExpectedPhoto { photo, txn }| {
            vec![
                self.plant.value(),
                photo.hash.value(),
                self.account.value(),
                txn.value(),
                photo.bytes.value(),
                Value::Int(0),
                Value::Int(0),
            ]
        });
        self.tx.session.insert(&tables::PHOTOS, Keep, &rows.collect::<Vec<_>>())
    }

    /// What is noted on rows that stand already.
    fn marks(&self, changes: &Changes) -> Result<(), Error> {
        let Self { tx, plant, account, .. } = *self;
        for (txn, by) in &changes.closed {
            // What dealt with it first stands.
            let sql = "UPDATE mutations SET closed_by = coalesce(closed_by, ?1)
                       WHERE plant = ?2 AND account = ?3 AND txn = ?4";
            tx.send(sql, params![by, plant, account, txn])?;
        }
        for (txn, by) in &changes.withdrawn {
            let sql = "UPDATE mutations SET withdrawn_by = ?1 WHERE plant = ?2 AND account = ?3 AND txn = ?4";
            tx.send(sql, params![by, plant, account, txn])?;
        }
        for (customer, rev) in &changes.withdrawn_visits {
            let sql =
                "UPDATE failed_visits SET withdrawn = 1 WHERE plant = ?1 AND customer = ?2 AND rev = ?3";
            tx.send(sql, params![plant, customer, rev])?;
        }
        Ok(())
    }

    fn stop(&self, change: &StopChange) -> Result<(), Error> {
        let Self { tx, plant, .. } = *self;
        match change {
            StopChange::Append { route, customer, rev } => {
                let sql = "UPDATE routes SET rev = ?1 WHERE plant = ?2 AND route = ?3";
                tx.send(sql, params![rev, plant, route])?;
                let sql = "SELECT coalesce(max(position) + 1, 0) FROM route_stops
                           WHERE plant = ?1 AND route = ?2";
                let position = tx.count(sql, params![plant, route])?;
                let sql =
                    "INSERT INTO route_stops (plant, route, position, customer) VALUES (?1, ?2, ?3, ?4)";
                tx.send(sql, params![plant, route, position, customer])?;
            }
            StopChange::Remove { customer, rev } => {
                let sql = "UPDATE routes SET rev = ?1 WHERE plant = ?2
                           AND route IN (SELECT route FROM route_stops WHERE plant = ?2 AND customer = ?3)";
                tx.send(sql, params![rev, plant, customer])?;
                let sql = "DELETE FROM route_stops WHERE plant = ?1 AND customer = ?2";
                tx.send(sql, params![plant, customer])?;
            }
        }
        Ok(())
    }
}

/// What became of a mutation, as the database names it.
pub(super) fn status(answer: &Answer) -> &'static str {
    match answer {
        Answer::Applied { .. } => "applied",
        Answer::Rejected { .. } => "rejected",
        Answer::Parked => "parked",
    }
}

/// What a profile's row holds beside the fields themselves.
struct Shown {
    json: String,
    sort_name: String,
    search: String,
    conflicts: usize,
}

impl Shown {
    fn of(profile: &Profile) -> Result<Self, Error> {
        let indexed = |field| {
            let text = profile.shown(field).unwrap_or_default().to_lowercase();
            text.chars().take(MAX_INDEXED).collect::<String>()
        };
        let (sort_name, phone) = (indexed(Field::Name), indexed(Field::Phone));
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        Ok(Self {
            json: serde_json::to_string(profile)?,
            search: format!("{sort_name}\n{phone}\n{digits}"),
            sort_name,
            conflicts: profile.conflicts().count(),
        })
    }
}
