//! The server as a library: everything that its HTTP routes do, callable in process.

use crate::apply::{Link, Outcome, kind_of};
use crate::audit::Change;
use crate::books::{Books, Pace};
use crate::brake::Brake;
use crate::config::{Networks, PublicUrl};
use crate::env::{Clock, Random, SystemClock, SystemRandom};
use crate::limit::Limiter;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::store::{Account, Actor, Location, Store, Tx};
use crate::who::{Author, By, Origin};
use crate::{Error, secret};
use carboy_protocol::mutation::{self, Parsed};
#[cfg(feature = "planted")]
use carboy_protocol::planted::{self, Bug};
use carboy_protocol::wire::{EnrolReply, EnrolRequest, Refusal};
use carboy_protocol::{Action, DeviceId, Mutation, PlantId, PublicKey, Timestamp, TxnId};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Requests at once and per second that a device may send. A phone has one request in flight and puts up to a thousand
/// mutations into each; only one gone wild sends hundreds per second.
const DEVICE_RATE: (i64, i64) = (1_000, 50);

/// The same for enrolments from one address.
const ENROL_RATE: (i64, i64) = (60, 1);

/// The longest name of a device, in characters; a longer one is cut. Control characters are left out.
const MAX_DEVICE_NAME: usize = 100;

/// One server over one store. Shared by all threads; keeps nothing between requests but how many there were and who
/// watches.
pub struct Server {
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    device_rate: Limiter<DeviceId>,
    enrol_rate: Limiter<String>,
    /// Whose turn it is to hash a password.
    pub(crate) hashing: Mutex<()>,
    options: Options,
    shutdown: CancellationToken,
    live: Live,
}

/// What a server is told about its surroundings on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Under which address phones and browsers reach it, if it knows.
    pub public_url: Option<PublicUrl>,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Networks,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (public_url, trusted_proxies) = (None, Networks::default());
        Self { public_url, trusted_proxies, body_timeout: Duration::from_secs(120) }
    }
}

