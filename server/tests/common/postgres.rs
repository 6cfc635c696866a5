//! A PostgreSQL of the tests' own, on Debian's binaries: in a temporary folder, on a socket in that folder alone, and
//! gone with the test process however that ends. Another crate's tests include this file by its path.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests: each file uses its part"
)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to start, to answer or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs PostgreSQL ($1: its binaries, $2: the cluster's folder, then its settings) until the test process lets go of
/// this script's input, be it by SIGKILL; then nothing is left. A line on the input is the machine's sudden death:
/// every process is killed at once, their shared memory is gone, and the disk stays.
const GUARD: &str = r#"
binaries=$1 folder=$2; shift 2
"$binaries/postgres" -D "$folder/data" -k "$folder" "$@" >>"$folder/log" 2>&1 &
if read -r _; then
    { kill -KILL $! $(cat /proc/$!/task/$!/children); wait $!; } 2>/dev/null # A child may have ended by itself.
    set -- $(sed -n 7p "$folder/data/postmaster.pid")
    ipcrm -m "$2"
else
    kill -QUIT $!
    wait $!
    rm -rf "$folder"
fi"#;

/// Settings of every cluster: no TCP, room for the pools of many tests at once, and nothing outside its folder.
const SETTINGS: [&str; 5] = [
    "listen_addresses=",
    "max_connections=300",
    "shared_buffers=64MB",
    "dynamic_shared_memory_type=mmap",
    "log_min_messages=warning",
];

/// What a test waits less with. A cluster without them keeps what it has acknowledged.
const CARELESS: [&str; 2] = ["fsync=off", "full_page_writes=off"];

/// The address of a new, empty database in a cluster that the tests of this process share. It forgets what a crash
/// meets: a test of crashes makes a [`Cluster`].
pub fn database() -> String {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::made(&CARELESS)).database()
}

/// The address of one database on whichever of two clusters takes writes.
pub fn on_either(one: &Cluster, other: &Cluster, database: &str) -> String {
    let hosts = format!("{},{}", one.host(), other.host());
    format!("postgres://postgres@{hosts}/{database}?target_session_attrs=read-write")
}

/// One running PostgreSQL.
pub struct Cluster {
    folder: PathBuf,
    settings: Vec<&'static str>,
    guard: Option<Child>,
}

impl Cluster {
    /// A cluster that survives a crash with all that it has acknowledged.
    pub fn primary() -> Self {
        Self::made(&[])
    }

    fn made(settings: &[&'static str]) -> Self {
        let folder = new_folder();
        // Linguistic order, as on most servers: what sorts by bytes must say so itself.
        done(as_user(&folder, "initdb").args(["-D", &inside(&folder, "data"), "-U", "postgres"]).args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--no-sync",
            "--no-instructions",
        ]));
        let mut cluster =
            Self { folder, settings: SETTINGS.iter().chain(settings).copied().collect(), guard: None };
        cluster.start();
        cluster
    }

    /// A copy that follows this cluster. From now on, this one acknowledges nothing that the copy has not on its disk.
    pub fn standby(&self) -> Self {
        let folder = new_folder();
        done(
            as_user(&folder, "pg_basebackup").args(["-D", &inside(&folder, "data"), "-U", "postgres"]).args(
                [
                    "--host",
                    self.folder.to_str().unwrap(),
                    "--checkpoint=fast",
                    "--write-recovery-conf",
                    "--create-slot",
                    "--slot=standby",
                ],
            ),
        );
        let mut standby = Self { folder, settings: self.settings.clone(), guard: None };
        standby.start();
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("postgres", "SELECT pg_reload_conf()");
        let state = "SELECT sync_state FROM pg_stat_replication";
        self.wait("a synchronous standby", || self.sql("postgres", state) == "sync");
        standby
    }

    /// The address of a new, empty database.
    pub fn database(&self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    /// The address of `database` on this cluster alone.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.host())
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    fn host(&self) -> String {
        self.folder.to_str().unwrap().replace('/', "%2F")
    }

    /// Ends every process of this cluster at once, with no chance to finish anything.
    pub fn kill9(&mut self) {
        let mut guard = self.guard.take().expect("it runs");
        guard.stdin.take().unwrap().write_all(b"die\n").unwrap();
        assert!(has_ended(&mut guard), "it does not die: {}", self.log());
    }

    /// Makes a standby take writes.
    pub fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t", "{}", self.log());
    }

    /// Starts it, again after [`Cluster::kill9`] on the same disk, and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.guard.is_none(), "it runs already");
        let mut command = owned_by(&self.folder, "sh");
        // A group of its own: Ctrl-C ends the tests, and their end ends this.
        command.args(["-c", GUARD, "sh"]).arg(binaries()).arg(&self.folder).process_group(0);
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        self.guard = Some(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
        self.wait("an answer", || {
            Command::new(binaries().join("pg_isready"))
                .args(["--quiet", "--host"])
                .arg(&self.folder)
                .status()
                .unwrap()
                .success()
        });
    }

    /// What a query answers: columns apart by `|`, rows by line ends.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--username=postgres", "--dbname", database, "--command", sql]).arg("--host");
        done(psql.arg(&self.folder)).trim().to_owned()
    }

    fn wait(&self, what: &str, is_there: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < end, "no {what} after {PATIENCE:?}: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        match self.guard.take() {
            Some(mut guard) => {
                drop(guard.stdin.take());
                has_ended(&mut guard);
            }
            None => {
                let _ = fs::remove_dir_all(&self.folder);
            }
        }
    }
}

/// Whether a process has ended; it is waited for, but not without an end.
fn has_ended(process: &mut Child) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        match process.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            ended => return ended.is_ok(),
        }
    }
    false
}

/// Whether this machine has PostgreSQL.
pub fn is_installed() -> bool {
    installed().is_some()
}

fn binaries() -> &'static Path {
    installed().expect(
        "PostgreSQL is missing: install Debian's package `postgresql`, or let `cargo xtask test` do it",
    )
}

/// The newest PostgreSQL of Debian's packages, else the one on the PATH.
fn installed() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        let debian = debian.filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let newest = debian.filter(|(_, folder)| folder.join("initdb").exists()).max();
        newest
            .map(|(_, folder)| folder)
            .or_else(|| std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()))
    });
    found.as_deref()
}

/// A folder for one cluster, owned by the user who will run it: PostgreSQL refuses to run as root.
fn new_folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("carboy-pg-").tempdir().unwrap().keep();
    if fs::metadata(&folder).unwrap().uid() == 0 {
        let id = |flag| done(Command::new("id").args([flag, "nobody"])).trim().parse().unwrap();
        chown(&folder, Some(id("-u")), Some(id("-g"))).unwrap();
    }
    folder
}

/// One of PostgreSQL's programs, run as the owner of `folder`.
fn as_user(folder: &Path, program: &str) -> Command {
    owned_by(folder, binaries().join(program))
}

fn owned_by(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let owner = fs::metadata(folder).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder);
    if fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}

fn inside(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// What a program printed, once it has done its work.
fn done(command: &mut Command) -> String {
    let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let process = process.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(process.wait_with_output()));
    let output = receiver.recv_timeout(PATIENCE);
    let output = output.unwrap_or_else(|_| panic!("{command:?}: no end after {PATIENCE:?}")).unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
