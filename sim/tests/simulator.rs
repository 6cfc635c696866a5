//! Whole plants under every fault: what the riders' phones, the servers and the model of them say in the end is one
//! thing, and one seed gives one history.

use carboy_sim::report::{ANSWERS, Stats};
use carboy_sim::run::{self, Failure, Report};
use carboy_sim::schedule::{Config, Fault, Faults};
use std::collections::BTreeSet;

/// Actions of a small world.
const ACTIONS: u64 = 300;

/// The seeds that every test run has.
const SEEDS: std::ops::Range<u64> = 0..20;

/// Those that have found something besides.
const FOUND: [u64; 1] = [372];

/// So many seeds that nobody has run before.
const FRESH: usize = 20;

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

/// The seeds are few enough that a kind of fault which hardly strikes would not be noticed missing.
#[test]
fn nothing_is_lost_nothing_counts_twice_and_nothing_wedges_whatever_strikes_and_whatever_is_answered() {
    let mut sum = Stats::default();
    for seed in SEEDS.chain(FOUND) {
        sum.add(&passed(small(seed)).stats);
    }
    for fault in Fault::ALL {
        assert!(
            sum.faults.get(fault.name()) >= Some(&3),
            "{} hardly strikes: {:?}",
            fault.name(),
            sum.faults
        );
    }
    for answer in ANSWERS {
        assert!(sum.answers.get(answer) >= Some(&3), "hardly anything is {answer}: {:?}", sum.answers);
    }
    assert!(sum.photos[0] > 20, "hardly any photo arrives: {:?}", sum.photos);
}

#[test]
fn seeds_that_nobody_has_run_before_pass_too() {
    for _ in 0..FRESH {
        let seed = u64::from(fastrand::u32(..));
        println!("seed {seed}");
        passed(small(seed));
    }
}

#[test]
fn a_world_without_faults_loses_nothing_either_and_needs_no_repetition() {
    let report = passed(run::run(&Config::new(5, 600, 4, Faults::NONE), &mut |_| {}));
    assert_eq!((report.stats.faults.len(), report.stats.lost_with_phones), (0, 0));
    assert_eq!(report.stats.answers.keys().collect::<Vec<_>>(), [&"applied"]);
}

#[test]
fn where_signal_comes_back_only_for_a_moment_a_request_carries_what_was_done_in_hours() {
    let config = Config { offline: true, ..Config::new(5, 600, 4, Faults::NONE) };
    let stats = passed(run::run(&config, &mut |_| {})).stats;
    let (actions, requests) = (stats.all_actions(), stats.requests);
    assert!(requests * 5 < actions, "{requests} requests for {actions} actions");
}
