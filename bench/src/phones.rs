//! 5,000 phones that sync over real HTTP: which rate the server sustains, and how long they wait at half of it.

use crate::marks::Marks;
use crate::riders::Rider;
use crate::served::{Connection, Served, sync_request};
use anyhow::{Context, Result, anyhow};
use carboy_protocol::PlantId;
use carboy_server::Server;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Riders of each plant.
const RIDERS: usize = 25;

/// Stops of each rider's round.
const STOPS: usize = 20;

/// What each phone has recorded since it last synced.
const PENDING: usize = 20;

/// How long the server is tried at each rate at most, and at least, in seconds.
const TRIED: f64 = 10.0;
const ENOUGH: f64 = 4.0;

/// The rate to begin with, in phones per second, and how much more comes next.
const FIRST: f64 = 60.0;
const STEP: f64 = 1.25;

/// A server that sustains a rate answers all but one in a hundred phones within this.
const SUSTAINED: Duration = Duration::from_secs(1);

/// Tries `count` phones.
pub(crate) fn run(folder: &Path, count: usize, marks: &mut Marks) -> Result<()> {
    let plants = count / RIDERS;
    println!("{count} phones of {plants} plants over HTTP on SQLite, {PENDING} records each, and the feed;");
    println!("  client and server share the machine; times count from when the phone was to begin");
    let file = folder.join("phones.db");
    let mut phones = Phones::enrol(&file, plants)?;
    let (mut sustained, mut rate) = (0.0, FIRST);
    loop {
        // Whole plants.
        let some = (whole(rate * TRIED) / RIDERS * RIDERS).min(count);
        if some < whole(rate * ENOUGH) {
            println!("  {rate:.0}/s would be more phones than there are");
            break;
        }
        let run = phones.sync(some, rate)?;
        println!("  {run}");
        if run.at(99) > SUSTAINED {
            break;
        }
        (sustained, rate) = (rate, rate * STEP);
    }
    // At half of it, all of them are done within a minute.
    let enough = 2.0 * f64::from(u32::try_from(count)?) / 60.0;
    marks.at_least("highest rate sustained", sustained, enough, " phones/s");
    if sustained == 0.0 {
        return Ok(());
    }
    let half = phones.sync(count, sustained / 2.0)?;
    println!("  all of them at half of it: {half}");
    marks.at_most("p99 at half of it", half.at(99).as_secs_f64() * 1_000.0, 250.0, " ms");
    Ok(())
}

struct Phones {
    runtime: Runtime,
    served: Served,
    /// The same database, to ask how far the plants have come.
    server: Server,
    riders: Vec<(Rider, Option<Connection>)>,
    /// Where the next ones begin.
    next: usize,
}

impl Phones {
    fn enrol(file: &Path, plants: usize) -> Result<Self> {
        let server = Server::open(file)?;
        let mut riders = Vec::new();
        for number in 0..plants {
            let plant = server.create_plant(&format!("Plant {number}"), "KES".parse()?)?;
            for n in 0..RIDERS {
                let mut rider = Rider::enrol(&server, plant, number * RIDERS + n)?;
                rider.add_customers(&server, STOPS)?;
                riders.push(rider);
            }
        }
        let served = Served::start(file.to_str().context("no UTF-8")?)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connected = runtime.block_on(async {
            let mut connected = Vec::new();
            for rider in riders {
                connected.push((rider, Some(served.connect().await?)));
            }
            anyhow::Ok(connected)
        })?;
        Ok(Self { runtime, served, server, riders: connected, next: 0 })
    }

