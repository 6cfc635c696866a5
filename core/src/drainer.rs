//! The drainer: decides what is sent when, and what a reply means. It has no timer, no socket and no thread; it
//! is asked for the next step and told what came of it.

use crate::store::settle::Settled;
use crate::transport::{Exchange, LinkError, Outcome, Reply, TIMEOUT, compressed, judge};
use crate::{Engine, Error, SyncState, TokenError};
use carboy_protocol::ActorId;
use carboy_protocol::wire::{MAX_BATCH, SYNC_PATH, SyncReply, SyncRequest};
use std::sync::Arc;
use std::time::Duration;

/// The first batch: what two hours offline gather, so that one round trip settles it. About 15 kB compressed,
/// an eighth of a second on an average 3G uplink.
const FIRST_BATCH: usize = 250;

/// After failures a batch does not become smaller than this, except where the server finds it too large: at 60
/// bytes a mutation it is less than the headers around it.
const SMALL_BATCH: usize = 25;

/// A round trip faster than this says that the link carries a larger batch.
const QUICK: Duration = Duration::from_secs(3);

/// A round trip slower than this risks more than it gains: a window between two tunnels is as short.
const SLOW: Duration = Duration::from_secs(10);

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
    /// Come back at this time ([`crate::Clock::elapsed`]), or after a wake-up.
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
}

/// What stops the drainer until a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    SignIn,
    Upgrade,
}

/// The request under way.
struct Sent {
    actor: ActorId,
    first_seq: u64,
    mutations: usize,
    at: Duration,
}

/// Sends the outbox in order, one request at a time, and brings back the feed.
pub struct Drainer {
    engine: Arc<Engine>,
    online: bool,
    /// Whether a round trip is wanted even with an empty outbox: the feed may have news.
    wanted: bool,
    token: Option<String>,
    refresh: bool,
    halt: Option<Halt>,
    batch: usize,
    failures: u32,
    not_before: Duration,
    sent: Option<Sent>,
    /// The server could not read a single mutation: it goes once more in a form that any server can settle.
    wrap: bool,
    /// A new actor was taken and nothing was settled since.
    renewed: bool,
}

