//! The one rule for every mutation, a phone's and the dashboard's alike.
//!
//! Known with the same bytes: the stored answer, and no effect again. Known with others: refused, and kept under
//! a key of its own. New: its effect, its answer and its place in the history, in one database transaction. One
//! that fails fails alone and is settled as rejected; what this version does not know is parked. What each kind
//! does is in `effect`, what takes it back in `reversal`.

use crate::Error;
use crate::books::{Books, Pace};
use crate::store::{Actor, Changes, Settled, Stored};
use carboy_protocol::mutation::Parsed;
#[cfg(feature = "planted")]
use carboy_protocol::planted::{self, Bug};
use carboy_protocol::wire::{Answer, Rejection};
use carboy_protocol::{Action, ChainHash, CustomerId, Day, Dot, Mutation, Tally, TxnId};
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    /// It is about one of a kind that this version does not know: it is parked like that one.
    Unknown,
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
    /// Its kind, one of [`carboy_protocol::action::KINDS`]; `unknown` for what this version cannot read.
    pub kind: &'static str,
}

impl Books<'_> {
    /// Settles `body`, which reads as `parsed`, as the next mutation of `actor`.
    pub(crate) fn settle(
        &mut self,
        actor: &mut Actor,
        body: &str,
        parsed: Parsed,
        link: Link,
    ) -> Result<Outcome, Error> {
        let (given, kind) = (parsed.txn(), kind_of(&parsed));
        let (mut txn, mut known) = self.find(given, body)?;
        if known.is_none() && !link.is_intact {
            // An id in bytes that nobody vouches for may be that of a mutation still to come.
            (txn, known) = self.find(TxnId::of_unreadable(body.as_bytes()), body)?;
        }
        let dot = Dot { actor: actor.id, seq: actor.next_seq };
        let duplicate = known.is_some();
        let answer = if let Some((first, answer)) = known {
            // Whoever repeats another history's mutation holds that history up to there.
            if first.actor != actor.id {
                actor.inherited.observe(first);
            }
            #[cfg(feature = "planted")]
            if planted::is(Bug::DuplicateTakesEffect) {
                self.judge(actor, parsed)?;
            }
            answer
        } else {
            let (kind, customer) = about(&parsed);
            let answer = if !link.is_intact {
                let detail = format!("seq {} is not what the phone's hash chain vouches for", dot.seq);
                Answer::Rejected { reason: Rejection::Tampered, detail }
            } else if txn == given {
                self.judge(actor, parsed)?
            } else {
                let detail = format!("transaction {given} already stands for something else");
                Answer::Rejected { reason: Rejection::TxnReused, detail }
            };
            self.keep(Settled { txn, dot, body: body.to_owned(), answer: answer.clone(), kind, customer });
            answer
        };
        actor.head = link.hash;
        actor.next_seq += 1;
        self.changes.dots.push((dot, txn, actor.head));
        if self.pace == Pace::OneByOne {
            self.write_out()?;
        }
        log(txn, dot.seq, duplicate, &answer);
        Ok(Outcome { answer, duplicate, kind })
    }

    /// Settles a parked mutation that this version may know, as an event of the history `dashboard`: in its own
    /// history, later ones stand already. `None` if it stays parked.
    pub(crate) fn settle_parked(
        &mut self,
        dashboard: &mut Actor,
        parked: &Stored,
    ) -> Result<Option<Answer>, Error> {
        let parsed = Parsed::of(&parked.body);
        let about = about(&parsed);
        let answer = self.judge(dashboard, parsed)?;
        let rev = match &answer {
            Answer::Parked => return Ok(None),
            Answer::Applied { rev } => *rev,
            // Its author's phones have to hear of it too.
            Answer::Rejected { .. } => self.take_rev(),
        };
        self.tx.unpark(self.plant.id, (self.author.id, parked.txn), (&answer, rev), about)?;
        let dot = Dot { actor: dashboard.id, seq: dashboard.next_seq };
        dashboard.head = Link::next(dashboard, &parked.body).hash;
        dashboard.next_seq += 1;
        self.changes.dots.push((dot, parked.txn, dashboard.head));
        tracing::info!(txn_id = %parked.txn, ?answer, "settled what was parked");
        Ok(Some(answer))
    }

    /// The key under which `body` is or will be stored, and where what is stored there stood first, with its
    /// answer. It is the mutation's own id unless that stands for other bytes already.
    fn find(&mut self, given: TxnId, body: &str) -> Result<(TxnId, Option<(Dot, Answer)>), Error> {
        #[cfg(feature = "planted")]
        if planted::is(Bug::DedupByContent)
            && let Parsed::Known(mutation) = Parsed::of(body)
        {
            let content = format!("{} {:?}", self.author.id, mutation.action);
            if let Some(stored) = self.mutation(planted::first_with(content, given))? {
                return Ok((given, Some((stored.dot, stored.answer.clone()))));
            }
        }
        let mut key = given;
        loop {
            match self.mutation(key)? {
                Some(stored) if stored.body != body => {
                    // Hashing the key too makes a chain that nobody can have filled on purpose.
                    let taken = [if key == given { &[][..] } else { key.as_bytes() }, body.as_bytes()];
                    key = TxnId::of_unreadable(&taken.concat());
                }
                found => return Ok((key, found.map(|stored| (stored.dot, stored.answer.clone())))),
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
        let effect = self.effect_or_panic(actor, &mutation);
        match effect.and_then(|taken_back| Ok(self.accept_draft().map(|()| taken_back)?)) {
            Ok(taken_back) => {
                let rev = self.take_rev();
                self.count(&mutation, taken_back.as_ref(), rev)?;
                Ok(Answer::Applied { rev })
            }
            Err(fault) => {
                self.draft = Changes::default();
                self.settle_fault(&mutation, fault)
            }
        }
    }

    fn settle_fault(&self, mutation: &Mutation, fault: Fault) -> Result<Answer, Error> {
        match fault {
            Fault::Rejected(reason, detail) => Ok(Answer::Rejected { reason, detail }),
            Fault::Unknown => Ok(Answer::Parked),
            // At the other pace, what failed may be a row of an earlier mutation.
            Fault::Failed(error) if self.pace == Pace::OneByOne && error.is_its_own() => {
                tracing::error!(txn_id = %mutation.txn, %error, "a mutation failed alone");
                let detail = "the server could not keep it".to_owned();
                Ok(Answer::Rejected { reason: Rejection::Invalid, detail })
            }
            Fault::Failed(error) => Err(error),
        }
    }

    /// The effect; a panic in it is the mutation's own fault and stops no other one.
    fn effect_or_panic(&mut self, actor: &Actor, mutation: &Mutation) -> Result<Option<TakenBack>, Fault> {
        let rev = self.plant.rev + 1;
        // Nothing half-done is seen afterwards: the effect changes only the draft, which is then thrown away.
        let effect = AssertUnwindSafe(|| self.effect(actor, mutation, rev));
        catch_unwind(effect).unwrap_or_else(|panic| {
            let panic = panic_text(panic.as_ref());
            tracing::error!(txn_id = %mutation.txn, panic, "a mutation panicked alone");
            Err(Fault::Rejected(Rejection::Invalid, "the server failed on it".to_owned()))
        })
    }

    /// Counts an applied mutation in the rider's day.
    fn count(&mut self, mutation: &Mutation, taken_back: Option<&TakenBack>, rev: u64) -> Result<(), Error> {
        let (tx, plant, account) = (self.tx, self.plant.id, self.author.id);
        let Some(rider_day) = &mut self.rider_day else { return Ok(()) };
        if let Some(taken) = taken_back {
            let in_shift = taken.rev >= rider_day.since_rev;
            rider_day.day.withdraw(&taken.action, taken.txn, in_shift);
            if !in_shift {
                tx.withdraw_from_past_shift(plant, account, taken.rev, &Tally::of(&taken.action))?;
            }
            return Ok(());
        }
        let begins = matches!(mutation.action, Action::StartShift { .. });
        if begins && rider_day.day != Day::default() {
            tx.put_past_shift(plant, account, rider_day)?;
        }
        rider_day.day.record(&mutation.action, mutation.txn, mutation.at);
        if begins {
            (rider_day.since_rev, rider_day.since) = (rev, self.now);
        }
        Ok(())
    }
}

/// The kind of a mutation, as a label: never what a client wrote.
pub(crate) fn kind_of(parsed: &Parsed) -> &'static str {
    about(parsed).0.unwrap_or("unknown")
}

