//! Suspended, woken in the background, signed out, two riders on one phone: nothing waits for a network that is not
//! there, and nothing is lost.
#![allow(clippy::unwrap_used)]

mod support;

use async_trait::async_trait;
use carboy_core::{
    Body, Engine, Error, Exchange, LinkError, Options, Reply, Runtime, SignOut, SignedOut, SyncState,
    TokenError, TokenProvider, Transport, accounts,
};
use carboy_protocol::wire::{FeedItem, MAX_BATCH, SyncReply, SyncRequest};
use carboy_protocol::{AccountId, Field};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Long enough for anything here, and never waited for in full.
const LONG: Duration = Duration::from_secs(60);

/// A server that applies everything, or a link on which nothing ever comes back.
#[derive(Default)]
struct Fake {
    is_dead: bool,
    feed: Mutex<Vec<FeedItem>>,
    asked: AtomicUsize,
    disconnected: AtomicUsize,
}

#[async_trait]
impl Transport for Fake {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, LinkError> {
        self.asked.fetch_add(1, SeqCst);
        if self.is_dead {
            std::future::pending::<()>().await;
        }
        let Body::Json(body) = &exchange.body else { panic!("{}", exchange.path) };
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut json).unwrap();
        let request: SyncRequest = serde_json::from_slice(&json).unwrap();
        let feed = std::mem::take(&mut *self.feed.lock().unwrap());
        let reply: SyncReply = applied(&request, request.cursor + 1, feed, request.cursor + 1_000);
        let body = serde_json::to_vec(&reply).unwrap();
        Ok(Reply { status: 200, protocol: Some("1".into()), body, ..Reply::default() })
    }

    fn disconnect(&self) {
        self.disconnected.fetch_add(1, SeqCst);
    }
}

struct Tokens;

#[async_trait]
impl TokenProvider for Tokens {
    async fn token(&self, _: bool) -> Result<String, TokenError> {
        Ok("token".into())
    }
}

fn real_time(folder: &Path) -> Options {
    Options::new(folder, identity(), keys())
}

fn start(options: &Options, transport: Arc<Fake>) -> Runtime {
    let engine = Arc::new(Engine::open(options).unwrap());
    Runtime::start(engine, transport, Arc::new(Tokens), None).unwrap()
}

/// A runtime whose phone has fetched the plant.
fn running(folder: &Path) -> (Runtime, Arc<Fake>) {
    let fake = Arc::new(Fake { feed: Mutex::new(plant()), ..Fake::default() });
    let runtime = start(&real_time(folder), fake.clone());
    block_on(runtime.sync_now()).unwrap();
    (runtime, fake)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// How many of this process's descriptors are of the account's file.
#[cfg(target_os = "linux")]
fn descriptors(folder: &Path) -> usize {
    let name = file(folder).to_str().unwrap().to_owned();
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    links
        .filter_map(|link| std::fs::read_link(link.path()).ok())
        .filter(|path| path.to_string_lossy().starts_with(&name))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_paused_phone_has_no_file_open_and_still_records() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, fake) = running(folder.path());
    assert!(descriptors(folder.path()) > 0);
    runtime.pause();
    assert_eq!(descriptors(folder.path()), 0);
    let asked = fake.asked.load(SeqCst);
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    assert_eq!(runtime.engine().customer(customer(1)).unwrap().balance, kes(9_500));
    let report = block_on(runtime.sync_now()).unwrap();
    assert_eq!((report.status.state, report.status.pending), (SyncState::Paused, 1));
    assert_eq!((descriptors(folder.path()), fake.asked.load(SeqCst)), (0, asked));
    runtime.resume();
    let report = block_on(runtime.sync_now()).unwrap();
    assert_eq!((report.status.state, report.status.pending), (SyncState::Idle, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_window_in_the_background_sends_and_leaves_the_phone_paused() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, _) = running(folder.path());
    runtime.pause();
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    let report = block_on(runtime.drain_for(LONG)).unwrap();
    assert_eq!((report.settled, report.status.pending), (1, 0));
    assert_eq!(descriptors(folder.path()), 0);
    assert_eq!(runtime.engine().status().unwrap().state, SyncState::Paused);
}

#[test]
fn a_window_ends_in_time_on_a_dead_link() {
    let folder = tempfile::tempdir().unwrap();
    drop(running(folder.path()));
    let dead = Arc::new(Fake { is_dead: true, ..Fake::default() });
    let runtime = start(&real_time(folder.path()), dead);
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    let report = block_on(runtime.drain_for(Duration::from_millis(50))).unwrap();
    assert_eq!((report.settled, report.status.pending), (0, 1));
    // Pausing gives up the request under way: this returns.
    runtime.pause();
}

#[test]
fn giving_up_waiting_for_a_sync_does_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, _) = running(folder.path());
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    drop(runtime.sync_now());
    block_on(async {
        let waiting = runtime.sync_now();
        tokio::select! { biased; () = std::future::ready(()) => {}, _ = waiting => {} }
    });
    assert_eq!(block_on(runtime.drain_for(LONG)).unwrap().status.pending, 0);
}

