//! `cargo xtask bindings`: the library that phones load, and its Kotlin and Swift sides. None of it is committed.

use crate::process::{built, cargo, repository, run};
use crate::{crossing, examples};
use anyhow::{Context, Result, ensure};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The generated parts, each a folder of its own that is written anew as a whole.
const KOTLIN: &str = "bindings/kotlin/generated";
const SWIFT: &str = "bindings/swift/generated";

/// What is made of the Swift quickstart's page.
const IOS: &str = "ios/generated";

/// How UniFFI's Swift reads a number and bytes that came across the border, and a quicker way: generic copying out of
/// `Data` made up three quarters of reading a route.
const QUICKER: [[&str; 2]; 2] = [
    [
        "    var value: T = 0
    let _ = withUnsafeMutableBytes(of: &value, { reader.data.copyBytes(to: $0, from: range)})
",
        "    let value = reader.data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self) }
",
    ],
    [
        "    var value = [UInt8](repeating: 0, count: count)
    value.withUnsafeMutableBufferPointer({ buffer in
        reader.data.copyBytes(to: buffer, from: range)
    })
",
        "    let value = reader.data.withUnsafeBytes { Array($0[range]) }
",
    ],
];

/// Builds the library and generates both sides from it.
pub(crate) fn generate() -> Result<()> {
    run(&mut cargo(&["build", "--package", "carboy-bindings"]))?;
    let library = built()?.join(format!("{DLL_PREFIX}carboy{DLL_SUFFIX}"));
    for part in [KOTLIN, SWIFT, IOS] {
        empty(&repository().join(part))?;
    }
    let generator = ["run", "--package", "xtask", "--features", "bindgen", "--bin", "bindgen", "--"];
    run(cargo(&generator).arg(&library).args(["uniffi.toml", KOTLIN, SWIFT]))?;
    change(&repository().join(SWIFT).join("CarboyBindings/CarboyBindings.swift"), quicken)?;
    change(&repository().join(KOTLIN).join("app/carboy/carboy.kt"), crossing::cross)?;
    examples::extract()?;
    println!("generated {KOTLIN} and {SWIFT} from {}", library.display());
    Ok(())
}

fn change(file: &Path, change: impl Fn(&str) -> Result<String>) -> Result<()> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let text = change(&text).with_context(|| format!("{shown} does not read as expected"))?;
    fs::write(file, text).with_context(|| format!("cannot write {shown}"))
}

/// Fails where another version of UniFFI reads in another way, so that this is looked at again.
fn quicken(swift: &str) -> Result<String> {
    let mut text = swift.to_owned();
    for [slow, quick] in QUICKER {
        ensure!(text.matches(slow).count() == 1, "not once: {slow}");
        text = text.replace(slow, quick);
    }
    Ok(text)
}

fn empty(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}