impl Drainer {
    /// A drainer that believes it is online and wants to talk to the server.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            online: true,
            wanted: true,
            token: None,
            refresh: false,
            halt: None,
            batch: FIRST_BATCH,
            failures: 0,
            not_before: Duration::ZERO,
            sent: None,
            wrap: false,
            renewed: false,
        }
    }

    /// What to do next; to be asked again whenever something was recorded. A request that [`Step::Send`] handed out
    /// and that was not answered counts as lost.
    pub fn step(&mut self) -> Step {
        self.sent = None;
        if !self.online {
            self.engine.set_state(SyncState::Offline);
            return Step::Sleep;
        }
        if let Some(halt) = self.halt {
            self.engine.set_state(match halt {
                Halt::SignIn => SyncState::NeedsSignIn,
                Halt::Upgrade => SyncState::NeedsUpgrade,
            });
            return Step::Sleep;
        }
        if self.engine.clock.elapsed() < self.not_before {
            return Step::Wait(self.not_before);
        }
        match self.request() {
            Ok(Some(step)) => step,
            Ok(None) => {
                self.engine.set_state(SyncState::Idle);
                Step::Sleep
            }
            Err(error) => {
                self.failed(&format!("local: {error}"), None);
                Step::Wait(self.not_before)
            }
        }
    }

    fn request(&mut self) -> Result<Option<Step>, Error> {
        let batch = self.engine.batch(if self.wrap { 1 } else { self.batch }, self.wrap)?;
        if batch.mutations.is_empty() && !self.wanted {
            return Ok(None);
        }
        let Some(token) = self.token.clone() else {
            return Ok(Some(Step::Token { refresh: self.refresh }));
        };
        let sent = Sent {
            actor: batch.meta.actor,
            first_seq: batch.first_seq(),
            mutations: batch.mutations.len(),
            at: self.engine.clock.elapsed(),
        };
        let request = SyncRequest {
            actor: batch.meta.actor,
            parent: batch.meta.parent,
            first_seq: sent.first_seq,
            last_seq: batch.meta.seq(batch.meta.last_id),
            head: batch.head,
            mutations: batch.mutations,
            cursor: batch.meta.cursor,
        };
        let body =
            compressed(&serde_json::to_vec(&request)?).map_err(|error| Error::Store(error.to_string()))?;
        tracing::debug!(
            first_seq = sent.first_seq,
            mutations = sent.mutations,
            bytes = body.len(),
            "sending"
        );
        self.sent = Some(sent);
        self.engine.set_state(SyncState::Sending);
        Ok(Some(Step::Send(Exchange { path: SYNC_PATH, token: Some(token), body, timeout: TIMEOUT })))
    }

    /// What came of [`Step::Token`].
    pub fn token(&mut self, token: Result<String, TokenError>) {
        match token {
            Ok(token) => self.token = Some(token),
            Err(TokenError::SignedOut) => self.halt = Some(Halt::SignIn),
            Err(TokenError::Unavailable(why)) => self.failed(&format!("no token: {why}"), None),
        }
    }

    /// What came of [`Step::Send`]. Returns what was settled, if anything was.
    pub fn reply(&mut self, reply: Result<Reply, LinkError>) -> Option<Settled> {
        let sent = self.sent.take()?;
        let outcome = judge::<SyncReply>(reply);
        if !matches!(outcome, Outcome::Link(_)) {
            self.engine.contacted();
        }
        match outcome {
            Outcome::Answer(answer) => return self.answered(&sent, &answer),
            Outcome::Link(why) => {
                // The link may have been up for a moment only: try less at once.
                self.shrink();
                self.failed(&why, None);
            }
            Outcome::Busy(retry_after) => self.failed("the server is busy", retry_after),
            Outcome::SignIn => self.refused_token(),
            Outcome::TooLarge | Outcome::Malformed(_) if sent.mutations > 1 => {
                // At once: the smaller half may pass.
                self.batch = sent.mutations / 2;
            }
            Outcome::TooLarge => self.failed("one mutation is too large for the server", None),
            Outcome::Malformed(_) if sent.mutations == 1 && !self.wrap => self.wrap = true,
            Outcome::Malformed(why) => self.failed(&format!("not understood by the server: {why}"), None),
            Outcome::Gap(expected) => {
                // The server was set back behind what it had settled. What came before is not here any more.
                tracing::error!(expected, first_seq = sent.first_seq, "the server lost what it had settled");
                self.new_actor();
            }
            Outcome::Forked => self.new_actor(),
            Outcome::Upgrade => self.halt = Some(Halt::Upgrade),
        }
        None
    }

    fn answered(&mut self, sent: &Sent, answer: &SyncReply) -> Option<Settled> {
        if answer.actor != sent.actor || answer.results.len() != sent.mutations {
            self.failed("the reply does not belong to the request", None);
            return None;
        }
        match self.engine.settle(sent.actor, sent.first_seq, answer) {
            Ok(settled) => {
                self.failures = 0;
                self.refresh = false;
                self.wrap = false;
                self.renewed = false;
                self.wanted = settled.more;
                self.adapt(sent);
                Some(settled)
            }
            Err(error) => {
                self.failed(&format!("local: {error}"), None);
                None
            }
        }
    }

    /// A full batch that went quickly may be larger next time, one that went slowly smaller.
    fn adapt(&mut self, sent: &Sent) {
        let took = self.engine.clock.elapsed().saturating_sub(sent.at);
        if took > SLOW {
            self.shrink();
        } else if took < QUICK && sent.mutations == self.batch {
            self.batch = (self.batch * 2).min(MAX_BATCH);
        }
    }

    /// Half as much next time, but nothing below [`SMALL_BATCH`] that was not below it before.
    fn shrink(&mut self) {
        self.batch = (self.batch / 2).max(SMALL_BATCH.min(self.batch));
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
            self.failed(&format!("local: {error}"), None);
        } else if std::mem::replace(&mut self.renewed, true) {
            // A server that refuses every actor must not be asked in a tight circle.
            self.failed("the server refuses this history again", None);
        }
    }

    /// Waits before the next try: as long as the server says, or with full jitter.
    fn failed(&mut self, why: &str, retry_after: Option<Duration>) {
        let ceiling = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(20)).min(LAST_BACKOFF);
        self.failures += 1;
        let delay = retry_after.map_or_else(|| self.jitter(ceiling), |after| after.min(MAX_RETRY_AFTER));
        self.not_before = self.engine.clock.elapsed() + delay;
        tracing::info!(why, delay_ms = delay.as_millis(), "not sent");
        self.engine.set_state(SyncState::Waiting(why.to_owned()));
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
    pub fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Offline => {
                self.online = false;
                return;
            }
            Wake::Online => self.online = true,
            Wake::Now => {}
            Wake::SignedIn => {
                self.token = None;
                self.refresh = false;
                self.halt = None;
            }
        }
        self.wanted = true;
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }
}
