//! The history of a run, as one hash: every event with its time, who it happened to, and the bytes that went over the
//! wire. Two runs of one seed must end with the same.

use crate::clock::Ms;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// How many of the last events are kept as text, for a report of a failure.
const KEPT: usize = 300;

/// What happened so far.
#[derive(Debug, Default)]
pub struct History {
    hash: Sha256,
    events: u64,
    recent: VecDeque<String>,
    /// Whether lines are kept: they cost time.
    is_told: bool,
}

impl History {
    /// Takes note of an event: what happened, to whom, and the bytes that say the rest.
    pub fn note(&mut self, at: Ms, what: &'static str, who: usize, bytes: &[u8]) {
        self.hash.update(at.to_be_bytes());
        self.hash.update((what.len() as u64).to_be_bytes());
        self.hash.update(what);
        self.hash.update((who as u64).to_be_bytes());
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
        self.events += 1;
    }

    /// From now on lines are kept.
    pub fn keep_lines(&mut self) {
        self.is_told = true;
    }

    /// Keeps a line about what happened, for a person who looks into a failure.
    pub fn tell(&mut self, at: Ms, line: impl FnOnce() -> String) {
        if !self.is_told {
            return;
        }
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(format!("{:>9.1} s  {}", at as f64 / 1000.0, line()));
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash over all of them.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.clone().finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The last lines, oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &str> {
        self.recent.iter().map(String::as_str)
    }
}
