//! The drainer: decides what is sent when, and what a reply means. It has no timer, no socket and no thread; it
//! is asked for the next step and told what came of it.

use crate::store::outbox::Batch;
use crate::store::photos::Sending;
use crate::store::settle::Settled;
use crate::transport::{Body, Exchange, LinkError, Outcome, Reply, TIMEOUT, json_body, judge};
use crate::{Engine, Error, SyncState, TokenError, WaitReason, Waiting};
use carboy_protocol::ActorId;
#[cfg(feature = "planted")]
use carboy_protocol::planted::{self, Bug};
use carboy_protocol::wire::{MAX_BATCH, MAX_PIECE, PHOTO_PATH, PhotoReply, SYNC_PATH, SyncReply};
use std::sync::Arc;
use std::time::Duration;

/// The first batch: all that there is, so that one round trip settles it.
const FIRST_BATCH: usize = MAX_BATCH;

/// Once a link has shown that it does not carry that, a batch is at most what a long day offline gathers: about 45 kB
/// compressed, half a second on an average 3G uplink.
const DAY_BATCH: usize = 1_000;

/// After failures a batch does not become smaller than this, except where the server finds it too large: at 60
/// bytes a mutation it is less than the headers around it.
const SMALL_BATCH: usize = 25;

/// A round trip faster than this says that the link carries a larger batch.
const QUICK: Duration = Duration::from_secs(3);

/// A round trip slower than this risks more than it gains: a window between two tunnels is as short.
const SLOW: Duration = Duration::from_secs(10);

/// The first piece of a photo: a second of a weak 3G uplink.
const FIRST_PIECE: usize = 32 * 1024;

/// The smallest piece: the headers around it are a tenth of it.
const SMALL_PIECE: usize = 4 * 1024;

/// Backoff grows from the first to the second: full jitter, after Brooker, "Exponential Backoff and Jitter" (AWS
/// Architecture Blog, 2015).
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(300);

/// The longest time that a server may send a phone away for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// What to do next.
pub enum Step {
    /// Ask the token provider, for a new token if `refresh`, and pass the result to [`Drainer::token`].
    Token {
        /// Whether the last token was refused.
        refresh: bool,
    },
    /// Carry this exchange, and pass its outcome to [`Drainer::reply`].
    Send(Exchange),
    /// Come back at this time ([`crate::Clock::elapsed`], not from now), or after a wake-up.
    Wait(Duration),
    /// Nothing to do until a wake-up.
    Sleep,
}

/// What can make it worth trying at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The shell says that there is a network.
    Online,
    /// The shell says that there is none.
    Offline,
    /// The app came to the front, or somebody asked to send now.
    Now,
    /// Somebody signed in.
    SignedIn,
    /// The shell is about to be suspended: nothing is to be sent until [`Wake::Resume`].
    Pause,
    /// The shell runs again.
    Resume,
}

/// What stops the drainer until a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    SignIn,
    Upgrade,
}

/// The request under way.
struct Sent {
    what: What,
    at: Duration,
}

enum What {
    /// Mutations, if any, for the feed.
    Batch(SentBatch),
    /// A piece of a photo, of so many bytes.
    Piece(Sending, usize),
}

struct SentBatch {
    actor: ActorId,
    first_seq: u64,
    mutations: usize,
}

/// Sends the outbox in order, one request at a time, and brings back the feed; after that the photos. One for an engine
/// at a time, stepped by one thread; the engine may be used by others meanwhile.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let (engine, customer, route, _folder) = phone();
/// # let server = Server::default();
/// engine.start_shift(None)?;
/// let mut drainer = Drainer::new(engine.clone());
/// loop {
///     match drainer.step() {
///         Step::Token { .. } => drainer.token(Ok("token".into())),
///         Step::Send(exchange) => {
///             drainer.reply(Ok(server.reply(&exchange)));
///         }
///         Step::Wait(_) | Step::Sleep => break,
///     }
/// }
/// assert_eq!(engine.status()?.pending, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Drainer {
    engine: Arc<Engine>,
    online: bool,
    paused: bool,
    /// Whether a round trip is wanted even with an empty outbox: the feed may have news.
    wanted: bool,
    token: Option<String>,
    refresh: bool,
    halt: Option<Halt>,
    batch: usize,
    /// No batch is larger than this.
    most: usize,
    piece: usize,
    failures: u32,
    not_before: Duration,
    sent: Option<Sent>,
    /// The server could not read a single mutation: it goes once more in a form that any server can settle.
    wrap: bool,
    /// The hash chain does not hold: the server wants to know where.
    hashes: bool,
    /// A new actor was taken and nothing was settled since.
    renewed: bool,
}

