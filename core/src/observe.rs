//! Telling a shell that something changed: coalesced, and never while a lock is held.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::Notify;

/// What changed. An observer asks the matching queries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Customers, balances, routes, products.
    Customers,
    /// The shift and its counts.
    Day,
    /// What is waiting to be sent.
    Outbox,
    /// What needs attention.
    Attention,
    /// What the exchange with the server is doing.
    Status,
}

/// A set of changes since the last notice.
pub type Changes = std::collections::BTreeSet<Change>;

/// Is told of changes, on a thread of its own: it may take its time and may call the engine. While it does,
/// further changes gather into its next notice.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let (engine, customer, route, _folder) = phone();
/// # use std::sync::{Arc, mpsc};
/// struct Screen(mpsc::Sender<Changes>);
///
/// impl Observer for Screen {
///     fn changed(&self, changes: Changes) {
///         drop(self.0.send(changes)); // a screen that is gone wants no more
///     }
/// }
/// let (sender, changes) = mpsc::channel();
/// let screen = Arc::new(Screen(sender));
/// let runtime = Runtime::start(engine, Arc::new(Server::default()), Arc::new(Tokens), Some(screen))?;
/// runtime.engine().start_shift(None)?;
/// assert!(changes.iter().any(|changes| changes.contains(&Change::Day)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Observer: Send + Sync {
    /// Something changed since the last call.
    fn changed(&self, changes: Changes);
}

#[derive(Default)]
struct Pending {
    changes: Changes,
    stopped: bool,
}

/// Where changes gather until the observer takes them.
#[derive(Default, Clone)]
pub(crate) struct Signal {
    pending: Arc<(Mutex<Pending>, Condvar)>,
    recorded: Arc<Notify>,
}

impl Signal {
    pub(crate) fn raise(&self, changes: &[Change]) {
        let (pending, changed) = &*self.pending;
        pending.lock().unwrap_or_else(PoisonError::into_inner).changes.extend(changes);
        changed.notify_one();
    }

    /// Tells the drainer that there is something new to send.
    pub(crate) fn wake_drainer(&self) {
        self.recorded.notify_one();
    }

    /// Waits until there is something new to send. Cancel-safe.
    pub(crate) async fn recorded(&self) {
        self.recorded.notified().await;
    }

    /// Starts telling `observer`, until [`Signal::stop`].
    pub(crate) fn tell(&self, observer: Arc<dyn Observer>) -> std::io::Result<JoinHandle<()>> {
        let signal = self.clone();
        signal.pending.0.lock().unwrap_or_else(PoisonError::into_inner).stopped = false;
        std::thread::Builder::new().name("carboy-observer".into()).spawn(move || {
            while let Some(changes) = signal.wait() {
                observer.changed(changes);
            }
        })
    }

    fn wait(&self) -> Option<Changes> {
        let (pending, changed) = &*self.pending;
        let mut pending = changed
            .wait_while(pending.lock().unwrap_or_else(PoisonError::into_inner), |pending| {
                pending.changes.is_empty() && !pending.stopped
            })
            .unwrap_or_else(PoisonError::into_inner);
        let changes = std::mem::take(&mut pending.changes);
        // What changed before the stop is still told.
        (!changes.is_empty()).then_some(changes)
    }

    pub(crate) fn stop(&self) {
        let (pending, changed) = &*self.pending;
        pending.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        changed.notify_all();
    }
}
