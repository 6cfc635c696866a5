//! The runtime: a thread of the core's own that drives a drainer in real time. A caller who loses interest
//! cancels his waiting, never the drain itself.

use crate::observe::Observer;
use crate::transport::Transport;
use crate::{Drainer, Engine, Error, Exchange, Status, Step, Wake};
use async_trait::async_trait;
use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// How long a token provider may take. It may have to ask a sign-in service over the same weak link; one that never
/// answers must not hold up the queue for good.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the drainer's thread may take to close the file. It only ever waits for the disk.
const PAUSE_TIMEOUT: Duration = Duration::from_secs(5);

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

/// Gives the bearer token. Asked only when something is to be sent; recording never needs one. Called on the drainer's
/// thread: one that blocks it holds up everything that is to be sent. After a minute without an answer the token counts
/// as unavailable.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # run(async {
/// struct Kept(String);
///
/// #[async_trait::async_trait]
/// impl TokenProvider for Kept {
///     async fn token(&self, refresh: bool) -> Result<String, TokenError> {
///         if refresh { Err(TokenError::SignedOut) } else { Ok(self.0.clone()) }
///     }
/// }
/// assert_eq!(Kept("7f3a".into()).token(false).await?, "7f3a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token; a new one if `refresh`, because the server refused the last.
    ///
    /// # Errors
    /// [`TokenError`], which says whether a person has to act.
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
    /// Close the file, tell so, and send nothing until [`Wake::Resume`].
    Pause(std::sync::mpsc::Sender<()>),
    /// Tell when there is nothing to do at once any more, or when the time is up.
    Report(Asked),
}

/// Somebody waits for a report.
struct Asked {
    done: oneshot::Sender<SyncReport>,
    /// When to tell at the latest, by [`crate::Clock::elapsed`]. Until then failures are tried again.
    deadline: Option<Duration>,
    /// What was settled and rejected since.
    settled: u64,
    rejected: u64,
}

impl Command {
    fn network(online: bool) -> Self {
        Self::Wake(if online { Wake::Online } else { Wake::Offline })
    }
}

