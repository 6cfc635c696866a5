//! A world in one process and one thread on virtual time: real cores on phones, real servers over one store, links,
//! people and faults. Everything follows from a [`Config`]; after each step the product is compared with the model.

mod disk;
mod end;
mod exchange;
mod file;
mod manage;
mod older;
mod phone;
mod photos;
mod server;
mod set_up;
mod strike;
mod tap;

use crate::clock::Ms;
use crate::history::History;
use crate::model::{Plant, Wrong};
use crate::report::Stats;
use crate::schedule::{Config, Fault, Operation, What};
use carboy_core::{Step, SyncState, TokenError, Wake};
use carboy_protocol::{AccountId, Currency, CustomerId, DeviceId, PlantId, RouteId};
use carboy_server::store::Account;
use exchange::{Flight, Return};
use phone::{Life, Phone, Time};
use photos::Camera;
use server::Node;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use tap::Tap;

/// A plant with its people, and what the model says of it.
pub(crate) struct Site {
    pub(crate) id: PlantId,
    pub(crate) currency: Currency,
    pub(crate) managers: Vec<Account>,
    pub(crate) riders: Vec<Rider>,
    /// Everybody who was ever added, the most popular ones first.
    pub(crate) customers: Vec<CustomerId>,
    pub(crate) routes: Vec<RouteId>,
    pub(crate) forms: Vec<manage::Form>,
    pub(crate) model: Plant,
}

/// A rider and his phones, the one that he uses last.
pub(crate) struct Rider {
    pub(crate) account: AccountId,
    pub(crate) phones: Vec<usize>,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) plant: usize,
    pub(crate) account: AccountId,
    pub(crate) id: DeviceId,
    pub(crate) is_revoked: bool,
}

/// An update that goes through servers and apps one after another.
pub(crate) struct Rollout {
    /// What the servers of before do not know.
    pub(crate) kinds: &'static [&'static str],
}

/// What is to happen.
enum Event {
    /// A person taps.
    Tap { phone: usize, tap: Tap, customer: Option<CustomerId>, dice: u64 },
    /// A request reaches the servers.
    Arrive { flight: Rc<Flight>, is_first: bool },
    /// Something comes back to a phone.
    Return { phone: usize, starts: u32, flight: u64, back: Box<Return> },
    /// A drainer wants to be asked again.
    Ask { phone: usize, starts: u32 },
    /// Somebody signs in, or updates the app.
    Help { phone: usize, starts: u32 },
    /// The signal goes or comes.
    Signal { phone: usize, is_there: bool },
    /// The portal is left behind.
    PortalLeft { phone: usize },
    /// The app comes back to the front.
    Resume { phone: usize },
    /// A phone's backup comes back onto it.
    Restore { phone: usize },
    /// A server comes up.
    Up { node: usize },
    /// A server gets the newest version.
    Upgrade { node: usize },
    /// Apps of before are not served any more.
    NeedNewApps,
    /// A manager's form is sent.
    Submit { site: usize, form: Box<manage::Submission> },
}

struct Due {
    at: Ms,
    serial: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// A world under way.
pub struct World {
    config: Config,
    folder: tempfile::TempDir,
    time: Arc<Time>,
    queue: BinaryHeap<Reverse<Due>>,
    serial: u64,
    sites: Vec<Site>,
    phones: Vec<Phone>,
    nodes: Vec<Node>,
    devices: BTreeMap<String, Device>,
    /// Looks into the servers' store.
    inspector: rusqlite::Connection,
    camera: Camera,
    /// Whose photos may have gone with a phone that was wiped, or with what was newer than a restored backup.
    set_back: BTreeSet<AccountId>,
    history: History,
    stats: Stats,
    /// The newest version of the servers, and the oldest one of the apps that is served.
    version: u32,
    least_app: u32,
    rollout: Option<Rollout>,
    /// The faults have stopped.
    is_calm: bool,
}

impl World {
    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.time.now()
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What happened so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// From now on the history keeps lines for a person to read.
    pub fn keep_lines(&mut self) {
        self.history.keep_lines();
    }

    /// Lets everything happen that comes before `operation`, and then that.
    ///
    /// # Errors
    /// Where product and model disagree.
    pub fn perform(&mut self, operation: &Operation) -> Result<(), Wrong> {
        self.run_until(operation.at)?;
        self.time.set(operation.at.max(self.now()));
        self.stats.operations += 1;
        match operation.what {
            What::Visit => self.visit(operation.dice),
            What::Errand => self.errand(operation.dice),
            What::Manage => self.manage(operation.dice),
            What::Strike(fault) if self.strikes(fault) => self.strike(fault, operation.dice),
            What::Strike(_) => Ok(()),
        }
    }

    /// Whether this kind of fault strikes at the moment.
    fn strikes(&self, fault: Fault) -> bool {
        !self.is_calm && self.config.faults.has(fault)
    }

    fn run_until(&mut self, end: Ms) -> Result<(), Wrong> {
        while self.queue.peek().is_some_and(|Reverse(due)| due.at <= end) {
            self.next()?;
        }
        Ok(())
    }

