//! What the day looks like from the plant: riders with their shifts, rounds with their stops, cash by shift.

use super::{Tx, params};
use crate::Error;
use carboy_protocol::wire::Visit;
use carboy_protocol::{AccountId, Day, PlantId, RouteId, Shift, StopState, Tally, Timestamp, TxnId};

/// A rider, as far as the plant knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RiderRow {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) day: Day,
    /// When the last shift's start came in.
    pub(crate) since: Timestamp,
    /// Of the phones in use: the last contact, and what they still held then.
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) unsent: u64,
}

/// A rider's shift with what was recorded in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShiftRow {
    pub(crate) account: AccountId,
    pub(crate) rider: String,
    /// When its start came in.
    pub(crate) since: Timestamp,
    /// `None` for what was recorded outside of any shift.
    pub(crate) shift: Option<Shift>,
    pub(crate) tally: Tally,
    /// Whether the rider has begun another one since.
    pub(crate) is_past: bool,
}

/// A route, and how many stops it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteRow {
    pub(crate) route: RouteId,
    pub(crate) name: String,
    pub(crate) stops: u64,
}

/// How the stops of a route stand in one shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stops {
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) left: u64,
}

impl Stops {
    pub(crate) fn total(&self) -> u64 {
        self.delivered + self.failed + self.skipped + self.left
    }
}

impl Tx<'_> {
    /// A number that is another one after every change in the plant.
    pub(crate) fn changes(&self, plant: PlantId) -> Result<u64, Error> {
        self.count("SELECT changes FROM plants WHERE plant = ?1", params![plant])
    }

    /// The plant's riders by name.
    pub(crate) fn riders(&self, plant: PlantId) -> Result<Vec<RiderRow>, Error> {
        let mut riders = Vec::new();
        let sql = "SELECT a.account, a.name, r.day, r.since, d.last_seen, d.unsent FROM accounts a
                   LEFT JOIN rider_days r ON r.plant = a.plant AND r.account = a.account
                   LEFT JOIN (SELECT account, max(last_seen) AS last_seen, CAST(sum(unsent) AS BIGINT) AS unsent
                              FROM devices WHERE plant = ?1 AND revoked_at IS NULL GROUP BY account) AS d
                       ON d.account = a.account
                   WHERE a.plant = ?1 AND a.role = 'rider'";
        self.each(sql, params![plant], |row| {
            let day: Option<String> = row.get(2)?;
            riders.push(RiderRow {
                account: row.get(0)?,
                name: row.get(1)?,
                day: day.map(|day| serde_json::from_str(&day)).transpose()?.unwrap_or_default(),
                since: row.get::<Option<Timestamp>>(3)?.unwrap_or_default(),
                last_seen: row.get(4)?,
                unsent: row.get::<Option<u64>>(5)?.unwrap_or(0),
            });
            Ok(())
        })?;
        riders.sort_by_cached_key(|rider| (rider.name.to_lowercase(), rider.account));
        Ok(riders)
    }

    /// The plant's routes by name.
    pub(crate) fn routes(&self, plant: PlantId) -> Result<Vec<RouteRow>, Error> {
        let mut routes = Vec::new();
        let sql = "SELECT r.route, r.name, coalesce(s.stops, 0) FROM routes r
                   LEFT JOIN (SELECT route, count(*) AS stops FROM route_stops WHERE plant = ?1
                              GROUP BY route) AS s ON s.route = r.route
                   WHERE r.plant = ?1";
        self.each(sql, params![plant], |row| {
            let route = row.get(0)?;
            routes.push(RouteRow { route, name: row.get(1)?, stops: row.get(2)? });
            Ok(())
        })?;
        routes.sort_by_cached_key(|route| (route.name.to_lowercase(), route.route));
        Ok(routes)
    }

    /// How the stops of `route` stand in the shift that `shift` began: what an earlier shift left is open again.
    pub(crate) fn stops(&self, plant: PlantId, route: RouteId, shift: TxnId) -> Result<Stops, Error> {
        let mut stops = Stops::default();
        let sql = "SELECT c.visit FROM route_stops s
                   JOIN customers c ON c.plant = s.plant AND c.customer = s.customer
                   WHERE s.plant = ?1 AND s.route = ?2";
        self.each(sql, params![plant, route], |row| {
            let visit: Option<String> = row.get(0)?;
            let visit: Option<Visit> = visit.map(|visit| serde_json::from_str(&visit)).transpose()?;
            let state = visit.filter(|visit| visit.shift == Some(shift)).map(|visit| visit.state);
            let count = match state {
                Some(StopState::Delivered) => &mut stops.delivered,
                Some(StopState::Failed) => &mut stops.failed,
                Some(StopState::Skipped) => &mut stops.skipped,
                Some(StopState::OnTheWay | StopState::Arrived) | None => &mut stops.left,
            };
            *count += 1;
            Ok(())
        })?;
        Ok(stops)
    }

    /// The shifts whose start came in within `from..to`, by rider and in order of their start.
    pub(crate) fn shifts(
        &self,
        plant: PlantId,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<ShiftRow>, Error> {
        let mut shifts = Vec::new();
        let sql = "SELECT p.account, a.name, p.since, p.shift, p.tally FROM past_shifts p
                   JOIN accounts a ON a.plant = p.plant AND a.account = p.account
                   WHERE p.plant = ?1 AND p.since >= ?2 AND p.since < ?3 ORDER BY p.since_rev";
        self.each(sql, params![plant, from, to], |row| {
            let shift: Option<String> = row.get(3)?;
            shifts.push(ShiftRow {
                account: row.get(0)?,
                rider: row.get(1)?,
                since: row.get(2)?,
                shift: shift.map(|shift| serde_json::from_str(&shift)).transpose()?,
                tally: serde_json::from_str(&row.get::<String>(4)?)?,
                is_past: true,
            });
            Ok(())
        })?;
        let current = self.riders(plant)?.into_iter().filter(|rider| (from..to).contains(&rider.since));
        shifts.extend(current.map(ShiftRow::from));
        // Stable: within a rider the order of the starts stays.
        shifts.sort_by_cached_key(|shift| (shift.rider.to_lowercase(), shift.account));
        Ok(shifts)
    }
}