#[test]
fn losing_the_network_gives_up_the_request_under_way() {
    let folder = tempfile::tempdir().unwrap();
    drop(running(folder.path()));
    let dead = Arc::new(Fake { is_dead: true, ..Fake::default() });
    let runtime = start(&real_time(folder.path()), dead.clone());
    runtime.network_changed(false);
    let report = block_on(runtime.sync_now()).unwrap();
    assert_eq!(report.status.state, SyncState::Offline);
}

#[test]
fn a_phone_without_network_or_in_the_background_keeps_no_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, fake) = running(folder.path());
    let disconnected = || {
        block_on(runtime.sync_now()).unwrap();
        fake.disconnected.load(SeqCst)
    };
    assert_eq!(disconnected(), 0);
    runtime.network_changed(false);
    assert_eq!(disconnected(), 1);
    runtime.network_changed(true);
    runtime.pause();
    assert_eq!(disconnected(), 2);
    block_on(runtime.drain_for(LONG)).unwrap();
    assert_eq!(disconnected(), 3, "a window in the background ends as it began");
}

#[test]
fn signing_out_with_unsent_work_needs_a_choice() {
    let folder = tempfile::tempdir().unwrap();
    drop(running(folder.path()));
    let dead = Arc::new(Fake { is_dead: true, ..Fake::default() });
    let runtime = start(&real_time(folder.path()), dead);
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    for choice in [SignOut::IfDone, SignOut::SendFirst(Duration::from_millis(20))] {
        let refused = block_on(runtime.sign_out(choice));
        assert!(
            matches!(refused, Err(Error::PendingWork { mutations: 1, photos: 0, refused: 0 })),
            "{refused:?}"
        );
    }
    // Nothing has changed: the rider goes on.
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    let sealed = block_on(runtime.sign_out(SignOut::KeepSealed)).unwrap();
    assert_eq!(sealed, SignedOut::Sealed { pending: 2 });
    assert!(matches!(runtime.engine().collect_cash(customer(1), kes(5)), Err(Error::SignedOut)));
    assert!(matches!(runtime.engine().status(), Err(Error::SignedOut)));
    drop(runtime);
    // The same rider signs in again.
    assert_eq!(Engine::open(&real_time(folder.path())).unwrap().status().unwrap().pending, 2);
}

#[test]
fn signing_out_with_a_refused_mutation_keeps_it_for_the_rider() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, _) = running(folder.path());
    raw(&file(folder.path()))
        .execute("INSERT INTO attention (id, reason, detail, body) VALUES (1, 'forbidden', '', '{}')", [])
        .unwrap();
    let refused = block_on(runtime.sign_out(SignOut::IfDone));
    assert!(
        matches!(refused, Err(Error::PendingWork { mutations: 0, photos: 0, refused: 1 })),
        "{refused:?}"
    );
    let sealed = block_on(runtime.sign_out(SignOut::KeepSealed)).unwrap();
    assert_eq!(sealed, SignedOut::Sealed { pending: 0 });
}

