//! What each kind of mutation does when it is new.

use crate::Error;
use crate::apply::{Books, Fault, TakenBack};
use crate::store::Actor;
use carboy_protocol::wire::{LedgerEntry, Rejection, Visit};
use carboy_protocol::{
    Action, CustomerId, Dot, Edit, Field, Money, MoneyError, Mutation, Photo, PlantId, Role, RouteId,
    VectorClock, Write,
};
use std::collections::BTreeMap;

/// How far a Lamport counter may run ahead of the profile's: an honest phone is ahead by what it wrote offline.
const MAX_LAMPORT_LEAD: u64 = 10_000;

/// A delivery with this proof panics behind its effect.
#[cfg(test)]
pub(crate) const PANICS: &str = "panic, please";

impl Books<'_, '_> {
    /// Writes the effect at `rev`; returns what was taken back by it, if it was a reversal.
    pub(crate) fn effect(
        &self,
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
        match action.currency() {
            Some(currency) if currency != self.plant.currency => {
                let detail = format!("{currency} where the plant's is {}", self.plant.currency);
                Err(Fault::Rejected(Rejection::CurrencyMismatch, detail))
            }
            _ => Ok(()),
        }
    }

    fn kind_effect(&self, actor: &Actor, mutation: &Mutation, rev: u64) -> Result<Option<TakenBack>, Fault> {
        match &mutation.action {
            Action::ConfirmDelivery { customer, photos, .. } => {
                self.append_amount(mutation, *customer, rev)?;
                self.visit(mutation, *customer, rev)?;
                self.expect_photos(mutation, photos)?;
            }
            Action::CollectCash { customer, .. }
            | Action::AdjustBalance { customer, .. }
            | Action::SetBalance { customer, .. } => self.append_amount(mutation, *customer, rev)?,
            Action::UpdateProfile { customer, edit } => self.write(actor, mutation, *customer, edit, rev)?,
            Action::FailDelivery { customer, reason, note } => {
                self.balance(*customer)?;
                let why = (*reason, note.as_deref());
                let (plant, author) = (self.plant.id, self.author.id);
                self.tx.insert_failed_visit(plant, *customer, rev, author, why, mutation.at, self.now)?;
                self.visit(mutation, *customer, rev)?;
            }
            Action::NoteProgress { customer, .. } => {
                self.balance(*customer)?;
                self.visit(mutation, *customer, rev)?;
            }
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

    /// The customer's balance in minor units; rejected if there is no such customer.
    fn balance(&self, customer: CustomerId) -> Result<i64, Fault> {
        self.tx.balance(self.plant.id, customer)?.ok_or_else(|| unknown_customer(self.plant.id, customer))
    }

    /// Puts what the mutation itself says on the customer's ledger.
    fn append_amount(&self, mutation: &Mutation, customer: CustomerId, rev: u64) -> Result<(), Fault> {
        match mutation.action.ledger_amount().map_err(|error| invalid(&error))? {
            Some(amount) => self.append(mutation, customer, amount, note_of(&mutation.action), rev),
            None => Ok(()),
        }
    }

    pub(crate) fn append(
        &self,
        mutation: &Mutation,
        customer: CustomerId,
        amount: Money,
        note: Option<String>,
        rev: u64,
    ) -> Result<(), Fault> {
        let balance = Money::new(self.balance(customer)?, self.plant.currency);
        let balance = balance.plus(amount).map_err(|error| invalid(&error))?;
        let entry = LedgerEntry {
            txn: mutation.txn,
            customer,
            kind: mutation.action.kind().to_owned(),
            amount,
            note,
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            rev,
        };
        Ok(self.tx.append_entry(self.plant.id, &entry, balance.minor, self.now)?)
    }

    /// Notes how the customer's stop stands now.
    fn visit(&self, mutation: &Mutation, customer: CustomerId, rev: u64) -> Result<(), Error> {
        let Some(state) = mutation.action.stop_state() else { return Ok(()) };
        let shift = self.rider_day.as_ref().and_then(|rider_day| rider_day.day.shift.as_ref());
        let visit = Visit { state, txn: mutation.txn, shift: shift.map(|shift| shift.txn) };
        self.tx.put_visit(self.plant.id, customer, &visit, rev)
    }

    fn expect_photos(&self, mutation: &Mutation, photos: &[Photo]) -> Result<(), Error> {
        for photo in photos {
            let key = (self.plant.id, photo.hash, self.author.id);
            self.tx.expect_photo(key, mutation.txn, photo.bytes)?;
        }
        Ok(())
    }

    /// Writes to a customer's profile, as the event that `mutation` is.
    pub(crate) fn write(
        &self,
        actor: &Actor,
        mutation: &Mutation,
        customer: CustomerId,
        edit: &Edit,
        rev: u64,
    ) -> Result<(), Fault> {
        let found = self.tx.customer(self.plant.id, customer)?;
        let mut profile = found.ok_or_else(|| unknown_customer(self.plant.id, customer))?.profile;
        let limit = profile.next_lamport().saturating_add(MAX_LAMPORT_LEAD);
        if edit.lamport > limit {
            let detail = format!("lamport counter out of range: {} (limit {limit})", edit.lamport);
            return Err(Fault::Rejected(Rejection::Invalid, detail));
        }
        profile.apply(&Write {
            dot: Dot { actor: actor.id, seq: actor.next_seq },
            context: complete(&edit.context, &profile.clock(), actor),
            lamport: edit.lamport,
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            changes: edit.changes.clone(),
        });
        Ok(self.tx.put_profile(self.plant.id, customer, &profile, rev)?)
    }

    fn add_customer(
        &self,
        actor: &Actor,
        mutation: &Mutation,
        (customer, fields, route): (CustomerId, &BTreeMap<Field, String>, Option<RouteId>),
        rev: u64,
    ) -> Result<(), Fault> {
        if !self.tx.insert_customer(self.plant.id, customer, rev)? {
            let detail = format!("customer {customer} exists already");
            return Err(Fault::Rejected(Rejection::Invalid, detail));
        }
        let edit = Edit { changes: fields.clone(), context: VectorClock::new(), lamport: 1 };
        self.write(actor, mutation, customer, &edit, rev)?;
        if let Some(route) = route
            && !self.tx.append_stop(self.plant.id, route, customer, rev)?
        {
            tracing::warn!(txn_id = %mutation.txn, %route, "no such route for a new customer");
        }
        Ok(())
    }
}

/// The whole context of a write: what it says itself and, for a phone, everything before it in its history. The
/// dashboard's history is many people's and windows': there only the form says what was seen.
fn complete(context: &VectorClock, profile: &VectorClock, actor: &Actor) -> VectorClock {
    // Nobody can have seen more than this server has: a clock that says so (a forged one, or one from before
    // this server lost data) would make later writes look old and lose them.
    let seen = context.dots().map(|dot| Dot { seq: dot.seq.min(profile.get(dot.actor)), ..dot });
    let mut context: VectorClock = seen.collect();
    if actor.account.is_some() {
        context.join(&actor.inherited);
        context.observe(Dot { actor: actor.id, seq: actor.next_seq - 1 });
    }
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
