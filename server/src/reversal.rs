//! What deals with an earlier mutation of the same account: taking it back, replacing it, or leaving it at that.
//! Nothing is deleted: what was applied is reversed by a record of its own, what was not is marked as closed.

use crate::apply::{Fault, TakenBack};
use crate::books::Books;
use crate::effect::invalid;
use crate::store::{Actor, StopChange, Stored};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{Action, Money, Mutation, TxnId};

impl Books<'_> {
    /// Takes back an earlier mutation; returns it if it had an effect.
    pub(crate) fn withdraw(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        rev: u64,
    ) -> Result<Option<TakenBack>, Fault> {
        let Some(target) = mutation.action.target() else { return Ok(None) };
        let stored = self.record(target)?;
        let Answer::Applied { rev: target_rev } = stored.answer else {
            self.draft.closed.push((target, mutation.txn));
            return Ok(None);
        };
        let action = match Parsed::of(&stored.body) {
            Parsed::Known(known) if known.action.is_reversible() => known.action,
            Parsed::Known(known) => {
                return Err(not_reversible(format!("{} {target} cannot be withdrawn", known.action.kind())));
            }
            // A newer server has applied it, and has to take it back too.
            Parsed::Unknown { .. } => return Err(Fault::Unknown),
            Parsed::Malformed { .. } => {
                return Err(not_reversible(format!("{target} cannot be read")));
            }
        };
        if stored.is_withdrawn {
            let detail = format!("{target} was withdrawn already");
            return Err(Fault::Rejected(Rejection::AlreadyWithdrawn, detail));
        }
        let taken = TakenBack { action, txn: target, rev: target_rev };
        self.reverse(actor, mutation, &taken, rev)?;
        self.draft.withdrawn.push((target, mutation.txn));
        Ok(Some(taken))
    }

    /// Reverses what `taken` wrote. What it counted in a day is taken out of that when the mutation is counted.
    fn reverse(
        &mut self,
        actor: &Actor,
        mutation: &Mutation,
        taken: &TakenBack,
        rev: u64,
    ) -> Result<(), Fault> {
        let Action::Withdraw { reason, restore, .. } = &mutation.action else { return Ok(()) };
        let Some(customer) = taken.action.customer() else { return Ok(()) };
        if let Some(amount) = taken.action.ledger_amount().map_err(|error| invalid(&error))? {
            let amount = Money::new(0, amount.currency).minus(amount).map_err(|error| invalid(&error))?;
            self.append(mutation, customer, amount, reason.clone(), rev)?;
        }
        let visit = self.customer(customer)?.and_then(|customer| customer.visit);
        if taken.action.stop_state().is_some() && visit.is_some_and(|visit| visit.txn == taken.txn) {
            self.change(customer, rev, |state| {
                state.visit = None;
                Ok(())
            })?;
        }
        match &taken.action {
            Action::FailDelivery { .. } => self.draft.withdrawn_visits.push((customer, taken.rev)),
            Action::AddCustomer { .. } => {
                self.change(customer, rev, |state| {
                    state.is_closed = true;
                    Ok(())
                })?;
                self.draft.stops.push(StopChange::Remove { customer, rev });
            }
            Action::UpdateProfile { .. } => {
                if let Some(edit) = restore {
                    self.write(actor, mutation, customer, edit, rev)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes note that the author leaves a mutation that was not accepted at that.
    pub(crate) fn accept(&mut self, target: TxnId, by: TxnId) -> Result<(), Fault> {
        match self.record(target)?.answer {
            Answer::Applied { .. } => Err(not_reversible(format!("{target} was applied"))),
            Answer::Rejected { .. } | Answer::Parked => {
                self.draft.closed.push((target, by));
                Ok(())
            }
        }
    }

    /// Takes note that `by` takes the place of a mutation that was not accepted. One that the server does not have
    /// cannot count twice.
    pub(crate) fn close_replaced(&mut self, target: TxnId, by: TxnId) -> Result<(), Fault> {
        match self.mutation(target)?.map(|stored| &stored.answer) {
            None => Ok(()),
            Some(Answer::Applied { .. }) => {
                Err(not_reversible(format!("{target} was applied and cannot be replaced")))
            }
            Some(Answer::Rejected { .. } | Answer::Parked) => {
                self.draft.closed.push((target, by));
                Ok(())
            }
        }
    }

    /// The author's earlier mutation.
    fn record(&mut self, target: TxnId) -> Result<Stored, Fault> {
        let name = &self.author.name;
        let unknown = || Fault::Rejected(Rejection::UnknownRecord, format!("no record {target} of {name}"));
        self.mutation(target)?.cloned().ok_or_else(unknown)
    }
}

fn not_reversible(detail: String) -> Fault {
    Fault::Rejected(Rejection::NotReversible, detail)
}
