//! The few operations that a failure needs: delta debugging over a run's operations (Zeller and Hildebrandt,
//! "Simplifying and Isolating Failure-Inducing Input", 2002).

use crate::run::{Failure, replay};
use crate::schedule::Config;
use std::collections::BTreeSet;

/// A failure with as few operations as were found.
#[derive(Debug)]
pub struct Shrunk {
    /// The operations' numbers.
    pub kept: BTreeSet<u64>,
    /// How they fail.
    pub failure: Box<Failure>,
}

/// Leaves out operations as long as what is left still fails, in at most `tries` runs; `progress` is told after each how
/// many are left. `None` if the failure does not come again.
pub fn shrink(
    config: &Config,
    failure: &Failure,
    tries: usize,
    progress: &mut dyn FnMut(usize),
) -> Option<Shrunk> {
    let all: BTreeSet<u64> = (0..=failure.step).collect();
    let first = replay(config, &all).err()?;
    let mut shrunk = Shrunk { kept: all, failure: first };
    let mut parts = 2;
    let mut tries = tries;
    while shrunk.kept.len() > 1 && tries > 0 {
        let numbers: Vec<u64> = shrunk.kept.iter().copied().collect();
        let size = numbers.len().div_ceil(parts);
        let mut is_smaller = false;
        for part in numbers.chunks(size) {
            if tries == 0 {
                break;
            }
            tries -= 1;
            let kept: BTreeSet<u64> =
                shrunk.kept.iter().copied().filter(|number| !part.contains(number)).collect();
            if let Err(failure) = replay(config, &kept) {
                // Nothing behind the failure is needed for it.
                let kept = kept.into_iter().filter(|&number| number <= failure.step).collect();
                shrunk = Shrunk { kept, failure };
                is_smaller = true;
                progress(shrunk.kept.len());
                break;
            }
        }
        if is_smaller {
            parts = (parts - 1).max(2);
        } else if size == 1 {
            break;
        } else {
            parts = (parts * 2).min(numbers.len());
        }
    }
    Some(shrunk)
}
