//! How concurrent edits of a customer's profile are resolved.
//!
//! A profile is a set of registers, one per [`Field`]. Every write carries its dot and the clock that its
//! writer had seen (its context). Per field, a write replaces the writes that it has seen and stands beside
//! those that it has not: its *siblings*. More than one sibling is a conflict; one is shown, the others are
//! kept. This is the multi-value register over dotted version vectors of Preguiça et al., "Dotted Version
//! Vectors: Logical Clocks for Optimistic Replication" (2010).
//!
//! What remains is a function of the set of writes alone, whatever their order of arrival. To hold even when a
//! write arrives after one that had seen it, each register keeps the clock of what it has absorbed; the
//! profile's own clock is the join of them.

use crate::{AccountId, Causality, Dot, Timestamp, VectorClock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A field of a customer's profile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Field {
    /// What the customer is called.
    Name,
    /// A telephone number, as people write it.
    Phone,
    /// Where to deliver.
    Address,
    /// Anything else that the next rider should know.
    Note,
}

impl Field {
    /// Every field, in the order in which screens show them.
    pub const ALL: [Self; 4] = [Self::Name, Self::Phone, Self::Address, Self::Note];

    /// The name as it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Note => "note",
        }
    }
}

/// What a person is allowed to do. Ordered: of two concurrent writes with the same Lamport counter, the
/// manager's is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Delivers bottles and collects cash.
    Rider,
    /// Runs the plant.
    Manager,
}

/// A write to a profile, ready to be resolved: its context is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// Which event it is. The writes of one actor arrive in the order of their seq.
    pub dot: Dot,
    /// Everything that the writer had seen, its own earlier writes included.
    pub context: VectorClock,
    /// One more than the greatest counter that the writer had seen.
    pub lamport: u64,
    /// In which role it was written.
    pub role: Role,
    /// Who wrote it.
    pub author: AccountId,
    /// What the writer's clock said: evidence.
    pub at: Timestamp,
    /// The new values by field.
    pub changes: BTreeMap<Field, String>,
}

/// One value of a field, as somebody wrote it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sibling {
    /// The write it comes from.
    pub dot: Dot,
    /// That write's Lamport counter.
    pub lamport: u64,
    /// The role in which it was written.
    pub role: Role,
    /// Who wrote it.
    pub author: AccountId,
    /// What the writer's clock said: evidence.
    pub at: Timestamp,
    /// The value.
    pub value: String,
}

impl Sibling {
    /// The sibling with the greatest precedence is shown. Lamport counters grow along causality, so the order
    /// extends it; role and actor only break ties, and the seq those of two writes by one actor.
    fn precedence(&self) -> impl Ord + use<> {
        (planted(self), self.lamport, self.role, self.dot.actor, self.dot.seq)
    }
}

/// What decides before anything else: nothing, but where a bug is put in on purpose.
#[cfg(not(feature = "planted"))]
fn planted(_: &Sibling) -> impl Ord + use<> {}

#[cfg(feature = "planted")]
fn planted(sibling: &Sibling) -> impl Ord + use<> {
    crate::planted::is(crate::planted::Bug::TieBreakByWallClock).then_some(sibling.at)
}

/// One field's register.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Register {
    /// Everything that the writes to this field were or had seen.
    clock: VectorClock,
    /// The writes that no other write to this field has seen, the one shown first.
    siblings: Vec<Sibling>,
}

/// A customer's profile: one register per field.
///
/// ```
/// use carboy_protocol::*;
/// let write = |actor: u8, role, phone: &str| Write {
///     dot: Dot { actor: ActorId::from_bytes([actor; 16]), seq: 1 },
///     context: VectorClock::new(),
///     lamport: 1,
///     role,
///     author: AccountId::from_bytes([actor; 16]),
///     at: Timestamp(0),
///     changes: [(Field::Phone, phone.to_owned())].into(),
/// };
/// let mut profile = Profile::default();
/// profile.apply(&write(1, Role::Manager, "0711"));
/// profile.apply(&write(2, Role::Rider, "0722")); // had not seen the manager's
/// assert_eq!(profile.shown(Field::Phone), Some("0711"));
/// assert_eq!(profile.siblings(Field::Phone)[1].value, "0722"); // kept beside it
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    registers: BTreeMap<Field, Register>,
    /// The greatest Lamport counter of any write applied.
    lamport: u64,
}

