//! How long tests wait: nothing is waited for without an end, and what does not come is told.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests: each file uses its part"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `is_so`.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The next of what a thread sends; `None` once it has ended.
pub fn next<T>(what: &str, receiver: &Receiver<T>) -> Option<T> {
    match receiver.recv_timeout(PATIENCE) {
        Ok(next) => Some(next),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("{what}: not after {PATIENCE:?}"),
    }
}

/// What `work` gives, which waits for something that may not come.
pub fn given<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    next(what, &receiver).unwrap_or_else(|| panic!("{what}: its thread panicked"))
}

/// The first line that a program prints. Its output stays open for as long as the rest is kept.
pub fn first_line(process: &mut Child) -> (String, BufReader<ChildStdout>) {
    let mut out = BufReader::new(process.stdout.take().expect("its output is a pipe"));
    given("its first line", move || {
        let mut line = String::new();
        out.read_line(&mut line).map(|_| (line, out)).unwrap()
    })
}

/// How a program ended.
pub fn ended(process: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the program's end", || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// What a program printed, and how it ended.
pub fn output(command: &mut Command) -> Output {
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    output_of(process.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// The same of one that runs already.
pub fn output_of(process: Child) -> Output {
    let pid = process.id().to_string();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(process.wait_with_output()));
    receiver.recv_timeout(PATIENCE).map_or_else(
        |_| {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
            panic!("the program's end: not after {PATIENCE:?}");
        },
        Result::unwrap,
    )
}

/// A client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(PATIENCE)).build().new_agent()
}
