//! Dots and vector clocks: who had seen what.
//!
//! A vector clock is the version vector of Parker et al., "Detection of Mutual Inconsistency in Distributed
//! Systems" (1983): per actor, the highest sequence number seen. It compares as a partial order.

use crate::ActorId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// One event: the `seq`-th mutation of `actor`. Sequence numbers start at 1 and have no gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dot {
    /// Whose history.
    pub actor: ActorId,
    /// The place in it, from 1.
    pub seq: u64,
}

/// How two clocks stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Causality {
    /// Both have seen the same.
    Equal,
    /// The left has seen less: it happened before the right.
    Before,
    /// The left has seen more: it happened after the right.
    After,
    /// Each has seen something that the other has not.
    Concurrent,
}

/// Per actor, the highest sequence number seen. An actor that is absent counts as 0.
///
/// ```
/// use carboy_protocol::{ActorId, Causality, Dot, VectorClock};
/// let (a, b) = (ActorId::from_bytes([1; 16]), ActorId::from_bytes([2; 16]));
/// let left = VectorClock::from(Dot { actor: a, seq: 1 });
/// let right = VectorClock::from(Dot { actor: b, seq: 4 });
/// assert_eq!(left.compare(&right), Causality::Concurrent);
/// assert_eq!(left.clone().joined(&right).compare(&left), Causality::After);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = std::collections::BTreeMap<String, u64>))]
pub struct VectorClock(BTreeMap<ActorId, u64>);

impl VectorClock {
    /// The clock that has seen nothing.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The highest sequence number seen of `actor`, 0 if none.
    pub fn get(&self, actor: ActorId) -> u64 {
        self.0.get(&actor).copied().unwrap_or(0)
    }

    /// Whether `dot` has been seen.
    pub fn contains(&self, dot: Dot) -> bool {
        self.get(dot.actor) >= dot.seq
    }

    /// Takes note of `dot` and of everything before it by the same actor.
    ///
    /// ```
    /// use carboy_protocol::{ActorId, Dot, VectorClock};
    /// let actor = ActorId::from_bytes([1; 16]);
    /// let mut clock = VectorClock::new();
    /// clock.observe(Dot { actor, seq: 4 });
    /// assert!(clock.contains(Dot { actor, seq: 3 }));
    /// assert!(!clock.contains(Dot { actor, seq: 5 }));
    /// ```
    pub fn observe(&mut self, dot: Dot) {
        // A zero would make two clocks that have seen the same differ.
        if dot.seq == 0 {
            return;
        }
        match self.0.entry(dot.actor) {
            Entry::Vacant(entry) => {
                entry.insert(dot.seq);
            }
            Entry::Occupied(mut entry) => {
                let seq = entry.get_mut();
                *seq = dot.seq.max(*seq);
            }
        }
    }

    /// Takes note of everything that `other` has seen.
    pub fn join(&mut self, other: &Self) {
        for dot in other.dots() {
            self.observe(dot);
        }
    }

    /// What the two have seen together.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        self.join(other);
        self
    }

    /// The highest dot seen of each actor, by actor.
    pub fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        self.0.iter().map(|(&actor, &seq)| Dot { actor, seq })
    }

    /// How this clock stands to `other`.
    pub fn compare(&self, other: &Self) -> Causality {
        let behind = self.dots().any(|dot| !other.contains(dot));
        let ahead = other.dots().any(|dot| !self.contains(dot));
        match (behind, ahead) {
            (false, false) => Causality::Equal,
            (false, true) => Causality::Before,
            (true, false) => Causality::After,
            (true, true) => Causality::Concurrent,
        }
    }
}

impl From<Dot> for VectorClock {
    fn from(dot: Dot) -> Self {
        Self::from_iter([dot])
    }
}

impl FromIterator<Dot> for VectorClock {
    fn from_iter<T: IntoIterator<Item = Dot>>(dots: T) -> Self {
        let mut clock = Self::new();
        for dot in dots {
            clock.observe(dot);
        }
        clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clock() -> impl Strategy<Value = VectorClock> {
        prop::collection::vec((0u8..4, 0u64..5), 0..6).prop_map(|dots| {
            dots.into_iter().map(|(a, seq)| Dot { actor: ActorId::from_bytes([a; 16]), seq }).collect()
        })
    }

    fn reversed(causality: Causality) -> Causality {
        match causality {
            Causality::Before => Causality::After,
            Causality::After => Causality::Before,
            same => same,
        }
    }

    #[test]
    fn a_clock_that_has_seen_nothing_of_an_actor_does_not_name_it() {
        let dot = |seq| Dot { actor: ActorId::from_bytes([1; 16]), seq };
        assert_eq!(VectorClock::from(dot(0)), VectorClock::new());
        assert_ne!(VectorClock::from(dot(1)), VectorClock::new());
    }

    proptest! {
        #[test]
        fn joining_is_commutative_associative_and_idempotent(a in clock(), b in clock(), c in clock()) {
            prop_assert_eq!(a.clone().joined(&b), b.clone().joined(&a));
            prop_assert_eq!(a.clone().joined(&b).joined(&c), a.clone().joined(&b.clone().joined(&c)));
            prop_assert_eq!(a.clone().joined(&a), a);
        }

        #[test]
        fn a_join_is_the_least_clock_not_before_either(a in clock(), b in clock(), c in clock()) {
            let not_before = |x: &VectorClock, y: &VectorClock| {
                matches!(x.compare(y), Causality::After | Causality::Equal)
            };
            let join = a.clone().joined(&b);
            prop_assert!(not_before(&join, &a) && not_before(&join, &b));
            if not_before(&c, &a) && not_before(&c, &b) {
                prop_assert!(not_before(&c, &join));
            }
        }

        #[test]
        fn comparing_is_a_partial_order(a in clock(), b in clock(), c in clock()) {
            prop_assert_eq!(a.compare(&a), Causality::Equal);
            prop_assert_eq!(a.compare(&b), reversed(b.compare(&a)));
            prop_assert_eq!(a.compare(&b) == Causality::Equal, a == b);
            if a.compare(&b) == Causality::Before && b.compare(&c) == Causality::Before {
                prop_assert_eq!(a.compare(&c), Causality::Before);
            }
        }

        #[test]
        fn observing_a_dot_contains_it_and_all_before_it(a in clock(), actor in 0u8..4, seq in 1u64..9) {
            let dot = Dot { actor: ActorId::from_bytes([actor; 16]), seq };
            let mut after = a.clone();
            after.observe(dot);
            for seq in 1..=seq {
                let earlier = Dot { seq, ..dot };
                prop_assert!(after.contains(earlier));
            }
            prop_assert_eq!(a.contains(dot), after == a);
        }

        #[test]
        fn a_clock_survives_json(a in clock()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<VectorClock>(&text).unwrap(), a);
        }
    }
}
