//! What the border to Swift costs: the same calls from Rust and from Swift, in turn on one disk.

use crate::marks::Marks;
use crate::probe::{median, summary};
use crate::world::{World, copy};
use anyhow::{Context, Result, bail, ensure};
use carboy_protocol::Money;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Stops of the route.
const STOPS: usize = 300;

/// So many calls in a row: each side measures what it does when it is awake.
const IN_TURN: usize = 50;

/// Measures `rounds` actions, and a fiftieth of that many routes.
pub(crate) fn run(folder: &Path, rounds: usize, marks: &mut Marks) -> Result<()> {
    let world = World::with_customers(&folder.join("swift-world"), STOPS)?;
    let [ours, theirs] = ["from-rust", "from-swift"].map(|name| folder.join(name));
    copy(&folder.join("swift-world"), &ours)?;
    copy(&folder.join("swift-world"), &theirs)?;
    let engine = world.engine(&ours)?;
    let mut swift = Swift::start(&world, &theirs)?;
    let amount = Money::new(15_000, world.identity.currency);
    let (mut in_rust, mut in_swift) = (Vec::new(), Vec::new());
    println!(
        "one recorded action (cash) with synchronous=FULL, {rounds} from Rust and from Swift, {IN_TURN} in turn"
    );
    for block in 0..=rounds / IN_TURN {
        let from_swift = swift.times("cash", IN_TURN)?;
        let mut from_rust = Vec::with_capacity(IN_TURN);
        for _ in 0..IN_TURN {
            let start = Instant::now();
            engine.collect_cash(world.customers[0], amount)?;
            from_rust.push(start.elapsed());
        }
        // The first block warms up.
        if block > 0 {
            in_swift.extend(from_swift);
            in_rust.extend(from_rust);
        }
    }
    println!("  from Rust   {}", summary(&mut in_rust));
    println!("  from Swift  {}", summary(&mut in_swift));
    let ratio = median(&mut in_swift).as_secs_f64() / median(&mut in_rust).as_secs_f64();
    marks.at_most("cash, ratio of the medians", ratio, 1.10, "");

    let route = engine.routes()?.first().context("no route")?.route;
    let mut routes = swift.times("route", rounds / IN_TURN)?;
    println!("a route of {STOPS} stops, {} times", routes.len());
    println!("  from Swift  {}", summary(&mut routes));
    let start = Instant::now();
    ensure!(engine.stops(route)?.len() == STOPS, "the route has other stops");
    println!("  from Rust once {} µs", start.elapsed().as_micros());
    marks.at_most("route, median", median(&mut routes).as_secs_f64() * 1e3, 5.0, " ms");
    swift.end()
}

/// The program on the other side.
struct Swift {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Swift {
    /// Starts the command that `cargo xtask bench swift` has built.
    fn start(world: &World, folder: &Path) -> Result<Self> {
        let words = std::env::var("CARBOY_BENCH_SWIFT")
            .context("CARBOY_BENCH_SWIFT names no program: use `cargo xtask bench swift`")?;
        let mut words = words.split('\n');
        let program = words.next().unwrap_or_default();
        let identity = &world.identity;
        let mut child = Command::new(program)
            .args(words)
            .arg(folder)
            .args([identity.plant.to_string(), identity.account.to_string(), identity.currency.to_string()])
            .arg(world.customers[0].to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let (orders, answers) = orders.zip(answers).context("the program has no pipes")?;
        Ok(Self { child, orders, answers: BufReader::new(answers) })
    }

    /// Lets it do `what` so many times, and tells how long each took.
    fn times(&mut self, what: &str, count: usize) -> Result<Vec<Duration>> {
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
    fn end(self) -> Result<()> {
        let Self { mut child, orders, .. } = self;
        drop(orders);
        let status = child.wait()?;
        ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }
}
