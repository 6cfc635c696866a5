//! What screens ask for: with up to a million records pending, and among 100,000 customers.

use crate::filled::Filled;
use crate::marks::{Marks, Plot};
use crate::probe::{median_us, p99_us, summary};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use carboy_core::Engine;
use carboy_protocol::{CustomerId, RouteId};
use std::path::Path;
use std::time::{Duration, Instant};

/// Stops of the route among many customers.
const STOPS: usize = 300;

/// No divisor of any number of customers here: every step comes to another one, all over the file.
const STRIDE: usize = 7_919;

/// What is asked for.
#[derive(Clone, Copy)]
enum Query {
    Route,
    Customer,
    History,
    Day,
}

const QUERIES: [Query; 4] = [Query::Route, Query::Customer, Query::History, Query::Day];

/// Measures each query `rounds` times: in the stores with records pending, then among so many customers.
pub(crate) fn run(
    filled: &Filled,
    folder: &Path,
    customers: usize,
    rounds: usize,
    marks: &mut Marks,
) -> Result<()> {
    println!("what screens ask for, {rounds} times each");
    with_pending(filled, rounds, marks)?;
    let folder = folder.join("queries");
    let world = World::with_route(&folder, customers, STOPS)?;
    let engine = world.engine(&folder)?;
    for query in QUERIES {
        let mut times = query.times(&engine, &world.customers, rounds)?;
        let what = format!("{} among {customers} customers", query.name(STOPS));
        println!("  {what}: {}", summary(&mut times));
        match query {
            Query::History => marks.note(&format!("{what}, p99"), p99_us(&mut times) / 1e3, "ms"),
            _ => marks.at_most(&format!("{what}, p99"), p99_us(&mut times) / 1e3, 2.0, "ms"),
        }
    }
    let mut search = |what: &str, text: &str| -> Result<()> {
        let mut times = timed(rounds / 10, |_| {
            engine.customers(text, None, 50)?;
            Ok(())
        })?;
        marks.note(&format!("{what} of {customers}, median"), median_us(&mut times) / 1e3, "ms");
        Ok(())
    };
    search("the first fifty by name", "")?;
    search("a search that finds nobody", "zanzibar")
}

fn with_pending(filled: &Filled, rounds: usize, marks: &mut Marks) -> Result<()> {
    let world = &filled.world;
    for query in QUERIES {
        let mut points = Vec::new();
        for store in &filled.stores {
            let engine = world.engine(&store.folder)?;
            let mut times = query.times(&engine, &world.customers, rounds)?;
            points.push((store.count as f64, median_us(&mut times)));
        }
        let what = query.name(world.customers.len());
        let most = filled.fullest().count;
        marks.note(&format!("{what} with {most} pending, median"), points[points.len() - 1].1 / 1e3, "ms");
        marks.line(Plot::Pending, &what, points);
    }
    Ok(())
}

impl Query {
    fn name(self, stops: usize) -> String {
        match self {
            Self::Route => format!("route of {stops} stops"),
            Self::Customer => "any customer".to_owned(),
            Self::History => "20 lines of a history".to_owned(),
            Self::Day => "day's summary".to_owned(),
        }
    }

    fn times(self, engine: &Engine, customers: &[CustomerId], rounds: usize) -> Result<Vec<Duration>> {
        let route = engine.routes()?.first().context("no route")?.route;
        // Once to warm up.
        self.ask(engine, route, customers[0])?;
        timed(rounds, |n| self.ask(engine, route, customers[n * STRIDE % customers.len()]))
    }

    fn ask(self, engine: &Engine, route: RouteId, customer: CustomerId) -> Result<()> {
        match self {
            Self::Route => ensure!(!engine.stops(route)?.is_empty(), "no stops"),
            Self::Customer => drop(engine.customer(customer)?),
            Self::History => drop(engine.history(customer, 0, 20)?),
            Self::Day => drop(engine.day()?),
        }
        Ok(())
    }
}

fn timed(rounds: usize, mut work: impl FnMut(usize) -> Result<()>) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(rounds);
    for n in 0..rounds {
        let start = Instant::now();
        work(n)?;
        times.push(start.elapsed());
    }
    Ok(times)
}
