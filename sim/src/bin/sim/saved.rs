//! A failure as a file: what was run, and which operations of it.

use anyhow::{Context, Result, anyhow};
use carboy_sim::schedule::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a file holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    seed: u64,
    actions: u64,
    riders: usize,
    plants: usize,
    servers: usize,
    faults: String,
    offline: bool,
    operations: BTreeSet<u64>,
}

impl Saved {
    pub(crate) fn of(config: &Config, operations: BTreeSet<u64>) -> Self {
        let Config { seed, actions, riders, plants, servers, faults, offline } = *config;
        Self { seed, actions, riders, plants, servers, faults: faults.to_string(), offline, operations }
    }

    /// Writes it where builds are, under its seed.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = Path::new("target").join("sim");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let path = folder.join(format!("seed-{}.json", self.seed));
        fs::write(&path, serde_json::to_vec(self)?).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no saved failure", path.display()))
    }

    pub(crate) fn into_run(self) -> Result<(Config, BTreeSet<u64>)> {
        let Self { seed, actions, riders, plants, servers, faults, offline, operations } = self;
        let faults = faults.parse().map_err(|error: String| anyhow!(error))?;
        Ok((Config { seed, actions, riders, plants, servers, faults, offline }, operations))
    }
}
