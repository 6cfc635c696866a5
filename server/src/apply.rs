//! The one rule for every mutation, a phone's and the dashboard's alike.
//!
//! Known with the same bytes: the stored answer, and no effect again. Known with others: refused, and kept under
//! a key of its own. New: its effect, its answer and its place in the history, in one database transaction. One
//! that fails fails alone and is settled as rejected; what this version does not know is parked. What each kind
//! does is in `effect`, what takes it back in `reversal`.

use crate::Error;
use crate::store::{Account, Actor, Plant, RiderDay, Stored, Tx};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{Action, ChainHash, Dot, Mutation, Role, Timestamp, TxnId};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A plant's books, open for the mutations of one author within one transaction.
pub(crate) struct Books<'t, 'c> {
    pub(crate) tx: &'t Tx<'c>,
    pub(crate) plant: Plant,
    pub(crate) author: &'t Account,
    pub(crate) now: Timestamp,
    /// A rider's; `None` for others. It is written once, when the books are closed.
    pub(crate) rider_day: Option<RiderDay>,
}

/// A mutation's link in its history's hash chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The chain's hash behind it.
    pub(crate) hash: ChainHash,
    /// Whether the chain vouches for its bytes.
    pub(crate) is_intact: bool,
}

/// A mutation that another one took back.
pub(crate) struct TakenBack {
    pub(crate) action: Action,
    pub(crate) txn: TxnId,
    /// The rev that had its effect.
    pub(crate) rev: u64,
}

/// Why a mutation had no effect.
pub(crate) enum Fault {
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
        let is_rider = author.role == Role::Rider;
        let rider_day = is_rider.then(|| tx.rider_day(author.plant, author.id)).transpose()?;
        Ok(Self { tx, plant: tx.plant(author.plant)?, author, now, rider_day })
    }

    /// Makes the revs taken last. To be called once, when all mutations are settled.
    pub(crate) fn close(self) -> Result<(), Error> {
        if let Some(rider_day) = &self.rider_day {
            self.tx.put_rider_day(self.plant.id, self.author.id, rider_day)?;
        }
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
    pub(crate) fn settle(&mut self, actor: &mut Actor, body: &str, link: Link) -> Result<Outcome, Error> {
        let parsed = Parsed::of(body);
        let given = txn_of(&parsed);
        let (mut txn, mut known) = self.find(given, body)?;
        if known.is_none() && !link.is_intact {
            // An id in bytes that nobody vouches for may be that of a mutation still to come.
            (txn, known) = self.find(TxnId::of_unreadable(body.as_bytes()), body)?;
        }
        let dot = Dot { actor: actor.id, seq: actor.next_seq };
        let duplicate = known.is_some();
        let answer = if let Some(stored) = known {
            // Whoever repeats another history's mutation holds that history up to there.
            if stored.dot.actor != actor.id {
                actor.inherited.observe(stored.dot);
            }
            stored.answer
        } else {
            let answer = if !link.is_intact {
                let detail = format!("seq {} is not what the phone's hash chain vouches for", dot.seq);
                Answer::Rejected { reason: Rejection::Tampered, detail }
            } else if txn == given {
                self.judge(actor, parsed)?
            } else {
                let detail = format!("transaction {given} already stands for something else");
                Answer::Rejected { reason: Rejection::TxnReused, detail }
            };
            self.tx.insert_mutation(self.plant.id, self.author.id, txn, dot, body, &answer, self.now)?;
            answer
        };
        actor.head = link.hash;
        actor.next_seq += 1;
        self.tx.insert_dot(self.plant.id, dot, self.author.id, txn, actor.head)?;
        tracing::debug!(txn_id = %txn, seq = dot.seq, duplicate, ?answer, "settled");
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
        match self.tx.savepoint(|| self.effect_or_panic(actor, &mutation)) {
            Ok(taken_back) => {
                let rev = self.take_rev();
                self.count(&mutation, taken_back.as_ref(), rev);
                Ok(Answer::Applied { rev })
            }
            Err(Fault::Rejected(reason, detail)) => Ok(Answer::Rejected { reason, detail }),
            Err(Fault::Failed(error)) if is_its_own(&error) => {
                tracing::error!(txn_id = %mutation.txn, %error, "a mutation failed alone");
                Ok(Answer::Rejected { reason: Rejection::Invalid, detail: error.to_string() })
            }
            Err(Fault::Failed(error)) => Err(error),
        }
    }

    /// The effect; a panic in it is the mutation's own fault and stops no other one.
    fn effect_or_panic(&self, actor: &Actor, mutation: &Mutation) -> Result<Option<TakenBack>, Fault> {
        // Nothing half-done is seen afterwards: the effect only reads these values, and what it wrote to the
        // database goes with the savepoint.
        let effect = AssertUnwindSafe(|| self.effect(actor, mutation, self.plant.rev + 1));
        catch_unwind(effect).unwrap_or_else(|panic| {
            let panic = panic_text(panic.as_ref());
            tracing::error!(txn_id = %mutation.txn, panic, "a mutation panicked alone");
            Err(Fault::Rejected(Rejection::Invalid, "the server failed on it".to_owned()))
        })
    }

    /// Counts an applied mutation in the rider's day.
    fn count(&mut self, mutation: &Mutation, taken_back: Option<&TakenBack>, rev: u64) {
        let Some(RiderDay { day, since_rev }) = &mut self.rider_day else { return };
        if let Some(taken) = taken_back {
            day.withdraw(&taken.action, taken.txn, taken.rev >= *since_rev);
            return;
        }
        day.record(&mutation.action, mutation.txn, mutation.at);
        if matches!(mutation.action, Action::StartShift { .. }) {
            *since_rev = rev;
        }
    }
}

