//! What the border to another language costs: the same calls from Rust and from a program over there, in turn on one
//! disk.

use crate::marks::Marks;
use crate::probe::{median, summary};
use crate::world::{World, copy};
use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use carboy_core::{HttpTransport, Runtime, TokenError, TokenProvider};
use carboy_protocol::Money;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stops of the route.
const STOPS: usize = 300;

/// So many calls in a row: each side measures what it does when it is awake.
const IN_TURN: usize = 50;

/// So many empty calls are timed as one: a single one takes less than it takes to look at the clock.
const EMPTY_CALLS: f64 = 1_000.0;

/// The command that `cargo xtask bench` has built, a word a line.
const PROGRAM: &str = "CARBOY_BENCH_PROGRAM";

/// A language, and its marks.
pub(crate) struct Language {
    name: &'static str,
    /// How many calls it takes until the other side runs as it will: a JVM compiles what was called thousands of times.
    warm: usize,
    /// A recorded action, as a multiple of the same in Rust.
    action: f64,
    /// The route across the border, in ms.
    route: f64,
    /// What the core adds to a process's start, up to the first screen, in ms.
    start: Option<f64>,
}

pub(crate) const SWIFT: Language =
    Language { name: "Swift", warm: 500, action: 1.10, route: 5.0, start: None };
pub(crate) const KOTLIN: Language =
    Language { name: "Kotlin", warm: 10_000, action: 1.15, route: 10.0, start: Some(50.0) };

/// Measures `rounds` actions, a fiftieth of that many routes and fewer starts.
pub(crate) fn run(language: &Language, folder: &Path, rounds: usize, marks: &mut Marks) -> Result<()> {
    let name = language.name;
    let place = |which: &str| folder.join(format!("{which}-{name}"));
    let [made, ours, theirs] = ["border", "here", "there"].map(place);
    let world = World::with_customers(&made, STOPS)?;
    copy(&made, &ours)?;
    copy(&made, &theirs)?;
    if let Some(mark) = language.start {
        let added = start(&world, &theirs, rounds / 200)?;
        marks.at_most("start up to the first screen, what the core adds", added, mark, " ms");
    }
    let core = core(&world, &ours)?;
    let engine = core.engine();
    let mut program = Program::start(&world, &theirs)?;
    let amount = Money::new(15_000, world.identity.currency);
    let (mut here, mut there) = (Vec::new(), Vec::new());
    println!(
        "one recorded action (cash) with synchronous=FULL, {rounds} from Rust and from {name}, {IN_TURN} in turn"
    );
    let warm = language.warm.min(2 * rounds) / IN_TURN;
    for block in 0..warm + rounds / IN_TURN {
        let from_there = program.times("cash", IN_TURN)?;
        let mut from_here = Vec::with_capacity(IN_TURN);
        for _ in 0..IN_TURN {
            let start = Instant::now();
            engine.collect_cash(world.customers[0], amount)?;
            from_here.push(start.elapsed());
        }
        if block >= warm {
            there.extend(from_there);
            here.extend(from_here);
        }
    }
    println!("  from Rust    {}", summary(&mut here));
    println!("  from {name:7} {}", summary(&mut there));
    let ratio = median(&mut there).as_secs_f64() / median(&mut here).as_secs_f64();
    marks.at_most("cash, ratio of the medians", ratio, language.action, "");
    println!(
        "the same as an app does it, for information: off the caller's thread, what is waiting read after each"
    );
    println!("  from {name:7} {}", summary(&mut program.times("record", rounds / 10)?));

    // Asks for the version of UniFFI's contract; first until it is compiled.
    program.times("empty", rounds / IN_TURN)?;
    let empty = median(&mut program.times("empty", rounds / IN_TURN)?).as_secs_f64() / EMPTY_CALLS;
    marks.note("an empty call, which every other takes at least", empty * 1e9, " ns");

    let route = engine.routes()?.first().context("no route")?.route;
    let mut routes = program.times("route", rounds / IN_TURN)?;
    println!("a route of {STOPS} stops, {} times", routes.len());
    println!("  from {name:7} {}", summary(&mut routes));
    let start = Instant::now();
    ensure!(engine.stops(route)?.len() == STOPS, "the route has other stops");
    println!("  from Rust once {} µs", start.elapsed().as_micros());
    marks.at_most("route, median", median(&mut routes).as_secs_f64() * 1e3, language.route, " ms");
    program.end()
}

