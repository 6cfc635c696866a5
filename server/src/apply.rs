//! The one rule for every mutation, a phone's and the dashboard's alike.
//!
//! Known with the same bytes: the stored answer, and no effect again. Known with others: refused, and kept under
//! a key of its own. New: its effect, its answer and its place in the history, in one database transaction. One
//! that fails fails alone and is settled as rejected; what this version does not know is parked.

use crate::Error;
use crate::store::{Account, Actor, Plant, Stored, Tx};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, LedgerEntry, Rejection};
use carboy_protocol::{Action, Dot, Money, Mutation, PlantId, Role, Timestamp, TxnId, VectorClock, Write};

/// How far a Lamport counter may run ahead of the profile's: an honest phone is ahead by what it wrote offline.
const MAX_LAMPORT_LEAD: u64 = 10_000;

/// A plant's books, open for the mutations of one author within one transaction.
pub(crate) struct Books<'t, 'c> {
    tx: &'t Tx<'c>,
    plant: Plant,
    author: &'t Account,
    now: Timestamp,
}

/// Why a mutation had no effect.
enum Fault {
    /// Its own doing: it is settled with this.
    Rejected(Rejection, String),
    /// The server's doing.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The answer: for a duplicate the same as the first time.
    pub answer: Answer,
    /// Whether it was known already.
    pub duplicate: bool,
}

impl<'t, 'c> Books<'t, 'c> {
    pub(crate) fn open(tx: &'t Tx<'c>, author: &'t Account, now: Timestamp) -> Result<Self, Error> {
        Ok(Self { tx, plant: tx.plant(author.plant)?, author, now })
    }

    /// Makes the revs taken last. To be called once, when all mutations are settled.
    pub(crate) fn close(self) -> Result<(), Error> {
        self.tx.set_rev(self.plant.id, self.plant.rev)
    }

    pub(crate) fn plant(&self) -> &Plant {
        &self.plant
    }

    /// The next rev. It counts once the books are closed.
    pub(crate) fn take_rev(&mut self) -> u64 {
        self.plant.rev += 1;
        self.plant.rev
    }

    /// Settles `body` as the next mutation of `actor`.
    pub(crate) fn settle(&mut self, actor: &mut Actor, body: &str) -> Result<Outcome, Error> {
        let parsed = Parsed::of(body);
        let given = txn_of(&parsed);
        let (txn, known) = self.find(given, body)?;
        let dot = Dot { actor: actor.id, seq: actor.next_seq };
        let duplicate = known.is_some();
        let answer = if let Some(stored) = known {
            // Whoever repeats another history's mutation holds that history up to there.
            if stored.dot.actor != actor.id {
                actor.inherited.observe(stored.dot);
            }
            stored.answer
        } else {
            let answer = if txn == given {
                self.judge(actor, parsed)?
            } else {
                let detail = format!("transaction {given} already stands for something else");
                Answer::Rejected { reason: Rejection::TxnReused, detail }
            };
            self.tx.insert_mutation(self.plant.id, self.author.id, txn, dot, body, &answer, self.now)?;
            answer
        };
        actor.head = actor.head.next(dot.seq, body.as_bytes());
        actor.next_seq += 1;
        self.tx.insert_dot(self.plant.id, dot, self.author.id, txn, actor.head)?;
        tracing::debug!(txn_id = %txn, actor = %actor.id, seq = dot.seq, duplicate, ?answer, "settled");
        Ok(Outcome { answer, duplicate })
    }

    /// The key under which `body` is or will be stored, and what is stored there. It is the mutation's own id
    /// unless that stands for other bytes already.
    fn find(&self, given: TxnId, body: &str) -> Result<(TxnId, Option<Stored>), Error> {
        let mut key = given;
        loop {
            match self.tx.mutation(self.plant.id, self.author.id, key)? {
                Some(stored) if stored.body != body => {
                    // Hashing the key too makes a chain that nobody can have filled on purpose.
                    let taken = [if key == given { &[][..] } else { key.as_bytes() }, body.as_bytes()];
                    key = TxnId::of_unreadable(&taken.concat());
                }
                found => return Ok((key, found)),
            }
        }
    }

    fn judge(&mut self, actor: &Actor, parsed: Parsed) -> Result<Answer, Error> {
        let mutation = match parsed {
            Parsed::Known(mutation) => mutation,
            Parsed::Unknown { .. } => return Ok(Answer::Parked),
            Parsed::Malformed { error, .. } => {
                return Ok(Answer::Rejected { reason: Rejection::Invalid, detail: error.to_string() });
            }
        };
        let rev = self.plant.rev + 1;
        match self.tx.savepoint(|| self.effect(actor, &mutation, rev)) {
            Ok(()) => Ok(Answer::Applied { rev: self.take_rev() }),
            Err(Fault::Rejected(reason, detail)) => Ok(Answer::Rejected { reason, detail }),
            Err(Fault::Failed(error)) if is_its_own(&error) => {
                tracing::error!(txn_id = %mutation.txn, %error, "a mutation failed alone");
                Ok(Answer::Rejected { reason: Rejection::Invalid, detail: error.to_string() })
            }
            Err(Fault::Failed(error)) => Err(error),
        }
    }

