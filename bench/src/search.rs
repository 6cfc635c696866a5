//! A manager's search among 100,000 customers: whole pages of the dashboard over HTTP.

use crate::marks::Marks;
use crate::postgres::{self, Cluster};
use crate::probe::{median, summary};
use crate::riders::Rider;
use crate::served::Served;
use anyhow::{Context, Result, ensure};
use carboy_server::Server;
use carboy_server::env::{SystemClock, SystemRandom};
use carboy_server::store::{Location, Store};
use http_body_util::Full;
use hyper::{Request, header};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// What is asked for: what it is, the query, and whether anybody matches.
const QUERIES: [(&str, &str, bool); 5] = [
    ("everybody", "", true),
    ("a name's beginning", "q=naivas+supermarket+77", true),
    ("a name's middle", "q=market+4321", true),
    ("digits of a number", "q=4827", true),
    ("nobody", "q=zanzibar", false),
];

/// Measures each query `rounds` times on each store.
pub(crate) fn run(folder: &Path, customers: usize, rounds: usize, marks: &mut Marks) -> Result<()> {
    println!("the page of customers of a plant with {customers}, over HTTP, {rounds} times each");
    let file = folder.join("search.db");
    on_store("SQLite", file.to_str().context("no UTF-8")?, || {}, (customers, rounds), marks)?;
    if !postgres::is_installed() {
        println!("  PostgreSQL is missing: install Debian's package `postgresql` to measure it too");
        return Ok(());
    }
    let cluster = Cluster::primary();
    let address = cluster.database();
    let database = address.rsplit('/').next().context("no name of a database")?;
    // PostgreSQL does that by itself within a minute or so.
    let rest = || drop(cluster.sql(database, "VACUUM ANALYZE"));
    on_store("PostgreSQL", &address, rest, (customers, rounds), marks)
}

/// Measures on a plant with so many customers, once the store has had its `rest` behind so much writing.
fn on_store(
    name: &str,
    location: &str,
    rest: impl FnOnce(),
    (customers, rounds): (usize, usize),
    marks: &mut Marks,
) -> Result<()> {
    let store = Store::migrate(&location.parse::<Location>()?)?;
    let server = Server::over(store, Arc::new(SystemClock), Arc::new(SystemRandom));
    let plant = server.create_plant("Maji Safi", "KES".parse()?)?;
    server.create_owner(plant, "Grace", "grace", "a long password")?;
    let mut rider = Rider::enrol(&server, plant, 0)?;
    let begun = Instant::now();
    rider.add_customers(&server, customers)?;
    println!("  {name}, filled in {:.0} s", begun.elapsed().as_secs_f64());
    rest();
    let session =
        server.sign_in("127.0.0.1", "grace", "a long password")?.context("the password is right")?;
    drop(server);
    let served = Served::start(location)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut connection = runtime.block_on(served.connect())?;
    let mut worst = 0.0_f64;
    // Fifty stand on one page.
    let middle = (format!("page {}", customers / 100), format!("page={}", customers / 100));
    let middle = (middle.0.as_str(), middle.1.as_str(), true);
    for (what, query, is_there) in QUERIES.into_iter().chain([middle]) {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let request = Request::get(format!("/customers?{query}"))
                .header(header::HOST, "plant")
                .header(header::COOKIE, format!("carboy_session={session}"));
            let start = Instant::now();
            let page = runtime.block_on(connection.exchange(request.body(Full::default())?))?;
            times.push(start.elapsed());
            let page = String::from_utf8_lossy(&page);
            ensure!(page.contains("Supermarket") == is_there, "not the page: {page}");
        }
        println!("  {name}, {what}: {}", summary(&mut times));
        worst = worst.max(median(&mut times).as_secs_f64() * 1_000.0);
    }
    marks.at_most(&format!("{name}, worst of the medians"), worst, 50.0, " ms");
    Ok(())
}