    /// Lets the next `count` phones sync, each once, at random moments: so many per second on average. Each has the
    /// feed up to where its plant stood before.
    fn sync(&mut self, count: usize, rate: f64) -> Result<Run> {
        let revs = self.revs()?;
        let mut calls = Vec::new();
        // Whole plants, so that there is as much feed at every rate; their riders in no order.
        let mut indexes: Vec<_> = (self.next..self.next + count).map(|n| n % self.riders.len()).collect();
        indexes.sort_by_key(|index| mixed(*index));
        for index in indexes {
            let (rider, connection) = &mut self.riders[index];
            let cursor = revs[&rider.auth.account.plant];
            let request = rider.round(PENDING, cursor)?;
            let request = sync_request(&rider.token, &request)?;
            calls.push((index, connection.take().context("it is in use")?, request));
        }
        self.next += count;
        let moments = moments(count, rate);
        let cpu = self.served.cpu_ms()?;
        let start = Instant::now();
        let done = self.runtime.block_on(called(calls, &moments))?;
        let took = start.elapsed();
        let cpu = (self.served.cpu_ms()? - cpu) / f64::from(u32::try_from(count)?);
        let bytes = done.iter().map(|done| done.bytes).sum::<usize>() / count;
        let mut times: Vec<_> = done.iter().map(|done| done.took).collect();
        times.sort();
        for Done { index, connection, .. } in done {
            self.riders[index].1 = Some(connection);
        }
        Ok(Run { rate, times, took, cpu, bytes })
    }

    fn revs(&self) -> Result<HashMap<PlantId, u64>> {
        let plants = self.server.plants()?;
        Ok(plants.into_iter().map(|plant| (plant.id, plant.rev)).collect())
    }
}

/// What a number of phones met.
struct Run {
    rate: f64,
    times: Vec<Duration>,
    took: Duration,
    /// The server's processor time for each, in milliseconds.
    cpu: f64,
    /// Of each reply's body.
    bytes: usize,
}

impl Run {
    fn at(&self, percent: usize) -> Duration {
        self.times[(self.times.len() - 1) * percent / 100]
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |percent| self.at(percent).as_millis();
        write!(
            f,
            "{:.0}/s for {:.0} s: median {} ms, p90 {}, p99 {}, worst {}; {:.1} ms CPU of the server and {} bytes of \
             reply each",
            self.rate,
            self.took.as_secs_f64(),
            ms(50),
            ms(90),
            ms(99),
            ms(100),
            self.cpu,
            self.bytes
        )
    }
}

/// One phone's call, answered.
struct Done {
    index: usize,
    connection: Connection,
    /// From the moment at which it was to begin.
    took: Duration,
    bytes: usize,
}

/// Makes each call at its moment, however long those before it take.
async fn called(
    calls: Vec<(usize, Connection, Request<Full<Bytes>>)>,
    moments: &[Duration],
) -> Result<Vec<Done>> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (start, count) = (Instant::now(), calls.len());
    for ((index, mut connection, request), moment) in calls.into_iter().zip(moments) {
        let begin = start + *moment;
        sleep_until(begin).await;
        let sender = sender.clone();
        tokio::spawn(async move {
            let reply = connection.exchange(request).await;
            let took = begin.elapsed();
            // Nobody listens any more where another one has failed.
            let _ = sender.send(reply.map(|reply| Done { index, connection, took, bytes: reply.len() }));
        });
    }
    let mut done = Vec::new();
    while done.len() < count {
        done.push(receiver.recv().await.ok_or_else(|| anyhow!("a call has vanished"))??);
    }
    Ok(done)
}

/// Random moments, the same in every run, in order.
fn moments(count: usize, rate: f64) -> Vec<Duration> {
    let span = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / rate;
    let mut moments: Vec<_> = (0..count)
        .map(|n| {
            let fraction = f64::from((mixed(n) >> 32) as u32) / f64::from(u32::MAX);
            Duration::from_secs_f64(span * fraction)
        })
        .collect();
    moments.sort();
    moments
}

/// A number that has nothing to do with this one but is the same in every run.
fn mixed(n: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    n.hash(&mut hasher);
    hasher.finish()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
fn whole(value: f64) -> usize {
    value as usize
}
