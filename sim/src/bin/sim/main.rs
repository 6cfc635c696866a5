//! The simulator: whole plants under every fault, from a seed; where product and model disagree, the seed, the step and
//! the few operations that it takes.

mod print;
mod saved;

use anyhow::{Context, Result};
use carboy_protocol::planted::{self, Bug};
use carboy_sim::run::{self, Failure};
use carboy_sim::schedule::{Config, Faults};
use carboy_sim::shrink::shrink;
use clap::Parser;
use print::Progress;
use saved::Saved;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The runs that finding a failure's fewest operations may take.
const SHRINK_TRIES: usize = 400;

/// Whole plants under every fault, deterministic from a seed.
#[derive(Parser)]
#[command(name = "cargo xtask sim")]
struct Options {
    /// The seed; one from the clock if none is given.
    #[arg(long)]
    seed: Option<u64>,
    /// After so many actions of riders and managers the faults stop.
    #[arg(long, default_value_t = 10_000)]
    actions: u64,
    /// Riders in all plants together.
    #[arg(long, default_value_t = 20)]
    riders: usize,
    /// Plants; one for every four riders if not given.
    #[arg(long)]
    plants: Option<usize>,
    /// Servers over the one store.
    #[arg(long, default_value_t = 3)]
    servers: usize,
    /// Which faults: `all`, `none`, names divided by commas, or `-` and the names of those left out.
    #[arg(long, default_value = "all", allow_hyphen_values = true)]
    faults: Faults,
    /// Riders work without signal, which comes back for a moment every hour or two.
    #[arg(long)]
    offline: bool,
    /// Run so many seeds, each a small world whose size follows from its seed.
    #[arg(long)]
    seeds: Option<u64>,
    /// Run small worlds with one seed after another until one fails.
    #[arg(long)]
    forever: bool,
    /// Run a failure again from the file that was written of it.
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Put this bug into the product, to see it caught; with an unknown name they are listed.
    #[arg(long)]
    plant: Option<String>,
    /// Do not look for the fewest operations that a failure needs.
    #[arg(long)]
    no_shrink: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    // A phone has about ten files open, and many a system lets a process have a thousand unless it asks for more.
    rlimit::increase_nofile_limit(u64::MAX)?;
    if let Some(name) = &options.plant {
        let bug = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == *name);
        planted::plant(Some(bug.with_context(|| format!("no such bug: {name}; there are {:?}", Bug::ALL))?));
    }
    if let Some(path) = &options.replay {
        return replay(path);
    }
    let seed = options.seed.map_or_else(seed_of_now, Ok)?;
    let count = if options.forever { Some(u64::MAX) } else { options.seeds };
    match count {
        Some(count) => many(&options, seed, count),
        None => one(&options, seed),
    }
}

fn one(options: &Options, seed: u64) -> Result<ExitCode> {
    let mut config = Config::new(seed, options.actions, options.riders, options.faults);
    config.plants = options.plants.unwrap_or(config.plants);
    (config.servers, config.offline) = (options.servers, options.offline);
    println!(
        "seed {seed}: {} actions, {} riders in {} plants, {} servers, faults: {}{}",
        config.actions,
        config.riders,
        config.plants,
        config.servers,
        config.faults,
        if config.offline { ", mostly without signal" } else { "" }
    );
    let begun = Instant::now();
    let mut progress = Progress::new(config.actions);
    match run::run(&config, &mut |world| progress.show(world)) {
        Ok(report) => {
            progress.end();
            print::report(&report, begun.elapsed());
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            progress.end();
            failed(options, &failure)
        }
    }
}

fn many(options: &Options, first: u64, count: u64) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut sum = print::Sum::default();
    println!("seeds from {first}: {} actions each, faults: {}", options.actions, options.faults);
    for seed in (first..=u64::MAX).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        let config = Config::small(seed, options.actions, options.faults);
        match run::run(&config, &mut |_| {}) {
            Ok(report) => sum.add(&report, begun.elapsed()),
            Err(failure) => return failed(options, &failure),
        }
    }
    sum.print(begun.elapsed());
    Ok(ExitCode::SUCCESS)
}

/// Tells of a failure, and of the fewest operations that it needs.
fn failed(options: &Options, failure: &Failure) -> Result<ExitCode> {
    println!("{failure}");
    let kept = if options.no_shrink {
        (0..=failure.step).collect()
    } else {
        println!("looking for the fewest operations that it needs …");
        let shrunk = shrink(&failure.config, failure, SHRINK_TRIES, &mut |left| println!("  {left} left"));
        match shrunk {
            Some(shrunk) => {
                println!("{}", shrunk.failure);
                print::operations(&failure.config, &shrunk.kept);
                print::lines(&shrunk.failure);
                shrunk.kept
            }
            None => {
                println!("it does not come again from its operations alone: is something not seeded?");
                (0..=failure.step).collect()
            }
        }
    };
    let path = Saved::of(&failure.config, kept).write()?;
    println!("run it again with: cargo xtask sim --replay {}", path.display());
    Ok(ExitCode::FAILURE)
}

fn replay(path: &std::path::Path) -> Result<ExitCode> {
    let (config, kept) = Saved::read(path)?.into_run()?;
    let begun = Instant::now();
    match run::replay(&config, &kept) {
        Ok(report) => {
            print::report(&report, begun.elapsed());
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            println!("{failure}");
            print::operations(&config, &kept);
            print::lines(&failure);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn seed_of_now() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(since.as_secs())
}
