//! A plant as it grows older: what a sync, a balance and the dashboard's pages cost on SQLite with up to ten million
//! entries in its ledger.

use crate::marks::Marks;
use crate::probe::{median_us, summary};
use crate::riders::Rider;
use crate::served::{Connection, Served, sync_request};
use anyhow::{Context, Result, ensure};
use carboy_protocol::wire::SyncReply;
use carboy_protocol::{CustomerId, PlantId};
use carboy_server::Server;
use flate2::read::GzDecoder;
use http_body_util::Full;
use hyper::{Request, header};
use rusqlite::params;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

/// Entries of the plants, in a full run.
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Customers of each plant.
const CUSTOMERS: usize = 10_000;

/// From one entry to the next, in ms: 5,500 a day, so that ten million are five years.
const STEP: usize = 15_700;

/// What a phone brings with each sync.
const RECORDS: usize = 20;

/// Lines of a customer's ledger on a page of the dashboard, at most.
const SHOWN: usize = 20;

/// So many entries are written in one transaction.
const CHUNK: usize = 200_000;

/// The dashboard's pages that show what a ledger adds up to.
const PAGES: [&str; 4] = ["/rounds", "/cash", "/customers", "/customers/{customer}"];

/// Asks each plant `rounds` times for each.
pub(crate) fn run(
    folder: &Path,
    sized: impl Fn(usize) -> usize,
    rounds: usize,
    marks: &mut Marks,
) -> Result<()> {
    let file = folder.join("ledger.db");
    println!("plants with {CUSTOMERS} customers on one server on SQLite, over HTTP, {rounds} times each");
    let mut all = Vec::new();
    for size in SIZES.map(sized) {
        let start = Instant::now();
        let mut plant = Plant::create(&file, size)?;
        println!("  {size} entries, written in {:.0?}", start.elapsed());
        let served = Served::start(file.to_str().context("no UTF-8")?)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut connection = runtime.block_on(served.connect())?;
        let mut medians = vec![median("sync", plant.syncs(&runtime, &mut connection, rounds)?)];
        for page in PAGES {
            medians.push(median(page, plant.page(&runtime, &mut connection, page, rounds)?));
        }
        all.push((size, medians));
    }
    let ((least, few), (most, many)) = (&all[0], &all[all.len() - 1]);
    for ((what, few), (_, many)) in few.iter().zip(many) {
        let what = what.replace("{customer}", "ID");
        marks.note(&format!("{what} with {most} entries, median"), many / 1e3, "ms");
        marks.note(&format!("{what}, against {least} entries"), many / few, "");
    }
    Ok(())
}

fn median(what: &str, mut times: Vec<Duration>) -> (String, f64) {
    println!("    {what}: {}", summary(&mut times));
    (what.to_owned(), median_us(&mut times))
}

/// A plant, its manager and one of its riders.
struct Plant {
    rider: Rider,
    session: String,
    cursor: u64,
}

impl Plant {
    fn create(file: &Path, entries: usize) -> Result<Self> {
        let server = Server::open(file)?;
        let plant = server.create_plant(&format!("Plant of {entries}"), "KES".parse()?)?;
        let (login, password) = (format!("grace{entries}"), "a long password");
        server.create_owner(plant, "Grace", &login, password)?;
        let mut rider = Rider::enrol(&server, plant, entries)?;
        rider.add_customers(&server, CUSTOMERS)?;
        fill(file, &rider, entries)?;
        let cursor = server.plants()?.iter().find(|known| known.id == plant).context("no plant")?.rev;
        let session = server.sign_in("127.0.0.1", &login, password)?.context("the password is right")?;
        Ok(Self { rider, session, cursor })
    }

