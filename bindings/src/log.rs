//! The core's log on its way to the shell: formatted where it arises, handed to the sink by a thread of its own. A
//! tap never waits for a sink: lines that find the queue full are dropped, counted, and told of.

use crate::{CarboyError, LogLevel, LogSink};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// How many lines wait for a slow sink: some minutes of a busy phone, at most a few hundred kilobytes.
const QUEUE: usize = 1000;

/// The name of the thread that calls the sink. What arises on it is left out: a sink that calls the core would
/// otherwise answer every line with another.
const THREAD: &str = "carboy-log";

static INSTALLED: Mutex<Option<Log>> = Mutex::new(None);

/// Hands the core's log to `sink` from now on, for the whole process: lines of `level` and above. A second call puts
/// another sink in the place of the first.
///
/// Fails with `Internal` if something else in the process takes the log of Rust code already.
#[uniffi::export]
pub fn set_log_sink(sink: Arc<dyn LogSink>, level: LogLevel) -> Result<(), CarboyError> {
    let mut installed = locked(&INSTALLED);
    if let Some(log) = &*installed {
        return log.replace(sink, level);
    }
    let (log, subscriber) = Log::start(sink, level).map_err(CarboyError::internal)?;
    tracing::subscriber::set_global_default(subscriber).map_err(CarboyError::internal)?;
    *installed = Some(log);
    Ok(())
}

/// What the shell may change about the log once it runs.
struct Log {
    sink: Arc<Mutex<Arc<dyn LogSink>>>,
    level: reload::Handle<LevelFilter, Registry>,
}

struct Line {
    level: LogLevel,
    target: String,
    text: String,
}

/// Where lines wait for the sink.
struct Queue {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

/// Takes one formatted line.
struct Pen<'a> {
    queue: &'a Queue,
    level: LogLevel,
    target: String,
}

impl Log {
    /// Starts the thread that calls the sink. It ends with the subscriber.
    fn start(sink: Arc<dyn LogSink>, level: LogLevel) -> io::Result<(Self, impl Subscriber + Send + Sync)> {
        let (lines, inbox) = sync_channel(QUEUE);
        let (sink, lost) = (Arc::new(Mutex::new(sink)), Arc::new(AtomicU64::new(0)));
        let (current, missing) = (sink.clone(), lost.clone());
        std::thread::Builder::new().name(THREAD.into()).spawn(move || deliver(inbox, &current, &missing))?;
        let (filter, level) = reload::Layer::new(LevelFilter::from_level(level.into()));
        let lines = fmt::layer()
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .with_writer(Queue { lines, lost });
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
        Ok((Self { sink, level }, subscriber))
    }

