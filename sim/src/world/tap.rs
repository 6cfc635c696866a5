//! What riders do on their phones. Each tap is one call of the core; what it says is saved must be there ever after.

use super::file::Record;
use super::phone::Life;
use super::photos::Camera;
use super::{Event, World};
use crate::dice::Dice;
use crate::model::{self, Intent, Seen, Wrong};
use carboy_core::{
    Attention, Choice, Correction, Customer, DayReceipt, DeliveredLine, Engine, Error, Keep, Receipt, Wake,
};
use carboy_protocol::{
    Action, Currency, CustomerId, FailReason, Field, Money, Mutation, PhotoHash, Progress, RouteId,
    StockLine, TxnId,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a rider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tap {
    Deliver,
    Collect,
    Edit,
    Progress,
    Fail,
    Add,
    Start,
    Finish,
    Load,
    Return,
    HandIn,
    Withdraw,
    Deal,
    Keep,
}

/// What may be tapped at a customer's, and how often.
const VISIT: [(Tap, u32); 7] = [
    (Tap::Deliver, 30),
    (Tap::Collect, 26),
    (Tap::Edit, 14),
    (Tap::Progress, 12),
    (Tap::Fail, 6),
    (Tap::Withdraw, 7),
    (Tap::Keep, 3),
];

/// What may be tapped elsewhere.
const ERRAND: [(Tap, u32); 8] = [
    (Tap::Start, 14),
    (Tap::Finish, 8),
    (Tap::Load, 18),
    (Tap::Return, 14),
    (Tap::HandIn, 14),
    (Tap::Add, 10),
    (Tap::Withdraw, 8),
    (Tap::Deal, 20),
];

/// How many of a thousand deliveries come with photos.
const WITH_PHOTOS: u32 = 50;

/// A call of the core that has saved something.
pub(super) struct Saved {
    txn: TxnId,
    id: u64,
    shown: Option<Customer>,
}

impl From<Receipt> for Saved {
    fn from(receipt: Receipt) -> Self {
        Self { txn: receipt.txn, id: receipt.id, shown: Some(receipt.customer) }
    }
}

impl From<DayReceipt> for Saved {
    fn from(receipt: DayReceipt) -> Self {
        Self { txn: receipt.txn, id: receipt.id, shown: receipt.customer }
    }
}

/// What a tap must have saved.
pub(super) enum Means {
    /// This, as the arguments of the call say.
    This(Intent),
    /// What the core itself has put together: it is read back from the file.
    AsWritten,
}

impl World {
    /// A rider deals with a customer: a few taps.
    pub(super) fn visit(&mut self, chance: u64) -> Result<(), Wrong> {
        let mut dice = Dice::of(chance);
        let Some(phone) = self.some_phone(&mut dice) else { return Ok(()) };
        let customers = &self.sites[self.phones[phone].plant].customers;
        let customer = customers[dice.skewed(customers.len())];
        let taps = 1 + dice.below(6);
        let mut delay = 0;
        for _ in 0..taps {
            let tap = VISIT[dice.weighted(&VISIT.map(|(_, weight)| weight))].0;
            let event = Event::Tap { phone, tap, customer: Some(customer), dice: dice.seed() };
            self.later(delay, event);
            delay += dice.within(300..4_000);
        }
        Ok(())
    }

    /// A rider deals with something else: a tap or two.
    pub(super) fn errand(&mut self, chance: u64) -> Result<(), Wrong> {
        let mut dice = Dice::of(chance);
        let Some(phone) = self.some_phone(&mut dice) else { return Ok(()) };
        for tap in 0..1 + dice.below(2) {
            let what = ERRAND[dice.weighted(&ERRAND.map(|(_, weight)| weight))].0;
            let event = Event::Tap { phone, tap: what, customer: None, dice: dice.seed() };
            self.later(tap as u64 * dice.within(500..5_000), event);
        }
        Ok(())
    }

    /// A phone of some rider, most often his newest one.
    pub(super) fn some_phone(&self, dice: &mut Dice) -> Option<usize> {
        let site = &self.sites[dice.below(self.sites.len())];
        let rider = &site.riders[dice.below(site.riders.len())];
        let phones: Vec<_> =
            rider.phones.iter().copied().filter(|&phone| self.phones[phone].life != Life::Gone).collect();
        if dice.chance(750) { phones.last().copied() } else { dice.pick(&phones).copied() }
    }

    pub(super) fn tap(
        &mut self,
        number: usize,
        tap: Tap,
        customer: Option<CustomerId>,
        chance: u64,
    ) -> Result<(), Wrong> {
        match self.phones[number].life {
            Life::Gone => return Ok(()),
            Life::Killed => self.start(number)?,
            Life::Suspended => self.resume(number)?,
            Life::Runs => {}
        }
        let mut dice = Dice::of(chance);
        let failing = self.fail_disk(number, &mut dice);
        let done = self.press(number, tap, customer, &mut dice)?;
        if let Some(failing) = failing {
            return self.after_failing_tap(number, failing, done);
        }
        match done {
            Ok(Some((saved, means))) => {
                self.saved(number, &saved, means)?;
                self.pump(number)
            }
            Ok(None) => Ok(()),
            Err(error) if is_expected(&error) => self.check_outbox(number),
            Err(error) => Err(format!("phone {number}: {tap:?} fails: {error}")),
        }
    }

    /// One call of the core.
    fn press(
        &self,
        number: usize,
        tap: Tap,
        customer: Option<CustomerId>,
        dice: &mut Dice,
    ) -> Result<Done, Wrong> {
        let phone = &self.phones[number];
        let engine = phone.engine.clone().ok_or("no app runs")?;
        let site = &self.sites[phone.plant];
        let hand = Hand { engine, currency: site.currency, routes: &site.routes, camera: &self.camera };
        let seen = customer.map(|customer| phone.file.seen(customer));
        Ok(hand.does(tap, customer, dice, &phone.file.prices, seen))
    }

    /// The core says that something is saved.
    pub(super) fn saved(&mut self, number: usize, saved: &Saved, means: Means) -> Result<(), Wrong> {
        let now = self.now();
        self.history.note(now, "saved", number, saved.txn.as_bytes());
        let (intent, amount, customer) = match means {
            Means::This(intent) => {
                let amount = intent.amount.unwrap_or(0);
                (intent, amount, saved.shown.as_ref().map(|shown| shown.customer))
            }
            Means::AsWritten => self.written(number, saved.id)?,
        };
        self.stats.act(intent.kind);
        self.history.tell(now, || {
            let id = saved.id;
            let Intent { kind, changes, .. } = &intent;
            format!("phone {number} saves {id} {} {kind} {customer:?} {amount} {changes:?}", saved.txn)
        });
        let phone = &mut self.phones[number];
        let record = Record {
            txn: saved.txn,
            kind: intent.kind,
            customer,
            amount,
            is_edit: intent.seen.is_some(),
            target: intent.target,
        };
        phone.file.record(record, intent.seen.as_ref());
        if let (Some(customer), "add_customer") = (intent.customer, intent.kind) {
            let customers = &mut self.sites[phone.plant].customers;
            if !customers.contains(&customer) {
                customers.push(customer);
            }
        }
        self.sites[phone.plant].model.intend(phone.account, saved.txn, intent);
        match &saved.shown {
            Some(shown) => self.same_balance(number, shown),
            None => Ok(()),
        }
    }

    /// What stands in the file of a record whose content the core has put together, and whom it is about.
    fn written(&mut self, number: usize, id: u64) -> Result<(Intent, i64, Option<CustomerId>), Wrong> {
        let phone = &mut self.phones[number];
        let file = phone.inspector()?;
        let read = || -> rusqlite::Result<(String, i64, Option<[u8; 16]>)> {
            let sql = "SELECT body, amount, customer.customer FROM record
                       LEFT JOIN customer ON customer.id = record.customer WHERE record.id = ?";
            file.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        };
        let (body, amount, about) = read().map_err(|error| format!("record {id}: {error}"))?;
        let about = about.map(CustomerId::from_bytes);
        let mutation: Mutation = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        let action = mutation.action;
        let is_edit =
            matches!(action, Action::UpdateProfile { .. } | Action::Withdraw { restore: Some(_), .. });
        let seen = match (&action, about) {
            (Action::AddCustomer { .. }, _) => Some(Seen { lamport: 1, ..Seen::default() }),
            (_, Some(customer)) if is_edit => Some(phone.file.seen(customer)),
            _ => None,
        };
        let target = action.target();
        if let Some(dealt_with) = mutation.replaces.or(target) {
            // Whatever deals with it takes it off the list.
            phone.file.attention.remove(&dealt_with);
        }
        let (kind, customer) = (action.kind(), action.customer());
        let (ledger, photos) = (model::ledger_amount(&action), model::hashes(&action));
        Ok((Intent { kind, customer, amount: ledger, changes: None, seen, target, photos }, amount, about))
    }

    /// A record that is in the file although the app could not say so any more.
    pub(super) fn adopt(&mut self, number: usize) -> Result<(), Wrong> {
        let Some(engine) = self.phones[number].engine.clone() else { return Ok(()) };
        let records = engine.records(None, 1).map_err(|error| error.to_string())?;
        let record = records.first().ok_or("the last record is gone")?;
        let txn = record.txn.ok_or("the last record cannot be read")?;
        self.saved(number, &Saved { txn, id: record.id, shown: None }, Means::AsWritten)?;
        let about = self.phones[number].file.pending.back().and_then(|record| record.customer);
        about.map_or(Ok(()), |customer| self.check_balance(number, customer))
    }
}

/// Errors with which the core refuses what makes no sense: nothing is saved then.
pub(super) fn is_expected(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownCustomer(_)
            | Error::UnknownProduct(_)
            | Error::UnknownRoute(_)
            | Error::UnknownRecord(_)
            | Error::AlreadyWithdrawn(_)
            | Error::NotPossible { .. }
            | Error::ShiftOpen(_)
            | Error::NoShift
            | Error::NoLostEdit(_)
    )
}

