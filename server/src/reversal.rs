//! What deals with an earlier mutation of the same account: taking it back, replacing it, or leaving it at that.
//! Nothing is deleted: what was applied is reversed by a record of its own, what was not is marked as closed.

use crate::apply::{Books, Fault, TakenBack};
use crate::effect::invalid;
use crate::store::{Actor, Stored};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{Action, Money, Mutation, TxnId};

impl Books<'_, '_> {
    /// Takes back an earlier mutation; returns it if it had an effect.
    pub(crate) fn withdraw(
        &self,
        actor: &Actor,
        mutation: &Mutation,
        rev: u64,
    ) -> Result<Option<TakenBack>, Fault> {
        let Some(target) = mutation.action.target() else { return Ok(None) };
        let stored = self.record(target)?;
        let Answer::Applied { rev: target_rev } = stored.answer else {
            self.close_record(target, mutation.txn)?;
            return Ok(None);
        };
        let action = match Parsed::of(&stored.body) {
            Parsed::Known(known) if known.action.is_reversible() => known.action,
            Parsed::Known(known) => {
                return Err(not_reversible(format!("{} {target} cannot be withdrawn", known.action.kind())));
            }
            Parsed::Unknown { .. } | Parsed::Malformed { .. } => {
                return Err(not_reversible(format!("{target} cannot be read")));
            }
        };
        if stored.is_withdrawn {
            let detail = format!("{target} was withdrawn already");
            return Err(Fault::Rejected(Rejection::AlreadyWithdrawn, detail));
        }
        let taken = TakenBack { action, txn: target, rev: target_rev };
        self.reverse(actor, mutation, &taken, rev)?;
        self.tx.mark_withdrawn(self.plant.id, self.author.id, target, mutation.txn)?;
        Ok(Some(taken))
    }

    /// Reverses what `taken` wrote. What it counted in a day is taken out of that when the books are closed.
    fn reverse(&self, actor: &Actor, mutation: &Mutation, taken: &TakenBack, rev: u64) -> Result<(), Fault> {
        let Action::Withdraw { reason, restore, .. } = &mutation.action else { return Ok(()) };
        let (plant, Some(customer)) = (self.plant.id, taken.action.customer()) else { return Ok(()) };
        if let Some(amount) = taken.action.ledger_amount().map_err(|error| invalid(&error))? {
            let amount = Money::new(0, amount.currency).minus(amount).map_err(|error| invalid(&error))?;
            self.append(mutation, customer, amount, reason.clone(), rev)?;
        }
        if taken.action.stop_state().is_some() {
            self.tx.clear_visit(plant, customer, taken.txn, rev)?;
        }
        match &taken.action {
            Action::FailDelivery { .. } => self.tx.withdraw_failed_visit(plant, customer, taken.rev)?,
            Action::AddCustomer { .. } => self.tx.close_customer(plant, customer, rev)?,
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
    pub(crate) fn accept(&self, target: TxnId, by: TxnId) -> Result<(), Fault> {
        match self.record(target)?.answer {
            Answer::Applied { .. } => Err(not_reversible(format!("{target} was applied"))),
            Answer::Rejected { .. } | Answer::Parked => self.close_record(target, by),
        }
    }

    /// Takes note that `by` takes the place of a mutation that was not accepted. One that the server does not have
    /// cannot count twice.
    pub(crate) fn close_replaced(&self, target: TxnId, by: TxnId) -> Result<(), Fault> {
        match self.tx.mutation(self.plant.id, self.author.id, target)?.map(|stored| stored.answer) {
            None => Ok(()),
            Some(Answer::Applied { .. }) => {
                Err(not_reversible(format!("{target} was applied and cannot be replaced")))
            }
            Some(Answer::Rejected { .. } | Answer::Parked) => self.close_record(target, by),
        }
    }

    fn close_record(&self, target: TxnId, by: TxnId) -> Result<(), Fault> {
        Ok(self.tx.close_mutation(self.plant.id, self.author.id, target, by)?)
    }

    /// The author's earlier mutation.
    fn record(&self, target: TxnId) -> Result<Stored, Fault> {
        self.tx.mutation(self.plant.id, self.author.id, target)?.ok_or_else(|| {
            let detail = format!("no record {target} of {}", self.author.name);
            Fault::Rejected(Rejection::UnknownRecord, detail)
        })
    }
}

fn not_reversible(detail: String) -> Fault {
    Fault::Rejected(Rejection::NotReversible, detail)
}
