//! The runtime: a thread of the core's own that drives a drainer in real time. A caller who loses interest
//! cancels his waiting, never the drain itself.

use crate::observe::Observer;
use crate::transport::Transport;
use crate::{Drainer, Engine, Error, Settled, Status, Step, Wake};
use async_trait::async_trait;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// How long a token provider may take. It may have to ask a sign-in service over the same weak link; one that never
/// answers must not hold up the queue for good.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a token provider has no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody is signed in: a person has to act.
    #[error("nobody is signed in")]
    SignedOut,
    /// It cannot be had at the moment; it is asked for again later.
    #[error("no token at the moment: {0}")]
    Unavailable(String),
}

/// Gives the bearer token. Asked only when something is to be sent; recording never needs one.
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token; a new one if `refresh`, because the server refused the last.
    async fn token(&self, refresh: bool) -> Result<String, TokenError>;
}

/// What an asked-for exchange with the server came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReport {
    /// How many mutations were settled meanwhile.
    pub settled: u64,
    /// How many of those the server did not accept.
    pub rejected: u64,
    /// How things stand now.
    pub status: Status,
}

enum Command {
    Wake(Wake),
    /// Tell when there is nothing to do at once any more.
    Report(oneshot::Sender<SyncReport>),
}

impl Command {
    fn network(online: bool) -> Self {
        Self::Wake(if online { Wake::Online } else { Wake::Offline })
    }
}

/// Drives the exchange with the server until dropped. May be shared between threads.
pub struct Runtime {
    engine: Arc<Engine>,
    commands: mpsc::UnboundedSender<Command>,
    stop: Arc<Notify>,
    threads: Vec<JoinHandle<()>>,
}

impl Runtime {
    /// Starts the drainer's thread, and the observer's if there is one.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        engine: Arc<Engine>,
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenProvider>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Store(format!("no thread: {error}"));
        let (commands, inbox) = mpsc::unbounded_channel();
        let mut threads = Vec::new();
        if let Some(observer) = observer {
            threads.push(engine.signal.tell(observer).map_err(failed)?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let drive = Drive { engine: engine.clone(), transport, tokens, inbox, waiting: Vec::new() };
        let thread = std::thread::Builder::new().name("carboy-drainer".into());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                // Settling never awaits: what is given up here is at most a request under way, and its answer
                // comes again as a duplicate.
                tokio::select! {
                    () = drive.run() => {}
                    () = stopped.notified() => {}
                }
            });
        });
        threads.push(thread.map_err(failed)?);
        Ok(Self { engine, commands, stop, threads })
    }

    /// The engine whose outbox is drained.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The shell says whether there is a network. While there is none, nothing is tried.
    pub fn network_changed(&self, online: bool) {
        self.send(Command::network(online));
    }

    /// The same as a function of its own, for a network monitor that outlives its caller.
    pub fn network_switch(&self) -> impl Fn(bool) + Send + Sync + 'static {
        let commands = self.commands.clone();
        move |online| {
            // After the runtime's end there is nobody to tell.
            drop(commands.send(Command::network(online)));
        }
    }

    /// The app came to the front.
    pub fn foregrounded(&self) {
        self.send(Command::Wake(Wake::Now));
    }

    /// Somebody signed in: ask the token provider again.
    pub fn signed_in(&self) {
        self.send(Command::Wake(Wake::SignedIn));
    }

    /// Exchanges everything with the server now, and returns when nothing is left to do at once: all is sent, or
    /// it has to wait. Dropping the future stops the waiting, not the exchange.
    pub async fn sync_now(&self) -> Option<SyncReport> {
        let (done, report) = oneshot::channel();
        self.send(Command::Wake(Wake::Now));
        self.send(Command::Report(done));
        report.await.ok()
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::error!("the drainer's thread is gone");
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.notify_one();
        self.engine.signal.stop();
        for thread in self.threads.drain(..) {
            // The last owner may be the observer itself, on its own thread.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the runtime panicked");
            }
        }
    }
}

struct Drive {
    engine: Arc<Engine>,
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenProvider>,
    inbox: mpsc::UnboundedReceiver<Command>,
    /// Who asked for a report, with what was settled and rejected since.
    waiting: Vec<(oneshot::Sender<SyncReport>, u64, u64)>,
}

impl Drive {
    async fn run(mut self) {
        let mut drainer = Drainer::new(self.engine.clone());
        loop {
            let command = match drainer.step() {
                Step::Token { refresh } => {
                    let asked = tokio::time::timeout(TOKEN_TIMEOUT, self.tokens.token(refresh)).await;
                    let late = |_| Err(TokenError::Unavailable("the provider does not answer".into()));
                    drainer.token(asked.unwrap_or_else(late));
                    None
                }
                Step::Send(exchange) => {
                    let reply = self.transport.exchange(exchange).await;
                    if let Some(settled) = drainer.reply(reply) {
                        self.count(&settled);
                    }
                    None
                }
                Step::Wait(until) => {
                    self.report();
                    let delay = until.saturating_sub(self.engine.clock.elapsed());
                    tokio::select! {
                        command = self.inbox.recv() => command,
                        () = tokio::time::sleep(delay) => None,
                    }
                }
                Step::Sleep => {
                    self.report();
                    tokio::select! {
                        command = self.inbox.recv() => command,
                        () = self.engine.signal.recorded() => None,
                    }
                }
            };
            // What the shell said meanwhile comes before the next step.
            let mut command = command.or_else(|| self.inbox.try_recv().ok());
            while let Some(next) = command {
                match next {
                    Command::Wake(wake) => drainer.wake(wake),
                    Command::Report(done) => self.waiting.push((done, 0, 0)),
                }
                command = self.inbox.try_recv().ok();
            }
        }
    }

    fn count(&mut self, settled: &Settled) {
        for (_, count, rejected) in &mut self.waiting {
            *count += settled.settled;
            *rejected += settled.rejected.len() as u64;
        }
    }

    /// There is nothing to do at once: tells those who wait for that.
    fn report(&mut self) {
        for (done, settled, rejected) in self.waiting.drain(..) {
            match self.engine.status() {
                // Whoever gave up waiting is not told.
                Ok(status) => drop(done.send(SyncReport { settled, rejected, status })),
                Err(error) => tracing::error!(%error, "no status"),
            }
        }
    }
}
