//! Requests and replies on their way: what is lost, late, repeated, cut short or answered by somebody else; and what
//! the servers' answers must be.

use super::file::AsOf;
use super::phone::{BEGIN, Carrier};
use super::server::{self, Answered, Request, Served};
use super::{Device, Event, World};
use crate::clock::Ms;
use crate::link::Direction;
use crate::model::{Arrival, Author, Told, Wrong};
use crate::schedule::Fault;
use carboy_core::{Exchange, LinkError, Reply};
use carboy_protocol::wire::{Refusal, SyncReply, SyncRequest};
use carboy_protocol::{Role, Timestamp};
use std::rc::Rc;

/// What HTTP adds to a body, in bytes.
const HEADERS: u64 = 400;

/// How much smaller a reply becomes by compression, which the simulator leaves out.
const COMPRESSION: u64 = 5;

/// How long a server whose disk failed for good is down.
const SERVER_REPAIR: Ms = 60_000;

/// A request on its way.
pub(crate) struct Flight {
    phone: usize,
    starts: u32,
    number: u64,
    token: String,
    app: u32,
    path: String,
    body: Vec<u8>,
    /// Which server gets it, and what becomes of it there.
    chance: u64,
    /// How likely its reply is lost, of a thousand.
    loss: u32,
}

/// What comes back.
pub(crate) struct Return {
    outcome: Result<Reply, LinkError>,
    /// What the server said, if that is what comes back, whole.
    told: Option<Heard>,
}

/// What a server said.
enum Heard {
    /// To a batch, in this state.
    Batch(Box<SyncReply>, AsOf),
    /// To a piece of a photo.
    Piece,
}

impl Return {
    fn lost(why: &str) -> Self {
        Self { outcome: Err(LinkError(why.to_owned())), told: None }
    }

    fn other(status: u16, protocol: Option<&str>, retry_after: Option<u64>, body: &str) -> Self {
        let protocol = protocol.map(str::to_owned);
        let reply = Reply { status, protocol, retry_after, gzip: false, body: body.into() };
        Self { outcome: Ok(reply), told: None }
    }
}

impl World {
    /// A phone sends a request.
    pub(super) fn launch(&mut self, number: usize, exchange: Exchange) -> Result<(), Wrong> {
        let (now, timeout) = (self.now(), Ms::try_from(exchange.timeout.as_millis()).unwrap_or(30_000));
        let body = exchange.body.bytes().to_vec();
        self.history.note(now, "send", number, &body);
        self.stats.requests += 1;
        let faults = [Fault::Loss, Fault::Delay, Fault::Replay, Fault::Busy, Fault::TooLarge]
            .map(|fault| self.strikes(fault));
        let [loss, delay, replay, busy, too_large] = faults;
        let phone = &mut self.phones[number];
        phone.flights += 1;
        phone.flight = Some(phone.flights);
        let (starts, flight, weather) = (phone.starts, phone.flights, phone.weather);
        let mut dice = phone.dice.clone();
        let back = |back: Return| Event::Return { phone: number, starts, flight, back: Box::new(back) };
        // Nobody waits for longer than that.
        self.later(timeout, back(Return::lost("timed out")));
        let phone = &mut self.phones[number];
        let mut struck = None;
        if !phone.signal {
            let event = back(Return::lost("no route to host"));
            self.later(dice.within(1..2_000), event);
        } else if phone.portal {
            struck = Some(Fault::Portal);
            let event = back(portal_page(&mut dice));
            self.later(dice.within(50..800), event);
        } else if phone.refusals > 0 {
            phone.refusals -= 1;
            struck = Some(Fault::Expiry);
            let body = r#"{"error":"sign_in","detail":"the token has expired"}"#;
            self.later(dice.within(50..800), back(Return::other(401, Some("1"), None, body)));
        } else if busy && dice.chance(15) {
            struck = Some(Fault::Busy);
            let event = back(busy_page(&mut dice));
            self.later(dice.within(50..3_000), event);
        } else if too_large && dice.chance(8) {
            struck = Some(Fault::TooLarge);
            self.later(300, back(Return::other(413, None, None, "<html>413</html>")));
        } else {
            let loss = if loss { weather.loss } else { 0 };
            let carried = Rc::new(Flight {
                phone: number,
                starts,
                number: flight,
                token: exchange.token.unwrap_or_default(),
                app: phone.app,
                path: exchange.path,
                chance: dice.seed(),
                loss,
                body,
            });
            let mut took = phone.carrier.carries(Direction::Up, now, carried.body.len() as u64);
            if delay && dice.chance(60) {
                struck = Some(Fault::Delay);
                took += dice.within(1_000..90_000);
            }
            if dice.chance(loss) {
                struck = Some(Fault::Loss);
                if dice.chance(500) {
                    self.later(took.min(timeout), back(Return::lost("connection reset")));
                }
            } else {
                self.later(took, Event::Arrive { flight: carried.clone(), is_first: true });
            }
            while replay && dice.chance(weather.replay) {
                struck = Some(Fault::Replay);
                let late = if dice.chance(100) { 6 * 3_600_000 } else { 300_000 };
                self.later(
                    took + dice.within(0..late),
                    Event::Arrive { flight: carried.clone(), is_first: false },
                );
            }
        }
        self.phones[number].dice = dice;
        if let Some(fault) = struck {
            self.count_fault(fault, Some(number));
        }
        Ok(())
    }

