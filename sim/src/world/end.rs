//! The end of a run: the faults stop, everything is sent within a bounded time, and phones, servers and model agree.

use super::World;
use super::phone::Life;
use crate::clock::Ms;
use crate::model::{Counts, Plant, Verdict, Wrong, same_day, same_profile};
use carboy_core::{Attention, DaySummary, Engine, SyncState, Wake};
use carboy_protocol::{AccountId, CustomerId, Day, Field, PhotoHash, Profile, Tally, TxnId};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// Once the faults have stopped, everything is sent within so much virtual time: a server may send a phone away for an
/// hour, and what was repeated hours late has arrived by then.
const ALL_SENT_WITHIN: Ms = 8 * 3_600_000;

impl World {
    /// Stops the faults, waits until everything is sent, and compares phones, servers and model.
    ///
    /// # Errors
    /// Where they disagree, or something is not sent in time.
    pub fn finish(&mut self) -> Result<(), Wrong> {
        self.calm_down()?;
        self.settle_down()?;
        // The app comes to the front everywhere, so that each phone reads what the others did.
        for number in 0..self.phones.len() {
            self.wake(number, Wake::Now)?;
        }
        self.settle_down()?;
        for site in 0..self.sites.len() {
            let mut at = Store { world: self, site, wrong: String::new() };
            at.check()?;
        }
        let photos = self.sites.iter().flat_map(|site| site.model.photos());
        for (_, _, photo) in photos {
            self.stats.photos[usize::from(!photo.is_complete())] += 1;
        }
        for number in 0..self.phones.len() {
            if self.phones[number].life != Life::Gone {
                self.check_phone(number).map_err(|wrong| format!("phone {number}: {wrong}"))?;
            }
        }
        Ok(())
    }

    fn calm_down(&mut self) -> Result<(), Wrong> {
        self.is_calm = true;
        for node in 0..self.nodes.len() {
            self.bring_up(node)?;
            if self.nodes[node].version < self.version {
                self.upgrade(node)?;
            }
        }
        for number in 0..self.phones.len() {
            let phone = &mut self.phones[number];
            let had_signal = std::mem::replace(&mut phone.signal, true) && !phone.portal;
            (phone.portal, phone.refusals) = (false, 0);
            match phone.life {
                Life::Gone => {}
                Life::Killed => self.start(number)?,
                Life::Suspended => self.resume(number)?,
                Life::Runs if had_signal => self.pump(number)?,
                Life::Runs => self.wake(number, Wake::Online)?,
            }
        }
        Ok(())
    }

    /// Lets everything happen until nothing is left to do.
    fn settle_down(&mut self) -> Result<(), Wrong> {
        let end = self.now() + ALL_SENT_WITHIN;
        while self.now() < end && self.next()? {}
        for (number, phone) in self.phones.iter().enumerate() {
            let Some(engine) = &phone.engine else { continue };
            let status = engine.status().map_err(|error| error.to_string())?;
            if (status.pending, &status.state) != (0, &SyncState::Idle) {
                let hours = ALL_SENT_WITHIN / 3_600_000;
                return Err(format!(
                    "wedged: {hours} h after the faults stopped, phone {number} has {} pending: {:?}",
                    status.pending, status.state
                ));
            }
        }
        if self.queue.is_empty() {
            Ok(())
        } else {
            Err(format!("{} events are still to come long after the faults stopped", self.queue.len()))
        }
    }

