//! Running a world from its beginning to its end, whole or with operations left out.

use crate::clock::Ms;
use crate::report::Stats;
use crate::schedule::{Config, operation};
use crate::world::World;
use std::collections::BTreeSet;

/// How a run went.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was run.
    pub config: Config,
    /// What was counted.
    pub stats: Stats,
    /// How much virtual time passed.
    pub virtual_time: Ms,
    /// How many events there were, and the hash over all of them.
    pub events: u64,
    /// Two runs of one [`Config`] have the same.
    pub hash: String,
}

/// Where product and model disagree.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was run.
    pub config: Config,
    /// The number of the operation at which it was seen; that behind the last if it was at the end.
    pub step: u64,
    /// How many operations were performed.
    pub performed: u64,
    /// The virtual time.
    pub at: Ms,
    /// How they disagree.
    pub wrong: String,
    /// What happened last; nothing in a first run, which has no time to tell.
    pub told: Vec<String>,
}

/// Runs a world; `progress` is told after each operation.
///
/// # Errors
/// Where product and model disagree.
pub fn run(config: &Config, progress: &mut dyn FnMut(&World)) -> Result<Report, Box<Failure>> {
    let failed = |world: Option<&World>, step, wrong| failure(config, world, step, wrong);
    let mut world = World::new(config).map_err(|wrong| failed(None, 0, wrong))?;
    let mut number = 0;
    while world.stats().all_actions() < config.actions {
        let result = world.perform(&operation(config, number));
        result.map_err(|wrong| failed(Some(&world), number, wrong))?;
        progress(&world);
        number += 1;
    }
    finish(config, world, number)
}

/// Runs the operations with these numbers alone, and the end.
///
/// # Errors
/// Where product and model disagree.
pub fn replay(config: &Config, kept: &BTreeSet<u64>) -> Result<Report, Box<Failure>> {
    let failed = |world: Option<&World>, step, wrong| failure(config, world, step, wrong);
    let mut world = World::new(config).map_err(|wrong| failed(None, 0, wrong))?;
    world.keep_lines();
    for &number in kept {
        let result = world.perform(&operation(config, number));
        result.map_err(|wrong| failed(Some(&world), number, wrong))?;
    }
    finish(config, world, kept.last().map_or(0, |last| last + 1))
}

fn finish(config: &Config, mut world: World, step: u64) -> Result<Report, Box<Failure>> {
    let result = world.finish();
    result.map_err(|wrong| failure(config, Some(&world), step, wrong))?;
    Ok(Report {
        config: config.clone(),
        stats: world.stats().clone(),
        virtual_time: world.now(),
        events: world.history().events(),
        hash: world.history().hash(),
    })
}

fn failure(config: &Config, world: Option<&World>, step: u64, wrong: String) -> Box<Failure> {
    let performed = world.map_or(0, |world| world.stats().operations);
    let at = world.map_or(0, World::now);
    let told = world.into_iter().flat_map(|world| world.history().recent()).map(str::to_owned).collect();
    Box::new(Failure { config: config.clone(), step, performed, at, wrong, told })
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, step, performed, at, wrong, .. } = self;
        write!(
            f,
            "seed {} fails at step {step} ({performed} operations, {} s of virtual time): {wrong}",
            config.seed,
            at / 1000
        )
    }
}