impl Drainer {
    /// A drainer that believes it is online and wants to talk to the server.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            online: true,
            paused: false,
            wanted: true,
            token: None,
            refresh: false,
            halt: None,
            batch: FIRST_BATCH,
            most: MAX_BATCH,
            piece: FIRST_PIECE,
            failures: 0,
            not_before: Duration::ZERO,
            sent: None,
            wrap: false,
            hashes: false,
            renewed: false,
        }
    }

    /// Sends at most `most` mutations in a request from now on: a benchmark compares at one size what would adapt.
    #[doc(hidden)]
    pub fn limit_batch(&mut self, most: usize) {
        self.most = most.clamp(1, MAX_BATCH);
        self.batch = self.batch.min(self.most);
    }

    /// What to do next; to be asked again whenever something was recorded. A request that [`Step::Send`] handed out
    /// and that was not answered counts as lost.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let mut drainer = Drainer::new(engine.clone());
    /// assert!(matches!(drainer.step(), Step::Token { refresh: false }));
    /// drainer.token(Ok("token".into()));
    /// let Step::Send(exchange) = drainer.step() else { panic!("nothing to send") };
    /// assert_eq!(exchange.path, "/v1/sync");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn step(&mut self) -> Step {
        #[cfg(feature = "planted")]
        if self.sent.is_some() && planted::is(Bug::CancelledDrain) {
            return Step::Sleep;
        }
        self.sent = None;
        if let Some(state) = self.rests() {
            self.engine.set_state(state);
            return Step::Sleep;
        }
        if self.engine.clock.elapsed() < self.not_before {
            return Step::Wait(self.not_before);
        }
        match self.next() {
            Ok(Some(step)) => step,
            Ok(None) => {
                self.engine.set_state(SyncState::Idle);
                Step::Sleep
            }
            Err(error) => {
                self.failed(WaitReason::Store, &error.to_string(), None);
                Step::Wait(self.not_before)
            }
        }
    }

    /// Why nothing is tried at all, if so.
    fn rests(&self) -> Option<SyncState> {
        match self.halt {
            _ if self.paused => Some(SyncState::Paused),
            _ if !self.online => Some(SyncState::Offline),
            Some(Halt::SignIn) => Some(SyncState::NeedsSignIn),
            Some(Halt::Upgrade) => Some(SyncState::NeedsUpgrade),
            None => None,
        }
    }

    /// Mutations first, then photos.
    fn next(&mut self) -> Result<Option<Step>, Error> {
        // Without a token the question is only whether there is anything to send.
        let limit = if self.wrap || self.token.is_none() { 1 } else { self.batch };
        let batch = self.engine.batch(limit, self.wrap)?;
        let photo = if batch.mutations.is_empty() && !self.wanted {
            match self.engine.next_photo()? {
                Some(photo) => Some(photo),
                None => return Ok(None),
            }
        } else {
            None
        };
        let Some(token) = self.token.clone() else {
            return Ok(Some(Step::Token { refresh: self.refresh }));
        };
        match photo {
            Some(photo) => self.send_piece(token, photo),
            None => self.send_batch(token, batch),
        }
    }

    fn send_batch(&mut self, token: String, batch: Batch) -> Result<Option<Step>, Error> {
        let Some(key) = self.engine.device_key()? else {
            // Without its key nobody can vouch for this outbox: the phone has to be enrolled anew.
            self.halt = Some(Halt::SignIn);
            self.engine.set_state(SyncState::NeedsSignIn);
            return Ok(Some(Step::Sleep));
        };
        let sent = SentBatch {
            actor: batch.meta.actor,
            first_seq: batch.first_seq(),
            mutations: batch.mutations.len(),
        };
        let request = batch.request(&key, self.hashes);
        let body = json_body(&request).map_err(|error| Error::Store(error.to_string()))?;
        let (first_seq, mutations, bytes) = (sent.first_seq, sent.mutations, body.bytes().len());
        tracing::debug!(actor = %sent.actor, first_seq, mutations, bytes, "sending");
        Ok(Some(self.send(token, SYNC_PATH.to_owned(), body, What::Batch(sent))))
    }

    fn send_piece(&mut self, token: String, photo: Sending) -> Result<Option<Step>, Error> {
        let piece = match self.engine.album.piece(&photo, self.piece as u64) {
            Ok(piece) => piece,
            Err(error) => {
                tracing::error!(hash = %photo.hash, %error, "a photo cannot be read");
                self.engine.set_photo_aside(&photo)?;
                return self.next();
            }
        };
        let path = format!("{PHOTO_PATH}/{}?from={}", photo.hash, photo.sent);
        let what = What::Piece(photo, piece.len());
        Ok(Some(self.send(token, path, Body::Piece(piece), what)))
    }

    fn send(&mut self, token: String, path: String, body: Body, what: What) -> Step {
        self.sent = Some(Sent { what, at: self.engine.clock.elapsed() });
        self.engine.set_state(SyncState::Sending);
        Step::Send(Exchange { path, token: Some(token), body, timeout: TIMEOUT })
    }

    /// What came of [`Step::Token`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let mut drainer = Drainer::new(engine.clone());
    /// drainer.token(Err(TokenError::SignedOut));
    /// assert!(matches!(drainer.step(), Step::Sleep));
    /// assert_eq!(engine.status()?.state, SyncState::NeedsSignIn);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn token(&mut self, token: Result<String, TokenError>) {
        match token {
            Ok(token) => self.token = Some(token),
            Err(TokenError::SignedOut) => self.halt = Some(Halt::SignIn),
            Err(TokenError::Unavailable(why)) => self.failed(WaitReason::Token, &why, None),
        }
    }

    /// What came of [`Step::Send`]. Returns what was settled if it was an answer to mutations or a question for the
    /// feed. Without a request under way nothing happens.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let mut drainer = Drainer::new(engine.clone());
    /// drainer.token(Ok("token".into()));
    /// assert!(matches!(drainer.step(), Step::Send(_)));
    /// assert_eq!(drainer.reply(Err(LinkError("no route".into()))), None);
    /// assert!(matches!(engine.status()?.state, SyncState::Waiting(Waiting { reason: WaitReason::Link, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply(&mut self, reply: Result<Reply, LinkError>) -> Option<Settled> {
        let Sent { what, at } = self.sent.take()?;
        let took = self.engine.clock.elapsed().saturating_sub(at);
        match what {
            What::Batch(sent) => {
                #[cfg(feature = "planted")]
                let reply = if planted::is(Bug::ReplyFromPortal) { believed(reply, &sent) } else { reply };
                let outcome = self.judged(judge::<SyncReply>(reply))?;
                self.batch_outcome(&sent, outcome, took)
            }
            What::Piece(photo, bytes) => {
                let outcome = self.judged(judge::<PhotoReply>(reply))?;
                self.piece_outcome(&photo, bytes, &outcome, took);
                None
            }
        }
    }

    /// Deals with what can become of any request, and passes on the rest.
    fn judged<T>(&mut self, outcome: Outcome<T>) -> Option<Outcome<T>> {
        if !matches!(outcome, Outcome::Link(_)) {
            self.engine.contacted();
        }
        match outcome {
            Outcome::Link(why) => {
                // The link may have been up for a moment only: try less at once.
                self.shrink();
                self.failed(WaitReason::Link, &why, None);
            }
            Outcome::Busy(retry_after) => {
                self.failed(WaitReason::Busy, "the server is busy", retry_after);
            }
            Outcome::SignIn => self.refused_token(),
            Outcome::Upgrade => self.halt = Some(Halt::Upgrade),
            other => return Some(other),
        }
        None
    }

    fn batch_outcome(
        &mut self,
        sent: &SentBatch,
        outcome: Outcome<SyncReply>,
        took: Duration,
    ) -> Option<Settled> {
        let unusable = |drainer: &mut Self, why: &str| drainer.failed(WaitReason::Server, why, None);
        match outcome {
            Outcome::Answer(answer) => return self.answered(sent, &answer, took),
            Outcome::TooLarge | Outcome::Malformed(_) if sent.mutations > 1 => {
                // At once: the smaller half may pass.
                self.batch = sent.mutations / 2;
            }
            Outcome::TooLarge => unusable(self, "one mutation is too large for the server"),
            Outcome::Malformed(_) if sent.mutations == 1 && !self.wrap => self.wrap = true,
            Outcome::Malformed(why) => unusable(self, &format!("not understood by the server: {why}")),
            Outcome::Gap(expected) => {
                // The server was set back behind what it had settled. What came before is not here any more.
                tracing::error!(expected, sent.first_seq, "the server lost what it had settled");
                self.new_actor();
            }
            Outcome::Forked => self.new_actor(),
            Outcome::Hashes if !self.hashes => {
                tracing::error!("an entry of the outbox was changed on this phone");
                self.hashes = true;
            }
            other => unusable(self, &format!("unexpected answer: {other:?}")),
        }
        None
    }

    fn answered(&mut self, sent: &SentBatch, answer: &SyncReply, took: Duration) -> Option<Settled> {
        if answer.actor != sent.actor || answer.results.len() != sent.mutations {
            self.failed(WaitReason::Server, "the reply does not belong to the request", None);
            return None;
        }
        match self.engine.settle(sent.actor, sent.first_seq, answer) {
            Ok(settled) => {
                self.succeeded();
                self.wrap = false;
                self.hashes = false;
                self.renewed = false;
                self.wanted = settled.more;
                self.adapt(sent.mutations, took);
                Some(settled)
            }
            Err(error) => {
                self.failed(WaitReason::Store, &error.to_string(), None);
                None
            }
        }
    }

    fn piece_outcome(
        &mut self,
        photo: &Sending,
        bytes: usize,
        outcome: &Outcome<PhotoReply>,
        took: Duration,
    ) {
        let result = match outcome {
            &Outcome::Answer(PhotoReply { received, complete }) => {
                self.succeeded();
                if took < QUICK && bytes == self.piece {
                    self.piece = (self.piece * 2).min(MAX_PIECE);
                }
                // All of it was sent and the server cannot make the photo of it: once more will not help.
                let was_all = photo.sent + bytes as u64 >= photo.bytes;
                let is_in_vain = !complete && was_all && (received == 0 || received >= photo.bytes);
                if is_in_vain {
                    self.engine.set_photo_aside(photo)
                } else {
                    self.engine.photo_sent(photo, received.min(photo.bytes), complete)
                }
            }
            Outcome::TooLarge if self.piece > SMALL_PIECE => {
                self.shrink();
                Ok(())
            }
            Outcome::TooLarge => {
                // Anybody on the way may have said that: no reason to give the photo up.
                self.failed(WaitReason::Server, "a piece of a photo is too large for the server", None);
                Ok(())
            }
            _ => self.engine.set_photo_aside(photo),
        };
        if let Err(error) = result {
            self.failed(WaitReason::Store, &error.to_string(), None);
        }
    }

    fn succeeded(&mut self) {
        self.failures = 0;
        self.refresh = false;
    }

    /// A full batch that went quickly may be larger next time, one that went slowly smaller.
    fn adapt(&mut self, mutations: usize, took: Duration) {
        if took > SLOW {
            self.shrink();
        } else if took < QUICK && mutations == self.batch {
            self.batch = (self.batch * 2).min(self.most);
        }
    }

    /// Half as much next time and no more than [`DAY_BATCH`], but nothing below [`SMALL_BATCH`] that was not below it
    /// before.
    fn shrink(&mut self) {
        self.batch = (self.batch / 2).min(DAY_BATCH).max(SMALL_BATCH.min(self.batch));
        self.piece = (self.piece / 2).max(SMALL_PIECE);
    }

    /// Asks the provider for a new token once; if the server refuses that one too, a person has to sign in.
    fn refused_token(&mut self) {
        self.token = None;
        if self.refresh {
            self.halt = Some(Halt::SignIn);
        }
        self.refresh = true;
    }

    fn new_actor(&mut self) {
        if let Err(error) = self.engine.take_new_actor() {
            self.failed(WaitReason::Store, &error.to_string(), None);
        } else if std::mem::replace(&mut self.renewed, true) {
            // A server that refuses every actor must not be asked in a tight circle.
            self.failed(WaitReason::Server, "the server refuses this history again", None);
        }
    }

    /// Waits before the next try: as long as the server says, or with full jitter.
    fn failed(&mut self, reason: WaitReason, detail: &str, retry_after: Option<Duration>) {
        let ceiling = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(20)).min(LAST_BACKOFF);
        self.failures += 1;
        let delay = retry_after.map_or_else(|| self.jitter(ceiling), |after| after.min(MAX_RETRY_AFTER));
        self.not_before = self.engine.clock.elapsed() + delay;
        #[cfg(feature = "planted")]
        if planted::is(Bug::BackoffNeverWoken) && self.failures > 2 {
            self.not_before = Duration::MAX;
        }
        tracing::info!(?reason, detail, delay_ms = delay.as_millis(), "not sent");
        self.engine.set_state(SyncState::Waiting(Waiting { reason, detail: detail.to_owned(), delay }));
    }

    /// A random part of `ceiling`. Without randomness, all of it.
    fn jitter(&self, ceiling: Duration) -> Duration {
        let mut bytes = [0; 4];
        match self.engine.random.fill(&mut bytes) {
            Ok(()) => ceiling.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)),
            Err(_) => ceiling,
        }
    }

    /// Takes note of something that may make a try worthwhile.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// let mut drainer = Drainer::new(engine.clone());
    /// drainer.wake(Wake::Offline);
    /// assert!(matches!(drainer.step(), Step::Sleep));
    /// drainer.wake(Wake::Online);
    /// assert!(matches!(drainer.step(), Step::Token { refresh: false }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Offline => {
                self.online = false;
                return;
            }
            Wake::Pause => {
                self.paused = true;
                self.engine.set_state(SyncState::Paused);
                return;
            }
            Wake::Online => self.online = true,
            Wake::Resume => self.paused = false,
            Wake::Now => {}
            Wake::SignedIn => {
                self.token = None;
                self.refresh = false;
                self.halt = None;
            }
        }
        self.wanted = true;
        #[cfg(feature = "planted")]
        if planted::is(Bug::BackoffNeverWoken) {
            return;
        }
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }
}

/// Takes any reply with status 200 for one that has settled everything.
#[cfg(feature = "planted")]
fn believed(reply: Result<Reply, LinkError>, sent: &SentBatch) -> Result<Reply, LinkError> {
    use carboy_protocol::wire::{Answer, Settlement, VERSION};
    let mut reply = reply?;
    if reply.status == 200 && reply.protocol.is_none() {
        let settled = |seq| Settlement { seq, answer: Answer::Applied { rev: 0 }, duplicate: false };
        let results = (sent.first_seq..).take(sent.mutations).map(settled).collect();
        let (actor, feed, cursor) = (sent.actor, Vec::new(), 0);
        let told = SyncReply { actor, results, feed, cursor, more: false, day: None };
        reply.body = serde_json::to_vec(&told).map_err(|error| LinkError(error.to_string()))?;
        reply.protocol = Some(VERSION.to_string());
    }
    Ok(reply)
}
