//! What mutations add up to in a rider's day, as named sums.

use carboy_protocol::{Action, Tally};
use std::collections::BTreeMap;

/// Sums by name; what is zero is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<(&'static str, String), i64>);

impl Counts {
    /// What one record counts.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        let mut counts = Self::default();
        match action {
            Action::ConfirmDelivery { lines, .. } => {
                counts.count("deliveries", "", 1);
                for line in lines {
                    counts.count("delivered", line.product.as_str(), line.delivered.into());
                    counts.count("empties", line.product.as_str(), line.empties.into());
                }
            }
            Action::LoadStock { lines } => {
                for line in lines {
                    counts.count("loaded", line.product.as_str(), line.full.into());
                    counts.count("empties loaded", line.product.as_str(), line.empty.into());
                }
            }
            Action::ReturnStock { lines } => {
                for line in lines {
                    counts.count("returned", line.product.as_str(), line.full.into());
                    counts.count("empties returned", line.product.as_str(), line.empty.into());
                }
            }
            Action::CollectCash { amount, .. } => counts.count("collected", "", amount.minor),
            Action::HandInCash { amount, .. } => counts.count("handed in", "", amount.minor),
            Action::FailDelivery { .. } => counts.count("failures", "", 1),
            Action::AddCustomer { .. } => counts.count("customers", "", 1),
            _ => {}
        }
        counts
    }

    /// What the product's own sums say.
    #[must_use]
    pub fn told(tally: &Tally) -> Self {
        let mut counts = Self::default();
        counts.count("deliveries", "", tally.deliveries);
        counts.count("failures", "", tally.failures);
        counts.count("customers", "", tally.customers);
        counts.count("collected", "", tally.collected);
        counts.count("handed in", "", tally.handed_in);
        for (product, bottles) in &tally.products {
            let product = product.as_str();
            counts.count("delivered", product, bottles.delivered);
            counts.count("empties", product, bottles.empties);
            counts.count("loaded", product, bottles.loaded);
            counts.count("empties loaded", product, bottles.empties_loaded);
            counts.count("returned", product, bottles.returned);
            counts.count("empties returned", product, bottles.empties_returned);
        }
        counts
    }

    /// The sum of this name, of `product` or of no product in particular.
    #[must_use]
    pub fn get(&self, name: &'static str, product: &str) -> i64 {
        self.0.get(&(name, product.to_owned())).copied().unwrap_or(0)
    }

    /// Adds `other` as often as `times` says, which may be less than nothing.
    pub fn add(&mut self, other: &Self, times: i64) {
        for ((name, product), value) in &other.0 {
            self.count(name, product, value * times);
        }
    }

    fn count(&mut self, name: &'static str, product: &str, value: i64) {
        if value == 0 {
            return;
        }
        let key = (name, product.to_owned());
        let sum = self.0.get(&key).copied().unwrap_or(0) + value;
        if sum == 0 {
            self.0.remove(&key);
        } else {
            self.0.insert(key, sum);
        }
    }
}