impl Profile {
    /// Applies one write and tells how it stood to what the profile had seen before: `After` is a plain update,
    /// `Concurrent` may have made a conflict, `Equal` and `Before` were known already.
    ///
    /// Applying a write again changes nothing.
    pub fn apply(&mut self, write: &Write) -> Causality {
        let seen = self.clock();
        let after = write.context.clone().joined(&write.dot.into());
        for (field, value) in &write.changes {
            let register = self.registers.entry(*field).or_default();
            // A write that this register has absorbed, or that a later write here had seen, is history.
            if register.clock.contains(write.dot) {
                continue;
            }
            register.siblings.retain(|sibling| !write.context.contains(sibling.dot));
            register.siblings.push(Sibling {
                dot: write.dot,
                lamport: write.lamport,
                role: write.role,
                author: write.author,
                at: write.at,
                value: value.clone(),
            });
            register.siblings.sort_by_key(|sibling| std::cmp::Reverse(sibling.precedence()));
            register.clock.join(&after);
        }
        self.lamport = self.lamport.max(write.lamport);
        if seen.contains(write.dot) {
            after.compare(&seen)
        } else if matches!(seen.compare(&write.context), Causality::Equal | Causality::Before) {
            Causality::After
        } else {
            Causality::Concurrent
        }
    }

    /// Takes the sibling with this dot away from a field: the next write to it has seen that one, and no clock can say so,
    /// since its writer has not seen what stands before it in that history. What is not there is no matter.
    pub fn replace(&mut self, field: Field, dot: Dot) {
        if let Some(register) = self.registers.get_mut(&field) {
            register.siblings.retain(|sibling| sibling.dot != dot);
        }
    }

    /// Everything that the profile has seen: the context of a write by someone who looks at it now.
    pub fn clock(&self) -> VectorClock {
        let mut clock = VectorClock::new();
        for register in self.registers.values() {
            clock.join(&register.clock);
        }
        clock
    }

    /// The Lamport counter for a write by someone who looks at the profile now.
    pub fn next_lamport(&self) -> u64 {
        self.lamport.saturating_add(1)
    }

    /// The value of `field` that screens show.
    pub fn shown(&self, field: Field) -> Option<&str> {
        self.siblings(field).first().map(|sibling| sibling.value.as_str())
    }

    /// The values of `field` that no other write has seen, the one shown first.
    pub fn siblings(&self, field: Field) -> &[Sibling] {
        self.registers.get(&field).map_or(&[], |register| &register.siblings)
    }

    /// The fields in conflict: those with more than one sibling.
    ///
    /// ```
    /// use carboy_protocol::*;
    /// let write = |actor: u8, note: &str| Write {
    ///     dot: Dot { actor: ActorId::from_bytes([actor; 16]), seq: 1 },
    ///     context: VectorClock::new(), // neither had seen the other's
    ///     lamport: 1,
    ///     role: Role::Rider,
    ///     author: AccountId::from_bytes([actor; 16]),
    ///     at: Timestamp(0),
    ///     changes: [(Field::Note, note.to_owned())].into(),
    /// };
    /// let mut profile = Profile::default();
    /// assert_eq!(profile.apply(&write(1, "ring twice")), Causality::After);
    /// assert_eq!(profile.apply(&write(2, "beware of the dog")), Causality::Concurrent);
    /// assert_eq!(profile.conflicts().collect::<Vec<_>>(), [Field::Note]);
    /// ```
    pub fn conflicts(&self) -> impl Iterator<Item = Field> + '_ {
        Field::ALL.into_iter().filter(|&field| self.siblings(field).len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ActorId;
    use proptest::prelude::*;

    fn actor(n: u8) -> ActorId {
        ActorId::from_bytes([n; 16])
    }

    fn write(n: u8, seq: u64, context: &VectorClock, lamport: u64, changes: &[(Field, &str)]) -> Write {
        let own = Dot { actor: actor(n), seq: seq - 1 };
        Write {
            dot: Dot { actor: actor(n), seq },
            context: context.clone().joined(&own.into()),
            lamport,
            role: if n == 0 { Role::Manager } else { Role::Rider },
            author: AccountId::from_bytes([n; 16]),
            at: Timestamp(0),
            changes: changes.iter().map(|&(field, value)| (field, value.to_owned())).collect(),
        }
    }

    fn resolve<'a>(writes: impl IntoIterator<Item = &'a Write>) -> Profile {
        let mut profile = Profile::default();
        for write in writes {
            profile.apply(write);
        }
        profile
    }

