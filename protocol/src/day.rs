//! A rider's day: what the shift's mutations add up to. The server keeps it per rider, and a phone lays its
//! pending mutations over it with the same code.

use crate::{Action, ProductCode, RouteId, Timestamp, TxnId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rider's day, as far as its mutations are known.
///
/// ```
/// use carboy_protocol::{Action, Day, Money, Timestamp, TxnId};
/// let (first, second) = (TxnId::from_bytes([1; 16]), TxnId::from_bytes([2; 16]));
/// let handed_in = Action::HandInCash { amount: Money::new(500, "KES".parse()?), note: None };
/// let mut day = Day::default();
/// day.record(&Action::StartShift { route: None }, first, Timestamp(0));
/// day.record(&handed_in, second, Timestamp(1));
/// assert_eq!(day.in_shift.handed_in, 500);
/// day.withdraw(&handed_in, second, true);
/// assert_eq!(day.in_all.cash_in_hand(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Day {
    /// The last shift begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Shift>,
    /// What was recorded since that shift began.
    pub in_shift: Tally,
    /// What was ever recorded: its difference of cash taken and handed in is the cash in hand, that of bottles
    /// got and given the stock on board.
    pub in_all: Tally,
}

/// A rider's working day.
///
/// ```
/// use carboy_protocol::{Action, Shift, Timestamp, TxnId};
/// let (first, second) = (TxnId::from_bytes([1; 16]), TxnId::from_bytes([2; 16]));
/// let open = Shift::after(None, &Action::StartShift { route: None }, first, Timestamp(0));
/// let ended = Shift::after(open.clone(), &Action::FinishShift {}, second, Timestamp(1));
/// assert!(ended.as_ref().is_some_and(|shift| !shift.is_open()));
/// assert_eq!(Shift::without(ended, &Action::FinishShift {}, second), open);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shift {
    /// The mutation that began it.
    pub txn: TxnId,
    /// The route that the rider means to work through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteId>,
    /// When it began, by the device's clock.
    pub started_at: Timestamp,
    /// When it ended, by the device's clock; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The mutation that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_by: Option<TxnId>,
}

/// Counts and sums of mutations. Tallies add and subtract, so that a reversal or a rejected mutation can be taken
/// out again. Amounts are minor units of the plant's currency.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tally {
    /// Deliveries confirmed.
    pub deliveries: i64,
    /// Stops visited in vain.
    pub failures: i64,
    /// Customers added.
    pub customers: i64,
    /// Cash collected.
    pub collected: i64,
    /// Cash handed in.
    pub handed_in: i64,
    /// Bottles by product. A product whose counts are all zero is left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub products: BTreeMap<ProductCode, Bottles>,
}

/// Bottles of one product.
///
/// ```
/// use carboy_protocol::day::Bottles;
/// let bottles = Bottles { loaded: 40, delivered: 12, empties: 9, ..Bottles::default() };
/// assert_eq!((bottles.on_board(), bottles.empties_on_board()), (28, 9));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bottles {
    /// Full bottles loaded at the plant.
    pub loaded: i64,
    /// Full bottles given back to the plant.
    pub returned: i64,
    /// Full bottles handed to customers.
    pub delivered: i64,
    /// Empty bottles got from customers.
    pub empties: i64,
    /// Empty bottles loaded at the plant.
    pub empties_loaded: i64,
    /// Empty bottles given back to the plant.
    pub empties_returned: i64,
}

impl Bottles {
    /// Full bottles on board, if these are all there ever were.
    pub fn on_board(&self) -> i64 {
        self.loaded.saturating_sub(self.delivered).saturating_sub(self.returned)
    }

    /// Empty bottles on board, if these are all there ever were.
    pub fn empties_on_board(&self) -> i64 {
        self.empties.saturating_add(self.empties_loaded).saturating_sub(self.empties_returned)
    }

    fn add(&mut self, other: &Self, sign: i64) {
        let pairs = [
            (&mut self.loaded, other.loaded),
            (&mut self.returned, other.returned),
            (&mut self.delivered, other.delivered),
            (&mut self.empties, other.empties),
            (&mut self.empties_loaded, other.empties_loaded),
            (&mut self.empties_returned, other.empties_returned),
        ];
        add_each(pairs, sign);
    }
}

/// One mutation is bounded, so only millions of forged ones could reach the end of the range: there it stays.
fn add_each<const N: usize>(pairs: [(&mut i64, i64); N], sign: i64) {
    for (sum, value) in pairs {
        *sum = sum.saturating_add(value.saturating_mul(sign));
    }
}

