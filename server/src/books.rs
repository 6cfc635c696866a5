//! A plant's books within one transaction: what is known of the database, and what the mutations so far have changed.

use crate::Error;
use crate::store::{Account, Changes, Customer, Plant, RiderDay, Settled, Stored, Tx};
use crate::who::{Author, Origin};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::{Action, CustomerId, Mutation, Profile, Role, Timestamp, TxnId};
use std::collections::{BTreeSet, HashMap};

/// A plant's books, open for the mutations of one author within one transaction.
///
/// What mutations change is collected and written when the books are closed. Whoever reads what may have changed
/// asks the books and not the database.
pub(crate) struct Books<'t> {
    pub(crate) tx: &'t Tx<'t>,
    pub(crate) plant: Plant,
    pub(crate) author: &'t Account,
    /// Where they come from.
    pub(crate) origin: &'t Origin,
    pub(crate) now: Timestamp,
    /// A rider's; `None` for others. It is written once, when the books are closed.
    pub(crate) rider_day: Option<RiderDay>,
    pub(crate) pace: Pace,
    /// What the mutation at hand changes, as far as it has come.
    pub(crate) draft: Changes,
    /// What those before it have changed and the database does not have yet.
    pub(crate) changes: Changes,
    /// What was read, or written by these books.
    seen: Seen,
}

/// When changes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Once, for all mutations: quick, and if the database refuses a row of one of them, nothing is written.
    AllAtOnce,
    /// Behind each mutation: if the database refuses a row of one, that one is settled as rejected.
    OneByOne,
}

/// What the books know of the database: `None` for what is not there.
#[derive(Default)]
struct Seen {
    mutations: HashMap<TxnId, Option<Stored>>,
    customers: HashMap<CustomerId, Option<Customer>>,
    profiles: HashMap<CustomerId, Option<Profile>>,
}

impl Seen {
    /// Takes what was written as what the database holds.
    fn remember(&mut self, written: Changes) {
        self.customers.extend(written.customers.into_iter().map(|(id, state)| (id, Some(state))));
        self.profiles.extend(written.profiles.into_iter().map(|(id, profile)| (id, Some(profile))));
    }
}

impl<'t> Books<'t> {
    pub(crate) fn open(
        tx: &'t Tx<'t>,
        author: impl Into<Author<'t>>,
        now: Timestamp,
        pace: Pace,
    ) -> Result<Self, Error> {
        let Author { account: author, origin } = author.into();
        let is_rider = author.role == Role::Rider;
        Ok(Self {
            tx,
            plant: tx.plant(author.plant)?,
            author,
            origin,
            now,
            rider_day: is_rider.then(|| tx.rider_day(author.plant, author.id)).transpose()?,
            pace,
            draft: Changes::default(),
            changes: Changes::default(),
            seen: Seen::default(),
        })
    }