    fn syncs(
        &mut self,
        runtime: &Runtime,
        connection: &mut Connection,
        rounds: usize,
    ) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let request = self.rider.round(RECORDS, self.cursor)?;
            let request = sync_request(&self.rider.token, &request)?;
            let start = Instant::now();
            let reply = runtime.block_on(connection.exchange(request))?;
            times.push(start.elapsed());
            let reply: SyncReply = serde_json::from_reader(GzDecoder::new(&reply[..]))?;
            ensure!(reply.results.len() == RECORDS, "{} results", reply.results.len());
            self.cursor = reply.cursor;
        }
        Ok(times)
    }

    fn page(
        &self,
        runtime: &Runtime,
        connection: &mut Connection,
        page: &str,
        rounds: usize,
    ) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for n in 0..rounds {
            let customer: CustomerId = self.rider.customers[n * 7_919 % CUSTOMERS];
            let page = page.replace("{customer}", &customer.to_string());
            let request = Request::get(page)
                .header(header::HOST, "plant")
                .header(header::COOKIE, format!("carboy_session={}", self.session));
            let start = Instant::now();
            let page = runtime.block_on(connection.exchange(request.body(Full::default())?))?;
            times.push(start.elapsed());
            ensure!(String::from_utf8_lossy(&page).contains("</html>"), "not a page");
        }
        Ok(times)
    }
}

/// Writes entries straight into the file, each for another customer, the last one just now: a delivery and a payment
/// in turn.
fn fill(file: &Path, rider: &Rider, entries: usize) -> Result<()> {
    let mut connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -262_144)?;
    let (plant, account): (PlantId, _) = (rider.auth.account.plant, rider.auth.account.id);
    connection.execute_batch("CREATE TEMP TABLE numbered (number INTEGER PRIMARY KEY, customer BLOB)")?;
    let mut number = connection.prepare("INSERT INTO numbered VALUES (?, ?)")?;
    for (n, customer) in rider.customers.iter().enumerate() {
        number.execute(params![n, customer.as_bytes()])?;
    }
    drop(number);
    let before: usize =
        connection
            .query_row("SELECT rev FROM plants WHERE plant = ?", [plant.as_bytes()], |row| row.get(0))?;
    let now = usize::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    for first in (0..entries).step_by(CHUNK) {
        let tx = connection.transaction()?;
        tx.execute(
            "WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?2)
             INSERT INTO ledger (plant, rev, customer, account, txn, kind, amount, note, role, at, received_at)
             SELECT ?3, ?4 + n + 1, customer, ?5, randomblob(16), iif(n % 2, 'collect_cash', 'confirm_delivery'),
                 iif(n % 2, -15000, 15000), NULL, 'rider', ?6 + n * ?7, ?6 + n * ?7
             FROM n JOIN numbered ON number = (n / 2) % ?8",
            params![
                first,
                (first + CHUNK).min(entries),
                plant.as_bytes(),
                before,
                account.as_bytes(),
                now - entries * STEP,
                STEP,
                CUSTOMERS
            ],
        )?;
        tx.commit()?;
    }
    let tx = connection.transaction()?;
    // A page of a ledger shows what its newest lines came from.
    tx.execute(
        "INSERT INTO mutations (plant, account, txn, actor, seq, body, status, answer, received_at)
         SELECT plant, account, txn, plant, rev, '{}', 'applied', '{}', received_at FROM ledger
         WHERE plant = ?1 AND rev > ?2",
        params![plant.as_bytes(), before + entries.saturating_sub(SHOWN * CUSTOMERS)],
    )?;
    tx.execute(
        "UPDATE customers SET (balance, rev) = (SELECT sum(amount), max(rev) FROM ledger
             WHERE ledger.plant = customers.plant AND ledger.customer = customers.customer)
         WHERE plant = ?1 AND EXISTS (SELECT 1 FROM ledger
             WHERE ledger.plant = customers.plant AND ledger.customer = customers.customer)",
        [plant.as_bytes()],
    )?;
    tx.execute("UPDATE plants SET rev = rev + ?2 WHERE plant = ?1", params![plant.as_bytes(), entries])?;
    Ok(tx.commit()?)
}
