//! What a core costs while nothing happens, in a process of its own: wake-ups, processor time and memory.

use crate::loopback::Token;
use crate::marks::Marks;
use crate::memory::figure;
use crate::served::Served;
use crate::world::{SERVER_FILE, VirtualClock, World, options};
use anyhow::{Context, Result, bail, ensure};
use carboy_core::{Engine, HttpTransport, Identity, Runtime};
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Records that wait while there is no network.
const PENDING: usize = 500;

/// So long after an order every thread has gone back to sleep.
const SETTLED: Duration = Duration::from_millis(500);

/// Watches a rider's phone for so long with a network and nothing to send, then without a network and with records
/// to send.
pub(crate) fn run(folder: &Path, watched: Duration, marks: &mut Marks) -> Result<()> {
    let folder = folder.join("idle");
    let world = World::create(&folder)?;
    let served = Served::start(folder.join(SERVER_FILE).to_str().context("no UTF-8")?)?;
    let mut phone = Phone::start(&world, &folder, &served.url())?;
    println!("a core in a process of its own, {watched:?} each");
    let floor = phone.memory()?;
    phone.tell("open")?;
    let online = phone.watched(watched)?;
    phone.tell("offline")?;
    let offline = phone.watched(watched)?;
    let above = f64::from(phone.memory()?.saturating_sub(floor)) / 1024.0;
    println!("  resident before the core does anything: {:.1} MiB", f64::from(floor) / 1024.0);
    let what = format!("wake-ups in an hour offline with {PENDING} pending");
    marks.at_most(&what, offline.wake_ups, 0.0, "");
    marks.note("processor time in an hour offline", offline.cpu_ms, "ms");
    marks.note("wake-ups in an hour online with nothing to send", online.wake_ups, "");
    marks.note("processor time in an hour online", online.cpu_ms, "ms");
    marks.at_most("resident above the process's floor", above, 16.0, "MiB");
    phone.end()
}

/// The phone's process.
struct Phone {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What a process did while it was watched, by the hour.
struct Hour {
    wake_ups: f64,
    cpu_ms: f64,
}

impl Phone {
    fn start(world: &World, folder: &Path, server: &str) -> Result<Self> {
        let identity = &world.identity;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--idle")
            .arg(folder)
            .args([&identity.plant.to_string(), &identity.account.to_string(), server, &world.token])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let (orders, answers) = orders.zip(answers).context("the phone has no pipes")?;
        let mut phone = Self { child, orders, answers: BufReader::new(answers).lines() };
        phone.answered()?;
        Ok(phone)
    }

    /// Lets it do something, and waits until it is done.
    fn tell(&mut self, order: &str) -> Result<()> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        self.answered()
    }

    fn answered(&mut self) -> Result<()> {
        let line = self.answers.next().context("the phone has ended")??;
        ensure!(line == "done", "the phone said {line:?}");
        Ok(())
    }

    fn memory(&self) -> Result<u32> {
        figure(&self.child.id().to_string(), "VmRSS:")
    }

    fn watched(&self, span: Duration) -> Result<Hour> {
        std::thread::sleep(SETTLED);
        let (wake_ups, cpu) = self.spent()?;
        std::thread::sleep(span);
        let (wake_ups_then, cpu_then) = self.spent()?;
        let hour = |spent: u64| spent as f64 * 3_600.0 / span.as_secs_f64();
        Ok(Hour { wake_ups: hour(wake_ups_then - wake_ups), cpu_ms: hour(cpu_then - cpu) / 1e6 })
    }

    /// How often its threads gave the processor up, which is how often they were woken, and for how many nanoseconds
    /// they had it.
    fn spent(&self) -> Result<(u64, u64)> {
        let (mut wake_ups, mut cpu) = (0, 0);
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let thread = format!("{}/task/{}", self.child.id(), thread?.file_name().to_string_lossy());
            for name in ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"] {
                wake_ups += u64::from(figure(&thread, name)?);
            }
            let spent = fs::read_to_string(format!("/proc/{thread}/schedstat"))?;
            cpu += spent.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok((wake_ups, cpu))
    }

    fn end(self) -> Result<()> {
        let Self { mut child, orders, .. } = self;
        drop(orders);
        let status = child.wait()?;
        ensure!(status.success(), "the phone ended with {status}");
        Ok(())
    }
}

/// The child: does what it is told, and nothing else.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [folder, plant, account, server, token] = arguments else { bail!("expected five arguments") };
    let identity = Identity { plant: plant.parse()?, account: account.parse()?, currency: "KES".parse()? };
    let waiting = tokio::runtime::Builder::new_current_thread().build()?;
    let mut phone: Option<Runtime> = None;
    println!("done");
    for order in std::io::stdin().lines() {
        match (order?.as_str(), &phone) {
            ("open", None) => {
                let engine = Arc::new(Engine::open(&options(Path::new(folder), &identity)?)?);
                let transport = Arc::new(HttpTransport::new(server)?);
                let tokens = Arc::new(Token(token.clone()));
                phone = Some(Runtime::start(engine, transport, tokens, None)?);
            }
            ("offline", Some(phone)) => {
                phone.network_changed(false);
                let customers = phone.engine().customers("", None, 100)?;
                let customers = customers.into_iter().map(|row| row.customer).collect();
                let world = World { identity: identity.clone(), customers, token: token.clone() };
                world.record(phone.engine(), &VirtualClock::default(), 0..PENDING)?;
            }
            (order, _) => bail!("unexpected order {order:?}"),
        }
        let phone = phone.as_ref().context("not open")?;
        // The rider looks at the route.
        for route in phone.engine().routes()? {
            phone.engine().stops(route.route)?;
        }
        // Returns once nothing is left to do at once.
        waiting.block_on(phone.sync_now()).context("the runtime has ended")?;
        println!("done");
    }
    Ok(())
}
