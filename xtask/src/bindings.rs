//! `cargo xtask bindings`: the library that phones load, and its Kotlin and Swift sides. None of it is committed.

use crate::examples;
use crate::process::{built, cargo, repository, run};
use anyhow::{Context, Result};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The generated parts, each a folder of its own that is written anew as a whole.
const KOTLIN: &str = "bindings/kotlin/generated";
const SWIFT: &str = "bindings/swift/generated";

/// What is made of the Swift quickstart's page.
const IOS: &str = "ios/generated";

/// Builds the library and generates both sides from it.
pub(crate) fn generate() -> Result<()> {
    run(&mut cargo(&["build", "--package", "carboy-bindings"]))?;
    let library = built()?.join(format!("{DLL_PREFIX}carboy{DLL_SUFFIX}"));
    for part in [KOTLIN, SWIFT, IOS] {
        empty(&repository().join(part))?;
    }
    let generator = ["run", "--package", "xtask", "--features", "bindgen", "--bin", "bindgen", "--"];
    run(cargo(&generator).arg(&library).args(["uniffi.toml", KOTLIN, SWIFT]))?;
    examples::extract()?;
    println!("generated {KOTLIN} and {SWIFT} from {}", library.display());
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}
