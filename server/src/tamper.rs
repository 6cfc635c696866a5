//! Which of a phone's mutations its hash chain vouches for, once the chain as a whole does not hold.
//!
//! The phone tells the hash behind each mutation as its file has it. A mutation is vouched for if its bytes lead
//! from a hash before it to the one behind it. Where the hash before was damaged itself, the one computed on the
//! way does as well, and what leads on from it proves the bytes that it was computed over.

use crate::apply::Link;
use carboy_protocol::ChainHash;

/// The most hashes that are tried in front of a mutation: one damaged hash less in a row is seen through.
const MAX_CANDIDATES: usize = 8;

/// A hash that may be the one in front of the next mutation.
struct Candidate {
    hash: ChainHash,
    /// The place of the first mutation that is proven if this hash fits.
    since: usize,
}

/// Judges mutations that begin with `first_seq`, behind the known hash `before`. `claimed` are the hashes behind
/// them as the phone's file has them (`None` for a row that is gone), as many; `head` is the last of them as signed.
pub(crate) fn judge(
    before: ChainHash,
    first_seq: u64,
    bodies: &[&str],
    claimed: &[Option<ChainHash>],
    head: ChainHash,
) -> Vec<Link> {
    let last = bodies.len().saturating_sub(1);
    let behind = |place: usize| if place == last { Some(head) } else { claimed[place] };
    let mut is_intact = vec![false; bodies.len()];
    let mut candidates = vec![Candidate { hash: before, since: 0 }];
    // The row before is gone, and with it what this one could be checked against.
    let mut is_unknown = false;
    for (place, (seq, body)) in (first_seq..).zip(bodies).enumerate() {
        for candidate in &mut candidates {
            candidate.hash = candidate.hash.next(seq, body.as_bytes());
        }
        let target = behind(place);
        if let Some(fitting) = candidates.iter().find(|candidate| Some(candidate.hash) == target) {
            is_intact[fitting.since..=place].fill(true);
        } else {
            is_intact[place] = is_unknown && claimed[place].is_some() && claimed[place] == target;
        }
        is_unknown = target.is_none();
        if is_intact[place] {
            candidates.clear();
        }
        candidates.extend(target.map(|hash| Candidate { hash, since: place + 1 }));
        if candidates.len() > MAX_CANDIDATES {
            candidates.remove(0);
        }
    }
    links(before, first_seq, bodies, &is_intact, behind)
}