#[test]
fn signing_out_when_all_is_sent_leaves_nothing_on_the_phone() {
    let folder = tempfile::tempdir().unwrap();
    let options = real_time(folder.path());
    let fake = Arc::new(Fake { feed: Mutex::new(plant()), ..Fake::default() });
    let runtime = start(&options, fake);
    block_on(runtime.sync_now()).unwrap();
    runtime.engine().collect_cash(customer(1), kes(500)).unwrap();
    let removed = block_on(runtime.sign_out(SignOut::SendFirst(LONG))).unwrap();
    assert_eq!(removed, SignedOut::Removed);
    drop(runtime);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let name = format!("carboy.{}.device", identity().account);
    assert_eq!(options.keys.load(&name), Ok(None));
}

#[test]
fn an_export_holds_every_unsent_mutation_as_signed_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, _) = running(folder.path());
    runtime.network_changed(false);
    block_on(runtime.sync_now()).unwrap();
    let count = MAX_BATCH + 3;
    for _ in 0..count {
        runtime.engine().collect_cash(customer(1), kes(1)).unwrap();
    }
    let export = folder.path().join("export.jsonl");
    let sealed = block_on(runtime.sign_out(SignOut::Export(export.clone()))).unwrap();
    assert_eq!(sealed, SignedOut::Sealed { pending: count as u64 });
    let text = std::fs::read_to_string(export).unwrap();
    let requests: Vec<SyncRequest> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sizes: Vec<_> = requests.iter().map(|request| (request.first_seq, request.mutations.len())).collect();
    assert_eq!(sizes, [(1, MAX_BATCH), (MAX_BATCH as u64 + 1, 3)]);
    let key = carboy_protocol::DeviceKey::from_seed([7; 32]).public();
    for request in requests {
        let last = request.first_seq + request.mutations.len() as u64 - 1;
        assert!(key.verifies_head(request.actor, last, request.head, &request.signature));
    }
}

#[test]
fn two_riders_share_a_phone_and_never_see_each_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = running(folder.path());
    first.network_changed(false);
    block_on(first.sync_now()).unwrap();
    first.engine().collect_cash(customer(1), kes(500)).unwrap();
    let other = AccountId::from_bytes([3; 16]);
    let options = real_time(folder.path());
    let other = Options { identity: carboy_core::Identity { account: other, ..identity() }, ..options };
    let second = Engine::open(&other).unwrap();
    assert_eq!(second.status().unwrap().pending, 0);
    let stored: Vec<_> = accounts(folder.path(), &*other.keys)
        .unwrap()
        .into_iter()
        .map(|stored| (stored.account, stored.pending))
        .collect();
    assert_eq!(stored, [(identity().account, 1), (other.identity.account, 0)]);
    assert!(accounts(&folder.path().join("none"), &*keys()).unwrap().is_empty());
}

#[test]
fn diagnostics_tell_what_waits_and_nothing_personal() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, _) = running(folder.path());
    runtime.network_changed(false);
    block_on(runtime.sync_now()).unwrap();
    let fields = [(Field::Name, "Wanjiku".to_owned()), (Field::Phone, "0711 222 333".to_owned())];
    let added = runtime.engine().add_customer(fields.into(), None).unwrap();
    runtime.engine().hand_in_cash(kes(500), Some("to Grace".into())).unwrap();
    let path = folder.path().join("diagnostics.json");
    runtime.engine().export_diagnostics(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    for personal in ["Wanjiku", "0711", "Grace", "Customer 1", &"07".repeat(32), &"08".repeat(32)] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    for told in
        [&added.txn.to_string(), "add_customer", "masked, 7 characters", "Offline", "\"check\": \"ok\""]
    {
        assert!(text.contains(told), "no {told} in {text}");
    }
}
