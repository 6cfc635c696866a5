//! Whole plants under every fault: what the riders' phones, the servers and the model of them say in the end is one
//! thing, and one seed gives one history.

use carboy_sim::run::{self, Failure, Report};
use carboy_sim::schedule::{Config, Faults};
use std::collections::BTreeSet;

/// Actions of a small world.
const ACTIONS: u64 = 300;

fn small(seed: u64) -> Result<Report, Box<Failure>> {
    run::run(&Config::small(seed, ACTIONS, Faults::ALL), &mut |_| {})
}

/// Fails with what it takes to see it again.
fn passed(result: Result<Report, Box<Failure>>) -> Report {
    match result {
        Ok(report) => report,
        Err(failure) => {
            let (seed, actions) = (failure.config.seed, failure.config.actions);
            panic!("{failure}\nagain: cargo xtask sim --seeds 1 --seed {seed} --actions {actions}")
        }
    }
}

#[test]
fn one_seed_gives_one_history_and_another_seed_another_one() {
    let runs: Vec<_> = [11, 11, 12].map(small).map(passed).into();
    assert_eq!((&runs[0].hash, &runs[0].stats), (&runs[1].hash, &runs[1].stats));
    assert_ne!(runs[0].hash, runs[2].hash);
}

#[test]
fn a_history_is_the_same_from_its_operations_alone() {
    let report = passed(small(11));
    let all: BTreeSet<u64> = (0..report.stats.operations).collect();
    let again = passed(run::replay(&report.config, &all));
    assert_eq!(again.hash, report.hash);
}

#[test]
fn nothing_is_lost_nothing_counts_twice_and_nothing_wedges_whatever_the_seed() {
    for seed in 0..20 {
        passed(small(seed));
    }
}

#[test]
fn a_world_without_faults_loses_nothing_either_and_needs_no_repetition() {
    let report = passed(run::run(&Config::new(5, 600, 4, Faults::NONE), &mut |_| {}));
    assert_eq!((report.stats.faults.len(), report.stats.lost_with_phones), (0, 0));
}