    /// A request reaches a server.
    pub(super) fn arrive(&mut self, flight: &Rc<Flight>, is_first: bool) -> Result<(), Wrong> {
        let now = self.now();
        let mut dice = crate::dice::Dice::of(flight.chance ^ u64::from(!is_first));
        let number = dice.below(self.nodes.len());
        let Flight { phone, starts, number: sent, .. } = **flight;
        let back = |back: Return| Event::Return { phone, starts, flight: sent, back: Box::new(back) };
        let failing = self.fail_server_disk(number, &mut dice);
        let Some(served) = self.serve(number, flight) else {
            if is_first {
                self.later(dice.within(1..500), back(Return::lost("connection refused")));
            }
            return Ok(());
        };
        self.history.note(now, "told", number, &served.reply.body);
        if let Some(failing) = failing {
            if failing.is_lasting {
                // Before the disk is well again: what the server could not write stays unwritten.
                self.crash(number, SERVER_REPAIR)?;
            }
            let has_failed = self.heal_server(number, failing, phone);
            if has_failed && matches!(served.told, Err(Refusal::Internal | Refusal::Busy)) {
                if is_first {
                    self.later(dice.within(1..500), back(Return { outcome: Ok(served.reply), told: None }));
                }
                return self.after_failing_request(number, flight, served.request.as_ref());
            }
        }
        self.compare(number, flight, &served)?;
        if self.strikes(Fault::Crash) && dice.chance(6) {
            // It has committed, and dies before it has answered.
            self.count_fault(Fault::Crash, Some(phone));
            return self.crash(number, dice.within(1_000..120_000));
        }
        if !is_first {
            return Ok(());
        }
        let Served { mut reply, told, .. } = served;
        let bytes = reply.body.len() as u64 / COMPRESSION;
        let took = self.phones[phone].carrier.carries(Direction::Down, now, bytes);
        let rev = self.sites[self.phones[phone].plant].model.rev();
        let mut told = match told {
            Ok(Answered::Sync(told)) => Some(Heard::Batch(told, AsOf { rev })),
            Ok(Answered::Piece(_)) => Some(Heard::Piece),
            Err(_) => None,
        };
        if self.strikes(Fault::Loss) && dice.chance(flight.loss) {
            self.count_fault(Fault::Loss, Some(phone));
            return Ok(());
        }
        if self.strikes(Fault::Truncation) && dice.chance(25) {
            self.count_fault(Fault::Truncation, Some(phone));
            reply.body.truncate(dice.below(reply.body.len()));
            told = None;
        } else if self.strikes(Fault::Busy) && dice.chance(10) {
            // A proxy gives up on a server that has done its work.
            self.count_fault(Fault::Busy, Some(phone));
            self.later(took, back(busy_page(&mut dice)));
            return Ok(());
        }
        self.later(took, back(Return { outcome: Ok(reply), told }));
        Ok(())
    }

    /// What must be after a server's disk failed within a request: all of it is there, or nothing.
    fn after_failing_request(
        &mut self,
        node: usize,
        flight: &Flight,
        request: Option<&Request>,
    ) -> Result<(), Wrong> {
        let Some(request) = request else { return Ok(()) };
        let device = self.devices.get(&flight.token).cloned().ok_or("a stranger was served")?;
        let request = match request {
            Request::Sync(request) => request,
            Request::Piece(piece) => return self.after_failing_piece(&device, piece),
        };
        if self.is_settled(device.plant, request)? {
            let Told::Answers(answers) = self.receive(node, &device, request)? else {
                return Err(format!("a forked history of phone {} was settled", flight.phone));
            };
            self.stats.settle(&answers);
        }
        Ok(())
    }

    /// What the model says of a request that reaches a server.
    fn receive(&mut self, node: usize, device: &Device, request: &SyncRequest) -> Result<Told, Wrong> {
        let author = Author { account: device.account, role: Role::Rider };
        let now = Timestamp(BEGIN + self.now().cast_signed());
        let unknown = self.unknown_to(node);
        self.sites[device.plant].model.receive(author, request, now, unknown)
    }

