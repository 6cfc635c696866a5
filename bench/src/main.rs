//! Benchmarks as ratios: what is compared runs in turn, in one process, on one disk, so that a machine whose
//! speed drifts slows both. Each table is printed with a probe of the disk and the machine's load.

mod apply;
mod bare;
mod border;
mod drain;
mod filled;
mod marks;
mod memory;
mod open;
mod pending;
mod phones;
#[path = "../../server/tests/common/postgres.rs"]
mod postgres;
mod probe;
mod record;
mod riders;
mod search;
mod served;
mod server_memory;
mod wire;
mod world;

use anyhow::{Result, anyhow};
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
    /// The database that this process serves: the child of `phones`, `server-memory` and `search`.
    #[arg(long, hide = true)]
    served: Option<String>,
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
    /// Applying mutations on the server, on SQLite and on PostgreSQL.
    Apply,
    /// 5,000 phones that sync over HTTP.
    Phones,
    /// The server's memory over a million mutations.
    ServerMemory,
    /// Search among 100,000 customers, on SQLite and on PostgreSQL.
    Search,
    /// What the border to Swift costs; `cargo xtask bench swift` builds the program on the other side.
    Swift,
    /// What the border to Kotlin costs; `cargo xtask bench kotlin` builds the program on the other side.
    Kotlin,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(drained) = &options.drained {
        return memory::drain(drained).map(|()| ExitCode::SUCCESS);
    }
    if let Some(location) = &options.served {
        return served::serve(location).map(|()| ExitCode::SUCCESS);
    }
    if let Some(parent) = &options.folder {
        // PostgreSQL's cluster too is made where temporary files are.
        tempfile::env::override_temp_dir(parent).map_err(|set| anyhow!("temporary files go to {set:?}"))?;
    }
    let folder = tempfile::tempdir()?;
    let (path, quick) = (folder.path(), options.quick);
    let rounds = |all: usize| if quick { all / 10 } else { all };
    let mut marks = Marks::default();
    let mut filled = None;
    for benchmark in Benchmark::value_variants() {
        let is_named = options.benchmarks.contains(benchmark);
        // What needs a program of another language runs when it is asked for.
        let is_asked = matches!(benchmark, Benchmark::Swift | Benchmark::Kotlin);
        if !is_named && (!options.benchmarks.is_empty() || is_asked) {
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
            (Benchmark::Apply, _) => apply::run(path, rounds(1_000), &mut marks)?,
            (Benchmark::Phones, _) => phones::run(path, rounds(5_000), &mut marks)?,
            (Benchmark::ServerMemory, _) => server_memory::run(path, rounds(1_000_000), &mut marks)?,
            (Benchmark::Search, _) => search::run(path, rounds(100_000), rounds(200), &mut marks)?,
            (Benchmark::Swift, _) => border::run(&border::SWIFT, path, rounds(5_000), &mut marks)?,
            (Benchmark::Kotlin, _) => border::run(&border::KOTLIN, path, rounds(5_000), &mut marks)?,
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