    fn check_phone(&self, number: usize) -> Result<(), Wrong> {
        let phone = &self.phones[number];
        let Some(engine) = &phone.engine else { return Err("does not run".to_owned()) };
        let site = &self.sites[phone.plant];
        let model = &site.model;
        if phone.file.cursor != model.rev() {
            return Err(format!("has read the feed up to {} of {}", phone.file.cursor, model.rev()));
        }
        for (&id, customer) in model.customers() {
            let shown = engine.customer(id).map_err(|error| error.to_string())?;
            self.same_balance(number, &shown)?;
            let told = [&shown.name, &shown.phone, &shown.address, &shown.note];
            for (field, told) in Field::ALL.into_iter().zip(told) {
                let expected = customer.siblings(field).first().map_or("", |write| write.value.as_str());
                if told != expected {
                    return Err(format!("shows {told:?} for {field:?} of {id}, not {expected:?}"));
                }
            }
            let in_conflict: Vec<_> = Field::ALL
                .into_iter()
                .filter(|&field| customer.siblings(field).len() > 1)
                .map(|field| {
                    let values = customer.siblings(field).iter().map(|write| write.value.clone()).collect();
                    (field, values)
                })
                .collect();
            let told: Vec<(_, Vec<_>)> = shown
                .conflicts
                .iter()
                .map(|(field, values)| (*field, values.iter().map(|value| value.value.clone()).collect()))
                .collect();
            if (told, shown.closed) != (in_conflict.clone(), customer.closed) {
                return Err(format!(
                    "shows the conflicts {:?} of {id}, not {in_conflict:?}",
                    shown.conflicts
                ));
            }
        }
        check_ledgers(engine, model)?;
        for route in model.routes() {
            let shift = model.day(phone.account).shift.map(|(shift, _)| shift);
            let expected: Vec<_> = model
                .stops(route)
                .map(|stop| {
                    let visit = model.customers().get(&stop).and_then(|customer| customer.visit);
                    (stop, visit.filter(|&(_, _, in_shift)| in_shift == shift).map(|(state, _, _)| state))
                })
                .collect();
            let told = engine.stops(route).map_err(|error| error.to_string())?;
            let told: Vec<_> = told.iter().map(|stop| (stop.customer.customer, stop.state)).collect();
            if told != expected {
                return Err(format!("shows the stops {told:?}, not {expected:?}"));
            }
        }
        check_day(&engine.day().map_err(|error| error.to_string())?, &model.day(phone.account))?;
        self.check_attention(number, engine)
    }

    /// What was not accepted is on the phone's list, and on the server's until somebody has dealt with it.
    fn check_attention(&self, number: usize, engine: &Engine) -> Result<(), Wrong> {
        let phone = &self.phones[number];
        let model = &self.sites[phone.plant].model;
        let items = engine.attention(0, u32::MAX).map_err(|error| error.to_string())?;
        let listed: BTreeSet<TxnId> = items
            .iter()
            .filter_map(|item| match item {
                Attention::Refused(refused) => refused.txn,
                _ => None,
            })
            .collect();
        if !listed.iter().eq(phone.file.attention.keys()) {
            return Err(format!("lists {listed:?} as not accepted, not {:?}", phone.file.attention));
        }
        for txn in &listed {
            match model.verdict(phone.account, *txn) {
                Some(Verdict::Rejected(_)) => {}
                Some(Verdict::Parked) if model.is_closed(phone.account, *txn) => {}
                other => return Err(format!("lists {txn} as not accepted, which is {other:?}")),
            }
        }
        Ok(())
    }
}

/// Each line of every ledger, once, as the phone tells them.
fn check_ledgers(engine: &Engine, model: &Plant) -> Result<(), Wrong> {
    let mut expected: BTreeMap<CustomerId, Vec<(TxnId, i64)>> = BTreeMap::new();
    for line in model.ledger() {
        expected.entry(line.customer).or_default().push((line.txn, line.amount));
    }
    for &customer in model.customers().keys() {
        let lines = engine.history(customer, 0, u32::MAX).map_err(|error| error.to_string())?;
        let mut told: Vec<_> = lines.iter().map(|line| (line.txn, line.amount.minor)).collect();
        told.reverse();
        let expected = expected.remove(&customer).unwrap_or_default();
        if told != expected {
            return Err(format!("the ledger of {customer} has {told:?}, not {expected:?}"));
        }
    }
    Ok(())
}

fn check_day(told: &DaySummary, expected: &crate::model::Day) -> Result<(), Wrong> {
    let shift = told.shift.as_ref().map(|shift| (shift.txn, shift.finished_by));
    let (in_shift, in_all) = (&expected.in_shift, &expected.in_all);
    let cash = in_all.get("collected", "") - in_all.get("handed in", "");
    let sums = [
        (told.deliveries, in_shift.get("deliveries", "")),
        (told.failures, in_shift.get("failures", "")),
        (told.customers, in_shift.get("customers", "")),
        (told.collected.minor, in_shift.get("collected", "")),
        (told.handed_in.minor, in_shift.get("handed in", "")),
        (told.cash_in_hand.minor, cash),
    ];
    let bottles = told.products.iter().flat_map(|bottles| {
        let product = bottles.product.as_str();
        let all = |name| in_all.get(name, product);
        [
            (bottles.loaded, in_shift.get("loaded", product)),
            (bottles.returned, in_shift.get("returned", product)),
            (bottles.delivered, in_shift.get("delivered", product)),
            (bottles.empties, in_shift.get("empties", product)),
            (bottles.on_board, all("loaded") - all("delivered") - all("returned")),
            (bottles.empties_on_board, all("empties") + all("empties loaded") - all("empties returned")),
        ]
    });
    if shift != expected.shift || sums.into_iter().chain(bottles).any(|(told, expected)| told != expected) {
        return Err(format!("shows the day {told:?}, not {expected:?}"));
    }
    Ok(())
}