    fn effect(&self, actor: &Actor, mutation: &Mutation, rev: u64) -> Result<(), Fault> {
        let action = &mutation.action;
        action.validate().map_err(|error| Fault::Rejected(Rejection::Invalid, error.to_string()))?;
        if action.needs_manager() && self.author.role != Role::Manager {
            let detail = format!("{} needs a manager, {} is a rider", action.kind(), self.author.name);
            return Err(Fault::Rejected(Rejection::Forbidden, detail));
        }
        match action {
            Action::UpdateProfile { .. } => self.update_profile(actor, mutation, rev),
            Action::FailDelivery { customer, reason, note } => {
                self.balance(action)?;
                let why = (*reason, note.as_deref());
                let (plant, author) = (self.plant.id, self.author.id);
                self.tx.insert_failed_visit(plant, *customer, rev, author, why, mutation.at, self.now)?;
                Ok(())
            }
            Action::ConfirmDelivery { .. }
            | Action::CollectCash { .. }
            | Action::AdjustBalance { .. }
            | Action::SetBalance { .. } => self.append_entry(mutation, rev),
        }
    }

    fn balance(&self, action: &Action) -> Result<i64, Fault> {
        let customer = action.customer();
        self.tx.balance(self.plant.id, customer)?.ok_or_else(|| unknown_customer(self.plant.id, customer))
    }

    fn append_entry(&self, mutation: &Mutation, rev: u64) -> Result<(), Fault> {
        let invalid =
            |error: carboy_protocol::MoneyError| Fault::Rejected(Rejection::Invalid, error.to_string());
        let action = &mutation.action;
        let balance = self.balance(action)?;
        let Some(amount) = action.ledger_amount().map_err(invalid)? else { return Ok(()) };
        if amount.currency != self.plant.currency {
            let detail = format!("{} where the plant's is {}", amount.currency, self.plant.currency);
            return Err(Fault::Rejected(Rejection::CurrencyMismatch, detail));
        }
        let balance = Money::new(balance, self.plant.currency).plus(amount).map_err(invalid)?;
        let entry = LedgerEntry {
            txn: mutation.txn,
            customer: action.customer(),
            kind: action.kind().to_owned(),
            amount,
            note: note_of(action),
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            rev,
        };
        Ok(self.tx.append_entry(self.plant.id, &entry, balance.minor, self.now)?)
    }

    fn update_profile(&self, actor: &Actor, mutation: &Mutation, rev: u64) -> Result<(), Fault> {
        let Action::UpdateProfile { customer, changes, context, lamport } = &mutation.action else {
            return Ok(());
        };
        let found = self.tx.customer(self.plant.id, *customer)?;
        let mut profile = found.ok_or_else(|| unknown_customer(self.plant.id, *customer))?.profile;
        let limit = profile.next_lamport().saturating_add(MAX_LAMPORT_LEAD);
        if *lamport > limit {
            let detail = format!("lamport counter out of range: {lamport} (limit {limit})");
            return Err(Fault::Rejected(Rejection::Invalid, detail));
        }
        profile.apply(&Write {
            dot: Dot { actor: actor.id, seq: actor.next_seq },
            context: complete(context, &profile.clock(), actor),
            lamport: *lamport,
            role: self.author.role,
            author: self.author.id,
            at: mutation.at,
            changes: changes.clone(),
        });
        Ok(self.tx.put_profile(self.plant.id, *customer, &profile, rev)?)
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

pub(crate) fn txn_of(parsed: &Parsed) -> TxnId {
    match parsed {
        Parsed::Known(mutation) => mutation.txn,
        Parsed::Unknown { txn } | Parsed::Malformed { txn, .. } => *txn,
    }
}

fn unknown_customer(plant: PlantId, customer: carboy_protocol::CustomerId) -> Fault {
    Fault::Rejected(Rejection::UnknownCustomer, format!("no customer {customer} in plant {plant}"))
}

fn note_of(action: &Action) -> Option<String> {
    match action {
        Action::ConfirmDelivery { proof, .. } => proof.clone(),
        Action::AdjustBalance { reason, .. } | Action::SetBalance { reason, .. } => Some(reason.clone()),
        Action::CollectCash { .. } | Action::UpdateProfile { .. } | Action::FailDelivery { .. } => None,
    }
}

/// Whether an error comes from this mutation's own values or row, so that the ones behind it can go on.
fn is_its_own(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation),
        Error::Corrupt(_) => true,
        _ => false,
    }
}
