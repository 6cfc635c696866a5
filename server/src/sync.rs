//! One round trip of a phone: its signature and its hash chain are checked, its mutations settled, then it gets the
//! feed.

use crate::apply::{Link, Outcome, kind_of};
use crate::books::{Books, Pace};
use crate::server::Auth;
use crate::store::{Account, Actor, Tx};
use crate::who::Author;
use crate::{Error, Server, tamper};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, MAX_BATCH, Refusal, Settlement, SyncReply, SyncRequest};
use carboy_protocol::{ChainHash, Dot, Role, Timestamp, VectorClock};
use serde_json::value::RawValue;

/// Ledger lines received longer ago than this are not sent; balances count them all the same. In milliseconds.
const LEDGER_SPAN: i64 = 60 * 24 * 60 * 60 * 1000;

impl Server {
    /// Serves one `POST /v1/sync`. All of it is durable when this returns `Ok`. Otherwise none of it was settled, or all of
    /// it and only the feed could not be read: whoever sends it again gets the answers.
    ///
    /// # Errors
    /// The [`Refusal`] to send instead.
    pub fn handle_sync(&self, auth: &Auth, request: &SyncRequest) -> Result<SyncReply, Refusal> {
        let _span = tracing::info_span!("sync", device = %auth.device, actor = %request.actor).entered();
        let reply = self.sync(auth, request).map_err(Refusal::from);
        reply.inspect_err(|refusal| {
            self.metrics().refused(refusal);
            tracing::info!(?refusal, "sync refused");
        })
    }

    fn sync(&self, auth: &Auth, request: &SyncRequest) -> Result<SyncReply, Error> {
        check_form(request)?;
        check_signature(auth, request)?;
        let now = self.now();
        let plant = auth.account.plant;
        let outcomes = self.settling(plant, |tx, pace| receive(tx, auth, request, (now, pace)))?;
        let since = Timestamp(now.0.saturating_sub(LEDGER_SPAN));
        let Account { id, role, .. } = auth.account;
        let (page, day) = self.store().read(|tx| {
            let day = (role == Role::Rider).then(|| tx.rider_day(plant, id)).transpose()?;
            let cursor = tx.cursor_here(plant, request.cursor)?;
            let page = tx.feed((plant, id), (cursor, request.mutations.len()), since)?;
            Ok((page, day.map(|rider_day| rider_day.day)))
        })?;
        #[cfg(feature = "planted")]
        let page = past_uncommitted(page);
        self.metrics().synced(&outcomes, page.items.len());
        log(request, &outcomes, page.items.len());
        let results = (request.first_seq..).zip(outcomes);
        let results =
            results.map(|(seq, Outcome { answer, duplicate, .. })| Settlement { seq, answer, duplicate });
        Ok(SyncReply {
            actor: request.actor,
            results: results.collect(),
            feed: page.items,
            cursor: page.cursor,
            more: page.more,
            day,
        })
    }
}

/// One line for each round trip that settled something; each mutation has a line of its own behind it.
fn log(request: &SyncRequest, outcomes: &[Outcome], feed_items: usize) {
    if outcomes.is_empty() {
        tracing::debug!(feed_items, cursor = request.cursor, "synced");
        return;
    }
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    tracing::info!(
        first_seq = request.first_seq,
        last_seq = request.first_seq + outcomes.len() as u64 - 1,
        applied = count(|outcome| !outcome.duplicate && matches!(outcome.answer, Answer::Applied { .. })),
        duplicate = count(|outcome| outcome.duplicate),
        rejected = count(|outcome| !outcome.duplicate && matches!(outcome.answer, Answer::Rejected { .. })),
        parked = count(|outcome| !outcome.duplicate && matches!(outcome.answer, Answer::Parked)),
        feed_items,
        "synced"
    );
}