/// The chain as it goes on: over proven bytes as computed where the hash behind them was damaged, elsewhere as the
/// phone has it.
fn links(
    before: ChainHash,
    first_seq: u64,
    bodies: &[&str],
    is_intact: &[bool],
    behind: impl Fn(usize) -> Option<ChainHash>,
) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::with_capacity(bodies.len());
    for (place, (seq, body)) in (first_seq..).zip(bodies).enumerate() {
        let previous = links.last();
        let computed = previous.map_or(before, |link| link.hash).next(seq, body.as_bytes());
        // Behind a row that is gone, the hash before is not known: the phone's own is all there is.
        let is_unknown = place > 0 && behind(place - 1).is_none() && !is_intact[place - 1];
        let claimed = behind(place).filter(|_| !is_intact[place] || is_unknown);
        links.push(Link { hash: claimed.unwrap_or(computed), is_intact: is_intact[place] });
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use carboy_protocol::ActorId;
    use proptest::prelude::*;

    /// A phone's file: what stands in it may be changed, the head was signed before.
    struct File {
        before: ChainHash,
        bodies: Vec<String>,
        hashes: Vec<Option<ChainHash>>,
        head: ChainHash,
    }

    fn file(count: usize) -> File {
        let before = ChainHash::genesis(ActorId::from_bytes([1; 16])).next(4, b"settled");
        let bodies: Vec<_> = (0..count).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
        let mut head = before;
        let hashes = (5..).zip(&bodies).map(|(seq, body)| {
            head = head.next(seq, body.as_bytes());
            Some(head)
        });
        let hashes = hashes.collect();
        File { before, bodies, hashes, head }
    }

    impl File {
        fn judged(&self) -> Vec<Link> {
            let bodies: Vec<_> = self.bodies.iter().map(String::as_str).collect();
            judge(self.before, 5, &bodies, &self.hashes, self.head)
        }

        fn not_vouched_for(&self) -> Vec<usize> {
            let links = self.judged();
            links.iter().enumerate().filter(|(_, link)| !link.is_intact).map(|(place, _)| place).collect()
        }

        fn remove(&mut self, place: usize) {
            self.bodies[place] = r#"{"damaged":""}"#.to_owned();
            self.hashes[place] = None;
        }

        fn damage_hash(&mut self, place: usize) {
            if let Some(hash) = &mut self.hashes[place] {
                hash.0[7] ^= 1;
            }
        }
    }

    #[test]
    fn two_rows_gone_side_by_side_are_the_only_ones_not_vouched_for() {
        for (count, gone) in [(5, [1, 2]), (5, [0, 1]), (5, [3, 4]), (2, [0, 1])] {
            let mut file = file(count);
            for place in gone {
                file.remove(place);
            }
            assert_eq!(file.not_vouched_for(), gone);
        }
    }

    #[test]
    fn what_leads_to_the_signed_head_is_whole_even_if_the_hash_in_its_own_row_is_damaged() {
        let mut file = file(3);
        file.damage_hash(2);
        assert_eq!(file.not_vouched_for(), [0_usize; 0]);
        file.bodies[2].push(' ');
        assert_eq!(file.not_vouched_for(), [2]);
    }

    #[test]
    fn an_entry_slipped_in_is_found_although_it_fits_nothing_before_or_behind() {
        let mut file = file(4);
        file.bodies[1] = r#"{"slipped":"in"}"#.to_owned();
        file.hashes[1] = Some(ChainHash([9; 32]));
        // Nothing tells what stood in front of the next one: it is not vouched for either.
        assert_eq!(file.not_vouched_for(), [1, 2]);
    }

    #[test]
    fn seven_damaged_hashes_in_a_row_blame_nobody() {
        let mut file = file(12);
        for place in 2..9 {
            file.damage_hash(place);
        }
        assert_eq!(file.not_vouched_for(), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn whatever_single_thing_was_changed_only_that_entry_is_not_vouched_for_and_the_chain_ends_in_the_head(
            (count, place) in (1usize..12).prop_flat_map(|count| (Just(count), 0..count)),
            what in 0usize..4,
        ) {
            let mut file = file(count);
            let whole = file.judged();
            match what {
                0 => file.bodies[place].push(' '),
                1 => file.remove(place),
                2 => file.damage_hash(place),
                _ => {}
            }
            let expected: &[usize] = if what < 2 { &[place] } else { &[] };
            prop_assert_eq!(file.not_vouched_for(), expected);
            let links = file.judged();
            prop_assert_eq!(links[count - 1].hash, file.head);
            for (n, (link, whole)) in links.iter().zip(&whole).enumerate() {
                prop_assert!(link.hash == whole.hash || (what == 1 && n == place), "{}", n);
            }
        }

        #[test]
        fn damaged_hashes_in_a_row_hide_no_changed_bytes_and_blame_no_others(
            changed in 0usize..10,
            damaged in 0usize..10,
            run in 1usize..4,
        ) {
            let mut file = file(10);
            file.bodies[changed].push(' ');
            // With its own hash damaged too, nothing would tell a changed entry from the one behind it.
            for place in (damaged..(damaged + run).min(10)).filter(|&place| place != changed) {
                file.damage_hash(place);
            }
            let blamed = file.not_vouched_for();
            prop_assert!(blamed.contains(&changed), "{blamed:?}");
            // Of the run in front of it, nothing proves the bytes but what leads on from them.
            let run = damaged..(damaged + run).min(10);
            let in_front: Vec<_> = run.filter(|&place| place < changed).collect();
            let may_be_blamed = in_front.last().is_some_and(|&last| last + 1 == changed);
            for place in blamed {
                prop_assert!(place == changed || (may_be_blamed && in_front.contains(&place)), "{place}");
            }
        }
    }
}