pub(crate) fn txn_of(parsed: &Parsed) -> TxnId {
    match parsed {
        Parsed::Known(mutation) => mutation.txn,
        Parsed::Unknown { txn } | Parsed::Malformed { txn, .. } => *txn,
    }
}

impl Link {
    /// The link of `body` as the next mutation of `actor`, where nobody claims another one.
    pub(crate) fn next(actor: &Actor, body: &str) -> Self {
        Self { hash: actor.head.next(actor.next_seq, body.as_bytes()), is_intact: true }
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Whether an error comes from this mutation's own values or row, so that the ones behind it can go on.
fn is_its_own(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation),
        Error::Corrupt(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::PANICS;
    use crate::{Server, sample};
    use carboy_protocol::mutation;

    #[test]
    fn a_mutation_that_panics_is_rejected_alone_and_leaves_nothing_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(&folder.path().join("carboy.db")).unwrap();
        let size = sample::Size { customers: 1, routes: 1, riders: 1 };
        let sample = sample::create(&server, size, "grace@example.com", "clean water").unwrap();
        let (customer, currency) = (sample.customers[0], sample.currency);
        let rider = server.store().read(|tx| tx.account(sample.plant, sample.riders[0].account));
        let rider = rider.unwrap().unwrap();
        let body = |proof: &str| {
            let line = carboy_protocol::DeliveryLine {
                product: sample.products[0].code.clone(),
                delivered: 2,
                empties: 0,
                unit_price: 100,
            };
            let (lines, proof) = (vec![line], Some(proof.to_owned()));
            let action = Action::ConfirmDelivery { customer, lines, currency, proof, photos: vec![] };
            let (v, txn, at) = (mutation::VERSION, server.new_txn().unwrap(), Timestamp(5));
            serde_json::to_string(&Mutation { v, txn, at, replaces: None, action }).unwrap()
        };
        let before = server.store().read(|tx| tx.balance(sample.plant, customer)).unwrap().unwrap();
        let answers = server.store().write(|tx| {
            let mut books = Books::open(tx, &rider, Timestamp(9))?;
            let id = carboy_protocol::ActorId::from_bytes([7; 16]);
            let mut actor = Actor::new(id, Some(rider.id));
            let mut settle = |body: &str| {
                let link = Link::next(&actor, body);
                books.settle(&mut actor, body, link).map(|outcome| outcome.answer)
            };
            let answers = [settle(&body("1"))?, settle(&body(PANICS))?, settle(&body("2"))?];
            books.close()?;
            Ok(answers)
        });
        let answers = answers.unwrap();
        assert!(matches!(answers[0], Answer::Applied { .. }) && matches!(answers[2], Answer::Applied { .. }));
        let Answer::Rejected { reason, detail } = &answers[1] else { panic!("{answers:?}") };
        assert_eq!((*reason, detail.as_str()), (Rejection::Invalid, "the server failed on it"));
        let after = server.store().read(|tx| {
            let day = tx.rider_day(rider.plant, rider.id)?.day;
            Ok((tx.balance(sample.plant, customer)?.unwrap(), day.in_all.deliveries))
        });
        assert_eq!(after.unwrap(), (before + 400, 2));
    }
}
