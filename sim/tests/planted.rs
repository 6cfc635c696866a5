//! Each bug put in on purpose is caught by a seed: a check that cannot fail proves nothing.

use carboy_protocol::planted::{Bug, plant};
use carboy_sim::run;
use carboy_sim::schedule::{Config, Faults};

/// So many seeds may pass over a bug before it counts as not caught.
const SEEDS: u64 = 12;

/// Actions of a world.
const ACTIONS: u64 = 400;

/// What the simulator says once it meets `bug`.
fn caught(bug: Bug) -> Option<String> {
    plant(Some(bug));
    let failure = (0..SEEDS).find_map(|seed| {
        let config = Config::small(seed, ACTIONS, Faults::ALL);
        run::run(&config, &mut |_| {}).err()
    });
    plant(None);
    failure.map(|failure| failure.to_string())
}

#[test]
fn each_planted_bug_is_caught_by_a_seed() {
    let told = Bug::ALL.map(|bug| (bug, caught(bug)));
    for (bug, told) in &told {
        println!("{bug:?}: {}", told.as_deref().unwrap_or("not caught"));
    }
    let missed: Vec<_> = told.iter().filter(|(_, told)| told.is_none()).map(|(bug, _)| bug).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