    /// Whether what a request brings is in the servers' store.
    fn is_settled(&self, site: usize, request: &SyncRequest) -> Result<bool, Wrong> {
        let last = request.first_seq + request.mutations.len() as u64 - 1;
        let sql = "SELECT EXISTS (SELECT 1 FROM dots WHERE plant = ? AND actor = ? AND seq = ?)";
        let key = (self.sites[site].id.as_bytes(), request.actor.as_bytes(), last);
        let found =
            self.inspector.prepare_cached(sql).and_then(|mut query| query.query_row(key, |row| row.get(0)));
        found.map_err(|error| error.to_string())
    }

    /// What the server says, if it is up.
    fn serve(&mut self, number: usize, flight: &Flight) -> Option<Served> {
        let is_too_old = flight.app < self.least_app;
        let unknown = self.unknown_to(number);
        let server = self.nodes[number].server.as_ref()?;
        Some(super::older::knowing_all_but(unknown, || {
            server::serve(server, &flight.token, (&flight.path, &flight.body), is_too_old)
        }))
    }

    /// The kinds that a server does not know yet.
    pub(super) fn unknown_to(&self, node: usize) -> &'static [&'static str] {
        let is_old = self.nodes[node].version < self.version;
        self.rollout.as_ref().filter(|_| is_old).map_or(&[], |rollout| rollout.kinds)
    }

    /// Whether the server said what the model says.
    fn compare(&mut self, node: usize, flight: &Flight, served: &Served) -> Result<(), Wrong> {
        let device = self.devices.get(&flight.token);
        match &served.told {
            Err(Refusal::Upgrade { .. }) if flight.app < self.least_app => return Ok(()),
            Err(Refusal::SignIn { .. }) if device.is_none_or(|device| device.is_revoked) => return Ok(()),
            _ => {}
        }
        let device = device.cloned().ok_or("a stranger was served")?;
        if device.is_revoked {
            return Err(format!("a revoked device was served: {}", device.id));
        }
        match (&served.request, &served.told) {
            (Some(Request::Sync(request)), Ok(Answered::Sync(reply))) => {
                self.compare_batch((node, flight.phone), &device, request, Some(reply))
            }
            (Some(Request::Sync(request)), Err(Refusal::Forked { .. })) => {
                self.compare_batch((node, flight.phone), &device, request, None)
            }
            (Some(Request::Piece(piece)), Ok(Answered::Piece(reply))) => {
                self.compare_piece(&device, piece, Some(*reply))
            }
            (Some(Request::Piece(piece)), Err(Refusal::UnknownPhoto)) => {
                self.compare_piece(&device, piece, None)
            }
            (_, told) => Err(format!("phone {} is told {told:?}", flight.phone)),
        }
    }

    /// Whether the server said of a batch what the model says; no reply: that this history was continued elsewhere.
    fn compare_batch(
        &mut self,
        (node, phone): (usize, usize),
        device: &Device,
        request: &SyncRequest,
        reply: Option<&SyncReply>,
    ) -> Result<(), Wrong> {
        self.history.tell(self.time.now(), || {
            let SyncRequest { actor, first_seq, last_seq, cursor, .. } = request;
            let told = match reply {
                Some(reply) => format!("{:?}, cursor {}", reply.results, reply.cursor),
                None => "forked".to_owned(),
            };
            format!("server {node}, phone {phone}: {actor} {first_seq}..{last_seq} behind {cursor}: {told}")
        });
        let expected = self.receive(node, device, request)?;
        let (reply, answers) = match (reply, expected) {
            (None, Told::Forked) => return Ok(()),
            (Some(reply), Told::Answers(answers)) => (reply, answers),
            (reply, expected) => return Err(format!("told {reply:?}, not {expected:?}")),
        };
        if reply.actor != request.actor || reply.results.len() != answers.len() {
            return Err(format!("{} answers where there are {}", reply.results.len(), answers.len()));
        }
        for ((seq, result), (txn, verdict, arrival)) in
            (request.first_seq..).zip(&reply.results).zip(&answers)
        {
            let is_duplicate = *arrival != Arrival::New;
            if result.seq != seq || result.duplicate != is_duplicate || !verdict.is(&result.answer) {
                return Err(format!("{txn} at {seq} is told {result:?}, not {verdict:?}, {arrival:?}"));
            }
        }
        self.stats.settle(&answers);
        self.sites[device.plant].model.check_feed(device.account, request.cursor, reply)
    }

    /// Something comes back to a phone.
    pub(super) fn take_reply(&mut self, number: usize, back: Return) -> Result<(), Wrong> {
        let now = self.now();
        let phone = &mut self.phones[number];
        phone.flight = None;
        let Return { outcome, told } = back;
        self.history.tell(now, || match (&outcome, &told) {
            (_, Some(Heard::Batch(reply, _))) => {
                format!("phone {number} takes the answer up to {}", reply.cursor)
            }
            (_, Some(Heard::Piece)) => format!("phone {number} takes the answer to a piece"),
            (Ok(reply), None) => format!("phone {number} gets a {}", reply.status),
            (Err(LinkError(why)), None) => format!("phone {number} gets nothing: {why}"),
        });
        phone.may_need_help = told.is_none();
        let bytes = outcome.as_ref().map_or(&b"lost"[..], |reply| &reply.body);
        self.history.note(now, "back", number, &bytes[..bytes.len().min(64)]);
        let mut dice = phone.dice.clone();
        let failing = if told.is_some() { self.fail_disk(number, &mut dice) } else { None };
        let phone = &mut self.phones[number];
        phone.dice = dice;
        let Some(drainer) = phone.drainer.as_mut() else { return Ok(()) };
        let settled = drainer.reply(outcome);
        match (settled, told) {
            (settled, Some(Heard::Batch(reply, as_of))) => {
                if let Some(failing) = failing {
                    let mut file = phone.file.clone();
                    file.settle(&reply, as_of)?;
                    return self.after_failing_reply(number, failing, settled.is_some(), file);
                }
                let settled =
                    settled.ok_or_else(|| format!("phone {number} does not take the server's answer"))?;
                let touched = phone.file.settle(&reply, as_of)?;
                if settled.pending != phone.file.pending.len() as u64 {
                    return Err(format!(
                        "phone {number} has {} pending, not {}",
                        settled.pending,
                        phone.file.pending.len()
                    ));
                }
                let touched: Vec<_> = touched.into_iter().collect();
                if let Some(&customer) = phone.dice.pick(&touched) {
                    self.check_balance(number, customer)?;
                }
            }
            (Some(settled), _) => {
                return Err(format!("phone {number} takes for an answer what no server said: {settled:?}"));
            }
            (None, Some(Heard::Piece)) => {
                if let Some(failing) = failing {
                    return self.after_failing_piece_reply(number, failing);
                }
            }
            (None, None) => {}
        }
        self.pump(number)
    }

    /// What a phone shows that a customer owes, against the sum of the ledger so far and of what lies over it.
    pub(super) fn check_balance(
        &self,
        number: usize,
        customer: carboy_protocol::CustomerId,
    ) -> Result<(), Wrong> {
        let phone = &self.phones[number];
        let Some(engine) = &phone.engine else { return Ok(()) };
        let shown = engine.customer(customer).map_err(|error| format!("phone {number}: {error}"))?;
        self.same_balance(number, &shown)
    }

    pub(super) fn same_balance(&self, number: usize, shown: &carboy_core::Customer) -> Result<(), Wrong> {
        let phone = &self.phones[number];
        let known = self.sites[phone.plant].model.customers().get(&shown.customer);
        let told = known.map_or(0, |known| known.balance_at(phone.file.cursor));
        let over = phone.file.over(shown.customer);
        if (shown.balance.minor, shown.unsettled.minor) == (told + over, over) {
            Ok(())
        } else {
            Err(format!(
                "phone {number} shows {} ({} unsettled) for {}, not {told} + {over}",
                shown.balance, shown.unsettled, shown.customer
            ))
        }
    }
}