fn check_form(request: &SyncRequest) -> Result<(), Error> {
    let count = request.mutations.len();
    if count > MAX_BATCH {
        return Err(Error::Refused(Refusal::TooLarge { limit: MAX_BATCH as u64 }));
    }
    if request.hashes.as_ref().is_some_and(|hashes| hashes.len() != count) {
        return Err(Error::malformed(format!("other than {count} hashes for {count} mutations")));
    }
    // SQLite's integers end at 2^63 - 1.
    let (first, last, limit) = (request.first_seq, request.last_seq, i64::MAX.unsigned_abs());
    let behind = first.checked_add(count as u64).filter(|&behind| first > 0 && behind - 1 <= last);
    if behind.is_none() || last >= limit || request.cursor > limit {
        return Err(Error::malformed(format!(
            "{count} mutations from seq {first} of {last}, cursor {}",
            request.cursor
        )));
    }
    Ok(())
}

/// Whether the phone that was enrolled is the one that speaks.
fn check_signature(auth: &Auth, request: &SyncRequest) -> Result<(), Error> {
    let Some(key) = auth.public_key else {
        return Err(Error::sign_in(format!("device {} has registered no key to sign with", auth.device)));
    };
    let covered = request.first_seq + request.mutations.len() as u64 - 1;
    if key.verifies_head(request.actor, covered, request.head, &request.signature) {
        Ok(())
    } else {
        tracing::warn!(seq = covered, "a signature is not the device's");
        Err(Error::sign_in(format!("the signature is not that of device {}", auth.device)))
    }
}

fn receive(
    tx: &Tx<'_>,
    auth: &Auth,
    request: &SyncRequest,
    (now, pace): (Timestamp, Pace),
) -> Result<Vec<Outcome>, Error> {
    let mut actor = known_actor(tx, auth, request)?;
    let next = actor.next_seq;
    if request.last_seq + 1 < next {
        return Err(forked(format!("seq {} was received, the phone has {}", next - 1, request.last_seq)));
    }
    if request.first_seq > next {
        return Err(Error::Refused(Refusal::Gap { expected: next }));
    }
    let mut hash = hash_before(tx, auth, &actor, request.first_seq)?;
    let known = usize::try_from(next - request.first_seq)
        .map_or(request.mutations.len(), |known| known.min(request.mutations.len()));
    let (replayed, new) = request.mutations.split_at(known);
    let mut outcomes = Vec::with_capacity(request.mutations.len());
    for (outcome, stored) in replay(tx, auth, request, replayed)? {
        outcomes.push(outcome);
        hash = stored;
    }
    let (links, is_broken) = links(request, hash, new)?;
    let mut books = Books::open(tx, Author { account: &auth.account, origin: &auth.origin }, now, pace)?;
    let batch: Vec<_> = new.iter().map(|body| Parsed::of(body.get())).collect();
    books.look_up(&batch)?;
    for ((body, parsed), link) in new.iter().zip(batch).zip(links) {
        outcomes.push(books.settle(&mut actor, body.get(), parsed, link)?);
    }
    books.close()?;
    if is_broken {
        note_broken_chain(tx, auth, &mut actor, request)?;
    }
    actor.device = Some(auth.device);
    tx.put_actor(auth.account.plant, &actor)?;
    let unsent = request.last_seq - (actor.next_seq - 1);
    tx.device_seen(auth.account.plant, auth.device, now, unsent, is_broken)?;
    Ok(outcomes)
}

/// The links of the new mutations, the last ones of the request, behind the hash `before`; and whether the chain
/// does not lead to the request's head. Then the phone has to tell its hashes first.
fn links(
    request: &SyncRequest,
    before: ChainHash,
    new: &[Box<RawValue>],
) -> Result<(Vec<Link>, bool), Error> {
    let known = request.mutations.len() - new.len();
    let first_seq = request.first_seq + known as u64;
    let mut head = before;
    let links = (first_seq..).zip(new).map(|(seq, body)| {
        head = head.next(seq, body.get().as_bytes());
        Link { hash: head, is_intact: true }
    });
    let links = links.collect();
    if head == request.head {
        return Ok((links, false));
    }
    let Some(hashes) = &request.hashes else { return Err(Error::Refused(Refusal::Hashes)) };
    let bodies: Vec<_> = new.iter().map(|body| body.get()).collect();
    Ok((tamper::judge(before, first_seq, &bodies, &hashes[known..], request.head), true))
}