/// A rider's hand on a phone.
struct Hand<'w> {
    engine: Arc<Engine>,
    currency: Currency,
    routes: &'w [RouteId],
    camera: &'w Camera,
}

pub(super) type Done = Result<Option<(Saved, Means)>, Error>;

impl Hand<'_> {
    fn does(
        &self,
        tap: Tap,
        customer: Option<CustomerId>,
        dice: &mut Dice,
        prices: &BTreeMap<String, i64>,
        seen: Option<Seen>,
    ) -> Done {
        match (tap, customer) {
            (Tap::Deliver, Some(customer)) => self.deliver(customer, dice, prices),
            (Tap::Collect, Some(customer)) => {
                let minor = dice.amount(1..40_000);
                let receipt = self.engine.collect_cash(customer, self.money(minor))?;
                done(receipt, "collect_cash", Some(customer), Some(-minor))
            }
            (Tap::Edit, Some(customer)) => self.edit(customer, dice, seen),
            (Tap::Progress, Some(customer)) => {
                let progress = [Progress::OnTheWay, Progress::Arrived, Progress::Skipped][dice.below(3)];
                done(self.engine.note_progress(customer, progress)?, "note_progress", Some(customer), None)
            }
            (Tap::Fail, Some(customer)) => {
                let reason = [FailReason::Closed, FailReason::Absent, FailReason::NoStock][dice.below(3)];
                let note = dice.chance(300).then(|| "come back later".to_owned());
                let receipt = self.engine.fail_delivery(customer, reason, note)?;
                done(receipt, "fail_delivery", Some(customer), None)
            }
            (Tap::Keep, Some(_)) => self.keep(dice),
            (Tap::Add, _) => self.add(dice),
            (Tap::Start, _) => {
                let route = dice.pick(self.routes).copied();
                done(self.engine.start_shift(route)?, "start_shift", None, None)
            }
            (Tap::Finish, _) => done(self.engine.finish_shift()?, "finish_shift", None, None),
            (Tap::Load, _) => done(self.engine.load_stock(&stock(dice))?, "load_stock", None, None),
            (Tap::Return, _) => done(self.engine.return_stock(&stock(dice))?, "return_stock", None, None),
            (Tap::HandIn, _) => {
                let cash = self.money(dice.amount(1..60_000));
                done(self.engine.hand_in_cash(cash, None)?, "hand_in_cash", None, None)
            }
            (Tap::Withdraw, _) => self.withdraw(dice),
            (Tap::Deal, _) => self.deal(dice),
            _ => Ok(None),
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    fn deliver(&self, customer: CustomerId, dice: &mut Dice, prices: &BTreeMap<String, i64>) -> Done {
        let mut lines = lines(dice);
        lines.truncate(1 + dice.below(2));
        let total = lines
            .iter()
            .map(|line| prices.get(line.product.as_str()).copied().unwrap_or(0) * i64::from(line.delivered));
        let total = total.sum();
        let proof = dice.chance(300).then(|| format!("signature {}", dice.below(1_000)));
        let photos = self.photos(dice)?;
        let paths: Vec<&Path> = photos.iter().map(|(path, _)| path.as_path()).collect();
        let receipt = self.engine.confirm_delivery(customer, &lines, proof, &paths)?;
        let (kind, customer, amount) = ("confirm_delivery", Some(customer), Some(total));
        let photos = photos.into_iter().map(|(_, hash)| hash).collect();
        let intent = Intent { kind, customer, amount, photos, ..Intent::default() };
        Ok(Some((receipt.into(), Means::This(intent))))
    }

    /// What a rider photographs at a delivery: most often nothing.
    fn photos(&self, dice: &mut Dice) -> Result<Vec<(PathBuf, PhotoHash)>, Error> {
        let count = if dice.chance(WITH_PHOTOS) { 1 + dice.below(2) } else { 0 };
        let photos = (0..count).map(|_| self.camera.shoot(dice)).collect::<std::io::Result<_>>();
        photos.map_err(|error| Error::UnreadablePhoto(error.to_string()))
    }

    fn edit(&self, customer: CustomerId, dice: &mut Dice, seen: Option<Seen>) -> Done {
        let mut changes = BTreeMap::new();
        for _ in 0..1 + dice.below(2) {
            let field = Field::ALL[dice.below(Field::ALL.len())];
            changes.insert(field, format!("rider {}", dice.below(1_000_000)));
        }
        let receipt = self.engine.update_profile(customer, changes.clone())?;
        let (kind, customer) = ("update_profile", Some(customer));
        let intent = Intent { kind, customer, changes: Some(changes), seen, ..Intent::default() };
        Ok(Some((receipt.into(), Means::This(intent))))
    }

    fn add(&self, dice: &mut Dice) -> Done {
        let fields: BTreeMap<_, _> = [
            (Field::Name, format!("Kiosk {}", dice.below(10_000))),
            (Field::Address, format!("Street {}", dice.below(100))),
        ]
        .into();
        let route = dice.pick(self.routes).copied().filter(|_| dice.chance(600));
        let receipt = self.engine.add_customer(fields.clone(), route)?;
        let (kind, customer) = ("add_customer", Some(receipt.customer.customer));
        let seen = Some(Seen { lamport: 1, ..Seen::default() });
        let intent = Intent { kind, customer, changes: Some(fields), seen, ..Intent::default() };
        Ok(Some((receipt.into(), Means::This(intent))))
    }

    /// Takes one of the last records back.
    fn withdraw(&self, dice: &mut Dice) -> Done {
        let mut records = self.engine.records(None, 8)?;
        records.retain(|record| record.can_withdraw);
        let Some(record) = dice.pick(&records) else { return Ok(None) };
        let reason = dice.chance(500).then(|| "counted twice".to_owned());
        as_written(self.engine.withdraw(record.id, reason)?)
    }

    /// Deals with something on the attention list.
    fn deal(&self, dice: &mut Dice) -> Done {
        let items = self.engine.attention(0, 4)?;
        let Some(Attention::Refused(refused)) = dice.pick(&items) else { return Ok(None) };
        let id = refused.id;
        let Some(choice) = dice.pick(&refused.choices) else { return Ok(None) };
        match choice {
            Choice::Retry => as_written(self.engine.retry(id)?),
            Choice::Correct if refused.kind == "collect_cash" => {
                let amount = Correction::Amount(self.money(dice.amount(1..9_000)));
                as_written(self.engine.resend(id, &amount)?)
            }
            Choice::Correct => as_written(self.engine.retry(id)?),
            Choice::Withdraw => as_written(self.engine.withdraw(id, None)?),
            Choice::Accept => as_written(self.engine.accept(id)?),
        }
    }

    /// Decides over an edit that stands behind another one.
    fn keep(&self, dice: &mut Dice) -> Done {
        let items = self.engine.attention(0, 50)?;
        let lost: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                Attention::LostEdit(edit) => Some(edit),
                _ => None,
            })
            .collect();
        let Some(edit) = dice.pick(&lost) else { return Ok(None) };
        let keep = if dice.chance(500) { Keep::Mine } else { Keep::Shown };
        as_written(self.engine.settle_edit(edit.customer, edit.field, keep)?)
    }
}