impl Tally {
    /// What one action counts.
    ///
    /// ```
    /// use carboy_protocol::{Action, CustomerId, Money, day::Tally};
    /// let customer = CustomerId::from_bytes([1; 16]);
    /// let cash = Action::CollectCash { customer, amount: Money::new(500, "KES".parse()?) };
    /// assert_eq!(Tally::of(&cash).cash_in_hand(), 500);
    /// # Ok::<(), carboy_protocol::MoneyError>(())
    /// ```
    pub fn of(action: &Action) -> Self {
        let mut tally = Self::default();
        match action {
            Action::ConfirmDelivery { lines, .. } => {
                tally.deliveries = 1;
                for line in lines {
                    let bottles = Bottles {
                        delivered: line.delivered.into(),
                        empties: line.empties.into(),
                        ..Bottles::default()
                    };
                    tally.count(&line.product, &bottles);
                }
            }
            Action::LoadStock { lines } => {
                for line in lines {
                    let (loaded, empties_loaded) = (line.full.into(), line.empty.into());
                    tally.count(&line.product, &Bottles { loaded, empties_loaded, ..Bottles::default() });
                }
            }
            Action::ReturnStock { lines } => {
                for line in lines {
                    let (returned, empties_returned) = (line.full.into(), line.empty.into());
                    tally.count(&line.product, &Bottles { returned, empties_returned, ..Bottles::default() });
                }
            }
            Action::CollectCash { amount, .. } => tally.collected = amount.minor,
            Action::HandInCash { amount, .. } => tally.handed_in = amount.minor,
            Action::FailDelivery { .. } => tally.failures = 1,
            Action::AddCustomer { .. } => tally.customers = 1,
            _ => {}
        }
        tally
    }

    /// Counts `other` in.
    pub fn add(&mut self, other: &Self) {
        self.merge(other, 1);
    }

    /// Takes `other` out again.
    ///
    /// ```
    /// use carboy_protocol::Tally;
    /// let delivery = Tally { deliveries: 1, ..Tally::default() };
    /// let mut sum = Tally::default();
    /// sum.add(&delivery);
    /// sum.subtract(&delivery);
    /// assert!(sum.is_empty());
    /// ```
    pub fn subtract(&mut self, other: &Self) {
        self.merge(other, -1);
    }

    /// Cash collected and not handed in, if this is all there ever was.
    pub fn cash_in_hand(&self) -> i64 {
        self.collected.saturating_sub(self.handed_in)
    }

    /// Whether it counts nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn merge(&mut self, other: &Self, sign: i64) {
        let pairs = [
            (&mut self.deliveries, other.deliveries),
            (&mut self.failures, other.failures),
            (&mut self.customers, other.customers),
            (&mut self.collected, other.collected),
            (&mut self.handed_in, other.handed_in),
        ];
        add_each(pairs, sign);
        for (product, bottles) in &other.products {
            let sum = self.products.entry(product.clone()).or_default();
            sum.add(bottles, sign);
            if *sum == Bottles::default() {
                self.products.remove(product);
            }
        }
    }

    fn count(&mut self, product: &ProductCode, bottles: &Bottles) {
        self.products.entry(product.clone()).or_default().add(bottles, 1);
    }
}

impl Shift {
    /// The shift as it stands after `action`, recorded as `txn` at `at`, given the one before.
    pub fn after(before: Option<Self>, action: &Action, txn: TxnId, at: Timestamp) -> Option<Self> {
        match action {
            Action::StartShift { route } => {
                Some(Self { txn, route: *route, started_at: at, finished_at: None, finished_by: None })
            }
            Action::FinishShift {} => {
                before.map(|shift| Self { finished_at: Some(at), finished_by: Some(txn), ..shift })
            }
            _ => before,
        }
    }

    /// The shift as it stands once `withdrawn`, recorded as `txn`, is taken back: a shift that never began is
    /// none, and one that did not end is open again.
    pub fn without(before: Option<Self>, withdrawn: &Action, txn: TxnId) -> Option<Self> {
        match withdrawn {
            Action::StartShift { .. } => before.filter(|shift| shift.txn != txn),
            // The end of an earlier shift says nothing about this one.
            Action::FinishShift {} => before.map(|shift| match shift.finished_by == Some(txn) {
                true => Self { finished_at: None, finished_by: None, ..shift },
                false => shift,
            }),
            _ => before,
        }
    }

    /// Whether it has begun and not ended.
    pub fn is_open(&self) -> bool {
        self.finished_at.is_none()
    }
}

impl Day {
    /// Counts one more mutation.
    pub fn record(&mut self, action: &Action, txn: TxnId, at: Timestamp) {
        if matches!(action, Action::StartShift { .. }) {
            self.in_shift = Tally::default();
        }
        self.shift = Shift::after(self.shift.take(), action, txn, at);
        let tally = Tally::of(action);
        self.in_shift.add(&tally);
        self.in_all.add(&tally);
    }