/// The request's actor; a new one continues its parent's history as far as the server has that.
fn known_actor(tx: &Tx<'_>, auth: &Auth, request: &SyncRequest) -> Result<Actor, Error> {
    let (plant, account) = (auth.account.plant, Some(auth.account.id));
    match tx.actor(plant, request.actor)? {
        Some(actor) if actor.account == account => return Ok(actor),
        // This file is somebody else's: its own token is what it needs, not another actor.
        Some(_) => return Err(Error::sign_in(format!("actor {} is of another account", request.actor))),
        None => {}
    }
    let mut actor = Actor::new(request.actor, account);
    let Some(parent) = request.parent else { return Ok(actor) };
    match tx.actor(plant, parent.actor)? {
        Some(known) if known.account == account => {
            let seq = parent.seq.min(known.next_seq - 1);
            actor.inherited = known.inherited.joined(&VectorClock::from(Dot { seq, ..parent }));
        }
        Some(_) => return Err(Error::malformed(format!("parent {} is of another account", parent.actor))),
        None => tracing::warn!(actor = %actor.id, parent = %parent.actor, "parent never seen"),
    }
    Ok(actor)
}

/// The chain's hash in front of the request's first mutation.
fn hash_before(tx: &Tx<'_>, auth: &Auth, actor: &Actor, first_seq: u64) -> Result<ChainHash, Error> {
    if first_seq == actor.next_seq {
        return Ok(actor.head);
    }
    let before = Dot { actor: actor.id, seq: first_seq - 1 };
    let stored = tx.chain_hash(auth.account.plant, before)?;
    Ok(stored.unwrap_or_else(|| ChainHash::genesis(actor.id)))
}

/// What was answered the first time, if these were the same mutations.
fn replay(
    tx: &Tx<'_>,
    auth: &Auth,
    request: &SyncRequest,
    bodies: &[Box<RawValue>],
) -> Result<Vec<(Outcome, ChainHash)>, Error> {
    if bodies.is_empty() {
        return Ok(Vec::new());
    }
    let seqs = (request.first_seq, request.first_seq + bodies.len() as u64 - 1);
    let mut stored = tx.mutations_at(auth.account.plant, request.actor, seqs)?.into_iter().peekable();
    let answers =
        (request.first_seq..).zip(bodies).map(|(seq, body)| match stored.next_if(|(at, _, _)| *at == seq) {
            Some((_, stored, hash)) if stored.body == body.get() || is_seq_enough() => {
                tracing::debug!(txn_id = %stored.txn, seq, "answered again");
                let kind = kind_of(&Parsed::of(&stored.body));
                Ok((Outcome { answer: stored.answer, duplicate: true, kind }, hash))
            }
            _ => Err(forked(format!("seq {seq} of actor {} stands for something else", request.actor))),
        });
    answers.collect()
}

/// Nothing may wedge: the manager is told, and what follows is checked against what the phone claims.
fn note_broken_chain(
    tx: &Tx<'_>,
    auth: &Auth,
    actor: &mut Actor,
    request: &SyncRequest,
) -> Result<(), Error> {
    tracing::warn!(first_seq = request.first_seq, head = %request.head, "hash chain broken");
    if request.first_seq + request.mutations.len() as u64 == actor.next_seq {
        actor.head = request.head;
        let last = Dot { actor: actor.id, seq: actor.next_seq - 1 };
        tx.set_chain_hash(auth.account.plant, last, request.head)?;
    }
    Ok(())
}

/// Whether the same seq stands for the same mutation without a look at it: never, but where a bug is put in on purpose.
#[cfg(not(feature = "planted"))]
fn is_seq_enough() -> bool {
    false
}

#[cfg(feature = "planted")]
fn is_seq_enough() -> bool {
    carboy_protocol::planted::is(carboy_protocol::planted::Bug::SeqReused)
}

/// A page that ends behind a change which is not visible yet.
#[cfg(feature = "planted")]
fn past_uncommitted(mut page: crate::store::Page) -> crate::store::Page {
    use carboy_protocol::planted::{Bug, strikes};
    if strikes(Bug::FeedPastUncommitted) {
        page.items.pop();
    }
    page
}

fn forked(detail: String) -> Error {
    Error::Refused(Refusal::Forked { detail })
}