/// A plant in the servers' store.
struct Store<'w> {
    world: &'w World,
    site: usize,
    wrong: String,
}

impl Store<'_> {
    fn check(&mut self) -> Result<(), Wrong> {
        for check in [Self::customers, Self::ledger, Self::histories, Self::days, Self::open, Self::photos] {
            check(self).map_err(|error| format!("reading the servers' store: {error}"))?;
            if !self.wrong.is_empty() {
                return Err(format!("plant {} in the servers' store: {}", self.site, self.wrong));
            }
        }
        Ok(())
    }

    fn model(&self) -> &Plant {
        &self.world.sites[self.site].model
    }

    fn store(&self) -> &Connection {
        &self.world.inspector
    }

    fn key(&self) -> [u8; 16] {
        *self.world.sites[self.site].id.as_bytes()
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, told: &T, expected: &T) {
        if told != expected && self.wrong.is_empty() {
            self.wrong = format!("{what} is {told:?}, not {expected:?}");
        }
    }

    fn customers(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT customer, balance, closed, profile,
                       (SELECT coalesce(sum(amount), 0) FROM ledger AS l
                        WHERE l.plant = c.plant AND l.customer = c.customer)
                   FROM customers AS c JOIN profiles USING (plant, customer) WHERE plant = ?";
        let mut query = self.store().prepare(sql)?;
        let rows: Vec<([u8; 16], i64, bool, String, i64)> = query
            .query_map([self.key()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<Result<_, _>>()?;
        drop(query);
        self.expect("the number of customers", &rows.len(), &self.model().customers().len());
        for (id, balance, closed, profile, sum) in rows {
            let id = CustomerId::from_bytes(id);
            let Some(customer) = self.model().customers().get(&id) else {
                self.wrong = format!("{id} is nobody's customer");
                return Ok(());
            };
            let expected = (customer.balance(), customer.balance(), customer.closed);
            let profile = serde_json::from_str::<Profile>(&profile).map_err(|error| error.to_string());
            let same = profile.and_then(|profile| same_profile(&profile, customer));
            self.expect(&format!("{id}"), &(balance, sum, closed), &expected);
            if let Err(wrong) = same {
                self.wrong = format!("{id}: {wrong}");
            }
        }
        Ok(())
    }

    fn ledger(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT rev, customer, txn, amount FROM ledger WHERE plant = ? ORDER BY rev";
        let mut query = self.store().prepare(sql)?;
        let lines: Vec<(u64, [u8; 16], [u8; 16], i64)> = query
            .query_map([self.key()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        drop(query);
        let expected: Vec<_> = self
            .model()
            .ledger()
            .iter()
            .map(|line| (line.rev, *line.customer.as_bytes(), *line.txn.as_bytes(), line.amount))
            .collect();
        self.expect("the number of ledger lines", &lines.len(), &expected.len());
        if let Some((line, expected)) = lines.iter().zip(&expected).find(|(line, expected)| line != expected)
        {
            self.expect("a ledger line", line, expected);
        }
        Ok(())
    }

    /// Each mutation once, with its answer, and each history without gaps.
    fn histories(&mut self) -> rusqlite::Result<()> {
        let key = self.key();
        let count = |status: &str| {
            self.store().query_row(
                "SELECT count(*) FROM mutations WHERE plant = ? AND status = ?",
                rusqlite::params![key, status],
                |row| row.get::<_, usize>(0),
            )
        };
        let told = [count("applied")?, count("rejected")?, count("parked")?];
        self.expect("applied, rejected, parked", &told, &self.model().arrived());
        let mut query = self.store().prepare(
            "SELECT actor, next_seq - 1, (SELECT count(*) FROM dots AS d WHERE d.plant = a.plant
                 AND d.actor = a.actor), (SELECT coalesce(max(seq), 0) FROM dots AS d
                 WHERE d.plant = a.plant AND d.actor = a.actor)
             FROM actors AS a WHERE plant = ?",
        )?;
        let rows: Vec<([u8; 16], usize, usize, usize)> = query
            .query_map([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        drop(query);
        let expected: BTreeMap<_, _> =
            self.model().histories().map(|(actor, length)| (*actor.as_bytes(), length)).collect();
        for (actor, length, dots, last) in rows {
            let expected = expected.get(&actor).copied().unwrap_or(0);
            self.expect("a history's length", &(length, dots, last), &(expected, expected, expected));
        }
        Ok(())
    }

    /// The riders' days, and that each one's shifts add up to the whole.
    fn days(&mut self) -> rusqlite::Result<()> {
        self.wrong = self.wrong_day()?.unwrap_or_default();
        Ok(())
    }

    fn wrong_day(&self) -> rusqlite::Result<Option<Wrong>> {
        let mut days = self.store().prepare("SELECT account, day FROM rider_days WHERE plant = ?")?;
        let rows: Vec<([u8; 16], String)> =
            days.query_map([self.key()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut shifts =
            self.store().prepare("SELECT tally FROM past_shifts WHERE plant = ? AND account = ?")?;
        for (account, day) in &rows {
            let day: Day = serde_json::from_str(day).map_err(|error| unreadable(&error))?;
            let expected = self.model().day(AccountId::from_bytes(*account));
            if let Err(wrong) = same_day(&day, &expected) {
                return Ok(Some(wrong));
            }
            let mut sum = Counts::told(&day.in_shift);
            let key = rusqlite::params![self.key(), account];
            for tally in shifts.query_map(key, |row| row.get::<_, String>(0))? {
                let tally: Tally = serde_json::from_str(&tally?).map_err(|error| unreadable(&error))?;
                sum.add(&Counts::told(&tally), 1);
            }
            if sum != expected.in_all {
                return Ok(Some(format!("the shifts add up to {sum:?}, not {:?}", expected.in_all)));
            }
        }
        Ok(None)
    }

    /// Each photo of which an applied mutation speaks is there, unless it may have gone with a phone.
    fn photos(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT account, hash, received, complete FROM photos
                   WHERE plant = ? ORDER BY account, hash";
        let mut query = self.store().prepare(sql)?;
        let told: Vec<([u8; 16], [u8; 32], u64, bool)> = query
            .query_map([self.key()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        drop(query);
        let photos: Vec<_> = self.model().photos().collect();
        let expected: Vec<_> = photos
            .iter()
            .map(|&(account, hash, photo)| (*account.as_bytes(), hash.0, photo.received, photo.is_complete()))
            .collect();
        self.expect("what came of photos", &told, &expected);
        for (account, hash, photo) in photos {
            let content = self.content(account, hash)?;
            let is_whole = photo.is_complete() && PhotoHash::of(&content) == hash;
            let may_be_gone = !photo.is_complete() && self.world.set_back.contains(&account);
            if !is_whole && !may_be_gone {
                self.wrong =
                    format!("of the photo {hash} of {account} there are {} bytes: {photo:?}", content.len());
            }
        }
        Ok(())
    }

    /// What has come of a photo.
    fn content(&self, account: AccountId, hash: PhotoHash) -> rusqlite::Result<Vec<u8>> {
        let sql =
            "SELECT piece FROM photo_pieces WHERE plant = ? AND account = ? AND hash = ? ORDER BY start";
        let mut query = self.store().prepare_cached(sql)?;
        let pieces =
            query.query_map((self.key(), account.as_bytes(), hash.0), |row| row.get::<_, Vec<u8>>(0))?;
        Ok(pieces.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// What was not accepted and is not dealt with is on the manager's list, and nothing else is.
    fn open(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT account, txn FROM mutations
                   WHERE plant = ? AND status <> 'applied' AND closed_by IS NULL AND closer IS NULL
                   ORDER BY account, txn";
        let mut query = self.store().prepare(sql)?;
        let open: Vec<([u8; 16], [u8; 16])> =
            query.query_map([self.key()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        drop(query);
        let expected: Vec<_> = self
            .model()
            .open()
            .into_iter()
            .map(|(account, txn)| (*account.as_bytes(), *txn.as_bytes()))
            .collect();
        self.expect("the manager's list", &open, &expected);
        Ok(())
    }
}

fn unreadable(error: &serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.to_string().into())
}
