//! Whoever watches is told of changes together, on a thread of its own, and may ask the engine meanwhile.
#![allow(clippy::unwrap_used)]

mod support;

use async_trait::async_trait;
use carboy_core::{
    Change, Changes, Engine, Exchange, LinkError, Observer, Reply, Runtime, SyncState, TokenError,
    TokenProvider, Transport,
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use support::*;

struct NoLink;

#[async_trait]
impl Transport for NoLink {
    async fn exchange(&self, _: Exchange) -> Result<Reply, LinkError> {
        std::future::pending().await
    }
}

#[async_trait]
impl TokenProvider for NoLink {
    async fn token(&self, _: bool) -> Result<String, TokenError> {
        Ok("token".into())
    }
}

/// Tells of each notice with the balance that it sees, and returns when it is let go.
struct Slow {
    engine: Arc<Engine>,
    told: Mutex<Sender<(Changes, i64)>>,
    go: Mutex<Receiver<()>>,
}

impl Observer for Slow {
    fn changed(&self, changes: Changes) {
        let balance = self.engine.customer(customer(1)).unwrap().balance.minor;
        self.told.lock().unwrap().send((changes, balance)).unwrap();
        self.go.lock().unwrap().recv().unwrap();
    }
}

#[test]
fn changes_gather_while_the_observer_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Phone::with_plant(folder.path()).engine;
    let (told, notices) = channel();
    let (go, released) = channel();
    let slow = Slow { engine: engine.clone(), told: Mutex::new(told), go: Mutex::new(released) };
    let link = Arc::new(NoLink);
    let runtime = Runtime::start(engine.clone(), link.clone(), link, Some(Arc::new(slow))).unwrap();
    // At rest: from here on only the rider changes anything.
    runtime.network_changed(false);
    let at_rest = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(runtime.sync_now());
    assert_eq!(at_rest.unwrap().status.state, SyncState::Offline);
    engine.collect_cash(customer(1), kes(1)).unwrap();
    // Up to the notice of that; what the start itself changed may come before or with it.
    while !notices.recv().unwrap().0.contains(&Change::Customers) {
        go.send(()).unwrap();
    }
    for _ in 0..50 {
        engine.collect_cash(customer(1), kes(1)).unwrap();
    }
    go.send(()).unwrap();
    let (changes, balance) = notices.recv().unwrap();
    for change in [Change::Customers, Change::Day, Change::Outbox, Change::Status] {
        assert!(changes.contains(&change), "{changes:?}");
    }
    assert!(!changes.contains(&Change::Attention));
    assert_eq!(balance, 10_000 - 51);
    // Fifty records made one notice.
    assert!(notices.try_recv().is_err());
    // Nobody may be left waiting when the runtime ends.
    go.send(()).unwrap();
    drop(runtime);
}
