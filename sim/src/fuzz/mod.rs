//! What the fuzzers run: each target takes any bytes, and panics where something does not hold that must.
//!
//! A target is a function of its bytes alone, so that a stable test (`sim/tests/fuzz.rs`) runs it over the corpus that
//! `fuzz/corpus` keeps, and the fuzzer (`cargo xtask fuzz`) goes on from there.
#![allow(clippy::unwrap_used, reason = "a target fails by a panic")]

mod choices;
mod phone;
mod reply;
mod resolution;
mod seeds;
mod store;
mod sync;

pub use reply::reply;
pub use resolution::resolution;
pub use seeds::seeds;
pub use store::store;
pub use sync::sync;

use std::fs;
use std::path::Path;

/// Runs a target over an input.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 4] =
    [("sync", sync), ("reply", reply), ("store", store), ("resolution", resolution)];

/// A folder in memory where there is such: each input has one of its own.
fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The files of a folder, kept in memory to be laid down again for each input.
struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    fn of(folder: &Path) -> Self {
        let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let files = files.filter(|entry| entry.file_type().unwrap().is_file());
        let named =
            |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        Self(files.map(named).collect())
    }

    fn lay_down(&self, folder: &Path) {
        self.0.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
    }
}