    /// Lets the next event happen; false if there is none.
    fn next(&mut self) -> Result<bool, Wrong> {
        let Some(Reverse(Due { at, event, .. })) = self.queue.pop() else { return Ok(false) };
        self.time.set(at.max(self.now()));
        self.happen(event)?;
        Ok(true)
    }

    fn later(&mut self, delay: Ms, event: Event) {
        self.serial += 1;
        let due = Due { at: self.now() + delay, serial: self.serial, event };
        self.queue.push(Reverse(due));
    }

    fn happen(&mut self, event: Event) -> Result<(), Wrong> {
        match event {
            Event::Tap { phone, tap, customer, dice } => self.tap(phone, tap, customer, dice),
            Event::Arrive { flight, is_first } => self.arrive(&flight, is_first),
            Event::Return { phone, starts, flight, back } => {
                let Phone { starts: now, flight: under_way, .. } = self.phones[phone];
                if (now, under_way) == (starts, Some(flight)) {
                    self.take_reply(phone, *back)
                } else {
                    Ok(())
                }
            }
            Event::Ask { phone, starts } => {
                if self.phones[phone].starts == starts {
                    self.phones[phone].wakes_at = None;
                    self.pump(phone)
                } else {
                    Ok(())
                }
            }
            Event::Help { phone, starts } => {
                if self.phones[phone].starts == starts {
                    self.help(phone)
                } else {
                    Ok(())
                }
            }
            Event::Signal { phone, is_there } => self.signal(phone, is_there),
            Event::PortalLeft { phone } => {
                self.phones[phone].portal = false;
                self.wake(phone, Wake::Online)
            }
            Event::Resume { phone } => self.resume(phone),
            Event::Restore { phone } => self.restore(phone),
            Event::Up { node } => self.bring_up(node),
            Event::Upgrade { node } => self.upgrade(node),
            Event::NeedNewApps => {
                self.least_app = self.version;
                Ok(())
            }
            Event::Submit { site, form } => self.submit(site, &form),
        }
    }

    /// Tells a phone's drainer something, and asks it what to do next.
    fn wake(&mut self, phone: usize, wake: Wake) -> Result<(), Wrong> {
        if self.phones[phone].life != Life::Runs {
            return Ok(());
        }
        if let Some(drainer) = &mut self.phones[phone].drainer {
            drainer.wake(wake);
        }
        self.pump(phone)
    }

    /// Asks a phone's drainer what to do next, and does it.
    fn pump(&mut self, number: usize) -> Result<(), Wrong> {
        let now = self.now();
        loop {
            let phone = &mut self.phones[number];
            if phone.life != Life::Runs || phone.flight.is_some() {
                return Ok(());
            }
            let Some(drainer) = &mut phone.drainer else { return Ok(()) };
            match drainer.step() {
                Step::Token { .. } if phone.token.is_empty() => {
                    phone.may_need_help = true;
                    drainer.token(Err(TokenError::SignedOut));
                }
                Step::Token { .. } => drainer.token(Ok(phone.token.clone())),
                Step::Send(exchange) => return self.launch(number, exchange),
                Step::Wait(until) => {
                    let until = Ms::try_from(until.as_millis()).unwrap_or(Ms::MAX).saturating_add(1);
                    if phone.wakes_at.is_none_or(|at| until < at) {
                        phone.wakes_at = Some(until);
                        let starts = phone.starts;
                        self.later(until.saturating_sub(now), Event::Ask { phone: number, starts });
                    }
                    return Ok(());
                }
                Step::Sleep => return self.rest(number),
            }
        }
    }

    /// A drainer sleeps: if that is because a person has to do something, somebody will.
    fn rest(&mut self, number: usize) -> Result<(), Wrong> {
        let phone = &mut self.phones[number];
        if phone.is_helped || !phone.may_need_help {
            return Ok(());
        }
        let Some(engine) = &phone.engine else { return Ok(()) };
        let state = engine.status().map_err(|error| format!("phone {number}: {error}"))?.state;
        if matches!(state, SyncState::NeedsSignIn | SyncState::NeedsUpgrade) {
            phone.is_helped = true;
            let starts = phone.starts;
            let delay = if self.is_calm { 1_000 } else { phone.dice.within(10_000..3_600_000) };
            self.later(delay, Event::Help { phone: number, starts });
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("plant.db")
    }

    /// Counts a fault that strikes a phone, with the kinds of mutations that wait there.
    fn count_fault(&mut self, fault: Fault, phone: Option<usize>) {
        let pending = phone.map(|phone| &self.phones[phone].file.pending);
        let kinds = pending.into_iter().flatten().take(50).map(|record| record.kind);
        self.stats.strike(fault, kinds);
        let at = self.time.now();
        self.history.tell(at, || match phone {
            Some(phone) => format!("{} strikes phone {phone}", fault.name()),
            None => format!("{} strikes", fault.name()),
        });
    }
}
