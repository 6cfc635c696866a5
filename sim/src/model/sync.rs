//! A phone's batch: what the server must make of it as a whole.

use super::{Author, Plant, Verdict, Wrong};
use carboy_protocol::wire::SyncRequest;
use carboy_protocol::{Mutation, Timestamp, TxnId};

/// How a mutation arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// For the first time.
    New,
    /// Again, at the place where it stands.
    Repeated,
    /// Again, at another place: the phone has taken a new actor since.
    Moved,
}

/// What a batch must be answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This history was continued elsewhere.
    Forked,
    /// Each mutation's answer, and how it arrived.
    Answers(Vec<(TxnId, Verdict, Arrival)>),
}

impl Plant {
    /// A batch arrives at `now`, at a server that does not know the kinds `unknown`.
    ///
    /// # Errors
    /// If it holds what nobody did, something other than what was done, or a gap.
    pub fn receive(
        &mut self,
        author: Author,
        request: &SyncRequest,
        now: Timestamp,
        unknown: &[&str],
    ) -> Result<Told, Wrong> {
        let actor = request.actor;
        let has = self.histories.get(&actor).map_or(0, Vec::len) as u64;
        if request.last_seq < has {
            return Ok(Told::Forked);
        }
        if request.first_seq > has + 1 {
            return Err(format!("a gap: seq {} of {actor} where {} comes next", request.first_seq, has + 1));
        }
        for (seq, body) in (request.first_seq..=has).zip(&request.mutations) {
            if !self.is_at((actor, seq), author, body.get())? {
                return Ok(Told::Forked);
            }
        }
        let mut answers = Vec::with_capacity(request.mutations.len());
        for (seq, body) in (request.first_seq..).zip(&request.mutations) {
            let (txn, verdict, is_known) = self.settle(author, (actor, seq), (body.get(), now), unknown)?;
            if seq > has {
                self.histories.entry(actor).or_default().push(txn);
            }
            let arrival = match (is_known, seq > has) {
                (false, _) => Arrival::New,
                (true, false) => Arrival::Repeated,
                (true, true) => Arrival::Moved,
            };
            answers.push((txn, verdict, arrival));
        }
        Ok(Told::Answers(answers))
    }

    /// Whether this very mutation stands at that place.
    fn is_at(
        &self,
        (actor, seq): (carboy_protocol::ActorId, u64),
        author: Author,
        body: &str,
    ) -> Result<bool, Wrong> {
        let mutation: Mutation = serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
        let place = usize::try_from(seq - 1).map_err(|error| error.to_string())?;
        let stands = self.histories.get(&actor).and_then(|txns| txns.get(place));
        let known = self.known.get(&(author.account, mutation.txn));
        let is_same = known.is_some_and(|known| known.digest == super::books::digest(body));
        Ok(stands == Some(&mutation.txn) && is_same)
    }
}
