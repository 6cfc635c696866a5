//! The Android modules built and tested on this machine: no Gradle, no Android SDK, no device.
//!
//! It reads what Gradle reads (sources, manifests, resources, `gradle/libs.versions.toml`) and, in place of Gradle's
//! dependency resolution, the locks in `android/host`.

mod apk;
mod artifacts;
mod catalogue;
mod compile;
mod library;
mod resources;
mod step;
mod tests;

use crate::process::repository;
use crate::setup;
use anyhow::{Context, Result};
use artifacts::Artifacts;
use catalogue::Catalogue;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use apk::debug as apk;
pub(crate) use library::library;
pub(crate) use tests::command as tests;

/// A module with an Android manifest.
pub(crate) struct Module {
    /// Its folder in `android`.
    name: &'static str,
    /// Whether the Compose compiler plugin works on its sources.
    compose: bool,
    /// The Android module that it is built on.
    below: Option<&'static Module>,
}

/// What every app needs around the core.
pub(crate) const SHELL: Module = Module { name: "shell", compose: false, below: None };

/// The rider's app.
pub(crate) const APP: Module = Module { name: "app", compose: true, below: Some(&SHELL) };

impl Module {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn folder(&self) -> PathBuf {
        android().join(self.name)
    }

    fn main(&self) -> PathBuf {
        self.folder().join("src/main")
    }

    /// The package of its R class, from the one place that says it.
    fn namespace(&self) -> Result<String> {
        let path = self.folder().join("build.gradle.kts");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let found =
            text.lines().find_map(|line| line.trim().strip_prefix("namespace = \"")?.strip_suffix('"'));
        Ok(found.with_context(|| format!("{} names no namespace", path.display()))?.to_owned())
    }

    /// This module and those below it.
    fn stack(&'static self) -> impl Iterator<Item = &'static Module> {
        std::iter::successors(Some(self), |module| module.below)
    }
}

/// The folder of the Gradle project.
fn android() -> PathBuf {
    repository().join("android")
}

/// What every step of the build needs.
struct Build {
    artifacts: Artifacts,
    catalogue: Catalogue,
    /// Where everything that is made lands, a folder for each step.
    out: PathBuf,
}

impl Build {
    fn new() -> Result<Self> {
        setup::jdk()?;
        let out = android().join("host/build");
        fs::create_dir_all(&out)?;
        Ok(Self { artifacts: Artifacts::fetch()?, catalogue: Catalogue::read()?, out })
    }
}

/// The files below `folder` whose names end with `ending`, in order; none if there is no such folder.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A search path as Java writes it.
fn joined<P: AsRef<Path>>(paths: &[P]) -> String {
    paths.iter().map(|path| path.as_ref().to_string_lossy().into_owned()).collect::<Vec<_>>().join(":")
}
