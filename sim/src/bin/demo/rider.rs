//! A rider: a real core over real HTTP, behind a link of his own.

use crate::Plant;
use crate::manager::Seen;
use anyhow::{Context, Result};
use async_trait::async_trait;
use carboy_core::{
    DeliveredLine, Engine, HttpTransport, Identity, MemoryKeys, Options, Runtime, SystemClock, SystemRandom,
    TokenError, TokenProvider,
};
use carboy_protocol::{
    Currency, CustomerId, FailReason, Field, Money, ProductCode, RouteId, StockLine, Timestamp, TxnId,
};
use carboy_sim::clock::Clock;
use carboy_sim::link::Link;
use carboy_sim::proxy::Proxy;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What the rider collects from the customer whom the manager changes too, in minor units.
const DISPUTED_CASH: i64 = 3_000;

/// Full bottles of each product that a rider loads: more than he can sell.
const LOAD: i32 = 2_000;

/// The number that the rider writes down there.
const DISPUTED_PHONE: &str = "0722 000 222";

/// One thing that a rider did, as his phone confirmed it.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) txn: TxnId,
    pub(crate) cash: i64,
}

pub(crate) struct Rider {
    pub(crate) name: String,
    pub(crate) account: carboy_protocol::AccountId,
    pub(crate) runtime: Runtime,
    pub(crate) proxy: Proxy,
    /// The customer whom the manager changed too, and what the manager had seen before.
    pub(crate) disputed: Option<(CustomerId, Seen)>,
    link: Link,
    currency: Currency,
    route: RouteId,
    stops: Vec<CustomerId>,
    products: Vec<ProductCode>,
    recorded: Mutex<Vec<Recorded>>,
}

/// The phone's clocks: the wall clock shows the demonstration's virtual time, waiting is real.
struct PhoneClock {
    clock: Clock,
    start: Timestamp,
}

impl carboy_core::Clock for PhoneClock {
    fn now(&self) -> Timestamp {
        let since = i64::try_from(self.clock.now()).unwrap_or(i64::MAX);
        Timestamp(self.start.0.saturating_add(since))
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }
}

struct Token(String);

#[async_trait]
impl TokenProvider for Token {
    async fn token(&self, _refresh: bool) -> Result<String, TokenError> {
        Ok(self.0.clone())
    }
}

impl Rider {
    /// Enrols the rider of this number and fetches the plant, over his own link.
    pub(crate) async fn enrol(
        plant: &Plant,
        number: usize,
        link: Link,
        clock: Clock,
        folder: &Path,
        disputed: CustomerId,
    ) -> Result<Self> {
        let sample = &plant.sample.riders[number];
        let proxy = Proxy::start(link.clone(), clock, plant.address).await?;
        let transport = Arc::new(HttpTransport::new(&format!("http://{}", proxy.address()))?);
        let keys = Arc::new(MemoryKeys::default());
        let name = format!("phone {}", number + 1);
        let enrolled = carboy_core::enrol(&*transport, &*keys, &SystemRandom, &sample.enrol_code, &name)
            .await
            .with_context(|| format!("{} cannot enrol", sample.name))?;
        let identity =
            Identity { plant: enrolled.plant, account: enrolled.account, currency: enrolled.currency };
        let phone_clock = Arc::new(PhoneClock { clock, start: carboy_core::Clock::now(&SystemClock) });
        let options = Options { clock: phone_clock, ..Options::new(folder, identity, keys) };
        let engine = Arc::new(Engine::open(&options)?);
        let runtime = Runtime::start(engine, transport, Arc::new(Token(enrolled.token)), None)?;
        runtime.sync_now().await.context("the drainer ended")?;
        let stops = &plant.sample.routes[number].stops;
        Ok(Self {
            name: sample.name.clone(),
            account: sample.account,
            runtime,
            proxy,
            disputed: None,
            link,
            currency: plant.sample.currency,
            route: plant.sample.routes[number].route,
            // The disputed customer is kept for the dispute.
            stops: stops.iter().copied().filter(|&stop| stop != disputed).collect(),
            products: plant.sample.products.iter().map(|product| product.code.clone()).collect(),
            recorded: Mutex::default(),
        })
    }

