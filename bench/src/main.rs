//! Benchmarks as ratios: what is compared runs in turn, in one process, on one disk, so that a machine whose
//! speed drifts slows both. Each table is printed with a probe of the disk and the machine's load.

mod drain;
mod filled;
mod marks;
mod memory;
mod open;
mod pending;
mod probe;
mod record;
mod wire;
mod world;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use filled::Filled;
use marks::Marks;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures Carboy against what is physically possible.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// What to measure; everything if nothing is named.
    benchmarks: Vec<Benchmark>,
    /// Fewer rounds and a tenth of the records: enough to see whether something is off.
    #[arg(long)]
    quick: bool,
    /// Fail if a mark is missed.
    #[arg(long)]
    check: bool,
    /// The folder whose disk is measured; a temporary one by default.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Folder, plant and account of the phone that this process drains: the child of `memory`.
    #[arg(long, hide = true, num_args = 3)]
    drained: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Benchmark {
    /// One recorded action with FULL durability.
    Record,
    /// The same with half a million records pending.
    Pending,
    /// Opening a store with half a million records pending.
    Open,
    /// Memory while half a million records are drained.
    Memory,
    /// Bytes per mutation on the wire.
    Wire,
    /// Draining after hours offline, over a recorded link.
    Drain,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(drained) = &options.drained {
        return memory::drain(drained).map(|()| ExitCode::SUCCESS);
    }
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let (path, quick) = (folder.path(), options.quick);
    let rounds = |all: usize| if quick { all / 10 } else { all };
    let mut marks = Marks::default();
    let mut filled = None;
    for benchmark in Benchmark::value_variants() {
        if !options.benchmarks.is_empty() && !options.benchmarks.contains(benchmark) {
            continue;
        }
        if matches!(benchmark, Benchmark::Pending | Benchmark::Open | Benchmark::Memory) && filled.is_none() {
            filled = Some(Filled::create(path, rounds(500_000))?);
        }
        probe::print(path)?;
        match (benchmark, &filled) {
            (Benchmark::Pending, Some(filled)) => pending::run(filled, rounds(3_000), &mut marks)?,
            (Benchmark::Open, Some(filled)) => open::run(filled, rounds(300), &mut marks)?,
            (Benchmark::Memory, Some(filled)) => memory::run(filled, &mut marks)?,
            (Benchmark::Wire, _) => wire::run(path, &mut marks)?,
            (Benchmark::Drain, _) => drain::run(path, quick, &mut marks)?,
            _ => record::run(path, rounds(5_000), &mut marks)?,
        }
        println!();
    }
    for missed in &marks.missed {
        println!("missed: {missed}");
    }
    let fails = options.check && !marks.missed.is_empty();
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
