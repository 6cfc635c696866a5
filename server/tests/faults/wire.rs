//! The way between a server and PostgreSQL, which breaks when a test says so.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happens to the next COMMIT of a transaction that may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    Never,
    /// It does not arrive, and both sides see their connection closed.
    BeforeCommit,
    /// It is done, but instead of the answer both sides see their connection closed.
    AfterCommit,
    /// From here on nothing passes, and nobody is told.
    Silence,
}

/// Listens on a port of this machine. It lives as long as the test.
pub(crate) struct Wire {
    port: u16,
    next: Arc<Mutex<Break>>,
    open: Connections,
}

/// How each connection that was ever opened is broken.
type Connections = Arc<Mutex<Vec<Arc<Mutex<Break>>>>>;

impl Wire {
    /// A way to the PostgreSQL that listens on this socket.
    pub(crate) fn to(socket: &std::path::Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Self { port, next: Arc::new(Mutex::new(Break::Never)), open: Arc::default() };
        let (socket, next, open) = (socket.to_owned(), wire.next.clone(), wire.open.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let broken = Arc::new(Mutex::new(Break::Never));
                open.lock().unwrap().push(broken.clone());
                connect(client.unwrap(), UnixStream::connect(&socket).unwrap(), next.clone(), broken);
            }
        });
        wire
    }

    /// The address of a database behind this way.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    pub(crate) fn break_next(&self, how: Break) {
        *self.next.lock().unwrap() = how;
    }

    /// Nothing passes any more by the connections that are open; returns how many that are.
    pub(crate) fn silence(&self) -> usize {
        let open = self.open.lock().unwrap();
        open.iter().for_each(|broken| *broken.lock().unwrap() = Break::Silence);
        open.len()
    }
}

fn connect(client: TcpStream, postgres: UnixStream, next: Arc<Mutex<Break>>, broken: Arc<Mutex<Break>>) {
    let (mut up, mut down) = (client.try_clone().unwrap(), client);
    let (mut to, mut from) = (postgres.try_clone().unwrap(), postgres);
    let seen = broken.clone();
    // COMMITs that are not answered yet: that of a transaction which only read is not waited for.
    let asked = Arc::new(AtomicUsize::new(0));
    let answered = asked.clone();
    thread::spawn(move || {
        let mut writes = false;
        pass(&mut up, &mut to, |bytes| {
            asked.fetch_add(count(bytes, COMMIT), Ordering::SeqCst);
            if commits(bytes, &mut writes) {
                *seen.lock().unwrap() = std::mem::replace(&mut *next.lock().unwrap(), Break::Never);
            }
            match *seen.lock().unwrap() {
                Break::Never | Break::AfterCommit => Passage::Open,
                Break::BeforeCommit => Passage::Closed,
                Break::Silence => Passage::Mute,
            }
        });
        if *seen.lock().unwrap() != Break::Silence {
            let _ = to.shutdown(Shutdown::Both);
        }
    });
    thread::spawn(move || {
        pass(&mut from, &mut down, |bytes| {
            let now = count(bytes, COMMIT);
            let is_last = now > 0 && answered.fetch_sub(now, Ordering::SeqCst) == now;
            match *broken.lock().unwrap() {
                Break::Never => Passage::Open,
                Break::BeforeCommit => Passage::Closed,
                // What was sent before the COMMIT is answered first.
                Break::AfterCommit if is_last => Passage::Closed,
                Break::AfterCommit | Break::Silence => Passage::Mute,
            }
        });
        let _ = (from.shutdown(Shutdown::Both), down.shutdown(Shutdown::Both));
    });
}

/// A COMMIT, and the answer to one.
const COMMIT: &[u8] = b"COMMIT\0";

/// Whether these bytes commit a transaction that may write; `writes` tells of the one that is open. One may begin in the
/// same bytes in which another one ends, which only read.
fn commits(bytes: &[u8], writes: &mut bool) -> bool {
    let mut has_committed = false;
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        has_committed |= *writes && rest.starts_with(COMMIT);
        *writes = (*writes || rest.starts_with(b"READ WRITE")) && !rest.starts_with(b"READ ONLY");
    }
    has_committed
}

/// How often these bytes hold this text.
fn count(bytes: &[u8], text: &[u8]) -> usize {
    bytes.windows(text.len()).filter(|part| *part == text).count()
}

enum Passage {
    Open,
    Mute,
    Closed,
}

fn pass(from: &mut impl Read, to: &mut impl Write, mut passage: impl FnMut(&[u8]) -> Passage) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        match passage(&buffer[..length]) {
            Passage::Open if to.write_all(&buffer[..length]).is_ok() => {}
            Passage::Mute => {}
            Passage::Open | Passage::Closed => return,
        }
    }
}
