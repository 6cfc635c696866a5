//! What each kind of mutation does when it is new.

use crate::Error;
use crate::apply::{Fault, TakenBack};
use crate::books::Books;
use crate::store::{Actor, Customer, ExpectedPhoto, FailedVisit, StopChange};
#[cfg(feature = "planted")]
use carboy_protocol::planted::{self, Bug};
use carboy_protocol::wire::{LedgerEntry, Rejection, Visit};
use carboy_protocol::{
    Action, CustomerId, Dot, Edit, Field, Money, MoneyError, Mutation, PlantId, Profile, Role, RouteId,
    Sibling, VectorClock, Write,
};
use std::collections::BTreeMap;

/// How far a Lamport counter may run ahead of the profile's: an honest phone is ahead by what it wrote offline.
const MAX_LAMPORT_LEAD: u64 = 10_000;

/// A delivery with this proof panics behind its effect.
#[cfg(test)]
pub(crate) const PANICS: &str = "panic, please";

impl Books<'_> {
    /// Drafts the effect at `rev`; returns what was taken back by it, if it was a reversal.
    pub(crate) fn effect(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        rev: u64,
    ) -> Result<Option<TakenBack>, Fault> {
        self.check(mutation)?;
        let taken_back = self.kind_effect(actor, mutation, rev)?;
        if let Some(replaced) = mutation.replaces {
            self.close_replaced(replaced, mutation.txn)?;
        }
        #[cfg(test)]
        if let Action::ConfirmDelivery { proof: Some(proof), .. } = &mutation.action {
            assert!(proof != PANICS, "asked to panic");
        }
        Ok(taken_back)
    }

    /// What holds for every kind.
    fn check(&self, mutation: &Mutation) -> Result<(), Fault> {
        let action = &mutation.action;
        action.validate().map_err(|error| Fault::Rejected(Rejection::Invalid, error.to_string()))?;
        if action.needs_manager() && self.author.role != Role::Manager {
            let detail = format!("{} needs a manager, {} is a rider", action.kind(), self.author.name);
            return Err(Fault::Rejected(Rejection::Forbidden, detail));
        }
        if !self.author.may_record() {
            let detail = format!("{} may look and change nothing", self.author.name);
            return Err(Fault::Rejected(Rejection::Forbidden, detail));
        }
        match action.currency() {
            Some(currency) if currency != self.plant.currency => {
                let detail = format!("{currency} where the plant's is {}", self.plant.currency);
                Err(Fault::Rejected(Rejection::CurrencyMismatch, detail))
            }
            _ => Ok(()),
        }
    }

    fn kind_effect(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        rev: u64,
    ) -> Result<Option<TakenBack>, Fault> {
        match &mutation.action {
            Action::ConfirmDelivery { customer, photos, .. } => {
                self.append_amount(mutation, *customer, rev)?;
                self.visit(mutation, *customer, rev)?;
                let txn = mutation.txn;
                let photos = photos.iter().map(|photo| ExpectedPhoto { photo: *photo, txn });
                self.draft.photos.extend(photos);
            }
            Action::CollectCash { customer, .. }
            | Action::AdjustBalance { customer, .. }
            | Action::SetBalance { customer, .. } => self.append_amount(mutation, *customer, rev)?,
            Action::UpdateProfile { customer, edit } => self.write(actor, mutation, *customer, edit, rev)?,
            Action::FailDelivery { customer, reason, note } => {
                self.visit(mutation, *customer, rev)?;
                let (customer, reason, note, at) = (*customer, *reason, note.clone(), mutation.at);
                self.draft.failed_visits.push(FailedVisit { customer, rev, reason, note, at });
            }
            Action::NoteProgress { customer, .. } => self.visit(mutation, *customer, rev)?,
            Action::AddCustomer { customer, fields, route } => {
                self.add_customer(actor, mutation, (*customer, fields, *route), rev)?;
            }
            Action::Withdraw { .. } => return self.withdraw(actor, mutation, rev),
            Action::Accept { target } => self.accept(*target, mutation.txn)?,
            // These count in the rider's day and nowhere else.
            Action::StartShift { .. }
            | Action::FinishShift {}
            | Action::LoadStock { .. }
            | Action::ReturnStock { .. }
            | Action::HandInCash { .. } => {}
        }
        Ok(None)
    }

    /// Changes what stands about a customer beside the profile; rejected if there is no such customer.
    pub(crate) fn change(
        &mut self,
        id: CustomerId,
        rev: u64,
        change: impl FnOnce(&mut Customer) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut customer = self.customer(id)?.ok_or_else(|| unknown_customer(self.plant.id, id))?;
        change(&mut customer)?;
        customer.rev = rev;
        self.draft.customers.insert(id, customer);
        Ok(())
    }

    /// Puts what the mutation itself says on the customer's ledger.
    fn append_amount(&mut self, mutation: &Mutation, customer: CustomerId, rev: u64) -> Result<(), Fault> {
        let amount = mutation.action.ledger_amount().map_err(|error| invalid(&error))?;
        #[cfg(feature = "planted")]
        let amount = match (&mutation.action, self.customer(customer)?) {
            (Action::SetBalance { target, .. }, Some(known)) if planted::is(Bug::BalanceAsRegister) => {
                Some(Money::new(target.minor - known.balance, target.currency))
            }
            _ => amount,
        };
        match amount {
            Some(amount) => self.append(mutation, customer, amount, note_of(&mutation.action), rev),
            None => Ok(()),
        }
    }

    pub(crate) fn append(
        &mut self,
        mutation: &Mutation,
        customer: CustomerId,
        amount: Money,
        note: Option<String>,
        rev: u64,
    ) -> Result<(), Fault> {
        let currency = self.plant.currency;
        self.change(customer, rev, |state| {
            let balance =
                Money::new(state.balance, currency).plus(amount).map_err(|error| invalid(&error))?;
            state.balance = balance.minor;
            Ok(())
        })?;
        self.draft.entries.push(LedgerEntry {
            txn: mutation.txn,
            customer,
            kind: mutation.action.kind().to_owned(),
            amount,
            note,
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            rev,
        });
        Ok(())
    }

    /// Notes how the customer's stop stands now.
    fn visit(&mut self, mutation: &Mutation, customer: CustomerId, rev: u64) -> Result<(), Fault> {
        let Some(state) = mutation.action.stop_state() else { return Ok(()) };
        let shift = self.rider_day.as_ref().and_then(|rider_day| rider_day.day.shift.as_ref());
        let visit = Visit { state, txn: mutation.txn, shift: shift.map(|shift| shift.txn) };
        self.change(customer, rev, |state| {
            state.visit = Some(visit);
            Ok(())
        })
    }

    /// Writes to a customer's profile, as the event that `mutation` is.
    pub(crate) fn write(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        customer: CustomerId,
        edit: &Edit,
        rev: u64,
    ) -> Result<(), Fault> {
        let found = self.profile(customer)?;
        let mut profile = found.ok_or_else(|| unknown_customer(self.plant.id, customer))?;
        let limit = profile.next_lamport().saturating_add(MAX_LAMPORT_LEAD);
        if edit.lamport > limit {
            let detail = format!("lamport counter out of range: {} (limit {limit})", edit.lamport);
            return Err(Fault::Rejected(Rejection::Invalid, detail));
        }
        let history = history(actor);
        for &field in edit.changes.keys() {
            for dot in self.unparked(profile.siblings(field), &history)? {
                profile.replace(field, dot);
            }
        }
        profile.apply(&Write {
            dot: Dot { actor: actor.id, seq: actor.next_seq },
            context: complete(&edit.context, &profile.clock(), &history),
            lamport: edit.lamport,
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            changes: edit.changes.clone(),
        });
        self.draft.profiles.insert(customer, profile);
        self.draft.profile_changes.push((rev, customer));
        self.change(customer, rev, |_| Ok(()))
    }

    /// Which of these siblings were parked at a place that `history` contains. They were settled as events of the
    /// dashboard's history, of which their author has not seen what stands before them.
    fn unparked(&self, siblings: &[Sibling], history: &VectorClock) -> Result<Vec<Dot>, Error> {
        let (plant, dashboard) = (self.plant.id, self.plant.dashboard);
        let mut seen = Vec::new();
        for Sibling { dot, role, .. } in siblings {
            if dot.actor == dashboard && *role == Role::Rider {
                let stored = self.tx.mutations_at(plant, dashboard, (dot.seq, dot.seq))?;
                seen.extend(stored.iter().any(|(_, stored, _)| history.contains(stored.dot)).then_some(*dot));
            }
        }
        Ok(seen)
    }

    fn add_customer(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        (id, fields, route): (CustomerId, &BTreeMap<Field, String>, Option<RouteId>),
        rev: u64,
    ) -> Result<(), Fault> {
        if self.customer(id)?.is_some() {
            return Err(Fault::Rejected(Rejection::Invalid, format!("customer {id} exists already")));
        }
        self.draft.customers.insert(id, Customer { balance: 0, visit: None, is_closed: false, rev });
        self.draft.profiles.insert(id, Profile::default());
        let edit = Edit { changes: fields.clone(), context: VectorClock::new(), lamport: 1 };
        self.write(actor, mutation, id, &edit, rev)?;
        if let Some(route) = route {
            if self.tx.has_route(self.plant.id, route)? {
                self.draft.stops.push(StopChange::Append { route, customer: id, rev });
            } else {
                tracing::warn!(txn_id = %mutation.txn, %route, "no such route for a new customer");
            }
        }
        Ok(())
    }
}