/// Drives the exchange with the server until dropped: one for an engine at a time. May be shared between threads.
/// Dropping it gives up a request under way and waits for the observer to return.
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
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// # let (transport, tokens) = (std::sync::Arc::new(Server::default()), std::sync::Arc::new(Tokens));
    /// # run(async {
    /// let runtime = Runtime::start(engine, transport, tokens, None)?;
    /// runtime.engine().start_shift(Some(route))?; // is sent by itself
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.pending, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let drive = Drive {
            drainer: Drainer::new(engine.clone()),
            engine: engine.clone(),
            transport,
            tokens,
            inbox,
            asked: Vec::new(),
            is_paused: false,
        };
        let thread = std::thread::Builder::new().name("carboy-drainer".into());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                // Settling never awaits: what is given up here is at most a request under way, and its answer
                // comes again as a duplicate.
                tokio::select! {
                    biased;
                    () = stopped.notified() => {}
                    () = drive.run() => {}
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
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.network_changed(false);
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.state, SyncState::Offline);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network_changed(&self, online: bool) {
        self.send(Command::network(online));
    }

    /// The same as a function of its own, for a network monitor that outlives its caller.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// let switch = runtime.network_switch();
    /// std::thread::spawn(move || switch(false)).join().map_err(|_| "the monitor panicked")?;
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.state, SyncState::Offline);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network_switch(&self) -> impl Fn(bool) + Send + Sync + 'static {
        let commands = self.commands.clone();
        move |online| {
            // After the runtime's end there is nobody to tell.
            drop(commands.send(Command::network(online)));
        }
    }

    /// The app came to the front.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.foregrounded();
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert!(report.status.last_contact.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn foregrounded(&self) {
        self.send(Command::Wake(Wake::Now));
    }

    /// Somebody signed in: ask the token provider again.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.signed_in();
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.state, SyncState::Idle);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signed_in(&self) {
        self.send(Command::Wake(Wake::SignedIn));
    }

    /// The app is about to be suspended: finishes or rolls back what is open, and closes the file. When this returns,
    /// the process holds no lock on it (iOS kills an app that is suspended while holding one). A request under way
    /// is given up; its answer comes again. A tap that comes all the same is recorded. Blocks the caller meanwhile: for
    /// as long as the disk takes, and for the drainer's thread five seconds at most.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.pause();
    /// engine.start_shift(None)?; // is recorded and not sent
    /// assert_eq!(engine.status()?.state, SyncState::Paused);
    /// runtime.resume();
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.pending, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self) {
        let (done, closed) = std::sync::mpsc::channel();
        self.send(Command::Pause(done));
        if closed.recv_timeout(PAUSE_TIMEOUT).is_err() {
            tracing::error!("the drainer does not answer; closing the file all the same");
        }
        self.engine.store.pause();
    }

    /// The app runs again after [`Runtime::pause`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.pause();
    /// runtime.resume();
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!(report.status.state, SyncState::Idle);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(&self) {
        self.engine.store.resume();
        self.send(Command::Wake(Wake::Resume));
    }

    /// Exchanges everything with the server now, and returns when nothing is left to do at once: all is sent, or
    /// it has to wait; at once while offline or paused. Dropping the future stops the waiting, not the exchange. `None`
    /// if the runtime has ended, or if the store cannot be read.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// engine.start_shift(None)?;
    /// let report = runtime.sync_now().await.ok_or("the runtime has ended")?;
    /// assert_eq!((report.rejected, report.status.pending), (0, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn sync_now(&self) -> Option<SyncReport> {
        self.send(Command::Wake(Wake::Now));
        self.report(None).await
    }

    /// Exchanges as much as possible within `window`, for work in the background: returns when everything is sent or
    /// nothing can be, at the latest when the time is up. Failures are tried again meanwhile. A paused runtime runs
    /// for as long as this takes and is paused again when it returns. `None` as for [`Runtime::sync_now`].
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.pause();
    /// engine.start_shift(None)?;
    /// let window = std::time::Duration::from_secs(20);
    /// let report = runtime.drain_for(window).await.ok_or("the runtime has ended")?;
    /// assert_eq!((report.settled, report.status.pending), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn drain_for(&self, window: Duration) -> Option<SyncReport> {
        self.report(Some(self.engine.clock.elapsed() + window)).await
    }

    /// Ends the exchange with the server for good, as dropping does, while others still hold on to this: a request under
    /// way is given up, and who waits for a report gets `None`. Recording and asking go on.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// runtime.stop();
    /// engine.start_shift(None)?; // is recorded, and sent by the next runtime over this file
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    async fn report(&self, deadline: Option<Duration>) -> Option<SyncReport> {
        let (done, report) = oneshot::channel();
        self.send(Command::Report(Asked { done, deadline, settled: 0, rejected: 0 }));
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
        self.stop();
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
    drainer: Drainer,
    engine: Arc<Engine>,
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenProvider>,
    inbox: mpsc::UnboundedReceiver<Command>,
    asked: Vec<Asked>,
    /// Whether the shell has paused it, whatever goes on for somebody who asked.
    is_paused: bool,
}

impl Drive {
    async fn run(mut self) {
        loop {
            match self.drainer.step() {
                Step::Token { refresh } => self.ask_for_token(refresh).await,
                Step::Send(exchange) => self.carry(exchange).await,
                Step::Wait(until) => {
                    self.report(|deadline| deadline.is_none_or(|deadline| deadline < until));
                    self.wait(Some(until)).await;
                }
                Step::Sleep => {
                    self.report(|_| true);
                    self.wait(None).await;
                }
            }
            // What the shell said meanwhile comes before the next step.
            while let Ok(command) = self.inbox.try_recv() {
                self.take(command);
            }
            let now = self.engine.clock.elapsed();
            self.report(|deadline| deadline.is_some_and(|deadline| deadline <= now));
        }
    }

    async fn ask_for_token(&mut self, refresh: bool) {
        let tokens = self.tokens.clone();
        let asked = tokio::time::timeout(TOKEN_TIMEOUT, tokens.token(refresh));
        let late = |_| Err(TokenError::Unavailable("the provider does not answer".into()));
        if let Some(token) = self.unless_interrupted(asked).await {
            self.drainer.token(token.unwrap_or_else(late));
        }
    }

