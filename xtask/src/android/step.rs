//! A step of the build: a folder that is made anew only when something that goes into it has changed.

use anyhow::{Context, Result};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a step has made.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) folder: PathBuf,
    /// Differs when what went into it differs.
    pub(super) key: u64,
}

/// What goes into a step.
pub(super) struct Inputs(DefaultHasher);

impl Inputs {
    /// This very program goes into every step: it holds the commands that make it.
    pub(super) fn new() -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        let this = fs::metadata(std::env::current_exe()?)?;
        (this.len(), this.modified()?).hash(&mut hasher);
        Ok(Self(hasher))
    }

    pub(super) fn value(mut self, value: impl Hash) -> Self {
        value.hash(&mut self.0);
        self
    }

    /// The contents of `files`, with their paths.
    pub(super) fn files(mut self, files: &[PathBuf]) -> Result<Self> {
        for file in files {
            let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            (file, content).hash(&mut self.0);
        }
        Ok(self)
    }
}

/// Does `work` in an empty `folder`, unless it holds what came of the same inputs already.
pub(super) fn step(folder: &Path, inputs: &Inputs, work: impl FnOnce(&Path) -> Result<()>) -> Result<Made> {
    let key = inputs.0.finish();
    let stamp = folder.with_extension("stamp");
    let made = Made { folder: folder.to_owned(), key };
    if fs::read_to_string(&stamp).is_ok_and(|found| found == format!("{key:016x}")) {
        return Ok(made);
    }
    let start = Instant::now();
    for old in [&stamp, folder] {
        if old.is_dir() {
            fs::remove_dir_all(old)?;
        } else if old.exists() {
            fs::remove_file(old)?;
        }
    }
    fs::create_dir_all(folder)?;
    work(folder)?;
    fs::write(&stamp, format!("{key:016x}"))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    println!("made {name} in {:.1} s", start.elapsed().as_secs_f64());
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_step_is_done_again_when_an_input_changes_or_when_it_failed_and_not_otherwise() {
        let folder = std::env::temp_dir().join(format!("carboy-step-{}", std::process::id()));
        let source = folder.join("source");
        let runs = Cell::new(0);
        let run = |fails: bool| {
            let inputs = Inputs::new().unwrap().files(std::slice::from_ref(&source)).unwrap();
            step(&folder.join("made"), &inputs, |made| {
                runs.set(runs.get() + 1);
                assert_eq!(fs::read_dir(made).unwrap().count(), 0, "what was there before is gone");
                fs::write(made.join("a"), "a")?;
                anyhow::ensure!(!fails, "no");
                Ok(())
            })
        };
        fs::create_dir_all(&folder).unwrap();
        fs::write(&source, "one").unwrap();
        let first = run(false).unwrap().key;
        assert_eq!(run(false).unwrap().key, first);
        assert_eq!(runs.get(), 1);
        fs::write(&source, "two").unwrap();
        run(true).map(|made| made.key).unwrap_err();
        assert_ne!(run(false).unwrap().key, first);
        assert_eq!(runs.get(), 3);
        fs::remove_dir_all(&folder).unwrap();
    }
}