/// What the writer of the actor's next event had seen of his own: for a phone, everything before it in its history. The
/// dashboard's history is many people's and windows': there only the form says what was seen.
fn history(actor: &Actor) -> VectorClock {
    let mut history = actor.inherited.clone();
    if actor.account.is_some() {
        history.observe(Dot { actor: actor.id, seq: actor.next_seq - 1 });
    }
    history
}

/// The whole context of a write: what it says itself, and its writer's own history.
fn complete(context: &VectorClock, profile: &VectorClock, history: &VectorClock) -> VectorClock {
    // Nobody can have seen more than this server has: a clock that says so (a forged one, or one from before
    // this server lost data) would make later writes look old and lose them.
    let seen = context.dots().map(|dot| Dot { seq: dot.seq.min(profile.get(dot.actor)), ..dot });
    let mut context: VectorClock = seen.collect();
    #[cfg(feature = "planted")]
    if planted::is(Bug::PruneBeforeComparison) {
        context = VectorClock::new();
    }
    context.join(history);
    context
}

pub(crate) fn invalid(error: &MoneyError) -> Fault {
    Fault::Rejected(Rejection::Invalid, error.to_string())
}

fn unknown_customer(plant: PlantId, customer: CustomerId) -> Fault {
    Fault::Rejected(Rejection::UnknownCustomer, format!("no customer {customer} in plant {plant}"))
}

/// The reason or reference that goes on the ledger with an amount.
fn note_of(action: &Action) -> Option<String> {
    match action {
        Action::ConfirmDelivery { proof, .. } => proof.clone(),
        Action::AdjustBalance { reason, .. } | Action::SetBalance { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}