    async fn carry(&mut self, exchange: Exchange) {
        let transport = self.transport.clone();
        // What is given up here counts as lost with the next step.
        let Some(reply) = self.unless_interrupted(transport.exchange(exchange)).await else { return };
        if let Some(settled) = self.drainer.reply(reply) {
            for asked in &mut self.asked {
                asked.settled += settled.settled;
                asked.rejected += settled.rejected.len() as u64;
            }
        }
    }

    /// What `work` comes to; `None` if the shell pauses or loses its network meanwhile, or somebody's time is up.
    async fn unless_interrupted<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = sleep_until(&self.engine, deadline) => return None,
                command = self.inbox.recv() => match command {
                    Some(command @ (Command::Pause(_) | Command::Wake(Wake::Offline | Wake::Pause))) => {
                        self.take(command);
                        return None;
                    }
                    Some(command) => self.take(command),
                    None => return None,
                },
            }
        }
    }

    /// Waits for a command or something new to send, until `until` at the latest.
    async fn wait(&mut self, until: Option<Duration>) {
        let until = until.into_iter().chain(self.deadline()).min();
        let backs_off = until.is_some();
        let command = tokio::select! {
            command = self.inbox.recv() => command,
            () = sleep_until(&self.engine, until) => None,
            // While it backs off, another tap changes nothing.
            () = self.engine.signal.recorded(), if !backs_off => None,
        };
        if let Some(command) = command {
            self.take(command);
        }
    }

    /// The first moment at which somebody wants to hear.
    fn deadline(&self) -> Option<Duration> {
        self.asked.iter().filter_map(|asked| asked.deadline).min()
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Wake(wake) => {
                self.is_paused &= wake != Wake::Resume;
                self.wake(wake);
            }
            Command::Pause(done) => {
                self.is_paused = true;
                self.wake(Wake::Pause);
                // Whoever waits hears of it before the file is closed: telling later would open it once more.
                self.report(|_| true);
                self.engine.store.pause();
                if done.send(()).is_err() {
                    tracing::warn!("nobody waits for the pause any more");
                }
            }
            Command::Report(asked) => {
                if asked.deadline.is_some() {
                    self.engine.store.resume();
                    self.wake(Wake::Resume);
                }
                self.asked.push(asked);
            }
        }
    }

    fn pause(&mut self) {
        self.wake(Wake::Pause);
        self.engine.store.pause();
    }

    /// Tells the drainer, and the transport where its connections are dead from here on.
    fn wake(&mut self, wake: Wake) {
        if matches!(wake, Wake::Offline | Wake::Pause) {
            self.transport.disconnect();
        }
        self.drainer.wake(wake);
    }

    /// Tells those whose deadline `is_due`. Once nobody is left, a runtime that the shell had paused rests again.
    fn report(&mut self, is_due: impl Fn(Option<Duration>) -> bool) {
        let asked = std::mem::take(&mut self.asked).into_iter();
        let (due, later): (Vec<_>, _) = asked.partition(|asked| is_due(asked.deadline));
        self.asked = later;
        if due.is_empty() {
            return;
        }
        let status = self.engine.status();
        let had_deadline = due.iter().any(|asked| asked.deadline.is_some());
        if had_deadline && self.is_paused && self.deadline().is_none() {
            self.pause();
        }
        match status {
            Ok(status) => {
                for Asked { done, settled, rejected, .. } in due {
                    // Whoever gave up waiting is not told.
                    drop(done.send(SyncReport { settled, rejected, status: status.clone() }));
                }
            }
            Err(error) => tracing::error!(%error, "no status"),
        }
    }
}

/// Sleeps until that time by the engine's clock, for ever if there is none.
async fn sleep_until(engine: &Engine, until: Option<Duration>) {
    match until {
        Some(until) => tokio::time::sleep(until.saturating_sub(engine.clock.elapsed())).await,
        None => std::future::pending().await,
    }
}
