//! Resolution: whatever the history, any order of arrival and any repetition give one profile, which is what the rule
//! says of the set of writes; and what is read from anywhere can be written to.
//!
//! The bytes are choices that make up a history as it can happen: writers who have seen any of what there was before,
//! with all that those writers had seen.

use super::choices::Choices;
use carboy_protocol::{AccountId, ActorId, Dot, Field, Profile, Role, Timestamp, VectorClock, Write};
use std::collections::BTreeMap;

/// Runs the target.
pub fn resolution(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    if how == 0 {
        read(rest);
    } else {
        let mut choices = Choices::of(rest);
        let writes = history(&mut choices);
        one_result(&writes, &mut choices);
    }
}

/// A history in an order in which it can happen.
fn history(choices: &mut Choices<'_>) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    let mut last: BTreeMap<u8, u64> = BTreeMap::new();
    for n in 0..1 + choices.below(10) {
        let writer = choices.pick(&[0, 1, 2, 3]);
        let seq = last.get(&writer).copied().unwrap_or(0);
        let actor = ActorId::from_bytes([writer; 16]);
        let mut context = VectorClock::from(Dot { actor, seq });
        let mut lamport = 0;
        // What one has seen, one has seen with all that its writer had seen.
        for write in &writes {
            if write.dot.actor == actor || choices.below(3) == 1 {
                context = context.joined(&write.context).joined(&write.dot.into());
                lamport = lamport.max(write.lamport);
            }
        }
        let seq = seq + 1 + choices.below(2) as u64;
        last.insert(writer, seq);
        let fields = 1 + choices.below(15);
        let changed = Field::ALL.into_iter().enumerate().filter(|(place, _)| fields & (1 << place) != 0);
        writes.push(Write {
            dot: Dot { actor, seq },
            context,
            lamport: lamport.saturating_add(1),
            role: if writer == 0 { Role::Manager } else { Role::Rider },
            author: AccountId::from_bytes([writer; 16]),
            at: Timestamp(choices.any()),
            changes: changed.map(|(_, field)| (field, format!("{n}"))).collect(),
        });
    }
    writes
}

fn resolved<'w>(writes: impl IntoIterator<Item = &'w Write>) -> Profile {
    let mut profile = Profile::default();
    for write in writes {
        profile.apply(write);
    }
    profile
}

fn one_result(writes: &[Write], choices: &mut Choices<'_>) {
    let expected = resolved(writes);
    assert_eq!(resolved(writes.iter().rev()), expected, "{writes:#?} backwards");
    let mut arrivals: Vec<&Write> = writes.iter().collect();
    for place in (1..arrivals.len()).rev() {
        arrivals.swap(place, choices.below(place + 1));
    }
    // Some come again.
    for _ in 0..choices.below(4) {
        arrivals.insert(choices.below(arrivals.len()), &writes[choices.below(writes.len())]);
    }
    let found = resolved(arrivals.iter().copied());
    assert_eq!(found, expected, "{arrivals:#?}");
    assert_eq!(resolved(arrivals.iter().copied().chain(writes)), expected, "all of it again");
    for field in Field::ALL {
        assert_eq!(dots(&found, field), remaining(writes, field), "{writes:#?}");
        let shown = found.siblings(field).first().map(|sibling| (sibling.lamport, sibling.role));
        let greatest = found.siblings(field).iter().map(|sibling| (sibling.lamport, sibling.role)).max();
        assert_eq!(shown, greatest);
    }
    assert_eq!(serde_json::from_str::<Profile>(&serde_json::to_string(&found).unwrap()).unwrap(), found);
}

fn dots(profile: &Profile, field: Field) -> Vec<Dot> {
    let mut dots: Vec<_> = profile.siblings(field).iter().map(|sibling| sibling.dot).collect();
    dots.sort();
    dots
}

/// What the rule says: a write to a field remains if no other write to that field had seen it.
fn remaining(writes: &[Write], field: Field) -> Vec<Dot> {
    let to_field = || writes.iter().filter(move |write| write.changes.contains_key(&field));
    let is_seen = |dot| to_field().any(|other| other.context.contains(dot));
    let mut dots: Vec<_> = to_field().map(|write| write.dot).filter(|dot| !is_seen(*dot)).collect();
    dots.sort();
    dots
}

/// A profile as a phone reads it from anywhere: a write by someone who looks at it leaves that value alone.
fn read(json: &[u8]) {
    let Ok(mut profile) = serde_json::from_slice::<Profile>(json) else { return };
    let write = Write {
        dot: Dot { actor: ActorId::from_bytes([0xee; 16]), seq: 1 },
        context: profile.clock(),
        lamport: profile.next_lamport(),
        role: Role::Rider,
        author: AccountId::from_bytes([0xee; 16]),
        at: Timestamp(0),
        changes: [(Field::Phone, "0711".to_owned())].into(),
    };
    profile.apply(&write);
    let once = profile.clone();
    profile.apply(&write);
    assert_eq!(profile, once);
    assert_eq!(
        profile.conflicts().count(),
        Field::ALL.iter().filter(|field| profile.siblings(**field).len() > 1).count()
    );
    assert_eq!(serde_json::from_str::<Profile>(&serde_json::to_string(&profile).unwrap()).unwrap(), profile);
}
