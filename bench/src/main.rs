//! Benchmarks as ratios: what is compared runs in turn, in one process, on one disk, so that a machine whose
//! speed drifts slows both. Each table is printed with a probe of the disk and the machine's load.

mod probe;
mod record;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures Carboy against what is physically possible.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// What to measure; everything if nothing is named.
    benchmarks: Vec<Benchmark>,
    /// Fewer rounds: enough to see whether something is off.
    #[arg(long)]
    quick: bool,
    /// The folder whose disk is measured; a temporary one by default.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Benchmark {
    /// One recorded action with FULL durability.
    Record,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    probe::print(folder.path())?;
    let all = options.benchmarks.is_empty();
    if all || options.benchmarks.contains(&Benchmark::Record) {
        record::run(folder.path(), if options.quick { 500 } else { 5_000 })?;
    }
    Ok(())
}