impl Carrier {
    /// How long so many bytes take.
    fn carries(&mut self, direction: Direction, now: Ms, bytes: u64) -> Ms {
        match self {
            Self::Wide(round_trip) => *round_trip / 2 + (bytes + HEADERS) / 50,
            // Without outages nothing is lost on it.
            Self::Recorded(link) => {
                link.send(direction, now, bytes + HEADERS).map_or(30_000, |at| at.saturating_sub(now))
            }
        }
    }
}

/// What a supermarket's Wi-Fi answers.
fn portal_page(dice: &mut crate::dice::Dice) -> Return {
    let page = "<html>Welcome to FreeWiFi</html>";
    match dice.below(5) {
        0 => Return::other(302, None, None, ""),
        1 => Return::other(511, None, None, page),
        2 => Return::other(200, None, None, r#"{"actor":null,"results":[],"feed":[],"cursor":0}"#),
        3 => Return::other(401, None, None, page),
        _ => Return::other(200, None, None, page),
    }
}

/// What an overloaded server or a proxy in front of it answers.
fn busy_page(dice: &mut crate::dice::Dice) -> Return {
    match dice.below(4) {
        0 => Return::other(503, Some("1"), Some(5), r#"{"error":"busy"}"#),
        1 => Return::other(429, Some("1"), Some(90), r#"{"error":"busy"}"#),
        2 => Return::other(500, Some("1"), None, r#"{"error":"internal"}"#),
        _ => Return::other(502, None, None, "<html>Bad Gateway</html>"),
    }
}