impl ShiftRow {
    /// Whether it has neither ended nor been followed by another one.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_past && self.shift.as_ref().is_some_and(Shift::is_open)
    }
}

impl From<RiderRow> for ShiftRow {
    fn from(rider: RiderRow) -> Self {
        let RiderRow { account, name, day, since, .. } = rider;
        Self { account, rider: name, since, shift: day.shift, tally: day.in_shift, is_past: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Link;
    use crate::books::{Books, Pace};
    use crate::store::{Account, Actor};
    use crate::{Server, sample};
    use carboy_protocol::{
        Action, ActorId, FailReason, Money, Mutation, Progress,
        mutation::{self, Parsed},
    };

    struct World {
        _folder: tempfile::TempDir,
        server: Server,
        sample: sample::Sample,
        rider: Account,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(&folder.path().join("carboy.db")).unwrap();
        let size = sample::Size { customers: 6, routes: 2, riders: 1 };
        let sample = sample::create(&server, size, "grace@example.com", "clean water").unwrap();
        let rider = server.store().read(|tx| tx.account(sample.plant, sample.riders[0].account));
        World { rider: rider.unwrap().unwrap(), _folder: folder, server, sample }
    }

    impl World {
        /// The rider's phone records and sends `action`, and it comes in at `now`.
        fn record(&self, now: i64, action: Action) -> TxnId {
            let txn = self.server.new_txn().unwrap();
            let (v, at) = (mutation::VERSION, Timestamp(now));
            let body = serde_json::to_string(&Mutation { v, txn, at, replaces: None, action }).unwrap();
            let settled = self.server.store().write(self.sample.plant, |tx| {
                let mut books = Books::open(tx, &self.rider, Timestamp(now), Pace::AllAtOnce)?;
                let id = ActorId::from_bytes([7; 16]);
                let known = tx.actor(self.sample.plant, id)?;
                let mut actor = known.unwrap_or_else(|| Actor::new(id, Some(self.rider.id)));
                let link = Link::next(&actor, &body);
                books.settle(&mut actor, &body, Parsed::of(&body), link)?;
                books.close()?;
                tx.put_actor(self.sample.plant, &actor)
            });
            settled.unwrap();
            txn
        }

        fn cash(&self, now: i64, minor: i64) -> TxnId {
            let amount = Money::new(minor, self.sample.currency);
            self.record(now, Action::CollectCash { customer: self.sample.customers[0], amount })
        }

        fn shifts(&self, from: i64, to: i64) -> Vec<ShiftRow> {
            let range = (Timestamp(from), Timestamp(to));
            self.server.store().read(|tx| tx.shifts(self.sample.plant, range)).unwrap()
        }
    }

    fn start(route: Option<RouteId>) -> Action {
        Action::StartShift { route }
    }

    #[test]
    fn each_shift_keeps_its_own_cash_and_the_current_one_stands_with_them() {
        let world = world();
        let first = world.record(100, start(None));
        world.cash(110, 700);
        let second = world.record(200, start(None));
        world.cash(210, 50);
        let shifts = world.shifts(0, 1_000);
        let kept: Vec<_> = shifts
            .iter()
            .map(|row| (row.shift.as_ref().unwrap().txn, row.tally.collected, row.since.0, row.is_past))
            .collect();
        assert_eq!(kept, [(first, 700, 100, true), (second, 50, 200, false)]);
        assert_eq!(world.shifts(0, 200).len(), 1);
        assert_eq!(world.shifts(200, 201).len(), 1);
        assert!(world.shifts(201, 1_000).is_empty());
    }

    #[test]
    fn what_is_withdrawn_leaves_the_shift_that_it_was_recorded_in() {
        let world = world();
        world.record(100, start(None));
        let cash = world.cash(110, 700);
        world.record(200, start(None));
        world.record(210, Action::Withdraw { target: cash, reason: None, restore: None });
        let collected: Vec<_> = world.shifts(0, 1_000).iter().map(|row| row.tally.collected).collect();
        assert_eq!(collected, [0, 0]);
    }

    #[test]
    fn what_was_recorded_before_any_shift_is_kept_as_none() {
        let world = world();
        world.cash(90, 300);
        world.record(100, start(None));
        let shifts = world.shifts(0, 1_000);
        assert_eq!((shifts[0].shift.clone(), shifts[0].tally.collected), (None, 300));
        assert_eq!(shifts.len(), 2);
    }

    #[test]
    fn a_stop_counts_for_the_shift_that_visited_it_and_is_open_in_the_next() {
        let world = world();
        let route = &world.sample.routes[0];
        let customer = |n: usize| route.stops[n];
        let shift = world.record(100, start(Some(route.route)));
        let reason = FailReason::Closed;
        world.record(101, Action::FailDelivery { customer: customer(0), reason, note: None });
        let skipped = Progress::Skipped;
        world.record(102, Action::NoteProgress { customer: customer(1), progress: skipped });
        let arrived = Progress::Arrived;
        world.record(103, Action::NoteProgress { customer: customer(2), progress: arrived });
        let stops = |shift| world.server.store().read(|tx| tx.stops(world.sample.plant, route.route, shift));
        let expected = Stops { delivered: 0, failed: 1, skipped: 1, left: 1 };
        assert_eq!(stops(shift).unwrap(), expected);
        let next = world.record(200, start(Some(route.route)));
        assert_eq!(stops(next).unwrap(), Stops { left: 3, ..Stops::default() });
    }

    #[test]
    fn riders_and_routes_stand_by_name_with_what_is_known_of_them() {
        let world = world();
        world.server.create_rider(world.sample.plant, "aaron").unwrap();
        world.cash(90, 300);
        let (riders, routes) = world
            .server
            .store()
            .read(|tx| Ok((tx.riders(world.sample.plant)?, tx.routes(world.sample.plant)?)))
            .unwrap();
        let riders: Vec<_> =
            riders.iter().map(|rider| (rider.name.as_str(), rider.day.in_all.cash_in_hand())).collect();
        assert_eq!(riders, [("aaron", 0), ("Amina Otieno", 300)]);
        let routes: Vec<_> = routes.iter().map(|route| (route.name.as_str(), route.stops)).collect();
        assert_eq!(routes, [("Kilimani 1", 3), ("Westlands 1", 3)]);
    }
}