/// The core as the program over there opens it: offline, with nobody who is told of changes.
fn core(world: &World, folder: &Path) -> Result<Runtime> {
    let transport = HttpTransport::new("http://127.0.0.1:9")?;
    let runtime =
        Runtime::start(Arc::new(world.engine(folder)?), Arc::new(transport), Arc::new(Nobody), None)?;
    runtime.network_changed(false);
    Ok(runtime)
}

struct Nobody;

#[async_trait]
impl TokenProvider for Nobody {
    async fn token(&self, _: bool) -> Result<String, TokenError> {
        Err(TokenError::SignedOut)
    }
}

/// Starts a process that does nothing, one that loads JNA, one that loads the generated code too, and one that opens
/// the store and reads the route, in turn; tells what the last takes longer than the one before, in ms.
fn start(world: &World, folder: &Path, rounds: usize) -> Result<f64> {
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        for (what, times) in ["nothing", "jna", "bindings", "route"].into_iter().zip(&mut times) {
            let start = Instant::now();
            let mut program = Program::start(world, folder)?;
            program.times(what, 1)?;
            times.push(start.elapsed());
            program.end()?;
        }
    }
    println!("a process from its start to its first answer, {rounds} rounds in turn");
    let [nothing, jna, bindings, route] = &mut times;
    println!("  nothing asked of the core   {}", summary(nothing));
    println!("  JNA loaded, and no more     {}", summary(jna));
    println!("  the generated code too      {}", summary(bindings));
    println!("  a route of {STOPS} stops read  {}", summary(route));
    let mut program = Program::start(world, folder)?;
    program.times("screen", rounds)?;
    println!(
        "  the store opened and that route read where it was before  {}",
        summary(&mut program.times("screen", rounds)?)
    );
    program.end()?;
    Ok((median(route).as_secs_f64() - median(bindings).as_secs_f64()) * 1e3)
}

/// The program over there, which opens the store of `folder` and does what it is told.
pub(crate) struct Program {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(world: &World, folder: &Path) -> Result<Self> {
        let words = std::env::var(PROGRAM)
            .with_context(|| format!("{PROGRAM} names no program: `cargo xtask bench` builds one"))?;
        let mut words = words.split('\n');
        let identity = &world.identity;
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .arg(folder)
            .args([identity.plant.to_string(), identity.account.to_string(), identity.currency.to_string()])
            .arg(world.customers[0].to_string());
        Self::spawn(&mut command)
    }

    /// The same with another command.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let (orders, answers) = orders.zip(answers).context("the program has no pipes")?;
        Ok(Self { child, orders, answers: BufReader::new(answers) })
    }

    /// Lets it do `what` so many times, and tells how long each took.
    pub(crate) fn times(&mut self, what: &str, count: usize) -> Result<Vec<Duration>> {
        writeln!(self.orders, "{what} {count}")?;
        self.orders.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let times = line.split_whitespace().map(|nanos| Ok(Duration::from_nanos(nanos.parse()?)));
        let times =
            times.collect::<Result<Vec<_>>>().with_context(|| format!("the program said {line:?}"))?;
        if times.len() != count {
            bail!("the program was told {what} {count} times and said {line:?}");
        }
        Ok(times)
    }

    /// Ends it.
    pub(crate) fn end(self) -> Result<()> {
        let Self { mut child, orders, .. } = self;
        drop(orders);
        let status = child.wait()?;
        ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }
}
