//! The real program over a database.

use carboy_server::store::Location;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

/// Starts a server on a free port.
pub(crate) fn serve(location: &Location) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carboy-server"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    match location {
        Location::Sqlite(path) => command.arg("--data").arg(path.parent().unwrap()),
        Location::Postgres(url) => command.arg("--database").arg(url),
    };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").expect("the first line is the address");
    Process { address: address.to_owned(), child }
}

impl Process {
    /// Ends it with no chance to finish anything.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `is_so`.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}
