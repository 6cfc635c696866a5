//! What a run shows while it goes on, and its report.

use carboy_protocol::action::KINDS;
use carboy_sim::report::Stats;
use carboy_sim::run::{Failure, Report};
use carboy_sim::schedule::{Config, Fault, operation};
use carboy_sim::world::World;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a run's progress is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(500);

/// The width of the bar, in characters.
const BAR: u64 = 30;

const HOUR: u64 = 3_600_000;

/// A bar; where nobody looks, a line at each tenth.
pub(crate) struct Progress {
    of: u64,
    begun: Instant,
    shown: Instant,
    tenths: u64,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(of: u64) -> Self {
        let begun = Instant::now();
        Self { of: of.max(1), begun, shown: begun, tenths: 0, is_shown: std::io::stderr().is_terminal() }
    }

    pub(crate) fn show(&mut self, world: &World) {
        let done = world.stats().all_actions();
        if self.is_shown && self.shown.elapsed() >= SHOWN_EVERY {
            self.shown = Instant::now();
            let full = (done * BAR / self.of).min(BAR);
            let bar: String = (0..BAR).map(|place| if place < full { '█' } else { '·' }).collect();
            eprint!("\r{bar} {} ", self.line(world));
            // A bar that cannot be shown is no reason to stop.
            drop(std::io::stderr().flush());
        } else if !self.is_shown && done * 10 / self.of > self.tenths {
            self.tenths = done * 10 / self.of;
            println!("{}", self.line(world));
        }
    }

    fn line(&self, world: &World) -> String {
        let done = world.stats().all_actions();
        let faults: u64 = world.stats().faults.values().sum();
        let pace = done as f64 / self.begun.elapsed().as_secs_f64();
        let (hours, of) = (world.now() / HOUR, self.of);
        format!(
            "{done}/{of} actions, {pace:.0}/s, {faults} faults, {hours} virtual h, {} of memory",
            memory()
        )
    }

    pub(crate) fn end(&self) {
        if self.is_shown {
            eprintln!();
        }
    }
}

/// How much memory the process has by now, without the files that it has mapped, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let size = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    size.map_or_else(|| "unknown memory".to_owned(), |size| size.trim().to_owned())
}

/// The closing report.
pub(crate) fn report(report: &Report, took: Duration) {
    let Report { config, stats, virtual_time, events, hash } = report;
    let actions = stats.all_actions();
    println!("nothing lost, nothing twice, no lockup; phones = server = model");
    counts(stats);
    println!("  virtual time     {} h", virtual_time / HOUR);
    println!(
        "  wall time        {:.1} s ({:.0} actions/s)",
        took.as_secs_f64(),
        actions as f64 / took.as_secs_f64()
    );
    println!("  memory           {}", memory());
    println!("  history          {events} events, {hash}");
    coverage(report);
    println!(
        "  again            --seed {} --actions {} --riders {} --plants {} --servers {} --faults={}{}",
        config.seed,
        config.actions,
        config.riders,
        config.plants,
        config.servers,
        config.faults,
        if config.offline { " --offline" } else { "" }
    );
}

fn counts(stats: &Stats) {
    println!("  actions          {}", stats.all_actions());
    println!("  operations       {}", stats.operations);
    println!("  requests         {}", stats.requests);
    let answers: Vec<_> = stats.answers.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("  answers          {}", answers.join(", "));
    println!("  gone with phones {} (unsent on a wiped or restored one)", stats.lost_with_phones);
    let [whole, gone] = stats.photos;
    println!("  photos           {whole} (and {gone} gone with phones)");
    println!("  faults           {}", stats.faults.values().sum::<u64>());
    for (fault, count) in &stats.faults {
        println!("    {fault:<14} {count}");
    }
}

/// Which faults struck which kinds of mutations.
fn coverage(report: &Report) {
    println!("\n  how often a fault struck while a mutation of a kind was waiting:");
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| report.stats.actions.contains_key(kind)).collect();
    print!("    {:<12}", "");
    for kind in &kinds {
        let letters: String = kind.split('_').filter_map(|word| word.get(..3)).collect::<Vec<_>>().join("-");
        print!("{letters:>9}");
    }
    println!();
    for fault in Fault::ALL.into_iter().filter(|&fault| report.config.faults.has(fault)) {
        print!("    {:<12}", fault.name());
        for kind in &kinds {
            print!("{:>9}", report.stats.struck.get(&(fault.name(), kind)).copied().unwrap_or(0));
        }
        println!();
    }
}

/// The operations that a failure needs.
pub(crate) fn operations(config: &Config, kept: &BTreeSet<u64>) {
    println!("{} operations:", kept.len());
    for &number in kept.iter().take(100) {
        let operation = operation(config, number);
        println!("  {number:>8}  {:>9.1} s  {:?}", operation.at as f64 / 1000.0, operation.what);
    }
}

/// What happened last.
pub(crate) fn lines(failure: &Failure) {
    println!("what happened last:");
    for line in &failure.told {
        println!("  {line}");
    }
}

/// What many runs add up to.
#[derive(Default)]
pub(crate) struct Sum {
    runs: u64,
    stats: Stats,
    virtual_time: u64,
    told: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, report: &Report, took: Duration) {
        self.runs += 1;
        self.stats.add(&report.stats);
        self.virtual_time += report.virtual_time;
        if took.as_secs() / 10 > self.told {
            self.told = took.as_secs() / 10;
            self.line(took);
        }
    }

    fn line(&self, took: Duration) {
        println!(
            "{} seeds passed: {} actions, {} faults, {} virtual h, {:.0} s",
            self.runs,
            self.stats.all_actions(),
            self.stats.faults.values().sum::<u64>(),
            self.virtual_time / HOUR,
            took.as_secs_f64()
        );
    }

    pub(crate) fn print(&self, took: Duration) {
        self.line(took);
        counts(&self.stats);
    }
}