    /// Takes back a mutation recorded as `txn`; `in_shift` tells whether it was since the shift began.
    pub fn withdraw(&mut self, action: &Action, txn: TxnId, in_shift: bool) {
        self.shift = Shift::without(self.shift.take(), action, txn);
        let tally = Tally::of(action);
        if in_shift {
            self.in_shift.subtract(&tally);
        }
        self.in_all.subtract(&tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CustomerId, DeliveryLine, FailReason, Money, StockLine};

    fn txn(n: u8) -> TxnId {
        TxnId::from_bytes([n; 16])
    }

    fn delivery(delivered: i32, empties: i32) -> Action {
        let line = DeliveryLine { product: "20L".parse().unwrap(), delivered, empties, unit_price: 100 };
        Action::ConfirmDelivery {
            customer: CustomerId::from_bytes([1; 16]),
            lines: vec![line],
            currency: "KES".parse().unwrap(),
            proof: None,
            photos: vec![],
        }
    }

    fn load(full: i32) -> Action {
        Action::LoadStock { lines: vec![StockLine { product: "20L".parse().unwrap(), full, empty: 0 }] }
    }

    #[test]
    fn each_kind_counts_what_it_says_and_nothing_else() {
        let (customer, kes) = (CustomerId::from_bytes([1; 16]), "KES".parse().unwrap());
        let stock = || vec![StockLine { product: "20L".parse().unwrap(), full: 5, empty: 3 }];
        let of = |bottles: Bottles| Tally {
            products: [("20L".parse().unwrap(), bottles)].into(),
            ..Tally::default()
        };
        let failed = Action::FailDelivery { customer, reason: FailReason::Closed, note: None };
        let bottles = Bottles::default();
        for (action, counted) in [
            (delivery(5, 3), Tally { deliveries: 1, ..of(Bottles { delivered: 5, empties: 3, ..bottles }) }),
            (Action::LoadStock { lines: stock() }, of(Bottles { loaded: 5, empties_loaded: 3, ..bottles })),
            (
                Action::ReturnStock { lines: stock() },
                of(Bottles { returned: 5, empties_returned: 3, ..bottles }),
            ),
            (
                Action::CollectCash { customer, amount: Money::new(7, kes) },
                Tally { collected: 7, ..Tally::default() },
            ),
            (
                Action::HandInCash { amount: Money::new(7, kes), note: None },
                Tally { handed_in: 7, ..Tally::default() },
            ),
            (failed, Tally { failures: 1, ..Tally::default() }),
            (
                Action::AddCustomer { customer, fields: BTreeMap::new(), route: None },
                Tally { customers: 1, ..Tally::default() },
            ),
            (Action::StartShift { route: None }, Tally::default()),
        ] {
            let tally = Tally::of(&action);
            assert_eq!(tally, counted, "{action:?}");
            assert_eq!(tally.is_empty(), matches!(action, Action::StartShift { .. }), "{action:?}");
        }
    }

    #[test]
    fn cash_and_stock_stay_with_the_rider_when_a_new_shift_begins_and_the_counts_do_not() {
        let mut day = Day::default();
        let cash = Action::CollectCash {
            customer: CustomerId::from_bytes([1; 16]),
            amount: Money::new(700, "KES".parse().unwrap()),
        };
        for action in [load(10), delivery(4, 3), cash] {
            day.record(&action, txn(1), Timestamp(1));
        }
        day.record(&Action::StartShift { route: None }, txn(2), Timestamp(2));
        assert!(day.in_shift.is_empty());
        assert_eq!(day.in_all.cash_in_hand(), 700);
        let bottles = day.in_all.products.values().next().unwrap();
        assert_eq!((bottles.on_board(), bottles.empties_on_board()), (6, 3));
    }

    #[test]
    fn what_is_withdrawn_counts_nothing_any_more() {
        let mut day = Day::default();
        day.record(&Action::StartShift { route: None }, txn(1), Timestamp(1));
        assert!(day.shift.as_ref().unwrap().is_open());
        let before = day.clone();
        day.record(&delivery(2, 1), txn(2), Timestamp(2));
        day.record(&Action::FinishShift {}, txn(3), Timestamp(3));
        assert!(!day.shift.as_ref().unwrap().is_open());
        day.withdraw(&Action::FinishShift {}, txn(3), true);
        day.withdraw(&delivery(2, 1), txn(2), true);
        assert_eq!(day, before);
        day.withdraw(&Action::StartShift { route: None }, txn(1), true);
        assert_eq!(day.shift, None);
    }

    #[test]
    fn withdrawing_the_end_of_an_earlier_shift_does_not_open_this_one_again() {
        let mut day = Day::default();
        for (n, action) in [
            (1, Action::StartShift { route: None }),
            (2, Action::FinishShift {}),
            (3, Action::StartShift { route: None }),
            (4, Action::FinishShift {}),
        ] {
            day.record(&action, txn(n), Timestamp(n.into()));
        }
        day.withdraw(&Action::FinishShift {}, txn(2), false);
        assert!(!day.shift.as_ref().unwrap().is_open());
    }

    #[test]
    fn a_record_of_an_earlier_shift_is_withdrawn_from_the_whole_and_not_from_this_shift() {
        let mut day = Day::default();
        day.record(&delivery(2, 1), txn(1), Timestamp(1));
        day.record(&Action::StartShift { route: None }, txn(2), Timestamp(2));
        day.withdraw(&delivery(2, 1), txn(1), false);
        assert!(day.in_shift.is_empty() && day.in_all.is_empty());
    }
}