    /// Histories as they can happen: each step, one actor who may first look at what another one's replica
    /// holds writes one or two fields, having seen what its own replica holds.
    fn history(steps: &[(u8, Option<u8>, u8)]) -> Vec<Write> {
        let mut replicas: BTreeMap<u8, (Profile, u64)> = BTreeMap::new();
        let mut writes = Vec::new();
        for (step, &(n, looks_at, fields)) in steps.iter().enumerate() {
            let seen = looks_at.and_then(|other| replicas.get(&other)).map(|(profile, _)| profile.clone());
            let (profile, seq) = replicas.entry(n).or_default();
            if let Some(seen) = seen {
                *profile = merged(profile, &seen, &writes);
            }
            *seq += 1;
            let value = format!("step {step}");
            let changes: Vec<_> = Field::ALL
                .into_iter()
                .enumerate()
                .filter(|(i, _)| fields & (1 << i) != 0)
                .map(|(_, field)| (field, value.as_str()))
                .collect();
            let write = write(n, *seq, &profile.clock(), profile.next_lamport(), &changes);
            profile.apply(&write);
            writes.push(write);
        }
        writes
    }

    /// What someone knows who has seen what both have seen.
    fn merged(left: &Profile, right: &Profile, writes: &[Write]) -> Profile {
        let clock = left.clock().joined(&right.clock());
        resolve(writes.iter().filter(|write| clock.contains(write.dot)))
    }

    fn permutations(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(count - 1);
        (0..count)
            .flat_map(|at| {
                shorter.iter().map(move |order| {
                    let mut order = order.clone();
                    order.insert(at, count - 1);
                    order
                })
            })
            .collect()
    }

    /// What the rule says of the set, written apart from the code: a write to a field remains if no other write
    /// to that field had seen it.
    fn remaining(writes: &[Write], field: Field) -> Vec<Dot> {
        let to_field = || writes.iter().filter(move |write| write.changes.contains_key(&field));
        let mut dots: Vec<Dot> = to_field()
            .filter(|write| !to_field().any(|other| other.context.contains(write.dot)))
            .map(|write| write.dot)
            .collect();
        dots.sort();
        dots
    }

