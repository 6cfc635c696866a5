//! What a run shows while it goes on, and its report.

use carboy_protocol::action::KINDS;
use carboy_sim::run::Report;
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

/// A bar.
pub(crate) struct Progress {
    of: u64,
    begun: Instant,
    shown: Instant,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(of: u64) -> Self {
        let begun = Instant::now();
        Self { of, begun, shown: begun, is_shown: std::io::stderr().is_terminal() }
    }

    pub(crate) fn show(&mut self, world: &World) {
        if !self.is_shown || self.shown.elapsed() < SHOWN_EVERY {
            return;
        }
        self.shown = Instant::now();
        let done = world.stats().all_actions();
        let faults: u64 = world.stats().faults.values().sum();
        let full = (done * BAR / self.of.max(1)).min(BAR);
        let bar: String = (0..BAR).map(|place| if place < full { '█' } else { '·' }).collect();
        let pace = done as f64 / self.begun.elapsed().as_secs_f64();
        let (hours, of) = (world.now() / HOUR, self.of);
        eprint!("\r{bar} {done}/{of} actions, {pace:.0}/s, {faults} faults, {hours} virtual h ");
        // A bar that cannot be shown is no reason to stop.
        drop(std::io::stderr().flush());
    }

    pub(crate) fn end(&self) {
        if self.is_shown {
            eprintln!();
        }
    }
}

/// The closing report.
pub(crate) fn report(report: &Report, took: Duration) {
    let Report { config, stats, virtual_time, events, hash } = report;
    let actions = stats.all_actions();
    println!("nothing lost, nothing twice, no lockup; phones = server = model");
    println!("  actions          {actions}");
    println!("  operations       {}", stats.operations);
    println!("  requests         {}", stats.requests);
    println!(
        "  answers          {} ({} duplicates, {} not accepted at first)",
        stats.answers, stats.duplicates, stats.refused
    );
    println!("  gone with phones {} (unsent on a wiped or restored one)", stats.lost_with_phones);
    println!("  faults           {}", stats.faults.values().sum::<u64>());
    for (fault, count) in &stats.faults {
        println!("    {fault:<14} {count}");
    }
    println!("  virtual time     {} h", virtual_time / HOUR);
    println!(
        "  wall time        {:.1} s ({:.0} actions/s)",
        took.as_secs_f64(),
        actions as f64 / took.as_secs_f64()
    );
    println!("  history          {events} events, {hash}");
    coverage(report);
    println!(
        "  again            --seed {} --actions {} --riders {}",
        config.seed, config.actions, config.riders
    );
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

/// What many runs add up to.
#[derive(Default)]
pub(crate) struct Sum {
    runs: u64,
    actions: u64,
    faults: u64,
    virtual_time: u64,
    told: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, report: &Report, took: Duration) {
        self.runs += 1;
        self.actions += report.stats.all_actions();
        self.faults += report.stats.faults.values().sum::<u64>();
        self.virtual_time += report.virtual_time;
        if took.as_secs() / 10 > self.told {
            self.told = took.as_secs() / 10;
            self.print(took);
        }
    }

    pub(crate) fn print(&self, took: Duration) {
        println!(
            "{} seeds passed: {} actions, {} faults, {} virtual h, {:.0} s",
            self.runs,
            self.actions,
            self.faults,
            self.virtual_time / HOUR,
            took.as_secs_f64()
        );
    }
}