/// Who sends a request, proven by a bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// The person, with plant and role.
    pub account: Account,
    /// The phone or script that holds the token.
    pub device: DeviceId,
    /// What checks the phone's signatures; `None` for a script.
    pub public_key: Option<PublicKey>,
    /// Where the request comes from, for the audit trail.
    pub origin: Origin,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Server {
    /// A server over the SQLite database at `path` (created if absent) with the system's clock and randomness.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// The same with a clock and a source of randomness of the caller's.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open_with(path: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, Error> {
        Ok(Self::over(Store::open(&Location::from(path))?, clock, random))
    }

    /// A server over any store.
    pub fn over(store: Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            store,
            clock,
            random,
            device_rate: Limiter::new(DEVICE_RATE.0, DEVICE_RATE.1),
            enrol_rate: Limiter::new(ENROL_RATE.0, ENROL_RATE.1),
            hashing: Mutex::default(),
            options: Options::default(),
            shutdown: CancellationToken::default(),
            live: Live::default(),
        }
    }

    /// The same server with these options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// What it was told about its surroundings.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Cancelled once the server is asked to end: open streams end then, and it is not ready any more.
    pub fn shutdown_token(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Whether browsers reach this server by TLS, its own or a proxy's: then cookies are sent by TLS alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.options.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        self.store.metrics()
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// A new transaction id.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new_txn(&self) -> Result<TxnId, Error> {
        Ok(TxnId::from_random(self.now(), secret::random_bytes(self.random())?))
    }

    /// Who holds this bearer token, in process.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] if nobody does any more.
    pub fn authenticate(&self, token: &str) -> Result<Auth, Refusal> {
        Ok(self.authenticate_from("", token)?)
    }

    /// Who holds this bearer token, sent from `address`.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] if nobody does any more.
    pub fn authenticate_from(&self, address: &str, token: &str) -> Result<Auth, Error> {
        let auth = self.holder(address, token).inspect_err(|error| {
            if matches!(error, Error::Refused(_)) {
                self.metrics().failed_sign_in("token");
            }
        })?;
        tracing::Span::current().record("device", tracing::field::display(auth.device));
        Ok(auth)
    }

    fn holder(&self, address: &str, token: &str) -> Result<Auth, Error> {
        let unknown = || Error::sign_in("unknown token");
        let (plant, hash) = secret::read_token(token).ok_or_else(unknown)?;
        self.store.read(|tx| {
            let device = tx.device_by_token(plant, hash)?.ok_or_else(unknown)?;
            if device.is_revoked {
                return Err(Error::sign_in(format!("device {} was revoked", device.id)));
            }
            let account = tx.account(plant, device.account)?.ok_or_else(unknown)?;
            if account.is_disabled {
                return Err(Error::sign_in(format!("account {} was disabled", account.id)));
            }
            let origin = Origin::Device { device: device.id, address: address.to_owned() };
            Ok(Auth { account, device: device.id, public_key: device.public_key, origin })
        })
    }

    /// The same for a request on the network: it counts among those that the device may send.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] if nobody holds the token, [`Error::Wait`] if the device sends too many.
    pub(crate) fn admit(&self, address: &str, token: &str) -> Result<Auth, Error> {
        let auth = self.authenticate_from(address, token)?;
        self.device_rate.take(auth.device, self.now()).map_err(|seconds| Error::Wait { seconds })?;
        Ok(auth)
    }

    /// Serves one `POST /v1/enrol`: exchanges a one-time code for a token. `address` is whose guesses are counted.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] for a wrong, used or expired code, [`Error::Wait`] after too many of those.
    pub fn handle_enrol(&self, address: &str, request: &EnrolRequest) -> Result<EnrolReply, Error> {
        self.enrol_rate.take(address.to_owned(), self.now()).map_err(|seconds| Error::Wait { seconds })?;
        let brake = Brake::enrol_from(address);
        self.attempt([brake])?;
        let reply = self.enrol(address, request);
        let reply = reply.inspect_err(|error| {
            if matches!(error, Error::Refused(_)) {
                self.metrics().failed_sign_in("code");
            }
        })?;
        self.store.write_apart(|tx| brake.give_back(tx, self.now()))?;
        Ok(reply)
    }

    fn enrol(&self, address: &str, request: &EnrolRequest) -> Result<EnrolReply, Error> {
        let (code, now) = (secret::hash_code(&request.code), self.now());
        let name = request.device_name.trim().chars().filter(|c| !c.is_control());
        let name: String = name.take(MAX_DEVICE_NAME).collect();
        let found = self.store.read(|tx| tx.code(code))?;
        let known = found.ok_or_else(|| Error::sign_in("unknown enrolment code"))?;
        if known.is_used {
            return Err(Error::sign_in("enrolment code already used"));
        }
        if known.expires_at <= now {
            return Err(Error::sign_in("enrolment code expired"));
        }
        self.store.write(known.plant, |tx| {
            if !tx.use_code(code, now)? {
                return Err(Error::sign_in("enrolment code already used"));
            }
            let account = tx.account(known.plant, known.account)?.ok_or(Error::NotFound("account"))?;
            if account.is_disabled {
                return Err(Error::sign_in(format!("account {} was disabled", account.id)));
            }
            let (device, token) = self.add_device(tx, &account, &name, Some(request.public_key))?;
            let origin = Origin::Device { device, address: address.to_owned() };
            let by = By::from(Author { account: &account, origin: &origin });
            by.note(tx, now, Change::DeviceEnrolled, Some(device.as_bytes()), &name)?;
            let plant = tx.plant(account.plant)?;
            Ok(EnrolReply {
                token,
                device,
                account: account.id,
                account_name: account.name,
                plant: plant.id,
                plant_name: plant.name,
                currency: plant.currency,
            })
        })
    }

    pub(crate) fn add_device(
        &self,
        tx: &Tx<'_>,
        account: &Account,
        name: &str,
        public_key: Option<PublicKey>,
    ) -> Result<(DeviceId, String), Error> {
        let now = self.now();
        let device = DeviceId::from_random(now, secret::random_bytes(self.random())?);
        let (token, hash) = secret::new_token(self.random(), account.plant)?;
        tx.insert_device(account, device, name, hash, public_key, now)?;
        Ok((device, token))
    }

    /// Settles one mutation of `author`, byte for byte as it came, outside any phone's history.
    ///
    /// # Errors
    /// [`Error::TxnReused`] if its id stands for something else, [`Refusal::Malformed`] if it has none.
    pub fn manage<'a>(&self, author: impl Into<Author<'a>>, body: &str) -> Result<Outcome, Error> {
        let parsed = Parsed::of(body);
        let txn = parsed.txn();
        if let Parsed::Malformed { error, .. } = &parsed
            && txn == TxnId::of_unreadable(body.as_bytes())
        {
            return Err(Error::malformed(error.to_string()));
        }
        let author = author.into();
        let outcome = self.settling(author.account.plant, |tx, pace| {
            self.settle_apart(tx, author, (txn, pace), |stored| {
                Ok(stored.is_none_or(|stored| stored == body).then(|| body.to_owned()))
            })
        })?;
        self.metrics().settled(&outcome);
        Ok(outcome)
    }

    /// Settles `action` of `author` under `txn`. A second call with the same action is a duplicate, whatever the
    /// time: what a form submitted twice needs.
    ///
    /// # Errors
    /// [`Error::TxnReused`] if `txn` stands for another action.
    pub fn act<'a>(
        &self,
        author: impl Into<Author<'a>>,
        txn: TxnId,
        action: &Action,
    ) -> Result<Outcome, Error> {
        let author = author.into();
        let work = |tx: &Tx<'_>, pace| self.act_within(tx, author, (txn, pace), action);
        let outcome = self.settling(author.account.plant, work)?;
        self.metrics().settled(&outcome);
        Ok(outcome)
    }

    pub(crate) fn act_within(
        &self,
        tx: &Tx<'_>,
        author: Author<'_>,
        (txn, pace): (TxnId, Pace),
        action: &Action,
    ) -> Result<Outcome, Error> {
        self.settle_apart(tx, author, (txn, pace), |stored| {
            if let Some(stored) = stored {
                let same = matches!(Parsed::of(stored), Parsed::Known(known) if known.action == *action);
                return Ok(same.then(|| stored.to_owned()));
            }
            let (v, action) = (mutation::VERSION, action.clone());
            Ok(Some(serde_json::to_string(&Mutation { v, txn, at: self.now(), replaces: None, action })?))
        })
    }

    /// Runs `work`, which settles mutations: all of them at once, and if the database refuses a row of one, again one by
    /// one, so that only this one is rejected.
    pub(crate) fn settling<T>(
        &self,
        plant: PlantId,
        work: impl Fn(&Tx<'_>, Pace) -> Result<T, Error>,
    ) -> Result<T, Error> {
        #[cfg(feature = "planted")]
        if planted::strikes(Bug::AckBeforeCommit) {
            let mut told = None;
            let died = self.store.write(plant, |tx| {
                told = Some(work(tx, Pace::AllAtOnce)?);
                Err::<T, _>(Error::Invalid("the server died before it had committed".to_owned()))
            });
            return told.map_or(died, Ok);
        }
        match self.store.write(plant, |tx| work(tx, Pace::AllAtOnce)) {
            Err(error) if error.is_its_own() => {
                tracing::warn!(%error, "the database refuses a row: settling one by one");
                self.store.write(plant, |tx| work(tx, Pace::OneByOne))
            }
            result => result,
        }
    }

    /// Settles what `body` makes of what `txn` stands for already; `None` from it means something else.
    fn settle_apart(
        &self,
        tx: &Tx<'_>,
        author: Author<'_>,
        (txn, pace): (TxnId, Pace),
        body: impl FnOnce(Option<&str>) -> Result<Option<String>, Error>,
    ) -> Result<Outcome, Error> {
        let (plant, id) = (author.account.plant, author.account.id);
        let _span = tracing::info_span!("manage", account = %id).entered();
        let known = tx.mutation(plant, id, txn)?;
        let body = body(known.as_ref().map(|stored| stored.body.as_str()))?.ok_or(Error::TxnReused(txn))?;
        if let Some(stored) = known {
            let kind = kind_of(&Parsed::of(&stored.body));
            return Ok(Outcome { answer: stored.answer, duplicate: true, kind });
        }
        let mut books = Books::open(tx, author, self.now(), pace)?;
        let dashboard = books.plant().dashboard;
        let mut actor = tx.actor(plant, dashboard)?.unwrap_or_else(|| Actor::new(dashboard, None));
        let link = Link::next(&actor, &body);
        let outcome = books.settle(&mut actor, &body, Parsed::of(&body), link)?;
        books.close()?;
        tx.put_actor(plant, &actor)?;
        Ok(outcome)
    }
}
