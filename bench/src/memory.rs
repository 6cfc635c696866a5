//! Resident memory while half a million records are drained, against idle, in a process of its own.

use crate::filled::Filled;
use crate::marks::Marks;
use crate::world::{options, reply_of, unzipped};
use anyhow::{Context, Result, bail, ensure};
use carboy_core::{Drainer, Engine, Exchange, Identity, Reply, Step};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::{Answer, FeedItem, LedgerEntry, Settlement, SyncReply, SyncRequest};
use carboy_protocol::{AccountId, CustomerId, Day, Money, Role, Tally};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// Drains the full store in a child process.
pub(crate) fn run(filled: &Filled, marks: &mut Marks) -> Result<()> {
    let identity = &filled.world.identity;
    let child = Command::new(std::env::current_exe()?)
        .arg("--drained")
        .arg(filled.copied(filled.half())?)
        .args([identity.plant.to_string(), identity.account.to_string()])
        .output()?;
    let report = String::from_utf8(child.stdout)?;
    ensure!(child.status.success(), "the child failed: {}", String::from_utf8_lossy(&child.stderr));
    let [idle, peak, settled, exchanges, seconds] = report
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<Vec<u32>, _>>()?
        .try_into()
        .map_err(|_| anyhow::anyhow!("the child said {report:?}"))?;
    let mib = |kib: u32| f64::from(kib) / 1024.0;
    println!(
        "draining {settled} records in {exchanges} round trips and {seconds} s, in a process of its own"
    );
    println!("  resident when idle {:.1} MiB, at most {:.1} MiB", mib(idle), mib(peak));
    marks.at_most("resident while draining, above idle", mib(peak) - mib(idle), 32.0, " MiB");
    Ok(())
}

/// The child: opens the store, drains it and prints what it took.
pub(crate) fn drain(arguments: &[String]) -> Result<()> {
    let [folder, plant, account] = arguments else { bail!("expected folder, plant and account") };
    let identity = Identity { plant: plant.parse()?, account: account.parse()?, currency: "KES".parse()? };
    let engine = Arc::new(Engine::open(&options(Path::new(folder), &identity)?)?);
    for route in engine.routes()? {
        engine.stops(route.route)?;
    }
    let pending = engine.status()?.pending;
    let idle = figure("self", "VmRSS:")?;
    let mut drainer = Drainer::new(engine.clone());
    let mut server = Agreeing::new(identity.account);
    let (start, mut exchanges) = (Instant::now(), 0);
    loop {
        match drainer.step() {
            Step::Token { .. } => drainer.token(Ok("token".into())),
            Step::Send(exchange) => {
                exchanges += 1;
                let reply = server.answer(&exchange)?;
                drop(exchange);
                drainer.reply(Ok(reply));
            }
            Step::Sleep => break,
            Step::Wait(_) => bail!("the drainer waits: {:?}", engine.status()?.state),
        }
    }
    let left = engine.status()?.pending;
    ensure!(left == 0, "{left} are still pending: {:?}", engine.status()?.state);
    let peak = figure("self", "VmHWM:")?;
    println!("{idle} {peak} {pending} {exchanges} {}", start.elapsed().as_secs());
    Ok(())
}

/// A figure of a process, in KiB.
pub(crate) fn figure(process: &str, name: &str) -> Result<u32> {
    let file = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&file).context("memory is measured on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|rest| rest.split_whitespace().next());
    Ok(figure.with_context(|| format!("no {name} in {file}"))?.parse()?)
}

/// A server that applies everything and keeps nothing but sums. Its replies hold what a real one's do: the results, a
/// ledger line each, the customers' balances and the rider's day.
pub(crate) struct Agreeing {
    author: AccountId,
    rev: u64,
    balances: BTreeMap<CustomerId, Money>,
    day: Day,
}

impl Agreeing {
    pub(crate) fn new(author: AccountId) -> Self {
        Self { author, rev: 0, balances: BTreeMap::new(), day: Day::default() }
    }

    pub(crate) fn answer(&mut self, exchange: &Exchange) -> Result<Reply> {
        let request: SyncRequest = serde_json::from_slice(&unzipped(exchange)?)?;
        self.rev = self.rev.max(request.cursor);
        let (mut results, mut feed) = (Vec::new(), Vec::new());
        let mut touched = BTreeMap::new();
        for (seq, body) in (request.first_seq..).zip(&request.mutations) {
            self.rev += 1;
            let answer = Answer::Applied { rev: self.rev };
            results.push(Settlement { seq, answer, duplicate: false });
            let Parsed::Known(mutation) = Parsed::of(body.get()) else { bail!("not a mutation: {body}") };
            let tally = Tally::of(&mutation.action);
            self.day.in_all.add(&tally);
            self.day.in_shift.add(&tally);
            let Some((customer, amount)) = mutation.action.customer().zip(mutation.action.ledger_amount()?)
            else {
                continue;
            };
            let balance = self.balances.entry(customer).or_insert(Money::new(0, amount.currency));
            *balance = balance.plus(amount)?;
            touched.insert(customer, *balance);
            feed.push(FeedItem::Entry(LedgerEntry {
                txn: mutation.txn,
                customer,
                kind: mutation.action.kind().to_owned(),
                amount,
                note: None,
                role: Role::Rider,
                author: self.author,
                at: mutation.at,
                rev: self.rev,
            }));
        }
        feed.extend(touched.into_iter().map(|(customer, balance)| FeedItem::Customer {
            customer,
            balance,
            profile: None,
            visit: None,
            closed: false,
        }));
        let (actor, cursor, day) = (request.actor, self.rev, Some(self.day.clone()));
        let reply = SyncReply { actor, results, feed, cursor, more: false, day };
        Ok(reply_of(&serde_json::to_vec(&reply)?)?)
    }
}
