//! What the server counts about itself, for Prometheus. Labels are from small fixed sets: no names, no ids, nothing
//! that a client chooses.

use crate::apply::Outcome;
use carboy_protocol::wire::{Answer, Refusal};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The type of what [`Metrics::text`] gives.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the buckets for times, in seconds: from a read in memory to a disk that is stuck.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Upper ends of the buckets for mutations in a batch.
const BATCH: [f64; 8] = [0.0, 1.0, 5.0, 20.0, 50.0, 100.0, 500.0, 1000.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mutated {
    kind: &'static str,
    outcome: &'static str,
}

/// One label that says which of a few it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Debug, Clone, Copy)]
struct Times;

impl MetricConstructor<Histogram> for Times {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

/// What one server counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Served, Counter>,
    request_seconds: Family<Route, Histogram, Times>,
    mutations: Family<Mutated, Counter>,
    batch: Histogram,
    feed_items: Counter,
    refusals: Family<Of, Counter>,
    failed_sign_ins: Family<Of, Counter>,
    store_seconds: Family<Of, Histogram, Times>,
    connections: Gauge,
    pool_open: Gauge,
    pool_idle: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("carboy"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(Times),
            mutations: Family::default(),
            batch: Histogram::new(BATCH),
            feed_items: Counter::default(),
            refusals: Family::default(),
            failed_sign_ins: Family::default(),
            store_seconds: Family::new_with_constructor(Times),
            connections: Gauge::default(),
            pool_open: Gauge::default(),
            pool_idle: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(Build { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "The program that runs", build);
        registry.register("http_requests", "Requests answered", self.requests.clone());
        let times = self.request_seconds.clone();
        registry.register_with_unit("http_request", "Time to a reply's head", Unit::Seconds, times);
        registry.register("mutations", "Mutations settled", self.mutations.clone());
        registry.register("batch_mutations", "Mutations in one sync", self.batch.clone());
        registry.register("feed_items", "Changes sent to phones", self.feed_items.clone());
        registry.register("sync_refusals", "Syncs refused", self.refusals.clone());
        let failed = self.failed_sign_ins.clone();
        registry.register("failed_sign_ins", "Passwords, codes and tokens that were not good", failed);
        let times = self.store_seconds.clone();
        registry.register_with_unit("store", "Time of a transaction, waiting included", Unit::Seconds, times);
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("database_connections", "Connections to PostgreSQL", self.pool_open.clone());
        let idle = self.pool_idle.clone();
        registry.register("database_connections_idle", "Those of them that wait for work", idle);
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Takes note of a request; `route` is the template and not the path.
    pub(crate) fn request(&self, method: &'static str, route: &str, status: u16, time: Duration) {
        let route = route.to_owned();
        self.request_seconds.get_or_create(&Route { route: route.clone() }).observe(time.as_secs_f64());
        self.requests.get_or_create(&Served { method, route, status }).inc();
    }

    /// Takes note of a mutation that was settled and committed.
    pub(crate) fn settled(&self, outcome: &Outcome) {
        let Outcome { answer, duplicate, kind } = outcome;
        let outcome = match answer {
            _ if *duplicate => "duplicate",
            Answer::Applied { .. } => "applied",
            Answer::Rejected { .. } => "rejected",
            Answer::Parked => "parked",
        };
        self.mutations.get_or_create(&Mutated { kind, outcome }).inc();
    }

    /// Takes note of a sync that was answered.
    pub(crate) fn synced(&self, outcomes: &[Outcome], feed_items: usize) {
        outcomes.iter().for_each(|outcome| self.settled(outcome));
        self.batch.observe(u32::try_from(outcomes.len()).map_or(f64::MAX, f64::from));
        self.feed_items.inc_by(feed_items as u64);
    }

    /// Takes note of a sync that was refused.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        let r#type = match refusal {
            Refusal::Malformed { .. } => "malformed",
            Refusal::SignIn { .. } => "sign_in",
            Refusal::Gap { .. } => "gap",
            Refusal::Forked { .. } => "forked",
            Refusal::Hashes => "hashes",
            Refusal::UnknownPhoto => "unknown_photo",
            Refusal::TooLarge { .. } => "too_large",
            Refusal::Upgrade { .. } => "upgrade",
            Refusal::Busy => "busy",
            Refusal::Internal => "internal",
        };
        self.refusals.get_or_create(&Of { r#type }).inc();
    }

    /// Takes note of a `password`, `code` or `token` that was not good.
    pub(crate) fn failed_sign_in(&self, r#type: &'static str) {
        self.failed_sign_ins.get_or_create(&Of { r#type }).inc();
    }

    /// Takes note of a `read` or `write` of the store.
    pub(crate) fn store(&self, r#type: &'static str, time: Duration) {
        self.store_seconds.get_or_create(&Of { r#type }).observe(time.as_secs_f64());
    }

    /// Takes note of the connections to another process that holds the database.
    pub(crate) fn pool(&self, open: usize, idle: usize) {
        self.pool_open.set(i64::try_from(open).unwrap_or(i64::MAX));
        self.pool_idle.set(i64::try_from(idle).unwrap_or(i64::MAX));
    }

    /// The number of open connections, to be counted up and down.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }
}
