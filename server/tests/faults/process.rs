//! The real program over a database.

use crate::patience;
use carboy_server::store::Location;
use std::io::BufReader;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running server.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    /// Open, so that what it prints finds somebody.
    _out: BufReader<ChildStdout>,
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
    let (line, out) = patience::first_line(&mut child);
    let address = line.trim().strip_prefix("listening on ").expect("the first line is the address");
    Process { address: address.to_owned(), child, _out: out }
}

impl Process {
    /// Ends it with no chance to finish anything.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().unwrap();
        patience::ended(&mut self.child);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
