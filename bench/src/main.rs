//! Benchmarks as ratios: what is compared runs in turn, in one process, on one disk, so that a machine whose
//! speed drifts slows both. Each is printed and kept with a probe of the disk and the machine's load.

mod apply;
mod bare;
mod border;
mod drain;
mod filled;
mod idle;
mod ledger;
mod loopback;
mod marks;
mod memory;
mod open;
mod peers;
mod pending;
mod phones;
mod plots;
#[path = "../../server/tests/common/postgres.rs"]
mod postgres;
mod probe;
mod queries;
mod record;
mod results;
mod riders;
mod search;
mod served;
mod server_memory;
mod size;
mod wire;
mod world;

use anyhow::{Result, anyhow};
use clap::{Parser, ValueEnum};
use filled::Filled;
use marks::Marks;
use probe::Probe;
use results::Place;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

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
    /// The file of all figures, in which those of this run take the place of earlier ones; `bench/results.json` by
    /// default, and for a quick run `target/bench/results.json`.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Folder, plant and account of the phone that this process drains: the child of `memory`.
    #[arg(long, hide = true, num_args = 3)]
    drained: Option<Vec<String>>,
    /// The database that this process serves: the child of all that talk to a server over HTTP.
    #[arg(long, hide = true)]
    served: Option<String>,
    /// Folder, plant, account, server and token of the phone that this process is: the child of `idle`.
    #[arg(long, hide = true, num_args = 5)]
    idle: Option<Vec<String>>,
    /// Which store this process opens, and where: a child of `peers`.
    #[arg(long, hide = true, num_args = 4)]
    peer: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Benchmark {
    /// One recorded action with FULL durability.
    Record,
    /// The same with up to a million records pending, and what each takes on the disk.
    Pending,
    /// Opening a store with up to a million records pending.
    Open,
    /// What screens ask for, with up to a million records pending and among 100,000 customers.
    Queries,
    /// A phone drained to a server over HTTP on this machine.
    Loopback,
    /// Memory while half a million records are drained.
    Memory,
    /// A phone on which nothing happens.
    Idle,
    /// The library for phones.
    Size,
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
    /// What a plant costs with ten million entries in its ledger.
    Ledger,
    /// What the border to Swift costs; `cargo xtask bench swift` builds the program on the other side.
    Swift,
    /// What the border to Kotlin costs; `cargo xtask bench kotlin` builds the program on the other side.
    Kotlin,
    /// One action, opening and draining beside what a team would pick instead; `cargo xtask bench peers` installs it.
    Peers,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(drained) = &options.drained {
        return memory::drain(drained).map(|()| ExitCode::SUCCESS);
    }
    if let Some(location) = &options.served {
        return served::serve(location).map(|()| ExitCode::SUCCESS);
    }
    if let Some(idle) = &options.idle {
        return idle::serve(idle).map(|()| ExitCode::SUCCESS);
    }
    if let Some(peer) = &options.peer {
        return peers::ours::serve(peer).map(|()| ExitCode::SUCCESS);
    }
    if let Some(parent) = &options.folder {
        // PostgreSQL's cluster too is made where temporary files are.
        tempfile::env::override_temp_dir(parent).map_err(|set| anyhow!("temporary files go to {set:?}"))?;
    }
    let marks = measured(&options)?;
    println!("{}", results::table(marks.measured())?);
    let mut figures = marks.measured().iter().flat_map(|one| &one.figures);
    let is_missed = figures.any(|figure| figure.is_met == Some(false));
    Ok(if options.check && is_missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs what was asked for.
fn measured(options: &Options) -> Result<Marks> {
    let folder = tempfile::tempdir()?;
    let (path, quick) = (folder.path(), options.quick);
    let rounds = |all: usize| if quick { all / 10 } else { all };
    let place = Place::of(options.results.clone(), quick);
    let mut marks = Marks::default();
    let mut filled = None;
    for benchmark in Benchmark::value_variants() {
        let is_named = options.benchmarks.contains(benchmark);
        // What needs a program of another language runs when it is asked for.
        let is_asked = matches!(benchmark, Benchmark::Swift | Benchmark::Kotlin | Benchmark::Peers);
        if !is_named && (!options.benchmarks.is_empty() || is_asked) {
            continue;
        }
        if benchmark.is_on_filled() && filled.is_none() {
            filled = Some(Filled::create(path, rounds)?);
        }
        marks.begin(benchmark.name(), quick, Probe::take(path)?);
        match (benchmark, &filled) {
            (Benchmark::Pending, Some(filled)) => pending::run(filled, rounds(3_000), &mut marks)?,
            (Benchmark::Open, Some(filled)) => open::run(filled, rounds(300), &mut marks)?,
            (Benchmark::Queries, Some(filled)) => {
                queries::run(filled, path, rounds(100_000), rounds(3_000), &mut marks)?;
            }
            (Benchmark::Loopback, Some(filled)) => loopback::run(filled, path, &mut marks)?,
            (Benchmark::Memory, Some(filled)) => memory::run(filled, &mut marks)?,
            (Benchmark::Idle, _) => {
                idle::run(path, Duration::from_secs(if quick { 5 } else { 60 }), &mut marks)?;
            }
            (Benchmark::Size, _) => size::run(path, quick, &mut marks)?,
            (Benchmark::Wire, _) => wire::run(path, &mut marks)?,
            (Benchmark::Drain, _) => drain::run(path, quick, &mut marks)?,
            (Benchmark::Apply, _) => apply::run(path, rounds(1_000), &mut marks)?,
            (Benchmark::Phones, _) => phones::run(path, rounds(5_000), &mut marks)?,
            (Benchmark::ServerMemory, _) => server_memory::run(path, rounds(1_000_000), &mut marks)?,
            (Benchmark::Search, _) => search::run(path, rounds(100_000), rounds(200), &mut marks)?,
            (Benchmark::Ledger, _) => ledger::run(path, rounds, rounds(200), &mut marks)?,
            (Benchmark::Swift, _) => border::run(&border::SWIFT, path, rounds(5_000), &mut marks)?,
            (Benchmark::Kotlin, _) => border::run(&border::KOTLIN, path, rounds(5_000), &mut marks)?,
            (Benchmark::Peers, _) => peers::run(path, rounds(100_000), rounds(2_000), &mut marks)?,
            _ => record::run(path, rounds(5_000), &mut marks)?,
        }
        println!();
        // At once: a long run may be ended before its end.
        place.keep(marks.measured())?;
    }
    Ok(marks)
}

impl Benchmark {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it needs the stores with records pending.
    fn is_on_filled(self) -> bool {
        matches!(self, Self::Pending | Self::Open | Self::Queries | Self::Loopback | Self::Memory)
    }
}