    fn replace(&self, sink: Arc<dyn LogSink>, level: LogLevel) -> Result<(), CarboyError> {
        *locked(&self.sink) = sink;
        self.level.reload(LevelFilter::from_level(level.into())).map_err(CarboyError::internal)
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Pen<'a>;

    fn make_writer(&'a self) -> Pen<'a> {
        Pen { queue: self, level: LogLevel::Info, target: String::new() }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Pen<'a> {
        Pen { queue: self, level: (*event.level()).into(), target: event.target().to_owned() }
    }
}

impl io::Write for Pen<'_> {
    /// A whole line comes in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if std::thread::current().name() != Some(THREAD) {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            let line = Line { level: self.level, target: self.target.clone(), text };
            if self.queue.lines.try_send(line).is_err() {
                self.queue.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn deliver(inbox: Receiver<Line>, current: &Mutex<Arc<dyn LogSink>>, lost: &AtomicU64) {
    for line in inbox {
        let sink = locked(current).clone();
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let text = format!("{missing} lines were lost");
            let notice = Line { level: Level::WARN.into(), target: module_path!().to_owned(), text };
            if !hand_over(&*sink, notice) {
                lost.fetch_add(missing, Ordering::Relaxed);
            }
        }
        if !hand_over(&*sink, line) {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether the sink took it.
fn hand_over(sink: &dyn LogSink, line: Line) -> bool {
    let Line { level, target, text } = line;
    catch_unwind(AssertUnwindSafe(|| sink.log(level, target, text))).is_ok_and(|taken| taken.is_ok())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogSinkError;
    use std::sync::mpsc::{Sender, channel};
    use tracing::subscriber::with_default;

    /// Passes every line on, after `before` let it.
    struct Probe<F> {
        before: F,
        lines: Mutex<Sender<(LogLevel, String)>>,
    }

    impl<F: Fn(&str) -> Result<(), LogSinkError> + Send + Sync> LogSink for Probe<F> {
        fn log(&self, level: LogLevel, _target: String, line: String) -> Result<(), LogSinkError> {
            (self.before)(&line)?;
            locked(&self.lines).send((level, line)).unwrap();
            Ok(())
        }
    }

    type Lines = Receiver<(LogLevel, String)>;

    fn probe<F>(before: F) -> (Arc<dyn LogSink>, Lines)
    where
        F: Fn(&str) -> Result<(), LogSinkError> + Send + Sync + 'static,
    {
        let (lines, taken) = channel();
        (Arc::new(Probe { before, lines: Mutex::new(lines) }), taken)
    }

    #[test]
    fn a_line_tells_the_event_its_fields_and_those_of_the_span_around_it() {
        let (sink, lines) = probe(|_| Ok(()));
        let (log, subscriber) = Log::start(sink, LogLevel::Debug).unwrap();
        drop(log);
        with_default(subscriber, || {
            let _span = tracing::debug_span!("record", txn_id = 7).entered();
            tracing::trace!("too fine");
            tracing::warn!(pages = 3, "the storage is full");
        });
        let line = (LogLevel::Warn, "record{txn_id=7}: the storage is full pages=3".to_owned());
        assert_eq!(lines.iter().collect::<Vec<_>>(), [line]);
    }

    #[test]
    fn a_sink_that_is_stuck_holds_nobody_up_and_is_told_how_much_it_missed() {
        let gate = Arc::new(Mutex::new(()));
        let shut = locked(&gate);
        let stuck = gate.clone();
        let (sink, lines) = probe(move |_| {
            drop(locked(&stuck));
            Ok(())
        });
        let (log, subscriber) = Log::start(sink, LogLevel::Info).unwrap();
        drop(log);
        let told = 3 * QUEUE;
        with_default(subscriber, || (0..told).for_each(|number| tracing::info!(number)));
        drop(shut);
        let mut taken = 0;
        let mut lost = 0;
        for (_, line) in lines {
            match line.strip_suffix(" lines were lost") {
                Some(count) => lost += count.parse::<usize>().unwrap(),
                None => taken += 1,
            }
        }
        assert!(lost >= told - QUEUE - 1, "{lost}");
        assert_eq!(taken + lost, told);
    }

    #[test]
    fn a_sink_that_throws_or_panics_gets_the_next_line_all_the_same() {
        let (sink, lines) = probe(|line| match line {
            "thrown" => Err(LogSinkError::Failed { detail: "thrown".into() }),
            "panicked" => panic!("a sink's own mistake"),
            _ => Ok(()),
        });
        let (log, subscriber) = Log::start(sink, LogLevel::Info).unwrap();
        drop(log);
        with_default(subscriber, || {
            tracing::info!("thrown");
            tracing::info!("panicked");
            tracing::info!("told");
        });
        let lines: Vec<_> = lines.iter().map(|(_, line)| line).collect();
        assert_eq!(lines.last().map(String::as_str), Some("told"));
        assert!(lines.iter().any(|line| line.ends_with("lines were lost")), "{lines:?}");
    }

    #[test]
    fn a_sink_that_logs_itself_does_not_answer_every_line_with_another() {
        let (sink, lines) = probe(|_| {
            tracing::info!("an echo");
            Ok(())
        });
        // The thread of this sink has the subscriber only if it is the process's.
        set_log_sink(sink, LogLevel::Info).unwrap();
        tracing::info!("told");
        assert_eq!(lines.recv().unwrap().1, "told");

        let (other, told_other) = probe(|_| Ok(()));
        set_log_sink(other, LogLevel::Warn).unwrap();
        tracing::info!("too fine");
        tracing::warn!("told the other");
        assert_eq!(told_other.recv().unwrap().1, "told the other");
        assert_eq!(lines.iter().count(), 0);
    }
}
