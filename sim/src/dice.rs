//! Every chance that a simulated world takes: seeded, so that one seed gives one history.

use crate::clock::Ms;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// A seeded source of decisions.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

/// A seed that follows from `seed` and `parts` alone, and is unlike that of any other parts.
#[must_use]
pub fn seed_of(seed: u64, parts: &[u64]) -> u64 {
    // SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", 2014).
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    parts.iter().fold(mix(seed), |state, part| {
        mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93))
    })
}

impl Dice {
    /// The dice of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.0.u32(0..1000) < per_mille
    }

    /// A number from 0 to below `count`; 0 if that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.usize(0..count.max(1))
    }

    /// A time within `range`.
    pub fn within(&mut self, range: Range<Ms>) -> Ms {
        self.0.u64(range)
    }

    /// A small amount or number within `range`.
    pub fn amount(&mut self, range: Range<i64>) -> i64 {
        self.0.i64(range)
    }

    /// A small count of bottles within `range`.
    pub fn bottles(&mut self, range: Range<i32>) -> i32 {
        self.0.i32(range)
    }

    /// A number from 0 to below `count`, most often a low one: the first tenth comes up in about half of all cases.
    pub fn skewed(&mut self, count: usize) -> usize {
        let chance = self.0.f64();
        let place = (chance * chance * chance * count as f64).floor();
        // Between 0 and a count.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let place = place as usize;
        place.min(count.saturating_sub(1))
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.0.usize(0..items.len())) }
    }

    /// The place of one of `weights`, as often as its weight says.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut left = self.0.u32(0..total.max(1));
        for (place, &weight) in weights.iter().enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// Fills `buffer`.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }

    /// A new seed.
    pub fn seed(&mut self) -> u64 {
        self.0.u64(..)
    }
}

/// The randomness that is passed into a core or a server.
#[derive(Debug)]
pub struct Source(Mutex<Dice>);

impl Source {
    /// The source of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(Mutex::new(Dice::of(seed)))
    }

    /// Fills `buffer`.
    pub fn draw(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}

impl carboy_core::Random for Source {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.draw(buffer);
        Ok(())
    }
}

impl carboy_server::env::Random for Source {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.draw(buffer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_dice_and_other_parts_give_others() {
        let rolled = |seed| {
            let mut dice = Dice::of(seed);
            (0..20).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(rolled(seed_of(7, &[1, 2])), rolled(seed_of(7, &[1, 2])));
        let seeds: std::collections::BTreeSet<_> =
            (0..100).flat_map(|a| (0..100).map(move |b| seed_of(7, &[a, b]))).collect();
        assert_eq!(seeds.len(), 10_000);
    }

    #[test]
    fn skewed_numbers_are_low_ones_most_often_and_never_too_high() {
        let mut dice = Dice::of(1);
        let rolled: Vec<_> = (0..1000).map(|_| dice.skewed(100)).collect();
        assert!(rolled.iter().all(|&number| number < 100));
        let low = rolled.iter().filter(|&&number| number < 10).count();
        assert!((400..550).contains(&low), "{low}");
        assert_eq!(dice.skewed(0), 0);
    }
}