    #[test]
    fn every_arrival_order_of_every_small_history_gives_one_result() {
        // Every history of three writes by two or three actors over two fields, each in all six orders; the
        // seed of the property below covers longer ones.
        let choices: Vec<(u8, Option<u8>, u8)> = (0..3)
            .flat_map(|n| [None, Some((n + 1) % 3), Some((n + 2) % 3)].map(|look| (n, look)))
            .flat_map(|(n, look)| [1, 3].map(|fields| (n, look, fields)))
            .collect();
        let orders = permutations(3);
        for &a in &choices {
            for &b in &choices {
                for &c in &choices {
                    let writes = history(&[a, b, c]);
                    let expected = resolve(&writes);
                    for order in &orders {
                        let result = resolve(order.iter().map(|&i| &writes[i]));
                        assert_eq!(result, expected, "{writes:#?} in order {order:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_arrival_order_with_replays_gives_what_the_rule_says_of_the_set(
            steps in prop::collection::vec((0u8..4, prop::option::of(0u8..4), 1u8..16), 1..12),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let writes = history(&steps);
            let shuffled = order.iter().map(|i| &writes[i.index(writes.len())]);
            let result = resolve(shuffled.chain(&writes));
            prop_assert_eq!(&result, &resolve(&writes));
            for field in Field::ALL {
                let mut dots: Vec<Dot> = result.siblings(field).iter().map(|sibling| sibling.dot).collect();
                dots.sort();
                prop_assert_eq!(dots, remaining(&writes, field));
            }
        }

        #[test]
        fn the_sibling_shown_never_was_seen_by_another_write(
            steps in prop::collection::vec((0u8..3, prop::option::of(0u8..3), 1u8..4), 1..10),
        ) {
            let writes = history(&steps);
            let profile = resolve(&writes);
            for field in Field::ALL {
                if let Some(shown) = profile.siblings(field).first() {
                    let overwritten = writes
                        .iter()
                        .any(|w| w.changes.contains_key(&field) && w.context.contains(shown.dot));
                    prop_assert!(!overwritten);
                }
            }
        }

        #[test]
        fn a_profile_survives_json(
            steps in prop::collection::vec((0u8..3, prop::option::of(0u8..3), 1u8..16), 0..6),
        ) {
            let profile = resolve(&history(&steps));
            let text = serde_json::to_string(&profile).unwrap();
            prop_assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
        }
    }

    #[test]
    fn a_write_that_has_seen_everything_is_a_plain_update() {
        let mut profile = Profile::default();
        let first = write(1, 1, &VectorClock::new(), 1, &[(Field::Phone, "1")]);
        assert_eq!(profile.apply(&first), Causality::After);
        let second = write(2, 1, &profile.clock(), profile.next_lamport(), &[(Field::Phone, "2")]);
        assert_eq!(profile.apply(&second), Causality::After);
        assert_eq!(profile.shown(Field::Phone), Some("2"));
        assert_eq!(profile.conflicts().count(), 0);
    }

    #[test]
    fn a_replay_and_a_write_already_contained_change_nothing() {
        let mut profile = Profile::default();
        let first = write(1, 1, &VectorClock::new(), 1, &[(Field::Phone, "1")]);
        let second = write(1, 2, &VectorClock::new(), 2, &[(Field::Phone, "2")]);
        profile.apply(&first);
        assert_eq!(profile.apply(&first), Causality::Equal);
        profile.apply(&second);
        let before = profile.clone();
        assert_eq!(profile.apply(&first), Causality::Before);
        assert_eq!(profile, before);
    }

    #[test]
    fn two_edits_of_different_fields_do_not_conflict() {
        let mut profile = Profile::default();
        profile.apply(&write(0, 1, &VectorClock::new(), 1, &[(Field::Phone, "1")]));
        let other = write(1, 1, &VectorClock::new(), 1, &[(Field::Address, "here")]);
        assert_eq!(profile.apply(&other), Causality::Concurrent);
        assert_eq!(profile.conflicts().count(), 0);
        assert_eq!((profile.shown(Field::Phone), profile.shown(Field::Address)), (Some("1"), Some("here")));
    }

    #[test]
    fn of_concurrent_writes_the_higher_lamport_counter_is_shown_before_the_higher_role() {
        let manager = write(0, 1, &VectorClock::new(), 1, &[(Field::Phone, "manager")]);
        let rider = write(1, 1, &VectorClock::new(), 2, &[(Field::Phone, "rider")]);
        assert_eq!(resolve([&manager, &rider]).shown(Field::Phone), Some("rider"));
        let rider = Write { lamport: 1, ..rider };
        assert_eq!(resolve([&manager, &rider]).shown(Field::Phone), Some("manager"));
    }

    #[test]
    fn keeping_one_sibling_is_a_new_write_that_has_seen_them_all() {
        let manager = write(0, 1, &VectorClock::new(), 1, &[(Field::Phone, "manager")]);
        let rider = write(1, 1, &VectorClock::new(), 1, &[(Field::Phone, "rider")]);
        let mut profile = resolve([&manager, &rider]);
        assert_eq!(profile.conflicts().collect::<Vec<_>>(), [Field::Phone]);
        let keep = write(0, 2, &profile.clock(), profile.next_lamport(), &[(Field::Phone, "rider")]);
        assert_eq!(profile.apply(&keep), Causality::After);
        assert_eq!(profile.conflicts().count(), 0);
        assert_eq!(profile.shown(Field::Phone), Some("rider"));
    }

    #[test]
    fn a_write_from_two_windows_of_one_author_that_had_not_seen_each_other_is_a_conflict() {
        let mut profile = Profile::default();
        let base = Write {
            context: VectorClock::new(),
            ..write(0, 1, &VectorClock::new(), 1, &[(Field::Phone, "1")])
        };
        profile.apply(&base);
        let other =
            Write { dot: Dot { seq: 2, ..base.dot }, changes: [(Field::Phone, "2".into())].into(), ..base };
        assert_eq!(profile.apply(&other), Causality::Concurrent);
        assert_eq!(profile.siblings(Field::Phone).len(), 2);
        assert_eq!(profile.shown(Field::Phone), Some("2"));
    }

    #[test]
    fn a_write_counts_one_more_than_the_greatest_counter_that_its_writer_saw() {
        let mut profile = Profile::default();
        assert_eq!(profile.next_lamport(), 1);
        for (actor, lamport, next) in [(1, 5, 6), (2, 3, 6)] {
            profile.apply(&write(actor, 1, &VectorClock::new(), lamport, &[(Field::Phone, "1")]));
            assert_eq!(profile.next_lamport(), next);
        }
    }

    #[test]
    fn a_sibling_that_is_replaced_leaves_its_field_and_no_other_does() {
        let both = [(Field::Phone, "1"), (Field::Note, "1")];
        let (one, other) =
            (write(1, 1, &VectorClock::new(), 1, &both), write(2, 1, &VectorClock::new(), 1, &both));
        let mut profile = resolve([&one, &other]);
        profile.replace(Field::Phone, one.dot);
        profile.replace(Field::Address, one.dot);
        profile.replace(Field::Note, Dot { seq: 2, ..one.dot });
        let left = |field| profile.siblings(field).iter().map(|sibling| sibling.dot).collect::<Vec<_>>();
        assert_eq!(left(Field::Phone), [other.dot]);
        assert_eq!(left(Field::Note).len(), 2);
        assert_eq!(profile.clock(), VectorClock::from_iter([one.dot, other.dot]));
    }
}