    /// Writes what was collected, and makes the revs taken last. To be called once, when all mutations are settled.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.write_out()?;
        if let Some(rider_day) = &self.rider_day {
            self.tx.put_rider_day(self.plant.id, self.author.id, rider_day)?;
        }
        self.tx.set_rev(self.plant.id, self.plant.rev)
    }

    /// Writes what was collected.
    pub(crate) fn write_out(&mut self) -> Result<(), Error> {
        let changes = std::mem::take(&mut self.changes);
        self.tx.write_changes((self.plant.id, self.author.id), &changes, self.origin, self.now)?;
        self.seen.remember(changes);
        Ok(())
    }

    pub(crate) fn plant(&self) -> &Plant {
        &self.plant
    }

    /// The next rev. It counts once the books are closed.
    pub(crate) fn take_rev(&mut self) -> u64 {
        self.plant.rev += 1;
        self.plant.rev
    }

    /// Looks up at once what the mutations of a batch are about, instead of for each of them.
    pub(crate) fn look_up(&mut self, batch: &[Parsed]) -> Result<(), Error> {
        // One by one, a row that cannot be read stops only the mutation that needs it. Most requests only ask for news.
        if self.pace == Pace::OneByOne || batch.is_empty() {
            return Ok(());
        }
        let (plant, account) = (self.plant.id, self.author.id);
        let txns: BTreeSet<_> = batch.iter().map(Parsed::txn).collect();
        let txns: Vec<_> = txns.into_iter().collect();
        self.seen.mutations.extend(txns.iter().map(|txn| (*txn, None)));
        let known = self.tx.mutations(plant, account, &txns)?;
        self.seen.mutations.extend(known.into_iter().map(|stored| (stored.txn, Some(stored))));
        let (mut customers, mut profiles) = (BTreeSet::new(), BTreeSet::new());
        for parsed in batch {
            let Parsed::Known(Mutation { action, .. }) = parsed else { continue };
            customers.extend(action.customer());
            if let Action::UpdateProfile { customer, .. } = action {
                profiles.insert(*customer);
            }
        }
        let (customers, profiles): (Vec<_>, Vec<_>) =
            (customers.into_iter().collect(), profiles.into_iter().collect());
        self.seen.customers.extend(customers.iter().map(|id| (*id, None)));
        let known = self.tx.customers_by_id(plant, &customers)?;
        self.seen.customers.extend(known.into_iter().map(|(id, state)| (id, Some(state))));
        if !profiles.is_empty() {
            self.seen.profiles.extend(profiles.iter().map(|id| (*id, None)));
            let known = self.tx.profiles_by_id(plant, &profiles)?;
            self.seen.profiles.extend(known.into_iter().map(|(id, profile)| (id, Some(profile))));
        }
        Ok(())
    }

    /// The customer as the mutations so far have left it.
    pub(crate) fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, Error> {
        if let Some(state) = self.draft.customers.get(&id).or_else(|| self.changes.customers.get(&id)) {
            return Ok(Some(state.clone()));
        }
        if let Some(state) = self.seen.customers.get(&id) {
            return Ok(state.clone());
        }
        let state = self.tx.customer(self.plant.id, id)?;
        self.seen.customers.insert(id, state.clone());
        Ok(state)
    }

    /// The customer's profile as the mutations so far have left it.
    pub(crate) fn profile(&mut self, id: CustomerId) -> Result<Option<Profile>, Error> {
        if let Some(profile) = self.draft.profiles.get(&id).or_else(|| self.changes.profiles.get(&id)) {
            return Ok(Some(profile.clone()));
        }
        if let Some(profile) = self.seen.profiles.get(&id) {
            return Ok(profile.clone());
        }
        let profile = self.tx.profile(self.plant.id, id)?;
        self.seen.profiles.insert(id, profile.clone());
        Ok(profile)
    }

    /// The author's mutation with this id.
    pub(crate) fn mutation(&mut self, txn: TxnId) -> Result<Option<&Stored>, Error> {
        if !self.seen.mutations.contains_key(&txn) {
            let stored = self.tx.mutation(self.plant.id, self.author.id, txn)?;
            self.seen.mutations.insert(txn, stored);
        }
        Ok(self.seen.mutations.get(&txn).and_then(Option::as_ref))
    }

    /// Adds a mutation with its answer.
    pub(crate) fn keep(&mut self, settled: Settled) {
        let Settled { txn, dot, body, answer, .. } = &settled;
        let stored =
            Stored { txn: *txn, dot: *dot, body: body.clone(), answer: answer.clone(), is_withdrawn: false };
        self.seen.mutations.insert(*txn, Some(stored));
        self.changes.settled.push(settled);
    }

    /// Makes what the mutation at hand changes part of the books.
    pub(crate) fn accept_draft(&mut self) -> Result<(), Error> {
        let draft = std::mem::take(&mut self.draft);
        if self.pace == Pace::OneByOne {
            let (key, now) = ((self.plant.id, self.author.id), self.now);
            self.tx.savepoint(|| self.tx.write_changes(key, &draft, self.origin, now))?;
        }
        for (txn, _) in &draft.withdrawn {
            if let Some(Some(stored)) = self.seen.mutations.get_mut(txn) {
                stored.is_withdrawn = true;
            }
        }
        if self.pace == Pace::AllAtOnce {
            self.changes.absorb(draft);
        } else {
            self.seen.remember(draft);
        }
        Ok(())
    }
}