/// One line for each mutation, by its id; what a person may have to look into is seen without asking for it.
fn log(txn_id: TxnId, seq: u64, duplicate: bool, answer: &Answer) {
    match answer {
        Answer::Rejected { reason: Rejection::Tampered, .. } if !duplicate => {
            tracing::warn!(%txn_id, seq, duplicate, ?answer, "settled");
        }
        Answer::Rejected { .. } | Answer::Parked if !duplicate => {
            tracing::info!(%txn_id, seq, duplicate, ?answer, "settled");
        }
        _ => tracing::debug!(%txn_id, seq, duplicate, ?answer, "settled"),
    }
}

/// What a mutation does and to whom; nothing of one that cannot be read.
fn about(parsed: &Parsed) -> (Option<&'static str>, Option<CustomerId>) {
    match parsed {
        Parsed::Known(mutation) => (Some(mutation.action.kind()), mutation.action.customer()),
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => (None, None),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::PANICS;
    use crate::{Server, sample};
    use carboy_protocol::{Timestamp, mutation};

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
        let balance =
            || server.store().read(|tx| tx.customer(sample.plant, customer)).unwrap().unwrap().balance;
        let before = balance();
        let answers = server.store().write(sample.plant, |tx| {
            let mut books = Books::open(tx, &rider, Timestamp(9), Pace::AllAtOnce)?;
            let id = carboy_protocol::ActorId::from_bytes([7; 16]);
            let mut actor = Actor::new(id, Some(rider.id));
            let mut settle = |body: &str| {
                let link = Link::next(&actor, body);
                books.settle(&mut actor, body, Parsed::of(body), link).map(|outcome| outcome.answer)
            };
            let answers = [settle(&body("1"))?, settle(&body(PANICS))?, settle(&body("2"))?];
            books.close()?;
            Ok(answers)
        });
        let answers = answers.unwrap();
        assert!(matches!(answers[0], Answer::Applied { .. }) && matches!(answers[2], Answer::Applied { .. }));
        let Answer::Rejected { reason, detail } = &answers[1] else { panic!("{answers:?}") };
        assert_eq!((*reason, detail.as_str()), (Rejection::Invalid, "the server failed on it"));
        let day = server.store().read(|tx| tx.rider_day(rider.plant, rider.id)).unwrap().day;
        assert_eq!((balance(), day.in_all.deliveries), (before + 400, 2));
    }

    #[test]
    fn what_a_panic_says_is_told_with_values_in_it_and_without() {
        assert_eq!(panic_text(&"no rows"), "no rows");
        assert_eq!(panic_text(&"7 rows".to_owned()), "7 rows");
        assert_eq!(panic_text(&7), "");
    }
}