fn done(
    saved: impl Into<Saved>,
    kind: &'static str,
    customer: Option<CustomerId>,
    amount: Option<i64>,
) -> Done {
    let intent = Intent { kind, customer, amount, ..Intent::default() };
    Ok(Some((saved.into(), Means::This(intent))))
}

fn as_written(saved: impl Into<Saved>) -> Done {
    Ok(Some((saved.into(), Means::AsWritten)))
}

fn lines(dice: &mut Dice) -> Vec<DeliveredLine> {
    let line = |product: &str, delivered, empties| {
        product.parse().ok().map(|product| DeliveredLine { product, delivered, empties })
    };
    let lines = [
        line("20L", dice.bottles(0..6), dice.bottles(1..6)),
        line("10L", dice.bottles(0..4), dice.bottles(0..4)),
    ];
    lines.into_iter().flatten().collect()
}

fn stock(dice: &mut Dice) -> Vec<StockLine> {
    let line =
        |product: &str, full, empty| product.parse().ok().map(|product| StockLine { product, full, empty });
    [line("20L", dice.bottles(1..60), dice.bottles(0..20)), line("5L", dice.bottles(0..9), 0)]
        .into_iter()
        .flatten()
        .collect()
}

impl World {
    /// The app comes back to the front.
    pub(super) fn resume(&mut self, number: usize) -> Result<(), Wrong> {
        if self.phones[number].life != Life::Suspended {
            return Ok(());
        }
        self.phones[number].life = Life::Runs;
        // The system tells now what nobody could hear meanwhile.
        if self.phones[number].signal {
            self.wake(number, Wake::Online)?;
        } else if self.config.offline {
            self.wake(number, Wake::Offline)?;
        }
        self.wake(number, Wake::Resume)
    }
}