    /// The shell's part: tells the core when signal goes and comes, until aborted.
    pub(crate) fn follow_signal(&self, clock: Clock) -> JoinHandle<()> {
        let engine_link = self.link.clone();
        let changed = self.runtime.network_switch();
        tokio::spawn(async move {
            while let Some(at) = engine_link.next_change(clock.now()) {
                clock.sleep_until(at).await;
                changed(engine_link.has_signal(at));
            }
        })
    }

    pub(crate) fn has_signal(&self, clock: Clock) -> bool {
        self.link.has_signal(clock.now())
    }

    /// The shift begins, with bottles for all of it.
    pub(crate) fn begin_day(&self) -> Result<()> {
        let engine = self.runtime.engine();
        self.note(engine.start_shift(Some(self.route))?.txn, 0);
        let load = |product: &ProductCode| StockLine { product: product.clone(), full: LOAD, empty: 0 };
        let lines: Vec<_> = self.products.iter().map(load).collect();
        self.note(engine.load_stock(&lines)?.txn, 0);
        Ok(())
    }

    /// The cash and what is left of the bottles go back to the plant, and the shift ends.
    pub(crate) fn end_day(&self) -> Result<()> {
        let engine = self.runtime.engine();
        let day = engine.day()?;
        if day.cash_in_hand.minor > 0 {
            self.note(engine.hand_in_cash(day.cash_in_hand, None)?.txn, 0);
        }
        let back = day.products.iter().map(|bottles| {
            let (full, empty) = (i32::try_from(bottles.on_board)?, i32::try_from(bottles.empties_on_board)?);
            Ok(StockLine { product: bottles.product.clone(), full, empty })
        });
        self.note(engine.return_stock(&back.collect::<Result<Vec<_>>>()?)?.txn, 0);
        self.note(engine.finish_shift()?.txn, 0);
        Ok(())
    }

    /// One action: mostly a delivery with its cash at the next stop, sometimes a closed door or a new address.
    pub(crate) fn act(&self, number: usize) -> Result<()> {
        let engine = self.runtime.engine();
        let stop = self.stops[(number / 2) % self.stops.len()];
        let product = self.products[number % self.products.len()].clone();
        let bottles = i32::try_from(1 + number % 4)?;
        let (receipt, cash) = match number % 12 {
            5 => (engine.fail_delivery(stop, FailReason::Closed, None)?, 0),
            9 => {
                let address = format!("{} Ngong Road, gate {}", 1 + number, self.name.len());
                (engine.update_profile(stop, [(Field::Address, address)].into())?, 0)
            }
            n if n % 2 == 0 => {
                let line = DeliveredLine { product, delivered: bottles, empties: bottles - 1 };
                (engine.confirm_delivery(stop, &[line], None, &[])?, 0)
            }
            _ => {
                let cash = i64::from(bottles) * 5_000;
                (engine.collect_cash(stop, self.money(cash))?, cash)
            }
        };
        self.note(receipt.txn, cash);
        Ok(())
    }

    /// In the basement: cash and a new telephone number from the customer whom the manager changes too.
    pub(crate) fn at_disputed(&self, customer: CustomerId) -> Result<()> {
        let engine = self.runtime.engine();
        let receipt = engine.collect_cash(customer, self.money(DISPUTED_CASH))?;
        self.note(receipt.txn, DISPUTED_CASH);
        let receipt = engine.update_profile(customer, [(Field::Phone, DISPUTED_PHONE.to_owned())].into())?;
        self.note(receipt.txn, 0);
        Ok(())
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    fn note(&self, txn: TxnId, cash: i64) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.push(Recorded { txn, cash });
    }

    /// Everything that the phone confirmed.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the phone has not sent yet.
    pub(crate) fn pending(&self) -> u64 {
        self.runtime.engine().status().map_or(u64::MAX, |status| status.pending)
    }
}
